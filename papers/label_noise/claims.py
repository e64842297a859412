"""The tests of LN's claims, by claim, and the benchmarks that each speaks of."""

from collections.abc import Mapping, Sequence

from lib.analysis.verdicts import ClaimTest
from papers.label_noise import dynamics_claims, redense_claims
from papers.label_noise.cases import BENCHMARKS

CLAIM_TESTS: Mapping[str, ClaimTest] = {
    "LN-C05": dynamics_claims.training_comes_to_rest,
    "LN-C06": dynamics_claims.noisy_accuracy_falls_most,
    "LN-C07": dynamics_claims.restored_examples_gain,
    "LN-C13": redense_claims.redense_training_memorizes,
}

CLAIM_BENCHMARKS: Mapping[str, Sequence[str]] = {
    "LN-C05": BENCHMARKS,
    "LN-C06": BENCHMARKS,
    "LN-C07": BENCHMARKS,
    "LN-C13": BENCHMARKS,
}
