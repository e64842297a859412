import html
import json
import math
import re
from typing import Any

import numpy
import pandas
import pytest
import vl_convert

from lib.charts import advancing, lines
from lib.charts.behind import improving
from lib.charts.controls import LIT
from lib.charts.data import checked
from lib.charts.theme import FITTING_WIDTH, VEGALITE_VERSION, specification
from lib.errors import InputError
from tests.charts import made

OTHER, SIZE = "weight rewinding", made.SIZE


def two(**columns) -> Any:
    return made.together(
        made.rows({0: [6.0, 7.0, 8.0], 1: [5.0, 6.0, 7.0], 2: [9.0, 9.5, 10.0]}, **columns),
        made.rows({0: [6.0, 7.0, 8.0], 1: [8.0, 9.0, 10.0]}, algorithm=OTHER, **columns),
    )


def test_a_line_has_means_spreads_seeds_and_its_optimum():
    chart = lines(two(), x=SIZE, colour="algorithm", mark="optimum", title="Errors")
    first, second = made.lines_of(chart)
    assert first["algorithm"] == made.FIRST and second["algorithm"] == OTHER
    at = first["weights_remaining"].index(50.0)
    assert first["mean"][at] == 6.0 and first["std"][at] == 1.0 and (first["low"][at], first["high"][at]) == (5.0, 7.0)
    assert first["values"][at] == [5.0, 6.0, 7.0] and first["seeds"] == [0, 1, 2], "seeds once"
    assert [w for w, marked in zip(first["weights_remaining"], first["optimum"], strict=True) if marked] == [50.0]
    assert "3 replicates" in made.said(chart)[made.LABEL] and "Star" in made.said(chart)[made.LABEL]


def test_a_single_replicate_has_no_spread_anywhere():
    chart = lines(made.rows({0: [6.0], 1: [5.0]}), x=SIZE, title="Errors")
    (line,) = made.lines_of(chart)
    assert line["std"] == [None, None] and not {"low", "high"} & line.keys()
    assert "deviation" not in made.said(chart)[made.LABEL]
    assert not [mark for mark in made.marks(chart) if "standard deviation" in json.dumps(mark["encoding"])]
    mixed = lines(made.rows({0: [6.0, 7.0], 1: [5.0]}), x=SIZE, title="Errors")
    assert "isValid(datum.std) ?" in json.dumps(specification(mixed)), "a dash where there is no spread, not 0 (A18)"


def test_numbers_are_rounded_to_five_digits():
    (line,) = made.lines_of(lines(made.rows({0: [1 / 3, 2 / 3]}), x=SIZE, title="Errors"))
    assert line["mean"] == [0.5] and line["values"] == [[0.33333, 0.66667]] and line["std"] == [0.2357]


def test_the_dense_rule_stays_where_the_first_algorithm_is_missing():
    rows = made.together(two(noise_percent=0.0), two(noise_percent=20.0).query("algorithm == @OTHER"))
    chart = lines(rows, x=SIZE, colour="algorithm", menus=["noise_percent"], reference="dense, shared", title="Errors")
    rules = {row["noise_percent"]: row["mean"] for row in made.sets(chart) if isinstance(row.get("mean"), float)}
    assert rules == {"0 %": 7.0, "20 %": 7.0}


def test_references_are_dense_networks_numbers_or_rows():
    def rules(reference):
        chart = lines(two(), x=SIZE, colour="algorithm", reference=reference, title="Errors")
        return [row["mean"] for row in made.sets(chart) if isinstance(row.get("mean"), float)]

    assert rules("dense") == [7.0, 7.0] and rules("dense, shared") == [7.0] and rules(0.0) == [0.0]
    assert rules(made.rows({0: [1.0, 2.0]}, algorithm="another").drop(columns="algorithm")) == [1.5]
    with pytest.raises(InputError, match="dense, shared"):
        rules("dens")


def test_shading_leaves_out_what_lies_within_noise():
    noisy, clear = [4.0, 7.5, 9.0], [5.0, 6.1, 7.2]  # both have a lower mean than the dense network
    rows = checked(made.rows({0: [6.0, 7.0, 8.0], 1: noisy, 2: clear, 3: [7.0, 7.0, 7.0]}), [])
    found = improving(rows, ["table"])
    assert numpy.mean(noisy) < 7.0, "lower in the mean alone (A18)"
    (stretch,) = found.to_dict("records")
    assert stretch["left"] == pytest.approx(100 * 0.5**1.5, 1e-4) and stretch["right"] == pytest.approx(
        100 * 0.5**2.5, 1e-4
    )
    assert improving(rows[rows["seed"] < 2], ["table"]).empty, "two replicates say nothing"
    chart = lines(rows, x=SIZE, shade=rows, title="Errors")
    assert "Shaded" in made.said(chart)[made.LABEL]
    assert len([mark for mark in made.marks(chart) if mark["mark"]["type"] == "rect"]) == 1


