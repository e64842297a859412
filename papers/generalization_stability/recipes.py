"""What is run of GS: the set-up that facts D recovers from its appendix and released code, and the smaller scales.

The paper holds out no images: stability and accuracy are both measured on test images, and accuracy is the best of any
epoch after the last event (facts S9). Smaller scales train on few images, hold others out, and measure stability on both.
Events are counted in the paper's epochs at every scale: a training of 40 epochs has those of 325, at the same parts of it.

`laptop` is narrow and small: it shows the dips and not the trade-off, which takes a network that fits its training set in
every configuration and has filters to spare. `short` has the full width; no trial has shown yet what ResNet-18 needs there.
`smoke` is for tests.
"""

from lib.stages.experiment_plan import Plan, find_plan
from lib.stages.filter_events import FilterEvents
from lib.training import DataRecipe, Recipe

EPOCHS = 325
"""Length of the schedule in which GS counts epochs."""

VGG11 = Recipe(
    benchmark="cifar10-vgg11",
    data=DataRecipe(image_set="cifar10", validation=0, normalization="cifar"),
    network="cifar-vgg11",
    normalization_scale="one",
    initial_weights="fan-out",
    initial_bias="zero",
    epochs=EPOCHS,
    batch_size=128,
    optimizer="adam",
    learning_rate=1e-3,
    drop_epochs=(150, 300),
    record_epochs=True,
)

RESNET18 = VGG11.but(
    benchmark="cifar10-resnet18", network="cifar-resnet18-gated", initial_weights="uniform", initial_bias="uniform"
)

RESNET18_SGD = RESNET18.but(
    benchmark="cifar10-resnet18-sgd",
    data={"augmentation": "flip-crop"},
    epochs=165,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=1e-4,
    drop_epochs=(83, 125),
)
RESNET20, RESNET56 = (
    RESNET18_SGD.but(
        benchmark=f"cifar10-resnet{depth}", network=f"cifar-resnet{depth}-padded", initial_weights="fan-in"
    )
    for depth in (20, 56)
)

CIFAR100_RESNET18 = RESNET18.but(
    benchmark="cifar100-resnet18",
    data={"image_set": "cifar100", "normalization": "cifar100", "augmentation": "flip-crop"},
    epochs=4000,
    learning_rate=1e-4,
    drop_epochs=(2000,),
)

VGG11_EVENTS = FilterEvents(
    layers=("layers.7.0.weight", "layers.8.0.weight", "layers.10.0.weight", "layers.11.0.weight"),
    shares=(0.3, 0.3, 0.3, 0.9),
    first=(3, 4, 5, 6),
    last=(150, 150, 150, 275),
    every=40,
    schedule=EPOCHS,
)
"""The last four convolutions; the last of all loses nine filters in ten (facts D.5)."""

RESNET18_EVENTS = FilterEvents(
    layers=(
        "blocks.6.first.0.weight",
        "blocks.6.second.0.weight",
        "blocks.7.first.0.weight",
        "blocks.7.second.0.weight",
    ),
    shares=(0.25, 0.4, 0.25, 0.95),
    first=(7, 8, 9, 10),
    last=(150, 150, 170, 275),
    every=40,
    schedule=EPOCHS,
    score="activation",
)


def every_block(blocks: int, first: int, last: int, every: int, share: float = 0.1) -> FilterEvents:
    """Return events in both convolutions of every block, by the sum of absolute weights (GS App. C.4)."""
    layers = tuple(f"blocks.{block}.{name}.0.weight" for block in range(blocks) for name in ("first", "second"))
    n = len(layers)
    return FilterEvents(
        layers=layers, shares=(share,) * n, first=(first,) * n, last=(last,) * n, every=every, schedule=165, score="l1"
    )


CIFAR100_EVENTS = FilterEvents(
    layers=("blocks.7.second.0.weight",), shares=(0.7,), first=(2500,), last=(3250,), every=750, schedule=4000,
    score="signed_expected",
)  # fmt: skip
"""Two events in the last convolution; the score is that of the text (facts S4)."""


