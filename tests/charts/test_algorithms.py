import json

import pytest
import vl_convert

from lib.charts import wording
from lib.charts.algorithms import error_of_algorithms
from lib.charts.theme import PALETTE, VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up

LRR, WR, EDT = "learning_rate_rewinding", "weight_rewinding", "extended_dense_training"
ALL = list(made_up.ALGORITHMS)


def svg_of(specification):
    return vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)


def points(specification, algorithm, noise="15 %"):
    """The rows of one line, by level."""
    name = wording.algorithm_name(algorithm)
    rows = made_up.rows_of(specification, "algorithm")
    return {row["level"]: row for row in rows if (row["algorithm"], row["noise"]) == (name, noise)}


def colours(specification):
    """Colour by algorithm, as the legend's layers have it."""
    scales = [
        layer["encoding"]["color"]["scale"]
        for layer in specification["layer"]
        if "color" in layer["encoding"]
    ]
    assert all(scale == scales[0] for scale in scales)
    return dict(zip(scales[0]["domain"], scales[0]["range"], strict=True))


@pytest.mark.parametrize("against", ["weights remaining", "epochs trained"])
def test_a_chart_is_complete_and_draws(against):
    tables = [made_up.algorithms(), made_up.algorithms("laptop", origin="this machine")]
    specification = error_of_algorithms(tables, ALL, against=against).to_dict()
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    assert "at 15 % noise" in specification["description"] and against in specification["description"]
    assert "SynFlow pruning: 13.80 at" in specification["description"]
    svg = svg_of(specification)
    assert "NaN" not in svg and svg.count("<path") > 20
    assert set(colours(specification).values()) == set(PALETTE)
    vega = vl_convert.vegalite_to_vega(specification, vl_version=VEGALITE_VERSION)
    assert "algorithm_legend_symbols" in json.dumps(vega["legends"])
    assert len(json.dumps(specification)) < 60_000


def test_extended_dense_training_stands_where_rewinding_has_trained_as_long():
    tables = [made_up.algorithms()]
    weights = error_of_algorithms(tables, [LRR, EDT]).to_dict()
    epochs = error_of_algorithms(tables, [LRR, EDT], against="epochs trained").to_dict()
    for level in range(4):
        left = pytest.approx(100 * 0.8**level)
        assert points(weights, EDT)[level]["x"] == points(weights, LRR)[level]["x"] == left
        assert points(weights, EDT)[level]["weights_remaining_percent"] == 100
        assert points(epochs, EDT)[level]["x"] == points(epochs, LRR)[level]["x"] == 60 * (level + 1)
    assert "by epochs" in json.dumps(weights["layer"][0]["encoding"]["x"])
    assert "by epochs" not in json.dumps(error_of_algorithms(tables, [LRR, WR]).to_dict()["layer"])
    alone = error_of_algorithms(tables, [EDT]).to_dict()
    assert points(alone, EDT)[3]["x"] == 51.2, "the rewinding's weights are read though it is not drawn"


def test_extended_dense_training_needs_a_place_against_weights():
    made = made_up.algorithms(names=(EDT,))
    with pytest.raises(InputError, match=LRR):
        error_of_algorithms([made], [EDT])
    assert points(error_of_algorithms([made], [EDT], against="epochs trained").to_dict(), EDT)[3]["x"] == 240


def test_a_table_may_lack_an_algorithm_and_says_so():
    whole = made_up.algorithms(names=(LRR, WR), scale="laptop")
    part = made_up.algorithms(names=(LRR,), scale="paper")
    made = error_of_algorithms([part, whole], [LRR, WR]).to_dict()
    drawn = {(row["table"], row["algorithm"]) for row in next(iter(made["datasets"].values()))}
    assert len(drawn) == 3
    assert "Not measured yet: weight rewinding." in json.dumps(made)


