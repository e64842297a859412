"""Segmentation: its loss is PyTorch's over the pixels that count, its score comes from one confusion matrix of a set."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lib.analysis.experiments import errors_of
from lib.data.segmentation_images import IGNORED, SegmentationImages, split_classes
from lib.errors import InputError
from lib.models import build
from lib.stages import Prune, Store, checkpoint, run
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import DataRecipe, Recipe, Replicate, fresh_stack, prepare
from lib.training.task import Segmented, evaluate_segmentation, losses_of_step
from tests.training.stacks import CPU

REPLICATES = [Replicate(seed=0), Replicate(seed=1)]


@pytest.fixture
def segmentation_recipe() -> Recipe:
    """A small network on the generated set: 20 images of 33 × 33 pixels, two epochs."""
    return Recipe(
        benchmark="pixels",
        data=DataRecipe(
            image_set="generated-segmentation", validation=4, normalization="imagenet", augmentation="resized-crop"
        ),
        task="segmentation",
        network="tests.training.segmentation:network",
        epochs=2,
        batch_size=8,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        decay_power=0.9,
    )


def test_the_loss_is_that_of_pytorch_over_all_pixels_of_a_step():
    """Mean over the images of a step, whose pixels that count differ in number; the auxiliary head at half weight."""
    draw = torch.Generator().manual_seed(0)
    out, aux = (torch.randn(2, 3, 4, 5, 6, dtype=torch.float64, generator=draw) for _ in range(2))
    labels = torch.randint(4, (2, 3, 5, 6), generator=draw)
    labels[0, 0, :3], labels[1, 2] = IGNORED, IGNORED
    found = losses_of_step({"out": out, "aux": aux}, labels, torch.float64)
    for row in range(2):
        main, other = (cross_entropy(head[row], labels[row], ignore_index=IGNORED) for head in (out, aux))
        assert found[row].mean().item() == pytest.approx((main + 0.5 * other).item(), rel=1e-12)
    assert found[1, 2] == 0
    alone = losses_of_step({"out": out}, labels, torch.float64)
    assert alone[0].mean().item() == pytest.approx(cross_entropy(out[0], labels[0], ignore_index=IGNORED).item())
    nothing = losses_of_step({"out": out}, torch.full_like(labels, IGNORED), torch.float64)
    assert (nothing == 0).all()


def test_classification_has_the_cross_entropy_of_each_image():
    logits, labels = torch.randn(2, 5, 10), torch.randint(10, (2, 5))
    each = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(2, 5)
    assert torch.equal(losses_of_step(logits, labels, torch.float32), each)


def test_scores_of_a_confusion_matrix_by_hand():
    """Class 0: 6 of 8 pixels, class 1: 1 in 4, and class 2 neither occurs nor is answered."""
    confusion = torch.tensor([[[6, 1, 0], [1, 1, 0], [0, 0, 0]]])
    scored = Segmented(torch.zeros(1, 1), confusion)
    assert scored.pixel_error.item() == pytest.approx(2 / 9)
    assert scored.mean_iou.item() == pytest.approx((6 / 8 + 1 / 3) / 2)


class Brightness(nn.Module):
    """Answers every pixel by how bright it is, which in the generated set says its class."""

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        level = (images.mean(1, keepdim=True) * 255 - 30) / 60
        distances = torch.arange(21.0).view(-1, 1, 1) - level
        return {"out": -(distances**2)}


def test_one_confusion_matrix_counts_the_pixels_of_a_whole_set(segmentation_recipe, monkeypatch):
    """However the images are divided into batches; nearly every pixel's brightness gives its class."""
    images = prepare(segmentation_recipe.data, REPLICATES[:1], CPU).test_images
    assert isinstance(images, SegmentationImages)
    module, plain, stack = Brightness(), "mean 0.0 0.0 0.0 std 1.0 1.0 1.0", {"none": torch.zeros(1)}
    monkeypatch.setattr("lib.training.task.forward", lambda m, s, x: {k: v.unsqueeze(0) for k, v in m(x).items()})
    whole = evaluate_segmentation(module, stack, images, plain, 21)
    monkeypatch.setattr("lib.training.task.images_per_batch", lambda *_: 3)
    parts = evaluate_segmentation(module, stack, images, plain, 21)
    assert torch.equal(whole.confusion, parts.confusion) and torch.allclose(whole.losses, parts.losses)
    pixels, truth = split_classes(next(images.read(torch.arange(8), 8)))
    counted = truth != IGNORED
    assert torch.equal(whole.confusion[0].sum(1), truth[counted].bincount(minlength=21))
    assert whole.pixel_error.item() < 0.05 and whole.mean_iou.item() > 0.85
    answers = module(pixels.permute(0, 3, 1, 2) / 255)["out"].argmax(1)
    assert whole.pixel_error.item() == pytest.approx((answers != truth)[counted].double().mean().item(), abs=1e-3)


