"""What LIP's figures on test error, prune potential and excess error show, said with the numbers of the table they draw.

    potential_under_noise(page.tables)          a paragraph under the figure
    learned_prune_potential(page.tables)        the lines that a page ends with

The data choose the words (`lib.analysis.sentences`), so that they hold at every scale; where they speak against the paper
they say so. Spread is the sample standard deviation over parents; with fewer than three no difference is called one.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

import math
from collections.abc import Mapping, Sequence

import numpy
import pandas

from lib.analysis.distributions import CLEAN, FLOPS_REMOVED, NEW_TEST, NOISY, REMOVED, TestSet, noisy
from lib.analysis.excess_error import Slope, excess_points, slope
from lib.analysis.prune_potential import DELTA, Curves, curves, over_sets, prune_potential
from lib.analysis.sentences import against, learned, listed, mean_std, number, observed
from lib.analysis.statistics import FEWEST_REPLICATES, difference, rank_correlation
from lib.analysis.table import Table, values
from lib.errors import InputError
from papers.lost_in_pruning.claims import FLAT, SPURIOUS, WRN16_8
from papers.lost_in_pruning.figures import CORRUPTIONS, EVERY_MARGIN, algorithms, in_words, measured_sets
from papers.lost_in_pruning.names import FILTERS, WEIGHTS
from papers.lost_in_pruning.tables import TEST_IMAGES

WIDE = 5.0
"""LIP's largest margin, points of error."""
NEAR_ZERO = 10.0
"""A potential below this, in percent, is called almost nothing (LIP-C10)."""


# What pruning costs on the test set


@observed
def error_while_pruning(table: Table) -> str:
    """The parent's error, how far each method can go within the margin, and what the hardest cut costs."""
    parent, told, hardest = "", [], []
    for name in _methods(table):
        found = _curves(table, [TEST_IMAGES], name)
        parent = parent or mean_std(_series(found, found.errors[0, :, 0]))
        told.append(f"{name} {mean_std(_potential(found))}")
        last = _series(found, found.errors[0, :, -1] - found.errors[0, :, 0])
        hardest.append(f"{mean_std(last, 'points', signed=True)} ({name}, {found.removed[:, -1].mean():.0f} % removed)")
    return (
        f"Parents have a test error of {parent}. It rises by no more than {DELTA:g} points up to these shares of the "
        f"parameters: {listed(told)}. At the hardest cut it changes by {listed(hardest)}."
    )


@observed
def flops_while_pruning(table: Table) -> str:
    """Whether computation goes with the parameters: FR at the cut nearest to half of them."""
    told = []
    for name in _methods(table):
        flops = values(table, FLOPS_REMOVED, algorithm=name)
        removed = values(table, REMOVED, algorithm=name).mean()
        if flops.empty:
            raise InputError(f"no {FLOPS_REMOVED} was measured at {table.scale} scale")
        level = (removed - 50).abs().idxmin()
        told.append(
            f"{name} {number(flops[level].mean())} % of the FLOPs with {number(removed[level])} % of the parameters"
        )
    return (
        f"At the cut nearest to half of the parameters, these go: {listed(told)}. An early layer has few weights, each used "
        "at many places of the image, so that the two shares differ."
    )


def _cost_line(table: Table) -> str:
    told = []
    for name in _methods(table):
        found = _curves(table, [TEST_IMAGES], name)
        told.append(f"{mean_std(_potential(found))} ({name})")
    return f"Within {DELTA:g} points of the parent's test error, one can remove {listed(told)} of all parameters."


def _kinds_line(table: Table) -> str:
    return _weights_and_filters(table, [TEST_IMAGES], "on the test set")


def _late_line(table: Table) -> str:
    told = []
    for name in _methods(table):
        found = _curves(table, [TEST_IMAGES], name)
        rises = pandas.DataFrame(found.errors[0] - found.errors[0, :, :1]).mean().to_numpy()  # of parents not diverged
        if numpy.isnan(rises[1:]).all():
            raise InputError(f"no pruned network of {name} has a finite test error at {table.scale} scale")
        worst = 1 + int(numpy.nanargmax(rises[1:]))
        told.append(
            f"{name} {number(rises[worst], signed=True)} points at {found.removed[:, worst].mean():.0f} % removed"
        )
    return f"The largest mean rise of the test error: {listed(told)}."


learned_test_set = learned(_cost_line, _kinds_line, _late_line)


# Prune potential


