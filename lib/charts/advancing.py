"""Advancing: lines that grow level by level while a slider moves, or by themselves where the book's script plays them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.analysis.table import SIZE
from lib.charts.axes import across, tooltip, upward
from lib.charts.controls import prepared
from lib.charts.data import quantity_of, safe
from lib.charts.parts import colours, finish
from lib.charts.theme import INK
from lib.errors import InputError

SLIDER = "until_slider"
_STEPS = 4  # of the slider from one level to the next, so that a line grows rather than jumps


def advancing(
    rows: pandas.DataFrame, *, colour: str, x: str = SIZE, y: str | None = None, menus: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None, domain: Sequence[str] | None = None, seconds: float = 8.0, title: str,
    key: str = "", height: int = 340,
) -> alt.LayerChart:  # fmt: skip
    """Draw means over replicates up to the level where the slider stands, what follows faintly.

    At the start all of it is drawn. In the published book a button plays it from the dense network on.

    Args:
        rows, colour, menus, shown, domain, title, key, height: see `lib.charts`; rows of several levels.
        x: a column that never grows with the level, on a logarithmic axis from 100 % on the left.
        y: title of the vertical axis.
        seconds: from the first level to the last.

    Raises:
        InputError: there is a single level, besides what all builders refuse.
    """
    found = prepared(rows, ["level"], menus, None, shown, line=[colour], along="level", beside=[x])
    points, y = found.points.sort_values("level", kind="stable", ignore_index=True), y or quantity_of(found.rows)
    last = int(points["level"].max())
    if last < 1:
        raise InputError("a chart that advances needs several levels; these rows have one")
    of_line = points.groupby(found.keys, sort=False, dropna=False)
    for column, name in ((x, "next_x"), ("mean", "next_mean")):
        points[name] = of_line[column].shift(-1).fillna(points[column])
    points["next_level"] = of_line["level"].shift(-1).fillna(last + 1)
    columns = ["level", x, "mean", "std", "low", "high", "n", "next_x", "next_mean", "next_level"]
    base = found.controls.chart_of_points(points, found.keys, columns)
    name = safe(x)
    painted, shape = colours(points, colour, domain)
    placed, up = across(name, x, "size"), upward("mean", y, "linear", points["mean"])
    told = tooltip(points, [colour, *found.controls.start], [x, "level"], y)
    until = base.transform_filter(f"datum.level <= {SLIDER}")
    share = f"clamp(({SLIDER} - datum.level) / (datum.next_level - datum.level), 0, 1)"
    head = until.transform_filter(f"datum.next_level > {SLIDER}").transform_calculate(
        head_x=f"datum.{name} * pow(datum.next_x / datum.{name}, {share})",
        head_mean=f"datum.mean + (datum.next_mean - datum.mean) * {share}",
    )
    here, there = across("head_x", x, "size"), upward("head_mean", y, "linear", points["mean"])
    layers: list[Any] = [
        base.mark_line(aria=False, strokeWidth=1.2, opacity=0.25).encode(placed, up, color=painted),
        until.mark_line(aria=False).encode(placed, up, color=painted),
        head.mark_rule(aria=False, strokeWidth=2).encode(
            placed, up, alt.X2("head_x:Q"), alt.Y2("head_mean:Q"), painted
        ),
        base.mark_point(filled=True, opacity=0, aria=False).encode(placed, up, size=alt.value(250), tooltip=told),
        head.mark_point(filled=True, size=110, opacity=1, aria=False).encode(here, there, color=painted, shape=shape),
    ]
    size = alt.Text("said:N")
    words = head.transform_filter(f"datum.{safe(colour)} == {json.dumps(points[colour].iloc[0])}")
    words = words.transform_calculate(
        said="'Level ' + floor(datum.level) + ': ' + format(datum.head_x, '.3~g') + ' % left'"
    )
    corner = {"x": alt.value(alt.ExprRef("width - 4")), "y": alt.value(4)}
    layers.append(
        words.mark_text(align="right", baseline="top", fontSize=13, color=INK, aria=False).encode(size, **corner)
    )
    if points["low"].notna().any():
        ends = {end: f"isValid(datum.{end}) ? datum.{end} : datum.mean" for end in ("low", "high")}
        band = until.transform_calculate(**ends).mark_area(aria=False, opacity=0.16)
        layers.insert(0, band.encode(placed, alt.Y("low:Q"), alt.Y2("high:Q"), color=painted))
    first = points[points["level"] == 0]
    if len(first):
        rule = found.controls.chart(first[[*found.keys, "mean"]]).mark_rule(strokeDash=[6, 4], aria=False, opacity=0.6)
        layers.insert(0, rule.encode(up, color=painted))
    slider = alt.binding_range(min=0, max=last, step=1 / _STEPS, name="Level: ")
    found.controls.parameters.append(alt.param(name=SLIDER, value=last, bind=slider))
    found.controls.words.append("the level up to which lines are drawn")
    own = found.controls.at_start(points)
    ends = [own[own["level"] == own["level"].max()], own[own["level"] == 0]]
    said = [
        f"{name}: {dense:.4g} at first, {lowest:.4g} at the lowest, {sparse:.4g} at the last level."
        for name in own[colour].unique()
        for sparse, dense, lowest in [
            (*(one.loc[one[colour] == name, "mean"].mean() for one in ends), own.loc[own[colour] == name, "mean"].min())
        ]
    ]
    rule = "Dashed: dense network. " if len(first) else ""
    chart = finish(
        layers, found.controls, title=title, key=f"Lines: means over replicates. {rule}{key}".strip(), height=height,
        notes=found.notes, description=f"Line chart that advances. {title}: {y} against {x}. {' '.join(said)}",
    )  # fmt: skip
    chart.usermeta = {"play": {"signal": SLIDER, "seconds": seconds}}
    return chart
