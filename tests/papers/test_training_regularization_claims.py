"""TR's claims on tables made by hand: each in both decided states, and what single ones allow."""

import pytest

from lib.analysis.scoreboard import decide
from papers.training_regularization.claims import (
    ALL,
    CLAIMS,
    LENET,
    NOISE,
    RESNET20,
    RESNET32,
    RESNET50,
    VGG,
    WITH_AND_WITHOUT,
)
from papers.training_regularization.names import (
    DS,
    EDT,
    GROUP_LOSS,
    LONGER_WD,
    LRR,
    NOISY_LOSS,
    ONE_SHOT,
    ORIGINAL_LOSS,
    OVERLAP,
    RAND,
    RANDOM,
    RND,
    RND_TENTH,
    SNIP,
    SYNFLOW,
    TEST,
    TIE,
    TIE_TENTH,
    TRAIN_LOSS,
    TW,
    VALIDATION,
    WD,
    WR,
)
from papers.training_regularization.printed_tables import printed_verdicts
from tests.papers.claim_tables import table


def errors(*levels, **more):
    return {TEST: levels, VALIDATION: levels, **more}


def losses(test, noisy, original):
    return errors(*test, **{NOISY_LOSS: noisy, ORIGINAL_LOSS: original})


def everywhere(noises, **chains):
    """The same chains at several noise levels; names with spaces are given by `dict`."""
    return {(name, noise): chain for name, chain in chains.items() for noise in noises}


def optima(noises, by_algorithm):
    """Algorithms that share a dense network of 9 % error; an optimum for all noise levels, or one for each."""
    return {
        (name, noise): errors(9.0, best if isinstance(best, float) else best[i])
        for name, best in by_algorithm.items()
        for i, noise in enumerate(noises)
    }


def pruned(noises, test, noisy=(), original=()):
    """The same chain at several noise levels, its errors larger with noise so that gains grow."""
    return {
        (LRR, noise): losses([error * (1 + 0.1 * i) for error in test], noisy, original)
        if noisy
        else errors(*(error * (1 + 0.1 * i) for error in test))
        for i, noise in enumerate(noises)
    }


def group_losses(*changes):
    """By level the losses of 20 groups: the change of the easy 16 and that of the hard 4."""
    return [[1 + (hard if g > 16 else easy * (1 + g / 100)) for g in range(1, 21)] for easy, hard in changes]


def groups(*levels):
    """Levels of error, change of the easy groups, change of the hard groups, from the first sparse one on."""
    whole = [(9.0, 0.0, 0.0), *levels]
    mean = [1 + 0.8 * easy + 0.2 * hard for _, easy, hard in whole]
    series = group_losses(*(level[1:] for level in whole))
    return errors(*(level[0] for level in whole), **{GROUP_LOSS: series, TRAIN_LOSS: mean})


HELPED, HARMED, PAST, LAST = (7.0, -0.1, -0.5), (7.0, 0.1, 0.5), (8.0, 0.2, 0.3), (10.0, 0.3, 0.5)
GOOD = ([9.0, 9.5, 6.0, 7.0], [0.5, 0.4, 4.0, 3.0], [0.1, 0.1, 0.4, 1.5])
"""Dense, a worse level, the optimum, and past it: the gap between the losses opens, then closes."""
RISING = [0.1 + 0.05 * g for g in range(20)]
IMPROVING = {LRR: errors(9.0, 8.0, 11.0)}


def clean(*levels):
    return {(LRR, 0): groups(*levels)}


def by_noise(benchmark, with_noise=HARMED, without=HELPED):
    return {(LRR, n): groups(with_noise if n else without, PAST, LAST) for n in WITH_AND_WITHOUT[benchmark]}


def both_reductions(noises, chain):
    return everywhere(noises, **{ONE_SHOT: chain, LONGER_WD: chain})


def reduced(sign):
    return both_reductions(NOISE[LENET], errors(9.0, 6.0, 8.0, **{GROUP_LOSS: [[0.1] * 20, RISING[::sign], RISING]}))


def ranked(worsened=9.0, share=80.0, least=1.0):
    kinds = {"most worsened": worsened, "most improved": 5.0, "least affected": least}
    names = {f"{kind}: mean EL2N": [None, value] for kind, value in kinds.items()}
    share_of = {"most worsened: noisy labels (%)": [None, share]}
    return {(LRR, noise): errors(9.0, 7.0, **names, **(share_of if noise else {})) for noise in WITH_AND_WITHOUT[LENET]}


