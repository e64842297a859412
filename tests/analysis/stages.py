"""Finished chains made by hand, of networks that were never trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.analysis.experiments import Context, Measurement
from lib.analysis.table import Table
from lib.stages import Chain, Entry, Results, Store
from lib.stages.experiment_plan import Plan
from lib.training import Replicate
from tests.analysis.made import table_of


def finished(
    chain: Chain,
    seeds: Sequence[int] = (0,),
    noise_percent: float = 20.0,
    test: float = 5.0,
    epoch_errors: Mapping[str, Sequence[float]] | None = None,
) -> Results:
    """Return a finished chain whose networks all have the same errors.

    Args:
        chain: whose stages.
        seeds, noise_percent: of the replicates.
        test: error in percent.
        epoch_errors: by set of images, in percent.
    """

    def entry(key: str) -> Entry:
        metric = {"subset": "test", "examples": 10, "error_percent": test, "cross_entropy_nats": 1.0}
        record: dict[str, Any] = {"metrics": [metric], "weights_remaining_percent": 50.0, "diverged": False}
        if epoch_errors:
            record["epoch_errors"] = {name: list(errors) for name, errors in epoch_errors.items()}
        return Entry(key, Path(), record)

    replicates = tuple(Replicate(seed=seed, noise_percent=noise_percent) for seed in seeds)
    entries = tuple(tuple(entry(f"{seed}a{i}") for i in range(len(chain.stages))) for seed in seeds)
    return Results(chain, replicates, entries)


def measured(measurement: Measurement, store: Store, *results: Results, table: Table | None = None) -> list[Mapping]:
    """Return what a measurement finds in some finished chains; levels are those of the table."""
    chain, replicates = results[0].chain, results[0].replicates
    seeds = tuple(dict.fromkeys(one.seed for one in replicates))
    noises = tuple(dict.fromkeys(one.noise_percent for one in replicates))
    plan = Plan(recipe=chain.recipe, levels=2, seeds=seeds, noise_percents=noises)

    def refuse(chain: Chain, some: Sequence[Replicate]) -> Results:
        raise AssertionError("nothing else is trained")

    context = Context(plan, results, refuse, table or table_of({}), store, "cpu", measurement)
    return list(measurement.rows(context))
