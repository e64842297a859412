"""What the epochs of a stage show besides its last one (LN sections 3.2 and 4; facts B.1, N11).

    best test error    min over epochs e of E(e)            the paper's early stopping, read on the test set, as it does
    unsteadiness       |E(T) − mean of E(T − 9), …, E(T)|   small where training has come to rest (LN-C05)

E is the test error in percent, recorded after every epoch (`lib.training.epoch_errors`). Nothing is selected by the best
one.
"""

from collections.abc import Iterator, Sequence

import pandas

from lib.stages import Entry, Results

BEST = "best_test_error_percent"
UNSTEADINESS = "test_error_change_over_ten_epochs_percent"
STEADY_EPOCHS = 10


def final_error(entry: Entry, subset: str = "test") -> float | None:
    """Return the error of a finished stage on a subset in percent, None where it has no such examples."""
    return next((m["error_percent"] for m in entry.record["metrics"] if m["subset"] == subset), None)


def best_test_error(entry: Entry) -> float:
    """Return the lowest test error in percent of any epoch of a stage, the last one included as finally measured."""
    return min([*entry.record["epoch_errors"]["test"], final_error(entry) or 0.0])


def unsteadiness(entry: Entry) -> float:
    """Return how far the last recorded test error is from the mean of the last ten, in percentage points."""
    last = entry.record["epoch_errors"]["test"][-STEADY_EPOCHS:]
    return abs(last[-1] - sum(last) / len(last))


def reported(results: Results) -> Iterator[tuple[dict, Entry]]:
    """Yield the columns that name a reported network, as a row of quantities has them, and its stage."""
    for replicate, entries in zip(results.replicates, results.entries, strict=True):
        for stage, entry in zip(results.chain.stages, entries, strict=False):
            if stage.level is not None:
                names = {
                    "algorithm": results.chain.algorithm,
                    "noise_percent": replicate.noise_percent,
                    "seed": replicate.seed,
                    "level": stage.level,
                    "stage_key": entry.key,
                }
                yield names, entry


def epoch_error_rows(results: Sequence[Results]) -> Iterator[dict]:
    """Yield best test error and unsteadiness of every reported network that has not diverged, as rows of quantities."""
    for one in results:
        for names, entry in reported(one):
            if "epoch_errors" in entry.record and not entry.record["diverged"]:
                for quantity, value in ((BEST, best_test_error(entry)), (UNSTEADINESS, unsteadiness(entry))):
                    yield {**names, "quantity": quantity, "position": 0.0, "value": value}


def by_seed_and_level(
    quantities: pandas.DataFrame, quantity: str, algorithm: str, noise_percent: float, position: float = 0.0
) -> pandas.DataFrame:
    """Return one quantity of a table as seeds × levels, empty where it has none.

    Args:
        quantities: of a table, with the columns of `lib.analysis.schema.QUANTITIES`.
        quantity, algorithm, noise_percent, position: which rows.
    """
    chosen = quantities[
        (quantities["quantity"] == quantity)
        & (quantities["algorithm"] == algorithm)
        & (quantities["noise_percent"] == noise_percent)
        & (quantities["position"] == position)
    ]
    return chosen.pivot(index="seed", columns="level", values="value")
