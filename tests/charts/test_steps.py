import pandas
import pytest
import torch

from lib.analysis.steps import KEPT, REMOVED, Step, histogram, pixel_counts
from lib.charts.steps import step_chart, step_sentence
from lib.charts.theme import specification
from lib.errors import InputError
from lib.stages import Prune
from tests.charts import made


def chain_of_two():
    weights = torch.linspace(-1, 1, 12).view(2, 6)
    every = torch.ones(2, 6, dtype=torch.bool)
    left = weights.abs() > 0.5
    cut = [(every, every, None, None), (every, left, Prune(fraction=0.5), 0.4545)]
    return [
        Step(
            level=level, weights_remaining_percent=100 * 0.5**level, remaining_before=12, remaining=int(now.sum()),
            epochs=(0, 3), cut=prune, threshold=threshold, weights=histogram("first", weights, before, now, weights, bins=4),
            pixels=pixel_counts(now, 2, 3), error_percent={"test": 5.0 + level, "validation": 6.0 - level},
        )
        for level, (before, now, prune, threshold) in enumerate(cut)
    ]  # fmt: skip


def test_panels_follow_one_slider_that_begins_with_the_first_cut():
    chart = step_chart(chain_of_two(), note="digits, seed 0.")
    made_of = specification(chart)
    (slider,) = [p for p in made_of["params"] if p["name"] == "level_slider"]
    assert slider["value"] == 1 and len(made_of["vconcat"]) == 3
    drawn = made.svg(chart)
    assert (
        "Weights left per pixel, of 2" in drawn
        and "Error at each level" in drawn
        and KEPT in drawn
        and REMOVED in drawn
    )
    assert "Level 1: of 12 weights the cut removed 6, all with |w| ≤ 0.455." in made_of["description"]


def test_a_convolution_has_no_map_and_an_unknown_level_is_refused():
    from dataclasses import replace

    done = [replace(step, pixels=None) for step in chain_of_two()]
    assert "per pixel" not in made.svg(step_chart(done, note="objects."))
    with pytest.raises(InputError, match="there are 0, 1"):
        step_chart(done, note="objects.", shown=7)


def test_a_level_is_said_in_a_sentence():
    dense, pruned = chain_of_two()
    assert step_sentence(dense) == "Level 0, dense: no cut. All 12 prunable weights train in epochs 0 to 3."
    assert "The other 6 (50 % of all) then trained in epochs 0 to 3." in step_sentence(pruned)
    assert isinstance(pruned.weights, pandas.DataFrame)
