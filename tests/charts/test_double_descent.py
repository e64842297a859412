import json

import pandas as pd
import pytest
import vl_convert

from lib.analysis.tables import Table
from lib.charts.averages import optima
from lib.charts.double_descent import (
    LAST,
    LOWEST,
    MEASURED,
    TRAIN,
    errors_by_score,
    errors_while_pruning,
    loss_change_by_score,
)
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up, made_up_noise
from tests.charts.made_up_noise import KEPT, SCORES

CHARTS = (errors_while_pruning, errors_by_score, loss_change_by_score)


def rows(specification, noise="40 %", algorithm="magnitude score"):
    """The drawn points of one score at one noise level, by line and level."""
    return {
        (row["examples"], row["level"]): row
        for row in made_up.rows_of(specification, "replicates")
        if (row["noise"], row["algorithm"]) == (noise, algorithm)
    }


def menus(specification):
    return {p["name"]: p for p in specification["params"] if str(p["name"]).endswith("_menu")}


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_complete_and_draws(chart):
    tables = [made_up_noise.table(), made_up_noise.table("laptop", origin="this machine")]
    specification = chart(tables, SCORES).to_dict()
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    assert "table_menu" in menus(specification) and menus(specification)["noise_menu"]["value"] == "40 %"
    told = specification["description"]
    assert "at 40 % noise" in told and "between noise levels" in told and "2 tables of results" in told
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg
    assert len(json.dumps(specification)) < 150_000


def test_lines_are_means_and_best_errors_come_from_the_quantities():
    found = rows(errors_while_pruning([made_up_noise.table()], SCORES).to_dict())
    assert {what for what, _ in found} == {TRAIN, LAST, LOWEST}
    assert found[LAST, 2]["mean"] == pytest.approx(41.0) and found[LAST, 2]["std"] == pytest.approx(0.3)
    assert (found[LAST, 2]["low"], found[LAST, 2]["high"]) == pytest.approx((40.7, 41.3))
    assert found[LOWEST, 2]["mean"] == pytest.approx(41.0 * 2 / 3, abs=1e-4)
    assert found[TRAIN, 3]["mean"] == 3.0
    assert found[TRAIN, 3]["weights_remaining_percent"] == pytest.approx(100 * KEPT**3)
    assert found[LOWEST, 1]["epochs_trained"] == 400


def test_the_peak_and_the_dip_of_the_last_test_error_are_marked_with_their_size():
    specification = errors_while_pruning([made_up_noise.table()], SCORES).to_dict()
    for noise, peak, dip in (("20 %", 3, 5), ("40 %", 2, 6)):
        marked = {place for place, row in rows(specification, noise).items() if row["marked"]}
        assert marked == {(LAST, peak), (LAST, dip)}
    signs = {
        row["text"]
        for row in made_up.rows_of(specification, "mark")
        if (row["noise"], row["algorithm"]) == ("40 %", "magnitude score")
    }
    assert signs == {"overfitting: 16 % left", "sweet spot: 0.41 % left"}
    told = "Marked on the last test error: overfitting at 16 % left, sweet spot at 0.41 % left."
    assert told in specification["description"]
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert svg.count(">overfitting: ") == 1, "only that of the chosen score and noise level is drawn"


def test_one_replicate_without_best_errors_is_drawn_unmarked():
    made = made_up_noise.table(seeds=(0,), noises=(20.0,), names=SCORES[:1])
    bare = Table(made.frame, made.provenance, made.origin)
    specification = errors_while_pruning([bare], SCORES).to_dict()
    assert not menus(specification) and not made_up.rows_of(specification, "mark")
    found = rows(specification, "20 %")
    assert {what for what, _ in found} == {TRAIN, LAST} and not any(row["marked"] for row in found.values())
    assert "Not measured yet: weight rewinding, gradient score" in made_up.texts(specification)
    vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)


def test_scores_are_told_apart_and_a_menu_chooses_the_test_error():
    specification = errors_by_score([made_up_noise.table()], SCORES).to_dict()
    legend = specification["layer"][0]["encoding"]["color"]["legend"]
    assert legend["values"] == ["magnitude score", "gradient score", "random score"]
    assert menus(specification)["test_menu"]["bind"]["options"] == [LAST, LOWEST]
    assert rows(specification, algorithm="random score")[TRAIN, 1]["mean"] == 8.0
    assert not any(row.get("marked") for row in made_up.rows_of(specification, "replicates"))


def test_both_test_errors_are_solid_and_the_training_error_dashed():
    solid = {}
    for kind in (LAST, LOWEST):
        specification = errors_by_score([made_up_noise.table()], SCORES).to_dict()
        menus(specification)["test_menu"]["value"] = kind
        svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
        solid[kind] = svg.count('stroke-dasharray="1,0"'), svg.count('stroke-dasharray="5,3"')
    assert solid == {LAST: (3, 3), LOWEST: (3, 3)}


def test_losses_of_pruning_steps_begin_at_the_first_one():
    specification = loss_change_by_score([made_up_noise.table()], SCORES).to_dict()
    found = rows(specification)
    assert min(level for _, level in found) == 1
    assert found[MEASURED, 1]["mean"] == pytest.approx(0.23105, abs=1e-4)
    assert found["first-order estimate", 1]["mean"] == pytest.approx(0.04621, abs=1e-4)
    made = made_up_noise.table("laptop")
    bare = Table(made.frame, made.provenance, made.origin)
    specification = loss_change_by_score([bare, made_up_noise.table()], SCORES).to_dict()
    assert "table_menu" not in menus(specification), "a table without them is left out"
    with pytest.raises(InputError, match="recompute=True"):
        loss_change_by_score([bare], SCORES)


def test_what_is_not_there_is_refused_with_what_is():
    with pytest.raises(InputError, match="20, 40"):
        errors_while_pruning([made_up_noise.table()], SCORES, noise_percent=80)
    with pytest.raises(InputError, match="weight_rewinding"):
        errors_by_score([made_up_noise.table()], ["weight_rewindin"])
    with pytest.raises(InputError, match="at least one table"):
        errors_by_score([], SCORES)
    other = errors_by_score([made_up.table(), made_up_noise.table("laptop")], SCORES).to_dict()
    assert "table_menu" not in menus(other), "a table without any of the algorithms is left out"


def test_a_diverged_replicate_is_not_in_the_means_and_is_named():
    made = made_up.diverged(made_up_noise.table(), 40.0, 2, 3)
    specification = errors_while_pruning([made], SCORES).to_dict()
    assert rows(specification)[LAST, 3]["replicates"] == 2 and rows(specification)[LAST, 2]["replicates"] == 3
    assert "seed 2 at 40 % noise (diverged, from level 3)" in made_up.texts(specification)


def test_a_table_without_validation_examples_has_no_optimum():
    assert optima(made_up_noise.table(), SCORES[0]) == ({}, [])
    assert optima(made_up.table())[0] == made_up.OPTIMUM
    frame = made_up_noise.table().frame
    assert isinstance(frame, pd.DataFrame)
    with pytest.raises(InputError, match="algorithm"):
        optima(made_up_noise.table(), "fine_tuning")
