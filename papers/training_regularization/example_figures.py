"""TR's figures of training examples: what networks do to groups of them by difficulty, and which ones they change most.

Groups are those of `lib.analysis.example_groups`; its loss changes by ΔL = L[level k] − L[dense], paired by seed.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy
import pandas

from lib.analysis.display import plus_minus
from lib.analysis.example_images import ExampleImages, of_category, of_group
from lib.analysis.example_stories import EXAMPLES, stories
from lib.analysis.example_stories import INDEX as STORY
from lib.analysis.levels import chosen_level
from lib.analysis.statistics import mean_and_std
from lib.analysis.table import EPOCHS, SIZE, Table, comparing_first, rows, values
from lib.charts import example_story, images, lines
from lib.errors import InputError
from lib.stages.experiment_plan import change
from lib.widgets.page import OpenPage, or_what_is_missing
from lib.widgets.page import worst_fitted_images as worst_fitted_images
from papers.training_regularization.figures import (
    PAIRED,
    WAYS_TO_SHRINK,
    Tables,
    at_start,
    shares_of,
)
from papers.training_regularization.names import EDT, GROUP_LOSS, LONGER_WD, LRR, ONE_SHOT, TEST
from papers.training_regularization.recipes import plan as find_plan
from papers.training_regularization.tables import size_range

PERCENTILE, LOSS_CHANGE = "EL2N percentile (%), hardest right", "change of training loss (nats)"
TWO_LEVELS = {"optimum": "lowest validation error", "highest improving": "sparsest that improves"}
BELOW_ZERO = "Below zero: fitted better than by the dense network."


@or_what_is_missing
def change_at_two_levels(tables: Tables, algorithm: str = LRR) -> Any:
    """Fig. 1b and 2: change of each group's loss without noise, at the optimum and at the sparsest level that improves."""
    found = group_changes(tables, algorithm)
    found = found[found["noise_percent"] == found.groupby("table")["noise_percent"].transform("min")]
    pieces = [found[found[level]].assign(network=name) for level, name in TWO_LEVELS.items()]
    said = functools.partial(_two_levels, algorithm)
    return _changes(
        captioned(pandas.concat(pieces, ignore_index=True), tables, ["noise_percent"], said),
        colour="network",
        domain=[*TWO_LEVELS.values()],
        title="Which examples pruning helps",
    )


@or_what_is_missing
def change_at_optimum(tables: Tables) -> Any:
    """Fig. 5: change of each group's loss at the optimum, a line for each share of wrong labels."""
    found = group_changes(tables, LRR)
    found = captioned(found[found["optimum"]], tables, [], _dense_is_best)
    title = "The optimally sparse network under label noise"
    return _changes(found, colour="noise_percent", domain=shares_of(tables), title=title)


@or_what_is_missing
def change_at_each_level(tables: Tables, algorithm: str, title: str) -> Any:
    """Fig. 18, 19 and 20: change of each group's loss, a slider over levels, a menu over shares of wrong labels."""
    found = group_changes(tables, algorithm)
    found = found[found["level"] > 0]
    found = captioned(found, tables, ["noise_percent", "level"], functools.partial(_one_level, algorithm))
    return _changes(found, menus=["noise_percent"], shown=at_start(found, max), slider="level", title=title)


@or_what_is_missing
def change_of_smaller_networks(tables: Tables) -> Any:
    """Fig. 13: change of each group's loss in one-shot pruning and in longer width down-scaling, each at its best."""
    both = [ONE_SHOT, LONGER_WD]
    found = group_changes(comparing_first(tables, both), both)
    found = captioned(found[found["best smaller"]], tables, ["noise_percent"], _best_smaller)
    return _changes(
        found.sort_values("algorithm", ascending=False, kind="stable"),
        colour="algorithm",
        menus=["noise_percent"],
        shown=at_start(found, max),
        domain=WAYS_TO_SHRINK,
        title="Whose loss changes when a network gets smaller",
    )


