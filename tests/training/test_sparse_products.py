"""Products over the weights that remain are those of the masked matrices, and so is the training."""

import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import data
from lib.stages import Execution, Prune, Store, checkpoint, run, train_stage
from lib.stages.algorithms import learning_rate_rewinding
from lib.training import Part, Progress, Replicate, train
from lib.training.loop import Computation
from lib.training.pixel_reader import PixelReader, pixels_read
from lib.training.sparse_products import SparseProduct, Structure, few_remain, kernels, sparse_weights
from tests.training.stacks import start

REPLICATES = [Replicate(seed=0), Replicate(seed=1, noise_percent=20)]

pytestmark = pytest.mark.skipif(kernels() is None, reason="numba is not installed")


def differences(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return (ours - theirs).abs().max().item() if ours.numel() else 0.0


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.tuples(*(st.integers(1, size) for size in (3, 9, 13, 11))),
    share=st.sampled_from((0.0, 0.1, 0.5, 1.0)),
    shared=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_gradients_and_biases_are_those_of_the_masked_matrix(sizes, share, shared, seed):
    replicates, outputs, inputs, batch = sizes
    draw = torch.Generator().manual_seed(seed)
    mask = torch.rand(replicates, outputs, inputs, generator=draw) < share
    weight = torch.randn(mask.shape, dtype=torch.float64, generator=draw).requires_grad_()
    values = weight.detach()[mask].requires_grad_()
    images = torch.randn(*(() if shared else (replicates,)), batch, inputs, dtype=torch.float64, generator=draw)
    bias = torch.randn(replicates, outputs, dtype=torch.float64, generator=draw)
    found = []
    for product in (
        lambda x, b: SparseProduct.apply(values, b, x, Structure(mask)),
        lambda x, b: x @ (weight * mask).mT + b.unsqueeze(1),
    ):
        x, b = images.clone().requires_grad_(), bias.clone().requires_grad_()
        answers = product(x, b)
        answers.square().sum().backward()
        found.append((answers.detach(), x.grad, b.grad))
    assert values.grad is not None and weight.grad is not None
    assert all(differences(one, other) < 1e-10 for one, other in zip(*found, strict=True))
    assert differences(values.grad, weight.grad[mask]) < 1e-10


class Killed(Exception):
    pass


def random_masks(network, stack, share: float):
    draw = torch.Generator().manual_seed(3)
    return {name: torch.rand(stack[name].shape, generator=draw) < share for name in network.prunable}


def trained(recipe, sparse_below: float, share: float = 0.1, exact: torch.dtype = torch.float64, **computation):
    network, stack, examples = start(recipe, REPLICATES)
    masks = random_masks(network, stack, share)
    stack = {name: (t * masks[name] if name in masks else t).to(exact) for name, t in stack.items()}
    how = Computation(sparse_below=sparse_below, **computation)
    return train(network.module, Progress(0, stack, masks), examples, REPLICATES, recipe, Part(2), computation=how)


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-3}])
@pytest.mark.parametrize("pixels", [None, torch.arange(100, 700)])
def test_training_is_that_of_the_masked_matrices(recipe, optimizer, pixels):
    recipe, found = recipe.but(record_epochs=True, **optimizer), []
    for below in (0.0, 1.0):
        network, stack, examples = start(recipe, REPLICATES)
        masks = random_masks(network, stack, 0.1)
        first = network.prunable[0]
        if pixels is not None:
            stack[first], masks[first] = stack[first][:, :, pixels], masks[first][:, :, pixels]
        stack = {name: (t * masks[name] if name in masks else t).double() for name, t in stack.items()}
        how = Computation(sparse_below=below, pixels=pixels)
        progress = Progress(0, stack, masks)
        found.append(train(network.module, progress, examples, REPLICATES, recipe, Part(2), computation=how))
    masked, sparse = found
    assert all(differences(sparse.stack[name], tensor) < 1e-10 for name, tensor in masked.stack.items())
    for kind, tensors in (masked.optimizer or {}).items():
        assert all(
            differences((sparse.optimizer or {})[kind][n].double(), t.double()) < 1e-10 for n, t in tensors.items()
        )
    assert str(sparse.epoch_errors) == str(masked.epoch_errors)  # where nothing is wrong, NaN
    assert torch.allclose(torch.tensor(sparse.epoch_losses), torch.tensor(masked.epoch_losses), atol=1e-6)


def distance(ours, theirs) -> float:
    return sum(((ours[n].double() - t.double()) ** 2).sum().item() for n, t in theirs.items()) ** 0.5


@pytest.mark.parametrize("change", [{}, {"optimizer": "sgd", "momentum": 0.9}])
def test_in_float32_it_is_as_near_as_the_same_sums_in_another_order(recipe, change):
    """Shuffled pixels leave everything as it is but the order of sums. Adam makes a step of a gradient's rounding."""
    recipe = recipe.but(**change)
    dense, sparse = (trained(recipe, below, exact=torch.float32).stack for below in (0.0, 1.0))
    network, stack, examples = start(recipe, REPLICATES)
    masks = random_masks(network, stack, 0.1)
    stack, first = {name: t * masks[name] if name in masks else t for name, t in stack.items()}, network.prunable[0]
    order = torch.randperm(784, generator=torch.Generator().manual_seed(1))
    for own in (stack, masks):
        own[first] = own[first][:, :, order].contiguous()
    images = examples.train_images
    assert isinstance(images, torch.Tensor)
    shuffled = replace(examples, train_images=images.flatten(1)[:, order].view(images.shape))
    how = Computation(sparse_below=0.0)
    other = train(
        network.module, Progress(0, stack, masks), shuffled, REPLICATES, recipe, Part(2), computation=how
    ).stack
    other[first] = other[first][:, :, order.argsort()]
    assert distance(sparse, dense) < 3 * distance(other, dense)


