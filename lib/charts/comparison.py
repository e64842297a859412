"""Measured beside printed: a dot plot of two sources, and the table of verdicts.

Neither source is adjusted to the other; the difference is measured minus printed.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from lib.charts import wording
from lib.charts.parts import menus, one_table, source_notes
from lib.charts.theme import PALETTE, fitted
from lib.errors import InputError

COLUMNS = (
    "benchmark", "noise_percent", "quantity", "printed_mean", "printed_std", "measured_mean", "measured_std",
    "replicates", "difference", "scale",
)  # fmt: skip
SOURCES = ("printed", "measured")
_LABELS = (130, 165)  # pixels for the names of rows, which stand in two lines, at least and at most
_LETTER = 7  # pixels a letter

# A verdict is said by a sign and a word; the colour repeats it. Dark text on a light ground, legible in light
# and dark mode.
VERDICTS = {
    "reproduced": ("✓", "#0b4f3c", "#d3f0e5"),
    "not reproduced": ("✗", "#7a2e00", "#fde3d3"),
    "undecided": ("?", "#4a3d00", "#f6edc8"),
    "not run": ("–", "#3b424b", "#e7eaee"),
}


def comparison_chart(
    frame: pd.DataFrame, *, title: str = "Measured beside printed", axis: str = "test error (%)"
) -> alt.LayerChart:
    """Draw printed and measured means with their standard deviations, a row per noise level and quantity.

    Args:
        frame: a row per number, with the columns `COLUMNS`; a missing mean (NaN) draws nothing on its side.
        title: of the chart.
        axis: what is compared, with its unit.

    Returns:
        The chart; a menu chooses the benchmark and scale where the frame has several, one is drawn at a time.

    Raises:
        InputError: a column is missing, or the frame is empty.
    """
    if missing := [column for column in COLUMNS if column not in frame.columns]:
        raise InputError(f"the comparison lacks the columns {missing}; it needs {list(COLUMNS)}")
    if frame.empty:
        raise InputError("the comparison has no rows: nothing was measured yet, or nothing is printed for it")
    frame = frame.assign(scale=frame["scale"].astype(object).where(frame["scale"].notna(), ""))
    data = _long(frame)
    names = list(dict.fromkeys(data["table"]))
    rows = list(dict.fromkeys(data["row"]))

    longest = max(len(line) for row in rows for line in row.split(", "))
    left = min(max(_LABELS[0], _LETTER * longest), _LABELS[1])

    base = one_table(alt.Chart(data), names)
    y = alt.Y("row:N", title=None, sort=rows).axis(
        labelExpr="split(datum.label, ', ')",
        labelLimit=left,
        labelOffset=-7,
        grid=True,
        tickBand="extent",
        domain=False,
        ticks=False,
    )
    offset = alt.YOffset("source:N", sort=list(SOURCES)).scale(paddingInner=0.6, paddingOuter=0.8)
    colour = alt.Color("source:N", title=None).scale(domain=list(SOURCES), range=[PALETTE[0], PALETTE[1]])
    shape = alt.Shape("source:N", title=None).scale(domain=list(SOURCES), range=["diamond", "circle"])
    tooltip = [
        alt.Tooltip("row:N", title="what"),
        alt.Tooltip("source:N"),
        alt.Tooltip("mean:Q", title=f"mean {axis}", format=".2f"),
        alt.Tooltip("std:Q", title="standard deviation", format=".2f"),
        alt.Tooltip("replicates:Q", title="replicates measured"),
        alt.Tooltip("difference:Q", title="measured − printed", format="+.2f"),
    ]
    bars = base.mark_rule(strokeWidth=2, aria=False).encode(
        alt.X("low:Q", title=axis), alt.X2("high:Q"), y, offset, colour
    )
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        alt.X("mean:Q", title=axis).scale(zero=False, nice=True, padding=12),
        y,
        offset,
        colour,
        shape,
        tooltip=tooltip,
    )
    chart = alt.layer(bars, dots, source_notes(names, [f"{name}." for name in names], left=-left)).add_params(
        *menus(names)
    )
    key = "Dots: means. Bars: ± 1 standard deviation, as printed and as measured over replicates."
    tallest = max(len(set(part["row"])) for _, part in data.groupby("table"))
    return fitted(chart, height=60 + 40 * tallest).properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE), subtitle=wording.lines(key), dx=-left
        ),
        description=_in_words(frame, title, axis),
    )


def comparison_table(frame: pd.DataFrame, *, unit: str, digits: int = 2, name: str = "") -> Any:
    """Set printed and measured means with their standard deviations and the difference in a table.

    Args:
        frame: as for `comparison_chart`.
        unit: of the numbers, for the heads of the columns.
        digits: after the point.
        name: of the table on its page, without blanks; tables of one page need different names or units.

    Returns:
        A pandas Styler. A dash stands where nothing is printed or measured.
    """

    def number(mean: float, std: float) -> str:
        if pd.isna(mean):
            return "–"
        return f"{mean:.{digits}f}" + ("" if pd.isna(std) else f" ± {std:.{digits}f}")

    rows = [
        {
            "scale": "–" if pd.isna(row["scale"]) or not row["replicates"] else row["scale"],
            "noise (%)": f"{row['noise_percent']:g}",
            "quantity": quantity,
            f"printed ({unit})": number(row["printed_mean"], row["printed_std"]),
            f"measured ({unit})": number(row["measured_mean"], row["measured_std"]),
            f"difference ({unit})": "–" if pd.isna(row["difference"]) else f"{row['difference']:+.{digits}f}",
            "replicates": f"{int(row['replicates'])}",
        }
        for row, quantity in zip(frame.to_dict("records"), _quantities(frame), strict=True)
    ]
    identity = "-".join(filter(None, ["comparison", name, unit.strip("%") or "percent"]))
    table = pd.DataFrame(rows).style.hide(axis="index").set_uuid(identity)
    table.format(escape="html")
    whole = "display: block; overflow-x: auto; max-width: 100%;"
    return table.set_table_styles(
        [
            {"selector": "", "props": whole},
            {"selector": "td, th", "props": "text-align: left; padding: 0.2rem 0.6rem; white-space: nowrap;"},
        ]
    )


def verdicts_table(verdicts: pd.DataFrame | Iterable[Any]) -> Any:
    """Set the verdicts on claims as a table, each said by sign, word and colour.

    Args:
        verdicts: objects or mappings with claim, benchmark, scale, verdict, reason and numbers (those that
        they have are
            shown), or a DataFrame of such columns. `numbers` may be text or a mapping.

    Returns:
        A pandas Styler, which displays as HTML; all text in it is escaped.

    Raises:
        InputError: there is no verdict column, or a verdict is not one of `VERDICTS`.
    """
    order = ["claim", "statement", "benchmark", "scale", "verdict", "reason", "numbers"]
    if isinstance(verdicts, pd.DataFrame):
        rows = verdicts.to_dict("records")
    else:
        rows = [
            dict(v) if isinstance(v, Mapping) else {k: getattr(v, k) for k in order if hasattr(v, k)}
            for v in verdicts
        ]
    frame = pd.DataFrame(rows)
    frame = frame[[column for column in order if column in frame.columns]]
    if "verdict" not in frame.columns:
        raise InputError("there are no verdicts to show: no row has a field 'verdict'")
    given = [str(v) for v in frame["verdict"]]
    if strange := sorted(set(given) - set(VERDICTS)):
        raise InputError(f"unknown verdict {strange}; allowed: {', '.join(VERDICTS)}")
    frame["verdict"] = [f"{VERDICTS[v][0]} {v}" for v in given]
    if "numbers" in frame.columns:
        frame["numbers"] = [_numbers(n) for n in frame["numbers"]]

    def coloured(column: pd.Series) -> list[str]:
        return [
            f"color: {ink}; background-color: {ground}; font-weight: 600; white-space: nowrap"
            for _, ink, ground in map(VERDICTS.__getitem__, given)
        ]

    table = frame.style.hide(axis="index").set_uuid("verdicts").set_table_attributes('class="verdicts"')
    table.format(escape="html", na_rep="")
    short = "white-space: nowrap;"
    sentences = [i for i, column in enumerate(frame.columns) if column in ("statement", "reason", "numbers")]
    cells = "text-align: left; vertical-align: top; padding: 0.3rem 0.6rem;"
    whole = "display: block; overflow-x: auto; max-width: 100%;"
    table.set_table_styles(
        [
            {"selector": "", "props": whole},
            {"selector": "td, th", "props": cells},
            {"selector": ".col0", "props": short},
            *({"selector": f"td.col{i}", "props": "min-width: 13rem;"} for i in sentences),
        ]
    )
    return table.apply(coloured, subset=["verdict"])


def _long(frame: pd.DataFrame) -> pd.DataFrame:
    pieces = []
    for source in SOURCES:
        piece = pd.DataFrame(
            {
                "table": _names(frame),
                "row": [
                    f"{wording.noise_name(n)} noise, {quantity}"
                    for n, quantity in zip(frame["noise_percent"], _quantities(frame), strict=True)
                ],
                "source": source,
                "mean": frame[f"{source}_mean"].astype(float),
                "std": frame[f"{source}_std"].astype(float),
                "replicates": frame["replicates"],
                "difference": frame["difference"].astype(float),
            }
        )
        spread = piece["std"].fillna(0.0)
        piece["low"], piece["high"] = piece["mean"] - spread, piece["mean"] + spread
        pieces.append(piece)
    data = pd.concat(pieces, ignore_index=True)
    return data.dropna(subset=["mean"]).round(5)


def _names(frame: pd.DataFrame) -> list[str]:
    def name(benchmark: str, scale: str) -> str:
        own = frame[(frame["benchmark"] == benchmark) & (frame["scale"] == scale)]
        counts = sorted({int(n) for n in own["replicates"] if pd.notna(n)} - {0})
        if not counts:
            return f"{benchmark}, printed only"
        some = wording.replicate_count(range(counts[0]))
        return f"{benchmark}, {scale} scale, " + (
            some if len(counts) == 1 else f"{counts[0]} to {counts[-1]} replicates"
        )

    return [
        name(benchmark, scale) for benchmark, scale in zip(frame["benchmark"], frame["scale"], strict=True)
    ]


def _quantities(frame: pd.DataFrame) -> list[str]:
    """Name each row's quantity; the optimum of one algorithm is "optimal", those of several are told apart by name."""
    optima = {quantity for quantity in frame["quantity"] if _optimum_of(quantity)}
    return [
        (_optimum_of(quantity) if len(optima) > 1 else "optimal") if quantity in optima else _plain(quantity)
        for quantity in frame["quantity"]
    ]


def _optimum_of(quantity: str) -> str:
    """Name the algorithm whose optimum a quantity is; empty for any other quantity."""
    _, optimal, algorithm = str(quantity).partition("test_error_percent_optimal_")
    return wording.algorithm_name(algorithm) if optimal else ""


def _plain(quantity: str) -> str:
    if algorithm := _optimum_of(quantity):
        return f"optimal ({algorithm})"
    return (
        str(quantity).removeprefix("test_error_percent_").removeprefix("train_loss_nats_").replace("_", " ")
    )


def _numbers(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}" for k, v in value.items())
    return "" if value is None else str(value)


def _in_words(frame: pd.DataFrame, title: str, axis: str) -> str:
    parts = [f"Dot plot. {title}: {axis}."]
    for row in frame.to_dict("records"):
        what = f"{row['benchmark']}, {row['scale']} scale, {row['noise_percent']:g} % noise"
        what += f", {_plain(row['quantity'])}"
        numbers = [
            f"{s} {row[f'{s}_mean']:.2f}" if pd.notna(row[f"{s}_mean"]) else f"{s} nothing" for s in SOURCES
        ]
        parts.append(f"{what}: {', '.join(numbers)}.")
    return " ".join(parts)
