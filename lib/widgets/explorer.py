"""Explore a finished measurement on a live kernel: pick noise and level, see the curve and the examples it
misfits.

Only a live notebook can ask for examples, since their losses lie in the store and not in the page; the
published page has the same curve with menus that work without a kernel, and drops this widget.
"""

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import LEARNING_RATE_REWINDING, averages
from lib.charts.example_images import worst_examples
from lib.charts.pruning_curves import error_against_weights_remaining
from lib.charts.theme import MIME
from lib.errors import InputError

WITHOUT_WIDGETS = (
    "The explorer needs the package ipywidgets and a live notebook: install the extra 'book' and open this "
    "page with `make lab`. The charts above show the same curves, with menus."
)

Examples = Callable[[float, int], tuple[Any, Any, Any, Any]]


def explore_noise(
    tables: Sequence[Table],
    examples: Examples | None = None,
    *,
    class_names: list[str] | None = None,
    algorithm: str = LEARNING_RATE_REWINDING,
) -> Any:
    """Build the explorer: menus for table and noise, a slider over levels, the curve and the misfitted
    examples.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        examples: (noise_percent, level) → images, labels, original labels, losses, as `worst_examples` takes
            them, of the training examples of one replicate; None where there are none to show.
        class_names: a name per label; None for the numbers themselves.
        algorithm: whose rows to draw.

    Returns:
        A widget to display. Without ipywidgets a text that says what to do, also displayable.

    Raises:
        InputError: no table, or two of the same label.
    """
    names = wording.table_names(tables)
    try:
        import ipywidgets
    except ImportError:
        return Message(WITHOUT_WIDGETS)
    means = [averages(table, "error_percent", algorithm=algorithm) for table in tables]

    table_menu: Any = ipywidgets.Dropdown(
        options=[(name, i) for i, name in enumerate(names)], description="results"
    )
    noise_menu: Any = ipywidgets.Dropdown(description="label noise")
    levels: Any = ipywidgets.SelectionSlider(
        options=[("dense", 0)], description="level", continuous_update=False, layout={"width": "95%"}
    )
    numbers = ipywidgets.HTML()
    curve, pictures = ipywidgets.Output(), ipywidgets.Output()
    filling = [False]  # while menus are filled, their changes draw nothing

    def fill(*_: Any) -> None:
        filling[0] = True
        data = means[table_menu.value]
        noise = noise_menu.value
        offered = sorted({float(n) for n in data["noise_percent"]})
        noise_menu.options = [(wording.noise_name(n), n) for n in offered]
        noise_menu.value = noise if noise in offered else offered[-1]
        fill_levels()

    def fill_levels(*_: Any) -> None:
        filling[0] = True
        data = means[table_menu.value]
        own = data.loc[data["noise_percent"] == noise_menu.value].to_dict("records")
        level = levels.value
        options = [
            (f"{r['level']}: {r['weights_remaining_percent']:.3g} % left", int(r["level"])) for r in own
        ]
        levels.options = options
        levels.value = level if level in [value for _, value in options] else options[0][1]
        filling[0] = False
        draw()

    def draw(*_: Any) -> None:
        if filling[0]:
            return
        table, noise, level = tables[table_menu.value], float(noise_menu.value), int(levels.value)
        data = means[table_menu.value]
        here = data.loc[(data["noise_percent"] == noise) & (data["level"] == level)].to_dict("records")[0]
        several = f" ± {here['std']:.2f}" if here["replicates"] > 1 else ""
        replicates = wording.replicate_count(range(int(here["replicates"])))
        numbers.value = (
            f"<b>{here['mean']:.2f}{several} %</b> test error, {here['weights_remaining_percent']:.3g} % of"
            f" the weights left, {wording.noise_name(noise)} label noise; {replicates}."
        )
        show(curve, error_against_weights_remaining([table], algorithm=algorithm, marked=(noise, level)))
        if examples is None:
            return
        say(pictures, "Looking for the examples with the highest loss …")
        try:
            images, labels, original_labels, losses = examples(noise, level)
            note = f"{table.provenance.benchmark}, {table.provenance.scale} scale, "
            note += f"{wording.noise_name(noise)} label noise, level {level}"
            chart = worst_examples(
                images, labels, original_labels, losses, note=note, class_names=class_names
            )
        except (InputError, OSError, LookupError) as error:
            say(pictures, f"There are no examples to show here: {error}")
        else:
            show(pictures, chart)

    table_menu.observe(fill, names="value")
    noise_menu.observe(lambda change: None if filling[0] else fill_levels(change), names="value")
    levels.observe(draw, names="value")
    fill()
    controls = [noise_menu, levels] if len(tables) == 1 else [table_menu, noise_menu, levels]
    return ipywidgets.VBox([*controls, numbers, curve, pictures])


class Message(str):
    """A text that a notebook displays as a paragraph rather than between quotes."""

    def _repr_markdown_(self) -> str:
        return str(self)


def show(output: Any, chart: alt.LayerChart | alt.VConcatChart) -> None:
    """Put a chart into an Output widget, replacing what it shows."""
    specification = chart.to_dict()
    data = {MIME: specification, "text/plain": specification.get("description", "A chart.")}
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)


def say(output: Any, text: str) -> None:
    """Put a text into an Output widget, replacing what it shows."""
    data = {"text/plain": text}
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
