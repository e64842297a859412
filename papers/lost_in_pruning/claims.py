"""LIP's claims as sentences (`lib.analysis.over_runs`); their formal tests stand in `papers/claims.csv`.

Rules that hold for all of them, written down before any network of this paper was measured:

* A replicate is a parent with all that was pruned from it; parents of the same seed are paired, also over two networks. A
  potential, a slope or a confidence is one number of each parent, and the rule of one standard deviation compares them
  (`lib.analysis.findings`). A claim of "all methods" is asked of those that a table has.
* δ is 0.5 points. The nominal potential is that on clean images; the test distribution of nominal training has all 19
  corruptions at severity 3, that of robust training the seven of Table 11, and both CIFAR-10.1 where its files were there.
* "Commensurate" are networks whose mean test error is at most δ above their parent's. Where a claim speaks of all of them,
  the smallest is asked, which is the hardest case if similarity falls with the prune ratio, as LIP-C03 says.
* Where nothing can be pruned by a method even on clean images, no potential can be lost: that decides nothing.
* A slope has two bootstrap intervals, over networks as in the paper and over parents (facts L30). It differs from zero where
  both say so.
* "For most networks" is asked of each network: more than half of its methods, without those cells that the paper prints as
  exceptions.
* At laptop scale, what leans on a parent that was trained to its end decides nothing (`of_trained_parents`).
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false, reportReturnType=false, reportAttributeAccessIssue=false

import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy
import pandas
from scipy import stats

from lib.analysis.claims import (
    Claim,
    Question,
    equal,
    every,
    higher,
    lower,
    not_higher,
    undecided_at,
)
from lib.analysis.distributions import CLEAN, NEW_TEST, NOISY, REMOVED, TestSet, corrupted, noisy
from lib.analysis.excess_error import Slope, excess_error, nominal_split, robust_split, slope
from lib.analysis.experiments import committed_tables
from lib.analysis.findings import Answer, Finding, Need, by_p_value
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, SEPARATE_LEVEL
from lib.analysis.levels import TEST
from lib.analysis.measures import Case, Measure, NotRun, correlations
from lib.analysis.over_runs import in_table
from lib.analysis.printed import printed
from lib.analysis.prune_potential import DELTA, SMALLEST_DIFFERENCE, Curves, over_sets, prune_potential
from lib.analysis.table import Table
from papers.lost_in_pruning.names import FILTERS, FT, MODELS, PFP, WEIGHTS, WT

PAPER = "lost_in_pruning"
RESNET20, RESNET56, RESNET110, BOTTLENECK, VGG16, DENSENET22, WRN16_8 = CIFAR = tuple(
    f"cifar10-{name}"
    for name in ("resnet20", "resnet56", "resnet110", "resnet56-bottleneck", "vgg16", "densenet22", "wrn16-8")
)  # fmt: skip
RESNET18, RESNET101, DEEPLAB = "imagenet-resnet18", "imagenet-resnet101", "voc-deeplabv3"
NOMINAL = (*CIFAR, RESNET18, RESNET101, DEEPLAB)

ALL = (*WEIGHTS, *FILTERS)
SIGNIFICANT = 0.05
HIGHEST_NOISE = 0.7
"""LIP-C08's highest level, that of the paper's figures."""
NEARLY_ALL = 95.0
"""LIP-C05's ratio of 0.98 is a network with at least this much removed, in percent."""
NEAR = 2.0
"""A level stands for a ratio of the paper where its own is no further away, in points."""
DELTAS = (0.0, 0.25, 1.0, 2.0, 3.0, 5.0)
"""LIP-C17's margins, compared with 0.5."""
RATIOS = tuple(range(20, 91, 10))
"""LIP-C27: PR at which the curves of two trainings are compared, in percent; between levels they are straight."""

NO_GAIN = {DENSENET22: {FT, PFP}, DEEPLAB: {FT}}
"""Where Tables 9 and 10 print no loss of potential: 33 of their 36 cells are left."""
SPURIOUS = {DEEPLAB: {FT}}
"""Whose slope is below 0 in print, which App. D.5 calls spurious: its potential on clean images is 0 already."""
ABOVE_ZERO = {RESNET56: {WT}, BOTTLENECK: {WT}}
"""Where they print a minimum above 0, besides all cells of DenseNet22 and WRN16-8: 27 are left."""
ZERO_WHEN_ROBUST = {VGG16: {FT}, DENSENET22: {PFP}}
"""Where Table 13 prints a minimum of 0."""
AT_RATIO = {RESNET20: 85.0, RESNET18: 85.8, DEEPLAB: 58.9}
"""LIP-C21's ratios, of WT in Tables 4, 6 and 8."""