class Killed(Exception):
    pass


def test_a_segmentation_is_trained_pruned_kept_and_resumed(segmentation_recipe, tmp_path, monkeypatch):
    chain = learning_rate_rewinding(segmentation_recipe, 1, Prune(fraction=0.5))
    whole = run(chain, REPLICATES, Store(tmp_path / "whole"), "cpu", progress=False)
    entry = whole.entries[0][-1]
    rows = {row["subset"]: row for row in entry.record["metrics"]}
    assert {subset: row["examples"] for subset, row in rows.items()} == {"train": 20, "validation": 4, "test": 8}
    kept = entry.tensors("examples")
    assert kept["test_confusion"].shape == (21, 21) and kept["test_losses"].shape == (8,)
    again = Segmented(kept["test_losses"][None], kept["test_confusion"][None])
    assert rows["test"]["error_percent"] == pytest.approx(100 * (1 - again.mean_iou.item()))
    assert rows["test"]["pixel_error_percent"] == pytest.approx(100 * again.pixel_error.item())
    table = {row["quantity"]: row["value"] for row in errors_of(whole)}
    assert {"test error (%)", "test pixel error (%)"} <= table.keys()
    assert entry.record["stacked"] == 1 and entry.record["weights_remaining_percent"] == pytest.approx(50, abs=0.5)
    assert entry.record["train_losses"][-1] < whole.entries[0][1].record["train_losses"][0] / 1.5

    real, deaths = checkpoint.Checkpoint.save, [1]

    def then_die(self, progress):
        real(self, progress)
        if deaths:
            deaths.pop()
            raise Killed

    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", then_die)
    store = Store(tmp_path / "killed")
    with pytest.raises(Killed):
        run(chain, REPLICATES[:1], store, "cpu", progress=False)
    resumed = run(chain, REPLICATES[:1], store, "cpu", progress=False).entries[0][-1]
    one, other = entry.tensors("weights"), resumed.tensors("weights")
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_torchvisions_network_answers_with_both_heads(segmentation_recipe):
    examples = prepare(segmentation_recipe.data, REPLICATES[:1], CPU)
    network = build("voc-deeplabv3", examples.classes)
    stack = fresh_stack(network.module, REPLICATES[:1], CPU)
    images = examples.test_images
    assert isinstance(images, SegmentationImages)
    scored = evaluate_segmentation(network.module, stack, images.some(torch.arange(2), CPU), "imagenet", 21)
    assert scored.confusion.shape == (1, 21, 21) and scored.losses.shape == (1, 2)
    assert 0 < scored.confusion.sum() <= 2 * 33 * 33


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"task": "classification"},
            "task='classification' on 'generated-segmentation'; segmentation has sbd, voc2012",
        ),
        ({"data": {"image_set": "cifar10"}}, "task='segmentation' on 'cifar10'"),
        ({"record_epochs": True}, "counts the errors of images"),
    ],
)
def test_a_task_needs_its_own_images(segmentation_recipe, change, says):
    with pytest.raises(InputError, match=says):
        segmentation_recipe.but(**change)


def test_pixels_have_no_label_noise(segmentation_recipe):
    with pytest.raises(InputError, match="label noise needs noise_percent=0"):
        prepare(segmentation_recipe.data, [Replicate(seed=0, noise_percent=10.0)], CPU)
