"""Scatter, heat map, bars and images: what they carry, and that Vega draws them."""

import numpy
import pandas
import pytest

from lib.charts import bars, heatmap, images, scatter
from lib.charts.theme import specification
from lib.errors import InputError
from tests.charts import made

DISTANCE = "distance from initialization"


def test_scatter_sets_two_quantities_of_a_network_beside_each_other():
    errors = made.rows({0: [1.0, 2.0], 1: [3.0, 4.0], 2: [5.0, 6.5]})
    rows = made.together(errors, errors[errors["level"] < 2].assign(quantity=DISTANCE, value=errors["value"] * 2 + 1))
    chart = scatter(rows, x=DISTANCE, y=made.ERROR, fit=True, title="Distance and error")
    points = [row for row in made.sets(chart) if "seed" in row]
    assert [(row["x"], row["y"]) for row in points] == [(3.0, 1.0), (7.0, 3.0), (5.0, 2.0), (9.0, 4.0)]
    assert [(row["x"], row["y"]) for row in made.sets(chart) if "seed" not in row and "x" in row] == [
        (3.0, pytest.approx(1.0)), (9.0, pytest.approx(4.0)),
    ]  # fmt: skip
    assert DISTANCE in made.svg(chart)
    with pytest.raises(InputError, match="Allowed: distance from init"):
        scatter(rows, x="distance", y="test errors (%)", title="Distance and error")


def test_a_scatter_of_equals_draws_the_line_on_which_they_are_equal():
    first = made.rows({0: [1.0, 2.0], 1: [3.0, 5.0]}).assign(
        printed=[1.0, 2.0, 3.0, 4.0], measured=[4.0, 3.0, 2.0, 0.5]
    )
    drawn = scatter(first, x="printed", y="measured", equal=True, title="Two sources")
    assert [(row["x"], row["y"]) for row in made.sets(drawn) if "seed" not in row and "x" in row] == [
        (0.5, 0.5),
        (4.0, 4.0),
    ]
    assert "both are equal" in specification(drawn)["description"]


def test_a_caption_stands_below_a_fit():
    first = made.rows({0: [1.0, 2.0], 1: [3.0, 5.0]}).assign(x=[1.0, 2.0, 3.0, 4.0], y=[4.0, 3.0, 2.0, 0.0])
    drawn = scatter(first.assign(caption="τ = -1"), x="x", y="y", fit=True, title="Two columns")
    told = [row["text"] for row in made.sets(drawn) if "text" in row]
    assert "τ = -1" in told
    assert "τ = -1" in specification(drawn)["description"]
    bare = scatter(first, x="x", y="y", title="Two columns")
    assert len([row for row in made.sets(bare) if "text" in row]) == 1, "the note alone"


def test_a_heat_map_is_averaged_and_follows_its_slider():
    grid = [
        {"row": i, "column": j, "value": (i + j + s) * (1 + k), "seed": s, "level": k}
        for i in (0, 1)
        for j in (0, 1)
        for s in (0, 1)
        for k in (0, 2)
    ]
    chart = heatmap(
        pandas.DataFrame(grid),
        x="column",
        y="row",
        colour="weights left",
        slider="level",
        axes=False,
        title="Map",
    )
    (first, second) = made.lines_of(chart)
    assert first["mean"] == [0.5, 1.5, 1.5, 2.5] and (first["to"], second["from"]) == (1.0, 1.0)
    said = specification(chart)["description"]
    assert "from 0.5 to 2.5" in said, "of the position shown at the start, not of all"
    assert "weights left" in made.svg(chart)


def test_bars_stand_in_bins():
    bins = pandas.DataFrame(
        [
            {"start": s, "end": s + 1, "part": part, "value": v, "level": k}
            for k in (0, 1)
            for s, part, v in ((0, "kept", 3.0), (1, "removed", 5.0))
        ]
    )
    rules = pandas.DataFrame({"x": [0.5], "level": [1]})
    chart = bars(bins, x="start", to="end", y="weights", colour="part", slider="level", rules=rules, title="Cut")
    assert {(line["part"], *line["start"], *line["end"], *line["mean"]) for line in made.lines_of(chart)} == {
        ("kept", 0, 1, 3.0),
        ("removed", 1, 2, 5.0),
    }
    assert "The highest bar: 5 at 1." in specification(chart)["description"] and "removed" in made.svg(chart)


def test_images_have_a_text_each_and_menus_of_groups():
    told = pandas.DataFrame({"rank": [1, 2, 1], "examples": ["improved", "improved", "worsened"]})
    pictures = numpy.zeros((3, 8, 8), numpy.uint8)
    chart = images(
        pictures,
        captions=["7", "3\n(was 5)", "1"],
        marked=[False, True, False],
        told=told,
        menus=["examples"],
        title="Examples",
    )
    rows = [row for row in made.sets(chart) if "image" in row]
    assert [(row["column"], row["row"], row["examples"], row["marked"]) for row in rows] == [
        (0, 0, "improved", False),
        (1, 0, "improved", True),
        (0, 0, "worsened", False),
    ]
    assert all(row["image"].startswith("data:image/png;base64,") for row in rows)
    assert "Their texts, in order: 7; 3 (was 5)." in specification(chart)["description"] and "image" in made.svg(chart)
    with pytest.raises(InputError, match="caption"):
        images(pictures, captions=["7"], title="Examples")


def test_a_slider_chooses_among_images():
    told = pandas.DataFrame({"severity": [1, 1, 3, 3], "examples": ["a", "b", "a", "b"]})
    shades = numpy.arange(4, dtype=numpy.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    chart = images(shades, captions=[*"abab"], told=told, menus=["examples"], slider="severity", side=80, title="One")
    rows = [row for row in made.sets(chart) if "image" in row]
    assert [row["to"] for row in rows] == [2, 2, 1e9, 1e9] and len({row["image"] for row in rows}) == 4
    assert {(row["column"], row["row"]) for row in rows} == {(0, 0)}
    assert [one["name"] for one in chart.to_dict()["params"] if "slider" in one["name"]] == ["severity_slider"]


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (8, 8, 3), (3, 8, 8)])
def test_images_of_any_layout_are_taken(shape):
    images(numpy.random.default_rng(0).random((1, *shape)), captions=["a"], title="One")


def test_an_array_that_is_no_image_is_refused():
    with pytest.raises(InputError, match="channels"):
        images(numpy.zeros((1, 8, 8, 4)), captions=["a"], title="One")