@observed
def error_under_corruptions(table: Table) -> str:
    """Which corruptions cost a parent most and least, and which rise most over the cuts."""
    sets = _corruptions(table)
    name = _methods(table)[0]
    clean, found = _curves(table, [CLEAN], name), _curves(table, sets, name)
    parent = numpy.nanmean(found.errors[:, :, 0], 1)
    hard, easy = int(parent.argmax()), int(parent.argmin())
    rise = numpy.nanmean(found.errors[:, :, -1] - found.errors[:, :, 0], 1)
    most, least = int(rise.argmax()), int(rise.argmin())
    last = numpy.nanmean(clean.errors[0, :, -1] - clean.errors[0, :, 0])
    return (
        f"Parents err on {number(numpy.nanmean(clean.errors[0, :, 0]))} % of the clean images, on {number(parent[hard])} % "
        f"under {found.sets[hard]}, the hardest corruption, and {number(parent[easy])} % under {found.sets[easy]}, the "
        f"easiest. At {name}'s hardest cut the error changes by {number(last, signed=True)} points on clean images, by "
        f"{number(rise[most], signed=True)} under {found.sets[most]}, the most, and {number(rise[least], signed=True)} "
        f"under {found.sets[least]}, the least."
    )


@observed
def potential_under_noise(table: Table) -> str:
    """Potential without noise and with the most, and whether it ever rises on the way."""
    levels = sorted(table.frame.loc[table.frame["quantity"] == NOISY, "position"].unique())
    told, rising = [], []
    if len(levels) < 2:
        raise InputError(f"no error under noise was measured at {table.scale} scale")
    for name in _methods(table):
        found = _curves(table, [noisy(float(epsilon)) for epsilon in levels], name)
        potential = prune_potential(found)
        both = [_series(found, potential[place]) for place in (-1, 0)]
        told.append(f"{name} {_beside(*both)}")
        if (numpy.diff(numpy.nanmean(potential, 1)) > 0).any():
            rising.append(name)
    words = f"At ε = {levels[-1]:g} against none, prune potentials are: {'; '.join(told)}."
    if rising:
        paper = "the paper has it stay" if table.benchmark == WRN16_8 else "the paper has it fall with noise"
        rises = f"On the way the mean of {listed(rising)} rises at least once; {paper}."
        return f"{words} {rises}"
    return f"{words} On the way no mean rises, as the paper has it."


@observed
def potential_by_images(table: Table) -> str:
    """The corruptions with the lowest and highest potential of each method, and how many allow almost nothing."""
    sets, told = _corruptions(table), []
    for name in _methods(table):
        found = _curves(table, sets, name)
        mean = numpy.nanmean(prune_potential(found), 1)
        low, high = int(mean.argmin()), int(mean.argmax())
        clean = _nominal(table, name)
        few, more = int((mean < NEAR_ZERO).sum()), int((mean > clean.mean()).sum())
        told.append(
            f"{name}: {mean_std(clean)} on clean images; under corruptions from {number(mean[low])} % "
            f"({found.sets[low]}) to {number(mean[high])} % ({found.sets[high]}), more than on clean images under {more} of "
            f"{len(mean)}, less than {NEAR_ZERO:g} % under {few}"
        )
    paper = "The paper has almost nothing left for gaussian, shot and impulse noise with ResNet-20"
    return f"Mean prune potentials. {'. '.join(told)}. {paper}{_also_new(table)}."


def _also_new(table: Table) -> str:
    if not measured_sets(table, [NEW_TEST]):
        return "; CIFAR-10.1's files were not there" if table.benchmark.startswith("cifar10") else ""
    told = [f"{name} {mean_std(_potential(_curves(table, [NEW_TEST], name)))}" for name in _methods(table)]
    return f". On CIFAR-10.1 the potential is {listed(told)}"


@observed
def potential_of_methods(table: Table) -> str:
    """Average and worst over all corruptions, beside clean, and the order of weights and filters."""
    sets, told = _corruptions(table), []
    for name in _methods(table):
        found = _curves(table, sets, name)
        over = over_sets(prune_potential(found))
        average, worst = (_series(found, over[kind]) for kind in ("average", "minimum"))
        told.append(
            f"{name}: {mean_std(_nominal(table, name))} clean, {mean_std(average)} on average, {mean_std(worst)} at worst"
        )
    return f"{'. '.join(told)}. {_weights_and_filters(table, sets, f'on average over {len(sets)} corruptions')}"


@observed
def potential_by_margin(table: Table) -> str:
    """The potential with no and with the largest margin, the order of corruptions, and what recoveries add."""
    sets, told, orders, recovered = _corruptions(table), [], [], []
    for name in _methods(table):
        found = _curves(table, sets, name)
        potential = numpy.nanmean(prune_potential(found, EVERY_MARGIN), -1)
        average = potential.mean(-1)
        told.append(
            f"{name} {number(average[0])}, {number(average[EVERY_MARGIN.index(DELTA)])} and {number(average[-1])} %"
        )
        order = rank_correlation(potential[EVERY_MARGIN.index(DELTA)], potential[EVERY_MARGIN.index(2.0)])
        orders += [] if math.isnan(order) else [f"{number(order)} ({name})"]
        more = prune_potential(found) - prune_potential(found, first_crossing=True)
        recovered.append(f"{number(numpy.nanmean(more))} ({name})")
    words = f"With margins of 0, {DELTA:g} and {WIDE:g} points, the average over corruptions is {'; '.join(told)}."
    if orders:
        words += (
            f" Between margins of {DELTA:g} and 2 points the corruptions' ranks have a correlation of {listed(orders)}."
        )
    return f"{words} Cuts after a first failure add {listed(recovered)} points at {DELTA:g}."


