"""Builders of charts and tables: each takes rows of `lib.analysis.table.rows` and says how they are drawn, in one theme.

Arguments that builders share:

    rows      replicate-level rows, with whatever columns a figure adds; a builder averages over seeds. A column `caption`,
              if there is one, is written above the plot for the rows shown.
    x, y      columns, or titles of axes; a title that is left out is the only quantity of the rows.
    colour    a column, named by a legend; an ordered Categorical gives the legend its order.
    domain    values of `colour` in the order of the colours, so that several figures agree.
    menus     columns with a menu each, where they have several values; `table` always is one.
    slider    a column of numbers with a slider, which chooses rows: the nearest ones of each case.
    shown     column → value that its menu or slider has at the start, instead of the first.
    title, key, height    the chart's title, what is to be said besides above the plot, and pixels without the two.

All raise InputError where there are no rows, a column is unknown, or a seed has two values at one point.
"""

import sys

# Altair checks specifications with jsonschema, which loads this parser of addresses where it is installed, a second at every
# start of a kernel, for a check that no chart uses. jsonschema does without it where it cannot be imported.
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]

from lib.charts.advancing import advancing  # noqa: E402
from lib.charts.dots import dots  # noqa: E402
from lib.charts.example_story import example_story  # noqa: E402
from lib.charts.grids import bars, heatmap  # noqa: E402
from lib.charts.images import images  # noqa: E402
from lib.charts.lines import lines  # noqa: E402
from lib.charts.masks import masks  # noqa: E402
from lib.charts.scatter import scatter  # noqa: E402
from lib.charts.tables import comparison_table, table, verdict_table, wide_table  # noqa: E402
from lib.charts.theme import enable  # noqa: E402

__all__ = [
    "advancing", "bars", "comparison_table", "dots", "enable", "example_story", "heatmap", "images", "lines", "masks",
    "scatter", "table", "verdict_table", "wide_table",
]  # fmt: skip
