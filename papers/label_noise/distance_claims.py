"""Tests of LN section 5 on the distance from initialization.

d is the distance in which pruned weights count as zero (`lib.analysis.distance`, facts N10) and decides; what the other one,
from the masked initialization, gives is told with it. E is the last test error: the paper's accuracy is 100 − E.
"""

import math
from collections.abc import Callable
from typing import Any

import pandas
import scipy.stats

from lib.analysis.distance import DISTANCE, MASKED_DISTANCE, crossings
from lib.analysis.epoch_errors import BEST, by_seed_and_level
from lib.analysis.landscape import levels_looked_at
from lib.analysis.statistics import FEWEST_REPLICATES, compare, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, NotRun, answer
from papers.label_noise.cases import REDENSE, WR
from papers.label_noise.landscape_claims import shown_case

FEWEST_LEVELS = 3
"""For a correlation over levels: two points always have one of ±1."""

STRONG_CORRELATION = 0.7
"""LN-C18's "strongly": the one curve then accounts for half of the variance of the other."""

LEVELS_APART = 1
"""LN-C17's "about the same sparsity": at so many levels the two differences may have opposite signs."""

_NAMES = {WR: "sparse", REDENSE: "re-dense"}


def distance_falls_with_sparsity(table: Table) -> Finding:
    """LN-C16: Spearman(s, d_sparse) < 0 and Spearman(s, d_redense) < 0.

    Over means of replicates, from the dense network to the last level. The formal test is put to both distances; d decides.
    """
    noise, lack = shown_case(table)
    found, holds = {}, {}
    for quantity in (DISTANCE, MASKED_DISTANCE):
        for algorithm in _NAMES:
            values = _distances(table, quantity, algorithm, noise)
            lack = lack or _lack(values, algorithm)
            means = values.mean()
            found[quantity, algorithm] = _correlation(scipy.stats.spearmanr, means.index, means)
        holds[quantity] = all(found[quantity, algorithm] < 0 for algorithm in _NAMES)
    words = {q: " and ".join(f"{found[q, a]:+.2f} {n}" for a, n in _NAMES.items()) for q in holds}
    reason = (
        f"rank correlation of sparsity and distance from initialization at {noise:g} % noise: {words[DISTANCE]}; from "
        f"the masked initialization, {words[MASKED_DISTANCE]}; decided for this benchmark only."
    )
    return answer(holds[DISTANCE], reason, _numbers("rank_correlation", found), lack)


def closer_is_better(table: Table) -> Finding:
    """LN-C17: sign(d_sparse - d_redense) = -sign(A_sparse - A_redense); low s: d_sparse > d_redense and A_sparse <
    A_redense; high s reversed.

    Signs are those of the paired rule, over the levels from the first cut to the last sweet spot. A match has no sign and
    goes with either; at `LEVELS_APART` levels the signs may disagree. Low s is the first cut, high s the last sweet spot.
    """
    noise, lack = shown_case(table)
    distances = {name: _distances(table, DISTANCE, name, noise) for name in _NAMES}
    errors = {name: select(table.frame, name, noise, "test") for name in _NAMES}
    if BEST not in set(table.quantities["quantity"]):
        raise NotRun("this table has no best test errors, which choose the sweet spots.")
    sweet = levels_looked_at(table.frame, table.quantities, WR, noise).get("last sweet spot", 0)
    levels = [level for level in distances[WR].columns.tolist() if 0 < level <= sweet]
    levels = [level for level in levels if level in distances[REDENSE] and level in errors[REDENSE]]
    if len(levels) < 2:
        lack = lack or "there are fewer than two levels up to the sweet spot."
    lack = lack or _lack(distances[WR], WR) or _lack(distances[REDENSE], REDENSE)
    signs = {
        level: tuple(
            compare(both[WR].loc[:, level], both[REDENSE].loc[:, level]).verdict
            for both in (distances, errors)
        )
        for level in levels
    }
    against = [level for level, pair in signs.items() if set(pair) == {"higher", "lower"}]
    low, high = (signs[levels[0]], signs[levels[-1]]) if levels else ((), ())
    holds = set(low) == {"higher"} and set(high) == {"lower"} and len(against) <= LEVELS_APART
    told = "; ".join(
        f"{name} the sparse network's distance is {_in_words(pair[0])} and its test error {_in_words(pair[1])}"
        for name, pair in (("at the first cut", low), ("at the last sweet spot", high))
        if pair
    )
    reason = (
        f"against the re-dense network at {noise:g} % noise, {told}; the signs disagree at {len(against)} of "
        f"{len(levels)} levels; decided for this benchmark only."
    )
    numbers = {"levels_that_disagree": float(len(against)), "levels": float(len(levels))}
    weights = select(table.frame, WR, noise, "test", "weights_remaining_percent").mean()
    for what, both in (("distance", distances), ("error", errors)):
        means = [pandas.Series(one.mean()).reindex(weights.index).set_axis(weights) for one in both.values()]
        numbers |= {f"{what}_crossing_{i}_weights_percent": at for i, at in enumerate(crossings(*means), 1)}
    return answer(holds, reason, numbers, lack)


