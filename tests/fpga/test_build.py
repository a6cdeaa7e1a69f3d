"""From a specification to a board: bitstreams, directories for Vivado, and what goes wrong."""

import json
import re
import time

import pytest

from multipede import cli
from multipede.fpga import DoesNotFitError, build_for, load
from multipede.fpga.board_design import BoardDesign
from multipede.fpga.boards import BOARDS, board
from multipede.fpga.load import loader_of
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.toolchain import ToolError
from multipede.toolchain.yosys import run_yosys

PRODUCT = IntegerMultiplier(stages=2)
OPEN = [name for name, known in BOARDS.items() if known.fpga.is_routed]
HEADS = {
    "ecp5": rb"\xff\x00",
    "ice40": rb"\xff\x00\x00\xff~\xaa\x99~",
    "gowin": rb"[1\n]+\n1010010111000011\n",
}
"""How bitstreams begin: comments of ECP5, the preamble of iCE40, ones and 0xA5C3 for Gowin."""


def design(name, **options):
    target = board(name)
    given = {"frequency": target.clock, "baud_rate": 1_000_000, "records": 4}
    return BoardDesign.of(PRODUCT, target, **{**given, **options})


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name",
    [n if n == "icebreaker" else pytest.param(n, marks=pytest.mark.regress) for n in OPEN],
)
@pytest.mark.parametrize("multiple", [1, 2], ids=["oscillator", "pll"])
def test_a_bitstream(name, multiple, tmp_path):
    place = tmp_path / "design"
    megahertz = board(name).clock / 1e6 * multiple
    found = build_for(PRODUCT, name, output=place, frequency=megahertz, seeds=1, records=4)
    assert found.meets_clock
    assert found.best.frequency >= megahertz
    assert found.files == place
    content = place.read_bytes()
    assert re.match(HEADS[board(name).fpga.family], content)
    assert len(content) > 50_000
    assert json.loads(json.dumps(found.to_dict()))["meets_clock"] is True
    assert f"written: {place}" in str(found)


@pytest.mark.regress
def test_the_tile_of_the_readme(tmp_path):
    """4 x 4 x 8 W4A8 at 50 MHz on ULX3S, with the PLL, as by ``multipede build``."""
    tile = MixPE(rows=4, columns=4, lanes=8)
    found = build_for(tile, "ulx3s-85f", output=tmp_path / "tile.bit", frequency=50)
    assert found.meets_clock


def test_a_design_does_not_tell_where_the_code_is():
    """Else each checkout would place and route anew."""
    assert "/fpga/" not in design("icebreaker").rtlil


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_pins_for_all_ports(name):
    found = design(name)
    top = found.rtlil[found.rtlil.rindex("module \\top\n") :].split("\nend\n")[0]
    ports = re.findall(r"^  wire width \d+ (?:input|output|inout) \d+ +\\(\S+)$", top, re.MULTILINE)
    assert len(ports) >= 3
    assert {"uart_0__rx__io", "uart_0__tx__io"} <= set(ports)
    for port in ports:
        assert re.search(rf"\b{port}\b", found.pins), port


@pytest.mark.parametrize("name", ["vcu128", pytest.param("arty-a7-35", marks=pytest.mark.regress)])
def test_a_directory_for_vivado(name, tmp_path):
    found = build_for(PRODUCT, name, output=tmp_path / "design", records=4)
    assert found.meets_clock is None
    files = {path.name: path.read_text() for path in (tmp_path / "design").iterdir()}
    assert set(files) == {"top.v", "top.xdc", "top.tcl", "build_top.sh"}
    assert "write_bitstream" in files["top.tcl"]
    assert "create_clock" in files["top.xdc"]
    # The Verilog is whole: nothing but the vendor's own cells is left open.
    opened = run_yosys(
        "read_verilog top.v\nhierarchy -top top\ntee -q -o stat.json stat -json",
        files={"top.v": files["top.v"]},
        outputs=["stat.json"],
    ).outputs["stat.json"]
    stat = json.loads(opened)
    modules = {m.removeprefix("\\") for m in stat["modules"]}
    cells = {c.removeprefix("\\") for c in stat["design"]["num_cells_by_type"]}
    foreign = {c for c in cells if not c.startswith("$") and c not in modules}
    vendors = {"IBUF", "IBUFDS", "OBUF", "OBUFT", "BUFGCTRL", "BUFGCE", "FDPE"}
    vendors |= {"STARTUPE2", "STARTUPE3"}
    assert foreign <= vendors
    assert found.resources.ff > 200
    assert str(tmp_path) not in files["top.v"]


