"""One stage: checkpoints fit their rows, failures leave the network on the CPU, hooks survive kills, images wait."""

import pytest
import torch

from lib import data
from lib.models import build
from lib.pruning import find_score
from lib.stages import Prune, Store, checkpoint, run, stage_keys, starting_point, train_stage
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.checkpoint import Checkpoint
from lib.training import DataRecipe, Replicate, prepare
from lib.training.loop import train

PRUNE = Prune(fraction=0.5)
CPU = torch.device("cpu")


class Killed(Exception):
    pass


@pytest.fixture
def killed_after(monkeypatch):
    """Return a function: from now on, the process dies after so many checkpoints, one an epoch."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    real = Checkpoint.save

    def arrange(count: int | None) -> None:
        saved = []

        def then_die(self, progress):
            real(self, progress)
            saved.append(progress.epoch)
            if len(saved) == count:
                raise Killed

        monkeypatch.setattr(Checkpoint, "save", then_die)

    return arrange


def weights(results):
    return {entry.key: entry.tensors("weights") for row in results.entries for entry in row}


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(t, other[key][n]) for key, tensors in one.items() for n, t in tensors.items()
    )


def test_a_checkpoint_fits_whatever_order_replicates_are_named_in(recipe, replicates, store, killed_after):
    chain = learning_rate_rewinding(recipe.but(epochs=4), 1, PRUNE)
    whole = run(chain, replicates, Store(store.folder.parent / "whole"), "cpu", progress=False)
    killed_after(6)  # four in the dense level, two in the pruned one
    with pytest.raises(Killed):
        run(chain, replicates, store, "cpu", progress=False)
    killed_after(None)
    resumed = run(chain, replicates[::-1], store, "cpu", progress=False)
    assert same(weights(whole), weights(resumed))


def test_what_was_scored_is_not_scored_again(recipe, replicates, store, killed_after, monkeypatch):
    """Sums of another number of threads could leave another weight, which what is resumed does not know."""
    chain = learning_rate_rewinding(recipe.but(epochs=4), 1, PRUNE)
    whole = run(chain, replicates, Store(store.folder.parent / "whole"), "cpu", progress=False)
    killed_after(6)
    with pytest.raises(Killed):
        run(chain, replicates, store, "cpu", progress=False)
    killed_after(None)

    def other_masks(network, prune, masks, examples, generator):
        return {name: torch.zeros_like(mask) for name, mask in masks.items()}

    monkeypatch.setattr(starting_point, "_pruned", other_masks)
    assert same(weights(whole), weights(run(chain, replicates, store, "cpu", progress=False)))


def test_a_checkpoint_without_names_is_not_resumed(recipe, replicates, store, killed_after):
    """One of an earlier version, whose rows could be anyone's."""
    chain = learning_rate_rewinding(recipe, 0, PRUNE)
    whole = run(chain, replicates, Store(store.folder.parent / "whole"), "cpu", progress=False)
    keys = [stage_keys(chain, r, "float32")[0] for r in replicates]
    torch.save({"epoch": 1, "stack": {}, "seconds": 1.0}, Checkpoint(store, keys).path)
    assert same(weights(whole), weights(run(chain, replicates, store, "cpu", progress=False)))


def test_a_stack_that_fails_on_a_device_leaves_the_network_on_the_cpu(recipe, replicates, store, monkeypatch):
    """As on a GPU whose memory is full: what draws on the CPU next would fail on a module that stayed there."""
    place = ["cpu"]
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_: place.append("cuda") or self)
    monkeypatch.setattr(torch.nn.Module, "cpu", lambda self: place.append("cpu") or self)

    def refuse_large(module, progress, examples, chosen, *rest):
        if len(chosen) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried")
        return train(module, progress, examples, chosen, *rest)

    def draw(*given):
        assert place[-1] == "cpu", "Expected a 'cuda' device type for generator but found 'cpu'"
        return real(*given)

    real = starting_point.initialize
    monkeypatch.setattr(starting_point, "initialize", draw)
    monkeypatch.setattr(train_stage, "train", refuse_large)
    with pytest.warns(UserWarning, match="stack of 4 replicates does not fit"):
        results = run(learning_rate_rewinding(recipe, 0, PRUNE), replicates, store, "cpu", progress=False)
    assert [len(row) for row in results.entries] == [2] * 4


@pytest.mark.parametrize("score", ["magnitude", "random", "synflow", "snip", "gradient"])
def test_images_are_read_for_scores_that_look_at_them(score, monkeypatch):
    """And SNIP reads some at a time, with the result of all at once."""
    recipe = DataRecipe(image_set="generated-folders", validation=12, train=40, test=12, normalization="imagenet")
    examples = prepare(recipe, [Replicate(seed=0)], CPU)
    read = []
    real = data.FolderImages.__getitem__
    monkeypatch.setattr(data.FolderImages, "__getitem__", lambda self, at: read.append(at) or real(self, at))
    monkeypatch.setattr("lib.pruning.scores.VALUES_PER_PART", 5 * 3 * 224 * 224)
    network = build("imagenet-resnet50", examples.classes, 2)
    batch = starting_point.scoring_batch(examples, 12, torch.Generator().manual_seed(3))
    found = find_score(score)(network.module, network.prunable, batch)
    expected = {"snip": [5, 5, 2], "gradient": [12]}.get(score, [])
    assert [len(at) for at in read] == expected
    chosen = torch.randperm(40, generator=torch.Generator().manual_seed(3))[:12]
    assert torch.equal(torch.cat(read) if read else chosen, chosen)
    if score == "snip":
        monkeypatch.setattr("lib.pruning.scores.VALUES_PER_PART", 2**30)
        whole = find_score(score)(network.module, network.prunable, batch)
        assert all(torch.allclose(found[n], t, rtol=1e-3, atol=1e-6) for n, t in whole.items())


def test_a_network_that_drops_pixels_is_augmented_all_the_same(recipe, store):
    """An image is shifted as a whole, then the pixels that are still read are taken."""
    moved = recipe.but(data=recipe.data.but(augmentation="flip-crop"))
    chain = learning_rate_rewinding(moved, 1, Prune(fraction=0.98))
    with_units = run(chain, [Replicate(seed=0)], store, "cpu", progress=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(train_stage, "find_connected_units", lambda *_: train_stage.ConnectedUnits())
        other = Store(store.folder.parent / "other")
        without = run(chain, [Replicate(seed=0)], other, "cpu", progress=False)
    one, two = (results.entries[0][-1].record["train_losses"] for results in (with_units, without))
    assert one == pytest.approx(two, rel=1e-4)
