"""What a claim's test can answer, and what a table must hold before it may answer.

A test is a function of one table. It returns a `Finding`, or raises `NotRun` where the table holds nothing of
what the claim speaks of. Numbers are given with every answer, also with "undecided".
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lib.analysis.statistics import FEWEST_REPLICATES, select
from lib.analysis.tables import Table

Answer = Literal["reproduced", "not reproduced", "undecided", "not run"]


class NotRun(Exception):
    """The table does not measure what the claim speaks of; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """What a test found in one table.

    Attributes:
        verdict: the answer.
        reason: one sentence, with what was compared or what is missing.
        numbers: the numbers behind it, by a name with its unit.
    """

    verdict: Answer
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A finding with the claim, the benchmark and the scale that it is about.

    Attributes:
        claim: id in `papers/claims.csv`.
        benchmark: such as "mnist-lenet"; empty where nothing measures the claim.
        scale: one of `lib.analysis.schema.SCALES`; empty where there is no table.
        verdict: the answer.
        reason: one sentence.
        numbers: the numbers behind it.
    """

    claim: str
    benchmark: str
    scale: str
    verdict: Answer
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


SUBSETS_OF_ERROR = ("test", "validation")
ClaimTest = Callable[[Table], Finding]


def answer(holds: bool, reason: str, numbers: Mapping[str, float], shortcoming: str = "") -> Finding:
    """Turn a condition into a finding; a shortcoming of the table makes it undecided, whatever the condition.

    Args:
        holds: whether the claim's formal test holds.
        reason: what was compared, and how it came out.
        numbers: the numbers behind it.
        shortcoming: what the table lacks; empty when it has all.
    """
    if shortcoming:
        return Finding("undecided", shortcoming, numbers)
    return Finding("reproduced" if holds else "not reproduced", reason, numbers)


def require_algorithms(table: Table, algorithms: Iterable[str]) -> None:
    """Raise `NotRun` unless the table has rows of every algorithm."""
    if missing := [name for name in algorithms if name not in set(table.frame["algorithm"])]:
        raise NotRun(f"this table has no rows of {' or '.join(missing)}.")


def usable_noise(
    table: Table,
    algorithms: Iterable[str],
    noise_percents: Iterable[float],
    subsets: Iterable[str] = SUBSETS_OF_ERROR,
) -> list[float]:
    """List the noise levels at which something can be computed: every dense level 0 is there on every subset.

    Args:
        table: a measured table.
        algorithms: all of them are needed.
        noise_percents: the levels to look for.
        subsets: on which subsets.

    Returns:
        Those that can be looked at, in the order given, whatever the number of replicates and levels.
    """
    needed = [(name, subset) for name in algorithms for subset in subsets]
    return [
        noise
        for noise in noise_percents
        if all(
            0 in select(table.frame, name, noise, subset).dropna(axis="columns") for name, subset in needed
        )
    ]


def shortcoming(
    table: Table,
    algorithms: Iterable[str],
    noise_percents: Iterable[float],
    subsets: Iterable[str] = SUBSETS_OF_ERROR,
) -> str:
    """Say what a table lacks for a decision: noise levels, replicates or levels.

    Args:
        table: a measured table.
        algorithms: whose chains are needed.
        noise_percents: the noise levels that are needed.
        subsets: on which subsets.

    Returns:
        The lacks in one sentence, empty when there are none. Every replicate of a chain must have every level
        from 0 to the last one of any replicate; a replicate that diverged lacks the levels from there on.
    """
    names, lacks = list(algorithms), []
    for noise in noise_percents:
        chains = {name: select(table.frame, name, noise, "test") for name in names}
        if any(chain.empty for chain in chains.values()):
            lacks.append(f"missing noise level {noise:g} %")
            continue
        replicates = len(set.intersection(*(set(chain.index) for chain in chains.values())))
        if replicates < FEWEST_REPLICATES:
            lacks.append(
                f"too few replicates at {noise:g} % noise: {replicates}, it takes {FEWEST_REPLICATES}"
            )
        for name, chain in chains.items():
            levels = range(max(chain.columns.tolist()) + 1)
            for subset in subsets:
                values = select(table.frame, name, noise, subset)
                gone = values.reindex(index=chain.index, columns=levels).isna()
                if gone.any(axis=None):
                    seeds, missing = gone.index[gone.any(axis="columns")], gone.columns[gone.any()]
                    lacks.append(
                        f"missing levels of {name} at {noise:g} % noise on {subset}: "
                        f"{_listed(missing)} (seed {_listed(seeds)})"
                    )
    return "; ".join(lacks) + "." if lacks else ""


def _listed(values: Iterable[int]) -> str:
    return ", ".join(str(value) for value in values)
