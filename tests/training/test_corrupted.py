"""Robust training: corrupted versions of the training images, drawn for each image in every epoch (LIP section 6)."""

import pytest
import torch

from lib import data
from lib.errors import InputError
from lib.stages import Store, checkpoint, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.stage import Prune
from lib.training import Part, Progress, Recipe, Replicate, train
from lib.training.recipe import DataRecipe
from lib.training.sources import Resident, corruption_draws, make_source
from tests.training.stacks import CPU, start

REPLICATES = [Replicate(seed=0), Replicate(seed=1)]
NAMES = ("impulse_noise", "contrast", "gaussian_blur")


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch) -> None:
    """Where corrupted images are kept."""
    monkeypatch.setenv("PRUNING_BOOK_DATA", str(tmp_path / "data"))


@pytest.fixture
def robust_recipe(objects_recipe) -> Recipe:
    return objects_recipe.but(data={"corruptions": NAMES})


def shares(recipe: DataRecipe) -> list[float]:
    drawn = corruption_draws(REPLICATES, 0, 0, 100_000, recipe)
    assert drawn.shape == (2, 100_000) and not torch.equal(drawn[0], drawn[1])
    return (drawn.flatten().bincount() / drawn.numel()).tolist()


def test_with_one_severity_no_corruption_is_as_likely_as_each(robust_recipe):
    assert shares(robust_recipe.data) == pytest.approx([1 / 4] * 4, abs=0.005)


def test_with_several_severities_each_is_as_likely_and_0_is_clean(robust_recipe):
    """Severities 3 and 1 are told apart by place: the lower one's corruptions come first."""
    found = shares(robust_recipe.data.but(severities=(0, 3, 1), corruptions=NAMES[:2]))
    assert found == pytest.approx([1 / 3, *[1 / 6] * 4], abs=0.005)
    assert shares(robust_recipe.data.but(severities=(1, 3)))[0] == 0


def test_an_image_enters_a_step_as_its_corruption_leaves_it(robust_recipe):
    recipe = robust_recipe.but(data={"augmentation": "none", "severities": (0, 4, 2)})
    _, _, examples = start(recipe, REPLICATES)
    source = make_source(examples, REPLICATES, recipe, 0)
    chosen = torch.tensor([[5, 6, 7], [7, 8, 8]])
    versions = torch.tensor([[0, 1, 3], [4, 6, 0]])
    inputs, labels = source.gather(chosen, versions)
    images, constants = examples.train_images, data.normalization("imagenet")
    assert isinstance(images, torch.Tensor)
    seen = [
        images[5:6],
        data.corrupt(images, "impulse_noise", 2, 1)[6:7],
        data.corrupt(images, "gaussian_blur", 2, 1)[7:8],
        data.corrupt(images, "impulse_noise", 4, 1)[7:8],
        data.corrupt(images, "gaussian_blur", 4, 1)[8:9],
        images[8:9],
    ]
    assert torch.equal(inputs.flatten(0, 1), data.normalize(torch.cat(seen), constants))
    assert torch.equal(labels, examples.train_labels.gather(1, chosen))


def test_clean_versions_give_the_inputs_of_plain_training(objects_recipe, robust_recipe):
    """Flipped and shifted alike; also where only some pixels are read."""
    _, _, examples = start(objects_recipe, REPLICATES)
    order = torch.stack([torch.randperm(96, generator=torch.Generator().manual_seed(s)) for s in (0, 1)])
    for pixels in (None, torch.arange(0, 3072, 7)):
        plain = make_source(examples, REPLICATES, objects_recipe, 0, pixels=pixels)
        robust = make_source(examples, REPLICATES, robust_recipe, 0, pixels=pixels)
        assert isinstance(plain, Resident) and isinstance(robust, Resident)
        for (one, moved), (other, versions, moved_too) in zip(
            plain.batches(order, 3), robust.batches(order, 3), strict=True
        ):
            assert torch.equal(one, other) and torch.equal(moved, moved_too) and versions.any()
            inputs, _ = robust.gather(one, torch.zeros_like(versions), moved)
            assert torch.equal(inputs, plain.gather(one, moved)[0])


def test_a_replicate_draws_the_same_alone_and_in_a_stack_and_anew_in_every_epoch(robust_recipe):
    both = corruption_draws(REPLICATES, 2, 1, 500, robust_recipe.data)
    assert torch.equal(both[1:], corruption_draws(REPLICATES[1:], 2, 1, 500, robust_recipe.data))
    for stage, epoch in ((2, 2), (1, 1)):
        assert not torch.equal(both, corruption_draws(REPLICATES, stage, epoch, 500, robust_recipe.data))


def test_robust_training_stacked_is_each_replicates_own(robust_recipe):
    recipe = robust_recipe.but(batch_size=8, data={"train": 16})

    def trained(rows: list[int]) -> Progress:
        those = [REPLICATES[row] for row in rows]
        network, stack, examples = start(recipe, those)
        stack = {n: t.double() if t.is_floating_point() else t for n, t in stack.items()}
        return train(network.module, Progress(0, stack), examples, those, recipe, Part(1))

    both, second = trained([0, 1]), trained([1])
    assert [e[1] for e in both.epoch_losses] == pytest.approx([e[0] for e in second.epoch_losses], rel=1e-9)


class Killed(Exception):
    pass


def test_a_killed_robust_stage_goes_on_to_the_bit(robust_recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    chain = learning_rate_rewinding(robust_recipe.but(rewind_epoch=0), 1, Prune(fraction=0.5))
    whole = run(chain, REPLICATES[:1], Store(tmp_path / "whole"), "cpu", progress=False)
    real, deaths = checkpoint.Checkpoint.save, [1]

    def then_die(self, progress):
        real(self, progress)
        if deaths:
            deaths.pop()
            raise Killed

    monkeypatch.setattr(checkpoint.Checkpoint, "save", then_die)
    with pytest.raises(Killed):
        run(chain, REPLICATES[:1], Store(tmp_path / "killed"), "cpu", progress=False)
    resumed = run(chain, REPLICATES[:1], Store(tmp_path / "killed"), "cpu", progress=False)
    one, other = (results.entries[0][-1].tensors("weights") for results in (whole, resumed))
    assert all(torch.equal(t, other[n]) for n, t in one.items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"corruptions": ("fogg",)}, "unknown corruption 'fogg'. Did you mean 'fog'"),
        ({"severities": (6,)}, r"severities are \(6,\); allowed: different ones of 0 to 5, not 0 alone"),
        ({"severities": (0,)}, "not 0 alone"),
        ({"severities": (3, 3)}, "different ones"),
    ],
)
def test_bad_corruptions_are_refused(robust_recipe, change, says):
    with pytest.raises(InputError, match=says):
        robust_recipe.but(data=change)


def test_images_in_files_are_not_corrupted(robust_recipe):
    from lib.training import prepare

    streamed = robust_recipe.data.but(image_set="generated-folders", augmentation="resized-crop")
    with pytest.raises(InputError, match="generated-folders stays in files; corruptions in training need images on"):
        prepare(streamed, REPLICATES[:1], CPU)
