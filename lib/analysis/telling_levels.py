"""The five levels that tell the story of a network under label noise (LN section 3.2, facts B.7).

    dense              nothing is pruned
    overfitting        the last test error is highest, before the sweet spot of the last epoch
    best sweet spot    the best test error over the epochs is lowest
    last sweet spot    the test error of the last epoch is lowest
    underfitting       beyond both: the first level where best and last test error exceed those of the dense network

They are chosen by the definition, in each case anew, not from the sparsities that the paper lists. As in the paper, test
errors choose; nothing is selected for use by them.
"""

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
        where there is no such level: no level lies before the sweet spot, or after it.
    """
    last_mean = last.dropna(axis="columns").mean()
    best_mean = best.dropna(axis="columns").mean()
    levels = sorted(set(last_mean.index) & set(best_mean.index))
    sparse = [level for level in levels if level > 0]
    found = {"dense": 0} if 0 in levels else {}
    if not sparse or not found:
        return found
    sweet_last, sweet_best = (int(mean[sparse].idxmin()) for mean in (last_mean, best_mean))
    if before := [level for level in sparse if level < sweet_last]:
        found["overfitting"] = int(last_mean[before].idxmax())
    found |= {"best sweet spot": sweet_best, "last sweet spot": sweet_last}
    if after := [level for level in sparse if level > max(sweet_last, sweet_best)]:
        suffering = [
            level for level in after if last_mean[level] > last_mean[0] and best_mean[level] > best_mean[0]
        ]
        found["underfitting"] = suffering[0] if suffering else after[-1]
    return found
