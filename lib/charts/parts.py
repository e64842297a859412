"""Parts that charts share: the menu that switches tables, and the note that says where the shown numbers come
from.

The note is drawn as text above the plot and follows the menu, because a title of Vega-Lite cannot. The menu's
parameter is called `table_menu` in every chart.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lib.charts import wording
from lib.charts.theme import INK, LEFT

LEADING = 15  # pixels from line to line


def source_notes(names: Sequence[str], notes: Sequence[str], left: float = LEFT, room: int = 0) -> alt.Chart:
    """Draw the source of a chart's numbers above its plot.

    Args:
        names: the tables' names in the menu.
        notes: what to say of each of them.
        left: where the text begins, in pixels from the plot's left edge.
        room: how many lines are left free between the note and the plot.

    Returns:
        A layer; the chart's title moves up by itself to leave room for it.
    """
    broken = [wording.lines(note) for note in notes]
    rows = [{"table": n, "note": "\n".join(text)} for n, text in zip(names, broken, strict=True)]
    text = one_table(alt.Chart(pd.DataFrame(rows)), names).mark_text(
        align="left", baseline="top", lineBreak="\n", lineHeight=LEADING, fontSize=12, color=INK
    )
    top = -LEADING * (max(map(len, broken)) + room) - 8
    return text.encode(x=alt.value(left), y=alt.value(top), text="note:N")


def one_table(chart: alt.Chart, names: Sequence[str]) -> alt.Chart:
    """Keep only the rows whose `table` the menu shows; the chart as it is where there is one table."""
    return chart.transform_filter("datum.table == table_menu") if len(names) > 1 else chart


def menus(names: Sequence[str]) -> list[alt.Parameter]:
    """The menu of tables, the first being shown at the start; none where there is one table."""
    if len(names) < 2:
        return []
    return [menu("table_menu", "Results: ", names)]


def menu(name: str, label: str, options: Sequence[str], chosen: str | None = None) -> alt.Parameter:
    """A menu of a chart.

    Args:
        name: of the parameter, as expressions use it.
        label: what stands before the menu.
        options: what it offers.
        chosen: the option at the start; None for the first.
    """
    bind = alt.binding_select(options=list(options), name=label)
    return alt.param(name=name, value=chosen or options[0], bind=bind)
