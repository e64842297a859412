"""Menus and a slider, by which a reader chooses what a chart shows, and the rows of a builder made ready for them.

A menu's parameter is named by its column, such as `table_menu`.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas

from lib.analysis.table import SIZE
from lib.charts import data
from lib.charts.data import Frame, heading, name_columns, named, options, safe
from lib.charts.notes import source_note
from lib.errors import unknown

LIT = "seed_seed"
"""The signal of the seed that stays lit, null for none, as Vega-Lite names it; the book's script shares it over a page."""
DRAWN = f"datum.place == 0 || {LIT} != null && datum.seed == {LIT}"
"""Which points of single seeds make lines: those of the lit one; of others one point, so that no scale is without data."""


def seed_choice(seeds: Iterable[int]) -> alt.Parameter:
    """Return the parameter by which a click on a dot, or a menu, lights a seed; a click elsewhere puts it out."""
    bind = alt.binding_select(options=[None, *seeds], labels=["all", *map(str, seeds)], name="Seed: ")
    on_a_dot = "event.item && event.item.datum && event.item.datum.seed != null"
    return alt.selection_point(
        name="seed", fields=["seed"], bind=bind, on=f"click[{on_a_dot}]", clear=f"click[!({on_a_dot})]", toggle=False
    )


def lit(seed: float, others: float, usual: float) -> alt.ExprRef:
    """Return an opacity: of what belongs to the lit seed, of all else then, and of everything while none is lit."""
    return alt.ExprRef(f"{LIT} == null ? {usual} : datum.seed == {LIT} ? {seed} : {others}")


class Controls:
    """Menus and a slider: their parameters, the expression that keeps the rows they choose, and what is shown at the start.

    Attributes:
        parameters: of the chart.
        tests: column → the expression over a row by which its control chooses.
        slider: name of the slider's parameter; empty without one.
        position: of the slider at the start.
        start: column → the value of its menu at the start, as it is named.
        words: what a reader can choose, for the description.
        absent: the expression that tells whether the menus choose a case of which there is no row; empty if all are there.
    """

    def __init__(
        self, rows: Frame, menus: Sequence[str], slider: str | None = None, shown: Mapping[str, Any] | None = None
    ) -> None:  # fmt: skip
        """Make a menu for each column with several values, already named, and a slider, which chooses by `between`."""
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
                name = f"{safe(column)}_menu"
                bind = alt.binding_select(options=entries, name=f"{label}: ")
                self.parameters.append(alt.param(name=name, value=first, bind=bind))
                self.tests[column] = f"datum.{safe(column)} == {name}"
                self.words.append(label.lower())
        self.absent = _absent(rows, [*self.tests])
        self.slider = ""
        if slider:
            values = sorted(rows[slider].unique())
            self.position = shown.get(slider, values[0])
            if len(values) > 1:
                step = 1 if all(float(v).is_integer() for v in values) else (values[-1] - values[0]) / 100
                self.slider, label = f"{safe(slider)}_slider", heading(slider)
                bind = alt.binding_range(min=values[0], max=values[-1], step=step, name=f"{label.capitalize()}: ")
                self.parameters.append(alt.param(name=self.slider, value=self.position, bind=bind))
                self.tests["from"] = f"{self.slider} > datum.from && {self.slider} <= datum.to"
                self.words.append(label)

    def chart(self, frame: Frame) -> alt.Chart:
        """Return a chart of the rows that the controls choose, by those columns that the rows have."""
        return self._of(alt.Chart(pandas.DataFrame(data.records(frame))), frame)

    def chart_of_points(self, points: Frame, keys: Sequence[str], columns: Sequence[str]) -> alt.Chart:
        """Return a chart of points, see `lib.charts.data.pack`, with `spread` to be told."""
        lines, arrays = data.pack(points, keys, columns)
        base = self._of(alt.Chart(pandas.DataFrame(lines)), points)
        base = base.transform_flatten(list(map(alt.FieldName, arrays)))
        return base.transform_calculate(spread="isValid(datum.std) ? format(datum.std, '.2~g') : '–'")

    def _of(self, chart: alt.Chart, frame: Frame) -> alt.Chart:
        tests = [test for column, test in self.tests.items() if column in frame]
        return chart.transform_filter(" && ".join(tests)) if tests else chart

    def at_start(self, frame: Frame) -> Frame:
        """Return the rows shown at the start."""
        for column, value in self.start.items():
            if column in frame:
                frame = frame[frame[column] == value]
        return frame[frame["from"].lt(self.position) & frame["to"].ge(self.position)] if "from" in frame else frame


