"""Answers in one SQLite file, which several sweeps may share and which survives a kill."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from multipede.cost_model.sweeps.question import Answer
from multipede.toolchain.cost import Cost

__all__ = ["SCHEMA", "Store", "StoreError"]

_APPLICATION = 0x4D504544
"""which tells such a file from other SQLite files: MPED"""
_WAIT = 60.0
"""s for which another writer is waited for"""
_AT_ONCE = 500
"""keys in one query"""
_HEADER = 100
"""bytes that a SQLite file begins with, see its "Database File Format", section 1.3"""

_MIGRATIONS = (
    """
    CREATE TABLE answers (
        key TEXT PRIMARY KEY,
        unit TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        spec TEXT NOT NULL,
        target TEXT NOT NULL,
        options TEXT NOT NULL,
        error TEXT NOT NULL,
        seconds REAL NOT NULL,
        made TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE costs (
        key TEXT NOT NULL REFERENCES answers (key) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        quantity TEXT NOT NULL,
        value REAL NOT NULL,
        unit TEXT NOT NULL,
        method TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (key, place),
        UNIQUE (key, quantity)
    ) WITHOUT ROWID;
    CREATE INDEX answers_of_points ON answers (fingerprint, target);
    """,
)
"""what makes each version of the schema of the one before"""

SCHEMA = len(_MIGRATIONS)


class StoreError(ValueError):
    """A file of results cannot be used; the message says why."""


class Store:
    """The answers in a file.

    Parameters
    ----------
    path : the file; made if it is not there. read_only : whether it must be there and stays as it
        is.

    Raises
    ------
    StoreError
        If it is no such file, of a newer version, damaged, or cannot be read or written.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self.path = Path(path)
        if not self.path.exists() and (read_only or not self.path.parent.is_dir()):
            raise StoreError(f"{self.path}: there is no such file or directory")
        if self.path.is_dir():
            raise StoreError(f"{self.path}: this is a directory")
        with self._told():
            address = f"file:{quote(str(self.path.resolve()))}?mode={self._mode(read_only)}"
            # Transactions are begun and ended by hand.
            self._file = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)
        try:
            with self._told():
                self._require_whole()
                self._open(read_only)
        except BaseException:
            self._file.close()
            raise

    def _mode(self, read_only: bool) -> str:
        """How it is opened. Even to be read, SQLite puts a file beside one in WAL mode; on a
        read-only disk, where nobody writes, it need not."""
        if not read_only:
            return "rwc"
        waits = self.path.with_name(f"{self.path.name}-wal").exists()
        fixed = not waits and not os.access(self.path.parent, os.W_OK)
        return "ro&immutable=1" if fixed else "ro"

    def _require_whole(self) -> None:
        """StoreError for a file that ends before it should, which SQLite sees only if whole pages
        are missing. While something waits beside it to be written to it, it may be shorter."""
        waiting = self.path.with_name(f"{self.path.name}-wal")
        if waiting.exists() and waiting.stat().st_size:
            return
        with self.path.open("rb") as file:
            header = file.read(_HEADER)
        if len(header) < _HEADER or not header.startswith(b"SQLite format 3"):
            return  # empty, or told of by what follows
        page = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        size, needed = self.path.stat().st_size, pages * (65_536 if page == 1 else page)
        # SQLite before 3.7 left the number of pages out.
        if size < needed and header[24:28] == header[92:96]:
            raise StoreError(f"{self.path}: it is damaged: {size:,} of {needed:,} bytes are there")

    def _open(self, read_only: bool) -> None:
        execute = self._file.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != _APPLICATION and (tables or application or read_only):
            what = "another program's SQLite file" if tables or application else "empty"
            raise StoreError(f"{self.path}: it is {what}")
        (version,) = execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise StoreError(
                f"{self.path}: its version is {version}, and this Multipede knows those up to"
                f" {SCHEMA}: a newer one wrote it"
            )
        if read_only and version < SCHEMA:
            raise StoreError(
                f"{self.path}: its version is {version}, this Multipede's {SCHEMA}: open it once"
                " for writing, by a sweep, to bring it up to date"
            )
        if not read_only:
            execute(f"PRAGMA busy_timeout = {int(1000 * _WAIT)}")
            execute("PRAGMA journal_mode = WAL")
            # In WAL, what was committed is not lost by a kill, nor the file by a power failure.
            execute("PRAGMA synchronous = NORMAL")
            execute("PRAGMA foreign_keys = ON")
            self._migrate()

    def _migrate(self) -> None:
        with self._transaction():
            (version,) = self._file.execute("PRAGMA user_version").fetchone()
            for statements in _MIGRATIONS[version:]:
                for statement in filter(str.strip, statements.split(";")):
                    self._file.execute(statement)
            self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._file.execute(f"PRAGMA user_version = {SCHEMA}")

    def add(self, answer: Answer) -> None:
        """Keep an answer, instead of one of the same key. StoreError if it cannot be written; the
        file has either all of it then or nothing."""
        self.add_all([answer])

    def add_all(self, answers: Iterable[Answer]) -> None:
        """Likewise, all or none."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._told(), self._transaction():
            for answer in answers:
                self._file.execute("DELETE FROM answers WHERE key = ?", (answer.key,))
                self._file.execute(
                    "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        answer.key,
                        answer.spec["unit"],
                        answer.fingerprint,
                        json.dumps(answer.spec),  # parameters in the unit's order
                        answer.target,
                        json.dumps(answer.options, sort_keys=True),
                        answer.error,
                        answer.seconds,
                        now,
                    ),
                )
                self._file.executemany(
                    "INSERT INTO costs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        (
                            answer.key,
                            place,
                            cost.quantity,
                            cost.value,
                            cost.unit,
                            cost.method.value,
                            json.dumps(cost.to_dict(), sort_keys=True),
                        )
                        for place, cost in enumerate(answer.costs)
                    ],
                )

    def answers(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Those that are there, by key."""
        wanted, found = list(dict.fromkeys(keys)), {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found |= {
                answer.key: answer for answer in self._read(f"WHERE answers.key IN ({marks})", some)
            }
        return found

    def all(self, *, unit: str | None = None, target: str | None = None) -> list[Answer]:
        """All answers, or those of a unit, and of a target; of each of these the newest last."""
        wanted = {"unit": unit, "target": target}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"answers.{name} = ?" for name in wanted)
        return list(self._read(f"WHERE {where}" if where else "", list(wanted.values())))

    def _read(self, where: str, values: list[str]) -> Iterator[Answer]:
        with self._told():
            rows = self._file.execute(
                "SELECT key, spec, fingerprint, target, options, error, seconds FROM answers"
                f" {where} ORDER BY unit, target, made, key",
                values,
            ).fetchall()
            costs: dict[str, list[str]] = {}
            for key, record in self._file.execute(
                "SELECT costs.key, costs.record FROM costs JOIN answers USING (key)"
                f" {where} ORDER BY costs.key, costs.place",
                values,
            ):
                costs.setdefault(key, []).append(record)
        for key, spec, fingerprint, target, options, error, seconds in rows:
            try:
                yield Answer(
                    key=key,
                    spec=json.loads(spec),
                    fingerprint=fingerprint,
                    target=target,
                    options=json.loads(options),
                    costs=tuple(Cost.from_dict(json.loads(one)) for one in costs.get(key, ())),
                    error=error,
                    seconds=seconds,
                )
            except (KeyError, TypeError, ValueError) as wrong:
                raise StoreError(f"{self.path}: the answer {key} is damaged: {wrong}") from None

    def close(self) -> None:
        """Nothing can be asked or added afterwards."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors in our words."""
        try:
            yield
        except sqlite3.Error as error:
            why = _WHY.get(getattr(error, "sqlite_errorname", ""), str(error))
            raise StoreError(f"{self.path}: {why}") from error


_WHY: Mapping[str, str] = {
    "SQLITE_NOTADB": "it is no file of results, or damaged",
    "SQLITE_CORRUPT": "it is damaged; what can be read of it, 'sqlite3 FILE .recover' writes",
    "SQLITE_FULL": "the disk is full; what was written before is kept",
    "SQLITE_READONLY": "it cannot be written: the file or the disk is read-only",
    "SQLITE_READONLY_DIRECTORY": "it cannot be written: its directory is read-only",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_BUSY": f"another program has kept it locked for {_WAIT:g} s",
}
