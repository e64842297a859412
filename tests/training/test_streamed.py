"""A stage on images in files trains, is evaluated and kept, and repeats itself to the bit for any number of workers."""

import pytest
import torch

from lib.data import folder_images
from lib.errors import InputError
from lib.models import build
from lib.stages import Prune, Store, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import (
    DataRecipe,
    Part,
    Progress,
    Recipe,
    Replicate,
    evaluate,
    fresh_stack,
    prepare,
    stack_limit,
    train,
)

CPU = torch.device("cpu")
REPLICATES = [Replicate(seed=0, noise_percent=25.0), Replicate(seed=1)]


@pytest.fixture
def folders_recipe() -> Recipe:
    """A narrow ResNet-50 on 40 generated images in files, two epochs."""
    return Recipe(
        benchmark="folders",
        data=DataRecipe(
            image_set="generated-folders",
            validation=12,
            train=40,
            test=12,
            normalization="imagenet",
            augmentation="resized-crop",
        ),
        network="imagenet-resnet50",
        width=4,
        epochs=2,
        batch_size=16,
        optimizer="sgd",
        learning_rate=0.05,
        momentum=0.9,
        weight_decay=1e-4,
        rewind_epoch=1,
    )


def kept(results) -> list[dict]:
    """Return every tensor of every stage, but for the time that it took."""
    return [
        {f"{group} {name}": t for group in ("weights", "masks", "examples") for name, t in e.tensors(group).items()}
        for row in results.entries
        for e in row
    ]


def test_a_chain_repeats_itself_to_the_bit_for_any_number_of_workers(folders_recipe, tmp_path, monkeypatch):
    chain = learning_rate_rewinding(folders_recipe, 1, Prune(fraction=0.5))
    found = []
    for workers, replicates in ((0, REPLICATES), (2, REPLICATES[:1])):
        monkeypatch.setattr(folder_images, "worker_count", lambda images, workers=workers: workers)
        store = Store(tmp_path / f"store{len(found)}")
        found.append(run(chain, replicates, store, "cpu", progress=False))
    first, other = map(kept, found)
    assert len(first) == len(REPLICATES) * 3
    assert len(other) == 3
    for one, two in zip(first, other, strict=False):
        assert one.keys() == two.keys() and all(torch.equal(t, two[n]) for n, t in one.items())
    record = found[0].entries[0][-1].record
    assert record["stacked"] == 1 and record["weights_remaining_percent"] == pytest.approx(50, abs=0.1)
    examples = {row["subset"]: row["examples"] for row in record["metrics"]}
    assert examples == {"train": 40, "train_noisy": 10, "train_original": 30, "validation": 12, "test": 12}


def test_every_epoch_and_stage_and_seed_has_its_own_augmentation(folders_recipe, monkeypatch):
    from lib.training.sources import Streamed, make_source

    def first_batch(replicate: Replicate, stage: int, epoch: int) -> torch.Tensor:
        examples = prepare(folders_recipe.data, [replicate], CPU)
        source = make_source(examples, [replicate], folders_recipe, stage)
        assert isinstance(source, Streamed)
        inputs, labels = next(iter(source.batches(torch.arange(40).unsqueeze(0), epoch)))
        assert inputs.shape == (1, 16, 3, 224, 224) and labels.shape == (1, 16)
        return inputs

    same = first_batch(REPLICATES[0], 0, 0)
    assert torch.equal(same, first_batch(REPLICATES[0], 0, 0))
    for other in ((REPLICATES[1], 0, 0), (REPLICATES[0], 1, 0), (REPLICATES[0], 0, 1)):
        assert not torch.equal(same, first_batch(*other))


def test_streamed_images_are_what_resident_ones_would_be(folders_recipe):
    """Without augmentation, the same pixels held as a tensor give the same weights and the same outcomes."""
    data = folders_recipe.data.but(augmentation="none")
    recipe = folders_recipe.but(data=data)
    examples = prepare(data, REPLICATES[:1], CPU)
    whole = {f"{part}_images": getattr(examples, f"{part}_images")[:] for part in ("train", "validation", "test")}
    resident = type(examples)(**{**vars(examples), **whole})
    assert resident.train_images.shape == examples.train_images.shape == (40, 224, 224, 3)
    losses, outcomes = [], []
    for these in (examples, resident):
        network = build(recipe.network, examples.classes, recipe.width)
        stack = fresh_stack(network.module, REPLICATES[:1], CPU)
        losses.append(train(network.module, Progress(0, stack), these, REPLICATES[:1], recipe, Part(2)).epoch_losses)
        outcomes.append(evaluate(network.module, stack, these.test_images, these.test_labels, "imagenet"))
    assert losses[0] == losses[1]
    assert torch.equal(outcomes[0].losses, outcomes[1].losses)


def test_noise_belongs_to_the_training_labels_by_index(folders_recipe):
    noisy, clean = (prepare(folders_recipe.data, [r], CPU) for r in (REPLICATES[0], Replicate(seed=0)))
    changed = noisy.train_labels != clean.train_labels
    assert torch.equal(changed, noisy.noisy) and changed.sum() == 10
    for part in ("validation_labels", "test_labels"):
        assert torch.equal(getattr(noisy, part), getattr(clean, part))
    assert (noisy.train_images.paths == clean.train_images.paths).all()  # pyright: ignore
    names = {part: {*getattr(clean, f"{part}_images").paths.tolist()} for part in ("train", "validation")}
    assert not names["train"] & names["validation"] and len(names["validation"]) == 12


def test_replicates_take_turns(folders_recipe):
    examples = prepare(folders_recipe.data, REPLICATES, CPU)
    network = build("lenet-300-100", 4)
    assert stack_limit(network.module, torch.device("cuda"), 2, examples.train_images) == 1
    assert stack_limit(network.module, torch.device("cuda"), 2) == 2
    stack = fresh_stack(network.module, REPLICATES, CPU)
    with pytest.raises(InputError, match="2 replicates on images streamed from files; allowed: one at a time"):
        train(network.module, Progress(0, stack), examples, REPLICATES, folders_recipe, Part(1))


@pytest.mark.parametrize(
    ("image_set", "augmentation", "nearest"),
    [("generated-folders", "flip-crop", "resized-crop"), ("generated-objects", "resized-crop", "flip-crop")],
)
def test_an_augmentation_that_images_do_not_have_is_refused(folders_recipe, image_set, augmentation, nearest):
    data = folders_recipe.data.but(image_set=image_set, augmentation=augmentation)
    with pytest.raises(InputError, match=f"augmentation of {image_set} '{augmentation}'.*Allowed: .*{nearest}"):
        prepare(data, REPLICATES[:1], CPU)
