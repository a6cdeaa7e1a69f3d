"""The outside programs: finds, versions, runs, logs and caches them."""

from . import cache
from .cache import cached, key, write_atomically
from .errors import ToolError, ToolFailure, ToolTimeout
from .find import find
from .run import Completed, Job, run, run_all
from .tool import Tool

__all__ = [
    "Completed",
    "Job",
    "Tool",
    "ToolError",
    "ToolFailure",
    "ToolTimeout",
    "cache",
    "cached",
    "find",
    "key",
    "run",
    "run_all",
    "write_atomically",
]