def overlapping(value):
    return {(ONE_SHOT, noise): errors(9.0, 8.0, **{OVERLAP: [None, {0: value}]}) for noise in WITH_AND_WITHOUT[LENET]}


FIVE = dict.fromkeys((LRR, WR, SYNFLOW, SNIP, RANDOM), 7.0)
SYNFLOW_ON_LENET = (6.0, 7.0, 8.0, 8.0)

CASES = {
    "TR-C01": (VGG, everywhere([0], **{LRR: errors(7, 6.5, 6.4, 9), EDT: errors(7, 6.55, 6.45, 6)}),
               everywhere([0], **{LRR: errors(7, 6.5, 6.4, 9), EDT: errors(7, 9.5, 6.4, 6)})),
    "TR-C02": (RESNET20, optima([0], FIVE | {EDT: 7.0}), optima([0], FIVE | {SNIP: 5.0, EDT: 7.0})),
    "TR-C03": (LENET, optima([0], {WR: 6.0, EDT: 8.0}), optima([0], {WR: 8.0, EDT: 6.0})),
    "TR-C04": (LENET, clean(HELPED, PAST, LAST), clean((7.0, -0.1, 0.5), PAST, LAST)),
    "TR-C05": (LENET, clean(HELPED, PAST, LAST), clean((7.0, -0.5, -0.1), PAST, LAST)),
    "TR-C06": (RESNET20, clean(HELPED, PAST, LAST), clean(HELPED, (8.0, -0.1, 0.3), LAST)),
    "TR-C07": (LENET, pruned(NOISE[LENET], GOOD[0]), pruned(NOISE[LENET], [6.0, 7.0, 5.95, 8.0])),
    "TR-C08": (LENET, pruned(NOISE[LENET], GOOD[0]), optima(NOISE[LENET], {LRR: (6.0, 7.0, 8.0)})),
    "TR-C09": (LENET, pruned(NOISE[LENET], *GOOD), pruned(NOISE[LENET], GOOD[0], [0.5, 0.4, 0.1, 0.3], GOOD[2])),
    "TR-C10": (LENET, pruned(NOISE[LENET], *GOOD),
               pruned(NOISE[LENET], GOOD[0], [0.5, 0.4, 0.6, 3.0], [0.1, 0.1, 1, 2])),
    "TR-C11": (VGG, pruned(NOISE[VGG], GOOD[0], [0.15, 0.2, 6.0, 3.0], GOOD[2]),
               pruned(NOISE[VGG], GOOD[0], [0.5, 0.4, 2.0, 3.0], GOOD[2])),
    "TR-C12": (RESNET20, pruned(NOISE[RESNET20], GOOD[0], [1.5, 0.9, 4.0, 3.0], GOOD[2]),
               pruned(NOISE[RESNET20], GOOD[0], [0.5, 1.7, 4.0, 3.0], GOOD[2])),
    "TR-C13": (LENET, pruned(NOISE[LENET], *GOOD),
               pruned(NOISE[LENET], GOOD[0], [0.5, 0.6, 4.0, 6.0], [0.1, 0.1, 0.4, 0.5])),
    "TR-C14": (LENET, by_noise(LENET), by_noise(LENET, HELPED)),
    "TR-C15": (LENET, by_noise(LENET, (7.0, 0.5, 2.0), (7.0, -0.8, -0.8)), by_noise(LENET, (7.0, -0.8, -0.8))),
    "TR-C16": (LENET, optima([0], {EDT: 6.0, LRR: 8.0}), optima([0], {EDT: 8.0, LRR: 6.0})),
    "TR-C17": (LENET, optima(NOISE[LENET], {EDT: 8.0, LRR: 6.0}), optima(NOISE[LENET], {EDT: 6.0, LRR: 8.0})),
    "TR-C18": (LENET, optima(NOISE[LENET], {EDT: (6.0, 7.0, 8.0), LRR: 6.5}),
               optima(NOISE[LENET], {EDT: (8.0, 7.0, 6.0), LRR: 6.5})),
    "TR-C19": (RESNET50, optima([15], {EDT: 6.0, LRR: 8.0}), optima([15], {EDT: 8.0, LRR: 6.0})),
    "TR-C20": (RESNET20, optima([0], {WD: 8.0, LRR: 7.0}), optima([0], {WD: 7.0, LRR: 7.0})),
    "TR-C21": (VGG, optima((30, 60), {LRR: 6.0, WD: 7.0}), optima((30, 60), {LRR: 6.0, WD: 8.95})),
    "TR-C22": (RESNET20, optima(NOISE[RESNET20], {LRR: 6.0, WD: 7.5}), optima(NOISE[RESNET20], {LRR: 6.0, WD: 8.7})),
    "TR-C23": (LENET, optima((0, 10, 15), {LRR: 6.0, WD: 7.0, EDT: 8.0}),
               optima((0, 10, 15), {LRR: 7.0, WD: 7.5, EDT: 6.0})),
    "TR-C24": (LENET, everywhere([0], **IMPROVING, **{TIE: errors(9, 10, 9), RND: errors(9, 9.5, 11)}),
               everywhere([0], **IMPROVING, **{TIE: errors(9, 9.1, 12), RND: errors(9, 9.5, 9)})),
    "TR-C25": (LENET, everywhere([0], **IMPROVING, **{TIE_TENTH: errors(9, 9.5, 9), RND_TENTH: errors(9, 9.5, 11)}),
               everywhere([0], **IMPROVING, **{TIE_TENTH: errors(9, 9.9, 9), RND_TENTH: errors(9, 9.5, 9)})),
    "TR-C26": (LENET, everywhere(NOISE[LENET], **IMPROVING, **{DS: errors(9.5, 7, 9)}),
               everywhere(NOISE[LENET], **IMPROVING, **{DS: errors(9.5, 9, 9.5)})),
    "TR-C27": (LENET, everywhere(NOISE[LENET], **IMPROVING, **{DS: errors(7, 6, 7.9)}),
               everywhere(NOISE[LENET], **IMPROVING, **{DS: errors(7, 7.9, 6)})),
    "TR-C28": (LENET, both_reductions(NOISE[LENET], errors(9, 6, 8)), both_reductions(NOISE[LENET], errors(9, 8, 6))),
    "TR-C29": (LENET, reduced(1), reduced(-1)),
    "TR-C30": (LENET, overlapping(0.6), overlapping(0.03)),
    "TR-C31": (LENET, optima(NOISE[LENET], {WR: 6.0, LRR: 8.0}), optima(NOISE[LENET], {WR: 8.0, LRR: 6.0})),
    "TR-C32": (LENET, optima(WITH_AND_WITHOUT[LENET], {LRR: 8.0, WR: 6.0}),
               optima(WITH_AND_WITHOUT[LENET], {LRR: 6.0, WR: 8.0})),
    "TR-C33": (LENET, optima(NOISE[LENET], {LRR: 8.0, RANDOM: 6.0}), optima(NOISE[LENET], {LRR: 6.0, RANDOM: 8.0})),
    "TR-C34": (LENET, optima(WITH_AND_WITHOUT[LENET], {LRR: 7.0, SYNFLOW: SYNFLOW_ON_LENET}),
               optima(WITH_AND_WITHOUT[LENET], {LRR: 7.0, SYNFLOW: (6.0, 7.0, 8.0, 6.0)})),
    "TR-C35": (LENET, ranked(), ranked(worsened=0.2, least=2.0)),
    "TR-C36": (RESNET20, everywhere([0], **IMPROVING, **{TW: errors(9, 20.3, 20), RAND: errors(9, 20, 21)}),
               everywhere([0], **IMPROVING, **{TW: errors(9, 19, 21), RAND: errors(9, 20, 20)})),
    "TR-C37": (RESNET20, clean(HELPED, PAST, LAST), clean(HELPED, (8.0, -0.2, 0.3), LAST)),
    "TR-C38": (LENET, everywhere(WITH_AND_WITHOUT[LENET], **{EDT: groups((9, -0.1, 0.1), (9, -0.01, -0.2))}),
               everywhere(WITH_AND_WITHOUT[LENET], **{EDT: groups((9, -0.1, 0.1), (9, 0.1, -0.2))})),
    "TR-C39": (LENET, everywhere(WITH_AND_WITHOUT[LENET], **{WD: groups((9, 0.1, -0.1), (9, 0.2, 0.2))}),
               everywhere(WITH_AND_WITHOUT[LENET], **{WD: groups((9, -0.1, 0.1), (9, 0.2, 0.2))})),
}  # fmt: skip
"""By claim: benchmark, cells where it is reproduced, cells where it is not."""