def test_menus_begin_with_the_first_case_that_the_first_table_has():
    paper = two(table="paper", noise_percent=20.0)
    rows = made.together(paper, two(noise_percent=0.0), two(noise_percent=20.0))
    chart = lines(rows, x=SIZE, colour="algorithm", menus=["noise_percent"], title="Errors")
    assert made.menus(chart) == {"table_menu": ["paper", made.LABEL], "noise_percent_menu": ["0 %", "20 %"]}
    assert made.start(chart, "table_menu") == "paper" and made.start(chart, "noise_percent_menu") == "20 %"
    assert "Label noise: 20 % only" in made.said(chart)["paper"] and "only" not in made.said(chart)[made.LABEL]
    shown = {"table": made.LABEL, "noise_percent": 0.0}
    again = lines(rows, x=SIZE, colour="algorithm", menus=["noise_percent"], shown=shown, title="Errors")
    assert made.start(again, "noise_percent_menu") == "0 %"
    with pytest.raises(InputError, match="20 %"):
        lines(
            rows,
            x=SIZE,
            colour="algorithm",
            menus=["noise_percent"],
            shown={"noise_percent": 5.0},
            title="Errors",
        )


def test_a_slider_chooses_the_nearest_level_or_rings_it():
    rows = pandas.concat([two().assign(position=p, value=two()["value"] + p) for p in (1.0, 2.0, 3.0)])
    rows = rows[rows["algorithm"] == made.FIRST].query("level != 1")
    chosen = lines(rows, x="position", slider="level", title="Errors")
    ends = {line["mean"][0]: (line["from"], line["to"]) for line in made.lines_of(chosen)}
    assert ends == {8.0: (-1e9, 1.0), 10.5: (1.0, 1e9)}
    assert "Level 2: 25 % of the weights remain" in [
        (row.get("text") or "").replace("\u00a0", " ") for row in made.sets(chosen)
    ]
    ringed = lines(
        two(), x=SIZE, colour="algorithm", slider="level", rings=["level"], shown={"level": 2}, title="Errors"
    )
    assert made.start(ringed, "level_slider") == 2 and "from" not in made.lines_of(ringed)[0]
    assert "datum.level == level_slider" in json.dumps(specification(ringed))


def test_the_description_is_of_the_position_that_the_slider_shows():
    rows = pandas.concat([two().assign(n=n, value=two()["value"] * n) for n in (1, 10)])
    chart = lines(rows, x=SIZE, colour="algorithm", slider="n", shown={"n": 10}, title="Errors")
    assert f"{made.FIRST}: first 70 at 100, lowest 60 at 50" in specification(chart)["description"]


def test_a_logarithmic_axis_has_no_bands():
    chart = lines(made.rows({0: [1.0, 9.0], 1: [0.1, 0.2]}), x=SIZE, y_scale="log", title="Losses")
    (line,) = made.lines_of(chart)
    assert not {"low", "high"} & line.keys(), "mean - std is below zero at level 0"
    assert "bands" not in made.said(chart)[made.LABEL] and "dots" in made.said(chart)[made.LABEL]


def test_rings_are_labelled():
    chart = lines(
        two().assign(overfitting=two()["level"] == 2),
        x=SIZE,
        colour="algorithm",
        rings=["overfitting"],
        title="E",
    )
    assert (
        made.lines_of(chart)[0]["overfitting"].count(True) == 1
        and "overfitting 9.5 at 25" in specification(chart)["description"]
    )
    drawn = made.svg(chart)
    assert "overfitting" in drawn
    (label,) = re.findall(r'transform="translate\([\d.]+,([\d.]+)\)"[^>]*>overfitting<', drawn)
    assert 0 < float(label) < 60, "below the ring where it stands at the top, not over the note"


