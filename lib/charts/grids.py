"""Heat maps and bars: a number for each place of a grid, or for each bin."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.charts.axes import AXIS_FORMAT, tooltip
from lib.charts.controls import between, prepared
from lib.charts.data import name_columns, options, quantity_of, safe, spoken
from lib.charts.parts import colours, finish, wrapped
from lib.charts.theme import INK, LEFT

_SHADES = ["#ffffff", "#a9cfe6", "#0072b2", "#003a5c"]  # from least to most; lightness alone tells
_LETTER, _AXIS_TITLE = 6, 30  # pixels that a letter of a label takes, and the title of the axis beside them
_BELOW_ZERO = ["#5c2c00", "#b35900", "#f2c9a0"]  # from the furthest below it, where values have either sign


def heatmap(
    rows: pandas.DataFrame, *, x: str, y: str, colour: str | None = None, menus: Sequence[str] = (),
    slider: str | None = None, shown: Mapping[str, Any] | None = None, axes: bool = True, limit: float | None = None,
    title: str, key: str = "", height: int = 320,
) -> alt.LayerChart:  # fmt: skip
    """Draw a cell for each place, the darker the larger the mean over replicates; blue above and brown below zero.

    Args:
        rows, menus, slider, shown, title, key, height: see `lib.charts`; rows may be any with `value`.
        x, y: columns of the grid.
        colour: title of the scale of colours.
        axes: whether the places have names; the pixels of an image do not, and are square.
        limit: value of the darkest cell; None for the largest size.
    """
    found = prepared(rows, [x, y], menus, slider, shown)
    points, colour = found.points, colour or quantity_of(found.rows)
    hidden: dict[str, Any] = {} if axes else {"axis": None}
    scale: dict[str, Any] = {"paddingInner": 0} if axes else {"paddingInner": 0, "range": [0, height]}
    places: list[Any] = [
        channel(f"{safe(c)}:O", title=spoken(c), sort=options(points, c), **hidden).scale(**scale)
        for channel, c in ((alt.X, x), (alt.Y, y))
    ]
    least, most = points["mean"].min(), limit or points["mean"].max()
    extent, shades = [0.0, most], _SHADES
    if least < 0:
        size = float(f"{max(-least, most):.2g}")
        extent, shades = [-size, size], [*_BELOW_ZERO, *_SHADES]
    shade = alt.Color("mean:Q", title=colour).scale(range=shades, domain=extent, interpolate="rgb", clamp=True)
    beside = max(len(str(name)) for name in options(points, y)) * _LETTER + _AXIS_TITLE if axes else 0
    long: Any = alt.ExprRef(f"clamp(room - {beside + 2 * _AXIS_TITLE}, 90, 200)")
    shade = shade.legend(titleOrient="top", gradientLength=long, gradientThickness=10, tickCount=4, format=AXIS_FORMAT)
    told = [alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in (x, y)]
    told += tooltip(points, list(found.controls.start), [], colour)
    base = found.controls.chart_of_points(points, found.keys, [x, y, "mean", "std", "n"])
    cells = base.mark_rect(aria=False).encode(*places, shade, tooltip=told)
    frame = alt.Chart(pandas.DataFrame({"frame": [0]})).mark_rect(fillOpacity=0, stroke="#8a929c", aria=False)
    right, bottom = (alt.value(end if axes else height) for end in ("width", "height"))
    frame = frame.encode(x=alt.value(0), x2=right, y=alt.value(0), y2=bottom)
    means = found.controls.at_start(points)["mean"]
    words = f"{colour} by {spoken(x)} and {spoken(y)}, from {means.min():.4g} to {means.max():.4g}"
    return finish(
        [cells, frame], found.controls, title=title, key=key, height=height, notes=found.notes,
        captions=found.captions, description=f"Heat map. {title}: {words}.", left=min(LEFT, -beside),
    )  # fmt: skip


def bars(
    rows: pandas.DataFrame, *, x: str, to: str, y: str | None = None, colour: str | None = None,
    menus: Sequence[str] = (), slider: str | None = None, shown: Mapping[str, Any] | None = None,
    rules: pandas.DataFrame | None = None, x_title: str | None = None, domain: Sequence[str] | None = None, title: str,
    key: str = "", height: int = 240,
) -> alt.LayerChart:  # fmt: skip
    """Draw a bar for each bin, those of several colours on top of each other.

    Args:
        rows, colour, domain, menus, slider, shown, title, key, height: see `lib.charts`; rows may be any with `value`.
        x, to: columns of where each bin begins and ends.
        y: title of the vertical axis.
        rules: vertical rules at column `x`, with the columns of menus and slider that they depend on.
        x_title: of the horizontal axis; None for the name of `x`.
    """
    found = prepared(rows, [x], menus, slider, shown, line=[colour], beside=[to])
    points, controls, y, called = (
        found.points,
        found.controls,
        y or quantity_of(found.rows),
        x_title or spoken(x),
    )
    across = alt.X(f"{safe(x)}:Q", title=called, bin="binned").scale(nice=False, zero=False)
    across = across.axis(tickCount=6, format=AXIS_FORMAT, grid=False, labelOverlap="greedy", labelSeparation=4)
    upward = alt.Y("mean:Q", title=wrapped(y, 34), stack="zero").axis(tickCount=5, format="~s")
    painted = colours(points, colour, domain, line=False)[0]
    told = [alt.Tooltip(f"{safe(c)}:Q", title=t, format=".3~g") for c, t in ((x, "from"), (to, "to"))]
    told += tooltip(points, [colour, *controls.start], [], y)
    base = controls.chart_of_points(points, found.keys, [x, to, "mean", "std", "n"]).mark_bar(aria=False)
    drawn: list[Any] = [base.encode(across, y=upward, color=painted, tooltip=told, x2=alt.X2(f"{safe(to)}:Q"))]
    if rules is not None and len(rules):
        there = [k for k in ("table", *menus) if k in rules]
        own = name_columns(rules, there)
        own = between(own, slider, there).drop(columns=slider) if slider and slider in own else own
        line = controls.chart(own).mark_rule(strokeDash=[5, 3], strokeWidth=1.4, color=INK, aria=False)
        drawn.append(line.encode(alt.X("x:Q")))
    start = controls.at_start(points)
    tallest = start.loc[start["mean"].idxmax()]
    highest = f"The highest bar: {tallest['mean']:.4g} at {tallest[x]}."
    return finish(
        drawn, controls, title=title, key=key, height=height, notes=found.notes, captions=found.captions,
        description=f"Bar chart. {title}: {y} against {called}. {highest}",
    )  # fmt: skip
