"""How far a network may be pruned: one made by hand, strange ones, and what is refused."""

import pytest
import torch
from torch import nn

from lib.analysis.distributions import REMOVED
from lib.analysis.how_far import CLEAN, how_far
from lib.errors import InputError

COUNT = 40


def striped(pixel, count=COUNT):
    """Grey images, half of them with one bright pixel; the label says which."""
    images = torch.zeros(count, 4, 4, 1, dtype=torch.uint8)
    images[::2, pixel // 4, pixel % 4] = 200
    return images, torch.tensor([0, 1] * (count // 2))


def by_pixels():
    """Answers by the first pixel, with a large weight, or where that is dark by the second, with a small one."""
    layer = nn.Linear(16, 2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([-0.01, 0.0]))
        layer.weight[0, :2] = torch.tensor([5.0, 0.5])
        layer.weight[1, 2:] = 0.001
    return nn.Sequential(nn.Flatten(), layer)


def measured(**settings):
    given = {"methods": ["magnitude"], "keeps": (0.8, 0.5, 0.1), "epsilons": (), "normalization": "mean 0.0001 std 1"}
    return how_far(by_pixels(), *striped(0), **{**given, **settings})


def test_a_shift_may_need_weights_that_clean_images_do_not():
    found = measured(shifts={"second pixel": striped(1)})
    potential = found.potential().set_index("set")["value"].to_dict()
    assert potential == pytest.approx({CLEAN: 100 * 31 / 34, "second pixel": 100 * 17 / 34})
    assert found.images == 32, "a fifth is the sample"
    said = found.sentence()
    assert (
        "91 % of the parameters (all that was tried)" in said
        and "stop at 50 %" in said
        and "Nothing was trained" in said
    )


def test_the_sentence_says_what_was_not_measured():
    said = measured().sentence()
    assert "nothing is known beyond images like these" in said and "32 images" in said
    never = measured(shifts={"second pixel": striped(1)}, keeps=(0.1,)).sentence()
    assert "second pixel" in never and "do not prune" in never
    same = measured(shifts={"more": striped(0)}).sentence()
    assert "No shift that was measured asks for less" in same


def test_a_larger_margin_allows_more():
    found = measured(shifts={"second pixel": striped(1)})
    assert found.potential(100)["value"].tolist() == pytest.approx([100 * 31 / 34] * 2)
    rows = found.rows()
    assert [value for name, value in zip(rows["set"], rows["value"], strict=True) if name == CLEAN] == [0] * 4
    assert len(rows) == 8
    assert max(rows[REMOVED].tolist()) == pytest.approx(100 * 31 / 34, abs=1e-3)


def test_retraining_leaves_pruned_weights_at_zero():
    seen = []

    def retrain(module):
        optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
        before = [parameter.detach().clone() for parameter in module.parameters()]
        for _ in range(2):
            optimizer.zero_grad()
            module.train()(torch.ones(3, 1, 4, 4)).square().sum().backward()
            optimizer.step()
        weight, own = before[0], module[1].weight.detach()
        seen.append((int((weight == 0).sum()), bool((own[weight == 0] == 0).all()), bool((own != weight).any())))

    found = measured(retrain=retrain, keeps=(0.5, 0.1))
    assert [zero for zero, _, _ in seen] == [17, 31] and all(kept and moved for _, kept, moved in seen)
    assert found.retrained and "Nothing was trained" not in found.sentence()


def test_the_network_stays_as_it_was():
    module = by_pixels().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    how_far(module, *striped(0), methods=["magnitude"], keeps=(0.1,), epsilons=())
    assert module.training and all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


class OneDimensional(nn.Module):
    """Reads images as rows, with grouped convolutions."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv1d(3, 6, 3, padding=1), nn.Conv1d(6, 6, 3, groups=3)
        self.last = nn.Linear(6, 4)

    def forward(self, images):
        maps = self.second(self.first(images.flatten(2)).relu()).relu()
        return self.last(maps.mean(-1))


@pytest.mark.parametrize("method", ["magnitude", "sipp", "ft", "pfp"])
def test_strange_networks_are_pruned_and_corrupted_images_measured(method):
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (20, 16, 16, 3), generator=draw).to(torch.uint8)
    labels = torch.arange(20) % 4
    found = how_far(
        OneDimensional(), images, labels, methods=[method], keeps=(0.8, 0.6), corruptions=("fog",), epsilons=(0.1,)
    )
    own = found.curves[method]
    assert own.sets == (CLEAN, "fog", "noise 0.1") and own.errors.shape == (3, 1, 3)
    assert (own.removed[0, 1:] >= [20, 40]).all() and own.removed[0, 0] == 0


def test_inputs_that_are_no_pixels_get_noise_alone():
    inputs = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    found = how_far(nn.Linear(5, 3), inputs, torch.arange(30) % 3, methods=["magnitude"], keeps=(0.5,), epsilons=(0.1,))
    assert found.curves["magnitude"].sets == (CLEAN, "noise 0.1")


class Tied(nn.Module):
    """Two layers with the same weights."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 16)
        self.second.weight = self.first.weight

    def forward(self, images):
        return self.second(self.first(images.flatten(1)))


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (Tied(), "first.weight"),
        (nn.Sequential(nn.Flatten()), "Sequential"),
        (nn.Sequential(nn.ConvTranspose2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2)), "0.weight"),
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), "cannot take inputs"),
        (nn.Sequential(nn.Flatten(), nn.Linear(16, 1)), "2 or more"),
        (nn.Conv2d(1, 2, 3), "returns"),
    ],
)
def test_what_cannot_be_pruned_is_refused_by_name(module, named):
    with pytest.raises(InputError, match=named):
        how_far(module, *striped(0), methods=["magnitude"], keeps=(0.5,))


def test_wrong_settings_are_refused():
    images, labels = striped(0)
    for keeps in ((0.5, 0.6), (0.0,), (1.0,), ()):
        with pytest.raises(InputError, match="falling"):
            how_far(by_pixels(), images, labels, keeps=keeps)
    with pytest.raises(InputError, match="magnitudes"):
        how_far(by_pixels(), images, labels, methods=["magnitudes"])
    with pytest.raises(InputError, match="class numbers"):
        how_far(by_pixels(), images, labels[:3])
    with pytest.raises(InputError, match="night"):
        how_far(by_pixels(), images, labels, shifts={"night": (images, labels.float())})
