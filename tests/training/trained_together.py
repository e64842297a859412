"""What `test_processes` starts by torchrun: trains on generated images in files, and keeps what came out.

python -m tests.training.trained_together network FILE | chain STORE
"""

import sys
from pathlib import Path

import torch
from torch import nn

from lib.stages import Prune, Store, checkpoint, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import DataRecipe, Part, Progress, Recipe, Replicate, fresh_stack, prepare, processes, train

RECIPE = Recipe(
    benchmark="folders",
    data=DataRecipe(
        image_set="generated-folders", validation=9, train=39, test=12, normalization="imagenet",
        augmentation="resized-crop",
    ),
    network="cifar-resnet20", width=4, epochs=2, batch_size=16, optimizer="sgd", learning_rate=0.01, momentum=0.9,
    weight_decay=1e-4, rewind_epoch=1,
)  # fmt: skip
REPLICATES = [Replicate(seed=0)]


def small_network() -> nn.Module:
    """Return a network with batch normalization after two convolutions, for images of 224 × 224 pixels."""
    layers = (nn.Conv2d(3, 8, 8, 8), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 4, 4), nn.BatchNorm2d(8), nn.ReLU())
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


def trained() -> Progress:
    """Train the small network in float64, with masks of which one is compressed."""
    module, examples = small_network(), prepare(RECIPE.data, REPLICATES, torch.device("cpu"))
    stack = {
        n: t.double() if t.is_floating_point() else t
        for n, t in fresh_stack(module, REPLICATES, torch.device("cpu")).items()
    }
    chance = torch.Generator().manual_seed(1)
    masks = {
        n: torch.rand(stack[n].shape, generator=chance) < share for n, share in (("0.weight", 0.7), ("3.weight", 0.2))
    }
    stack |= {name: stack[name] * mask for name, mask in masks.items()}
    return train(module, Progress(0, stack, masks), examples, REPLICATES, RECIPE, Part(2))


def main(what: str, where: Path) -> None:
    torch.set_num_threads(1)
    with processes.together("cpu"):
        row = torch.arange(14).view(2, 7)
        assert processes.gathered(row[:, processes.place() :: processes.count()], 1).equal(row)
        if what == "network":
            progress = trained()
            if not processes.place():
                stack = {name: tensor.detach() for name, tensor in progress.stack.items()}
                torch.save({"stack": stack, "optimizer": progress.optimizer, "losses": progress.epoch_losses}, where)
        else:
            checkpoint.CHECKPOINT_SECONDS = 0.0
            chain = learning_rate_rewinding(RECIPE.but(epochs=4), 1, Prune(fraction=0.5))
            run(chain, REPLICATES, Store(where), "cpu", progress=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
