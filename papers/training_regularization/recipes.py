"""The recipes of TR (App. B, Table 1) at four scales.

`paper` follows the table: MNIST with 58,000 training and 2,000 validation images, CIFAR-10 and CIFAR-100 with 48,000 and
2,000 (facts J3), ImageNet with 1,231,167 and 50,000, its own validation set being the test set. `laptop` keeps network,
optimizer and algorithm and takes fewer images, epochs and levels; for CIFAR-10 also fewer filters and no augmentation, so
that the network memorizes its labels within minutes. `short` is for a night on two cores. `smoke` is for tests.

CIFAR-100 and ImageNet have no laptop scale: most readers do not have their files. Their `paper` scale reads the real sets
(`lib.data.load`, `lib.data.open_folders`), their `smoke` scale generated images in files of the same format, so that anyone
can execute a page; its numbers say nothing about either set.
"""

from lib.stages import Prune
from lib.stages.experiment_plan import Plan, find_plan
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

CIFAR10_VGG16 = CIFAR10_RESNET20.but(benchmark="cifar10-vgg16", network="cifar-vgg16")

CIFAR100_RESNET32 = CIFAR10_RESNET20.but(
    benchmark="cifar100-resnet32", network="cifar-resnet32", data={"image_set": "cifar100"}
)

# App. D also trains a wider one, whose top-improved examples matter as those of the other networks do.
CIFAR100_RESNET32_WIDTH128 = CIFAR100_RESNET32.but(benchmark="cifar100-resnet32-width128", width=128)

IMAGENET_RESNET50 = Recipe(
    benchmark="imagenet-resnet50",
    data=DataRecipe(image_set="imagenet", validation=50_000, normalization="imagenet", augmentation="resized-crop"),
    network="imagenet-resnet50",
    epochs=90,
    batch_size=768,
    optimizer="sgd",
    learning_rate=0.3,
    momentum=0.9,
    weight_decay=1e-4,
    drop_epochs=(30, 60, 80),
    warmup_epochs=5,  # not in TR's table, but in the recipe of the code base that it uses (facts J5); 0 for none
    rewind_epoch=10,
)


def _smaller(
    recipe: Recipe, train: int, test: int | None, augmentation: str | None = None, **changes: object
) -> Recipe:
    """Return the recipe with fewer images and other changes; those named `image_set` and `validation` are of the data."""
    data: dict[str, object] = {"train": train, "test": test}
    data |= {"augmentation": augmentation} if augmentation else {}
    data |= {name: changes.pop(name) for name in ("image_set", "validation") if name in changes}
    return recipe.but(data=data, **changes)


# Narrow and without augmentation, so that it memorizes its labels while it is dense and no longer when it is sparse.
CIFAR10_RESNET20_SMALLER = _smaller(
    CIFAR10_RESNET20, train=5000, test=5000, augmentation="none",
    width=8, epochs=40, drop_epochs=(20, 30), rewind_epoch=2,
)  # fmt: skip
CIFAR10_VGG16_SMALLER = CIFAR10_RESNET20_SMALLER.but(benchmark="cifar10-vgg16", network="cifar-vgg16")

