"""One curve seen through fewer and fewer points: what a sparse sweep over sparsities can miss (LN App. A.2.3).

A slider keeps every n-th level. The line is drawn again through what is left, as a paper with so many points would draw it.
"""

from collections.abc import Sequence

import altair as alt

from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.algorithms import averaged, missing
from lib.charts.curves import describe, draw, note, weights_axis
from lib.charts.theme import PALETTE

MOST = 5  # levels that the slider takes as one


def error_at_few_levels(
    tables: Sequence[Table], algorithm: str, *, title: str = "Test error, at every n-th level"
) -> alt.LayerChart:
    """Draw the test error of one algorithm at every n-th level, a line per noise level; a slider sets n, at first 1.

    Args:
        tables: measured tables; those without the algorithm are left out, and the first is shown until the menu is used.
        algorithm: whose rows to draw.
        title: of the chart.

    Raises:
        InputError: no table has the algorithm.
    """
    data = averaged(tables, algorithm)
    there = [table for table in tables if algorithm in set(table.frame["algorithm"])]
    noises = sorted(set(data["noise_percent"]))
    domain = [wording.noise_name(noise) for noise in noises][: len(PALETTE)]
    notes = [note(t, "error_percent", ["test"], [algorithm]) + missing(t, [algorithm], noises) for t in there]
    slider = alt.param(
        name="every_nth",
        value=1,
        bind=alt.binding_range(min=1, max=MOST, step=1, name="Keep every n-th level: "),
    )
    return draw(
        data.drop(columns=["noise_percent", "examples"]),
        wording.table_names(there),
        notes,
        x=weights_axis(),
        axis="test error (%)",
        series="noise",
        legend={"title": "label noise"},
        domain=domain,
        tooltip=[
            alt.Tooltip("noise:N", title="label noise"),
            alt.Tooltip("weights_remaining_percent:Q", title="weights remaining (%)", format=".3~g"),
        ],
        digits=2,
        title=title,
        key="Mean, ± 1 standard deviation. Dashed: dense networks.",
        description=describe(
            data,
            f"{title}: test error (%) of {wording.algorithm_name(algorithm)} against weights remaining (%), 100 % on the "
            "left. A slider leaves out levels; the numbers here are of all.",
            notes,
            2,
            line=lambda point: f"{point['noise']} label noise",
            place=lambda point: f"{point['weights_remaining_percent']:.3g} % of the weights",
        ),
        controls=[slider],
        keep="datum.level % every_nth == 0",
    )