Sets = Sequence[TestSet]


def robust(benchmark: str) -> str:
    """Return the benchmark of the same network with robust training."""
    return f"{benchmark}-robust"


def nominal(benchmark: str) -> str:
    """Return the benchmark of the same network without it."""
    return benchmark.removesuffix("-robust")


def methods(case: Case, among: Collection[str] = ALL) -> list[str]:
    """Return which methods a table has; NotRun where it has none of them."""
    there = {*case.table.frame["algorithm"].unique()}
    if found := [name for name in among if name in there]:
        return found
    raise NotRun(f"no network was pruned by {' or '.join(among)}")


def each_method(
    question: Callable[[str], Question],
    among: Sequence[str] = ALL,
    need: Need = "all",
    without: Mapping[str, Collection[str]] | None = None,
) -> Question:
    """Ask a question of every method that a table has, but for the exceptions of its network."""

    def of(method: str) -> Question:
        """Ask it of one method, and name the method where the reason does not begin with it."""

        def named(case: Case) -> Finding:
            found = question(method)(case)
            first, *_ = found.reason.split(";")
            return found if method in first else replace(found, reason=f"{method}: {found.reason}")

        return named

    def asked(case: Case) -> Finding:
        excepted = (without or {}).get(nominal(case.table.benchmark), ())
        return every(*map(of, methods(case, [name for name in among if name not in excepted])), need=need)(case)

    return asked


def sets_of(case: Case) -> tuple[Sets, Sets]:
    """Return the train and the test distribution of a table's networks."""
    new_test = NEW_TEST.quantity in set(case.table.frame["quantity"])
    if case.table.benchmark.endswith("-robust"):
        return robust_split(new_test=new_test)
    return nominal_split(new_test=new_test)


def train_sets(case: Case) -> Sets:
    """Return the train distribution."""
    return sets_of(case)[0]


def test_sets(case: Case) -> Sets:
    """Return the test distribution."""
    return sets_of(case)[1]


test_sets.__test__ = False  # to pytest  # pyright: ignore[reportFunctionMemberAccess]


def unseen_sets(case: Case) -> Sets:
    """Return the test distribution of robust training, whatever a network was trained on."""
    return robust_split(new_test=NEW_TEST in test_sets(case))[1]


def curves_of(case: Case, method: str, sets: Sets) -> Curves:
    """Return the errors of a method's networks; a case notes what not every parent has."""
    removed = case.values(REMOVED, method)
    frames = [case.values(one.quantity, method, position=one.position) for one in sets]
    errors = numpy.stack([one.reindex(index=removed.index, columns=removed.columns).to_numpy() for one in frames])
    seeds, levels = (tuple(int(one) for one in axis) for axis in (removed.index, removed.columns))
    return Curves(tuple(one.name for one in sets), seeds, levels, removed.to_numpy(), errors)


def potential(
    method: str, sets: Callable[[Case], Sets], over: str = "average", words: str = "", delta: float = DELTA
) -> Measure:
    """Return the prune potential of each parent, the average or the minimum over sets (Tables 9 and 10)."""

    def read(case: Case) -> pandas.Series:
        found = curves_of(case, method, sets(case))
        return pandas.Series(over_sets(prune_potential(found, delta))[over], index=found.seeds).dropna()

    noun = f"{'prune' if over == 'average' else f'{over} prune'} potential of "
    return Measure(f"{noun}{method} {words}", "points", read, of_network=False, noun=noun)


def of_clean(method: str) -> Measure:
    """Return the nominal potential."""
    return potential(method, lambda case: (CLEAN,), words="on clean images")


def of_train(method: str) -> Measure:
    """Return the average potential on the train distribution."""
    return potential(method, train_sets, words="on the train distribution")


def of_test(method: str, over: str = "average") -> Measure:
    """Return the average or minimum potential on the test distribution."""
    return potential(method, test_sets, over, words="on the test distribution")


def of_corruption(method: str, name: str) -> Measure:
    """Return the potential on one corruption."""
    return potential(method, lambda case: (corrupted(name),), words=f"under {name.replace('_', ' ')}")


def of_noise(method: str, epsilon: float) -> Measure:
    """Return the potential under uniform noise."""
    return potential(method, lambda case: (noisy(epsilon),), words=f"under noise {epsilon:g}")


