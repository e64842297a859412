"""What a batch would take, said before anything starts: stages that are missing, time and disk, page by page and in all.

A stage that several pages train counts in the first of them. Rates are those of `lib.analysis.cost`: of stages that this
machine has trained, else of the table of the benchmark that was measured on the machine named. Pages that run at once on
several cores or devices share the time; starting them and drawing their figures comes on top.
"""

from collections.abc import Sequence
from pathlib import Path

from lib.analysis.cost import Cost, cost_of, lasting
from lib.analysis.experiments import changed, pages_of
from lib.analysis.files import REPOSITORY
from lib.batch import parameters
from lib.batch.plan import Run


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
        if page is None or run.drawn or not run.every.get("recompute"):
            continue
        benchmark = run.parameters.get("benchmark") or parameters.read(run.source)["benchmark"].default
        scale = str(run.parameters["scale"])
        cost = cost_of(changed(page, run.changes), str(benchmark), scale, store, device, root, counted=counted)
        counted |= cost.keys
        found.append((run, cost))
    return found


def outlook(found: Sequence[tuple[Run, Cost]]) -> str:
    """Say it in words: a line for each run, and one for all."""
    lines = []
    for run, cost in found:
        name = f"{run.paper}/{run.page}, {run.parameters.get('benchmark', '')}".rstrip(", ")
        lines.append(f"{name}: {cost.sentence if cost.missing else 'adds nothing to train.'}")
    missing = sum(cost.missing for _, cost in found)
    known = [cost.seconds for _, cost in found if cost.seconds is not None]
    seconds, size = sum(known), sum(cost.megabytes for _, cost in found)
    disk = f"{size:.2g} MB" if size < 100 else f"{size / 1000:,.0f} GB" if size >= 10_000 else f"{size / 1000:.1f} GB"
    total = f"In all, {len(found)} runs miss {missing:,} stages: about {lasting(seconds)} and {disk} on disk"
    if unknown := len(found) - len(known):
        total += f", without the time of {unknown} runs of which nothing like it was measured"
    return "\n".join([*lines, f"{total}." if missing else f"In all, {len(found)} runs: nothing is left to train."])
