"""From finished stages to the tidy table of a page.

On a machine without the book's packages: python -m lib.analysis.measure training_regularization additional_regularization
mnist-lenet paper [--seeds 0 1] [--device cuda] [--store FOLDER] [--commit]. With --commit the table is also written beside
the page, to be committed.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from lib.analysis.files import REPOSITORY
from lib.analysis.pages import Page, find_page, is_current
from lib.analysis.schema import Provenance, tidy
from lib.analysis.tables import Table, read, write
from lib.errors import InputError, unknown
from lib.stages import NUMERICS_VERSION, Results, Store, recipe_hash, run


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
        deterministic=all(record.get("deterministic", True) for record in records),
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
    deterministic: bool = False,
) -> Table:
    """Run what the store lacks of a page's chains, and write its table among those of this machine.

    Args:
        page: which page.
        benchmark, scale: which plan of it.
        store: folder of the store; empty for the default one.
        device: see `lib.training.device.find_device`.
        seeds: only these replicates; None for all of the plan.
        repository_root: where `runs/` lies.
        deterministic: on CUDA, repeat to the bit, at a price; a CPU always does.

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
        run(c, replicates, kept, device, plan.precision, plan.largest_stack, deterministic=deterministic)
        for c in page.chains(plan)
    ]
    table = tabulate(results, page.name, benchmark, scale)
    write(table, repository_root / "runs" / "tables" / page.paper / page.name, f"{benchmark}_{scale}")
    return table


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
    parser.add_argument("--deterministic", action="store_true", help="on CUDA, repeat to the bit")
    parser.add_argument("--store", default="")
    parser.add_argument("--commit", action="store_true", help="also write the table beside the page")
    given = parser.parse_args(arguments)
    try:
        page = find_page(given.paper, given.page)
        table = measure(
            page,
            given.benchmark,
            given.scale,
            given.store,
            given.device,
            given.seeds,
            deterministic=given.deterministic,
        )
        if given.commit:
            print(f"written to {commit(page, table).relative_to(REPOSITORY)}")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table.label}: {len(table.frame)} rows, {table.provenance.wall_clock_seconds:.0f} s of training")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
