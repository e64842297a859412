"""What explorers are made of: a chart that is drawn once and then only told its choices, pictures in a grid, a text.

Building a chart takes tenths of a second, telling it what to show does not: so a slider answers at once.
"""

import html
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from lib.analysis.display import Markdown
from lib.charts.data import safe
from lib.charts.images import data_url
from lib.charts.theme import MIME, WRONG, specification

SIDE = 56  # pixels of a picture


def without_widgets(what: str) -> Markdown:
    """Return what stands in a widget's place where there is no ipywidgets."""
    return Markdown(f"{what} needs the package ipywidgets and a live notebook: open this page with `make lab`.")


def chart_told(chart: Any) -> Callable[..., tuple[dict[str, Any], ...]]:
    """Return a function of choices that gives the chart with them as an output of a notebook.

    Its arguments are values by column, or by column of a slider, for those menus and sliders of the chart, which then does
    without them; `only` is a column with the values whose rows are drawn.
    """
    whole = specification(chart)

    def told(only: tuple[str, Collection[str]] | None = None, **chosen: Any) -> tuple[dict[str, Any], ...]:
        values = {f"{safe(column)}_{kind}": value for column, value in chosen.items() for kind in ("menu", "slider")}
        params = [
            {"name": one["name"], "value": values[one["name"]]} if one["name"] in values else one
            for one in whole["params"]
        ]
        spec = {**whole, "params": params}
        if only:
            spec = _only(spec, safe(only[0]), [*only[1]])
        data = {MIME: spec, "text/plain": spec.get("description", "A chart.")}
        return ({"output_type": "display_data", "data": data, "metadata": {}},)

    return told


def _only(part: Any, field: str, values: Sequence[str]) -> Any:
    """Return a specification with those rows and entries of legends alone; the colours stay what they were."""
    if isinstance(part, list):
        return [
            _only(one, field, values)
            for one in part
            if not (isinstance(one, dict) and one.get(field, values[0]) not in values)
        ]
    if not isinstance(part, dict):
        return part
    found = {name: _only(own, field, values) for name, own in part.items()}
    if part.get("field") == field and isinstance(part.get("legend"), dict) and "values" in part["legend"]:
        found["legend"] = {**part["legend"], "values": list(dict.fromkeys(values))}
    return found


def picture_grid(pictures: Sequence[Any], texts: Sequence[str], marked: Sequence[bool]) -> str:
    """Return pictures with a text below each as HTML; see `lib.charts.images.data_url` for what a picture may be."""
    cells = []
    for picture, text, mark in zip(pictures, texts, marked, strict=True):
        said = html.escape(text).replace("\n", "<br>")
        colour = f"color: {WRONG}; background: #fff; font-weight: 600; " if mark else ""
        cells.append(
            f'<figure style="display: inline-block; margin: 3px; width: {SIDE + 26}px; text-align: center; '
            f'vertical-align: top"><img alt="{html.escape(text, quote=True)}" src="{data_url(picture)}" width="{SIDE}" '
            f'style="image-rendering: pixelated"><figcaption style="{colour}font-size: 0.8em; line-height: 1.25">{said}'
            "</figcaption></figure>"
        )
    return f"<div>{''.join(cells)}</div>"


def menu(widgets: Any, name: str, options: Mapping[str, Any], value: Any = None) -> Any:
    """Return a menu of ipywidgets, given as its module; the value is one of those of the options."""
    there = list(options.values())
    return widgets.Dropdown(
        options=list(options.items()), value=value if value in there else there[0], description=name
    )
