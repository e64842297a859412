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
from lib.analysis.tables import Table, find, is_stale, write
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
    """Return a row for each replicate, level and subset of a finished chain; preparations have no level and no row."""
    stages = results.chain.stages
    trained = list(itertools.accumulate(stage.to_epoch - stage.from_epoch for stage in stages))
    return [
        {
            "benchmark": benchmark,
            "scale": scale,
            "algorithm": results.chain.algorithm,
            "noise_percent": replicate.noise_percent,
            "seed": replicate.seed,
            "level": stage.level,
            "weights_remaining_percent": entry.record["weights_remaining_percent"],
            "epochs_trained": epochs,
            "diverged": entry.record["diverged"],
            "stage_key": entry.key,
            **metrics,
        }
        for replicate, entries in zip(results.replicates, results.entries, strict=True)
        for stage, epochs, entry in zip(stages, trained, entries, strict=False)
        if stage.level is not None
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
    replicates = [r for r in plan.replicates() if seeds is None or r.seed in seeds]
    kept = Store(store or None)
    results = [
        run(c, replicates, kept, device, plan.precision, plan.largest_stack) for c in page.chains(plan)
    ]
    table = tabulate(results, page.name, benchmark, scale)
    write(table, repository_root / "runs" / "tables" / page.paper / page.name, f"{benchmark}_{scale}")
    return table


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
        drawn = "; ".join(f"{table.label}, precision {table.provenance.precision}" for table in self.current)
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
        old = {
            id(t)
            for t in found
            if is_stale(t, recipe_hash(page.chains(page.plans(benchmark, t.provenance.scale))))
        }
        return Tables([t for t in found if id(t) not in old], [t for t in found if id(t) in old])

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
        known = [f.stem for f in (REPOSITORY / "papers" / given.paper / "pages").glob("*.py")]
        if given.page not in known:
            raise unknown(f"page of paper {given.paper}", given.page, known)
        page: Page = importlib.import_module(f"papers.{given.paper}.{given.page}").PAGE
        table = measure(page, given.benchmark, given.scale, given.store, given.device, given.seeds)
        if given.commit:
            place = REPOSITORY / "papers" / page.paper / "results" / page.name
            print(
                f"written to {write(table, place, f'{given.benchmark}_{given.scale}').relative_to(REPOSITORY)}"
            )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table.label}: {len(table.frame)} rows, {table.provenance.wall_clock_seconds:.0f} s of training")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