def group_changes(tables: Tables, algorithm: str | list[str]) -> Any:
    """Return L_g[level] − L_g[dense], the change of each EL2N group's training loss paired by seed, as a chart's rows.

    The percentile is that of the middle of a group; the easiest group is the first.
    """
    found: Any = rows(tables, GROUP_LOSS, algorithm=algorithm)
    place = [*PAIRED, "algorithm", "position"]
    dense = found.loc[found["level"] == 0, [*place, "value"]]
    found = found.merge(dense, on=place, suffixes=("", "_dense"))
    found["value"] -= found["value_dense"]
    found[PERCENTILE] = (found["position"] - 0.5) * 100 / found["position"].max()
    return found.assign(quantity=LOSS_CHANGE)


def _changes(found: Any, **settings: Any) -> Any:
    """Draw changes of groups: an easy group changes by thousandths of what a hard one does, hence the axis."""
    return lines(found, x=PERCENTILE, reference=0.0, y_scale="symlog", key=BELOW_ZERO, **settings)


def captioned(found: Any, tables: Tables, columns: list[str], said: Callable[..., str]) -> Any:
    """Add what `said` says of a table and the values of some columns, to be written above the plot."""
    by_label = {table.label: table for table in tables}
    cases = [tuple(case) for case in found[["table", *columns]].itertuples(index=False)]
    words = {case: said(by_label[case[0]], *case[1:]) for case in dict.fromkeys(cases)}
    return found.assign(caption=[words[case] for case in cases])


def _one_level(algorithm: str, table: Table, noise: float, level: int) -> str:
    """Say which network a level is, and its test error, as TR's titles do."""
    where = {"algorithm": algorithm, "noise_percent": noise}
    error = mean_and_std(values(table, TEST, **where))
    column, unit = (EPOCHS, "epochs of training") if algorithm == EDT else (SIZE, "% of the weights")
    amount = values(table, column, **where)[level].mean()
    network = f"Level {level}: {amount:.3g} {unit}"
    here = plus_minus(*error.loc[level, ["mean", "std"]])
    return f"{network}. Test error {here} %, dense {error.loc[0, 'mean']:.2f} %."


def _two_levels(algorithm: str, table: Table, noise: float) -> str:
    """Say which networks the two levels of interest are."""
    words = []
    for name, said in TWO_LEVELS.items():
        level = chosen_level(table, name, algorithm=algorithm, noise_percent=noise)
        network = "none" if level is None else f"level {level}" if level else "the dense network"
        words.append(f"{said.capitalize()}: {network}.")
    return " ".join([f"{noise:g} % wrong labels.", *words])


def _dense_is_best(table: Table) -> str:
    """Say where the optimum is the dense network, whose line is zero."""
    shares = sorted(table.frame["noise_percent"].unique())
    best = [f"{n:g} %" for n in shares if chosen_level(table, "optimum", algorithm=LRR, noise_percent=n) == 0]
    return f"The dense network is best at {', '.join(best)}." if best else "No dense network is best."


def _best_smaller(table: Table, noise: float) -> str:
    """Say how large the best smaller networks are, and where the dense one is better still."""
    words = []
    for algorithm in (ONE_SHOT, LONGER_WD):
        where = {"algorithm": algorithm, "noise_percent": noise}
        if (level := chosen_level(table, "best smaller", **where)) is not None:
            size = values(table, SIZE, **where)[level].mean()
            still = "; dense is better still" if chosen_level(table, "optimum", **where) == 0 else ""
            words.append(f"{algorithm.capitalize()}: {size:.3g} % of the weights{still}.")
    return " ".join(words)


@or_what_is_missing
def ranked_images(tables: Tables, category: str, noise_percent: float, title: str) -> Any:
    """Fig. 16: the examples that pruning changes most or least, with their label and what most networks predict."""
    found, notes = {}, {}
    for table in tables:
        plan = change(find_plan(table.benchmark, table.scale), table.changes)
        if shown := of_category(plan, table, category, algorithm=LRR, noise_percent=noise_percent):
            found[table.label] = shown
            size = f"{size_range(table, category, noise_percent)} % of the weights"
            which = ", first replicate" if noise_percent else ""
            notes[table.label] = f"{table.benchmark}, {table.label}. {noise_percent:g} % noise, {size}{which}."
    if not found:
        raise InputError(f"no sparsity of these tables has what the rule asks for at {noise_percent:g} % noise.")
    key = "Below each image: label · prediction of most networks; a cross where the two differ."
    return _images(found, notes, "mean loss change (nats)", title, key)


