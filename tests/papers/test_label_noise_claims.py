"""LN's claims on tables made by hand: each in both decided states, and what single ones allow."""

import numpy
import pytest

from lib.analysis.experiments import UNSTEADINESS
from lib.analysis.levels import BEST_TEST, TEST
from lib.analysis.scoreboard import decide
from papers.label_noise.claims import (
    ALL,
    CLAIMS,
    DISTANCE,
    EXTREME_NOISE,
    LENET,
    NOISE,
    PATH_LOSS,
    RESNETS,
    SLICE_LOSS,
    STEP,
    TRAINING,
)
from papers.label_noise.names import GRADIENT, RANDOM, REDENSE, WIDTH, WR
from tests.papers.claim_tables import table

NOISY, ORIGINAL, RESTORED = (f"{name} training error (%)" for name in ("noisy", "original", "restored"))
LEFT = (100.0, 50.0, 20.0, 8.0, 2.0)
HUMP = (20.0, 26.0, 28.0, 9.0, 30.0)  # overfitting at level 2, both sweet spots at level 3
FLAT = (20.0, 19.5, 19.0, 18.0, 30.0)
WORSE = (20.0, 26.0, 28.0, 21.5, 30.0)  # recovers, but not below the dense network: there is no sweet spot


def errors(test=HUMP, train=(0.0, 0.0, 0.0, 0.0, 20.0), best=None, **more):
    whole = {TEST: test, TRAINING: train, BEST_TEST: best or [error - 5 for error in test]}
    return {name: levels[: len(test)] for name, levels in {**whole, **more}.items()}


def at(noises, chain, algorithm=WR):
    return {(algorithm, noise): chain for noise in noises}


def by_noise(chains, algorithm=WR):
    return {(algorithm, noise): chain for noise, chain in zip(NOISE, chains, strict=True)}


def scored(noises, magnitude, gradient, random):
    return at(noises, magnitude) | at(noises, gradient, GRADIENT) | at(noises, random, RANDOM)


def fits(*train):
    """A chain told by its training errors."""
    return errors(train=train)


def lowest(*values):
    """A chain for each noise level, told by its lowest best test error."""
    return [errors(best=(9.0, 9.0, 9.0, value, 12.0)) for value in values]


def scores(magnitude, gradient, random):
    """Lowest best test error of each score at 20, 40 and 80 % noise."""
    both = zip((WR, GRADIENT, RANDOM), (magnitude, gradient, random), strict=True)
    return {key: chain for name, values in both for key, chain in by_noise(lowest(*values), name).items()}


def divided(noisy=(5, 10, 20, 80, 90), original=(1, 2, 3, 8, 40), restored=(70, 60, 50, 20, 60)):
    return errors(**{NOISY: noisy, ORIGINAL: original, RESTORED: restored})


def steady(value):
    return errors(**{UNSTEADINESS: [0.1, 0.1, value, 0.1, 0.1], "test examples": [10000.0, None, None, None, None]})


def redense(test=(20, 26, 26, 20, 25), noisy=(5, 10, 10, 10, 12)):
    return at([20], divided()) | at([20], errors(test, **{NOISY: noisy}), REDENSE)


ALPHA = numpy.linspace(0, 1, 101)


def paths(bump):
    loss = dict(zip(ALPHA.tolist(), (2 - 1.5 * ALPHA + bump * numpy.sin(numpy.pi * ALPHA) ** 8).tolist(), strict=True))
    return at([20], errors()) | at([20], {TEST: HUMP, PATH_LOSS: [None, None, loss, loss, None]}, REDENSE)


def slices(*rises):
    """Rise of the loss a step away: of the dense network, and from levels 2 and 3."""
    around = [{-STEP: 1 + rise, 0.0: 1.0, STEP: 1 + rise} for rise in rises]
    sparse = errors() | {SLICE_LOSS: [around[0], None, None, None, None]}
    return at([20], sparse) | at([20], {TEST: HUMP, SLICE_LOSS: [None, None, *around[1:], None]}, REDENSE)


def distances(sparse, redense, test=HUMP, after=(20.0, 24.0, 30.0, 12.0, 25.0)):
    return at([20], errors(test) | {DISTANCE: sparse}) | at([20], {TEST: after, DISTANCE: redense}, REDENSE)


