"""Lines: the mean over replicates against something, with band and single replicates, and what may stand around it.

A band is one sample standard deviation to either side, clipped at what the quantity cannot leave. The axis of weights
remaining is logarithmic and runs from 100 % on the left to the sparsest network on the right, as in TR.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy
import pandas

from lib.analysis.table import EPOCHS, SIZE
from lib.charts.axes import X_SCALES, Y_SCALES, across, tooltip, upward
from lib.charts.behind import Reference, base_of, reference_layer, reference_rows, rule_layers, shade_layer
from lib.charts.data import (
    MANY_POINTS,
    Bounds,
    Frame,
    average,
    checked,
    heading,
    name_columns,
    options,
    quantity_of,
    safe,
    source_note,
    spoken,
)  # fmt: skip
from lib.charts.parts import Controls, between, captions, chart_of, colours, finish
from lib.charts.theme import INK, PALETTE, STAR
from lib.errors import InputError, unknown

DASHES = {"Solid": [1, 0], "Dashed": [6, 4], "Dotted": [1.5, 3]}
_MARKED = {"optimum": "lowest validation error"}
_PANEL, _GAP = 190, 40  # pixels: height of each of several panels, and between them
_DESCRIBED = 12  # lines at most that are put into words


@dataclass(frozen=True)
class _Plan:
    """What `lines` was asked for; `slider` only where it rings points."""

    controls: Controls
    x: str
    y: str
    scales: tuple[str, str]
    colour: str | None
    dash: str | None
    panels: str | None
    domain: Sequence[str] | None
    mark: str | None
    rings: Sequence[str]
    slider: str | None
    behind: Mapping[str, Any]


def lines(
    rows: pandas.DataFrame, *, x: str, y: str | None = None, colour: str | None = None, dash: str | None = None,
    menus: Sequence[str] = (), panels: str | None = None, slider: str | None = None,
    shown: Mapping[str, Any] | None = None, reference: Reference = None, mark: str | None = None,
    rings: Sequence[str] = (), shade: pandas.DataFrame | None = None, rules: pandas.DataFrame | None = None,
    bounds: Bounds | None = None, x_scale: str | None = None, y_scale: str = "linear",
    domain: Sequence[str] | None = None, title: str, key: str = "", height: int = 340,
) -> alt.LayerChart:  # fmt: skip
    """Draw a line for each value of `colour` and `dash`.

    Args:
        rows: of `lib.analysis.table.rows`, with whatever columns a figure adds. A column `caption`, if there is one, is
            written above the plot for the rows shown.
        x: a column. "weights remaining (%)" and "epochs trained" are averaged over replicates at each level.
        y: title of the vertical axis; None for the only quantity of the rows.
        colour, dash: columns; `dash` has at most three values.
        menus: columns with a menu each, where they have several values; `table` always is one.
        panels: a column; its values are drawn in panels above each other, which share `x`.
        slider: a column of numbers with a slider, which chooses rows; if it is among `rings`, it rings points instead.
        shown: column → value that its menu or slider has at the start, instead of the first.
        reference: a horizontal rule: "dense" at level 0 of each line, "dense, shared" at that of all lines, a number, or
            rows whose mean is taken, for each value of those of `menus`, `panels` and `colour` that they have.
        mark: a boolean column; a star where it is true.
        rings: boolean columns; a ring, with the column's name, where it is true.
        shade: rows of one quantity; shaded where a network is lower than the dense one by TR's rule of paired differences.
        rules: vertical rules: columns `x` and `label`, and those of menus and panels that they depend on.
        bounds: (low, high) that bands cannot leave; None takes them from the quantity.
        x_scale: "size" (logarithmic, 100 % left), "log" or "linear"; None takes "size" for weights remaining.
        y_scale: "linear", "zero" (linear from zero), "log" or "symlog" (linear around zero, logarithmic beyond).
        domain: values of `colour` in the order of the colours, so that several figures agree.
        title: of the chart.
        key: what is to be said besides, above the plot.
        height: in pixels, without title and notes.

    Returns:
        The chart.

    Raises:
        InputError: no rows, an unknown column or scale, or two values of a seed at one point.
    """
    choosing, other = slider if slider not in rings else None, [ring for ring in rings if ring != slider]
    case = [k for k in dict.fromkeys(["table", *menus, panels]) if k]
    line = [k for k in dict.fromkeys([colour, dash]) if k and k not in case]
    moving = ["from", "to"] if choosing else []
    keys = [*case, *line, *moving]
    x_scale = x_scale or ("size" if x == SIZE else "linear")
    for kind, given, allowed in (("x_scale", x_scale, X_SCALES), ("y_scale", y_scale, Y_SCALES)):
        if given not in allowed:
            raise unknown(kind, given, allowed)
    y = y or (quantity_of(rows) if panels != "quantity" else " and ".join(options(rows, "quantity")))
    own = name_columns(
        checked(rows, [*case, *line, x, *filter(None, [slider, mark]), *rings]), [*case, *line]
    )
    own = between(own, choosing, case) if choosing else own
    controls = Controls(own, ["table", *menus], slider, shown, bool(choosing))
    point = "level" if "level" in own and (x in (SIZE, EPOCHS) or x_scale == "size") else x
    beside = [
        c for c in (x, slider, "level", SIZE, EPOCHS) if c and c in own and c != point and c not in keys
    ]
    flags = [*([mark] if mark else []), *other]
    points = average(own, keys, [point], beside=beside, flags=flags, bounds=bounds).sort_values(
        x, kind="stable"
    )
    points["place"] = points.groupby(keys, sort=False, dropna=False).cumcount()
    if y_scale == "log":
        points["low"] = points["low"].clip(lower=points.loc[points["mean"] > 0, "mean"].min())
    behind = {
        "reference": reference_rows(own, reference, [*case, *moving], line),
        "shade": shade,
        "rules": rules,
    }
    plan = _Plan(
        controls, x, y, (x_scale, y_scale), colour, dash, panels, domain, mark, other, slider if not choosing else None,
        behind,
    )  # fmt: skip
    count = points[panels].nunique() if panels else 1
    height = height if count == 1 else count * (_PANEL + _GAP) - _GAP
    said = _key(points, plan, isinstance(reference, str))
    return finish(
        _panels(points, keys, plan, height), controls, title=title, key=f"{said} {key}".strip(), height=height,
        notes=source_note(own, [*case, *line], menus, point), description=_in_words(points, [*case, *line], plan, title),
        captions=captions(own, [*(k for k in case if k in controls.start), *moving], choosing),
    )  # fmt: skip


def _panels(points: Frame, keys: Sequence[str], plan: _Plan, height: int) -> list[Any]:
    """Draw every panel; several are one layered chart of several vertical axes, which fits its place as a row does not."""
    names = options(points, plan.panels) if plan.panels else [""]
    single = ("values", "seeds") if _shows_replicates(points) else ()
    fields = {c: c for c in ("mean", "low", "high", "std", "n", "place", *single)}
    others = (plan.x, "level", SIZE, EPOCHS, plan.mark, plan.slider, *plan.rings)
    fields |= {c: safe(c) for c in others if c and c in points and c not in keys}
    case = [k for k in keys if k not in (plan.colour, plan.dash)]
    signs, drawn = _signs(points, plan), []  # of all panels, so that they share one legend
    for i, name in enumerate(names):
        own = points[points[plan.panels] == name] if plan.panels else points
        span = (i * (_PANEL + _GAP) + _PANEL, i * (_PANEL + _GAP)) if len(names) > 1 else None
        largest = float(numpy.nanmax(own[["mean", "low", "high"]].abs().to_numpy(dtype=float)))
        quantity = name if plan.panels == "quantity" else plan.y
        y = {
            field: upward(field, quantity, plan.scales[1], largest, span)
            for field in ("mean", "low", "values")
        }
        base = chart_of(own, keys, fields, plan.controls)
        of, where = base_of(plan.controls, plan.panels, name), (spoken(plan.x), plan.scales[0])
        layers = [
            *shade_layer(plan.behind["shade"], of, case, *where),
            *reference_layer(plan.behind["reference"], of, y["mean"], plan.colour, signs[0]),
            *rule_layers(plan.behind["rules"], of, case, span or (height, 0), *where),
            *_marks(base, own, plan, quantity, y, signs if i == 0 else (*signs[:3], None)),
        ]
        drawn.append(layers)
    return (
        drawn[0]
        if len(drawn) == 1
        else [alt.layer(*(alt.layer(*d) for d in drawn)).resolve_scale(y="independent")]
    )


def _marks(
    base: alt.Chart,
    points: Frame,
    plan: _Plan,
    quantity: str,
    y: Mapping[str, alt.Y],
    signs: tuple[Any, Any, Any, Any],
) -> list[Any]:
    """Draw band, line, single replicates, points, stars, rings, and what the pointer meets."""
    x = across(safe(plan.x), spoken(plan.x), plan.scales[0])
    colour, shape, faded, clicked = signs
    dash, detail = _dashes(points, plan.dash)
    words, numbers = (
        [plan.colour, plan.dash, plan.panels, *plan.controls.start],
        [plan.x, "level", SIZE, EPOCHS],
    )
    told = tooltip(points, words, numbers, quantity)
    longest = int(points["place"].max()) + 1
    some = base if longest <= MANY_POINTS else base.transform_filter(f"datum.place % {longest // 10} == 0")
    area = base.mark_area(aria=False).encode(
        x, y["low"], alt.Y2("high:Q"), color=colour, opacity=faded(0.16), **detail
    )
    if clicked is not None:
        area = area.add_params(clicked)  # Vega-Lite listens to a legend for the first layer in it only.
    curve = base.mark_line(aria=False).encode(x, y["mean"], color=colour, opacity=faded(1.0), **dash)
    points_of = some.mark_point(filled=True, size=30).encode(
        x, y["mean"], color=colour, shape=shape, opacity=faded(1.0)
    )
    # What the pointer meets: larger than what is seen, so that a finger can meet it too.
    targets = base.mark_point(filled=True, opacity=0).encode(x, y["mean"], size=alt.value(250), tooltip=told)
    layers: list[Any] = [area, curve, points_of, targets]
    if _shows_replicates(points):
        single = base.transform_flatten(["values", "seeds"])
        single = single.mark_point(filled=True, size=12, shape="circle", aria=False)
        which = [
            alt.Tooltip("seeds:N", title="seed"),
            alt.Tooltip("values:Q", title=quantity, format=".4~g"),
            *told[:-3],
        ]
        layers.append(single.encode(x, y["values"], color=colour, opacity=faded(0.35), tooltip=which))
    if plan.mark:
        star = base.transform_filter(f"datum.{safe(plan.mark)}")
        star = star.mark_point(shape=STAR, filled=True, stroke="#ffffff", strokeWidth=1.2, size=260)
        layers.append(star.encode(x, y["mean"], color=colour, opacity=faded(1.0), tooltip=told))
    ring: dict[str, Any] = {"size": 360, "strokeWidth": 2.4, "stroke": INK, "filled": False}
    for i, name in enumerate(plan.rings):
        here = base.transform_filter(f"datum.{safe(name)}").transform_calculate(ring=repr(spoken(name)))
        text = here.mark_text(dy=-18 - 13 * i, color=INK, fontSize=12).encode(x, y["mean"], text="ring:N")
        layers += [here.mark_point(**ring).encode(x, y["mean"]), text]
    if plan.slider and plan.controls.slider:
        here = base.transform_filter(f"datum.{safe(plan.slider)} == {plan.controls.slider}")
        layers.append(here.mark_point(**ring).encode(x, y["mean"]))
    return layers


def _shows_replicates(points: Frame) -> bool:
    """Whether single replicates are drawn: there are several, and lines are short enough to tell the dots apart."""
    return bool((points["n"] > 1).any()) and int(points["place"].max()) < MANY_POINTS


def _signs(points: Frame, plan: _Plan) -> tuple[Any, Any, Any, Any]:
    """Return colour, shape, an opacity that a click on the legend fades, and the parameter of that click."""
    if not plan.colour:
        return alt.value(PALETTE[1]), alt.value("circle"), alt.value, None
    colour, shape = colours(points, plan.colour, plan.domain)
    if points[plan.colour].nunique() < 2:
        return colour, shape, alt.value, None
    clicked = alt.selection_point(name="legend_click", fields=[safe(plan.colour)], bind="legend")

    def faded(strength: float) -> Any:
        return alt.when(clicked).then(alt.value(strength)).otherwise(alt.value(0.1 * strength))

    return colour, shape, faded, clicked


def _dashes(points: Frame, column: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the encoding of a line by dashes, and that of a band, which has none."""
    if not column:
        return {}, {}
    every, field = options(points, column), f"{safe(column)}:N"
    if len(every) > len(DASHES):
        raise InputError(
            f"{column!r} has {len(every)} values; a line is solid, dashed or dotted. Use colour, panels or a menu."
        )
    drawn = list(DASHES.values())[: len(every)]
    return {"strokeDash": alt.StrokeDash(field, legend=None).scale(domain=every, range=drawn)}, {
        "detail": alt.Detail(field)
    }


