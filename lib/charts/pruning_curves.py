"""Curves over pruning: one number against the weights that remain (TR Fig. 3 and Fig. 4).

The horizontal axis is logarithmic and runs from 100 % on the left to the sparsest network on the right, as in
TR. Every chart draws one table at a time: where there are several (scales, machines), a menu switches.
Everything is averaged here, so a page carries a few hundred numbers a chart.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import LEARNING_RATE_REWINDING, averages, left_out, optima
from lib.charts.parts import menu, menus, one_table, source_notes
from lib.charts.theme import INK, PALETTE, SHAPES, STAR, fitted
from lib.errors import InputError

ALL = "all"
PARTITIONS = {"train_noisy": "noisy examples", "train_original": "original examples"}
_AXIS = "weights remaining (%), logarithmic"
_TICKS = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]


def error_against_weights_remaining(
    tables: Sequence[Table],
    *,
    title: str = "Test error against weights remaining",
    algorithm: str = LEARNING_RATE_REWINDING,
    marked: tuple[float, int] | None = None,
) -> alt.LayerChart:
    """Draw test error while pruning, one line per label-noise level (TR Fig. 3).

    Lines are means over replicates, bands one sample standard deviation to either side, dashed rules the
    dense network, stars the level with the lowest mean validation error.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        title: of the chart.
        algorithm: whose rows to draw.
        marked: (noise_percent, level) of one point to ring; None for none.

    Returns:
        The chart, with menus for table (if several) and noise, hover, and legend click.

    Raises:
        InputError: no table, two of the same label, or rows that the chart needs are not there.
    """
    data = curve_data(tables, "error_percent", {"test": "test set"}, algorithm)
    data["marked"] = False
    if marked is not None:
        data["marked"] = (data["noise_percent"] == marked[0]) & (data["level"] == marked[1])
        if not bool(data["marked"].any()):
            raise InputError(f"no point at noise_percent {marked[0]:g} and level {marked[1]} to mark")
    return _curves(
        data,
        tables,
        title=title,
        axis="test error (%)",
        key="Mean, ± 1 standard deviation. Dashed: dense network. Star: lowest validation error.",
        notes=[_note(table, "error_percent", ["test"], algorithm) for table in tables],
        digits=2,
    )


def loss_by_partition(
    tables: Sequence[Table],
    *,
    title: str = "Training loss on noisy and on original examples",
    algorithm: str = LEARNING_RATE_REWINDING,
    logarithmic: bool = False,
) -> alt.LayerChart:
    """Draw training loss while pruning, for examples with a random label and for those with their own (TR
    Fig. 4).

    Args:
        tables: measured tables; the first is shown until the menu is used.
        title: of the chart.
        algorithm: whose rows to draw.
        logarithmic: draw the loss on a logarithmic axis; then every mean must be positive.

    Returns:
        The chart: solid lines for noisy, dashed lines for original examples; otherwise as
        `error_against_weights_remaining`, without the dense rules.

    Raises:
        InputError: as there; also where no table has noisy examples.
    """
    data = curve_data(tables, "cross_entropy_nats", PARTITIONS, algorithm)
    if logarithmic:
        if min(data["mean"]) <= 0:
            raise InputError("a mean loss of 0 cannot stand on a logarithmic axis; use logarithmic=False")
        data["low"] = data["low"].clip(lower=data["mean"] / 10)  # a band that would reach below zero
    return _curves(
        data,
        tables,
        title=title,
        axis="training cross-entropy (nats)" + (", logarithmic" if logarithmic else ""),
        key="Solid: noisy examples. Dashed: original ones. Mean, ± 1 standard deviation. "
        "Star: lowest validation error.",
        notes=[_note(table, "cross_entropy_nats", list(PARTITIONS), algorithm) for table in tables],
        digits=3,
        logarithmic=logarithmic,
    )


def curve_data(
    tables: Sequence[Table], value: str, subsets: dict[str, str], algorithm: str = LEARNING_RATE_REWINDING
) -> pd.DataFrame:
    """Average tables into the rows that a curve is drawn from.

    Args:
        tables: measured tables.
        value: the column to average.
        subsets: the subsets to draw and how to call them; those that a table does not have are skipped.
        algorithm: whose rows to take.

    Returns:
        A row per table (its menu name), noise_percent (and `noise`, its name), level and `examples`:
        weights_remaining_percent, mean, std, low, high (mean ± std), replicates, optimum (bool).
    """
    pieces = []
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        best, _ = optima(table, algorithm)
        found = [subset for subset in subsets if subset in set(table.frame["subset"])]
        if not found:
            raise InputError(f"the table {table.label!r} has no rows for any of {', '.join(subsets)}")
        for subset in found:
            piece = averages(table, value, subset, algorithm)
            piece.insert(0, "table", name)
            piece["examples"] = subsets[subset]
            piece["optimum"] = [
                best.get(float(n)) == level
                for n, level in zip(piece["noise_percent"], piece["level"], strict=True)
            ]
            pieces.append(piece)
    data = pd.concat(pieces, ignore_index=True)
    spread = data["std"].fillna(0.0)
    data["low"], data["high"] = data["mean"] - spread, data["mean"] + spread
    data["noise"] = [wording.noise_name(n) for n in data["noise_percent"]]
    numbers = ["weights_remaining_percent", "mean", "std", "low", "high"]
    data[numbers] = data[numbers].round(5)
    return data


def describe(data: pd.DataFrame, title: str, unit: str, digits: int, notes: Sequence[str]) -> str:
    """Put a curve chart into words: per noise level the dense value, the highest and the optimum."""
    first = data.loc[data["table"] == data["table"].iloc[0]]
    parts = [
        f"Line chart. {title}: {unit} against weights remaining (%), 100 % on the left.",
        notes[0],
    ]

    def at(point: Mapping[Hashable, Any]) -> str:
        return f"{point['mean']:.{digits}f} at {point['weights_remaining_percent']:.3g} % of the weights"

    lines: dict[str, list[Mapping[Hashable, Any]]] = {}
    for point in first.to_dict("records"):
        lines.setdefault(f"{point['noise']} noise, {point['examples']}", []).append(point)
    for name, points in lines.items():
        text = f"{name}: {at(points[0])}"
        text += f", highest {at(max(points, key=lambda point: point['mean']))}"
        text += "".join(f", lowest validation error: {at(point)}" for point in points if point["optimum"])
        parts.append(text + ".")
    if len(notes) > 1:
        parts.append(
            f"A menu switches between {len(notes)} tables of results; the numbers here are of the first."
        )
    return " ".join(parts)


def _note(table: Table, value: str, subsets: Sequence[str], algorithm: str) -> str:
    present = [subset for subset in subsets if subset in set(table.frame["subset"])]
    parts = [part for subset in present for part in left_out(table, value, subset, algorithm)]
    note = wording.source_note(table, list(dict.fromkeys(parts)))
    _, without = optima(table, algorithm)
    if without:
        note += f" No star at {', '.join(map(wording.noise_name, without))}: no level has every replicate."
    return note


def _curves(
    data: pd.DataFrame,
    tables: Sequence[Table],
    *,
    title: str,
    axis: str,
    key: str,
    notes: Sequence[str],
    digits: int,
    logarithmic: bool = False,
) -> alt.LayerChart:
    names = wording.table_names(tables)
    noises = [wording.noise_name(n) for n in sorted(data["noise_percent"].unique())]
    # A noise level has the same colour in every chart of a page, also where another level has nothing to draw.
    every = sorted({float(n) for table in tables for n in table.frame["noise_percent"]})
    domain = [wording.noise_name(n) for n in every]
    partitions = [p for p in PARTITIONS.values() if p in set(data["examples"])]

    several = len(noises) > 1  # a menu of one choice would change nothing
    controls = menus(names) + ([menu("noise_menu", "Label noise: ", [ALL, *noises])] if several else [])
    legend_click = alt.selection_point(name="legend_click", fields=["noise"], bind="legend")
    pointed = alt.selection_point(
        name="pointed",
        on="pointerover",
        clear="pointerout",
        empty=False,
        fields=["noise", "level", "examples"],
    )

    # The menus filter before anything is drawn: one table at a time, and axes that fit what is shown.
    base = one_table(alt.Chart(data), names)
    if several:
        base = base.transform_filter(f"noise_menu == '{ALL}' || datum.noise == noise_menu")

    x = alt.X("weights_remaining_percent:Q", title=_AXIS).scale(
        type="log", reverse=True, nice=False, padding=8
    )
    x = x.axis(values=_TICKS, format="~g", labelOverlap="greedy", grid=False)
    y = alt.Y("mean:Q", title=axis)
    y = y.scale(type="log", nice=False) if logarithmic else y.scale(zero=False, nice=True)
    colour = alt.Color("noise:N", title="Noise").scale(domain=domain, range=list(PALETTE[: len(domain)]))
    colour = colour.legend(values=noises)
    shape = alt.Shape("noise:N", title="Noise").scale(domain=domain, range=list(SHAPES[: len(domain)]))
    shape = shape.legend(values=noises)
    dash = alt.StrokeDash("examples:N", legend=None).scale(
        domain=partitions, range=[[1, 0], [5, 3]][: len(partitions)]
    )
    faded = alt.when(legend_click)
    detail = [alt.Detail("examples:N")]
    tooltip = [
        alt.Tooltip("noise:N", title="label noise"),
        *([alt.Tooltip("examples:N", title="examples")] if partitions else []),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        alt.Tooltip("level:Q", title="level"),
        alt.Tooltip("mean:Q", title=f"mean {axis.removesuffix(', logarithmic')}", format=f".{digits}f"),
        alt.Tooltip("std:Q", title="standard deviation", format=f".{digits}f"),
        alt.Tooltip("replicates:Q", title="replicates"),
    ]  # fmt: skip

    band = base.mark_area(aria=False).encode(
        x, alt.Y("low:Q", title=axis), alt.Y2("high:Q"), colour, *detail,
        opacity=faded.then(alt.value(0.18)).otherwise(alt.value(0.03)),
    )  # fmt: skip
    line = base.mark_line(aria=False).encode(
        x, y, colour, *(dash,) if partitions else detail,
        opacity=faded.then(alt.value(1.0)).otherwise(alt.value(0.12)),
    )  # fmt: skip
    points = base.mark_point(filled=True, opacity=1).encode(
        x, y, colour, shape,
        opacity=faded.then(alt.value(1.0)).otherwise(alt.value(0.12)),
        size=alt.when(pointed).then(alt.value(120)).otherwise(alt.value(28)),
    )  # fmt: skip
    stars = (
        base.transform_filter("datum.optimum")
        .mark_point(shape=STAR, filled=True, stroke="#ffffff", strokeWidth=1.2, size=260, opacity=1)
        .encode(x, y, colour, opacity=faded.then(alt.value(1.0)).otherwise(alt.value(0.12)), tooltip=tooltip)
    )
    # What the pointer meets: larger than what is seen, so that a finger can meet it too.
    targets = base.mark_point(filled=True, opacity=0).encode(x, y, size=alt.value(250), tooltip=tooltip)
    # Vega-Lite listens to a legend for the first layer in it only.
    layers = [band.add_params(legend_click), line, points, stars]
    if not partitions:
        dense = base.transform_filter("datum.level == 0").mark_rule(
            strokeDash=[6, 4], strokeWidth=1.4, aria=False
        )
        layers.insert(
            1, dense.encode(y, colour, opacity=faded.then(alt.value(0.9)).otherwise(alt.value(0.12)))
        )
    if "marked" in data and bool(data["marked"].any()):
        ring = base.transform_filter("datum.marked").mark_point(
            size=420, strokeWidth=2.5, stroke=INK, filled=False
        )
        layers.append(ring.encode(x, y))

    layers += [targets.add_params(pointed), source_notes(names, notes)]
    chart = alt.layer(*layers).add_params(*controls)
    return fitted(chart, height=340).properties(
        title=alt.TitleParams(text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key)),
        description=describe(data, title, axis, digits, notes),
    )
