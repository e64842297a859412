"""Explore a page's networks on a live kernel: choose a case and a level, see its curve and the examples it misfits.

Only a live notebook can ask for examples, since their losses lie in the store and not in the page; the published page has
the same curves with menus that need no kernel, and drops this widget.
"""

from typing import Any

import altair as alt
import pandas
from IPython.display import display

from lib.analysis.example_images import worst_fitted
from lib.analysis.table import SIZE, rows
from lib.charts import images, lines
from lib.charts.data import checked, counted, heading, named
from lib.errors import InputError
from lib.widgets.page import OpenPage


class Message(str):
    """A text that a notebook displays as a paragraph rather than between quotes."""

    def _repr_markdown_(self) -> str:
        return str(self)


def without_widgets(what: str) -> Message:
    """Return what stands in a widget's place where there is no ipywidgets."""
    return Message(
        f"{what} needs the package ipywidgets and a live notebook: open this page with `make lab`."
    )


def explore_noise(page: OpenPage, quantity: str = "test error (%)", count: int = 18) -> Any:
    """Build the explorer: menus for table, algorithm and each dimension that varies, a slider of levels, what they choose.

    Args:
        page: as `lib.widgets.page.open_page` returns it.
        quantity: what is drawn.
        count: how many examples are shown.

    Returns:
        A widget to display. Without ipywidgets a text that says what to do, also displayable.

    Raises:
        InputError: no table has the quantity.
    """
    found = checked(rows(page.tables, quantity), [])
    try:
        import ipywidgets
    except ImportError:
        return without_widgets("The explorer")
    columns = [
        "table",
        "algorithm",
        *dict.fromkeys(name for table in page.tables for name in table.dimensions),
    ]
    controls: dict[str, Any] = {}
    for column in columns:
        values = (
            list(found[column].unique())
            if column in ("table", "algorithm")
            else sorted(found[column].unique())
        )
        options = [(named(column, value), value) for value in values]
        value = (
            page.chains[0].algorithm
            if column == "algorithm" and page.chains[0].algorithm in values
            else values[0]
        )
        controls[column] = ipywidgets.Dropdown(options=options, value=value, description=heading(column))
    levels = [int(level) for level in sorted(found["level"].unique())]
    controls["level"] = ipywidgets.SelectionSlider(
        options=levels, continuous_update=False, description="level"
    )

    def draw(level: int, **case: Any) -> None:
        try:
            sentence, curve = point(found, level, **case)
        except InputError as missing:
            display(Message(str(missing)))
            return
        display(Message(sentence), curve)
        try:
            display(misfits(page, int(level), count=count, **case))
        except (InputError, OSError, LookupError) as missing:
            display(Message(f"There are no examples to show here: {missing}"))

    menus = [control for control in controls.values() if len(control.options) > 1]
    return ipywidgets.VBox([*menus, ipywidgets.interactive_output(draw, controls)])


def point(found: pandas.DataFrame, level: int, **case: Any) -> tuple[str, alt.LayerChart]:
    """Return the number of one point in a sentence, and its curve with the point ringed.

    Args:
        found: rows of one quantity.
        level: of the point.
        **case: column → value.

    Raises:
        InputError: nothing was measured there.
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


def misfits(page: OpenPage, level: int, count: int = 18, **case: Any) -> alt.LayerChart:
    """Draw the training examples that one network fits worst, those with a replaced label coloured.

    Raises:
        InputError: the page has no such network, or the store does not hold it.
    """
    where = (page.benchmark, page.scale, float(case["noise_percent"]), level, page.store, case["algorithm"])
    shown = worst_fitted(page.page, *where, count=count)
    return images(
        shown.images.numpy(), captions=shown.captions, marked=shown.noisy,
        told=pandas.DataFrame({"loss (nats)": shown.numbers}),
        title=f"What level {level} fits worst", notes=f"{page.benchmark}, {page.scale} scale, first replicate.",
        key="Under each image: the label trained on, and the original one where it was replaced.",
    )  # fmt: skip
