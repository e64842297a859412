"""What an epoch costs, as ratios against the conventional loop, measured side by side in one run.

The conventional loop is the one of this field's scripts: torchvision's data set with its PIL images, transforms image by
image, a DataLoader with two workers, the same network and optimizer, and the test set once an epoch. It runs in the same
process and so has this book's settings of the processor too (`lib.training.processor`). This book's loop is measured inside
a stage, from the end of one epoch and its evaluation to the end of the next; a stage prepares its images once for all its
epochs. Ratios are per replicate. Rounds of all variants alternate, and each variant's median counts.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import pandas
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import CIFAR10, MNIST

from book.costs.floor import bytes_per_second, floor, operations_per_second
from book.costs.tables import COLUMNS, CONVENTIONAL, OWN
from book.costs.timing import epoch_seconds
from lib import data
from lib.models import build
from lib.stages.experiment_plan import Plan
from lib.training import Computation, Examples, Precision, Progress, Recipe, Replicate, fresh_stack, prepare
from papers.training_regularization import recipes


def torchvision_set(images: torch.Tensor, labels: torch.Tensor, transform: Callable) -> Dataset:
    """Return torchvision's MNIST or CIFAR-10 with these images, uint8 [N, H, W, C], instead of those of its files."""
    kind, pixels = (MNIST, images.squeeze(-1)) if images.shape[-1] == 1 else (CIFAR10, images.numpy())
    found = kind.__new__(kind)
    found.data, found.targets, found.transform, found.target_transform = (
        pixels,
        labels.tolist(),
        transform,
        None,
    )
    return found


def conventional(recipe: Recipe, examples: Examples) -> Iterator[float]:
    """Yield the seconds of one epoch of the conventional loop with one evaluation."""
    constants = data.normalization(examples.normalization)
    train_images, test_images = examples.train_images, examples.test_images
    assert isinstance(train_images, torch.Tensor) and isinstance(test_images, torch.Tensor), "not in files"
    plain = [transforms.ToTensor(), transforms.Normalize(constants.mean, constants.std)]
    shifts = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, 4)]
    augmented = [*shifts, *plain] if recipe.data.augmentation == "flip-crop" else plain
    sets = (
        torchvision_set(train_images.cpu(), examples.train_labels[0].cpu(), transforms.Compose(augmented)),
        torchvision_set(test_images.cpu(), examples.test_labels.cpu(), transforms.Compose(plain)),
    )
    training, test = (DataLoader(s, recipe.batch_size, shuffle=i == 0, num_workers=2) for i, s in enumerate(sets))
    device = examples.train_images.device
    module = build(recipe.network, examples.classes, recipe.width).module.to(device)
    weights = module.parameters()
    if recipe.optimizer == "adam":
        optimizer = torch.optim.Adam(weights, recipe.learning_rate)
    else:
        optimizer = torch.optim.SGD(weights, recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay)
    while True:
        started = time.perf_counter()
        module.train()
        for images, labels in training:
            optimizer.zero_grad()
            cross_entropy(module(images.to(device)), labels.to(device)).backward()
            optimizer.step()
        module.eval()
        with torch.no_grad():
            sum((module(images.to(device)).argmax(1).cpu() == labels).sum().item() for images, labels in test)
        yield time.perf_counter() - started


def resident(
    recipe: Recipe,
    examples: Examples,
    replicates: list[Replicate],
    precision: Precision,
    deterministic: bool = False,
) -> Iterator[float]:
    """Yield the seconds of one epoch of this book's loop with one evaluation, for a stack of replicates."""
    network = build(recipe.network, examples.classes, recipe.width)
    progress = Progress(0, fresh_stack(network.module, replicates, examples.train_images.device))
    computation = Computation(precision)
    while True:
        yield epoch_seconds(
            network, examples, progress, replicates, recipe, computation, 2, deterministic, evaluated=True
        )


