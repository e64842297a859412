"""LIP's claims on tables made by hand: each in both decided states, and what single ones allow."""

from dataclasses import replace

import pandas
import pytest

from lib import data
from lib.analysis import statistics
from lib.analysis.excess_error import UNSEEN
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, SEPARATE_LEVEL
from lib.analysis.measures import NotRun
from lib.analysis.scoreboard import decide, read_statements
from papers.lost_in_pruning import claims
from papers.lost_in_pruning.claims import CIFAR, CLAIMS, DENSENET22, RESNET20, VGG16, WRN16_8, printed_ratio
from papers.lost_in_pruning.experiments import PAGES
from papers.lost_in_pruning.names import FT, PFP, SIPP, WT
from tests.papers.lost_in_pruning_cases import LEFT, NOISES, Networks, only, table

LEVELS = range(1, len(LEFT))


def distances(of_pruned, of_separate):
    """Distances by level of what WT and FT pruned, and of the separate network, alike at every level of noise."""

    def at(matching, level):
        return {
            quantity: {(k, noise): value - 0.1 * noise for noise in NOISES for k, value in zip(level, values, strict=True)}
            for quantity, values in ((MATCHING, matching), (SOFTMAX_DISTANCE, [1 - one / 100 for one in matching]))
        }  # fmt: skip

    pruned = Networks(clean=85.0, extra=at(of_pruned, LEVELS))
    return {WT: pruned, FT: pruned, SEPARATE: only(at([of_separate], [0]))}


JUDGES = (SEPARATE_LEVEL, 0, *LEVELS)


def pixels(shared=0.8, separate=0.3, last=0.2, by_filters=0.0, quantity=CONFIDENCE):
    """Confidence by chooser and judge: of relatives, of the separate network, and on the pixels of the last level."""

    def own(lower):
        cells = {
            (chooser, float(judge)): last if chooser == LEVELS[-1] != judge
            else 0.9 if chooser == judge
            else separate if SEPARATE_LEVEL in (chooser, judge)
            else shared - lower * (judge > 0)
            for chooser in JUDGES for judge in JUDGES
        }  # fmt: skip
        return Networks(clean=85.0, extra={quantity: cells})

    return {WT: own(0.0), FT: own(by_filters)}


def networks(*all_, **settings):
    return dict.fromkeys(all_, Networks(**settings))


NONE_LEFT = {"gaussian_noise": 0.0, "impulse_noise": 0.0, "shot_noise": 0.0}
FALLS, RISES, FLAT = (0, 1, 2, 3), (0, -1, -2, -3), (0, 0.3, -0.3, 0)
SIX = (0.0, 20.0, 40.0, 60.0, 80.0, 97.0)
MORE, LESS = (0, 0.2, 0.4, 0.6, 0.8, 1.0), (0, 1.0, 0.8, 0.6, 0.4, 0.2)
ORDER = {name: LEFT[place % 2 + 1] for place, name in enumerate(data.CORRUPTIONS)}
OVERTAKEN = {name: (0, 0, 0.8, 0.8) if ratio == LEFT[1] else ratio for name, ratio in ORDER.items()}
"""Half of the corruptions have the lower potential at δ = 0.5, and here the higher one from δ = 1 on."""


def beside(own, other):
    return own, other


WEAK, STRONG = networks(WT, FT, corrupted=(0, 2, 4, 6)), networks(WT, FT, corrupted=(0, 0.1, -0.1, 0.1))
LOST = {name: 40.0 for name in UNSEEN}
NO_FOG = {**LOST, "fog": 0.0}

