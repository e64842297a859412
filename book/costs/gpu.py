"""What a GPU is asked first: python -m book.costs.gpu [--quick] [--minutes 9] [--out FOLDER]

Does it compute what a CPU computes (`check`), what do epochs cost (`epochs`, `paths`, `other`), and then the first columns
of the book at the papers' own scale. Each step is a process of its own, so that one that fails leaves the others; the last
go on from the store where they were cut off, so that the same command may be given again. Tables and the store's export are
copied to a folder as they come; a short table of what was aimed at is printed last.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas

from book.costs import tables
from lib.analysis.files import REPOSITORY
from lib.training.device import find_device

MEASURE = "lib.analysis.measure training_regularization"
COLUMNS = (
    f"{MEASURE} additional_regularization mnist-lenet paper",
    f"{MEASURE} better_training mnist-lenet paper",
    "lib.analysis.measure lost_in_pruning test_set cifar10-resnet20 paper --algorithms WT FT",
    "lib.analysis.measure generalization_stability less_stable_better cifar10-vgg11 paper",
)
"""What is measured at paper scale, in its order."""


def steps(device: str, quick: bool) -> list[str]:
    """Return the modules to run with their arguments, one after the other."""
    keep = "--quick" if quick else "--write"
    costs = [f"book.costs {part} --device {device} {keep}" for part in ("epochs", "paths", "other")]
    columns = [f"{one} --device {device} --commit" for one in COLUMNS]
    if quick:
        columns = [f"{MEASURE} additional_regularization mnist-lenet smoke --device {device}"]
    return [f"book.costs.check --device {device}", *costs, *columns]


def results() -> list[Path]:
    """Return the committed tables, which the steps write: of costs, and of what was measured."""
    return [*(REPOSITORY / "book/costs").glob("*_*.[cj]s*"), *(REPOSITORY / "papers").glob("*/results/*/*")]


def aims(kind: str) -> pandas.DataFrame:
    """Return what was aimed at, and what the table of a kind of device has of it."""
    key, own = ["benchmark", "precision", "replicates"], pandas.DataFrame()
    for costs in tables.read("epochs"):
        if costs.device_type == kind:
            own = costs.frame[costs.frame["variant"] == tables.OWN]
    if not len(own):
        return pandas.DataFrame()
    lenets, resnets = (
        own.set_index(key)[column].to_dict() for column in ("times_faster", "seconds_per_replicate_epoch")
    )
    rows = []
    if stack := lenets.get(("mnist-lenet", "float32", 12)):
        rows.append(("12 LeNets in a stack against the conventional loop, float32", stack, "at least 100 times"))
    if alone := resnets.get(("cifar10-resnet20", "bfloat16", 1)):
        rows.append(("an epoch of one ResNet-20, bfloat16", alone, "at most 3 s"))
        if stacked := resnets.get(("cifar10-resnet20", "bfloat16", 4)):
            rows.append(("4 ResNet-20s in a stack against one, bfloat16", alone / stacked, "at least 3 times"))
    return pandas.DataFrame(rows, columns=["what", "measured", "aim"])


def main(arguments: list[str] | None = None) -> int:
    """Run the steps within the time given, and return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m book.costs.gpu", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--quick", action="store_true", help="a few batches and smoke scale, to try the steps themselves"
    )
    parser.add_argument("--minutes", type=float, default=9.0, help="when to stop, at most (default: 9)")
    parser.add_argument("--out", type=Path, help="folder for tables, the store's export and what was printed")
    given = parser.parse_args(arguments)
    kind, until, failed = find_device(given.device).type, time.monotonic() + 60 * given.minutes, 0
    before = {path: path.stat().st_mtime_ns for path in results()}
    ended_so = []
    for step in steps(kind, given.quick):
        started, left = time.monotonic(), until - time.monotonic()
        try:
            code = subprocess.run(
                [sys.executable, "-m", *step.split()], cwd=REPOSITORY, timeout=max(1.0, left)
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        failed += bool(code)
        ended = "cut off; go on with the same command" if code is None else "failed" if code else "done"
        ended_so.append((step, ended, round(time.monotonic() - started, 1)))
        if given.out:
            _copy(given.out, before)
    print(pandas.DataFrame(ended_so, columns=["step", "ended", "seconds"]).to_string(index=False))
    print(aims(kind).to_string(index=False))
    return failed


def _copy(out: Path, before: dict[Path, int]) -> None:
    """Copy the tables that are new, and what the store has."""
    for path in results():
        if before.get(path) != path.stat().st_mtime_ns:
            (place := out / path.relative_to(REPOSITORY)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
    subprocess.run([sys.executable, "-m", "lib.stages", "export", str(out / "stages.tar")], cwd=REPOSITORY)


if __name__ == "__main__":
    sys.exit(main())
