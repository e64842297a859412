"""Chains of LIP: cuts to a share of all parameters, each followed by a whole training."""

import pytest
import torch

from lib.changes import Changes
from lib.errors import InputError
from lib.models import build
from lib.stages import Store, run
from lib.stages.algorithms import prune_and_retrain
from lib.stages.experiment_plan import change
from lib.stages.stage import Prune
from lib.training import DataRecipe, Recipe, Replicate
from papers.lost_in_pruning.recipes import plan

RECIPE = Recipe(
    benchmark="test",
    data=DataRecipe(image_set="generated-objects", train=32, test=20, validation=16, normalization="cifar"),
    network="cifar-resnet20",
    width=4,
    normalization_scale="one",
    epochs=1,
    batch_size=16,
    optimizer="sgd",
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-3,
)
KEEPS = (0.6, 0.3)


@pytest.fixture(scope="module", params=["magnitude", "sipp", "ft", "pfp", "snip"])
def family(request, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    chain = prune_and_retrain("x", RECIPE, Prune(score=request.param, scope="parameters", keep=0.5), KEEPS)
    return request.param, run(chain, [Replicate(seed=0), Replicate(seed=1)], store, progress=False)


def test_each_cut_leaves_its_share_of_all_parameters(family):
    method, results = family
    module = build("cifar-resnet20", width=4).module
    count = sum(p.numel() for p in module.parameters())
    for entries in results.entries:
        for keep, entry in zip(KEEPS, entries[1:], strict=True):
            lost = sum(int((~mask).sum()) for mask in entry.masks().values())
            if method in ("ft", "pfp"):
                assert 0.8 * keep * count < count - lost <= keep * count
            else:
                assert count - lost == int(keep * count)


def test_what_is_pruned_stays_zero_through_the_training_after_it(family):
    for entries in family[1].entries:
        for before, entry in zip(entries[1:], entries[2:], strict=False):
            weights, masks = entry.tensors("weights"), entry.masks()
            assert all(not weights[name][~mask].any() for name, mask in masks.items())
            assert all(not (masks[name] & ~mask).any() for name, mask in before.masks().items())


def test_a_filter_goes_with_the_normalization_after_it(family):
    method, results = family
    if method not in ("ft", "pfp"):
        pytest.skip("weights go one by one")
    weights, masks = results.entries[0][-1].tensors("weights"), results.entries[0][-1].masks()
    lost = 0
    for block in range(9):
        gone = ~masks[f"blocks.{block}.first.0.weight"].flatten(1).any(1)
        lost += int(gone.sum())
        for name in ("weight", "bias"):
            assert not weights[f"blocks.{block}.first.1.{name}"][gone].any()
    assert lost


def test_every_training_repeats_the_whole_schedule_and_begins_with_the_weights_before():
    chain = prune_and_retrain("x", RECIPE, Prune(scope="parameters", keep=0.5), KEEPS)
    assert [(s.start, s.from_epoch, s.to_epoch, s.level) for s in chain.stages] == [
        ("fresh", 0, 1, 0), ("previous", 0, 1, 1), ("previous", 0, 1, 2),
    ]  # fmt: skip
    assert [s.prune.keep for s in chain.stages[1:] if s.prune] == [*KEEPS]


def test_a_sample_needs_held_out_images(tmp_path):
    recipe = RECIPE.but(data={"validation": 0})
    chain = prune_and_retrain("x", recipe, Prune(score="sipp", scope="parameters", keep=0.5), KEEPS)
    with pytest.raises(InputError, match="validation=0 images"):
        run(chain, [Replicate(seed=0)], Store(tmp_path), progress=False)


def test_a_share_of_all_parameters_must_be_named():
    with pytest.raises(InputError, match="needs keep"):
        Prune(scope="parameters")
    with pytest.raises(InputError, match="'ft'"):
        Prune(score="ft", keep=0.5)


def test_a_plan_of_shares_takes_another_method_and_fewer_cuts():
    own = plan("cifar10-resnet20", "smoke")
    changed = change(own, Changes(score="mean_contribution", levels=1))
    assert changed.scores == ("mean_contribution",) and changed.levels == 1
    with pytest.raises(InputError, match="1 to 2, the shares"):
        change(own, Changes(levels=3))
    with pytest.raises(InputError, match="says what to keep"):
        change(own, Changes(fraction=0.5))


def test_a_method_takes_masks_of_an_earlier_cut():
    from lib.pruning import Batch
    from lib.pruning.methods import prune_parameters

    module = build("cifar-resnet20", width=4).module
    batch = Batch(torch.rand(4, 3, 32, 32), torch.zeros(4, dtype=torch.long), torch.Generator())
    first = prune_parameters(module, {}, "ft", 0.5, batch)
    second = prune_parameters(module, first, "magnitude", 0.25, batch)
    assert all((first[name] | ~mask).all() for name, mask in second.items())
