"""What was built once: a directory of results that are found by their content.

A result is built in a temporary directory beside its place, written to the disk with a manifest of
its files, and then renamed. So a result that is there is whole, after a power failure too; one that
was damaged later is noticed by its manifest and built anew. A lock for each result keeps two
processes from building it twice; the system drops the lock of a process that dies.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from multipede.golden.source_files import require_unchanged

from .errors import ToolError
from .manifest import is_whole, seal, sync

# The common mark of cache directories: backup programs leave them out.
_TAG = "CACHEDIR.TAG"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_STAYING = ("locks", "evidence")


def directory() -> Path:
    """The cache's directory: `MULTIPEDE_CACHE`, otherwise `~/.cache/multipede`.

    Raises:
        ToolError: there is no home directory.
    """
    given = os.environ.get("MULTIPEDE_CACHE")
    try:
        return Path(given).expanduser().absolute() if given else Path.home() / ".cache/multipede"
    except RuntimeError as error:
        raise ToolError(f"no cache directory: {error}; set MULTIPEDE_CACHE") from error


def subdirectory(name: str) -> Path:
    """A directory inside the cache, made if it is not there.

    Raises:
        ToolError: it cannot be made.
    """
    path = directory() / name
    try:
        if not path.is_dir():
            _mark()
            path.mkdir(exist_ok=True)
    except OSError as error:
        raise unusable(path, error) from error
    return path


def _mark() -> None:
    """Make the directory and mark it as a cache, unless there is something else in it."""
    root = directory()
    root.mkdir(parents=True, exist_ok=True)
    if not any(root.iterdir()):
        write_atomically(root / _TAG, "Signature: 8a477f597d28d172789f06886806bc55\n")


def unusable(path: Path, error: OSError) -> ToolError:
    """The error that says that files below `path` cannot be written, and what to do."""
    if error.errno in _FULL:
        return ToolError(
            f"the disk of {path} is full: free space there, run 'multipede doctor --clear-cache', "
            f"or set MULTIPEDE_CACHE to a directory on another disk"
        )
    return ToolError(
        f"{path} cannot be written ({error.strerror or error}): "
        f"set MULTIPEDE_CACHE to a directory that can"
    )


def key(*parts: str | bytes | Path) -> str:
    """A digest of the parts; a Path counts with what the file or directory holds.

    Raises:
        FileNotFoundError: a Path that is not there.
        TypeError: a part of another type.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            _update(digest, b"s", part.encode())
        elif isinstance(part, bytes):
            _update(digest, b"b", part)
        elif isinstance(part, Path):
            for name, content in _contents(part):
                _update(digest, b"n", name.encode())
                _update(digest, b"f", content)
            _update(digest, b"e", b"")
        else:
            raise TypeError(
                f"a part of a key is a str, bytes or Path, not {type(part).__name__}: {part!r}"
            )
    return digest.hexdigest()


def _update(digest: hashlib._Hash, kind: bytes, content: bytes) -> None:
    digest.update(kind + len(content).to_bytes(8, "little"))
    digest.update(content)


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            yield file.relative_to(path).as_posix(), file.read_bytes()
    else:
        yield "", path.read_bytes()


