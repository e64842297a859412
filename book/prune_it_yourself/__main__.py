"""Train the network of the page "Prune it yourself" and write its two files: python -m book.prune_it_yourself

The dense network of a recipe of TR, seed 0, no label noise. Weights become 16-bit integers with one scale per tensor,
w ≈ q · max |w| / 32767, and pixels become 4-bit integers; what both cost in accuracy is measured on the whole test set and
kept. So is the accuracy on the page's digits for every way of cutting and every place of the slider, computed by
`lib.pruning` and PyTorch; tests hold the page's script to it.
"""

import argparse
import datetime
import json
import platform
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from book.prune_it_yourself.network import FILE, FOLDER, State, from_integers, to_integers
from lib.analysis.measure import commit_of_repository
from lib.data import normalization
from lib.errors import InputError
from lib.models import Network
from lib.pruning import Batch, find_score, select
from lib.seeds import generator
from lib.stages import Execution, Prune, Store, run, stage_keys
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Examples, Replicate, logits, network_of, prepare
from lib.training.device import describe_device, find_device
from papers.training_regularization.recipes import PLANS, plan

BENCHMARK = "mnist-lenet"
PER_CLASS = 50
STEPS_PER_LEVEL, LEVELS = 4, 24
"""The slider: after s steps 0.8^(s / 4) of the weights remain, so that every fourth step is a level of TR."""
DRAWS = 10
"""Random masks whose mean accuracy is drawn."""


def four_bits(images: Tensor) -> Tensor:
    """Round pixels, uint8, to the nearest of 16 values from 0 to 15."""
    return (images.float() / 17).round().to(torch.uint8)


def pack(values: Tensor) -> Tensor:
    """Put two 4-bit numbers into a byte, the first into the upper half: uint8 [N, n] → [N, n / 2]."""
    return values[:, ::2] * 16 + values[:, 1::2]


def first_of_each_class(labels: Tensor, count: int) -> Tensor:
    """Return the positions of the first `count` examples of each class, class by class."""
    return torch.cat([(labels == label).nonzero()[:count, 0] for label in labels.unique()])


def answers(network: Network, state: Mapping[str, Tensor], images: Tensor, constants: str) -> Tensor:
    """Return the logits [N, classes] of one network for images uint8 [N, height, width, 1]."""
    stack = {name: w.unsqueeze(0) for name, w in state.items()}
    return torch.cat(list(logits(network.module, stack, images, constants)), 1)[0]


def accuracy(given: Tensor, labels: Tensor) -> float:
    """Return the share of right answers, in percent."""
    return round(100 * float((given.argmax(-1) == labels).double().mean()), 4)


def masks(network: Network, way: str, share: float, draw: int = 0) -> State:
    """Return the masks of one way of cutting: "magnitude", "layer" by layer, "random" or "largest" first."""
    batch = Batch(None, torch.empty(0), generator(draw, "prune it yourself"))
    scores = find_score("random" if way == "random" else "magnitude")(network.module, network.prunable, batch)
    if way == "largest":
        scores = {name: -score for name, score in scores.items()}
    everything = {name: torch.ones_like(score, dtype=torch.bool) for name, score in scores.items()}
    if share == 1:
        return everything
    return select(scores, everything, 0.5, "layer" if way == "layer" else "global", keep=share)


def curve(network: Network, way: str, images: Tensor, labels: Tensor, normalization: str) -> list[float]:
    """Return the accuracy in percent at every place of the slider, the mean of several draws for random masks."""
    draws = DRAWS if way == "random" else 1
    state = dict(network.module.state_dict())
    found = []
    for step in range(STEPS_PER_LEVEL * LEVELS + 1):
        some = []
        for draw in range(draws):
            kept = masks(network, way, 0.8 ** (step / STEPS_PER_LEVEL), draw)
            cut = {**state, **{name: state[name] * mask for name, mask in kept.items()}}
            some.append(accuracy(answers(network, cut, images, normalization), labels))
        found.append(round(sum(some) / draws, 4))
    return found


