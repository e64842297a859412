"""Tests of LN section 4 on training over the epochs: it comes to rest, and sparsity spoils the wrong labels first.

E is an error in percent after the last epoch, 100 minus the paper's accuracy, so a fall of accuracy is a rise of E. Levels
are the table's own telling levels (`lib.analysis.telling_levels`), not the sparsities that the paper lists.
"""

from collections.abc import Mapping, Sequence

from lib.analysis.epoch_curves import levels_at
from lib.analysis.epoch_errors import BEST, UNSTEADINESS, by_seed_and_level
from lib.analysis.statistics import FEWEST_REPLICATES, Comparison, at_level, compare, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import (
    Finding,
    NotRun,
    answer,
    require_algorithms,
    shortcoming,
    usable_noise,
)
from papers.label_noise.cases import CURVES_NOISE, MEMORIZATION_NOISE, WR

SMALL_CHANGE_PERCENT = 1.0
"""Percentage points. LN calls the end of training steady by eye. This is twice the standard error, 0.5 points, of an error
near 40 % on 10,000 test images: a smaller change could not be told from the choice of the test images."""


def training_comes_to_rest(table: Table) -> Finding:
    """LN-C05: |A(last epoch) - mean A(last 10 epochs)| small for every s.

    Small is a mean over replicates of at most `SMALL_CHANGE_PERCENT`. Every level of weight rewinding by magnitude
    counts, at every noise level of Figs 2 and 9 for this benchmark.
    """
    noises, lack = telling_cases(table, [WR], CURVES_NOISE, ("test",))
    if UNSTEADINESS not in set(table.quantities["quantity"]):
        raise NotRun("this table does not say how the test error changes over the last epochs.")
    largest = {}
    for noise in noises:
        values = by_seed_and_level(table.quantities, UNSTEADINESS, WR, noise)
        whole = values.dropna(axis="columns")
        levels = set(select(table.frame, WR, noise, "test").columns)
        if len(whole) < FEWEST_REPLICATES or levels - set(whole.columns):
            lack = (
                lack or f"not every level and replicate has errors of its last epochs at {noise:g} % noise."
            )
        means = dict(zip(whole.columns.tolist(), whole.to_numpy().mean(axis=0).tolist(), strict=True))
        if means:
            level = max(means, key=means.__getitem__)
            largest[noise] = (level, means[level])
    words = ", ".join(
        f"{value:.2f} at {noise:g} % noise (level {at})" for noise, (at, value) in largest.items()
    )
    reason = (
        "largest mean distance, over levels, of the last test error from its mean over the last ten epochs, in points: "
        f"{words}; {SMALL_CHANGE_PERCENT:g} is allowed; decided for this benchmark only."
    )
    holds = bool(largest) and all(value <= SMALL_CHANGE_PERCENT for _, value in largest.values())
    numbers = {f"largest_change_percent_at_{noise:g}": value for noise, (_, value) in largest.items()}
    return answer(holds, reason, numbers, lack)