def cached(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The directory that `build` filled for this key, now or earlier, here or elsewhere.

    Args:
        kind: what it is; a directory name.
        key: what it depends on, from `key(...)`.
        build: fills the empty directory that it is given. If it raises, nothing is kept.

    Raises:
        ToolError: the cache's directory cannot be written or is full.
        SourceChangedError: code was loaded that is not the one that keys tell of.
        Exception: whatever `build` raises.
    """
    place = directory() / kind / key
    if _use(place):
        return place
    subdirectory(kind)
    _prune_daily()
    with locked(f"{kind}-{key}") as held:
        if _use(place):
            return place
        # Whoever left these was killed, if it is we who hold the lock.
        for left in place.parent.glob(f".{key}.*") if held else ():
            _discard(left)
        temporary = place.with_name(f".{key}.{os.getpid()}")
        try:
            temporary.mkdir()
            build(temporary)
            require_unchanged()
            seal(temporary)
            _publish(temporary, place)
        except OSError as error:
            if _ours(error):
                raise unusable(place.parent, error) from error
            raise
        finally:
            _discard(temporary)
    return place


def _use(place: Path) -> bool:
    """Whether it is there and whole; marks it as used, so that it is pruned later than others."""
    if not is_whole(place):
        return False
    with suppress(OSError):  # A cache that can only be read still serves.
        os.utime(place)
    return True


def _publish(temporary: Path, place: Path) -> None:
    """Put a result in its place, and what is damaged there out of the way."""
    if os.path.lexists(place) and not is_whole(place):
        damaged = temporary.with_name(f"{temporary.name}.damaged")
        place.rename(damaged)
        _discard(damaged)
    try:
        temporary.rename(place)
    except OSError:
        # Another has built it although we hold the lock (which was cleared away, or the file
        # system knows no locks): theirs is as good.
        if not is_whole(place):
            raise
    sync(place.parent)


def _ours(error: OSError) -> bool:
    """Whether it is the cache that cannot be written, and not something of the builder's."""
    inside = error.filename is not None and str(directory()) in str(error.filename)
    return error.errno in _FULL or (inside and error.errno in (errno.EACCES, errno.EROFS))


@contextmanager
def locked(name: str) -> Iterator[bool]:
    """Hold the lock of this name, waiting for it if another thread or process has it.

    Yields whether it is held: some network file systems have no locks. Then a result may be built
    twice, never torn.

    Raises:
        ToolError: the cache's directory cannot be written.
    """
    path = subdirectory("locks") / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unusable(path.parent, error) from error
    try:
        yield _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that, whatever happens, it holds either the old content or the new.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.{os.urandom(4).hex()}")
    data = content.encode() if isinstance(content, str) else content
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        # Name the file that was asked for, not the temporary one.
        raise type(error)(error.errno, error.strerror, str(path)) from error


def size() -> int:
    """Bytes in the cache, by what is there while others write and remove."""
    return _size_below(directory())


def clear() -> int:
    """Remove everything from the cache; returns the bytes that were in it.

    Raises:
        ToolError: the directory is not one that we made, or something cannot be removed.
    """
    root = directory()
    if not root.is_dir() or not any(root.iterdir()):
        return 0
    if not (root / _TAG).is_file():
        raise ToolError(f"{root} is not cleared: it held other files before it became the cache")
    before = size()
    try:
        # The mark goes last, so that an interrupted clearing can be taken up again.
        for entry in sorted(root.iterdir(), key=lambda entry: entry.name == _TAG):
            _remove(entry)
    except OSError as error:
        raise unusable(root, error) from error
    return before


def prune(*, days: float = 30.0) -> int:
    """Remove results, logs and work directories not used for so many days; returns the bytes.

    Findings stay: they cannot be made again for code that is gone.
    """
    oldest, freed = time.time() - days * 86400, 0
    for entry in directory().glob("*/*"):
        try:
            if entry.lstat().st_mtime < oldest and entry.parent.name not in _STAYING:
                freed += _size(entry) + _size_below(entry)
                _remove(entry)
        except OSError:
            continue
    return freed


def _prune_daily() -> None:
    """Prune, but not more than once a day: it looks at every file."""
    stamp = directory() / ".pruned"
    with suppress(OSError):
        if not stamp.exists():
            stamp.touch()
        elif stamp.stat().st_mtime < time.time() - 86400:
            stamp.touch()
            prune()


def _size_below(root: Path) -> int:
    # os.walk passes over directories that vanish meanwhile; Path.rglob raises an error.
    return sum(_size(Path(place, file)) for place, _, files in os.walk(root) for file in files)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if not path.is_dir() else 0
    except OSError:
        return 0


def _discard(entry: Path) -> None:
    with suppress(OSError):  # The next builder of the same tries again.
        _remove(entry)


def _remove(entry: Path) -> None:
    import shutil

    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
