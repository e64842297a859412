"""What an epoch costs, as ratios against the conventional loop, measured side by side in one run (`make bench`).

The conventional loop is the one of this field's scripts: a torchvision-style data set of PIL images, transforms image by
image, a DataLoader with two workers, the same network and optimizer, and the test set once an epoch. Ratios
are per replicate. Machines are noisy, so rounds of all variants alternate and each variant's median counts.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import pandas
import torch
from PIL import Image
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from lib import data
from lib.models import build, initialize
from lib.stages.plan import Plan
from lib.training import (
    Examples,
    Precision,
    Progress,
    Recipe,
    Replicate,
    evaluate,
    prepare,
    stack_states,
    train,
)
from lib.training.device import describe_device, find_device
from lib.training.loop import make_optimizer
from lib.training.processor import prepare_processor


class Pictures(Dataset):
    """Images as PIL pictures with a transform each, as torchvision's data sets give them."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, transform: Callable):
        self.images, self.labels, self.transform = images.cpu().numpy(), labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return self.transform(Image.fromarray(self.images[index].squeeze())), self.labels[index]


def conventional(recipe: Recipe, examples: Examples) -> Iterator[None]:
    """Yield after each epoch of the conventional loop with one evaluation."""
    constants = data.normalization(examples.normalization)
    plain = [transforms.ToTensor(), transforms.Normalize(constants.mean, constants.std)]
    shifts = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, 4)]
    augmented = [*shifts, *plain] if recipe.data.augmentation == "flip-crop" else plain
    sets = (
        Pictures(examples.train_images, examples.train_labels[0], transforms.Compose(augmented)),
        Pictures(examples.test_images, examples.test_labels, transforms.Compose(plain)),
    )
    options = {"batch_size": recipe.batch_size, "num_workers": 2, "persistent_workers": True}
    training, test = (DataLoader(s, shuffle=i == 0, **options) for i, s in enumerate(sets))
    device = examples.train_images.device
    module = build(recipe.network, examples.classes, recipe.width).module.to(device)
    optimizer = make_optimizer(recipe, list(module.parameters()))
    while True:
        module.train()
        for images, labels in training:
            optimizer.zero_grad()
            cross_entropy(module(images.to(device)), labels.to(device)).backward()
            optimizer.step()
        module.eval()
        with torch.no_grad():
            sum((module(images.to(device)).argmax(1).cpu() == labels).sum().item() for images, labels in test)
        yield


def resident(
    recipe: Recipe, examples: Examples, replicates: list[Replicate], precision: Precision
) -> Iterator[None]:
    """Yield after each epoch of this book's loop with one evaluation, for a stack of replicates."""
    network = build(recipe.network, examples.classes, recipe.width)
    states = []
    for replicate in replicates:
        initialize(network.module, replicate.generator("initialization"))
        states.append({n: t.detach().clone() for n, t in network.module.state_dict().items()})
    device = examples.train_images.device
    network.module.to(device)
    progress = Progress(0, {n: t.to(device) for n, t in stack_states(states).items()})
    while True:
        train(network.module, progress, examples, replicates, recipe, progress.epoch + 1, {}, 0, precision)
        evaluate(
            network.module, progress.stack, examples.test_images, examples.test_labels, examples.normalization
        )
        yield


def compare(
    plan: Plan, shares: int, rounds: int, stacks: tuple[int, ...], device: torch.device
) -> pandas.DataFrame:
    """Measure one benchmark.

    Args:
        plan: its recipe at paper scale.
        shares: an epoch is measured on this fraction, 1 / shares of the training and test images.
        rounds: how often each variant is measured, after one round to warm up.
        stacks: numbers of replicates to measure.
        device: where.

    Returns:
        A row per variant: benchmark, variant, replicates, seconds_per_replicate_epoch, times_faster.
    """
    whole = plan.recipe.data
    counts = {"mnist": (58_000, 10_000), "cifar10": (48_000, 10_000)}[whole.image_set]
    small = whole.model_copy(update={"train": counts[0] // shares, "test": counts[1] // shares})
    recipe = plan.recipe.model_copy(update={"data": small})
    replicates = [Replicate(seed=seed) for seed in range(max(stacks))]
    examples = prepare(small, replicates, device)
    variants: list[tuple[str, int, Iterator[None]]] = [
        ("conventional loop, float32", 1, conventional(recipe, examples))
    ]
    for count, precision in itertools.product(stacks, ("float32", "bfloat16")):
        chosen = list(range(count))
        loop = resident(recipe, examples[chosen], replicates[:count], precision)
        variants.append((f"this book, {precision}", count, loop))
    seconds: dict[int, list[float]] = {i: [] for i in range(len(variants))}
    for round_ in range(rounds + 1):
        for i, (_, count, loop) in enumerate(variants):
            started = time.perf_counter()
            next(loop)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if round_:
                seconds[i].append((time.perf_counter() - started) * shares / count)
    medians = [statistics.median(seconds[i]) for i in range(len(variants))]
    return pandas.DataFrame(
        {
            "benchmark": recipe.benchmark,
            "variant": [name for name, _, _ in variants],
            "replicates": [count for _, count, _ in variants],
            "seconds_per_replicate_epoch": [round(m, 3) for m in medians],
            "times_faster": [round(medians[0] / m, 1) for m in medians],
        }
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table for LeNet on MNIST and ResNet-20 on CIFAR-10."""
    from papers.training_regularization.recipes import plan

    parser = argparse.ArgumentParser(prog="python -m lib.benchmark")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shares", type=int, default=10, help="measure on one part in so many of the images")
    given = parser.parse_args(arguments)
    device = find_device(given.device)
    prepare_processor()
    tables = [
        compare(plan("mnist-lenet", "paper"), given.shares, given.rounds, (1, 12), device),
        compare(plan("cifar10-resnet20", "paper"), 2 * given.shares, given.rounds, (1,), device),
    ]
    versions = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    print(f"{describe_device(device)}, {versions}; medians of {given.rounds} rounds, side by side\n")
    print(pandas.concat(tables).to_string(index=False))


if __name__ == "__main__":
    main()
