"""Tests of TR appendices D, E and K.2: dense networks trained on part of the examples.

TIE leaves out the examples that pruning improves most, RND as many at random; DS trains on those that the sparse network
classifies correctly; TW adds the examples that pruning worsens most, Rand as many at random. A level is improving where the
mean test error of learning-rate rewinding is below that of the dense network.
"""

import pandas
from scipy.stats import spearmanr

from lib.analysis.levels import improving_levels
from lib.analysis.statistics import Comparison, compare, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import Finding, answer
from papers.training_regularization.cases import (
    DS,
    LRR,
    NOISE_PERCENT,
    RAND,
    RND,
    RND_TENTH,
    TIE,
    TIE_TENTH,
    TW,
    against,
    at_optimum,
    cases,
    listed,
    mean_by_level,
)

ABOUT_ZERO = ("cifar100-resnet32",)
"""The network of standard width on which TR-C24 sees no difference."""


def improved_examples_matter(table: Table) -> Finding:
    """TR-C24: mean over improving sparsities of (E[TIE] - E[RND]) > 0; about 0 for ResNet-32, > 0 at its width 128.

    Without noise. "About 0" is taken as a match by the rule of one standard deviation.
    """
    found, lack = _over_improving(table, TIE, RND, 0.0)
    flat = table.provenance.benchmark in ABOUT_ZERO
    holds = found.verdict == "match" if flat else found.mean > 0
    what = "leaving out the 20 % most improved examples instead of random ones"
    return _finding(holds, what, found, lack)


def a_tenth_does_not_matter(table: Table) -> Finding:
    """TR-C25: |mean(E[TIE] - E[RND])| < 1 std at K = 10 %. Without noise, over the improving sparsities as in TR-C24."""
    found, lack = _over_improving(table, TIE_TENTH, RND_TENTH, 0.0)
    what = "leaving out the 10 % most improved examples instead of random ones"
    return _finding(found.verdict == "match", what, found, lack)


def correct_examples_suffice(table: Table) -> Finding:
    """TR-C26: mean(E[DS,opt] - E[LRR,opt]) < 1 std in all 13 noisy cases. Here in those of one benchmark."""
    allowed = {float(noise): {"match", "lower"} for noise in NOISE_PERCENT[table.provenance.benchmark]}
    return against(table, DS, LRR, allowed, "dense training on correctly classified examples against pruning")


def subset_error_follows_sparse_error(table: Table) -> Finding:
    """TR-C27: Spearman over k of E[DS,k] and E[LRR,k] > 0 per case. Of means over replicates, on one benchmark."""
    noises, lack = cases(table, [DS, LRR])
    ranks = {}
    for noise in noises:
        sparse = mean_by_level(table, noise, "test", "error_percent")
        chosen = _means(table, DS, noise)
        levels = sorted(set(sparse) & set(chosen))
        if len(levels) < 3:
            lack = lack or f"too few levels at {noise:g} % noise to rank them: {len(levels)}, it takes 3."
            continue
        # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
        pair = [[round(means[k], 9) for k in levels] for means in (sparse, chosen)]
        if min(len(set(values)) for values in pair) == 1:
            lack = (
                lack or f"all errors of a chain are the same at {noise:g} % noise, which gives them no order."
            )
            continue
        ranked = spearmanr(pair[0], pair[1])
        ranks[noise] = float(ranked[0])  # pyright: ignore[reportArgumentType]
    reason = f"rank correlation over levels of the test errors of both: {listed(ranks)}."
    numbers = {f"rank_correlation_at_{noise:g}": rank for noise, rank in ranks.items()}
    return answer(all(rank > 0 for rank in ranks.values()), reason, numbers | at_optimum(table, noises), lack)


def worsened_examples_harm(table: Table) -> Finding:
    """TR-C36: mean(E[TW] - E[Rand]) >= 0 in the improving range, up to 0.35 (ResNet-20) and 0.54 (VGG-16).

    Without noise, at every improving level by itself; how much it is at most is reported and decides nothing.
    """
    changes, lack = _changes(table, TW, RAND, 0.0)
    means = dict(zip(changes.columns.tolist(), changes.mean().tolist(), strict=True))
    told = ", ".join(f"{value:+.2f} at level {level}" for level, value in means.items())
    reason = f"test error with the most worsened instead of random examples added: {told} points."
    numbers = {f"difference_error_percent_at_level_{level}": value for level, value in means.items()}
    return answer(all(value >= 0 for value in means.values()), reason, numbers, lack)


def _over_improving(table: Table, first: str, second: str, noise: float) -> tuple[Comparison, str]:
    """Compare two algorithms by their mean over improving levels, paired by seed; say what is lacking."""
    changes, lack = _changes(table, first, second, noise)
    means = changes.mean(axis="columns")
    return compare(means, means * 0), lack


def _changes(table: Table, first: str, second: str, noise: float) -> tuple[pandas.DataFrame, str]:
    """Return differences of test errors in points, a row a seed and a column an improving level, and what is lacking."""
    noises, lack = cases(table, [first, second, LRR], noise_percents=[noise])
    levels = improving_levels(table.frame, LRR, noise) if noises else []
    one, other = (select(table.frame, name, noise, "test") for name in (first, second))
    changes = (one - other).reindex(columns=levels)
    if not lack and not levels:
        lack = "no sparse network has a lower test error than the dense one."
    elif absent := changes.columns[changes.isna().any()].tolist():
        lack = lack or f"missing improving levels of {first} or {second}: {', '.join(map(str, absent))}."
    return changes, lack


def _means(table: Table, algorithm: str, noise: float) -> dict[int, float]:
    errors = select(table.frame, algorithm, noise, "test").dropna(axis="columns")
    return dict(zip(errors.columns.tolist(), errors.to_numpy().mean(axis=0).tolist(), strict=True))


def _finding(holds: bool, what: str, found: Comparison, lack: str) -> Finding:
    reason = f"{what} changes the test error by {found.mean:+.2f} ± {found.std:.2f} points, over the improving levels."
    numbers = {"difference_error_percent": found.mean, "std": found.std}
    return answer(holds, reason, numbers, lack)
