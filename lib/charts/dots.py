"""Dots: a row for each case, with means, their standard deviations, and the single replicates; printed beside measured.

Neither source is adjusted to the other; the difference is measured minus printed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.charts.axes import either, tooltip
from lib.charts.controls import Controls, lit, seed_choice
from lib.charts.data import Frame, average, checked, name_columns, of_benchmark, options, quantity_of
from lib.charts.notes import called, source_note
from lib.charts.parts import NARROW, colours, finish
from lib.charts.theme import INK
from lib.errors import InputError

PRINTED, MEASURED = "printed", "measured"
_LETTER, _LABELS = 6.6, 190  # pixels of a letter, and for the names of rows at most
_ROW, _LINE = 22, 14  # pixels of a row and source, and of a line of its name


def dots(
    rows: pandas.DataFrame | None = None, *, y: str | Sequence[str], printed: pandas.DataFrame | None = None,
    menus: Sequence[str] = (), shown: Mapping[str, Any] | None = None, x: str | None = None,
    reference: float | None = None, x_scale: str = "linear", title: str, key: str = "",
) -> alt.LayerChart:  # fmt: skip
    """Draw a row for each case and in it a dot with its spread for each source.

    Args:
        rows, menus, shown, title, key: see `lib.charts`; rows are None where all numbers are averaged already. Where they
            have columns `low` and `high`, these are the ends of a mean's 95 % interval, drawn in place of the deviation.
        y: columns that name a case, such as "noise_percent" and "algorithm".
        printed: averaged numbers: `mean`, `std` (NaN for none) and the columns of `y`; with `benchmark`, they stand
            beside the tables of this benchmark. A column `source` names them, else they are "printed".
        x: title of the horizontal axis.
        reference: where a vertical rule stands.
        x_scale: "linear" or "log".
    """
    cases, case = [y] if isinstance(y, str) else list(y), ["table", *menus]
    measured, beside, notes, tables = [], [], {"": ""}, {"": ""}
    if rows is not None:
        own = checked(rows, [*cases, *menus])
        x = x or quantity_of(own)
        own = name_columns(own.assign(source=MEASURED), [*case, *cases])
        measured.append(average(own, [*case, *cases, "source"]))
        notes = source_note(own, [*case, *cases], menus)
        tables = dict(zip(own["table"], own["benchmark"], strict=True))
    for table, benchmark in tables.items() if printed is not None else ():
        some = of_benchmark(printed, benchmark)
        spread = some.get("std", float("nan"))
        some = some.assign(table=table, source=some.get("source", PRINTED), std=spread, n=0)
        some = some.assign(low=some["mean"] - spread, high=some["mean"] + spread)
        beside.append(name_columns(some, [*cases, *menus]))
    pieces = [*beside, *measured]  # the first source of all charts is print; tables stay in their order
    if not sum(map(len, pieces)):
        raise InputError("there are no numbers to draw, neither measured nor printed")
    points: Frame = pandas.concat(pieces, ignore_index=True).dropna(subset="mean")
    points["row"] = [", ".join(map(called, cases, place)) for place in points[cases].to_numpy()]
    controls, x = Controls(points, case, shown=shown), x or "value"
    spread = "95 % interval of the mean" if rows is not None and "low" in rows else "± 1 standard deviation"
    words = f"Dots: means{f', bars: {spread}' if points['low'].notna().any() else ''}."
    words += " Faint dots: single seeds (click one to follow it)." if (points["n"] > 1).any() else ""
    said = [f"Dot plot. {title}: {x}."]
    for row, own in controls.at_start(points).groupby("row", sort=False):
        means = zip(own["source"], own["mean"], strict=True)
        said.append(f"{row}: {', '.join(f'{source} {mean:.4g}' for source, mean in means)}.")
    most, sources = max(own["row"].nunique() for _, own in points.groupby(case)), points["source"].nunique()
    names = [row.split(", ") for row in points["row"].unique()]
    left = int(min(_LABELS, _LETTER * max(len(line) for name in names for line in name) + 8))
    layers = _layers(points, cases, case, controls, x, x_scale, left)
    if reference is not None:
        rule = alt.Chart(pandas.DataFrame([{"low": reference}])).mark_rule(color=INK, aria=False)
        layers.insert(0, rule.encode(either(alt.X("low:Q"), x, x_scale, 36, 12)))
    return finish(
        layers, controls, title=title, left=-left, key=f"{words} {key}".strip(), notes=notes,
        height=60 + most * max(34, _ROW * sources, _LINE * max(map(len, names)) + 6), description=" ".join(said),
    )  # fmt: skip


def _layers(
    points: Frame, cases: Sequence[str], case: Sequence[str], controls: Controls, x: str, x_scale: str, left: int
) -> list[Any]:  # fmt: skip
    """Draw spreads, means and single replicates, the rows in the order of their cases."""
    places = {c: {value: i for i, value in enumerate(options(points, c))} for c in cases}
    every = points.sort_values(list(cases), key=lambda column: column.map(places[column.name]), kind="stable")
    columns = ["row", "mean", "std", "low", "high", "n", *(c for c in ("values", "seeds") if c in points)]
    base = controls.chart_of_points(points, [*case, "source"], columns)
    rows = alt.Y("row:N", title=None, sort=list(dict.fromkeys(every["row"]))).axis(
        labelExpr="split(datum.label, ', ')", labelLimit=left, labelLineHeight=_LINE, grid=True, tickBand="extent",
        labelOffset=alt.ExprRef(f"{-_LINE / 2} * (length(split(datum.label, ', ')) - 1)"), domain=False, ticks=False,
        minExtent=left, maxExtent=left,
    )  # fmt: skip
    offset = alt.YOffset("source:N", sort=options(points, "source"))
    offset = offset.scale(paddingInner=0.4, paddingOuter=0.6)
    low, mean, values = (either(alt.X(f"{c}:Q"), x, x_scale, 36, 12) for c in ("low", "mean", "one"))
    colour, shape = colours(points, "source", phone=NARROW // 2)  # the names of rows take the other half
    told = [alt.Tooltip("row:N", title="case"), alt.Tooltip("source:N", title="source")]
    spread = base.mark_rule(strokeWidth=2, aria=False)
    means = base.mark_point(filled=True, size=90, opacity=1)
    means = means.encode(mean, rows, offset, colour, shape, tooltip=[*told, *tooltip(points, [], [], x)])
    layers: list[Any] = [spread.encode(low, alt.X2("high:Q"), rows, offset, colour), means]
    if (points["n"] > 1).any():
        single = base.transform_filter("isArray(datum.values)").transform_flatten(["values", "seeds"], ["one", "seed"])
        single = single.mark_point(
            filled=True, size=20, shape="circle", stroke="transparent", strokeWidth=6, aria=False
        )
        told += [alt.Tooltip("seed:N", title="seed"), alt.Tooltip("one:Q", title=x, format=".4~g")]
        single = single.encode(values, rows, offset, colour, opacity=alt.value(lit(1.0, 0.12, 0.4)), tooltip=told)
        every = sorted({seed for own in points["seeds"].dropna() for seed in own})
        layers.append(single.add_params(seed_choice(every)))
    return layers
