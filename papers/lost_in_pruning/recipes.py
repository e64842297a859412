"""What is run of LIP: the set-up of its appendix B, what facts C and G.3 recover from the code, and the smaller scales.

A tenth of the training images is held out and never trained on; data-informed methods draw their sample from it. Each cut
is followed by the whole training again, warm-up included, with a fresh optimizer, and the last epoch is kept. Networks are
cut to the shares of all parameters that the released configuration lists (facts C.5, L2).

`laptop` is a ResNet-20 of half the width on 1,000 images: weights and filters, five cuts, 7 epochs, so that all its pages
take five minutes of two cores. `short` has 5,000 images, all four methods and eight cuts. Both leave out augmentation, so
that the parent fits more of its images: one that does not gains from every training that follows a cut, whatever the cut
(in a trial with other seeds and augmentation the test error fell by 12 points from the parent to 6 % of its parameters). At
`laptop` scale it gains even so, since 7 epochs are too few; with 600 images a network of 2 % of the parameters was as good
as its parent. `smoke` is for tests. The networks of a benchmark that ends in "-robust" train on corrupted images too.
"""

from typing import Any

import numpy

from lib.analysis.excess_error import SPLITS
from lib.stages.experiment_plan import Plan, find_plan
from lib.stages.stage import Prune
from lib.training import DataRecipe, Recipe

HELD_OUT = 5_000
"""Of CIFAR-10's training images (facts L8)."""

RESNET20 = Recipe(
    benchmark="cifar10-resnet20",
    data=DataRecipe(image_set="cifar10", validation=HELD_OUT, normalization="cifar", augmentation="flip-crop"),
    network="cifar-resnet20",
    normalization_scale="one",
    initial_weights="fan-out",
    epochs=182,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=1e-4,
    drop_epochs=(91, 136),
    warmup_epochs=5,
)

RESNET56, RESNET110, RESNET56_BOTTLENECK = (
    RESNET20.but(benchmark=f"cifar10-{name}", network=f"cifar-{name}")
    for name in ("resnet56", "resnet110", "resnet56-bottleneck")
)
VGG16 = RESNET20.but(
    benchmark="cifar10-vgg16",
    network="cifar-vgg16-maximum",
    initial_weights="fan-out-small-linear",
    initial_bias="zero",
    epochs=300,
    batch_size=256,
    learning_rate=0.05,
    weight_decay=5e-4,
    drop_epochs=tuple(range(30, 300, 30)),
    drop_factor=0.5,
)
DENSENET22 = RESNET20.but(
    benchmark="cifar10-densenet22",
    network="cifar-densenet22",
    epochs=300,
    batch_size=64,
    drop_epochs=(150, 225),
    nesterov=True,
)
WRN16_8 = RESNET20.but(
    benchmark="cifar10-wrn16-8",
    network="cifar-wide-resnet16-8",
    epochs=200,
    weight_decay=5e-4,
    drop_epochs=(60, 120, 160),
    drop_factor=0.2,
    nesterov=True,
)
IMAGENET_RESNET18, IMAGENET_RESNET101 = (
    RESNET20.but(
        benchmark=f"imagenet-{name}",
        data=DataRecipe(
            image_set="imagenet", validation=128_116, normalization="imagenet", augmentation="resized-crop-wide"
        ),
        network=f"imagenet-{name}",
        epochs=90,
        batch_size=256,
        drop_epochs=(30, 60, 80),
    )
    for name in ("resnet18", "resnet101")
)

VOC_DEEPLABV3 = Recipe(
    benchmark="voc-deeplabv3",
    data=DataRecipe(image_set="sbd", validation=850, normalization="imagenet", augmentation="resized-crop"),
    network="voc-deeplabv3",
    task="segmentation",
    normalization_scale="one",
    initial_weights="fan-out",
    backbone="imagenet-resnet50",
    epochs=45,
    batch_size=32,
    optimizer="sgd",
    learning_rate=0.02,
    momentum=0.9,
    weight_decay=1e-4,
    decay_power=0.9,
)
"""Its backbone begins with torchvision's weights of a ResNet-50 trained on ImageNet (facts C.2); smaller scales draw it."""


def geometric(first: float, last: float, count: int) -> tuple[float, ...]:
    """Return shares of the parameters that fall by the same factor each time."""
    return tuple(round(float(share), 4) for share in numpy.geomspace(first, last, count))


DENSE_KEEPS = (
    0.85, 0.760, 0.679, 0.606, 0.542, 0.484, 0.432, 0.386, 0.345, 0.308, 0.276, 0.246, 0.220, 0.197, 0.176, 0.157, 0.140,
    0.125, 0.112, 0.100, 0.074, 0.047,
)  # fmt: skip
RESIDUAL_KEEPS = (
    0.85, 0.698, 0.573, 0.470, 0.386, 0.317, 0.260, 0.214, 0.175, 0.144, 0.118, 0.097, 0.080, 0.065, 0.054, 0.044, 0.036,
    0.030, 0.024, 0.02,
)  # fmt: skip
IMAGENET_KEEPS = (*geometric(0.9, 0.35, 12), *(round(0.31 - 0.042 * k, 3) for k in range(6)))
KEEPS: dict[str, tuple[float, ...]] = {
    "cifar10-resnet20": (
        0.85, 0.776, 0.708, 0.646, 0.590, 0.539, 0.492, 0.449, 0.410, 0.374, 0.341, 0.311, 0.284, 0.259, 0.237, 0.216,
        0.197, 0.180, 0.164, 0.150, 0.104, 0.062, 0.02,
    ),
    "cifar10-resnet56": RESIDUAL_KEEPS,
    "cifar10-resnet110": RESIDUAL_KEEPS,
    "cifar10-resnet56-bottleneck": RESIDUAL_KEEPS,
    "cifar10-vgg16": RESIDUAL_KEEPS,
    "cifar10-densenet22": DENSE_KEEPS,
    "cifar10-wrn16-8": (*DENSE_KEEPS, 0.02),
    "imagenet-resnet18": IMAGENET_KEEPS,
    "imagenet-resnet101": IMAGENET_KEEPS[:16],
    "voc-deeplabv3": (*geometric(0.8, 0.1, 10), *geometric(0.08, 0.03, 5)),
}  # fmt: skip
"""Shares of all parameters after each retraining, as the code lists them (facts C.5)."""

