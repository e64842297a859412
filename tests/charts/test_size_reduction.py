import json

import pandas as pd
import pytest
import vl_convert

from lib.analysis.example_groups import GROUP_LOSS
from lib.analysis.schema import QUANTITIES, tidy
from lib.analysis.tables import Table
from lib.charts.algorithms import error_of_algorithms
from lib.charts.size_reduction import loss_change_of_groups
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up

BOTH = ("one_shot", "longer_width_downscaling")


def with_groups(scale="paper", names=BOTH, **changed):
    """A table of both algorithms whose losses by group rise with group, noise and level."""
    made = made_up.table(scale, **changed)
    rows = [
        {
            "algorithm": name,
            "noise_percent": noise,
            "seed": seed,
            "level": level,
            "quantity": GROUP_LOSS,
            "position": float(group),
            "value": 0.1 * group
            + level * (noise / 15) * (0.02 * group + 0.01 * order) * (1 + 0.1 * (seed - 1)),
            "stage_key": "0a",
        }
        for order, name in enumerate(names)
        for noise in made_up.ERRORS
        for seed in made.provenance.seeds
        for level in range(4)
        for group in range(1, 21)
    ]
    frame = pd.concat([made.frame.assign(algorithm=name) for name in names], ignore_index=True)
    return Table(frame, made.provenance, made.origin, tidy(rows, QUANTITIES))


def points(specification, algorithm, noise="15 %"):
    rows = made_up.rows_of(specification, "group")
    return {row["group"]: row for row in rows if (row["algorithm"], row["noise"]) == (algorithm, noise)}


def test_a_chart_is_complete_and_draws():
    tables = [with_groups(), with_groups("laptop", origin="this machine")]
    specification = loss_change_of_groups(tables, BOTH).to_dict()
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    told = specification["description"]
    assert (
        "at 15 % noise" in told
        and "one-shot pruning, 64 % of the weights: +0.0400 in group 1, +0.4000 in group 10, +0.8000 in group 20."
        in told
    )
    assert "between noise levels" in told and "between tables of results" in told
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg and "longer width down-scaling" in svg
    assert len(json.dumps(specification)) < 120_000
    menus = {p["name"]: p for p in specification["params"] if "bind" in p and "name" in p}
    assert (
        menus["noise_menu"]["bind"]["options"] == ["0 %", "15 %"] and menus["noise_menu"]["value"] == "15 %"
    )


def test_lines_are_mean_changes_at_the_optimum_and_bands_their_deviation():
    specification = loss_change_of_groups([with_groups()], BOTH).to_dict()
    pruned = points(specification, "one-shot pruning")
    assert sorted(pruned) == list(range(1, 21))
    assert {row["level"] for row in pruned.values()} == {2}, "the optimum of the validation errors"
    assert pruned[10]["mean"] == pytest.approx(0.4) and pruned[10]["std"] == pytest.approx(0.04)
    assert (pruned[10]["low"], pruned[10]["high"]) == pytest.approx((0.36, 0.44))
    assert points(specification, "longer width down-scaling")[10]["mean"] == pytest.approx(0.42)
    assert {row["mean"] for row in points(specification, "one-shot pruning", "0 %").values()} == {0}


def test_the_best_smaller_network_is_drawn_where_the_dense_one_is_best_and_the_note_says_so():
    made = with_groups()
    dense = (made.frame["subset"] == "validation") & (made.frame["level"] == 0)
    dense &= (made.frame["algorithm"] == "one_shot") & (made.frame["noise_percent"] == 15)
    made.frame.loc[dense, "error_percent"] = 0.1
    specification = loss_change_of_groups([made], BOTH).to_dict()
    assert {row["level"] for row in points(specification, "one-shot pruning").values()} == {2}
    assert "best smaller network is drawn: one-shot pruning at 15 %." in made_up.texts(specification)


def test_a_replicate_that_is_not_in_a_mean_is_counted():
    made = with_groups()
    gone = (made.quantities["seed"] == 2) & (made.quantities["algorithm"] == "one_shot")
    made = Table(made.frame, made.provenance, made.origin, made.quantities.loc[~gone])
    text = made_up.texts(loss_change_of_groups([made], BOTH).to_dict())
    assert "Not in the means: one-shot pruning, 1 of 3 replicates at 0 % noise" in text


def test_the_hovered_point_is_known_by_its_group():
    specification = loss_change_of_groups([with_groups()], BOTH).to_dict()
    pointed = next(p for p in specification["params"] if p["name"] == "pointed")
    assert "group" in pointed["select"]["fields"]
    rules = [layer for layer in specification["layer"] if layer["mark"]["type"] == "rule"]
    assert [rule["encoding"]["y"]["field"] for rule in rules] == ["zero"]


def test_tables_without_groups_are_left_out_and_none_is_refused():
    bare = made_up.algorithms("laptop")
    specification = loss_change_of_groups([bare, with_groups()], BOTH).to_dict()
    assert "table_menu" not in json.dumps(specification)
    some = loss_change_of_groups([with_groups(names=BOTH[:1])], BOTH).to_dict()
    assert "Not measured yet: longer width down-scaling." in made_up.texts(some)
    with pytest.raises(InputError, match="recompute=True"):
        loss_change_of_groups([bare], BOTH)


def test_curves_of_sizes_are_drawn_with_names_that_fit():
    made = made_up.table()
    names = ("learning_rate_rewinding", "extended_dense_training", "width_downscaling", *BOTH)
    frame = pd.concat([made.frame.assign(algorithm=name) for name in names], ignore_index=True)
    specification = error_of_algorithms([Table(frame, made.provenance)], BOTH).to_dict()
    legend = specification["layer"][0]["encoding"]["color"]["legend"]
    assert legend["values"] == ["one-shot pruning", "longer width down-scaling"]
