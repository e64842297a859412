"""The training loop for a stack of replicates: what is set up once, one step, one epoch.

A step takes each replicate's batch, adds up the mean losses and updates all replicates by one optimizer; the same for one
network in plain PyTorch is `lib.training.reference`. What makes it fast stands elsewhere: where batches come from
(`sources`), all networks in one forward pass (`stack`), few weights that remain as a vector (`masked_weights`), a step
captured and replayed (`cuda_graph`). Within an epoch nothing waits for the device: losses add up there.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lib.training import processes
from lib.training.cuda_graph import Replayed, capture_cuda_graph
from lib.training.epoch_errors import EpochErrors
from lib.training.examples import Examples, Replicate
from lib.training.masked_weights import COMPRESS_BELOW, MaskedWeights
from lib.training.pixel_reader import can_read_bytes, pixels_read
from lib.training.processes import data_parallel
from lib.training.recipe import Precision, Recipe, learning_rate
from lib.training.sources import data_order, make_source
from lib.training.sparse_products import SPARSE_BELOW, sparse_weights, with_sparse_layers
from lib.training.stack import State, bound, forward, own_randomness
from lib.training.task import losses_of_step


@dataclass
class Progress:
    """Where a stack stands between two steps; all that is needed to go on, as plain data.

    Attributes:
        epoch: next epoch of the recipe's schedule.
        stack: parameters and buffers, name → [R, ...].
        masks: name → bool [R, ...], True where a weight remains; a parameter without one is unpruned.
        optimizer: its state after the last epoch, kind → name → [R, ...] like the weight (or a number of steps); None for a
            fresh one.
        continued: the optimizer is older than the masks, so that weights are masked after every step.
        epoch_losses: mean loss of each finished epoch while training, a list of R numbers an epoch.
        epoch_errors: of each finished epoch, where they are kept: subset → a list of R numbers in percent an epoch.
        kept: what hooks keep for themselves: numbers, strings, tensors, and lists and dicts of them.
    """

    epoch: int
    stack: State
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, State] | None = None
    continued: bool = False
    epoch_losses: list[list[float]] = field(default_factory=list)
    epoch_errors: dict[str, list[list[float]]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """Whether no replicate had a finite loss in the last epoch."""
        return bool(self.epoch_losses) and not any(map(math.isfinite, self.epoch_losses[-1]))


@dataclass(frozen=True)
class Part:
    """Which part of a recipe's schedule is trained, on which of the examples.

    Attributes:
        from_epoch, to_epoch: of the schedule ...
        from_step, to_step: ... and by how many steps later the part begins and ends.
        stage: position in the chain, so that each stage has its own data order and augmentation.
        subsets: for each replicate the indices of the examples that it trains on; empty for all.
        examples_per_epoch: None for as many as there are images.
    """

    to_epoch: int
    from_epoch: int = 0
    from_step: int = 0
    to_step: int = 0
    stage: int = 0
    subsets: Sequence[Tensor] = ()
    examples_per_epoch: int | None = None

    def steps(self, steps_per_epoch: int) -> range:
        """Return the steps of the part, counted from the start of the schedule."""
        first, last = self.from_epoch * steps_per_epoch, self.to_epoch * steps_per_epoch
        return range(first + self.from_step, last + self.to_step)

    def steps_of(self, epoch: int, steps_per_epoch: int) -> range:
        """Return those of them that lie in one epoch."""
        steps, start = self.steps(steps_per_epoch), epoch * steps_per_epoch
        return range(max(start, steps.start), min(start + steps_per_epoch, steps.stop))

    def epochs(self, steps_per_epoch: int) -> range:
        """Return the epochs of the schedule that the part touches."""
        steps = self.steps(steps_per_epoch)
        return range(steps.start // steps_per_epoch, -(-steps.stop // steps_per_epoch))


@dataclass(frozen=True)
class Hooks:
    """What else happens while a stack trains; neither changes a number by being there.

    Attributes:
        before_step: called with the number of the step in the schedule and the progress. It may change weights, masks that
            `Progress.masks` has from the start, and `Progress.kept`; the optimizer goes on as it is. `Progress.optimizer`
            is whole between epochs only. It returns False where it changed neither weights nor masks.
        after_epoch: called with the progress, of which it may change `kept`, such as for bars, records, checkpoints.
        watch: called once, before the first step, with the module that computes the steps, for forward hooks of its layers;
            it may be a copy of the one that is trained.
    """

    before_step: Callable[[int, Progress], bool | None] | None = None
    after_epoch: Callable[[Progress], None] | None = None
    watch: Callable[[nn.Module], None] | None = None


@dataclass(frozen=True)
class Computation:
    """How the numbers are computed, which changes them by rounding only.

    Attributes:
        precision: of the products; weights and optimizer are float32 always (or float64, if the stack is).
        pixels: indices of the pixels that the stack still reads, counted in [channel, height, width]; None for all.
        replay: on CUDA, capture a step and replay it; False launches every kernel of every step.
        compress_below: share of a weight that remains, below which only what remains is handed to the optimizer ...
        sparse_below: ... and below which products run over what remains, where they can: `lib.training.sparse_products`.
    """

    precision: Precision = "float32"
    pixels: Tensor | None = None
    replay: bool = True
    compress_below: float = COMPRESS_BELOW
    sparse_below: float = SPARSE_BELOW


NO_HOOKS, PLAIN = Hooks(), Computation()


def train(
    module: nn.Module, progress: Progress, examples: Examples, replicates: Sequence[Replicate], recipe: Recipe,
    part: Part, hooks: Hooks = NO_HOOKS, computation: Computation = PLAIN,
) -> Progress:  # fmt: skip
    """Train a stack from `progress.epoch` to the end of a part of the recipe's schedule.

    Args:
        module: the computation; its own weights are not used.
        progress: where the stack stands; changed in place.
        examples: images and labels of the R replicates.
        replicates: whose generators give data order and augmentation.
        recipe: optimizer, schedule, batch size, augmentation.
        part: of the schedule, on which examples.
        hooks: what else happens.
        computation: precision and speed.

    Returns:
        The progress. A replicate whose loss is no longer finite shows it in `epoch_losses`; when all are so, training stops.
    """
    device = examples.train_images.device
    loop = _Loop(module, progress, examples, replicates, recipe, part, hooks, computation)
    replay = device.type == "cuda" and computation.replay and processes.count() == 1
    step = Replayed(loop.step, capture_cuda_graph if replay else None)
    while progress.epoch < loop.last_epoch and not progress.diverged:
        with own_randomness(module, replicates[0], part.stage, progress.epoch, device, processes.place()):
            loop.epoch(step)
        if hooks.after_epoch:
            hooks.after_epoch(progress)
    loop.weights.release()
    return progress


def make_optimizer(recipe: Recipe, parameters: Iterable[Tensor], rate: Tensor) -> Optimizer:
    """Return the recipe's optimizer, fresh, whose learning rate is a tensor that a captured step goes on reading."""
    decay = recipe.weight_decay
    if recipe.optimizer == "adam":
        capturable = rate.device.type == "cuda"
        return torch.optim.Adam(parameters, rate, weight_decay=decay, fused=True, capturable=capturable)
    return torch.optim.SGD(parameters, rate, recipe.momentum, weight_decay=decay, nesterov=recipe.nesterov, fused=True)


