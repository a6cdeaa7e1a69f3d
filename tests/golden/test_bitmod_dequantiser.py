"""BitMoD's product of a mantissa and a scale, bit by bit, against the product itself."""

import numpy as np
import torch

from multipede.golden.bitmod_dequantiser import BitModDequantiser, Scaled

EXTREMES = (-(1 << 14), -1, 0, 1, (1 << 14) - 1)


def _bits_of(scales: np.ndarray) -> np.ndarray:
    """(groups, 8), the highest bit first."""
    return scales[:, None] >> np.arange(7, -1, -1) & 1


def _groups(mantissas: np.ndarray, scales: np.ndarray) -> dict[str, torch.Tensor]:
    """Eight records for each pair; exponents and signs change behind the start."""
    generator = np.random.default_rng(3)
    shape = (len(scales), 8)
    columns = {
        "mantissa": np.broadcast_to(mantissas[:, None], shape),
        "exponent": generator.integers(0, 64, shape),
        "scale_bit": _bits_of(scales),
        "scale_sign": generator.integers(0, 2, shape),
        "start": np.broadcast_to(np.arange(8) == 0, shape),
    }
    return {
        name: torch.from_numpy(column.astype(np.int64).reshape(-1))
        for name, column in columns.items()
    }


def test_every_scale_with_the_extremes_and_others_back_to_back():
    others = np.random.default_rng(2).integers(-(1 << 14), 1 << 14, 20)
    mantissas, scales = (
        grid.reshape(-1) for grid in np.meshgrid([*EXTREMES, *others], np.arange(256))
    )
    inputs = _groups(mantissas, scales)
    outputs, _ = BitModDequantiser().reference(**inputs)
    assert np.array_equal(outputs["product"][7::8].numpy(), mantissas * scales)
    for taken, given in (("exponent", "exponent"), ("sign", "scale_sign")):
        held = outputs[taken].reshape(-1, 8)
        assert torch.equal(held, inputs[given].reshape(-1, 8)[:, :1].expand(-1, 8))


def test_the_extremes_need_23_bits():
    inputs = _groups(np.array([-(1 << 14)]), np.array([255]))
    product = int(BitModDequantiser().reference(**inputs)[0]["product"][-1])
    assert product == -4177920
    assert not -(1 << 21) <= product < 1 << 21


def test_without_a_start_it_goes_on_modulo_23_bits():
    ones = torch.ones(30, dtype=torch.int64)
    inputs = {
        name: ones * value
        for name, value in zip(
            ("mantissa", "exponent", "scale_bit", "scale_sign", "start"),
            (3, 9, 1, 1, 0),
            strict=True,
        )
    }
    outputs, state = BitModDequantiser().reference(**inputs)
    exact = [3 * (2 ** (n + 1) - 1) for n in range(30)]
    assert outputs["product"].tolist() == [(x + (1 << 22)) % (1 << 23) - (1 << 22) for x in exact]
    assert state == Scaled(outputs["product"][-1].item(), 9, 1)
    assert BitModDequantiser().results_by_record(**inputs).tolist() == [1] * 30
