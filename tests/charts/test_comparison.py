import json

import pandas as pd
import pytest
import vl_convert

from lib.analysis.verdicts import Verdict
from lib.charts.comparison import comparison_chart, comparison_table, verdicts_table
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up


def frame(**changed):
    row = {
        "benchmark": "mnist-lenet", "scale": "paper", "noise_percent": 15.0,
        "quantity": "dense_test_error_percent",
        "printed_mean": 13.9, "printed_std": 0.4, "measured_mean": 13.8, "measured_std": 0.2, "replicates": 3,
        "difference": -0.1,
    }  # fmt: skip
    return pd.DataFrame(
        [row, {**row, "quantity": "sparse", "measured_mean": 8.6}, {**row, "noise_percent": 0.0, **changed}]
    )


def test_printed_and_measured_stand_side_by_side_with_bars():
    specification = comparison_chart(frame()).to_dict()
    rows = made_up.rows_of(specification, "source")
    assert {row["source"] for row in rows} == {"printed", "measured"} and len(rows) == 6
    first = next(row for row in rows if row["source"] == "printed")
    assert (first["low"], first["high"]) == pytest.approx((13.5, 14.3))
    assert "paper scale, 3 replicates" in made_up.texts(specification)
    assert (
        "measured 13.80" in specification["description"] and "printed 13.90" in specification["description"]
    )
    assert '"test error (%)"' in json.dumps(specification)
    assert "NaN" not in vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)


def test_a_number_that_is_not_there_is_not_drawn():
    specification = comparison_chart(frame(printed_mean=float("nan"), difference=float("nan"))).to_dict()
    assert len(made_up.rows_of(specification, "source")) == 5
    assert "printed nothing" in specification["description"]


def test_one_scale_is_drawn_at_a_time():
    both = pd.concat([frame(), frame().assign(scale="laptop", replicates=2)])
    specification = comparison_chart(both).to_dict()
    menu = next(p for p in specification["params"] if p["name"] == "table_menu")
    assert [name.split(", ")[1] for name in menu["bind"]["options"]] == ["paper scale", "laptop scale"]
    for layer in specification["layer"]:
        assert {"filter": "datum.table == table_menu"} in layer["transform"]


def test_optima_of_several_algorithms_are_told_apart_by_name():
    optimal = "test_error_percent_optimal_"
    one = frame().assign(quantity=[f"{optimal}learning_rate_rewinding", "test_error_percent_dense", "other"])
    rows = made_up.rows_of(comparison_chart(one).to_dict(), "row")
    assert {row["row"] for row in rows} == {"15 % noise, optimal", "15 % noise, dense", "0 % noise, other"}
    assert "optimal (learning-rate rewinding)" in comparison_chart(one).to_dict()["description"]
    several = one.assign(quantity=[f"{optimal}learning_rate_rewinding", f"{optimal}snip_pruning", "other"])
    html = comparison_table(several, unit="%").to_html()
    assert "T_comparison-percent" in html
    assert "T_comparison-table-5-percent" in comparison_table(several, unit="%", name="table-5").to_html()
    assert "learning-rate rewinding" in html and "SNIP pruning" in html and "optimal" not in html


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="difference"):
        comparison_chart(frame().drop(columns="difference"))
    with pytest.raises(InputError, match="no rows"):
        comparison_chart(frame().iloc[:0])


def test_verdicts_are_said_by_sign_and_word_and_escaped():
    verdicts = [
        Verdict("TR-C07", "mnist-lenet", "paper", "reproduced", "8.6 < 13.8", {"pairs": 3, "mean": 5.21234}),
        Verdict("TR-C08", "mnist-lenet", "laptop", "undecided", "<script>", {}),
        {"claim": "TR-C09", "verdict": "not run"},
    ]
    html = verdicts_table(verdicts).to_html()
    assert "✓ reproduced" in html and "? undecided" in html and "– not run" in html
    assert "8.6 &lt; 13.8" in html and "<script>" not in html
    assert "pairs = 3, mean = 5.212" in html
    assert html == verdicts_table(verdicts).to_html(), "the page must not change by itself"


def test_an_unknown_verdict_is_refused():
    with pytest.raises(InputError, match="not reproduced"):
        verdicts_table([{"claim": "TR-C07", "verdict": "maybe"}])
    with pytest.raises(InputError, match="no verdicts"):
        verdicts_table([])