def put(claim, cells, benchmark="", **more):
    return decide(claim, CLAIMS[claim], table(cells, benchmark or CASES[claim][0], **more))


@pytest.mark.parametrize("claim", CLAIMS)
def test_both_decided_states(claim):
    for state, cells in zip(("reproduced", "not reproduced"), CASES[claim][1:], strict=True):
        found = put(claim, cells)
        assert found.verdict == state, found
        assert found.numbers


@pytest.mark.parametrize("claim", CLAIMS)
def test_two_replicates_decide_nothing_and_other_networks_are_not_asked(claim):
    found = put(claim, CASES[claim][1], seeds=(0, 1))
    assert found.verdict == "undecided" and "2 of the 3 replicates" in found.reason, found
    assert put(claim, {("fine-tuning", 0): errors(9, 8)}).verdict == "not run"
    for other in set(ALL) - set(CLAIMS[claim][0]):
        assert "speaks of" in put(claim, CASES[claim][1], other).reason


def test_lenet_may_tie_at_5_percent_and_is_excepted_from_the_rise_of_the_noisy_loss():
    tie = pruned([5], [9.0, 9.5, 8.95, 9.2])
    assert put("TR-C07", CASES["TR-C07"][1] | tie).verdict == "reproduced"
    tie_at_15 = {(LRR, 15): tie[LRR, 5]}
    assert put("TR-C07", CASES["TR-C07"][1] | tie_at_15).verdict == "not reproduced"
    found = put("TR-C09", CASES["TR-C09"][1] | pruned([5], GOOD[0], [0.5, 0.4, 0.1, 0.2], GOOD[2]))
    assert (found.verdict, found.cases) == ("reproduced", "2 of 2")


