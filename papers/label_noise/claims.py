"""LN's claims as sentences (`lib.analysis.claims`); their formal tests stand in `papers/claims.csv`.

A in a formal test is accuracy, so E = 100 − A is this book's test error; "last" is after the last epoch, "best" over all
epochs. A claim decides, from the table of one benchmark, the part that speaks of it. Levels are chosen in the table by their
definition, not taken from the sparsities that the paper lists (facts B.7); where test errors choose the level at which test
errors are compared, the other replicates choose it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pandas

from lib.analysis.claims import (
    Claim,
    Question,
    all_of,
    at_levels,
    between,
    each,
    every,
    growing,
    higher,
    lower,
    not_higher,
    not_lower,
)
from lib.analysis.experiments import UNSTEADINESS
from lib.analysis.findings import Finding, compare
from lib.analysis.levels import BEST_TEST, TEST, chosen_level
from lib.analysis.measures import Case, Measure, correlations, given, held_out, measured
from lib.analysis.pruning_efficacy import ROUNDING, TOLERANCE
from lib.analysis.statistics import rank_correlation
from lib.analysis.table import SIZE
from papers.label_noise.names import GRADIENT, RANDOM, REDENSE, SCORES, WIDTH, WR

LENET = "mnist-lenet"
RESNETS = ("cifar10-resnet18", "cifar100-resnet18")
ALL = (LENET, *RESNETS)

EXTREME_NOISE = 80.0
NOISE = (20.0, 40.0, EXTREME_NOISE)
"""LN section 3.1: every noise level of the paper, in percent."""

CURVES_NOISE = {LENET: NOISE[:2], **dict.fromkeys(RESNETS, NOISE)}
"""Where LN shows training over the epochs (Figs 2 and 9)."""

SHOWN_NOISE = {LENET: (20.0,), RESNETS[0]: (20.0,), RESNETS[1]: (40.0,)}
"""Where LN divides the training examples, lifts the masks and looks at the loss surface (Figs 3 to 7 and 10 to 14)."""

TYPICAL_ERROR = 0.4
"""LN calls the end of training steady by eye (LN-C05). A change of less than two standard errors of a test error of about
40 % cannot be told from the choice of the test images: one point for 10,000 of them."""

BARRIER_SHARE = 0.01
"""LN-C14's tolerance, as a share of the whole fall: no reader of Figure 5 could see a smaller rise."""

STEP = 0.2
"""LN-C15's step, in units of each filter's norm: small enough for curvature to rule, and a point of the slices."""

STRONG_CORRELATION = 0.7
"""LN-C18's "strongly": the one curve then accounts for half of the variance of the other."""

LEVELS_APART = 1
"""LN-C17's "about the same sparsity": at so many levels the two differences may have opposite signs."""

DISTANCE = "distance from initialization"
"""Pruned weights count as zero (facts N10)."""

PATH_LOSS, SLICE_LOSS = "training loss on path (nats)", "training loss along direction (nats)"
TRAINING = "training error (%)"

error, best_error, distance = measured(TEST), measured(BEST_TEST), measured(DISTANCE)
noisy_error, original_error = measured("noisy training error (%)"), measured("original training error (%)")
restored_error = measured("restored training error (%)")

with_noise, where_shown = each("noise_percent", NOISE), each("noise_percent", SHOWN_NOISE)


def rises_then_falls(case: Case) -> Finding:
    """LN-C01: the last test error rises above the dense one, and falls again: at the ends of its largest fall."""
    if chosen_level(case.table, "overfitting", algorithm=WR, **case.where) is None:
        errors = case.values(TEST, WR).iloc[:, 1:]
        found = compare(case, given("highest test error", "points", held_out(errors, highest=True)), error(WR), ())
        return Finding(found.answer, f"{found.reason}, and no sparse level begins the largest fall", found.numbers)
    peak = error(WR, "overfitting")
    return every(higher(peak, than=error(WR)), lower(error(WR, "recovery"), than=peak))(case)


def lowest(quantity: str, algorithm: str, dense: bool = False) -> Measure:
    """Return an error at the level where the other replicates have the lowest, of sparse networks unless asked."""

    def read(case: Case) -> pandas.Series:
        found = case.values(quantity, algorithm)
        return held_out(found if dense else found.drop(columns=0))

    noun = quantity.removesuffix(" (%)")
    return Measure(f"lowest {noun} of {algorithm}", "points", read)


