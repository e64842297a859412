"""What every chart has around its marks: title, key and note that wrap at the chart's width, menus, a slider, legends.

The note says where the shown numbers come from and follows the menu of tables, so it is text above the plot rather than a
subtitle, which cannot. A menu's parameter is named by its column, such as `table_menu`.
"""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy
import pandas

from lib.analysis.table import SIZE
from lib.charts.data import Frame, heading, named, number, options, pack, safe
from lib.charts.theme import FITTING_WIDTH, INK, LEFT, PALETTE, SHAPES, WIDTH
from lib.errors import unknown

LEADING = 15  # pixels from line to line
WIDE, NARROW = 100, 50  # letters of notes that fit a page on a desktop, and a phone of 360 pixels
_TITLE = (
    72,
    32,
)  # the same for titles, whose letters are larger and leave the corner to the menu of the chart
_PHONE = 520  # pixels; a chart that is narrower breaks its lines for a phone

Layer = alt.Chart | alt.LayerChart


def wrapped(text: str, letters: int = NARROW) -> list[str]:
    """Break a text into lines, but not between a number and its percent sign."""
    return textwrap.wrap(text.replace(" %", "\u00a0%"), letters, break_on_hyphens=False) or [""]


def narrow_param() -> alt.Parameter:
    """The parameter `narrow`, true where the chart is drawn as on a phone."""
    return alt.param(name="narrow", expr=f"({FITTING_WIDTH}) < {_PHONE}")


def title_of(text: str, left: float = LEFT) -> alt.TitleParams:
    """A title in lines that fit its place."""
    wide, narrow = (wrapped(text, letters) for letters in _TITLE)
    expr = alt.ExprRef(f"narrow ? {json.dumps(narrow)} : {json.dumps(wide)}")
    return alt.TitleParams(text=wide if len(narrow) == 1 else expr, dx=left)


class Controls:
    """Menus and a slider: their parameters, the expression that keeps the rows they choose, and what is shown at the start.

    Attributes:
        parameters: of the chart.
        tests: column → the expression over a row by which its control chooses.
        slider: name of the slider's parameter; empty without one.
        start: column → the value shown at the start, as it is named.
        words: what a reader can choose, for the description.
    """

    def __init__(
        self,
        rows: Frame,
        menus: Sequence[str],
        slider: str | None = None,
        shown: Mapping[str, Any] | None = None,
        choosing: bool = True,
    ) -> None:
        """Make the controls.

        Args:
            rows: the key columns already named, the slider's still a number.
            menus: columns; one with a single value gets no menu.
            slider: a column of numbers; where a case has not every number, the nearest is shown.
            shown: column → value at the start, instead of the first.
            choosing: whether the slider chooses rows, by `from` and `to` of `between`.
        """
        shown, self.parameters, self.tests, self.start, self.words = dict(shown or {}), [], {}, {}, []
        for column in shown:
            if column not in (*menus, slider):
                raise unknown("menu", column, [*menus, *([slider] if slider else [])])
        here = rows
        for column in menus:
            entries = options(rows, column)
            # The first one that there is with what is shown already: not every table has every case.
            first = named(column, shown[column]) if column in shown else options(here, column)[0]
            if first not in entries:
                raise unknown(heading(column), first, entries)
            self.start[column] = first
            here = here[here[column] == first] if (here[column] == first).any() else here
            if len(entries) > 1:
                label = "Results" if column == "table" else heading(column).capitalize()
                name = f"{safe(column)[1:]}_menu"
                bind = alt.binding_select(options=entries, name=f"{label}: ")
                self.parameters.append(alt.param(name=name, value=first, bind=bind))
                self.tests[column] = f"datum.{safe(column)} == {name}"
                self.words.append(label.lower())
        self.slider = ""
        if slider and rows[slider].nunique() > 1:
            values = sorted(rows[slider].unique())
            step = 1 if all(float(v).is_integer() for v in values) else (values[-1] - values[0]) / 100
            self.slider = f"{safe(slider)[1:]}_slider"
            bind = alt.binding_range(
                min=values[0], max=values[-1], step=step, name=f"{heading(slider).capitalize()}: "
            )
            self.parameters.append(alt.param(name=self.slider, value=shown.get(slider, values[0]), bind=bind))
            if choosing:
                self.tests["from"] = f"{self.slider} > datum.from && {self.slider} <= datum.to"
            self.words.append(heading(slider))

    def of(self, chart: alt.Chart, columns: Iterable[str] | None = None) -> alt.Chart:
        """Keep only the rows that the controls choose; with `columns`, by those controls whose column is among them."""
        tests = [test for column, test in self.tests.items() if columns is None or column in columns]
        return chart.transform_filter(" && ".join(tests)) if tests else chart

    def at_start(self, frame: Frame) -> Frame:
        """Return the rows shown at the start, the slider aside."""
        for column, value in self.start.items():
            if column in frame:
                frame = frame[frame[column] == value]
        return frame


