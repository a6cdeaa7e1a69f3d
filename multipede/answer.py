"""What a command answers, and the exit statuses."""

from typing import Any

__all__ = ["FAILED", "HELD", "INTERRUPTED", "TOOL_FAILED", "WRONG_INPUT", "Answer"]

HELD, FAILED, WRONG_INPUT, TOOL_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


Answer = tuple[int, Any, str]
