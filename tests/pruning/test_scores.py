"""Scores against closed forms and finite differences, on the book's networks and on any other module."""

import pytest
import torch
from torch import nn
from torchvision.models import shufflenet_v2_x0_5

from lib.errors import InputError
from lib.models import build, prunable_weights
from lib.pruning import Batch, find_score, gradient, random, select, snip, synflow, weights_remaining

SCORES = ("gradient", "magnitude", "random", "snip", "synflow")


class Transformer(nn.Module):
    """Patches of an image as words, one encoder layer, and a linear layer on their mean."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(48, 16)
        self.encode = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.output = nn.Linear(16, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        patches = images.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(1, 2).flatten(2)
        return self.output(self.encode(self.embed(patches)).mean(1))


MODULES = {
    "lenet-300-100": lambda: build("lenet-300-100").module,
    "cifar-resnet20": lambda: build("cifar-resnet20", width=4).module,
    "cifar-vgg16": lambda: build("cifar-vgg16", width=4).module,
    "torchvision shufflenet": lambda: shufflenet_v2_x0_5(num_classes=10),
    "transformer": Transformer,
}


def batch_for(name: str, seed: int = 0, dtype=torch.float32) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 28, 28) if name == "lenet-300-100" else (3, 32, 32)
    images = torch.rand(20, *shape, generator=generator, dtype=dtype)
    return Batch(images, torch.arange(20) % 10, generator)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("name", MODULES)
def test_any_module_is_scored_and_left_as_it_was(name, score):
    torch.manual_seed(0)
    module = MODULES[name]().train()
    before = {n: t.clone() for n, t in module.state_dict().items()}
    names = prunable_weights(module)
    scores = find_score(score)(module, names, batch_for(name))
    masks = {n: torch.ones_like(module.get_parameter(n), dtype=torch.bool) for n in names}
    for level in range(1, 4):  # exact counts, and masks that only lose
        new = select(scores, masks, 0.5)
        assert all((new[n] <= masks[n]).all() for n in names)
        masks = new
        assert weights_remaining(masks) == pytest.approx(0.5**level, rel=1e-3)
    assert module.training and all(torch.equal(t, before[n]) for n, t in module.state_dict().items())
    assert all(module.get_parameter(n).grad is None for n in names)
    assert all(s.shape == module.get_parameter(n).shape and (s >= 0).all() for n, s in scores.items())
    again = find_score(score)(module, names, batch_for(name))
    assert all(torch.equal(s, again[n]) for n, s in scores.items())


def test_synflow_is_conserved_from_layer_to_layer():
    """Without biases R is linear in each layer, so that each layer's scores add up to R (Tanaka et al. 2020)."""
    torch.manual_seed(0)
    convolution, hidden = nn.Conv2d(3, 8, 3, bias=False), nn.Linear(288, 20, bias=False)
    output = nn.Linear(20, 5, bias=False)
    module = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), hidden, nn.ReLU(), output)
    names = prunable_weights(module)
    batch = Batch(torch.rand(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64), torch.Generator())
    totals = [s.sum().item() for s in synflow(module, names, batch).values()]
    with torch.no_grad():
        for weight in module.double().parameters():
            weight.abs_()
    expected = module(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().item()
    assert totals == pytest.approx([expected] * 3, rel=1e-12)


def test_synflow_does_not_overflow_in_deep_networks():
    module = build("cifar-vgg16", 10, 16).module
    with torch.no_grad():
        for n, p in module.named_parameters():
            if n.endswith("0.weight"):
                p.mul_(50)
    scores = synflow(module, prunable_weights(module), batch_for("cifar-vgg16"))
    assert all(torch.isfinite(s).all() and s.max() > 0 for s in scores.values())


def test_snip_is_the_effect_of_scaling_a_weight():
    """∂L/∂c at c = 1 for the weight c w, by central differences in float64."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    batch = Batch(torch.rand(9, 3, 2, 2, dtype=torch.float64), torch.arange(9) % 3, torch.Generator())
    scores = snip(module, prunable_weights(module), batch)
    for name, score in scores.items():
        weight = module.get_parameter(name)
        for index in ((0, 0), (1, 2), (2, 5)):
            original, losses = weight.detach()[index].item(), []
            for factor in (1 + 1e-5, 1 - 1e-5):
                with torch.no_grad():
                    weight[index] = original * factor
                    losses.append(nn.functional.cross_entropy(module(batch.images), batch.labels).item())
                    weight[index] = original
            assert score[index].item() == pytest.approx(abs(losses[0] - losses[1]) / 2e-5, rel=1e-5)


def test_the_gradient_score_normalizes_by_the_batch():
    """With running statistics set to those of the batch, eval mode is train mode, and so is SNIP the gradient score."""
    torch.manual_seed(0)
    convolution, normalization = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    module = nn.Sequential(convolution, normalization, nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))
    batch = Batch(torch.rand(9, 3, 5, 5), torch.arange(9) % 3, torch.Generator())
    names = prunable_weights(module)
    scores, (mean, variance) = gradient(module, names, batch), [*normalization.buffers()][:2]
    assert torch.equal(mean, torch.zeros(4))
    assert not torch.allclose(scores["0.weight"], snip(module, names, batch)["0.weight"], rtol=0.1)
    with torch.no_grad():  # what train mode normalizes with, biased variance included
        maps = convolution(batch.images)
        mean.copy_(maps.mean((0, 2, 3)))
        variance.copy_(maps.var((0, 2, 3), unbiased=False))
    # The mean and variance of a batch depend on the first weights too, so only the last layer's gradient is the same.
    torch.testing.assert_close(scores["4.weight"], snip(module, names, batch)["4.weight"])


def test_pruned_weights_score_zero():
    module = build("lenet-300-100").module
    weight = module.get_parameter("hidden.0.weight")
    with torch.no_grad():
        weight[:, ::2] = 0
    for score in (snip, synflow):
        scores = score(module, ("hidden.0.weight",), batch_for("lenet-300-100"))
        assert not scores["hidden.0.weight"][:, ::2].any()


def test_random_scores_are_uniform_over_all_layers_and_follow_the_generator():
    module = build("lenet-300-100").module
    names = prunable_weights(module, ("output",))
    one, same, other = (random(module, names, batch_for("lenet-300-100", seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[n], same[n]) and not torch.equal(one[n], other[n]) for n in names)
    masks = select(one, {n: torch.ones_like(s, dtype=torch.bool) for n, s in one.items()}, 0.8)
    for mask in masks.values():  # each layer keeps its share, up to chance
        assert mask.float().mean().item() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("score", ["random", "snip", "synflow"])
def test_a_score_that_needs_data_says_so(score):
    with pytest.raises(InputError, match=f"{score!r} needs a batch"):
        find_score(score)(nn.Linear(2, 2), ("weight",), None)
