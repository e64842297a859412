import json
from typing import Any

import pytest
import vl_convert

from lib.charts import pruning_curves, wording
from lib.charts.averages import averages, left_out, optima
from lib.charts.theme import MIME, VEGALITE_VERSION, WIDTH
from lib.errors import InputError
from tests.charts import made_up

CHARTS = [pruning_curves.error_against_weights_remaining, pruning_curves.loss_by_partition]


def axis_titles(specification):
    return {
        (channel, layer["encoding"][channel]["title"])
        for layer in specification["layer"]
        for channel in ("x", "y")
        if layer["encoding"].get(channel, {}).get("title")
    }


def parameters(specification):
    return {parameter["name"]: parameter for parameter in specification["params"]}


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_is_complete_and_draws(draw):
    specification = draw([made_up.table(), made_up.table("laptop", origin="this machine")]).to_dict()
    assert specification["title"]["text"] and specification["title"]["subtitle"]
    assert "15 % noise" in specification["description"] and "3 replicates" in specification["description"]
    units = {title for _, title in axis_titles(specification)}
    assert all("(%)" in title or "(nats)" in title for title in units) and len(units) == 2
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg and svg.count("<path") > 20
    assert len(json.dumps(specification)) < 40_000


def test_mean_spread_and_replicates_are_those_of_the_table():
    means = averages(made_up.table(), "error_percent").set_index(["noise_percent", "level"])
    assert means.loc[(15.0, 1), "mean"] == pytest.approx(20.3)
    assert means.loc[(15.0, 1), "std"] == pytest.approx(0.3)
    assert means.loc[(15.0, 1), "weights_remaining_percent"] == pytest.approx(80)
    assert set(means["replicates"]) == {3}


def test_the_optimum_is_the_lowest_validation_error_and_is_starred():
    made = made_up.table()
    assert optima(made) == (made_up.OPTIMUM, [])
    rows = made_up.rows_of(pruning_curves.error_against_weights_remaining([made]).to_dict(), "optimum")
    starred = {row["noise_percent"]: row["level"] for row in rows if row["optimum"]}
    assert starred == made_up.OPTIMUM


def test_a_single_replicate_has_no_band_and_no_made_up_spread():
    specification = pruning_curves.error_against_weights_remaining([made_up.table(seeds=(0,))]).to_dict()
    rows = made_up.rows_of(specification, "low")
    assert all(row["low"] == row["high"] == row["mean"] and row["std"] is None for row in rows)
    assert "1 replicate;" in made_up.texts(specification)


@pytest.mark.parametrize("draw", CHARTS)
def test_several_tables_get_a_menu_and_every_layer_obeys_it(draw):
    tables = [made_up.table(), made_up.table("laptop", seeds=(0, 1), origin="this machine", shift=1.0)]
    specification = draw(tables).to_dict()
    menu = parameters(specification)["table_menu"]
    assert menu["bind"]["options"] == [table.label for table in tables]
    assert menu["value"] == tables[0].label
    for layer in specification["layer"]:
        assert {"filter": "datum.table == table_menu"} in layer["transform"]
    assert "laptop scale, 2 replicates" in made_up.texts(specification)
    assert "switches between 2" in specification["description"]


def test_one_table_needs_no_menu_but_noise_can_be_chosen():
    found = parameters(pruning_curves.error_against_weights_remaining([made_up.table()]).to_dict())
    assert "table_menu" not in found
    assert found["noise_menu"]["bind"]["options"] == ["all", "0 %", "15 %"]


def test_the_noise_menu_leaves_one_line_and_its_table_only():
    """Evaluated as the browser would: the rows that reach the line's scale."""
    tables = [made_up.table(), made_up.table("laptop", origin="this machine", shift=50.0)]
    chart = pruning_curves.error_against_weights_remaining(tables).to_dict()
    for name, value in (("table_menu", tables[1].label), ("noise_menu", "15 %")):
        parameters(chart)[name]["value"] = value
    svg = vl_convert.vegalite_to_svg(chart, vl_version=VEGALITE_VERSION)
    labels = svg.split('aria-label="Y-axis')[1][:120]
    assert "from 58 to 71" in labels, labels  # 8.6 + 50 - 0.3 and 20.3 + 50 + 0.3, made round


@pytest.mark.parametrize("draw", CHARTS)
def test_the_legend_can_be_clicked(draw):
    specification = draw([made_up.table()]).to_dict()
    vega = vl_convert.vegalite_to_vega(specification, vl_version=VEGALITE_VERSION)
    assert "noise_legend_symbols" in json.dumps(vega["legends"])


