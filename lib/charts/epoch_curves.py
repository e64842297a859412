"""Errors over the epochs at the telling levels of a network (LN Figs 2 to 4 and 9 to 13).

Either the telling levels are the lines and a menu chooses the examples, or the kinds of examples are the lines and a menu
chooses the level. A line is a mean over replicates, its band one sample standard deviation to either side. Which levels tell
the story stands in `lib.analysis.telling_levels`; it is found anew in each table and at each noise level, so texts in the
chart say how many weights a named network has left. How a line is drawn stands in `lib.charts.curves`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from lib.analysis.epoch_curves import epoch_curve, levels_at, merged_names
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.analysis.telling_levels import NAMES
from lib.charts import wording
from lib.charts.averages import left_out
from lib.charts.curves import draw
from lib.charts.parts import LEADING, menu, one_table
from lib.charts.theme import INK, LEFT
from lib.errors import InputError

EPOCH, ERROR = "epoch", "error (%)"
EXAMPLES = {
    "test": "test set",
    "train": "training set",
    "train_noisy": "noisy examples",
    "train_original": "original examples",
    "train_restored": "restored examples",
}
"""What charts call a subset, in the order of the colours."""

_LISTS = ("epochs_trained", "mean", "std", "low", "high", "replicates")
_KEY = "Mean over replicates, ± 1 standard deviation."
_EMPTY = "no table has errors of every epoch of {}; measure the page on this machine (recompute=True)"


@dataclass(frozen=True)
class _Case:
    """A table at one noise level: its name in the menu, and level and weights remaining (%) by telling name."""

    name: str
    table: Table
    noise_percent: float
    levels: Mapping[str, int]
    weights: Mapping[str, float]


def error_by_level(
    tables: Sequence[Table],
    algorithm: str,
    subsets: Sequence[str] = ("test", "train"),
    *,
    title: str = "Error over the epochs",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw the errors of every epoch, a line for each telling level, on one kind of examples at a time (LN Figs 2 and 9).

    Args:
        tables: measured tables; those without errors of epochs are left out, the first of the others is shown at the start.
        algorithm: whose networks.
        subsets: of `EXAMPLES`, as a menu offers them; the first is shown at the start.
        title: of the chart.
        noise_percent: shown at the start; by default the lowest of the first table.

    Returns:
        The chart, with menus for table and noise (where there are several) and examples, hover, and legend click. The legend
        says how many weights each network has left; where both sweet spots are one level, it is drawn once.

    Raises:
        InputError: no table has anything to draw.
    """
    cases, rows, labels = list(_cases(tables, algorithm)), [], {}
    shown = [subset for subset in subsets if any(_any(case, [algorithm], subset) for case in cases)]
    names, noises, keys = _menus(cases)
    for case in cases:
        labels |= {_joined(case, name, keys): text for name, text in _labels(case).items()}
        for level, same in merged_names(case.levels).items():
            own = {"network": same[0], "weights_remaining_percent": round(case.weights[same[0]], 4)}
            for subset in shown:
                if line := _line(case, [algorithm], level, subset):
                    rows.append(line | own | {"images": EXAMPLES[subset]})
    if not rows:
        raise InputError(_EMPTY.format(wording.algorithm_name(algorithm)))
    options = [EXAMPLES[subset] for subset in shown]
    begin = _beginning(cases, noise_percent)
    controls, conditions = _noise_menu(noises, begin)
    if len(options) > 1:
        controls.append(menu("examples_menu", "Examples: ", options))
        conditions.append("datum.images == examples_menu")
    return _drawn(
        rows,
        names,
        _notes(cases, [algorithm]),
        series="network",
        domain=NAMES,
        label=f"{json.dumps(labels)}[{' + '.join([*keys.values(), 'datum.label'])}] || datum.label + ' (none)'",
        columns=2,
        title=title,
        opening=f"Line chart. {title}: {ERROR} on the {options[0]} against {EPOCH}, at {begin} noise, "
        "a line for each telling level.",
        told=lambda row: row["noise"] == begin and row["images"] == options[0],
        menus=(len(noises) > 1, len(options) > 1, len(names) > 1),
        controls=controls,
        conditions=conditions,
        key=f"{_KEY} In brackets: weights remaining.",
    )


