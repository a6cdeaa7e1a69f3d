"""What products by addition do to a real network: the sentence embeddings of all-MiniLM-L6-v2."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E4M3, E5M2, Float
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.minilm import MODEL, load_minilm
from multipede.golden.number_format import require_range
from multipede.golden.sentences import digest, documentation_sentences

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EmbeddingRow", "EmbeddingStudy", "embeddings", "rank_correlation", "resampled"]

SENTENCES = 600
MINIMUM_SENTENCES = 8
RESAMPLES = 2000
SEED = 1

_Product = Callable[["Tensor", "Tensor"], "Tensor"]


@dataclass(frozen=True)
class EmbeddingRow:
    """Products of one kind, in place of float32.

    Attributes
    ----------
    label : the products. where : which of them are replaced, ``attention`` or ``all``.
    mean_cosine, least_cosine : between each sentence's embedding and that by float32.
    rank_correlation : Spearman's, between the similarities of pairs and those by float32; low, high
        are the ends of its 95 % interval, by resampling the pairs.
    """

    label: str
    where: str
    mean_cosine: float
    least_cosine: float
    rank_correlation: float
    low: float
    high: float


@dataclass(frozen=True)
class EmbeddingStudy:
    """The rows, and what they are of."""

    title: str
    rows: tuple[EmbeddingRow, ...]
    notes: tuple[str, ...]
    errors: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "title": self.title,
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        width = max(len(row.label) for row in self.rows)
        head = f"{'products':{width}}  {'replaced':9}{'mean cosine':>12}{'least':>9}"
        lines = [self.title, "", head + f"{'rank correlation':>18}{'95 % interval':>18}"]
        for row in self.rows:
            line = f"{row.label:{width}}  {row.where:9}{row.mean_cosine:12.5f}"
            line += f"{row.least_cosine:9.4f}{row.rank_correlation:18.5f}"
            lines.append(f"{line}  {row.low:.5f}..{row.high:.5f}")
        return "\n".join([*lines, "", *self.notes])


def embeddings(sentences: int = SENTENCES) -> EmbeddingStudy:
    """Replace the products of attention, and then all matrix products, one kind after the other.

    Parameters
    ----------
    sentences : how many of Python's documentation, 8 or more. Pairs are twice as many: each
        sentence with the next, which often is about the same, and with a random other one.

    Raises
    ------
    TypeError, ValueError
        For another number, or more than there are.
    ModuleNotFoundError
        If the model is not installed.
    """
    require_range("sentences", sentences, MINIMUM_SENTENCES, 100_000)
    texts = documentation_sentences(sentences)
    model = load_minilm()
    plain = model.embed(texts)
    pairs = _pairs(len(texts))
    expected = _similarities(plain, pairs)
    rows = []
    kinds = products()
    progress = tqdm(total=2 * len(kinds), desc="embeddings", unit="run", leave=False, disable=None)
    with progress:
        for where in ("attention", "all"):
            for label, product in kinds.items():
                replaced = {"attention_product": product}
                if where == "all":
                    replaced["linear_product"] = product
                found = replace(model, **replaced).embed(texts)
                cosines = (found * plain).sum(dim=1)
                similar = _similarities(found, pairs)
                ends = resampled(expected, similar)
                rows.append(
                    EmbeddingRow(
                        label,
                        where,
                        float(cosines.mean()),
                        float(cosines.min()),
                        rank_correlation(expected, similar),
                        *ends,
                    )
                )
                progress.update()
    version = ".".join(map(str, sys.version_info[:3]))
    return EmbeddingStudy(
        f"{MODEL}, {len(texts)} sentences, {len(pairs[0])} pairs, against float32",
        tuple(rows),
        (
            f"sentences: the documentation of Python {version} (PSF License 2), {digest(texts)}",
            "operands are rounded to the format; to e4m3 and e5m2 after scaling each matrix by a"
            " power of two to their range",
            "exact products are summed in float32 by torch, the others one after the other",
            f"interval: {RESAMPLES} resamples of the pairs, seed {SEED}",
        ),
    )


def products() -> Mapping[str, _Product]:
    """What multiplies matrices, by label."""
    exact = {f"exact, {f}": partial(_exact, number_format=f) for f in (BF16, E4M3, E5M2)}
    offsets = {
        f"L-Mul, {bits}-bit mantissas": _tile(Float(8, bits), Correction.OFFSET)
        for bits in (3, 4, 5)
    }
    corrections = {
        "L-Mul, bf16": Correction.OFFSET,
        "Mitchell, bf16": Correction.NONE,
        "compensated L-Mul, bf16": Correction.TABLE,
    }
    tiles = offsets | {label: _tile(BF16, which) for label, which in corrections.items()}
    return exact | {label: partial(_by_tile, tile=tile) for label, tile in tiles.items()}


def _tile(number_format: Float, correction: Correction) -> LMulTile:
    return LMulTile(
        activation=number_format,
        weight=number_format,
        correction=correction,
        order=SumOrder.SEQUENTIAL,
    )


def _by_tile(x: "Tensor", w: "Tensor", *, tile: LMulTile) -> "Tensor":
    from multipede.golden.lmul_layers import rounded_lmul_matmul

    return rounded_lmul_matmul(x, w, tile)


def _exact(x: "Tensor", w: "Tensor", *, number_format: Float) -> "Tensor":
    """The product of rounded operands, summed by torch."""
    return _scaled(x, number_format) @ _scaled(w, number_format)


def _scaled(values: "Tensor", number_format: Float) -> "Tensor":
    """Rounded to the format, of narrow ones scaled by a power of two to its range."""
    from multipede.golden.lmul_matmul import rounded

    if number_format.exponent_bits >= 8:
        return rounded(values, number_format)
    largest = float(values.abs().max())
    if not largest:
        return values
    scale = 2.0 ** np.floor(np.log2(number_format.maximum / largest))
    return rounded(values * scale, number_format) / scale


def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.arange(count)
    other = np.random.default_rng(SEED).integers(1, count, count)
    beside = (first + 1) % count
    return np.concatenate([first, first]), np.concatenate([beside, (first + other) % count])


def _similarities(found: "Tensor", pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    left, right = (found[side] for side in pairs)
    return (left * right).sum(dim=1).double().numpy()


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's: Pearson's of the ranks, where equal values share the mean of theirs."""
    return float(np.corrcoef(_ranks(np.asarray(a)), _ranks(np.asarray(b)))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def resampled(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The ends of the 95 % interval of the rank correlation, by resampling pairs."""
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(0, len(a), (RESAMPLES, len(a)))
    found = [rank_correlation(a[index], b[index]) for index in drawn]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)