def test_a_diverged_replicate_is_left_out_and_the_chart_says_so():
    made = made_up.diverged(made_up.table(), noise=15.0, seed=2, level=1)
    means = averages(made, "error_percent").set_index(["noise_percent", "level"])
    assert means.loc[(15.0, 0), "replicates"] == 3 and means.loc[(15.0, 1), "replicates"] == 2
    assert means.loc[(15.0, 1), "mean"] == pytest.approx(20.3 - 0.15)
    assert left_out(made, "error_percent") == ["seed 2 at 15 % noise (diverged, from level 1)"]
    for draw in CHARTS:
        assert "seed 2 at 15 % noise (diverged, from level 1)" in made_up.texts(draw([made]).to_dict())


def test_a_missing_replicate_is_said_too():
    made = made_up.table()
    frame = made.frame.loc[~((made.frame["seed"] == 1) & (made.frame["noise_percent"] == 0.0))]
    assert left_out(type(made)(frame, made.provenance), "error_percent") == ["seed 1 at 0 % noise (missing)"]


def test_where_no_level_has_every_replicate_the_missing_star_is_said():
    made = made_up.diverged(made_up.table(), noise=15.0, seed=2, level=0)
    specification = pruning_curves.error_against_weights_remaining([made]).to_dict()
    assert "No star at 15 %" in made_up.texts(specification)
    assert not any(
        row["optimum"] for row in made_up.rows_of(specification, "optimum") if row["noise"] == "15 %"
    )


def test_everything_diverged_is_refused_in_words():
    made = made_up.table(seeds=(0,))
    for noise in made_up.ERRORS:
        made = made_up.diverged(made, noise, 0, 0)
    with pytest.raises(InputError, match="every replicate diverged"):
        pruning_curves.error_against_weights_remaining([made])


def test_noisy_and_original_examples_are_told_apart_without_colour():
    specification = pruning_curves.loss_by_partition([made_up.table()]).to_dict()
    rows = made_up.rows_of(specification, "examples")
    at_zero = {row["examples"] for row in rows if row["noise_percent"] == 0}
    assert at_zero == {"original examples"}
    assert {row["examples"] for row in rows} == {"noisy examples", "original examples"}
    dashes = [
        layer["encoding"]["strokeDash"]
        for layer in specification["layer"]
        if "strokeDash" in layer["encoding"]
    ]
    assert dashes[0]["scale"]["range"] == [[1, 0], [5, 3]]
    assert "Dashed: original" in made_up.texts(specification)


def test_a_logarithmic_loss_axis_refuses_zero():
    made = made_up.table()
    pruning_curves.loss_by_partition([made], logarithmic=True).to_dict()
    made.frame.loc[made.frame["subset"] == "train_original", "cross_entropy_nats"] = 0.0
    with pytest.raises(InputError, match="logarithmic"):
        pruning_curves.loss_by_partition([made], logarithmic=True)


def test_bad_input_is_refused_with_what_is_allowed():
    made = made_up.table()
    with pytest.raises(InputError, match="at least one table"):
        pruning_curves.error_against_weights_remaining([])
    with pytest.raises(InputError, match="same label"):
        pruning_curves.error_against_weights_remaining([made, made])
    with pytest.raises(InputError, match="learning_rate_rewinding"):
        pruning_curves.error_against_weights_remaining([made], algorithm="learning_rate_rewindin")
    with pytest.raises(InputError, match="level 9"):
        pruning_curves.error_against_weights_remaining([made], marked=(15.0, 9))
    with pytest.raises(InputError, match="error_percent"):
        averages(made, "error_percen")


def test_captions_say_scale_replicates_machine_and_date():
    one = wording.caption([made_up.table()])
    assert one == "Measured: mnist-lenet, paper scale, 3 replicates; 2 CPU cores, 2026-11-20."
    two = wording.caption([made_up.table(), made_up.table("laptop", seeds=(0,))])
    assert "switches between 2" in two and "laptop scale, 1 replicate" in two


def test_tables_of_several_benchmarks_are_named_by_them():
    other = made_up.table(benchmark="cifar10-resnet20")
    names = wording.table_names([made_up.table(), other])
    assert [name.split(":")[0] for name in names] == ["mnist-lenet", "cifar10-resnet20"]


def test_a_chart_leaves_a_notebook_as_data_with_words_beside_it():
    import altair as alt

    from lib.charts import theme

    theme.enable()
    bundle: Any = pruning_curves.error_against_weights_remaining([made_up.table()])._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/plain"}
    assert bundle[MIME]["config"]["background"] == "#ffffff" and bundle[MIME]["width"] == WIDTH
    assert bundle["text/plain"].startswith("Line chart.")
    assert alt.theme.active == "book"
