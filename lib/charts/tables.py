"""Tables as HTML: small ones, printed beside measured, verdicts, and wide ones that a reader searches and filters.

All text is escaped. A wide table scrolls by itself; the script that filters it (`lib/book/assets/tables.js`) is loaded
by pages that have one, and without it, as in JupyterLab, all rows show.
"""

import base64
import html
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas

from lib.analysis.display import NOTHING, plus_minus
from lib.charts.data import average, checked, heading, name_columns, of_benchmark, spoken
from lib.errors import InputError, unknown

Cell = str | tuple[str, str]  # text, or text and the class of its badge

# A verdict is said by a sign and a word; the colour repeats it. Dark text on a light ground, legible in light and dark mode.
VERDICTS = {
    "reproduced": ("✓", "#0b4f3c", "#d3f0e5"),
    "not reproduced": ("✗", "#7a2e00", "#fde3d3"),
    "undecided": ("?", "#4a3d00", "#f6edc8"),
    "not run": ("–", "#3b424b", "#e7eaee"),
}
_WHOLE = {"selector": "", "props": "display: block; overflow-x: auto; max-width: 100%;"}
_CELLS = "text-align: left; vertical-align: top; padding: 0.25rem 0.6rem;"


def table(frame: pandas.DataFrame, name: str, *, digits: int = 3) -> Any:
    """Set a frame as a table without its index, a dash where nothing is; a pandas Styler, which displays as HTML.

    Args:
        frame: cells of text and numbers; columns are called as `lib.charts.data.spoken` says them.
        name: of the table on its page, without blanks; two tables of a page need different names.
        digits: significant ones of numbers.
    """

    def shown(value: Any) -> str:
        if isinstance(value, float):
            return NOTHING if pandas.isna(value) else f"{value:.{digits}g}"
        return NOTHING if value is None else html.escape(str(value))

    style: Any = frame.rename(columns=spoken).style.hide(axis="index").set_uuid(name).format(shown)
    return style.set_table_styles([_WHOLE, {"selector": "td, th", "props": _CELLS}])


def comparison_table(
    rows: pandas.DataFrame | None, *, y: str | Sequence[str], printed: pandas.DataFrame, digits: int = 2,
    name: str = "comparison",
) -> Any:  # fmt: skip
    """Set means with their standard deviations, printed and measured, and measured minus printed: a row per table and case.

    Args:
        rows, y, printed: see `lib.charts.dots.dots`.
        digits: after the point.
        name: see `table`.
    """
    cases = [y] if isinstance(y, str) else list(y)
    tables: Any = [((NOTHING, ""), None)]
    if rows is not None and len(rows):
        tables = name_columns(checked(rows, cases), cases).groupby(["table", "benchmark"], sort=False)
    labels = [label for (label, _), _ in tables]
    scales = [label.partition(",")[0] for label in labels]
    results = dict(zip(labels, scales if len(set(scales)) == len(scales) else labels, strict=True))
    found = []
    for (label, benchmark), own in tables:
        paper = name_columns(of_benchmark(printed, benchmark), cases).set_index(cases)[["mean", "std"]]
        ours = pandas.DataFrame(columns=["mean", "std", "n"]) if own is None else average(own, cases).set_index(cases)
        for place in dict.fromkeys([*paper.index, *ours.index]):
            mean, std, n = ours.loc[place, ["mean", "std", "n"]] if place in ours.index else (math.nan, math.nan, 0)
            paper_mean, paper_std = paper.loc[place] if place in paper.index else (math.nan, math.nan)
            names = zip(cases, [place] if isinstance(place, str) else place, strict=True)
            row = {"results": results[label], **{heading(column): value for column, value in names}}
            row |= {"printed": plus_minus(paper_mean, paper_std, digits), "measured": plus_minus(mean, std, digits)}
            row["difference"] = plus_minus(mean - paper_mean, digits=digits, signed=True)
            found.append({**row, "replicates": f"{n:.0f}"})
    if not found:
        raise InputError("there is nothing to compare, neither measured nor printed")
    return table(pandas.DataFrame(found), name)


def verdict_table(rows: Iterable[Mapping[str, Any]], name: str = "verdicts") -> Any:
    """Set verdicts as a table, each said by sign, word and colour.

    Args:
        rows: mappings with a key `verdict`, one of `VERDICTS`, and whatever else is shown, in that order.
        name: see `table`.

    Raises:
        InputError: there is no row, or an unknown verdict.
    """
    frame = pandas.DataFrame(list(rows))
    if "verdict" not in frame.columns:
        raise InputError("there are no verdicts to show: no row has a field 'verdict'")
    given = [str(verdict) for verdict in frame["verdict"]]
    if strange := [verdict for verdict in given if verdict not in VERDICTS]:
        raise unknown("verdict", strange[0], VERDICTS)
    said = frame.astype(object).where(frame.notna(), "")
    said["verdict"] = [f"{VERDICTS[verdict][0]} {verdict}" for verdict in given]
    colours = [
        f"color: {ink}; background-color: {ground}; font-weight: 600; white-space: nowrap"
        for _, ink, ground in map(VERDICTS.__getitem__, given)
    ]
    wordy = [i for i, c in enumerate(said.columns) if said[c].astype(str).str.len().max() > 40]
    styles = [{"selector": ".col0", "props": "white-space: nowrap;"}]
    styles += [{"selector": f"td.col{i}", "props": "min-width: 13rem;"} for i in wordy]
    style = table(said, name).set_table_attributes('class="verdicts"')
    return style.set_table_styles(styles, overwrite=False).apply(lambda _: colours, subset=["verdict"])


def wide_table(
    heads: Sequence[str], rows: Iterable[Iterable[Cell]], *, classes: Mapping[str, str] | None = None,
    menus: Collection[str] | None = None,
) -> str:  # fmt: skip
    """Return a table as HTML; all text in it is escaped.

    Args:
        heads: the columns' names.
        rows: for each row a text per column, or a pair of text and badge class.
        classes: column → class of its cells: "number" is set flush right, "short" in one line, "words" in several.
        menus: columns by which the reader filters; with None there is no search field either.
    """
    attributes = [f' class="{classes[name]}"' if classes and name in classes else "" for name in heads]

    def cell(content: Cell, attribute: str) -> str:
        text, badge = content if isinstance(content, tuple) else (content, "")
        shown = html.escape(text)
        if attribute:
            return f"<td{attribute}>{shown}</td>"
        if badge:
            return f'<td><span class="verdict {badge}">{shown}</span></td>'
        return f'<td class="long">{shown}</td>' if len(text) > 40 else f"<td>{shown}</td>"

    head = "".join(
        f"<th{attribute}{' data-menu' if menus and name in menus else ''}>{html.escape(name)}</th>"
        for name, attribute in zip(heads, attributes, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(map(cell, row, attributes))}</tr>" for row in rows)
    kind = "table" if menus is None else "filterable table"
    return (
        f'<div class="wide-table" tabindex="0"><table class="{kind}">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def download_link(text: str, file_name: str, label: str) -> str:
    """Return a link, as HTML, that holds a whole CSV file and saves it: it needs neither a server nor a network."""
    packed = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return (
        f'<p><a download="{html.escape(file_name, quote=True)}" href="data:text/csv;charset=utf-8;base64,{packed}">'
        f"{html.escape(label)}</a></p>"
    )
