"""The tests of LN's claims, by claim, and the benchmarks that each speaks of."""

from collections.abc import Mapping, Sequence

from lib.analysis.verdicts import ClaimTest
from papers.label_noise import (
    descent_claims,
    distance_claims,
    dynamics_claims,
    landscape_claims,
    redense_claims,
)
from papers.label_noise.cases import BENCHMARKS

CLAIM_TESTS: Mapping[str, ClaimTest] = {
    "LN-C01": descent_claims.error_rises_then_falls,
    "LN-C02": descent_claims.sweet_spot_beats_dense,
    "LN-C03": descent_claims.best_epoch_gains_too,
    "LN-C04": descent_claims.extreme_noise_has_no_rise,
    "LN-C05": dynamics_claims.training_comes_to_rest,
    "LN-C06": dynamics_claims.noisy_accuracy_falls_most,
    "LN-C07": dynamics_claims.restored_examples_gain,
    "LN-C08": descent_claims.threshold_falls_with_noise,
    "LN-C09": descent_claims.best_sparsity_rises_with_noise,
    "LN-C10": descent_claims.best_error_rises_with_noise,
    "LN-C11": descent_claims.magnitude_prunes_furthest,
    "LN-C12": descent_claims.gradient_has_the_best_epoch,
    "LN-C13": redense_claims.redense_training_memorizes,
    "LN-C14": landscape_claims.loss_falls_without_barrier,
    "LN-C15": landscape_claims.sparser_start_ends_sharper,
    "LN-C16": distance_claims.distance_falls_with_sparsity,
    "LN-C17": distance_claims.closer_is_better,
    "LN-C18": distance_claims.distance_mirrors_accuracy,
    "LN-C19": descent_claims.sparse_needs_fewer_weights,
    "LN-C20": descent_claims.double_descent_on_mnist,
    "LN-C21": descent_claims.gradient_loses_gradually,
}

CLAIM_BENCHMARKS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(CLAIM_TESTS, BENCHMARKS),
    "LN-C18": ("mnist-lenet",),
    "LN-C20": ("mnist-lenet",),
}
"""Two claims speak of LeNet alone."""
