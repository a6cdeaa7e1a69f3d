"""Hand-off to place and route: what OpenROAD-flow-scripts and LibreLane are given."""

import json
import re
import shutil
import subprocess

import pytest

from multipede.asic_flow import Flow, hand_off
from multipede.asic_flow.place_and_route.block import Block
from multipede.asic_flow.place_and_route.sdc import write_sdc
from multipede.cli import main
from multipede.golden.formats import INT4, UINT2
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.generate import Bus
from multipede.toolchain.yosys import run_yosys

TILE = MixPE(rows=1, columns=2, lanes=2, group=4, weight=UINT2, activation=INT4)
NO_REGISTERS = IntegerMultiplier(a=INT4, b=INT4, stages=0)
DESIGNS = {
    "unit": (TILE, "mixpe", {}),
    "unit in words": (TILE, "mixpe", {"style": Style.WORD}),
    "no registers": (NO_REGISTERS, "integer_multiplier", {}),
    "bus": (TILE, "named_axi4_stream", {"bus": Bus.AXI4_STREAM, "name": "named"}),
}
PORT = re.compile(r"^  (input|output) (?:reg )?(?:\[\d+:0\] )?(\w+)", re.MULTILINE)
CONSTRAINED = re.compile(r"^set_(input|output)_delay (\S+) -clock (\S+) \[get_ports \{(\w+)\}\]$")


def handed(place, design, flow, **options):
    spec, top, more = DESIGNS[design]
    paths = hand_off(spec, place, flow=flow, vectors=4, **more, **options)
    return {path.name: path.read_text() for path in paths}, top


def ports(files, top):
    """Direction and name of each port, from the Verilog's text."""
    header = files[f"{top}.v"].split(f"module {top}(", 1)[1].split(");", 1)[0]
    return set(PORT.findall(header))


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.parametrize("design", DESIGNS)
def test_every_port_is_constrained_once(tmp_path, design, flow):
    files, top = handed(tmp_path, design, flow, clock_period=5.0, io_delay=0.3)
    lines = files[f"{top}.sdc"].splitlines()
    found = [match.groups() for match in map(CONSTRAINED.match, lines) if match]
    clocks = [line for line in lines if line.startswith("create_clock")]
    clock = {"no registers": None, "bus": "aclk"}.get(design, "clk")
    if clock is None:
        assert clocks == ["create_clock -name virtual_clock -period 5"]
    else:
        assert clocks == [f"create_clock -name {clock} -period 5 [get_ports {{{clock}}}]"]
    assert sorted((way, port) for way, _, _, port in found) == sorted(
        ports(files, top) - {("input", clock)}
    )
    assert {delay for _, delay, _, _ in found} == {"1.5"}
    assert {name for _, _, name, _ in found} == {clock or "virtual_clock"}


def test_times_are_in_the_unit_of_the_platforms_cells(tmp_path):
    files, top = handed(tmp_path, "unit", Flow.ORFS, platform="asap7", clock_period=0.75)
    assert "create_clock -name clk -period 750 [get_ports {clk}]" in files[f"{top}.sdc"]
    assert "set_input_delay 150 -clock clk [get_ports {i_valid}]" in files[f"{top}.sdc"]


