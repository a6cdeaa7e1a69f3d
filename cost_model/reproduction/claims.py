"""Published figures, ours beside each, and what differs."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Claim", "Claims"]


@dataclass(frozen=True)
class Claim:
    """One figure.

    Attributes
    ----------
    what : it is of. published : the paper's; None where it has only others, as a mean. ours : from
        the experiment; None where there is none.
    unit : of both. source : where the paper has it. differs : between the two, in a sentence.
    """

    what: str
    published: float | None
    ours: float | None
    unit: str
    source: str
    differs: str

    @property
    def ratio(self) -> float | None:
        """Ours over the published one, where there are both."""
        both = self.ours is not None and self.published is not None
        return self.ours / self.published if both else None


@dataclass(frozen=True)
class Claims:
    """The figures of an experiment.

    Attributes
    ----------
    title : of the experiment. rows : claims. notes : how ours came about.
    """

    title: str
    rows: tuple[Claim, ...]
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> list[str]:
        """Claims without a figure of ours."""
        return [f"missing: {row.what}" for row in self.rows if row.ours is None]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        rows = [asdict(row) | {"ratio": row.ratio} for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        width = max(len(row.what) for row in self.rows)
        lines = [self.title, f"{'':{width}}{'published':>11}{'ours':>10}{'ratio':>8}"]
        for row in self.rows:
            published = _told(row.published, "11.4g", "-")
            ours, ratio = _told(row.ours, "10.4g", "missing"), _told(row.ratio, "8.2f", "")
            lines.append(f"{row.what:{width}}{published}{ours}{ratio} {row.unit}".rstrip())
        return "\n".join([*lines, "", *self._differences(), *self.notes])

    def _differences(self) -> list[str]:
        """Each sentence once, with the rows that it is about unless that is all of them."""
        about: dict[str, list[str]] = {}
        for row in self.rows:
            about.setdefault(row.differs, []).append(row.what)
        if len(about) == 1:
            return list(about)
        return [f"{_named(rows)}: {sentence}" for sentence, rows in about.items()]


def _named(rows: list[str]) -> str:
    """Those that a sentence is about, the first of them if they are many."""
    return "; ".join(rows) if len(rows) < 3 else f"{rows[0]}, and {len(rows) - 1} more"


def _told(figure: float | None, form: str, without: str) -> str:
    """In a column; a word instead where there is none."""
    width = int(form.partition(".")[0])
    return f"{without:>{width}}" if figure is None else f"{figure:{form}}"
