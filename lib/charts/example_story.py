"""From a group of examples to one image of it, and from the image to its loss: three panels that follow two choices.

Above, every example by difficulty; in the middle, the images of the chosen group; below, what pruning does to their losses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas

from lib.analysis.table import SIZE
from lib.charts.axes import AXIS_FORMAT, across
from lib.charts.controls import Controls
from lib.charts.data import average, checked, name_columns
from lib.charts.images import SIDE, data_url
from lib.charts.notes import source_note
from lib.charts.parts import broken, finish
from lib.charts.theme import INK, PALETTE, WRONG
from lib.errors import InputError

RIGHT, REPLACED = "as it was", "replaced"
_TOP, _IMAGES, _BELOW, _END = (
    130,
    172,
    300,
    480,
)  # pixels: end of the first panel, the second, begin and end of the third
_CELL = 64  # pixels of an image with its distance to the next
_CHOSEN = "datum.group == group_group"
_ONE = f"{_CHOSEN} && datum.example == example_example"


def example_story(
    examples: pandas.DataFrame, pictures: Any, losses: pandas.DataFrame, *, menus: Sequence[str] = (),
    shown: Mapping[str, Any] | None = None, group: int | None = None, title: str, key: str = "",
) -> alt.LayerChart:  # fmt: skip
    """Draw examples by difficulty, the images of one group, and the losses of its examples over weights remaining.

    A group is chosen by pointing at it or by a slider, an example by a click on its image or by a menu.

    Args:
        examples: a row for each: `group` (whole numbers), `example` (its number in the group, from 1), `score` (EL2N),
            `label`, `original`, and the columns of `menus` and `table`.
        pictures: of the examples, as `lib.charts.images.images` takes them.
        losses: a row for each example, replicate and level: `group`, `example`, `seed`, `level`, weights remaining, `value`
            in nats, and the columns of `menus`, `table` and `benchmark`.
        menus, shown, title, key: see `lib.charts`.
        group: the one shown at the start; None for the last, the hardest.

    Raises:
        InputError: there is no example, not a picture for each, or a column is missing.
    """
    if not len(examples) or len(examples) != len(pictures):
        raise InputError(f"every example needs a picture; given: {len(examples)} examples, {len(pictures)} pictures")
    case = list(dict.fromkeys(["table", *menus]))
    cells = name_columns(checked(examples.assign(value=0.0), [*case, "group", "example", "score", "label"]), case)
    own = name_columns(checked(losses.assign(quantity="training loss (nats)"), [*case, "group", "example", SIZE]), case)
    controls = Controls(own, case, shown=shown)
    replaced = cells["label"].astype(str) != cells["original"].astype(str)
    cells["labels"] = replaced.map({True: REPLACED, False: RIGHT})
    place = [*case, "group", "example"]
    points = average(own, [*place, "level"], [SIZE])
    points = points.merge(cells[[*place, "labels"]], on=place).sort_values([*place, "level"], kind="stable")
    image = [data_url(picture) for picture in pictures]
    several = cells["example"].max()
    cells["at"] = cells["group"] + 0.8 * ((cells["example"] - 0.5) / several - 0.5)
    cells["text"] = [
        f"{label}\n(was {was})" if other else str(label)
        for label, was, other in zip(cells["label"], cells["original"], replaced, strict=True)
    ]
    cells["said"] = [
        f"Example {number} of group {of}: label {label}{f', before noise {was}' if other else ''}; EL2N {score:.3g}"
        for number, of, label, was, other, score in zip(
            cells["example"], cells["group"], cells["label"], cells["original"], replaced, cells["score"], strict=True
        )
    ]
    columns = [*place, "score", "at", "labels", "text", "said"]
    base = controls.chart(cells[columns].assign(image=image))
    first = int(cells["group"].max()) if group is None else group
    layers = [
        _difficulty(base, cells, first),
        _images(base, int(several)),
        _losses(controls, points, [*place, "labels"]),
    ]
    start = controls.at_start(cells)
    start = start[start["group"] == first]
    controls.words += ["group", "example"]
    words = (
        f"{title}. {len(cells)} examples in groups by EL2N. Group {first}: {' '.join(f'{s}.' for s in start['said'])}"
    )
    return finish(
        [alt.layer(*layers).resolve_scale(x="independent", y="independent")], controls, title=title, height=_END,
        key=f"Point at a group above, then click one of its images. {key}".strip(), description=f"Three panels. {words}",
        notes=source_note(own, case, menus),
    )  # fmt: skip


def _sign(legend: bool = False) -> list[Any]:
    """Return colour and shape by whether a label was replaced."""
    both: dict[str, Any] = {"title": "label"} if legend else {}
    given: dict[str, Any] = {"domain": [RIGHT, REPLACED]}
    colour = alt.Color("labels:N", legend=alt.Legend(**both)).scale(range=[PALETTE[1], PALETTE[3]], **given)
    return [colour, alt.Shape("labels:N", legend=alt.Legend(**both)).scale(range=["circle", "diamond"], **given)]


def _difficulty(base: alt.Chart, cells: Any, group: int) -> Any:
    """Draw every example by group and EL2N; columns that the pointer meets choose a group."""
    groups = range(int(cells["group"].min()), int(cells["group"].max()) + 1)
    x = alt.X("at:Q", axis=None).scale(domain=[groups[0] - 0.5, groups[-1] + 0.5], nice=False, zero=False)
    y = alt.Y("score:Q", title="EL2N").scale(range=[_TOP, 0], zero=True).axis(tickCount=4, orient="left")
    ends = {"y": alt.value(0), "y2": alt.value(_TOP + 20)}
    columns = pandas.DataFrame({"group": groups, "at": [i - 0.5 for i in groups], "to": [i + 0.5 for i in groups]})
    slider = alt.binding_range(min=groups[0], max=groups[-1], step=1, name="Group: ")
    with_a_group = "[event.item && event.item.datum && event.item.datum.group != null]"
    by_group = alt.selection_point(
        name="group", fields=["group"], bind=slider, value=[{"group": group}], toggle=False, clear=False,
        on=f"click{with_a_group},pointerover{with_a_group}",
    )  # fmt: skip
    menu = alt.binding_select(options=sorted(cells["example"].unique().tolist()), name="Example: ")
    by_example = alt.selection_point(
        name="example", fields=["example"], bind=menu, value=[{"example": 1}], toggle=False, clear=False,
        on="click[event.item && event.item.datum && event.item.datum.example != null]",
    )  # fmt: skip
    column = alt.Chart(columns)
    here = column.transform_filter(_CHOSEN).mark_rect(color=INK, opacity=0.1, aria=False)
    names = columns[columns["group"].isin([groups[0], *(g for g in groups if g % 5 == 0)])]
    names = names.assign(name=[f"group {g}, {'easiest' if g == groups[0] else 'hardest'}" if g in (groups[0], groups[-1])
                               else str(g) for g in names["group"]])  # fmt: skip
    at_end = f"datum.group == {groups[0]} ? -1 : datum.group == {groups[-1]} ? 1 : 0"
    named = alt.Chart(names).transform_calculate(end=at_end, at=f"datum.group + 0.5 * ({at_end})")
    named = named.transform_filter("!narrow || datum.end != 0")
    aligned = alt.ExprRef("datum.end < 0 ? 'left' : datum.end > 0 ? 'right' : 'center'")
    text = named.mark_text(baseline="top", fontSize=12, color=INK, aria=False, align=aligned)
    colour, shape = _sign(legend=True)
    told = [alt.Tooltip("said:N", title="training image")]
    points = base.mark_point(filled=True, opacity=0.85).encode(x, y, colour, shape, tooltip=told)
    return alt.layer(
        here.encode(x, alt.X2("to:Q"), **ends),
        text.encode(x, y=alt.value(_TOP + 6), text="name:N"),
        points.encode(size=alt.when(_ONE).then(alt.value(140)).otherwise(alt.value(30))).add_params(
            by_group, by_example
        ),
        # The pointer meets a layer only if it has a tooltip.
        column.mark_rect(opacity=0, cursor="pointer", aria=False).encode(x, alt.X2("to:Q"), tooltip="group:Q", **ends),
        base.mark_point(filled=True, opacity=0, size=60, cursor="pointer").encode(x, y, tooltip=told),
    )


def _images(base: alt.Chart, several: int) -> Any:
    """Draw the images of the chosen group; a click chooses one."""
    some = base.transform_filter(_CHOSEN)
    places = {"range": [0, alt.ExprRef(f"min({_CELL * several}, width)")], "domain": list(range(1, several + 1))}
    x = alt.X("example:O", axis=None, scale=alt.Scale(**places))
    y = alt.value(_IMAGES + SIDE / 2)
    side = (SIDE + 8) ** 2
    frame = some.transform_filter(_ONE).mark_point(shape="square", size=side, stroke=INK, strokeWidth=3, filled=False)
    drawn = some.mark_image(width=SIDE, height=SIDE, baseline="middle", cursor="pointer")
    text = some.mark_text(fontSize=11, lineBreak="\n", lineHeight=13, baseline="top", aria=False)
    painted = alt.when(f"datum.labels == '{REPLACED}'").then(alt.value(WRONG)).otherwise(alt.value(INK))
    told = [alt.Tooltip("said:N", title="training image")]
    return alt.layer(
        frame.encode(x, y=y),
        drawn.encode(x, y=y, url="image:N", tooltip=told),
        text.encode(x, y=alt.value(_IMAGES + SIDE + 7), text="text:N", color=painted),
        some.transform_filter(_ONE).transform_calculate(lines=broken("datum.said", "letters - 8"))
        .mark_text(align="left", baseline="top", lineHeight=15, fontSize=12.5, fontWeight=600, color=INK)
        .encode(x=alt.value(0), y=alt.value(alt.ExprRef(f"{_BELOW - 8} - 15 * length(datum.lines)")), text="lines:N"),
    )  # fmt: skip


def _losses(controls: Controls, points: Any, keys: Sequence[str]) -> Any:
    """Draw the losses of the chosen group's examples, that of the chosen one strongly and with its replicates."""
    base = controls.chart_of_points(points, keys, [SIZE, "level", "mean", "std", "n", "values", "seeds"])
    some = base.transform_filter(_CHOSEN)
    x = across("weights_remaining", SIZE, "size")
    largest = max(1.0, float(points["mean"].max()))

    def upward(field: str) -> alt.Y:
        y = alt.Y(f"{field}:Q", title=["training loss (nats),", "logarithmic"])
        y = y.scale(type="symlog", constant=0.01, domain=[0, largest], range=[_END, _BELOW], nice=False, clamp=True)
        return y.axis(values=[0, 0.01, 0.1, 1, 10], format=AXIS_FORMAT, orient="left")

    y = upward("mean")
    colour, shape = _sign()
    told = [alt.Tooltip("example:N"), alt.Tooltip("level:Q"), alt.Tooltip("weights_remaining:Q", title=SIZE, format=".3~g"),
            alt.Tooltip("mean:Q", title="training loss (nats)", format=".3~g")]  # fmt: skip
    one = some.transform_filter(_ONE)
    line = some.mark_line(aria=False, opacity=0.35, strokeWidth=1.5)
    layers: list[Any] = [line.encode(x, y, colour, detail="example:N")]
    if (points["n"] > 1).any():
        single = one.transform_flatten(["values", "seeds"], ["one", "seed"]).mark_point(
            filled=True, size=16, opacity=0.5
        )
        seeds = [alt.Tooltip("seed:N"), alt.Tooltip("one:Q", title="training loss (nats)", format=".3~g")]
        layers.append(single.encode(x, upward("one"), colour, tooltip=seeds))
    strong = one.mark_line(aria=False, strokeWidth=3).encode(x, y, colour)
    signed = one.mark_point(filled=True, size=70, opacity=1, aria=False).encode(x, y, colour, shape)
    targets = some.mark_point(filled=True, opacity=0, size=200, cursor="pointer").encode(x, y, tooltip=told)
    return alt.layer(*layers, strong, signed, targets)
