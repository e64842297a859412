"""What is run of LN: the hyper-parameters of its appendix A.1 at `paper` scale, and the smaller scales.

The paper holds out no validation images (facts B.1): last and best test error are reported, and nothing is selected. Where
text and released code differ, facts G.2 decides: biases start at zero (N4), 200 epochs for LeNet (N6), labels drawn anew for
each replicate (N15).

Scales: `short` is the paper's data and network with fewer epochs, levels and replicates, for hours on two cores. `laptop`
trains on fewer images for fewer epochs and takes several of the paper's levels at once. `smoke` is for tests. CIFAR-100 has
`paper`, which reads the real set, and `smoke`, on generated images in files of the same format, which show nothing about it.
"""

from lib.stages import Prune
from lib.stages.experiment_plan import Plan, find_plan
from lib.training import DataRecipe, Recipe

MNIST_LENET = Recipe(
    benchmark="mnist-lenet",
    data=DataRecipe(image_set="mnist", validation=0, normalization="mnist", noise="any"),
    network="lenet-300-100",
    initial_bias="zero",
    epochs=200,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    record_epochs=True,
)

CIFAR10_RESNET18 = Recipe(
    benchmark="cifar10-resnet18",
    data=DataRecipe(image_set="cifar10", validation=0, normalization="imagenet", augmentation="flip-crop", noise="any"),
    network="cifar-resnet18",
    initial_bias="zero",
    epochs=160,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=1e-4,
    drop_epochs=(80, 120),
    rewind_step=1000,
    record_epochs=True,
)

CIFAR100_RESNET18 = CIFAR10_RESNET18.but(benchmark="cifar100-resnet18", data={"image_set": "cifar100"})


def _smaller(
    recipe: Recipe, train: int, test: int | None, data: dict[str, object] | None = None, **changes: object
) -> Recipe:
    """Return the recipe with fewer images and other changes, those of its data by themselves."""
    return recipe.but(data={"train": train, "test": test, **(data or {})}, **changes)


NOISE_PERCENTS = (20.0, 40.0, 80.0)

# 0.8^30 = 0.12 % of the weights is beyond where the figures of LN end. Smaller scales take several of its levels at once.
PLANS: dict[str, dict[str, Plan]] = {
    "mnist-lenet": {
        "paper": Plan(
            recipe=MNIST_LENET, levels=30, seeds=(0, 1, 2, 3, 4), noise_percents=NOISE_PERCENTS,
            precision="bfloat16", largest_stack=6,
        ),
        "short": Plan(
            recipe=MNIST_LENET.but(epochs=60),
            prune=Prune(fraction=1 - 0.8**4), levels=6, width_factor=0.64,
            seeds=(0, 1, 2), noise_percents=(20.0, 40.0), largest_stack=2,
        ),
        "laptop": Plan(
            recipe=_smaller(MNIST_LENET, train=6_000, test=5_000, epochs=40),
            prune=Prune(fraction=0.7), levels=5, width_factor=0.5,
            seeds=(0, 1, 2), noise_percents=NOISE_PERCENTS, largest_stack=3,
        ),
        "smoke": Plan(
            recipe=_smaller(MNIST_LENET, train=512, test=500, epochs=3),
            prune=Prune(fraction=1 - 0.8**6), levels=4, seeds=(0, 1), noise_percents=(20.0, 40.0),
        ),
    },
    "cifar10-resnet18": {
        "paper": Plan(recipe=CIFAR10_RESNET18, levels=32, seeds=(0, 1, 2), noise_percents=NOISE_PERCENTS),
        "laptop": Plan(
            recipe=_smaller(
                CIFAR10_RESNET18, train=2_000, test=1_000, data={"augmentation": "none"},
                width=8, epochs=40, drop_epochs=(20, 30), rewind_step=32,
            ),
            prune=Prune(fraction=1 - 0.8**4), levels=7, seeds=(0,), noise_percents=(40.0,),
        ),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR10_RESNET18, train=128, test=100, width=4, epochs=3, drop_epochs=(1, 2), rewind_step=1,
            ),
            prune=Prune(fraction=1 - 0.8**6), levels=2, seeds=(0,), noise_percents=(20.0,),
        ),
    },
    "cifar100-resnet18": {
        "paper": Plan(recipe=CIFAR100_RESNET18, levels=32, seeds=(0, 1, 2), noise_percents=NOISE_PERCENTS),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR100_RESNET18, train=128, test=100, data={"image_set": "generated-cifar100"},
                width=4, epochs=3, drop_epochs=(1, 2), rewind_step=1,
            ),
            prune=Prune(fraction=1 - 0.8**6), levels=2, seeds=(0,), noise_percents=(40.0,),
        ),
    },
}  # fmt: skip

BENCHMARKS = tuple(PLANS)


def plan(benchmark: str, scale: str) -> Plan:
    """Return what is run for a benchmark at a scale, see `lib.stages.experiment_plan.find_plan`."""
    return find_plan(PLANS, benchmark, scale)