def test_a_gap_that_closes_within_the_spread_of_replicates_is_not_closed():
    """A16: at paper scale 4.033 against 4.037 nats counted as closed."""
    hardly = pruned(NOISE[LENET], GOOD[0], [0.5, 0.4, 4.0, 3.99], [0.1, 0.1, 0.4, 0.4])
    assert put("TR-C13", hardly).verdict == "undecided"
    widening = pruned(NOISE[LENET], GOOD[0][:3], [0.5, 0.4, 4.0], [0.1, 0.1, 0.4])
    found = put("TR-C13", widening, left=(100.0, 50.0, 8.0))
    assert found.verdict == "undecided" and "the chain ends above 2 %" in found.reason


def test_the_dense_network_is_no_optimally_sparse_one():
    """A2: one rule wherever the optimum is the dense network."""
    dense_is_best = {
        (name, noise): groups((9.5, 0.1, 0.2), (9.6, 0.2, 0.3)) | {NOISY_LOSS: (1, 2, 3), ORIGINAL_LOSS: (1, 1, 1)}
        for name in (LRR, WR, WD, EDT, RANDOM, SYNFLOW) for noise in WITH_AND_WITHOUT[LENET]
    }  # fmt: skip
    whole = table(dense_is_best, LENET)
    for number in (4, 5, 7, 8, 9, 10, 14, 15, 17, 20, 31, 32, 33, 34):
        found = decide(f"TR-C{number:02d}", CLAIMS[f"TR-C{number:02d}"], whole)
        assert found.verdict == "undecided", found
        assert "the same" in found.reason or "is the dense network" in found.reason, found
    assert put("TR-C11", {(LRR, n): dense_is_best[LRR, 5] for n in NOISE[VGG]}).verdict == "undecided"


def test_random_selection_is_worse_on_vgg_and_imagenet_and_may_tie_on_lenet():
    for name in (VGG, RESNET50):
        assert put("TR-C33", optima(NOISE[name], {LRR: 6.0, RANDOM: 8.0}), name).verdict == "reproduced"
        assert put("TR-C33", optima(NOISE[name], {LRR: 8.0, RANDOM: 6.0}), name).verdict == "not reproduced"
    assert put("TR-C33", optima(NOISE[LENET], {LRR: 7.0, RANDOM: (7.05, 6.0, 6.0)})).verdict == "reproduced"
    assert put("TR-C33", optima(NOISE[LENET], {LRR: 7.0, RANDOM: (6.0, 7.05, 6.0)})).verdict == "not reproduced"


