"""Sentences that follow the numbers: what a figure shows, said with the numbers of the table that it draws.

    @observed
    def error_while_pruning(table):                       # called with (tables): the first table that can show it speaks
        dense, sparse = read(table, TEST, level=0, ...), read(table, TEST, level="optimum", ...)
        return f"With 15 % wrong labels, pruning {brings(dense, sparse)}."

    At paper scale (3 seeds): With 15 % wrong labels, pruning lowers the test error from 12.9 ± 0.3 to 8.91 ± 0.08 %.

Which word is chosen, the data decide: two results differ where the mean of their paired differences is at least one standard
deviation from zero (`lib.analysis.statistics`), the rule of the claims. With fewer than three seeds no difference is called
one; the words say how the numbers lie, and the paragraph ends with `FEW_SEEDS`.
"""

# pandas' stubs tell neither a column from a frame nor a number from either.
# pyright: reportReturnType=false, reportArgumentType=false, reportGeneralTypeIssues=false

import functools
import math
from collections.abc import Callable, Sequence

import numpy
import pandas

from lib.analysis.display import Markdown
from lib.analysis.levels import chosen_level
from lib.analysis.statistics import FEWEST_REPLICATES, Difference, difference, mean_and_std
from lib.analysis.table import SIZE, Table, unit_of_difference, values
from lib.errors import InputError

SMALLEST_DECIMAL = 1e-4
"""Numbers smaller than this are written with a power of ten."""
SMALLEST_TURN = 0.1
"""A rise or fall smaller than this share of the whole range is no turn of a curve."""
RESOLUTION = 1e-7
"""Means between 0 and it are called practically 0: no loss of one image lies between 0 and it in float32."""
FEW_SEEDS = "With so few seeds this may be chance."


def observed(sentence: Callable[..., str]) -> Callable[..., Markdown]:
    """Make of "one table → a paragraph" a function "all tables of a page → Markdown".

    The first table that can show it speaks and is named. A table cannot where the function raises `InputError`, whose
    message is what the reader gets if no table can. Of a table with fewer than three seeds it ends with `FEW_SEEDS`.
    """

    @functools.wraps(sentence)
    def of_tables(tables: Sequence[Table], *given, **settings) -> Markdown:
        words, table = _first(tables, lambda one: sentence(one, *given, **settings))
        if not table:
            return Markdown(f"*Nothing to see yet: {words}.*")
        doubt = f" {FEW_SEEDS}" if len(table.seeds) < FEWEST_REPLICATES else ""
        return Markdown(f"**What we see** ({whose(table)}). {words}{doubt}")

    return of_tables


def learned(*lines: Callable[[Table], str]) -> Callable[[Sequence[Table]], Markdown]:
    """Make of functions "one table → a sentence" what a page ends with: a list, each line with its scale and seeds."""

    def of_tables(tables: Sequence[Table]) -> Markdown:
        said = [_first(tables, line) for line in lines]
        if not any(table for _, table in said):
            return Markdown(f"*Nothing to learn yet: {said[0][0]}.*")
        told = [f"* {words} ({whose(table)})" if table else f"* *Not measured yet: {words}.*" for words, table in said]
        return Markdown("\n".join(["**What we learned**", "", *told]))

    return of_tables


def _first(tables: Sequence[Table], sentence: Callable[[Table], str]) -> tuple[str, Table | None]:
    """Return what the first table says that can, and which it is; or what the last one misses, and None."""
    missing = "no table was measured"
    for table in tables:
        try:
            return sentence(table), table
        except InputError as error:
            missing = str(error).rstrip(".")
    return missing, None


def whose(table: Table) -> str:
    """Name a table: "paper scale, 3 seeds"; what the reader measured "yours: noise 60 %, laptop scale, 3 seeds"."""
    seeds = f"{len(table.seeds)} seed{'s' * (len(table.seeds) != 1)}"
    own = f"{table.label.partition(' (')[0]}, " if table.origin == "this machine" else ""
    return f"{own}{table.scale} scale, {seeds}"


