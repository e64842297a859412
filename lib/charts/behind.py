"""What may stand behind lines: rules of a reference, vertical rules, and a shade where pruning improves."""

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import numpy
import pandas

from lib.analysis.statistics import difference
from lib.analysis.table import SIZE
from lib.charts.controls import Prepared
from lib.charts.data import Frame, average, checked, name_columns
from lib.charts.theme import INK, PALETTE
from lib.errors import unknown

Reference = str | float | Frame | None


def reference_rows(found: Prepared, reference: Reference) -> Frame:
    """Return where horizontal rules stand: `mean`, and the columns that they depend on; empty for no reference."""
    if reference is None:
        return pandas.DataFrame()
    if isinstance(reference, pandas.DataFrame):
        own = checked(reference, [])
        keys = [k for k in found.keys if k in own]
        return average(name_columns(own, keys), keys)[[*keys, "mean"]]
    if not isinstance(reference, str):
        return pandas.DataFrame({"mean": [float(reference)]})
    if reference not in ("dense", "dense, shared"):
        raise unknown("reference", reference, ["dense", "dense, shared"])
    dense, keys = found.rows[found.rows["level"] == 0], found.keys
    if reference == "dense, shared":
        # Of whichever line has the dense network: that of the first one may be missing.
        dense, keys = dense.drop_duplicates([*found.case, "seed"]), found.case
    return average(dense, keys)[[*keys, "mean"]] if len(dense) else pandas.DataFrame()


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
                found.append([*place, edges[i], edges[i + 1]])
    return pandas.DataFrame(found, columns=[*keys, "left", "right"])


def shaded_rows(found: Prepared, shade: Frame | None) -> Frame:
    """Return the stretches to shade, see `improving`, with the columns that they depend on; empty for none."""
    if shade is None:
        return pandas.DataFrame()
    own = checked(shade, ["level", SIZE])
    keys = [k for k in found.case if k in own]
    return improving(name_columns(own, keys), keys)


def layers_behind(
    found: Prepared, reference: Frame, shade: Frame, rules: Frame | None, coloured: Any
) -> Callable[..., list[alt.Chart]]:
    """Prepare what stands behind lines (see `lib.charts.lines.lines`), and return a function that draws it for one panel.

    `reference` is of `reference_rows`, `shade` of `shaded_rows`, `coloured` is the column of colours.
    """
    if rules is not None:
        rules = name_columns(rules if "line" in rules else rules.assign(line=0), [k for k in found.case if k in rules])

    def draw(
        choose: Callable[[Frame], Frame], x: Callable[[str], alt.X], y: alt.Y, colour: Any, ends: Sequence[float]
    ) -> list[alt.Chart]:  # fmt: skip
        """Draw those rows that `choose` leaves, rules of a reference in `colour`, vertical ones between two `ends`."""
        layers: list[Any] = []
        if len(shade):
            area = found.controls.chart(choose(shade)).mark_rect(color=PALETTE[2], opacity=0.16, aria=False)
            layers.append(area.encode(x("left"), alt.X2("right:Q")))
        if len(reference):
            rule = found.controls.chart(choose(reference))
            rule = rule.mark_rule(strokeDash=[6, 4], strokeWidth=1.2, opacity=0.9, aria=False)
            layers.append(rule.encode(y, color=colour if coloured in reference else alt.value(INK)))
        if rules is not None and len(rules):
            here, top = found.controls.chart(choose(rules)), alt.value(ends[1])
            rule = here.mark_rule(strokeDash=[2, 3], strokeWidth=1.6, color=INK)
            layers.append(rule.encode(x("x"), y=top, y2=alt.value(ends[0])))
            for line, own in choose(rules).groupby("line"):
                text = found.controls.chart(own)
                text = text.mark_text(align="left", baseline="top", dx=4, dy=14 + 15 * line, fontSize=12, color=INK)
                layers.append(text.encode(x("x"), y=top, text="label:N"))
        return layers

    return draw
