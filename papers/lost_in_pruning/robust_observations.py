"""What the figures of LIP on robust training show, said with the numbers of the table that they draw.

The data choose the words (`lib.analysis.sentences`). Each compares with the network of the same seed that saw clean images
alone, where that is measured, and says so where it is not.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

from collections.abc import Sequence

import pandas

from lib.analysis.distributions import TestSet
from lib.analysis.excess_error import excess_points, robust_split, slope
from lib.analysis.levels import TEST
from lib.analysis.prune_potential import DELTA, curves, over_sets, prune_potential
from lib.analysis.sentences import against, from_to, learned, listed, mean_std, number, observed, read, times
from lib.analysis.statistics import difference
from lib.analysis.table import Table
from lib.errors import InputError
from papers.lost_in_pruning.figures import algorithms, in_words, measured_sets
from papers.lost_in_pruning.robust_figures import MISSING, NOMINAL, ROBUST, both_of, nominal_of, splits

ALONE = (
    "The same network trained on clean images alone is not measured at this scale, so there is nothing to compare with."
)
ON_TEST_SET = TestSet("test images", TEST)
CLOSE = 5.0
"""Points of potential that LIP-C22 allows between seen and unseen corruptions."""


@observed
def error_after_robust_training(table: Table) -> str:
    """What robust training costs the parent on clean images, and how far it can be pruned there."""
    first, *_ = _methods(table)
    parent, beside = read(table, TEST, 0, first), nominal_of(table)
    if beside:
        both = _against(parent, read(beside, TEST, 0, first))
        words = f"Error on clean test images of parents that saw corruptions, and of those that did not: {both}."
    else:
        words = f"On clean test images the parent has an error of {mean_std(parent)}. {ALONE}"
    told = [f"{name} {mean_std(_potential(table, [ON_TEST_SET], name))}" for name in _methods(table)]
    return f"{words} At most {DELTA} points above it, so many parameters can go: {listed(told)}. {_first_cut(table)}"


def _first_cut(table: Table) -> str:
    """Say how far the error falls by the first cut: a parent that could be trained on gains by each training more."""
    name, told = _methods(table)[0], []
    for training, one in both_of(table).items():
        if name in _methods(one):
            before, after = (read(one, TEST, level, name) for level in (0, 1))
            told.append(f"with {training.removeprefix('with ')} it {from_to(before, after)}")
    return f"{name}'s first cut and the training that follows it move the error so: {'; '.join(told)}."


@observed
def error_on_unseen(table: Table) -> str:
    """The mean error under unseen corruptions, of parents and of the most pruned networks, by either training."""
    told = []
    for name in _methods(table):
        for level, called in ((0, "parents"), (-1, f"{name}'s last cut")):
            if level or not told:
                found = _error(table, _unseen(table), name, level)
                told.append(f"{called} {_beside(table, found, name, level)}")
    against_what = " with corrupted training images, against without" if nominal_of(table) else ""
    return f"Mean error over unseen corruptions{against_what}: {'; '.join(told)}."


def _beside(table: Table, found: pandas.Series, name: str, level: int) -> str:
    other = nominal_of(table)
    if not other or name not in _methods(other):
        return mean_std(found)
    return _against(found, _error(other, _unseen(table), name, level))


def _against(first: pandas.Series, second: pandas.Series) -> str:
    """Do as `against` for networks that are never the same one, though their numbers may be."""
    same = difference(first, second).same
    return f"{mean_std(first)} both" if same else against(first, second)


@observed
def potential_seen_and_unseen(table: Table) -> str:
    """The corruption under which least, and most, can be pruned, among seen and among unseen ones."""
    told = []
    for name in _methods(table):
        ends = []
        for part, sets in zip(("seen", "unseen"), _splits(table), strict=True):
            found = curves(table, sets, algorithm=name)
            mean = pandas.Series(prune_potential(found).mean(1), index=found.sets)
            if mean.max() - mean.min() < 0.05:
                ends.append(f"{number(mean.max())} % under every {part} one")
            else:
                ends.append(
                    f"{number(mean.min())} % ({mean.idxmin()}) to {number(mean.max())} % ({mean.idxmax()}) of {part} ones"
                )
        told.append(f"{name} {' and '.join(ends)}")
    return f"Prune potentials by corruption, clean images counted as seen: {'; '.join(told)}."


@observed
def average_and_minimum(table: Table) -> str:
    """Average potential over seen and over unseen corruptions, how many methods are close, and what is gained."""
    told, close = [], 0
    for name in _methods(table):
        seen, unseen = (_potential(table, sets, name) for sets in _splits(table))
        least = _potential(table, _unseen(table), name, "minimum")
        close += abs((seen - unseen).mean()) < CLOSE
        told.append(
            f"{name} {mean_std(seen, '')} seen, {mean_std(unseen)} unseen, {mean_std(least)} under the worst of them"
        )
    count = len(told)
    words = f"Average prune potentials: {'; '.join(told)}. "
    words += f"Seen and unseen are less than {CLOSE:g} points apart for {close} of {count} method{'s' * (count > 1)}"
    words += (
        ", as the paper has it for weight pruning." if close == count else "; the paper has all of weight pruning so."
    )
    return f"{words} {_gain(table)}"


def _gain(table: Table) -> str:
    """Say how the average potential on unseen corruptions compares with that of the same network without."""
    other = nominal_of(table)
    if not other:
        return ALONE
    told = []
    for name in [one for one in _methods(table) if one in _methods(other)]:
        sets = _unseen(table)
        told.append(f"{name} {_against(_potential(table, sets, name), _potential(other, sets, name))}")
    if not told:
        return ALONE
    return f"On the same unseen corruptions, with and without corrupted training images: {'; '.join(told)}."


@observed
def excess_after_robust_training(table: Table) -> str:
    """The slope of the difference in excess error by either training, and where it is flatter."""
    told, flatter, apart, compared = [], 0, 0, 0
    for name in _methods(table):
        own = {}
        for training, one in both_of(table).items():
            if name in _methods(one):
                train, test = (measured_sets(one, sets) for sets in splits(training, one))
                own[training] = slope(excess_points(one, train, test, [name]))
        ends = [f"{in_words(found.value, found.over_parents)} {_short(training)}" for training, found in own.items()]
        told.append(f"{name} {' and '.join(ends)}")
        if len(own) > 1:
            (low, high), (least, most) = (own[training].over_parents for training in (ROBUST, NOMINAL))
            compared += 1
            flatter += abs(own[ROBUST].value) < abs(own[NOMINAL].value)
            apart += high < least or low > most
    words = (
        "Slopes of the difference in excess error, in points for each 10 points of PR (95 % interval over parents): "
    )
    words += f"{'; '.join(told)}. "
    if not compared:
        return words.rstrip()
    words += f"Robust training has the flatter line {times(flatter, compared, 'method')}"
    words += ", as in the paper." if flatter == compared else "; in the paper it has for all."
    return f"{words} The two intervals are apart {times(apart, compared, 'method')}."


def _short(training: str) -> str:
    return "with corrupted training images" if training == ROBUST else "without"


# The three lines of the page


def _costs(table: Table) -> str:
    first, *_ = _methods(table)
    other = nominal_of(table)
    if not other:
        raise InputError(ALONE[0].lower() + ALONE[1:])
    found = [read(one, TEST, 0, first) for one in (table, other)]
    unseen = [_error(one, _unseen(table), first, 0) for one in (table, other)]
    return (
        f"Corrupted training images take the parent's error under unseen corruptions {_move(unseen)}, "
        f"and on clean images {_move(found)}."
    )


def _move(both: Sequence[pandas.Series]) -> str:
    after, before = both
    same = difference(after, before).verdict == "match"
    return f"from {mean_std(before, '')} to {mean_std(after)}" + (", which is within the spread" if same else "")


def _transfers(table: Table) -> str:
    told = []
    for name in _methods(table):
        seen, unseen = (_potential(table, sets, name) for sets in _splits(table))
        told.append(f"{name} {mean_std(seen, '')} and {mean_std(unseen)}")
    return f"Prune potentials, averaged over seen and over unseen corruptions: {'; '.join(told)}."


def _worst(table: Table) -> str:
    told = [f"{name} {mean_std(_potential(table, _unseen(table), name, 'minimum'))}" for name in _methods(table)]
    return f"Prune potentials under the unseen corruption that leaves least: {', '.join(told)}."


learned_robust_training = learned(_costs, _transfers, _worst)


# What they share


def _methods(table: Table) -> list[str]:
    if found := algorithms([table]):
        return found
    raise InputError(MISSING)


def _splits(table: Table) -> list[list[TestSet]]:
    """Return the seen and unseen sets that a table has; InputError where one of them is empty."""
    found = [measured_sets(table, sets) for sets in robust_split(new_test=True)]
    if not all(found):
        raise InputError(MISSING)
    return found


def _unseen(table: Table) -> list[TestSet]:
    """Return the unseen sets that both a table and its nominal one have."""
    found, other = _splits(table)[1], nominal_of(table)
    both = measured_sets(other, found) if other else found
    return both or found


def _potential(table: Table, sets: Sequence[TestSet], name: str, over: str = "average") -> pandas.Series:
    found = curves(table, sets, algorithm=name)
    return pandas.Series(over_sets(prune_potential(found))[over], index=[*found.seeds])


def _error(table: Table, sets: Sequence[TestSet], name: str, level: int) -> pandas.Series:
    """Return the mean error over sets by seed; level −1 is the last."""
    found = curves(table, sets, algorithm=name)
    return pandas.Series(found.errors.mean(0)[:, level], index=[*found.seeds])
