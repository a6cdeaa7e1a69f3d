"""Matrices from safetensors files, and every way in which a file can be bad."""

import builtins
from pathlib import Path

import pytest
import torch

from multipede.golden.safetensors_file import read_matrix, read_tensors, tensor_names

save_file = pytest.importorskip("safetensors.torch").save_file


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    single = torch.randn(3, 5, generator=generator)
    return {
        "layer.0.weight": single,
        "layer.1.weight": single + 1,
        "half": single.to(torch.float16),
        "brain": single.to(torch.bfloat16),
        "eight": single.to(torch.float8_e4m3fn),
        "double": single.double() / 3,
        "whole": torch.ones(2, 2, dtype=torch.int32),
        "flag": torch.ones(2, 2, dtype=torch.bool),
        "bias": torch.ones(3),
        "cube": torch.ones(2, 2, 2),
        "empty": torch.zeros(0, 3),
        "nan": torch.tensor([[1.0, 2.0], [3.0, float("nan")]]),
        "infinite": torch.tensor([[1.0, float("-inf")]], dtype=torch.float16),
        "large": torch.tensor([[1e39]], dtype=torch.float64),
    }


@pytest.fixture
def file(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    path = tmp_path / "weights.safetensors"
    save_file(tensors, path)
    return path


def test_names_and_tensors(file, tensors):
    assert tensor_names(file) == sorted(tensors)
    read = read_tensors(file)
    assert set(read) == set(tensors)
    assert torch.equal(read["whole"], tensors["whole"])


@pytest.mark.parametrize("name", ["layer.0.weight", "half", "brain", "eight", "double"])
def test_floats_of_all_widths_become_float32(file, tensors, name):
    matrix = read_matrix(file, name)
    assert matrix.dtype == torch.float32
    assert torch.equal(matrix, tensors[name].to(torch.float32))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whole", r"whole in .* holds torch\.int32: floating-point numbers are needed"),
        ("flag", r"flag in .* holds torch\.bool: floating-point"),
        ("bias", r"bias in .* has shape \(3,\): a matrix is needed"),
        ("cube", r"cube in .* has shape \(2, 2, 2\): a matrix"),
        ("empty", r"empty in .* has shape \(0, 3\): a matrix"),
        ("nan", r"nan\[1, 1\] = nan: finite float32 values are needed"),
        ("infinite", r"infinite\[0, 1\] = -inf: finite"),
        ("large", r"large\[0, 0\] = 1e\+39: finite"),
        (
            "layer.0.weights",
            r"no tensor 'layer\.0\.weights' in .* holds 14 tensors, the closest:"
            r" layer\.0\.weight, layer\.1\.weight",
        ),
        ("???", r"no tensor '\?\?\?' in .* the closest: bias, brain"),
    ],
)
def test_unusable_tensors_are_named(file, name, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_matrix(file, name)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def broken(content: bytes) -> dict[str, bytes]:
    """Ways of damaging a whole file."""
    length = int.from_bytes(content[:8], "little")
    return {
        "nothing": b"",
        "five bytes": content[:5],
        "half the header": content[: 8 + length // 2],
        "header only": content[: 8 + length],
        "one byte short": content[:-1],
        "one byte more": content + b"x",
        "no JSON": content[:8] + b"#" * length + content[8 + length :],
        "huge header": b"\xff" * 8 + content[8:],
        "zip": b"PK\x03\x04" + content,
    }


@pytest.mark.parametrize("damage", broken(bytes(64)))
def test_damaged_files_give_one_line(file, damage):
    file.write_bytes(broken(file.read_bytes())[damage])
    for read in (tensor_names, read_tensors, lambda path: read_matrix(path, "layer.0.weight")):
        with pytest.raises(ValueError, match="is no whole safetensors file: ") as caught:
            read(file)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(file))


def test_missing_files_and_directories(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*absent"):
        read_matrix(tmp_path / "absent", "x")
    with pytest.raises(ValueError, match="is no file: a safetensors file is needed"):
        read_matrix(tmp_path, "x")


def test_a_file_without_tensors(tmp_path):
    save_file({}, tmp_path / "none")
    with pytest.raises(ValueError, match="it holds no tensors"):
        read_matrix(tmp_path / "none", "x")


def test_a_missing_library_says_how_to_get_it(file, monkeypatch):
    original = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "safetensors":
            raise ModuleNotFoundError("No module named 'safetensors'")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match="pip install safetensors"):
        tensor_names(file)
