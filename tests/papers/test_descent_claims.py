"""LN's claims on the double descent: each test in every state that it can have, on tables made by hand."""

from collections.abc import Mapping, Sequence

import pytest

from lib.analysis.claims import decide, read_claims
from lib.analysis.epoch_errors import BEST
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.tables import Table
from papers.label_noise.cases import GRADIENT, RANDOM, WD, WR
from papers.label_noise.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from papers.label_noise.descent_claims import ALL_NOISE, DOUBLE_DESCENT_NOISE
from tests.analysis.hand_made import make

REMAINING = (100.0, 50.0, 20.0, 8.0, 2.0)
HUMP = (20.0, 26.0, 28.0, 9.0, 30.0)  # test error by level: up, down to the sweet spot, up
FLAT = (20.0, 20.0, 19.0, 18.0, 30.0)


def levels(test: Sequence[float], train: Sequence[float] = (), best: Sequence[float] = ()) -> list[dict]:
    """Levels of a chain, with training errors and best test errors; by default nothing but the last levels misfits."""
    train = train or [0.0] * (len(test) - 1) + [20.0]
    found = [{"test": t, "train": error} for t, error in zip(test, train, strict=True)]
    for level, value in zip(found, best, strict=False):
        level["best"] = value
    return found


def everywhere(noises: Sequence[float], **chains) -> dict:
    """The same chains at several noise levels."""
    return {(name, noise): chain for name, chain in chains.items() for noise in noises}


def by_noise(algorithm: str, *chains) -> dict:
    """One chain for each noise level of the paper."""
    return {(algorithm, noise): chain for noise, chain in zip(ALL_NOISE, chains, strict=False)}


def table(chains: Mapping, benchmark="mnist-lenet", **more) -> Table:
    """A table with the best test errors among its quantities; replicates differ by tenths of a point."""
    bare = {
        key: [{n: v for n, v in one.items() if n != "best"} for one in chain] for key, chain in chains.items()
    }
    made = make(bare, benchmark, remaining=REMAINING, **more)
    rows = [
        {
            "algorithm": name, "noise_percent": float(noise), "seed": seed, "level": level, "quantity": BEST,
            "position": 0.0, "value": one["best"] + 0.1 * (index % 3 - 1) * level, "stage_key": "ab",
        }
        for (name, noise), chain in chains.items()
        for index, seed in enumerate(made.provenance.seeds)
        for level, one in enumerate(chain)
        if "best" in one
    ]  # fmt: skip
    return Table(made.frame, made.provenance, made.origin, tidy(rows, QUANTITIES))


def scored(noises, magnitude, gradient, random):
    return everywhere(noises, **{WR: magnitude, GRADIENT: gradient, RANDOM: random})


def fits(*errors):
    """A chain told by its training errors."""
    return levels([20.0] * len(errors), errors)


def best(*errors):
    """A chain told by its best test errors."""
    return levels([20.0] * len(errors), best=errors)


