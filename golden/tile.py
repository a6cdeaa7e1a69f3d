"""What all matrix tiles share: a record of activations and weights, and its worth."""

from collections.abc import Mapping
from typing import ClassVar

from multipede.golden.formats import Format, Integer
from multipede.golden.number_format import require_kinds, require_range
from multipede.golden.spec import Kind, Port, Spec

MAXIMUM_SIDE = 256
MAXIMUM_STAGES = 16


class Tile(Spec):
    """Base of the tiles Y[r, c] = sum over k of a[r, k] w[c, k].

    A record holds ``lanes`` values of k for every row and column, in the ports ``a`` (rows,
    lanes) and ``w`` (columns, lanes). Its ``last`` is 1 if the sums end with it.

    Subclasses are dataclasses that declare the parameters below, ``weight`` and ``activation``.

    Parameters
    ----------
    rows : activation rows in a record, 1 to 256.
    columns : weight columns in a record, 1 to 256.
    lanes : values of k in a record, 1 to 256.
    stages : register ranks between input and output, 1 to 16.
    """

    kind: ClassVar[Kind] = Kind.TILE

    weight: Format
    activation: Format
    rows: int
    columns: int
    lanes: int
    stages: int

    def _check_shape(self) -> None:
        for name in ("rows", "columns", "lanes"):
            require_range(name, getattr(self, name), 1, MAXIMUM_SIDE)
        require_range("stages", self.stages, 1, MAXIMUM_STAGES)

    def _check_integer(self, name: str, bounds: tuple[int, int]) -> None:
        number_format = getattr(self, name)
        takes = f"{self.unit} takes integers of {bounds[0]} to {bounds[1]} bits"
        require_kinds(name, number_format, (Integer,), takes)
        if not bounds[0] <= number_format.bits <= bounds[1]:
            raise ValueError(f"{name} = {number_format}: {takes}")

    def _check_group(self, group: int) -> None:
        require_range("group", group, 1, 1024)
        if group % self.lanes:
            raise ValueError(f"group = {group}: it must be a multiple of lanes = {self.lanes}")

    @property
    def least_lanes(self) -> int:
        """The lanes of the smallest tile of this kind."""
        return 1

    @property
    def most_terms(self) -> int | None:
        """The values of k that a sum may have in any case; None for any number."""
        return None

    @property
    def extreme_operands(self) -> tuple[tuple[int, int], ...]:
        """Codes of an activation and a weight with the highest product, and with the lowest; none
        where sums of any length are right."""
        return ()

    @property
    def records_per_group(self) -> int:
        """Records of a whole group where groups end sums, else 1."""
        return 1

    @property
    def plain_operands(self) -> dict[str, Port]:
        """Ports of plain weights and activations, of which :meth:`port_records` makes records."""
        return {
            "a": Port(self.activation, (self.rows, self.lanes), "activations of each row"),
            "w": Port(self.weight, (self.columns, self.lanes), "weights of each column"),
        }

    @property
    def _operands(self) -> dict[str, Port]:
        """``a`` (rows, lanes) and ``w`` (columns, lanes)."""
        return self.plain_operands

    @property
    def scaled_outside(self) -> bool:
        """Whether results are those of the weights' codes, to be scaled outside."""
        return self.sums_groups

    def takes_weights(self, number_format: Format) -> bool:
        """Whether a product of weights of this format can be computed."""
        return number_format == self.weight

    def port_records(self, records: dict, weight: Format) -> dict:
        """Records of plain codes ``a`` and ``w``, weights of format ``weight``, as the input ports
        take them: as they are, unless the unit says how weights or activations are prepared.

        Arrays and tensors alike.
        """
        return records

    @property
    def sums_groups(self) -> bool:
        """Whether each group gives a result of its own, to be scaled outside."""
        return False

    @property
    def operations(self) -> Mapping[str, int]:
        """Multiply-accumulates of one record."""
        return {"multiply_accumulate": self.rows * self.columns * self.lanes}

    @property
    def latency(self) -> int:
        """Clocks from the record that ends a sum to its result."""
        return self.stages