def test_lines_are_means_bands_one_standard_deviation_and_stars_the_optimum():
    specification = error_of_algorithms([made_up.algorithms()], ALL).to_dict()
    for algorithm, above in made_up.ALGORITHMS.items():
        best = points(specification, algorithm)[2]
        assert best["mean"] == pytest.approx(8.6 + above)
        assert (best["low"], best["high"]) == pytest.approx((8.3 + above, 8.9 + above))
        assert best["optimum"] and not points(specification, algorithm)[1]["optimum"]


def test_one_noise_level_is_shown_at_a_time_and_the_highest_first():
    specification = error_of_algorithms([made_up.algorithms()], ALL).to_dict()
    menu = next(p for p in specification["params"] if p["name"] == "noise_menu")
    assert (menu["value"], menu["bind"]["options"]) == ("15 %", ["0 %", "15 %"])
    for layer in specification["layer"][:-1]:  # the last one is the note
        assert {"filter": "datum.noise == noise_menu"} in layer["transform"]
    clean = error_of_algorithms([made_up.algorithms()], ALL, noise_percent=0).to_dict()
    assert "at 0 % noise" in clean["description"]
    assert next(p for p in clean["params"] if p["name"] == "noise_menu")["value"] == "0 %"
    made = made_up.algorithms()
    noisy = type(made)(made.frame.query("noise_percent > 0"), made.provenance)
    alone = error_of_algorithms([noisy], ALL).to_dict()
    assert "noise_menu" not in json.dumps(alone), "a menu of one choice would change nothing"
    both = error_of_algorithms([noisy, made_up.algorithms("laptop")], ALL).to_dict()
    assert "Noise: 15 % only." in made_up.texts(both)


def test_the_dense_rule_is_drawn_once_for_all():
    specification = error_of_algorithms([made_up.algorithms()], ALL).to_dict()
    rules = [layer for layer in specification["layer"] if layer["mark"]["type"] == "rule"]
    assert len(rules) == 1 and "color" not in rules[0]["encoding"]
    assert {"filter": "datum.algorithm == 'learning-rate rewinding'"} in rules[0]["transform"]


def test_an_algorithm_keeps_its_colour_and_the_legend_names_what_is_drawn():
    tables = [made_up.algorithms()]
    every = colours(error_of_algorithms(tables, ALL).to_dict())
    some = error_of_algorithms(tables, [LRR, "synflow_pruning"]).to_dict()
    assert colours(some) == every
    legend = some["layer"][0]["encoding"]["color"]["legend"]
    assert legend["values"] == ["learning-rate rewinding", "SynFlow pruning"]


def test_what_is_not_in_a_mean_is_said_with_its_algorithm():
    made = made_up.algorithms()
    hit = (made.frame["algorithm"] == "snip_pruning") & (made.frame["seed"] == 2) & (made.frame["level"] == 3)
    made.frame.loc[hit, "diverged"] = True
    text = made_up.texts(error_of_algorithms([made], ALL).to_dict())
    assert "Not in the means: SNIP pruning, seed 2 at 0 % noise (diverged, level 3); SNIP" in text
    gone = made_up.diverged(made_up.algorithms(names=(LRR, WR)), noise=15.0, seed=0, level=0)
    text = made_up.texts(error_of_algorithms([gone], [LRR, WR]).to_dict())
    assert "No star at learning-rate rewinding, 15 %; weight rewinding, 15 %" in text


def test_bad_input_is_refused_with_what_is_allowed():
    tables = [made_up.algorithms()]
    with pytest.raises(InputError, match="at least one table"):
        error_of_algorithms([], ALL)
    with pytest.raises(InputError, match="weight_rewinding"):
        error_of_algorithms(tables, ["weight_rewindin"])
    with pytest.raises(InputError, match="1 to 6"):
        error_of_algorithms(tables, [])
    with pytest.raises(InputError, match="1 to 6"):
        error_of_algorithms(tables, [*ALL, "one_shot"])
    with pytest.raises(InputError, match="epochs trained"):
        error_of_algorithms(tables, ALL, against="epochs")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="'0', '15'|0, 15"):
        error_of_algorithms(tables, ALL, noise_percent=30)
