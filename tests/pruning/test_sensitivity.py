"""Sensitivities by hand on one and two filters, and against a slow second way for layers of every shape."""

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.models import build
from lib.pruning import Batch, magnitude
from lib.pruning.budget import prune_weights
from lib.pruning.sensitivity import channel_sensitivity, mean_contribution, sample_size, sensitivity, sipp


def batch(images):
    images = torch.as_tensor(images, dtype=torch.float32)
    return Batch(images, torch.zeros(len(images), dtype=torch.int64), torch.Generator())


def linear(*rows):
    layer = nn.Linear(len(rows[0]), len(rows))
    layer.weight.data = torch.tensor(rows)
    return layer


def close(found, expected):
    torch.testing.assert_close(found, torch.tensor(expected))


def test_a_sensitivity_is_the_share_of_the_filters_sum():
    layer, images = linear([1.0, 3.0], [4.0, 1.0]), batch([[1, 1]])
    close(sipp(layer, ["weight"], images)["weight"], [[1 / 4, 3 / 4], [4 / 5, 1 / 5]])
    close(channel_sensitivity(layer, ["weight"], images)["weight"], [4 / 5, 3 / 4])


def test_of_several_images_the_largest_share_counts():
    found = sipp(linear([1.0, 3.0], [4.0, 1.0]), ["weight"], batch([[1, 1], [2, 1]]))["weight"]
    close(found, [[2 / 5, 3 / 4], [8 / 9, 1 / 5]])


def test_weights_of_one_sign_share_a_sum():
    close(sipp(linear([1.0, -3.0, 3.0]), ["weight"], batch([[1, 1, 1]]))["weight"], [[1 / 4, 1.0, 3 / 4]])


def test_inputs_of_both_signs_are_two_images():
    close(sipp(linear([1.0, 1.0, 2.0]), ["weight"], batch([[1, -1, -1]]))["weight"], [[1.0, 1 / 3, 2 / 3]])


def test_sipp_averages_over_positions_and_pfp_takes_the_largest():
    layer, images = nn.Conv1d(1, 1, 2), batch([[[1, 2, 3]]])  # two positions, (1, 2) and (2, 3)
    nn.init.ones_(layer.weight)
    close(sipp(layer, ["weight"], images)["weight"], [[[11 / 30, 19 / 30]]])
    close(channel_sensitivity(layer, ["weight"], images)["weight"], [2 / 3])


def test_a_filter_whose_sum_is_zero_has_no_sensitivity():
    found = sipp(linear([0.0, 2.0], [1.0, 1.0]), ["weight"], batch([[1, 0]]))["weight"]
    close(found, [[0.0, 0.0], [1.0, 0.0]])


def test_sipp_is_magnitude_where_all_activations_are_equal():
    torch.manual_seed(0)
    weight = torch.rand(6, 10) * torch.tensor([1.0, -1.0]).repeat(5)
    weight[:, ::2] /= weight[:, ::2].sum(1, keepdim=True)  # each filter's sum of either sign is one
    weight[:, 1::2] /= -weight[:, 1::2].sum(1, keepdim=True)
    layer, images = linear(*weight.tolist()), batch(torch.full((3, 10), 0.7))
    torch.testing.assert_close(sipp(layer, ["weight"], images)["weight"], layer.weight.detach().abs())
    masks = {"weight": torch.ones(6, 10, dtype=torch.bool)}
    one, other = (prune_weights(layer, s(layer, ["weight"], images), masks, 0.5) for s in (sipp, magnitude))
    assert torch.equal(one["weight"], other["weight"])


def test_without_its_denominator_sipp_is_the_mean_contribution():
    layer, images = linear([1.0, -3.0]), batch([[1, 2], [-4, 1]])
    close(mean_contribution(layer, ["weight"], images)["weight"], [[4.0, 6.0]])


