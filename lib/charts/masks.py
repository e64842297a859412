"""Masks on images: a slider says how many pixels are shown, the last ones that each network would hide."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy
import pandas

from lib.charts.controls import Controls
from lib.charts.data import Frame, checked, name_columns
from lib.charts.parts import broken, finish
from lib.charts.theme import INK
from lib.errors import InputError

HIDDEN = "#dfe2e6"
_WIDEST, _LETTERS, _LETTERS_OF_A_PHONE = 640, 18, 42  # pixels of a row; letters of a line, and of a row on a phone
_GAP, _TEXT = 2, 10  # image pixels between images, and below them


def masks(
    rows: Frame, pictures: Mapping[Any, Any], *, remaining: int, menus: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None, notes: Mapping[str, str] | None = None, columns: int = 4, title: str,
    key: str = "",
) -> alt.LayerChart:  # fmt: skip
    """Draw an image once for each network, with the pixels that the network would hide last.

    Args:
        rows: a row for each image and network: `picture` (a key of `pictures`), `caption`, `order` (pixels, row by row of
            the image, the first hidden first; none for an image that stays whole), and the columns of `menus` and `table`.
        pictures: uint8 [height, width], [height, width, 3] or [height, width, 1], all of one size.
        remaining: pixels shown at the start.
        columns: images beside each other.
        notes: table → where the images come from.
        menus, shown, title, key: see `lib.charts`.

    Raises:
        InputError: there are no rows, or an order does not name every pixel once.
    """
    case = list(dict.fromkeys(["table", *menus]))
    cells = name_columns(checked(rows, ["picture", "caption", "order", *menus]), case)
    height, width = numpy.shape(next(iter(pictures.values())))[:2]
    for order in cells["order"]:
        if len(order) and sorted(order) != list(range(height * width)):
            raise InputError(f"an order names {height} × {width} pixels once each; given are {len(order)} pixels")
    controls = Controls(cells, case, shown=shown)
    place = cells.groupby(case, sort=False).cumcount()
    cells = cells.assign(
        cell=range(len(cells)), left=place % columns * (width + _GAP), top=place // columns * (height + _TEXT),
        order=[list(map(int, order)) or list(range(height * width)) for order in cells["order"]],
        whole=[not len(order) for order in cells["order"]], picture=cells["picture"].map(str),
    )  # fmt: skip
    lines = int(place.max()) // columns + 1
    unit = _WIDEST / (columns * (width + _GAP))
    across = alt.Scale(
        domain=[0, columns * (width + _GAP)], range=[0, alt.ExprRef(f"min(width, {_WIDEST})")], nice=False
    )
    ends = columns * (width + _GAP), lines * (height + _TEXT)
    down = alt.Scale(
        domain=[0, ends[1]], range=[0, alt.ExprRef(f"min(width, {_WIDEST}) * {ends[1] / ends[0]}")], nice=False
    )
    x, y = alt.X("x:Q", axis=None, scale=across), alt.Y("y:Q", axis=None, scale=down)
    slider = alt.binding_range(min=1, max=height * width, step=1, name="Pixels shown: ")
    controls.parameters.append(alt.param(name="remaining", value=remaining, bind=slider))
    controls.words.append("the number of pixels shown")
    base = controls.chart(cells.drop(columns=["seed", "quantity", "benchmark", "order"]))
    ground = base.transform_calculate(
        x="datum.left", y="datum.top", x2=f"datum.left + {width}", y2=f"datum.top + {height}"
    )
    ground = ground.mark_rect(color=HIDDEN, aria=False).encode(
        x, y, alt.X2("x2:Q"), alt.Y2("y2:Q"), tooltip="caption:N"
    )
    words = base.transform_calculate(
        x="datum.left",
        y=f"datum.top + {height + 0.8}",
        said=broken("datum.caption", f"narrow ? {_LETTERS_OF_A_PHONE // columns} : {_LETTERS}"),
    )
    words = words.mark_text(align="left", baseline="top", fontSize=11, lineHeight=13, color=INK, aria=False)
    return finish(
        [ground, _pixels(controls, cells, pictures, x, y), words.encode(x, y, text="said:N")], controls, title=title,
        key=key, left=0, notes=notes or {"": ""}, height=round(unit * ends[1]),
        description=f"{title}: images with {remaining} of {height * width} pixels shown, as networks choose them. "
        f"{'; '.join(controls.at_start(cells)['caption'])}.",
    )  # fmt: skip


def _pixels(controls: Controls, cells: Frame, pictures: Mapping[Any, Any], x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw the pixels that are shown, each in its colour."""
    colours = pandas.DataFrame(
        {"picture": str(name), "colours": _in_hex(picture), "columns": numpy.shape(picture)[1]}
        for name, picture in pictures.items()
    )
    count = len(colours["colours"].iloc[0]) // 6
    looked_up = alt.LookupData(data=colours, key="picture", fields=["colours", "columns"])
    chart = controls.chart(cells[[c for c in cells if c not in ("seed", "quantity", "benchmark", "caption")]])
    chart = chart.transform_lookup("picture", from_=looked_up).transform_flatten(["order"])
    chart = chart.transform_window(rank="row_number()", groupby=["cell"])
    chart = chart.transform_filter(f"datum.whole || datum.rank > {count} - remaining")
    chart = chart.transform_calculate(
        colour="'#' + substring(datum.colours, 6 * datum.order, 6 * datum.order + 6)",
        x="datum.left + datum.order % datum.columns", y="datum.top + floor(datum.order / datum.columns)",
    )  # fmt: skip
    chart = chart.transform_calculate(x2="datum.x + 1.04", y2="datum.y + 1.04")  # no seams between neighbours
    return chart.mark_rect(aria=False).encode(x, y, alt.X2("x2:Q"), alt.Y2("y2:Q"), alt.Color("colour:N", scale=None))


def _in_hex(picture: Any) -> str:
    """Return the colours of an image, six letters each, row by row."""
    pixels = numpy.asarray(picture, dtype="uint8")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError(f"an image has 1 or 3 channels, this array has the shape {tuple(numpy.shape(picture))}")
    return numpy.broadcast_to(pixels, (*pixels.shape[:2], 3)).tobytes().hex()
