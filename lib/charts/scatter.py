"""Scatter: two quantities of the same networks against each other, with a least-squares line, or with the line on which they
are equal."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas
from scipy import stats

from lib.analysis.table import EPOCHS, SIZE
from lib.charts.axes import either
from lib.charts.controls import Controls
from lib.charts.data import Frame, checked, name_columns, options, safe, spoken
from lib.charts.notes import source_note
from lib.charts.parts import colours, finish
from lib.charts.theme import INK
from lib.errors import InputError, unknown

EQUAL = "On the dashed line both are equal."


def scatter(
    rows: pandas.DataFrame, *, x: str, y: str, colour: str | None = None, menus: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None, fit: bool = False, equal: bool = False,
    domain: Sequence[str] | None = None, title: str, key: str = "", height: int = 340,
) -> alt.LayerChart:  # fmt: skip
    """Draw a point for each network.

    Args:
        rows, colour, menus, shown, domain, title, key, height: see `lib.charts`; rows of both quantities. A `caption` of the
            rows stands below the chart.
        x, y: quantities or columns, and titles of their axes.
        fit: draw the least-squares line of the networks shown, where there are three or more.
        equal: instead of a fit, draw the line on which both are equal.
    """
    case = ["table", *menus]
    keys = [*case, *([colour] if colour and colour not in case else [])]
    points = name_columns(_beside(checked(rows, keys), x, y), keys)
    controls = Controls(points, case, shown=shown)
    columns = [c for c in dict.fromkeys([*keys, "algorithm", "seed", "level", SIZE, EPOCHS]) if c in points]
    placed = [either(alt.X("x:Q"), x, "linear", 60), either(alt.Y("y:Q"), y, "linear", 44)]
    painted, shape = colours(points, colour, domain)
    told = [alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in columns if points[c].nunique() > 1]
    told += [alt.Tooltip(f"{at}:Q", title=name, format=".4~g") for at, name in (("x", x), ("y", y))]
    base = controls.chart(points[columns].assign(x=points[x], y=points[y]))
    base = base.mark_point(filled=True, size=45, opacity=0.75)
    marks: list[Any] = [base.encode(*placed, color=painted, shape=shape, tooltip=told)]
    captions, ends = [], []
    for place, own in points.groupby(case, sort=False):
        found = _least_squares(own[x], own[y]) if fit else []
        if equal:
            found = [(end, end) for end in (own[[x, y]].min().min(), own[[x, y]].max().max())]
        here = dict(zip(case, place, strict=True))
        ends += [{**here, "x": at, "y": of} for at, of in found]
        captions.append({**here, "text": own["caption"].iloc[0] if "caption" in own else EQUAL * equal})
    if ends:
        line = controls.chart(pandas.DataFrame(ends)).mark_line(color=INK, strokeDash=[6, 4], aria=False)
        marks.insert(0, line.encode(*placed))
    said = controls.at_start(pandas.DataFrame(captions))["text"].iloc[0]
    return finish(
        marks, controls, title=title, key=f"A point for each network. {key}".strip(), height=height,
        captions=pandas.DataFrame(captions).loc[lambda told: told["text"] != ""], notes=source_note(points, keys, menus),
        description=f"Scatter plot. {title}: {y} against {x}. {said}",
    )  # fmt: skip


def _beside(rows: Frame, x: str, y: str) -> Frame:
    """Return a row per network with both quantities as columns; InputError if no network has both."""
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


def _least_squares(x: Frame, y: Frame) -> list[tuple[float, float]]:
    """Return the two ends of the least-squares line, none where there are too few networks or all are alike."""
    if len(x) < 3 or x.nunique() < 2:
        return []
    line: Any = stats.linregress(x, y)
    return [(end, line.intercept + line.slope * end) for end in (x.min(), x.max())]
