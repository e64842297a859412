"""Tables that are wider than the text: they scroll by themselves, and a script of the book lets the reader filter them.

The script (`lib/book/assets/tables.js`) is loaded by pages that have such a table; without it, as in JupyterLab, all rows
show.
"""

import base64
import html
from collections.abc import Collection, Iterable, Mapping, Sequence

Cell = str | tuple[str, str]  # text, or text and the class of its badge


def wide_table(
    heads: Sequence[str],
    rows: Iterable[Iterable[Cell]],
    *,
    classes: Mapping[str, str] | None = None,
    menus: Collection[str] | None = None,
) -> str:
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
    """Return a link, as HTML, that holds a whole CSV file and saves it: it needs neither a server nor a network.

    Args:
        text: the CSV.
        file_name: which the browser proposes.
        label: of the link.
    """
    packed = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return (
        f'<p><a download="{html.escape(file_name, quote=True)}" href="data:text/csv;charset=utf-8;base64,{packed}">'
        f"{html.escape(label)}</a></p>"
    )
