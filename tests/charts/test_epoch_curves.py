"""Charts of errors over the epochs: what they draw, say and offer, from a table whose telling levels are known."""

import dataclasses
import json

import pytest
import vl_convert

from lib.analysis.schema import QUANTITIES, tidy
from lib.charts.epoch_curves import error_by_examples, error_by_level
from lib.charts.redense import error_of_sparse_and_redense
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up, made_up_epochs
from tests.charts.made_up_epochs import EPOCHS, REDENSE, WR


def both(**changed):
    return made_up_epochs.table(algorithms=(WR, REDENSE), **changed)


def lines(specification, **wanted):
    return [row for row in made_up.rows_of(specification, "mean") if wanted.items() <= row.items()]


def menus(specification):
    return {
        p["name"]: p["bind"]["options"] for p in specification["params"] if "options" in p.get("bind", {})
    }


def colours(specification):
    """The encoding of the colours, the same in every layer that has one."""
    return next(
        layer["encoding"]["color"] for layer in specification["layer"] if "color" in layer["encoding"]
    )


def labels(specification):
    """The lookup that the legend's labels are read from."""
    expression = colours(specification)["legend"]["labelExpr"]
    return json.loads(expression[: expression.index("}") + 1]), expression


def drawn(specification):
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg
    return svg


def test_a_line_per_telling_level_with_its_size_in_the_legend():
    specification = error_by_level([made_up_epochs.table()], WR).to_dict()
    own = lines(specification, noise="20 %", images="test set")
    assert {row["network"]: row["level"] for row in own} == made_up_epochs.LEVELS[20.0]
    sweet = next(row for row in own if row["network"] == "last sweet spot")
    assert sweet["epochs_trained"] == list(range(1, EPOCHS + 1))
    assert (sweet["mean"][-1], sweet["std"][-1], sweet["low"][-1], sweet["high"][-1]) == (6.0, 0.3, 5.7, 6.3)
    assert set(sweet["replicates"]) == {3}
    lookup, expression = labels(specification)
    assert lookup["20 %last sweet spot"] == "last sweet spot (1.8 %)"
    assert expression.endswith("[noise_menu + datum.label] || datum.label + ' (none)'")
    svg = drawn(specification)
    assert "underfitting (0.47 %)" in svg and "overfitting (26.2 %)" in svg
    assert menus(specification) == {
        "noise_menu": ["20 %", "40 %"],
        "examples_menu": ["test set", "training set"],
    }


def test_two_names_of_a_level_are_one_line():
    specification = error_by_level([made_up_epochs.table()], WR, noise_percent=40.0).to_dict()
    own = lines(specification, noise="40 %", images="test set")
    assert [row["network"] for row in own] == ["dense", "overfitting", "best sweet spot", "underfitting"]
    assert labels(specification)[0]["40 %last sweet spot"] == "last sweet spot (as best sweet spot)"
    assert "last sweet spot (as best sweet spot)" in drawn(specification)


def test_a_level_that_does_not_exist_is_said_to_be_missing():
    table = made_up_epochs.table()
    frame = table.frame.query("level < 4 or noise_percent == 20")
    more = table.quantities.query("level < 3 or noise_percent == 20")
    frame = frame.query("level < 3 or noise_percent == 20")
    cut = dataclasses.replace(table, frame=frame, quantities=more)
    specification = error_by_level([cut], WR, noise_percent=40.0).to_dict()
    assert "underfitting (none)" in drawn(specification)
    captions = made_up.rows_of(error_by_examples([cut], [WR]).to_dict(), "caption")
    assert {row["caption"] for row in captions if row["network"] == "underfitting"} == {
        "underfitting: 0.47 % of the weights",
        "no underfitting at 40 % noise",
    }


def test_several_tables_have_a_menu_and_labels_of_their_own():
    tables = [made_up_epochs.table(), made_up_epochs.table("laptop", origin="this machine")]
    specification = error_by_level(tables, WR).to_dict()
    lookup, expression = labels(specification)
    assert "[table_menu + noise_menu + datum.label]" in expression
    assert {name.removeprefix(t.label) for t in tables for name in lookup if name.startswith(t.label)} >= {
        "20 %dense",
        "40 %dense",
    }
    assert menus(specification)["table_menu"] == [table.label for table in tables]
    assert len(json.dumps(specification)) < 120_000
    drawn(specification)