@pytest.mark.parametrize("platform", [p.name for p in Flow.ORFS.platforms])
def test_make_reads_the_configuration_from_anywhere(tmp_path, platform):
    if shutil.which("make") is None:
        pytest.skip("no make")
    place = tmp_path / "unit"
    files, top = handed(place, "unit", Flow.ORFS, platform=platform, core_utilization=55)
    names = ("PLATFORM", "DESIGN_NAME", "VERILOG_FILES", "SDC_FILE", "CORE_UTILIZATION")
    (tmp_path / "later.mk").write_text("")
    (tmp_path / "Makefile").write_text(
        "include $(DESIGN_CONFIG)\ninclude later.mk\nall:\n"
        + "".join(f"\t@echo $({name}) $${name}\n" for name in names)
    )
    done = subprocess.run(
        ["make", "--silent", "DESIGN_CONFIG=unit/config.mk"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    verilog = f"{place}/{top}.v {place}/multipede_adders.v"
    expected = (platform, top, verilog, f"{place}/{top}.sdc", "55")
    # Each as make knows it, and as the programs that it runs find it in their environment.
    assert done.stdout.splitlines() == [f"{value} {value}" for value in expected]
    assert set(files) >= {f"{top}.v", "multipede_adders.v", f"{top}.sdc"}


@pytest.mark.parametrize("platform", [p.name for p in Flow.LIBRELANE.platforms])
@pytest.mark.parametrize("design", DESIGNS)
def test_librelane_takes_the_configuration(tmp_path, design, platform):
    pytest.importorskip("librelane", reason="tools/set_up installs it")
    from tests.asic_flow.place_and_route.librelane_variables import loaded

    files, top = handed(tmp_path, design, Flow.LIBRELANE, platform=platform, clock_period=3.5)
    found = loaded(tmp_path / "config.json")
    assert (found["DESIGN_NAME"], found["PDK"], found["FP_CORE_UTIL"]) == (top, platform, 40)
    assert (float(found["CLOCK_PERIOD"]), found["IO_DELAY_CONSTRAINT"]) == (3.5, 20)
    assert found["PNR_SDC_FILE"] == found["SIGNOFF_SDC_FILE"] == f"{tmp_path}/{top}.sdc"
    verilog = [name for name in (f"{top}.v", "multipede_adders.v") if name in files]
    assert [str(path) for path in found["VERILOG_FILES"]] == [f"{tmp_path}/{n}" for n in verilog]
    clock = {"no registers": None, "bus": "aclk"}.get(design, "clk")
    assert (found["CLOCK_PORT"], found["RUN_CTS"]) == (clock, clock is not None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"CORE_UTILISATION": 40}, "Unknown key 'CORE_UTILISATION'"),
        ({"VERILOG_FILES": ["dir::nothing.v"]}, "does not exist"),
        ({"CLOCK_PERIOD": "fast"}, "CLOCK_PERIOD"),
    ],
)
def test_librelane_would_refuse_a_wrong_one(tmp_path, wrong, message):
    librelane = pytest.importorskip("librelane.config", reason="tools/set_up installs it")
    from tests.asic_flow.place_and_route.librelane_variables import loaded

    handed(tmp_path, "unit", Flow.LIBRELANE)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(librelane.InvalidConfig) as error:
        loaded(file)
    assert message in str(error.value.errors)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_listed_files_are_the_whole_design(tmp_path, design):
    files, _ = handed(tmp_path, design, Flow.LIBRELANE)
    settings = json.loads(files["config.json"])
    listed = [name.removeprefix("dir::") for name in settings["VERILOG_FILES"]]
    script = f"read_verilog {' '.join(listed)}\nhierarchy -check -top {settings['DESIGN_NAME']}\n"
    run_yosys(f"{script}proc\ncheck -assert", files={name: files[name] for name in listed})


def test_block_has_a_file_of_constraints_of_its_name():
    block = Block(
        name="top",
        verilog=("top.v",),
        clock="ck",
        inputs=("a",),
        outputs=("y", "z"),
        clock_period=1 / 3,
        io_delay=0,
        core_utilization=99,
    )
    assert block.sdc == "top.sdc"
    assert write_sdc(block).splitlines()[1:] == [
        "create_clock -name ck -period 0.333333333 [get_ports {ck}]",
        "set_input_delay 0 -clock ck [get_ports {a}]",
        "set_output_delay 0 -clock ck [get_ports {y}]",
        "set_output_delay 0 -clock ck [get_ports {z}]",
    ]


