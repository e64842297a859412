"""Hooks change masks and weights inside one run, whose optimizer goes on; being there changes nothing."""

import copy

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.training import Hooks, Part, Progress, Replicate, prepare, stack_states, train
from tests.training.stacks import CPU, start

REPLICATES = [Replicate(seed=0), Replicate(seed=1)]


@pytest.fixture
def sgd(objects_recipe):
    """Momentum and weight decay, which would move a pruned weight."""
    return objects_recipe.but(epochs=3, drop_epochs=())


def begin(recipe):
    """Return network, examples and a progress whose masks keep everything: of filters and of their normalization."""
    network, stack, examples = start(recipe, REPLICATES)
    names = (*network.prunable, "blocks.0.first.1.weight", "blocks.0.first.1.bias")
    return (
        network,
        examples,
        Progress(0, stack, {n: torch.ones_like(stack[n], dtype=torch.bool) for n in names}),
    )


FILTER = ("blocks.0.first.0.weight", "blocks.0.first.1.weight", "blocks.0.first.1.bias")


def prune_a_filter(step: int, progress: Progress) -> None:
    """At step 4 of 9, in the middle of an epoch of three, remove a filter of each replicate; write down when."""
    if step == 4:
        for row, one in enumerate((1, 2)):
            for name in FILTER:
                progress.masks[name][row, one] = False
        progress.kept["events"] = [
            *progress.kept.get("events", []),
            {"step": step, "filters": torch.tensor([1, 2])},
        ]


def put_others_in_their_place(step: int, progress: Progress) -> None:
    """The same, by new masks and weights instead of changed ones."""
    progress.masks = {n: mask.clone() for n, mask in progress.masks.items()}
    prune_a_filter(step, progress)
    for name, mask in progress.masks.items():
        progress.stack[name] = progress.stack[name] * mask


def run_to(recipe, network, examples, progress, epoch, hook, **more):
    return train(network.module, progress, examples, REPLICATES, recipe, Part(epoch), Hooks(hook, **more))


def test_a_hook_that_does_nothing_changes_nothing(sgd):
    network, examples, progress = begin(sgd)
    plain = train(network.module, copy.deepcopy(progress), examples, REPLICATES, sgd, Part(2))
    watched = run_to(sgd, network, examples, progress, 2, lambda step, now: network.module.eval())
    assert plain.epoch_losses == watched.epoch_losses
    assert all(torch.equal(t, watched.stack[n]) for n, t in plain.stack.items())


@pytest.mark.parametrize("hook", [prune_a_filter, put_others_in_their_place])
def test_filters_pruned_within_a_run_stay_zero_and_momentum_goes_on(sgd, hook):
    network, examples, progress = begin(sgd)
    before = {}

    def watch(step: int, now: Progress) -> None:
        if step == 4:
            before.update(copy.deepcopy(now.optimizer or {}))
        hook(step, now)

    done = run_to(sgd, network, examples, progress, 2, watch)
    for name in FILTER:
        gone = ~done.masks[name]
        assert gone.any() and done.stack[name][gone].eq(0).all() and done.stack[name][~gone].ne(0).any()
    assert done.optimizer is not None
    momentum = done.optimizer["momentum_buffer"][FILTER[0]][0, 1]
    assert momentum.abs().sum() > 0, "the optimizer's state of a pruned filter is not touched"
    assert all(len(kind) == len(before["momentum_buffer"]) for kind in done.optimizer.values())


def test_both_ways_to_change_masks_and_a_kill_in_between_give_the_same_bits(sgd, tmp_path):
    network, examples, progress = begin(sgd)
    whole = run_to(sgd, network, examples, copy.deepcopy(progress), 3, prune_a_filter)
    other = run_to(sgd, network, examples, copy.deepcopy(progress), 3, put_others_in_their_place)
    for stop in (1, 2):  # before and after the event
        now = run_to(sgd, network, examples, copy.deepcopy(progress), stop, prune_a_filter)
        torch.save({**vars(now), "stack": {n: t.detach() for n, t in now.stack.items()}}, tmp_path / "progress.pt")
        resumed = Progress(**torch.load(tmp_path / "progress.pt", weights_only=True))
        resumed = run_to(sgd, network, examples, resumed, 3, prune_a_filter)
        for one in (resumed, other):
            assert one.epoch_losses == whole.epoch_losses
            assert all(torch.equal(t, one.stack[n]) for n, t in whole.stack.items())
            assert [event["step"] for event in one.kept["events"]] == [4]


def test_an_optimizer_is_continued_under_new_masks(sgd):
    """As a stage would that takes over the momentum of the one before: pruned weights stay zero all the same."""
    network, examples, progress = begin(sgd)
    done = train(network.module, progress, examples, REPLICATES, sgd, Part(1))
    own = torch.Generator().manual_seed(0)
    masks = {n: torch.rand(done.stack[n].shape, generator=own) < 0.2 for n in network.prunable}
    stack = {n: t * masks[n] if n in masks else t for n, t in done.stack.items()}
    continued = Progress(1, stack, masks, done.optimizer, continued=True)
    train(network.module, continued, examples, REPLICATES, sgd, Part(2, stage=1))
    for name, mask in masks.items():
        assert continued.stack[name][~mask].eq(0).all()


class WithALayerThatIsNotUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.other = nn.Linear(28 * 28, 10), nn.Linear(28 * 28, 10)

    def forward(self, images):
        return self.used(images.flatten(1))


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_a_pruned_layer_that_no_image_passes_is_left_as_it_is(recipe, share):
    module, replicates = WithALayerThatIsNotUsed(), [Replicate(seed=0)]
    examples, stack = prepare(recipe.data, replicates, CPU), stack_states([module.state_dict()])
    masks = {f"{n}.weight": torch.rand(stack[f"{n}.weight"].shape) < share for n in ("used", "other")}
    before = {n: t * masks.get(n, 1) for n, t in stack.items()}
    done = train(module, Progress(0, copy.deepcopy(before), masks), examples, replicates, recipe, Part(1))
    assert torch.equal(done.stack["other.weight"], before["other.weight"])
    assert not torch.equal(done.stack["used.weight"], before["used.weight"])


def test_a_mask_that_training_began_without_is_refused(sgd):
    network, examples, progress = begin(sgd)

    def add(step: int, now: Progress) -> None:
        now.masks = {**now.masks, "stem.1.bias": torch.ones(2, 4, dtype=torch.bool)}

    with pytest.raises(InputError, match="mask of a tensor that training began without 'stem.1.bias'"):
        run_to(sgd, network, examples, progress, 1, add)
