"""Train what a page lacks on several GPUs together, before the page measures it on one.

A notebook is one process. So `torchrun` first starts a process for each GPU, which train the page's chains into the store
and measure nothing (`lib.training.processes`); then the page finds every stage there. All of them end with the page: a batch
that is killed must not leave its GPUs taken.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from lib.batch.start import end_with_parent

NOT_OF_THE_PLAN = ("benchmark", "scale", "recompute", "store", "device", "deterministic")
"""Parameters of a page that say what is asked and how; the others change its plan."""


def command(source: Path, given: Mapping[str, Any], count: int) -> list[str]:
    """Return what trains a page's chains in so many processes.

    Args:
        source: papers/<paper>/pages/<page>.py.
        given: its parameters, all of them.
        count: of GPUs.
    """
    asked = [source.parts[-3], source.stem, str(given["benchmark"]), str(given["scale"]), "--train"]
    asked += ["--store", str(given["store"])] if given.get("store") else []
    asked += ["--deterministic"] if given.get("deterministic") else []
    for name, value in given.items():
        if name not in NOT_OF_THE_PLAN and value:  # empty: as the plan has it
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            asked += ["--set", f"{name}={text}"]
    start = ["-m", "lib.batch.together", "--standalone", "--nproc-per-node", str(count)]
    return [sys.executable, *start, "-m", "lib.analysis.measure", *asked]


def train_together(source: Path, given: Mapping[str, Any], count: int, log: TextIO) -> int:
    """Train a page's chains in so many processes, which write to a log; return the exit status."""
    return subprocess.run(command(source, given, count), stdout=log, stderr=subprocess.STDOUT).returncode


def main() -> None:
    """Be `torchrun`, which ends its processes on a signal, and get that signal when the page is gone."""
    from torch.distributed.run import main as torchrun  # here, since every page imports this module

    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    torchrun()


if __name__ == "__main__":
    main()
