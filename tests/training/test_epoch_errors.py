"""Errors of every epoch: what they count, and that they change nothing."""

import dataclasses
import math

import pytest
import torch

from lib.data import FolderImages
from lib.errors import InputError
from lib.training import Part, Progress, Replicate, evaluate, prepare, train
from lib.training.epoch_errors import EpochErrors
from lib.training.examples import Examples
from lib.training.sources import data_order
from tests.training.stacks import CPU, start

NOISY = [Replicate(seed=0, noise_percent=0.0), Replicate(seed=1, noise_percent=40.0)]


def test_recording_changes_no_weight(recipe):
    ends = []
    for record in (False, True):
        asked = recipe.but(record_epochs=record)
        network, stack, examples = start(asked, NOISY)
        ends.append(train(network.module, Progress(0, stack), examples, NOISY, asked, Part(2)))
    plain, recorded = ends
    assert all(torch.equal(plain.stack[n], t) for n, t in recorded.stack.items())
    assert plain.epoch_losses == recorded.epoch_losses
    assert not plain.epoch_errors and {len(epochs) for epochs in recorded.epoch_errors.values()} == {2}


def test_the_last_test_error_is_that_of_the_final_weights(recipe):
    asked = recipe.but(record_epochs=True)
    network, stack, examples = start(asked, NOISY)
    done = train(network.module, Progress(0, stack), examples, NOISY, asked, Part(2))
    final = evaluate(network.module, done.stack, examples.test_images, examples.test_labels, examples.normalization)
    expected = 100 * (1 - final.correct.double().mean(1))
    assert done.epoch_errors["test"][-1] == pytest.approx(expected.tolist(), abs=1e-4)


def test_answers_are_counted_by_subset(recipe):
    """Answers made up so that each share is known: all say class 0."""
    network, _, examples = start(recipe, NOISY)
    errors = EpochErrors(network.module, examples, torch.float32, None)
    seen = data_order(NOISY, 0, 0, len(examples.train_images))[:, :100]
    logits = torch.zeros(2, 100, examples.classes)
    logits[..., 0] = 1.0
    errors.note(seen, logits)
    network.module.eval()
    found = errors.finish(lambda: start(recipe, NOISY)[1])
    noisy = examples.noisy[1][seen[1]]
    labels, original = examples.train_labels[1][seen[1]], examples.original_labels[seen[1]]

    def error(truth: torch.Tensor) -> float:
        return 100 * (truth != 0).double().mean().item()

    assert found["train"][1] == pytest.approx(error(labels))
    assert found["train_noisy"][1] == pytest.approx(error(labels[noisy]))
    assert found["train_original"][1] == pytest.approx(error(labels[~noisy]))
    assert found["train_restored"][1] == pytest.approx(error(original[noisy]))
    assert math.isnan(found["train_noisy"][0])  # no noise, no noisy examples
    assert math.isnan(errors.finish(lambda: start(recipe, NOISY)[1])["train"][0])  # the next epoch begins empty


def test_three_subsets_partition_the_training_examples(recipe):
    """LN section 3.1: noisy and original are disjoint and whole; restored are the noisy ones with their own labels."""
    data = recipe.data.but(noise="any")
    examples: Examples = prepare(data, NOISY, CPU)
    noisy = examples.noisy[1]
    assert int(noisy.sum()) == math.ceil(0.4 * len(noisy))
    original = examples.original_labels
    assert torch.equal(examples.train_labels[1][~noisy], original[~noisy])
    kept = (examples.train_labels[1] == original)[noisy].double().mean().item()
    assert 0 < kept < 0.25  # a tenth of the drawn labels is right by chance, and stays among the noisy
    assert torch.equal(examples.train_labels[0], original)


def test_images_in_files_cannot_be_recorded(recipe):
    network, _, examples = start(recipe, NOISY)
    files = dataclasses.replace(examples, train_images=object.__new__(FolderImages))
    with pytest.raises(InputError, match="images on the device"):
        EpochErrors(network.module, files, torch.float32, None)


def test_a_slice_of_steps_is_what_the_whole_epoch_would_take(recipe):
    """Steps 0 to 3 and then 3 to the end, with one optimizer state between them, are one epoch."""
    sgd = recipe.but(optimizer="sgd", learning_rate=0.05)
    network, stack, examples = start(sgd, NOISY)
    whole = train(network.module, Progress(0, {n: t.clone() for n, t in stack.items()}), examples, NOISY, sgd, Part(1))
    first = train(
        network.module,
        Progress(0, {n: t.clone() for n, t in stack.items()}),
        examples,
        NOISY,
        sgd,
        Part(0, to_step=3),
    )
    rest = train(network.module, Progress(0, first.stack), examples, NOISY, sgd, Part(1, from_step=3))
    assert all(torch.equal(rest.stack[n], t) for n, t in whole.stack.items())
    sizes = (3 * sgd.batch_size, len(examples.train_images) - 3 * sgd.batch_size)
    for replicate in range(2):
        parts = [p.epoch_losses[0][replicate] * size for p, size in zip((first, rest), sizes, strict=True)]
        assert sum(parts) / sum(sizes) == pytest.approx(whole.epoch_losses[0][replicate], rel=1e-5)
