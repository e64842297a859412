"""How far sparse and re-dense networks lie from their initialization, above their test error (LN Figure 7).

Both panels share the axis of weights remaining. Where the curves of the two networks cross, a vertical rule stands with the
weights remaining there. Lines are means over replicates, bands one sample standard deviation to either side.
"""

from collections.abc import Callable, Iterator, Sequence

import altair as alt
import pandas as pd

from lib.analysis.distance import DISTANCE, MASKED_DISTANCE, crossings
from lib.analysis.epoch_errors import by_seed_and_level
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.curves import weights_axis
from lib.charts.panels import LOWER, UPPER, panel_axis, stack_panels
from lib.charts.parts import menu, one_table, source_notes
from lib.charts.theme import INK, PALETTE
from lib.errors import InputError

NETWORKS = {"weight_rewinding": "sparse", "redense_training": "re-dense"}
ERROR = "test error (%)"
_MEASURED_FROM = {"initialization": DISTANCE, "masked initialization": MASKED_DISTANCE}


def distance_and_error(
    tables: Sequence[Table], *, title: str = "Distance from initialization, and test error"
) -> alt.LayerChart:
    """Draw distance and last test error of sparse (dashed) and re-dense (solid) networks against weights remaining.

    Args:
        tables: measured tables; those without distances are left out.
        title: of the chart.

    Returns:
        Two panels, with menus for table and noise where there are several, and for what distance is measured from.

    Raises:
        InputError: no table has distances.
    """
    key = (
        "Mean over replicates, ± 1 standard deviation. Dashed: sparse. Solid: re-dense, by the weights that remained "
        "before. Vertical rules: the two cross."
    )
    return _chart(tables, title, key, _lines, ("distance, no unit", ERROR))


def differences(tables: Sequence[Table], *, title: str = "Sparse minus re-dense") -> alt.LayerChart:
    """Draw by how much distance and last test error of the sparse network exceed those of the re-dense one at each level.

    Differences are paired by seed.

    Args:
        tables: measured tables; those without distances are left out.
        title: of the chart.

    Returns:
        Two panels, with menus as `distance_and_error` has them.

    Raises:
        InputError: no table has distances.
    """
    key = (
        "Mean of differences paired by seed, ± 1 standard deviation. Above zero the sparse network is farther from its "
        "initialization, or worse. Vertical rules: the sign changes."
    )
    return _chart(tables, title, key, _gaps, ("difference of distance", "difference of error (points)"))


def _chart(
    tables: Sequence[Table],
    title: str,
    key: str,
    make: Callable[[Table, str], pd.DataFrame],
    axes: tuple[str, str],
) -> alt.LayerChart:
    every = wording.table_names(tables)
    kept = [(n, t) for n, t in zip(every, tables, strict=True) if DISTANCE in set(t.quantities["quantity"])]
    if not kept:
        raise InputError("no table has distances from initialization; run the page with recompute=True")
    names = [name for name, _ in kept]
    data = pd.concat([make(table, name) for name, table in kept], ignore_index=True)
    rules = pd.concat([_rules(table, name) for name, table in kept], ignore_index=True)
    noises = sorted(set(data["noise"]), key=lambda noise: float(noise.split()[0]))
    shown = next(noise for noise in noises if noise in set(data.loc[data["table"] == names[0], "noise"]))
    controls = [menu("noise_menu", "Label noise: ", noises, shown)] if len(noises) > 1 else []
    controls.append(menu("from_menu", "Distance from: ", list(_MEASURED_FROM)))
    panels = []
    for chosen, axis, panel in zip(
        ("datum.what == from_menu", f"datum.what == '{ERROR}'"), axes, (UPPER, LOWER), strict=True
    ):
        base, crossed = (
            _filtered(alt.Chart(rows), names, noises).transform_filter(chosen) for rows in (data, rules)
        )
        panels.append(_panel(base, crossed, axis, panel, list(dict.fromkeys(data["network"]))))
    notes = [wording.source_note(table) for _, table in kept]
    return stack_panels(
        panels[0],
        panels[1],
        [source_notes(names, notes)],
        names,
        title=title,
        key=key,
        description=_in_words(data, rules, names, shown, title, notes),
        controls=controls,
    )


def _panel(
    base: alt.Chart, crossed: alt.Chart, axis: str, panel: tuple[int, int], networks: Sequence[str]
) -> list[alt.Chart]:
    x, y = weights_axis("x"), panel_axis("mean", axis, panel, zero=len(networks) == 1)
    legend = {"title": None, "labelLimit": 0, "symbolStrokeWidth": 0} if len(networks) > 1 else None
    colour = alt.Color("network:N", legend=legend and alt.Legend(**legend))
    colour = colour.scale(domain=networks, range=list(PALETTE[1:4:2] if legend else PALETTE[4:5]))
    shape = alt.Shape("network:N", legend=legend and alt.Legend(**legend))
    shape = shape.scale(domain=networks, range=["square", "circle"][: len(networks)])
    dash = alt.StrokeDash("network:N", legend=None)
    dash = dash.scale(domain=networks, range=[[5, 3], [1, 0]][-len(networks) :])
    tooltip = [
        alt.Tooltip("network:N"),
        alt.Tooltip("x:Q", title="weights remaining (%)", format=".3~g"),
        alt.Tooltip("level:Q"),
        alt.Tooltip("mean:Q", title=f"mean {axis}", format=".4~g"),
        alt.Tooltip("std:Q", title="standard deviation", format=".2~g"),
        alt.Tooltip("replicates:Q", title="replicates"),
    ]
    at = [alt.Tooltip("x:Q", title="the curves cross at weights remaining (%)", format=".3~g")]
    top, bottom = alt.value(panel[1]), alt.value(panel[0])
    rule = crossed.mark_rule(strokeDash=[2, 3], strokeWidth=1.6, color=INK)
    text = crossed.mark_text(align="left", baseline="top", dx=4, fontSize=12, color=INK)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, strokeWidth=1, aria=False)
    zeros = [] if legend else [zero.encode(alt.Y("zero:Q", title=axis))]
    return [
        *zeros,
        base.mark_area(opacity=0.16, aria=False).encode(
            x, alt.Y("low:Q", title=axis), alt.Y2("high:Q"), colour
        ),
        rule.encode(x, y=top, y2=bottom, tooltip=at),
        text.encode(x, y=top, text="label:N"),
        base.mark_line(aria=False).encode(x, y, colour, dash),
        base.mark_point(filled=True, size=40, opacity=1).encode(x, y, colour, shape),
        base.mark_point(filled=True, size=250, opacity=0).encode(x, y, tooltip=tooltip),
    ]


