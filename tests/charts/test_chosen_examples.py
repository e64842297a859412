import json

import pandas as pd
import pytest
import vl_convert

from lib.analysis.tables import Table
from lib.charts.chosen_examples import error_difference, error_of_chosen_examples
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up

LRR, TIE, RND = "learning_rate_rewinding", "without_improved_examples", "without_random_examples"
ABOVE = {  # how much the test error lies above that of learning-rate rewinding, in points, by seed; dense ones are shared
    LRR: (0.0, 0.0, 0.0),
    TIE: (1.0, 1.5, 2.0),
    RND: (0.5, 0.5, 0.5),
    f"{TIE}_10_percent": (0.3, 0.3, 0.3),
    f"{RND}_10_percent": (0.2, 0.2, 0.2),
}
SHARES = {
    f"{share} %": {
        f"without {what} ones": f"without_{what}_examples{ending}" for what in ("improved", "random")
    }
    for share, ending in ((20, ""), (10, "_10_percent"))
}
PAIRS = {"20 %": (TIE, RND), "10 %": (f"{TIE}_10_percent", f"{RND}_10_percent")}


def families(scale="paper", names=tuple(ABOVE), **changed):
    """A made-up table with families of dense networks; at 15 % noise pruning improves at levels 2 and 3, at 0 % nowhere."""
    made, pieces = made_up.table(scale, **changed), []
    for name in names:
        piece = made.frame.assign(algorithm=name)
        moved = (piece["subset"] == "test") & (piece["level"] > 0)
        piece.loc[moved, "error_percent"] += piece.loc[moved, "seed"].map(dict(enumerate(ABOVE[name])))
        pieces.append(piece)
    return Table(pd.concat(pieces, ignore_index=True), made.provenance, made.origin)


def draws(specification):
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert "NaN" not in svg and "undefined" not in svg
    return svg


def points(specification, line, noise="15 %", option=None):
    rows = [
        row for row in made_up.rows_of(specification, "line") if (row["line"], row["noise"]) == (line, noise)
    ]
    return {row["level"]: row for row in rows if option is None or row["option"] == option}


def test_networks_on_chosen_examples_by_share():
    tables = [families(), families("laptop", origin="this machine")]
    specification = error_of_chosen_examples(tables, SHARES, noise_percent=15).to_dict()
    draws(specification)
    menus = {p["name"]: p["bind"]["options"] for p in specification["params"] if "_menu" in p["name"]}
    assert menus["option_menu"] == ["20 %", "10 %"] and menus["noise_menu"] == ["0 %", "15 %"]
    found = points(specification, "without improved ones", option="20 %")
    assert sorted(row["level"] for row in found.values()) == [1, 2, 3], (
        "the dense network is a rule, not a point"
    )
    assert found[2]["mean"] == pytest.approx(8.6 + 1.5, abs=0.001)
    assert points(specification, "without random ones", option="10 %")[3]["mean"] == pytest.approx(10.2)
    dense = [row for row in made_up.rows_of(specification, "mean") if "line" not in row]
    assert {(row["noise"], round(row["mean"], 3)) for row in dense} == {("0 %", 2.0), ("15 %", 13.8)}
    assert "without improved ones" in specification["description"] and "20 %" in specification["description"]
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    assert len(json.dumps(specification)) < 60_000


def test_what_is_shaded_is_where_pruning_improves():
    specification = error_difference([families()], PAIRS, noise_percent=15).to_dict()
    (stretch,) = made_up.rows_of(specification, "left")
    assert stretch["noise"] == "15 %", "without noise no level is better than the dense network"
    assert stretch["left"] == pytest.approx(100 * 0.8**1.5, abs=0.001)
    assert stretch["right"] == pytest.approx(100 * 0.8**3, abs=0.001), "to the last level, not beyond"
    assert "from about 71.6 to 51.2 % of the weights" in specification["description"]
    nowhere = error_difference([families()], PAIRS).to_dict()
    assert "improves on the dense network nowhere" in nowhere["description"]
    draws(nowhere)


def test_two_stretches_are_not_joined():
    made = families()
    hit = (
        made.frame["noise_percent"].eq(0) & made.frame["subset"].eq("test") & made.frame["algorithm"].eq(LRR)
    )
    for level in (1, 3):
        made.frame.loc[hit & (made.frame["level"] == level), "error_percent"] = 1.0
    stretches = made_up.rows_of(error_difference([made], PAIRS).to_dict(), "left")
    assert [row["noise"] for row in stretches] == ["0 %", "0 %", "15 %"]


def test_differences_are_paired_by_seed():
    specification = error_difference([families()], PAIRS, noise_percent=15).to_dict()
    draws(specification)
    point = points(specification, "20 %")[2]
    assert (point["mean"], point["std"], point["replicates"]) == pytest.approx((1.0, 0.5, 3))
    assert (point["low"], point["high"]) == pytest.approx((0.5, 1.5))
    assert points(specification, "10 %")[1]["mean"] == pytest.approx(0.1)
    lost = made_up.diverged(families(), 15.0, 0, 0)
    fewer = error_difference([lost], PAIRS, noise_percent=15).to_dict()
    assert points(fewer, "20 %")[2]["replicates"] == 2
    assert "Not in the means: without improved examples, seed 0 at 15 % noise" in made_up.texts(fewer)
    alone = error_difference([families(seeds=(0,))], PAIRS).to_dict()
    assert points(alone, "20 %", "0 %")[1]["std"] is None
    draws(alone)


def test_a_table_that_lacks_an_algorithm_says_so():
    tables = [families(), families("laptop", names=(LRR, TIE, RND))]
    text = made_up.texts(error_difference(tables, PAIRS).to_dict())
    assert "Not measured yet: without improved examples (10 %), without random examples (10 %)." in text


def test_bad_input_is_refused_with_what_is_allowed():
    with pytest.raises(InputError, match="at least one table"):
        error_of_chosen_examples([], SHARES)
    with pytest.raises(InputError, match="unknown algorithm of these tables 'with_worsened_examples'"):
        error_difference([families()], {"x": ("with_worsened_examples", RND)})
    with pytest.raises(InputError, match="noise_percent"):
        error_difference([families()], PAIRS, noise_percent=7)
    apart = families(names=(LRR, TIE)), families("laptop", names=(LRR, RND))
    with pytest.raises(InputError, match="same seed"):
        error_difference(apart, {"x": (TIE, RND)})