MAGNITUDE, SLOWER = fits(0, 0, 0, 0.5, 30), fits(0, 0, 0.5, 9, 30)
FALLING, CROSSING = (9.0, 8.0, 7.0, 5.0, 3.0), (9.0, 7.0, 6.0, 5.9, 5.0)

CASES = {
    "LN-C01": (at((20, 40), errors()), at([20], errors()) | at([40], errors(FLAT))),
    "LN-C02": (at((20, 40), errors()), at((20, 40), errors(WORSE))),
    "LN-C03": (at((20, 40), errors(best=(9, 9, 9, 7, 12))), at((20, 40), errors(best=(9, 9.5, 9.6, 9.8, 12)))),
    "LN-C04": (at([80], errors(FLAT)), at([80], errors())),
    "LN-C05": (at((20, 40), steady(0.3)), at((20, 40), steady(2.0))),
    "LN-C06": (at([20], divided()), at([20], divided(original=(1, 2, 3, 80, 90)))),
    "LN-C07": (at([20], divided()), at([20], divided(restored=(20, 20, 20, 30, 60)))),
    "LN-C08": (by_noise([fits(0, 0, 0, 0.5, 30), fits(0, 0, 0.5, 4, 40), fits(0, 0.5, 3, 9, 50)]),
               by_noise([fits(0, 0, 1.9, 4, 30), fits(0, 0, 0.5, 4, 40), fits(0, 0.5, 3, 9, 50)])),
    "LN-C09": (by_noise([errors((9, 9, 5, 6, 30)), errors((9, 9, 9, 5, 30)), errors((9, 9, 9, 5, 30))]),
               by_noise([errors((9, 9, 5, 6, 30)), errors((9, 9, 9, 5, 30)), errors((9, 4, 9, 8, 30))])),
    "LN-C10": (by_noise([errors((9, 9, 5, 6, 30)), errors((9, 9, 9, 6, 30)), errors((9, 9, 9, 7, 30))]),
               by_noise([errors((9, 9, 5, 6, 30)), errors((9, 9, 9, 8, 30)), errors((9, 9, 9, 6, 30))])),
    "LN-C11": (scored((20, 40), MAGNITUDE, SLOWER, fits(0, 0.5, 9, 20, 50)),
               scored((20, 40), SLOWER, MAGNITUDE, fits(0, 0.5, 9, 20, 50))),
    "LN-C12": (scores((6, 6, 7.5), (5, 5, 7.0), (6, 6, 7.4)), scores((4, 4, 7.5), (6, 6, 7.0), (4, 4, 7.4))),
    "LN-C13": (redense(), redense(noisy=(5, 10, 10, 95, 95))),
    "LN-C14": (paths(0.0), paths(1.5)),
    "LN-C15": (slices(1.0, 2.0, 3.0), slices(1.0, 3.0, 2.0)),
    "LN-C16": (distances(FALLING, CROSSING), distances(FALLING, CROSSING[::-1])),
    "LN-C17": (distances(FALLING, CROSSING), distances(CROSSING, FALLING)),
    "LN-C18": (distances((20, 26, 28, 9, 30), (20, 24, 30, 12, 25)), distances((20, 26, 28, 9, 30), (5, 4, 3, 8, 4))),
    "LN-C19": (at((20, 40), MAGNITUDE) | at((20, 40), fits(0, 0.2, 9, 30, 50), WIDTH),
               at((20, 40), fits(0, 0.2, 9, 30, 50)) | at((20, 40), MAGNITUDE, WIDTH)),
    "LN-C20": (at((20, 40), errors()), at((20, 40), errors(WORSE))),
    "LN-C21": (at((20, 40), fits(0, 0, 0, 9, 30)) | at((20, 40), fits(0, 2, 5, 9, 15), GRADIENT),
               at((20, 40), fits(0, 2, 5, 9, 15)) | at((20, 40), fits(0, 0, 0, 9, 30), GRADIENT)),
}  # fmt: skip
"""By claim: cells where it is reproduced, and where it is not."""

ON_CIFAR = ("LN-C14", "LN-C15")


def put(claim, cells, benchmark="", **more):
    name = benchmark or (RESNETS[0] if claim in ON_CIFAR else LENET)
    return decide(claim, CLAIMS[claim], table(cells, name, "label_noise", left=LEFT, **more))


