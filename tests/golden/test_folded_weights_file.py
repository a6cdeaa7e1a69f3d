"""Files of folded weights: written whole, read back exactly, refused if damaged."""

import contextlib
import io
import json
import os
from functools import partial

import numpy as np
import pytest
import torch

from multipede.golden import folded_weights_file
from multipede.golden.folded_weights import fold_weights, unfold_weights
from multipede.golden.folded_weights_file import load_folded_weights, save_folded_weights
from multipede.golden.formats import BINARY, FP16, INT8, ODD3, UINT4
from multipede.golden.quantisation import quantise_weights
from tests.golden.lookup_operands import lookup_operands
from tests.golden.test_folded_weights import require_same
from tests.golden.test_folded_weights_checks import unchecked


@pytest.fixture
def folded():
    return fold_weights(lookup_operands(UINT4, zero_point=True)[1])


def test_files_are_read_back_exactly(tmp_path):
    values = torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    path = tmp_path / "layer.npz"
    for format, scale in ((UINT4, None), (BINARY, None), (ODD3, INT8), (UINT4, INT8), (INT8, None)):
        weights = quantise_weights(values, format=format, group=8, scale=scale)
        first = fold_weights(weights, table_inputs=2, columns=3)
        save_folded_weights(first, path)
        second = load_folded_weights(str(path))
        assert second.header == first.header
        assert second.checksum == first.checksum
        assert not second.packed.flags.writeable
        require_same(unfold_weights(second), weights)
    assert [file.name for file in tmp_path.iterdir()] == ["layer.npz"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, folded, monkeypatch):
    path = tmp_path / "layer.npz"
    save_folded_weights(folded, path)
    mode = os.stat(path).st_mode & 0o777
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert mode == os.stat(plain).st_mode & 0o777
    plain.unlink()
    before = path.read_bytes()

    def failing(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(folded_weights_file.np, "savez", failing)
    with pytest.raises(OSError, match="no space left"):
        save_folded_weights(folded, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["layer.npz"]


def test_every_changed_byte_is_noticed_or_changes_nothing(tmp_path, folded):
    """Some bytes, as dates, mean nothing; no damaged file gives other weights."""
    path = tmp_path / "layer.npz"
    save_folded_weights(folded, path)
    good, refused = path.read_bytes(), 0
    for place in range(0, len(good), 7):
        bad = bytearray(good)
        bad[place] ^= 0x10
        path.write_bytes(bad)
        with contextlib.suppress(ValueError):
            require_same(unfold_weights(load_folded_weights(path)), unfold_weights(folded))
            continue
        refused += 1
    assert refused >= len(good) // 7 // 2
    for size in (0, 10, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(ValueError, match="is no whole file of folded weights"):
            load_folded_weights(path)


def changed(path, folded, **arrays):
    """A file of the same weights with other arrays."""
    save_folded_weights(folded, path)
    with np.load(path) as file:
        content = {name: file[name] for name in file.files} | arrays
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    return path


def test_the_checksum_tells_weights_that_were_not_folded(tmp_path, folded):
    """The archive itself is whole."""
    path, packed = tmp_path / "layer.npz", folded.packed.copy()
    packed[0, 0, 0] ^= 1
    others = fold_weights(unfold_weights(folded), table_inputs=2).packed
    header = np.frombuffer(
        bytes(np.array(list(_header(path, folded)), np.uint8)).replace(
            b'inputs": 4', b'inputs": 2'
        ),
        np.uint8,
    )
    for arrays in (
        {"packed": packed},
        {"packed": others},
        {"header": header},
        {"zeros": folded.zeros.numpy() ^ 1},
        {"zeros": None},
        {"scales": folded.scales.numpy() * 2},
        {"checksum": np.array(1, np.uint32)},
    ):
        with pytest.raises(
            ValueError, match=r"layer\.npz: checksum = 0x.*no weights that were folded"
        ):
            load_folded_weights(changed(path, folded, **arrays))


def _header(path, folded) -> bytes:
    save_folded_weights(folded, path)
    with np.load(path) as file:
        return file["header"].tobytes()


def test_inconsistent_files_with_the_right_checksum_are_refused(tmp_path, folded):
    """Whoever wrote such a file made its checksum, too."""
    path = tmp_path / "layer.npz"
    scales = folded.scales
    for change, message in [
        ({"table_inputs": 3}, "lanes = 4: they must be a multiple of table_inputs = 3"),
        ({"group": 9}, "lanes = 4: they must divide group = 9"),
        ({"outputs": 0}, "outputs = 0: at least 1 is needed"),
        ({"scales": scales[:, :1]}, r"scales has shape \(7, 1\): \(7, 3\) is needed"),
        ({"scales": scales.half()}, "scales holds torch.float16: torch.float32 is needed"),
        ({"zeros": folded.zeros[:1]}, r"zeros has shape \(1, 3\): \(7, 3\) is needed"),
        (
            {"format": FP16},
            "format must be an integer format or a codebook, not a float format: fp16",
        ),
    ]:
        wrong = unchecked(folded, **change)
        header = np.frombuffer(json.dumps(wrong.header).encode(), np.uint8)
        checksum = np.array(wrong.checksum, "<u4")
        arrays = wrong.arrays | {"header": header, "checksum": checksum}
        with pytest.raises(ValueError, match=rf"layer\.npz.*: {message}"):
            load_folded_weights(changed(path, folded, **arrays))


def test_other_files_are_named(tmp_path, folded):
    path = tmp_path / "layer.npz"
    with pytest.raises(FileNotFoundError, match=r"there is no file .*layer\.npz"):
        load_folded_weights(path)
    for name in ("header", "packed", "scales", "checksum"):
        with pytest.raises(ValueError, match=f"is no file of folded weights: there is no '{name}'"):
            load_folded_weights(changed(path, folded, **{name: None}))
    packed = folded.packed.astype(np.int64)
    with pytest.raises(ValueError, match="is no file of folded weights: packed holds int64"):
        load_folded_weights(changed(path, folded, packed=packed))
    header = np.frombuffer(_header(path, folded).replace(b"folded-1", b"folded-9"), np.uint8)
    with pytest.raises(ValueError, match="layout = 'folded-9': 'folded-1' is needed"):
        load_folded_weights(changed(path, folded, header=header))
    header = np.frombuffer(_header(path, folded).replace(b'"lanes": 4', b'"lanes": 0'), np.uint8)
    with pytest.raises(ValueError, match="lanes = 0: allowed are 2 to 256"):
        load_folded_weights(changed(path, folded, header=header))
    header = np.frombuffer(b"{}", np.uint8)
    with pytest.raises(ValueError, match="is no file of folded weights: there is no 'layout'"):
        load_folded_weights(changed(path, folded, header=header))
    for content, message in [(b"[]", "header must be dict, not list"), (b"{", "header is no JSON")]:
        header = np.frombuffer(content, np.uint8)
        with pytest.raises(ValueError, match=rf"layer\.npz.*: {message}"):
            load_folded_weights(changed(path, folded, header=header))
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match=r"weights: scales holds Python objects, not numbers$"):
        load_folded_weights(changed(path, folded, scales=objects))
    with pytest.raises(ValueError, match=r"is no file of folded weights: it is a directory$"):
        load_folded_weights(tmp_path)


def test_files_that_are_no_archives_are_named_without_advice_to_trust_them(tmp_path):
    path = tmp_path / "layer.npz"
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    for content in (b"", b"w", b"weights", array.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"no archive \(\.npz\), or one without its end$"):
            load_folded_weights(path)


def test_paths_are_named_as_they_were_given(tmp_path, folded):
    (tmp_path / "folder.npz").mkdir()
    for path, error in [
        (tmp_path / "none" / "layer.npz", FileNotFoundError),
        (str(tmp_path / "folder.npz"), IsADirectoryError),
    ]:
        with pytest.raises(error) as raised:
            save_folded_weights(folded, path)
        assert raised.value.filename == str(path)
        assert raised.value.filename2 is None
        assert str(raised.value).endswith(f": {str(path)!r}")
    assert [file.name for file in tmp_path.iterdir()] == ["folder.npz"]
    for path in (3, b"layer.npz"):
        for call in (partial(save_folded_weights, folded), load_folded_weights):
            with pytest.raises(
                TypeError, match=r"path must be str or PathLike, not (int: 3|bytes)"
            ):
                call(path)
    with pytest.raises(TypeError, match="folded must be FoldedWeights, not str"):
        save_folded_weights("weights", tmp_path / "layer.npz")
