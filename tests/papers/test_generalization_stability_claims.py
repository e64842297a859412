"""GS's claims on tables made by hand: each in both decided states, and what single ones allow."""

import pytest

from lib.analysis.flatness import ALONG, COVARIANCE, CRITERION, DRAWN, EIGENVALUE_SUM, TOLERATED
from lib.analysis.measures import Case
from lib.analysis.normality import AFTER, BEFORE, DISTANCE
from lib.analysis.scoreboard import decide, read_statements
from lib.analysis.stability import LAST, LOWEST, STABILITY, WITHOUT_TARGETED
from papers.generalization_stability.claims import (
    CIFAR100,
    CLAIMS,
    OFTEN,
    RESNET18,
    RESNET18_SGD,
    SELDOM,
    STEP,
    VGG11,
    more_pruned,
    noises,
    rates_in_percent,
    scored,
)
from papers.generalization_stability.experiments import LESS_SHORTCUT, PAGES
from papers.generalization_stability.names import (
    FIGURE_2,
    FLAT,
    NONE,
    RATES,
    SCRATCH,
    STABLE,
    TARGETS,
    UNSTABLE,
    noised,
    pruned,
)
from papers.generalization_stability.recipes import BENCHMARKS
from tests.papers.generalization_stability_cases import configurations, table

STABILITIES, BETTER = (100.0, 99.9, 99.5, 97.0), (87.0, 87.2, 87.5, 88.0)


def figure_2(accuracies=BETTER, names=FIGURE_2):
    return configurations(names, STABILITIES[-len(names) :], accuracies)


def by_scores(first, second, score="expected"):
    """Figure 2's three, and those by another score, whose accuracies may follow stability less."""
    return figure_2(first, FIGURE_2[1:]) | figure_2(second, scored(score))


def worst(first, second):
    """Lowest stability of the stable configuration by the network's own score and by the signed one."""
    names = STABLE, pruned("smallest", 4, "signed_expected")
    return {name: {LOWEST: value} for name, value in zip(names, (first, second), strict=True)}


def sweep(accuracy, gains):
    """Figure 3: mean accuracy by rate, and by how much the largest target is better than the smallest."""
    found = {}
    for i, (rate, mean, gain) in enumerate(zip(RATES, accuracy, gains, strict=True)):
        names = [pruned(target, rate) for target in TARGETS]
        found |= configurations(names, [99.9 - i, 99.6 - i, 99.3 - i], [mean - gain / 2, mean, mean + gain / 2])
    return found


RISES, FALLS = (86.0, 86.5, 87.0, 87.3, 87.2, 86.6, 85.5), (87.0, 86.5, 86.0, 85.7, 86.0, 86.6, 87.5)
FLAT_RATES = (87.0,) * 7


def table_c1(more, accuracies=(87.6, 87.7, 88.0), stability=97.0):
    cells = configurations(FIGURE_2[1:], STABILITIES[1:], accuracies)
    names = [more_pruned(*one) for one in (("smallest", 4), ("smallest", 40), ("largest", 40))]
    return cells | configurations(names, (99.9, stability, 96.0), more)


def traditional(seldom, often=(94.0, 94.5), baseline=94.3, stabilities=(99.5, 98.0)):
    cells = configurations([NONE, *SELDOM], (100.0, *stabilities), (baseline, *seldom))
    return cells | configurations(OFTEN, (99.9, 99.8), often)


NOISY = (noised("zero", 1), noised("zero", 50), noised("zero", 1105), noised("gaussian", 1), noised("gaussian", 1105))
RESTORED = tuple(noised("zero", batches, restore=True) for batches in (89, 2480))


def noise(accuracies=(87.2, 87.5, 88.0, 87.3, 88.0), losses=(5.0, 4.0, 0.0, 5.0, 3.0), restored=(5.0, 6.0)):
    names = (NONE, pruned("largest", 40, more="normalization left"), *NOISY, *RESTORED)
    cells = configurations(names, [98.0] * len(names), (87.0, 88.0, *accuracies, 87.5, 88.0))
    for name, loss in zip((*NOISY, *RESTORED), (*losses, *restored), strict=True):
        last = cells[name][LAST]
        cells[name] = {**cells[name], WITHOUT_TARGETED: last - loss}
    return cells


SIX_STABLE, SIX_ACCURATE = (100.0, 99.9, 99.5, 97.0, 98.5, 100.0), (87.0, 87.2, 87.5, 88.0, 87.7, 86.9)


