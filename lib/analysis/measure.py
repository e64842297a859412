"""From finished stages to the tidy table of a page, and the tables that a page may draw.

On a machine without the book's packages: python -m lib.analysis.measure training_regularization additional_regularization
mnist-lenet paper [--seeds 0 1] [--device cuda] [--store FOLDER] [--commit]. With --commit the table is also written beside
the page, to be committed.
"""

import argparse
import importlib
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lib import data
from lib.analysis.files import REPOSITORY
from lib.analysis.schema import Provenance, tidy
from lib.analysis.tables import Table, find, read, write
from lib.errors import InputError, unknown
from lib.stages import NUMERICS_VERSION, Chain, Results, Store, recipe_hash, run, stage_keys
from lib.stages.plan import Plan
from lib.training import prepare

Chains = Callable[[Plan], list[Chain]]


@dataclass(frozen=True)
class Page:
    """Names a page and says which chains it runs for a plan.

    Attributes:
        paper: folder name in `papers/`.
        name: of the page.
        plans: benchmark, scale → plan.
        chains: plan → the chains of the page.
    """

    paper: str
    name: str
    plans: Callable[[str, str], Plan]
    chains: Chains


def rows(results: Results, benchmark: str, scale: str) -> list[dict]:
    """Return a row for each replicate, level and subset of a finished chain.

    Preparations have no level and no row, unless a replicate diverged there: then that is its level 0.
    """
    stages = results.chain.stages
    trained = list(itertools.accumulate(stage.to_epoch - stage.from_epoch for stage in stages))
    return [
        {
            "benchmark": benchmark,
            "scale": scale,
            "algorithm": results.chain.algorithm,
            "noise_percent": replicate.noise_percent,
            "seed": replicate.seed,
            "level": stage.level or 0,
            "weights_remaining_percent": entry.record["weights_remaining_percent"],
            "epochs_trained": epochs,
            "diverged": entry.record["diverged"],
            "stage_key": entry.key,
            **metrics,
        }
        for replicate, entries in zip(results.replicates, results.entries, strict=True)
        for stage, epochs, entry in zip(stages, trained, entries, strict=False)
        if stage.level is not None or entry.record["diverged"]
        for metrics in entry.record["metrics"]
    ]


def tabulate(all_results: Sequence[Results], page: str, benchmark: str, scale: str) -> Table:
    """Return the tidy table of some finished chains, with its provenance."""
    entries = {e.key: e for results in all_results for row in results.entries for e in row}.values()
    records = [entry.record for entry in entries]
    provenance = Provenance(
        benchmark=benchmark,
        scale=scale,  # pyright: ignore[reportArgumentType]
        page=page,
        seeds=tuple(sorted({r.seed for results in all_results for r in results.replicates})),
        device=" + ".join(sorted({record["device"] for record in records})),
        precision=" + ".join(sorted({record["precision"] for record in records})),
        stacking="stacked" if any(record["stacked"] > 1 for record in records) else "sequential",
        date=max(record["date"] for record in records),
        wall_clock_seconds=round(sum(record["seconds"] for record in records), 1),
        versions={
            name: " + ".join(sorted({record["versions"][name] for record in records}))
            for name in records[0]["versions"]
        },
        numerics_version=NUMERICS_VERSION,
        recipe_hash=recipe_hash([results.chain for results in all_results]),
        store_keys=len(entries),
    )
    return Table(
        tidy(itertools.chain(*(rows(r, benchmark, scale) for r in all_results))), provenance, "this machine"
    )


def measure(
    page: Page,
    benchmark: str,
    scale: str,
    store: str = "",
    device: str = "auto",
    seeds: Sequence[int] | None = None,
    repository_root: Path = REPOSITORY,
) -> Table:
    """Run what the store lacks of a page's chains, and write its table among those of this machine.

    Args:
        page: which page.
        benchmark, scale: which plan of it.
        store: folder of the store; empty for the default one.
        device: see `lib.training.device.find_device`.
        seeds: only these replicates; None for all of the plan.
        repository_root: where `runs/` lies.

    Raises:
        InputError: for an unknown benchmark or scale, a device that is not there, a store that cannot be written.
    """
    plan = page.plans(benchmark, scale)
    for seed in seeds or ():
        if seed not in plan.seeds:
            raise unknown("seed", seed, map(str, plan.seeds))
    replicates = [r for r in plan.replicates() if seeds is None or r.seed in seeds]
    kept = Store(store or None)
    results = [
        run(c, replicates, kept, device, plan.precision, plan.largest_stack) for c in page.chains(plan)
    ]
    table = tabulate(results, page.name, benchmark, scale)
    write(table, repository_root / "runs" / "tables" / page.paper / page.name, f"{benchmark}_{scale}")
    return table


def is_current(page: Page, table: Table) -> bool:
    """Tell whether a table holds what the page would measure today, as far as it goes.

    Every stage that it names is one of today's plan, and it has today's algorithms and noise levels. It may have fewer
    seeds or end at an earlier level; then charts and verdicts say so.
    """
    made, frame = table.provenance, table.frame
    try:
        plan = page.plans(made.benchmark, made.scale)
    except InputError:  # a benchmark that the page no longer has
        return False
    chains = page.chains(plan)
    keys = {k for c in chains for r in plan.replicates() for k in stage_keys(c, r, plan.precision)}
    return (
        set(frame["stage_key"]) <= keys
        and set(frame["algorithm"]) == {chain.algorithm for chain in chains}
        and set(frame["noise_percent"]) == set(plan.noise_percents)
    )


