"""From replicate-level rows to what a chart carries: means and spreads over seeds, and the single values beside them.

A row is one number of one network, as `lib.analysis.table.rows` returns them. Rows that agree in everything but the
seed are one point: its mean, the sample standard deviation where there are two replicates, and the values themselves.
What is missing or not finite never enters a mean, and the note of the chart says so. Numbers are rounded to five
significant digits.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy
import pandas

from lib.errors import InputError, unknown

MANY_POINTS = 30
"""A line with more points than this shows its replicates by the band alone, and signs at some points only."""

_SPOKEN = {"noise_percent": "label noise (%)"}
_UNITS = {"_percent": " (%)", "_nats": " (nats)", "_seconds": " (s)"}
_BOUNDS = {"error (%)": (0.0, 100.0), "loss (nats)": (0.0, None), "(s)": (0.0, None)}

Bounds = tuple[float | None, float | None]
Frame = Any
"""A pandas.DataFrame; pandas' types know too little of masks and groups to check more."""


def spoken(column: str) -> str:
    """Return a column's name as axes and tooltips say it: "noise_percent" → "label noise (%)"."""
    if column in _SPOKEN:
        return _SPOKEN[column]
    for suffix, unit in _UNITS.items():
        if column.endswith(suffix):
            return column.removesuffix(suffix).replace("_", " ") + unit
    return column.replace("_", " ")


def heading(column: str) -> str:
    """Return a column's name without its unit, for menus and legends whose entries have it."""
    return re.sub(r" \([^)]*\)$", "", spoken(column))