BOTH = DOUBLE_DESCENT_NOISE
CASES = {
    "LN-C01": {
        "reproduced": everywhere(BOTH, **{WR: levels(HUMP)}),
        "not reproduced": everywhere([20], **{WR: levels(HUMP)}) | everywhere([40], **{WR: levels(FLAT)}),
    },
    "LN-C02": {
        "reproduced": everywhere(BOTH, **{WR: levels(HUMP)}),
        "not reproduced": everywhere(BOTH, **{WR: levels((20.0, 26.0, 28.0, 20.0, 30.0))}),
    },
    "LN-C03": {
        "reproduced": everywhere(BOTH, **{WR: best(9.0, 9.0, 9.0, 7.0, 12.0)}),
        "not reproduced": everywhere(BOTH, **{WR: best(9.0, 9.0, 9.0, 9.0, 12.0)}),
    },
    "LN-C04": {
        "reproduced": everywhere([80], **{WR: levels(FLAT)}),
        "not reproduced": everywhere([80], **{WR: levels(HUMP)}),
    },
    "LN-C08": {
        "reproduced": by_noise(WR, fits(0, 0, 0, 0.5, 30), fits(0, 0, 0.9, 4, 40), fits(0, 0, 1.0, 9, 50)),
        "not reproduced": by_noise(WR, fits(0, 0, 1.1, 4, 30), fits(0, 0, 0.9, 4, 40), fits(0, 2, 3, 9, 50)),
    },
    "LN-C09": {
        "reproduced": by_noise(WR, levels((9, 9, 5, 6, 30)), levels((9, 9, 9, 5, 30)), levels((9, 9, 9, 5, 30))),
        "not reproduced": by_noise(WR, levels((9, 9, 5, 6, 30)), levels((9, 9, 9, 5, 30)), levels((9, 4, 9, 5, 30))),
    },
    "LN-C10": {
        "reproduced": by_noise(WR, levels((9, 9, 5, 6, 30)), levels((9, 9, 9, 6, 30)), levels((9, 9, 9, 7, 30))),
        "not reproduced": by_noise(WR, levels((9, 9, 5, 6, 30)), levels((9, 9, 9, 7, 30)), levels((9, 9, 9, 6, 30))),
    },
    "LN-C11": {
        "reproduced": scored(BOTH, fits(0, 0, 0, 1, 30), fits(0, 0, 0.5, 5, 40), fits(0, 0.9, 2, 5, 50)),
        "not reproduced": scored(BOTH, fits(0, 0, 0, 1, 30), fits(0, 0, 0.5, 1, 40), fits(0, 0.9, 2, 5, 50)),
    },
    "LN-C12": {
        "reproduced": scored(BOTH, best(9, 8, 7), best(9, 8, 5), best(9, 8, 8))
        | scored([80], best(9, 8, 7.9), best(9, 8, 8.1), best(9, 8, 8.2)),
        "not reproduced": scored(BOTH, best(9, 8, 7), best(9, 8, 5), best(9, 8, 8))
        | scored([80], best(9, 8, 7), best(9, 8, 4), best(9, 8, 8)),
    },
    "LN-C19": {
        "reproduced": everywhere(BOTH, **{WR: fits(0, 0, 0, 3, 30), WD: fits(0, 0, 2, 3, 30)}),
        "not reproduced": everywhere(BOTH, **{WR: fits(0, 0, 0, 3, 30), WD: fits(0, 0, 0, 3, 30)}),
    },
    "LN-C20": {
        "reproduced": everywhere(BOTH, **{WR: levels(HUMP)}),
        "not reproduced": everywhere(BOTH, **{WR: levels(FLAT)}),
    },
    "LN-C21": {
        "reproduced": everywhere(BOTH, **{WR: fits(0, 0, 0, 9, 30), GRADIENT: fits(0, 2, 9, 20, 30)}),
        "not reproduced": everywhere(BOTH, **{WR: fits(0, 2, 9, 20, 30), GRADIENT: fits(0, 0, 0, 9, 30)}),
    },
}  # fmt: skip


def put(claim, chains, benchmark="mnist-lenet", **more):
    return decide(claim, CLAIM_TESTS[claim], table(chains, benchmark, **more), CLAIM_BENCHMARKS[claim])


@pytest.mark.parametrize("claim", CASES)
@pytest.mark.parametrize("state", ["reproduced", "not reproduced"])
def test_a_claim_is_decided(claim, state):
    found = put(claim, CASES[claim][state])
    assert found.verdict == state, found.reason
    assert found.reason.endswith(".") and found.numbers


@pytest.mark.parametrize("claim", CASES)
def test_two_replicates_decide_nothing(claim):
    found = put(claim, CASES[claim]["reproduced"], seeds=(0, 1))
    assert found.verdict == "undecided" and ("too few" in found.reason)


@pytest.mark.parametrize("claim", CASES)
def test_a_table_without_the_algorithms_decides_nothing(claim):
    found = put(claim, {("redense_training", 20.0): levels(HUMP)})
    assert (found.verdict, "no rows of" in found.reason) == ("not run", True)