def chart_of(points: Frame, keys: Sequence[str], fields: Mapping[str, str], controls: Controls) -> alt.Chart:
    """Return a chart of points (`lib.charts.data.pack`), of those that the controls choose."""
    lines, arrays = pack(points, keys, fields)
    base = controls.of(alt.Chart(pandas.DataFrame(lines))).transform_flatten(list(map(alt.FieldName, arrays)))
    return base.transform_calculate(spread="isValid(datum.std) ? format(datum.std, '.2~g') : '–'")


def between(rows: Frame, slider: str, context: Sequence[str]) -> Frame:
    """Add `from` and `to`, the stretch of the slider in which each row is the nearest of its context."""
    pieces = []
    for _, own in rows.groupby(list(context), sort=False) if context else [((), rows)]:
        values = sorted(own[slider].unique())
        limits = [-1e9, *((a + b) / 2 for a, b in zip(values, values[1:], strict=False)), 1e9]
        at = own[slider].map({value: i for i, value in enumerate(values)})
        pieces.append(own.assign(**{"from": [limits[i] for i in at], "to": [limits[i + 1] for i in at]}))
    return pandas.concat(pieces)


def colours(rows: Frame, column: str, domain: Sequence[str] | None = None, line: bool = True) -> list[Any]:
    """Return the encodings of colour and shape by a column; colour is never the only sign.

    Args:
        rows: the column already named.
        column: of the rows.
        domain: its values in the order of the colours, also those that these rows do not have; None for those they have.
            Numbers that are more than the palette are coloured from dark to light.
        line: whether the legend's signs are of lines and points, so that shapes are among them.
    """
    here = options(rows, column)
    every = [*domain] if domain else here
    if missing := [v for v in here if v not in every]:
        raise unknown(f"value of {column!r} in domain", missing[0], every)
    numeric = all(number(value) is not None for value in every)
    longest = max(map(len, here)) + 5
    columns = [max(1, min(len(here), letters // longest)) for letters in (WIDE - 10, NARROW)]
    legend = alt.Legend(
        title=heading(column) if numeric else None, labelLimit=0, values=here,
        columns=alt.ExprRef(f"narrow ? {columns[1]} : {columns[0]}"),
    ) if len(here) > 1 else None  # fmt: skip
    palette: dict[str, Any] = {"range": [PALETTE[i % len(PALETTE)] for i in range(len(every))]}
    if numeric and len(every) > len(PALETTE):
        palette = {"scheme": alt.SchemeParams(name="plasma", extent=[0, 0.78])}
    shapes = [SHAPES[(i + i // len(PALETTE)) % len(SHAPES)] for i in range(len(every))]
    field = f"{safe(column)}:N"
    found: list[Any] = [alt.Color(field, legend=legend).scale(domain=every, **palette)]
    return [*found, alt.Shape(field, legend=legend).scale(domain=every, range=shapes)] if line else found


def text_above(
    rows: Sequence[Mapping[str, Any]], controls: Controls, left: float = LEFT, below: Sequence[int] = (0, 0)
) -> tuple[alt.Chart, list[int]]:
    """Write text above the plot, in lines that fit its place; the title moves up by itself.

    Args:
        rows: `text`, a list of sentences that begin a line each, and key fields that `controls` choose by.
        controls: of the chart.
        left: where the text begins, in pixels from the plot's left edge.
        below: lines of text between it and the plot, on a desktop and on a phone.

    Returns:
        The layer, and the lines that it and what is below it take.
    """
    most, found = list(below), []
    for row in rows:
        both = [[line for text in row["text"] if text for line in wrapped(text, n)] for n in (WIDE, NARROW)]
        most = [max(m, len(lines) + b) for m, lines, b in zip(most, both, below, strict=True)]
        found.append({**row, "wide": "\n".join(both[0]), "text": "\n".join(both[1])})
    keys = [column for column in controls.tests if found and safe(column) in found[0]]
    text = controls.of(alt.Chart(pandas.DataFrame(found)), keys)
    text = text.transform_calculate(said="narrow ? datum.text : datum.wide").mark_text(
        align="left", baseline="top", lineBreak="\n", lineHeight=LEADING, fontSize=12, color=INK, aria=False
    )
    top = alt.value(alt.ExprRef(f"narrow ? {-LEADING * most[1] - 8} : {-LEADING * most[0] - 8}"))
    return text.encode(x=alt.value(left), y=top, text="said:N"), most


def captions(rows: Frame, case: Sequence[str], slider: str | None) -> list[dict[str, Any]]:
    """Return a text for each case: the column `caption` of the rows, else where the slider stands."""
    if "caption" not in rows and slider is None:
        return []
    found = []
    for place, own in rows.groupby(list(case), sort=False):
        first = own.iloc[0]
        said = (
            str(first["caption"])
            if "caption" in rows
            else f"{heading(str(slider)).capitalize()} {named(str(slider), first[slider])}"
        )
        if "caption" not in rows and slider == "level" and SIZE in rows and own[SIZE].nunique() == 1:
            said += f": {first[SIZE]:.3g} % of the weights remain"
        keys = {
            safe(k): v.item() if isinstance(v, numpy.generic) else v for k, v in zip(case, place, strict=True)
        }
        found.append({**keys, "text": [said]})
    return found


def finish(
    layers: Sequence[Layer], controls: Controls, *, title: str, key: str, notes: Mapping[str, str], description: str,
    height: int, left: float = LEFT, captions: Sequence[Mapping[str, Any]] = (),
) -> alt.LayerChart:  # fmt: skip
    """Put the layers of a chart together with everything around them, as wide as their place allows.

    Args:
        layers: of the plot.
        controls: menus and slider.
        title: of the chart.
        key: what the signs mean.
        notes: table → where its numbers come from.
        description: for screen readers; the note and the key are added.
        height: in pixels, without title and text.
        left: where titles and text begin, in pixels from the plot's left edge.
        captions: a text for each case that the controls choose, as `text_above` takes them.
    """
    caption, lines = text_above(captions, controls, left)
    sources = [{safe("table"): table, "text": [key, note]} for table, note in notes.items()]
    above, _ = text_above(sources, controls, left, lines)
    choices = f" Controls choose {', '.join(controls.words)}." if controls.words else ""
    note = notes.get(controls.start.get("table", ""), next(iter(notes.values()), ""))
    words = " ".join(f"{description} {note} {key}".split()) + choices
    parameters = [alt.param(name="width", expr=FITTING_WIDTH), narrow_param(), *controls.parameters]
    # In one call, because every method of a chart copies all of it. The declared width is replaced by the parameter.
    chart = alt.layer(
        *layers, above, *([caption] if captions else []), title=title_of(title, left), description=words, width=WIDTH,
        height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        params=[one.param for one in parameters],
    )  # fmt: skip
    assert isinstance(chart, alt.LayerChart)  # what alt.layer returns unless a layer is a facet
    return chart


def together(
    rows: Sequence[Sequence[alt.LayerChart]], *, title: str, note: str, description: str
) -> alt.VConcatChart:
    """Put charts beside and below each other, which share their sliders; such charts have a fixed width.

    Args:
        rows: charts of `finish`.
        title, note: above all of them.
        description: for screen readers.
    """
    shared: dict[str, Any] = {"narrow": alt.param(name="narrow", value=True).param}
    drawn = []
    for row in rows:
        parts = []
        for chart in row:
            part: Any = chart.copy(deep=True)
            part.autosize, part.width = alt.Undefined, WIDTH / len(row) - 78
            sliders = [one for one in part.params if one.name.endswith(("_slider", "_menu"))]
            shared |= {one.name: one for one in sliders}
            clicks = [one for one in part.params if one.name == "legend_click"]
            part.params = clicks or alt.Undefined
            parts.append(part)
        drawn.append(alt.hconcat(*parts, spacing=24).resolve_scale(color="independent", shape="independent"))
    whole = alt.vconcat(*drawn, spacing=16).resolve_scale(color="independent", shape="independent")
    head = alt.TitleParams(text=wrapped(title, _TITLE[1]), subtitle=wrapped(note), dx=LEFT)
    whole = whole.properties(title=head, description=description)
    whole.params = [*shared.values(), *(whole.params if isinstance(whole.params, list) else [])]
    return whole