def named(column: str, value: Any) -> str:
    """Return a value of a column as legends and menus say it: 15.0 of "noise_percent" → "15 %"."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | numpy.bool_):
        return "yes" if value else "no"
    return f"{value:.4g}" + (" %" if spoken(column).endswith("(%)") else "")


def safe(column: str) -> str:
    """Return a name that Vega takes for a field, whatever the column is called."""
    if column in ("from", "to"):  # of `lib.charts.parts.between`
        return column
    return "_" + re.sub(r"\W+", "_", column).strip("_")


def short(value: float, digits: int = 5) -> float | None:
    """Round to significant digits; None for what is not finite, which JSON does not know."""
    return float(f"{value:.{digits}g}") if numpy.isfinite(value) else None


def natural_bounds(quantity: str) -> Bounds:
    """Return what a quantity cannot leave: an error 0 and 100 %, a loss 0; a change or a difference has no bounds."""
    if re.search(r"change|difference|minus|estimate", quantity):
        return None, None
    return next((bounds for unit, bounds in _BOUNDS.items() if quantity.endswith(unit)), (None, None))


def quantity_of(rows: Frame) -> str:
    """Return the only quantity of rows, "value" where they have no such column.

    Raises:
        InputError: there are several.
    """
    found = list(rows["quantity"].unique()) if "quantity" in rows else ["value"]
    if len(found) > 1:
        raise InputError(f"rows of several quantities ({', '.join(found)}) need a title of their axis")
    return str(found[0]) if found else "value"


def options(rows: Frame, column: str) -> list[str]:
    """Return the values of a column as they are named: numbers in order, words in that of the rows."""
    found = [named(column, value) for value in rows[column].dropna().unique()]
    return (
        sorted(found, key=lambda name: number(name) or 0.0)
        if all(number(value) is not None for value in found)
        else found
    )


def number(name: str) -> float | None:
    """Return the number that `named` wrote, None for a word."""
    try:
        return float(name.removesuffix(" %"))
    except ValueError:
        return None


def checked(rows: Frame, columns: Iterable[str]) -> Frame:
    """Return rows that have these columns, `seed`, `table` and `benchmark`, with which tables are named if it varies.

    Raises:
        InputError: there are no rows, or a column is missing.
    """
    if rows is None or rows.empty:
        raise InputError("there are no rows to draw; run the page with recompute=True")
    rows = rows.reset_index(drop=True)
    for column, usual in (("seed", 0), ("table", ""), ("benchmark", "")):
        if column not in rows.columns:
            rows[column] = usual
    for column in columns:
        if column not in rows.columns:
            raise unknown("column", column, map(str, rows.columns))
    if rows["benchmark"].nunique() > 1:
        rows["table"] = rows["benchmark"] + ", " + rows["table"]
    return rows


def average(
    rows: Frame, keys: Sequence[str], point: Sequence[str], *, beside: Sequence[str] = (), flags: Sequence[str] = (),
    bounds: Bounds | None = None,
) -> Frame:  # fmt: skip
    """Average rows over seeds.

    Args:
        rows: as `checked` returns them.
        keys: columns that name a line.
        point: columns that, with the keys, name a point.
        beside: number columns whose mean is kept too.
        flags: boolean columns; a point has one that any of its rows has.
        bounds: that the band is clipped at; None takes those of each row's quantity.

    Returns:
        Keys and point; mean, std, low, high (NaN with fewer than two replicates), n, values, seeds; `beside`; `flags`.

    Raises:
        InputError: a seed has two values at one point; the message names the columns to choose by.
    """
    names = list(dict.fromkeys([*keys, *point]))
    _one_value_each(rows, names, beside)
    finite = rows[numpy.isfinite(rows["value"].astype(float))]
    if finite.empty:
        raise InputError("no value of these rows is finite: every replicate diverged")
    groups = finite.groupby(names, sort=False, dropna=False)
    found = groups["value"].agg(mean="mean", std="std", n="count", values=list)
    found["seeds"] = groups["seed"].agg(list)
    for column in dict.fromkeys(beside):
        if column not in names:
            found[column] = groups[column].mean()
    for column in flags:
        found[column] = groups[column].any()
    quantities = groups["quantity"].first() if "quantity" in rows and "quantity" not in names else None
    found = found.reset_index()
    quantities = found.get("quantity", quantities)
    limits = (
        [bounds] * len(found) if bounds or quantities is None else [natural_bounds(q) for q in quantities]
    )
    lowest, highest = (
        numpy.array([numpy.nan if one is None or one[i] is None else one[i] for one in limits], dtype=float)
        for i in (0, 1)
    )
    found["low"] = numpy.where(
        found["std"].notna(), numpy.fmax(found["mean"] - found["std"], lowest), numpy.nan
    )
    found["high"] = numpy.where(
        found["std"].notna(), numpy.fmin(found["mean"] + found["std"], highest), numpy.nan
    )
    return found


def _one_value_each(rows: Frame, names: Sequence[str], beside: Sequence[str]) -> None:
    doubled = rows[rows.duplicated([*names, "seed"], keep=False)]
    if doubled.empty:
        return
    place = doubled[[*names, "seed"]]
    first = doubled[(place == place.iloc[0]).all(axis=1)]
    aside = ("value", "stage_key", "part", *beside)
    differing = [repr(c) for c in rows.columns if first[c].nunique() > 1 and c not in aside]
    raise InputError(
        f"seed {first['seed'].iloc[0]} has {len(first)} values at one point: choose rows, or name "
        f"{' or '.join(differing) or 'what tells them apart'} as colour, dash, panels or in menus"
    )


def name_columns(rows: Frame, columns: Iterable[str]) -> Frame:
    """Return rows in which the values of these columns are named; a Categorical gives them its order."""
    for column in columns:
        if isinstance(rows[column].dtype, pandas.CategoricalDtype):
            rows = rows.sort_values(column, kind="stable")
        rows = rows.assign(**{column: [named(column, value) for value in rows[column]]})
    return rows


def of_benchmark(printed: Frame, benchmark: str) -> Frame:
    """Return the printed numbers of a benchmark; all where they do not say which, or where no table asks."""
    return printed[printed["benchmark"] == benchmark] if benchmark and "benchmark" in printed else printed


def records(frame: Frame, keys: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return a row per row for Vega-Lite; the keys get safe names, numbers are rounded."""
    renamed = frame.rename(columns={key: safe(key) for key in keys})
    return [{str(name): _cell(value) for name, value in row.items()} for row in renamed.to_dict("records")]


