import json

import pytest
import vl_convert

from lib.analysis.steps import LayerHistogram, Step
from lib.charts.steps import SLIDER, step_chart, step_sentence
from lib.charts.theme import VEGALITE_VERSION, specification
from lib.errors import InputError


def svg_of(chart):
    return vl_convert.vegalite_to_svg(specification(chart), vl_version=VEGALITE_VERSION)


def step(level, *, pixels=True, validation=True, score="magnitude"):
    """A level of a network with two layers and four pixels, of which each cut takes half."""
    left = 16 // 2**level
    errors = {"test": 10.0 - level, "train": 0.0} | (
        {"validation": 9.0 + abs(level - 1)} if validation else {}
    )
    layer = LayerHistogram("hidden.0.weight", 0.5, (left // 2, 0, left // 2), (0, left, 0), (left, 0, 0))
    return Step(
        level=level, weights_remaining_percent=100 / 2**level, remaining_before=left * (2 if level else 1),
        remaining=left, epochs=(0, 3), score=score if level else "", fraction=0.5 if level else 0.0,
        threshold=0.25 * level if level and score == "magnitude" else None, layers=(layer, layer),
        pixels=((left, 0), (0, left)) if pixels else None, weights_per_pixel=16, error_percent=errors,
    )  # fmt: skip


DONE = [step(0), step(1), step(2)]


def slider_of(chart):
    return next(p for p in specification(chart)["params"] if p["name"] == SLIDER)


def data_of(chart, field):
    """The rows of a chart's data sets that have a field."""
    return [row for rows in specification(chart)["datasets"].values() for row in rows if field in row]


def test_a_chain_is_drawn_with_one_slider_for_all_panels():
    chart = step_chart(DONE, note="digits, smoke scale.")
    slider = slider_of(chart)
    assert slider["value"] == 1, "the first cut is shown first"
    assert (slider["bind"]["min"], slider["bind"]["max"], slider["bind"]["step"]) == (0, 2, 1)
    svg = svg_of(chart)
    assert "NaN" not in svg and "Level 1: of 16 weights the cut removed 8" in svg
    assert "Level 2" not in svg, "one level at a time"
    other = svg_of(step_chart(DONE, note="digits, smoke scale.", shown=2))
    assert "Level 2: of 8 weights the cut removed 4" in other and other != svg
    assert [row["left"] for row in data_of(chart, "left")] == [[16, 0, 0, 16], [8, 0, 0, 8], [4, 0, 0, 4]]


def test_it_says_in_words_what_it_shows():
    description = specification(step_chart(DONE, note="digits, smoke scale."))["description"]
    assert "digits, smoke scale." in description
    assert "Level 2: of 8 weights the cut removed 4, all with |w| ≤ 0.5" in description
    assert "test error 8.00 %, validation error 10.00 %" in description
    assert "Lowest validation error: level 1." in description
    assert "A pixel has from 0 to 8 weights left" in description


def test_the_dense_network_has_no_cut_and_another_score_no_threshold():
    assert step_sentence(step(0)).startswith("Level 0, dense: no cut.")
    assert "by random" in step_sentence(step(1, score="random"))
    assert {row["part"] for row in data_of(step_chart([step(0)], note=""), "part")} == {"kept", "trained"}
    svg_of(step_chart([step(0)], note="", shown=0))
    svg_of(step_chart([step(0), step(1, score="random")], note=""))


def test_a_network_without_a_map_or_without_validation_images_is_drawn_too():
    plain = [step(level, pixels=False, validation=False) for level in (0, 1)]
    chart = step_chart(plain, note="")
    assert not data_of(chart, "left") and "Star" not in json.dumps(specification(chart)["title"])
    assert "NaN" not in svg_of(chart)


def test_twenty_two_levels_stay_small():
    one = step(1)
    pixels = tuple(tuple(300 for _ in range(28)) for _ in range(28))
    many = LayerHistogram("hidden.0.weight", 0.5, *(tuple(10_000 for _ in range(41)),) * 3)
    levels = [
        Step(**{**vars(one), "level": level, "pixels": pixels, "layers": (many, many)}) for level in range(22)
    ]
    assert len(json.dumps(specification(step_chart(levels, note="")))) < 250_000


def test_no_step_and_no_such_level_are_refused():
    with pytest.raises(InputError, match="no step"):
        step_chart([], note="")
    with pytest.raises(InputError, match="0, 1, 2"):
        step_chart(DONE, note="", shown=3)
