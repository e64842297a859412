"""Charts that explain the method: the learning rate of a chain, and the rule of paired differences (TR section 2)."""

import math
from typing import Any

import altair as alt
import pandas as pd

from lib.analysis.statistics import compare
from lib.charts import wording
from lib.charts.steps import NARROW
from lib.charts.theme import INK, PALETTE, fitted
from lib.errors import InputError
from lib.stages import Chain
from lib.training import learning_rate

Rows = list[dict[str, Any]]


def learning_rate_chart(
    chain: Chain, *, title: str = "Learning rate while pruning", note: str = ""
) -> alt.LayerChart:
    """Draw a chain's learning rate against the epochs trained, with a rule where weights are removed.

    Args:
        chain: any chain; its schedule is read at the start of each epoch.
        title: of the chart.
        note: on the recipe.

    Returns:
        The chart: a step line with a logarithmic axis, and for each level its number above the part that it trains.
    """
    recipe = chain.recipe
    rows: Rows = []
    spans: Rows = []
    done = 0
    remaining = 1.0
    for stage in chain.stages:
        if stage.prune:
            remaining *= 1 - stage.prune.fraction
        for epoch in range(stage.from_epoch, stage.to_epoch):
            rate = float(f"{learning_rate(recipe, epoch, 1):.6g}")
            rows.append(
                {"trained": done, "to": done + 1, "epoch": epoch, "rate": rate, "level": stage.level or 0}
            )
            done += 1
        if stage.level is not None:
            first = done - (stage.to_epoch - stage.from_epoch)
            start = 0 if stage.level == 0 else first
            spans.append(
                {
                    "cut": first if stage.prune else None,
                    "middle": (start + done) / 2,
                    "label": f"level {stage.level}\n{100 * remaining:.3g} %",
                    "from": stage.from_epoch,
                    "to": stage.to_epoch,
                }
            )
    # A step needs only the epochs at which the rate changes, and the last one.
    kept = [
        row
        for before, row in zip([None, *rows[:-1]], rows, strict=True)
        if before is None or before["rate"] != row["rate"] or before["epoch"] + 1 != row["epoch"]
    ]
    kept.append({**rows[-1], "trained": rows[-1]["to"]})
    x = alt.X("trained:Q", title="epochs trained, over all levels").scale(nice=False, domain=[0, done])
    rates = [row["rate"] for row in rows]
    y = alt.Y("rate:Q", title="learning rate, logarithmic").axis(format="~g", values=sorted(set(rates)))
    y = y.scale(type="log", nice=False, domain=[min(rates) / 2, max(rates) * 4])
    tooltip = [
        alt.Tooltip("level:Q"),
        alt.Tooltip("trained:Q", title="epochs trained before"),
        alt.Tooltip("epoch:Q", title="epoch of the schedule"),
        alt.Tooltip("rate:Q", title="learning rate", format="~g"),
    ]
    base = alt.Chart(alt.InlineData(values=kept))
    line = base.mark_line(interpolate="step-after", color=PALETTE[1], aria=False).encode(x, y)
    targets = base.mark_point(filled=True, opacity=0, size=250).encode(x, y, tooltip=tooltip)
    cuts = alt.Chart(alt.InlineData(values=spans)).transform_filter("isValid(datum.cut)")
    rule = cuts.mark_rule(strokeDash=[5, 3], strokeWidth=1.4, color=PALETTE[3]).encode(
        alt.X("cut:Q", title="epochs trained, over all levels"),
        tooltip=[
            alt.Tooltip("from:Q", title="rewound to epoch"),
            alt.Tooltip("cut:Q", title="epochs trained"),
        ],
    )
    text = alt.Chart(alt.InlineData(values=spans)).mark_text(
        lineBreak="\n", lineHeight=14, fontSize=12, baseline="top", color=INK
    )
    text = text.encode(alt.X("middle:Q"), y=alt.value(4), text="label:N")
    key = "Dashed: a cut, after which the schedule starts again at epoch t. Percent: weights remaining."
    described = f"Step chart. {title}. {note} "
    described += " ".join(
        f"{span['label'].splitlines()[0].capitalize()}, {span['label'].splitlines()[1]} of the weights: "
        f"epochs {span['from']} to {span['to']} of the schedule."
        for span in spans
    )
    described += f" The rate lies between {min(rates):g} and {max(rates):g}."
    return fitted(alt.layer(rule, line, text, targets), height=240).properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE),
            subtitle=[*wording.lines(note, NARROW), *wording.lines(key, NARROW)],
        ),
        description=described,
    )


