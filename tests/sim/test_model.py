"""The vector simulator: streams, state, gaps, dtypes, waveforms, and what it refuses."""

import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch

from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.source_files import source_digest
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.compiled import compile_model, compile_verilog
from multipede.sim.model import SimulationError
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import verilog_of
from multipede.toolchain import ToolError, find
from tests.sim.slow_unit import SlowSpec

SPEC = MixPE(rows=2, columns=2, lanes=2, group=8)
SEED = 20261122


def expected(spec, inputs):
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return {name: t.numpy() for name, t in spec.reference(**tensors)[0].items()}


@pytest.fixture(scope="module")
def model():
    return compile_model(SPEC)


def test_runs_in_pieces_equal_one_run(model):
    inputs = random_records(SPEC, 3000, seed=SEED)
    wanted = expected(SPEC, inputs)
    model.reset()
    parts = []
    for start in range(0, 3000, 611):
        piece = {name: array[start : start + 611] for name, array in inputs.items()}
        parts.append(model.run(piece)["d"])
    assert np.array_equal(np.concatenate(parts), wanted["d"])
    assert len(wanted["d"]) > 500


def test_gaps_change_clocks_and_no_values(model):
    inputs = random_records(SPEC, 3000, seed=SEED)
    model.reset()
    straight = model.run(inputs)
    model.reset()
    paused = model.run(inputs, gaps=0.5, seed=3)
    for port in SPEC.outputs:
        assert np.array_equal(straight[port], paused[port])
    assert straight.cycles in (3000, 3000 + SPEC.latency)  # the last record may end no group
    assert 5000 < paused.cycles < 7500


def test_latency_is_the_specified_one():
    """A result appears exactly ``latency`` clocks behind its record, not a clock earlier."""
    for stages in (0, 1, 4):
        spec = IntegerMultiplier(stages=stages)
        model = compile_model(spec)
        record = {"a": np.array([3]), "b": np.array([5])}
        assert len(model.run(record, drain=False)["p"]) == (stages == 0)
        idle = {"a": np.zeros(0, np.int64), "b": np.zeros(0, np.int64)}
        if stages:
            assert model.run(idle)["p"].tolist() == [15]


def test_reset_in_mid_group(model):
    inputs = random_records(SPEC, 400, seed=SEED)
    inputs["last"][:] = 0
    model.reset()
    model.run({name: array[:3] for name, array in inputs.items()})
    model.reset()
    assert np.array_equal(model.run(inputs)["d"], expected(SPEC, inputs)["d"])


def test_resets_vary_and_can_be_repeated(model):
    clocks = []
    for turn in range(8):
        before = model.cycles
        model.reset(turn=turn)
        clocks.append(model.cycles - before - SPEC.latency - 2 - turn % 3)
    assert clocks == [1, 2, 3, 5] * 2
    inputs = random_records(SPEC, 50, seed=SEED)
    wanted = expected(SPEC, inputs)["d"]
    for _ in range(20):
        model.run(inputs, drain=False)
        model.reset()
        assert np.array_equal(model.run(inputs)["d"], wanted)


@pytest.fixture
def key_of_model(monkeypatch):
    """The key under which a model is sought; it is not compiled."""
    module = sys.modules[compile_model.__module__]

    def key(changed=None):
        def noted(kind, key, build):
            raise LookupError(key)

        def digest(*parts):
            return "changed" if changed in parts else source_digest(*parts)

        monkeypatch.setattr(module, "cached", noted)
        monkeypatch.setattr(module, "source_digest", digest)
        with pytest.raises(LookupError) as caught:
            compile_model(SPEC)
        return caught.value.args[0]

    return key


def test_the_compilers_arguments_count(key_of_model, monkeypatch):
    compiler = find("c++").command[0]
    keys = []
    for command in (compiler, f"{compiler} -DNOTHING", compiler):
        monkeypatch.setenv("CXX", command)
        keys.append(key_of_model())
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("name", ["sim/harness.cpp", "sim/verilog.py", "toolchain/verilator.py"])
def test_our_code_between_rtl_and_library_counts(key_of_model, name):
    assert key_of_model(changed=name) != key_of_model()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", ">i2", ">i4", ">i8"])
@pytest.mark.parametrize("contiguous", [True, False])
def test_any_integer_dtype_and_layout(model, dtype, contiguous):
    inputs = random_records(SPEC, 500, seed=SEED)
    wanted = expected(SPEC, inputs)
    given = {name: array.astype(dtype) for name, array in inputs.items()}
    given["last"] = given["last"].astype(bool)
    if not contiguous:
        given = {name: np.asfortranarray(array) for name, array in given.items()}
    model.reset()
    assert np.array_equal(model.run(given)["d"], wanted["d"])


def test_several_units_in_one_process():
    specs = [SPEC, IntegerMultiplier(), MixPE(rows=1, columns=1, lanes=1, group=1)]
    models = [compile_model(spec, style=style) for spec in specs for style in Style]
    models.append(compile_model(SPEC))  # two of the same keep their own state
    for model in models:
        inputs = random_records(model.spec, 300, seed=SEED)
        port = next(iter(model.spec.outputs))
        assert np.array_equal(model.run(inputs)[port], expected(model.spec, inputs)[port])


def test_ports_of_every_width():
    """Payloads of 2, 16, 33, 62 bits; results of 1 to 62 bits, signed and not."""
    from multipede.golden.formats import Integer

    for a, b in ((1, 1), (8, 8), (31, 2), (31, 31)):
        for signed in (False, True):
            spec = IntegerMultiplier(a=Integer(a, signed=signed), b=Integer(b, signed=signed))
            inputs = random_records(spec, 1000, seed=SEED)
            product = inputs["a"] * inputs["b"]
            assert np.array_equal(compile_model(spec).run(inputs)["p"], product)


