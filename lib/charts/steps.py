"""A chain that the reader steps through, level by level: what it prunes, what remains, and the errors.

The chart carries one row of counts per level and layer, which the reader's browser unfolds for the level of the
slider; the data stays small for a chain of twenty levels too.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import altair as alt

from lib.analysis.steps import Step, best_step
from lib.charts import wording
from lib.charts.curves import weights_axis
from lib.charts.parts import LEADING
from lib.charts.theme import INK, LEFT, PALETTE, STAR
from lib.errors import InputError

SLIDER = "shown_level"
KEPT, REMOVED, TRAINED = PALETTE[1], PALETTE[3], PALETTE[2]
_MAP = [
    "#ffffff",
    "#a9cfe6",
    "#0072b2",
    "#003a5c",
]  # of remaining weights, from none to most; lightness alone tells
_PANEL = 262  # pixels: two beside each other with their axes fill the width of a page
NARROW = 42  # characters that fit on a phone of 360 pixels
_EXTENT: dict[str, Any] = {"minExtent": 32, "maxExtent": 32}  # pixels for numbers, the same in every panel
_GONE = "#f8dcca"  # fill of what is removed; its outline is REMOVED
_SUBSETS = {"test": "test", "validation": "validation"}

Rows = list[dict[str, Any]]


def step_chart(
    done: Sequence[Step],
    *,
    note: str,
    shown: int | None = None,
    title: str = "A network, level by level",
) -> alt.VConcatChart:
    """Draw a chain that the reader steps through with a slider: what remains of each pixel, the error, the weights.

    Args:
        done: the steps of one replicate, from the dense network on.
        note: where they come from: benchmark, scale, replicate, device.
        shown: the level at the start; by default the first cut.
        title: of the chart.

    Returns:
        Panels that follow one slider: a map of the first layer's mask, summed for each pixel (left out for a network that
        begins with a convolution); the errors, with the level ringed; for two layers at most, the first and the last, the
        weights around the cut and after training.

    Raises:
        InputError: there is no step, or no step of the level to show.
    """
    if not done:
        raise InputError("there is no step to draw: the chain has no finished level")
    levels = [step.level for step in done]
    if shown is None:
        shown = levels[min(1, len(levels) - 1)]
    if shown not in levels:
        raise InputError(f"level {shown} is not among the steps; there are {', '.join(map(str, levels))}")
    slider = alt.param(
        name=SLIDER,
        value=shown,
        bind=alt.binding_range(min=levels[0], max=max(levels[-1], levels[0] + 1), step=1, name="Level: "),
    )
    errors = _errors(done)
    key = "Move the slider. Ring: this level." + (
        " Star: lowest validation error." if best_step(done) else ""
    )
    top = [_pixel_map(done), errors] if done[0].pixels is not None else [errors]
    places = sorted({0, len(done[0].layers) - 1})
    cuts = [_weights(done, place, cut=True) for place in places]
    trained = [_weights(done, place, cut=False) for place in places]
    apart: dict[str, Any] = {"color": "independent", "shape": "independent"}
    rows = [_sentence(done), alt.hconcat(*top, spacing=20).resolve_scale(**apart)]
    rows += [alt.hconcat(*panels, spacing=20) for panels in (cuts, trained)]
    return (
        alt.vconcat(*rows, spacing=16)
        .resolve_scale(**apart, fill="independent", stroke="independent")
        .properties(
            title=alt.TitleParams(
                text=wording.lines(title, wording.TITLE_LINE),
                subtitle=wording.lines(f"{note} {key}", NARROW),
                dx=LEFT,
            ),
            description=_steps_in_words(done, title, note),
        )
        .add_params(slider)
    )


def step_sentence(step: Step) -> str:
    """Say what one level did: "Level 2: of 58,344 weights the cut removed 45,509, all with |w| ≤ 0.202. …"."""
    epochs = f"epochs {step.epochs[0]} to {step.epochs[1]}"
    if not step.score:
        return (
            f"Level {step.level}, dense: no cut. All {step.remaining:,} prunable weights train in {epochs}."
        )
    how = f", all with |w| ≤ {step.threshold:.3g}" if step.threshold is not None else f", by {step.score}"
    return (
        f"Level {step.level}: of {step.remaining_before:,} weights the cut removed "
        f"{step.remaining_before - step.remaining:,}{how}. The other {step.remaining:,} "
        f"({step.weights_remaining_percent:.3g} % of all) then trained in {epochs}."
    )


def _only_shown(rows: Rows) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows)).transform_filter(f"datum.level == {SLIDER}")


def _panel(chart: Any, title: str, height: int) -> Any:
    return chart.properties(
        width=_PANEL,
        height=height,
        title=alt.TitleParams(text=title, fontSize=13, dx=0),
    )


def _sentence(done: Sequence[Step]) -> alt.Chart:
    """The sentence of the level, as text of its own: a title cannot follow a slider."""
    rows = [
        {"level": step.level, "text": "\n".join(wording.lines(step_sentence(step), NARROW))} for step in done
    ]
    most = max(row["text"].count("\n") + 1 for row in rows)
    text = _only_shown(rows).mark_text(
        align="left", baseline="top", lineBreak="\n", lineHeight=LEADING, fontSize=12, color=INK
    )
    text = text.encode(x=alt.value(LEFT), y=alt.value(0), text="text:N")
    return text.properties(width=_PANEL, height=most * LEADING)


def _pixel_map(done: Sequence[Step]) -> Any:
    rows, full = [], done[0].weights_per_pixel
    for step in done:
        if step.pixels is None:
            continue
        counts = list(itertools.chain.from_iterable(step.pixels))
        rows.append({"level": step.level, "width": len(step.pixels[0]), "left": counts})
    columns = rows[0]["width"]
    lines = len(rows[0]["left"]) // columns
    place = (
        _only_shown(rows)
        .transform_calculate(at=f"sequence({columns * lines})")
        .transform_flatten(["left", "at"])
        .transform_calculate(
            column=f"datum.at % {columns}", line=f"floor(datum.at / {columns})",
            percent=f"100 * datum.left / {full}",
        )
    )  # fmt: skip
    colour = alt.Color("left:Q", title="weights left")
    colour = colour.scale(range=_MAP, domainMin=0, type="linear", interpolate="rgb")
    squares = place.mark_rect(aria=False).encode(
        alt.X("column:O", axis=None).scale(paddingInner=0),
        alt.Y("line:O", axis=None).scale(paddingInner=0),
        colour.legend(
            orient="bottom",
            titleOrient="top",
            gradientLength=150,
            gradientThickness=10,
            tickCount=3,
            format="d",
        ),
        tooltip=[
            alt.Tooltip("line:Q", title="row"),
            alt.Tooltip("column:Q"),
            alt.Tooltip("left:Q", title="weights left"),
            alt.Tooltip("percent:Q", title="of the pixel's weights (%)", format=".3~g"),
        ],
    )
    frame = alt.Chart(alt.InlineData(values=[{}])).mark_rect(
        fillOpacity=0, stroke="#8a929c", strokeWidth=1, aria=False
    )
    frame = frame.encode(x=alt.value(0), x2=alt.value("width"), y=alt.value(0), y2=alt.value("height"))
    return _panel(alt.layer(squares, frame), f"Weights left per pixel, of {full}", 240)


def _errors(done: Sequence[Step]) -> Any:
    best = best_step(done)
    rows = [
        {
            "level": step.level,
            "weights": round(step.weights_remaining_percent, 5),
            "examples": name,
            "error": round(step.error_percent[subset], 4),
            "best": best is step and subset == "validation",
        }
        for step in done
        for subset, name in _SUBSETS.items()
        if subset in step.error_percent
    ]
    names = [name for name in _SUBSETS.values() if name in {row["examples"] for row in rows}]
    base = alt.Chart(alt.InlineData(values=rows))
    x = weights_axis("weights", "weights remaining (%)")
    y = alt.Y("error:Q", title="error (%)").scale(zero=False, nice=True, padding=8).axis(**_EXTENT)
    colour = alt.Color("examples:N", title=None).scale(domain=names, range=[KEPT, PALETTE[4]][: len(names)])
    shape = alt.Shape("examples:N", title=None).scale(domain=names, range=["circle", "square"][: len(names)])
    dash = alt.StrokeDash("examples:N", legend=None).scale(domain=names, range=[[1, 0], [5, 3]][: len(names)])
    tooltip = [
        alt.Tooltip("level:Q"),
        alt.Tooltip("weights:Q", title="weights remaining (%)", format=".3~g"),
        alt.Tooltip("examples:N", title="images"),
        alt.Tooltip("error:Q", title="error (%)", format=".2f"),
    ]
    line = base.mark_line(aria=False).encode(x, y, colour, dash)
    points = base.mark_point(filled=True, size=45, opacity=1).encode(x, y, colour, shape, tooltip=tooltip)
    here = base.transform_filter(f"datum.level == {SLIDER}")
    rings = here.mark_point(size=330, strokeWidth=2.5, stroke=INK, filled=False).encode(x, y)
    star = base.transform_filter("datum.best").mark_point(
        shape=STAR, filled=True, stroke="#ffffff", strokeWidth=1, size=190, opacity=1
    )
    star = star.encode(x, y, colour, tooltip=tooltip)
    return _panel(alt.layer(line, points, star, rings), "Error at each level", 240)


def _weights(done: Sequence[Step], place: int, cut: bool) -> Any:
    """One layer's histogram at the cut (what goes, what stays) or after training."""
    rows: Rows = []
    for step in done:
        histogram = step.layers[place]
        parts = (
            {"kept": histogram.kept, "removed": histogram.removed} if cut else {"trained": histogram.trained}
        )
        for name, counts in parts.items():
            if name != "removed" or step.score:
                rows.append(
                    {
                        "level": step.level, "part": name, "low": -histogram.limit,
                        "bin": 2 * histogram.limit / len(counts), "count": list(counts), "threshold": step.threshold,
                    }
                )  # fmt: skip
    bins = len(done[0].layers[place].kept)
    bars = (
        _only_shown(rows)
        .transform_calculate(at=f"sequence({bins})")
        .transform_flatten(["count", "at"])
        .transform_filter("datum.count > 0")
        .transform_calculate(
            left="datum.low + datum.at * datum.bin", right="datum.low + (datum.at + 1) * datum.bin"
        )
    )
    x = (
        alt.X("left:Q", title="weight", bin="binned")
        .scale(nice=False, zero=False)
        .axis(tickCount=5, format="~g", grid=False, labelOverlap="greedy", labelSeparation=4)
    )
    y = alt.Y("count:Q", title="number of weights", stack="zero").axis(tickCount=4, format="~s", **_EXTENT)
    tooltip = [
        alt.Tooltip("left:Q", title="from", format=".3f"),
        alt.Tooltip("right:Q", title="to", format=".3f"),
        alt.Tooltip("part:N", title="weights that are"),
        alt.Tooltip("count:Q", title="number", format=",d"),
    ]
    layer = f"Layer {place + 1}"
    if not cut:
        drawn = bars.mark_bar(color=TRAINED, stroke=TRAINED, strokeWidth=0.8, aria=False)
        return _panel(drawn.encode(x, alt.X2("right:Q"), y, tooltip=tooltip), f"{layer}, after training", 130)
    names = ["kept", "removed"]
    fill = alt.Fill("part:N", title="At the cut:").scale(domain=names, range=[KEPT, _GONE])
    outline = alt.Stroke("part:N", title="At the cut:").scale(domain=names, range=[KEPT, REMOVED])
    drawn = bars.mark_bar(strokeWidth=0.8, aria=False).encode(
        x, alt.X2("right:Q"), y, fill.legend(symbolType="square"), outline.legend(symbolType="square"),
        alt.Order("part:N"), tooltip=tooltip,
    )  # fmt: skip
    rule = (
        _only_shown([row for row in rows if row["part"] == "kept"])
        .transform_filter("isValid(datum.threshold)")
        .transform_calculate(either="[-datum.threshold, datum.threshold]")
        .transform_flatten(["either"])
        .mark_rule(strokeDash=[5, 3], strokeWidth=1.4, color=INK, aria=False)
        .encode(alt.X("either:Q"))
    )
    return _panel(alt.layer(drawn, rule), f"{layer}, before training", 130)


def _steps_in_words(done: Sequence[Step], title: str, note: str) -> str:
    parts = [
        f"Panels that a slider takes from level to level. {title}. {note}",
        "A map of how many weights each pixel has left, the errors, and histograms of the weights "
        "around the cut and after training.",
    ]
    for step in done:
        text = step_sentence(step)
        errors = [
            f"{name} error {step.error_percent[subset]:.2f} %"
            for subset, name in _SUBSETS.items()
            if subset in step.error_percent
        ]
        if step.pixels is not None and step.score:
            counts = [count for row in step.pixels for count in row]
            text += f" A pixel has from {min(counts)} to {max(counts)} weights left."
        parts.append(f"{text} {', '.join(errors)}.")
    if best := best_step(done):
        parts.append(f"Lowest validation error: level {best.level}.")
    return " ".join(parts)