def test_neither_threads_nor_neighbours_change_a_bit(recipe):
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(trained(recipe, 1.0, exact=torch.float32))
    finally:
        torch.set_num_threads(before)
    first = "hidden.0.weight"
    assert torch.equal(found[0].stack[first], found[1].stack[first])


def test_a_process_of_one_thread_stays_one():
    """Two pages of two threads each on two cores wait for each other twenty times longer than they compute."""
    code = "import torch; from lib.training.sparse_products import alone; alone(); print(torch.get_num_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.stdout == "1\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_trains_to_the_same_bits(recipe):
    here = trained(recipe, 1.0, exact=torch.float32).stack["hidden.0.weight"]
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child():
        torch.set_num_threads(1)  # PyTorch's own threads do not survive a fork either
        answers.put(trained(recipe, 1.0, exact=torch.float32).stack["hidden.0.weight"].sum().item())

    process = context.Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode == 0 and answers.get() == here.sum().item()


def test_a_killed_run_goes_on_to_the_same_bits(recipe, tmp_path, monkeypatch):
    recipe = recipe.but(epochs=4, record_epochs=True)
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=0.95))
    whole = run(chain, REPLICATES, Store(tmp_path / "whole"), progress=False)

    save, saved = checkpoint.Checkpoint.save, []

    def then_die(self, progress):
        save(self, progress)
        saved.append(progress.epoch)
        if len(saved) == 3:  # in the second epoch of the pruned stage
            raise Killed

    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", then_die)
    store = Store(tmp_path / "killed")
    with pytest.raises(Killed):
        run(chain, REPLICATES, store, progress=False)
    resumed = run(chain, REPLICATES, store, progress=False)
    for one, other in zip(whole.entries, resumed.entries, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            tensors = theirs.tensors("weights")
            assert all(torch.equal(t, tensors[n]) for n, t in ours.tensors("weights").items())


@pytest.mark.parametrize(("fraction", "found"), [(0.9, "float32"), (0.5, "bfloat16")])
def test_where_little_remains_a_stage_is_float32_instead_of_bfloat16_and_says_so(
    recipe, tmp_path, monkeypatch, fraction, found
):
    computed, as_it_is = [], train_stage.train

    def watched(*given):
        computed.append(given[-1].precision)
        return as_it_is(*given)

    monkeypatch.setattr(train_stage, "train", watched)
    chain = learning_rate_rewinding(recipe, 1, Prune(fraction=fraction))
    results = run(chain, REPLICATES, Store(tmp_path), Execution("cpu", "bfloat16"), progress=False)
    assert computed == ["bfloat16"] * (len(chain.stages) - 1) + [found]
    assert [[entry.record["precision"] for entry in row] for row in results.entries] == [computed] * 2


def test_only_few_weights_of_stacked_linear_layers_on_a_cpu_are_taken_by_themselves(recipe, monkeypatch):
    network, stack, _ = start(recipe, REPLICATES)
    few, many = random_masks(network, stack, 0.1), random_masks(network, stack, 0.6)
    assert sparse_weights(network.module, few) == list(network.prunable)
    assert sparse_weights(network.module, many) == []
    assert sparse_weights(torch.nn.Sequential(torch.nn.Linear(4, 4)), {"0.weight": torch.zeros(1, 4, 4) > 0}) == []
    monkeypatch.setattr("lib.training.sparse_products.kernels", lambda: None)
    assert sparse_weights(network.module, few) == []


def test_few_remain_is_said_of_all_weights_together(recipe, monkeypatch):
    network, stack, _ = start(recipe, REPLICATES)
    few, many = random_masks(network, stack, 0.1), random_masks(network, stack, 0.6)
    first = network.prunable[0]  # 235,200 of 266,200 weights
    assert few_remain(network.module, few) and few_remain(network.module, {**many, first: few[first]})
    assert not few_remain(network.module, many) and not few_remain(network.module, {**few, first: many[first]})
    assert not few_remain(network.module, {}) and not few_remain(network.module, {**few, "bias": few[first]})
    monkeypatch.setattr("lib.training.sparse_products.kernels", lambda: None)
    assert not few_remain(network.module, few)


@pytest.mark.parametrize("normalization", ["mnist", "cifar"])
def test_pixels_read_from_bytes_are_those_of_normalized_images(normalization):
    channels = len(data.normalization(normalization).mean)
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (20, 5, 4, channels), dtype=torch.uint8, generator=draw)
    pixels = torch.stack([torch.randperm(20 * channels, generator=draw)[:7].sort().values for _ in range(3)])
    chosen = torch.randint(20, (3, 70), generator=draw)
    whole = data.normalize(images, data.normalization(normalization)).flatten(1)
    expected = torch.stack([whole[rows][:, own] for rows, own in zip(chosen, pixels, strict=True)])
    found = PixelReader(images, normalization, pixels, torch.float32)(chosen)
    assert torch.equal(found[..., 0, 0], expected)


def test_a_replicate_reads_the_pixels_that_it_has_weights_for(recipe):
    network, stack, _ = start(recipe, REPLICATES)
    masks = {name: torch.zeros_like(stack[name], dtype=torch.bool) for name in network.prunable}
    masks["hidden.0.weight"][0, 5, 3] = masks["hidden.0.weight"][1, 7, [2, 9]] = True
    read = pixels_read(network.module, masks)
    assert read is not None and read[0] == "hidden.0.weight"
    assert read[1].shape == (2, 2) and 3 in read[1][0].tolist() and read[1][1].tolist() == [2, 9]
    assert pixels_read(network.module, {"hidden.1.weight": masks["hidden.1.weight"]}) is None
