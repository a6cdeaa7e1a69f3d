"""Real sentences that are on every machine: those of Python's own documentation.

The standard library has the pages that ``help()`` shows, in ``pydoc_data.topics``: prose of many
authors, copyright Python Software Foundation, under the PSF License Version 2. They are read where
they are, and differ a little from one version of Python to another.
"""

import hashlib
import re
from collections.abc import Sequence

from multipede.golden.number_format import require_range

__all__ = ["digest", "documentation_sentences"]

_LENGTHS = range(40, 201)
_SENTENCE = re.compile(r"""[A-Z][A-Za-z0-9 ,;:'"`()_-]+[a-z)]\.(?=\s|$)""")


def documentation_sentences(count: int) -> list[str]:
    """The first ``count`` sentences, each once, in the order of the pages' names.

    A sentence is a run of plain words of 40 to 200 characters in a paragraph that is not indented,
    from a capital letter to a full stop. ValueError for fewer than 1, or more than there are.
    """
    from pydoc_data.topics import topics

    require_range("count", count, 1, 100_000)
    found: dict[str, None] = {}
    for _, page in sorted(topics.items()):
        for paragraph in page.split("\n\n"):
            if paragraph.startswith((" ", "*", "-")) or "::" in paragraph:
                continue
            for sentence in _SENTENCE.findall(" ".join(paragraph.split())):
                if len(sentence) in _LENGTHS:
                    found.setdefault(sentence)
    if len(found) < count:
        raise ValueError(f"count = {count}: this Python's documentation has {len(found)} sentences")
    return list(found)[:count]


def digest(sentences: Sequence[str]) -> str:
    """What tells whether two runs had the same sentences: 12 hexadecimal digits."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:12]
