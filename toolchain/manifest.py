"""What a result in the cache consists of: written with it, so that damage is noticed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

_NAME = ".manifest"


def seal(place: Path) -> None:
    """Write down what is in a finished directory, and have all of it on the disk."""
    entries = [path for path in place.rglob("*") if path != place / _NAME]
    files = [path for path in entries if path.is_symlink() or path.is_file()]
    content = {path.relative_to(place).as_posix(): _digest(path) for path in files}
    (place / _NAME).write_text(json.dumps(content, indent=0, sort_keys=True))
    for path in (*entries, place / _NAME, place):
        if not path.is_symlink():
            sync(path)


def is_whole(place: Path) -> bool:
    """Whether everything that was sealed is there and as it was."""
    try:
        content = json.loads((place / _NAME).read_bytes())
        return content == {name: _digest(place / name) for name in content}
    except (OSError, ValueError, TypeError):
        return False


def sync(path: Path) -> None:
    """Have a file or a directory on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():  # Some network file systems cannot do it for directories.
            raise
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    """Of a file's content; a link counts with where it leads."""
    if path.is_symlink():
        return f"-> {os.readlink(path)}"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