def error_by_examples(
    tables: Sequence[Table],
    phases: Sequence[str],
    subsets: Sequence[str] = ("train_noisy", "train_original", "train_restored"),
    *,
    title: str = "Which examples are learned",
    noise_percent: float | None = None,
    network: str = "dense",
) -> alt.LayerChart:
    """Draw the errors of every epoch, a line for each kind of examples, of one network at a time (LN Figs 3, 4, 10 to 13).

    Args:
        tables, title, noise_percent: see `error_by_level`.
        phases: the algorithm whose networks are drawn and choose the telling levels; where a second one follows, it goes on
            training them, and a rule stands where it begins.
        subsets: of `EXAMPLES`.
        network: of `lib.analysis.telling_levels.NAMES`, shown at the start.

    Returns:
        The chart, with menus for table and noise (where there are several) and network, hover, and legend click. The
        vertical axis is the same for all networks; a line of text says how many weights the shown one has left.

    Raises:
        InputError: no table has anything to draw.
    """
    cases, rows, captions = list(_cases(tables, phases[0])), [], []
    shown = [subset for subset in EXAMPLES if subset in subsets]
    names, noises, _ = _menus(cases)
    for case in cases:
        place = {"table": case.name, "noise": wording.noise_name(case.noise_percent)}
        texts = _labels(case, whole=True)
        captions += [
            place | {"network": name, "caption": texts.get(name, f"no {name} at {place['noise']} noise")}
            for name in NAMES
        ]
        for name, level in case.levels.items():
            own = {"network": name, "weights_remaining_percent": round(case.weights[name], 4)}
            for subset in shown:
                if line := _line(case, phases, level, subset):
                    rows.append(line | own | {"examples": EXAMPLES[subset]})
    if not rows:
        raise InputError(_EMPTY.format(wording.algorithm_name(phases[0])))
    begin = _beginning(cases, noise_percent)
    controls, conditions = _noise_menu(noises, begin)
    controls.append(menu("network_menu", "Network: ", NAMES, network))
    conditions.append("datum.network == network_menu")
    text = one_table(alt.Chart(pd.DataFrame(captions)), names).transform_filter(" && ".join(conditions))
    text = text.mark_text(align="left", baseline="top", fontSize=12, fontWeight=600, color=INK)
    more = [text.encode(x=alt.value(LEFT), y=alt.value(-LEADING - 6), text="caption:N")]
    lifts = pd.DataFrame(_lifts(cases, phases))
    if len(lifts):
        rule = one_table(alt.Chart(lifts), names).mark_rule(color=INK, strokeDash=[2, 3], aria=False)
        more.append(rule.encode(x=alt.X("end:Q", title=EPOCH)))
    end = (
        f" Dotted: the end of {wording.algorithm_name(phases[0])}; then all weights train."
        if len(lifts)
        else ""
    )
    return _drawn(
        rows,
        names,
        _notes(cases, phases),
        series="examples",
        domain=EXAMPLES.values(),
        label="datum.label",
        columns=3,
        title=title,
        opening=f"Line chart. {title}: {ERROR} against {EPOCH}, at {begin} noise, a line for each kind of examples, "
        f"of the network called {network}.{end}",
        told=lambda row: row["noise"] == begin and row["network"] == network,
        menus=(len(noises) > 1, True, len(names) > 1),
        controls=controls,
        conditions=conditions,
        key=_KEY + end,
        whole=True,
        more=more,
        room=1,
    )


def _cases(tables: Sequence[Table], algorithm: str) -> Iterator[_Case]:
    """Find the telling levels of every table that has errors of epochs, at each of its noise levels."""
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        frame, quantities = table.frame, table.quantities
        for noise in sorted({float(one) for one in frame["noise_percent"]}):
            levels = levels_at(frame, quantities, algorithm, noise)
            weights = select(frame, algorithm, noise, "test", "weights_remaining_percent").mean()
            left = dict(zip(weights.index.tolist(), weights.tolist(), strict=True))
            case = _Case(name, table, noise, levels, {one: left[at] for one, at in levels.items()})
            if any(_any(case, [algorithm], subset) for subset in EXAMPLES):
                yield case


def _any(case: _Case, phases: Sequence[str], subset: str) -> bool:
    return any(_line(case, phases, level, subset) for level in set(case.levels.values()))


def _line(case: _Case, phases: Sequence[str], level: int, subset: str) -> dict:
    """Average a network's errors over replicates: a row with a list over the kept epochs in each of the columns `_LISTS`,
    one algorithm after the other; empty where there are none."""
    noise, line = case.noise_percent, {name: [] for name in _LISTS}
    for algorithm in phases:
        errors = epoch_curve(case.table.quantities, algorithm, noise, level, subset)
        numbers = (errors.mean(), errors.std(ddof=1), errors.count())
        columns = (errors.columns.tolist(), *(one.tolist() for one in numbers))
        for epoch, mean, std, count in zip(*columns, strict=True):
            band = 0.0 if math.isnan(std) else std
            values = (int(epoch), mean, None if math.isnan(std) else std, mean - band, mean + band, count)
            for name, value in zip(_LISTS, values, strict=True):
                line[name].append(round(value, 2) if isinstance(value, float) else value)
    names = {"table": case.name, "noise": wording.noise_name(noise), "level": level}
    return names | line if line["mean"] else {}


def _lifts(cases: Sequence[_Case], phases: Sequence[str]) -> list[dict]:
    """Return the last epoch of the first algorithm for each table where a second one goes on."""
    ends = {}
    for case in cases:
        for level in case.levels.values():
            first, *later = (
                epoch_curve(case.table.quantities, one, case.noise_percent, level, "test") for one in phases
            )
            if not first.empty and any(not one.empty for one in later):
                ends[case.name] = float(max(first.columns.tolist()))
    return [{"table": name, "end": end} for name, end in ends.items()]


