"""Charts of loss changes by group: what they draw, what their slider shows, and what they say."""

import dataclasses
import json

import pytest
import vl_convert

from lib.charts import groups
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up, made_up_groups

LRR, EDT, WIDTH = made_up_groups.ALGORITHMS
CHARTS = {
    "two": lambda tables: groups.change_at_two_levels(tables, noise_percent=15.0),
    "optimum": groups.change_at_optimum,
    "each": lambda tables: groups.change_at_each_level(tables, LRR, title="Level by level"),
}


def rows(specification, **wanted):
    """The rows of the lines that have these values, easiest group first."""
    found = made_up.rows_of(specification, "percentile")
    found = [row for row in found if all(row[key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda row: row["percentile"])


def parameter(specification, name):
    return next(p for p in specification["params"] if p["name"] == name)


def svg_of(specification):
    return vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)


@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_complete_and_draws(draw):
    tables = [made_up_groups.table(), made_up_groups.table("laptop", origin="this machine")]
    specification = draw(tables).to_dict()
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    assert parameter(specification, "table_menu")["bind"]["options"][1].startswith("laptop")
    assert "of 20 groups" in specification["description"] and "nats" in specification["description"]
    svg = svg_of(specification)
    assert "NaN" not in svg and "undefined" not in svg and svg.count("<path") > 20
    assert "hardest right" in svg and "change of training loss (nats)" in svg
    scale = next(
        layer["encoding"]["y"]["scale"]
        for layer in specification["layer"]
        if "scale" in layer["encoding"]["y"]
    )
    assert scale["type"] == "symlog" and 0 < scale["constant"] < 1
    assert len(json.dumps(specification)) < 120_000


def test_points_are_means_of_paired_differences():
    specification = groups.change_at_each_level([made_up_groups.table()], LRR, title="Pruning").to_dict()
    line = rows(specification, noise="0 %", level=3)
    assert [row["percentile"] for row in line[:2]] == [2.5, 7.5] and len(line) == 20
    assert (line[0]["share"], line[-1]["share"]) == ("0 to 5 %", "95 to 100 %")
    for group, row in enumerate(line, 1):
        loss = made_up_groups.dense_loss(group)
        assert row["el2n"] == pytest.approx(0.05 * group)
        assert row["dense_loss"] == pytest.approx(loss, rel=1e-3)
        assert row["mean"] == pytest.approx(loss * (2.0 if group > 10 else -0.3), rel=1e-3)
        assert row["std"] == pytest.approx(0.1 * loss, rel=1e-2)
        assert (row["low"], row["high"]) == pytest.approx(
            (row["mean"] - row["std"], row["mean"] + row["std"]), rel=1e-2
        )


def test_the_two_levels_are_named_in_the_note():
    table = made_up_groups.table()
    specification = groups.change_at_two_levels([table], noise_percent=15.0).to_dict()
    assert {row["level"] for row in rows(specification, line=groups.BEST)} == {2}
    assert {row["level"] for row in rows(specification, line=groups.HIGHEST)} == {3}
    said = made_up.texts(specification)
    assert "Lowest validation error: level 2; sparsest that improves: level 3." in said
    clean = groups.change_at_two_levels([table]).to_dict()
    assert {row["line"] for row in rows(clean)} == {groups.BEST}
    assert (
        "0 % label noise. Lowest validation error: level 1; sparsest that improves: none."
        in made_up.texts(clean)
    )


def test_where_nothing_is_better_than_dense_the_line_is_zero():
    table = made_up_groups.table()
    table.frame["error_percent"] = 5.0 + table.frame["level"]
    for chart in (groups.change_at_two_levels([table]), groups.change_at_optimum([table])):
        specification = chart.to_dict()
        assert {row["mean"] for row in rows(specification)} == {0.0}
        svg = svg_of(specification)
        assert "NaN" not in svg and ">0</text>" in svg and ">+1</text>" in svg and ">−1</text>" in svg
    said = made_up.texts(groups.change_at_two_levels([table]).to_dict())
    assert "Lowest validation error: the dense network; sparsest that improves: none." in said


def test_at_the_optimum_a_line_per_noise_level_which_is_zero_where_dense_is_best():
    table = made_up_groups.table()
    assert {(row["noise"], row["level"]) for row in rows(groups.change_at_optimum([table]).to_dict())} == {
        ("0 %", 1),
        ("15 %", 2),
    }
    dense = (table.frame["noise_percent"] == 0) & (table.frame["level"] == 0)
    table.frame.loc[dense & (table.frame["subset"] == "validation"), "error_percent"] = 0.1
    specification = groups.change_at_optimum([table]).to_dict()
    assert {row["mean"] for row in rows(specification, noise="0 %")} == {0.0}
    assert {row["level"] for row in rows(specification, noise="15 %")} == {2}
    assert "The dense network is best at 0 %" in made_up.texts(specification)


def test_the_slider_shows_the_nearest_measured_level():
    table = made_up_groups.table()
    gone = dataclasses.replace(table, quantities=table.quantities.query("level != 2 or noise_percent == 15"))
    specification = groups.change_at_each_level([gone], LRR, title="Pruning").to_dict()
    slider = parameter(specification, "level_slider")
    assert (slider["value"], slider["bind"]["min"], slider["bind"]["max"]) == (1, 1, 3)
    for noise, shown in (("0 %", [1, 1, 3]), ("15 %", [1, 2, 3])):
        for position, level in zip((1, 2, 3), shown, strict=True):
            seen = [row for row in rows(specification, noise=noise) if row["first"] < position <= row["last"]]
            assert {row["level"] for row in seen} == {level} and len(seen) == 20


@pytest.mark.parametrize(("position", "error"), [(1, "20.30 ± 0.30"), (3, "10.00 ± 0.30")])
def test_the_chart_says_the_test_error_of_the_level_it_shows(position, error):
    chart = groups.change_at_each_level([made_up_groups.table()], LRR, title="Pruning", noise_percent=15.0)
    specification = chart.to_dict()
    assert parameter(specification, "noise_menu")["value"] == "15 %"
    parameter(specification, "level_slider")["value"] = position
    svg = svg_of(specification)
    assert f"Test error {error} %, dense 13.80 %" in svg
    assert f"Level {position}:" in svg and svg.count(">Test error") == 1


def test_one_level_and_one_noise_need_no_controls():
    table = made_up_groups.table()
    few = dataclasses.replace(
        table,
        frame=table.frame.query("noise_percent == 0"),
        quantities=table.quantities.query("noise_percent == 0 and level < 2"),
    )
    specification = groups.change_at_each_level([few], EDT, title="Longer").to_dict()
    assert {p["name"] for p in specification["params"]} & {
        "level_slider",
        "noise_menu",
        "table_menu",
    } == set()
    assert "Level 1: 120 epochs of training" in svg_of(specification)


def test_a_missing_replicate_is_named():
    table = made_up_groups.table()
    gone = dataclasses.replace(table, quantities=table.quantities.query("not (seed == 2 and level == 3)"))
    specification = groups.change_at_each_level([gone], LRR, title="Pruning").to_dict()
    assert "Not in the means: seed 2 at 0 % noise, level 3;" in made_up.texts(specification)
    assert {row["replicates"] for row in rows(specification, level=3)} == {2}
    single = groups.change_at_each_level([made_up_groups.table(seeds=(0,))], LRR, title="Pruning").to_dict()
    assert "NaN" not in svg_of(single)


def test_tables_without_groups_are_skipped_or_refused():
    other = made_up.algorithms("laptop", names=(LRR,))
    specification = groups.change_at_optimum([made_up_groups.table(), other]).to_dict()
    assert "table_menu" not in json.dumps(specification["params"])
    for draw in CHARTS.values():
        with pytest.raises(InputError, match="better_training"):
            draw([other])
        with pytest.raises(InputError, match="at least one table"):
            draw([])