# Levels: 0.8^21 = 0.92 % of the weights is where the figures of TR end. Smaller scales take several of TR's levels at once.
PLANS: dict[str, dict[str, Plan]] = {
    "mnist-lenet": {
        "paper": Plan(
            recipe=MNIST_LENET, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 5.0, 10.0, 15.0), precision="bfloat16",
        ),
        "laptop": Plan(
            recipe=_smaller(MNIST_LENET, train=10_000, test=None, epochs=20),
            prune=Prune(fraction=0.7), levels=5, width_factor=0.4, seeds=(0, 1, 2), noise_percents=(0.0, 5.0, 10.0, 15.0),
            largest_stack=4,
        ),
        "smoke": Plan(
            recipe=_smaller(MNIST_LENET, train=512, test=500, epochs=2),
            prune=Prune(fraction=1 - 0.8**3), levels=2, seeds=(0, 1), noise_percents=(0.0, 15.0),
        ),
    },
    "cifar10-resnet20": {
        "paper": Plan(recipe=CIFAR10_RESNET20, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 15.0, 30.0, 60.0)),
        "short": Plan(
            recipe=CIFAR10_RESNET20_SMALLER, prune=Prune(fraction=0.7), levels=4, seeds=(0, 1, 2), noise_percents=(30.0,),
        ),
        "laptop": Plan(  # the first replicate of `short`, whose stages it shares
            recipe=CIFAR10_RESNET20_SMALLER, prune=Prune(fraction=0.7), levels=4, seeds=(0,), noise_percents=(30.0,),
        ),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR10_RESNET20, train=128, test=100, augmentation="flip-crop",
                width=4, epochs=2, drop_epochs=(1,), rewind_epoch=1,
            ),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0, 60.0),
        ),
    },
    "cifar10-vgg16": {
        "paper": Plan(recipe=CIFAR10_VGG16, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 15.0, 30.0, 60.0)),
        "short": Plan(
            recipe=CIFAR10_VGG16_SMALLER, prune=Prune(fraction=0.7), levels=4, seeds=(0, 1, 2), noise_percents=(30.0, 60.0),
            largest_stack=1,
        ),
        "laptop": Plan(  # the first replicate of `short`, whose stages it shares
            recipe=CIFAR10_VGG16_SMALLER, prune=Prune(fraction=0.7), levels=4, seeds=(0,), noise_percents=(30.0,),
        ),
        "smoke": Plan(
            recipe=_smaller(CIFAR10_VGG16, train=128, test=100, width=4, epochs=2, drop_epochs=(1,), rewind_epoch=1),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0, 60.0),
        ),
    },
    "cifar100-resnet32": {
        "paper": Plan(recipe=CIFAR100_RESNET32, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 15.0, 30.0, 60.0)),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR100_RESNET32, train=128, test=100, image_set="generated-cifar100", validation=50,
                width=4, epochs=2, drop_epochs=(1,), rewind_epoch=1,
            ),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0, 60.0),
        ),
    },
    "cifar100-resnet32-width128": {
        "paper": Plan(recipe=CIFAR100_RESNET32_WIDTH128, levels=21, seeds=(0, 1, 2), noise_percents=(0.0,)),
        "smoke": Plan(
            recipe=_smaller(
                CIFAR100_RESNET32_WIDTH128, train=128, test=100, image_set="generated-cifar100", validation=50,
                width=8, epochs=2, drop_epochs=(1,), rewind_epoch=1,
            ),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0,),
        ),
    },
    "imagenet-resnet50": {
        "paper": Plan(
            recipe=IMAGENET_RESNET50, levels=21, seeds=(0, 1, 2), noise_percents=(0.0, 15.0),
            scoring_share=20 / 90,  # TR App. B.3 says epoch 20 (facts J2)
        ),
        "smoke": Plan(
            recipe=_smaller(
                IMAGENET_RESNET50, train=48, test=20, image_set="generated-folders", validation=20, batch_size=16,
                width=4, epochs=2, drop_epochs=(1,), warmup_epochs=1, rewind_epoch=1,
            ),
            prune=Prune(fraction=1 - 0.8**3), levels=1, seeds=(0,), noise_percents=(0.0, 15.0),
        ),
    },
}  # fmt: skip

BENCHMARKS = tuple(PLANS)

WHY_MISSING = (
    "Most readers do not have its images. Smoke scale takes generated ones that show nothing about it; at paper scale the "
    "message of a missing image set says where its files go."
)


def plan(benchmark: str, scale: str) -> Plan:
    """Return what is run for a benchmark at a scale, see `lib.stages.experiment_plan.find_plan`."""
    return find_plan(PLANS, benchmark, scale, WHY_MISSING)