def _labels(case: _Case, whole: bool = False) -> dict[str, str]:
    """Say of each telling level how many weights it has left; of a second name of a level, which one it is.

    Args:
        case: whose.
        whole: spell a sentence, and repeat the number for a second name.
    """
    labels = {}
    for same in merged_names(case.levels).values():
        size = f"{case.weights[same[0]]:.3g} %"
        if whole:
            labels |= {name: f"{name}: {size} of the weights" for name in same}
        else:
            labels |= {same[0]: f"{same[0]} ({size})"} | {name: f"{name} (as {same[0]})" for name in same[1:]}
    return labels


def _menus(cases: Sequence[_Case]) -> tuple[list[str], list[str], dict[str, str]]:
    """Return the names of tables and of noise levels, and the menus that a legend's labels depend on, as expressions."""
    names = list(dict.fromkeys(case.name for case in cases))
    noises = [wording.noise_name(noise) for noise in sorted({case.noise_percent for case in cases})]
    keys = {"name": "table_menu"} if len(names) > 1 else {}
    return names, noises, keys | ({"noise": "noise_menu"} if len(noises) > 1 else {})


def _joined(case: _Case, name: str, keys: Mapping[str, str]) -> str:
    parts = {"name": case.name, "noise": wording.noise_name(case.noise_percent)}
    return "".join([*(parts[key] for key in keys), name])


def _beginning(cases: Sequence[_Case], noise_percent: float | None) -> str:
    """Return the name of the noise level that is shown at the start."""
    own = [case.noise_percent for case in cases if case.name == cases[0].name]
    return wording.noise_name(noise_percent if noise_percent in own else min(own))


def _noise_menu(noises: Sequence[str], begin: str) -> tuple[list[alt.Parameter], list[str]]:
    if len(noises) < 2:
        return [], []
    return [menu("noise_menu", "Label noise: ", noises, begin)], ["datum.noise == noise_menu"]


def _notes(cases: Sequence[_Case], algorithms: Sequence[str]) -> list[str]:
    """Say where each table's lines come from, which replicates they lack, and which noise levels."""
    every = {case.noise_percent for case in cases}
    notes = {}
    for case in cases:
        there = [name for name in algorithms if name in set(case.table.frame["algorithm"])]
        lost = [part for name in there for part in left_out(case.table, "error_percent", "test", name)]
        own = sorted({one.noise_percent for one in cases if one.name == case.name})
        text = wording.source_note(case.table, list(dict.fromkeys(lost)))
        text += "" if set(own) == every else f" Noise: {', '.join(map(wording.noise_name, own))} only."
        absent = [wording.algorithm_name(name) for name in algorithms if name not in there]
        notes[case.name] = text + (f" Not measured yet: {', '.join(absent)}." if absent else "")
    return list(notes.values())


def _drawn(
    rows, names, notes, *, series, domain, label, columns, title, opening, told, menus, controls, conditions,
    key=_KEY, whole=False, more=(), room=0,
) -> alt.LayerChart:  # fmt: skip
    """Draw lines over epochs; `told` says which rows are put into words, `menus` which of noise, second and table exist."""
    offered = [
        what
        for what, there in zip(("noise levels", "examples or networks", "tables"), menus, strict=True)
        if there
    ]
    words = [opening, notes[0], *_in_words([row for row in rows if told(row)], series)]
    words += [f"Menus switch between {', '.join(offered)}."] if offered else []
    y = alt.Y("mean:Q", title=ERROR)
    return draw(
        pd.DataFrame(rows),
        names,
        notes,
        x=alt.X("epochs_trained:Q", title=EPOCH).scale(zero=True, nice=False, padding=8).axis(grid=False),
        axis=ERROR,
        series=series,
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef(f"width < 420 ? 1 : {columns}"), "labelExpr": label},
        domain=list(domain),
        tooltip=[
            alt.Tooltip(f"{series}:N"),
            alt.Tooltip("noise:N", title="label noise"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        ],
        digits=2,
        title=title,
        key=key,
        description=" ".join(words),
        controls=controls,
        keep=" && ".join(conditions),
        dense="none",
        vertical=y.scale(domain=[0, 100]) if whole else y.scale(zero=False, nice=True),
        along="epochs_trained",
        more=more,
        room=room,
        flatten=_LISTS,
    )  # fmt: skip


def _in_words(rows: Sequence[dict], series: str) -> Iterator[str]:
    """Put each line into words: its first, its lowest and its last error."""
    for row in rows:
        points = list(zip(row["mean"], row["epochs_trained"], strict=True))
        told = [f"{error:.2f} in epoch {epoch}" for error, epoch in (points[0], min(points), points[-1])]
        size = f", {row['weights_remaining_percent']:.3g} % of the weights" if series == "network" else ""
        yield f"{row[series]}{size}: {told[0]}, lowest {told[1]}, {told[2]}."
