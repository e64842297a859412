"""Lines: the mean over replicates against something, with band and single replicates, and what may stand around it.

A band is one sample standard deviation to either side, clipped at what the quantity cannot leave. The axis of weights
remaining is logarithmic and runs from 100 % on the left to the sparsest network on the right, as in TR.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy
import pandas

from lib.analysis.table import EPOCHS, SIZE
from lib.charts.axes import X_SCALES, Y_SCALES, across, tooltip, upward
from lib.charts.behind import Reference, layers_behind, reference_rows, shaded_rows
from lib.charts.controls import DRAWN, Prepared, lit, prepared, seed_choice
from lib.charts.data import Frame, heading, options, quantity_of, safe, spoken
from lib.charts.parts import colours, finish
from lib.charts.theme import INK, STAR
from lib.errors import InputError, unknown

DASHES = {"Solid": [1, 0], "Dashed": [6, 4], "Dotted": [1.5, 3]}
_MARKED = {"optimum": "lowest validation error"}
_MANY = 30  # points of a line; one with more shows its replicates by the band alone, and signs at some points only
_PANEL, _GAP = 190, 40  # pixels: height of each of several panels, and between them
_DESCRIBED = 12  # lines at most that are put into words


@dataclass(frozen=True)
class _Look:
    """How `lines` draws what it prepared: its own arguments, and `ringed`, the slider that rings."""

    x: str
    y: str
    x_scale: str
    y_scale: str
    colour: str | None
    dash: str | None
    panels: str | None
    domain: Sequence[str] | None
    mark: str | None
    rings: Sequence[str]
    ringed: str | None


def lines(
    rows: pandas.DataFrame, *, x: str, y: str | None = None, colour: str | None = None, dash: str | None = None,
    menus: Sequence[str] = (), panels: str | None = None, slider: str | None = None,
    shown: Mapping[str, Any] | None = None, reference: Reference = None, mark: str | None = None,
    rings: Sequence[str] = (), shade: pandas.DataFrame | None = None, rules: pandas.DataFrame | None = None,
    x_scale: str | None = None, y_scale: str = "linear", domain: Sequence[str] | None = None, title: str, key: str = "",
    height: int = 340,
) -> alt.LayerChart:  # fmt: skip
    """Draw a line for each value of `colour` and `dash`.

    Args:
        rows, colour, menus, shown, domain, title, key, height: see `lib.charts`.
        x: a column. "weights remaining (%)" and "epochs trained" are averaged over replicates at each level.
        y: title of the vertical axis.
        dash: a column with at most three values.
        panels: a column; its values are drawn in panels above each other, which share `x`.
        slider: see `lib.charts`; if it is among `rings`, it rings points instead of choosing rows.
        reference: a horizontal rule: "dense" at level 0 of each line, "dense, shared" at that of all lines, a number, or
            rows whose mean is taken, for each value of those of `menus`, `panels` and `colour` that they have.
        mark: a boolean column; a star where it is true.
        rings: boolean columns; a ring, with the column's name, where it is true.
        shade: rows of one quantity; shaded where a network is lower than the dense one by TR's rule of paired differences.
        rules: vertical rules: columns `x` and `label`, and those of menus and panels that they depend on; `line` moves a
            label down by so many lines, off one that stands near.
        x_scale: "size" (logarithmic, 100 % left), "log" or "linear"; None takes "size" for weights remaining.
        y_scale: "linear", "zero" (linear from zero), "log" (without bands) or "symlog" (logarithmic away from zero).
    """
    x_scale = x_scale or ("size" if x == SIZE else "linear")
    for kind, given, allowed in (("x_scale", x_scale, X_SCALES), ("y_scale", y_scale, Y_SCALES)):
        if given not in allowed:
            raise unknown(kind, given, allowed)
    ringed, labelled = slider if slider in rings else None, [ring for ring in rings if ring != slider]
    by_level = "level" in rows and (x in (SIZE, EPOCHS) or x_scale == "size")
    beside = [x, *filter(None, [ringed, mark]), *labelled, *(c for c in ("level", SIZE, EPOCHS) if c in rows)]
    point = "level" if by_level else x
    found = prepared(
        rows, [point], menus, None if ringed else slider, shown, line=[colour, dash], panels=panels, ringed=ringed,
        along=point, beside=[c for c in beside if c != point],
    )  # fmt: skip
    if y is None:
        y = " and ".join(options(found.rows, "quantity")) if panels == "quantity" else quantity_of(found.rows)
    look = _Look(x, y, x_scale, y_scale, colour, dash, panels, domain, mark, labelled, ringed)
    points = found.points.sort_values(x, kind="stable", ignore_index=True)
    points["place"] = points.groupby(found.keys, sort=False, dropna=False).cumcount()
    if y_scale == "log":  # mean - std is often below zero
        points[["low", "high"]] = numpy.nan
    dense = reference_rows(found, reference)
    shaded = shaded_rows(found, shade)
    said = _key(points, look, isinstance(reference, str) and len(dense) > 0, shade is not None and len(shaded))
    behind = layers_behind(found, dense, shaded, rules, colour)
    count = points[panels].nunique() if panels else 1
    height = height if count == 1 else count * (_PANEL + _GAP) - _GAP
    return finish(
        _panels(points, found, look, behind, height), found.controls, title=title, key=f"{said} {key}".strip(),
        height=height, notes=found.notes, description=_in_words(points, found, look, title), captions=found.captions,
    )  # fmt: skip


def _panels(points: Frame, found: Prepared, look: _Look, behind: Any, height: int) -> list[Any]:
    """Draw every panel; several are one layered chart of several vertical axes, which fits its place as a row does not."""
    names = options(points, look.panels) if look.panels else [""]
    colour, shape, faded, clicked = _signs(points, look, found.controls.tests)
    drawn = []
    for i, name in enumerate(names):

        def choose(frame: Frame, name: str = name) -> Frame:
            return frame[frame[look.panels] == name] if look.panels in frame and name else frame

        own, quantity = choose(points), name if look.panels == "quantity" else look.y
        bottom = i * (_PANEL + _GAP) + _PANEL
        span = (bottom, bottom - _PANEL) if len(names) > 1 else None
        largest = own["mean"].abs().groupby([own[k] for k in found.case]).max()
        x = functools.partial(across, title=spoken(look.x), scale=look.x_scale)
        y = functools.partial(upward, title=quantity, scale=look.y_scale, largest=largest, span=span)
        # The panels share one legend, to which the first layer listens.
        signs = (colour, shape, faded, clicked if i == 0 else None)
        layers = behind(choose, x, y("mean"), colour, span or (height, 0))
        drawn.append([*layers, *_marks(own, found, look, quantity, x, y, signs, i == 0)])
    if len(drawn) == 1:
        return drawn[0]
    return [alt.layer(*(alt.layer(*layers) for layers in drawn)).resolve_scale(y="independent")]


def _marks(
    points: Frame, found: Prepared, look: _Look, quantity: str, x_of: Callable[[str], alt.X], y_of: Callable[[str], alt.Y],
    signs: tuple[Any, Any, Any, Any], first: bool,
) -> list[Any]:  # fmt: skip
    """Draw band, line, single replicates, points, stars, rings, and what the pointer meets."""
    several = bool((found.points["n"] > 1).any())
    spread = bool(points["low"].notna().any())
    hidden = [*found.keys, "quantity", *(() if several else ("values", "seeds"))]
    hidden += () if spread else ("low", "high")
    base = found.controls.chart_of_points(points, found.keys, [c for c in points if c not in hidden])
    (colour, shape, faded, clicked), (x, y) = signs, (x_of(safe(look.x)), y_of("mean"))
    dash, detail = _dashes(points, look.dash)
    words = [look.colour, look.dash, look.panels, *found.controls.start]
    told = tooltip(points, words, [look.x, "level", SIZE, EPOCHS], quantity)
    longest = int(points["place"].max()) + 1
    some = base if longest <= _MANY else base.transform_filter(f"datum.place % {longest // 10} == 0")

    def opacity(usual: float, beside: float = 0.4) -> Any:
        """What is of all seeds steps back while one is lit."""
        return faded(lit(usual, beside * usual, usual) if several else usual)

    curve = base.mark_line(aria=False).encode(x, y, color=colour, opacity=opacity(1.0), **dash)
    layers: list[Any] = [curve]
    if spread:  # with one replicate in some tables, there is nothing to either side of their lines, but there is a line
        ends = {end: f"isValid(datum.{end}) ? datum.{end} : datum.mean" for end in ("low", "high")}
        band = base.transform_calculate(**ends).mark_area(aria=False)
        band = band.encode(x, y_of("low"), alt.Y2("high:Q"), color=colour, opacity=opacity(0.16), **detail)
        layers.insert(0, band)
    if clicked is not None:
        layers[0] = layers[0].add_params(clicked)  # Vega-Lite listens to a legend for the first layer in it only.
    signed = some.mark_point(filled=True, size=30).encode(x, y, color=colour, shape=shape, opacity=opacity(1.0))
    # What the pointer meets: larger than what is seen, so that a finger can meet it too.
    targets = base.mark_point(filled=True, opacity=0).encode(x, y, size=alt.value(250), tooltip=told)
    layers += [signed, targets]
    if several:
        single = base.transform_flatten(["values", "seeds"], ["one", "seed"])
        path = single.transform_filter(DRAWN).mark_line(strokeWidth=1.3, aria=False)
        path = path.encode(x, y_of("one"), color=colour, opacity=faded(0.9), detail=["seed:N", *detail.values()])
        if first:
            path = path.add_params(seed_choice(sorted({seed for own in found.points["seeds"] for seed in own})))
        layers.append(path)
        if _shows_replicates(points):
            # A rim that is not seen makes a dot easier to meet.
            dot = single.mark_point(
                filled=True, size=16, shape="circle", stroke="transparent", strokeWidth=6, aria=False
            )
            one = alt.Tooltip("one:Q", title=quantity, format=".4~g")
            which = [alt.Tooltip("seed:N", title="seed"), one, *told[:-3]]
            shown = faded(lit(1.0, 0.12, 0.4))
            layers.append(dot.encode(x, y_of("one"), color=colour, opacity=shown, tooltip=which))
    if look.mark:
        star = base.transform_filter(f"datum.{safe(look.mark)}")
        star = star.mark_point(shape=STAR, filled=True, stroke="#ffffff", strokeWidth=1.2, size=260)
        layers.append(star.encode(x, y, color=colour, opacity=opacity(1.0), tooltip=told))
    return [*layers, *_rings(base, found, look, x, y)]


def _rings(base: alt.Chart, found: Prepared, look: _Look, x: alt.X, y: alt.Y) -> list[Any]:
    """Draw rings, with their names above, or below near the top of the plot, where text stands above it."""
    ring: dict[str, Any] = {"size": 360, "strokeWidth": 2.4, "stroke": INK, "filled": False}
    layers: list[Any] = []
    for i, name in enumerate(look.rings):
        away = 18 + 13 * i
        here = base.transform_filter(f"datum.{safe(name)}").transform_calculate(ring=repr(spoken(name)))
        side = alt.ExprRef(f"scale('y', datum.mean) < {away + 8} ? {away} : {-away}")
        layers.append(here.mark_point(**ring).encode(x, y))
        layers.append(here.mark_text(dy=side, color=INK, fontSize=12).encode(x, y, text="ring:N"))
    if look.ringed and found.controls.slider:
        here = base.transform_filter(f"datum.{safe(look.ringed)} == {found.controls.slider}")
        layers.append(here.mark_point(**ring).encode(x, y))
    return layers


def _shows_replicates(points: Frame) -> bool:
    """Whether single replicates are drawn: there are several, and lines are short enough to tell the dots apart."""
    return bool((points["n"] > 1).any()) and int(points["place"].max()) < _MANY


def _signs(points: Frame, look: _Look, chosen: Mapping[str, str]) -> tuple[Any, Any, Any, Any]:
    """Return colour, shape, an opacity that a click on the legend fades, and the parameter of that click."""
    menus = [column for column in chosen if column in points and column != "from"]
    colour, shape = colours(points, look.colour, look.domain, menus=menus)
    if not look.colour or points[look.colour].nunique() < 2:
        return colour, shape, alt.value, None
    clicked = alt.selection_point(name="legend_click", fields=[safe(look.colour)], bind="legend")

    def faded(strength: Any) -> Any:
        weak = 0.1 * strength if isinstance(strength, float) else alt.ExprRef(f"0.1 * ({strength.expr})")
        return alt.when(clicked).then(alt.value(strength)).otherwise(alt.value(weak))

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
    drawn = alt.StrokeDash(field, legend=None).scale(domain=every, range=[*DASHES.values()][: len(every)])
    return {"strokeDash": drawn}, {"detail": alt.Detail(field)}


def _key(points: Frame, look: _Look, dense: bool, shaded: int | bool) -> str:
    """Say what the signs mean; `shaded` is how much is, False where nothing could be."""
    parts = []
    if (points["n"] > 1).any():
        bands = ", bands: ± 1 standard deviation" if points["low"].notna().any() else ""
        dots = ", dots: single seeds (click one to follow it)" if _shows_replicates(points) else ""
        parts.append(f"Lines: means over replicates{bands}{dots}.")
    every = options(points, look.dash) if look.dash else []
    parts += [f"{how}: {value}." for how, value in zip(DASHES, every, strict=False) if len(every) > 1]
    if dense:
        parts.append("Horizontal rule: dense network.")
    if look.mark and points[look.mark].any():
        parts.append(f"Star: {_MARKED.get(look.mark, spoken(look.mark))}.")
    if look.ringed:
        parts.append(f"Ring: the {heading(look.ringed)} of the slider.")
    if shaded:
        parts.append("Shaded: pruning improves on the dense network, by more than replicates differ.")
    elif shaded is not False:
        parts.append("At no level pruning improves on the dense network by more than replicates differ.")
    return " ".join(parts)


def _in_words(points: Frame, found: Prepared, look: _Look, title: str) -> str:
    """Put the lines shown at the start into words: first, lowest, highest and last point, and what is marked."""
    start, chosen = found.controls.at_start(points), found.controls.start
    state = [f"{heading(c)} {v}" for c, v in chosen.items() if c != "table" and points[c].nunique() > 1]
    parts = [f"Line chart. {title}: {', '.join([f'{look.y} against {spoken(look.x)}', *state])}."]
    names = [k for k in found.keys if k not in (*chosen, "from", "to")]
    groups = list(start.groupby(names, sort=False)) if names else [((look.y,), start)]
    for place, own in groups[:_DESCRIBED]:
        own = own.sort_values(look.x, ascending=look.x_scale != "size").reset_index(drop=True)
        told = {
            "first": 0,
            "lowest": own["mean"].idxmin(),
            "highest": own["mean"].idxmax(),
            "last": len(own) - 1,
        }
        for flag in filter(None, (look.mark, *look.rings)):
            told |= {spoken(flag): i for i in own.index[own[flag]]}
        said = [f"{what} {own['mean'][i]:.4g} at {own[look.x][i]:.3g}" for what, i in told.items()]
        parts.append(f"{', '.join(map(str, place))}: {', '.join(said)}.")
    more = len(groups) - _DESCRIBED
    return " ".join([*parts, *([f"And {more} more lines."] if more > 0 else [])])
