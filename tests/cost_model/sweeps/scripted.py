"""Questions with written answers, for what workers make of them, which import this file."""

import os
import signal
import time
from dataclasses import dataclass

from multipede.cost_model.sweeps.question import Question
from multipede.golden.formats import Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.toolchain import ToolError
from multipede.toolchain.cost import Cost, CostMethod


def points(number):
    """Their first operand has 2, 3, ... bits."""
    return [IntegerMultiplier(a=Integer(bits, False)) for bits in range(2, 2 + number)]


@dataclass(frozen=True)
class Scripted(Question):
    """An answer without synthesis: the bits; and what happens to points of some bits."""

    target: str = "gates"
    hangs: tuple[int, ...] = ()
    fails: tuple[int, ...] = ()
    crashes: tuple[int, ...] = ()
    log: str = ""
    pause: float = 0.0

    @property
    def options(self):
        return {"scripted": True}

    def costs(self, spec):
        bits = spec.a.bits
        with open(self.log, "a") as log:
            log.write(f"{bits}\n")
        time.sleep(self.pause)
        if bits in self.hangs:
            time.sleep(1000)
        if bits in self.fails:
            raise ToolError(f"no tool for {bits}")
        if bits in self.crashes:
            os.kill(os.getpid(), signal.SIGKILL)
        return [
            Cost(
                quantity="area",
                value=bits,
                unit="NAND2",
                target="gates",
                method=CostMethod.SYNTHESISED,
                source="a test",
            )
        ]


@dataclass(frozen=True)
class Deadly(Scripted):
    """Some points bring down the worker itself."""

    kills: tuple[int, ...] = ()

    def key(self, spec):
        # In the worker, before the point has a process of its own.
        if os.getpid() != self.caller and spec.a.bits in self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().key(spec)

    caller: int = 0


def asked(log):
    return sorted(map(int, log.read_text().split()))
