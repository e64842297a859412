"""The tests of LN's claims, by claim, and the benchmarks that each speaks of."""

from collections.abc import Mapping, Sequence

from lib.analysis.verdicts import ClaimTest
from papers.label_noise import distance_claims, landscape_claims
from papers.label_noise.cases import BENCHMARKS

CLAIM_TESTS: Mapping[str, ClaimTest] = {
    "LN-C14": landscape_claims.loss_falls_without_barrier,
    "LN-C15": landscape_claims.sparser_start_ends_sharper,
    "LN-C16": distance_claims.distance_falls_with_sparsity,
    "LN-C17": distance_claims.closer_is_better,
    "LN-C18": distance_claims.distance_mirrors_accuracy,
}

CLAIM_BENCHMARKS: Mapping[str, Sequence[str]] = {
    "LN-C14": BENCHMARKS,
    "LN-C15": BENCHMARKS,
    "LN-C16": BENCHMARKS,
    "LN-C17": BENCHMARKS,
    "LN-C18": ("mnist-lenet",),
}
