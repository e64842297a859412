"""A network and images of the reader's own: the book's table for them, and a sentence for what cannot be used."""

import copy

import pytest
import torch
from torch import Tensor, nn

from lib import data
from lib.analysis.levels import TEST, VALIDATION
from lib.analysis.prune_your_own import own_chains, own_network, own_plan, parameters_of, prune_your_own
from lib.analysis.table import SIZE, rows, values
from lib.charts import lines
from lib.errors import InputError
from lib.models import build
from lib.pruning import magnitude
from lib.stages.algorithms import weight_rewinding
from lib.stages.experiment_plan import plan_keys

DIGITS = data.load("generated-digits")
IMAGES, LABELS = DIGITS.train_images[:300], DIGITS.train_labels[:300]
OWN = data.own_images(IMAGES, LABELS)


class Small(nn.Module):
    """A convolution, a batch normalization and a linear layer, as a reader writes them."""

    def __init__(self, classes: int, slope: float = 0.0):
        super().__init__()
        self.first, self.norm, self.slope = nn.Conv2d(1, 4, 3, stride=4), nn.BatchNorm2d(4), slope
        self.output = nn.Linear(4 * 7 * 7, classes)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.first(images))
        return self.output(maps.relu().flatten(1) + self.slope * maps.flatten(1))


def sequential() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Dropout(0.2), nn.Linear(20, 10))


def score(module, names, batch):
    return {name: -values for name, values in magnitude(module, names).items()}


def run(network, tmp_path, **settings):
    usual = {"epochs": 2, "levels": 2, "seeds": [0, 1], "root": tmp_path, "store": str(tmp_path / "store")}
    return prune_your_own(network, IMAGES, LABELS, **{**usual, **settings})


def test_the_table_is_the_books(tmp_path):
    table = run(Small, tmp_path, noise_percents=[0, 20], scores=["magnitude", score])
    sizes = values(table, SIZE, algorithm="learning-rate rewinding", noise_percent=20.0)
    assert sizes.shape == (2, 3) and sizes.mean().round(0).tolist() == [100, 50, 25]
    found = rows([table], TEST)
    assert set(found["algorithm"]) == {"learning-rate rewinding", "learning-rate rewinding, score score"}
    assert sum(found["optimum"]) and not rows([table], VALIDATION).empty and found["scale"].unique() == ["own"]
    chart = lines(found, x=SIZE, colour="algorithm", menus=["noise_percent"], reference="dense, shared", title="Yours")
    assert "50" in str(chart.to_dict())
    again = run(
        Small(10), tmp_path, noise_percents=[0, 20], scores=["magnitude"]
    )  # built by the reader: nothing is trained
    frames = (one.where(algorithm="learning-rate rewinding").frame for one in (table, again))
    assert len({tuple(frame["stage_key"]) for frame in frames}) == 1


def test_dropout_and_settings_of_the_recipe(tmp_path):
    settings = {"optimizer": "sgd", "momentum": 0.9, "batch_size": 43, "data": {"augmentation": "flip-crop"}}
    tables = [run(sequential, tmp_path / name, unpruned=["4"], **settings, algorithm=weight_rewinding) for name in "ab"]
    first, second = (values(table, TEST, algorithm="weight rewinding") for table in tables)
    assert first.equals(second)  # repeats to the bit, though dropout draws
    plan = own_plan(sequential, IMAGES, LABELS, unpruned=["4"], batch_size=43)
    assert plan.recipe.data.train == 215  # of 216, lest the last batch has one image
    assert build(plan.recipe.network).prunable == ("1.weight",) and plan.largest_stack == 1


def keys(network, **settings) -> set[str]:
    plan = own_plan(network, IMAGES, LABELS, levels=1, **settings)
    return plan_keys(plan, own_chains(plan, ["magnitude"]))


def test_a_key_knows_what_the_network_computes():
    same = [Small, Small(10), lambda: Small(10), lambda classes: Small(classes), copy.deepcopy(Small(10))]
    assert len({frozenset(keys(network)) for network in same}) == 1
    wider = Small(10)
    wider.first.stride = (2, 2)
    wider.output = nn.Linear(4 * 13 * 13, 10)
    others = [Small(10, slope=0.1), wider, sequential, nn.Sequential(Small(10))]
    assert len({frozenset(keys(network)) for network in (Small, *others)}) == 1 + len(others)
    assert not keys(Small) & keys(Small, unpruned=["output"])


