"""Group quantisation of weights and per-token quantisation of activations.

All arithmetic on values is float32, every operation rounded once to nearest even as IEEE 754
says, so that the codes are the same on every machine. In the rules below fl(.) is that rounding,
rne(.) rounds to the nearest integer, ties to even, and q_min, q_max are the format's limits.

**Weights**, groups of ``group`` neighbours along k; the last one may be shorter.

With a zero point (asymmetric), of low = min(0, smallest) and high = max(0, largest)::

    scale = fl(fl(high - low) / (q_max - q_min))
    z     = clamp(q_min + rne(fl(-low / scale)))
    code  = clamp(z + rne(fl(w / scale)))             w is about scale (code - z)

Since low <= 0 <= high, z is a code and the value 0 has the code z, exactly.

Without a zero point (symmetric; signed formats of 2 bits and more)::

    scale = fl(largest magnitude / q_max)
    code  = clamp(rne(fl(w / scale)), -q_max, q_max)  w is about scale code

To odd integers (``odd2`` to ``odd8``), which have no zero, of limit q_max = 2**bits - 1::

    scale = fl(largest magnitude / q_max)
    code  = clamp(2**(bits-1) + floor(fl(w / scale) / 2))

That is the nearest odd integer, of two the upper one. For ``binary``, -1 and +1::

    scale = fl(mean magnitude)
    code  = 1 if w >= 0 else 0

where magnitudes are summed in float64, in order of k, and the sum is divided by their number there.

**Activations**: to integers, the symmetric rule with one scale per token. To floats of at most 8
bits likewise, with the format's largest value for q_max and one rounding to nearest even; wider
floats are rounded as they are, and the scale is 1.

**Weights as floats** of 9 to 16 bits are rounded as they are, too, and have no scales.

A group of zeros, or of values so small that the scale underflows, gets scale 0 and the code of
value 0 everywhere, hence contributes exactly 0. Where there is no zero, as in odd formats, it gets
scale 0 and whatever codes the rules give, those of ``odd2`` and longer with 0 for fl(w / scale).

**Scales of two levels**: integers for the groups, of limit s_max, below one scale per output::

    channel_scale = fl(largest scale of the output's groups / s_max)
    scale code    = clamp(rne(fl(scale / channel_scale)), 1, s_max), or 0 if either scale is 0
    scale         = channel_scale scale code; where values are divided by it fl(.) of that, at most
                    the largest float32

Zero points and codes follow from the latter scale by the rules above.

Source of the schemes: Zhang et al., MixPE, arXiv 2411.16158, section 3.2; Dai et al., VS-Quant,
MLSys 2021, for two levels; Rastegari et al., XNOR-Net, arXiv 1603.05279, section 3.1, for the
scale of ``binary``. The rounding is ours.
"""

from typing import TYPE_CHECKING

from multipede.golden.arrays import refuse
from multipede.golden.formats import Codebook, Float, Integer, Overflow
from multipede.golden.number_format import require_range, require_type
from multipede.golden.odd_quantisation import odd_codes, odd_scales, require_odd
from multipede.golden.quantised_operands import QuantisedActivations, QuantisedWeights, ScaleLevels

if TYPE_CHECKING:
    from torch import Tensor

MAXIMUM_GROUP = 1024
UNSCALED_ABOVE = 8
"""Floats of more bits hold weights and activations as they are."""
MAXIMUM_FLOAT_BITS = 16


