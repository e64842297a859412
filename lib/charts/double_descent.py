"""Errors while pruning under label noise: where the last test error peaks and dips, and what three scores do (LN Fig. 1, 8).

Three errors are drawn: training error against the labels trained on, test error after the last epoch, and the lowest test
error of any epoch, which the paper calls early stopping and reads on the test set, as it is read here. Peak and dip are the
levels "overfitting" and "last sweet spot" of `lib.analysis.telling_levels`. The chart of losses sets what each pruning step
does to the training loss beside its linear estimate (LN eq. 1).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from lib.analysis.epoch_errors import BEST, by_seed_and_level
from lib.analysis.loss_change import FIRST_ORDER, LOSS_CHANGE
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.analysis.telling_levels import telling_levels
from lib.charts import wording
from lib.charts.algorithms import missing
from lib.charts.curves import coloured_algorithms, describe, draw, note, weights_axis
from lib.charts.parts import LEADING, menu, one_table
from lib.charts.theme import INK
from lib.errors import InputError, unknown

TRAIN, LAST, LOWEST = "training error", "last test error", "best test error"
MEASURED, ESTIMATED = "measured", "first-order estimate"
SCORES = {
    "weight_rewinding": "magnitude score",
    "weight_rewinding_gradient": "gradient score",
    "weight_rewinding_random": "random score",
}
"""How the algorithms that differ in nothing but the score are called where they are compared."""
MARKED = {"overfitting": "overfitting", "last sweet spot": "sweet spot"}
_NUMBERS = ["weights_remaining_percent", "mean", "std", "low", "high"]
_COLUMNS = {"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 3")}

Read = Callable[[Table, str, float], dict[str, pd.DataFrame]]


def errors_while_pruning(
    tables: Sequence[Table],
    algorithms: Sequence[str],
    *,
    title: str = "Errors while pruning under label noise",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw training error, last and best test error of one algorithm at one noise level at a time, with peak and dip marked.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        algorithms: whose rows to draw, one at a time; the first is shown at the start.
        title: of the chart.
        noise_percent: the noise level that is shown at the start; by default the highest of the first table.

    Returns:
        The chart, with menus for table, score and noise (where there are several), hover, and legend click.

    Raises:
        InputError: no table, an unknown noise level, or no table has any of the algorithms.
    """
    tables = _having(tables, algorithms)
    data = _averaged(tables, algorithms, _errors)
    names, notes, menus, keep, shown = _frame(tables, algorithms, data, noise_percent)
    several = len(set(data["algorithm"])) > 1
    chosen = str(data["algorithm"].iloc[0])
    if several:
        menus.insert(0, menu("score_menu", "Score: ", list(dict.fromkeys(data["algorithm"])), chosen))
        keep = " && ".join([*filter(None, [keep]), "datum.algorithm == score_menu"])
    marks = data.loc[data["mark"] != ""]
    first = data.loc[(data["noise"] == shown) & (data["algorithm"] == chosen)]
    opening = (
        f"{title}: error (%) against weights remaining (%), 100 % on the left, at {shown} noise, {chosen}."
    )
    told = [
        f"{row['mark']} at {_left(row)}"
        for row in first.loc[(first["mark"] != "") & (first["table"] == names[0])].to_dict("records")
    ]
    words = f" Marked on the last test error: {', '.join(told)}." if told else ""
    return draw(
        data.drop(columns=["noise_percent", "mark"]),
        names,
        notes,
        x=weights_axis(),
        axis="error (%)",
        series="examples",
        legend=_COLUMNS,
        domain=[TRAIN, LAST, LOWEST],
        tooltip=[
            alt.Tooltip("examples:N", title="error"),
            alt.Tooltip("algorithm:N", title="score"),
            alt.Tooltip("noise:N", title="label noise"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        ],
        digits=2,
        title=title,
        key="Mean, ± 1 standard deviation. Dashed: last test error of the dense network. Rings: where it peaks and dips.",
        description=describe(first, opening + words, notes, 2, lambda p: str(p["examples"]), _left)
        + _of_menus(menus),
        controls=menus,
        keep=keep,
        dense="one",
        more=_signs(marks, names, keep),
        room=2 if len(marks) else 0,
    )


def errors_by_score(
    tables: Sequence[Table],
    algorithms: Sequence[str],
    *,
    title: str = "Three scores for the same pruning",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw training error and test error of several algorithms, one line each, at one noise level at a time.

    Args:
        tables, algorithms, title, noise_percent: see `errors_while_pruning`; all algorithms are drawn together.

    Returns:
        The chart: solid lines for a test error, which a menu chooses, dashed lines for training error.

    Raises:
        InputError: see `errors_while_pruning`.
    """
    tables = _having(tables, algorithms)
    data = _averaged(tables, algorithms, _errors)
    names, notes, menus, keep, shown = _frame(tables, algorithms, data, noise_percent)
    kinds = [kind for kind in (LAST, LOWEST) if kind in set(data["examples"])]
    if len(kinds) > 1:
        menus.append(menu("test_menu", "Solid lines: ", kinds))
        chosen = f"(datum.examples == '{TRAIN}' || datum.examples == test_menu)"
        keep = " && ".join([*filter(None, [keep]), chosen])
    first = data.loc[(data["noise"] == shown) & data["examples"].isin([LAST, TRAIN])]
    opening = f"{title}: error (%) against weights remaining (%), 100 % on the left, at {shown} noise."
    return draw(
        data.drop(columns=["noise_percent", "mark", "marked"]),
        names,
        notes,
        x=weights_axis(),
        axis="error (%)",
        series="algorithm",
        legend=_COLUMNS,
        domain=_domain(tables, algorithms),
        tooltip=_tooltip("error"),
        digits=2,
        title=title,
        key="Solid: test error. Dashed: training error. Mean over replicates, ± 1 standard deviation.",
        description=describe(first, opening, notes, 2, lambda p: f"{p['algorithm']}, {p['examples']}", _left)
        + _of_menus(menus),
        controls=menus,
        keep=keep,
        dashes=[LAST, TRAIN, LOWEST],  # a scale of two dashes begins anew: both test errors are solid
        dense="none",
    )


def loss_change_by_score(
    tables: Sequence[Table],
    algorithms: Sequence[str],
    *,
    title: str = "What a pruning step does to the training loss",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw the change of training loss by each pruning step and its first-order estimate, a line of each per algorithm.

    Args:
        tables, algorithms, title, noise_percent: see `errors_by_score`; tables without these losses are left out.

    Returns:
        The chart: solid lines for what was measured, dashed ones for the estimate, over the weights left by the step.

    Raises:
        InputError: no table has these losses, or an unknown noise level.
    """
    whole = [t for t in _having(tables, algorithms) if LOSS_CHANGE in set(t.quantities["quantity"])]
    if not whole:
        raise InputError(
            "no table has the loss change of its pruning steps; run the page with recompute=True"
        )
    data = _averaged(whole, algorithms, _losses)
    names, notes, menus, keep, shown = _frame(whole, algorithms, data, noise_percent)
    opening = f"{title}: loss change (nats) against weights remaining after the step (%), 100 % at the left, {shown} noise."
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, strokeWidth=1, aria=False)
    return draw(
        data.drop(columns=["noise_percent", "mark", "marked"]),
        names,
        notes,
        x=weights_axis(title=["weights remaining after the step (%),", "logarithmic"]),
        axis="change of training loss (nats)",
        series="algorithm",
        legend=_COLUMNS,
        domain=_domain(whole, algorithms),
        tooltip=_tooltip("loss change"),
        digits=4,
        title=title,
        key="Solid: measured before training again. Dashed: linear estimate. Mean, ± 1 standard deviation.",
        description=describe(
            data.loc[data["noise"] == shown],
            opening,
            notes,
            4,
            lambda p: f"{p['algorithm']}, {p['examples']}",
            _left,
        )
        + _of_menus(menus),
        controls=menus,
        keep=keep,
        dashes=[MEASURED, ESTIMATED],
        dense="none",
        more=[zero.encode(y=alt.Y("zero:Q", title="change of training loss (nats)"))],
    )


def _tooltip(what: str) -> list[alt.Tooltip]:
    """Return what hovering tells first where the lines are scores; `what` is the title of the kind of line."""
    return [
        alt.Tooltip("algorithm:N", title="score"),
        alt.Tooltip("examples:N", title=what),
        alt.Tooltip("noise:N", title="label noise"),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
    ]


def _errors(table: Table, algorithm: str, noise: float) -> dict[str, pd.DataFrame]:
    """Return the three errors as seeds × levels; best test errors only where the table has them."""
    found = {
        LAST: select(table.frame, algorithm, noise, "test"),
        TRAIN: select(table.frame, algorithm, noise, "train"),
        LOWEST: by_seed_and_level(table.quantities, BEST, algorithm, noise),
    }
    return {name: values for name, values in found.items() if not values.empty}


def _losses(table: Table, algorithm: str, noise: float) -> dict[str, pd.DataFrame]:
    """Return loss changes and their estimates as seeds × levels."""
    names = {MEASURED: LOSS_CHANGE, ESTIMATED: FIRST_ORDER}
    return {
        n: by_seed_and_level(table.quantities, quantity, algorithm, noise) for n, quantity in names.items()
    }


def _having(tables: Sequence[Table], algorithms: Sequence[str]) -> list[Table]:
    """Return the tables that have any of the algorithms.

    Raises:
        InputError: there is none.
    """
    found = [table for table in tables if set(algorithms) & set(table.frame["algorithm"])]
    if not found:
        wording.table_names(tables)  # says so where there is no table at all
        known = {str(name) for table in tables for name in table.frame["algorithm"]}
        raise unknown("algorithm of these tables", ", ".join(algorithms), known)
    return found


def _averaged(tables: Sequence[Table], algorithms: Sequence[str], read: Read) -> pd.DataFrame:
    """Average what `read` returns into rows as `lib.charts.curves.curve_data` makes them.

    `examples` is the name that `read` gave; `mark` names the level where the last test error peaks or dips.
    """
    pieces = []
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        for algorithm in (a for a in dict.fromkeys(algorithms) if a in set(table.frame["algorithm"])):
            rows = table.frame.loc[table.frame["algorithm"] == algorithm]
            for noise in sorted({float(n) for n in rows["noise_percent"]}):
                found = read(table, algorithm, noise)
                marks = _marks(found)
                for what, values in found.items():
                    piece = _averages(table, algorithm, noise, values.replace([np.inf, -np.inf], np.nan))
                    piece["mark"] = [marks.get(level, "") if what == LAST else "" for level in piece["level"]]
                    pieces.append(
                        piece.assign(
                            table=name, algorithm=_name(algorithm), noise_percent=noise,
                            noise=wording.noise_name(noise), examples=what,
                        )
                    )  # fmt: skip
    data = pd.concat([piece for piece in pieces if len(piece)], ignore_index=True)
    data["marked"] = data["mark"] != ""  # ringed
    data["optimum"] = False
    data[_NUMBERS] = data[_NUMBERS].round(5)
    return data


def _averages(table: Table, algorithm: str, noise: float, values: pd.DataFrame) -> pd.DataFrame:
    """Average seeds × levels into a row per level that any replicate has."""
    place = {
        column: select(table.frame, algorithm, noise, "test", column).mean()
        for column in ("weights_remaining_percent", "epochs_trained")
    }
    mean, spread = values.mean(), values.std(ddof=1)
    data = pd.DataFrame(
        {
            **{column: of_level.reindex(values.columns) for column, of_level in place.items()},
            "mean": mean,
            "std": spread,
            "low": np.maximum(mean - spread.fillna(0.0), np.minimum(mean, 0.0)),  # no error is negative
            "high": mean + spread.fillna(0.0),
            "replicates": values.count(),
        }
    )
    return data.loc[data["replicates"] > 0].rename_axis("level").reset_index()


def _marks(found: dict[str, pd.DataFrame]) -> dict[int, str]:
    """Return level → name of the peak and the dip of the last test error; none without both test errors."""
    if LAST not in found or LOWEST not in found:
        return {}
    levels = telling_levels(found[LAST], found[LOWEST])
    return {levels[name]: label for name, label in MARKED.items() if name in levels}


def _frame(
    tables: Sequence[Table], algorithms: Sequence[str], data: pd.DataFrame, noise_percent: float | None
) -> tuple[list[str], list[str], list[alt.Parameter], str, str]:
    """Return table names, notes, the menu of noise, the filter that it makes, and the noise shown at the start."""
    names = wording.table_names(tables)
    noises = sorted({float(noise) for noise in data["noise_percent"]})
    own = sorted({float(noise) for noise in data.loc[data["table"] == names[0], "noise_percent"]})
    chosen = own[-1] if noise_percent is None else noise_percent
    if chosen not in own:
        raise unknown("noise_percent of the first table", f"{chosen:g}", [f"{n:g}" for n in own])
    notes = []
    for table in tables:
        there = [name for name in algorithms if name in set(table.frame["algorithm"])]
        text = note(table, "error_percent", ["test"], there) if there else wording.source_note(table)
        notes.append(text + missing(table, algorithms, noises))
    options, shown = [wording.noise_name(noise) for noise in noises], wording.noise_name(chosen)
    menus = [menu("noise_menu", "Label noise: ", options, shown)] if len(options) > 1 else []
    return names, notes, menus, "datum.noise == noise_menu" if menus else "", shown


def _signs(marks: pd.DataFrame, names: Sequence[str], keep: str) -> list[alt.Chart]:
    """Draw a rule at each marked level and its name above the plot, the peak a line higher than the dip."""
    if marks.empty:
        return []
    x = weights_axis()
    signs = marks[["table", "noise", "algorithm", "examples", "weights_remaining_percent", "mark"]].copy()
    signs["text"] = [f"{row['mark']}: {_left(row)}" for row in marks.to_dict("records")]
    base = one_table(alt.Chart(signs), names)
    if keep:
        base = base.transform_filter(keep)
    layers = [base.mark_rule(strokeDash=[1, 3], strokeWidth=1.4, color=INK, aria=False).encode(x)]
    for line, label in enumerate(reversed(MARKED.values())):
        for side, test in _SIDES.items():
            text = base.transform_filter(f"datum.mark == '{label}' && {test}")
            text = text.mark_text(align=side, baseline="bottom", fontSize=12, color=INK)
            layers.append(text.encode(x, y=alt.value(-4 - line * LEADING), text="text:N"))
    return layers


_SIDES: dict[Literal["left", "right", "center"], str] = {
    "left": "datum.weights_remaining_percent > 15",
    "right": "datum.weights_remaining_percent <= 1",
    "center": "datum.weights_remaining_percent > 1 && datum.weights_remaining_percent <= 15",
}
"""How the name of a marked level is aligned, so that it stays within the plot."""


def _name(algorithm: str) -> str:
    return SCORES.get(algorithm, wording.algorithm_name(algorithm))


def _domain(tables: Sequence[Table], algorithms: Sequence[str]) -> list[str]:
    """Name what is drawn in the order of the colours, which are those of the book's other charts of these tables."""
    called = {wording.algorithm_name(name): _name(name) for name in algorithms}
    return [called.get(name, name) for name in coloured_algorithms(tables, algorithms)]


def _left(point) -> str:
    return f"{point['weights_remaining_percent']:.3g} % left"


def _of_menus(menus: Sequence[alt.Parameter]) -> str:
    what = {"score_menu": "scores", "noise_menu": "noise levels", "test_menu": "last and best test error"}
    return "".join(f" A menu switches between {what[str(one.name)]}." for one in menus)
