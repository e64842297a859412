"""Dense networks trained on chosen examples, against the sparsity of the network that chose (TR Fig. 9 and 17).

Behind the curves stands green where pruning itself improves: at the levels at which the mean test error of learning-rate
rewinding is below that of the dense network, to half the way to the next level on either side. How a curve is drawn stands
in `lib.charts.curves`.
"""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from lib.analysis.levels import improving_levels
from lib.analysis.statistics import select
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.algorithms import averaged, missing
from lib.charts.averages import LEARNING_RATE_REWINDING, left_out
from lib.charts.curves import Point, describe, draw, weights_axis
from lib.charts.parts import menu, one_table
from lib.charts.theme import INK, PALETTE
from lib.errors import InputError, unknown

WEIGHTS_OF_CHOOSER = ["weights remaining (%), logarithmic,", "in the sparse network that chose"]
SHADED = "Shaded: pruning itself improves on the dense network."
_DRAWN = [
    "table", "noise_percent", "noise", "line", "level", "weights_remaining_percent", "epochs_trained", "mean", "std", "low",
    "high", "replicates",
]  # fmt: skip


def error_of_chosen_examples(
    tables: Sequence[Table],
    lines: Mapping[str, Mapping[str, str]],
    *,
    title: str = "Dense networks on chosen examples",
    choice: str = "Left out: ",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw the test error of dense networks on chosen examples, one line for each way to choose.

    Lines are means over replicates, bands one sample standard deviation to either side, the dashed rule the dense network on
    all examples, which no line contains.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        lines: option of a menu → name of a line → its algorithm. Options have the same names of lines.
        title: of the chart.
        choice: what stands before that menu.
        noise_percent: the noise level that is shown at the start; by default the lowest of the first table.

    Returns:
        The chart, with menus for table, noise and option (where there are several), hover, and legend click.

    Raises:
        InputError: no table, an unknown noise level, or no table has an algorithm that is asked for.
    """
    algorithms = [name for option in lines.values() for name in option.values()]
    pieces = []
    for option, those in lines.items():
        for line, algorithm in those.items():
            piece = averaged(tables, algorithm).assign(line=line)[_DRAWN]
            pieces.append(piece.loc[piece["level"] > 0].assign(option=option))
    names = list(dict.fromkeys(name for option in lines.values() for name in option))
    options = list(lines)
    return _draw(
        pd.concat(pieces, ignore_index=True),
        tables,
        algorithms,
        names,
        axis="test error (%)",
        title=title,
        key=f"Mean, ± 1 standard deviation. Dashed: dense network, all examples. {SHADED}",
        rule=_dense(tables),
        noise_percent=noise_percent,
        described="test error (%)",
        controls=[menu("option_menu", choice, options)] if len(options) > 1 else [],
        keep=["datum.option == option_menu"] if len(options) > 1 else [],
        first=options[0],
    )


def error_difference(
    tables: Sequence[Table],
    lines: Mapping[str, tuple[str, str]],
    *,
    title: str = "What the choice of examples changes",
    difference: str = "difference in test error",
    noise_percent: float | None = None,
) -> alt.LayerChart:
    """Draw by how much the test error of one way to choose examples exceeds that of another.

    Lines are means of the differences between replicates of the same seed, bands one sample standard deviation of those
    differences to either side, the dashed rule is zero.

    Args:
        tables: measured tables; the first is shown until the menu is used.
        lines: name of a line → the two algorithms, of which the second is subtracted.
        title: of the chart.
        difference: what the vertical axis shows, without its unit.
        noise_percent: the noise level that is shown at the start; by default the lowest of the first table.

    Returns:
        The chart, with menus for table and noise (where there are several), hover, and legend click.

    Raises:
        InputError: no table, an unknown noise level, or no table has both algorithms of a line.
    """
    pieces = []
    for line, (first, second) in lines.items():
        places = averaged(tables, first).assign(line=line)
        differences = _differences(tables, first, second)
        place = ["table", "noise_percent", "level"]
        pieces.append(
            places.drop(columns=["mean", "std", "low", "high", "replicates"]).merge(differences, on=place)
        )
    data = pd.concat(pieces, ignore_index=True)
    data = data.loc[data["level"] > 0, _DRAWN]
    if data.empty:
        raise InputError("no level has replicates of the same seed in both algorithms of a line")
    data = data.assign(option="")
    return _draw(
        data,
        tables,
        [name for pair in lines.values() for name in pair],
        list(lines),
        axis=f"{difference} (points)",
        title=title,
        key=f"Mean of paired differences, ± 1 standard deviation. Dashed: no difference. {SHADED}",
        rule=pd.DataFrame({"mean": [0.0]}),
        noise_percent=noise_percent,
        described=f"{difference} (percentage points)",
    )


def _draw(
    data: pd.DataFrame,
    tables: Sequence[Table],
    algorithms: Sequence[str],
    lines: Sequence[str],
    *,
    axis: str,
    title: str,
    key: str,
    rule: pd.DataFrame,
    noise_percent: float | None,
    described: str,
    controls: Sequence[alt.Parameter] = (),
    keep: Sequence[str] = (),
    first: str = "",
) -> alt.LayerChart:
    names = wording.table_names(tables)
    data = data.assign(optimum=False)  # nothing is chosen among these networks
    own = sorted({float(n) for n in tables[0].frame["noise_percent"]})
    shown = own[0] if noise_percent is None else noise_percent
    if shown not in own:
        raise unknown("noise_percent of the first table", f"{shown:g}", [f"{n:g}" for n in own])
    noises = sorted({float(n) for table in tables for n in table.frame["noise_percent"]})
    options, chosen = [wording.noise_name(n) for n in noises], wording.noise_name(shown)
    several = ["datum.noise == noise_menu"] if len(options) > 1 else []
    notes = [_note(table, algorithms, noises) for table in tables]
    shading = _shading(tables)
    x = weights_axis(title=WEIGHTS_OF_CHOOSER)
    y = alt.Y("mean:Q", title=axis).scale(zero=False, nice=True)

    def beneath(rows: pd.DataFrame) -> alt.Chart:
        chart = alt.Chart(rows)
        if "table" not in rows:
            return chart
        chart = one_table(chart, names)
        return chart.transform_filter(several[0]) if several else chart

    area = beneath(shading).mark_rect(color=PALETTE[2], opacity=0.16, aria=False)
    area = area.encode(weights_axis("left", WEIGHTS_OF_CHOOSER), alt.X2("right:Q"))
    level = beneath(rule).mark_rule(strokeDash=[6, 4], strokeWidth=1.4, aria=False, color=INK).encode(y)
    conditions = [*several, *keep]
    tooltip = [
        alt.Tooltip("line:N", title="dense networks"),
        alt.Tooltip("noise:N", title="label noise"),
        alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
    ]
    seen = data.loc[(data["noise"] == chosen) & (data["option"] == first)]
    several_words = [what for what, there in (("noise", several), ("share", keep)) if there]
    menus = f" Menus choose other values: {', '.join(several_words)}." if several_words else ""
    return draw(
        data.drop(columns="noise_percent"),
        names,
        notes,
        x=x,
        axis=axis,
        series="line",
        legend={"title": None, "labelLimit": 0, "columns": alt.ExprRef("width < 420 ? 1 : 3")},
        domain=list(lines),
        tooltip=tooltip,
        digits=2,
        title=title,
        key=key,
        description=describe(
            seen if len(seen) else data,
            f"{title}: {described} against weights remaining (%) in the sparse network that chose the examples, 100 % on "
            f"the left, at {chosen} noise{', ' + first if first else ''}. "
            f"{_range_in_words(shading, names[0], chosen)}{menus}",
            notes,
            2,
            line=lambda point: str(point["line"]),
            place=_place,
        ),
        controls=[
            *([menu("noise_menu", "Label noise: ", options, chosen)] if several else []),
            *controls,
        ],
        keep=" && ".join(conditions),
        dense="none",
        more=[area, level] if len(shading) else [level],
    )


def _differences(tables: Sequence[Table], first: str, second: str) -> pd.DataFrame:
    """Average the paired differences of two algorithms in every table that has both."""
    rows = []
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        for noise in sorted({float(n) for n in table.frame["noise_percent"]}):
            errors = [select(table.frame, which, noise, "test") for which in (first, second)]
            pairs = (errors[0] - errors[1]).replace([np.inf, -np.inf], np.nan)
            for level in pairs.columns:
                values = pairs[level].dropna().to_numpy(dtype="float64")
                if len(values):
                    mean = float(values.mean())
                    std = float(values.std(ddof=1)) if len(values) > 1 else math.nan
                    spread = 0.0 if math.isnan(std) else std
                    numbers = [round(one, 5) for one in (mean, std, mean - spread, mean + spread)]
                    rows.append([name, noise, int(level), *numbers, len(values)])
    columns = ["table", "noise_percent", "level", "mean", "std", "low", "high", "replicates"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _dense(tables: Sequence[Table]) -> pd.DataFrame:
    """The mean test error of the dense network, by table and noise."""
    data = averaged(tables, LEARNING_RATE_REWINDING)
    return data.loc[data["level"] == 0, ["table", "noise", "mean"]]


def _shading(tables: Sequence[Table]) -> pd.DataFrame:
    """The stretches of improving levels, by table and noise, from `left` to `right` in percent of weights remaining."""
    data, rows = averaged(tables, LEARNING_RATE_REWINDING), []
    for name, table in zip(wording.table_names(tables), tables, strict=True):
        for noise, own in data.loc[data["table"] == name].groupby("noise_percent"):
            own = own.sort_values("level")
            levels, weights = own["level"].tolist(), own["weights_remaining_percent"].tolist()
            improving = improving_levels(table.frame, LEARNING_RATE_REWINDING, float(str(noise)))
            edges = [math.sqrt(a * b) for a, b in zip(weights, weights[1:], strict=False)]
            edges = [weights[0], *edges, weights[-1]]
            for place, level in enumerate(levels):
                if level not in improving:
                    continue
                if rows and rows[-1][:2] == [name, noise] and rows[-1][3] == round(edges[place], 5):
                    rows[-1][3] = round(edges[place + 1], 5)  # goes on where the last one ends
                else:
                    rows.append([name, noise, round(edges[place], 5), round(edges[place + 1], 5)])
    found = pd.DataFrame(rows, columns=pd.Index(["table", "noise_percent", "left", "right"]))
    return found.assign(noise=[wording.noise_name(float(n)) for n in found["noise_percent"]])


def _note(table: Table, algorithms: Sequence[str], noises: Sequence[float]) -> str:
    there = [name for name in algorithms if name in set(table.frame["algorithm"])]
    excluded = [
        f"{wording.algorithm_name(name)}, {part}"
        for name in there
        for part in left_out(table, "error_percent", "test", name)
    ]
    return wording.source_note(table, list(dict.fromkeys(excluded))) + missing(table, algorithms, noises)


def _range_in_words(shading: pd.DataFrame, table: str, noise: str) -> str:
    here = shading.loc[(shading["table"] == table) & (shading["noise"] == noise)]
    if here.empty:
        return "Pruning improves on the dense network nowhere."
    parts = [f"{a:.3g} to {b:.3g} %" for a, b in zip(here["left"], here["right"], strict=True)]
    return f"Pruning improves on the dense network from about {' and '.join(parts)} of the weights."


def _place(point: Point) -> str:
    return f"{point['weights_remaining_percent']:.3g} % of the weights"