def noisy_accuracy_falls_most(table: Table) -> Finding:
    """LN-C06: CIFAR-100 40%: [A_perm(96.48) - A_perm(98.56)] > [A_unperm(96.48) - A_unperm(98.56)].

    The formal test speaks of CIFAR-100. Here each benchmark is put to it at the noise level of its own figure, from its own
    overfitting level to the first sweet spot that follows, as 98.56 % is of the two in the paper. The two falls are paired
    by seed; "far more" is higher by the one-standard-deviation rule.
    """
    subsets = ("test", "train_noisy", "train_original")
    noises, lack = telling_cases(table, [WR], MEMORIZATION_NOISE, subsets)
    found, numbers = {}, {}
    for noise in noises:
        levels = levels_at(table.frame, table.quantities, WR, noise)
        start = levels.get("overfitting")
        sweet = [levels[name] for name in ("best sweet spot", "last sweet spot") if name in levels]
        after = [level for level in sweet if start is not None and level > start]
        if start is None or not after:
            lack = lack or f"no level lies between the dense network and the sweet spot at {noise:g} % noise."
            continue
        falls = {
            subset: at_level(table.frame, WR, noise, min(after), subset)
            - at_level(table.frame, WR, noise, start, subset)
            for subset in subsets[1:]
        }
        found[noise] = compare(falls["train_noisy"], falls["train_original"])
        for subset, fall in falls.items():
            numbers[f"{subset}_fall_percent_at_{noise:g}"] = float(fall.mean())
        numbers |= {f"overfitting_level_at_{noise:g}": start, f"sweet_spot_level_at_{noise:g}": min(after)}
    words = ", ".join(
        f"{numbers[f'train_noisy_fall_percent_at_{noise:g}']:+.1f} points on noisy and "
        f"{numbers[f'train_original_fall_percent_at_{noise:g}']:+.1f} on original examples at {noise:g} % noise"
        f" (level {numbers[f'overfitting_level_at_{noise:g}']:g} to {numbers[f'sweet_spot_level_at_{noise:g}']:g})"
        for noise in found
    )
    reason = f"rise of the error from the overfitting level to the sweet spot: {words}; this benchmark's own levels."
    holds = bool(found) and all(one.verdict == "higher" for one in found.values())
    return answer(holds, reason, numbers, lack)


def restored_examples_gain(table: Table) -> Finding:
    """LN-C07: mean A_restored(sweet) > mean A_restored(0) + 1 std.

    The sweet spot is that of the last epoch, since these are errors after it. The noise level is that of the
    benchmark's own figure.
    """
    noises, lack = telling_cases(table, [WR], MEMORIZATION_NOISE, ("test", "train_restored"))
    found: dict[float, Comparison] = {}
    for noise in noises:
        sweet = levels_at(table.frame, table.quantities, WR, noise).get("last sweet spot")
        if sweet is None:
            lack = lack or f"no sparse network at {noise:g} % noise."
            continue
        found[noise] = compare(
            *(at_level(table.frame, WR, noise, level, "train_restored") for level in (sweet, 0))
        )
    words = ", ".join(f"{one.verdict} by {abs(one.mean):.1f} points at {n:g} %" for n, one in found.items())
    reason = f"error on restored examples at the sweet spot against the dense network: {words}; this benchmark only."
    numbers = {f"restored_minus_dense_error_percent_at_{noise:g}": one.mean for noise, one in found.items()}
    numbers |= {f"std_at_{noise:g}": one.std for noise, one in found.items()}
    holds = bool(found) and all(one.verdict == "lower" for one in found.values())
    return answer(holds, reason, numbers, lack)


def telling_cases(
    table: Table, algorithms: Sequence[str], noises: Mapping[str, Sequence[float]], subsets: Sequence[str]
) -> tuple[list[float], str]:
    """Look up the cases of a claim that reads a table at its telling levels.

    Args:
        table: of one benchmark.
        algorithms: all that are read; the first one's telling levels.
        noises: by benchmark.
        subsets: all that are read.

    Returns:
        The noise levels that something can be said about, and what the table lacks for a decision ("" if nothing).

    Raises:
        NotRun: the table has no such algorithm or examples, no best test errors, or none of the noise levels.
    """
    require_algorithms(table, algorithms)
    if absent := [subset for subset in subsets if subset not in set(table.frame["subset"])]:
        raise NotRun(f"this table has no errors on {' or '.join(absent)}.")
    if BEST not in set(table.quantities["quantity"]):
        raise NotRun("this table has no best test errors, which choose the sweet spot.")
    wanted = noises.get(table.provenance.benchmark, ())
    if not set(wanted) & set(table.frame["noise_percent"]):
        raise NotRun("this table has none of the claim's noise levels.")
    usable = usable_noise(table, algorithms, wanted, subsets)
    lack = shortcoming(table, algorithms, wanted, subsets)
    if not lack and len(usable) < len(wanted):
        lack = "not every noise level of this claim can be read from the table."
    return usable, lack