def _smaller(recipe: Recipe, train: int, test: int, held_out: int, **changes: object) -> Recipe:
    """Return the recipe with fewer images, some held out, and other changes; drops stay at the same part of the schedule."""
    epochs = int(str(changes.get("epochs", recipe.epochs)))
    drops = tuple(max(1, round(epoch * epochs / recipe.epochs)) for epoch in recipe.drop_epochs)
    data = {"train": train, "test": test, "validation": held_out}
    return recipe.but(data=data, drop_epochs=drops, **changes)


_generated = {"image_set": "generated-cifar100"}
TEN, THREE = tuple(range(10)), (0, 1, 2)
NOISE_BATCHES = (1, 50, 1105)
"""Training batches for which noise acts in Figure 5 (facts D.6)."""
RESTORED_BATCHES = (89, 630, 1220, 2480)
"""And in Figure D.2."""

PLANS: dict[str, dict[str, Plan]] = {
    "cifar10-vgg11": {
        "paper": Plan(
            recipe=VGG11, filters=VGG11_EVENTS, levels=1, seeds=TEN,
            noise_batches=NOISE_BATCHES, restored_batches=RESTORED_BATCHES,
        ),
        "short": Plan(
            recipe=_smaller(VGG11, 2_000, 5_000, 2_000, epochs=40),
            filters=VGG11_EVENTS.but(images=500), levels=1, seeds=tuple(range(8)), precision="bfloat16", largest_stack=1,
            noise_batches=(1, 8, 48), restored_batches=(8, 24, 48),
        ),
        "laptop": Plan(
            recipe=_smaller(VGG11, 1_000, 1_000, 1_000, width=16, epochs=20, batch_size=64),
            filters=VGG11_EVENTS.but(images=250), levels=1, seeds=THREE, noise_batches=(1, 8, 32), restored_batches=(8, 32),
        ),
        "smoke": Plan(
            recipe=_smaller(VGG11, 128, 100, 100, width=4, epochs=12, batch_size=16),
            filters=VGG11_EVENTS.but(images=50), levels=1, seeds=(0,), noise_batches=(1, 2), restored_batches=(2,),
        ),
    },
    "cifar10-resnet18": {
        "paper": Plan(recipe=RESNET18, filters=RESNET18_EVENTS, levels=1, seeds=TEN),
        "laptop": Plan(
            recipe=_smaller(RESNET18, 1_000, 1_000, 1_000, width=16, epochs=20, batch_size=64),
            filters=RESNET18_EVENTS.but(images=250), levels=1, seeds=THREE,
        ),
        "smoke": Plan(
            recipe=_smaller(RESNET18, 128, 100, 100, width=4, epochs=12, batch_size=16),
            filters=RESNET18_EVENTS.but(images=50), levels=1, seeds=(0,),
        ),
    },
    **{
        recipe.benchmark: {
            "paper": Plan(recipe=recipe, filters=every_block(blocks, 40, 100, 30), levels=1, seeds=TEN),
            "laptop": Plan(
                recipe=_smaller(recipe, 1_000, 1_000, 1_000, width=16, epochs=33, batch_size=64),
                filters=every_block(blocks, 40, 100, 30).but(images=250), levels=1, seeds=THREE,
            ),
            "smoke": Plan(
                recipe=_smaller(recipe, 128, 100, 100, width=4, epochs=11, batch_size=8),
                filters=every_block(blocks, 40, 100, 60).but(images=50), levels=1, seeds=(0,),
            ),
        }
        for recipe, blocks in ((RESNET18_SGD, 8), (RESNET20, 9), (RESNET56, 27))
    },
    "cifar100-resnet18": {
        "paper": Plan(recipe=CIFAR100_RESNET18, filters=CIFAR100_EVENTS, levels=1, seeds=THREE),
        "smoke": Plan(
            recipe=_smaller(CIFAR100_RESNET18, 128, 100, 50, width=4, epochs=6).but(data=_generated),
            filters=CIFAR100_EVENTS.but(images=50), levels=1, seeds=(0,),
        ),
    },
}  # fmt: skip

BENCHMARKS = tuple(PLANS)


def plan(benchmark: str, scale: str) -> Plan:
    """Return what is run for a benchmark at a scale, see `lib.stages.experiment_plan.find_plan`."""
    return find_plan(PLANS, benchmark, scale)