def by_one_weight_at_a_time(layer, images, positions):
    """Return sensitivities from outputs of the layer with a single weight that is one: its a_j at all positions."""
    weight, inputs = layer.weight.detach().clone(), []
    best = torch.zeros_like(weight)
    for image in images:
        for half in (image.clamp(min=0), (-image).clamp(min=0)):
            inputs = []
            for j in range(weight.numel()):
                layer.weight.data = torch.zeros_like(weight)
                layer.weight.data.view(-1)[j] = 1
                outputs = layer(half[None])[0].detach()
                outputs = outputs.movedim(-1, 0) if isinstance(layer, nn.Linear) else outputs
                inputs.append(outputs[j // weight[0].numel()].flatten())
            parts = weight.abs()[..., None] * torch.stack(inputs).view(*weight.shape, -1)
            for sign in (1, -1):
                own = parts * (weight.sign() == sign)[..., None]
                total = own.flatten(1, -2).sum(1).view(len(weight), *[1] * (weight.dim() - 1), -1)
                share = torch.where(total > 1e-7, own / total, 0.0)
                best = torch.maximum(best, share.mean(-1) if positions == "mean" else share.amax(-1))
    layer.weight.data = weight
    return best


LAYERS = {
    "linear on words": (lambda: nn.Linear(4, 3, bias=False), (3, 2, 4)),
    "in groups": (lambda: nn.Conv2d(4, 6, 3, 2, 1, groups=2, bias=False), (3, 4, 5, 5)),
    "depthwise, dilated": (lambda: nn.Conv1d(4, 4, 3, padding="same", dilation=2, groups=4, bias=False), (3, 4, 7)),
    "oblong": (lambda: nn.Conv2d(2, 3, (3, 2), (1, 2), 1, padding_mode="reflect", bias=False), (2, 2, 5, 4)),
    "three dimensions": (lambda: nn.Conv3d(2, 2, 2, bias=False), (2, 2, 3, 3, 3)),
}


@pytest.mark.parametrize("positions", ["mean", "max"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_every_shape_have_the_sensitivities_of_the_formula(name, positions):
    torch.manual_seed(0)
    make, shape = LAYERS[name]
    layer, images = make(), torch.randn(shape)
    expected = by_one_weight_at_a_time(layer, images, positions)
    found = sensitivity(nn.Sequential(layer), ["0.weight"], batch(images), positions)["0.weight"]
    torch.testing.assert_close(found, expected)
    assert 0 < found.max() <= 1 + 1e-6


class Twice(nn.Module):
    """Calls one layer two times."""

    def __init__(self):
        super().__init__()
        self.layer = linear([1.0, 3.0], [4.0, 1.0])
        nn.init.zeros_(self.layer.bias)

    def forward(self, x):
        return self.layer(self.layer(x))


def test_a_layer_that_is_called_twice_has_the_larger_sensitivity():
    module, images = Twice(), batch([[1, 1]])
    once, again = (sipp(module.layer, ["weight"], batch(x))["weight"] for x in ([[1, 1]], [[4, 5]]))
    close(sipp(module, ["layer.weight"], images)["layer.weight"], torch.maximum(once, again).tolist())


def test_the_size_of_the_sample_is_that_of_the_released_code():
    resnet, vgg = build("cifar-resnet20"), build("cifar-vgg16")
    assert sample_size(resnet.module, resnet.prunable, (3, 32, 32)) == 183
    assert sample_size(vgg.module, (*vgg.prunable, "output.weight"), (3, 32, 32)) == 188
    with pytest.raises(InputError, match="failure=1 must lie inside"):
        sample_size(resnet.module, resnet.prunable, (3, 32, 32), 1)


def test_the_module_is_left_as_it_was_and_images_come_in_any_batches(monkeypatch):
    torch.manual_seed(0)
    network = build("cifar-resnet20", width=4)
    module = network.module.train()
    module.blocks[0].eval()  # pyright: ignore
    before = {n: t.clone() for n, t in module.state_dict().items()}
    images = batch(torch.randn(5, 3, 32, 32))
    found = sipp(module, network.prunable, images)
    assert all(torch.equal(t, before[n]) for n, t in module.state_dict().items())
    assert module.training and not module.blocks[0].training and module.output.training  # pyright: ignore
    assert not any(m._forward_hooks for m in module.modules())
    monkeypatch.setattr("lib.pruning.scores.VALUES_PER_PART", 1)
    again = sipp(module, network.prunable, images)
    for name, score in found.items():
        torch.testing.assert_close(score, again[name])


def test_what_cannot_be_scored_is_refused_by_name():
    images = batch(torch.randn(2, 4))
    with pytest.raises(InputError, match="needs images"):
        sipp(nn.Linear(4, 2), ["weight"], None)
    with pytest.raises(InputError, match="unknown weight.*'1.weigt'.*'1.weight'"):
        sipp(nn.Sequential(nn.ReLU(), nn.Linear(4, 2)), ["1.weigt"], images)
    with pytest.raises(InputError, match="unknown weight.*'weight'"):
        sipp(nn.ConvTranspose1d(4, 2, 1), ["weight"], images)
    with pytest.raises(InputError, match="no weights are named"):
        sipp(nn.Linear(4, 2), [], images)
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    with pytest.raises(InputError, match="'0.weight' and '1.weight' are the same tensor"):
        sipp(tied, ["0.weight", "1.weight"], images)
    attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    with pytest.raises(InputError, match="'self_attn.out_proj.weight'.*never calls"):
        sipp(attention, ["self_attn.out_proj.weight"], batch(torch.randn(2, 3, 4)))
    folded = nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Flatten(0, 1), nn.Linear(2, 2))
    with pytest.raises(InputError, match="'2.weight' has 4 entries for 2 images"):
        sipp(folded, ["2.weight"], images)
