"""Transformers as the matrix products that one pass through them takes."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from multipede.golden.number_format import require_range, require_type

__all__ = ["TRANSFORMERS", "Product", "Transformer", "transformer"]


@dataclass(frozen=True)
class Product:
    """Products A B of matrices of the same shapes.

    Attributes
    ----------
    name : of the step. m, k, n : A is (m, k), B is (k, n). count : how many of them.
    weights : whether B are weights; else it is keys or values, which come from memory.
    from_chip : whether A was just made and never left the chip. on_chip : whether the results stay.
    cached : whether the results are keys or values, which all go to memory.
    """

    name: str
    m: int
    k: int
    n: int
    count: int = 1
    weights: bool = True
    from_chip: bool = False
    on_chip: bool = False
    cached: bool = False

    @property
    def multiplications(self) -> int:
        """With additions, in all of them."""
        return self.m * self.k * self.n * self.count


@dataclass(frozen=True)
class Transformer:
    """The shape of a transformer.

    Attributes
    ----------
    name, source : of it. layers, width, heads, intermediate, vocabulary : as usual; of an encoder
        of images, ``vocabulary`` is its classes. kv_heads : which several heads may share.
    gated : whether the feed-forward layer has three matrices. own_head : whether the last matrix is
        another than the embedding's. positions : of learned embeddings, else 0.
    unused_positions : rows of that embedding beside them, which no token takes.
    patch_inputs : values of a patch of an image, which the embedding multiplies by a matrix; 0 of
        text, whose embedding is looked up. biases : whether the matrices have them.
    encoder : whether it takes all tokens at once and makes none. Of text its vectors are the
        result, so that it has no head; of images it has one for classes.
    published_parameters : as its authors count them.
    """

    name: str
    source: str
    layers: int
    width: int
    heads: int
    intermediate: int
    vocabulary: int
    published_parameters: int
    kv_heads: int = 0
    gated: bool = False
    own_head: bool = False
    positions: int = 0
    unused_positions: int = 0
    patch_inputs: int = 0
    biases: bool = False
    encoder: bool = False

    @property
    def head_width(self) -> int:
        """Elements of a query."""
        return self.width // self.heads

    @property
    def kv_width(self) -> int:
        """Elements of all keys of a token."""
        return (self.kv_heads or self.heads) * self.head_width

    @property
    def parameters(self) -> int:
        """In matrices and embeddings; biases and norms are some thousandths more."""
        positions = self.positions + self.unused_positions
        embedded = self.vocabulary * (1 + self.own_head) + positions + self.patch_inputs
        in_layers = sum(p.k * p.n * p.count for p in self._layer(1))
        return self.layers * in_layers + embedded * self.width

    def prefill(self, tokens: int, batch: int = 1) -> list[Product]:
        """All ``tokens`` of ``batch`` sequences at once, and the next token of each, or the class
        of each image.

        The tokens of an image are its patches and one for the class. Attention is counted in full,
        as in the simulators of the papers: causal masks save nothing. TypeError, ValueError for
        numbers below 1, or below 2 for the tokens of an image; ValueError for more tokens than
        there are learned positions.
        """
        _require_numbers(1 + bool(self.patch_inputs), tokens=tokens)
        _require_numbers(batch=batch)
        self._require_positions(tokens=tokens)
        rows = tokens * batch
        found = list(self._layer(rows)) + list(self._attention(tokens, tokens, batch))
        return [*self._patches(tokens, batch), *self._whole(found, batch)]

    def decode(self, context: int, batch: int = 1) -> list[Product]:
        """A pass of one token of each of ``batch`` sequences of ``context`` tokens.

        It is the last of them. Those before it have left their keys and values in memory; it
        attends to all, itself included. As a prefill of n tokens makes a token itself, the pass
        behind it is ``decode(n + 1)``.

        TypeError, ValueError for numbers below 1; ValueError for an encoder, which has no such
        phase, and where no learned position is left.
        """
        if self.encoder:
            raise ValueError(
                f"transformer = {self.name!r}: an encoder has no decode phase, allowed is prefill"
            )
        _require_numbers(context=context, batch=batch)
        self._require_positions(context=context)
        return self._whole([*self._layer(batch), *self._attention(1, context, batch)], batch)

    def _require_positions(self, **numbers: int) -> None:
        ((name, number),) = numbers.items()
        if self.positions and number > self.positions:
            raise ValueError(f"{name} = {number}: {self.name} has {self.positions} positions")

    def _patches(self, tokens: int, batch: int) -> Iterator[Product]:
        """The embedding of images; that of text is looked up."""
        if self.patch_inputs:
            # The token for the class is learned.
            rows = (tokens - 1) * batch
            yield Product("patch embedding", rows, self.patch_inputs, self.width)

    def _layer(self, rows: int) -> Iterator[Product]:
        """Products with weights of one layer."""
        width, inner = self.width, self.intermediate
        yield Product("query", rows, width, width)
        yield Product("key and value", rows, width, self.kv_width, 2, cached=True)
        yield Product("attention output", rows, width, width)
        yield Product("feed-forward in", rows, width, inner, 1 + self.gated)
        yield Product("feed-forward out", rows, inner, width)

    def _attention(self, tokens: int, context: int, batch: int) -> Iterator[Product]:
        """Heads that share keys take them together."""
        kv_heads = self.kv_heads or self.heads
        rows, count = tokens * self.heads // kv_heads, batch * kv_heads
        scores = {"weights": False, "on_chip": True}
        yield Product("scores", rows, self.head_width, context, count, **scores)
        values = {"weights": False, "from_chip": True}
        yield Product("values", rows, context, self.head_width, count, **values)

    def _whole(self, layer: list[Product], batch: int) -> list[Product]:
        """All layers and the head, if there is one, of one token of each sequence."""
        found = [replace(product, count=product.count * self.layers) for product in layer]
        if self.encoder and not self.patch_inputs:
            return found
        return [*found, Product("head", batch, self.width, self.vocabulary)]


def _require_numbers(least: int = 1, **numbers: int) -> None:
    for name, number in numbers.items():
        require_range(name, number, least, 1 << 30)


@cache
def _table() -> dict[str, Transformer]:
    text = Path(__file__).with_name("transformers.toml").read_text()
    return {name: Transformer(name, **shape) for name, shape in tomllib.loads(text).items()}


def transformer(name: str) -> Transformer:
    """The transformer of this name. TypeError, ValueError naming those that there are."""
    require_type("transformer", name, str)
    if name not in _table():
        raise ValueError(f"transformer = {name!r}: allowed are {', '.join(_table())}")
    return _table()[name]


TRANSFORMERS = tuple(_table())
"""names"""