class TestWhatGoesWrong:
    @pytest.mark.regress
    def test_a_clock_that_is_missed(self, tmp_path):
        place = tmp_path / "design.bit"
        place.write_bytes(b"of before")
        found = build_for(PRODUCT, "ulx3s-25f", output=place, frequency=400, seeds=1, records=4)
        assert found.meets_clock is False
        assert found.files is None
        missing = 400 - found.best.frequency
        assert missing > 0
        assert f"misses the clock by {missing:.1f} MHz: no bitstream is written" in str(found)
        assert place.read_bytes() == b"of before"

    @pytest.mark.regress
    def test_a_unit_that_is_too_large(self, tmp_path):
        with pytest.raises(DoesNotFitError, match="ICESTORM_LC are needed and 5280 there"):
            build_for(
                MixPE(rows=4, columns=4, lanes=8),
                "icebreaker",
                output=tmp_path / "design.bin",
                seeds=1,
            )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["icebreaker", "arty-a7-35"])
    def test_a_unit_that_is_far_too_large(self, name, tmp_path):
        """Told without synthesis, which would take hours."""
        huge = MixPE(rows=64, columns=4, lanes=64)
        start = time.monotonic()
        with pytest.raises(DoesNotFitError, match=r"lut are needed and [\d,]+ there.*at the least"):
            build_for(huge, name, output=tmp_path / "design")
        assert time.monotonic() - start < 60
        assert list(tmp_path.iterdir()) == []

    def test_a_packer_that_crashes(self, monkeypatch, tmp_path):
        tools, place = tmp_path / "tools", tmp_path / "design.bin"
        tools.mkdir()
        place.write_bytes(b"of before")
        crashes = 'printf half > "$2"; exit 4'
        (tools / "icepack").write_text(f"#!/bin/sh\n{crashes}\n")
        (tools / "icepack").chmod(0o755)
        monkeypatch.setenv("PATH", str(tools), prepend=":")
        with pytest.raises(ToolError, match="icepack failed with exit status 4"):
            build_for(PRODUCT, "icebreaker", output=place, seeds=1, records=4)
        assert place.read_bytes() == b"of before"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["design.bin", "tools"]

    def test_a_report_that_cannot_be_read(self, monkeypatch, tmp_path):
        """It is not kept, either."""
        tools, cache = tmp_path / "tools", tmp_path / "cache"
        tools.mkdir()
        monkeypatch.setenv("MULTIPEDE_CACHE", str(cache))
        says = 'case "$*" in *--version*) echo "(Version nextpnr-0.7)";; '
        says += '*) echo "{" > report.json;; esac'
        (tools / "nextpnr-ice40").write_text(f"#!/bin/sh\n{says}\n")
        (tools / "nextpnr-ice40").chmod(0o755)
        monkeypatch.setenv("PATH", str(tools), prepend=":")
        with pytest.raises(ToolError, match="nextpnr-ice40 wrote a report that cannot be read"):
            build_for(PRODUCT, "icebreaker", output=tmp_path / "x.bin", seeds=1, records=4)
        assert not list(cache.glob("fpga-routing/*/report.json"))
        assert not (tmp_path / "x.bin").exists()

    def test_a_directory_with_other_files(self, tmp_path):
        (tmp_path / "top.v").write_text("mine")
        with pytest.raises(ValueError, match="other files are in this one"):
            build_for(PRODUCT, "arty-a7-35", output=tmp_path, records=4)
        assert [path.name for path in tmp_path.iterdir()] == ["top.v"]
        assert (tmp_path / "top.v").read_text() == "mine"

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"frequency": float("inf")}, ValueError, "frequency = inf: allowed are 1 to 1000"),
            ({"frequency": float("nan")}, ValueError, "frequency = nan: allowed are 1 to 1000"),
            ({"frequency": "fast"}, TypeError, "frequency"),
            ({"board": "de10"}, ValueError, "board = 'de10': allowed are ulx3s-25f"),
            ({"board": 5}, TypeError, "board"),
            ({"spec": "mixpe"}, TypeError, "spec"),
            ({"seeds": 0}, ValueError, "seeds = 0"),
            ({"output": "nowhere/x.bin"}, ValueError, "there is no directory nowhere"),
            ({"output": "."}, ValueError, "this is a directory"),
            ({"baud_rate": 10_000_000}, ValueError, "baud_rate = 10000000: at 12 MHz"),
        ],
    )
    def test_bad_input(self, options, error, message):
        given = {"spec": PRODUCT, "board": "icebreaker", **options}
        with pytest.raises(error, match=message):
            build_for(given.pop("spec"), given.pop("board"), **given)


class TestLoad:
    def test_it_runs_the_loader(self, monkeypatch, tmp_path):
        (tmp_path / "openFPGALoader").write_text(
            '#!/bin/sh\n[ "$1" = -V ] && echo "openFPGALoader v0.12.1" || echo "$@" > '
            f"{tmp_path}/asked\n"
        )
        (tmp_path / "openFPGALoader").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        place = tmp_path / "design.bin"
        found = build_for(PRODUCT, "icebreaker", output=place, seeds=1, records=4)
        assert load(found) == "loaded by openFPGALoader 0.12.1"
        assert (tmp_path / "asked").read_text().split() == ["-b", "ice40_generic", str(place)]

    def test_what_it_cannot_load(self, tmp_path):
        """Which is told before anything is built."""
        asked = ["build", "integer_multiplier", "--load", "-o", str(tmp_path / "design")]
        assert cli.main([*asked, "--board", "arty-a7-35"]) == 2
        with pytest.raises(ValueError, match="no bitstream to load, as Vivado makes it"):
            loader_of("arty-a7-35")
        assert list(tmp_path.iterdir()) == []
