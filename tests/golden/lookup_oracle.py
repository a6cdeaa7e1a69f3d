"""A lookup tile in plain Python, lookup by lookup: what its definition says in words."""

from fractions import Fraction

from multipede.golden.formats import Codebook
from multipede.golden.lut_tensor_core import LutTensorCore

__all__ = ["group_results", "signed_table", "subset_table"]


def signed_table(a: list[int]) -> list[int]:
    """U: the last activation, plus or minus each of the others."""
    others = range(len(a) - 1)
    return [
        a[-1] + sum(-a[k] if f >> k & 1 else a[k] for k in others) for f in range(1 << len(others))
    ]


def subset_table(a: list[int]) -> list[int]:
    """F: the sum of the activations whose bit is 1."""
    return [sum(x for k, x in enumerate(a) if i >> k & 1) for i in range(1 << len(a))]


def group_results(spec: LutTensorCore, records: dict[str, list]) -> list[dict]:
    """D of each group of the records, in lists by row and column, with exponents and ``last``."""
    results, group = [], []
    for number, last in enumerate(records["last"]):
        group.append({name: values[number] for name, values in records.items()})
        if last or len(group) == spec.records_per_group:
            results.append(_group(spec, group))
            group = []
    return results


def _group(spec: LutTensorCore, group: list[dict]) -> dict:
    rows = [_row(spec, group, row) for row in range(spec.rows)]
    return {
        "d": [d for d, _ in rows],
        "exponent": [exponent for _, exponent in rows],
        "last": group[-1]["last"],
    }


def _row(spec: LutTensorCore, group: list[dict], row: int) -> tuple[list[int], int]:
    """D of a row's columns and the exponent of its sums."""
    exponent, products, sums = 0, [0] * spec.columns, {}
    for record in group:
        bits = record["bits"] + 1 if spec.run_time_bits else spec.weight.bits
        tables, risen = _tables(spec, record, row, exponent)
        products = [p >> (risen - exponent) for p in products]
        sums = {b: s >> (risen - exponent) for b, s in sums.items()}
        exponent = risen
        for column in range(spec.columns):
            products[column] += _looked_up(spec, tables, record["w"][column], bits)
        whole = 0 if spec.reinterpreted else -1
        sums[bits] = sums.get(bits, 0) + sum(table[whole] for table in tables)
    zeros = group[-1]["z"] if spec.zero_point else [0] * spec.columns
    return [_d(spec, p, sums, z) for p, z in zip(products, zeros, strict=True)], exponent


def _d(spec: LutTensorCore, product: int, sums: dict[int, int], z: int) -> int:
    if isinstance(spec.weight, Codebook):
        return product
    if not spec.reinterpreted:
        return product - z * sum(sums.values())
    for bits, s in sums.items():
        product -= (2 * z + (1 if spec.weight.signed else 1 - 2**bits)) * s
    return product // 2


def _looked_up(spec: LutTensorCore, tables: list[list[int]], codes: list[int], bits: int) -> int:
    total, size = 0, spec.table_inputs
    for number, table in enumerate(tables):
        lanes = codes[number * size : (number + 1) * size]
        for plane in range(bits):
            *lower, top = ones = [code >> plane & 1 for code in lanes]
            if not spec.reinterpreted:
                found = table[sum(bit << k for k, bit in enumerate(ones))]
            else:
                if not spec.folded:
                    lower = [bit ^ top for bit in lower]
                found = table[sum(bit << k for k, bit in enumerate(lower))]
                found = found if top else -found
            highest = getattr(spec.weight, "signed", False) and plane == bits - 1
            total += -(found << plane) if highest else found << plane
    return total


def _tables(
    spec: LutTensorCore, record: dict, row: int, exponent: int
) -> tuple[list[list[int]], int]:
    """Tables of a row and the exponent they are in."""
    if "t" in record:
        return [_alike(table) if spec.reinterpreted else table for table in record["t"][row]], 0
    addends, exponent = _addends(spec, record["a"][row], exponent)
    make = signed_table if spec.reinterpreted else subset_table
    size = spec.table_inputs
    return [make(addends[k : k + size]) for k in range(0, len(addends), size)], exponent


def _alike(table: list[int]) -> list[int]:
    """The entries, all even or all odd as the first one is."""
    return [entry - entry % 2 + table[0] % 2 for entry in table]


def _addends(spec: LutTensorCore, codes: list[int], exponent: int) -> tuple[list[int], int]:
    a = spec.activation
    if not spec.is_float:
        return codes, 0
    values = [Fraction(float(a.decode(code))) for code in codes]
    if not spec.is_aligned:
        return [int(value / Fraction(a.smallest)) for value in values], 0
    fields = [max(1, code >> a.mantissa_bits & ((1 << a.exponent_bits) - 1)) for code in codes]
    present = [e for e, value in zip(fields, values, strict=True) if value]
    exponent = max([exponent, *present])
    unit = Fraction(2) ** (exponent - a.bias - a.mantissa_bits - spec.guard_bits)
    return [value // unit for value in values], exponent