def pack(
    points: Frame, keys: Sequence[str], fields: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row per line for Vega-Lite, a third of the size of a row per point.

    Args:
        points: as `average` returns them, the key columns already named.
        keys: columns that name a line.
        fields: column → name of its field.

    Returns:
        The rows, and the fields that are arrays in all of them; those that never vary within a line are not.
    """
    groups = points.groupby(list(keys), sort=False, dropna=False)
    single = [
        c
        for c in fields
        if c not in ("mean", "values", "seeds") and (groups[c].nunique(dropna=False) == 1).all()
    ]
    lines = []
    for place, own in groups:
        line: dict[str, Any] = {safe(key): _cell(value) for key, value in zip(keys, place, strict=True)}
        for column, field in fields.items():
            line[field] = (
                _cell(own[column].iloc[0]) if column in single else [_cell(value) for value in own[column]]
            )
        lines.append(line)
    return lines, [field for column, field in fields.items() if column not in single]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return [_cell(one) for one in value]
    value = value.item() if isinstance(value, numpy.generic) else value
    return short(value) if isinstance(value, float) else value


def source_note(rows: Frame, keys: Sequence[str], menus: Sequence[str], point: str = "") -> dict[str, str]:
    """Say for each table where its numbers come from, what is not measured, and which replicates are in no mean.

    Args:
        rows: as `checked` returns them, the key columns already named.
        keys: columns that name a line.
        menus: those of them that are menus.
        point: the column by which a replicate can lack some points of a line; empty for none.
    """
    notes, every = {}, {column: options(rows, column) for column in keys if column != "table"}
    for table, own in rows.groupby("table", sort=False):
        benchmark = str(own["benchmark"].iloc[0])
        source = table if str(table).startswith(benchmark) else f"{benchmark}, {table}"
        counts = own.groupby(list(keys), sort=False)["seed"].nunique()
        parts, absent = [f"{source}: {counted(counts.min(), counts.max())}."] if source else [], []
        for column, values in every.items():
            here = [value for value in values if value in set(own[column])]
            gone = [value for value in values if value not in here]
            if gone and column in menus:
                parts.append(f"{heading(column).capitalize()}: {', '.join(here)} only.")
            elif gone:
                absent.append(
                    (f"{heading(column)} " if number(gone[0]) is not None else "") + ", ".join(gone)
                )
        lost = _left_out(own, list(every), point)
        parts += [f"Not measured: {'; '.join(absent)}."] if absent else []
        more = f"; and {len(lost) - 3} more" if len(lost) > 3 else ""
        parts += [f"Not in the means: {'; '.join(lost[:3])}{more}."] if lost else []
        notes[str(table)] = " ".join(parts)
    return notes


def counted(fewest: int, most: int) -> str:
    """Count replicates in words: "1 replicate", "3 replicates", "1 to 3 replicates"."""
    return f"{fewest} to {most} replicates" if fewest < most else f"{most} replicate{'s' if most > 1 else ''}"


def _left_out(rows: Frame, keys: Sequence[str], point: str) -> list[str]:
    """Name the replicates that diverged, or are missing where other replicates are."""
    lost, several = [], [key for key in keys if rows[key].nunique() > 1]
    for place, own in rows.groupby(several, sort=False) if several else [((), rows)]:
        words = zip(several, place, strict=True)
        said = "".join(
            f", {value}{f' {heading(key)}' if number(value) is not None else ''}" for key, value in words
        )
        for seed in sorted(rows["seed"].unique() if own["seed"].nunique() > 1 else own["seed"].unique()):
            one = own[own["seed"] == seed]
            bad = one[~numpy.isfinite(one["value"].astype(float))]
            gone = set(own[point]) - set(one[point]) if point and len(one) else set()
            if len(bad) or gone or one.empty:
                since = [*gone, *bad[point]] if point else []
                at = f" from {heading(point)} {min(since):g}" if since else ""
                lost.append(f"seed {seed}{said} ({'diverged' if len(bad) else 'missing'}{at})")
    return lost
