"""Loss changes of examples in groups by difficulty: what a network fits better or worse than the dense one.

As in TR Fig. 1b, 2, 5 and 18 to 20: examples are sorted by EL2N into 20 groups, the easiest on the left. A point is the mean
over replicates of ΔL_g = L_g[network] − L_g[dense], its band one sample standard deviation of these paired differences to
either side; below zero the network fits the group better. Easy examples change by thousandths of what hard ones do, so the
axis is linear around zero and logarithmic beyond ("symlog"). How a line is drawn stands in `lib.charts.curves`.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from lib.analysis.group_changes import group_values, loss_changes, mean_scores, measured_levels
from lib.analysis.levels import highest_improving_level
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.algorithms import EXTENDED_DENSE_TRAINING
from lib.charts.averages import LEARNING_RATE_REWINDING, averages, optima
from lib.charts.curves import draw
from lib.charts.parts import LEADING, menu, one_table
from lib.charts.theme import INK, LEFT
from lib.errors import InputError

BEST, HIGHEST = "lowest validation error", "sparsest that improves"
_AXIS = "change of training loss (nats)"
_KEY = "Below 0: fitted better than by the dense network. Mean, ± 1 standard deviation."
_DECADES = 3  # that the logarithmic part of the axis spans at most to either side
_UNBOUNDED = 1e9

Line = tuple[float, int, str]
"""Noise in percent and level of a network, and the name of the line that shows it."""


def change_at_two_levels(
    tables: Sequence[Table],
    *,
    algorithm: str = LEARNING_RATE_REWINDING,
    noise_percent: float | None = None,
    title: str = "Which examples pruning helps",
) -> alt.LayerChart:
    """Draw the loss change of each group at the two levels of interest, without noise (TR Fig. 1b and 2).

    Args:
        tables: measured tables with losses of groups; the first is shown until the menu is used.
        algorithm: whose networks.
        noise_percent: at which label noise; by default the lowest of each table.
        title: of the chart.

    Returns:
        The chart, a line for the level with the lowest validation error and one for the last level whose test error is
        below that of the dense network, with hover, legend click and a menu of tables where there are several. Where the
        dense network is best, its line is zero; where no level improves, there is no second line. The note says so.

    Raises:
        InputError: no table has anything to draw.
    """
    pieces, names, notes = [], [], []
    for name, table in _with_groups(tables, algorithm):
        noise = min(_noises(table)) if noise_percent is None else noise_percent
        levels = _two_levels(table, algorithm, noise)
        lines = [(noise, level, line) for line, level in levels.items() if level is not None]
        found = {line: f"level {level}" for line, level in levels.items()}
        found |= {line: "the dense network" for line, level in levels.items() if level == 0}
        found |= {line: "none" for line, level in levels.items() if level is None}
        if lines:
            pieces += [_changes(name, table, algorithm, *line) for line in lines]
            names.append(name)
            words = "; ".join(f"{line}: {what}" for line, what in found.items())
            notes.append(
                f"{_note(table, algorithm, lines)} {wording.noise_name(noise)} label noise. {words[0].upper()}{words[1:]}."
            )
    return _drawn(
        pieces,
        names,
        notes,
        series="line",
        domain=[BEST, HIGHEST],
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 2")},
        title=title,
        opening=f"{title}: two networks of {wording.algorithm_name(algorithm)}.",
    )


def change_at_optimum(
    tables: Sequence[Table],
    *,
    algorithm: str = LEARNING_RATE_REWINDING,
    title: str = "The optimally sparse network under label noise",
) -> alt.LayerChart:
    """Draw the loss change of each group at the level with the lowest validation error (TR Fig. 5).

    Args:
        tables, algorithm, title: see `change_at_two_levels`.

    Returns:
        The chart, a line for each noise level, 0 % among them. Where the dense network is best its line is zero, and the
        note says so.

    Raises:
        InputError: no table has anything to draw.
    """
    pieces, names, notes = [], [], []
    every = sorted({noise for table in tables for noise in _noises(table)})
    for name, table in _with_groups(tables, algorithm):
        best = {noise: _two_levels(table, algorithm, noise)[BEST] for noise in _noises(table)}
        lines = [
            (noise, level, wording.noise_name(noise)) for noise, level in best.items() if level is not None
        ]
        dense = [wording.noise_name(noise) for noise, level in best.items() if level == 0]
        if lines:
            pieces += [_changes(name, table, algorithm, *line) for line in lines]
            names.append(name)
            also = f" The dense network is best at {', '.join(dense)}." if dense else ""
            notes.append(_note(table, algorithm, lines) + also)
    return _drawn(
        pieces,
        names,
        notes,
        series="noise",
        domain=[wording.noise_name(noise) for noise in every],
        legend={"title": "Noise"},
        title=title,
        opening=f"{title}: {wording.algorithm_name(algorithm)}, a line for each share of wrong labels.",
    )


def change_at_each_level(
    tables: Sequence[Table], algorithm: str, *, title: str, noise_percent: float = 0.0
) -> alt.LayerChart:
    """Draw the loss change of each group at one level at a time, with a slider over levels (TR Fig. 18, 19 and 20).

    Args:
        tables, title: see `change_at_two_levels`.
        algorithm: whose networks.
        noise_percent: the noise level that is shown at the start, if there is such a one.

    Returns:
        The chart with a slider, and a menu of noise levels where there are several. Where not every level was measured,
        the nearest one is shown. Text in the chart says which level it is, its size (or length of training, of extended
        dense training) and its test error, as TR's titles do. The vertical axis keeps its range while the slider moves.

    Raises:
        InputError: no table has anything to draw.
    """
    pieces, captions, names, notes = [], [], [], []
    for name, table in _with_groups(tables, algorithm):
        lines = []
        for noise in _noises(table):
            levels = [level for level in measured_levels(table, algorithm, noise) if level > 0]
            limits = [(a + b) / 2 for a, b in zip(levels, levels[1:], strict=False)]
            for level, first, last in zip(levels, [-1.0, *limits], [*limits, _UNBOUNDED], strict=True):
                line = (noise, level, wording.noise_name(noise))
                nearest = {"first": first, "last": last}
                pieces.append(_changes(name, table, algorithm, *line).assign(**nearest))
                said = _caption(table, algorithm, noise, level)
                captions.append({"table": name, "noise": line[-1], "level": level, "caption": said} | nearest)
                lines.append(line)
        if lines:
            names.append(name)
            notes.append(_note(table, algorithm, lines))
    if not pieces:
        raise _nothing()
    data, said = pd.concat(pieces, ignore_index=True), pd.DataFrame(captions)
    noises = sorted(data["noise_percent"].unique())
    options, last = [wording.noise_name(noise) for noise in noises], max(map(int, data["level"]))
    begin = wording.noise_name(noise_percent) if noise_percent in noises else options[0]
    controls, of_noise, of_level = [], [], []
    if len(options) > 1:
        controls.append(menu("noise_menu", "Label noise: ", options, begin))
        of_noise = ["datum.noise == noise_menu"]
    if last > 1:
        slider = alt.binding_range(min=1, max=last, step=1, name="Level: ")
        controls.append(alt.param(name="level_slider", value=1, bind=slider))
        of_level = ["level_slider > datum.first && level_slider <= datum.last"]

    text = _kept(said.drop(columns="level"), names, of_noise + of_level).mark_text(
        align="left",
        baseline="top",
        lineBreak="\n",
        lineHeight=LEADING,
        fontSize=12,
        fontWeight=600,
        color=INK,
    )
    text = text.encode(x=alt.value(LEFT), y=alt.value(-2 * LEADING - 6), text="caption:N")
    # What all levels of this noise reach: points that are not seen hold the axis while the slider moves.
    ends = data.groupby(["table", "noise"], as_index=False, sort=False).agg({"low": "min", "high": "max"})
    ends = ends.melt(["table", "noise"], value_name="end")
    held = _kept(ends, names, of_noise).mark_point(opacity=0, aria=False)
    held = held.encode(y=alt.Y("end:Q", title=_AXIS))

    shown = (data["noise"] == begin) & (data["first"] < 1) & (data["last"] >= 1)
    first = said.loc[(said["noise"] == begin) & (said["first"] < 1), "caption"].iloc[0].replace("\n", ". ")
    return _drawn(
        [data],
        names,
        notes,
        series="noise",
        domain=[wording.noise_name(noise) for noise in sorted({n for t in tables for n in _noises(t)})],
        legend={"title": "Noise"},
        title=title,
        opening=f"{title}: {wording.algorithm_name(algorithm)}. A slider goes through {last} levels"
        + (", a menu through the shares of wrong labels" if len(options) > 1 else "")
        + f". At the start: {first}.",
        described=data.loc[shown],
        controls=controls,
        keep=" && ".join(of_noise + of_level),
        room=2,
        more=[held, text],
    )


def _with_groups(tables: Sequence[Table], algorithm: str) -> Iterator[tuple[str, Table]]:
    """The tables that have losses of groups for an algorithm, with their names in the menu."""
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        if any(measured_levels(table, algorithm, noise) for noise in _noises(table)):
            yield name, table


def _noises(table: Table) -> list[float]:
    return sorted({float(noise) for noise in table.frame["noise_percent"]})


def _two_levels(table: Table, algorithm: str, noise: float) -> dict[str, int | None]:
    """The two levels of interest, None where there is none or its groups were not measured."""
    measured = measured_levels(table, algorithm, noise)
    highest = highest_improving_level(table.frame, algorithm, noise)
    found = {BEST: optima(table, algorithm)[0].get(noise), HIGHEST: highest}
    return {name: level if level in measured else None for name, level in found.items()}


def _changes(name: str, table: Table, algorithm: str, noise: float, level: int, line: str) -> pd.DataFrame:
    """Average the changes at one level: a row per group, the easiest first."""
    changes = loss_changes(table, algorithm, noise, level)
    means, spread, width = changes.mean(), changes.std(ddof=1), 100 / changes.shape[1]
    groups = np.arange(1, changes.shape[1] + 1)
    place = averages(table, "error_percent", "test", algorithm)
    place = place.loc[(place["noise_percent"] == noise) & (place["level"] == level)].iloc[0]
    numbers = {
        "mean": means,
        "std": spread,
        "low": means - spread.fillna(0),
        "high": means + spread.fillna(0),
        "dense_loss": group_values(table, algorithm, noise, 0).mean(),
        "el2n": mean_scores(table, noise).reindex(means.index),
    }
    rounded = {key: [float(f"{value:.4g}") for value in values] for key, values in numbers.items()}
    return pd.DataFrame(
        {
            "table": name,
            "line": line,
            "noise": wording.noise_name(noise),
            "noise_percent": noise,
            "level": level,
            "percentile": (groups - 0.5) * width,
            "share": [f"{(group - 1) * width:g} to {group * width:g} %" for group in groups],
            **rounded,
            "replicates": changes.count().to_numpy(),
            "weights_remaining_percent": round(float(place["weights_remaining_percent"]), 4),
            "epochs_trained": int(place["epochs_trained"]),
        }
    )


def _note(table: Table, algorithm: str, lines: Sequence[Line]) -> str:
    """Say where the lines come from, and which replicates their means lack."""
    absent = []
    for noise, level, _ in lines:
        there = loss_changes(table, algorithm, noise, level).dropna().index
        absent += [
            f"seed {seed} at {noise:g} % noise, level {level}"
            for seed in table.provenance.seeds
            if seed not in there
        ]
    return wording.source_note(table, absent)


def _caption(table: Table, algorithm: str, noise: float, level: int) -> str:
    """Say what network a level is, and its test error, in two lines that fit on a phone."""
    error = averages(table, "error_percent", "test", algorithm)
    error = error.loc[error["noise_percent"] == noise].set_index("level")
    here, dense = error.loc[level], error.loc[0, "mean"]
    several = f" ± {here['std']:.2f}" if here["replicates"] > 1 else ""
    if algorithm == EXTENDED_DENSE_TRAINING:
        network = f"{here['epochs_trained']:g} epochs of training"
    else:
        network = f"{here['weights_remaining_percent']:.3g} % of the weights"
    return f"Level {level}: {network}\nTest error {here['mean']:.2f}{several} %, dense {dense:.2f} %"


def _kept(data: pd.DataFrame, names: Sequence[str], conditions: Sequence[str]) -> alt.Chart:
    """A chart of the rows that menus and slider choose."""
    chart = one_table(alt.Chart(data), names)
    return chart.transform_filter(" && ".join(conditions)) if conditions else chart


def _symlog(data: pd.DataFrame) -> tuple[float, list[float]]:
    """Choose where the axis turns from linear to logarithmic, a power of ten, and its ticks: powers of ten from there on."""
    sizes = np.abs(data["mean"].to_numpy())
    largest = float(np.nanmax(np.abs(data[["low", "high"]].to_numpy()))) or 1.0
    small = float(np.quantile(sizes[sizes > 0], 0.25)) if np.any(sizes > 0) else largest
    top = math.floor(math.log10(largest))
    bottom = min(max(math.floor(math.log10(small)), top - _DECADES), top)
    powers = [float(f"1e{power}") for power in range(bottom, top + 1)]
    return powers[0], [*(-power for power in reversed(powers)), 0.0, *powers]


def _drawn(
    pieces: Sequence[pd.DataFrame],
    names: Sequence[str],
    notes: Sequence[str],
    *,
    series: str,
    title: str,
    opening: str,
    described: pd.DataFrame | None = None,
    more: Sequence[alt.Chart] = (),
    **settings: Any,
) -> alt.LayerChart:
    """Draw lines over groups, with the zero line and the symlog axis; `settings` go to `lib.charts.curves.draw`."""
    if not pieces:
        raise _nothing()
    data = pd.concat(pieces, ignore_index=True)
    unit, ticks = _symlog(data)
    y = alt.Y("mean:Q", title=_AXIS)
    if np.any(data["mean"].to_numpy()):
        y = y.scale(type="symlog", constant=unit, nice=False, padding=8)
    else:  # the dense network is best: nothing but zero
        y = y.scale(type="symlog", constant=unit, domain=[-unit, unit])
    sign = "(datum.value < 0 ? '−' : datum.value > 0 ? '+' : '') + format(abs(datum.value), '~g')"
    x = alt.X("percentile:Q", title="EL2N percentile (%), hardest right").scale(domain=[0, 100])
    zero = alt.Chart(pd.DataFrame({"end": [0.0]})).mark_rule(color=INK, strokeWidth=1.6, aria=False)
    tooltip = [
        alt.Tooltip("share:N", title="EL2N percentile"),
        alt.Tooltip("el2n:Q", title="mean EL2N", format=".3~g"),
        alt.Tooltip("noise:N", title="label noise"),
        alt.Tooltip("dense_loss:Q", title="dense network's loss (nats)", format=".3~g"),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
    ]
    own = "line" if series == "noise" else ""  # the line's name is said by the noise then
    return draw(
        data.drop(columns=["noise_percent", *filter(None, [own])]).assign(optimum=False),
        names,
        notes,
        x=x.axis(values=list(range(0, 101, 20)), grid=False),
        axis=_AXIS,
        series=series,
        tooltip=tooltip,
        digits=5,
        title=title,
        key=_KEY,
        description=_in_words(data if described is None else described, series, opening, notes),
        dense="none",
        vertical=y.axis(values=ticks, labelExpr=sign),
        along="percentile",
        more=[*more, zero.encode(y=alt.Y("end:Q", title=_AXIS))],
        **settings,
    )


def _in_words(data: pd.DataFrame, series: str, opening: str, notes: Sequence[str]) -> str:
    """Put the lines of the first table into words: how many groups rise and fall, and by how much the ends do."""
    parts = [f"Line chart of loss changes over groups of examples. {opening}", notes[0]]
    for name, own in data.loc[data["table"] == data["table"].iloc[0]].groupby(series, sort=False):
        fall, rise = int((own["mean"] < 0).sum()), int((own["mean"] > 0).sum())
        easiest, hardest = own.sort_values("percentile")["mean"].iloc[[0, -1]]
        parts.append(
            f"{name}: the loss falls in {fall} and rises in {rise} of {len(own)} groups; "
            f"easiest {easiest:+.2g}, hardest {hardest:+.2g} nats."
        )
    if len(notes) > 1:
        parts.append(f"A menu switches between {len(notes)} tables; the numbers here are of the first.")
    return " ".join(parts)


def _nothing() -> InputError:
    return InputError(
        "no table has losses of groups of examples to draw; measure the page `better_training` with all of its "
        "algorithms and seeds (`recompute=True`)"
    )
