"""What is killed: four kinds of work, each in a fresh copy of the repository with a store of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from lib.analysis.files import REPOSITORY
from lib.stages import Store

PAGE = ("label_noise", "dynamics", "mnist-lenet", "smoke")
ARCHIVE = "work/store.tar"
TAKEN_IN = "work/taken_in"
STAGES = 100
"""In the store that is exported; a hundred megabytes, so that there is something to be interrupted."""


@dataclass(frozen=True)
class Work:
    """A kind of work.

    Attributes:
        name: of the kind.
        commands: what is given, one after another, each again until it is whole: arguments of `python -m`.
        prepare: fills the copy's folder before.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    prepare: Callable[[Path], object] = lambda folder: None


def fill_store(folder: Path) -> None:
    """Fill the store of a copy with stages, each time the same."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(STAGES, 220_000, generator=generator)
    masks = {"w": torch.ones(weights.shape[1], dtype=torch.bool)}
    record = {"metrics": [], "diverged": False}
    entries = {f"{i:032x}": (record, {"weights": {"w": weights[i]}, "masks": masks}) for i in range(STAGES)}
    Store(folder / "store").put(entries)
    (folder / ARCHIVE).parent.mkdir(exist_ok=True)


MEASURING = Work("measuring", (("lib.analysis.measure", *PAGE),))
BATCH = Work("batch", (("lib.batch", "--scale", PAGE[-1], "--paper", PAGE[0], "--page", PAGE[1], "--gpus", "none"),))
BUILDING = Work("building", (("lib.book.publish",),))
EXPORTING = Work(
    "exporting",
    (("lib.stages", "export", ARCHIVE), ("lib.stages", "--store", TAKEN_IN, "import", ARCHIVE)),
    fill_store,
)
WORKS = {work.name: work for work in (MEASURING, BATCH, BUILDING, EXPORTING)}


def copy_repository(folder: Path) -> None:
    """Copy what git knows or would take of the repository, as it is now, into a new folder, to be copied from there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)


def start(command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a copy, as the head of a process group; what it says is added to a log beside the copy."""
    own = {"PRUNING_BOOK_STORE": str(folder / "store"), "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    with folder.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=os.environ | own, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