@dataclass
class _Loop:
    """The three parts of a training: what is set up once, one step, one epoch. Arguments are those of `train`."""

    module: nn.Module
    progress: Progress
    examples: Examples
    replicates: Sequence[Replicate]
    recipe: Recipe
    part: Part
    hooks: Hooks
    computation: Computation

    def __post_init__(self):
        module, progress, recipe, how = self.module, self.progress, self.recipe, self.computation
        self.count = self.part.examples_per_epoch or len(self.examples.train_images)
        self.steps_per_epoch = -(-self.count // recipe.batch_size)
        self.last_epoch = self.part.epochs(self.steps_per_epoch).stop
        self.exact = next(t.dtype for t in progress.stack.values() if t.is_floating_point())
        dtype = torch.bfloat16 if how.precision == "bfloat16" else self.exact
        stage = self.part.stage
        alone = processes.count() == 1
        share, change = how.compress_below, progress.continued or self.hooks.before_step is not None
        dense = change or dtype != self.exact or not alone
        sparse = [] if dense else sparse_weights(module, progress.masks, how.sparse_below)
        self.weights = MaskedWeights(module, progress.stack, progress.masks, dtype, share, change, sparse)
        pixels, masks = how.pixels, {name: progress.masks[name] for name in sparse}
        if can_read_bytes(self.examples.train_images, recipe.data) and (read := pixels_read(module, masks)):
            name, own = read
            masks[name] = masks[name].gather(2, own.unsqueeze(1).expand(-1, masks[name].shape[1], -1))
            pixels = own if pixels is None else pixels[own]
        self.module = module = with_sparse_layers(module, masks)
        self.bound = bound(module, self.weights.computing) if alone else data_parallel(module, self.weights)
        if self.hooks.watch:
            self.hooks.watch(self.bound if self.bound and alone else module)
        self.source = make_source(self.examples, self.replicates, recipe, stage, dtype, pixels)
        device = self.examples.train_images.device
        # CUDA's fused optimizers read it as float32, whatever the weights are.
        self.rate = torch.zeros((), dtype=torch.float32 if device.type == "cuda" else self.exact, device=device)
        self.optimizer = make_optimizer(recipe, self.weights.trained.values(), self.rate)
        if progress.optimizer is not None:
            self.weights.load_optimizer_state(self.optimizer, progress.optimizer)
        self.loss_sum, self.images = torch.zeros(len(self.replicates), device=device), recipe.batch_size
        self.errors = EpochErrors(module, self.examples, dtype, pixels) if recipe.record_epochs else None

    def step(self, *batch: Tensor) -> None:
        """Take one step on what the source gives for it; nothing here waits for the device."""
        images, labels = self.source.gather(*batch)
        self.optimizer.zero_grad(set_to_none=True)
        answers = self.bound(images) if self.bound else forward(self.module, self.weights.factors(), images)
        losses = losses_of_step(answers, labels, self.exact)
        share = processes.count() / self.images  # in the mean over a batch; processes average their gradients
        losses.backward(torch.full_like(losses, share))
        self.weights.mask_gradients()
        self.optimizer.step()
        self.weights.mask_weights()
        self.loss_sum.add_(losses.detach().sum(1))
        if self.errors:
            self.errors.note(batch[0], answers)

    def epoch(self, take_step: Callable[..., None]) -> None:
        """Take the part's steps of the next epoch by `step`, or what replays it, and write down how it went."""
        progress, size = self.progress, self.recipe.batch_size
        stage, subsets = self.part.stage, self.part.subsets
        order = data_order(self.replicates, stage, progress.epoch, self.count, subsets)
        batches = self.source.batches(order, progress.epoch)
        steps = self.part.steps_of(progress.epoch, self.steps_per_epoch)
        first = steps.start % self.steps_per_epoch
        self.module.train()
        self.loss_sum.zero_()
        for step, batch in zip(steps, itertools.islice(batches, first, None), strict=False):
            self.rate.fill_(learning_rate(self.recipe, step, self.steps_per_epoch))
            self.images = min(size, self.count - step % self.steps_per_epoch * size)  # in the batch, of all processes
            if self.hooks.before_step:
                with torch.no_grad():
                    changed = self.hooks.before_step(step, progress)
                self.module.train()
                if changed is not False:
                    self.weights.take_over(progress.stack, progress.masks)
            take_step(*batch)
        self.weights.write_back()
        progress.epoch += 1
        progress.optimizer = self.weights.optimizer_state(self.optimizer)
        seen = min((first + len(steps)) * size, self.count) - first * size
        progress.epoch_losses.append((processes.summed(self.loss_sum) / seen).tolist())
        if self.errors:
            for name, shares in self.errors.finish(self.weights.factors).items():
                progress.epoch_errors.setdefault(name, []).append(shares)