def quantise_weights(
    weights: "Tensor",
    *,
    format: Integer | Codebook | Float,
    group: int,
    zero_point: bool | None = None,
    scale: Integer | None = None,
    name: str = "weights",
) -> QuantisedWeights:
    """Codes, zero points and scales of ``weights`` by the rules above.

    Parameters
    ----------
    weights : floating-point [N, K], finite; taken as float32.
    format : integer of 1 to 8 bits, ``binary`` or ``odd2`` to ``odd8``, or signed float of 9 to 16
        bits.
    group : values of k that share a scale, 1 to 1024; floats have none.
    zero_point : whether groups have one; by default just for unsigned integers.
    scale : integer format of 2 to 8 bits for the groups' scales below one scale per output; None
        for scales of one level.
    name : of the tensor, for messages.

    Raises
    ------
    TypeError
        For arguments of another type and tensors that hold no floating-point numbers.
    ValueError
        For another shape, a value that is not finite in float32 (named with its index), a group
        whose range is not, a value that a float format cannot hold, a format without zero
        point that is unsigned or has one bit, a zero point of odd weights, or another codebook.
    """
    require_range("group", group, 1, MAXIMUM_GROUP)
    require_second_level(scale)
    if isinstance(format, Float):
        if scale is not None:
            raise ValueError(f"scale = {scale}: {format} weights have none")
        return _float_weights(finite_matrix(weights, name), format, group, zero_point, name)
    zero_point = _with_zero_point(format, zero_point)
    values = finite_matrix(weights, name)
    columns = values.shape[1]
    grouped = in_groups(values, group)
    if isinstance(format, Codebook):
        scales = odd_scales(grouped, format, columns)
    else:
        scales = _spans(grouped, format, name) if zero_point else _magnitudes(grouped, format)
    levels = None if scale is None else scale_levels(scales, scale)
    divisors = scales if levels is None else levels.divisors
    zeros = _zeros(grouped, divisors, format) if zero_point else None
    if isinstance(format, Codebook):
        codes = odd_codes(grouped, divisors, format)
    else:
        codes = _codes(grouped, divisors, zeros, format)
    codes = codes.flatten(1)[:, :columns].contiguous()
    scales = scales if levels is None else levels.scales
    return QuantisedWeights(format, group, codes, zeros, scales, levels)


def quantise_activations(
    activations: "Tensor", *, format: Integer | Float, name: str = "activations"
) -> QuantisedActivations:
    """Codes of ``activations`` by the rules above, one scale per token.

    Parameters
    ----------
    activations : floating-point [tokens, K], finite; taken as float32.
    format : signed integer of 2 to 16 bits, or signed float of at most 16 bits.
    name : of the tensor, for messages.

    Raises
    ------
    TypeError, ValueError
        As :func:`quantise_weights`, and for values that a float of more than 8 bits cannot hold.
    """
    if isinstance(format, Float):
        return _float_activations(finite_matrix(activations, name), format, name)
    _require_integer("format", format, 2, 16)
    values = finite_matrix(activations, name)
    scales = _magnitudes(values, format)
    return QuantisedActivations(format, _codes(values, scales, None, format), scales)


def _with_zero_point(format: Integer | Codebook, zero_point: bool | None) -> bool:
    """Whether there are zero points, if the format is one of integers that may have them."""
    if zero_point is not None:
        require_type("zero_point", zero_point, bool)
    if isinstance(format, Codebook):
        require_odd("format", format)
        if zero_point:
            raise ValueError(f"zero_point = {zero_point}: {format} has none")
        return False
    _require_integer("format", format, 1, 8)
    return not format.signed if zero_point is None else zero_point


def in_groups(values: "Tensor", group: int) -> "Tensor":
    """Values [N, K] as [N, G, group].

    The last group is filled up with zeros: they change no range that holds zero, and no sum.
    """
    import torch

    padded = torch.nn.functional.pad(values, (0, -values.shape[1] % group))
    return padded.reshape(values.shape[0], -1, group)


def _spans(grouped: "Tensor", format: Integer, name: str) -> "Tensor":
    """Scales by the asymmetric rule."""
    import torch

    span = grouped.amax(dim=-1).clamp(min=0.0) - grouped.amin(dim=-1).clamp(max=0.0)
    refuse(
        torch.isinf(span).numpy(),
        span.numpy(),
        f"range of {name} by row and group",
        "the largest minus the smallest value must be finite in float32",
    )
    return span / (format.maximum_code - format.minimum_code)


def _magnitudes(values: "Tensor", format: Integer) -> "Tensor":
    """Scales by the symmetric rule."""
    if not format.signed or format.bits < 2:
        raise ValueError(
            f"format = {format}: without a zero point signed integers of at least 2 bits are needed"
        )
    return values.abs().amax(dim=-1) / format.maximum_code


def scale_levels(scales: "Tensor", format: Integer) -> ScaleLevels:
    """The two levels that stand for ``scales`` [N, G]."""
    import torch

    channel_scales = scales.amax(dim=-1) / format.maximum
    codes = torch.round(scales / _divisors(channel_scales)[:, None]).clamp(1, format.maximum)
    # A channel scale that underflows to 0 takes its groups with it.
    codes = torch.where((scales == 0) | (channel_scales == 0)[:, None], 0, codes)
    return ScaleLevels(format, codes.to(torch.int64), channel_scales)


