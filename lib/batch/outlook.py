"""What a batch would take, said before anything starts: stages that are missing, time, memory and disk, by page and in all.

A stage that several pages train counts in the first of them. Hours on this machine are those of `lib.analysis.cost`: by the
rate of stages that it has trained, else of the benchmark's table. Hours on the devices of `book/costs/pages_*.csv` are by a
few steps of the same plan that were timed there. Pages that run at once on several cores or devices share the time and add
up their memory (`lib.analysis.memory`); starting them and drawing their figures comes on top.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from lib.analysis.cost import Cost, as_size, cost_of, lasting
from lib.analysis.experiments import changed, pages_of
from lib.analysis.files import REPOSITORY
from lib.analysis.memory import most_memory, stack_of
from lib.batch import parameters
from lib.batch.plan import Run
from lib.training.device import describe_device, find_device

UNKNOWN = "?"


@dataclass(frozen=True)
class Device:
    """A device on which steps were timed.

    Attributes:
        name, kind: of the device and of its type.
        rates: seconds of an epoch of one replicate, by paper, benchmark, scale and page, and by the first three.
    """

    name: str
    kind: str
    rates: Mapping[tuple[str, ...], float]

    def seconds(self, run: Run, cost: Cost) -> float | None:
        """Return how long the missing stages of a run take there; None where its plan was not timed."""
        plan = run.paper, benchmark_of(run), str(run.parameters["scale"])
        rate = self.rates.get((*plan, run.page), self.rates.get(plan))
        return None if rate is None else rate * cost.epochs


def benchmark_of(run: Run) -> str:
    """Return the benchmark of a run, the page's own where the plan names none."""
    return str(run.parameters.get("benchmark") or parameters.read(run.source)["benchmark"].default)


def costs(
    wanted: Sequence[Run], store: str = "", device: str = "auto", root: Path = REPOSITORY
) -> list[tuple[Run, Cost]]:
    """Return what each run adds to those before it; a run that only draws what is committed adds nothing and is left out.

    Args:
        wanted: runs, in their order.
        store: its folder; empty for the default one.
        device: see `lib.training.device.find_device`.
        root: where tables lie.
    """
    counted, found = set[str](), []
    for run in wanted:
        page = pages_of(run.paper).get(run.page)
        if page is None or not run.trains:
            continue
        scale = str(run.parameters["scale"])
        cost = cost_of(changed(page, run.changes), benchmark_of(run), scale, store, device, root, counted=counted)
        counted |= cost.keys
        found.append((run, cost))
    return found


def devices(root: Path = REPOSITORY) -> list[Device]:
    """Return the devices on which steps of the plans were timed (`python -m book.costs pages --write`)."""
    found = []
    for path in sorted(root.glob("book/costs/pages_*.csv")):
        rates: dict[tuple[str, ...], list[float]] = {}
        for row in pandas.read_csv(path).to_dict("records"):
            rate, plan = row["seconds"] / row["replicate_epochs"], (row["paper"], row["benchmark"], row["scale"])
            for key in ((*plan, row["page"]), plan):  # most pages of a paper share their plan
                rates.setdefault(key, []).append(rate)
        name = str(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["device"])
        medians = {key: statistics.median(those) for key, those in rates.items()}
        found.append(Device(name, path.stem.rpartition("_")[2], medians))
    return found


def memory(cost: Cost, kind: str) -> float | None:
    """Return the most bytes that training the missing stages takes on a type of device; None for a network that does not
    say: one of the reader's own that needs values."""
    try:
        return max(
            most_memory(recipe, stack_of(recipe, replicates, kind), precision, kind)
            for recipe, replicates, precision in cost.stacks
        )
    except Exception:  # whatever such a network raises
        return None


def outlook(found: Sequence[tuple[Run, Cost]], device: str = "auto", root: Path = REPOSITORY) -> str:
    """Say it in words: a line for each run that trains something, and one for all."""
    left = [(run, cost) for run, cost in found if cost.missing]
    if not left:
        return f"In all, {len(found)} runs: nothing is left to train."
    here, others = find_device(device), devices(root)
    kinds = list(dict.fromkeys([here.type, *(one.kind for one in others)]))
    times = [[cost.seconds for _, cost in left]]
    times += [[one.seconds(*each) for each in left] for one in others]
    takes = [[memory(cost, kind) for _, cost in left] for kind in kinds]
    letters = [chr(ord("A") + i) for i in range(len(others))]
    header = ["missing", "here", *letters, *(f"memory ({kind})" for kind in kinds), "disk", "run"]
    rows = [header]
    for i, (run, cost) in enumerate(left):
        name = f"{run.paper}/{run.page}, {run.parameters.get('benchmark', '')}".rstrip(", ")
        rows.append([
            f"{cost.missing:,} of {cost.stages:,}",
            *(UNKNOWN if (time := those[i]) is None else lasting(time) for those in times),
            *(_size(those[i]) for those in takes),
            _size(1e6 * cost.megabytes),
            name,
        ])  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = 0
    lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    sources = list(dict.fromkeys(cost.source for _, cost in left if cost.seconds is not None))
    lines += ["", f"here: {describe_device(here)}, {'; '.join(sources) or 'of which nothing like it was measured'}."]
    lines += [f"{letter}: {one.name}, by steps timed there." for letter, one in zip(letters, others, strict=True)]
    if len(left) < len(found):
        lines.append(f"{len(found) - len(left)} further runs add nothing to train.")
    missing, size = sum(cost.missing for _, cost in left), sum(cost.megabytes for _, cost in left)
    said = [f"about {_sum(times[0])} here", *(f"{_sum(t)} on {x}" for x, t in zip(letters, times[1:], strict=True))]
    most = [max((one for one in those if one is not None), default=None) for those in takes]
    said += [f"at most {_size(one)} of memory ({kind}) for a page" for one, kind in zip(most, kinds, strict=True)]
    lines.append(
        f"In all, {len(found)} runs miss {missing:,} stages: {', '.join(said)}, and {_size(1e6 * size)} on disk."
    )
    return "\n".join(lines)


def _sum(seconds: Sequence[float | None]) -> str:
    """Say a time, and of how many runs it is not known."""
    known = [one for one in seconds if one is not None]
    rest = f" (not known for {len(seconds) - len(known)} runs)" if len(known) < len(seconds) else ""
    return f"{lasting(sum(known))}{rest}" if known else "a time that is not known"


def _size(size: float | None) -> str:
    return UNKNOWN if size is None else as_size(size)
