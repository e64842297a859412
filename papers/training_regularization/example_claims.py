"""TR's claims on examples: groups by difficulty (sections 3 and 4, App. L), and networks trained on some (App. D, K).

ΔL_g is the change of the mean training loss of EL2N group g against the dense network, g = 1 the easiest to 20 the hardest.
TR plots it and prints no number, so what "most" groups means is ours: more than half.
"""

import math

import pandas

from lib.analysis.claims import (
    Question,
    at_levels,
    equal,
    every,
    higher,
    lower,
    not_lower,
)
from lib.analysis.example_groups import TOP_SHARE
from lib.analysis.findings import Finding, combined, compare
from lib.analysis.levels import evenly_spaced
from lib.analysis.measures import Case, Measure, correlations, given, measured
from lib.analysis.table import SIZE, noun_and_unit
from papers.training_regularization.names import (
    GROUP_LOSS,
    LRR,
    RAND,
    RND,
    RND_TENTH,
    TEST,
    TIE,
    TIE_TENTH,
    TW,
)

RESNET20, VGG = "cifar10-resnet20", "cifar10-vgg16"

WORSE_AT_HIGHEST = (RESNET20, VGG)
"""TR-C06: the two networks whose training loss rises at the highest improving sparsity."""

SATURATED = {(RESNET20, 60), ("cifar100-resnet32", 60)}
"""TR-C14: the loss of hard examples has no room to rise further (caption of Fig. 5)."""

LEFT_OUT = {("mnist-lenet", 5)}
"""Fig. 5 leaves this case out, because the dense network is said to be best (DISCREPANCIES TR-D9)."""

MANY_WEIGHTS_PERCENT, FEW_WEIGHTS_PERCENT = (26.0, 80.5), (0.9, 8.6)
"""TR-C37: from 26.21 to 80 % of the weights the loss falls, from 0.92 to 8.59 % it rises."""

LONG_ENOUGH_PERCENT = 2.0
"""TR-C06: a chain that still improves at its end, with more weights than these, is too short to decide."""

ABOUT_ZERO, MARGIN = ("cifar100-resnet32",), 0.34
"""TR-C24: the network on which it sees no difference, and the smallest that it prints as one, in points."""

error = measured(TEST)


def changes(case: Case, algorithm: str, level: str | int) -> pandas.DataFrame:
    """Return ΔL_g in nats, seeds × groups in order of difficulty; of a dense optimum there is none.

    Raises:
        NotRun: losses of groups were not measured.
    """
    chosen = case.level(level, algorithm).dropna()
    dense = case.values(GROUP_LOSS, algorithm, "position", level=0)
    if chosen.empty or chosen.iloc[0] == 0:
        case.note(f"the {level} of {algorithm} is the dense network")
        return dense.iloc[:0]
    return case.values(GROUP_LOSS, algorithm, "position", level=int(chosen.iloc[0])) - dense


