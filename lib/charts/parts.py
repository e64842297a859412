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

WIDE, NARROW = 100, 50  # letters of notes that fit a page on a desktop, and a phone of 360 pixels
TITLE = 72, 32  # the same for titles, whose letters are larger and leave the corner to the menu of the chart
_LEADING = 15  # pixels from line to line
_PHONE = 520  # pixels; a chart that is narrower breaks its lines for a phone


def wrapped(text: str, letters: int = NARROW) -> list[str]:
    """Break a text into lines, but not between a number and its percent sign."""
    return textwrap.wrap(text.replace(" %", "\u00a0%"), letters, break_on_hyphens=False) or [""]


def colours(
    rows: Frame, column: str | None, domain: Sequence[str] | None = None, line: bool = True, menus: Sequence[str] = ()
) -> list[Any]:  # fmt: skip
    """Return the encodings of colour and shape by a column, already named; colour is never the only sign.

    Numbers that are more than the palette are coloured from dark to light. With `line`, the legend's signs are of lines and
    points, so that shapes are among them. With `menus`, columns that have one, it lists what the rows chosen by them have.
    """
    if not column:
        return [alt.value(PALETTE[1]), alt.value("circle")]
    here = options(rows, column)
    every = [*domain] if domain else here
    if missing := [v for v in here if v not in every]:
        raise unknown(f"value of {column!r} in domain", missing[0], every)
    numeric = all(number(value) is not None for value in every)
    longest = max(map(len, here)) + 5
    columns = [max(1, min(len(here), letters // longest)) for letters in (WIDE - 10, NARROW)]
    legend = alt.Legend(
        title=heading(column) if numeric else None, labelLimit=0, values=_listed(rows, column, every, menus),
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


def _text_above(
    rows: Frame, controls: Controls, left: float, below: Sequence[int] = (0, 0)
) -> tuple[list[alt.Chart], list[int]]:
    """Write `text` of rows above the plot, in lines that fit its place; the title moves up by itself.

    Text begins `left` pixels from the plot's left edge and leaves room for the lines `below`, on a desktop and on a phone.
    Returns the layer, none without rows, and how many lines it and those below it take.
    """
    if rows.empty:
        return [], list(below)
    broken = [
        ["\n".join(line for part in text.split("\n") if part for line in wrapped(part, n)) for text in rows["text"]]
        for n in (WIDE, NARROW)
    ]  # fmt: skip
    most = [b + max(len(text.splitlines()) for text in own) for own, b in zip(broken, below, strict=True)]
    text = controls.chart(rows.assign(wide=broken[0], text=broken[1]))
    text = text.transform_calculate(said="narrow ? datum.text : datum.wide").mark_text(
        align="left", baseline="top", lineBreak="\n", lineHeight=_LEADING, fontSize=12, color=INK, aria=False
    )
    top = alt.value(alt.ExprRef(f"narrow ? {-_LEADING * most[1] - 8} : {-_LEADING * most[0] - 8}"))
    return [text.encode(x=alt.value(left), y=top, text="said:N")], most


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
    caption, lines = _text_above(pandas.DataFrame() if captions is None else captions, controls, left)
    sources = pandas.DataFrame({"table": list(notes), "text": [f"{key}\n{note}" for note in notes.values()]})
    above, _ = _text_above(sources, controls, left, lines)
    choices = f" Controls choose {', '.join(controls.words)}." if controls.words else ""
    note = notes.get(controls.start.get("table", ""), next(iter(notes.values()), ""))
    words = " ".join(f"{description} {note} {key}".split()) + choices
    wide, narrow = (wrapped(title, letters) for letters in TITLE)
    both = alt.ExprRef(f"narrow ? {json.dumps(narrow)} : {json.dumps(wide)}")
    parameters = [
        alt.param(name="width", expr=FITTING_WIDTH),
        alt.param(name="narrow", expr=f"({FITTING_WIDTH}) < {_PHONE}"),
        *controls.parameters,
    ]
    # In one call, because every method of a chart copies all of it. The declared width is replaced by the parameter.
    chart = alt.layer(
        *layers, *above, *caption, title=alt.TitleParams(text=wide if len(narrow) == 1 else both, dx=left),
        description=words, width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        params=[one.param for one in parameters],
    )  # fmt: skip
    assert isinstance(chart, alt.LayerChart)  # what alt.layer returns unless a layer is a facet
    return chart