def _absent(rows: Frame, columns: Sequence[str]) -> str:
    if len(columns) < 2:
        return ""
    cases = rows[list(columns)].drop_duplicates()
    if len(cases) == math.prod(rows[column].nunique() for column in columns):
        return ""
    there = [" | ".join(map(str, case)) for case in cases.itertuples(index=False)]
    chosen = " + ' | ' + ".join(f"{safe(column)}_menu" for column in columns)
    return f"indexof({json.dumps(there)}, {chosen}) < 0"


def between(rows: Frame, slider: str, context: Sequence[str]) -> Frame:
    """Add `from` and `to`, the stretch of the slider in which each row is the nearest of its context."""
    pieces = []
    for _, own in rows.groupby(list(context), sort=False) if context else [((), rows)]:
        values = sorted(own[slider].unique())
        limits = [-1e9, *((a + b) / 2 for a, b in zip(values, values[1:], strict=False)), 1e9]
        at = own[slider].map({value: i for i, value in enumerate(values)})
        pieces.append(own.assign(**{"from": [limits[i] for i in at], "to": [limits[i + 1] for i in at]}))
    return pandas.concat(pieces)


@dataclass(frozen=True)
class Prepared:
    """Rows averaged for a builder, and what stands around them.

    Attributes:
        rows: those given, the key columns named.
        points: as `lib.charts.data.average` returns them.
        case: columns by which menus, slider and panels choose.
        line: columns that name a line within a case.
        controls, notes, captions: for `lib.charts.parts.finish`.
    """

    rows: Frame
    points: Frame
    case: list[str]
    line: list[str]
    controls: Controls
    notes: dict[str, str]
    captions: Frame

    @property
    def keys(self) -> list[str]:
        """Columns that name a line."""
        return [*self.case, *self.line]


def prepared(
    rows: Frame, point: Sequence[str], menus: Sequence[str], slider: str | None, shown: Mapping[str, Any] | None,
    *, line: Iterable[str | None] = (), panels: str | None = None, ringed: str | None = None, along: str = "",
    beside: Sequence[str] = (),
) -> Prepared:  # fmt: skip
    """Check, name and average the rows of a builder.

    Args:
        rows, menus, slider, shown: see `lib.charts`.
        point: columns that, with those of the case and the line, name a point.
        line, panels: columns; None is left out.
        ringed: column of a slider that chooses no rows.
        along: the column by which a replicate can lack points, see `lib.charts.notes.source_note`.
        beside: see `lib.charts.data.average`.
    """
    case = [k for k in dict.fromkeys(["table", *menus, panels]) if k]
    inner = [k for k in dict.fromkeys(line) if k and k not in case]
    moving = ["from", "to"] if slider else []
    own = data.checked(rows, [*case, *inner, *point, *beside, "value", *filter(None, [slider, ringed])])
    own = name_columns(own, [*case, *inner])
    own = between(own, slider, case) if slider else own
    controls = Controls(own, ["table", *menus], slider or ringed, shown)
    points = data.average(own, [*case, *inner, *moving, *point], beside)
    told = between(own, ringed, case) if ringed and "caption" in own else own  # captions follow a slider that rings
    said = _captions(told, [*controls.start, *(c for c in ("from", "to") if c in told)], slider)
    notes = source_note(own, [*case, *inner], menus, along)
    return Prepared(own, points, [*case, *moving], inner, controls, notes, said)


def _captions(rows: Frame, case: Sequence[str], slider: str | None) -> Frame:
    """Return a text for each case: the column `caption` of the rows, else where the slider stands; no rows for neither."""
    first = rows.drop_duplicates(list(case))
    if "caption" not in rows:
        if slider is None:
            return pandas.DataFrame()
        label, colon = heading(slider).capitalize(), ":" if " " in heading(slider) else ""
        first = first.assign(caption=[f"{label}{colon} {named(slider, value)}" for value in first[slider]])
        if slider == "level" and SIZE in rows and rows.groupby([*case])[SIZE].nunique().max() == 1:
            first["caption"] += [f": {size:.3g} % of the weights remain" for size in first[SIZE]]
    return first[[*case, "caption"]].rename(columns={"caption": "text"})