def having_potential(question: Callable[[str], Question]) -> Callable[[str], Question]:
    """Ask of a method only where it can prune something on clean images."""

    @functools.wraps(question)
    def of(method: str) -> Question:
        def asked(case: Case) -> Finding:
            if not of_clean(method).read(case).any():
                case.note(f"{method} can prune nothing even on clean images, so that no potential can be lost")
            return question(method)(case)

        return asked

    return of


def elsewhere(measure: Measure, find: Callable[[str], str], words: str = "without robust training") -> Measure:
    """Return the same measure in the committed table of another benchmark, at the same scale.

    Args:
        measure: of one table.
        find: benchmark of the table that is asked → the other one.
        words: which that is.
    """

    def read(case: Case) -> pandas.Series:
        benchmark = find(case.table.benchmark)
        other = Case(table_of(benchmark, case.table.scale), {})
        try:
            found = measure.read(other)
        except NotRun as missing:
            raise NotRun(f"{missing} for {benchmark}") from missing
        for note in other.told:
            case.note(f"{note}, {benchmark}")
        return found

    return Measure(f"{measure.words} {words}", measure.unit, read, of_network=False, noun=measure.noun)


def table_of(benchmark: str, scale: str) -> Table:
    """Return what is committed of a benchmark at a scale, without stale rows; NotRun where there is nothing."""
    found = committed_tables(PAPER, benchmark, scale)
    if not found:
        raise NotRun(f"no table for {benchmark} at {scale} scale, with which this is compared")
    return found[0]


# The same function?


def commensurate(case: Case, method: str) -> int:
    """Return the last level whose mean test error is at most δ above the parents'; 0, and a note, if there is none."""
    errors: Any = case.values(TEST, method)
    rise = errors.sub(errors[0], axis=0).mean()
    level = int(max(rise.index[rise <= DELTA + SMALLEST_DIFFERENCE]))
    if not level:
        case.note(f"no network that {method} pruned is within {DELTA} points of its parent")
    return level


def noises(case: Case, quantity: str, method: str) -> list[float]:
    """Return the levels of noise at which a quantity was measured."""
    return [float(one) for one in case.values(quantity, method, "position", level=1).columns]


def at_noise(quantity: str, algorithm: str, level: int, epsilon: float) -> Measure:
    """Return a distance from the parent at one level of noise."""
    noun = f"{quantity.removesuffix(' (%)')} of "
    words = f"{algorithm} at level {level}" if level else f"the {algorithm}"
    unit = "points" if quantity.endswith("(%)") else ""

    def read(case: Case) -> pandas.Series:
        found = case.values(quantity, algorithm, position=epsilon)
        if level not in found:
            raise NotRun(f"no {quantity} of {algorithm} at level {level} under noise {epsilon:g}")
        return found[level]

    return Measure(f"{noun}{words} under noise {epsilon:g}", unit, read, of_network=False, noun=noun)


def nearer_than_a_separate_network(
    quantity: str, compared: Callable[[Measure, Measure], Question]
) -> Callable[[str], Question]:
    """LIP-C01 and C02: at every level of noise the smallest commensurate network is nearer to the parent."""

    def of(method: str) -> Question:
        def asked(case: Case) -> Finding:
            level = commensurate(case, method)
            if not level:
                return Finding("undecided", f"{method} has no commensurate network")
            both = [
                [at_noise(quantity, *one, epsilon) for one in ((method, level), (SEPARATE, 0))]
                for epsilon in noises(case, quantity, method)
            ]
            return every(*(compared(first, second) for first, second in both))(case)

        return asked

    return of


def declines(method: str) -> Question:
    """LIP-C03: over the levels matching predictions fall with PR, as a rank correlation, the mean over levels of noise."""

    def read(case: Case) -> pandas.Series:
        removed = case.values(REMOVED, method)
        found = [
            correlations(case.values(MATCHING, method, position=one), removed) for one in noises(case, MATCHING, method)
        ]
        return pandas.DataFrame(found).mean(skipna=False)

    words = f"rank correlation of prune ratio and matching predictions, {method}"
    return lower(Measure(words, "", read, of_network=False), than=0, of_means=True)


# Informative pixels

PARENT = 0


def confidence(quantity: str, method: str, chooser: int, judges: Callable[[pandas.Index], Collection[int]]) -> Measure:
    """Return the mean confidence of some judges, by level, on the pixels that one network finds informative."""

    def read(case: Case) -> pandas.Series:
        found = case.values(quantity, method, "position", level=chooser)
        chosen = [one for one in found.columns if one in judges(found.columns)]
        if not chosen:
            raise NotRun(f"no {quantity} of level {chooser} of {method} was judged by such networks")
        return found[chosen].mean(axis=1)

    return Measure(f"{quantity} of {called(chooser)}, {method}", "", read, of_network=False)


