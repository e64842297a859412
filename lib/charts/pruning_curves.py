"""Curves over pruning: one number against the weights that remain, a line per noise level (TR Fig. 3 and Fig. 4).

Every chart draws one table at a time: where there are several (scales, machines), a menu switches. How a curve is drawn
stands in `lib.charts.curves`.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import LEARNING_RATE_REWINDING
from lib.charts.curves import curve_data, describe, draw, note, weights_axis
from lib.charts.parts import menu
from lib.errors import InputError

ALL = "all"
PARTITIONS = {"train_noisy": "noisy examples", "train_original": "original examples"}


def error_against_weights_remaining(
    tables: Sequence[Table],
    *,
    title: str = "Test error against weights remaining",
    algorithm: str = LEARNING_RATE_REWINDING,
    marked: tuple[float, int] | None = None,
) -> alt.LayerChart:
    """Draw test error while pruning, one line per label-noise level (TR Fig. 3).

    Args:
        tables: measured tables; the first is shown until the menu is used.
        title: of the chart.
        algorithm: whose rows to draw.
        marked: (noise_percent, level) of one point to ring; None for none.

    Returns:
        The chart, with menus for table (if several) and noise, hover, and legend click.

    Raises:
        InputError: no table, two of the same label, or rows that the chart needs are not there.
    """
    data = curve_data(tables, "error_percent", {"test": "test set"}, algorithm)
    data["marked"] = False
    if marked is not None:
        data["marked"] = (data["noise_percent"] == marked[0]) & (data["level"] == marked[1])
        if not bool(data["marked"].any()):
            raise InputError(f"no point at noise_percent {marked[0]:g} and level {marked[1]} to mark")
    return _curves(
        data,
        tables,
        title=title,
        axis="test error (%)",
        key="Mean, ± 1 standard deviation. Dashed: dense network."
        + (" Star: lowest validation error." if bool(data["optimum"].any()) else ""),
        notes=[note(table, "error_percent", ["test"], [algorithm]) for table in tables],
        digits=2,
    )


def loss_by_partition(
    tables: Sequence[Table],
    *,
    title: str = "Training loss on noisy and on original examples",
    algorithm: str = LEARNING_RATE_REWINDING,
    logarithmic: bool = False,
) -> alt.LayerChart:
    """Draw training loss while pruning, for examples with a random label and for those with their own (TR
    Fig. 4).

    Args:
        tables: measured tables; the first is shown until the menu is used.
        title: of the chart.
        algorithm: whose rows to draw.
        logarithmic: draw the loss on a logarithmic axis; then every mean must be positive.

    Returns:
        The chart: solid lines for noisy, dashed lines for original examples; otherwise as
        `error_against_weights_remaining`, without the dense rules.

    Raises:
        InputError: as there; also where no table has noisy examples.
    """
    data = curve_data(tables, "cross_entropy_nats", PARTITIONS, algorithm)
    if logarithmic:
        if min(data["mean"]) <= 0:
            raise InputError("a mean loss of 0 cannot stand on a logarithmic axis; use logarithmic=False")
        data["low"] = data["low"].clip(lower=data["mean"] / 10)  # a band that would reach below zero
    return _curves(
        data,
        tables,
        title=title,
        axis="training cross-entropy (nats)" + (", logarithmic" if logarithmic else ""),
        key="Solid: noisy examples. Dashed: original ones. Mean, ± 1 standard deviation. "
        "Star: lowest validation error.",
        notes=[note(table, "cross_entropy_nats", list(PARTITIONS), [algorithm]) for table in tables],
        digits=3,
        logarithmic=logarithmic,
    )


def _curves(
    data: pd.DataFrame,
    tables: Sequence[Table],
    *,
    title: str,
    axis: str,
    key: str,
    notes: Sequence[str],
    digits: int,
    logarithmic: bool = False,
) -> alt.LayerChart:
    noises = [wording.noise_name(n) for n in sorted(data["noise_percent"].unique())]
    # A noise level has the same colour in every chart of a page, also where another level has nothing to draw.
    every = sorted({float(n) for table in tables for n in table.frame["noise_percent"]})
    partitions = [p for p in PARTITIONS.values() if p in set(data["examples"])]
    several = len(noises) > 1  # a menu of one choice would change nothing
    tooltip = [
        alt.Tooltip("noise:N", title="label noise"),
        *([alt.Tooltip("examples:N", title="examples")] if partitions else []),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
    ]
    return draw(
        data,
        wording.table_names(tables),
        notes,
        x=weights_axis(),
        axis=axis,
        series="noise",
        legend={"title": "Noise"},
        domain=[wording.noise_name(n) for n in every],
        tooltip=tooltip,
        digits=digits,
        title=title,
        key=key,
        description=describe(
            data,
            f"{title}: {axis} against weights remaining (%), 100 % on the left.",
            notes,
            digits,
            line=lambda point: f"{point['noise']} noise, {point['examples']}",
            place=lambda point: f"{point['weights_remaining_percent']:.3g} % of the weights",
        ),
        controls=[menu("noise_menu", "Label noise: ", [ALL, *noises])] if several else [],
        keep=f"noise_menu == '{ALL}' || datum.noise == noise_menu" if several else "",
        dashes=partitions,
        dense="none" if partitions else "each",
        logarithmic=logarithmic,
    )
