"""Figures and sentences of LIP section 4: networks on one another's pixels, and beside their parent under noise."""

import datetime
import itertools
from typing import Any

import altair
import numpy
import pytest
import torch
from IPython.display import Markdown

from lib.analysis.distributions import REMOVED
from lib.analysis.function_distance import MATCHING, SEPARATE, SOFTMAX_DISTANCE
from lib.analysis.informative_pixels import CONFIDENCE, CONFIDENCE_CORRUPTED, SEPARATE_LEVEL, ShownImages
from lib.analysis.levels import TEST
from lib.analysis.part import Provenance, make_frame
from lib.analysis.table import SIZE, Table, assemble
from papers.lost_in_pruning import function_figures as figures
from papers.lost_in_pruning import function_observations as observations

OF_TABLES = {
    "same_function": ("agreement_under_noise", "agreement_by_ratio"),
    "informative_pixels": ("masks_on_images", "confidence_grid", "confidence_by_ratio"),
}
EVERY = [name for names in OF_TABLES.values() for name in names]
PRS = (0.0, 20.0, 50.0, 85.0)
METHODS = ("WT", "FT")


def made(seeds: int = 3, separate: bool = True, lost: float = 0.0, more: float = 5.0, scale: str = "paper") -> Table:
    """A pruned network agrees with its parent by `more` points than a separate one, less with each cut."""
    found, draw = [], numpy.random.default_rng(0)

    def add(algorithm: str, seed: int, level: int, quantity: str, value: float, position: float = 0.0) -> None:
        found.append({
            "noise_percent": 0.0, "algorithm": algorithm, "seed": seed, "level": level, "quantity": quantity,
            "position": position, "value": value, "stage_key": f"{algorithm} {seed} {level}",
        })  # fmt: skip

    for algorithm, seed in itertools.product(METHODS, range(seeds)):
        for level, removed in enumerate(PRS):
            add(algorithm, seed, level, REMOVED, removed)
            add(algorithm, seed, level, SIZE, 100 - removed)
            add(algorithm, seed, level, TEST, 10 + (level == 3) * 5 + 0.01 * float(draw.standard_normal()))
            for noise in (0.0, 0.1, 0.5) if level else ():
                match = 80 + more - level - lost * (algorithm == "FT") + 0.01 * float(draw.standard_normal())
                add(algorithm, seed, level, MATCHING, match - 20 * noise, noise)
                add(algorithm, seed, level, SOFTMAX_DISTANCE, (100 - match) / 100, noise)
        places = [0, 1, 2, 3, *([SEPARATE_LEVEL] if separate else [])]
        for quantity, chooser, judge in itertools.product((CONFIDENCE, CONFIDENCE_CORRUPTED), places, places):
            if not seed:
                own = 0.3 if SEPARATE_LEVEL in (chooser, judge) else 0.9 - 0.1 * abs(chooser - judge)
                add(algorithm, seed, chooser, quantity, own - 0.1 * (algorithm == "FT"), judge)
    for seed, noise in itertools.product(range(seeds if separate else 0), (0.0, 0.1, 0.5)):
        add(SEPARATE, seed, 0, MATCHING, 78 - 20 * noise, noise)
        add(SEPARATE, seed, 0, SOFTMAX_DISTANCE, 0.3, noise)
    provenance = Provenance(
        seeds=tuple(range(seeds)), device="2 CPU cores", precision="float32", stacking="sequential",
        date=datetime.date(2026, 11, 22), training_seconds=1.0, versions={}, numerics_version=1,
        measurements={"errors": "1"}, algorithms=METHODS,
    )  # fmt: skip
    frame = make_frame(found, ["noise_percent"], "part")
    return assemble(
        "lost_in_pruning", "cifar10-resnet20", scale, ("noise_percent",), [frame], {"part": provenance}, "committed"
    )


ORDER = list(range(1024))


def kept(separate: bool = True) -> ShownImages:
    """The parent and the network of the first cut choose the same pixels, the others pixels of their own."""
    networks = [
        {"algorithm": method, "seed": 0, "level": level, "removed": PRS[max(0, level)],
         "orders": [ORDER if level in (0, 1) else ORDER[::-1]] * 2, "predictions": [3, 5]}
        for method in METHODS for level in (0, 1, 3, *([SEPARATE_LEVEL] if separate else []))
    ]  # fmt: skip
    return ShownImages(torch.zeros(2, 32, 32, 3, dtype=torch.uint8), [3, 5], networks)


@pytest.fixture(autouse=True)
def _kept(monkeypatch):
    for module in (figures, observations):
        monkeypatch.setattr(module, "shown_images", lambda page, table: kept())


def said(name: str, *tables: Table) -> str:
    return str(getattr(observations, name)(tables).data)


