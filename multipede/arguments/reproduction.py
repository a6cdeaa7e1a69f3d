"""Published claims."""

from pathlib import Path

from multipede.arguments.shared import CORNERS, Command
from multipede.reproduce_command import EXPERIMENTS, reproduce_command

__all__ = ["add_commands"]


def add_commands(command: Command) -> None:
    """All of these commands."""
    _add_reproduce(command)


def _add_reproduce(command: Command) -> None:
    reproduce = command("reproduce", "published claims beside our figures", reproduce_command)
    reproduce.add_argument(
        "paper", nargs="?", choices=list(EXPERIMENTS), help="by its unit (headlines of all)"
    )
    experiments = "; ".join(f"{unit}: {', '.join(names)}" for unit, names in EXPERIMENTS.items())
    reproduce.add_argument(
        "experiment", nargs="?", help=f"which of its experiments (the first). {experiments}"
    )
    reproduce.add_argument("--target", help=f"{CORNERS} (n28)")
    reproduce.add_argument(
        "--clock-period",
        type=float,
        metavar="NS",
        help="for all units (2; lmul costs and workloads of lookups 4, quadinr costs 1.5)",
    )
    reproduce.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="MxNxK",
        help="rows x columns x lanes; ablation and shapes: one to try instead of all, of 512"
        " multiply-accumulates; rivals and widths: the one (2x16x4)",
    )
    reproduce.add_argument(
        "--weight-bits",
        action="append",
        type=int,
        metavar="N",
        help="rivals: of weights (2); widths: one of several (1 to 8)",
    )
    reproduce.add_argument(
        "--activation", metavar="FORMAT", help="rivals and widths: of activations (int8)"
    )
    reproduce.add_argument(
        "--table-inputs", type=int, metavar="N", help="of lut_tensor_core: lanes of a table (4)"
    )
    reproduce.add_argument(
        "--stages", type=int, metavar="N", help="rivals and widths: register ranks (1; floats 4)"
    )
    reproduce.add_argument(
        "--batch", type=int, metavar="N", help="mixpe workloads: sequences at once (64)"
    )
    reproduce.add_argument(
        "--format",
        action="append",
        metavar="FORMAT",
        help="lmul costs, fpga: one of several (e5m2, e4m3, bf16, fp16, fp32)",
    )
    reproduce.add_argument(
        "--bits",
        action="append",
        type=int,
        metavar="N",
        help="quadinr costs, fpga: one of several (8, 10, 12, 16, 24; 8, 12, 16)",
    )
    reproduce.add_argument("--chip", help="fpga: to route for (ecp5-25f)")
    reproduce.add_argument("--frequency", type=float, metavar="MHZ", help="quadinr fpga (100)")
    reproduce.add_argument("--seeds", type=int, metavar="N", help="fpga: of the placer (3)")
    for option, what in (
        ("--size", "images, video, network (128), tuning (64): pixels of a side"),
        ("--frames", "video: how many (16)"),
        ("--iterations", "images, video, network (1000), tuning (500): steps of training"),
        ("--hidden", "images, video (64), network, tuning (32): units of a layer"),
        ("--layers", "images, video (3), network, tuning (2): with an activation"),
    ):
        reproduce.add_argument(option, type=int, metavar="N", help=what)
    reproduce.add_argument(
        "--image",
        action="append",
        metavar="NAME",
        help="images, network: one of several; video: the one",
    )
    reproduce.add_argument(
        "--plot", type=Path, metavar="FILE", help="images and video: the RTL's pictures, as PNG"
    )
    reproduce.add_argument("--sentences", type=int, metavar="N", help="embeddings: how many (600)")
