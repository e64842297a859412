"""Two panels, one above the other, that share a horizontal axis and fit their place.

Vega-Lite fits a layered chart to the width of its place, but not charts set one above the other. So the two are one layered
chart of two vertical axes, each of which has half of the height.
"""

from collections.abc import Sequence

import altair as alt

from lib.charts import wording
from lib.charts.parts import menus
from lib.charts.theme import fitted

UPPER, LOWER = (200, 0), (440, 240)
"""Bottom and top of each panel, in pixels from the top of the chart."""
HEIGHT = 440


def panel_axis(field: str, title: str, panel: tuple[int, int], zero: bool = True) -> alt.Y:
    """Return the vertical axis of one panel; all layers of a panel share its scale."""
    y = alt.Y(f"{field}:Q", title=title).scale(range=list(panel), zero=zero, nice=True)
    return y.axis(orient="left", tickCount=5, grid=True)


def stack_panels(
    upper: Sequence[alt.Chart],
    lower: Sequence[alt.Chart],
    others: Sequence[alt.Chart],
    names: Sequence[str],
    *,
    title: str,
    key: str,
    description: str,
    controls: Sequence[alt.Parameter] = (),
) -> alt.LayerChart:
    """Put two panels together.

    Args:
        upper, lower: layers of each, with axes of `panel_axis`.
        others: layers without a vertical axis, such as notes.
        names: of the tables, as the menu offers them.
        title, key: of the chart, and the line that says what its signs mean.
        description: for screen readers.
        controls: menus besides the one of the tables.
    """
    chart = alt.layer(alt.layer(*upper), alt.layer(*lower), *others).resolve_scale(y="independent")
    chart = chart.add_params(*menus(names), *controls)
    return fitted(chart, height=HEIGHT).properties(
        title=alt.TitleParams(text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key)),
        description=description,
    )
