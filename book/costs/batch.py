"""What a batch and its store cost besides training: empty pages, and look-ups in stores of growing size.

An empty page computes nothing, so its run is a kernel's start and end and what the batch adds to them. Both are timed in
turns, by the clock and by what processors spend, which other work on the machine changes less.
Stores of made entries have the files of real ones, of a few bytes.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas
import torch

from book.costs.tables import COLUMNS
from lib.analysis.cost import cost_of
from lib.analysis.experiments import find_page
from lib.analysis.files import REPOSITORY
from lib.stages import Store, housekeeping

PAGE = '# %% tags=["parameters"]\nnumber: int = 0\nscale: str = "laptop"\n\n# %%\nassert number >= 0\n'
FILES = ("examples", "masks", "weights")
RUNS, ROUNDS = 500, 2
SIZES = (1_000, 10_000, 100_000)
ASKED = ("label_noise", "redense_training"), ("mnist-lenet", "laptop")


Times = tuple[float, float]
"""Seconds by the clock and of processors."""


def _spent() -> float:
    """Return the seconds of processors of all processes that this one has started and that have ended."""
    with contextlib.suppress(
        ChildProcessError
    ):  # the batch leaves the process that forked its pages, which ends by itself
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt() -> None:
    """Become the parent of what started processes leave behind, so that it counts; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


async def _start_kernel() -> float:
    """Return the seconds from starting a kernel to its first answer; end it."""
    from lib.batch.page import private_kernel  # needs papermill, which machines that only train may lack

    with private_kernel() as manager:
        kernel = manager(kernel_name="python3")
        started = time.perf_counter()
        await kernel.start_kernel()
        client = kernel.client()
        client.start_channels()
        await client.wait_for_ready()
        seconds = time.perf_counter() - started
        client.stop_channels()
        await kernel.shutdown_kernel()
    return seconds


def _kernel() -> Times:
    """Return the seconds of a kernel's start by the clock, and of processors until its end."""
    before = _spent()
    return asyncio.run(_start_kernel()), _spent() - before


def empty_runs(count: int, rounds: int) -> tuple[Times, Times]:
    """Run empty pages one after the other in batches, and start kernels alone before and after each batch.

    Args:
        count: runs of all batches.
        rounds: batches.

    Returns:
        Of a run, the start of its batch counted in, and of a kernel alone, the median.
    """
    _adopt()
    kernels, seconds, spent = list[Times](), 0.0, 0.0
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for _ in range(rounds):
        kernels += [_kernel() for _ in range(5)]
        with tempfile.TemporaryDirectory() as folder:
            pages = Path(folder, "papers", "none", "pages")
            pages.mkdir(parents=True)
            (pages / "empty.py").write_text(PAGE)
            numbers = list(range(count // rounds))
            (pages.parent / "plan.yml").write_text(f"empty: {{grid: {{laptop: {{number: {numbers}}}}}}}\n")
            command = [sys.executable, "-m", "lib.batch", "--no-book", "--at-once", "1"]
            before, started = _spent(), time.perf_counter()
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
            seconds += time.perf_counter() - started
            spent += _spent() - before
        kernels += [_kernel() for _ in range(5)]
    clock, processors = (statistics.median(column) for column in zip(*kernels, strict=True))
    return (seconds / count, spent / count), (clock, processors)


def grow(store: Store, count: int) -> None:
    """Make entries up to a number of them, each with the files of a real one; their keys are hashes of numbers."""
    for number in range(len(store.keys()), count):
        folder = store.entries / key_of(number)
        folder.mkdir()
        files = {f"{name}.safetensors": f"{number} {name}" for name in FILES}
        for name, content in files.items():
            (folder / name).write_text(content)
        sums = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
        record = {"diverged": False, "seconds": 1.0, "device": "made"}
        (folder / "manifest.json").write_text(json.dumps({"key": key_of(number), "files": sums, "record": record}))


def key_of(number: int) -> str:
    """Return the key of a made entry."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def _seconds(work: Callable[[], object], repeats: int = 15) -> float:
    """Return the median time of a piece of work; the first is left out."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def stores(sizes: tuple[int, ...]) -> list[tuple[str, float, str, str]]:
    """Return rows on a store that grows: opening it, looking a stage up, starting a page, moving a part of it."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"))
        for size in sizes:
            grow(store, size)
            times = _times(store, size, Store(Path(folder, f"other-{size}")), Path(folder, "part.tar"))
            rows += [(work, 1000 * seconds, "ms", f"{size:,} stages") for work, seconds in times.items()]
    return rows


def _times(store: Store, size: int, other: Store, file: Path) -> dict[str, float]:
    """Time what is done with a store of some size, in seconds; a part of it goes to another one through a file."""
    page, looked_up = find_page(*ASKED[0]), 200
    there, absent = (
        [key_of(size * i // looked_up) for i in range(looked_up)],
        [key_of(-1 - i) for i in range(looked_up)],
    )
    times = {
        "opening the store": _seconds(lambda: Store(store.folder)),
        "looking a stage up": _seconds(lambda: [store.find(key) for key in there]) / looked_up,
        "looking up a stage that is not there": _seconds(lambda: [store.find(key) for key in absent]) / looked_up,
        "what a page misses": _seconds(lambda: cost_of(page, *ASKED[1], str(store.folder))),
        "listing all stages": _seconds(store.keys, 5),
        "exporting 100 of them": _seconds(lambda: housekeeping.export(store, file, there[:100]), 3),
    }
    started = time.perf_counter()
    housekeeping.import_(other, file)
    return times | {"importing 100": time.perf_counter() - started}


def batch(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure both, and say how."""
    count, rounds = (6, 2) if quick else (RUNS, ROUNDS)
    run, kernel = empty_runs(count, rounds)
    of_runs, of_kernels = f"{count} empty pages one after the other", f"median of {10 * rounds}, in turns with the runs"
    rows = [
        ("a run of a page that computes nothing", run[0], "s", of_runs),
        ("the start of its kernel", kernel[0], "s", of_kernels),
        ("what the batch adds to it", run[0] - kernel[0], "s", "the difference, the end of the kernel in it"),
        ("a run of a page that computes nothing", run[1], "s of processors", of_runs),
        ("the start and end of its kernel", kernel[1], "s of processors", of_kernels),
        ("what the batch adds to it", run[1] - kernel[1], "s of processors", "the difference"),
        *stores(SIZES[:1] if quick else SIZES),
    ]
    notes = [
        "A run is the time of its batch by the number of runs: reading plans, the start and end of kernels, and writing "
        "notebooks are in it.",
        f"Stores hold made entries of a few bytes. What a page misses was asked for {ASKED[0][1]} of {ASKED[0][0]} at "
        f"{ASKED[1][1]} scale.",
    ]
    return pandas.DataFrame(rows, columns=list(COLUMNS["batch"])).round({"value": 3}), notes
