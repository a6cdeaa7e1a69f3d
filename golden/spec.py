"""The specification of a unit: one frozen object from which everything else is made."""

import dataclasses
import functools
import hashlib
import json
import math
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from multipede.golden.formats import Format, Integer, parse_format
from multipede.golden.html_table import html_table
from multipede.golden.number_format import require_type
from multipede.golden.source_files import remember

if TYPE_CHECKING:
    from torch import Tensor

LIMB_BITS = 32
CHECKED_RECORDS = 1 << 14


class Kind(Enum):
    """Kinds of unit; units of one kind take the same records and are rivals."""

    MULTIPLIER = "multiplier"
    """one product per record"""
    TILE = "tile"
    """Y[rows, columns] = sum over k of A[rows, k] W[k, columns]"""
    FUNCTION = "function"
    """y = f(x) per record"""
    NETWORK = "network"
    """a whole network per record"""
    PART = "part"
    """a building block of the others"""


@dataclass(frozen=True)
class Port:
    """One field of a record: an array of ``shape`` (row-major) whose elements are codes of
    ``format``.

    In Python a port of T records is an int64 array or tensor of shape ``(T, *shape)``, with one
    more axis of 32-bit limbs, least significant first, if the format is wider than 63 bits.
    ``meaning`` says in a line what is there, and of which record it counts.
    """

    format: Format
    shape: tuple[int, ...] = ()
    meaning: str = field(default="", compare=False)

    @property
    def elements(self) -> int:
        """Number of elements in a record."""
        return math.prod(self.shape)

    @property
    def bits(self) -> int:
        """Number of wires."""
        return self.elements * self.format.bits

    @property
    def limbs(self) -> int:
        """32-bit limbs per element; 0 where a code fits an int64."""
        return 0 if self.format.bits <= 63 else -(-self.format.bits // LIMB_BITS)

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Shape of one record in Python, the limb axis included."""
        return self.shape + ((self.limbs,) if self.limbs else ())

    def check(self, name: str, array: Any) -> int:
        """Number of records in ``array``, if it holds valid codes of this port.

        Raises TypeError unless it is an array or tensor of integers, ValueError for another shape
        or for values that are no codes.
        """
        if not hasattr(array, "shape") or not hasattr(array, "dtype"):
            raise TypeError(f"{name} must be an array or tensor, not {type(array).__name__}")
        if "complex" in str(array.dtype) or "float" in str(array.dtype):
            raise TypeError(
                f"{name} must hold integers, not {array.dtype}: codes of {self.format}, which its"
                " encode makes of numbers"
            )
        if len(array.shape) == 0 or tuple(array.shape[1:]) != self.array_shape:
            expected = ", ".join(["T", *map(str, self.array_shape)])
            raise ValueError(f"{name} has shape {tuple(array.shape)}: ({expected}) is needed")
        if self.limbs:
            self._check_limbs(name, array)
        elif not self._within(array):
            # Piece by piece, since formats check a copy of 64 bits.
            for start in range(0, max(1, array.shape[0]), CHECKED_RECORDS):
                self.format.check(array[start : start + CHECKED_RECORDS], name)
        return array.shape[0]

    def integers(self, array: Any) -> np.ndarray:
        """The codes as Python's integers, exact at any width: an object array (T, *shape).

        Limbs are joined, two's complement where the format is signed. Raises what :meth:`check`
        raises.
        """
        self.check("array", array)
        values = np.asarray(array).astype(object)
        if not self.limbs:
            return values
        weights = np.array([1 << LIMB_BITS * limb for limb in range(self.limbs)], object)
        joined = (values * weights).sum(axis=-1)
        signed = getattr(self.format, "signed", False)
        negative = joined >= (1 << (self.format.bits - 1) if signed else 1 << self.format.bits)
        return np.asarray(joined - negative.astype(object) * (1 << self.format.bits), object)

    def _within(self, array: Any) -> bool:
        """Whether an array of integers is seen to be valid from its extremes alone."""
        if not isinstance(self.format, Integer) or 0 in array.shape:
            return False
        if isinstance(array, np.ndarray) and array.dtype.kind not in "iu":
            return False
        low, high = array.min(), array.max()
        exact = isinstance(array, np.ndarray) or not array.dtype.is_floating_point
        return exact and self.format.minimum <= int(low) and int(high) <= self.format.maximum

    def _check_limbs(self, name: str, array: Any) -> None:
        highest = self.format.bits - LIMB_BITS * (self.limbs - 1)
        limits = np.full(self.limbs, 1 << LIMB_BITS, np.int64)
        limits[-1] = 1 << highest
        values = np.asarray(array)
        if values.dtype.kind not in "iu":
            raise TypeError(f"{name} must hold integers, not {values.dtype}")
        if ((values < 0) | (values >= limits)).any():
            raise ValueError(f"{name} holds a limb outside 0 to 2**32 - 1 or above the top bit")


@dataclass(frozen=True, kw_only=True)
class Spec(ABC):
    """What a unit computes, with which parameters. Base of all specifications.

    Subclasses are frozen keyword-only dataclasses whose parameters are formats, integers,
    booleans or enums, every one with a default, validated in ``__post_init__`` (TypeError for a
    wrong kind, ValueError for a wrong value).
    """

    unit: ClassVar[str]
    """name in the catalogue"""
    title: ClassVar[str]
    """one line for listings"""
    kind: ClassVar[Kind]
    source: ClassVar[str]
    """paper and equation"""

    hardware_module: ClassVar[str]
    """module that holds the unit's hardware; by default that of the same name in ``hw``"""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "hardware_module" not in cls.__dict__:
            cls.hardware_module = cls.__module__.replace(".golden.", ".hw.")
        for module in (cls.__module__, cls.hardware_module):
            remember(module)

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, Port]:
        """Input ports by name, in wire order, first lowest."""

    @property
    @abstractmethod
    def outputs(self) -> Mapping[str, Port]:
        """Output ports by name, in wire order, first lowest."""

    @property
    @abstractmethod
    def operations(self) -> Mapping[str, int]:
        """What one record is worth, by kind of operation."""

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clocks from the acceptance of a record to the validity of its result."""

    @property
    def initiation_interval(self) -> int:
        """Clocks between two records at full speed."""
        return 1

    @property
    def always_ready(self) -> bool:
        """Whether the unit takes a record in every clock."""
        return True

    @property
    def stallable(self) -> bool:
        """Whether the unit waits where its results are not taken at once."""
        return not self.always_ready

    @property
    def keeps_pace(self) -> bool:
        """Whether records are taken one behind the other, each in as many clocks as
        :meth:`record_clocks` says, as long as all results are taken at once."""
        return self.always_ready

    def record_clocks(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """For how many clocks an idle unit is offered each record until it has taken it: int64
        (T,), 1 where it is taken at once."""
        return np.ones(len(next(iter(inputs.values()))), np.int64)

    @property
    def computation(self) -> "Spec":
        """The specification of what is computed, without what stands around it."""
        return self

    @property
    def parts(self) -> "tuple[Spec, ...]":
        """The specifications of the units that it is made of, where its class alone does not tell
        which those are: their code is part of what it is."""
        return ()

    def maximum_results(self, records: int) -> int:
        """Upper bound of the output records that so many input records give."""
        return records

    @abstractmethod
    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], Any]":
        """The bit-exact golden model.

        Parameters
        ----------
        state : what an earlier call returned, or None for the state after reset.
        inputs : one int64 tensor of shape (T, ...) per input port.

        Returns
        -------
        outputs, state : one int64 tensor of shape (T', ...) per output port, and the state.
        """

    def results_by_record(self, state: Any = None, **inputs: "Tensor") -> "Tensor":
        """How many results of :meth:`reference` appear with each record: int64 (T,).

        Arguments as there. It says in which clock each result is due. A unit with a state should
        give it from what its results depend on: in general the reference has to be asked again and
        again, with ever fewer records.
        """
        import torch

        count = self.check_tensors(inputs)
        outputs, after = self.reference(state, **inputs)
        results = len(next(iter(outputs.values())))
        if results == 0 or count == 1:
            return torch.full((count,), results)
        if state is None and after is None and results == count:
            return torch.ones(count, dtype=torch.int64)  # without memory, so each from its own
        half = count // 2
        first = {name: tensor[:half] for name, tensor in inputs.items()}
        second = {name: tensor[half:] for name, tensor in inputs.items()}
        _, between = self.reference(state, **first)
        parts = self.results_by_record(state, **first), self.results_by_record(between, **second)
        return torch.cat(parts)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray] | None:
        """Records whose operands matter together, such as addends that cancel; half of all random
        records in verification are of these. None if there are none."""
        return None

    def ended(self, records: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The records (T, ...), the last one changed where it must be to give a result."""
        if "last" not in self.inputs:
            return dict(records)
        last = records["last"].copy()
        last[-1:] = 1
        return {**records, "last": last}

    def check_inputs(self, inputs: Mapping[str, Any]) -> int:
        """Number of records T, if ``inputs`` are arrays for exactly this unit's input ports.

        Raises TypeError for missing, unknown or non-integer inputs, ValueError for wrong shapes,
        unequal numbers of records and values that are no codes.
        """
        if set(inputs) != set(self.inputs):
            raise TypeError(f"inputs must be {list(self.inputs)}, not {list(inputs)}")
        counts = {name: port.check(name, inputs[name]) for name, port in self.inputs.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"inputs differ in their number of records: {counts}")
        return next(iter(counts.values()))

    def check_tensors(self, inputs: Mapping[str, Any]) -> int:
        """As :meth:`check_inputs`, for tensors only."""
        import torch

        for name, value in inputs.items():
            if not isinstance(value, torch.Tensor):
                raise TypeError(f"{name} must be a torch tensor, not {type(value).__name__}")
        return self.check_inputs(inputs)

    def to_dict(self) -> dict[str, Any]:
        """The unit's name and all its parameters, as JSON can hold them."""
        parameters = {
            field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)
        }
        return {"unit": self.unit, "parameters": parameters}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """A specification from texts (as on the command line) or plain values (as in JSON).

        Raises ValueError naming the parameter, the value and what is allowed.
        """
        return cls(**{name: cls.parsed(name, value) for name, value in parameters.items()})

    @classmethod
    def parsed(cls, name: str, value: Any) -> Any:
        """A parameter's value from a text or a plain value, of the type that the parameter has.

        Whether the unit can have it is not asked. Raises as :meth:`from_parameters`.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if name not in names:
            raise ValueError(f"{cls.unit} has no parameter {name!r}: it has {names}")
        return _parsed(name, _hints(cls)[name], value)

    @property
    def fingerprint(self) -> str:
        """Identity of the specification: a hexadecimal digest, the same in every process."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        parameters = self.to_dict()["parameters"].items()
        return f"{self.unit}({', '.join(f'{name}={value}' for name, value in parameters)})"

    def _repr_html_(self) -> str:
        """For notebooks: parameters, ports, and when results come."""
        ports = [
            (
                name,
                direction,
                port.format,
                " x ".join(map(str, port.shape)),
                port.bits,
                port.meaning,
            )
            for direction, ports in (("in", self.inputs), ("out", self.outputs))
            for name, port in ports.items()
        ]
        worth = ", ".join(f"{n} {name.replace('_', '-')}" for name, n in self.operations.items())
        times = (
            f"latency {self.latency}, initiation interval {self.initiation_interval} clocks;"
            f" a record is worth {worth}; {self.source}"
        )
        parameters = self.to_dict()["parameters"].items()
        return html_table(
            parameters, heads=("parameter", "value"), caption=f"{self.unit}: {self.title}"
        ) + html_table(
            ports, heads=("port", "", "format", "shape", "bits", "meaning"), notes=[times]
        )


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    """Types of a specification's parameters."""
    return typing.get_type_hints(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.name if isinstance(value, Format) else value


def _parsed(name: str, hint: Any, value: Any) -> Any:
    """``value`` as the parameter's declared type; what needs no parsing passes as it is."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(None) in options and value in (None, "none"):
        return None
    kind = next(option for option in options if option is not type(None))
    if not isinstance(value, str):
        return value
    try:
        return _from_text(kind, value)
    except ValueError as error:
        raise ValueError(f"{name} = {value!r}: {error}") from None


def _from_text(kind: type, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError("allowed are true and false")
        return text == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ValueError("an integer is needed") from None
    if issubclass(kind, Enum):
        values = [member.value for member in kind]
        if text not in values:
            raise ValueError(f"allowed are {', '.join(values)}")
        return kind(text)
    if issubclass(kind, Format):
        return parse_format(text)
    require_type("parameter", text, kind)
    return text
