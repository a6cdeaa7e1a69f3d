"""What the demonstration found: figures with units, and how they read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multipede.cost_model.accuracy import Accuracy
from multipede.cost_model.comparison import Comparison
from multipede.golden.tile import Tile

__all__ = ["Demonstration", "TileResult"]


@dataclass(frozen=True)
class TileResult:
    """The whole matrix through one tile.

    Attributes
    ----------
    name : short, for tables and plots.
    spec : the tile.
    style : of the RTL.
    ternary : whether weights are -1, 0 and 1, in two bits each.
    bits_per_weight : storage, zero points and scales included.
    outputs : results (group sums D, or Y) compared bit for bit with golden; all were equal.
    reference_outputs : results of sampled output tiles for which the specification's own
        record-by-record reference was compared with golden's matrix product.
    records, cycles : input records, and clocks from the first to the last result.
    ideal_cycles : multiply-accumulates by those of one record.
    seconds : wall time of the RTL simulation.
    accuracy : of the dequantised result against FP32.
    plot : data of the plots: histogram of errors, sample of values.
    """

    name: str
    spec: Tile
    style: str
    ternary: bool
    bits_per_weight: float
    outputs: int
    reference_outputs: int
    records: int
    cycles: int
    ideal_cycles: float
    seconds: float
    accuracy: Accuracy
    plot: Mapping[str, Any]

    @property
    def records_per_second(self) -> float:
        """Records simulated per second of wall time, packing included."""
        return self.records / self.seconds

    @property
    def kind_of_result(self) -> str:
        """What the tile puts out, for readers."""
        return "group sums" if self.spec.sums_groups else "outputs in floating point"

    @property
    def side_information(self) -> str:
        """What is stored besides the weights' codes."""
        scale = self.spec.inputs.get("scale")
        if scale is None and not self.spec.sums_groups:
            return "without scales"
        bits = f"scales of {scale.format}" if scale else "scales outside the tile of fp32"
        planes = "ternary in two bit planes, " if self.ternary else ""
        return f"{planes}with {bits}{' and zero points' if 'z' in self.spec.inputs else ''}"

    @property
    def utilisation(self) -> float:
        """Ideal by actual clocks; edges of the matrix and the pipeline's latency take the rest."""
        return self.ideal_cycles / self.cycles

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        plain = {name: value for name, value in vars(self).items() if name != "spec"}
        derived = {
            "specification": self.spec.to_dict(),
            "fingerprint": self.spec.fingerprint,
            "records_per_second": self.records_per_second,
            "utilisation": self.utilisation,
            "accuracy": self.accuracy.to_dict(),
        }
        return plain | derived

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.name}: {self.spec}, {self.style} style",
                f"  {self.outputs:,} {self.kind_of_result} from the RTL equal golden bit for bit;"
                f" {self.reference_outputs:,} of them also by the record-by-record reference",
                f"  {self.accuracy}",
                f"  {self.bits_per_weight:.3f} bits per weight, {self.side_information}",
                f"  {self.cycles:,} clock cycles ({self.ideal_cycles:,.0f} ideal, utilisation"
                f" {self.utilisation:.2%}), {self.records:,} records in {self.seconds:.2f} s:"
                f" {self.records_per_second:,.0f} records/s",
            ]
        )


@dataclass(frozen=True)
class Demonstration:
    """A layer through the RTL of tiles and of their baselines.

    Attributes
    ----------
    weights, activations : where they come from, in words.
    tokens, outputs, inner : the product is [tokens, inner] by [inner, outputs].
    results : one per tile.
    costs : of some of the tiles beside their baselines, if they were asked for.
    files : what was written.
    """

    weights: str
    activations: str
    tokens: int
    outputs: int
    inner: int
    results: tuple[TileResult, ...]
    costs: tuple[Comparison, ...]
    files: tuple[Path, ...]

    @property
    def passed(self) -> bool:
        """Whether every output of every tile was compared; a difference raises before."""
        return bool(self.results) and all(
            result.outputs == self.tokens * self.outputs * self._results_each(result.spec)
            for result in self.results
        )

    def _results_each(self, spec: Tile) -> int:
        return -(-self.inner // spec.group) if spec.sums_groups else 1

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dict(vars(self)) | {
            "passed": self.passed,
            "results": [result.to_dict() for result in self.results],
            "costs": [comparison.to_dict() for comparison in self.costs],
            "files": [str(file) for file in self.files],
        }

    def __str__(self) -> str:
        lines = [
            f"weights: {self.weights}, {self.outputs} x {self.inner}",
            f"activations: {self.activations}",
            "errors are those of the matrix product, without bias, against FP32 operands summed"
            " in float64",
            *map(str, self.results),
            *(f"\n{comparison}\n" for comparison in self.costs),
            *(f"written: {file}" for file in self.files),
        ]
        return "\n".join(lines)