@or_what_is_missing
def example_stories(tables: Tables) -> Any:
    """Not in the paper: examples by EL2N, the images of one group, and the loss of each while pruning.

    For the page on the examples themselves, which measures them (`lib.analysis.example_stories`), or any page that draws
    groups by EL2N: `example_figures.example_stories(page.tables)`. Opens at the hardest group and the highest noise level.
    """
    shown, losses, pictures, why = [], [], [], "no table names single examples"
    for table in tables:
        for noise in sorted(table.frame["noise_percent"].unique()):
            place = {"table": table.label, "benchmark": table.benchmark, "noise_percent": noise}
            try:
                plan = change(find_plan(table.benchmark, table.scale), table.changes)
                found = stories(plan, table, algorithm=LRR, noise_percent=noise)
            except InputError as missing:
                why = str(missing)
                continue
            number = [i % EXAMPLES + 1 for i in range(len(found.groups))]
            frame = pandas.DataFrame(
                {"group": found.groups, "example": number, "score": found.examples.numbers, **place}
            )
            shown.append(frame.assign(label=found.examples.labels, original=found.examples.original))
            index = found.losses["position"].astype(int) - 1
            losses.append(found.losses.assign(**frame.loc[index, ["group", "example"]].to_dict("list"), **place))
            pictures += list(found.examples.images.numpy())
    if not shown:
        raise InputError(f"{why}; run the page on the examples themselves with recompute=True")
    every = pandas.concat(shown, ignore_index=True)
    return example_story(
        every, pictures, pandas.concat(losses, ignore_index=True), menus=["noise_percent"],
        shown={"noise_percent": every.loc[every["table"] == every["table"].iloc[0], "noise_percent"].max()},
        title="From a group to an image, and from the image to its loss",
        key="Below: training loss with the label trained on, against weights remaining.",
    )  # fmt: skip


@or_what_is_missing
def group_images(page: OpenPage, noise_percent: float, group: int) -> Any:
    """Not in the paper: training examples from one group by EL2N, with the labels that they are trained on; a few that the
    first table names that does, else as many as fit by the store."""
    where, note = {"algorithm": LRR, "noise_percent": noise_percent}, f"{noise_percent:g} % noise, first replicate."
    named = [table for table in page.tables if len(values(table, STORY, "position", **where))]
    if named:
        kept = stories(change(find_plan(page.benchmark, named[0].scale), named[0].changes), named[0], **where)
        shown = kept.examples.some([i for i, one in enumerate(kept.groups) if one == group])
        note = f"{page.benchmark}, {named[0].label}. {note}"
    else:
        shown = of_group(page.own, page.benchmark, page.scale, noise_percent, group, page.store)
        note = f"{page.benchmark}, {page.scale} scale. {note}"
    return _images({"": shown}, {"": note}, "EL2N", f"Examples of group {group} of 20")


def _images(
    found: Mapping[str, ExampleImages], notes: Mapping[str, str], measure: str, title: str, key: str = ""
) -> Any:
    """Draw examples, a menu entry for each table; coloured are replaced labels, or predictions other than the label."""
    pictures, captions, marked, told = [], [], [], []
    for label, shown in found.items():
        pictures += list(shown.images.numpy())
        frame = pandas.DataFrame({"label": shown.labels, "label before noise": shown.original})
        wrong = shown.noisy
        if shown.predictions:
            pairs = [*zip(shown.labels, shown.predictions, strict=True)]
            wrong = [one != predicted for one, predicted in pairs]
            captions += [f"{one} · {predicted}{' ✗' * (one != predicted)}" for one, predicted in pairs]
            frame = frame.assign(prediction=shown.predictions)
        else:
            captions += shown.captions
        marked += wrong
        told.append(frame.assign(**{measure: [f"{number:.3g}" for number in shown.numbers], "table": label}))
    return images(
        numpy.stack(pictures),
        captions=captions,
        marked=marked,
        told=pandas.concat(told, ignore_index=True),
        notes=notes,
        columns=None if max(map(len, captions)) > 9 else 5,
        title=title,
        key=key,
    )