def read(table: Table, quantity: str, level: int | str, algorithm: str, of: str = "", **where) -> pandas.Series:
    """Return a quantity by seed at one level, a number or one of `lib.analysis.levels.NAMES`.

    Args:
        table: measured.
        quantity: such as "test error (%)".
        level: of the network; "last" is the last that every replicate has.
        algorithm: whose network.
        of: the algorithm whose chosen level it is, where that is another one.
        **where: values of other columns, such as noise_percent, position.

    Raises:
        InputError: there is no such number; the message says what is missing.
    """
    found = values(table, quantity, algorithm=algorithm, **where).dropna(axis="columns")
    case = ", ".join([algorithm, *(f"{name.replace('_percent', '')} {value:g}" for name, value in where.items())])
    if found.empty:
        raise InputError(f"no {quantity} of {case} was measured at {table.scale} scale")
    if level == "last":
        return found[found.columns[-1]]
    if isinstance(level, str):
        others = {name: value for name, value in where.items() if name != "position"}
        chosen = chosen_level(table, level, **{**others, "algorithm": of or algorithm})
        if chosen is None:
            raise InputError(f"{of or algorithm} has no {level} at {table.scale} scale")
        level = chosen
    if level not in found:
        raise InputError(f"no {quantity} of {case} was measured at level {level}")
    return found[level]


def size_at(table: Table, level: int | str, algorithm: str, **where) -> str:
    """Say how many weights are left at a level, in percent with three digits: "1.15 %"."""
    where.pop("position", None)
    return f"{read(table, SIZE, level, algorithm, **where).mean():.3g} %"


# Numbers in words