def hardest(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return the columns of the hardest groups."""
    return frame.iloc[:, frame.shape[1] - round(TOP_SHARE * frame.shape[1]) :]


def no_group_harmed(case: Case) -> Finding:
    """TR-C04: at the optimum without noise no group has a higher training loss than in the dense network.

    A group whose loss is 0 before and after has not changed, and is not harmed.
    """
    found = changes(case, LRR, "optimum")
    words = "loss change of group"
    measures = [given(f"{words} {group:g}", "nats", found.loc[:, group], of_network=False) for group in found]
    return combined([compare(case, one, 0, {"lower", "match"}) for one in measures], "all", "groups")


def hard_examples_change_most(case: Case) -> Finding:
    """TR-C05: mean |ΔL| of the hardest 20 % over that of the rest exceeds 1.

    TR does not say whether it takes the magnitude of single examples or of groups; here it is that of groups.
    """
    found = changes(case, LRR, "optimum").abs()
    top = hardest(found)
    ratio = top.mean(axis="columns") / found.drop(columns=top.columns).mean(axis="columns")
    words = "ratio of the loss change of the hardest 20 % to that of the rest (printed: 3.5 to 71)"
    return compare(case, given(words, "", ratio), 1, {"higher"}, of_means=True)


def at_highest_improving_sparsity(case: Case) -> Finding:
    """TR-C06: there the loss of two networks rises in most groups, and that of the others falls on average."""
    name = "highest improving"
    left = case.values(SIZE, LRR).mean()
    level = case.level(name, LRR).dropna()
    if level.empty:
        return Finding("undecided", "no level has a lower mean test error than the dense network")
    end = float(left.iloc[-1])
    if level.iloc[0] == left.index[-1] and end > LONG_ENOUGH_PERCENT:
        case.note(f"the chain ends at {end:.3g} % of the weights, where it still improves")
    found = changes(case, LRR, name)
    if case.table.benchmark in WORSE_AT_HIGHEST:
        better = lower(error(LRR, name), than=error(LRR, "dense"), of_means=True)(case)
        return combined([better, _in_most_groups(case, found, f"{LRR} at its {name} level", 1)], "all")
    mean = given(f"mean loss change of {LRR} at its {name} level", "nats", found.mean(axis="columns"))
    return compare(case, mean, 0, {"lower"}, of_means=True)


def effect(sign: int) -> Question:
    """TR-C14: at the optimum, ΔL_g rises with difficulty and rises for the hardest 20 % (sign 1), or falls (−1)."""
    allowed = {"higher"} if sign > 0 else {"lower"}

    def question(case: Case) -> Finding:
        found = changes(case, LRR, "optimum")
        ranks = correlations(found, pandas.Series(found.columns, index=found.columns))
        measures = [
            given("rank correlation of difficulty and loss change at the optimum", "", ranks),
            given("loss change of the hardest 20 % at the optimum", "nats", hardest(found).mean(axis="columns")),
        ]
        return combined([compare(case, one, 0, allowed, of_means=True) for one in measures], "all")

    return question


def hard_groups_lose_most(algorithm: str) -> Question:
    """TR-C29: at the best smaller network ΔL_g rises with difficulty."""

    def question(case: Case) -> Finding:
        found = changes(case, algorithm, "best smaller")
        ranks = correlations(found, pandas.Series(found.columns, index=found.columns))
        words = f"rank correlation of difficulty and loss change of {algorithm}"
        return compare(case, given(words, "", ranks), 0, {"higher"}, of_means=True)

    return question


def helps_then_harms(case: Case) -> Finding:
    """TR-C37: with many weights the loss falls in most groups, with few it rises, at every level measured there."""
    means, found = case.values(SIZE, LRR).mean(), []
    left = dict(zip(map(int, means.index), means.tolist(), strict=True))
    for (low, high), sign in ((MANY_WEIGHTS_PERCENT, -1), (FEW_WEIGHTS_PERCENT, 1)):
        inside = [k for k in measured_levels(case, LRR) if low <= left.get(k, math.nan) <= high]
        if not inside:
            case.note(f"no level with {low:g} to {high:g} % of the weights was measured")
        found += [_in_most_groups(case, changes(case, LRR, k), f"{LRR} at level {k}", sign) for k in inside]
    return combined(found, "all", "levels")


def in_most_groups_at_every_level(algorithm: str, sign: int) -> Question:
    """TR-C38, TR-C39: at five evenly spaced levels, or all of fewer, most groups have a loss that stays, or changes so."""

    def question(case: Case) -> Finding:
        there = measured_levels(case, algorithm)
        asked = evenly_spaced(max(there, default=0))
        if gone := [k for k in asked if k not in there]:
            case.note(f"levels {', '.join(map(str, gone))} of {algorithm} were not measured")
        found = [
            _in_most_groups(case, changes(case, algorithm, k), f"{algorithm} at level {k}", sign, or_equal=True)
            for k in asked
            if k in there
        ]
        return combined(found, "all", "levels")

    return question


def measured_levels(case: Case, algorithm: str) -> list[int]:
    """Return the sparse levels with losses of groups."""
    found = sorted(case.values(GROUP_LOSS, algorithm, "level", position=1))
    return [int(level) for level in found if level]


def _in_most_groups(case: Case, found: pandas.DataFrame, where: str, sign: int, or_equal: bool = False) -> Finding:
    """Compare the share of groups whose loss falls (sign −1) or rises with one half, replicate by replicate."""
    signed = sign * found
    share = ((signed >= 0) if or_equal else (signed > 0)).mean(axis="columns")
    verb = "rises" if sign > 0 else "falls"
    words = f"share of groups whose loss {verb}{' or stays' if or_equal else ''} in {where}"
    return compare(case, given(words, "", share), 0.5, {"higher"}, of_means=True)


def improving_levels(case: Case) -> list[int]:
    """Return the levels whose mean test error is below the dense network's."""
    means = case.values(TEST, LRR).mean().round(9)
    return [int(level) for level in means.index[(means < means.loc[0]).to_numpy(dtype=bool)]]


def over_improving(first: str, second: str) -> tuple[Measure, Measure]:
    """Return the mean test errors of two algorithms over the improving levels."""

    def of(algorithm: str) -> Measure:
        def read(case: Case) -> pandas.Series:
            if not (levels := improving_levels(case)):
                case.note("no level has a lower mean test error than the dense network")
            found = case.values(TEST, algorithm)
            if missing := [k for k in levels if k not in found]:
                case.note(f"{algorithm} was not measured at level {', '.join(map(str, missing))}")
            return found[[k for k in levels if k in found]].mean(axis="columns")

        return Measure(f"mean test error {algorithm} over the improving levels", "points", read)

    return of(first), of(second)


def improved_examples_matter(case: Case) -> Finding:
    """TR-C24: leaving out the 20 % most improved examples hurts more than random ones; on ResNet-32 about as much."""
    first, second = over_improving(TIE, RND)
    if case.table.benchmark in ABOUT_ZERO:
        return equal(first, second, MARGIN)(case)
    return compare(case, first, second, {"higher"}, of_means=True)


def a_tenth_does_not_matter(case: Case) -> Finding:
    """TR-C25: with 10 % left out the two match."""
    return equal(*over_improving(TIE_TENTH, RND_TENTH))(case)


def worsened_examples_harm(case: Case) -> Finding:
    """TR-C36: where pruning improves, adding the most worsened examples gives no lower error than adding random ones."""
    return at_levels(improving_levels(case), lambda k: not_lower(error(TW, k), than=error(RAND, k)))(case)


def ranked(category: str, quantity: str) -> Measure:
    """Return a mean over the first examples of a category, such as "most worsened"."""
    noun, unit = noun_and_unit(quantity)
    return Measure(
        f"{noun} of the {category} examples",
        "points" if unit else "",
        lambda case: case.values(f"{category}: {quantity}", LRR, "position").loc[:, 0.0],
    )


def changed_are_hard(case: Case) -> Finding:
    """TR-C35, without noise: those that pruning changes most have a higher EL2N than those that it affects least.

    The losses of all replicates make one ranking, which has no spread: a table with one is undecided.
    """
    least = ranked("least affected", "mean EL2N")
    return every(*(higher(ranked(f"most {kind}", "mean EL2N"), than=least) for kind in ("worsened", "improved")))(case)


def worsened_are_mislabelled(case: Case) -> Finding:
    """TR-C35, with noise: among the most worsened examples the share of noisy labels exceeds the noise."""
    share = ranked("most worsened", "noisy labels (%)")
    return compare(case, share, case.where["noise_percent"], {"higher"}, of_means=True)