def test_what_is_not_drawn_enters_the_key():
    class Shifted(Small):
        def __init__(self):
            super().__init__(10)
            self.shift = nn.Parameter(torch.randn(1, 1, 28, 28))

        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images + self.shift)

    assert keys(Shifted) == keys(Shifted)  # a function builds it under the same seed each time
    assert not keys(Shifted()) & keys(Shifted())


def test_layers_that_are_not_drawn_are_fresh_in_every_replicate(tmp_path):
    def normalized() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LayerNorm(784), nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10))

    both, alone = (run(normalized, tmp_path / str(len(s)), seeds=s, scores=["magnitude"]) for s in ((0, 1), (1,)))
    ours, theirs = (table.frame[table.frame["seed"] == 1]["value"].tolist() for table in (both, alone))
    assert ours == theirs


def test_random_layers_of_any_kind_repeat(tmp_path):
    class Noisy(Small):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images + torch.randn_like(images) * self.training)

    tables = [run(Noisy, tmp_path / name, levels=0, seeds=[0], scores=["magnitude"]) for name in "ab"]
    first, second = (table.frame["value"].tolist() for table in tables)
    assert first == second


def test_the_generator_of_the_process_is_left_alone():
    before = torch.random.get_rng_state()
    own_network(Small, OWN, scores=["random", "gradient", "snip", "synflow"])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_pruned_and_what_is_not():
    found = parameters_of(Small, unpruned=["output"]).set_index("parameter")["pruning"].to_dict()
    assert found["first.weight"] == "pruned" and found["first.bias"] == "whole: a bias"
    assert found["norm.weight"].startswith("whole: no conv") and found["output.weight"] == "whole: named in unpruned"


class Output(nn.Module):
    """Applies a function to the output of `Small`."""

    def __init__(self, change):
        super().__init__()
        self.small, self.change = Small(10), change

    def forward(self, images):
        return self.change(self.small(images))


def tied():
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 784), nn.Linear(784, 784), nn.Linear(784, 10))
    network[2].weight = network[1].weight
    return network


def frozen():
    network = Small(10)
    network.first.weight.requires_grad = False
    return network


def unused():
    network = Small(10)
    network.spare = nn.Linear(3, 3)
    return network


def parametrized():
    return nn.Sequential(nn.Flatten(), torch.nn.utils.parametrizations.weight_norm(nn.Linear(784, 10)))


sizes = iter(range(5, 100))


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("lenet", "Did you mean 'lenet-300-100'"),
        (3, "network is a int; allowed: an nn.Module or a function"),
        (lambda: 3, "returns int, no nn.Module"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, next(sizes))), "another network each time .*'1.bias'"),
        (nn.Sequential(nn.Flatten(), nn.Linear(100, 10)), "cannot take images of 1 × 28 × 28"),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 7)), r"returns \[8, 7\]; it must return \[8, 10\], a logit for each of"),
        (Output(lambda logits: (logits, logits)), "returns tuple"),
        (nn.Sequential(nn.AvgPool2d(9), nn.Flatten(), nn.LayerNorm(9), nn.ZeroPad1d((0, 1))), "has no convolution or"),
        (Output(lambda logits: logits.softmax(1)), "ends in a softmax"),
        (Output(nn.functional.dropout), "other outputs each time"),
        (Small(10).double(), "cannot take images|is float64"),
        (frozen, "'first.weight' is frozen"),
        (unused, "'spare.weight' takes no part"),
        (tied, "'2.weight' is shared with another layer"),
        (parametrized, "'1.weight' is shared with another layer or computed"),
        (nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_network(network, says):
    if not says:
        assert own_network(network, OWN).startswith("own network")
        return
    with pytest.raises(InputError, match=says):
        own_network(network, OWN)


def test_what_else_is_wrong():
    with pytest.raises(InputError, match="Did you mean 'output'"):
        own_network(Small, OWN, unpruned=["outputs"])
    with pytest.raises(InputError, match="seeds has 0 twice"):
        own_plan(Small, IMAGES, LABELS, seeds=[0, 0])
    with pytest.raises(InputError, match="unknown score 'magnitud'"):
        own_network(Small, OWN, scores=["magnitud"])
    with pytest.raises(InputError, match="'builtins:len' cannot score this network"):
        own_network(Small, OWN, scores=["builtins:len"])
    with pytest.raises(InputError, match="epohcs.*Did you mean 'epochs'"):
        own_plan(Small, IMAGES, LABELS, epohcs=3)
    with pytest.raises(InputError, match="at least one value"):
        own_plan(Small, IMAGES, LABELS, seeds=[])
