"""TR's claims on groups of examples, on hand-made tables: each in every state that it can have."""

import dataclasses

import pytest

from lib.analysis.claims import decide
from lib.analysis.example_groups import GROUP_LOSS
from lib.analysis.schema import QUANTITIES, tidy
from papers.training_regularization.cases import NOISE_PERCENT
from papers.training_regularization.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from tests.analysis.hand_made import chain, make

LRR, EDT, WIDTH = "learning_rate_rewinding", "extended_dense_training", "width_downscaling"
LENET, RESNET, IMAGENET = "mnist-lenet", "cifar10-resnet20", "imagenet-resnet50"


def table(levels, benchmark, seeds=(0, 1, 2), remaining=(100.0, 50.0, 8.0, 0.9), scale="paper"):
    """A table with losses of groups.

    Args:
        levels: by algorithm and noise, per level from the dense network on: test error (also that of validation), and the
            change of the loss of the easy 16 and of the hard 4 groups.
        benchmark, seeds, remaining, scale: see `make`.
    """
    made = make(
        {
            place: [
                {"test": e, "validation": e, "train": 1 + 0.8 * easy + 0.2 * hard} for e, easy, hard in given
            ]
            for place, given in levels.items()
        },
        benchmark,
        scale,
        seeds,
        remaining,
    )
    rows = [
        {
            "algorithm": algorithm,
            "noise_percent": float(noise),
            "seed": seed,
            "level": level,
            "quantity": GROUP_LOSS,
            "position": float(group),
            "value": 1.0 + (hard if group > 16 else easy * (1 + group / 100)) + 0.001 * i * level,
            "stage_key": "ab",
        }
        for (algorithm, noise), given in levels.items()
        for i, seed in enumerate(seeds)
        for level, (_, easy, hard) in enumerate(given)
        for group in range(1, 21)
    ]
    return dataclasses.replace(made, quantities=tidy(rows, QUANTITIES))


DENSE = (9.0, 0.0, 0.0)
HELPED, HARMED = (7.0, -0.1, -0.5), (7.0, 0.1, 0.5)
PAST, LAST = (8.0, 0.2, 0.3), (10.0, 0.3, 0.5)


def clean(best, second=PAST, last=LAST):
    return {(LRR, 0): [DENSE, best, second, last]}


def noisy(benchmark, best=HARMED, without=HELPED):
    return {
        (LRR, noise): [DENSE, best if noise else without, PAST, LAST]
        for noise in (0, *NOISE_PERCENT[benchmark])
    }


def everywhere(algorithm, *levels):
    return {(algorithm, noise): [DENSE, *levels] for noise in (0, *NOISE_PERCENT[LENET])}


CASES = {
    "TR-C04": {
        "benchmark": LENET,
        "reproduced": clean(HELPED),
        "not reproduced": clean((7.0, -0.1, 0.5)),
    },
    "TR-C05": {
        "benchmark": LENET,
        "reproduced": clean(HELPED),
        "not reproduced": clean((7.0, -0.5, -0.1)),
    },
    "TR-C06": {
        "benchmark": RESNET,
        "reproduced": clean(HELPED),
        "not reproduced": clean(HELPED, (8.0, -0.1, 0.3)),
    },
    "TR-C14": {"benchmark": LENET, "reproduced": noisy(LENET), "not reproduced": noisy(LENET, HELPED)},
    "TR-C15": {"benchmark": LENET, "reproduced": noisy(LENET), "not reproduced": noisy(LENET, HELPED)},
    "TR-C37": {
        "benchmark": RESNET,
        "reproduced": clean(HELPED),
        "not reproduced": clean(HELPED, (8.0, -0.2, 0.3)),
    },
    "TR-C38": {
        "benchmark": LENET,
        "reproduced": everywhere(EDT, (9.0, -0.1, 0.1), (9.0, -0.01, -0.2)),
        "not reproduced": everywhere(EDT, (9.0, -0.1, 0.1), (9.0, 0.1, -0.2)),
    },
    "TR-C39": {
        "benchmark": LENET,
        "reproduced": everywhere(WIDTH, (9.0, 0.1, -0.1), (9.0, 0.2, 0.2)),
        "not reproduced": everywhere(WIDTH, (9.0, -0.1, 0.1), (9.0, 0.2, 0.2)),
    },
}


def put(claim, levels, benchmark="", **more):
    made = table(levels, benchmark or CASES[claim]["benchmark"], **more)
    return decide(claim, CLAIM_TESTS[claim], made, CLAIM_BENCHMARKS[claim])


@pytest.mark.parametrize("claim", CASES)
@pytest.mark.parametrize("state", ["reproduced", "not reproduced"])
def test_decided(claim, state):
    found = put(claim, CASES[claim][state])
    assert found.verdict == state, found
    assert found.reason.endswith(".") and "nan" not in found.reason and found.numbers


@pytest.mark.parametrize("claim", CASES)
def test_undecided_with_too_few_replicates_but_with_numbers(claim):
    for seeds in ((0,), (0, 1)):
        found = put(claim, CASES[claim]["reproduced"], seeds=seeds, scale="laptop")
        assert (found.verdict, found.scale) == ("undecided", "laptop")
        assert "too few replicates" in found.reason and found.numbers


