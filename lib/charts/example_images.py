"""Pictures of single examples, as a chart: which images the network misfits, and what they are labelled."""

import base64
import io
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from lib.charts import wording
from lib.charts.theme import INK, PALETTE, fitted
from lib.errors import InputError

SIDE = 46  # pixels of a drawn image; six of them fit beside each other on a phone
_ROW = 68


def worst_examples(
    images: Any,
    labels: Any,
    original_labels: Any,
    losses: Any,
    *,
    count: int = 18,
    columns: int | None = None,
    title: str = "The training examples with the highest loss",
    note: str = "",
    class_names: list[str] | None = None,
) -> alt.LayerChart:
    """Draw the examples with the highest loss, each with the label it was trained on.

    Args:
        images: examples × height × width, or with 1 or 3 channels first or last; uint8, or float in [0, 1].
        labels: the labels trained on, one integer per example.
        original_labels: the labels before noise, one integer per example.
        losses: cross-entropy in nats, one number per example; those that are not finite are left out.
        count: how many to draw at most.
        columns: images in a row; None for 6, and 4 where names need the room.
        title: of the chart.
        note: where the losses come from: benchmark, scale, noise, level.
        class_names: a name per label; None for the numbers themselves.

    Returns:
        A chart without axes; "7 (was 1)" under a picture says that its label was replaced. Hover shows the
        loss.

    Raises:
        InputError: the four do not have one entry per example, or there is nothing finite to draw.
    """
    pictures, values = np.asarray(images), np.asarray(losses, dtype=float)
    trained, original = np.asarray(labels).astype(int), np.asarray(original_labels).astype(int)
    if not len(pictures) == len(values) == len(trained) == len(original):
        sizes = f"{len(pictures)} images, {len(trained)} and {len(original)} labels, {len(values)} losses"
        raise InputError(f"every example needs an image, two labels and a loss; given: {sizes}")
    order = [int(i) for i in np.argsort(-values, kind="stable") if np.isfinite(values[i])][:count]
    if not order:
        raise InputError("there is no example with a finite loss to draw")

    def name(label: int) -> str:
        return class_names[label] if class_names else str(label)

    wordy = max(len(name(label)) for label in {*trained[order], *original[order]}) > 3
    gap, extra = ("\n", 13) if wordy else (" ", 0)  # two names are too long for one line
    columns = columns or (4 if wordy else 6)
    rows = [
        {
            "column": place % columns,
            "row": place // columns,
            "image": data_url(pictures[i]),
            "label": name(trained[i])
            + (f"{gap}(was {name(original[i])})" if trained[i] != original[i] else ""),
            "trained": name(trained[i]),
            "original": name(original[i]),
            "noisy": bool(trained[i] != original[i]),
            "loss": round(float(values[i]), 4),
            "example": i,
        }
        for place, i in enumerate(order)
    ]
    noisy = sum(row["noisy"] for row in rows)
    tooltip = [
        alt.Tooltip("trained:N", title="label trained on"),
        alt.Tooltip("original:N", title="original label"),
        alt.Tooltip("loss:Q", title="cross-entropy (nats)", format=".3f"),
        alt.Tooltip("example:Q", title="place among those given"),
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(columns)))),
        y=alt.Y("row:O", axis=None),
    )
    pictures_layer = base.mark_image(width=SIDE, height=SIDE, baseline="middle", yOffset=-extra / 2).encode(
        url="image:N", tooltip=tooltip
    )
    text = base.mark_text(dy=SIDE / 2 + 9 - extra / 2, fontSize=10, lineBreak="\n", lineHeight=13).encode(
        text="label:N",
        color=alt.when("datum.noisy").then(alt.value(PALETTE[3])).otherwise(alt.value(INK)),
        tooltip=tooltip,
    )
    key = "Under each image: the label trained on, and the original one where it was replaced."
    described = f"Grid of {len(rows)} images. {title}. {note} {noisy} of them have a replaced label; "
    described += "the highest losses are "
    described += ", ".join(f"{row['loss']:.2f} nats for {row['label']}" for row in rows[:3]) + "."
    chart = fitted(alt.layer(pictures_layer, text), height=(_ROW + extra) * (rows[-1]["row"] + 1))
    return chart.properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE),
            subtitle=[*wording.lines(note), *wording.lines(key)],
            dx=0,
        ),
        description=" ".join(described.split()),
    )


def data_url(image: np.ndarray) -> str:
    """Turn one image into a PNG that a page carries in itself.

    Args:
        image: height × width, or with 1 or 3 channels first or last; uint8, or float in [0, 1].

    Returns:
        A data URL. Small images are enlarged with sharp pixels.

    Raises:
        InputError: the array is not an image of 1 or 3 channels.
    """
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[-1] not in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] != 3):
        raise InputError(f"an image has 1 or 3 channels, this array has the shape {tuple(np.shape(image))}")
    if pixels.dtype != np.uint8:
        pixels = (np.clip(pixels.astype(float), 0.0, 1.0) * 255).round().astype(np.uint8)
    picture = Image.fromarray(pixels)
    if enlarge := 2 * SIDE // max(picture.size):
        picture = picture.resize(
            (picture.width * enlarge, picture.height * enlarge), Image.Resampling.NEAREST
        )
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