def _key(points: Frame, plan: _Plan, dense: bool) -> str:
    """Say what the signs mean."""
    parts = []
    if (points["n"] > 1).any():
        dots = ", faint dots: single replicates" if _shows_replicates(points) else ""
        parts.append(f"Lines: means over replicates, bands: ± 1 standard deviation{dots}.")
    every = options(points, plan.dash) if plan.dash else []
    parts += [f"{how}: {value}." for how, value in zip(DASHES, every, strict=False) if len(every) > 1]
    if dense and len(plan.behind["reference"]):
        parts.append("Horizontal rule: dense network.")
    if plan.mark and points[plan.mark].any():
        parts.append(f"Star: {_MARKED.get(plan.mark, spoken(plan.mark))}.")
    if plan.slider:
        parts.append(f"Ring: the {heading(plan.slider)} of the slider.")
    if plan.behind["shade"] is not None:
        parts.append("Shaded: pruning improves on the dense network, by more than replicates differ.")
    return " ".join(parts)


def _in_words(points: Frame, keys: Sequence[str], plan: _Plan, title: str) -> str:
    """Put the lines shown at the start into words: first, lowest, highest and last point, and what is marked."""
    start = plan.controls.at_start(points)
    state = [
        f"{heading(c)} {v}"
        for c, v in plan.controls.start.items()
        if c != "table" and points[c].nunique() > 1
    ]
    parts = [f"Line chart. {title}: {', '.join([f'{plan.y} against {spoken(plan.x)}', *state])}."]
    names = [k for k in keys if k not in plan.controls.start]
    groups = list(start.groupby(names, sort=False)) if names else [((plan.y,), start)]
    for place, own in groups[:_DESCRIBED]:
        own = own.sort_values(plan.x, ascending=plan.scales[0] != "size").reset_index(drop=True)
        told = {
            "first": 0,
            "lowest": own["mean"].idxmin(),
            "highest": own["mean"].idxmax(),
            "last": len(own) - 1,
        }
        for flag in filter(None, (plan.mark, *plan.rings)):
            told |= {spoken(flag): i for i in own.index[own[flag]]}
        said = [f"{what} {own['mean'][i]:.4g} at {own[plan.x][i]:.3g}" for what, i in told.items()]
        parts.append(f"{', '.join(map(str, place))}: {', '.join(said)}.")
    more = len(groups) - _DESCRIBED
    return " ".join([*parts, *([f"And {more} more lines."] if more > 0 else [])])
