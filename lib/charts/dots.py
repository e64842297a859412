"""Dots: a row for each case, with means, their standard deviations, and the single replicates; printed beside measured.

Neither source is adjusted to the other; the difference is measured minus printed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.charts.axes import AXIS_FORMAT, tooltip
from lib.charts.data import (
    Bounds,
    Frame,
    average,
    checked,
    heading,
    name_columns,
    number,
    of_benchmark,
    options,
    quantity_of,
    source_note,
)  # fmt: skip
from lib.charts.parts import Controls, chart_of, colours, finish, wrapped
from lib.charts.theme import INK
from lib.errors import InputError

PRINTED, MEASURED = "printed", "measured"
_LETTER, _LABELS = 6.6, 190  # pixels of a letter, and for the names of rows at most
_ROW = 22  # pixels of a row and source


def dots(
    rows: pandas.DataFrame | None = None, *, y: str | Sequence[str], printed: pandas.DataFrame | None = None,
    colour: str | None = None, menus: Sequence[str] = (), shown: Mapping[str, Any] | None = None, x: str | None = None,
    reference: float | None = None, x_scale: str = "linear", bounds: Bounds | None = None, title: str, key: str = "",
) -> alt.LayerChart:  # fmt: skip
    """Draw a row for each case and in it a dot with its spread for each source.

    Args:
        rows: of `lib.analysis.table.rows`; None where all numbers are averaged already.
        y: columns that name a case, such as "noise_percent" and "algorithm".
        printed: averaged numbers: `mean`, `std` (NaN for none) and the columns of `y`; with `benchmark`, they stand
            beside the tables of this benchmark. A column `source` names them, else they are "printed".
        colour: column that tells the sources of `rows` apart; None calls all "measured".
        menus, shown, title, key: see `lib.charts.lines.lines`.
        x: title of the horizontal axis; None for the only quantity of the rows.
        reference: where a vertical rule stands.
        x_scale: "linear" or "log".
        bounds: (low, high) that spreads cannot leave; None takes them from the quantity.

    Raises:
        InputError: no numbers, an unknown column, or two values of a seed in one case.
    """
    cases, case = [y] if isinstance(y, str) else list(y), ["table", *menus]
    pieces, notes, tables = [], {"": ""}, {"": ""}
    x = x or (quantity_of(rows) if rows is not None else "value")
    if rows is not None:
        own = checked(rows, [*cases, *menus, *([colour] if colour else [])])
        own = name_columns(own.assign(source=own[colour] if colour else MEASURED), [*case, *cases, "source"])
        pieces.append(average(own, [*case, *cases, "source"], [], bounds=bounds))
        notes = source_note(own, [*case, *cases], menus)
        tables = dict(zip(own["table"], own["benchmark"], strict=True))
    for table, benchmark in tables.items() if printed is not None else ():
        some = of_benchmark(printed, benchmark)
        spread = some.get("std", float("nan"))
        some = some.assign(table=table, source=some.get("source", PRINTED), std=spread, n=0)
        some = some.assign(low=some["mean"] - spread, high=some["mean"] + spread)
        pieces.append(name_columns(some, [*cases, *menus]))
    if not sum(map(len, pieces)):
        raise InputError("there are no numbers to draw, neither measured nor printed")
    points: Frame = pandas.concat(pieces[::-1], ignore_index=True).dropna(subset="mean")
    points["row"] = [_name(cases, place) for place in points[cases].to_numpy()]
    controls = Controls(points, case, shown=shown)
    start = controls.at_start(points)
    words = f"Dots: means{', bars: ± 1 standard deviation' if points['std'].notna().any() else ''}."
    words += " Faint dots: single replicates." if (points["n"] > 1).any() else ""
    in_words = [
        f"{row}: {', '.join(f'{r.source} {r.mean_:.4g}' for r in own.rename(columns={'mean': 'mean_'}).itertuples())}."
        for row, own in start.groupby("row", sort=False)
    ]
    most, sources = max(own["row"].nunique() for _, own in points.groupby(case)), points["source"].nunique()
    left = int(
        min(_LABELS, max(_LETTER * len(line) for row in points["row"] for line in row.split(", ")) + 8)
    )
    return finish(
        _layers(points, cases, case, controls, x, x_scale, reference, left), controls, title=title, left=-left,
        key=f"{words} {key}".strip(), notes=notes, height=60 + most * max(34, _ROW * sources),
        description=" ".join([f"Dot plot. {title}: {x}.", *in_words]),
    )  # fmt: skip


def _name(cases: Sequence[str], place: Sequence[str]) -> str:
    return ", ".join(
        f"{value} {heading(column)}" if number(value) is not None else value
        for column, value in zip(cases, place, strict=True)
    )


def _layers(
    points: Frame, cases: Sequence[str], case: Sequence[str], controls: Controls, x: str, x_scale: str,
    reference: float | None, left: int,
) -> list[Any]:  # fmt: skip
    places = {c: {value: i for i, value in enumerate(options(points, c))} for c in cases}
    every = points.sort_values(list(cases), key=lambda column: column.map(places[column.name]), kind="stable")
    fields = {c: c for c in ("row", "mean", "std", "low", "high", "n", "values", "seeds") if c in points}
    base = chart_of(points, [*case, "source"], fields, controls)
    rows = alt.Y("row:N", title=None, sort=list(dict.fromkeys(every["row"]))).axis(
        labelExpr="split(datum.label, ', ')", labelLimit=left, labelOffset=-7 if len(cases) > 1 else 0, grid=True,
        tickBand="extent", domain=False, ticks=False, minExtent=left, maxExtent=left,
    )  # fmt: skip
    offset = alt.YOffset("_source:N", sort=options(points, "source")).scale(
        paddingInner=0.4, paddingOuter=0.6
    )
    scale: dict[str, Any] = {"zero": False, "nice": x_scale == "linear", "padding": 12, "type": x_scale}

    def across(field: str) -> alt.X:
        placed = alt.X(f"{field}:Q", title=wrapped(x, 48)).scale(**scale)
        return placed.axis(format=AXIS_FORMAT, labelOverlap="greedy", labelSeparation=6)

    colour, shape = colours(points, "source")
    named = [alt.Tooltip("row:N", title="case"), alt.Tooltip("_source:N", title="source")]
    spread = base.mark_rule(strokeWidth=2, aria=False).encode(
        across("low"), alt.X2("high:Q"), rows, offset, colour
    )
    means = base.mark_point(filled=True, size=90, opacity=1).encode(
        across("mean"), rows, offset, colour, shape
    )
    layers: list[Any] = [spread, means.encode(tooltip=[*named, *tooltip(points, [], [], x)])]
    if (points["n"] > 1).any():
        single = base.transform_filter("isArray(datum.values)").transform_flatten(["values", "seeds"])
        single = single.mark_point(filled=True, size=14, opacity=0.4, shape="circle", aria=False)
        told = [*named, alt.Tooltip("seeds:N", title="seed"), alt.Tooltip("values:Q", title=x, format=".4~g")]
        layers.append(single.encode(across("values"), rows, offset, colour, tooltip=told))
    if reference is not None:
        rule = alt.Chart(pandas.DataFrame([{"at": reference}])).mark_rule(color=INK, aria=False)
        layers.insert(0, rule.encode(across("at")))
    return layers