CASES = {
    "LIP-C01": (distances((95, 90, 70), 80), distances((95, 75, 70), 80)),
    "LIP-C02": (distances((95, 90, 70), 80), distances((95, 75, 70), 80)),
    "LIP-C03": (distances((95, 90, 70), 80), distances((70, 80, 90), 80)),
    "LIP-C04": (pixels(), pixels(shared=0.3, separate=0.8)),
    "LIP-C05": (pixels(), pixels(last=0.85)),
    "LIP-C06": (pixels(by_filters=0.1), pixels(by_filters=-0.1)),
    "LIP-C07": (pixels(quantity=CONFIDENCE_CORRUPTED), pixels(shared=0.3, separate=0.8, quantity=CONFIDENCE_CORRUPTED)),
    "LIP-C08": (networks(WT, FT, noise={0.3: 40.0, 0.7: 0.0}), networks(WT, FT, noise={0.3: 40.0, 0.7: 85.0})),
    "LIP-C09": (networks(WT, FT), networks(WT, FT, noise={0.7: 40.0})),
    "LIP-C10": (networks(WT, FT, sets={**NONE_LEFT, "jpeg_compression": 97.0}), networks(WT, FT)),
    "LIP-C11": (networks(WT, FT), networks(WT, FT, clean=40.0, corrupted=97.0)),
    "LIP-C12": (networks(WT, FT, sets=NONE_LEFT), networks(WT, FT)),
    "LIP-C13": (beside(networks(WT), networks(WT, corrupted=97.0)), beside(networks(WT), networks(WT))),
    "LIP-C14": (networks(WT, FT, corrupted=FALLS), networks(WT, FT, corrupted=RISES)),
    "LIP-C15": (networks(WT, FT, corrupted=FLAT), networks(WT, FT, corrupted=FALLS)),
    "LIP-C16": (networks(WT, FT, removed=SIX, scatter=MORE), networks(WT, FT, removed=SIX, scatter=LESS)),
    "LIP-C17": (networks(WT, FT, sets=ORDER), networks(WT, FT, sets=OVERTAKEN)),
    "LIP-C18": (networks(WT) | networks(FT, clean=40.0, corrupted=0.0), networks(WT) | networks(FT, corrupted=85.0)),
    "LIP-C19": (beside(networks(WT, FT, sets=NONE_LEFT), networks(WT, FT)),
                beside(networks(WT, FT), networks(WT, FT, sets=NONE_LEFT))),
    "LIP-C20": (networks(WT), networks(WT, corrupted=85.0)),
    "LIP-C21": (networks(WT), networks(WT, clean=40.0)),
    "LIP-C22": (networks(WT, SIPP, corrupted=97.0), networks(WT, SIPP, corrupted=97.0, sets=LOST)),
    "LIP-C23": (beside(networks(WT, corrupted=85.0), networks(WT)), beside(networks(WT), networks(WT, corrupted=85.0))),
    "LIP-C24": (networks(WT, FT), networks(WT, FT, sets=NO_FOG)),
    "LIP-C25": (networks(WT, sets={"fog": 0.0}), networks(WT)),
    "LIP-C26": (beside(STRONG, WEAK), beside(WEAK, STRONG)),
    "LIP-C27": (beside(networks(WT, FT, error=15.0), networks(WT, FT, scatter=1.0)),
                beside(networks(WT, FT, scatter=1.0), networks(WT, FT, error=15.0))),
    "LIP-C28": (networks(WT, FT), networks(WT, FT, clean=0.0)),
}  # fmt: skip
"""By claim: networks with which it is reproduced, and with which it is not; two of them where tables are compared."""


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """The signs of these slopes are plain."""
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture(name="put")
def putting(monkeypatch):
    def put(claim, cells, benchmark="", **more):
        benchmark = benchmark or CLAIMS[claim][0][0]
        if isinstance(cells, tuple):
            cells, other = cells
            monkeypatch.setattr(claims, "table_of", lambda found, scale: table(other, found, **more))
        return decide(claim, CLAIMS[claim], table(cells, benchmark, **more))

    return put


@pytest.mark.parametrize("claim", CLAIMS)
def test_both_decided_states(claim, put):
    for state, cells in zip(("reproduced", "not reproduced"), CASES[claim], strict=True):
        found = put(claim, cells)
        assert found.verdict == state, found
        assert found.numbers and found.cases


