"""Where a stage starts: weights and masks of one replicate, from what the store holds of the stages before."""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from lib import data
from lib.errors import InputError
from lib.models import Network, initialize
from lib.models.published import load_backbone
from lib.pruning import Batch, find_score, select
from lib.pruning.methods import prune_parameters
from lib.stages.entry import Entry
from lib.stages.stage import Chain, Prune
from lib.training import Examples, Recipe, Replicate
from lib.training.examples import Images
from lib.training.stack import State

EXAMPLES_PER_CLASS = 10  # that a score may look at (facts J17) ...
EXAMPLES_SCORED = 1000  # ... and as many of all classes: with more than 100 of them, fewer per class
HELD_OUT_SCORED = 256  # the sample S of LIP (facts L29)


@dataclasses.dataclass(frozen=True)
class ChosenImages:
    """The chosen ones, int64 [n], of some images as network inputs on the CPU, read when a slice of them is asked for."""

    images: Images
    chosen: Tensor
    normalization: str

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.chosen)

    @property
    def shape(self) -> tuple[int, ...]:
        """[n, channels, height, width]."""
        _, height, width, channels = self.images.shape
        return len(self), channels, height, width

    def __getitem__(self, part: slice) -> Tensor:
        """Return normalized images of a slice, float32 [·, channels, height, width]."""
        pixels = self.images[self.chosen[part].to(self.images.device)].cpu()
        return data.normalize(pixels, data.normalization(self.normalization))


def scoring_batch(examples: Examples, count: int | None, generator: torch.Generator) -> Batch:
    """Return training images of the only replicate for scores that look at data: `count` of all, or some of each label."""
    labels = examples.train_labels[0].cpu()
    order = torch.randperm(len(labels), generator=generator)
    chosen = order[:count]
    if count is None:
        each = min(EXAMPLES_PER_CLASS, max(1, EXAMPLES_SCORED // examples.classes))
        chosen = torch.cat([order[labels[order] == label][:each] for label in range(examples.classes)])
    images = ChosenImages(examples.train_images, chosen, examples.normalization)
    return Batch(images, labels[chosen], generator)


def held_out_batch(examples: Examples, count: int | None, generator: torch.Generator) -> Batch:
    """Return held-out images, `count` of them or the sample S of LIP, at most half of what there is (facts C.1).

    Raises:
        InputError: if none are held out.
    """
    there = len(examples.validation_images)
    if there < 2:
        raise InputError(f"the recipe holds out validation={there} images; a sample for pruning needs at least 2")
    chosen = torch.randperm(there, generator=generator)[: min(count or HELD_OUT_SCORED, there // 2)]
    images = ChosenImages(examples.validation_images, chosen, examples.normalization)
    return Batch(images, examples.validation_labels[chosen.to(examples.validation_labels.device)].cpu(), generator)


def starting_point(
    network: Network, chain: Chain, position: int, replicate: Replicate, done: Sequence[Entry], examples: Examples,
    scored: State | None = None,
) -> tuple[State, State]:  # fmt: skip
    """Return weights and masks with which one replicate, the only one of the examples, enters a stage.

    `scored` are the masks of a stage that was begun already: it was scored once, and sums of another number of threads could
    leave another weight.
    """
    stage, module = chain.stages[position], network.module
    if done and not stage.lift_masks:
        masks = done[-1].masks()
    else:
        masks = {n: torch.ones_like(module.get_parameter(n), dtype=torch.bool) for n in network.prunable}
    if stage.prune and scored is not None:
        masks = scored
    elif stage.prune:
        before = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        module.load_state_dict(done[-1].tensors("weights"))
        masks = _pruned(network, stage.prune, masks, examples, replicate.generator("score", position))
        module.load_state_dict(before)  # a fresh replicate draws some layers anew and takes the others as they are
    if stage.start == "fresh":
        initialize_replicate(module, chain.recipe, replicate, position)
        weights = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    else:
        weights = done[-1 if stage.start == "previous" else 0].tensors("weights")
    for name, mask in masks.items():
        weights[name] = weights[name] * mask
    return weights, masks


def _pruned(
    network: Network, prune: Prune, masks: dict[str, Tensor], examples: Examples, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return the masks that pruning leaves of a network with its weights, for the only replicate of the examples."""
    if prune.scope == "parameters":
        assert prune.keep is not None, "a description without it is refused"
        batch = held_out_batch(examples, prune.examples, generator)
        return prune_parameters(network.module, masks, prune.score, prune.keep, batch)
    batch = scoring_batch(examples, prune.examples, generator)
    scores = find_score(prune.score)(network.module, network.prunable, batch)
    return select(scores, masks, prune.fraction, prune.scope, prune.keep)


def initialize_replicate(module: torch.nn.Module, recipe: Recipe, replicate: Replicate, position: int = 0) -> None:
    """Draw the weights with which a replicate enters a stage that starts fresh; a published backbone is not drawn."""
    generator = replicate.generator("initialization", position)
    initialize(module, generator, recipe.normalization_scale, recipe.initial_bias, recipe.initial_weights)
    if recipe.backbone:
        load_backbone(module, recipe.backbone)