@pytest.mark.parametrize(("name", "seeds"), [*itertools.product(EVERY, (1, 3))])
def test_every_figure_draws_one_parent_and_three(name, seeds):
    chart = getattr(figures, name)([made(seeds), made(seeds, scale="short")])
    assert isinstance(chart, altair.LayerChart), chart.data
    assert chart.to_dict()["description"]
    assert "What we see" in said(name, made(seeds))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_not_measured_is_said(name, monkeypatch):
    for module in (figures, observations):
        monkeypatch.setattr(module, "shown_images", lambda page, table: None)
    table = made()
    frame: Any = table.frame[table.frame["quantity"].isin([TEST, SIZE])]
    errors = table.with_frame(frame)
    for tables in ([], [errors]):
        assert isinstance(getattr(figures, name)(tables), Markdown)
        assert "Nothing to see yet" in said(name, *tables)


@pytest.mark.parametrize("page", OF_TABLES)
def test_what_was_learned_holds_with_one_parent_and_without_a_table(page):
    learned = getattr(observations, f"learned_{page}")
    assert "What we learned" in str(learned([made(1)]).data)
    assert "Nothing to learn yet" in str(learned([]).data)


@pytest.mark.parametrize("name", EVERY)
def test_without_a_separate_network_nothing_is_compared_with_one(name, monkeypatch):
    for module in (figures, observations):
        monkeypatch.setattr(module, "shown_images", lambda page, table: kept(separate=False))
    assert isinstance(getattr(figures, name)([made(1, separate=False)]), altair.LayerChart)
    assert "separate network of" not in said(name, made(1, separate=False))


def test_the_networks_nearest_to_the_papers_ratios_are_drawn():
    known = figures.ratios(made())
    assert known["WT", 3] == 85.0
    assert figures.nearest(known, "WT") == [1, 2, 3] and figures.nearest(known, "WT", (60.0,)) == [2]
    assert figures.nearest(known, "PFP") == []


def test_where_no_ratio_was_measured_weights_are_counted():
    table = made()
    frame: Any = table.frame[table.frame["quantity"] != REMOVED].copy()
    frame.loc[frame["quantity"] == SIZE, "value"] -= 1
    assert figures.ratios(table.with_frame(frame))["FT", 1] == 21.0


def test_the_separate_network_is_drawn_beside_every_method():
    chart: Any = figures.agreement_under_noise([made()])
    words = chart.to_dict()["description"]
    assert "0 %, separate network: first 78" in words and "85 %, pruned from it: first 82" in words


def test_agreement_that_every_pruned_network_has_is_told_as_the_papers():
    assert "in 18 of 18 cases" in said("agreement_under_noise", made())
    assert "This is as the paper has it." in said("agreement_under_noise", made())
    other = said("agreement_under_noise", made(lost=20.0))
    assert (
        "in 9 of 18 cases, the other way round in 9; where the test error is within 0.5 points of the parent's, in 6 of 12"
        in other
    )
    assert "The paper has it for all of them." in other


def test_few_parents_decide_nothing():
    assert "There are 2 parents: the spread over parents is not known." in said("agreement_under_noise", made(2))
    assert "as the paper has it" not in said("agreement_under_noise", made(2))
    assert "There is one parent: the spread over parents is not known." in said("confidence_by_ratio", made(3))


def test_the_course_with_the_prune_ratio_is_told():
    assert "as the paper has it" in said("agreement_by_ratio", made())
    table = made()
    frame = table.frame.copy()
    rising = (frame["algorithm"] == "FT") & (frame["quantity"] == MATCHING)
    frame.loc[rising, "value"] += 10 * frame.loc[rising, "level"]
    assert "agreement does not fall with it for FT" in said("agreement_by_ratio", table.with_frame(frame))


def test_another_answer_at_the_same_error_is_counted():
    assert "With 50 % removed by WT" in said("learned_same_function", made())
    assert "another answer on 16.99 ± 0.01 % of the images" in said("learned_same_function", made())


def test_shared_pixels_are_counted():
    told = said("masks_on_images", made())
    assert "a separate network chose 0.00 % too, over these 2 images" in told
    assert "WT 100.0 % (20 % removed) and 0.00 % (85 % removed)" in told


def test_confidence_both_ways_is_counted_and_weights_are_compared_with_filters():
    told = said("confidence_by_ratio", made())
    assert "On test images, 6 of 6 pruned networks are surer" in told and "on the pixels of 6 of 6" in told
    assert "All networks that keep the parent's test error are among them, as the paper has it." in told
    assert "the first is higher" in said("learned_informative_pixels", made())


def test_rows_and_columns_of_the_grid_run_from_the_parent_to_the_separate_network():
    chart: Any = figures.confidence_grid([made()])
    cells = chart.to_dict()["layer"][0]["encoding"]
    names = ["parent", "20 % removed", "50 % removed", "85 % removed", SEPARATE]
    assert cells["x"]["sort"] == names and cells["y"]["sort"] == names
