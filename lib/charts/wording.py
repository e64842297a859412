"""The words around a chart: its caption, the note inside it, the names in its menus."""

import textwrap
from collections.abc import Sequence

from lib.analysis.tables import Table
from lib.errors import InputError

LINE = 48  # characters that fit beside a chart on a phone of 390 pixels
TITLE_LINE = 32  # and leaves the corner to the menu of the chart

_SPELLED = {
    "learning_rate_rewinding": "learning-rate rewinding",
    "weight_rewinding_gradient": "weight rewinding, gradient score",
    "weight_rewinding_random": "weight rewinding, random score",
    "redense_training": "re-dense training",
    "fine_tuning": "fine-tuning",
    "one_shot": "one-shot pruning",
    "from_scratch": "training from scratch",
    "snip_pruning": "SNIP pruning",
    "without_improved_examples_10_percent": "without improved examples (10 %)",
    "without_random_examples_10_percent": "without random examples (10 %)",
    "synflow_pruning": "SynFlow pruning",
    "width_downscaling": "width down-scaling",
    "longer_width_downscaling": "longer width down-scaling",
}


def lines(text: str, length: int = LINE) -> list[str]:
    """Break a text into lines that fit on a phone; a title, whose letters are larger, takes `TITLE_LINE`."""
    return textwrap.wrap(text, length)


def noise_name(noise_percent: float) -> str:
    """Name a noise level as legends do: "15 %"."""
    return f"{noise_percent:g} %"


def algorithm_name(algorithm: str) -> str:
    """Name an algorithm as legends do: "learning-rate rewinding"."""
    return _SPELLED.get(algorithm, algorithm.replace("_", " "))


def replicate_count(seeds: Sequence[int]) -> str:
    """Count replicates in words: "1 replicate", "3 replicates"."""
    return f"{len(seeds)} replicate" + ("" if len(seeds) == 1 else "s")


def table_names(tables: Sequence[Table]) -> list[str]:
    """Name every table for a menu; a benchmark's name goes first where tables of several benchmarks are
    given.

    Raises:
        InputError: there is no table, or two tables would have the same name.
    """
    if not tables:
        raise InputError(
            "a chart needs at least one table; none was found. Run the page with `recompute=True`."
        )
    several = len({table.provenance.benchmark for table in tables}) > 1
    names = [f"{t.provenance.benchmark}: {t.label}" if several else str(t.label) for t in tables]
    if len(set(names)) < len(names):
        raise InputError(f"two tables have the same label, a menu could not tell them apart: {names}")
    return names


def source_note(table: Table, excluded: Sequence[str] = ()) -> str:
    """Say where the numbers of a chart come from, and what its means do not contain.

    Args:
        table: a measured table.
        excluded: the parts that `lib.charts.averages.left_out` returns.

    Returns:
        Two or three short sentences: benchmark, scale, replicates, machine, date; exclusions.
    """
    p = table.provenance
    text = f"{p.benchmark}, {p.scale} scale, {replicate_count(p.seeds)}; {p.device}, {p.date}."
    if excluded:
        shown = "; ".join(excluded[:3])
        more = f"; and {len(excluded) - 3} more" if len(excluded) > 3 else ""
        text += f" Not in the means: {shown}{more}."
    return text


def caption(tables: Sequence[Table]) -> str:
    """Write a figure's caption: benchmark, scale, replicates, machine and date of every table in it.

    Args:
        tables: what the figure was drawn from.

    Returns:
        One sentence, and one more naming the menu where there are several tables.
    """
    table_names(tables)
    sources = [source_note(table).rstrip(".") for table in tables]
    if len(sources) == 1:
        return f"Measured: {sources[0]}."
    return f"The menu switches between {len(sources)} measurements: {'. '.join(sources)}."