def _average_line(table: Table) -> str:
    sets, told = _corruptions(table), []
    for name in _methods(table):
        found = _curves(table, sets, name)
        average = _series(found, over_sets(prune_potential(found))["average"])
        told.append(f"{name} {_beside(average, _nominal(table, name))}")
    return f"The average potential over {len(sets)} corruptions beside that on clean images: {'; '.join(told)}."


def _worst_line(table: Table) -> str:
    sets, told = _corruptions(table), []
    for name in _methods(table):
        found = _curves(table, sets, name)
        told.append(f"{mean_std(_series(found, over_sets(prune_potential(found))['minimum']))} ({name})")
    return f"Who wants no corruption to cost more than {DELTA:g} points can remove {listed(told)}."


def _order_line(table: Table) -> str:
    sets = _corruptions(table)
    return _weights_and_filters(table, sets, f"on average over {len(sets)} corruptions")


learned_prune_potential = learned(_average_line, _worst_line, _order_line)


# Excess error


@observed
def clean_and_corrupted(table: Table) -> str:
    """The excess error of parents and of the hardest cut."""
    sets, told, parents = _corruptions(table), [], ""
    for name in _methods(table):
        clean, found = _curves(table, [CLEAN], name), _curves(table, sets, name)
        excess = found.errors.mean(0) - clean.errors[0]
        parents = parents or mean_std(_series(found, excess[:, 0]), "points")
        told.append(f"{mean_std(_series(found, excess[:, -1]), 'points')} at {name}'s")
    return f"Corruptions cost parents {parents} more than clean images do. At the hardest cut it is {listed(told)}."


@observed
def excess_while_pruning(table: Table) -> str:
    """Slopes with both intervals, in words."""
    found, told = _slopes(table), []
    for name, one in found.items():
        ends = [(one.over_points, "over points"), (one.over_parents, "over parents")]
        said = [f"{_interval(interval)} {over}" for interval, over in ends if not math.isnan(interval[0])]
        told.append(f"{name} {in_words(one.value, (math.nan, math.nan))} ({listed(said) or 'no interval'})")
    clear = [name for name, one in found.items() if _sign(one) > 0]
    falls = [name for name, one in found.items() if _sign(one) < 0]
    words = f"For each 10 points of PR the difference in excess error grows by so many points: {'; '.join(told)}."
    if len(table.seeds) < FEWEST_REPLICATES:
        return words
    flat = table.benchmark in FLAT
    if clear:
        paper = "against the paper, which sees no slope here" if flat else "as in the paper"
        rises = f"For {listed(clear)} both intervals lie above zero, {paper}"
    else:
        rises = f"For no method both intervals lie above zero{', as in the paper' if flat else ''}"
    paper = "as in the paper" if {*falls} <= {*SPURIOUS.get(table.benchmark, ())} else "against the paper"
    below = f", and for {listed(falls)} below, {paper}" if falls else ""
    return f"{words} {rises}{below}."


@observed
def spread_of_excess(table: Table) -> str:
    """Whether parents differ more the more is removed."""
    told = []
    for name in _methods(table):
        points = excess_points(table, [CLEAN], _corruptions(table), [name])
        if points["seed"].nunique() < 2:
            raise InputError(f"one parent has no spread at {table.scale} scale")
        own = points.groupby("level").agg(std=("value", "std"), removed=("removed", "mean"))
        rank = rank_correlation(own["removed"], own["std"])
        ranked = "" if math.isnan(rank) else f", rank correlation with PR {number(rank)}"
        told.append(f"{name} from {number(own['std'].iloc[0])} to {number(own['std'].iloc[-1])} points{ranked}")
    words = f"From the mildest to the hardest cut, the standard deviation over parents goes: {'; '.join(told)}."
    return f"{words} The paper has it grow."


@observed
def excess_by_corruption(table: Table) -> str:
    """The corruptions that cost most and least beyond clean images at the hardest cut."""
    sets, told = _corruptions(table), []
    for name in _methods(table):
        clean, found = _curves(table, [CLEAN], name), _curves(table, sets, name)
        excess = found.errors - clean.errors
        change = numpy.nanmean(excess[:, :, -1] - excess[:, :, 0], 1)
        most, least, more = int(change.argmax()), int(change.argmin()), int((change > 0).sum())
        told.append(
            f"With {name}, {more} of {len(change)} corruptions cost more than they cost the parent, from "
            f"{number(change[least], signed=True)} points ({found.sets[least]}) to {number(change[most], signed=True)} "
            f"({found.sets[most]})"
        )
    return f"Changes are those at the hardest cut, beyond that on clean images. {'. '.join(told)}."


