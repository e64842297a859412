"""Curves of several algorithms at one noise level: test error against size or against training time (TR Fig. 6, 8, 14, 15).

A menu chooses the noise level, colour and shape tell the algorithms apart; how a curve is drawn stands in
`lib.charts.curves`. Extended dense training keeps all of its weights. Against weights it stands where learning-rate
rewinding stands at the same level, that is, after as many epochs, as on TR's double axis (Fig. 8).
"""

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import LEARNING_RATE_REWINDING
from lib.charts.curves import (
    WEIGHTS,
    Point,
    coloured_algorithms,
    curve_data,
    describe,
    draw,
    note,
    weights_axis,
)
from lib.charts.parts import menu
from lib.charts.theme import PALETTE
from lib.errors import InputError, unknown

EXTENDED_DENSE_TRAINING = "extended_dense_training"
_AXES = ("weights remaining", "epochs trained")
_MOVED = "(extended dense training: by epochs)"  # short enough for a phone
_DRAWN = (
    "table", "noise", "algorithm", "level", "x", "weights_remaining_percent", "epochs_trained", "mean", "std", "low",
    "high", "replicates", "optimum",
)  # fmt: skip


def error_of_algorithms(
    tables: Sequence[Table],
    algorithms: Sequence[str],
    *,
    against: Literal["weights remaining", "epochs trained"] = "weights remaining",
    title: str = "Test error of several algorithms",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw the test error of several algorithms, one line each, at one noise level at a time.

    Lines are means over replicates, bands one sample standard deviation to either side, the dashed rule the dense
    network that all share, stars each algorithm's level with the lowest mean validation error.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        algorithms: whose rows to draw, at most as many as there are colours. An algorithm has the same colour in
            every chart of the same tables.
        against: what the horizontal axis shows.
        title: of the chart.
        noise_percent: the noise level that is shown at the start; by default the highest of the first table.

    Returns:
        The chart, with menus for table and noise (where there are several), hover, and legend click.

    Raises:
        InputError: no table or algorithm, too many algorithms, an unknown axis or noise level, or rows that the chart
            needs are not there. Extended dense training against weights needs those of learning-rate rewinding.
    """
    if against not in _AXES:
        raise unknown("axis", against, _AXES)
    if not 0 < len(algorithms) <= len(PALETTE):
        raise InputError(f"{len(algorithms)} algorithms given; a chart draws 1 to {len(PALETTE)}")
    data = _rows(tables, algorithms, against)
    own = sorted({float(n) for n in tables[0].frame["noise_percent"]})
    first = own[-1] if noise_percent is None else noise_percent
    if first not in own:
        raise unknown("noise_percent of the first table", f"{first:g}", [f"{n:g}" for n in own])
    noises = sorted({float(n) for table in tables for n in table.frame["noise_percent"]})
    options = [wording.noise_name(n) for n in noises]
    shown = wording.noise_name(first)
    notes = [_note(table, algorithms, noises) for table in tables]
    moved = against == "weights remaining" and EXTENDED_DENSE_TRAINING in algorithms
    tooltip = [
        alt.Tooltip("algorithm:N"),
        alt.Tooltip("noise:N", title="label noise"),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
    ]
    epochs = alt.X("x:Q", title="epochs trained").scale(zero=False, nice=False, padding=8).axis(grid=False)
    return draw(
        data.drop(columns=["noise_percent"]),
        wording.table_names(tables),
        notes,
        x=epochs
        if against == "epochs trained"
        else weights_axis("x", [WEIGHTS, _MOVED] if moved else WEIGHTS),
        axis="test error (%)",
        series="algorithm",
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 3")},
        domain=coloured_algorithms(tables, algorithms),
        tooltip=tooltip,
        digits=2,
        title=title,
        key="Mean, ± 1 standard deviation. Dashed: dense network."
        + (" Star: lowest validation error." if data["optimum"].to_numpy().any() else ""),
        description=describe(
            data.loc[data["noise"] == shown],
            f"{title}: test error (%) against {against}"
            + (" (%), 100 % on the left" if against == "weights remaining" else "")
            + f", at {shown} noise."
            + (" A menu chooses another noise level." if len(options) > 1 else ""),
            notes,
            2,
            line=lambda point: str(point["algorithm"]),
            place=_place if against == "weights remaining" else _epochs,
        ),
        controls=[menu("noise_menu", "Label noise: ", options, shown)] if len(options) > 1 else [],
        keep="datum.noise == noise_menu" if len(options) > 1 else "",
        dense="one",
    )


def averaged(tables: Sequence[Table], algorithm: str) -> pd.DataFrame:
    """Average an algorithm's test error where it was measured, as `curve_data` does.

    A table may be committed before all of its algorithms are measured; `missing` says so.

    Raises:
        InputError: no table has it.
    """
    names = wording.table_names(tables)
    some = [t for t in tables if algorithm in set(t.frame["algorithm"])]
    if not some:
        known = {str(name) for table in tables for name in table.frame["algorithm"]}
        raise unknown("algorithm of these tables", algorithm, known)
    kept = [name for name, t in zip(names, tables, strict=True) if t in some]
    data = curve_data(some, "error_percent", {"test": "test set"}, algorithm)
    called = dict(zip(wording.table_names(some), kept, strict=True))
    return data.assign(table=[called[name] for name in data["table"]])


def missing(table: Table, algorithms: Sequence[str], noises: Sequence[float]) -> str:
    """Say which of a chart's algorithms and noise levels a table does not have; empty where it has all."""
    there = set(table.frame["algorithm"])
    absent = [wording.algorithm_name(name) for name in algorithms if name not in there]
    text = f" Not measured yet: {', '.join(absent)}." if absent else ""
    own = sorted({float(n) for n in table.frame["noise_percent"]})
    return text if own == list(noises) else f"{text} Noise: {', '.join(map(wording.noise_name, own))} only."


def _rows(tables: Sequence[Table], algorithms: Sequence[str], against: str) -> pd.DataFrame:
    """Average every algorithm's rows; `x` is where a point stands."""

    pieces = []
    for algorithm in dict.fromkeys(algorithms):
        piece = averaged(tables, algorithm).assign(algorithm=wording.algorithm_name(algorithm))
        if against == "epochs trained":
            piece["x"] = piece["epochs_trained"]
        elif algorithm == EXTENDED_DENSE_TRAINING:
            place = ["table", "noise_percent", "level"]
            pruned = averaged(tables, LEARNING_RATE_REWINDING)
            pruned["x"] = pruned["weights_remaining_percent"]
            piece = piece.merge(pruned[[*place, "x"]], on=place)
        else:
            piece["x"] = piece["weights_remaining_percent"]
        pieces.append(piece[[*_DRAWN, "noise_percent"]])
    return pd.concat(pieces, ignore_index=True)


def _note(table: Table, algorithms: Sequence[str], noises: Sequence[float]) -> str:
    there = [name for name in algorithms if name in set(table.frame["algorithm"])]
    return note(table, "error_percent", ["test"], there) + missing(table, algorithms, noises)


def _place(point: Point) -> str:
    if point["algorithm"] == wording.algorithm_name(EXTENDED_DENSE_TRAINING):
        return _epochs(point)
    return f"{point['weights_remaining_percent']:.3g} % of the weights"


def _epochs(point: Point) -> str:
    return f"{point['epochs_trained']:g} epochs"
