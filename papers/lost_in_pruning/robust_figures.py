"""The figures of LIP on robust training: each beside the same network that saw clean images alone.

A table of a benchmark that ends in "-robust" is set beside that of its network without robust training, at the same scale,
as far as that is measured; both are drawn as one table. Seen and unseen are the corruptions of Table 11 (facts L11), and
CIFAR-10.1 is unseen, where its files were there.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy
import pandas

from lib import data
from lib.analysis.distributions import CLEAN, NEW_TEST, REMOVED, TestSet
from lib.analysis.excess_error import SEEN, UNSEEN, excess_points, nominal_split, robust_split
from lib.analysis.experiments import current
from lib.analysis.levels import TEST
from lib.analysis.printed import printed
from lib.analysis.prune_potential import DELTA, potential_rows
from lib.analysis.table import Table, find_tables
from lib.charts import dots, images, lines
from lib.errors import InputError
from lib.widgets.page import or_what_is_missing
from papers.lost_in_pruning.claims import PAPER, TABLES_OF_POTENTIAL, nominal
from papers.lost_in_pruning.figures import (
    CHANGE,
    EXCESS,
    IMAGES,
    INTERVALS,
    MARGIN,
    MARGINS,
    POTENTIAL,
    SEVERITY,
    algorithms,
    along_pruning,
    measured_sets,
    of_parent,
    of_table,
    on_sets,
    with_line,
)
from papers.lost_in_pruning.names import MODELS
from papers.lost_in_pruning.picture import picture

Tables = Sequence[Table]

TRAINING, ROBUST, NOMINAL = "training", "with corrupted images", "clean images alone"
"""How a network was trained, and the two ways."""
SEEN_OR_NOT, OVER = "corruptions", "over them"
PARTS = ("seen", "unseen")
MISSING = "no error on corrupted images was measured yet; the note above the figures says what is missing"


@or_what_is_missing
def seen_and_unseen_images(number: int | None = None) -> Any:
    """Table 11: a picture as robust training sees it, and with the corruptions that only tests have."""
    original, names = picture(number), ("", *SEEN, *UNSEEN)
    shown = [data.corrupt(original.unsqueeze(0), name, SEVERITY)[0] if name else original for name in names]
    parts = ["seen" if name in ("", *SEEN) else "unseen" for name in names]
    return images(
        numpy.stack([one.numpy() for one in shown]), marked=[part == "unseen" for part in parts], columns=4, side=80,
        captions=[name.replace("_", "\n") or "original" for name in names], title="Seen in training, and not",
        told=pandas.DataFrame({"corruption": [name.replace("_", " ") or "none" for name in names], "in training": parts}),
        key=f"Severity {SEVERITY}. Coloured names: never seen in training.",
    )  # fmt: skip


@or_what_is_missing
def error_after_robust_training(tables: Tables) -> Any:
    """Figure 48: error on clean test images against PR, and its change from the parent's, by either training."""

    def of_one(table: Table) -> Any:
        found = along_pruning([table], [TEST], algorithms([table]))
        return pandas.concat([found, found.assign(value=found["value"] - of_parent(found), quantity=CHANGE)])

    return lines(
        _of_both(tables, of_one), x=REMOVED, panels="quantity", colour="algorithm", dash=TRAINING,
        domain=algorithms(tables), title="Clean test images, after either training",
        key="Below, the error of a network minus that of its own parent.",
    )  # fmt: skip


@or_what_is_missing
def error_on_unseen(tables: Tables) -> Any:
    """Figure 8a beside 6a: error against PR under a corruption that no network has seen, by either training."""

    def of_one(table: Table) -> Any:
        return on_sets([table], measured_sets(table, [CLEAN, *robust_split(new_test=True)[1]])).astype({IMAGES: str})

    found = _of_both(tables, of_one)
    order = [one for one in found[IMAGES].unique() if one != CLEAN.name]
    found[IMAGES] = pandas.Categorical(found[IMAGES], [*order, CLEAN.name], ordered=True)
    return lines(
        found, x=REMOVED, colour=TRAINING, domain=[ROBUST, NOMINAL], menus=[IMAGES, "algorithm"],
        title="Under a corruption never seen", key="Band: one standard deviation over parents.",
    )  # fmt: skip


@or_what_is_missing
def potential_seen_and_unseen(tables: Tables) -> Any:
    """Figures 8b and 49 to 54: prune potential under seen and unseen corruptions, for the margin of a menu."""
    parts = dict(zip(PARTS, robust_split(new_test=True), strict=True))
    part_of = {one.name: part for part, sets in parts.items() for one in sets}

    def of_one(table: Table) -> Any:
        return _potentials(table, measured_sets(table, [one for sets in parts.values() for one in sets]))

    found = _of_both(tables, of_one)
    found[SEEN_OR_NOT] = [part_of[name] for name in found[IMAGES]]
    found = found.sort_values(IMAGES, key=lambda names: names.map([*part_of].index), kind="stable")
    return dots(
        found, y=[SEEN_OR_NOT, IMAGES], x=POTENTIAL, menus=["algorithm", TRAINING, MARGIN], shown={MARGIN: DELTA},
        title="How much can be pruned, by corruption", key=f"Severity {SEVERITY}.",
    )  # fmt: skip