def test_what_print_leaves_open_is_left_out():
    """At 15 and 60 % noise on ResNet-20 readings of Table 10's deviations disagree."""
    for free in (6.0, 8.0):
        found = put(
            "TR-C34",
            optima(WITH_AND_WITHOUT[RESNET20], {LRR: 7.0, SYNFLOW: (7.05, free, 6.0, free)}),
            RESNET20,
        )
        assert (found.verdict, found.cases) == ("reproduced", "2 of 2")
    assert printed_verdicts(9, WR, LRR, RESNET20)[0] == {"match", "higher"}
    for clean_error, verdict in ((7.05, "reproduced"), (8.0, "reproduced"), (6.0, "not reproduced")):
        cells = optima(WITH_AND_WITHOUT[RESNET20], {LRR: 7.0, WR: (clean_error, 7.05, 6.0, 6.0)})
        assert put("TR-C32", cells, RESNET20).verdict == verdict


def test_narrower_networks():
    """TR-C20 spares LeNet; in TR-C23 a tie refutes nothing there; TR-C22 allows no lower error and 2.1 points."""
    for width, verdict in ((6.0, "reproduced"), (7.05, "reproduced"), (8.0, "not reproduced")):
        assert put("TR-C20", optima([0], {LRR: 7.0, WD: width}), LENET).verdict == verdict
    assert put("TR-C22", optima(NOISE[RESNET20], {LRR: 7.0, WD: 6.0})).verdict == "not reproduced"
    cells = optima((0, 15, 30, 60), {LRR: 6.0, WD: 6.05, EDT: 8.0})
    assert put("TR-C23", cells, RESNET20).verdict == "not reproduced", "width must be worse without noise"
    for width, verdict in ((6.05, "undecided"), (7.0, "reproduced")):
        assert put("TR-C23", optima((0, 10, 15), {LRR: 6.0, WD: width, EDT: 8.0})).verdict == verdict


def test_about_zero_takes_a_margin():
    for benchmark, verdict in ((RESNET32, "reproduced"), (LENET, "undecided")):
        cells = everywhere([0], **IMPROVING, **{TIE: errors(9, 9.52), RND: errors(9, 9.5)})
        assert put("TR-C24", cells, benchmark, step=0.05).verdict == verdict
    cells = everywhere([0], **IMPROVING, **{TIE: errors(9, 9.52), RND: errors(9, 9.5)})
    assert put("TR-C24", cells, RESNET32, step=1.0).verdict == "undecided", "a scatter shows no equality"


def test_without_an_improving_level_there_is_nothing_to_compare():
    cells = everywhere([0], **{LRR: errors(9, 10), TIE: errors(9, 10), RND: errors(9, 9.5)})
    found = put("TR-C24", cells)
    assert found.verdict == "undecided" and "no level has a lower mean test error" in found.reason
    cells = everywhere([0], **IMPROVING, **{TIE: errors(9.0), RND: errors(9, 9.5)})
    assert "was not measured at level 1" in put("TR-C24", cells).reason


def test_chains_that_end_too_early_decide_nothing():
    short = everywhere([0], **{LRR: errors(7, 6.5), EDT: errors(7, 6.5)})
    assert "the chain ends at 50 %" in put("TR-C01", short).reason
    improving_still = clean((8.0, 0.1, 0.2))
    found = put("TR-C06", improving_still, left=(100.0, 50.0))
    assert found.verdict == "undecided" and "still improves" in found.reason


def test_one_group_of_twenty_may_rise_by_chance():
    """A rise of one standard deviation in one of 20 groups is refuted by Holm's correction, a clear one is not."""
    cells = clean(HELPED, PAST)
    weak = cells[LRR, 0][GROUP_LOSS]
    weak[1][3] = 1.0012
    found = put("TR-C04", cells)
    assert found.verdict == "undecided" and "may be chance" in found.reason and "holds in 19 of 20" in found.reason
    weak[1][3] = 1.2
    assert put("TR-C04", cells).verdict == "not reproduced"


def test_one_ranking_of_all_replicates_has_no_spread():
    whole = table(ranked())
    frame = whole.frame
    one = frame["noise_percent"].eq(0) & frame["quantity"].str.contains(": ") & frame["seed"].gt(0)
    found = decide("TR-C35", CLAIMS["TR-C35"], whole.with_frame(frame.loc[~one]))
    assert (found.verdict, found.cases) == ("undecided", "3 of 4")
    assert put("TR-C35", ranked(share=5.0)).verdict == "not reproduced"
