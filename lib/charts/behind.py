"""What may stand behind lines: rules of a reference, vertical rules, and a shade where pruning improves."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy
import pandas

from lib.analysis.statistics import difference
from lib.analysis.table import SIZE
from lib.charts.axes import across
from lib.charts.data import Frame, average, checked, name_columns, records, short
from lib.charts.parts import Controls
from lib.charts.theme import INK, PALETTE
from lib.errors import unknown

Reference = str | float | Frame | None


def reference_rows(rows: Frame, reference: Reference, case: Sequence[str], line: Sequence[str]) -> Frame:
    """Return where horizontal rules stand: `mean`, and the columns that they depend on; empty for no reference.

    Args:
        rows: those drawn, the key columns already named.
        reference: see `lib.charts.lines.lines`.
        case: columns of menus and panels.
        line: columns of colour and dash.
    """
    if reference is None:
        return pandas.DataFrame()
    if isinstance(reference, pandas.DataFrame):
        own = checked(reference, [])
        keys = [k for k in [*case, *line] if k in own]
        return average(name_columns(own, keys), keys, [])[[*keys, "mean"]]
    if not isinstance(reference, str):
        return pandas.DataFrame({"mean": [float(reference)]})
    if reference not in ("dense", "dense, shared"):
        raise unknown("reference", reference, ["dense", "dense, shared"])
    dense, keys = rows[rows["level"] == 0], [*case, *(k for k in line if k not in case)]
    if reference == "dense, shared":
        # Of whichever line has the dense network: that of the first one may be missing.
        dense, keys = dense.drop_duplicates([*case, "seed"]), list(case)
    return average(dense, keys, [])[[*keys, "mean"]] if len(dense) else pandas.DataFrame()


def improving(rows: Frame, keys: Sequence[str]) -> Frame:
    """Find the levels at which a network improves on the dense one by TR's rule of paired differences, not by means alone.

    Args:
        rows: of one quantity, with level 0 among them.
        keys: columns that name a case.

    Returns:
        `keys`, `left` and `right`: stretches of weights remaining (%), to half the way to the next level on either side.
    """
    found = []
    for place, own in rows.groupby(list(keys), sort=False):
        values = own.pivot(index="seed", columns="level", values="value")
        sizes = own.groupby("level")[SIZE].mean()
        if 0 not in values:
            continue
        levels = sorted(values.columns)
        places = numpy.log([sizes[level] for level in levels])
        edges = numpy.exp([places[0], *(places[:-1] + places[1:]) / 2, places[-1]])
        for i, level in enumerate(levels):
            if level and difference(values[level], values[0]).verdict == "lower":
                found.append([*place, short(edges[i]), short(edges[i + 1])])
    return pandas.DataFrame(found, columns=[*keys, "left", "right"])


def reference_layer(found: Frame, base: Any, y: alt.Y, colour: str | None, coloured: Any) -> list[Any]:
    """Draw horizontal rules, coloured where they depend on the colour."""
    if found.empty:
        return []
    rule = base(found).mark_rule(strokeDash=[6, 4], strokeWidth=1.2, opacity=0.9, aria=False)
    return [rule.encode(y, color=coloured if colour and colour in found else alt.value(INK))]


def shade_layer(
    shade: Frame | None, base: Any, case: Sequence[str], x_title: str, x_scale: str
) -> list[alt.Chart]:
    """Shade the weights remaining at which a network improves on the dense one (`improving`)."""
    if shade is None:
        return []
    own = checked(shade, ["level", SIZE])
    keys = [k for k in case if k in own]
    found = improving(name_columns(own, keys), keys)
    area = base(found).mark_rect(color=PALETTE[2], opacity=0.16, aria=False)
    return [area.encode(across("left", x_title, x_scale), alt.X2("right:Q"))] if len(found) else []


def rule_layers(
    rules: Frame | None,
    base: Any,
    case: Sequence[str],
    ends: Sequence[float],
    x_title: str,
    x_scale: str,
) -> list[alt.Chart]:
    """Draw vertical rules with their labels, from bottom to top of a panel."""
    if rules is None or rules.empty:
        return []
    here = base(name_columns(rules, [k for k in case if k in rules]))
    x, bottom, top = across("x", x_title, x_scale), alt.value(ends[0]), alt.value(ends[1])
    text = here.mark_text(align="left", baseline="top", dx=4, fontSize=12, color=INK)
    return [
        here.mark_rule(strokeDash=[2, 3], strokeWidth=1.6, color=INK).encode(x, y=top, y2=bottom),
        text.encode(x, y=top, text="label:N"),
    ]


def base_of(controls: Controls, panels: str | None, panel: str) -> Any:
    """Return a function from a frame to a chart of those rows that the controls and the panel choose."""

    def base(frame: Frame) -> alt.Chart:
        keys = [k for k in frame.columns if k not in ("mean", "x", "label", "left", "right")]
        own = frame[frame[panels] == panel] if panels in frame and panel else frame
        return controls.of(alt.Chart(pandas.DataFrame(records(own, keys))), frame.columns)

    return base
