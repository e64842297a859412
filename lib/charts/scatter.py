"""Scatter: two quantities of the same networks against each other, with a least-squares line and correlations."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy
import pandas
from scipy import stats

from lib.analysis.table import EPOCHS, SIZE
from lib.charts.axes import AXIS_FORMAT
from lib.charts.data import Frame, checked, name_columns, options, records, safe, source_note, spoken
from lib.charts.parts import Controls, colours, finish, wrapped
from lib.charts.theme import INK, PALETTE
from lib.errors import InputError, unknown


def scatter(
    rows: pandas.DataFrame, *, x: str, y: str, colour: str | None = None, menus: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None, fit: bool = False, x_scale: str = "linear", y_scale: str = "linear",
    domain: Sequence[str] | None = None, title: str, key: str = "", height: int = 340,
) -> alt.LayerChart:  # fmt: skip
    """Draw a point for each network.

    Args:
        rows: of `lib.analysis.table.rows`, of both quantities; or with `x` or `y` as columns.
        x, y: quantities, and titles of their axes.
        colour: a column.
        fit: draw the least-squares line of the networks shown, and give Pearson's r and Spearman's ρ.
        x_scale, y_scale: "linear" or "log"; a fit is made in these scales.
        menus, shown, domain, title, key, height: see `lib.charts.lines.lines`.

    Raises:
        InputError: no network has both quantities.
    """
    case = ["table", *menus]
    keys = [*case, *([colour] if colour and colour not in case else [])]
    points = name_columns(_beside(checked(rows, keys), x, y), keys)
    controls = Controls(points, case, shown=shown)
    columns = [c for c in dict.fromkeys([*keys, "algorithm", "seed", "level", SIZE, EPOCHS]) if c in points]
    data = points[columns].assign(x=points[x], y=points[y])
    base = controls.of(alt.Chart(pandas.DataFrame(records(data, columns))))
    placed = [_axis(alt.X("x:Q"), x, x_scale, 60), _axis(alt.Y("y:Q"), y, y_scale, 44)]
    colour_of, shape = (
        colours(points, colour, domain) if colour else (alt.value(PALETTE[1]), alt.value("circle"))
    )
    told = [alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in columns if points[c].nunique() > 1]
    told += [alt.Tooltip(f"{at}:Q", title=name, format=".4~g") for at, name in (("x", x), ("y", y))]
    marks: list[Any] = [
        base.mark_point(filled=True, size=45, opacity=0.75).encode(
            *placed, color=colour_of, shape=shape, tooltip=told
        )
    ]
    captions = []
    if fit:
        ends = []
        for place, own in points.groupby(case, sort=False):
            found, said = _fit(own[x], own[y], x_scale, y_scale)
            here = {safe(k): v for k, v in zip(case, place, strict=True)}
            ends += [{**here, "x": at, "y": of} for at, of in found]
            captions.append({**here, "text": [said]})
        line = controls.of(alt.Chart(pandas.DataFrame(ends))).mark_line(
            color=INK, strokeDash=[6, 4], aria=False
        )
        marks.insert(0, line.encode(*placed))
    said = captions[0]["text"][0] if captions else ""
    return finish(
        marks, controls, title=title, key=f"A point for each network. {key}".strip(), captions=captions, height=height,
        notes=source_note(points, keys, menus), description=f"Scatter plot. {title}: {y} against {x}. {said}",
    )  # fmt: skip


def _axis(channel: Any, title: str, scale: str, letters: int) -> Any:
    lines = wrapped(title + (", logarithmic" if scale == "log" else ""), letters)
    placed = channel.title(lines).scale(type=scale, zero=False, nice=scale == "linear", padding=8)
    return placed.axis(format=AXIS_FORMAT, labelOverlap="greedy")


def _beside(rows: Frame, x: str, y: str) -> Frame:
    """Return a row per network with both quantities as columns.

    Raises:
        InputError: a quantity is missing, or no network has both.
    """
    wide: Frame = rows
    if asked := [quantity for quantity in (x, y) if quantity not in rows]:
        for quantity in asked:
            if quantity not in set(rows["quantity"]):
                raise unknown("quantity", quantity, options(rows, "quantity"))
        same = [c for c in rows if c not in ("quantity", "value", "stage_key", "part")]
        own = rows[rows["quantity"].isin(asked)]
        wide = own.pivot(index=same, columns="quantity", values="value").reset_index()
    wide = wide.assign(value=wide[y]).dropna(subset=[x, y])
    if wide.empty:
        raise InputError(f"no network has both {x!r} and {y!r}")
    return wide


def _fit(x: Frame, y: Frame, x_scale: str, y_scale: str) -> tuple[list[tuple[float, float]], str]:
    """Fit a line; return its two ends, and what is said of it."""
    at, of = numpy.log10(x) if x_scale == "log" else x, numpy.log10(y) if y_scale == "log" else y
    if len(at) < 3 or at.nunique() < 2 or of.nunique() < 2:
        return [], "Too few networks for a line."
    line: Any = stats.linregress(at, of)
    rank: Any = stats.spearmanr(at, of)
    ends = [
        (10**a if x_scale == "log" else a, 10**b if y_scale == "log" else b)
        for a, b in ((end, line.intercept + line.slope * end) for end in (at.min(), at.max()))
    ]
    return ends, f"{len(at)} networks: Pearson's r = {line.rvalue:.2f}, Spearman's ρ = {rank.statistic:.2f}."
