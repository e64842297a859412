"""Axes and tooltips that builders share."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy

from lib.charts.data import Frame, safe, spoken
from lib.charts.parts import wrapped

_TICKS = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]
_DECADES = 3, 6  # that the logarithmic part of a "symlog" axis spans to either side, at least and at most

AXIS_FORMAT = ".6~g"  # without digits Vega writes 10 as 1e+1 where its ticks have one digit
X_SCALES = ("linear", "log", "size")
Y_SCALES = ("linear", "zero", "log", "symlog")


def scaled(title: str, scale: str, letters: int) -> list[str]:
    """Return the title of an axis in lines, which says that the axis is logarithmic."""
    is_log = scale in ("log", "size") and not title.endswith("logarithmic")
    return wrapped(f"{title}, logarithmic" if is_log else title, letters)


def across(field: str, title: str, scale: str) -> alt.X:
    """Return the horizontal axis of lines; "size" is logarithmic with 100 % on the left."""
    x = alt.X(f"{field}:Q", title=scaled(title, scale, 46))
    if scale == "linear":
        return x.scale(zero=False, nice=False, padding=8).axis(grid=False, format=AXIS_FORMAT)
    x = x.scale(type="log", reverse=scale == "size", nice=False, padding=8)
    # Flush, or a phone cuts the label at the end.
    ticks: dict[str, Any] = {"values": _TICKS} if scale == "size" else {"labelFlush": 10}
    return x.axis(format=AXIS_FORMAT, labelOverlap="greedy", grid=False, **ticks)


def upward(field: str, title: str, scale: str, largest: Frame, span: Sequence[float] | None = None) -> alt.Y:
    """Return the vertical axis of lines.

    Args:
        field: what it places.
        title: in lines where it is longer than the axis.
        scale: one of `Y_SCALES`.
        largest: absolute value of each case, from which "symlog" takes the stretch that is linear.
        span: bottom and top in pixels, for one of several panels.
    """
    pixels: dict[str, Any] = {"range": list(span)} if span else {}
    y = alt.Y(f"{field}:Q", title=scaled(title, scale, 28 if span else 48))
    if scale == "log":
        return y.scale(type="log", nice=False, **pixels).axis(format=AXIS_FORMAT, tickCount=6)
    if scale == "symlog":
        large = largest[largest > 0] if (largest > 0).any() else numpy.ones(1)
        top = numpy.ceil(numpy.log10(large.max()))
        count = int(numpy.clip(top - numpy.floor(numpy.log10(large.min())) + 1, *_DECADES))
        decades = [float(f"{10.0 ** (top - i):.3g}") for i in range(count + 1)]
        y = y.scale(type="symlog", constant=decades[-1], nice=False, padding=6, **pixels)
        ticks = sorted([0.0, *decades, *(-tick for tick in decades)])
        short = "datum.value && abs(datum.value) < 0.01 ? format(datum.value, '~e') : datum.label"
        return y.axis(values=ticks, format=AXIS_FORMAT, labelExpr=short, labelOverlap="greedy")
    axis: dict[str, Any] = {"orient": "left", "tickCount": 5} if span else {}
    return y.scale(zero=scale == "zero", nice=True, **pixels).axis(**axis)


def either(channel: Any, title: str, scale: str, letters: int, padding: int = 8) -> Any:
    """Return an axis of points, horizontal or vertical, which need not begin at zero."""
    placed = channel.title(scaled(title, scale, letters))
    placed = placed.scale(type=scale, zero=False, nice=scale == "linear", padding=padding)
    return placed.axis(format=AXIS_FORMAT, labelOverlap="greedy", labelSeparation=6)


def tooltip(points: Frame, columns: Sequence[str | None], numbers: Sequence[str], quantity: str) -> list[alt.Tooltip]:
    """Tell every column that varies, and mean, spread and replicates; a spread that there is not is a dash.

    Args:
        points: as `lib.charts.data.average` returns them.
        columns: of words, such as colour and menus.
        numbers: columns of numbers.
        quantity: what the mean is of.
    """
    words = [c for c in dict.fromkeys(columns) if c and c != "table" and points[c].nunique() > 1]
    others = [c for c in dict.fromkeys(numbers) if c in points and c not in columns and points[c].nunique() > 1]
    several = points["std"].notna().any()
    spread = [alt.Tooltip("spread:N", title="standard deviation"), alt.Tooltip("n:Q", title="replicates")]
    return [
        *(alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in words),
        *(alt.Tooltip(f"{safe(c)}:Q", title=spoken(c), format=AXIS_FORMAT) for c in others),
        alt.Tooltip("mean:Q", title=f"mean {quantity}" if several else quantity, format=".4~g"),
        *(spread if several else []),
    ]
