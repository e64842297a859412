"""Sparse networks beside what becomes of them when their masks are lifted (LN section 5).

Error after the last epoch against the weights remaining before the masks were lifted, one kind of examples at a time.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.averages import averages, left_out
from lib.charts.curves import WEIGHTS, coloured_algorithms, draw, weights_axis
from lib.charts.epoch_curves import EXAMPLES
from lib.charts.parts import menu
from lib.errors import InputError

SPARSE, REDENSE = "weight_rewinding", "redense_training"
_AXIS = "error after the last epoch (%)"
_COLUMNS = ("level", "weights_remaining_percent", "epochs_trained", "mean", "std", "replicates")


def error_of_sparse_and_redense(
    tables: Sequence[Table],
    subsets: Sequence[str] = ("test", "train_noisy", "train_original"),
    *,
    title: str = "Sparse, and dense again",
) -> alt.LayerChart:
    """Draw the last error of sparse and of re-dense networks, a line each, against weights remaining in the sparse one.

    Args:
        tables: measured tables; those without both algorithms are left out, the first of the others is shown at the start.
        subsets: of `lib.charts.epoch_curves.EXAMPLES`, as a menu offers them.
        title: of the chart.

    Returns:
        The chart, with menus for table and noise (where there are several) and examples. Dashed: the dense network.

    Raises:
        InputError: no table has both.
    """
    both, pieces, notes = (SPARSE, REDENSE), [], []
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        if not set(both) <= set(table.frame["algorithm"]):
            continue
        there = [subset for subset in subsets if subset in set(table.frame["subset"])]
        for algorithm in both:
            for subset in there:
                piece = averages(table, "error_percent", subset, algorithm)[[*_COLUMNS, "noise_percent"]]
                named = {"table": name, "images": EXAMPLES[subset]}
                pieces.append(piece.assign(algorithm=wording.algorithm_name(algorithm), **named))
        lost = [part for one in both for part in left_out(table, "error_percent", "test", one)]
        notes.append(wording.source_note(table, list(dict.fromkeys(lost))))
    if not pieces:
        raise InputError("no table has both sparse and re-dense networks; run the page with recompute=True")
    data = pd.concat(pieces, ignore_index=True)
    spread = data["std"].fillna(0.0)
    data["low"], data["high"] = (data["mean"] - spread).clip(lower=0.0), data["mean"] + spread
    numbers = ["weights_remaining_percent", "mean", "std", "low", "high"]
    data[numbers] = data[numbers].round(4)
    noises = [wording.noise_name(noise) for noise in sorted(data["noise_percent"].unique())]
    data["noise"] = [wording.noise_name(noise) for noise in data["noise_percent"]]
    names, options = list(dict.fromkeys(data["table"])), list(dict.fromkeys(data["images"]))
    controls, conditions = [], []
    for column, label, choices in (("noise", "Label noise: ", noises), ("images", "Examples: ", options)):
        if len(choices) > 1:
            controls.append(menu(f"{column}_menu", label, choices))
            conditions.append(f"datum.{column} == {column}_menu")
    return draw(
        data.drop(columns=["noise_percent"]),
        names,
        notes,
        x=weights_axis(title=WEIGHTS),
        axis=_AXIS,
        series="algorithm",
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 2")},
        domain=coloured_algorithms(tables, both),
        tooltip=[
            alt.Tooltip("algorithm:N"),
            alt.Tooltip("noise:N", title="label noise"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        ],
        digits=2,
        title=title,
        key="Mean, ± 1 standard deviation. Dashed: dense network. Weights remaining before the masks are lifted.",
        description=_in_words(data, noises[0], options[0], title, notes, controls),
        controls=controls,
        keep=" && ".join(conditions),
        dense="one",
    )


def _in_words(
    data: pd.DataFrame,
    noise: str,
    examples: str,
    title: str,
    notes: Sequence[str],
    controls: Sequence[object],
) -> str:
    """Put both lines of the first table into words: the dense, the lowest and the sparsest error."""
    parts = [
        f"Line chart. {title}: {_AXIS} on the {examples} against weights remaining (%), at {noise} noise.",
        notes[0],
    ]
    here = data.loc[
        (data["table"] == data["table"].iloc[0]) & (data["noise"] == noise) & (data["images"] == examples)
    ]
    for name, line in here.groupby("algorithm", sort=False):
        points = line.sort_values("level").to_dict("records")
        lowest = min(points, key=lambda point: point["mean"])
        told = [
            f"{point['mean']:.2f} at {point['weights_remaining_percent']:.3g} % of the weights"
            for point in (points[0], lowest, points[-1])
        ]
        parts.append(f"{name}: {told[0]}, lowest {told[1]}, last {told[2]}.")
    return " ".join([*parts, *(["Menus choose noise and examples."] if controls else [])])
