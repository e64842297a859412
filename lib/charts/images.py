"""Pictures of single examples in a grid, each with a text below it; a menu chooses among groups."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy
import pandas
from PIL import Image

from lib.charts.controls import Controls, between
from lib.charts.data import Frame, name_columns, safe, spoken
from lib.charts.parts import finish
from lib.charts.theme import INK, WRONG
from lib.errors import InputError

SIDE = 46  # pixels of a drawn image; six of them fit beside each other on a phone
_GAP, _LINE = 14, 13  # pixels from an image to the next, and of a line of text


def images(
    pictures: Any, *, captions: Sequence[str], marked: Sequence[bool] | None = None, told: Frame | None = None,
    menus: Sequence[str] = (), slider: str | None = None, shown: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | str = "", columns: int | None = None, side: int = SIDE, title: str, key: str = "",
) -> alt.LayerChart:  # fmt: skip
    """Draw images in rows of equal length, in the order given, without axes.

    Args:
        pictures: examples × height × width, or with 1 or 3 channels first or last; uint8, or float in [0, 1].
        captions: a text below each; "\\n" begins a new line.
        marked: those whose text is coloured.
        told: a row per picture; its columns are shown by the tooltip, `menus`, `slider` and `table` are among them.
        notes: where the pictures come from; table → text where there are several.
        columns: images in a row; None for 6, and 4 where names need the room.
        side: pixels of a drawn image.
        menus, slider, shown, title, key: see `lib.charts`.

    Raises:
        InputError: there is no picture, not a caption for each, or an array is no image.
    """
    if not len(pictures) or len(pictures) != len(captions) or told is not None and len(told) != len(pictures):
        given = f"{len(pictures)} pictures, {len(captions)} captions"
        raise InputError(f"every picture needs a caption and a row that is told; given: {given}")
    frame = pandas.DataFrame(index=range(len(pictures))) if told is None else told.reset_index(drop=True)
    frame = frame.assign(**({} if "table" in frame else {"table": ""}))
    case = list(dict.fromkeys(["table", *menus]))
    frame = name_columns(frame, case)
    frame = between(frame, slider, case).sort_index() if slider else frame
    controls = Controls(frame, case, slider, shown)
    texts = [caption.split("\n") for caption in captions]
    columns = columns or (4 if max(len(line) for text in texts for line in text) > 9 else 6)
    place = frame.groupby([*case, *([slider] if slider else [])], sort=False).cumcount()
    cells = frame.assign(
        image=[data_url(picture) for picture in pictures], caption=list(captions),
        marked=[bool(m) for m in marked] if marked is not None else False, column=place % columns, row=place // columns,
    )  # fmt: skip
    own = [c for c in frame.columns if c not in ("table", "from", "to")]
    base = controls.chart(cells).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(columns)))), y=alt.Y("row:O", axis=None),
        tooltip=[alt.Tooltip(f"{safe(c)}:N", title=spoken(c)) for c in own] or alt.value(None),
    )  # fmt: skip
    extra = _LINE * (max(map(len, texts)) - 1)
    drawn = base.mark_image(width=side, height=side, baseline="middle", yOffset=-extra / 2)
    text = base.mark_text(dy=side / 2 + 9 - extra / 2, fontSize=10.5, lineBreak="\n", lineHeight=_LINE)
    painted = alt.when("datum.marked").then(alt.value(WRONG)).otherwise(alt.value(INK))
    start = controls.at_start(cells)
    first = "; ".join(" ".join(caption.split()) for caption in start["caption"][:20])
    return finish(
        [drawn.encode(url="image:N"), text.encode(text="caption:N", color=painted)], controls, title=title, key=key,
        left=0, notes=notes if isinstance(notes, Mapping) else {"": notes},
        description=f"Grid of {len(start)} images. {title}. Their texts, in order: {first}.",
        height=(side + _GAP + _LINE + extra) * (int(place.max()) // columns + 1),
    )  # fmt: skip


def data_url(image: Any) -> str:
    """Turn one image, as `images` takes them, into a PNG that a page carries in itself, small ones with sharp pixels."""
    pixels = numpy.asarray(image)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[-1] not in (1, 3):
        pixels = numpy.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] != 3):
        shape = tuple(numpy.shape(image))
        raise InputError(f"an image has 1 or 3 channels, this array has the shape {shape}")
    if pixels.dtype != numpy.uint8:
        pixels = (numpy.clip(pixels.astype(float), 0.0, 1.0) * 255).round().astype(numpy.uint8)
    picture = Image.fromarray(pixels)
    if larger := 2 * SIDE // max(picture.size):
        size = picture.width * larger, picture.height * larger
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
