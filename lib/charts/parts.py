"""What every chart has around its marks: legends, and title, key and note that wrap at the chart's width.

The note says where the shown numbers come from and follows the menu of tables, so it is text above the plot rather than a
subtitle, which cannot.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.charts.controls import Controls
from lib.charts.data import Frame, heading, number, options, safe
from lib.charts.theme import FITTING_WIDTH, INK, LEFT, PALETTE, SHAPES, WIDTH
from lib.errors import unknown

WIDE, NARROW = 100, 50  # letters of what is broken in advance, on a desktop and on a phone
_LETTER, _TITLE_LETTER = 6.1, 8.2  # pixels of a letter on average, of texts and of titles
_BESIDE, _MENU = 44, 50  # pixels that texts leave free: over the labels of the axis, and for the chart's own menu
_LEADING = 15  # pixels from line to line
_PHONE = 520  # pixels; a chart that is narrower is one for a phone


def wrapped(text: str, letters: int = NARROW) -> list[str]:
    """Break a text into lines, but not between a number and its percent sign."""
    return textwrap.wrap(_glued(text), letters, break_on_hyphens=False) or [""]


def _glued(text: str) -> str:
    return text.replace(" %", "\u00a0%").replace(" ± ", "\u00a0±\u00a0")


def broken(text: str, letters: str) -> str:
    """Return the expression that breaks a text into lines of at most so many letters; both are expressions."""
    lines = f"replace({text}, regexp('(.{{1,' + ({letters}) + '}})( |\\n|$)', 'g'), '$1\\n')"
    return f"split(replace({lines}, regexp('\\n$'), ''), '\\n')"


_IN_TWO_LINES = (
    "narrow && length(datum.label) > {} && lastindexof(datum.label, ', ') > 0"
    " ? [slice(datum.label, 0, lastindexof(datum.label, ', ') + 1), slice(datum.label, lastindexof(datum.label, ', ') + 2)]"
    " : datum.label"
)
"""A label of a legend that a phone would cut, broken at its last comma."""


def colours(
    rows: Frame, column: str | None, domain: Sequence[str] | None = None, line: bool = True, menus: Sequence[str] = (),
    phone: int = NARROW - 6,
) -> list[Any]:  # fmt: skip
    """Return the encodings of colour and shape by a column, already named; colour is never the only sign.

    Numbers that are more than the palette are coloured from dark to light. With `line`, the legend's signs are of lines and
    points, so that shapes are among them. With `menus`, columns that have one, it lists what the rows chosen by them have.
    On a phone a line of the legend has room for so many letters.
    """
    if not column:
        return [alt.value(PALETTE[1]), alt.value("circle")]
    here = options(rows, column)
    every = [*domain] if domain else here
    if missing := [v for v in here if v not in every]:
        raise unknown(f"value of {column!r} in domain", missing[0], every)
    numeric = all(number(value) is not None for value in every)
    longest = max(map(len, here)) + 5
    title = heading(column) if numeric else ""
    rooms = [letters - bool(title) * (len(title) + 5) for letters in (WIDE - 10, phone)]
    columns = [max(1, min(len(here), room // longest)) for room in rooms]
    legend = alt.Legend(
        title=title or None, labelLimit=0, values=_listed(rows, column, every, menus),
        labelExpr=_IN_TWO_LINES.format(phone - 5) if longest > phone else alt.Undefined,
        columns=alt.ExprRef(f"narrow ? {columns[1]} : {columns[0]}"),
    ) if len(here) > 1 else None  # fmt: skip
    palette: dict[str, Any] = {"range": [PALETTE[i % len(PALETTE)] for i in range(len(every))]}
    if numeric and len(every) > len(PALETTE):
        palette = {"scheme": alt.SchemeParams(name="plasma", extent=[0, 0.78])}
    shapes = [SHAPES[(i + i // len(PALETTE)) % len(SHAPES)] for i in range(len(every))]
    field = f"{safe(column)}:N"
    found: list[Any] = [alt.Color(field, legend=legend).scale(domain=every, **palette)]
    return [*found, alt.Shape(field, legend=legend).scale(domain=every, range=shapes)] if line else found


def _listed(rows: Frame, column: str, every: Sequence[str], menus: Sequence[str]) -> Any:
    """Return the values that a legend lists, of all rows or, where cases differ, of those that the menus choose."""
    chosen = [menu for menu in menus if menu != column]
    there: dict[str, list[str]] = {}
    for place, own in rows.groupby(chosen, sort=False)[column] if chosen else [((), rows[column])]:
        there["|".join(place)] = [value for value in every if value in set(own)]
    if len({tuple(values) for values in there.values()}) == 1:
        return next(iter(there.values()))
    case = " + '|' + ".join(f"{safe(menu)}_menu" for menu in chosen)
    return alt.ExprRef(f"{json.dumps(there)}[{case}] || {json.dumps([v for v in every if (rows[column] == v).any()])}")


def _text_above(rows: Frame, controls: Controls, left: float, below: str) -> list[alt.Chart]:
    """Write `text` of rows above the plot, in lines that fit its place; the title moves up by itself.

    Text begins `left` pixels from the plot's left edge and leaves room for the lines `below`, an expression.
    """
    if rows.empty:
        return []
    text = controls.chart(rows.assign(text=[_glued(one) for one in rows["text"]]))
    text = text.transform_calculate(said=broken("datum.text", "letters")).mark_text(
        align="left", baseline="top", lineHeight=_LEADING, fontSize=12, color=INK, aria=False
    )
    top = alt.value(alt.ExprRef(f"{-_LEADING} * (length(datum.said) + {below}) - 8"))
    return [text.encode(x=alt.value(left), y=top, text="said:N")]


def finish(
    layers: Sequence[Any], controls: Controls, *, title: str, key: str, notes: Mapping[str, str], description: str,
    height: int, left: float = LEFT, captions: Frame | None = None,
) -> alt.LayerChart:  # fmt: skip
    """Put the layers of a chart together with everything around them, as wide as their place allows.

    Args:
        layers, controls, title, key, height: of the chart.
        notes: table → where its numbers come from.
        description: for screen readers; the note and the key are added.
        left: where titles and text begin, in pixels from the plot's left edge.
        captions: a `text` for each case that the controls choose.
    """
    under = pandas.DataFrame() if captions is None else captions
    longest = max((_glued(text) for text in under["text"]), key=_lines) if len(under) else ""
    below = f"length({broken(json.dumps(longest), 'letters')})" if longest else "0"
    caption = _text_above(under, controls, left, f"{below} - length(datum.said)")
    sources = pandas.DataFrame({"table": list(notes), "text": [f"{key}\n{note}".strip() for note in notes.values()]})
    above = _text_above(sources[sources["text"] != ""], controls, left, below)
    if controls.absent:  # a plot without anything in it would look broken
        words = alt.Chart(pandas.DataFrame([{"said": "Not measured: choose another entry of a menu."}]))
        words = words.transform_filter(controls.absent).mark_text(align="left", baseline="top", fontSize=13, color=INK)
        above = [*above, words.encode(x=alt.value(12), y=alt.value(12), text="said:N")]
    choices = f" Controls choose {', '.join(controls.words)}." if controls.words else ""
    note = notes.get(controls.start.get("table", ""), next(iter(notes.values()), ""))
    words = " ".join(f"{description} {note} {key}".split()) + choices
    beside = _BESIDE if left == LEFT else 0
    parameters = [
        alt.param(name="room", expr=FITTING_WIDTH),
        alt.param(name="width", expr="room"),
        alt.param(name="narrow", expr=f"room < {_PHONE}"),
        alt.param(name="letters", expr=f"floor((room - {beside + 16}) / {_LETTER})"),
        *controls.parameters,
    ]
    room = f"floor((room - {beside + _MENU}) / {_TITLE_LETTER})"
    text = alt.ExprRef(broken(json.dumps(_glued(title)), room))
    # In one call, because every method of a chart copies all of it. The declared width is replaced by the parameter.
    chart = alt.layer(
        *layers, *above, *caption, title=alt.TitleParams(text=text, dx=left),
        description=words, width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        params=[one.param for one in parameters],
    )  # fmt: skip
    assert isinstance(chart, alt.LayerChart)  # what alt.layer returns unless a layer is a facet
    every: Any = chart.params
    for one in every:  # of panels, Altair names the first view of each; Vega takes a choice in one view only
        if isinstance(one, alt.TopLevelSelectionParameter):
            one.views = one.views[:1]
    return chart


def _lines(text: str) -> tuple[int, int]:
    """Tell how long a text is: its lines on a phone, then its letters."""
    return sum(len(wrapped(part, NARROW)) for part in text.split("\n")), len(text)