def test_what_was_there_is_replaced_and_the_same_again(tmp_path):
    first, _ = handed(tmp_path, "unit", Flow.ORFS)
    (tmp_path / "config.mk").write_text("old")
    assert handed(tmp_path, "unit", Flow.ORFS)[0] == first
    assert {path.name for path in tmp_path.iterdir()} == set(first)


PERIOD = r"clock_period = {}: more than 0 ns is needed"
SHARE = r"io_delay = {}: allowed are 0 to less than 0\.5 of the clock period"
WRONG = [
    ({"flow": "orfs"}, TypeError, "flow must be Flow, not str: 'orfs'"),
    (
        {"platform": "sky130A"},
        ValueError,
        "platform = 'sky130A': for orfs allowed are nangate45, sky130hd, sky130hs, asap7, gf180,"
        " ihp-sg13g2",
    ),
    ({"flow": Flow.LIBRELANE, "platform": "asap7"}, ValueError, "for librelane allowed are sky130"),
    ({"platform": 45}, TypeError, "platform must be str, not int: 45"),
    ({"clock_period": 0}, ValueError, PERIOD.format(0)),
    ({"clock_period": -1.5}, ValueError, PERIOD.format(r"-1\.5")),
    ({"clock_period": float("nan")}, ValueError, PERIOD.format("nan")),
    ({"clock_period": float("inf")}, ValueError, PERIOD.format("inf")),
    ({"clock_period": "2"}, TypeError, "clock_period must be a number, not str: '2'"),
    ({"clock_period": True}, TypeError, "clock_period must be a number, not bool: True"),
    ({"io_delay": 0.5}, ValueError, SHARE.format(r"0\.5")),
    ({"io_delay": -0.1}, ValueError, SHARE.format(r"-0\.1")),
    ({"core_utilization": 0}, ValueError, "core_utilization = 0: allowed are 1 to 99"),
    ({"core_utilization": 40.0}, TypeError, "core_utilization must be int"),
    ({"name": "module"}, ValueError, "name = 'module': it is a keyword"),
]


@pytest.mark.parametrize(("options", "kind", "message"), WRONG)
def test_wrong_arguments_write_nothing(tmp_path, options, kind, message):
    with pytest.raises(kind, match=message):
        hand_off(TILE, tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


class TestCommandLine:
    UNIT = ("generate", "integer_multiplier", "-p", "a=int4", "-p", "b=int4", "--vectors", "4")

    @pytest.mark.parametrize(
        ("flow", "file"), [("orfs", "config.mk"), ("librelane", "config.json")]
    )
    def test_flow(self, tmp_path, capsys, flow, file):
        options = ("-o", str(tmp_path), "--flow", flow, "--clock-period", "1.25", "--json")
        assert main([*self.UNIT, *options, "--core-utilization", "62"]) == 0
        written = json.loads(capsys.readouterr().out)["files"]
        assert written[-2:] == [str(tmp_path / file), str(tmp_path / "integer_multiplier.sdc")]
        assert "-period 1.25 " in (tmp_path / "integer_multiplier.sdc").read_text()
        assert "62" in (tmp_path / file).read_text()
        # For standard cells, sums are written as adders.
        assert (tmp_path / "multipede_adders.v").exists()

    def test_style_is_the_users_choice(self, tmp_path, capsys):
        assert main([*self.UNIT, "-o", str(tmp_path), "--flow", "orfs", "--style", "word"]) == 0
        assert not (tmp_path / "multipede_adders.v").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--flow", "openlane"), "flow 'openlane': allowed are orfs, librelane"),
            (("--platform", "asap7"), "--platform has no meaning without --flow"),
            (("--clock-period", "2"), "--clock-period has no meaning without --flow"),
            (("--flow", "orfs", "--clock-period", "0"), "clock_period = 0.0: more than 0 ns"),
            (("--flow", "orfs", "--platform", "n28"), "platform = 'n28': for orfs allowed are"),
        ],
    )
    def test_wrong_options(self, tmp_path, capsys, options, message):
        assert main([*self.UNIT, "-o", str(tmp_path / "new"), *options]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
