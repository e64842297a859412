"""From finished stages to the tidy table of a page.

On a machine without the book's packages: python -m lib.analysis.measure training_regularization additional_regularization
mnist-lenet paper [--seeds 0 1] [--algorithms NAME ...] [--device cuda] [--store FOLDER] [--commit]. With --commit the table
is also written beside the page, to be committed.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from lib.analysis.files import REPOSITORY
from lib.analysis.pages import Page, find_page, is_current
from lib.analysis.schema import QUANTITIES, Provenance, tidy
from lib.analysis.tables import Table, read, write
from lib.errors import InputError, unknown
from lib.stages import NUMERICS_VERSION, Chain, Entry, Execution, Results, Stage, Store, recipe_hash, run
from lib.training import Replicate


def rows(results: Results, benchmark: str, scale: str) -> list[dict]:
    """Return a row for each replicate, level and subset of a finished chain.

    Preparations have no level and no row, unless a replicate diverged there: then that is its level 0.
    """
    stages = results.chain.stages
    return [
        {
            "benchmark": benchmark,
            "scale": scale,
            "algorithm": results.chain.algorithm,
            "noise_percent": replicate.noise_percent,
            "seed": replicate.seed,
            "level": stage.level or 0,
            "weights_remaining_percent": _sized(stage, entry, entries).record["weights_remaining_percent"],
            "epochs_trained": epochs,
            "diverged": entry.record["diverged"],
            "stage_key": entry.key,
            **metrics,
        }
        for replicate, entries in zip(results.replicates, results.entries, strict=True)
        for stage, epochs, entry in zip(stages, _epochs_trained(stages), entries, strict=False)
        if stage.level is not None or entry.record["diverged"]
        for metrics in entry.record["metrics"]
    ]


def _sized(stage: Stage, entry: Entry, entries: Sequence[Entry]) -> Entry:
    """Return the stage whose size a row states: of a network that trains on chosen examples, the one that chose them; of
    one whose masks were lifted, the sparse network that it goes on from."""
    if stage.examples:
        return entries[stage.examples.judge]
    return entries[entries.index(entry) - 1] if stage.lift_masks else entry


def _epochs_trained(stages: Sequence[Stage]) -> list[int]:
    """Return how long each stage's network has trained, with the networks that its masks come from."""
    trained = [0]
    for stage in stages:
        inherits = stage.start != "fresh" or not stage.lift_masks
        trained.append((trained[-1] if inherits else 0) + stage.to_epoch - stage.from_epoch)
    return trained[1:]


def tabulate(
    all_results: Sequence[Results],
    page: str,
    benchmark: str,
    scale: str,
    quantities: Iterable[dict] = (),
) -> Table:
    """Return the tidy table of some finished chains and what was measured besides, with its provenance."""
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
    frame = tidy(itertools.chain(*(rows(r, benchmark, scale) for r in all_results)))
    return Table(frame, provenance, "this machine", tidy(quantities, QUANTITIES))


def measure(
    page: Page,
    benchmark: str,
    scale: str,
    store: str = "",
    device: str = "auto",
    seeds: Sequence[int] | None = None,
    repository_root: Path = REPOSITORY,
    deterministic: bool = False,
    algorithms: Sequence[str] | None = None,
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
        algorithms: only these; None for all of the page. What the page measures besides error and loss may need all
            of them, and all seeds, and is then left out (`Page.separable`).

    Raises:
        InputError: for an unknown benchmark, scale, seed or algorithm, a device that is not there, a store that
            cannot be written.
    """
    plan = page.plans(benchmark, scale)
    for seed in seeds or ():
        if seed not in plan.seeds:
            raise unknown("seed", seed, map(str, plan.seeds))
    chains = page.chains(plan)
    for name in algorithms or ():
        if name not in {chain.algorithm for chain in chains}:
            raise unknown("algorithm of this page", name, dict.fromkeys(c.algorithm for c in chains))
    replicates = [r for r in plan.replicates() if seeds is None or r.seed in seeds]
    kept = Store(store or None)

    def finish(chain: Chain, some: Sequence[Replicate]) -> Results:
        execution = Execution(device, plan.precision, plan.largest_stack, deterministic)
        return run(chain, some, kept, execution)

    results = [finish(c, replicates) for c in chains if algorithms is None or c.algorithm in algorithms]
    enough = page.separable or (algorithms is None and seeds is None)
    quantities = page.quantities(plan, results, finish) if enough else ()
    table = tabulate(results, page.name, benchmark, scale, quantities)
    write(table, repository_root / "runs" / "tables" / page.paper / page.name, f"{benchmark}_{scale}")
    return table


def commit(page: Page, table: Table, repository_root: Path = REPOSITORY) -> Path:
    """Write a table beside its page, to be committed with it.

    Raises:
        InputError: if a current table with other or more seeds or algorithms is there: it is not replaced by a part.
    """
    place = repository_root / "papers" / page.paper / "results" / page.name
    name = f"{table.provenance.benchmark}_{table.provenance.scale}"
    if (place / f"{name}.json").exists():
        there = read(place / f"{name}.csv")
        pairs = (
            ("seeds", there.provenance.seeds, table.provenance.seeds),
            ("algorithms", *(tuple(t.frame["algorithm"].unique()) for t in (there, table))),
        )
        for what, old, new in pairs:
            if is_current(page, there) and not set(old) <= set(new):
                raise InputError(
                    f"{name}.csv has the {what} {old}, this measurement only {new}; measure all of them, or remove "
                    "the file first"
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
    parser.add_argument("--algorithms", nargs="+", help="only these of the page")
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
            algorithms=given.algorithms,
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
