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
    last_mean, best_mean = _means(last), _means(best)
    levels = sorted(last_mean.keys() & best_mean.keys())
    sparse = [level for level in levels if level > 0]
    if 0 not in levels or not sparse:
        return {"dense": 0} if levels else {}
    sweet_best, sweet_last = (min(sparse, key=mean.__getitem__) for mean in (best_mean, last_mean))
    before = [level for level in sparse if level < sweet_last]
    after = [level for level in sparse if level > max(sweet_last, sweet_best)]
    suffering = [one for one in after if all(mean[one] > mean[0] for mean in (last_mean, best_mean))]
    found = {"dense": 0}
    if before:
        found["overfitting"] = max(before, key=last_mean.__getitem__)
    found |= {"best sweet spot": sweet_best, "last sweet spot": sweet_last}
    if after:
        found["underfitting"] = suffering[0] if suffering else after[-1]
    return found


def _means(errors: pandas.DataFrame) -> dict[int, float]:
    """Return the mean over replicates by level, at the levels that every replicate has."""
    whole = errors.dropna(axis="columns")
    return dict(zip(whole.columns.tolist(), whole.to_numpy().mean(axis=0).tolist(), strict=True))