def compare(
    plan: Plan,
    shares: int,
    rounds: int,
    stacks: Sequence[int],
    device: torch.device,
    precisions: Sequence[Precision],
) -> pandas.DataFrame:
    """Measure one benchmark.

    Args:
        plan: its recipe at paper scale.
        shares: an epoch is measured on this fraction, 1 / shares of the training and test images.
        rounds: how often each variant is measured, after one round to warm up.
        stacks: numbers of replicates to measure; those that the device takes together advance as one stack.
        device: where.
        precisions: of this book's loop.

    Returns:
        A row per variant: benchmark, variant, precision, replicates, seconds_per_replicate_epoch, times_faster,
        floor_seconds, floor.
    """
    counts = {"mnist": (58_000, 10_000), "cifar10": (48_000, 10_000)}[plan.recipe.data.image_set]
    recipe = plan.recipe.but(data={"train": counts[0] // shares, "test": counts[1] // shares})
    replicates = [Replicate(seed=seed) for seed in range(max(stacks))]
    examples = prepare(recipe.data, replicates, device)
    variants: list[tuple[str, Precision, int, Iterator[float]]] = [
        (CONVENTIONAL, "float32", 1, conventional(recipe, examples))
    ]
    for count, precision in itertools.product(stacks, precisions):
        loop = resident(recipe, examples[list(range(count))], replicates[:count], precision)
        variants.append((OWN, precision, count, loop))
    if device.type == "cuda":
        loop = resident(recipe, examples[[0]], replicates[:1], "float32", deterministic=True)
        variants.append((f"{OWN}, deterministic", "float32", 1, loop))
    seconds: list[list[float]] = [[] for _ in variants]
    for round_ in range(rounds + 1):
        for found, (_, _, count, loop) in zip(seconds, variants, strict=True):
            measured = next(loop) * shares / count
            if round_:
                found.append(measured)
    medians = [statistics.median(found) for found in seconds]
    used: set[Precision] = {"float32", *precisions}
    rates = {precision: operations_per_second(device, precision) for precision in used}
    bandwidth = bytes_per_second(device)
    floors = [
        floor(recipe, examples.classes, counts, (rates[precision], rates["float32"], bandwidth))
        for _, precision, _, _ in variants
    ]
    rows = [
        (
            recipe.benchmark, name, precision, count, round(median, 4), round(medians[0] / median, 1), round(least, 4), what
        )
        for (name, precision, count, _), median, (least, what) in zip(variants, medians, floors, strict=True)
    ]  # fmt: skip
    return pandas.DataFrame(rows, columns=list(COLUMNS["epochs"]))


def epochs(device: torch.device, quick: bool = False) -> tuple[pandas.DataFrame, list[str]]:
    """Measure LeNet on MNIST and ResNet-20 on CIFAR-10, and say what was measured.

    Args:
        device: where.
        quick: a few batches and one round, to try the benchmark itself.
    """
    gpu = device.type == "cuda"
    precisions: list[Precision] = ["float32", "tf32", "bfloat16"] if gpu else ["float32", "bfloat16"]
    rounds = 1 if quick else 3
    lenet, resnet = (50, 240) if quick else (1, 1) if gpu else (1, 20)
    tables = [
        compare(recipes.plan("mnist-lenet", "paper"), lenet, rounds, (1, 12), device, precisions),
        compare(
            recipes.plan("cifar10-resnet20", "paper"),
            resnet,
            1 if gpu else rounds,
            (1, 4) if gpu else (1,),
            device,
            precisions,
        ),
    ]
    notes = [
        f"Medians of {rounds} rounds in which all variants alternate; one round before them warms up.",
        f"LeNet is measured on 1/{lenet} of MNIST's 58,000 training and 10,000 test images, ResNet-20 on 1/{resnet} of "
        "CIFAR-10's 48,000 and 10,000, and scaled to a whole epoch.",
    ]
    return pandas.concat(tables, ignore_index=True), notes