def describe(
    network: Network, exact: State, examples: Examples, chosen: Tensor
) -> tuple[State, dict[str, object]]:  # fmt: skip
    """Return the tensors of the page, and what was measured of them.

    Args:
        network: the module to compute with; it is left with the rounded weights.
        exact: its weights as they were trained.
        examples: with the test set.
        chosen: positions in it of the page's digits.
    """
    normalization, labels = examples.normalization, examples.test_labels
    kept, scales = to_integers(exact)
    rounded = from_integers(kept, scales)
    network.module.load_state_dict(rounded)
    images = examples.test_images
    assert isinstance(images, Tensor)  # MNIST is never read from files
    small = 17 * four_bits(images)
    own = answers(network, rounded, small[chosen], normalization)
    found = {
        "float32, all test images": accuracy(answers(network, exact, images, normalization), labels),
        "16 bits, all test images": accuracy(answers(network, rounded, images, normalization), labels),
        "16 bits, 4-bit pixels, all test images": accuracy(answers(network, rounded, small, normalization), labels),
        "float32, these digits": accuracy(answers(network, exact, images[chosen], normalization), labels[chosen]),
        "16 bits, 4-bit pixels, these digits": accuracy(own, labels[chosen]),
    }
    ways = ("magnitude", "layer", "random", "largest")
    measured = {
        "accuracy (%)": found,
        "scales": scales,
        "logits of the first digits": [[round(float(z), 5) for z in row] for row in own[:5]],
        "steps per level": STEPS_PER_LEVEL,
        "random draws": DRAWS,
        "curves": {way: curve(network, way, small[chosen], labels[chosen], normalization) for way in ways},
    }
    digits = pack(four_bits(images[chosen]).flatten(1))
    tensors = {**kept, "digits": digits, "labels": labels[chosen].to(torch.uint8), "positions": chosen.to(torch.int16)}
    return tensors, measured


def main(arguments: list[str] | None = None) -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m book.prune_it_yourself", description=__doc__)
    parser.add_argument(
        "--scale", default="paper", choices=list(PLANS[BENCHMARK]), help="whose recipe (default: paper)"
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the two files (default: beside this)")
    given = parser.parse_args(arguments)
    recipe, who = plan(BENCHMARK, given.scale).recipe, Replicate(seed=0)
    chain = learning_rate_rewinding(recipe, 0, Prune())
    try:
        entry = run(chain, [who], Store(), Execution("cpu")).entries[0][-1]
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
    examples = prepare(recipe.data, [who], find_device("cpu"))
    network = network_of(recipe, examples.classes)
    chosen = first_of_each_class(examples.test_labels, PER_CLASS)
    constants = normalization(recipe.data.normalization)
    tensors, measured = describe(network, entry.tensors("weights"), examples, chosen)
    made: dict[str, object] = {
        "command": f"python -m book.prune_it_yourself --scale {given.scale}",
        "paper": "training_regularization",
        "benchmark": BENCHMARK,
        "scale": given.scale,
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "training images": len(examples.train_images),
        "seed": who.seed,
        "noise_percent": who.noise_percent,
        "precision": "float32",
        "stage_key": stage_keys(chain, who, "float32")[-1],
        "device": describe_device(find_device("cpu")),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "commit": commit_of_repository(),
        "date": datetime.date.today().isoformat(),
        "mean": constants.mean[0],
        "std": constants.std[0],
        "layers": list(network.prunable),
        **measured,
    }
    given.output.mkdir(parents=True, exist_ok=True)
    save_file({name: w.contiguous() for name, w in tensors.items()}, given.output / FILE)
    (given.output / "network.json").write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    for name, value in made["accuracy (%)"].items():  # pyright: ignore[reportAttributeAccessIssue]
        print(f"{value:7.2f} %  {name}")


if __name__ == "__main__":
    main()
