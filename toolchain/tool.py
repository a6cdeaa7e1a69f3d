"""An outside program that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """A program that can be run.

    Attributes:
        name: what it was asked for as.
        command: the beginning of its command line.
        version: numbers of its version.
        origin: "PATH", "CXX" or "wheel NAME VERSION".
        identity: digest of its content and version; equal tools have equal identities.
        environment: variables that it needs.
        description: the first line of what it says of itself.
    """

    name: str
    command: tuple[str, ...]
    version: tuple[int, ...]
    origin: str
    identity: str
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    description: str = ""

    @property
    def path(self) -> Path:
        """The program itself; for pyosys the library."""
        return Path(self.environment.get("MULTIPEDE_TOOL", self.command[0]))
