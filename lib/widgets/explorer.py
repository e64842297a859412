"""Explore a page's networks on a live kernel: choose a case and a level, see its curve and the examples it misfits.

Only a live notebook can ask for examples, since their losses lie in the store and not in the page; the published page has
the same curves with menus that need no kernel, and drops this widget.
"""

from typing import Any

import altair as alt
import pandas
from IPython.display import display

from lib.analysis.table import SIZE, rows
from lib.charts import lines
from lib.charts.data import checked, heading, named
from lib.charts.notes import counted
from lib.errors import InputError
from lib.widgets.page import OpenPage, worst_fitted_images


class Message(str):
    """A text that a notebook displays as a paragraph rather than between quotes."""

    def _repr_markdown_(self) -> str:
        return str(self)


def without_widgets(what: str) -> Message:
    """Return what stands in a widget's place where there is no ipywidgets."""
    return Message(f"{what} needs the package ipywidgets and a live notebook: open this page with `make lab`.")


def explore_noise(page: OpenPage, quantity: str = "test error (%)", count: int = 18) -> Any:
    """Build the explorer: menus for table, algorithm and each dimension that varies, a slider of levels, what they choose.

    Args:
        page: as `lib.widgets.page.open_page` returns it.
        quantity: what is drawn; InputError if no table has it.
        count: how many examples are shown.

    Returns:
        A widget to display. Without ipywidgets a text that says what to do, also displayable.
    """
    found = checked(rows(page.tables, quantity), [])
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    dimensions = dict.fromkeys(name for table in page.tables for name in table.dimensions)
    controls: dict[str, Any] = {}
    for column in ("table", "algorithm", *dimensions):
        values = list(found[column].unique())
        if column in dimensions:
            values.sort()
        first = page.chains[0].algorithm if column == "algorithm" else values[0]
        controls[column] = ipywidgets.Dropdown(
            options=[(named(column, value), value) for value in values],
            value=first if first in values else values[0],
            description=heading(column),
        )
    levels = [int(level) for level in sorted(found["level"].unique())]
    controls["level"] = ipywidgets.SelectionSlider(options=levels, continuous_update=False, description="level")

    def draw(level: int, **case: Any) -> None:
        try:
            sentence, curve = point(found, level, **case)
        except InputError as missing:
            display(Message(str(missing)))
            return
        display(Message(sentence), curve)
        display(worst_fitted_images(page, case.get("noise_percent", 0.0), level, case["algorithm"], count))

    menus = [control for control in controls.values() if len(control.options) > 1]
    return ipywidgets.VBox([*menus, ipywidgets.interactive_output(draw, controls)])


def point(found: pandas.DataFrame, level: int, **case: Any) -> tuple[str, alt.LayerChart]:
    """Return the number of one point in a sentence, and its curve with the point ringed.

    Args:
        found: rows of one quantity.
        level: of the point; InputError if nothing was measured there.
        **case: column → value.
    """
    own: Any = found
    for column, value in case.items():
        own = own[own[column] == value]
    here = own[(own["level"] == level) & own["value"].notna()]
    said = ", ".join(f"{heading(column)} {named(column, value)}" for column, value in case.items())
    if here.empty:
        raise InputError(f"Level {level} was not measured with {said}.")
    spread = f" ± {here['value'].std():.2f}" if len(here) > 1 else ""
    quantity = here["quantity"].iloc[0]
    sentence = (
        f"**{here['value'].mean():.2f}{spread}** {quantity}, {here[SIZE].mean():.3g} % of the weights remain; "
        f"{counted(len(here), len(here))}."
    )
    marked = own.assign(chosen=own["level"] == level)
    return sentence, lines(marked, x=SIZE, rings=["chosen"], reference="dense", title=f"{quantity}: {said}")