def find_page(paper: str, name: str) -> Page:
    """Return the page that `papers/<paper>/<name>.py` describes in `PAGE`.

    Raises:
        InputError: if there is no such page.
    """
    known = [file.stem for file in (REPOSITORY / "papers" / paper / "pages").glob("*.py")]
    if name not in known:
        raise unknown(f"page of paper {paper}", name, known)
    return importlib.import_module(f"papers.{paper}.{name}").PAGE


@dataclass(frozen=True)
class Tables:
    """What a page draws.

    Attributes:
        current: tables whose recipe is the page's recipe of today; the asked-for scale first.
        stale: those that were measured with an earlier recipe; they are named, not drawn.
    """

    current: list[Table]
    stale: list[Table]

    @property
    def one_per_scale(self) -> list[Table]:
        """The first current table of each scale."""
        return list({table.provenance.scale: table for table in reversed(self.current)}.values())[::-1]

    @property
    def note(self) -> str:
        """Say in a sentence what is drawn and what is not."""
        drawn = "; ".join(
            f"{table.label}, {table.provenance.precision}, seeds {', '.join(map(str, table.provenance.seeds))}"
            for table in self.current
        )
        old = "; ".join(table.label for table in self.stale)
        return f"Tables drawn: {drawn}." + (
            f" Not drawn, since the recipe has changed since: {old}." if old else ""
        )


def tables(
    page: Page,
    benchmark: str,
    scale: str,
    recompute: bool = False,
    store: str = "",
    device: str = "auto",
    repository_root: Path = REPOSITORY,
) -> Tables:
    """Return the tables that a page draws; train only when asked to, or when none of that scale is there.

    Args:
        page, benchmark, scale, store, device: see `measure`.
        recompute: measure on this machine even though a table exists. What the store holds is not trained again.
        repository_root: where `papers/` and `runs/` lie.
    """
    page.plans(benchmark, scale)  # refuses unknown names before anything else

    def look() -> Tables:
        found = [
            t
            for t in find(page.paper, page.name, benchmark, repository_root)
            if t.provenance.scale in (scale, "laptop", "paper")
        ]
        found.sort(key=lambda t: (t.provenance.scale != scale, t.origin != "this machine"))
        current = [is_current(page, table) for table in found]
        return Tables(
            *([t for t, now in zip(found, current, strict=True) if now is wanted] for wanted in (True, False))
        )

    if recompute or not any(t.provenance.scale == scale for t in look().current):
        measure(page, benchmark, scale, store, device, repository_root=repository_root)
    return look()


def class_names(plan: Plan) -> list[str] | None:
    """Return the names of a plan's classes, or None where they are just the digits."""
    names = list(data.load(plan.recipe.data.image_set).class_names)
    return None if names == [str(digit) for digit in range(10)] else names


def training_examples(
    page: Page, benchmark: str, scale: str, noise_percent: float, level: int, store: str = "", count: int = 18
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the training examples that the first replicate fits worst, from what the store holds.

    Args:
        page, benchmark, scale, store: see `measure`; nothing is trained.
        noise_percent, level: which network.
        count: how many examples.

    Returns:
        Images uint8 [count, height, width, channels], labels trained on, original labels, losses in nats; the worst first.

    Raises:
        InputError: if the store does not hold that network.
    """
    plan = page.plans(benchmark, scale)
    replicate = next(r for r in plan.replicates() if r.noise_percent == noise_percent)
    (chain, *_) = page.chains(plan)
    position = next(i for i, stage in enumerate(chain.stages) if stage.level == level)
    entry = Store(store or None).find(stage_keys(chain, replicate, plan.precision)[position])
    if entry is None:
        raise InputError(
            f"the store does not hold {benchmark} at {scale} scale, noise {noise_percent:g} %, level {level}; "
            "run the page with recompute=True to train it"
        )
    cpu = torch.device("cpu")
    examples = prepare(plan.recipe.data, [replicate], cpu)
    clean = prepare(plan.recipe.data, [replicate.model_copy(update={"noise_percent": 0.0})], cpu)
    losses = entry.tensors("examples")["train_losses"].float()
    worst = losses.argsort(descending=True, stable=True)[:count]
    return (
        examples.train_images[worst],
        examples.train_labels[0][worst],
        clean.train_labels[0][worst],
        losses[worst],
    )


def commit(page: Page, table: Table, repository_root: Path = REPOSITORY) -> Path:
    """Write a table beside its page, to be committed with it.

    Raises:
        InputError: if a current table with other or more seeds is there: it is not replaced by a part.
    """
    place = repository_root / "papers" / page.paper / "results" / page.name
    name = f"{table.provenance.benchmark}_{table.provenance.scale}"
    if (place / f"{name}.json").exists():
        there = read(place / f"{name}.csv")
        if is_current(page, there) and not set(there.provenance.seeds) <= set(table.provenance.seeds):
            raise InputError(
                f"{name}.csv has the seeds {there.provenance.seeds}, this measurement only {table.provenance.seeds}; "
                "measure all of them, or remove the file first"
            )
    return write(table, place, name)


def main(arguments: list[str] | None = None) -> int:
    """Measure one table from the command line; return 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.analysis.measure", description="Measure one page's table."
    )
    for name in ("paper", "page", "benchmark", "scale"):
        parser.add_argument(name)
    parser.add_argument("--seeds", type=int, nargs="+", help="only these replicates")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--store", default="")
    parser.add_argument("--commit", action="store_true", help="also write the table beside the page")
    given = parser.parse_args(arguments)
    try:
        page = find_page(given.paper, given.page)
        table = measure(page, given.benchmark, given.scale, given.store, given.device, given.seeds)
        if given.commit:
            print(f"written to {commit(page, table).relative_to(REPOSITORY)}")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table.label}: {len(table.frame)} rows, {table.provenance.wall_clock_seconds:.0f} s of training")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