def six(sign=1, accuracy_sign=1, steep=1):
    """Figure 6's six: what is measured of flatness rises with stability, or falls; accuracy falls with it, or rises."""
    cells = configurations(FLAT, SIX_STABLE, [87 + accuracy_sign * (one - 87) for one in SIX_ACCURATE])
    for name, stable in zip(FLAT, SIX_STABLE, strict=True):
        sharp = sign * (stable - 98)
        rises = {
            place: {-STEP: 1 + h, 0.0: 1.0, STEP: 1 + h} for place, h in zip(DRAWN, (8, 4, 2, 1)[::steep], strict=True)
        }
        cells[name] = {
            **cells[name],
            f"test {EIGENVALUE_SUM}": 50 + sharp, f"test {COVARIANCE}": 20 + sharp, f"test {CRITERION}": 10 + sharp,
            TOLERATED: 5 - sharp, **{ALONG.format(place): losses for place, losses in rises.items()},
        }  # fmt: skip
    return cells


def hundred(scratch, small, large):
    names = (SCRATCH, *(pruned(target, 750, "signed_expected") for target in ("smallest", "largest")))
    return configurations(names, (100.0, 92.0, 87.0), (scratch, small, large))


def normal(before, early, late):
    layers = dict.fromkeys(map(float, range(1, 5)), early) | dict.fromkeys(map(float, range(5, 9)), late)
    return {NONE: {DISTANCE.format(BEFORE): dict.fromkeys(layers, before), DISTANCE.format(AFTER): layers}}


def shortcut(less):
    return configurations((UNSTABLE, pruned("largest", 40, more=LESS_SHORTCUT)), (97.0, 97.5), (88.0, less))


WORSE = BETTER[::-1]
LOOSE, LOOSER = (87.3, 87.9, 87.6), (87.4, 87.9, 87.4)

CASES = {
    "GS-C01": (figure_2(), figure_2(WORSE)),
    "GS-C02": (by_scores(LOOSE, BETTER[1:]), by_scores(BETTER[1:], WORSE[1:])),
    "GS-C03": (figure_2(), figure_2(WORSE)),
    "GS-C04": (by_scores(LOOSE, BETTER[1:]) | figure_2(BETTER[1:], scored("signed_expected")),
               by_scores(LOOSE, BETTER[1:]) | figure_2(LOOSER, scored("signed_expected"))),
    "GS-C05": (sweep(RISES, (0.2,) * 7), sweep(FALLS, (0.2,) * 7)),
    "GS-C06": (sweep(RISES, (0.4,) * 6 + (-0.4,)), sweep(RISES, (0.4,) * 7)),
    "GS-C07": (sweep(RISES, (0.4,) * 7), sweep(FALLS, (0.4,) * 7)),
    "GS-C08": (table_c1((87.6, 87.9, 87.5)), table_c1((87.6, 87.5, 88.3))),
    "GS-C09": (table_c1((87.6, 87.9, 87.5)), table_c1((87.6, 87.9, 87.5), stability=99.0)),
    "GS-C10": (traditional((94.0, 94.2)), traditional((94.5, 94.7))),
    "GS-C11": (traditional((94.0, 94.2)), traditional((94.0, 94.2), often=(94.5, 94.0))),
    "GS-C12": (traditional((94.0, 94.2)), traditional((94.6, 94.8))),
    "GS-C13": (noise(), noise((87.2, 87.5, 87.1, 87.3, 88.0))),
    "GS-C14": (noise(), noise(losses=(0.0, -1.0, 0.0, 5.0, 3.0))),
    "GS-C15": (noise(), noise(restored=(5.0, -1.0))),
    "GS-C16": (six(), six(-1)),
    "GS-C17": (six(), six(-1)),
    "GS-C18": (six(), six(steep=-1)),
    "GS-C19": (six(), six(-1)),
    "GS-C20": (six(), six(accuracy_sign=-1)),
    "GS-C21": (hundred(73.1, 73.2, 73.5), hundred(73.1, 73.5, 73.3)),
    "GS-C22": (normal(0.03, 0.1, 0.2), normal(0.03, 0.2, 0.1)),
    "GS-C23": (shortcut(87.5), shortcut(88.5)),
}  # fmt: skip
"""By claim: configurations with which it is reproduced, and with which it is not."""

OTHER_CASES = {
    ("GS-C02", RESNET18): (by_scores(LOOSE, BETTER[1:], "signed_expected"),
                           by_scores(BETTER[1:], WORSE[1:], "signed_expected")),
    ("GS-C04", RESNET18): (worst(98.0, 99.0), worst(99.0, 98.0)),
}  # fmt: skip
"""Where a claim asks something else of another benchmark."""

SPREAD = {"GS-C22": 0.002}


def benchmark_of(claim):
    return CLAIMS[claim][0][0]


def put(claim, cells, benchmark="", **more):
    made = table(cells, benchmark or benchmark_of(claim), spread=SPREAD.get(claim, 0.02), **more)
    return decide(claim, CLAIMS[claim], made)


@pytest.mark.parametrize("claim", CLAIMS)
def test_both_decided_states(claim):
    for state, cells in zip(("reproduced", "not reproduced"), CASES[claim], strict=True):
        found = put(claim, cells)
        assert found.verdict == state, found
        assert found.numbers


