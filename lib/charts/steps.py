"""A chain that the reader steps through with one slider: what remains of each pixel, the error, the weights of layers."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas

from lib.analysis.steps import KEPT, REMOVED, TRAINED, Step, best_step
from lib.analysis.table import SIZE
from lib.charts.grids import bars, heatmap
from lib.charts.lines import lines
from lib.charts.parts import WIDE, wrapped
from lib.charts.theme import LEFT, WIDTH
from lib.errors import InputError

_PARTS = (REMOVED, KEPT, TRAINED)  # in the order of the colours
_HEIGHT = 240  # pixels of the upper panels; the lower ones have half of it


def step_chart(
    done: Sequence[Step], *, note: str, shown: int | None = None, title: str = "A network, level by level"
) -> alt.VConcatChart:
    """Draw a chain level by level, in panels that follow one slider.

    They are a map of the first layer's mask, summed for each pixel (left out behind a convolution); the errors, with the
    level ringed; the weights of the first and of the last layer, at the cut and after training.

    Args:
        done: the steps of one replicate, from the dense network on.
        note: where they come from: benchmark, scale, replicate, device.
        shown: the level at the start; by default the first cut. InputError if there is no such step.
        title: of the chart.
    """
    levels = [step.level for step in done]
    shown = levels[min(1, len(levels) - 1)] if shown is None and levels else shown
    if shown not in levels:
        raise InputError(f"level {shown} is not among the steps; there are {', '.join(map(str, levels)) or 'none'}")
    names = list(dict.fromkeys(done[0].weights["layer"]))
    layers = {f"Layer {names.index(name) + 1}": name for name in (names[0], names[-1])}
    top = [_errors(done, shown)] if done[0].pixels is None else [_pixels(done, shown), _errors(done, shown)]
    below = [[_weights(done, shown, *layer, cut) for layer in layers.items()] for cut in (True, False)]
    told = [step_sentence(step) for step in done]
    head = alt.TitleParams(text=wrapped(title, 72), subtitle=wrapped(note, WIDE), dx=LEFT)
    return _together([top, *below]).properties(title=head, description=" ".join([f"{title}. {note}", *told]))


def _together(rows: Sequence[Sequence[alt.LayerChart]]) -> alt.VConcatChart:
    """Put charts beside and below each other, which share their sliders; such charts have a fixed width."""
    shared: dict[str, Any] = {"narrow": alt.param(name="narrow", value=True).param}
    for name, value in (("room", WIDTH / 2), ("letters", 44)):
        shared[name] = alt.param(name=name, value=value).param
    drawn = []
    for row in rows:
        parts = []
        for chart in row:
            part: Any = chart.copy(deep=True)
            part.autosize, part.width = alt.Undefined, WIDTH / len(row) - 78
            shared |= {one.name: one for one in part.params if one.name.endswith("_slider")}
            part.params = [one for one in part.params if one.name == "legend_click"] or alt.Undefined
            parts.append(part)
        drawn.append(alt.hconcat(*parts, spacing=24).resolve_scale(color="independent", shape="independent"))
    whole = alt.vconcat(*drawn, spacing=16).resolve_scale(color="independent", shape="independent")
    whole.params = [*shared.values(), *(whole.params if isinstance(whole.params, list) else [])]
    return whole


def _pixels(done: Sequence[Step], shown: int) -> alt.LayerChart:
    rows = [
        {"level": step.level, "row": i, "column": j, "value": value}
        for step in done
        if step.pixels is not None
        for i, line in enumerate(step.pixels.tolist())
        for j, value in enumerate(line)
    ]
    most = max(row["value"] for row in rows)
    return heatmap(
        pandas.DataFrame(rows), x="column", y="row", colour="weights left", slider="level", shown={"level": shown},
        axes=False, limit=most, title=f"Weights left per pixel, of {most}", height=_HEIGHT,
    )  # fmt: skip


def _errors(done: Sequence[Step], shown: int) -> alt.LayerChart:
    best = best_step(done)
    rows = [
        {"level": step.level, SIZE: step.weights_remaining_percent, "images": images, "quantity": "error (%)"}
        | {"value": step.error_percent[images], "optimum": step is best and images == "validation"}
        for images in ("test", "validation")
        for step in done
        if images in step.error_percent
    ]
    return lines(
        pandas.DataFrame(rows), x=SIZE, colour="images", slider="level", rings=["level"], shown={"level": shown},
        mark="optimum", title="Error at each level", height=_HEIGHT,
    )  # fmt: skip


def _weights(done: Sequence[Step], shown: int, called: str, layer: str, cut: bool) -> alt.LayerChart:
    pieces: list[Any] = []
    for step in done:
        own: Any = step.weights[(step.weights["layer"] == layer) & ((step.weights["part"] != TRAINED) == cut)]
        pieces.append(own[own["value"] > 0].assign(level=step.level))
    ends = [{"level": s.level, "x": x} for s in done if s.threshold for x in (-s.threshold, s.threshold)]
    return bars(
        pandas.concat(pieces), x="start", to="end", y="number of weights", colour="part", domain=_PARTS, slider="level",
        shown={"level": shown}, rules=pandas.DataFrame(ends) if cut else None, x_title="weight",
        title=called if cut else f"{called}, {TRAINED}", height=_HEIGHT // 2,
    )  # fmt: skip


def step_sentence(step: Step) -> str:
    """Say what one level did: "Level 2: of 58,344 weights the cut removed 45,509, all with |w| ≤ 0.202. …"."""
    epochs = f"epochs {step.epochs[0]} to {step.epochs[1]}"
    if step.cut is None:
        return f"Level {step.level}, dense: no cut. All {step.remaining:,} prunable weights train in {epochs}."
    how = f", all with |w| ≤ {step.threshold:.3g}" if step.threshold is not None else f", by {step.cut.score}"
    return (
        f"Level {step.level}: of {step.remaining_before:,} weights the cut removed "
        f"{step.remaining_before - step.remaining:,}{how}. The other {step.remaining:,} "
        f"({step.weights_remaining_percent:.3g} % of all) then trained in {epochs}."
    )