def _filtered(chart: alt.Chart, names: Sequence[str], noises: Sequence[str]) -> alt.Chart:
    chart = one_table(chart, names)
    return chart.transform_filter("datum.noise == noise_menu") if len(noises) > 1 else chart


def _values(table: Table, what: str, network: str, noise: float) -> pd.DataFrame:
    """Return distances or errors of one network as seeds × levels."""
    if what == ERROR:
        return select(table.frame, network, noise, "test").dropna(axis="columns", how="all")
    return by_seed_and_level(table.quantities, _MEASURED_FROM[what], network, noise)


def _cases(table: Table, name: str) -> Iterator[tuple[dict[str, str], float, pd.Series]]:
    """Yield each panel's content at each noise level: the columns that name it, the noise, and weights by level."""
    for noise in sorted({float(n) for n in table.frame["noise_percent"]}):
        weights = select(table.frame, "weight_rewinding", noise, "test", "weights_remaining_percent").mean()
        for what in (*_MEASURED_FROM, ERROR):
            yield {"table": name, "noise": wording.noise_name(noise), "what": what}, noise, weights


def _averaged(named: dict[str, str], network: str, values: pd.DataFrame, weights: pd.Series) -> list[dict]:
    std = values.std(ddof=1).fillna(0.0)
    remaining = dict(zip(weights.index.tolist(), weights.tolist(), strict=True))
    return [
        {
            **named,
            "network": network,
            "level": int(level),
            "x": round(remaining[level], 4),
            "mean": round(float(mean), 4),
            "low": round(float(mean - spread), 4),
            "high": round(float(mean + spread), 4),
            "std": round(float(spread), 4),
            "replicates": int(number),
        }
        for level, mean, spread, number in zip(
            values.columns, values.mean(), std, values.count(), strict=True
        )
        if level in remaining
    ]


def _lines(table: Table, name: str) -> pd.DataFrame:
    """Average distances and errors of both networks over replicates."""
    rows = []
    for named, noise, weights in _cases(table, name):
        for algorithm, network in NETWORKS.items():
            rows += _averaged(named, network, _values(table, named["what"], algorithm, noise), weights)
    return pd.DataFrame(rows)


def _gaps(table: Table, name: str) -> pd.DataFrame:
    """Average the differences of both networks over replicates."""
    rows = []
    for named, noise, weights in _cases(table, name):
        sparse, redense = (_values(table, named["what"], algorithm, noise) for algorithm in NETWORKS)
        gap = (sparse - redense).dropna(axis="columns", how="all")
        rows += _averaged(named, "sparse minus re-dense", gap, weights)
    return pd.DataFrame(rows)


def _rules(table: Table, name: str) -> pd.DataFrame:
    """Find where the means of both networks cross."""
    rows = []
    for named, noise, weights in _cases(table, name):
        means = [
            _values(table, named["what"], algorithm, noise).mean().reindex(weights.index).set_axis(weights)
            for algorithm in NETWORKS
        ]
        rows += [{**named, "x": round(at, 4), "label": f"{at:.2g} %"} for at in crossings(*means)]
    return pd.DataFrame(rows, columns=["table", "noise", "what", "x", "label"])


def _in_words(
    data: pd.DataFrame,
    rules: pd.DataFrame,
    names: Sequence[str],
    shown: str,
    title: str,
    notes: Sequence[str],
) -> str:
    """Put the first table at one noise level into words: each line at both ends, and where two lines cross."""
    parts = [
        f"Line chart of two panels. {title}, against weights remaining (%), 100 % on the left, at {shown} label noise.",
        notes[0],
    ]

    def first(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.loc[(rows["table"] == names[0]) & (rows["noise"] == shown)]

    for what, lines in first(data).groupby("what", sort=False):
        called = what if what == ERROR else f"distance from {what}"
        for network, line in lines.groupby("network", sort=False):
            start, end = line.iloc[0], line.iloc[-1]
            parts.append(
                f"{called}, {network}: {start['mean']:.3g} at {start['x']:.3g} %, {end['mean']:.3g} at "
                f"{end['x']:.3g} %."
            )
        places = first(rules).loc[lambda rows, what=what: rows["what"] == what, "label"]
        parts.append(f"The two cross at {', '.join(places)}." if len(places) else "The two do not cross.")
    switches = ["noise levels"] * (data["noise"].nunique() > 1) + ["tables of results"] * (len(names) > 1)
    return " ".join(
        [*parts, *(f"A menu switches between {what}." for what in [*switches, "kinds of distance"])]
    )
