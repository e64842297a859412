"""A small table of words and numbers, set as the other tables of the book: it scrolls by itself where it is too wide."""

from typing import Any

import pandas as pd


def text_table(frame: pd.DataFrame, name: str) -> Any:
    """Set a frame as a table without its index.

    Args:
        frame: cells of text; all of it is escaped.
        name: of the table on its page, without blanks; two tables of a page need different names.

    Returns:
        A pandas Styler, which displays as HTML.
    """
    table = frame.style.hide(axis="index").set_uuid(name)
    table.format(escape="html", na_rep="–")
    whole = "display: block; overflow-x: auto; max-width: 100%;"
    return table.set_table_styles(
        [
            {"selector": "", "props": whole},
            {"selector": "td, th", "props": "text-align: left; padding: 0.2rem 0.6rem; vertical-align: top;"},
        ]
    )