def called(level: int) -> str:
    """Return a network's name by its level."""
    return {PARENT: "the parent", SEPARATE_LEVEL: "the separate network"}.get(level, f"level {level}")


def judged_by(quantity: str, method: str, chooser: int, judge: int) -> Measure:
    """Return the confidence of one judge."""
    return confidence(quantity, method, chooser, lambda _: {judge}).called(
        f"confidence of {called(judge)} on pixels of {called(chooser)}, {method}"
    )


def choosers(case: Case, quantity: str, method: str) -> list[int]:
    """Return the levels whose pixels were found: all of them judge, too."""
    return [int(one) for one in case.values(quantity, method, "position", level=PARENT).columns]


def shared_pixels(quantity: str) -> Callable[[str], Question]:
    """LIP-C04 and C07: commensurate networks and their parent understand each other's pixels, a separate network neither."""

    def of(method: str) -> Question:
        def asked(case: Case) -> Finding:
            last = commensurate(case, method)
            levels = [level for level in choosers(case, quantity, method) if 0 < level <= last]
            if not levels:
                return Finding("undecided", f"{method} has no commensurate network whose pixels were found")
            judge = functools.partial(judged_by, quantity, method)
            forth = (higher(judge(PARENT, one), than=judge(PARENT, SEPARATE_LEVEL)) for one in levels)
            back = (higher(judge(one, PARENT), than=judge(one, SEPARATE_LEVEL), of_means=True) for one in levels)
            return every(*forth, *back)(case)

        return asked

    return of


def help_no_other(case: Case) -> Finding:
    """LIP-C05: pixels of a network with nearly all weights removed leave least confidence; nobody judges its own pixels."""
    levels = choosers(case, CONFIDENCE, WT)
    removed: Any = case.values(REMOVED, WT).mean()
    last = max(levels)
    if not last or removed[last] < NEARLY_ALL:
        most = f"{removed[last]:.0f} %" if last else "nothing"
        raise NotRun(f"of the networks whose pixels were found the smallest has {most} removed, not {NEARLY_ALL:g}")
    if last <= commensurate(case, WT):
        raise NotRun("the smallest network is commensurate, and the claim speaks of one that is not")

    def others(first: int, second: int) -> Measure:
        return confidence(CONFIDENCE, WT, first, lambda all_: {*all_} - {first, second})

    return every(*(lower(others(last, one), than=others(one, last), of_means=True) for one in levels if one != last))(
        case
    )


def weights_keep_more(case: Case) -> Finding:
    """LIP-C06: on the parent's pixels networks with pruned weights are more confident than those with pruned filters."""
    both = [methods(case, some) for some in (WEIGHTS, FILTERS)]
    shared = set.intersection(*({*choosers(case, CONFIDENCE, one)} for some in both for one in some)) - {PARENT}

    def average(some: Sequence[str], what: str) -> Measure:
        own = [confidence(CONFIDENCE, one, PARENT, lambda _: shared - {SEPARATE_LEVEL}) for one in some]

        def read(case: Case) -> pandas.Series:
            return pandas.DataFrame({i: one.read(case) for i, one in enumerate(own)}).mean(axis=1, skipna=False)

        return Measure(f"confidence on the parent's pixels with pruned {what}", "", read, of_network=False)

    weights, filters = (average(*one) for one in zip(both, ("weights", "filters"), strict=True))
    return higher(weights, than=filters, of_means=True)(case)


# Prune potential


def falls_with_noise(case: Case) -> Finding:
    """LIP-C08: from level to level the potential does not rise, and at the highest level WT has none left."""
    levels = noises_of_potential(case, WT)
    if max(levels) < HIGHEST_NOISE:
        raise NotRun(f"the highest level of noise is {max(levels):g}, not {HIGHEST_NOISE} as in the paper")

    def steps(method: str) -> Question:
        asked = [
            not_higher(of_noise(method, b), than=of_noise(method, a)) for a, b in zip(levels, levels[1:], strict=False)
        ]
        return every(*asked)

    at_the_end = having_potential(lambda method: is_zero(of_noise(method, HIGHEST_NOISE)))
    return every(each_method(having_potential(steps)), at_the_end(WT))(case)