def _divisors(scales: "Tensor") -> "Tensor":
    """The scales, or 1 where they are 0, so that codes are those of value 0."""
    import torch

    return torch.where(scales == 0, torch.ones_like(scales), scales)


def _zeros(grouped: "Tensor", scales: "Tensor", format: Integer) -> "Tensor":
    import torch

    low = grouped.amin(dim=-1).clamp(max=0.0)
    zeros = torch.round(-low / _divisors(scales)) + format.minimum_code
    return zeros.clamp(max=format.maximum_code).to(torch.int64)


def _codes(values: "Tensor", scales: "Tensor", zeros: "Tensor | None", format: Integer) -> "Tensor":
    import torch

    steps = torch.round(values / _divisors(scales)[..., None])
    if zeros is None:
        codes = steps.clamp(-format.maximum_code, format.maximum_code)
    else:
        codes = (steps + zeros[..., None]).clamp(format.minimum_code, format.maximum_code)
    return codes.to(torch.int64)


def _float_weights(
    values: "Tensor", format: Float, group: int, zero_point: bool | None, name: str
) -> QuantisedWeights:
    if not format.signed or not UNSCALED_ABOVE < format.bits <= MAXIMUM_FLOAT_BITS:
        raise ValueError(
            f"format = {format}: weights may be signed floats of {UNSCALED_ABOVE + 1} to"
            f" {MAXIMUM_FLOAT_BITS} bits"
        )
    if zero_point:
        raise ValueError(f"zero_point = {zero_point}: {format} has none")
    codes = _encoded(values.double(), format, name)
    return QuantisedWeights(format, group, codes, None, None)


def _encoded(values: "Tensor", format: Float, name: str) -> "Tensor":
    try:
        return format.encode(values, overflow=Overflow.RAISE)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _float_activations(values: "Tensor", format: Float, name: str) -> QuantisedActivations:
    import torch

    if not format.signed or format.bits > MAXIMUM_FLOAT_BITS:
        raise ValueError(
            f"format = {format}: signed floats of at most {MAXIMUM_FLOAT_BITS} bits are needed"
        )
    scales = torch.ones(values.shape[0])
    if format.bits <= UNSCALED_ABOVE:
        scales = values.abs().amax(dim=-1) / format.maximum
    divisors = torch.where(scales == 0, torch.ones_like(scales), scales)
    scaled = (values / divisors[:, None]).double()
    if format.bits <= UNSCALED_ABOVE:
        # Scaled values may exceed the largest by a rounding; they are brought back to it.
        scaled = scaled.clamp(-format.maximum, format.maximum)
    return QuantisedActivations(format, _encoded(scaled, format, name), scales)


def finite_matrix(values: "Tensor", name: str) -> "Tensor":
    """The values as float32 without -0.0, if they are a matrix of finite numbers.

    Raises TypeError or ValueError, naming what is not, otherwise.
    """
    import torch

    if not isinstance(values, torch.Tensor):
        hint = "; torch.from_numpy makes one" if hasattr(values, "__array__") else ""
        raise TypeError(f"{name} must be a tensor, not {type(values).__name__}{hint}")
    if not values.is_floating_point():
        raise TypeError(f"{name} must hold floating-point numbers, not {values.dtype}")
    if values.dim() != 2 or 0 in values.shape:
        raise ValueError(f"{name} has shape {tuple(values.shape)}: a matrix is needed")
    # -0.0 becomes 0.0, so that no scale or zero point depends on the sign of a zero.
    single = values.detach().cpu().to(torch.float32) + 0.0
    bad = ~torch.isfinite(single)
    if bool(bad.any()):
        refuse(
            bad.numpy(),
            values.detach().cpu().double().numpy(),
            name,
            "finite float32 values are needed",
        )
    return single


def require_second_level(scale: Integer | None) -> None:
    """TypeError or ValueError unless ``scale`` is None or an integer format of 2 to 8 bits."""
    if scale is not None:
        _require_integer("scale", scale, 2, 8)


def _require_integer(name: str, format: Integer, low: int, high: int) -> None:
    require_type(name, format, Integer)
    if not low <= format.bits <= high:
        raise ValueError(f"{name} = {format}: integers of {low} to {high} bits are needed")
