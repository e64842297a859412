"""A reader's own module of strange shape is pruned by all four methods, or refused by the name of what stands in the way."""

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.models import prunable_weights
from lib.pruning import Batch
from lib.pruning.budget import budget, parameters_remaining
from lib.pruning.methods import check_method, prune_parameters
from lib.pruning.removal import without_removed

METHODS = ("magnitude", "sipp", "ft", "pfp")


class Calls(nn.Module):
    """Calls layers in a given order, with ReLU between them and the mean over positions before the last."""

    def __init__(self, order, **layers):
        super().__init__()
        self.layers, self.order = nn.ModuleDict(layers), order

    def forward(self, x):
        *others, last = self.order
        for name in others:
            x = self.layers[name](x).relu()
        first = self.layers[self.order[0]]
        return self.layers[last](x if isinstance(first, nn.Linear) else x.flatten(2).mean(2))


def tied():
    module = Calls("abc", a=nn.Conv2d(6, 6, 1), b=nn.Conv2d(6, 6, 1), c=nn.Linear(6, 2))
    module.layers["b"].weight = module.layers["a"].weight
    return module


def up():
    return Calls("abc", a=nn.Conv2d(3, 8, 3), b=nn.ConvTranspose2d(8, 8, 3), c=nn.Linear(8, 2))


def unused():
    return Calls("ac", a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(8, 8, 1), c=nn.Linear(8, 2))


WORKS = {
    "one dimension": (lambda: Calls("abc", a=nn.Conv1d(3, 12, 3), b=nn.Conv1d(12, 12, 3), c=nn.Linear(12, 2)), (3, 9)),
    "three dimensions": (lambda: Calls("abc", a=nn.Conv3d(1, 6, 2), b=nn.Conv3d(6, 8, 1), c=nn.Linear(8, 2)), (1, 3, 3, 3)),
    "groups": (lambda: Calls("abc", a=nn.Conv2d(4, 12, 1), b=nn.Conv2d(12, 8, 3, groups=4), c=nn.Linear(8, 2)), (4, 5, 5)),
    "a layer used twice": (lambda: Calls("abbc", a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(8, 8, 1), c=nn.Linear(8, 2)), (3, 5, 5)),
    "no convolution": (lambda: Calls("abc", a=nn.Linear(6, 20), b=nn.Linear(20, 20), c=nn.Linear(20, 2)), (6,)),
    "no bias, one layer twice": (
        lambda: Calls("bbc", b=nn.Conv1d(6, 6, 1, bias=False), c=nn.Linear(6, 9, bias=False)), (6, 4),
    ),
}  # fmt: skip
REFUSED = {
    "shared weights": (tied, (6, 3, 3), "'layers.a.weight' and 'layers.b.weight' are the same tensor"),
    "transposed": (up, (3, 5, 5), "convolution that is not transposed 'layers.b.weight'"),
    "a layer never called": (unused, (3, 5, 5), "'layers.b.weight' belongs to a layer that the module never calls"),
    "nothing to prune": (lambda: nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), (3, 4, 4), "no convolution or linear layer"),
}  # fmt: skip
PRUNED = [("transposed", "magnitude"), ("a layer never called", "magnitude"), ("a layer never called", "ft")]
"""What these methods do not need to know, they do not refuse."""


def sample(image):
    images = torch.randn(4, *image, generator=torch.Generator().manual_seed(0))
    return Batch(images, torch.zeros(4, dtype=torch.int64), torch.Generator())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", WORKS)
def test_strange_modules_are_pruned_to_the_budget_and_can_lose_what_was_removed(kind, method):
    torch.manual_seed(0)
    make, image = WORKS[kind]
    module = make().eval()
    masks = prune_parameters(module, {}, method, 0.6, sample(image))
    assert 0.5 * budget(module, 0.6) < parameters_remaining(module, masks) <= budget(module, 0.6)
    images = sample(image).images
    with torch.no_grad():
        for name, mask in masks.items():
            module.get_parameter(name).mul_(mask)
    torch.testing.assert_close(without_removed(module, masks, image)(images), module(images))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_pruned_is_refused_by_name(kind, method):
    make, image, says = REFUSED[kind]
    if (kind, method) in PRUNED:
        module = make()
        masks = prune_parameters(module, {}, method, 0.6, sample(image))
        assert 0.8 * budget(module, 0.6) < parameters_remaining(module, masks) <= budget(module, 0.6)
        return
    with pytest.raises(InputError, match=says):
        prune_parameters(make(), {}, method, 0.6, sample(image))


def test_all_weights_have_a_mask_and_of_filters_everything():
    module = WORKS["one dimension"][0]()
    assert prune_parameters(module, {}, "sipp", 0.6, sample((3, 9))).keys() == {*prunable_weights(module)}
    assert prune_parameters(module, {}, "ft", 0.6, sample((3, 9))).keys() == dict(module.named_parameters()).keys()


def test_a_method_that_is_unknown_is_refused():
    with pytest.raises(InputError, match="unknown"):
        check_method("sip")
