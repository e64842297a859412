"""Builders of charts and tables: each takes rows of `lib.analysis.table.rows` and says how they are drawn, in one theme."""

import sys

# Altair checks specifications with jsonschema, which loads this parser of addresses where it is installed, a second at every
# start of a kernel, for a check that no chart uses. jsonschema does without it where it cannot be imported.
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]

from lib.charts.dots import dots  # noqa: E402
from lib.charts.grids import bars, heatmap  # noqa: E402
from lib.charts.images import images  # noqa: E402
from lib.charts.lines import lines  # noqa: E402
from lib.charts.scatter import scatter  # noqa: E402
from lib.charts.tables import comparison_table, table, verdict_table, wide_table  # noqa: E402
from lib.charts.theme import enable  # noqa: E402

__all__ = [
    "bars", "comparison_table", "dots", "enable", "heatmap", "images", "lines", "scatter", "table",
    "verdict_table", "wide_table",
]  # fmt: skip
