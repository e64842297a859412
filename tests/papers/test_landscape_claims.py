"""LN's claims on the loss surface and on distance, on hand-made tables: each in every state that it can have."""

import math
from typing import Any

import pytest

from lib.analysis.claims import decide, read_claims
from lib.analysis.distance import DISTANCE
from lib.analysis.tables import Table
from papers.label_noise.cases import REDENSE, WR
from papers.label_noise.claims import CLAIM_BENCHMARKS, CLAIM_TESTS
from tests.papers.landscape_cases import (
    ALPHA,
    BARRIER,
    FALLING,
    REDENSE_DISTANCES,
    REDENSE_ERRORS,
    RISE,
    SPARSE_DISTANCES,
    SPARSE_ERRORS,
    table,
)

OWN = ("LN-C14", "LN-C15", "LN-C16", "LN-C17", "LN-C18")
LIKE_ERRORS: dict[str, Any] = {"sparse_distances": SPARSE_ERRORS, "redense_distances": REDENSE_ERRORS}
REPRODUCED = {"LN-C18": LIKE_ERRORS}
NOT_REPRODUCED = {
    "LN-C14": {"path": BARRIER},
    "LN-C15": {"rise": {**RISE, 3: 5.0}},
    "LN-C16": {"sparse_distances": SPARSE_DISTANCES[::-1]},
    "LN-C17": {"sparse_distances": REDENSE_DISTANCES, "redense_distances": SPARSE_DISTANCES},
    "LN-C18": {},
}
ABSENT = {
    "LN-C14": ({"path": None}, "no paths"),
    "LN-C15": ({"rise": None}, "no losses along"),
    **{claim: ({"sparse_distances": ()}, "no distances") for claim in OWN[2:]},
}


def put(claim, made=None, **changed):
    return decide(claim, CLAIM_TESTS[claim], made or table(**changed), CLAIM_BENCHMARKS[claim])


@pytest.mark.parametrize("claim", OWN)
def test_claim_in_every_state(claim):
    assert claim in {one.id for one in read_claims()}
    good = REPRODUCED.get(claim, {})
    found = put(claim, **good)
    assert (found.verdict, bool(found.numbers)) == ("reproduced", True), found.reason
    assert put(claim, **NOT_REPRODUCED[claim]).verdict == "not reproduced"
    few = put(claim, **good, seeds=(0, 1))
    assert few.verdict == "undecided" and "too few replicates" in few.reason
    absent, why = ABSENT[claim]
    found = put(claim, **absent)
    assert found.verdict == "not run" and why in found.reason
    found = put(claim, noise=80.0)
    assert found.verdict == "not run" and "noise level" in found.reason
    whole = table(**good)
    alone = Table(whole.frame.query("algorithm == @WR"), whole.provenance, "memory", whole.quantities)
    assert put(claim, alone).verdict == "not run"


@pytest.mark.parametrize("claim", OWN[:4])
def test_the_noise_level_is_that_of_the_papers_figure(claim):
    assert put(claim, benchmark="cifar100-resnet18", noise=40.0).verdict == "reproduced"
    assert put(claim, benchmark="cifar100-resnet18", noise=20.0).verdict == "not run"
    assert put("LN-C18", benchmark="cifar100-resnet18", noise=40.0).verdict == "not run", "LeNet only"


def test_a_rise_below_a_hundredth_of_the_fall_is_no_barrier():
    """The path falls by 1.5 nats."""
    verdicts = {}
    for bump in (0.014, 0.016):
        path = list(FALLING)
        path[60] = path[59] + bump
        verdicts[bump] = put("LN-C14", path=path).verdict
    assert verdicts == {0.014: "reproduced", 0.016: "not reproduced"}


def test_many_small_rises_add_up_to_a_barrier():
    """Each step of the rise is below the tolerance of 0.014 nats, the whole is not."""
    path = [*FALLING[:50], *(FALLING[50] + 0.01 * k for k in range(20)), *FALLING[70:]]
    found = put("LN-C14", path=path)
    assert found.verdict == "not reproduced"
    assert found.numbers["largest_rise_at_level_2_nats"] == pytest.approx(0.19)