def test_a_line_per_kind_of_examples_of_one_network():
    specification = error_by_examples([made_up_epochs.table()], [WR], network="last sweet spot").to_dict()
    own = lines(specification, noise="20 %", network="last sweet spot")
    assert {row["examples"]: row["mean"][-1] for row in own} == {
        "noisy examples": 60.0,
        "original examples": 5.0,
        "restored examples": 20.0,
    }
    twice = lines(specification, noise="40 %", examples="noisy examples")
    assert {row["network"]: row["level"] for row in twice} == made_up_epochs.LEVELS[40.0], (
        "both sweet spots can be chosen"
    )
    axes = [
        layer["encoding"]["y"].get("scale")
        for layer in specification["layer"]
        if "color" in layer["encoding"]
    ]
    assert {"domain": [0, 100]} in axes
    svg = drawn(specification)
    assert "last sweet spot: 1.8 % of the weights" in svg
    assert "noisy examples: 60.00 in epoch 1" in specification["description"]
    assert "restored examples: 58.00 in epoch 1, lowest 20.00 in epoch 20" in specification["description"]


def test_the_second_phase_follows_the_first_and_a_rule_stands_between():
    specification = error_by_examples([both()], [WR, REDENSE], ("test", "train_noisy")).to_dict()
    noisy = lines(specification, noise="20 %", network="last sweet spot", examples="noisy examples")[0]
    assert noisy["epochs_trained"] == list(range(1, 2 * EPOCHS + 1))
    assert (noisy["mean"][EPOCHS - 1], noisy["mean"][-1]) == (60.0, 2.0)
    assert [row["end"] for row in made_up.rows_of(specification, "end")] == [EPOCHS]
    assert "Dotted: the end of weight rewinding" in made_up.texts(specification)
    alone = error_by_examples([made_up_epochs.table()], [WR, REDENSE]).to_dict()
    assert not made_up.rows_of(alone, "end") and "Dotted" not in made_up.texts(alone)
    assert "Not measured yet: re-dense training." in made_up.texts(alone)


def test_examples_keep_their_colour_over_the_charts_of_a_page():
    charts = [
        error_by_examples([both()], [WR], subsets).to_dict()
        for subsets in (("train_noisy", "train_restored"), ("test", "train_noisy"))
    ]
    domains = [colours(chart)["scale"]["domain"] for chart in charts]
    assert domains[0] == domains[1] and len(domains[0]) == 5
    legends = [colours(chart)["legend"]["values"] for chart in charts]
    assert legends == [["noisy examples", "restored examples"], ["test set", "noisy examples"]]


def test_one_replicate_has_a_line_without_a_band():
    specification = error_by_level([made_up_epochs.table(seeds=(1,))], WR).to_dict()
    row = lines(specification, noise="20 %", network="dense", images="test set")[0]
    assert set(row["std"]) == {None} and row["low"] == row["high"] == row["mean"]
    drawn(specification)


def test_tables_without_errors_of_epochs_are_left_out_and_none_is_refused():
    bare = dataclasses.replace(made_up_epochs.table("laptop"), quantities=tidy((), QUANTITIES))
    specification = error_by_level([bare, made_up_epochs.table()], WR).to_dict()
    assert "table_menu" not in json.dumps(specification)
    for chart in (lambda: error_by_level([bare], WR), lambda: error_by_examples([bare], [WR])):
        with pytest.raises(InputError, match="recompute=True"):
            chart()


def test_sparse_and_redense_ends_stand_side_by_side():
    specification = error_of_sparse_and_redense([both(), made_up_epochs.table("laptop")]).to_dict()
    own = lines(specification, noise="20 %", images="test set")
    assert "table_menu" not in json.dumps(specification), "the second table has no re-dense networks"
    means = {
        name: [row["mean"] for row in own if row["algorithm"] == name]
        for name in ("weight rewinding", "re-dense training")
    }
    assert means["weight rewinding"] == pytest.approx(made_up_epochs.LAST[20.0])
    assert means["re-dense training"] == pytest.approx([12.0] * 5)
    assert own[3]["std"] == pytest.approx(0.3)
    told = specification["description"]
    assert "weight rewinding: 12.00 at 100 % of the weights, lowest 6.00 at 1.8 % of the weights" in told
    assert menus(specification)["images_menu"] == ["test set", "noisy examples", "original examples"]
    drawn(specification)
    with pytest.raises(InputError, match="recompute=True"):
        error_of_sparse_and_redense([made_up_epochs.table()])
