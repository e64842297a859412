"""The figures and tables of the page on appendix K.1 of TR, from its measured tables.

Not in the page's own module, which a machine without the book's packages imports to measure.
"""

from collections.abc import Sequence

import altair as alt
import pandas
from IPython.display import Markdown

from lib.analysis import drawn
from lib.analysis.printed import printed
from lib.analysis.ranked_examples import (
    NOISY,
    SCORE,
    images_and_labels,
    listed_levels,
    read_means,
    read_ranked,
)
from lib.analysis.ranking import CATEGORIES
from lib.analysis.tables import Table
from lib.charts import wording
from lib.charts.example_images import ExampleSet, labelled_examples
from papers.training_regularization.cases import LRR
from papers.training_regularization.comparison import BENCHMARKS
from papers.training_regularization.examples_themselves import PAGE


def images_of(
    tables: Sequence[Table], category: str, noise_percent: float, title: str
) -> alt.LayerChart | Markdown:
    """Draw the ranked examples of a category, a menu entry for each table that has some.

    Args:
        tables: of this page, current ones.
        category: one of `lib.analysis.ranking.CATEGORIES`.
        noise_percent: at which label noise.
        title: of the chart.

    Returns:
        The chart; a sentence where no table has a sparsity that the category asks for.
    """
    sets = []
    for table, name in zip(tables, wording.table_names(tables), strict=True):
        found = read_ranked(table, category, noise_percent)
        if found is None:
            continue
        plan = PAGE.plans(table.provenance.benchmark, table.provenance.scale)
        images, original = images_and_labels(plan, found.indices)
        remaining = _range(table, category, noise_percent)
        note = f"{wording.source_note(table)} {noise_percent:g} % noise, {remaining} % of the weights."
        if noise_percent:
            note += f" Seed {found.seed}."
        sets.append(ExampleSet(name, note, images, found.labels, found.predictions, original, found.changes))
    if not sets:
        return Markdown(
            f"*No sparsity of these tables has what the rule of this category asks for at {noise_percent:g} % noise.*"
        )
    made = tables[0].provenance
    class_names = drawn.class_names(PAGE.plans(made.benchmark, made.scale))
    return labelled_examples(sets, title=title, class_names=class_names)


def sparsities_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Set the sparsities at which examples are ranked beside TR's Table 4, in percent of weights remaining, without noise.

    Args:
        tables: of one benchmark, one of each scale.

    Returns:
        Text: a row per category with what the rule asks for, the printed range and, by scale, the measured one.
    """
    record = printed("training_regularization", "table_04_sparsities_for_example_ranking")
    networks = [BENCHMARKS[pair] for pair in zip(record["model"], record["dataset"], strict=True)]
    record = record.loc[[name == tables[0].provenance.benchmark for name in networks]]
    rows = []
    for category in CATEGORIES:
        pairs = zip(record["method"], record["mean"], strict=True)
        ends = [f"{mean:g}" for name, mean in pairs if name.lower().replace("-", "_") == category]
        measured = {table.provenance.scale: _range(table, category, 0.0) for table in tables}
        rows.append({"examples": _spelled(category), "printed (Table 4)": _between(ends), **measured})
    return pandas.DataFrame(rows)


def ranked_table(tables: Sequence[Table]) -> pandas.DataFrame:
    """Say how hard the ranked examples are, and how many of their labels are wrong.

    Args:
        tables: of one benchmark, one of each scale.

    Returns:
        Text: a row per scale and category with the mean EL2N without noise, and by noise level the share of noisy labels.
    """
    noises = sorted({float(n) for table in tables for n in table.frame["noise_percent"] if n > 0})
    rows = []
    for table in tables:
        for category in CATEGORIES:
            score = read_means(table, category, SCORE, 0.0)
            row = {
                "scale": table.provenance.scale,
                "examples": _spelled(category),
                "mean EL2N": f"{score.mean():.3f}" if len(score) else "–",
            }
            for noise in noises:
                share = read_means(table, category, NOISY, noise)
                row[f"{noise:g} % noise"] = f"{share.mean():.0f} %" if len(share) else "–"
            rows.append(row)
    return pandas.DataFrame(rows)


def _range(table: Table, category: str, noise_percent: float) -> str:
    """Say which sparsities a category is ranked at, in percent of weights remaining: "22–1.06"."""
    frame = table.frame
    remaining = dict(zip(frame["level"], frame["weights_remaining_percent"], strict=True))
    levels = listed_levels(frame, noise_percent, LRR)[category]
    return _between([f"{remaining[level]:.3g}" for level in levels])


def _between(ends: Sequence[str]) -> str:
    return "–".join(dict.fromkeys((ends[0], ends[-1]))) if ends else "none"


def _spelled(category: str) -> str:
    return category.replace("_", " ")
