"""Measures: a number of each replicate in one case of a table, such as the test error at the optimum with 15 % noise.

    gain = error(LRR, "dense") - error(LRR, "optimum")        with error = measured("test error (%)")

Claims compare measures (`lib.analysis.claims`). What is missing for a decision is noted while reading: fewer than three
replicates, levels that not every replicate has, no such level, or a network that is compared with itself.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas

from lib.analysis.levels import BEST_TEST, CHOSEN_ON_TEST, TEST, chosen_level, equal_levels, level_by_others
from lib.analysis.statistics import FEWEST_REPLICATES, difference, rank_correlation
from lib.analysis.table import SIZE, Table, noun_and_unit, unit_of_difference, values

IN_WORDS = {"noise_percent": "{:g} % noise"}
"""How a case is called, by its dimension."""


class NotRun(Exception):
    """The table does not measure what is asked; the message says what is missing."""


@functools.lru_cache(maxsize=2048)  # claims ask for the same numbers again and again
def _read(table: Table, quantity: str, columns: str, where: tuple) -> tuple[pandas.DataFrame, frozenset[str]]:
    frame, chosen = table.frame, dict(where)
    parts = frame.loc[frame["quantity"].eq(quantity) & frame["algorithm"].eq(chosen["algorithm"]), "part"]
    return values(table, quantity, columns, **chosen), frozenset(parts)


class Case:
    """One case in one table: it reads numbers, and remembers what they lack for a decision.

    Attributes:
        table: what was measured.
        where: the case, such as {"noise_percent": 15.0}.
        notes: why what is asked now cannot be decided; empty where it can.
        told: all that was noted, once.
        numbers: of interest beside the result, by name with unit.
        parts: of the table, that were read.
    """

    def __init__(self, table: Table, where: Mapping[str, float]):
        self.table, self.where = table, dict(where)
        self.notes: list[str] = []
        self.told: list[str] = []
        self.numbers: dict[str, float] = {}
        self.parts: set[str] = set()

    @property
    def place(self) -> tuple:
        """Benchmark and values of the case, as lists of exceptions name it."""
        return (self.table.benchmark, *self.where.values())

    @property
    def words(self) -> str:
        """The case in words, such as "15 % noise"."""
        return " and ".join(IN_WORDS.get(name, f"{name} {{:g}}").format(v) for name, v in self.where.items())

    def note(self, missing: str) -> None:
        """Remember why what is asked now cannot be decided."""
        self.notes.append(missing)
        if missing not in self.told:
            self.told.append(missing)

    def values(self, quantity: str, algorithm: str, columns: str = "level", **more: float) -> pandas.DataFrame:
        """Return a quantity as seeds × columns, those that every replicate has; see `lib.analysis.table.values`.

        Raises:
            NotRun: the table has none.
        """
        where = tuple({**self.where, "algorithm": algorithm, **more}.items())
        found, parts = _read(self.table, quantity, columns, where)
        if found.empty:
            raise NotRun(f"the table lacks {quantity} of {algorithm}")
        self.parts |= parts
        if len(found) < FEWEST_REPLICATES:
            self.note(f"{len(found)} of the {FEWEST_REPLICATES} replicates that it takes")
        whole = found.dropna(axis="columns")
        needed = range(max(found) + 1) if quantity == TEST and columns == "level" else found.columns
        if lost := [f"{column:g}" for column in needed if column not in whole]:
            self.note(f"not every replicate of {algorithm} has {columns} {', '.join(lost[:4])}")
        return whole

    def runs(self, quantity: str, configuration: str) -> pandas.Series:
        """Return a quantity of the runs of a configuration by seed, at its last level; a run that diverged has none.

        Raises:
            NotRun: the table has none.
        """
        where = tuple({**self.where, "algorithm": configuration}.items())
        found, parts = _read(self.table, quantity, "level", where)
        if found.empty:
            raise NotRun(f"the table lacks {quantity} of {configuration}")
        self.parts |= parts
        last = found.iloc[:, -1].dropna()
        if len(last) < FEWEST_REPLICATES:
            self.note(f"{configuration} has {len(last)} of the {FEWEST_REPLICATES} runs that it takes")
        return last

    def level(self, name: str | int, algorithm: str, by_others: bool = False) -> pandas.Series:
        """Return a level by seed, NaN where there is none.

        Args:
            name: "dense", a number, or one of `lib.analysis.levels.NAMES`.
            algorithm: whose level.
            by_others: chosen for each replicate by the others, so that no error both chooses and is compared.
        """
        sizes, where = self.values(SIZE, algorithm), {**self.where, "algorithm": algorithm}
        if isinstance(name, int) or name == "dense":
            return pandas.Series(float(name != "dense" and name), index=sizes.index)
        if by_others and name in CHOSEN_ON_TEST and len(sizes) > 1:
            found = level_by_others(self.table, name, **where).reindex(sizes.index)
        else:
            level = chosen_level(self.table, name, **where)
            found = pandas.Series(math.nan if level is None else level, index=sizes.index, dtype="float64")
            if others := equal_levels(self.table, name, **where):
                alike = ", ".join(map(str, [level, *others]))
                self.note(f"levels {alike} of {algorithm} validate alike with as many weights")
        if found.isna().any() and len(sizes) >= FEWEST_REPLICATES:
            self.note(f"{algorithm} has no {name}{self._beside_dense(name, algorithm)}")
        left = [sizes.at[seed, level] for seed, level in found.dropna().items() if level in sizes]
        if left:
            self.numbers[f"weights remaining at the {name} of {algorithm} (%)"] = sum(left) / len(left)
        return found

    def _beside_dense(self, name: str, algorithm: str) -> str:
        """Say with numbers why a level that test errors choose is missing."""
        quantity = BEST_TEST if name == "best sweet spot" else TEST
        means = self.values(quantity, algorithm).mean()
        if name not in CHOSEN_ON_TEST or len(means) < 2:
            return ""
        return f": the lowest mean {quantity} is {means.iloc[1:].min():.3g}, dense {means.iloc[0]:.3g}"


@dataclass(frozen=True)
class Measure:
    """A number of each replicate.

    Attributes:
        words: what it is.
        unit: of its differences.
        read: case → value by seed.
        of_network: two measures that are equal in every replicate are of the same network, as errors are and levels are not.
        noun: with which the words begin, such as "test error of ".
    """

    words: str
    unit: str
    read: Callable[[Case], pandas.Series]
    of_network: bool = True
    noun: str = ""

    def called(self, words: str) -> "Measure":
        """Return the same measure with a name of its own."""
        return replace(self, words=words, noun="")

    def __sub__(self, other: "Measure") -> "Measure":
        def read(case: Case) -> pandas.Series:
            first, second = self.read(case), other.read(case)
            if difference(first, second).same and self.of_network and other.of_network:
                case.note("the two networks are the same")
            return first - second

        both = self.of_network and other.of_network
        return Measure(f"{self.words} minus {other.words}", self.unit, read, both)

    def __rmul__(self, factor: float) -> "Measure":
        return Measure(f"{factor:g} times {self.words}", self.unit, lambda case: factor * self.read(case))


def measured(quantity: str) -> Callable[..., Measure]:
    """Return a function of algorithm and level (see `Case.level`) that makes the measure of a quantity there.

    Its `of` names the algorithm whose level it is, where that is another one. Test errors at a level that test errors chose
    are taken where the other replicates choose it.
    """
    noun, unit = noun_and_unit(quantity)

    def at(algorithm: str, level: str | int = "dense", of: str | None = None) -> Measure:
        def read(case: Case) -> pandas.Series:
            found = case.values(quantity, algorithm)
            levels = case.level(level, of or algorithm, quantity in (TEST, BEST_TEST))
            pairs = [(seed, k) for seed, k in levels.items() if k in found and seed in found.index]
            return pandas.Series({seed: found.at[seed, k] for seed, k in pairs}, dtype="float64")

        name = f"{level}" if str(level).endswith(("optimum", "spot")) else f"{level} level"
        place = f"level {level}" if isinstance(level, int) else f"the {name} of {of}" if of else f"its {name}"
        words = "the dense network" if level == "dense" else f"{algorithm} at {place}"
        return Measure(f"{noun} of {words}", unit_of_difference(unit), read, noun=f"{noun} of ")

    return at


def of_runs(quantity: str) -> Callable[[str], Measure]:
    """Return a function of a configuration that makes the measure of a quantity over its runs (`Case.runs`).

    A configuration is an algorithm of one network: the unpruned one, or the one that was pruned while it trained.
    """
    noun, unit = noun_and_unit(quantity)

    def of(configuration: str) -> Measure:
        words = f"{noun} of {configuration}"
        return Measure(
            words, unit_of_difference(unit), lambda case: case.runs(quantity, configuration), noun=f"{noun} of "
        )

    return of


def given(words: str, unit: str, found: pandas.Series, of_network: bool = True) -> Measure:
    """Return numbers that are already computed, by seed, as a measure."""
    return Measure(words, unit, lambda case: found, of_network)


def held_out(found: pandas.DataFrame, highest: bool = False) -> pandas.Series:
    """Return for each replicate its value in the column whose mean over the other replicates is lowest, or highest.

    So nothing is chosen and tested by the same numbers.

    Args:
        found: seeds × columns.
        highest: instead of lowest.

    Returns:
        By seed, NaN without a column. A single replicate chooses for itself, which decides nothing.
    """
    chosen = {}
    for seed in found.index if found.shape[1] else []:
        others = found.drop(index=seed) if len(found) > 1 else found
        # Rounded, because means of the same counts of mistakes may differ in the last bit and must tie.
        means = others.mean().round(9)
        chosen[seed] = found.at[seed, means.idxmax() if highest else means.idxmin()]
    return pandas.Series(chosen, index=found.index, dtype="float64")


def correlations(
    first: pandas.DataFrame,
    second: pandas.DataFrame | pandas.Series,
    kind: Callable[..., float] = rank_correlation,
) -> pandas.Series:
    """Return the correlation of two quantities over columns, of each replicate by itself.

    Args:
        first: seeds × columns.
        second: the same of another quantity, or one value per column.
        kind: of two sequences, NaN where it is not defined.
    """
    found = {}
    for seed in first.index:
        if isinstance(second, pandas.DataFrame) and seed not in second.index:
            continue
        other = second.loc[seed] if isinstance(second, pandas.DataFrame) else second
        shared = [column for column in first.columns if column in other.index]
        found[seed] = kind(first.loc[seed, shared].tolist(), other[shared].tolist())
    return pandas.Series(found, dtype="float64")
