"""What TR's claim tests share: the 13 cases with label noise, the optimum of a chain, the wording of results.

Symbols in the tests: E test error, L training loss, LRR learning-rate rewinding, WR weight rewinding, EDT
extended dense training, WD width down-scaling, k level; "opt" is the level with the lowest validation error
(`lib.analysis.statistics`), "dense" is level 0 of learning-rate rewinding, differences are paired by seed.
Tests of means alone also ask for three replicates, as all of TR's results are means of three runs.
"""

import math
from collections.abc import Collection, Mapping, Sequence

import pandas

from lib.analysis.statistics import Comparison, at_level, compare, optimal_level, select
from lib.analysis.tables import Table
from lib.analysis.verdicts import (
    SUBSETS_OF_ERROR,
    Finding,
    answer,
    require_algorithms,
    shortcoming,
    usable_noise,
)

LRR, WR, EDT = "learning_rate_rewinding", "weight_rewinding", "extended_dense_training"
RANDOM, SNIP, SYNFLOW = "random_pruning", "snip_pruning", "synflow_pruning"
WD, ONE_SHOT, LONGER_WD = "width_downscaling", "one_shot", "longer_width_downscaling"
TIE, RND = "without_improved_examples", "without_random_examples"
TIE_TENTH, RND_TENTH = f"{TIE}_10_percent", f"{RND}_10_percent"
TW, RAND = "with_worsened_examples", "with_random_examples"
DS = "correct_examples_only"
SUBSETS_OF_LOSS = (*SUBSETS_OF_ERROR, "train_noisy", "train_original")

NOISE_PERCENT: dict[str, tuple[float, ...]] = {
    "mnist-lenet": (5, 10, 15),
    "cifar10-resnet20": (15, 30, 60),
    "cifar10-vgg16": (15, 30, 60),
    "cifar100-resnet32": (15, 30, 60),
    "imagenet-resnet50": (15,),
}
"""TR's 13 cases with label noise (Figure 3, Tables 5 and 6)."""


def cases(
    table: Table,
    algorithms: Sequence[str],
    subsets: Sequence[str] = SUBSETS_OF_ERROR,
    noise_percents: Sequence[float] | None = None,
) -> tuple[list[float], str]:
    """Look up the cases of a claim in a table.

    Args:
        table: of one benchmark.
        algorithms: all that are compared.
        subsets: all that are read.
        noise_percents: the cases; by default TR's noise levels above zero for this benchmark.

    Returns:
        The noise levels that something can be said about, and what the table lacks for a decision ("" if
        nothing).

    Raises:
        NotRun: an algorithm is not in the table.
    """
    require_algorithms(table, algorithms)
    wanted = NOISE_PERCENT.get(table.provenance.benchmark, ()) if noise_percents is None else noise_percents
    usable = usable_noise(table, algorithms, wanted, subsets)
    lack = shortcoming(table, algorithms, wanted, subsets)
    if not lack and len(usable) < max(1, len(wanted)):
        lack = "not every noise level of this claim can be read from the table."
    return usable, lack


def best_test_error(table: Table, algorithm: str, noise: float) -> pandas.Series:
    """Test error in percent by seed, at the algorithm's own optimum."""
    return at_level(table.frame, algorithm, noise, optimal_level(table.frame, algorithm, noise))


def optimal_differences(
    table: Table, first: str, second: str, noises: Sequence[float]
) -> dict[float, Comparison]:
    """Compare the test errors of two algorithms by noise level, each at its own optimum."""
    return {
        noise: compare(best_test_error(table, first, noise), best_test_error(table, second, noise))
        for noise in noises
    }


def against(
    table: Table,
    first: str,
    second: str,
    allowed: Mapping[float, Collection[str]],
    what: str,
    noise_percents: Sequence[float] | None = None,
) -> Finding:
    """Test whether one algorithm is better or worse than another, each at its own optimum.

    Args:
        table: of one benchmark.
        first, second: algorithms.
        allowed: by noise level, the verdicts on the first that a claim allows; a case that is not in it decides
            nothing and is only reported.
        what: the comparison, in words.
        noise_percents: the cases; by default TR's noise levels above zero for this benchmark.

    Raises:
        NotRun: an algorithm is not in the table.
    """
    noises, lack = cases(table, [first, second], noise_percents=noise_percents)
    found = optimal_differences(table, first, second, noises)
    holds = all(one.verdict in allowed[noise] for noise, one in found.items() if noise in allowed)
    free = [f"{noise:g} %" for noise in found if noise not in allowed]
    note = f"; {', '.join(free)} decides nothing" if free else ""
    reason = f"test error of {what}: {in_words(found)}{note}; decided for this benchmark only."
    return answer(holds, reason, numbers_of("difference_error_percent", found), lack)


def optimal_against_dense(
    table: Table, noise: float, subset: str = "test", value: str = "error_percent"
) -> Comparison:
    """Compare the optimally sparse with the dense network, by default their test errors."""
    levels = (optimal_level(table.frame, LRR, noise), 0)
    return compare(*(at_level(table.frame, LRR, noise, level, subset, value) for level in levels))


def mean_by_level(table: Table, noise: float, subset: str, value: str) -> dict[int, float]:
    """Mean over replicates by level of learning-rate rewinding, at the levels that every replicate has."""
    values = select(table.frame, LRR, noise, subset, value).dropna(axis="columns")
    return dict(zip(values.columns.tolist(), values.to_numpy().mean(axis=0).tolist(), strict=True))


def loss_gap(table: Table, noise: float) -> dict[int, float]:
    """Mean gap between noisy and original training loss by level, in nats."""
    noisy, original = (
        mean_by_level(table, noise, subset, "cross_entropy_nats")
        for subset in ("train_noisy", "train_original")
    )
    return {level: noisy[level] - original[level] for level in noisy if level in original}


def weights_remaining(table: Table, noise: float) -> dict[int, float]:
    """Weights remaining in percent by level of learning-rate rewinding."""
    return mean_by_level(table, noise, "test", "weights_remaining_percent")


def at_optimum(table: Table, noises: Sequence[float]) -> dict[str, float]:
    """Weights remaining in percent at the optimum of every noise level, as numbers of a finding."""
    return {
        f"optimal_weights_remaining_percent_at_{noise:g}": float(
            weights_remaining(table, noise).get(optimal_level(table.frame, LRR, noise), math.nan)
        )
        for noise in noises
    }


def is_in(table: Table, noise: float, cases: set[tuple[str, int]]) -> bool:
    """Tell whether benchmark and noise are one of the cases."""
    return (table.provenance.benchmark, noise) in cases


def in_words(found: dict[float, Comparison]) -> str:
    """Verdict by noise level, in words."""
    words = {"match": "they match", "undecided": "undecided"}
    return ", ".join(f"{words.get(one.verdict, one.verdict)} at {noise:g} %" for noise, one in found.items())


def listed(values: dict[float, float]) -> str:
    """Value by noise level, in words."""
    return ", ".join(f"{noise:g} %: {value:+.2f}" for noise, value in values.items())


def numbers_of(name: str, found: dict[float, Comparison]) -> dict[str, float]:
    """Means and standard deviations by noise level, as numbers of a finding."""
    means = {f"{name}_at_{noise:g}": one.mean for noise, one in found.items()}
    return means | {f"std_at_{noise:g}": one.std for noise, one in found.items()}


def increasing(values: list[float]) -> bool:
    """Tell whether every value is larger than the one before."""
    return all(a < b for a, b in zip(values, values[1:], strict=False))