def test_ready_and_stalls():
    """A unit of several clocks: nothing is lost, repeated or reordered under stalls."""
    spec = SlowSpec(clocks=3)
    model = compile_model(spec)
    inputs = random_records(spec, 4000, seed=SEED)
    wanted = expected(spec, inputs)["y"]
    assert np.array_equal(model.run(inputs)["y"], wanted)
    for gaps, stalls in ((0.5, 0.0), (0.0, 0.7), (0.3, 0.9)):
        model.reset()
        run = model.run(inputs, gaps=gaps, stalls=stalls, seed=5)
        assert np.array_equal(run["y"], wanted)
        assert list(run) == ["y"]
    assert len(wanted) == 4000


def test_a_unit_that_hangs_is_reported():
    spec = SlowSpec(clocks=3)
    verilog = verilog_of(spec, Style.WORD)
    hung = verilog.replace("assign i_ready = ", "assign i_ready = 1'h0 & ")
    assert hung != verilog
    model = compile_verilog(hung, spec)
    with pytest.raises(SimulationError, match=r"slow took no record for .* clocks"):
        model.run(random_records(spec, 5, seed=SEED))


def test_a_unit_that_repeats_results_is_reported():
    verilog = verilog_of(IntegerMultiplier(), Style.WORD)
    repeated = verilog.replace("else o_valid <= ", "else o_valid <= 1'h1 | ")
    assert repeated != verilog
    model = compile_verilog(repeated, IntegerMultiplier())
    with pytest.raises(SimulationError, match="gave more than the 5 results"):
        model.run(random_records(IntegerMultiplier(), 5, seed=SEED))


def test_waveform(tmp_path):
    model = compile_model(IntegerMultiplier(), trace=True)
    model.trace(tmp_path / "w.fst")
    model.run(random_records(IntegerMultiplier(), 50, seed=SEED))
    del model
    data = (tmp_path / "w.fst").read_bytes()
    assert len(data) > 500
    assert data[0] == 0  # an FST header block


def test_waveform_needs_a_traced_model(model, tmp_path):
    with pytest.raises(ToolError, match="compile with trace=True"):
        model.trace(tmp_path / "w.fst")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"w": np.full((4, 2, 2), 16)}, ValueError, r"w.*16"),
        ({"a": np.zeros((4, 2, 2))}, TypeError, "a"),
        ({"last": np.zeros(3, np.int64)}, ValueError, "number of records"),
        ({"a": np.zeros((4, 2, 3), np.int64)}, ValueError, r"\(T, 2, 2\) is needed"),
    ],
)
def test_wrong_inputs_are_refused(model, change, error, message):
    inputs = random_records(SPEC, 4, seed=SEED) | change
    with pytest.raises(error, match=message):
        model.run(inputs)


def test_wrong_probabilities_are_refused(model):
    inputs = random_records(SPEC, 4, seed=SEED)
    with pytest.raises(ValueError, match=r"gaps = 1.0: 0 <= p < 1"):
        model.run(inputs, gaps=1.0)
    with pytest.raises(ValueError, match="mixpe cannot be stalled"):
        model.run(inputs, stalls=0.5)


def test_memory_stays_with_the_users_arrays():
    """2 x 10^6 records: no more than inputs, outputs and 256 MB above an idle model."""
    code = """
import resource, numpy as np
from multipede.golden.mixpe import MixPE
from multipede.sim.compiled import compile_model
spec = MixPE(rows=2, columns=2, lanes=2, group=8)
model = compile_model(spec)
count = 2_000_000
inputs = {name: np.ones((count, *port.shape), np.int8) for name, port in spec.inputs.items()}
inputs["last"][:] = 0
model.run({name: array[:1000] for name, array in inputs.items()})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run = model.run(inputs)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
outputs = sum(array.nbytes for array in run.outputs.values())
assert len(run["d"]) == count // 4, len(run["d"])
print(after * 1024 - before * 1024 - outputs)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 256e6


def test_models_are_freed():
    model = compile_model(SPEC)
    watched = weakref.ref(model)
    del model
    assert watched() is None


@pytest.mark.parametrize("gaps", [0.0, 0.5])
@pytest.mark.parametrize("stages", [0, 1, 4])
def test_runs_say_behind_which_record_each_result_came(stages, gaps):
    """In pieces, too: what comes of earlier runs has negative numbers."""
    unit = IntegerMultiplier(stages=stages)
    multiplier = compile_model(unit)
    records = random_records(unit, 60, seed=5)
    found, filled = [], 0
    for start, stop in ((0, 20), (20, 22), (22, 60)):
        part = {name: array[start:stop] for name, array in records.items()}
        run = multiplier.run(part, gaps=gaps, drain=stop == 60)
        assert run.behind.dtype == np.int64
        found += (run.behind + start).tolist()
        filled += len(run["p"])
    assert filled == 60
    assert found == list(range(60))


def test_no_clock_is_compared_behind_stalls():
    """Until all results are out: what was held back stays late."""
    unit = Stallable(inside=IntegerMultiplier(stages=2))
    model = compile_model(unit)
    records = random_records(unit, 50, seed=5)
    assert model.run(records, drain=False).behind is not None
    assert model.run(records, drain=False).behind is not None
    assert model.run(records, stalls=0.5, drain=False).behind is None
    assert model.run(records, drain=False).behind is None
    assert model.run(records).behind is None
    assert model.run(records).behind.tolist() == list(range(50))
    model.run(records, stalls=0.5, drain=False)
    model.reset()
    assert model.run(records).behind.tolist() == list(range(50))