def noises_of_potential(case: Case, method: str) -> list[float]:
    """Return the levels of noise at which errors were measured, 0 for none first."""
    return [float(one) for one in case.values(NOISY, method, "position", level=0).columns]


def stays_under_noise(method: str) -> Question:
    """LIP-C09: at no level of noise does the potential differ from the nominal one."""

    def asked(case: Case) -> Finding:
        levels = [one for one in noises_of_potential(case, method) if one]
        return every(*(equal(of_noise(method, one), than=of_clean(method)) for one in levels))(case)

    return asked


def by_corruption(method: str) -> Question:
    """LIP-C10: nearly nothing under three kinds of noise, and within 10 points of the nominal potential after JPEG."""
    noise = ("gaussian_noise", "impulse_noise", "shot_noise")
    change = of_corruption(method, "jpeg_compression") - of_clean(method)
    return every(
        *(lower(of_corruption(method, name), than=10, of_means=True) for name in noise),
        higher(change, than=-10, of_means=True),
        lower(change, than=10, of_means=True),
    )


def loses_on_average(method: str) -> Question:
    """LIP-C11: the average potential on the test distribution is below the nominal one."""
    return lower(of_test(method), than=of_clean(method), of_means=True)


def loses_all_somewhere(method: str) -> Question:
    """LIP-C12: on some corruption nothing can be pruned, whatever the parent."""
    return is_zero(of_test(method, "minimum"))


def is_zero(measure: Measure) -> Question:
    """A potential is 0 for every parent; it fails where something can be pruned of one."""

    def asked(case: Case) -> Finding:
        found: Answer = "not reproduced" if measure.read(case).any() else "reproduced"
        return replace(not_higher(measure, than=0)(case), answer=found, against=math.nan, favour=math.nan, chances=())

    return asked


def equal_but_on_clean(case: Case) -> Finding:
    """LIP-C13: VGG16 and WRN16-8 have the same nominal potential, and WRN16-8 the higher one on the test distribution."""
    change = elsewhere(of_clean(WT), lambda _: WRN16_8, "in WRN16-8") - of_clean(WT)
    gain = elsewhere(of_test(WT), lambda _: WRN16_8, "in WRN16-8") - of_test(WT)
    return every(
        lower(change, than=1, of_means=True),
        higher(change, than=-1, of_means=True),
        higher(gain, than=10, of_means=True),
    )(case)


def stable_ranking(method: str) -> Question:
    """LIP-C17: at other margins corruptions keep their order by mean potential, as Kendall's τ; P(δ) cannot fall in δ."""

    def at(delta: float) -> Question:
        def asked(case: Case) -> Finding:
            found = prune_potential(curves_of(case, method, test_sets(case)), [DELTA, delta])
            first, second = numpy.nanmean(found, axis=-1)
            tau, p = stats.kendalltau(first, second)
            reason = f"{method}, order of corruptions at δ = {delta:g} and {DELTA}: τ = {tau:.2f} (p = {p:.2g})"
            numbers = {f"Kendall's τ of potentials at δ = {delta:g} and {DELTA}, {method}": float(tau)}
            return by_p_value(float(tau), float(p), {"higher"}, SIGNIFICANT, reason, numbers)

        return asked

    return every(*map(at, DELTAS))


def filters_lower(case: Case) -> Finding:
    """LIP-C18: every method that prunes filters has less potential than every one that prunes weights."""
    weights, filters = (methods(case, some) for some in (WEIGHTS, FILTERS))
    pairs = [(of, one, other) for of in (of_clean, of_test) for one in filters for other in weights]
    return every(*(lower(of(one), than=of(other), of_means=True) for of, one, other in pairs))(case)


def scatter(method: str) -> Measure:
    """Return the standard deviation of the potential over corruptions, of each parent."""

    def read(case: Case) -> pandas.Series:
        found = curves_of(case, method, test_sets(case))
        return pandas.Series(prune_potential(found).std(axis=0, ddof=1), index=found.seeds)

    return Measure(f"spread of the potential of {method} over corruptions", "points", read, of_network=False)


def more_scattered(method: str) -> Question:
    """LIP-C19: on ImageNet's ResNet18 potentials are scattered more than on CIFAR-10's ResNet20."""
    return higher(
        scatter(method), than=elsewhere(scatter(method), lambda _: RESNET20, "in ResNet20 on CIFAR-10"), of_means=True
    )


