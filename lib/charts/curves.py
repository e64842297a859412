"""What charts of curves share: averaged rows, and the layers that draw a line per series.

A line is a mean over replicates, its band one sample standard deviation to either side, a dashed rule the dense network,
a star the level with the lowest mean validation error. The axis of weights is logarithmic and runs from 100 % on the left
to the sparsest network on the right, as in TR. Everything is averaged here, so a page carries a few hundred numbers a
chart.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from lib.analysis.schema import ALGORITHMS
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import LEARNING_RATE_REWINDING, averages, left_out, optima
from lib.charts.parts import menus, one_table, source_notes
from lib.charts.theme import INK, PALETTE, SHAPES, STAR, fitted
from lib.errors import InputError

WEIGHTS = "weights remaining (%), logarithmic"
_TICKS = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]

Point = Mapping[Hashable, Any]


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
        weights_remaining_percent, epochs_trained, mean, std, low, high (mean ± std), replicates, optimum (bool).

    Raises:
        InputError: no table, two of the same label, or rows that a curve needs are not there.
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


def note(table: Table, value: str, subsets: Sequence[str], algorithms: Sequence[str]) -> str:
    """Say where a table's curves come from, what its means leave out, and where there is no star.

    Args:
        table: a measured table.
        value: the column averaged.
        subsets: those drawn.
        algorithms: those drawn; they are named where there are several.
    """
    present = [subset for subset in subsets if subset in set(table.frame["subset"])]
    excluded, starless = [], []
    for algorithm in algorithms:
        whose = f"{wording.algorithm_name(algorithm)}, " if len(algorithms) > 1 else ""
        excluded += [whose + part for s in present for part in left_out(table, value, s, algorithm)]
        starless += [whose + wording.noise_name(noise) for noise in optima(table, algorithm)[1]]
    text = wording.source_note(table, list(dict.fromkeys(excluded)))
    if starless:
        text += f" No star at {'; '.join(starless)}: no level has every replicate."
    return text


def coloured_algorithms(tables: Sequence[Table], algorithms: Sequence[str]) -> list[str]:
    """Name the algorithms in the order of the colours.

    An algorithm has the same colour in every chart of the same tables, also where another one has nothing to draw: all
    that the tables hold have a place, unless there are more than colours; then only those drawn.
    """
    there = {name for table in tables for name in table.frame["algorithm"]}
    every = [name for name in ALGORITHMS if name in there]
    chosen = every if len(every) <= len(PALETTE) else algorithms
    return [wording.algorithm_name(name) for name in chosen]


def weights_axis(column: str = "weights_remaining_percent", title: str | list[str] = WEIGHTS) -> alt.X:
    """The axis of weights remaining in percent: logarithmic, with 100 % on the left; a title may have lines."""
    x = alt.X(f"{column}:Q", title=title).scale(type="log", reverse=True, nice=False, padding=8)
    return x.axis(values=_TICKS, format="~g", labelOverlap="greedy", grid=False)


def describe(
    data: pd.DataFrame,
    opening: str,
    notes: Sequence[str],
    digits: int,
    line: Callable[[Point], str],
    place: Callable[[Point], str],
) -> str:
    """Put a chart of curves into words: each line's dense value, its highest and its optimum.

    Args:
        data: rows of `curve_data`; those of its first table are described.
        opening: what is drawn against what.
        notes: on the source of each table.
        digits: after the point.
        line: names the line of a point.
        place: says where on the horizontal axis a point lies, such as "10 % of the weights".
    """

    def at(point: Point) -> str:
        return f"{point['mean']:.{digits}f} at {place(point)}"

    lines: dict[str, list[Point]] = {}
    for point in data.loc[data["table"] == data["table"].iloc[0]].to_dict("records"):
        lines.setdefault(line(point), []).append(point)
    parts = [f"Line chart. {opening}", notes[0]]
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


def draw(
    data: pd.DataFrame,
    names: Sequence[str],
    notes: Sequence[str],
    *,
    x: alt.X,
    axis: str,
    series: str,
    legend: Mapping[str, Any],
    domain: Sequence[str],
    tooltip: Sequence[alt.Tooltip],
    digits: int,
    title: str,
    key: str,
    description: str,
    controls: Sequence[alt.Parameter] = (),
    keep: str = "",
    dashes: Sequence[str] = (),
    dense: Literal["each", "one", "none"] = "each",
    logarithmic: bool = False,
    vertical: alt.Y | None = None,
    along: str = "level",
    more: Sequence[alt.Chart] = (),
    room: int = 0,
    flatten: Sequence[str] = (),
) -> alt.LayerChart:
    """Draw a line per series, with band, points, star, dense rule, legend click and hover.

    Args:
        data: rows of `curve_data`, with whatever columns the other arguments name; points whose column
            `marked` is true are ringed.
        names: of the tables, as the menu offers them.
        notes: on the source of each table.
        x: the horizontal axis.
        axis: title of the vertical axis, with the unit.
        series: the column whose values have a colour and a shape each.
        legend: further settings of the legend.
        domain: the values of `series` in the order of the colours, also those that this chart does not have.
        tooltip: what hovering tells first.
        digits: after the point, in the tooltip.
        title, key: of the chart, and the line that says what its signs mean.
        description: for screen readers.
        controls: menus besides the one of the tables.
        keep: an expression over a row; only the rows for which it holds are drawn.
        dashes: values of `examples`, the first drawn solid, the second dashed; none for a single kind of line.
        dense: a dashed rule for each line, one for all (they share the dense network), or none.
        logarithmic: the vertical axis.
        vertical: the whole encoding of `mean`, where a title and `logarithmic` do not say enough.
        along: the column whose values a line runs through.
        more: layers to draw beneath all others.
        room: lines to leave free between notes and plot, for text of `more`.
        flatten: columns whose cells are lists, equally long in a row: a row is a whole line then.
    """
    legend_click = alt.selection_point(name="legend_click", fields=[series], bind="legend")
    parts = ["examples"] if "examples" in data else []
    fields = list(dict.fromkeys([series, "noise", along, *parts]))
    pointed = alt.selection_point(
        name="pointed", on="pointerover", clear="pointerout", empty=False, fields=fields
    )
    # The menus filter before anything is drawn: one table at a time, and axes that fit what is shown.
    base = one_table(alt.Chart(data), names)
    if keep:
        base = base.transform_filter(keep)
    if flatten:
        base = base.transform_flatten(list(flatten))

    y = vertical or alt.Y("mean:Q", title=axis)
    if vertical is None:
        y = y.scale(type="log", nice=False) if logarithmic else y.scale(zero=False, nice=True)
    settings = {"values": [value for value in domain if value in set(data[series])], **legend}
    colour = alt.Color(f"{series}:N").scale(domain=domain, range=list(PALETTE[: len(domain)]))
    shape = alt.Shape(f"{series}:N").scale(domain=domain, range=list(SHAPES[: len(domain)]))
    colour, shape = colour.legend(**settings), shape.legend(**settings)
    dash = alt.StrokeDash("examples:N", legend=None)
    dash = dash.scale(domain=dashes, range=[[1, 0], [5, 3]][: len(dashes)])
    faded = alt.when(legend_click)
    detail = [alt.Detail(f"{part}:N") for part in parts]
    tooltip = [
        *tooltip,
        alt.Tooltip("level:Q", title="level"),
        alt.Tooltip("epochs_trained:Q", title="epochs trained", format="~g"),
        alt.Tooltip("mean:Q", title=f"mean {axis.removesuffix(', logarithmic')}", format=f".{digits}f"),
        alt.Tooltip("std:Q", title="standard deviation", format=f".{digits}f"),
        alt.Tooltip("replicates:Q", title="replicates"),
    ]

    band = base.mark_area(aria=False).encode(
        x, alt.Y("low:Q", title=axis), alt.Y2("high:Q"), colour, *detail,
        opacity=faded.then(alt.value(0.18)).otherwise(alt.value(0.03)),
    )  # fmt: skip
    line = base.mark_line(aria=False).encode(
        x, y, colour, *(dash,) if dashes else detail,
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
    rule = base.transform_filter("datum.level == 0")
    if dense == "each":
        rule = rule.mark_rule(strokeDash=[6, 4], strokeWidth=1.4, aria=False)
        opacity = faded.then(alt.value(0.9)).otherwise(alt.value(0.12))
        layers.insert(1, rule.encode(y, colour, opacity=opacity))
    elif dense == "one":
        rule = rule.transform_filter(f"datum.{series} == '{data[series].iloc[0]}'")
        layers.insert(1, rule.mark_rule(strokeDash=[6, 4], strokeWidth=1.4, aria=False, color=INK).encode(y))
    if "marked" in data and bool(data["marked"].any()):
        ring = base.transform_filter("datum.marked").mark_point(
            size=420, strokeWidth=2.5, stroke=INK, filled=False
        )
        layers.append(ring.encode(x, y))

    layers += [targets.add_params(pointed), source_notes(names, notes, room=room)]
    chart = alt.layer(*more, *layers).add_params(*menus(names), *controls)
    return fitted(chart, height=340).properties(
        title=alt.TitleParams(text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key)),
        description=description,
    )