def test_a_path_that_rises_is_not_reproduced():
    assert put("LN-C14", path=FALLING[::-1]).verdict == "not reproduced"
    assert put("LN-C14", path=[1.0] * len(ALPHA)).verdict == "not reproduced"


def test_sharpness_is_the_rise_at_a_fifth_and_must_exceed_the_dense_one():
    found = put("LN-C15")
    assert found.numbers["dense_rise_nats"] == pytest.approx(1.0 * 1.01 * 0.04)
    assert found.numbers["rise_from_level_4_nats"] == pytest.approx(4.0 * 1.01 * 0.04)
    assert put("LN-C15", rise={**RISE, 0: 2.5}).verdict == "not reproduced"


def test_one_level_cannot_tell_whether_sharpness_rises():
    """The last error falls at once: no overfitting level, and both sweet spots are level 3."""
    errors = (10.0, 12.0, 12.0, 4.0, 12.0, 30.0)
    whole = table(sparse_errors=errors)
    first = whole.quantities["level"].isin([1, 2]) & (whole.quantities["algorithm"] == WR)
    cut = Table(
        whole.frame.query("level in (0, 3, 4, 5)"), whole.provenance, "memory", whole.quantities.loc[~first]
    )
    found = put("LN-C15", cut)
    assert found.verdict == "undecided"


def test_distance_reports_both_ways_to_count():
    found = put("LN-C16")
    assert "from the masked initialization" in found.reason
    assert found.numbers["rank_correlation_sparse"] == pytest.approx(-1)
    assert found.numbers["masked_rank_correlation_re-dense"] == pytest.approx(-1)


def test_signs_may_disagree_at_one_level_only():
    """At level 3 the sparse error is lower; with a distance above that of the re-dense network, signs disagree there."""
    once = [*SPARSE_DISTANCES[:3], 5.0, *SPARSE_DISTANCES[4:]]
    found = put("LN-C17", sparse_distances=once)
    assert (found.verdict, found.numbers["levels_that_disagree"]) == ("reproduced", 1)
    twice = {
        "sparse_errors": [10.0, 14.0, 15.0, 8.0, 5.0, 30.0],
        "redense_errors": [10.0, 12.0, 19.0, 13.0, 13.0, 14.0],
    }
    found = put("LN-C17", sparse_distances=once, **twice)
    assert (found.verdict, found.numbers["levels_that_disagree"]) == ("not reproduced", 2)


def test_beyond_the_sweet_spot_signs_do_not_count():
    """At the last level the sparse network is closer, and worse: that is underfitting."""
    assert SPARSE_ERRORS[5] > REDENSE_ERRORS[5] and SPARSE_DISTANCES[5] < REDENSE_DISTANCES[5]
    found = put("LN-C17")
    assert found.numbers["levels"] == 4 and found.numbers["levels_that_disagree"] == 0
    assert 13.4 < found.numbers["distance_crossing_1_weights_percent"] < 26.2
    assert 13.4 < found.numbers["error_crossing_1_weights_percent"] < 26.2


def test_a_strong_correlation_is_needed_of_both():
    found = put("LN-C18", **LIKE_ERRORS)
    assert found.numbers["correlation_with_error_sparse"] == pytest.approx(1, abs=1e-3)
    assert (
        put("LN-C18", **{**LIKE_ERRORS, "redense_distances": REDENSE_DISTANCES}).verdict == "not reproduced"
    )


def test_a_replicate_without_distances_is_missed():
    whole = table()
    gone = (whole.quantities["seed"] == 1) & (whole.quantities["quantity"] == DISTANCE)
    part = Table(whole.frame, whole.provenance, "memory", whole.quantities.loc[~gone])
    found = put("LN-C16", part)
    assert found.verdict == "undecided" and "too few replicates with distances" in found.reason
    short = whole.quantities["level"].isin([0, 1]) | (whole.quantities["algorithm"] == REDENSE)
    found = put("LN-C16", Table(whole.frame, whole.provenance, "memory", whole.quantities.loc[short]))
    assert found.verdict == "undecided" and "too few levels" in found.reason
    assert not any(math.isnan(value) for value in found.numbers.values())
