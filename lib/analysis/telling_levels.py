"""The five levels that tell the story of a network under label noise (LN section 3.2, facts B.7).

    dense              nothing is pruned
    overfitting        where the last test error begins its largest fall
    best sweet spot    the best test error over the epochs is lowest
    last sweet spot    where the last test error ends its largest fall
    underfitting       beyond both: the first level where best and last test error exceed those of the dense network

The fall is the largest difference between the mean last error of one level and that of a sparser one. Where the lowest
error lies beyond the highest, these two are its ends, as in the paper's words; it is also defined where the error recovers
without getting below that of the dense network. Levels are chosen in each case anew, not from the sparsities that the paper
lists. As in the paper, test errors choose; nothing is selected for use by them.
"""

import itertools
from collections.abc import Mapping

import pandas

NAMES = ("dense", "overfitting", "best sweet spot", "last sweet spot", "underfitting")


def telling_levels(last: pandas.DataFrame, best: pandas.DataFrame) -> Mapping[str, int]:
    """Choose the levels of one algorithm at one noise level from means over replicates.

    Args:
        last: test error in percent after the last epoch, seeds × levels, with level 0.
        best: lowest test error of any epoch, alike.

    Returns:
        Level by name, in the order of `NAMES`. Levels that are missing in a replicate do not count. A name is left out
        where there is no such level: "overfitting" where the fall begins with the dense network, or nothing falls,
        "underfitting" where no level is sparser than both sweet spots. Where nothing falls, the last sweet spot is the
        sparse level with the lowest error.
    """
    last_mean, best_mean = _means(last), _means(best)
    levels = sorted(last_mean.keys() & best_mean.keys())
    sparse = [level for level in levels if level > 0]
    if 0 not in levels or not sparse:
        return {"dense": 0} if levels else {}
    sweet_best = min(sparse, key=best_mean.__getitem__)
    fall, begin, sweet_last = max(
        (last_mean[first] - last_mean[then], first, then) for first, then in itertools.combinations(levels, 2)
    )
    if fall <= 0:
        begin, sweet_last = 0, min(sparse, key=last_mean.__getitem__)
    after = [level for level in sparse if level > max(sweet_last, sweet_best)]
    suffering = [one for one in after if all(mean[one] > mean[0] for mean in (last_mean, best_mean))]
    found = {"dense": 0}
    if begin > 0:
        found["overfitting"] = begin
    found |= {"best sweet spot": sweet_best, "last sweet spot": sweet_last}
    if after:
        found["underfitting"] = suffering[0] if suffering else after[-1]
    return found


def _means(errors: pandas.DataFrame) -> dict[int, float]:
    """Return the mean over replicates by level, at the levels that every replicate has."""
    whole = errors.dropna(axis="columns")
    return dict(zip(whole.columns.tolist(), whole.to_numpy().mean(axis=0).tolist(), strict=True))
