"""Charts of paths, slices and distances, on hand-made tables."""

import json

import pytest
import vl_convert

from lib.analysis.tables import Table
from lib.charts.distance import differences, distance_and_error
from lib.charts.loss_landscape import loss_along_direction, loss_along_paths
from lib.charts.panels import LOWER, UPPER
from lib.charts.theme import VEGALITE_VERSION, specification
from lib.errors import InputError
from tests.charts.made_up import rows_of, texts
from tests.papers.landscape_cases import FALLING, table

CHARTS = (loss_along_paths, loss_along_direction, distance_and_error, differences)


def both():
    return [table(), table(scale="laptop", noise=40.0)]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_complete_and_draws(chart):
    shown = specification(chart(both()))
    assert "paper scale, 3 replicates" in texts(shown)
    told = shown["description"]
    assert "at 20 % label noise" in told and "NaN" not in told and "nan" not in told
    assert "A menu switches between tables of results." in told
    menus = {p["name"]: p["bind"]["options"] for p in shown["params"] if "options" in p.get("bind", {})}
    assert menus["noise_menu"] == ["20 %", "40 %"] and len(menus["table_menu"]) == 2
    svg = vl_convert.vegalite_to_svg(shown, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg and "undefined" not in svg
    assert len(json.dumps(shown)) < 160_000


@pytest.mark.parametrize("chart", CHARTS)
def test_a_table_without_quantities_is_left_out_and_none_is_refused(chart):
    whole = table()
    bare = Table(whole.frame, whole.provenance.model_copy(update={"scale": "laptop"}), "memory")
    assert "table_menu" not in json.dumps(specification(chart([bare, whole])))
    with pytest.raises(InputError, match="recompute=True"):
        chart([bare])


def test_lines_of_paths_are_means_and_their_networks_are_named():
    rows = rows_of(specification(loss_along_paths([table()])), "kind")
    assert {row["network"] for row in rows} == {"overfitting", "best sweet spot", "last sweet spot"}
    losses = [row for row in rows if row["kind"] == "loss" and row["examples"] == "training images"]
    assert {row["x"] for row in losses} == {round(0.04 * i, 6) for i in range(26)}
    assert {row["x"]: row["mean"] for row in losses}[0.52] == pytest.approx(FALLING[52])
    words = texts(specification(loss_along_paths([table()])))
    assert "overfitting 26.2 %, best sweet spot 13.4 %, last sweet spot 6.87 %" in words


def test_the_slices_have_the_dense_network_too():
    rows = rows_of(specification(loss_along_direction([table()])), "network")
    assert {row["network"] for row in rows} == {"dense", "overfitting", "best sweet spot", "last sweet spot"}
    middle = {row["network"]: row["mean"] for row in rows if row["x"] == 0}
    assert set(middle.values()) == {0.2}


def panels(chart):
    shown = specification(chart)
    return [
        {layer["encoding"]["y"]["scale"]["range"][0] for layer in part["layer"] if "scale" in layer["encoding"].get("y", {})}
        for part in shown["layer"]
        if "layer" in part
    ]  # fmt: skip


@pytest.mark.parametrize("chart", [loss_along_paths, distance_and_error, differences])
def test_each_panel_has_its_half_of_the_height(chart):
    assert panels(chart([table()])) == [{UPPER[0]}, {LOWER[0]}]


def test_rules_stand_where_the_curves_cross():
    rows = rows_of(specification(distance_and_error([table()])), "label")
    places = {
        what: [row["x"] for row in rows if row["what"] == what]
        for what in ("initialization", "test error (%)")
    }
    (distance,) = places["initialization"]
    first, second = places["test error (%)"]
    assert 13.4 < distance < 26.2 and 13.4 < first < 26.2 and 3.52 < second < 6.87


def test_differences_are_paired_by_seed():
    rows = rows_of(specification(differences([table()])), "mean")
    level = {row["what"]: row for row in rows if row["level"] == 2}
    assert level["initialization"]["mean"] == pytest.approx(0.5)
    assert level["initialization"]["std"] == 0, "both replicates carry the same deviation"
    assert level["test error (%)"]["mean"] == pytest.approx(6.0)