@pytest.mark.parametrize("claim", CLAIMS)
def test_both_decided_states(claim):
    for state, cells in zip(("reproduced", "not reproduced"), CASES[claim], strict=True):
        found = put(claim, cells)
        assert found.verdict == state, found
        assert found.numbers


@pytest.mark.parametrize("claim", CLAIMS)
def test_two_replicates_decide_nothing_and_other_networks_are_not_asked(claim):
    found = put(claim, CASES[claim][0], seeds=(0, 1))
    assert found.verdict == "undecided" and "2 of the 3 replicates" in found.reason, found
    assert put(claim, at([20], errors(), "fine-tuning")).verdict == "not run"
    for other in set(ALL) - set(CLAIMS[claim][0]):
        assert "speaks of" in put(claim, CASES[claim][0], other).reason


def test_a_rise_counts_where_the_error_never_comes_below_the_dense_one():
    """A1: the lowest sparse level is the first, and yet the curve rises and falls."""
    found = put("LN-C01", at((20, 40), errors((15.7, 16.0, 22.0, 28.7, 21.4))))
    assert found.verdict == "reproduced" and "13 ±" in found.reason
    assert put("LN-C01", at((20, 40), errors((30.0, 20.0, 15.0, 12.0, 14.0)))).verdict == "not reproduced"


@pytest.mark.parametrize("claim", ["LN-C06", "LN-C07", "LN-C13"])
def test_without_a_level_that_beats_the_dense_network_there_is_no_sweet_spot(claim):
    """A15: such claims were decided at a recovery above the dense network."""
    cells = {key: {**chain, TEST: WORSE, BEST_TEST: WORSE} for key, chain in CASES[claim][0].items()}
    found = put(claim, cells)
    assert found.verdict == "undecided"
    assert "has no last sweet spot: the lowest mean test error (%) is 21.5, dense 20" in found.reason


def test_the_first_cut_refutes_that_closer_is_better_without_a_sweet_spot_too():
    assert put("LN-C17", distances(CROSSING, FALLING, WORSE)).verdict == "not reproduced"
    assert put("LN-C17", distances(FALLING, CROSSING, WORSE)).verdict == "undecided"


def test_the_surface_of_the_loss_is_resnet_18s():
    """A16: LN-C14 and LN-C15 speak of ResNet-18 only."""
    for claim in ON_CIFAR:
        assert put(claim, CASES[claim][0], LENET).verdict == "not run"


def test_rest_is_within_two_standard_errors_of_the_test_images_that_there_are():
    """A16: one point was derived for 10,000 images."""
    chain = steady(2.1)
    assert put("LN-C05", at((20, 40), chain)).verdict == "not reproduced"
    few = chain | {"test examples": [1000.0, None, None, None, None]}
    found = put("LN-C05", at((20, 40), few))
    assert found.verdict == "reproduced"


def test_extreme_noise_with_its_lowest_error_at_the_first_cut_decides_nothing():
    found = put("LN-C04", at([EXTREME_NOISE], errors((20, 10, 30, 40, 50))))
    assert found.verdict == "undecided" and "no level lies between" in found.reason


def test_an_order_over_noise_misses_no_noise_level():
    for claim in ("LN-C08", "LN-C09", "LN-C10"):
        cells = {key: chain for key, chain in CASES[claim][0].items() if key[1] != EXTREME_NOISE}
        assert put(claim, cells).verdict == "undecided"
    none_fits = by_noise([fits(5, 5, 5, 9, 30)] * 3)
    assert "3 of 3 seeds have no interpolation threshold" in put("LN-C08", none_fits).reason


def test_nearly_all_tasks_are_two_of_three_noise_levels():
    cells = scores((6, 4, 7.5), (5, 6, 7.0), (6, 4, 7.4))
    assert put("LN-C12", cells).verdict == "reproduced"
    assert put("LN-C12", scores((6, 6, 9), (5, 5, 5), (6, 6, 9))).verdict == "not reproduced", "differences must shrink"


def test_one_barrier_and_one_flat_minimum_are_enough():
    assert put("LN-C14", paths(0.9)).verdict == "not reproduced"
    assert put("LN-C15", slices(4.0, 2.0, 3.0)).verdict == "not reproduced", "all must be above the dense one"
    assert put("LN-C13", redense(test=(20, 26, 26, 9, 25))).verdict == "not reproduced"
