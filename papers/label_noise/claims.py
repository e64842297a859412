"""The tests of LN's claims, by claim, and the benchmarks that each speaks of."""

from collections.abc import Mapping, Sequence

from lib.analysis.verdicts import ClaimTest
from papers.label_noise import descent_claims, distance_claims, landscape_claims
from papers.label_noise.cases import BENCHMARKS

CLAIM_TESTS: Mapping[str, ClaimTest] = {
    "LN-C01": descent_claims.error_rises_then_falls,
    "LN-C02": descent_claims.sweet_spot_beats_dense,
    "LN-C03": descent_claims.best_epoch_gains_too,
    "LN-C04": descent_claims.extreme_noise_has_no_rise,
    "LN-C08": descent_claims.threshold_falls_with_noise,
    "LN-C09": descent_claims.best_sparsity_rises_with_noise,
    "LN-C10": descent_claims.best_error_rises_with_noise,
    "LN-C11": descent_claims.magnitude_prunes_furthest,
    "LN-C12": descent_claims.gradient_has_the_best_epoch,
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
    **dict.fromkeys(
        (
            "LN-C01",
            "LN-C02",
            "LN-C03",
            "LN-C04",
            "LN-C08",
            "LN-C09",
            "LN-C10",
            "LN-C11",
            "LN-C12",
            "LN-C14",
            "LN-C15",
            "LN-C16",
            "LN-C17",
            "LN-C19",
            "LN-C21",
        ),
        BENCHMARKS,
    ),
    **dict.fromkeys(("LN-C18", "LN-C20"), ("mnist-lenet",)),
}
