"""Tables as notebooks show them."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table"]


def html_table(
    rows: Iterable[Sequence[object]],
    *,
    heads: Sequence[str] = (),
    caption: str = "",
    notes: Iterable[str] = (),
) -> str:
    """An HTML table with a caption over it and notes under it, nothing of it taken for markup.

    Floats are told in five digits; numbers stand at the right, other cells as ``str`` says.
    """
    parts = [f"<p><b>{escape(caption)}</b></p>"] if caption else []
    parts.append("<table>")
    if heads:
        cells = "".join(f'<th style="text-align:left">{escape(head)}</th>' for head in heads)
        parts.append(f"<thead><tr>{cells}</tr></thead>")
    parts.append("<tbody>")
    parts += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    parts.append("</tbody></table>")
    parts += [f"<p><small>{escape(note)}</small></p>" for note in notes]
    return "".join(parts)


def _cell(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:,.5g}" if isinstance(value, float) else f"{value:,}" if number else str(value)
    return f'<td style="text-align:{"right" if number else "left"}">{escape(text)}</td>'