def p_value(p: float) -> str:
    """Write what a test found: "p = 0.031", "p < 0.001"."""
    if math.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def number(value: float, signed: bool = False) -> str:
    """Write a number with as many digits as it bears: 12.9, 8.93, 0.48, −0.0041, 3·10⁻⁷."""
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if 0 < size < SMALLEST_DECIMAL:
        digit, exponent = f"{size:.0e}".split("e-")
        raised = str(int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        sign = "−" if value < 0 else "+" * signed
        return f"{sign}{digit}·10⁻{raised}"
    return f"{value:{'+' * signed}.{_decimals(size)}f}".replace("-", "−")


def _decimals(size: float) -> int:
    if size >= 10:
        return 1
    if size >= 0.1 or not size:
        return 2
    return 1 - math.floor(math.log10(size))


def mean_std(found: pandas.Series, unit: str = "%", signed: bool = False) -> str:
    """Write mean ± sample standard deviation over seeds: "12.9 ± 0.3 %"; the mean alone of one seed."""
    mean, std, count = mean_and_std(found).iloc[0]
    return f"{_with_spread(mean, std, count, signed)} {unit}".rstrip()


def _with_spread(mean: float, std: float, count: int, signed: bool = False) -> str:
    """Write a mean with as many digits as it bears, or with one more where its spread would read zero."""
    if count < 2 or not math.isfinite(mean):
        return number(mean, signed)
    if 0 < abs(mean) < SMALLEST_DECIMAL:
        return f"{number(mean, signed)} ± {number(std)}"
    digits = _decimals(abs(mean))
    if SMALLEST_DECIMAL <= std < 0.5 * 10**-digits:
        digits += 1
    return f"{mean:{'+' * signed}.{digits}f} ± {std:.{digits}f}".replace("-", "−")


def gap(found: Difference, unit: str = "points") -> str:
    """Write the size of a difference without its sign: "4.0 ± 0.2 points"."""
    return f"{_with_spread(abs(found.mean), found.std, found.n)} {unit}".rstrip()


def differs(first: pandas.Series, second: pandas.Series) -> str:
    """Return how the first compares with the second: "lower", "higher", "match", "undecided" (see `Difference.verdict`).

    Fewer than three replicates are compared by their means; what is said of them ends with `FEW_SEEDS`.
    """
    found = difference(first, second)
    if 0 < found.n < FEWEST_REPLICATES and found.mean:
        return "lower" if found.mean < 0 else "higher"
    return found.verdict


def from_to(before: pandas.Series, after: pandas.Series, unit: str = "%") -> str:
    """Say how a number goes from one network to another.

    "rises from 4.0 ± 0.1 to 8.2 ± 0.3 %", "falls from …", "stays within the spread (4.0 ± 0.1 % and 4.1 ± 0.2 %)";
    "does not change: it is the same network"; of two networks an error of 0 may be equal, any other hardly.
    """
    before, after = _of_the_same_seeds(before, after)
    found = difference(after, before)
    if found.same:
        one = found.n > 1 and before.any()
        return "does not change: it is the same network" if one else f"stays at {mean_std(before, unit)}"
    if found.verdict == "match":
        return f"stays within the spread ({mean_std(before, unit)} and {mean_std(after, unit)})"
    word = "rises" if found.mean > 0 else "falls"
    return f"{word} from {mean_std(before, '')} to {mean_std(after, unit)}"


def against(first: pandas.Series, second: pandas.Series, unit: str = "%") -> str:
    """Say how one number stands to another: "8.9 ± 0.1 % against 12.9 ± 0.3 %, 4.0 ± 0.2 points lower"."""
    first, second = _of_the_same_seeds(first, second)
    found = difference(first, second)
    both = f"{mean_std(first, unit)} against {mean_std(second, unit)}"
    if found.same:
        return f"{both}, the same network" if found.n > 1 and first.any() else f"{both}, no difference"
    if found.verdict == "match":
        return f"{both}, no more apart than seeds are"
    return f"{both}, {gap(found, unit_of_difference(unit))} {'lower' if found.mean < 0 else 'higher'}"


def _of_the_same_seeds(first: pandas.Series, second: pandas.Series) -> tuple[pandas.Series, pandas.Series]:
    """Return both for the seeds that both have, so that means and their paired difference speak of the same networks."""
    both = pandas.concat({0: first, 1: second}, axis="columns", join="inner")
    both = both.replace([numpy.inf, -numpy.inf], numpy.nan).dropna()
    if both.empty:
        given = [listed([str(seed) for seed in one.index]) or "none" for one in (first, second)]
        raise InputError(f"two results have no seed in common: {given[0]}, and {given[1]}")
    return both[0], both[1]


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does: "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def times(count: int, total: int, what: str) -> str:
    """Say in how many of some cases: "in all 4 …", "in none of the 4 …", "in both …", "in neither …", "in 1 of 4 …"."""
    if total <= 1:
        return f"in the one {what}" if count else f"in no {what}"
    if total == 2 and count != 1:
        return f"in both {what}s" if count else f"in neither {what}"
    head = "in all" if count == total else "in none of the" if not count else f"in {count} of"
    return f"{head} {total} {what}s"


# The course of a curve


def turning_points(found: pandas.DataFrame) -> list[int]:
    """Return the levels where a curve turns, with its first and last one.

    A turn counts where the way to it and from it are differences by the rule (of means where there are fewer than three
    seeds) and more than `SMALLEST_TURN` of the whole range.

    Args:
        found: seeds × levels.
    """
    found = found.dropna(axis="columns")
    if found.shape[1] < 2:
        return [int(level) for level in found.columns]
    means = found.mean()
    least = SMALLEST_TURN * (means.max() - means.min())

    def moved(start: int, end: int) -> bool:
        one = difference(found[end], found[start])
        return abs(one.mean) > least and (one.n < FEWEST_REPLICATES or one.verdict in ("lower", "higher"))

    levels = [int(level) for level in found.columns]
    turns, extreme, direction = [levels[0]], levels[0], 0
    for level in levels[1:]:
        step = means[level] - means[extreme]
        if direction == 0:
            if moved(turns[0], level):
                direction, extreme = (1 if step > 0 else -1), level
        elif step * direction > 0:
            extreme = level
        elif moved(extreme, level):
            turns.append(extreme)
            direction, extreme = -direction, level
    last = [] if direction and means[levels[-1]] == means[extreme] else levels[-1:]
    return [*dict.fromkeys([*turns, extreme, *last])]


def course(table: Table, quantity: str, algorithm: str, unit: str = "%", **where) -> str:
    """Say how a quantity runs over the levels: "12.9 % dense, up to 20.9 % at 4.4 % of the weights, down to 8.9 % at 1.2 %".

    Raises:
        InputError: nothing was measured.
    """
    read(table, quantity, 0, algorithm, **where)  # raises, and names what is missing
    found = values(table, quantity, algorithm=algorithm, **where).dropna(axis="columns")
    nothing = found.abs().max() < RESOLUTION
    turns, means = turning_points(found * ~nothing), found.mean()
    told = {
        k: "practically 0" if nothing[k] and found.loc[:, nothing].any(axis=None) else number(means[k]) for k in turns
    }
    words = [f"{told[turns[0]]} {unit}{' in the dense network' * (turns[0] == 0)}"]
    for before, level in zip(turns, turns[1:], strict=False):
        size, change = size_at(table, level, algorithm, **where), difference(found[level], found[before])
        still = change.verdict == "match" or change.same
        word = "to" if still else "up to" if change.mean > 0 else "down to"
        place = f"{size} of the weights" if before == turns[0] else size
        spread = ", no further apart than seeds are" if still else ""
        words.append(f"{word} {told[level]} {unit} at {place}{spread}")
    return ", ".join(words)