def half_is_lost(method: str) -> Question:
    """LIP-C20: on corrupted images less than half of the nominal potential is left."""

    def read(case: Case) -> pandas.Series:
        return of_test(method).read(case) / of_clean(method).read(case)

    words = f"potential of {method} on the test distribution as a share of the nominal one"
    return lower(Measure(words, "", read, of_network=False), than=0.5, of_means=True)


def change_at(method: str, ratio: float) -> Measure:
    """Return by how much the test error rises at the level whose PR is nearest to a ratio."""

    def read(case: Case) -> pandas.Series:
        removed: Any = case.values(REMOVED, method).mean()
        errors: Any = case.values(TEST, method)
        level = int((removed - ratio).abs().idxmin())
        if abs(removed[level] - ratio) > NEAR or level not in errors:
            raise NotRun(f"no network that {method} pruned has {ratio:g} ± {NEAR:g} % removed")
        return errors[level] - errors[0]

    return Measure(f"rise of the test error where {method} removed {ratio:g} %", "points", read)


def survives(case: Case) -> Finding:
    """LIP-C21: at the ratio of Tables 4, 6 and 8 the test error is less than half a point above the parent's."""
    return lower(change_at(WT, AT_RATIO[case.table.benchmark]), than=DELTA, of_means=True)(case)


# Excess error


def points_of(case: Case, method: str) -> pandas.DataFrame:
    """Return ê − e of a method's networks, as `lib.analysis.excess_error.excess_points` does."""
    train, test = (curves_of(case, method, sets) for sets in sets_of(case))
    excess = excess_error(train, test)
    index = pandas.MultiIndex.from_product([train.seeds, train.levels], names=["seed", "level"])
    numbers = {"removed": train.removed.ravel(), "value": (excess - excess[:, :1]).ravel()}
    return pandas.DataFrame(numbers, index=index).drop(index=0, level="level").dropna().reset_index()


def in_words(method: str, found: Slope) -> str:
    """Say a slope with both intervals, at 100 % removed."""
    intervals = [f"{100 * low:.2g} to {100 * high:.2g}" for low, high in (found.over_points, found.over_parents)]
    return (
        f"{method}, excess error extrapolated to 100 % removed: {100 * found.value:.2g} points (95 % interval "
        f"{intervals[0]} over {found.points} networks, {intervals[1]} over {found.parents} parents)"
    )


def sloped(holds: Callable[[list[int]], bool], fails: Callable[[list[int]], bool]) -> Callable[[str], Question]:
    """Ask on which side of zero both intervals of a slope lie: −1, 0 where they have zero in them, 1."""

    def of(method: str) -> Question:
        def asked(case: Case) -> Finding:
            found = slope(points_of(case, method))
            numbers = {f"slope of excess error, {method} (points per point)": found.value}
            ends = [found.over_points, found.over_parents]
            if any(map(math.isnan, (one for end in ends for one in end))):
                return Finding("undecided", in_words(method, found), numbers)
            sides = [1 if low > 0 else -1 if high < 0 else 0 for low, high in ends]
            answer: Answer = "reproduced" if holds(sides) else "not reproduced" if fails(sides) else "undecided"
            return Finding(answer, in_words(method, found), numbers)

        return asked

    return of


rises = sloped(lambda sides: sides == [1, 1], lambda sides: sides == [-1, -1])
"""LIP-C14: both intervals lie above zero; it fails where both lie below it."""
is_flat = sloped(lambda sides: sides[0] == 0, lambda sides: sides in ([1, 1], [-1, -1]))
"""LIP-C15: zero lies in the paper's interval; it fails where it lies in neither."""


def spreads(method: str) -> Question:
    """LIP-C16: the standard deviation of ê − e over parents grows with PR, as Kendall's τ over levels."""

    def asked(case: Case) -> Finding:
        levels: Any = points_of(case, method).groupby("level")
        spread, removed = levels["value"].std(ddof=1), levels["removed"].mean()
        tau, p = stats.kendalltau(removed, spread)
        told = f"τ = {tau:.2f} over {len(spread)} levels (p = {p:.2g})"
        reason = f"{method}, prune ratio and spread of the excess error: {told}"
        numbers = {f"Kendall's τ of prune ratio and spread of the excess error, {method}": float(tau)}
        return by_p_value(float(tau), float(p), {"higher"}, SIGNIFICANT, reason, numbers)

    return asked


# Robust training


def nearly_the_same(method: str) -> Question:
    """LIP-C22: the average potential on unseen corruptions is less than 5 points below that on seen ones."""
    return lower(of_train(method) - of_test(method), than=5, of_means=True)


