"""The errors of every epoch at the telling levels, small enough to be committed (LN Figs 2 to 4 and 9 to 13).

    E_S(e) = share of the examples S that are answered wrongly, in percent, in epoch e = 1, …, T of a network's last training

Test images are scored after the epoch, training examples by the step that trains on them (`lib.training.epoch_errors`). A
stage that lifts the masks goes on counting: its epochs are T + 1, …, 2T. Only the telling levels
(`lib.analysis.telling_levels`) are kept, of each at most `MOST_EPOCHS` evenly spaced epochs with the first and the last
among them.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas

from lib.analysis.chosen_levels import results_frame
from lib.analysis.epoch_errors import BEST, by_seed_and_level, epoch_error_rows, reported
from lib.analysis.levels import evenly_spaced
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.statistics import select
from lib.analysis.telling_levels import telling_levels
from lib.stages import Entry, Results

SUBSETS = ("test", "train", "train_noisy", "train_original", "train_restored")

MOST_EPOCHS = 30
"""Epochs kept of a curve: more points than that stand closer than a chart on a phone can show."""

MOST_ROWS = 8_000
"""Rows kept of all curves of a table; a row takes some 110 bytes, so a committed table stays below a megabyte."""


def epoch_error(subset: str) -> str:
    """Name the quantity that holds the errors of every epoch on a subset; its position is the epoch."""
    return f"epoch_error_percent_{subset}"


def levels_at(
    frame: pandas.DataFrame, quantities: pandas.DataFrame, algorithm: str, noise_percent: float
) -> Mapping[str, int]:
    """Find the telling levels of a table again, from its last and its best test errors.

    Args:
        frame, quantities: of a table.
        algorithm, noise_percent: whose.

    Returns:
        Level by name as in `telling_levels`; empty where the table has no best test errors.
    """
    best = by_seed_and_level(quantities, BEST, algorithm, noise_percent)
    last = select(frame, algorithm, noise_percent, "test")
    return telling_levels(last, best) if len(best) else {}


def levels_of_results(results: Sequence[Results], algorithm: str) -> dict[float, Mapping[str, int]]:
    """Choose the telling levels of finished chains, before there is a table: by noise level in percent, level by name."""
    own = [one for one in results if one.chain.algorithm == algorithm]
    if not own:
        return {}
    frame, quantities = results_frame(own), tidy(epoch_error_rows(own), QUANTITIES)
    noises = sorted({replicate.noise_percent for one in own for replicate in one.replicates})
    return {noise: levels_at(frame, quantities, algorithm, noise) for noise in noises}


def epoch_curve_rows(
    results: Sequence[Results],
    levels: Mapping[float, Collection[int]],
    subsets: Sequence[str] = SUBSETS,
    most_rows: int = MOST_ROWS,
) -> Iterator[dict]:
    """Yield the errors of the kept epochs as rows of quantities: `epoch_error(subset)` in percent, position the epoch.

    Args:
        results: finished chains whose recipes record epochs.
        levels: which to keep, by noise level in percent.
        subsets: which to keep; those that a network has no examples of are skipped.
        most_rows: in all. Where the curves would have more, fewer epochs of each are kept, but at least two.
    """
    curves = [
        (names, subset, entry, stage_end)
        for one in results
        for (names, entry), stage_end in zip(reported(one), _ends(one), strict=True)
        if names["level"] in levels.get(names["noise_percent"], ())
        and "epoch_errors" in entry.record
        and not entry.record["diverged"]
        for subset in subsets
        if subset in entry.record["epoch_errors"]
    ]
    count = max(2, min(MOST_EPOCHS, most_rows // max(1, len(curves))))
    for names, subset, entry, end in curves:
        for epoch, error in _kept(entry, subset, end, count):
            yield {
                **names,
                "quantity": epoch_error(subset),
                "position": float(epoch),
                "value": round(error, 2),
            }


def _ends(one: Results) -> Iterator[int]:
    """Yield the last epoch of the stage of each network that `reported` yields."""
    for entries in one.entries:
        for stage, _ in zip(one.chain.stages, entries, strict=False):
            if stage.level is not None:
                yield stage.to_epoch


def _kept(entry: Entry, subset: str, end: int, count: int) -> Iterator[tuple[int, float]]:
    """Yield evenly spaced epochs and their errors; a network that was rewound to step t has none before the epoch of t."""
    errors = entry.record["epoch_errors"][subset]
    before = end - len(errors)
    for place in evenly_spaced(len(errors), count):
        yield before + place, errors[place - 1]


def epoch_curve(
    quantities: pandas.DataFrame, algorithm: str, noise_percent: float, level: int, subset: str
) -> pandas.DataFrame:
    """Return the kept errors of a network in percent as seeds × epochs, empty where the table has none.

    Args:
        quantities: of a table.
        algorithm, noise_percent, level, subset: which network, on which examples.
    """
    chosen = quantities[
        (quantities["quantity"] == epoch_error(subset))
        & (quantities["algorithm"] == algorithm)
        & (quantities["noise_percent"] == noise_percent)
        & (quantities["level"] == level)
    ]
    return chosen.pivot(index="seed", columns="position", values="value")


def merged_names(levels: Mapping[str, int]) -> dict[int, list[str]]:
    """Return the names of each level, in increasing order of level; one level may bear two, as both sweet spots."""
    pairs = sorted(((level, name) for name, level in levels.items()), key=lambda pair: pair[0])
    return {
        level: [name for _, name in same] for level, same in itertools.groupby(pairs, lambda pair: pair[0])
    }
