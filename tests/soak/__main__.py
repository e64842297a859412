"""Kill the book's work a hundred times and count what was lost: make soak, or

    python -m tests.soak [--kills 100] [--seed 0] [--works measuring batch building exporting] [--folder FOLDER]

Each kind of work runs once undisturbed, which says how long it takes. Then, in copies of the repository, it is killed
with all of its process group (`kill -9`) at a moment drawn from that whole time, and the same command is given again until
it is whole; then a new copy begins. Half of the times the command comes back at once, while what the killed process had
started may still live; else that ends first, and what lies there with its final name has to be whole. Only kills that hit
a living process count. It exits with 1 unless every other count is 0; then the copies stay, to be looked at.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.checks import different, finished, half, locked, lost, still_alive
from tests.soak.works import WORKS, Work, copy_repository, start

PATIENCE = (5, 120.0)
"""A restarted command hangs if it takes longer than this many times the undisturbed one, and so many seconds."""


@dataclass
class Count:
    """What happened to one kind of work.

    Attributes:
        name: of the work.
        kills: that hit a living process.
        copies: that were brought to their end.
        lost: what was finished, and is gone or was made again.
        differ: what is not as in the uninterrupted run.
        stale: locks and processes that stayed, commands that hung.
        half: what cannot be read whole.
        failed: commands that ended with an error.
        seconds: of all of it.
    """

    name: str
    kills: int = 0
    copies: int = 0
    lost: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        """Everything that went wrong."""
        return [*self.lost, *self.differ, *self.stale, *self.half, *self.failed]


def soak(work: Work, kills: int, seed: int, folder: Path) -> Count:
    """Kill one kind of work so many times.

    Args:
        work: what is killed.
        kills: how often.
        seed: of the moments.
        folder: in which the copies are made.
    """
    count, chance, began = Count(work.name), random.Random(f"{work.name} {seed}"), time.monotonic()
    if not (folder / "repository").exists():
        copy_repository(folder / "repository")
    whole = _copy(work, folder / f"{work.name}-whole")
    durations = []
    for command in work.commands:
        started = time.monotonic()
        if start(command, whole).wait():
            raise SystemExit(f"{' '.join(command)} fails without any kill; see {whole.with_suffix('.log')}")
        durations.append(time.monotonic() - started)
    print(f"{work.name}: {sum(durations):.1f} s undisturbed", flush=True)
    for compiled in whole.rglob("__pycache__"):  # what Python and numba have compiled, for copies that come
        shutil.copytree(compiled, folder / "repository" / compiled.relative_to(whole), dirs_exist_ok=True)
    while count.kills < kills:
        copy = _copy(work, folder / f"{work.name}-{count.copies}")
        before: dict[str, int] = {}
        for command, duration in zip(work.commands, durations, strict=True):
            _bring_to_its_end(command, duration, copy, kills, chance, count, before)
        count.lost += lost(before, copy)
        count.stale += locked(copy)
        count.differ += different(whole, copy)
        count.half += half(copy, whole=True)
        count.copies += 1
        if not count.faults:
            shutil.rmtree(copy)
    count.seconds = time.monotonic() - began
    print(f"{work.name}: {count.kills} kills, {len(count.faults)} faults", *count.faults, sep="\n", flush=True)
    return count


def _copy(work: Work, folder: Path) -> Path:
    shutil.copytree(folder.parent / "repository", folder)
    work.prepare(folder)
    return folder


def _bring_to_its_end(
    command: tuple[str, ...], duration: float, copy: Path, kills: int, chance: random.Random, count: Count,
    before: dict[str, int],
) -> None:  # fmt: skip
    """Give a command until it is whole; kill it while there are kills left. `before` gets what was finished then."""
    limit = PATIENCE[0] * duration + PATIENCE[1]
    while True:
        process, moment = start(command, copy), chance.uniform(0, duration)
        try:
            status = process.wait(moment if count.kills < kills else limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            if process.wait() == -signal.SIGKILL and count.kills >= kills:
                count.stale.append(f"{' '.join(command)} hung: not whole after {limit:.0f} s")
                return
            status = process.returncode
        if status == 0:
            return
        if status != -signal.SIGKILL:
            count.failed.append(f"{' '.join(command)} ended with {status}, see {copy.with_suffix('.log')}")
            return
        count.kills += 1
        print(f"{count.name} {count.kills}: killed after {moment:.2f} of {duration:.2f} s", flush=True)
        for path, when in finished(copy).items():
            before.setdefault(path, when)
        if chance.random() < 0.5:
            count.stale += [f"process {one.pid} lives on" for one in still_alive(copy)]
            count.half += half(copy, whole=False)


def table(counts: Sequence[Count]) -> str:
    """Lay out the counts, and their sum in the last row."""
    names = ("work", "kills", "copies", "lost", "differ", "stale locks", "half files", "failed", "minutes")
    rows: list[tuple[float, ...]] = [
        (c.kills, c.copies, len(c.lost), len(c.differ), len(c.stale), len(c.half), len(c.failed), round(c.seconds / 60, 1))
        for c in counts
    ]  # fmt: skip
    rows.append(tuple(round(sum(column), 1) for column in zip(*rows, strict=True)))
    lines = [names, *((name, *row) for name, row in zip([*(c.name for c in counts), "all"], rows, strict=True))]
    return "\n".join(f"{line[0]:10}" + "".join(f"{cell!s:>13}" for cell in line[1:]) for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Soak from the command line; return 1 if anything was lost."""
    parser = argparse.ArgumentParser("python -m tests.soak", description="Kill the book's work and count what is lost.")
    parser.add_argument("--kills", type=int, default=100, help="of all works together (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=[*WORKS], help="only these")
    parser.add_argument(
        "--folder", type=Path, help="where a folder for the copies is made (default: that of temporary files)"
    )
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=given.folder)).resolve()
    shares = [given.kills // len(given.works) + (i < given.kills % len(given.works)) for i in range(len(given.works))]
    print(f"{given.kills} kills, seed {given.seed}, in {folder}", flush=True)
    counts = [soak(WORKS[name], share, given.seed, folder) for name, share in zip(given.works, shares, strict=True)]
    print(f"\n{table(counts)}")
    if faults := [f"{count.name}: {fault}" for count in counts for fault in count.faults]:
        print("\n".join(["", *faults, f"The copies are in {folder}."]))
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