def raised(method: str) -> Question:
    """LIP-C23: robust training has the higher potential, both on the unseen corruptions of Table 11.

    The paper compares it with Table 9's average over all 19, of which half are seen.
    """
    unseen = potential(method, unseen_sets, words="on unseen corruptions")
    return higher(unseen, than=elsewhere(unseen, nominal), of_means=True)


def above_zero(method: str) -> Question:
    """LIP-C24: on every unseen corruption something can be pruned; it fails where nothing can, whatever the parent."""
    least = of_test(method, "minimum")

    def asked(case: Case) -> Finding:
        found = higher(least, than=0, of_means=True)(case)
        if least.read(case).any():
            return found
        return replace(found, answer="not reproduced", against=math.nan, favour=math.nan, chances=())

    return asked


def one_is_far_lower(method: str) -> Question:
    """LIP-C25: the minimum is more than 5 points below the average."""
    return lower(of_test(method, "minimum") - of_test(method), than=-5, of_means=True)


def steepness(method: str) -> Measure:
    """Return the size of the slope of ê − e of each parent's networks by themselves."""

    def read(case: Case) -> pandas.Series:
        points = points_of(case, method)
        x, y = points["removed"], points["value"]
        sums: Any = pandas.DataFrame({"xy": x * y, "xx": x * x}).groupby(points["seed"]).sum()
        return (sums["xy"] / sums["xx"]).abs()

    return Measure(f"size of the slope of excess error, {method}", "", read, of_network=False)


def flatter(method: str) -> Question:
    """LIP-C26: robust training has the flatter slope, and zero lies in its interval, but for ResNet20."""

    def asked(case: Case) -> Finding:
        size = steepness(method)
        less = lower(size, than=elsewhere(size, nominal), of_means=True)
        return (less if nominal(case.table.benchmark) == RESNET20 else every(less, is_flat(method)))(case)

    return asked


def at_ratios(case: Case, method: str, sets: Sets) -> numpy.ndarray:
    """Return errors at `RATIOS`, between levels on a straight line, float64 [S, P, R]."""
    found = curves_of(case, method, sets)
    if found.removed.max(1).min() < RATIOS[-1]:
        raise NotRun(f"not every parent was pruned to {RATIOS[-1]} % by {method}")
    return numpy.array(
        [[numpy.interp(RATIOS, x, y) for x, y in zip(found.removed, own, strict=True)] for own in found.errors]
    )


def apart_from_clean(method: str) -> Measure:
    """Return how far errors on unseen corruptions are from those on clean images, of each parent."""

    def read(case: Case) -> pandas.Series:
        unseen, clean = (at_ratios(case, method, sets) for sets in (unseen_sets(case), (CLEAN,)))
        return pandas.Series(abs(unseen - clean).mean((0, 2)), index=curves_of(case, method, (CLEAN,)).seeds)

    words = f"distance of the error on unseen corruptions from that on clean images, {method}"
    return Measure(words, "points", read, of_network=False)


def unsteadiness(method: str) -> Measure:
    """Return how far each parent's errors on unseen corruptions are from the mean over parents."""

    def read(case: Case) -> pandas.Series:
        unseen = at_ratios(case, method, unseen_sets(case))
        apart = abs(unseen - unseen.mean(1, keepdims=True)).mean((0, 2))
        return pandas.Series(apart, index=curves_of(case, method, (CLEAN,)).seeds)

    return Measure(
        f"spread over parents of the error on unseen corruptions, {method}", "points", read, of_network=False
    )


def steadier(method: str) -> Question:
    """LIP-C27: with robust training errors on unseen corruptions scatter less, and lie nearer to those on clean images."""
    both = (of(method) for of in (unsteadiness, apart_from_clean))
    return every(*(lower(one, than=elsewhere(one, nominal), of_means=True) for one in both))


TABLES_OF_POTENTIAL = ("table_12_prune_potential_weight_robust", "table_13_prune_potential_filter_robust")


def printed_ratio(benchmark: str, method: str) -> float:
    """Return the average potential on the train distribution that Table 12 or 13 prints, in percent."""
    rows = pandas.concat([printed(PAPER, name) for name in TABLES_OF_POTENTIAL])
    own = rows[rows["model"].eq(MODELS[nominal(benchmark)]) & rows["method"].eq(method)]
    return float(own.loc[own["metric"].eq("prune_potential_avg_train_dist"), "mean"].iloc[0])