@or_what_is_missing
def average_and_minimum(tables: Tables) -> Any:
    """Tables 12 and 13: average and minimum prune potential over seen and unseen corruptions, and what is printed."""

    def of_one(table: Table) -> Any:
        pieces = []
        for part, sets in zip(PARTS, robust_split(new_test=True), strict=True):
            found = _potentials(table, measured_sets(table, sets), [DELTA])
            over = found.groupby(["algorithm", "seed", "table", "benchmark", "scale"], sort=False)["value"]
            for name, own in (("average", over.mean()), ("minimum", over.min())):
                pieces.append(own.reset_index().assign(**{SEEN_OR_NOT: part, OVER: name}, quantity=POTENTIAL))
        return pandas.concat(pieces, ignore_index=True)

    return dots(
        _of_both(tables, of_one), y=[SEEN_OR_NOT, OVER, TRAINING], x=POTENTIAL, menus=["algorithm"],
        printed=printed_potentials(), title="Over all seen, and over all unseen corruptions",
        key=f"Margin {DELTA} points. Seen in robust training, that is. The paper prints networks that saw corrupted images; "
        "its spread divides by n.",
    )  # fmt: skip


@or_what_is_missing
def excess_after_robust_training(tables: Tables) -> Any:
    """Figures 8c and 55 to 60: difference in excess error against PR with its line, by either training."""
    pieces = []
    for table in tables:
        points = []
        for training, one in both_of(table).items():
            train, test = (measured_sets(one, sets) for sets in splits(training, one))
            try:
                points.append(excess_points(one, train, test, algorithms([one])).assign(training=training))
            except InputError:
                continue
        found = pandas.concat(points, ignore_index=True) if points else pandas.DataFrame()
        for name, own in found.groupby("algorithm", sort=False) if len(found) else ():
            for over in INTERVALS:
                drawn = with_line(own.assign(algorithm=own["training"]), over)
                drawn = drawn.rename(columns={"algorithm": TRAINING})
                pieces.append(drawn.assign(algorithm=name, interval=over, **of_table(table)))
    if not pieces:
        raise InputError(MISSING)
    return lines(
        pandas.concat(pieces, ignore_index=True), x=REMOVED, y=EXCESS, colour=TRAINING, domain=[ROBUST, NOMINAL],
        dash="line", reference=0.0, menus=["algorithm", "interval"], title="What unseen images cost beyond those trained on",
        key="Excess error: unseen minus seen corruptions for one training, all corruptions minus clean for the other. Band "
        "of the fitted line: 95 % interval, by a bootstrap over points as in the paper, or over parents.",
    )  # fmt: skip


# What they share


@functools.lru_cache(maxsize=16)  # files are read for it, and every figure asks
def nominal_of(table: Table) -> Table | None:
    """Return what was measured of the same network without robust training, at the same scale; committed tables first."""
    found = [current(one)[0] for one in find_tables(PAPER, nominal(table.benchmark), table.scale)]
    return next((one for one in found if len(one.frame)), None)


def both_of(table: Table) -> dict[str, Table]:
    """Return a table of robust training and that of its network without, by training."""
    beside = nominal_of(table)
    return {ROBUST: table} | ({NOMINAL: beside} if beside else {})


def splits(training: str, table: Table) -> tuple[Sequence[TestSet], Sequence[TestSet]]:
    """Return train and test sets of a training; CIFAR-10.1 is among the latter where it was measured."""
    new_test = bool(measured_sets(table, [NEW_TEST]))
    return robust_split(new_test=new_test) if training == ROBUST else nominal_split(new_test=new_test)


def printed_potentials() -> pandas.DataFrame:
    """Return Tables 12 and 13 as `average_and_minimum` sets them beside what is measured."""
    rows = pandas.concat([printed(PAPER, name) for name in TABLES_OF_POTENTIAL]).to_dict("records")
    found = []
    for benchmark, row in ((name, row) for name, model in MODELS.items() for row in rows if row["model"] == model):
        _, _, over, part, _ = row["metric"].split("_")
        found.append(
            {
                "benchmark": f"{benchmark}-robust", "algorithm": row["method"], "mean": row["mean"], "std": row["std"],
                SEEN_OR_NOT: PARTS[part == "test"], OVER: {"avg": "average", "min": "minimum"}[over], TRAINING: ROBUST,
            }
        )  # fmt: skip
    return pandas.DataFrame(found)


def _potentials(table: Table, sets: Sequence[TestSet], deltas: Sequence[float] = MARGINS) -> Any:
    if not sets:
        raise InputError(MISSING)
    found = potential_rows(table, sets, algorithms([table]), deltas).rename(columns={"set": IMAGES, "delta": MARGIN})
    return found.drop(columns="position").assign(quantity=POTENTIAL, **of_table(table))


def _of_both(tables: Tables, of_one: Callable[[Table], Any]) -> Any:
    """Return the rows of each table and of its nominal one, under the former's name; InputError if no table has any."""
    pieces, missing = [], MISSING
    for table in tables:
        for training, one in both_of(table).items():
            try:
                pieces.append(of_one(one).assign(**{TRAINING: training}, **of_table(table)))
            except InputError as error:
                missing = str(error)
    if not pieces:
        raise InputError(missing)
    return pandas.concat(pieces, ignore_index=True)