@pytest.mark.parametrize("claim", ["LN-C01", "LN-C04", "LN-C08", "LN-C09", "LN-C10", "LN-C12", "LN-C20"])
def test_a_missing_noise_level_is_named(claim):
    chains = {key: chain for key, chain in CASES[claim]["reproduced"].items() if key[1] == 20}
    if claim == "LN-C04":
        chains = everywhere([20], **{WR: levels(FLAT)})
    found = put(claim, chains)
    assert found.verdict == "undecided" and "missing noise level" in found.reason


def test_the_claims_are_those_of_section_4_and_each_names_its_benchmarks():
    known = {claim.id: claim for claim in read_claims()}
    assert set(CASES) <= CLAIM_TESTS.keys() & CLAIM_BENCHMARKS.keys() & known.keys()
    assert put("LN-C20", CASES["LN-C20"]["reproduced"], "cifar10-resnet18").verdict == "not run"
    for claim in CASES:  # the formal test stands in the function's words
        words = " ".join((CLAIM_TESTS[claim].__doc__ or "").split())
        assert claim in words


def test_the_rise_and_the_fall_are_reported_where_they_are_largest():
    numbers = put("LN-C01", CASES["LN-C01"]["reproduced"]).numbers
    assert numbers["rise_error_percent_at_20"] == pytest.approx(8.0)
    assert numbers["fall_error_percent_at_20"] == pytest.approx(-19.0)
    assert numbers["weights_remaining_percent_at_rise_at_20"] == 20
    assert numbers["weights_remaining_percent_at_fall_at_20"] == 8
    found = put("LN-C01", everywhere(BOTH, **{WR: levels((20.0, 21.0, 22.0, 23.0, 24.0))}))
    assert found.reason.startswith("the last test error does not fall again at 20 %;")


def test_a_rise_within_one_deviation_is_none():
    """Level 2 of hand-made tables deviates by 0.2 from the dense one."""
    chains = everywhere(BOTH, **{WR: levels((20.0, 20.0, 20.15, 9.0, 30.0))})
    assert put("LN-C01", chains).verdict == "not reproduced"
    chains = everywhere(BOTH, **{WR: levels((20.0, 20.0, 20.25, 9.0, 30.0))})
    assert put("LN-C01", chains).verdict == "reproduced"


def test_the_rise_with_extreme_noise_counts_before_the_sweet_spot_only():
    late = everywhere([80], **{WR: levels((20.0, 20.0, 15.0, 26.0, 30.0))})
    found = put("LN-C04", late)
    assert found.verdict == "reproduced" and found.numbers["largest_rise_error_percent_at_80"] == 0


def test_no_threshold_is_no_answer():
    chains = dict(CASES["LN-C08"]["reproduced"])
    chains[WR, 80.0] = fits(5, 5, 6, 9, 50)
    found = put("LN-C08", chains)
    assert found.verdict == "undecided" and "at 80 % noise, the dense network neither" in found.reason
    chains = everywhere(BOTH, **{WR: fits(2, 2, 3, 4, 5), WD: fits(2, 2, 3, 4, 5)})
    assert put("LN-C19", chains).verdict == "undecided"


def test_one_task_may_have_another_best_score_but_not_two():
    good = CASES["LN-C12"]["reproduced"]
    behind = scored([20], best(9, 8, 5), best(9, 8, 7), best(9, 8, 8))
    extreme_too = good | behind  # at 80 % magnitude is ahead already
    assert put("LN-C12", extreme_too).verdict == "not reproduced"
    tied = scored([80], best(9, 8, 8), best(9, 8, 8), best(9, 8, 8.2))
    assert put("LN-C12", good | behind | tied).verdict == "reproduced"


def test_best_errors_that_are_not_there_are_told_apart():
    bare = everywhere(BOTH, **{WR: levels(HUMP)})
    found = put("LN-C03", bare)
    assert (found.verdict, found.reason) == ("not run", "this table has no best test errors over epochs.")
    half = everywhere([20], **{WR: best(9.0, 9.0, 9.0, 7.0, 12.0)}) | everywhere([40], **{WR: levels(HUMP)})
    found = put("LN-C03", half)
    assert found.verdict == "undecided" and "too few best test errors" in found.reason
