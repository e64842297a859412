"""Rows by hand, as `lib.analysis.table.rows` returns them, and ways to look into a specification."""

import json
from typing import Any

import pandas
import vl_convert

from lib.charts.theme import VEGALITE_VERSION, specification

ERROR, SIZE = "test error (%)", "weights remaining (%)"
FIRST = "learning-rate rewinding"
LABEL = "laptop, 2 CPU cores, 2026-11"


def rows(values, **columns):
    """A row per number: {level: [a number per seed]}, the optimum at level 1."""
    frame = pandas.DataFrame(
        [
            {"seed": seed, "level": level, "value": value, SIZE: 100 * 0.5**level, "optimum": level == 1}
            for level, numbers in values.items()
            for seed, value in enumerate(numbers)
        ]
    )
    usual = {
        "quantity": ERROR,
        "algorithm": FIRST,
        "noise_percent": 0.0,
        "table": LABEL,
        "benchmark": "mnist-lenet",
    }
    return frame.assign(**{**usual, "position": 0.0, "epochs trained": 5 * (frame["level"] + 1), **columns})


def together(*frames) -> Any:
    return pandas.concat(frames, ignore_index=True)


def sets(chart):
    """Every row of the data that a chart carries."""
    return [row for values in specification(chart).get("datasets", {}).values() for row in values]


def lines_of(chart):
    """The lines that a chart carries; what never varies along one is repeated."""
    along = (
        "mean",
        "std",
        "low",
        "high",
        "n",
        "row",
        "values",
        "seeds",
        "weights_remaining",
        "start",
        "end",
        "optimum",
    )
    found = [row for row in sets(chart) if isinstance(row.get("mean"), list)]
    return [
        {k: [v] * len(row["mean"]) if k in along and not isinstance(v, list) else v for k, v in row.items()}
        for row in found
    ]


def said(chart):
    """The key and the note above the plot, table → text in one line."""
    return {row["table"]: " ".join(row["text"].split()) for row in sets(chart) if "text" in row and "table" in row}


def marks(chart):
    """Every layer with a mark."""

    def below(part):
        return [part] if "mark" in part else [one for each in part.get("layer", []) for one in below(each)]

    return below(specification(chart))


def menus(chart):
    return {
        p["name"]: p["bind"].get("options")
        for p in specification(chart)["params"]
        if p.get("bind", "scales") != "legend" and "bind" in p and p["name"] != "seed"
    }


def start(chart, name):
    return next(p["value"] for p in specification(chart)["params"] if p["name"] == name)


def svg(chart):
    """Draw a chart; Altair has validated it, Vega must take it too."""
    return vl_convert.vegalite_to_svg(json.loads(json.dumps(specification(chart))), vl_version=VEGALITE_VERSION)
