"""What two ways to make a network smaller do to easy and hard examples (TR Fig. 13).

Training examples are sorted by their EL2N score into groups of equal size, 1 being the easiest. Each algorithm is drawn at
its best smaller network (`lib.analysis.chosen_levels`), as the change of each group's loss against the dense network.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from lib.analysis.chosen_levels import best_smaller_levels
from lib.analysis.group_changes import loss_changes
from lib.analysis.statistics import at_level, optimal_level
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.curves import coloured_algorithms, draw
from lib.charts.parts import menu
from lib.charts.theme import INK
from lib.errors import InputError

_AXIS = "change of training loss (nats)"
_GROUPS = [1, 5, 10, 15, 20]


def loss_change_of_groups(
    tables: Sequence[Table],
    algorithms: Sequence[str],
    *,
    title: str = "Whose loss changes when a network gets smaller",
) -> alt.LayerChart:
    """Draw how the mean training loss of each group of examples changes, a line per algorithm, one noise level at a time.

    Lines are means over replicates, bands one sample standard deviation to either side; above zero the smaller network fits
    a group worse than the dense one does.

    Args:
        tables: measured tables; those without losses by group are left out, the first of the others is shown at the start.
        algorithms: whose best smaller network to draw.
        title: of the chart.

    Returns:
        The chart, with menus for table and noise (where there are several), hover, and legend click. It begins with the
        highest noise level.

    Raises:
        InputError: no table has losses by group of these algorithms.
    """
    pieces = {
        name: _changes(table, algorithms).assign(table=name)
        for name, table in zip(wording.table_names(tables), tables, strict=True)
    }
    kept = [(name, table) for name, table in zip(pieces, tables, strict=True) if len(pieces[name])]
    if not kept:
        raise InputError(
            f"no table has losses by EL2N group of {' or '.join(algorithms)}; run the page with recompute=True"
        )
    names = [name for name, _ in kept]
    data = pd.concat([pieces[name] for name in names], ignore_index=True)
    noises = sorted({float(noise) for noise in data["noise_percent"]})
    shown = wording.noise_name(max(data.loc[data["table"] == names[0], "noise_percent"]))
    options = [wording.noise_name(noise) for noise in noises]
    notes = [_note(table, algorithms, pieces[name], noises) for name, table in kept]
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, strokeWidth=1, aria=False)
    x = alt.X("group:Q", title="group of examples, easiest to hardest (EL2N)")
    return draw(
        data.drop(columns=["noise_percent"]),
        names,
        notes,
        x=x.scale(zero=False, nice=False, padding=8).axis(grid=False, values=_GROUPS, format="d"),
        axis=_AXIS,
        series="algorithm",
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 3")},
        domain=coloured_algorithms(tables, algorithms),
        tooltip=[
            alt.Tooltip("algorithm:N"),
            alt.Tooltip("noise:N", title="label noise"),
            alt.Tooltip("group:Q", title="group"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        ],
        digits=4,
        title=title,
        key="Mean over replicates, ± 1 standard deviation. Zero: the dense network. Each at its optimum.",
        description=_in_words(data, shown, f"Line chart. {title}: {_AXIS}", notes),
        controls=[menu("noise_menu", "Label noise: ", options, shown)] if len(options) > 1 else [],
        keep="datum.noise == noise_menu" if len(options) > 1 else "",
        dense="none",
        along="group",
        more=[zero.encode(y=alt.Y("zero:Q", title=_AXIS))],
    )


def _changes(table: Table, algorithms: Sequence[str]) -> pd.DataFrame:
    """Average the changes over replicates: a row per algorithm, noise level and group."""
    frame, rows = table.frame, []
    for (name, noise), level in best_smaller_levels(frame).items():
        if name not in algorithms:
            continue
        changes = loss_changes(table, name, noise, level).dropna()
        if changes.empty:
            continue
        weights, epochs = (
            float(at_level(frame, name, noise, level, "test", column).mean())
            for column in ("weights_remaining_percent", "epochs_trained")
        )
        values = changes.to_numpy(dtype="float64")
        means = values.mean(axis=0)
        spreads = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(means), np.nan)
        for group, mean, std in zip(changes.columns.tolist(), means, spreads, strict=True):
            rows.append(
                {
                    "algorithm": wording.algorithm_name(name),
                    "noise_percent": noise,
                    "noise": wording.noise_name(noise),
                    "level": level,
                    "weights_remaining_percent": round(weights, 3),
                    "epochs_trained": epochs,
                    "group": int(group),
                    "mean": round(float(mean), 5),
                    "std": round(float(std), 5),
                    "low": round(float(mean - np.nan_to_num(std)), 5),
                    "high": round(float(mean + np.nan_to_num(std)), 5),
                    "replicates": len(values),
                    "optimum": False,
                }
            )
    return pd.DataFrame(rows)


def _note(table: Table, algorithms: Sequence[str], data: pd.DataFrame, noises: Sequence[float]) -> str:
    """Say where the numbers come from, and where the dense network is better than every smaller one."""
    whole = len(table.provenance.seeds)
    fewer = data.loc[(data["replicates"] < whole) & (data["group"] == 1)]
    excluded = [
        f"{row['algorithm']}, {whole - row['replicates']} of {whole} replicates at {row['noise']} noise"
        for row in fewer.to_dict("records")
    ]
    text = wording.source_note(table, excluded)
    own = sorted({float(noise) for noise in data["noise_percent"]})
    if own != list(noises):
        text += f" Noise: {', '.join(map(wording.noise_name, own))} only."
    if absent := [n for n in map(wording.algorithm_name, algorithms) if n not in set(data["algorithm"])]:
        text += f" Not measured yet: {', '.join(absent)}."
    drawn = {(row["algorithm"], row["noise"]) for row in data.to_dict("records")}
    dense_is_best = [
        " at ".join(names)
        for case in best_smaller_levels(table.frame)
        if (names := (wording.algorithm_name(case[0]), wording.noise_name(case[1]))) in drawn
        and optimal_level(table.frame, *case) == 0
    ]
    if dense_is_best:
        text += f" Dense is better still, the best smaller network is drawn: {'; '.join(dense_is_best)}."
    return text


def _in_words(data: pd.DataFrame, shown: str, opening: str, notes: Sequence[str]) -> str:
    """Put the first table at one noise level into words: each line at the easiest, a middle and the hardest group."""
    last = data["group"].max()
    parts = [
        f"{opening} against group of examples, from 1, the easiest, to {last}, at {shown} noise.",
        notes[0],
    ]
    first = data.loc[(data["table"] == data["table"].iloc[0]) & (data["noise"] == shown)]
    for name in dict.fromkeys(first["algorithm"]):
        line = first.loc[first["algorithm"] == name]
        means = dict(zip(line["group"], line["mean"], strict=True))
        told = ", ".join(
            f"{means[at]:+.4f} in group {at}" for at in (1, (last + 1) // 2, last) if at in means
        )
        weights = float(line["weights_remaining_percent"].max())
        parts.append(f"{name}, {weights:.3g} % of the weights: {told}.")
    menus = ["noise levels"] * (data["noise"].nunique() > 1) + ["tables of results"] * (len(notes) > 1)
    return " ".join([*parts, *(f"A menu switches between {what}." for what in menus)])
