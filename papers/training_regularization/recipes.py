"""The recipes of TR (App. B, Table 1) at three scales.

`paper` follows the table: MNIST with 58,000 training and 2,000 validation images, CIFAR-10 with 48,000 and 2,000 (facts J3).
`laptop` keeps network, optimizer and algorithm and takes fewer images, epochs and levels; for CIFAR-10 also
fewer filters and no augmentation, so that the network memorizes its labels within minutes. `smoke` is for tests.
"""

from lib.stages.plan import Plan, Prune, check_benchmark, check_scale
from lib.training import DataRecipe, Recipe

MNIST_LENET = Recipe(
    benchmark="mnist-lenet",
    data=DataRecipe(image_set="mnist", validation=2000, normalization="mnist"),
    network="lenet-300-100",
    epochs=60,
    batch_size=128,
    optimizer="adam",
    learning_rate=1.2e-3,
)

CIFAR10_RESNET20 = Recipe(
    benchmark="cifar10-resnet20",
    data=DataRecipe(image_set="cifar10", validation=2000, normalization="imagenet", augmentation="flip-crop"),
    network="cifar-resnet20",
    epochs=160,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=1e-4,
    drop_epochs=(80, 120),
    rewind_epoch=10,
)


def _smaller(
    recipe: Recipe, train: int, test: int | None, augmentation: str | None = None, **changes: object
) -> Recipe:
    data = {"train": train, "test": test} | ({"augmentation": augmentation} if augmentation else {})
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=data)} | changes)


# Levels: 0.8^21 = 0.92 % of the weights is where the figures of TR end. Smaller scales take several of TR's levels at once.
PLANS: dict[str, dict[str, Plan]] = {
    "mnist-lenet": {
        "paper": Plan(
            recipe=MNIST_LENET, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 5.0, 10.0, 15.0),
            precision="bfloat16", largest_stack=4,
        ),
        "laptop": Plan(
            recipe=_smaller(MNIST_LENET, train=15_000, test=None, epochs=20),
            prune=Prune(fraction=0.78), levels=3, seeds=(0, 1, 2), noise_percents=(0.0, 5.0, 10.0, 15.0),
        ),
        "smoke": Plan(
            recipe=_smaller(MNIST_LENET, train=512, test=500, epochs=2),
            prune=Prune(fraction=1 - 0.8**3), levels=2, seeds=(0, 1), noise_percents=(0.0, 15.0),
        ),
    },
    "cifar10-resnet20": {
        "paper": Plan(recipe=CIFAR10_RESNET20, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 15.0, 30.0, 60.0)),
        "laptop": Plan(
            recipe=_smaller(
                CIFAR10_RESNET20, train=3000, test=5000, augmentation="none",
                width=8, epochs=30, drop_epochs=(15, 23), rewind_epoch=2,
            ),
            prune=Prune(fraction=1 - 0.8**8), levels=3, seeds=(0,), noise_percents=(60.0,),
        ),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR10_RESNET20, train=128, test=100, augmentation="flip-crop",
                width=4, epochs=2, drop_epochs=(1,), rewind_epoch=1,
            ),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0, 60.0),
        ),
    },
}  # fmt: skip

BENCHMARKS = tuple(PLANS)


def plan(benchmark: str, scale: str) -> Plan:
    """Return what is run for a benchmark at a scale.

    Raises:
        InputError: if either is unknown; the message names the nearest known one.
    """
    check_benchmark(benchmark, BENCHMARKS)
    check_scale(scale)
    return PLANS[benchmark][scale]