def no_rise_before_the_peak(case: Case) -> Finding:
    """LN-C04: between the dense network and the lowest last test error nowhere a higher error than the dense one."""
    sparse = case.values(TEST, WR).drop(columns=0)
    before = sparse.loc[:, [level < sparse.mean().round(9).idxmin() for level in sparse]]
    if before.empty:
        case.note("no level lies between the dense network and the lowest error")
    rise = given("highest test error before the lowest", "points", held_out(before, highest=True))
    return compare(case, rise, error(WR), {"lower", "match"})


def steady_within(images: float) -> float:
    """Return two standard errors of a test error of about 40 %, in points, by how many images it is measured on."""
    return round(200 * math.sqrt(TYPICAL_ERROR * (1 - TYPICAL_ERROR) / images), 2)


def comes_to_rest(case: Case) -> Finding:
    """LN-C05: at every level the last test error is close to its mean over the last epochs, within two standard errors."""
    images = case.values("test examples", WR).loc[:, 0].iloc[0]
    margin = steady_within(images)
    change = measured(UNSTEADINESS)
    levels = [int(level) for level in case.values(TEST, WR)]
    return at_levels(levels, lambda k: lower(change(WR, k), than=margin, of_means=True))(case)


def noisy_falls_most(case: Case) -> Finding:
    """LN-C06: from the overfitting level to the first sweet spot after it, the error rises more on noisy examples."""
    begin = case.level("overfitting", WR).iloc[0]
    sweet = [case.level(name, WR).iloc[0] for name in ("best sweet spot", "last sweet spot")]
    after = [level for level in sweet if level > begin]
    if not after:
        case.note("no sweet spot follows the overfitting level")
        return Finding("undecided", "no interval in which the test error recovers")
    ends = int(min(after)), int(begin)
    noisy, original = (one(WR, ends[0]) - one(WR, ends[1]) for one in (noisy_error, original_error))
    what = f"error from level {ends[1]} to level {ends[0]}"
    first, second = noisy.called(f"rise of the noisy {what}"), original.called(f"rise of the original {what}")
    return higher(first, than=second)(case)


def share_left(words: str, algorithm: str, quantity: str, choose: Callable[[pandas.Series], int | None]) -> Measure:
    """Return the weights that remain, in percent, at a level that each replicate chooses by its own errors."""

    def read(case: Case) -> pandas.Series:
        errors, left = case.values(quantity, algorithm), case.values(SIZE, algorithm)
        chosen = {seed: choose(errors.loc[seed]) for seed in errors.index}
        if lacking := sum(level is None for level in chosen.values()):
            case.note(f"{lacking} of {len(chosen)} seeds have no {words}")
        found = {seed: math.nan if level is None else left.at[seed, level] for seed, level in chosen.items()}
        return pandas.Series(found, dtype="float64")

    return Measure(f"weights remaining at the {words} of {algorithm}", "points", read, of_network=False)


def last_level(fits: pandas.Series) -> int | None:
    """Return the last level at which something is true, None where it never is."""
    found = fits.index[fits.to_numpy(dtype=bool)]
    return int(found.max()) if len(found) else None


def threshold(algorithm: str) -> Measure:
    """Return the size of the smallest network that fits its training labels."""
    return share_left("interpolation threshold", algorithm, TRAINING, lambda e: last_level(e <= TOLERANCE + ROUNDING))


def efficacy(algorithm: str) -> Measure:
    """Return the size of the smallest network that loses no training accuracy."""
    return share_left("pruning efficacy", algorithm, TRAINING, lambda e: last_level(e <= e[0] + TOLERANCE + ROUNDING))


def spread_of_scores(case: Case) -> pandas.Series:
    """Return how far the lowest best test errors of the three scores lie apart (LN-C12)."""
    found = pandas.DataFrame({name: lowest(BEST_TEST, name).read(case) for name in SCORES})
    return found.max(axis="columns", skipna=False) - found.min(axis="columns", skipna=False)


