"""Which of TR's claims (`papers/claims.csv`) have a test here, and of which benchmarks each one speaks.

A test decides, from the table of one benchmark, the part of a claim that speaks of this benchmark, and says
so.
"""

from lib.analysis.verdicts import ClaimTest
from papers.training_regularization import algorithm_claims, noise_claims, selection_claims
from papers.training_regularization.cases import NOISE_PERCENT

CLAIM_TESTS: dict[str, ClaimTest] = {
    "TR-C01": algorithm_claims.training_longer_equals_pruning,
    "TR-C02": selection_claims.longer_training_matches_every_pruning,
    "TR-C03": algorithm_claims.rewinding_beats_longer_training,
    "TR-C07": noise_claims.pruning_beats_dense,
    "TR-C08": noise_claims.gain_grows_with_noise,
    "TR-C09": noise_claims.noisy_loss_rises,
    "TR-C10": noise_claims.loss_rises_more_on_noisy,
    "TR-C11": noise_claims.gap_opens_wide,
    "TR-C12": noise_claims.noisy_loss_falls_first,
    "TR-C13": noise_claims.gap_closes_again,
    "TR-C16": algorithm_claims.longer_training_matches_pruning,
    "TR-C17": algorithm_claims.longer_training_falls_behind,
    "TR-C18": algorithm_claims.shortfall_grows_with_noise,
    "TR-C19": algorithm_claims.longer_training_wins_on_imagenet,
    "TR-C31": algorithm_claims.weight_rewinding_at_least_as_good,
    "TR-C32": algorithm_claims.weight_rewinding_tally,
    "TR-C33": selection_claims.random_beats_magnitude,
    "TR-C34": selection_claims.synflow_beats_magnitude_on_a_third,
}

_ALL = tuple(NOISE_PERCENT)
_SEVERAL_CASES = tuple(name for name in _ALL if name != "imagenet-resnet50")

CLAIM_BENCHMARKS: dict[str, tuple[str, ...]] = {
    "TR-C01": ("cifar10-vgg16",),
    "TR-C02": tuple(name for name in _ALL if name != "mnist-lenet"),
    "TR-C03": ("mnist-lenet",),
    "TR-C07": _ALL,
    "TR-C08": _SEVERAL_CASES,
    "TR-C09": _SEVERAL_CASES,
    "TR-C10": _SEVERAL_CASES,
    "TR-C11": ("cifar10-vgg16",),
    "TR-C12": ("cifar10-resnet20",),
    "TR-C13": _ALL,
    "TR-C16": _ALL,
    "TR-C17": tuple(algorithm_claims.EDT_FALLS_BEHIND),
    "TR-C18": ("mnist-lenet", "cifar10-resnet20", "cifar10-vgg16"),
    "TR-C19": ("imagenet-resnet50",),
    "TR-C31": _ALL,
    "TR-C32": _ALL,
    "TR-C33": _ALL,
    "TR-C34": _ALL,
}
"""Benchmarks that a claim speaks of. ImageNet has one noise level (TR-C08) and is excepted by TR-C09 and
TR-C10."""