def paired_chart(
    first: pd.Series,
    second: pd.Series,
    *,
    names: tuple[str, str],
    title: str = "Paired differences",
    axis: str = "test error (%)",
    note: str = "",
) -> alt.LayerChart:
    """Draw the replicates of two algorithms, a line from one to the other for each seed.

    Args:
        first, second: one value per replicate, indexed by seed, as `lib.analysis.statistics.compare` takes them.
        names: of the two.
        title: of the chart.
        axis: what is compared, with its unit.
        note: where the numbers come from.

    Returns:
        The chart; its subtitle has the mean difference, its standard deviation and what the rule makes of them.

    Raises:
        InputError: the two have no seed in common.
    """
    seeds = [seed for seed in first.index if seed in second.index]
    if not seeds:
        raise InputError("the two have no seed in common, so there is no pair to draw")
    found = compare(first, second)
    pairs = {seed: (float(first.loc[seed]), float(second.loc[seed])) for seed in seeds}
    rows: Rows = [
        {"seed": f"seed {seed}", "algorithm": name, "value": round(value, 5), "difference": round(a - b, 5)}
        for seed, (a, b) in pairs.items()
        for name, value in zip(names, (a, b), strict=True)
    ]
    labels = [f"seed {seed}" for seed in seeds]
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("algorithm:N", title=None, sort=list(names)).axis(
        labelExpr="split(datum.label, ' ')", labelOffset=-6, domain=False, ticks=False, grid=True
    )
    y = y.scale(padding=0.4)
    x = alt.X("value:Q", title=axis).scale(zero=False, nice=True, padding=14).axis(tickCount=6)
    colour = alt.Color("seed:N", title=None).scale(domain=labels, range=list(PALETTE[1 : len(labels) + 1]))
    shape = alt.Shape("seed:N", title=None).scale(
        domain=labels, range=["square", "triangle-up", "diamond", "circle", "cross"][: len(labels)]
    )
    tooltip = [
        alt.Tooltip("seed:N", title="replicate"),
        alt.Tooltip("algorithm:N"),
        alt.Tooltip("value:Q", title=axis, format=".2f"),
        alt.Tooltip("difference:Q", title=f"{names[0]} − {names[1]}", format="+.2f"),
    ]
    lines = base.mark_line(strokeWidth=1.6, aria=False).encode(x, y, colour)
    points = base.mark_point(filled=True, size=110, opacity=1).encode(x, y, colour, shape, tooltip=tooltip)
    mean = f"{found.mean:+.2f}".replace("-", "−")
    spread = "" if math.isnan(found.std) else f", standard deviation {found.std:.2f}"
    text = f"Mean difference {mean}{spread}: {_in_words(found.verdict)}."
    described = f"Dot plot. {title}. {note} "
    described += " ".join(
        f"Seed {seed}: {a:.2f} and {b:.2f}, difference {a - b:+.2f}." for seed, (a, b) in pairs.items()
    )
    return fitted(alt.layer(lines, points), height=190).properties(
        title=alt.TitleParams(
            text=wording.lines(title, wording.TITLE_LINE),
            subtitle=[*wording.lines(note, NARROW), *wording.lines(text, NARROW)],
        ),
        description=f"{described} {text}",
    )


def _in_words(verdict: str) -> str:
    return {
        "lower": "the first is lower",
        "higher": "the first is higher",
        "match": "the two match",
    }.get(verdict, "too few pairs to say")
