import math
from typing import Any

import pandas
import pytest

from lib.charts import comparison_table, dots
from lib.charts.theme import specification
from lib.errors import InputError
from tests.charts import made

PRINTED = pandas.DataFrame(
    [
        {"benchmark": "mnist-lenet", "noise_percent": 0.0, "algorithm": made.FIRST, "mean": 2.0, "std": 0.5},
        {
            "benchmark": "mnist-lenet",
            "noise_percent": 20.0,
            "algorithm": made.FIRST,
            "mean": 3.0,
            "std": math.nan,
        },
        {
            "benchmark": "cifar10-vgg16",
            "noise_percent": 0.0,
            "algorithm": made.FIRST,
            "mean": 9.0,
            "std": 0.1,
        },
    ]
)
CASES = ["noise_percent", "algorithm"]


def points(chart):
    return {
        (line["source"], row): (line["mean"][i], line["std"][i], line["low"][i])
        for line in made.lines_of(chart)
        for i, row in enumerate(line["row"])
    }


def test_printed_stands_beside_measured_and_spreads_are_clipped():
    rows = made.rows({1: [0.0, 3.0]})
    found = points(dots(rows, y=CASES, printed=PRINTED, title="Beside"))
    none, some = f"0 % label noise, {made.FIRST}", f"20 % label noise, {made.FIRST}"
    assert found == {
        ("printed", none): (2.0, 0.5, 1.5),
        ("printed", some): (3.0, None, None),
        ("measured", none): (1.5, 2.1213, 0.0),
    }


def test_of_several_tables_the_first_is_shown_first_beside_print_too():
    rows = pandas.concat([made.rows({1: [0.0, 3.0]}).assign(table=name) for name in ("paper scale", "laptop scale")])
    params = specification(dots(rows, y=CASES, printed=PRINTED, title="Beside"))["params"]
    [menu] = [one for one in params if one["name"] == "table_menu"]
    assert menu["value"] == "paper scale" and menu["bind"]["options"] == ["paper scale", "laptop scale"]


def test_numbers_that_are_averaged_already_need_no_rows():
    costs: Any = pandas.DataFrame(
        [
            {"variant": "stack of 3", "mean": 4.0, "source": "measured"},
            {"variant": "stack of 3", "mean": 8.0, "source": "floor"},
        ]
    )
    chart = dots(printed=costs, y="variant", x="times faster", x_scale="log", reference=1.0, title="Speed")
    assert {source: mean for (source, _), (mean, _, _) in points(chart).items()} == {
        "measured": 4.0,
        "floor": 8.0,
    }
    assert "stack of 3: measured 4, floor 8." in specification(chart)["description"] and "times faster" in made.svg(
        chart
    )
    with pytest.raises(InputError, match="no numbers"):
        dots(printed=costs[:0], y="variant", title="Speed")


def test_rows_are_as_high_as_their_names():
    names = PRINTED.assign(algorithm=[f"weight rewinding, {score} score, {end}" for score, end in (("SNIP", "a"),) * 3])
    short, long = (specification(dots(printed=one, y=CASES, title="Names")) for one in (PRINTED, names))
    assert long["height"] >= short["height"] + 3 * 10


def test_a_single_replicate_has_no_spread_and_the_chart_is_drawn():
    chart = dots(made.rows({1: [2.5]}), y=CASES, title="Alone")
    assert (
        list(points(chart).values()) == [(2.5, None, None)] and "deviation" not in specification(chart)["description"]
    )
    assert made.FIRST in made.svg(chart)


def test_the_table_says_the_same_in_numbers():
    rows = made.rows({1: [0.0, 3.0]})
    found = comparison_table(rows, y=CASES, printed=PRINTED).data.to_dict("records")
    assert [(r["label noise"], r["printed"], r["measured"], r["difference"], r["replicates"]) for r in found] == [
        ("0 %", "2.00 ± 0.50", "1.50 ± 2.12", "−0.50", "2"),
        ("20 %", "3.00", "–", "–", "0"),
    ]