def test_the_note_names_what_is_missing_and_what_diverged():
    rows = two()
    rows.loc[(rows["seed"] == 2) & (rows["level"] > 0) & (rows["algorithm"] == OTHER), "value"] = math.nan
    rows = rows[~((rows["seed"] == 1) & (rows["level"] == 2))]
    note = made.said(lines(rows, x=SIZE, colour="algorithm", title="Errors"))[made.LABEL]
    assert f"seed 1, {made.FIRST} (missing from level 2)" in note and f"seed 2, {OTHER} (diverged from level 1)" in note


def test_names_of_levels_are_not_missing_but_algorithms_are():
    rows = made.together(two(noise_percent=0.0), two(table="paper").query("algorithm == @OTHER"))
    rows["network"] = rows["level"].map({0: "dense", 1: "optimum", 2: "recovery"})
    by_level = lines(rows, x="position", colour="network", menus=["algorithm"], title="Networks")
    assert "Not measured" not in made.said(by_level)["paper"], "no level of this table is called recovery"
    own = rows[rows["table"] != "paper"].assign(**{"parameters removed (%)": 40.0})
    other = rows[rows["table"] == "paper"].assign(**{"parameters removed (%)": 50.0})
    by_size = lines(made.together(own, other).query("algorithm == @OTHER"), x="position", colour="parameters removed (%)",
                    menus=["level"], title="Sizes")  # fmt: skip
    assert "Not measured" not in made.said(by_size)["paper"], "its plan has other sizes"
    by_algorithm = lines(rows, x=SIZE, colour="algorithm", title="Algorithms")
    assert f"Not measured: {made.FIRST}." in made.said(by_algorithm)["paper"]


def test_the_description_gives_the_numbers_shown_at_the_start():
    text = specification(lines(two(), x=SIZE, colour="algorithm", mark="optimum", title="Errors while pruning"))[
        "description"
    ]
    assert "Errors while pruning: test error (%) against weights remaining (%)" in text
    assert f"{made.FIRST}: first 7 at 100, lowest 6 at 50, highest 9.5 at 25, last 9.5 at 25, optimum 6 at 50." in text


def test_text_is_broken_where_its_place_ends():
    long = "A title that is so long that it does not fit a chart of this width, whatever its letters look like"
    chart = lines(two(), x=SIZE, colour="algorithm", key="Some more that is to be said of this. " * 3, title=long)
    spec = json.dumps(specification(chart))
    for room, letters, of_title in ((680, 101, 71), (300, 39, 25)):
        narrower = re.sub(re.escape(json.dumps(FITTING_WIDTH)), str(room), spec)
        drawn = vl_convert.vegalite_to_svg(narrower, vl_version=VEGALITE_VERSION)
        lines_of_text = [html.unescape(one) for one in re.findall(r">([^<>]+)</(?:text|tspan)>", drawn)]
        title = [one for one in lines_of_text if one in long.replace(" %", "\u00a0%")]
        assert len(title) > 1 and " ".join(title) == long and max(map(len, title)) <= of_title
        assert max(map(len, lines_of_text)) <= letters and "of this" in " ".join(lines_of_text)


def test_panels_share_the_horizontal_axis_and_dashes_are_explained():
    rows = made.together(two(), two(quantity="distance, no unit"))
    chart = lines(rows, x=SIZE, colour="algorithm", panels="quantity", title="Both")
    ranges = {
        tuple(m["encoding"]["y"]["scale"]["range"])
        for m in made.marks(chart)
        if "range" in m["encoding"].get("y", {}).get("scale", {})
    }
    assert ranges == {(190, 0), (420, 230)} and specification(chart)["height"] == 420
    legends = {
        json.dumps(m["encoding"]["color"]) for m in made.marks(chart) if "legend" in m["encoding"].get("color", {})
    }
    assert len(legends) == 1, "panels share one legend"
    dashed = lines(rows, x=SIZE, y="number", colour="algorithm", dash="quantity", title="Both")
    assert "Solid: test error (%). Dashed: distance, no unit." in made.said(dashed)[made.LABEL]
    with pytest.raises(InputError, match="need a title"):
        lines(rows, x=SIZE, colour="algorithm", dash="quantity", title="Both")


def test_colours_agree_among_figures_of_one_domain():
    chart = lines(two(), x=SIZE, colour="algorithm", domain=["another", OTHER, made.FIRST], title="Errors")
    colour = next(m["encoding"]["color"] for m in made.marks(chart) if m["mark"]["type"] == "line")
    assert colour["scale"]["domain"] == ["another", OTHER, made.FIRST]
    assert colour["legend"]["values"] == [OTHER, made.FIRST], "in the order of the domain"
    with pytest.raises(InputError, match="domain"):
        lines(two(), x=SIZE, colour="algorithm", domain=["another"], title="Errors")