@pytest.mark.parametrize("claim", CASES)
def test_undecided_with_a_missing_noise_level(claim):
    levels = CASES[claim]["reproduced"]
    gone = max(noise for _, noise in levels)
    rest = {place: given for place, given in levels.items() if place[1] != gone}
    found = put(claim, rest or {(name, 45): given for (name, _), given in levels.items()})
    assert found.verdict == "undecided" and f"missing noise level {gone:g} %" in found.reason


@pytest.mark.parametrize("claim", CASES)
def test_not_run_without_the_algorithm_the_groups_or_on_another_benchmark(claim):
    levels, benchmark = CASES[claim]["reproduced"], CASES[claim]["benchmark"]
    (name,) = {name for name, _ in levels}
    found = put(claim, {("one_shot", 0): [DENSE]})
    assert (found.verdict, found.reason) == ("not run", f"this table has no rows of {name}.")
    if claim != "TR-C15":  # it needs no groups
        bare = make({place: chain([9.0, 7.0, 8.0]) for place in levels}, benchmark)
        found = decide(claim, CLAIM_TESTS[claim], bare)
        assert (found.verdict, "no losses of groups" in found.reason) == ("not run", True)
    for other in set(NOISE_PERCENT) - set(CLAIM_BENCHMARKS[claim]):
        assert "speaks of" in put(claim, levels, other).reason


@pytest.mark.parametrize("claim", ["TR-C04", "TR-C05", "TR-C14", "TR-C15"])
def test_where_dense_is_best_there_is_no_sparse_network_to_speak_of(claim):
    levels = CASES[claim]["reproduced"]
    best = {place: [(5.0, 0.0, 0.0), *given[1:]] for place, given in levels.items()}
    found = put(claim, best)
    assert found.verdict == "undecided" and "the dense network is best" in found.reason


@pytest.mark.parametrize("claim", set(CASES) - {"TR-C15"})
def test_groups_of_two_replicates_do_not_decide(claim):
    made = table(CASES[claim]["reproduced"], CASES[claim]["benchmark"])
    fewer = dataclasses.replace(made, quantities=made.quantities.query("not (seed == 1 and level == 1)"))
    found = decide(claim, CLAIM_TESTS[claim], fewer)
    assert found.verdict == "undecided" and "too few replicates with losses of groups" in found.reason


def test_a_rise_within_one_standard_deviation_is_no_harm():
    slight = clean(
        (7.0, -0.1, -0.0005)
    )  # replicates lie 0, 0.001 and 0.002 above: a mean of half a deviation
    assert put("TR-C04", slight).verdict == "reproduced"
    found = put("TR-C04", clean((7.0, -0.1, 0.5)))
    assert "4 of 20 groups (group 17, 18, 19, 20 of 20" in found.reason


def test_the_ratio_is_given():
    found = put("TR-C05", clean((7.0, -0.1, -0.5)))
    assert found.numbers["effect_ratio"] == pytest.approx(0.499 / (0.1085 - 0.001), rel=1e-6)


def test_the_highest_improving_sparsity_must_be_reached_and_means_differ_by_network():
    assert put("TR-C06", clean(HELPED), LENET).verdict == "not reproduced", (
        "TR has a lower loss there on LeNet"
    )
    assert put("TR-C06", clean(HELPED, (8.0, -0.2, -0.3)), LENET).verdict == "reproduced"
    never = put("TR-C06", clean((9.5, -0.1, -0.1), (9.5, 0.1, 0.1)))
    assert (never.verdict, "no level has a lower test error" in never.reason) == ("undecided", True)
    found = put("TR-C06", {(LRR, 0): [DENSE, HELPED, PAST]})
    assert (found.verdict, "it still improves" in found.reason) == ("undecided", True)
    far = put("TR-C06", {(LRR, 0): [DENSE, HELPED, PAST]}, remaining=(100.0, 50.0, 1.5))
    assert far.verdict == "reproduced"


def test_what_the_figure_leaves_out_or_saturates_decides_nothing():
    for benchmark, noise in ((LENET, 5), (RESNET, 60)):
        levels = noisy(benchmark)
        levels[LRR, noise] = [DENSE, HELPED, PAST, LAST]
        found = put("TR-C14", levels, benchmark)
        assert found.verdict == "reproduced" and f"{noise} % decides nothing" in found.reason
        levels[LRR, NOISE_PERCENT[benchmark][1]] = [DENSE, HELPED, PAST, LAST]
        assert put("TR-C14", levels, benchmark).verdict == "not reproduced"


def test_both_ranges_of_weights_are_needed():
    found = put("TR-C37", clean(HELPED), remaining=(100.0, 20.0, 8.0, 0.9))
    assert (found.verdict, "26 to 80.5 %" in found.reason) == ("undecided", True)


def test_the_five_lengths_are_all_needed():
    made = table(everywhere(EDT, *[(9.0, -0.1, -0.1)] * 3), LENET)
    gone = dataclasses.replace(made, quantities=made.quantities.query("level != 2"))
    found = decide("TR-C38", CLAIM_TESTS["TR-C38"], gone)
    assert (found.verdict, "at level 2" in found.reason) == ("undecided", True)
