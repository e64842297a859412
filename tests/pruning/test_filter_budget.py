"""Filters and channels within a budget, in exact counts, and networks with their filters really removed."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from lib.errors import InputError
from lib.models import prunable_weights
from lib.models.resnet import ResNet
from lib.pruning import Batch
from lib.pruning.budget import budget, parameter_count, parameters_remaining
from lib.pruning.draws import expected_channels
from lib.pruning.filter_budget import filter_norms, ft, pfp
from lib.pruning.paths import with_paths
from lib.pruning.removal import without_removed
from lib.pruning.sensitivity import channel_sensitivity


def batch(images):
    return Batch(images, torch.zeros(len(images), dtype=torch.int64), torch.Generator())


def masked(module, masks):
    with torch.no_grad():
        for name, mask in masks.items():
            module.get_parameter(name).mul_(mask)
    return module


def small_resnet():
    torch.manual_seed(0)
    module = ResNet(depth=8, width=4)
    return module, prunable_weights(module), batch(torch.randn(4, 3, 16, 16))


def filters(method, module, names, masks, keep, images):
    return (
        ft(module, names, masks, keep, images.shape[1:]) if method == "ft" else pfp(module, names, masks, keep, images)
    )


def test_a_share_of_filters_is_kept_in_every_layer_but_the_last():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        for layer, norms in ((0, [4.0, 1.0, 3.0, 2.0]), (2, [1.0, 2.0, 3.0, 4.0])):
            weight = module.get_parameter(f"{layer}.weight")
            weight.copy_(torch.tensor(norms)[:, None].expand_as(weight))
    names = prunable_weights(module)
    assert filter_norms(module, names)["0.weight"].tolist() == [12.0, 3.0, 9.0, 6.0]
    # With h filters of four, 4 h + (h + 1) h + 2 (h + 1) of 46 parameters remain: 8, 20, 32 ...
    sizes = {h: 4 * h + (h + 1) * h + 2 * (h + 1) for h in (1, 2, 3, 4)}
    assert sizes[4] == 46
    for h in (1, 2, 3):
        for allowed in (sizes[h], sizes[h + 1] - 1):
            found = ft(module, names, {}, (allowed + 0.5) / 46, (3,))
            assert parameters_remaining(module, found.masks) == sizes[h]
            assert found.filters["0.weight"].sum() == found.channels["2.weight"].sum() == h
            assert round(4 * found.setting) == h or h == 1
    assert ft(module, names, {}, 0.45, (3,)).filters["0.weight"].tolist() == [True, False, True, False]
    assert ft(module, names, {}, 0.45, (3,)).filters["2.weight"].tolist() == [False, False, True, True]
    assert ft(module, names, {}, 0.45, (3,)).filters["4.weight"].all()
    with pytest.raises(InputError, match="at least 10 remain"):
        ft(module, names, {}, 0.1, (3,))


def chain(kind):
    """A network whose layers read each other in turn, with and without normalization, on maps and on sequences."""
    torch.manual_seed(0)
    if kind == "sequences":
        layers = [nn.Conv1d(3, 12, 3), nn.ReLU(), nn.Conv1d(12, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 4)), torch.randn(6, 3, 9)
    layers = [nn.Conv2d(3, 12, 3, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 16, 3), nn.BatchNorm2d(16)]
    module = nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
    for layer in module:
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                nn.init.uniform_(tensor)  # pyright: ignore
    return module, torch.randn(6, 3, 9, 9)


@pytest.mark.parametrize("keep", [0.7, 0.3, 0.1])
@pytest.mark.parametrize("kind", ["maps", "sequences"])
@pytest.mark.parametrize("method", ["ft", "pfp"])
def test_a_network_without_its_filters_has_the_counted_size_and_the_same_outputs(method, kind, keep):
    module, images = chain(kind)
    found = filters(method, module, prunable_weights(module), {}, keep, batch(images))
    small = without_removed(module, found.masks, images.shape[1:])
    assert parameter_count(small) == parameters_remaining(module, found.masks) <= budget(module, keep)
    assert found.channels["0.weight"].all() and found.filters[[*found.filters][-1]].all()
    torch.testing.assert_close(small(images), masked(module, found.masks).eval()(images))


@pytest.mark.parametrize("method", ["ft", "pfp"])
def test_filters_are_nested_in_the_keep_ratio_and_stay_pruned(method):
    module, names, images = small_resnet()
    before, size, current, cascade = None, parameter_count(module) + 1, {}, deepcopy(module)
    for keep in (0.6, 0.2):
        found = filters(method, module, names, {}, keep, images)
        now = parameters_remaining(module, found.masks)
        assert now <= budget(module, keep) and now < size
        if before:
            assert all((mask <= before[name]).all() for name, mask in found.masks.items())
        before, size = found.masks, now
        again = filters(method, masked(cascade, current), names, current, keep, images).masks  # one after the other
        assert all((again[name] <= mask).all() for name, mask in current.items())
        current = again
    whole = filters(method, cascade, names, current, 0.9, images).masks
    assert all(torch.equal(mask, current[name]) for name, mask in whole.items())


@pytest.mark.parametrize("method", ["ft", "pfp"])
def test_blocks_with_shortcuts_compute_the_same_without_what_has_no_path(method):
    module, names, images = small_resnet()
    found, images = filters(method, module, names, {}, 0.3, images), images.images
    masked(module.eval(), found.masks)
    before = module(images)
    with torch.no_grad():
        for name in names:
            apart = ~found.filters[name][:, None] & ~found.channels[name]  # in no path, whatever the values there are
            module.get_parameter(name)[apart] = 7.0
    again = with_paths(module, found.masks, (3, 16, 16))
    assert all(torch.equal(mask, found.masks[name]) for name, mask in again.items())
    masked(module, found.masks)
    assert torch.equal(module(images), before)


@pytest.mark.parametrize("method", ["ft", "pfp"])
def test_filters_of_depthwise_convolutions_go_with_what_they_read(method):
    torch.manual_seed(0)
    depthwise = nn.Conv2d(8, 8, 3, groups=8)
    module = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), depthwise, nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    found = filters(method, module, prunable_weights(module), {}, 0.6, batch(torch.randn(5, 3, 3, 3)))
    rows, channels, readers = found.filters["2.weight"], found.channels["2.weight"], found.channels["5.weight"]
    assert torch.equal(rows, channels) and (rows <= found.filters["0.weight"]).all() and (rows <= readers).all()
    assert parameters_remaining(module, found.masks) <= budget(module, 0.6) and not rows.all()


def test_first_and_last_are_those_of_the_network_whichever_layers_are_named():
    module, images = chain("sequences")
    assert not ft(module, ("0.weight", "2.weight"), {}, 0.4, (3, 9)).filters["2.weight"].all()
    assert not pfp(module, ("2.weight", "6.weight"), {}, 0.4, batch(images)).channels["2.weight"].all()
    with pytest.raises(InputError, match="at least 780 remain"):  # all of them
        ft(module, ("6.weight",), {}, 0.4, (3, 9))


class Strange(nn.Module):
    """A sequence, in groups, through one layer twice, with a normalization over channels and a concatenation."""

    def __init__(self):
        super().__init__()
        self.embed, self.grouped = nn.Conv1d(3, 8, 3), nn.Conv1d(8, 12, 3, groups=4)
        self.shared, self.normalization = nn.Conv1d(12, 12, 1), nn.GroupNorm(3, 12)
        self.dropout, self.output = nn.Dropout(), nn.Linear(24, 4)

    def forward(self, x):
        inner = self.grouped(self.embed(x).relu()).relu()
        twice = self.shared(self.normalization(self.shared(inner)).relu()).tanh()
        return {"classes": self.output(self.dropout(torch.cat([inner, twice], 1).mean(2)))}


@pytest.mark.parametrize("method", ["ft", "pfp"])
def test_any_module_is_pruned_and_left_as_it_was(method):
    torch.manual_seed(0)
    module, names = Strange().train(), ("embed.weight", "grouped.weight", "shared.weight", "output.weight")
    assert prunable_weights(module) == names
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    found = filters(method, module, names, {}, 0.5, batch(torch.randn(2, 3, 9)))
    assert 0.8 * budget(module, 0.5) < parameters_remaining(module, found.masks) <= budget(module, 0.5)
    assert module.training and all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())


def test_pfp_keeps_the_most_sensitive_channels_of_the_error_it_reports():
    module, images = chain("sequences")
    names = prunable_weights(module)
    found, scores = pfp(module, names, {}, 0.4, batch(images)), channel_sensitivity(module, names, batch(images))
    for name, (positions, kernel) in {"2.weight": (5, 3), "6.weight": (1, 1)}.items():
        count = expected_channels(scores[name], positions, kernel, found.setting)
        best = torch.zeros_like(found.channels[name])
        best[scores[name].topk(count).indices] = True
        assert torch.equal(found.channels[name], best) and 0 < count < len(best)


def test_what_cannot_be_reached_or_scored_is_refused():
    module, names, images = small_resnet()
    for keep in (0, 1, -0.5):
        with pytest.raises(InputError, match="must lie inside \\(0, 1\\)"):
            filters("ft", module, names, {}, keep, images)
    with pytest.raises(InputError, match="keep=0.001 allows 5 of 5,214 parameters; at least"):
        filters("ft", module, names, {}, 0.001, images)
    with pytest.raises(InputError, match="unknown weight"):
        filters("ft", module, ["blocks"], {}, 0.5, images)
    with pytest.raises(InputError, match="needs images"):
        pfp(module, names, {}, 0.5, None)
    module.get_parameter("blocks.2.first.0.weight").data[0] = torch.nan
    for method in ("ft", "pfp"):
        with pytest.raises(InputError, match="contain NaN"):
            filters(method, module, names, {}, 0.5, images)
