"""Charts of what work costs: speed against the conventional loop, time while pruning, differences between precisions.

Each draws one table of `lib.analysis.costs`, that is, one machine; the lines under the title say which.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from lib.analysis.costs import CONVENTIONAL, Costs, significant
from lib.charts import wording
from lib.charts.theme import INK, LEFT, PALETTE, SHAPES, WIDTH, fitted
from lib.errors import InputError

MASKS_ALONE, LEFT_OUT = "masks alone", "units left out"
_GROUND = "#d9dde3"  # behind a bar, up to the floor
_LABELS = 130  # pixels for the names of rows, which stand in lines
_VARIANTS = 150  # the same for variants
_AXIS = "weights remaining (%), logarithmic"
_REMAINING = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]
_TENS = [0.1, 1, 10, 100, 1000, 10_000]
_FASTER = sorted(n * ten for ten in _TENS for n in (1, 2, 5))

Rows = list[dict[str, Any]]


def speed(
    costs: Costs, *, title: str = "How many times faster than the conventional loop"
) -> alt.VConcatChart:
    """Draw how many times faster every variant is, a panel per benchmark, with the floor of the machine behind each bar.

    Args:
        costs: a table of the part `epochs`.
        title: of the chart.

    Returns:
        The chart: horizontal bars that begin at 1, the conventional loop, on a logarithmic axis that all panels share.

    Raises:
        InputError: the table is of another part.
    """
    rows = [
        {
            **row,
            "row": variant_name(row),
            "floor_times": _floor_times(row),
            "label": f"{significant(row['times_faster'], 2)}×",
        }
        for row in _rows(costs, "epochs")
    ]
    values = [row[name] for row in rows for name in ("times_faster", "floor_times") if row[name]]
    low, high = min(1.0, *values), max(2.0, *values)
    # At the right the numbers stand in a column, for which a phone leaves a quarter of 180 pixels.
    domain = [low, high * (high / low) ** 0.35]
    ticks = [t for t in _FASTER if low <= t <= high and (high / low < 100 or t in _TENS)]

    def across(channel: alt.X | alt.XDatum) -> Any:
        """Place something on the axis, which all layers must describe alike."""
        scaled = channel.title("times faster, logarithmic").scale(type="log", domain=domain, nice=False)
        return scaled.axis(values=ticks, format="~g", labelOverlap="greedy", labelSeparation=6)

    start, faster, floor = alt.X2Datum(1), across(alt.X("times_faster:Q")), across(alt.X("floor_times:Q"))
    tooltip = [
        alt.Tooltip("benchmark:N"),
        alt.Tooltip("variant:N"),
        alt.Tooltip("precision:N"),
        alt.Tooltip("replicates:Q"),
        alt.Tooltip("seconds_per_replicate_epoch:Q", title="s per replicate and epoch", format=".3~g"),
        alt.Tooltip("times_faster:Q", title="times faster", format=".3~g"),
        alt.Tooltip("floor_seconds:Q", title="floor (s)", format=".3~g"),
        alt.Tooltip("floor:N", title="floor set by"),
    ]
    panels = []
    for benchmark in dict.fromkeys(row["benchmark"] for row in rows):
        part = [row for row in rows if row["benchmark"] == benchmark]
        base = alt.Chart(pd.DataFrame(part))
        y = alt.Y("row:N", title=None, sort=[row["row"] for row in part]).axis(
            labelExpr="split(datum.label, '; ')", labelLimit=_VARIANTS, labelOffset=-7, minExtent=_VARIANTS,
            maxExtent=_VARIANTS, domain=False, ticks=False,
        )  # fmt: skip
        floored = base.transform_filter("isValid(datum.floor_times)")
        ground = floored.mark_bar(color=_GROUND, height=24, aria=False).encode(floor, start, y)
        bars = base.mark_bar(color=PALETTE[1], height=14).encode(faster, start, y, tooltip=tooltip)
        ends = floored.mark_tick(color=INK, thickness=2, size=24, aria=False).encode(floor, y)
        one = base.mark_rule(color=INK, aria=False).encode(across(alt.XDatum(1)))
        labels = base.mark_text(align="right", fontSize=12.5, fontWeight=600, color=INK)
        labels = labels.encode(across(alt.XDatum(domain[1])), y, alt.Text("label:N"))
        panels.append(
            alt.layer(ground, bars, ends, one, labels).properties(
                width=WIDTH - _VARIANTS - 30,
                height=38 * len(part),
                title=alt.TitleParams(benchmark, dx=-_VARIANTS, fontSize=13),
            )
        )
    key = "Blue and the number: measured. Behind it, up to the line: where a loop at the floor would be."
    return alt.vconcat(*panels, spacing=18).properties(
        title=_title(title, key, costs, -_VARIANTS), description=_speed_in_words(rows, title, costs)
    )


def paths(costs: Costs, *, title: str = "Time of training while pruning") -> alt.ConcatChart:
    """Draw the time of training against the weights that remain, with masks alone and with units left out.

    Args:
        costs: a table of the part `paths`.
        title: of the chart.

    Returns:
        The chart: a panel per network, each with its own unit of time on a vertical axis that begins at 0; the horizontal
        axis is that of `lib.charts.pruning_curves`.

    Raises:
        InputError: the table is of another part.
    """
    rows = _rows(costs, "paths")
    networks = list(dict.fromkeys((row["network"], row["unit"]) for row in rows))
    ways = {MASKS_ALONE: "masks_alone_seconds", LEFT_OUT: "left_out_seconds"}

    def scaled(channel: Any, values: Sequence[Any]) -> Any:
        return channel.title(None).scale(domain=list(ways), range=list(values)).legend(labelLimit=0)

    colour = scaled(alt.Color("way:N"), [PALETTE[0], PALETTE[1]])
    shape = scaled(alt.Shape("way:N"), SHAPES[:2])
    x = alt.X("weights_remaining_percent:Q", title=_AXIS)
    x = x.scale(type="log", reverse=True, nice=False, padding=8)
    x = x.axis(values=_REMAINING, format="~g", labelOverlap="greedy", grid=False)
    panels = []
    for network, unit in networks:
        part = [row for row in rows if (row["network"], row["unit"]) == (network, unit)]
        axis = f"time ({unit})"
        y = alt.Y("seconds:Q", title=axis).scale(zero=True, nice=True).axis(tickCount=5)
        tooltip = [
            alt.Tooltip("network:N"),
            alt.Tooltip("way:N", title="computed with"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
            alt.Tooltip("seconds:Q", title=axis, format=".3~g"),
            alt.Tooltip("times_faster:Q", title="left out, times faster", format=".3~g"),
            alt.Tooltip("computed_percent:Q", title="weights still computed with (%)", format=".3~g"),
        ]
        long = [{**row, "way": way, "seconds": row[column]} for way, column in ways.items() for row in part]
        base = alt.Chart(pd.DataFrame(long))
        lines = [  # dashes by a scale would come out in the legend as dotted points
            base.transform_filter(f"datum.way == '{way}'")
            .mark_line(aria=False, strokeDash=dash)
            .encode(x, y, colour)
            for way, dash in ((MASKS_ALONE, [5, 3]), (LEFT_OUT, [1, 0]))
        ]
        points = base.mark_point(filled=True, size=60, opacity=1).encode(x, y, colour, shape)
        # What the pointer meets: larger than what is seen, so that a finger can meet it too.
        targets = base.mark_point(filled=True, opacity=0).encode(x, y, size=alt.value(250), tooltip=tooltip)
        last = min(part, key=lambda row: row["weights_remaining_percent"])
        # The label goes under the lowest of the points that it could cover.
        near = sorted(part, key=lambda row: row["weights_remaining_percent"])[:4]
        below = last["left_out_seconds"] > 0.12 * max(
            row["seconds"] for row in long
        )  # else it would touch the axis
        text = {
            **last,
            "seconds": min(row["left_out_seconds"] for row in near) if below else last["left_out_seconds"],
            "label": f"{significant(last['times_faster'], 2)}×",
        }
        label = alt.Chart(pd.DataFrame([text])).mark_text(
            align="right", dx=7, dy=16 if below else -14, fontSize=12.5, fontWeight=600, color=PALETTE[1]
        )
        panels.append(
            alt.layer(*lines, points, label.encode(x, y, alt.Text("label:N")), targets).properties(
                width=(WIDTH - 2 * 64 - 24) / 2 if len(networks) > 1 else WIDTH - 80,
                height=230,
                title=alt.TitleParams(network, fontSize=13),
            )
        )
    key = "Number at the end of a line: times faster than masks alone at the same sparsity."
    return (
        alt.concat(*panels, columns=2, spacing=24)
        .resolve_scale(color="shared", shape="shared")
        .properties(title=_title(title, key, costs), description=_paths_in_words(rows, title, costs))
    )


def precisions(costs: Costs, *, title: str = "Difference in test error from float32") -> alt.LayerChart:
    """Draw the paired difference in test error between other precisions and float32, with its standard deviation.

    Args:
        costs: a table of the part `precision`.
        title: of the chart.

    Returns:
        The chart: a row per benchmark, noise, level and precision; float32 is the rule at 0.

    Raises:
        InputError: the table is of another part, or has no difference to draw.
    """
    rows = []
    for row in _rows(costs, "precision"):
        mean, spread = row["difference_mean"], row["difference_std"] or 0.0
        if mean is None or row["precision"] == "float32":
            continue
        noise = wording.noise_name(row["noise_percent"])
        weights = f"{significant(row['weights_remaining_percent'])} % of weights"
        name = f"{row['benchmark']}; {noise} noise, {row['precision']}; {weights}"
        rows.append({**row, "row": name, "low": round(mean - spread, 5), "high": round(mean + spread, 5)})
    if not rows:
        raise InputError(
            f"the part precision of {costs.source.device} has no difference from float32, so there is nothing to draw"
        )
    axis = "test error minus that in float32 (percentage points)"
    tooltip = [
        alt.Tooltip("row:N", title="what"),
        alt.Tooltip("difference_mean:Q", title="mean difference (points)", format="+.3f"),
        alt.Tooltip("difference_std:Q", title="standard deviation", format=".3f"),
        alt.Tooltip("error_percent_mean:Q", title="mean test error (%)", format=".2f"),
        alt.Tooltip("replicates:Q"),
    ]
    base = alt.Chart(pd.DataFrame(rows))
    y = alt.Y("row:N", title=None, sort=[row["row"] for row in rows]).axis(
        labelExpr="split(datum.label, '; ')", labelLimit=_LABELS, labelOffset=-14, grid=True, tickBand="extent",
        domain=False, ticks=False,
    )  # fmt: skip

    def across(field: str) -> alt.X:
        """Place something on the axis, which all layers must describe alike."""
        placed = alt.X(field).title(wording.lines(axis, 34)).scale(nice=True, padding=12)
        return placed.axis(labelOverlap="greedy", labelSeparation=6)

    others = ["bfloat16", "tf32"]
    colour = alt.Color("precision:N", legend=None).scale(domain=others, range=[PALETTE[3], PALETTE[1]])
    shape = alt.Shape("precision:N", legend=None).scale(domain=others, range=list(SHAPES[:2]))
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, aria=False).encode(across("zero:Q"))
    bars = base.mark_rule(strokeWidth=2, aria=False).encode(across("low:Q"), alt.X2("high:Q"), y, colour)
    dots = base.mark_point(filled=True, size=110, opacity=1)
    dots = dots.encode(across("difference_mean:Q"), y, colour, shape, tooltip=tooltip)
    key = "Dots: means, paired by seed. Bars: ± 1 standard deviation. Line at 0: no difference."
    return fitted(alt.layer(zero, bars, dots), height=56 * len(rows)).properties(
        title=_title(title, key, costs, -_LABELS), description=_precisions_in_words(rows, title, costs)
    )


def variant_name(row: Mapping[str, Any]) -> str:
    """Name a variant of the part `epochs`: "this book; bfloat16, stack of 12"."""
    count = row["replicates"]
    return f"{row['variant']}; {row['precision']}, {'1 replicate' if count == 1 else f'stack of {count}'}"


def machine(costs: Costs) -> str:
    """Say on what a table was measured and when, for charts: "2 CPU cores (AMD EPYC), 2 threads, 2026-11-20"."""
    return f"{costs.source.device}, {costs.source.counted_threads}, {costs.source.date.isoformat()}"


def _floor_times(row: Mapping[str, Any]) -> float | None:
    """Return how many times faster a loop at the floor would be; that of the conventional loop is said by the others."""
    if row["variant"] == CONVENTIONAL or not row["floor_seconds"]:
        return None
    return round(row["times_faster"] * row["seconds_per_replicate_epoch"] / row["floor_seconds"], 5)


def _rows(costs: Costs, part: str) -> Rows:
    if costs.part != part:
        raise InputError(f"this chart draws the part {part!r} of book/costs, not {costs.part!r}")
    return list(costs.rows)


def _title(title: str, key: str, costs: Costs, dx: int = LEFT) -> alt.TitleParams:
    lines = [*wording.lines(f"{machine(costs)}."), *wording.lines(key)]
    return alt.TitleParams(text=wording.lines(title, wording.TITLE_LINE), subtitle=lines, dx=dx)


def _speed_in_words(rows: Rows, title: str, costs: Costs) -> str:
    parts = [f"Bar chart. {title}. {machine(costs)}."]
    for row in rows:
        if row["variant"] != CONVENTIONAL:
            text = f"{row['benchmark']}, {row['row']}: {significant(row['times_faster'], 2)} times faster"
            floor = row["floor_times"]
            parts.append(f"{text}, at the floor {significant(floor, 2)} times." if floor else f"{text}.")
    return " ".join(parts)


def _paths_in_words(rows: Rows, title: str, costs: Costs) -> str:
    parts = [
        f"Line chart. {title}: time against weights remaining (%), 100 % on the left.",
        f"Two lines: {MASKS_ALONE}, and {LEFT_OUT}. {machine(costs)}.",
    ]
    for network in dict.fromkeys(row["network"] for row in rows):
        part = [row for row in rows if row["network"] == network]
        part.sort(key=lambda row: -row["weights_remaining_percent"])
        for row in (part[0], part[-1])[: len(part)]:
            parts.append(
                f"{network} at {significant(row['weights_remaining_percent'])} % of the weights: "
                f"{significant(row['masks_alone_seconds'])} {row['unit']} with masks alone, "
                f"{significant(row['left_out_seconds'])} with units left out."
            )
    return " ".join(parts)


def _precisions_in_words(rows: Rows, title: str, costs: Costs) -> str:
    parts = [f"Dot plot. {title}, in percentage points. {machine(costs)}."]
    for row in rows:
        spread = "" if row["difference_std"] is None else f" ± {row['difference_std']:.2f}"
        parts.append(f"{row['row']}: {row['difference_mean']:+.2f}{spread}.")
    return " ".join(parts)
