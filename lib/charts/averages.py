"""From a tidy table to the few numbers a chart draws: mean and standard deviation over replicates, at every
level.

A replicate whose training diverged, or whose number is missing or not finite, never enters a mean; `left_out`
says which, and every chart prints it. The optimum is `lib.analysis.statistics.optimal_level`: validation
examples choose it, never the test set.
"""

import numpy as np
import pandas as pd

from lib.analysis.statistics import optimal_level, select
from lib.analysis.tables import Table
from lib.errors import InputError, unknown

LEARNING_RATE_REWINDING = "learning_rate_rewinding"


def averages(
    table: Table, value: str, subset: str = "test", algorithm: str = LEARNING_RATE_REWINDING
) -> pd.DataFrame:
    """Average one number of a table over replicates, per noise level and pruning level.

    Args:
        table: a measured table.
        value: a column of the table, such as "error_percent" or "cross_entropy_nats".
        subset: the examples it was measured on, such as "test" or "train_noisy".
        algorithm: whose rows to take.

    Returns:
        One row per noise_percent and level, in this order: weights_remaining_percent, epochs_trained, mean, std
        (sample standard deviation, NaN for a single replicate) and replicates (how many were averaged, at least 1).

    Raises:
        InputError: the table has no such algorithm, subset or column, or no finite value there.
    """
    rows = _rows(table, value, subset, algorithm)
    pieces = []
    for noise in _noises(rows):
        values = _finite(rows, algorithm, noise, subset, value)
        weights, epochs = (
            select(rows, algorithm, noise, subset, column).mean()
            for column in ("weights_remaining_percent", "epochs_trained")
        )
        piece = pd.DataFrame(
            {
                "weights_remaining_percent": weights,
                "epochs_trained": epochs,
                "mean": values.mean(),
                "std": values.std(ddof=1),
                "replicates": values.count(),
            }
        )
        pieces.append(piece[piece["replicates"] > 0].reset_index().assign(noise_percent=noise))
    found = pd.concat(pieces, ignore_index=True)
    if found.empty:
        raise InputError(
            f"the table {table.label!r} has no finite {value} on {subset!r}: every replicate diverged."
        )
    return found


def optima(table: Table, algorithm: str = LEARNING_RATE_REWINDING) -> tuple[dict[float, int], list[float]]:
    """Find the level with the lowest mean validation error at every noise level.

    Args:
        table: a measured table.
        algorithm: whose rows to take.

    Returns:
        {noise_percent: level}, and the noise levels where there is none because no level has every replicate. Both are empty
        where the table has no validation examples, as those of LN: nothing may choose an optimum there.
    """
    best, without = {}, []
    own = table.frame.loc[table.frame["algorithm"] == algorithm, "subset"]
    if len(own) and "validation" not in set(own):
        return best, without
    for noise in _noises(_rows(table, "error_percent", "validation", algorithm)):
        try:
            best[noise] = optimal_level(table.frame, algorithm, noise)
        except InputError:
            without.append(noise)
    return best, without


def left_out(
    table: Table, value: str, subset: str = "test", algorithm: str = LEARNING_RATE_REWINDING
) -> list[str]:
    """Say which replicates a mean does not contain at levels where they should have been.

    Args:
        table: a measured table; its provenance says which seeds to expect.
        value: the column averaged.
        subset: the examples.
        algorithm: whose rows.

    Returns:
        One part of a sentence per replicate, such as "seed 2 at 15 % noise (diverged, from level 5)"; empty
        when all is there.
    """
    rows = _rows(table, value, subset, algorithm)
    levels = sorted({int(level) for level in rows["level"]})
    parts = []
    for noise in _noises(rows):
        values = _finite(rows, algorithm, noise, subset, value)
        values = values.reindex(index=list(table.provenance.seeds), columns=levels)
        diverged = set(rows.loc[(rows["noise_percent"] == noise) & rows["diverged"], "seed"])
        for seed in table.provenance.seeds:
            gaps = [level for level in levels if pd.isna(values.at[seed, level])]
            if gaps:
                why = "diverged" if seed in diverged else "missing"
                parts.append(f"seed {seed} at {noise:g} % noise ({why}{_where(gaps, levels)})")
    return parts


def _where(gaps: list[int], levels: list[int]) -> str:
    if gaps == levels:
        return ""
    if len(gaps) == 1:
        return f", level {gaps[0]}"
    return f", from level {gaps[0]}" if gaps == levels[-len(gaps) :] else f", {len(gaps)} levels"


def _noises(rows: pd.DataFrame) -> list[float]:
    return sorted({float(noise) for noise in rows["noise_percent"]})


def _finite(rows: pd.DataFrame, algorithm: str, noise: float, subset: str, value: str) -> pd.DataFrame:
    return select(rows, algorithm, noise, subset, value).replace([np.inf, -np.inf], np.nan)


def _rows(table: Table, value: str, subset: str, algorithm: str) -> pd.DataFrame:
    frame = table.frame
    if value not in frame.columns:
        raise unknown("column", value, frame.columns)
    for column, wanted in (("algorithm", algorithm), ("subset", subset)):
        if wanted not in set(frame[column]):
            raise unknown(f"{column} of the table {table.label!r}", wanted, {str(v) for v in frame[column]})
    return frame.loc[(frame["algorithm"] == algorithm) & (frame["subset"] == subset)]
