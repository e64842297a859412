"""Heat maps and bars: a number for each place of a grid, or for each bin or name."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.charts.axes import AXIS_FORMAT, tooltip
from lib.charts.data import (
    Frame,
    average,
    checked,
    name_columns,
    options,
    quantity_of,
    records,
    safe,
    source_note,
    spoken,
)  # fmt: skip
from lib.charts.parts import Controls, between, captions, chart_of, colours, finish, wrapped
from lib.charts.theme import INK, PALETTE

_SHADES = ["#ffffff", "#a9cfe6", "#0072b2", "#003a5c"]  # from least to most; lightness alone tells


def heatmap(
    rows: pandas.DataFrame, *, x: str, y: str, colour: str | None = None, menus: Sequence[str] = (),
    slider: str | None = None, shown: Mapping[str, Any] | None = None, axes: bool = True, limit: float | None = None,
    title: str, key: str = "", height: int = 320,
) -> alt.LayerChart:  # fmt: skip
    """Draw a cell for each place, the darker the larger the mean over replicates.

    Args:
        rows: of `lib.analysis.table.rows`, or any with `value`.
        x, y: columns of the grid.
        colour: title of the scale of colours; None for the only quantity of the rows.
        axes: whether the places have names; the pixels of an image do not, and are square.
        limit: value of the darkest cell; None for the largest.
        menus, slider, shown, title, key, height: see `lib.charts.lines.lines`.
    """
    colour = colour or quantity_of(rows)
    points, base, controls, around = _prepared(rows, [x, y], [], menus, slider, shown)
    hidden: dict[str, Any] = {} if axes else {"axis": None}
    scale: dict[str, Any] = {"paddingInner": 0} if axes else {"paddingInner": 0, "range": [0, height]}
    places: list[Any] = [
        channel(f"{safe(c)}:O", title=spoken(c), sort=options(points, c), **hidden).scale(**scale)
        for channel, c in ((alt.X, x), (alt.Y, y))
    ]
    extent = [min(0.0, points["mean"].min()), limit or points["mean"].max()]
    shade = alt.Color("mean:Q", title=colour).scale(range=_SHADES, domain=extent, interpolate="rgb")
    shade = shade.legend(
        titleOrient="top", gradientLength=200, gradientThickness=10, tickCount=4, format=AXIS_FORMAT
    )
    told = [alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in (x, y)]
    told += tooltip(points, list(controls.start), [], colour)
    cells = base.mark_rect(aria=False).encode(*places, shade, tooltip=told)
    frame = alt.Chart(pandas.DataFrame({"frame": [0]})).mark_rect(fillOpacity=0, stroke="#8a929c", aria=False)
    right, bottom = (
        (alt.value("width"), alt.value("height")) if axes else (alt.value(height), alt.value(height))
    )
    frame = frame.encode(x=alt.value(0), x2=right, y=alt.value(0), y2=bottom)
    means = controls.at_start(points)["mean"]
    words = f"{colour} by {spoken(x)} and {spoken(y)}, from {means.min():.4g} to {means.max():.4g}"
    description = f"Heat map. {title}: {words}."
    return finish(
        [cells, frame], controls, title=title, key=key, height=height, description=description, **around
    )


def bars(
    rows: pandas.DataFrame, *, x: str, to: str | None = None, y: str | None = None, colour: str | None = None,
    menus: Sequence[str] = (), slider: str | None = None, shown: Mapping[str, Any] | None = None,
    rules: pandas.DataFrame | None = None, x_title: str | None = None, domain: Sequence[str] | None = None, title: str,
    key: str = "", height: int = 240,
) -> alt.LayerChart:  # fmt: skip
    """Draw a bar for each bin or name, those of several colours on top of each other.

    Args:
        rows: of `lib.analysis.table.rows`, or any with `value`: the height, averaged over replicates.
        x: a column of names, or of where each bin begins.
        to: the column of where each bin ends; None for names.
        y: title of the vertical axis; None for the only quantity of the rows.
        colour: a column.
        rules: vertical rules at column `x`, with the columns of menus and slider that they depend on.
        x_title: of the horizontal axis; None for the name of `x`.
        menus, slider, shown, domain, title, key, height: see `lib.charts.lines.lines`.
    """
    y, called = y or quantity_of(rows), x_title or spoken(x)
    points, base, controls, around = _prepared(rows, [x], [to] if to else [], menus, slider, shown, colour)
    if to:
        across = alt.X(f"{safe(x)}:Q", title=called, bin="binned").scale(nice=False, zero=False)
        across = across.axis(
            tickCount=6, format=AXIS_FORMAT, grid=False, labelOverlap="greedy", labelSeparation=4
        )
        told = [alt.Tooltip(f"{safe(c)}:Q", title=t, format=".3~g") for c, t in ((x, "from"), (to, "to"))]
    else:
        across = alt.X(f"{safe(x)}:N", title=called, sort=options(points, x)).axis(labelAngle=0)
        told = [alt.Tooltip(f"{safe(x)}:N", title=spoken(x))]
    upward = alt.Y("mean:Q", title=wrapped(y, 34), stack="zero").axis(tickCount=5, format="~s")
    painted = colours(points, colour, domain, line=False)[0] if colour else alt.value(PALETTE[1])
    ends = {"x2": alt.X2(f"{safe(to)}:Q")} if to else {}
    told += tooltip(points, [colour, *controls.start], [], y)
    drawn: list[Any] = [
        base.mark_bar(aria=False).encode(across, y=upward, color=painted, tooltip=told, **ends)
    ]
    if rules is not None and len(rules):
        there = [k for k in ("table", *menus) if k in rules]
        own: Frame = name_columns(rules, there)
        if slider in own:
            own, there = between(own, str(slider), there), [*there, "from", "to"]
        lines = controls.of(alt.Chart(pandas.DataFrame(records(own[[*there, "x"]], there))), there)
        lines = lines.mark_rule(strokeDash=[5, 3], strokeWidth=1.4, color=INK, aria=False)
        drawn.append(lines.encode(alt.X("x:Q")))
    start = controls.at_start(points)
    tallest = start.loc[start["mean"].idxmax()]
    words = (
        f"Bar chart. {title}: {y} against {called}. The highest bar: {tallest['mean']:.4g} at {tallest[x]}."
    )
    return finish(drawn, controls, title=title, key=key, height=height, description=words, **around)


def _prepared(
    rows: Frame, point: Sequence[str], beside: Sequence[str], menus: Sequence[str], slider: str | None,
    shown: Mapping[str, Any] | None, colour: str | None = None,
) -> tuple[Frame, Any, Controls, dict[str, Any]]:  # fmt: skip
    """Average rows; return the points, the chart of those that the controls choose, the controls, and what is said above."""
    case = ["table", *menus]
    keys = [*case, *([colour] if colour else [])]
    named = name_columns(
        checked(rows, [*keys, *point, *beside, "value", *([slider] if slider else [])]), keys
    )
    moving = ["from", "to"] if slider else []
    named = between(named, slider, case) if slider else named
    controls = Controls(named, case, slider, shown)
    points = average(named, [*keys, *moving], point, beside=beside)
    several = ("std", "n") if (points["n"] > 1).any() else ()
    fields = {c: safe(c) for c in (*point, *beside)} | {c: c for c in ("mean", *several)}
    base = chart_of(points, [*keys, *moving], fields, controls)
    around = {"notes": source_note(named, keys, menus), "captions": captions(named, [*case, *moving], slider)}
    return points, base, controls, around