def largest_step(algorithm: str) -> Measure:
    """Return the rise of the training error at the level where, in the other replicates, it rises most at once."""

    def read(case: Case) -> pandas.Series:
        return held_out(case.values(TRAINING, algorithm).diff(axis="columns").iloc[:, 1:], highest=True)

    return Measure(f"largest step down in training accuracy of {algorithm}", "points", read)


def memorizes(sweet: str) -> Question:
    """LN-C13: the re-dense network fits the wrong labels better than the sparse one it comes from, and tests worse."""
    return every(
        lower(noisy_error(REDENSE, sweet, of=WR), than=noisy_error(WR, sweet)),
        higher(error(REDENSE, sweet, of=WR), than=error(WR, sweet)),
    )


def looked_at(case: Case) -> list[int]:
    """Return the overfitting level and the sweet spots, ascending."""
    found = {case.level(name, WR).iloc[0] for name in ("overfitting", "best sweet spot", "last sweet spot")}
    return sorted(int(level) for level in found if not math.isnan(level))


def no_barrier(level: int) -> Question:
    """LN-C14: from the sparse to the re-dense network the training loss falls, and nowhere rises above its lowest so far.

    Asked so strictly that many small steps do not add up to a barrier.
    """

    def question(case: Case) -> Finding:
        losses = case.values(PATH_LOSS, REDENSE, "position", level=level)
        fall = losses.iloc[:, 0] - losses.iloc[:, -1]
        rise = (losses - losses.cummin(axis="columns")).max(axis="columns")
        whole = given(f"fall of the training loss on the path from level {level}", "nats", fall)
        barrier = given(f"largest rise as a share of it, level {level}", "", rise / fall)
        return every(higher(whole, than=0), lower(barrier, than=BARRIER_SHARE, of_means=True))(case)

    return question


def sharpness(algorithm: str, level: int) -> Measure:
    """Return the mean rise of the training loss a step away in both directions (LN-C15)."""

    def read(case: Case) -> pandas.Series:
        losses = case.values(SLICE_LOSS, algorithm, "position", level=level)
        away, back, here = (losses.loc[:, x] for x in (STEP, -STEP, 0.0))
        return (away + back) / 2 - here

    words = f"re-dense network from level {level}" if level else "dense network"
    return Measure(f"rise of the loss {STEP:g} of each filter's norm away of the {words}", "nats", read)


def sparser_is_sharper(case: Case) -> Finding:
    """LN-C15: from each level to the next, and against the dense network, the re-dense minimum is sharper."""
    places = [sharpness(REDENSE, level) for level in looked_at(case)]
    if len(places) < 2:
        case.note("there are fewer than two levels to look at")
    steps = [higher(sparser, than=denser) for denser, sparser in pairwise(places)]
    return every(*steps, *(higher(one, than=sharpness(WR, 0)) for one in places))(case)


def with_distance(quantity: str, algorithm: str, kind: Callable[..., float] = rank_correlation) -> Measure:
    """Return the correlation over levels of a quantity and the distance from initialization (LN-C16, LN-C18)."""
    return Measure(
        f"correlation of {quantity.removesuffix(' (%)')} and distance from initialization of {algorithm}",
        "",
        lambda case: correlations(case.values(DISTANCE, algorithm), case.values(quantity, algorithm), kind),
    )


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Pearson's correlation, NaN where it is not defined."""
    return pandas.Series(first).corr(pandas.Series(second))


def strongly(correlation: Measure) -> Question:
    """LN-C18: a correlation counts as strong."""
    return higher(correlation, than=STRONG_CORRELATION, of_means=True)


def signs_disagree(case: Case) -> Finding:
    """LN-C17: between first cut and last sweet spot, count the levels where the differences have opposite signs."""
    last = case.level("last sweet spot", WR).iloc[0]
    inside, apart = [] if math.isnan(last) else range(2, int(last)), 0
    if not inside:
        case.note("no level lies between the first cut and the last sweet spot")
    for level in inside:
        pairs = [(one(WR, level), one(REDENSE, level)) for one in (distance, error)]
        answers = {compare(case, *pair, {"higher"}, of_means=True).answer for pair in pairs}
        apart += answers == {"reproduced", "not reproduced"}
    answer = "reproduced" if apart <= LEVELS_APART else "not reproduced"
    words = (
        f"the signs of both differences disagree at {apart} of {len(inside)} levels between, {LEVELS_APART} is allowed"
    )
    return Finding(answer, words, {"levels that disagree": float(apart)})


