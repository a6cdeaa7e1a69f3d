"""``python -m multipede``."""

from multipede.cli import run

run()