def keeps_accuracy(method: str) -> Question:
    """LIP-C28: up to the ratio of Tables 12 and 13 the test error is less than half a point above the parent's."""

    def asked(case: Case) -> Finding:
        removed = case.values(REMOVED, method).mean()
        most = printed_ratio(case.table.benchmark, method)
        levels = [int(level) for level, ratio in removed.items() if level and ratio <= most]
        if not levels:
            raise NotRun(f"no network that {method} pruned has at most {most:g} % removed")
        return every(*(lower(change_at(method, removed[level]), than=DELTA, of_means=True) for level in levels))(case)

    return asked


of_trained_parents = functools.partial(
    undecided_at, "laptop", "parents are not trained to their end, and cannot show it"
)
"""The laptop plan trains a ResNet-20 of half the width for 7 epochs on 1,000 images, and as many epochs follow every cut. A
parent not trained to its end gains from them what pruning may take, and "within δ of its error" says how long the smaller
networks trained. So that plan cannot show how much can be pruned, nor what a network as good as its parent has lost."""


def _asked(question: Question) -> Claim:
    return of_trained_parents(in_table(question))


ROBUST = tuple(map(robust, CIFAR))
PIXELS = (RESNET20, VGG16)
"""Of Figures 3 and 12 to 15."""
FLAT = (WRN16_8, RESNET101)

CLAIMS: Mapping[str, tuple[Sequence[str], Claim]] = {
    "LIP-C01": (CIFAR, _asked(each_method(nearer_than_a_separate_network(MATCHING, higher)))),
    "LIP-C02": (CIFAR, _asked(each_method(nearer_than_a_separate_network(SOFTMAX_DISTANCE, lower)))),
    "LIP-C03": (CIFAR, in_table(each_method(declines))),
    "LIP-C04": (PIXELS, _asked(each_method(shared_pixels(CONFIDENCE)))),
    "LIP-C05": ((RESNET20,), _asked(help_no_other)),
    "LIP-C06": (PIXELS, in_table(weights_keep_more)),
    "LIP-C07": (PIXELS, _asked(each_method(shared_pixels(CONFIDENCE_CORRUPTED)))),
    "LIP-C08": ((RESNET20,), _asked(falls_with_noise)),
    "LIP-C09": ((WRN16_8,), _asked(each_method(having_potential(stays_under_noise)))),
    "LIP-C10": ((RESNET20,), _asked(each_method(having_potential(by_corruption)))),
    "LIP-C11": (NOMINAL, _asked(each_method(having_potential(loses_on_average), need="most", without=NO_GAIN))),
    "LIP-C12": (
        tuple(one for one in NOMINAL if one not in (DENSENET22, WRN16_8)),
        _asked(each_method(having_potential(loses_all_somewhere), need="most", without=ABOVE_ZERO)),
    ),
    "LIP-C13": ((VGG16,), _asked(having_potential(lambda _: equal_but_on_clean)(WT))),
    "LIP-C14": (tuple(one for one in NOMINAL if one not in FLAT), _asked(each_method(rises, without=SPURIOUS))),
    "LIP-C15": (FLAT, _asked(each_method(is_flat))),
    "LIP-C16": ((RESNET20,), in_table(each_method(spreads))),
    "LIP-C17": ((RESNET20,), _asked(each_method(having_potential(stable_ranking), (WT, FT)))),
    "LIP-C18": (NOMINAL, in_table(filters_lower)),
    "LIP-C19": ((RESNET18,), _asked(each_method(having_potential(more_scattered)))),
    "LIP-C20": ((DEEPLAB,), _asked(having_potential(half_is_lost)(WT))),
    "LIP-C21": (tuple(AT_RATIO), _asked(survives)),
    "LIP-C22": (ROBUST, _asked(each_method(having_potential(nearly_the_same), WEIGHTS))),
    "LIP-C23": (tuple(one for one in ROBUST if one != robust(DENSENET22)), _asked(having_potential(raised)(WT))),
    "LIP-C24": (
        ROBUST,
        _asked(each_method(having_potential(above_zero), need="most", without=ZERO_WHEN_ROBUST)),
    ),
    "LIP-C25": ((robust(RESNET20),), _asked(having_potential(one_is_far_lower)(WT))),
    "LIP-C26": (ROBUST, _asked(each_method(flatter))),
    "LIP-C27": ((robust(RESNET20),), in_table(each_method(steadier, (WT, FT)))),
    "LIP-C28": (ROBUST, _asked(each_method(keeps_accuracy))),
}
"""By id: the benchmarks that a claim speaks of, and the claim."""