@pytest.mark.parametrize("claim", CLAIMS)
def test_two_parents_decide_nothing_and_other_networks_are_not_asked(claim, put):
    found = put(claim, CASES[claim][0], parents=2)
    assert found.verdict == "undecided" and "2 of the 3 replicates" in found.reason, found
    assert put(claim, {"something else": Networks()}).verdict == "not run"
    assert "speaks of" in put(claim, CASES[claim][0], "mnist-lenet").reason


DECIDED_WHEN_SMALL = ("LIP-C03", "LIP-C06", "LIP-C16", "LIP-C18", "LIP-C27")


@pytest.mark.parametrize("claim", CLAIMS)
def test_parents_that_were_not_trained_to_their_end_decide_few_claims(claim, put):
    for state, cells in zip(("reproduced", "not reproduced"), CASES[claim], strict=True):
        found = put(claim, cells, scale="laptop")
        assert found.verdict == (state if claim in DECIDED_WHEN_SMALL else "undecided"), found
        assert ("not trained to their end" in found.reason) == (claim not in DECIDED_WHEN_SMALL)


def test_every_claim_of_the_paper_has_a_test_and_one_page():
    ours = [one.id for one in read_statements() if one.paper == "lost_in_pruning"]
    assert ours == list(CLAIMS) and len(ours) == 28
    assert sorted(name for page in PAGES.values() for name in page.claims) == ours


def test_exceptions_in_print_are_not_asked(put):
    lower, higher = networks(WT, SIPP), networks(FT, PFP, clean=40.0, corrupted=97.0)
    assert put("LIP-C11", lower | higher, DENSENET22).verdict == "reproduced"
    assert put("LIP-C11", lower | higher, RESNET20).verdict == "not reproduced"
    zero = networks(WT, sets=NO_FOG) | networks(SIPP)
    assert put("LIP-C24", zero | networks(PFP, sets=NO_FOG), "cifar10-densenet22-robust").cases == "1 of 1"


def test_what_cannot_be_pruned_at_all_has_no_potential_to_lose(put):
    for claim in ("LIP-C10", "LIP-C12", "LIP-C22"):
        found = put(claim, networks(WT, SIPP, clean=0.0, corrupted=0.0))
        assert found.verdict == "undecided" and "even on clean images" in found.reason


def test_levels_of_noise_below_the_papers_highest_are_not_enough(put):
    cells = {name: replace(own) for name, own in CASES["LIP-C08"][0].items()}
    made = table(cells)
    weak = made.with_frame(made.frame.query("position != 0.7"))
    assert "is 0.3, not 0.7" in decide("LIP-C08", CLAIMS["LIP-C08"], weak).reason


def test_what_can_be_pruned_of_one_parent_is_not_zero():
    for claim in ("LIP-C08", "LIP-C12"):
        nothing, something = (table(cells) for cells in CASES[claim])
        of_one = pandas.concat([nothing.frame.query("seed != 2"), something.frame.query("seed == 2")])
        assert decide(claim, CLAIMS[claim], nothing.with_frame(of_one)).verdict == "not reproduced"


def test_another_network_that_was_not_measured_leaves_a_comparison_not_run(monkeypatch):
    monkeypatch.setattr(claims, "committed_tables", lambda *given: [])
    with pytest.raises(NotRun, match="no table for cifar10-wrn16-8 at paper scale"):
        claims.table_of(WRN16_8, "paper")
    assert decide("LIP-C13", CLAIMS["LIP-C13"], table(networks(WT), VGG16)).verdict == "not run"


def test_only_resnet20_may_keep_a_slope_with_robust_training(put):
    slight = networks(WT, FT, corrupted=(0, 1, 2, 3))
    assert put("LIP-C26", beside(slight, WEAK)).verdict == "reproduced"
    assert put("LIP-C26", beside(slight, WEAK), "cifar10-vgg16-robust").verdict == "not reproduced"


def test_ratios_of_the_robust_tables_are_read_by_network_and_method():
    assert printed_ratio("cifar10-resnet20-robust", WT) == 87.5
    assert printed_ratio("cifar10-wrn16-8-robust", PFP) == 80.7
    assert all(printed_ratio(f"{name}-robust", FT) > 0 for name in CIFAR)
