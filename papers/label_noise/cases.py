"""What LN's claim tests share: its cases, its algorithms and the wording of results.

Symbols in the tests: A test accuracy, so 100 − A is this book's test error; "last" is after the last epoch, "best" over all
epochs; s sparsity, so 100 − s is weights remaining; perm, unperm and restored are the noisy, original and restored training
examples. Differences are paired by seed (`lib.analysis.statistics`).
"""

WR, GRADIENT, RANDOM = "weight_rewinding", "weight_rewinding_gradient", "weight_rewinding_random"
WD, REDENSE, FINE_TUNING = "width_downscaling", "redense_training", "fine_tuning"

BENCHMARKS = ("mnist-lenet", "cifar10-resnet18", "cifar100-resnet18")

DOUBLE_DESCENT_NOISE = (20.0, 40.0)
"""LN-C01: the noise levels, in percent, at which the test error rises before it falls."""

CURVES_NOISE = {
    "mnist-lenet": (20.0, 40.0),
    "cifar10-resnet18": (20.0, 40.0, 80.0),
    "cifar100-resnet18": (20.0, 40.0, 80.0),
}
"""The noise levels, in percent, at which LN shows training over the epochs (Figs 2 and 9)."""

MEMORIZATION_NOISE = {"mnist-lenet": (20.0,), "cifar10-resnet18": (20.0,), "cifar100-resnet18": (40.0,)}
"""Those at which it divides the training examples, and lifts the masks (Figs 3, 4 and 10 to 13)."""
