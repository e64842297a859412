"""Pictures of single examples, as a chart: what they are labelled, and which of them a network misfits or mistakes."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from lib.charts import wording
from lib.charts.parts import menus, one_table, source_notes
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
    measure: str = "cross-entropy",
    unit: str = "nats",
) -> alt.LayerChart:
    """Draw the examples with the highest loss, each with the label it was trained on.

    Args:
        images: examples × height × width, or with 1 or 3 channels first or last; uint8, or float in [0, 1].
        labels: the labels trained on, one integer per example.
        original_labels: the labels before noise, one integer per example.
        losses: cross-entropy in nats, or another measure, one number per example; those that are not finite are left out.
        count: how many to draw at most.
        columns: images in a row; None for 6, and 4 where names need the room.
        title: of the chart.
        note: where the losses come from: benchmark, scale, noise, level.
        class_names: a name per label; None for the numbers themselves.
        measure: what `losses` are.
        unit: of them; empty for none.

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
        alt.Tooltip("loss:Q", title=f"{measure} ({unit})" if unit else measure, format=".3f"),
        alt.Tooltip("example:Q", title="place among those given"),
    ]
    key = "Under each image: the label trained on, and the original one where it was replaced."
    described = f"Grid of {len(rows)} images. {title}. {note} {noisy} of them have a replaced label; "
    described += "the highest losses are " if unit == "nats" else f"the highest values of {measure} are "
    described += ", ".join(f"{row['loss']:.2f} {unit} for {row['label']}" for row in rows[:3]) + "."
    chart = _grid(rows, columns, extra, tooltip, "datum.noisy")
    return chart.properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE),
            subtitle=[*wording.lines(note), *wording.lines(key)],
            dx=0,
        ),
        description=" ".join(described.split()),
    )


@dataclass(frozen=True)
class ExampleSet:
    """Examples with what networks make of them, the first rank first.

    Attributes:
        name: of the set in the chart's menu.
        note: where it comes from: benchmark, scale, replicates, noise, level.
        images: as `worst_examples` takes them.
        labels: trained on, one integer per example.
        predictions: one integer per example.
        original_labels: before label noise, one integer per example.
        changes: how much the loss of each example changes, in nats.
    """

    name: str
    note: str
    images: Any
    labels: Any
    predictions: Any
    original_labels: Any
    changes: Any


def labelled_examples(
    sets: Sequence[ExampleSet],
    *,
    title: str,
    columns: int | None = None,
    class_names: list[str] | None = None,
) -> alt.LayerChart:
    """Draw examples with their label and what networks predict; a prediction other than the label has a cross (TR Fig. 16).

    Args:
        sets: at least one; a menu chooses where there are several.
        title: of the chart.
        columns: images in a row; None for 5, and 4 where names need the room.
        class_names: a name per label; None for the numbers themselves.

    Returns:
        A chart without axes. Hover shows the rank, the label before label noise and the change of the loss.

    Raises:
        InputError: there is no set, an empty one, or the parts of one differ in length.
    """
    if not sets:
        raise InputError("there is no set of examples to draw; give at least one")

    def name(label: int) -> str:
        return class_names[label] if class_names else str(label)

    wordy = bool(class_names) and max(map(len, class_names or [])) > 3
    columns = columns or (4 if wordy else 5)
    rows = [
        {"table": one.name, "column": rank % columns, "row": rank // columns} | row
        for one in sets
        for rank, row in enumerate(_labelled_rows(one, name, "\n" if wordy else " · "))
    ]
    names = [one.name for one in sets]
    tooltip = [
        alt.Tooltip("rank:Q"),
        alt.Tooltip("trained:N", title="label trained on"),
        alt.Tooltip("predicted:N", title="prediction of most networks"),
        alt.Tooltip("original:N", title="label before noise"),
        alt.Tooltip("change:Q", title="mean change of the loss (nats)", format=".3~g"),
    ]
    notes = source_notes(names, [one.note for one in sets], left=0)
    chart = _grid(rows, columns, 13 if wordy else 0, tooltip, "datum.wrong", names, notes)
    order = "first the label, below it the prediction" if wordy else "label · prediction"
    key = f"Under each image: {order} of most networks; a cross where the two differ."
    first = [row for row in rows if row["table"] == names[0]]
    wrong = sum(row["wrong"] for row in first)
    described = f"Grid of {len(first)} images. {title}. {sets[0].note} {wrong} of them are mostly predicted otherwise "
    described += "than labelled. Label and prediction, in order: "
    described += "; ".join(f"{row['trained']} and {row['predicted']}" for row in first) + "."
    if len(sets) > 1:
        described += f" A menu switches between {len(sets)} sets; the examples here are of the first."
    return chart.add_params(*menus(names)).properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key), dx=0
        ),
        description=" ".join(described.split()),
    )


def _labelled_rows(one: ExampleSet, name: Any, between: str) -> list[dict[str, Any]]:
    """Return a row for each example of a set, with its picture and the text below it."""
    pictures = np.asarray(one.images)
    columns = [np.asarray(part) for part in (one.labels, one.predictions, one.original_labels, one.changes)]
    if not 0 < len(pictures) == len(columns[0]) == len(columns[1]) == len(columns[2]) == len(columns[3]):
        sizes = ", ".join(str(len(part)) for part in (pictures, *columns))
        raise InputError(
            f"every example needs an image, a label, a prediction, an original label and a change; given: {sizes}"
        )
    return [
        {
            "image": data_url(picture),
            "rank": rank,
            "label": name(int(label)) + between + name(int(guess)) + (" ✗" if guess != label else ""),
            "trained": name(int(label)),
            "predicted": name(int(guess)),
            "original": name(int(original)),
            "wrong": bool(guess != label),
            "change": float(f"{change:.4g}"),
        }
        for rank, (picture, label, guess, original, change) in enumerate(
            zip(pictures, *columns, strict=True), 1
        )
    ]


def _grid(
    rows: list[dict[str, Any]],
    columns: int,
    extra: int,
    tooltip: list[alt.Tooltip],
    marked: str,
    names: Sequence[str] = ("",),
    notes: alt.Chart | None = None,
) -> alt.LayerChart:
    """Lay images out in rows with a text below each.

    Args:
        rows: a row per image with its `image`, `label`, `row` and `column`, and `table` where there are several.
        columns: images in a row.
        extra: pixels for a second line of text.
        tooltip: what hovering tells.
        marked: an expression over a row; where it holds, the text is coloured.
        names: of the tables in the menu.
        notes: a layer above the grid.
    """
    base = one_table(alt.Chart(pd.DataFrame(rows)), names).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(columns)))),
        y=alt.Y("row:O", axis=None),
    )
    pictures = base.mark_image(width=SIDE, height=SIDE, baseline="middle", yOffset=-extra / 2).encode(
        url="image:N", tooltip=tooltip
    )
    text = base.mark_text(dy=SIDE / 2 + 9 - extra / 2, fontSize=10, lineBreak="\n", lineHeight=13).encode(
        text="label:N",
        color=alt.when(marked).then(alt.value(PALETTE[3])).otherwise(alt.value(INK)),
        tooltip=tooltip,
    )
    layers = [pictures, text, *([notes] if notes else [])]
    return fitted(alt.layer(*layers), height=(_ROW + extra) * (max(row["row"] for row in rows) + 1))


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