WEIGHTS_AND_FILTERS, ALL_METHODS = ("magnitude", "ft"), ("magnitude", "sipp", "ft", "pfp")
THREE = (0, 1, 2)


def pruned(recipe: Recipe, keeps: tuple[float, ...], scores: tuple[str, ...], **settings: Any) -> Plan:
    """Return the plan of some methods that cut a benchmark to shares of all its parameters."""
    prune = Prune(score=scores[0], scope="parameters", keep=keeps[0])
    return Plan(recipe=recipe, prune=prune, keeps=keeps, scores=scores, levels=len(keeps), **settings)


def _smaller(recipe: Recipe, train: int, test: int, held_out: int, epochs: int, **changes: Any) -> Recipe:
    """Return the recipe on fewer images and epochs; drops and warm-up stay at the same part of the schedule."""
    ratio = epochs / recipe.epochs
    drops = tuple(sorted({max(1, round(epoch * ratio)) for epoch in recipe.drop_epochs}))
    data = {"train": train, "test": test, "validation": held_out}
    return recipe.but(data=data, epochs=epochs, drop_epochs=drops, warmup_epochs=1, **changes)


def _generated(recipe: Recipe, image_set: str) -> Recipe:
    """Return the recipe on a small generated set in files of the same format."""
    return _smaller(recipe, 4, 4, 4, 1, batch_size=2).but(data={"image_set": image_set}, warmup_epochs=0, backbone="")


def _scales(recipe: Recipe) -> dict[str, Plan]:
    """Return what is run of a CIFAR-10 benchmark at every scale that it has."""
    name, robust = recipe.benchmark, bool(recipe.data.corruptions)
    keeps = KEEPS[name.removesuffix("-robust")]
    if robust:
        keeps = geometric(0.8, 0.05, 13) if "densenet" in name else geometric(0.8, 0.03, 16)
    width = 8 if "densenet" not in name and "wrn" not in name else None
    tiny = _smaller(recipe, 64, 60, 24, 2, batch_size=16, width=4 if width else None)
    plans = {
        "paper": pruned(recipe, keeps, ALL_METHODS, seeds=THREE),
        "smoke": pruned(tiny, (0.7, 0.4), ALL_METHODS, seeds=(0, 1)),
    }
    if name.startswith("cifar10-resnet20"):
        few = _smaller(recipe, 5_000, 5_000, 500, 24, width=8, batch_size=32).but(data={"augmentation": "none"})
        fewer = _smaller(recipe, 1_000, 2_000, 200, 7, width=8, batch_size=32).but(data={"augmentation": "none"})
        plans["short"] = pruned(few, SHORT_KEEPS, ALL_METHODS, seeds=THREE)
        plans["laptop"] = pruned(fewer, LAPTOP_KEEPS, WEIGHTS_AND_FILTERS, seeds=THREE)
    return plans


LAPTOP_KEEPS = (0.5, 0.2, 0.1, 0.05, 0.02)
SHORT_KEEPS = (0.6, 0.4, 0.25, 0.15, 0.1, 0.06, 0.04, 0.02)

CIFAR = (RESNET20, RESNET56, RESNET110, RESNET56_BOTTLENECK, VGG16, DENSENET22, WRN16_8)
ROBUST = tuple(
    recipe.but(benchmark=f"{recipe.benchmark}-robust", data={"corruptions": SPLITS["text"].train}) for recipe in CIFAR
)
PLANS: dict[str, dict[str, Plan]] = {
    **{recipe.benchmark: _scales(recipe) for recipe in (*CIFAR, *ROBUST)},
    **{
        recipe.benchmark: {
            "paper": pruned(recipe, KEEPS[recipe.benchmark], ALL_METHODS, seeds=seeds),
            "smoke": pruned(_generated(recipe, image_set), (0.6,), WEIGHTS_AND_FILTERS, seeds=(0,)),
        }
        for recipe, image_set, seeds in (
            (IMAGENET_RESNET18, "generated-folders", (0,)),
            (IMAGENET_RESNET101, "generated-folders", (0,)),
            (VOC_DEEPLABV3, "generated-segmentation", THREE),
        )
    },
}
BENCHMARKS = tuple(PLANS)


def plan(benchmark: str, scale: str) -> Plan:
    """Return what is run for a benchmark at a scale, see `lib.stages.experiment_plan.find_plan`."""
    return find_plan(PLANS, benchmark, scale)