@pytest.mark.parametrize("scale", ["linear", "zero", "log", "symlog"])
def test_every_scale_is_drawn_whatever_columns_are_called(scale):
    odd = two().rename(columns={SIZE: "it's 100 % [of]. x", "algorithm": "a.b's (%)"})
    drawn = made.svg(
        lines(odd, x="it's 100 % [of]. x", colour="a.b's (%)", x_scale="size", y_scale=scale, title="It's")
    )
    assert "learning-rate rewinding" in drawn and "it's 100 % [of]. x" in drawn


def test_an_axis_around_zero_has_ticks_for_the_smallest_case():
    small, large = two(noise_percent=0.0), two(noise_percent=15.0)
    rows = made.together(small.assign(value=small["value"] / 1e4), large)
    chart = lines(rows, x=SIZE, colour="algorithm", menus=["noise_percent"], y_scale="symlog", title="Changes")
    ticks = next(m["encoding"]["y"]["axis"]["values"] for m in made.marks(chart) if m["mark"]["type"] == "line")
    assert {-1e-4, 0.0, 1e-4, 10.0} <= set(ticks)


def test_a_seed_can_be_chosen_and_nothing_is_without_an_extent():
    rows = made.together(two(), two(table="short").query("seed == 0"))
    chart = lines(rows, x=SIZE, colour="algorithm", title="Errors")
    seed = next(p for p in specification(chart)["params"] if p["name"] == "seed")
    assert seed["bind"]["options"] == [None, 0, 1, 2] and "datum.seed" in seed["select"]["on"]
    paths = [m for m in made.marks(chart) if LIT in json.dumps(m.get("transform", []))]
    assert len(paths) == 1 and "datum.place == 0" in json.dumps(paths[0]["transform"])
    band = next(m for m in made.marks(chart) if m["mark"]["type"] == "area")
    assert "isValid(datum.low) ? datum.low : datum.mean" in json.dumps(band["transform"])
    alone = lines(two().query("seed == 0"), x=SIZE, colour="algorithm", title="Errors")
    assert not [p for p in specification(alone)["params"] if p["name"] == "seed"] and made.svg(alone)


def test_a_choice_without_numbers_says_so():
    rows = made.together(two(noise_percent=0.0), two(noise_percent=20.0), two(table="short", noise_percent=20.0))
    asked = json.dumps(specification(lines(rows, x=SIZE, colour="algorithm", menus=["noise_percent"], title="Errors")))
    assert "Not measured: choose another" in asked and "short | 20 %" in asked and "short | 0 %" not in asked
    whole = rows[rows["table"] != "short"]
    asked = json.dumps(specification(lines(whole, x=SIZE, colour="algorithm", menus=["noise_percent"], title="Errors")))
    assert "Not measured: choose another" not in asked


def test_a_chart_that_advances_is_whole_at_the_start():
    chart = advancing(two().query("algorithm == @made.FIRST"), colour="algorithm", title="Errors")
    spec = specification(chart)
    slider = next(p for p in spec["params"] if p["name"] == spec["usermeta"]["play"]["signal"])
    assert slider["value"] == slider["bind"]["max"] == 2 and slider["bind"]["min"] == 0
    assert "7 at first, 6 at the lowest, 9.5 at the last level" in spec["description"] and "NaN" not in made.svg(chart)
    with pytest.raises(InputError, match="several levels"):
        advancing(two().query("level == 0"), colour="algorithm", title="Errors")


def test_unknown_scales_are_refused():
    with pytest.raises(InputError, match="symlog"):
        lines(two(), x=SIZE, colour="algorithm", y_scale="symlgo", title="Errors")


def test_a_label_that_a_phone_would_cut_is_broken_at_its_last_comma():
    def said(algorithm: str) -> str:
        rows = two()
        drawn = lines(rows.replace({"algorithm": {OTHER: algorithm}}), x=SIZE, colour="algorithm", title="Errors")
        return json.dumps(specification(drawn))

    assert "labelExpr" not in said("every epoch, 10 % a layer")
    assert "lastindexof" in said("the smallest filters every single epoch, 10 % a layer")
