"""What a chart's note says: where its numbers come from, what is not measured, which replicates are in no mean."""

from collections.abc import Sequence

import numpy
import pandas

from lib.charts.data import Frame, heading, number, options

SIZES = ("remaining (%)", "removed (%)")
"""How columns end that say how large a network is."""


def source_note(rows: Frame, keys: Sequence[str], menus: Sequence[str], point: str = "") -> dict[str, str]:
    """Return the note of each table.

    Args:
        rows: as `lib.charts.data.checked` returns them, the key columns already named. A column `runs` says over how many
            runs a number is that is no single network's.
        keys: columns that name a line.
        menus: those of them that are menus.
        point: the column by which a replicate can lack some points of a line; empty for none.
    """
    notes, every = {}, {column: options(rows, column) for column in keys if column != "table"}
    for table, own in rows.groupby("table", sort=False):
        benchmark = str(own["benchmark"].iloc[0])
        source = table if str(table).startswith(benchmark) else f"{benchmark}, {table}"
        over, counts = "replicate", own.groupby(list(keys), sort=False)["seed"].nunique()
        if "runs" in own:
            over, counts = "run", own["runs"]
        parts, absent = [f"{source}: {counted(counts.min(), counts.max(), over)}."] if source else [], []
        for column, values in every.items():
            here = set(own[column])
            gone = ", ".join(value for value in values if value not in here)
            if gone and column in menus:
                only = ", ".join(value for value in values if value in here)
                parts.append(f"{heading(column).capitalize()}: {only} only.")
            elif column.endswith(SIZES):  # they follow from a plan's cuts; those of another plan are not missing
                continue
            elif gone and number(values[0]) is not None:
                absent.append(f"{heading(column)} {gone}")
            elif gone and not _names_levels(rows, ["table", *menus], column):
                absent.append(gone)
        lost = _left_out(own, list(every), point)
        more = f"; and {len(lost) - 3} more" if len(lost) > 3 else ""
        parts += [f"Not measured: {'; '.join(absent)}."] if absent else []
        parts += [f"Not in the means: {'; '.join(lost[:3])}{more}."] if lost else []
        notes[str(table)] = " ".join(parts)
    return notes


def _names_levels(rows: Frame, case: Sequence[str], column: str) -> bool:
    """Whether a column's values are names of levels, such as "recovery": none is missing where no level is called so."""
    if column == "algorithm" or "level" not in rows or rows["level"].nunique() < 2:
        return False
    return rows.groupby([*case, column])["level"].nunique().max() == 1


def counted(fewest: int, most: int, what: str = "replicate") -> str:
    """Count replicates in words: "1 replicate", "3 replicates", "1 to 3 replicates"."""
    return f"{fewest} to {most} {what}s" if fewest < most else f"{most} {what}{'s' if most > 1 else ''}"


def _left_out(rows: Frame, keys: Sequence[str], point: str) -> list[str]:
    """Name the replicates that diverged, or are missing where other replicates are."""
    lost, several, seeds = [], [key for key in keys if rows[key].nunique() > 1], sorted(rows["seed"].unique())
    rows = rows.loc[_lacks(rows, several, point)]
    for place, own in rows.groupby(several, sort=False) if several else [((), rows)]:
        case = "".join(f", {called(key, value)}" for key, value in zip(several, place, strict=True))
        for seed in seeds if own["seed"].nunique() > 1 else own["seed"].unique():
            one = own[own["seed"] == seed]
            bad = one[~numpy.isfinite(one["value"].astype(float))]
            gone = set(own[point]) - set(one[point]) if point and len(one) else set()
            if len(bad) or gone or one.empty:
                since = [*gone, *bad[point]] if point else []
                at = f" from {heading(point)} {min(since):g}" if since else ""
                lost.append(f"seed {seed}{case} ({'diverged' if len(bad) else 'missing'}{at})")
    return lost


def _lacks(rows: Frame, keys: Sequence[str], point: str) -> Frame:
    """Tell for each row whether its line lacks a replicate, a point of one, or a finite value; few of many lines do."""
    line = rows.groupby(list(keys), sort=False).ngroup() if keys else pandas.Series(0, index=rows.index)
    points = rows[["seed", point] if point else ["seed"]].assign(line=line).drop_duplicates().groupby("line")
    seeds, infinite = points["seed"].nunique(), ~numpy.isfinite(rows["value"].astype(float))
    whole = seeds * points[point].nunique(dropna=False) if point else seeds
    lacks = infinite.groupby(line).any() | (points.size() < whole) | ((seeds > 1) & (seeds < rows["seed"].nunique()))
    return line.map(lacks)


def called(column: str, name: str) -> str:
    """Return a named value among those of other columns: "20 % label noise", but "weight rewinding"."""
    return f"{name} {heading(column)}" if number(name) is not None else name
