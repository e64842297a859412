"""Losses between sparse and re-dense networks, and around re-dense ones (LN Figures 5, 6 and 14).

Networks are named by what makes their level worth a look (`lib.analysis.telling_levels`): colour and shape tell them apart.
A menu chooses the noise level. Lines are means over replicates.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from lib.analysis import loss_path, loss_slice
from lib.analysis.landscape import ROLES, by_seed_and_position, roles
from lib.analysis.statistics import at_level
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.panels import LOWER, UPPER, panel_axis, stack_panels
from lib.charts.parts import menu, menus, one_table, source_notes
from lib.charts.theme import PALETTE, SHAPES, fitted
from lib.errors import InputError

SPARSE, REDENSE = "weight_rewinding", "redense_training"
TRAIN, TEST = "training images", "test images"
_PATHS = {
    (TRAIN, "loss"): loss_path.TRAIN_LOSS,
    (TEST, "loss"): loss_path.TEST_LOSS,
    (TRAIN, "error"): loss_path.TRAIN_ERROR,
    (TEST, "error"): loss_path.TEST_ERROR,
}
_MARKED = 0.2  # a line shows its shape at multiples of this


def loss_along_paths(
    tables: Sequence[Table], *, title: str = "From the sparse to the re-dense network"
) -> alt.LayerChart:
    """Draw loss and error on the line between sparse and re-dense networks, training images solid, test images dashed.

    Args:
        tables: measured tables; those without paths are left out.
        title: of the chart.

    Returns:
        Two panels, with menus for table and noise where there are several.

    Raises:
        InputError: no table has paths.
    """
    pieces = [
        _series(table, name, quantity, REDENSE, examples=examples, kind=kind)
        for table, name in zip(tables, wording.table_names(tables), strict=True)
        for (examples, kind), quantity in _PATHS.items()
    ]
    data, names = _together(pieces, "paths between sparse and re-dense networks")
    data = data.loc[(data["x"] * (loss_path.POINTS - 1)).round(6) % loss_path.EVERY == 0]  # enough to draw
    shown, noises = _noises(data, names[0])
    x = alt.X("x:Q", title=["α, from the sparse (0)", "to the re-dense network (1)"])
    x = x.axis(grid=False, format="~g", values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    base = _filtered(alt.Chart(data), names, noises)
    panels = []
    for kind, axis, panel in (("loss", "loss (nats)", UPPER), ("error", "error (%)", LOWER)):
        part = base.transform_filter(f"datum.kind == '{kind}'")
        y = panel_axis("mean", axis, panel)
        dash = alt.StrokeDash("examples:N", legend=None).scale(domain=[TRAIN, TEST], range=[[1, 0], [5, 3]])
        band = part.mark_area(opacity=0.12, aria=False).encode(
            x, alt.Y("low:Q", title=axis), alt.Y2("high:Q"), _colour(data), alt.Detail("examples:N")
        )
        line = part.mark_line(aria=False, strokeWidth=1.8).encode(x, y, _colour(data), dash)
        marked = part.transform_filter(_at_multiples(_MARKED))
        points = marked.mark_point(filled=True, size=40, opacity=1).encode(x, y, _colour(data), _shape(data))
        targets = part.mark_point(filled=True, opacity=0, size=160)
        unit = {"loss": "loss (nats)", "error": "error (%)"}[kind]
        panels.append([band, line, points, targets.encode(x, y, tooltip=_tooltip("α", unit, examples=True))])
    notes = _notes(tables, names)
    return stack_panels(
        panels[0],
        panels[1],
        [source_notes(names, notes)],
        names,
        title=title,
        key="Mean over replicates, ± 1 standard deviation. Solid: training images with the labels trained on. "
        "Dashed: test images.",
        description=_in_words(
            data,
            names,
            shown,
            f"Line chart of two panels. {title}: loss (nats) and error (%) against α, the share of the re-dense "
            f"network, at {shown} label noise.",
            notes,
            (0.0, 0.48, 1.0),
            "α",
        ),
        controls=_noise_menu(noises, shown),
    )


def loss_along_direction(
    tables: Sequence[Table], *, title: str = "How steeply the loss rises around a minimum"
) -> alt.LayerChart:
    """Draw the training loss around dense and re-dense networks along a filter-normalized random direction.

    Args:
        tables: measured tables; those without slices are left out.
        title: of the chart.

    Returns:
        The chart, with menus for table and noise where there are several.

    Raises:
        InputError: no table has slices.
    """
    pieces = [
        _series(table, name, loss_slice.TRAIN_LOSS, algorithm, examples=TRAIN, kind="loss")
        for table, name in zip(tables, wording.table_names(tables), strict=True)
        for algorithm in (SPARSE, REDENSE)
    ]
    data, names = _together(pieces, "losses along a direction")
    shown, noises = _noises(data, names[0])
    x = alt.X("x:Q", title="x, in units of each filter's norm")
    x = x.axis(grid=False, format="~g", values=[-1, -0.5, 0, 0.5, 1])
    axis = "training loss (nats), logarithmic"
    y = alt.Y("mean:Q", title=axis).scale(type="log", nice=False).axis(format="~g", tickCount=6)
    base = _filtered(alt.Chart(data), names, noises)
    line = base.mark_line(aria=False).encode(x, y, _colour(data))
    marked = base.transform_filter(_at_multiples(_MARKED))
    points = marked.mark_point(filled=True, size=45, opacity=1).encode(x, y, _colour(data), _shape(data))
    targets = base.mark_point(filled=True, opacity=0, size=160).encode(
        x, y, tooltip=_tooltip("x", "training loss (nats)")
    )
    notes = _notes(tables, names)
    chart = alt.layer(line, points, targets, source_notes(names, notes))
    chart = chart.add_params(*menus(names), *_noise_menu(noises, shown))
    key = "Mean over replicates. Dense: trained once, never pruned. The others: re-dense, by the level that they began at."
    return fitted(chart, height=340).properties(
        title=alt.TitleParams(text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key)),
        description=_in_words(
            data,
            names,
            shown,
            f"Line chart. {title}: training loss (nats) against x, the step along a random direction, at {shown} "
            "label noise.",
            notes,
            (-1.0, -0.2, 0.0, 0.2, 1.0),
            "x",
        ),
    )


def _series(table: Table, name: str, quantity: str, algorithm: str, **columns: str) -> pd.DataFrame:
    """Average a series over replicates: a row per noise level, network and position."""
    rows = []
    for noise in sorted({float(n) for n in table.frame["noise_percent"]}):
        levels = {0: ROLES[0]} if algorithm == SPARSE else _roles(table, noise)
        for level, role in levels.items():
            values = by_seed_and_position(table.quantities, quantity, algorithm, noise, level).dropna()
            if values.empty:
                continue
            weights = float(
                at_level(table.frame, SPARSE, noise, level, "test", "weights_remaining_percent").mean()
            )
            std = values.std(ddof=1).fillna(0.0)
            for x, mean, spread in zip(values.columns, values.mean(), std, strict=True):
                rows.append(
                    {
                        "table": name,
                        "noise": wording.noise_name(noise),
                        "network": role,
                        "weights": float(f"{weights:.3g}"),
                        **columns,
                        "x": float(x),
                        "mean": _short(mean),
                        "low": _short(mean - spread),
                        "high": _short(mean + spread),
                        "replicates": len(values),
                    }
                )
    return pd.DataFrame(rows)


def _roles(table: Table, noise: float) -> dict[int, str]:
    return roles(table.frame, table.quantities, SPARSE, noise)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _together(pieces: Sequence[pd.DataFrame], what: str) -> tuple[pd.DataFrame, list[str]]:
    """Join the rows of all tables; return them and the names of the tables that have some."""
    some = [piece for piece in pieces if len(piece)]
    if not some:
        raise InputError(f"no table has {what}; run the page with recompute=True")
    data = pd.concat(some, ignore_index=True)
    return data, [str(name) for name in dict.fromkeys(data["table"])]


def _noises(data: pd.DataFrame, name: str) -> tuple[str, list[str]]:
    """Return the noise level shown at the start, the lowest of the first table, and all of them."""
    ordered = sorted(set(data["noise"]), key=lambda noise: float(noise.split()[0]))
    own = set(data.loc[data["table"] == name, "noise"])
    return next(noise for noise in ordered if noise in own), ordered


def _filtered(chart: alt.Chart, names: Sequence[str], noises: Sequence[str]) -> alt.Chart:
    chart = one_table(chart, names).transform_calculate(std="datum.high - datum.mean")
    return chart.transform_filter("datum.noise == noise_menu") if len(noises) > 1 else chart


def _noise_menu(noises: Sequence[str], shown: str) -> list[alt.Parameter]:
    return [menu("noise_menu", "Label noise: ", noises, shown)] if len(noises) > 1 else []


def _legend(data: pd.DataFrame) -> Mapping[str, Any]:
    there = set(data["network"])
    return {
        "title": None,
        "labelLimit": 0,
        "columns": alt.ExprRef("width < 420 ? 1 : 4"),
        "values": [role for role in ROLES if role in there],
    }


def _colour(data: pd.DataFrame) -> alt.Color:
    return alt.Color("network:N").scale(domain=ROLES, range=list(PALETTE)).legend(**_legend(data))


def _shape(data: pd.DataFrame) -> alt.Shape:
    return alt.Shape("network:N").scale(domain=ROLES, range=list(SHAPES)).legend(**_legend(data))


def _at_multiples(step: float) -> str:
    return f"abs(datum.x / {step} - round(datum.x / {step})) < 0.001"


def _tooltip(x: str, value: str, examples: bool = False) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("network:N", title="network"),
        alt.Tooltip("weights:Q", title="weights remaining (%)", format=".3~g"),
        *([alt.Tooltip("examples:N", title="measured on")] if examples else []),
        alt.Tooltip("x:Q", title=x, format="~g"),
        alt.Tooltip("mean:Q", title=f"mean {value}", format=".3~g"),
        alt.Tooltip("std:Q", title="standard deviation", format=".2~g"),
        alt.Tooltip("replicates:Q", title="replicates"),
    ]


def _notes(tables: Sequence[Table], names: Sequence[str]) -> list[str]:
    """Say where the numbers come from, and how many weights the networks had before they were re-dense."""
    notes = []
    for table, name in zip(tables, wording.table_names(tables), strict=True):
        if name not in names:
            continue
        parts = []
        for noise in sorted({float(n) for n in table.frame["noise_percent"]}):
            levels = _roles(table, noise)
            weights = {
                level: at_level(table.frame, SPARSE, noise, level, "test", "weights_remaining_percent").mean()
                for level in levels
            }
            named = ", ".join(f"{role} {weights[level]:.3g} %" for level, role in levels.items())
            parts.append(f"at {wording.noise_name(noise)} noise {named or 'none'}")
        notes.append(f"{wording.source_note(table)} Weights remaining before: {'; '.join(parts)}.")
    return notes


def _in_words(
    data: pd.DataFrame,
    names: Sequence[str],
    shown: str,
    opening: str,
    notes: Sequence[str],
    places: Sequence[float],
    x: str,
) -> str:
    """Put the first table at one noise level into words: each line at a few places."""
    parts = [opening, notes[0]]
    first = data.loc[(data["table"] == names[0]) & (data["noise"] == shown)]
    for (network, examples, kind), line in first.groupby(["network", "examples", "kind"], sort=False):
        means = dict(zip(line["x"].round(6), line["mean"], strict=True))
        unit = "nats" if kind == "loss" else "%"
        told = ", ".join(f"{means[at]:.3g} {unit} at {x} = {at:g}" for at in places if at in means)
        parts.append(f"{network}, {kind} on {examples}: {told}.")
    switches = ["noise levels"] * (data["noise"].nunique() > 1) + ["tables of results"] * (len(names) > 1)
    return " ".join([*parts, *(f"A menu switches between {what}." for what in switches)])