@pytest.mark.parametrize(("claim", "benchmark"), OTHER_CASES)
def test_both_decided_states_of_another_network(claim, benchmark):
    for state, cells in zip(("reproduced", "not reproduced"), OTHER_CASES[claim, benchmark], strict=True):
        found = put(claim, cells, benchmark)
        assert found.verdict == state, found


@pytest.mark.parametrize("claim", CLAIMS)
def test_two_runs_decide_nothing_and_other_networks_are_not_asked(claim):
    found = put(claim, CASES[claim][0], runs=2)
    assert found.verdict == "undecided" and "2 of the 3 r" in found.reason, found
    assert put(claim, {"something else": {STABILITY: 99.0}}).verdict == "not run"
    for other in set(BENCHMARKS) - set(CLAIMS[claim][0]):
        assert "speaks of" in put(claim, CASES[claim][0], other).reason


def test_every_claim_of_the_paper_has_a_test_and_one_page():
    ours = [one.id for one in read_statements() if one.paper == "generalization_stability"]
    assert ours == list(CLAIMS) and len(ours) == 23
    assert sorted(name for page in PAGES.values() for name in page.claims) == ours


def test_a_correlation_tells_the_one_within_configurations_too():
    found = put("GS-C01", figure_2())
    assert "within configurations r = " in found.reason
    assert "correlation within configurations of stability and best test accuracy" in found.numbers


def test_the_runs_that_are_not_pruned_enter_figure_6_and_not_figure_2():
    assert "over 18 runs of 3 configurations" in put("GS-C01", figure_2()).reason
    assert "over 36 runs of 6 configurations" in put("GS-C20", six()).reason


def test_an_order_with_one_step_the_other_way_does_not_hold():
    assert put("GS-C03", figure_2((87.0, 87.5, 87.2, 88.0))).verdict == "not reproduced"
    assert put("GS-C03", figure_2((87.0, 87.2, 87.2, 88.0))).verdict == "reproduced", "a step may be nothing"
    assert put("GS-C03", figure_2((87.0,) * 4)).verdict != "reproduced"


def test_a_correlation_of_the_other_sign_is_none_that_grew():
    assert put("GS-C02", by_scores(LOOSE, WORSE[1:])).verdict == "not reproduced"


def test_scores_that_chose_the_same_filters_show_nothing_of_a_sign():
    cells = by_scores(LOOSE, BETTER[1:])
    same = dict(zip(scored("signed_expected"), (cells[name] for name in scored("expected")), strict=True))
    found = decide("GS-C04", CLAIMS["GS-C04"], table(cells | same, VGG11, spread=0.0))
    assert found.verdict == "undecided" and "both scores chose the same filters" in found.reason, found


def test_rates_are_those_of_the_papers_axis():
    assert [round(share, 1) for share in rates_in_percent().values()] == [1.3, 6.4, 12.9, 18.0, 30.0, 45.0, 90.0]


def test_a_smaller_scale_may_have_fewer_rates():
    cells = sweep(RISES, (0.4,) * 6 + (-0.4,))
    some = {name: own for name, own in cells.items() if name.partition("every ")[2].split()[0] in ("4", "60", "300")}
    assert len(some) == 9
    assert [put(claim, some).verdict for claim in ("GS-C05", "GS-C06", "GS-C07")] == ["reproduced"] * 3
    few = {name: own for name, own in some.items() if "60" not in name}
    assert "at 2 rates" in put("GS-C05", few).reason


def test_one_rate_with_the_opposite_sign_refutes_that_all_are_negative():
    assert put("GS-C06", sweep(RISES, (0.4, 0.4, 0.4, -0.4, 0.4, 0.4, -0.4))).verdict == "not reproduced"
    assert put("GS-C06", sweep(RISES, (0.0, 0.4, 0.4, 0.4, 0.4, 0.4, 0.0))).verdict == "reproduced", "typically"
    assert put("GS-C06", sweep(RISES, (0.4, 0.0, 0.0, 0.0, 0.4, 0.4, 0.0))).verdict == "undecided"


def test_noises_are_found_by_name_from_few_batches_to_many():
    made = Case(table(noise(), VGG11), {})
    assert noises(made, "zero") == list(NOISY[:3]) and noises(made, "gaussian") == list(NOISY[3:])
    assert noises(made, "zero", restore=True) == list(RESTORED)


def test_filters_that_never_came_back_may_be_removed_without_any_change():
    cells = noise()
    longest = NOISY[2]
    cells[longest] = {**cells[longest], LAST: 100.0, WITHOUT_TARGETED: 100.0}  # exactly the same in every run
    assert put("GS-C14", cells).verdict == "reproduced"


def test_the_networks_of_the_traditional_set_up_are_asked_one_by_one():
    for benchmark in ("cifar10-resnet20", "cifar10-resnet56"):
        assert put("GS-C10", traditional((94.0, 94.2)), benchmark).verdict == "reproduced"
    assert benchmark_of("GS-C11") == RESNET18_SGD and benchmark_of("GS-C21") == CIFAR100