def distance_mirrors_accuracy(table: Table) -> Finding:
    """LN-C18: Pearson(d(s), A(s)) strongly negative for sparse and re-dense.

    That is Pearson(d, E) of at least `STRONG_CORRELATION`, over means of replicates, all levels.
    """
    noise, lack = shown_case(table)
    found = {}
    for quantity in (DISTANCE, MASKED_DISTANCE):
        for algorithm in _NAMES:
            values = _distances(table, quantity, algorithm, noise)
            lack = lack or _lack(values, algorithm)
            errors = select(table.frame, algorithm, noise, "test").mean().reindex(values.columns).dropna()
            means = values.mean().loc[errors.index]
            found[quantity, algorithm] = _correlation(scipy.stats.pearsonr, means, errors)
    holds = all(found[DISTANCE, algorithm] >= STRONG_CORRELATION for algorithm in _NAMES)
    words = {
        q: " and ".join(f"{found[q, a]:+.2f} {n}" for a, n in _NAMES.items())
        for q in (DISTANCE, MASKED_DISTANCE)
    }
    reason = (
        f"correlation of distance from initialization and test error at {noise:g} % noise: {words[DISTANCE]}, "
        f"{STRONG_CORRELATION:g} counts as strong; from the masked initialization, {words[MASKED_DISTANCE]}."
    )
    return answer(holds, reason, _numbers("correlation_with_error", found), lack)


def _distances(table: Table, quantity: str, algorithm: str, noise: float) -> pandas.DataFrame:
    """Return distances as seeds × levels that every replicate has.

    Raises:
        NotRun: the table has none.
    """
    values = by_seed_and_level(table.quantities, quantity, algorithm, noise).dropna(axis="columns")
    if values.empty:
        raise NotRun("this table has no distances from initialization.")
    return values


def _correlation(kind: Callable[..., Any], first: Any, second: Any) -> float:
    """Return a correlation of scipy's, NaN for fewer than two points."""
    return float(kind(first, second).statistic) if len(first) > 1 else math.nan


def _lack(values: pandas.DataFrame, algorithm: str) -> str:
    if len(values) < FEWEST_REPLICATES:
        return (
            f"too few replicates with distances of {algorithm}: {len(values)}, it takes {FEWEST_REPLICATES}."
        )
    if values.shape[1] < FEWEST_LEVELS:
        return f"too few levels with distances of {algorithm}: {values.shape[1]}, it takes {FEWEST_LEVELS}."
    return ""


def _numbers(what: str, found: dict[tuple[str, str], float]) -> dict[str, float]:
    return {
        ("masked_" if quantity == MASKED_DISTANCE else "") + f"{what}_{_NAMES[algorithm]}": value
        for (quantity, algorithm), value in found.items()
    }


def _in_words(verdict: str) -> str:
    return {"match": "the same", "undecided": "not decided"}.get(verdict, verdict)
