"""From replicate-level rows to what a chart carries: means and spreads over seeds, and the single values beside them.

A row is one number of one network, as `lib.analysis.table.rows` returns them. Rows that agree in everything but the
seed are one point: its mean, the sample standard deviation where there are two replicates, and the values themselves.
What is missing or not finite never enters a mean, and the note of the chart says so. Numbers are rounded to five
significant digits.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy
import pandas

from lib.errors import InputError, unknown

_SPOKEN = {"noise_percent": "label noise (%)"}
_UNITS = {"_percent": " (%)", "_nats": " (nats)", "_seconds": " (s)"}
_BOUNDS = {"error (%)": (0.0, 100.0), "potential (%)": (0.0, 100.0), "loss (nats)": (0.0, None), "(s)": (0.0, None)}

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


def number(name: str) -> float | None:
    """Return the number that `named` wrote, None for a word."""
    try:
        return float(name.removesuffix(" %"))
    except ValueError:
        return None


def options(rows: Frame, column: str) -> list[str]:
    """Return the values of a column as they are named: numbers in order, words in that of the rows."""
    found = [named(column, value) for value in rows[column].dropna().unique()]
    numeric = all(number(name) is not None for name in found)
    return sorted(found, key=lambda name: number(name) or 0.0) if numeric else found


def safe(column: str) -> str:
    """Return the field of a column: a name that Vega takes, whatever the column is called."""
    name = re.sub(r"\W+", "_", column).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def natural_bounds(quantity: str) -> tuple[float | None, float | None]:
    """Return what a quantity cannot leave: an error 0 and 100 %, a loss 0; a change or a difference has no bounds."""
    if re.search(r"change|difference|minus|estimate", quantity):
        return None, None
    return next((bounds for unit, bounds in _BOUNDS.items() if quantity.endswith(unit)), (None, None))


def quantity_of(rows: Frame) -> str:
    """Return the only quantity of rows, which `checked` has seen; InputError if there are several."""
    found = list(rows["quantity"].unique())
    if len(found) > 1:
        raise InputError(f"rows of several quantities ({', '.join(found)}) need a title of their axis")
    return str(found[0])


def checked(rows: Frame, columns: Iterable[str]) -> Frame:
    """Return rows that have these columns, seed, quantity, table and benchmark, which is in a table's name if it varies."""
    if rows is None or rows.empty:
        raise InputError("there are no rows to draw; run the page with recompute=True")
    rows = rows.reset_index(drop=True)
    for column, usual in (("seed", 0), ("quantity", "value"), ("table", ""), ("benchmark", "")):
        if column not in rows.columns:
            rows[column] = usual
    for column in columns:
        if column not in rows.columns:
            raise unknown("column", column, map(str, rows.columns))
    if rows["benchmark"].nunique() > 1:
        rows["table"] = rows["benchmark"] + ", " + rows["table"]
    return rows


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


def average(rows: Frame, names: Sequence[str], beside: Sequence[str] = ()) -> Frame:
    """Average rows over seeds.

    Args:
        rows: as `checked` returns them; columns `low` and `high`, if they have them, are kept as the ends of a spread.
        names: columns that name a point.
        beside: columns that are kept too: numbers as their mean, booleans as whether any is true.

    Returns:
        These columns, and mean, std, low, high (NaN with fewer than two replicates; clipped at what the quantity cannot
        leave), n, values and seeds.

    Raises:
        InputError: a seed has two values at one point; the message names the columns to choose by.
    """
    names = list(dict.fromkeys(names))
    _one_value_each(rows, names, beside)
    finite = rows[numpy.isfinite(rows["value"].astype(float))]
    if finite.empty:
        raise InputError("no value of these rows is finite: every replicate diverged")
    groups = finite.groupby(names, sort=False, dropna=False)
    found = groups["value"].agg(mean="mean", std="std", n="count", values=list)
    found["seeds"] = groups["seed"].agg(list)
    for column in dict.fromkeys(c for c in beside if c not in names):
        own = groups[column]
        found[column] = own.any() if rows[column].dtype == bool else own.mean()
    if "quantity" not in names:
        found["quantity"] = groups["quantity"].first()
    found = found.reset_index()
    limits = pandas.DataFrame(map(natural_bounds, found["quantity"]), columns=["low", "high"], dtype=float)
    found["low"] = (found["mean"] - found["std"]).clip(lower=limits["low"])
    found["high"] = (found["mean"] + found["std"]).clip(upper=limits["high"])
    if {"low", "high"} <= {*rows.columns}:  # an interval of a number that is of all runs
        for end in ("low", "high"):
            found[end] = groups[end].mean().to_numpy()
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


def records(frame: Frame) -> list[dict[str, Any]]:
    """Return a row per row for Vega-Lite."""
    return [{safe(name): _cell(value) for name, value in row.items()} for row in frame.to_dict("records")]


def pack(points: Frame, keys: Sequence[str], columns: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row per line for Vega-Lite, a third of the size of a row per point, and the fields that are arrays in it.

    `keys` name a line, `columns` are what its points have; those that never vary within a line are no arrays.
    """
    groups = points.groupby(list(keys), sort=False, dropna=False)
    always = ("mean", "values")
    lists = {c: points[c].map(str) for c in ("seeds",) if c in points}  # pandas counts no lists
    told = points.assign(**lists).groupby(list(keys), sort=False, dropna=False)
    arrays = [c for c in columns if c in always or (told[c].nunique(dropna=False) > 1).any()]
    lines = []
    for place, own in groups:
        line = {safe(key): _cell(value) for key, value in zip(keys, place, strict=True)}
        for column in columns:
            cells = [_cell(value) for value in own[column]]
            line[safe(column)] = cells if column in arrays else cells[0]
        lines.append(line)
    return lines, [safe(column) for column in arrays]


def _cell(value: Any) -> Any:
    """Return a value as JSON knows it, a number that is not finite as None."""
    if isinstance(value, list):
        return [_cell(one) for one in value]
    value = value.item() if isinstance(value, numpy.generic) else value
    if isinstance(value, float):
        return float(f"{value:.5g}") if numpy.isfinite(value) else None
    return value