def _slope_line(table: Table) -> str:
    told = [f"{in_words(one.value, one.over_points)} ({name})" for name, one in _slopes(table).items()]
    words = "For each 10 points of PR, corrupted images cost so many points more than clean ones do"
    return f"{words} (95 % interval over points): {listed(told)}."


def _parents_line(table: Table) -> str:
    found = {name: one for name, one in _slopes(table).items() if not math.isnan(one.over_parents[0])}
    if not found:
        raise InputError(f"one parent has no interval over parents at {table.scale} scale")
    wider = [name for name, one in found.items() if _width(one.over_parents) > _width(one.over_points)]
    told = [f"{_interval(one.over_parents)} ({name})" for name, one in found.items()]
    some = f"wider than over points for {listed(wider)}" if wider else "wider for no method"
    return f"With parents resampled, the intervals are {listed(told)}: {some}."


def _largest_line(table: Table) -> str:
    told = []
    for name in _methods(table):
        points = excess_points(table, [CLEAN], _corruptions(table), [name])
        mean = points.groupby("level").agg(value=("value", "mean"), removed=("removed", "mean"))
        if mean.empty:
            raise InputError(f"no pruned network was measured at {table.scale} scale")
        most = mean.loc[mean["value"].idxmax()]
        told.append(f"{name} {number(most['value'], signed=True)} points at {most['removed']:.0f} % removed")
    return f"The largest mean difference in excess error: {listed(told)}."


learned_excess_error = learned(_slope_line, _parents_line, _largest_line)


# Helpers


def _methods(table: Table) -> list[str]:
    found = algorithms([table])
    if not found:
        raise InputError(f"no {REMOVED} was measured at {table.scale} scale")
    return found


def _corruptions(table: Table) -> list[TestSet]:
    found = measured_sets(table, CORRUPTIONS)
    if not found:
        raise InputError(f"no error on corrupted images was measured at {table.scale} scale")
    return found


def _curves(table: Table, sets: Sequence[TestSet], name: str) -> Curves:
    return curves(table, sets, algorithm=name)


def _series(found: Curves, numbers: numpy.ndarray) -> pandas.Series:
    return pandas.Series(numpy.asarray(numpy.ravel(numbers), dtype="float64"), index=[*found.seeds]).dropna()


def _potential(found: Curves) -> pandas.Series:
    """Return the potential of each parent on the first set."""
    return _series(found, prune_potential(found)[0])


def _nominal(table: Table, name: str) -> pandas.Series:
    return _potential(_curves(table, [CLEAN], name))


def _weights_and_filters(table: Table, sets: Sequence[TestSet], where: str) -> str:
    """Say whether filters can be pruned less than weights, method against method."""
    there = _methods(table)
    pairs = [(one, other) for one in WEIGHTS for other in FILTERS if one in there and other in there]
    if not pairs:
        return "Weights and filters were not both pruned."
    lower, told = 0, []
    for one, other in pairs:
        found = {name: _curves(table, sets, name) for name in (one, other)}
        both = {name: _series(own, over_sets(prune_potential(own))["average"]) for name, own in found.items()}
        lower += bool(difference(both[other], both[one]).mean < 0)
        told.append(f"{other} {mean_std(both[other])} and {one} {mean_std(both[one])}")
    have = "have the lower" if lower else "do not have the lower"
    counted = f" in {lower} of {len(pairs)} pairs of methods, in the paper in all"
    counted = ", as in the paper" if lower == len(pairs) else counted if lower else ", against the paper"
    return f"Filters {have} mean prune potential {where}{counted}: {'; '.join(told)}."


def _beside(first: pandas.Series, second: pandas.Series) -> str:
    """Say how two potentials compare: equal ones need not be of the same network."""
    return against(first, second).replace(", the same network", ", no difference")


def _slopes(table: Table) -> Mapping[str, Slope]:
    found = {n: slope(excess_points(table, [CLEAN], _corruptions(table), [n])) for n in _methods(table)}
    found = {name: one for name, one in found.items() if one.points}
    if not found:
        raise InputError(f"no pruned network was measured at {table.scale} scale")
    return found


def _sign(one: Slope) -> int:
    """Return 1 or −1 where both intervals exclude zero, else 0."""
    ends = [*one.over_points, *one.over_parents]
    return int(all(end > 0 for end in ends)) - int(all(end < 0 for end in ends))


def _interval(interval: tuple[float, float]) -> str:
    return " to ".join(f"{10 * end:.2f}".replace("-", "−") for end in interval)


def _width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]