closer_is_better = every(
    *(higher(one(WR, 1), than=one(REDENSE, 1)) for one in (distance, error)),
    *(lower(one(WR, "last sweet spot"), than=one(REDENSE, "last sweet spot", of=WR)) for one in (distance, error)),
    signs_disagree,
)
"""LN-C17: at the first cut farther from the initialization and worse than the re-dense network, at the last sweet spot
nearer and better; the signs change at about the same level."""

double_descent = each("noise_percent", NOISE[:2])(rises_then_falls)
sweet_spot_beats_dense = with_noise(lower(lowest(TEST, WR), than=error(WR)))

CLAIMS: Mapping[str, tuple[Sequence[str], Claim]] = {
    "LN-C01": (ALL, double_descent),
    "LN-C02": (ALL, sweet_spot_beats_dense),
    "LN-C03": (ALL, with_noise(lower(lowest(BEST_TEST, WR), than=best_error(WR)))),
    "LN-C04": (ALL, each("noise_percent", EXTREME_NOISE)(no_rise_before_the_peak)),
    "LN-C05": (ALL, each("noise_percent", CURVES_NOISE, need="all")(comes_to_rest)),
    "LN-C06": (ALL, where_shown(noisy_falls_most)),
    "LN-C07": (ALL, where_shown(lower(restored_error(WR, "last sweet spot"), than=restored_error(WR)))),
    "LN-C08": (ALL, between(threshold(WR), "noise_percent", NOISE, not_lower)),
    "LN-C09": (
        ALL,
        between(
            share_left("lowest test error", WR, TEST, lambda e: list(e).index(e.min())),
            "noise_percent",
            NOISE,
            not_higher,
        ),
    ),
    "LN-C10": (ALL, growing(lowest(TEST, WR, dense=True), "noise_percent", NOISE)),
    "LN-C11": (
        ALL,
        with_noise(
            every(
                lower(efficacy(WR), than=efficacy(GRADIENT), of_means=True),
                lower(efficacy(GRADIENT), than=efficacy(RANDOM), of_means=True),
            )
        ),
    ),
    "LN-C12": (
        ALL,
        all_of(
            each("noise_percent", NOISE, need=len(NOISE) - 1)(  # "in nearly all tasks"
                every(*(not_higher(lowest(BEST_TEST, GRADIENT), than=lowest(BEST_TEST, a)) for a in (WR, RANDOM)))
            ),
            between(
                Measure("spread of the three scores", "points", spread_of_scores),
                "noise_percent",
                NOISE,
                lambda extreme, moderate: lower(extreme, than=moderate, of_means=True),
                lambda found: [(noise, EXTREME_NOISE) for noise in found if noise < EXTREME_NOISE],
            ),
        ),
    ),
    "LN-C13": (ALL, where_shown(every(memorizes("best sweet spot"), memorizes("last sweet spot")))),
    "LN-C14": (RESNETS, where_shown(lambda case: at_levels(looked_at(case), no_barrier)(case))),
    "LN-C15": (RESNETS, where_shown(sparser_is_sharper)),
    # A distance that falls with sparsity rises with the weights that remain.
    "LN-C16": (
        ALL,
        where_shown(every(*(higher(with_distance(SIZE, a), than=0, of_means=True) for a in (WR, REDENSE)))),
    ),
    "LN-C17": (ALL, where_shown(closer_is_better)),
    "LN-C18": (
        (LENET,),
        where_shown(every(*(strongly(with_distance(TEST, a, pearson)) for a in (WR, REDENSE)))),
    ),
    "LN-C19": (ALL, with_noise(lower(threshold(WR), than=threshold(WIDTH), of_means=True))),
    "LN-C20": ((LENET,), all_of(double_descent, sweet_spot_beats_dense)),
    "LN-C21": (ALL, with_noise(lower(largest_step(GRADIENT), than=largest_step(WR), of_means=True))),
}
"""By id: the benchmarks that a claim speaks of, and the claim."""
