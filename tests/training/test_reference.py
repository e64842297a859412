"""The loop for stacks is the plain loop: same losses and weights in float64, whatever makes it fast."""

import pytest
import torch

from lib.training import Part, Progress, Replicate, fresh_stack, train
from lib.training.reference import train_plainly
from tests.training.stacks import CPU, start

REPLICATES = [Replicate(seed=0, noise_percent=20.0), Replicate(seed=1)]


@pytest.mark.parametrize("kept", [None, 0.6, 0.1], ids=["dense", "masked", "compressed"])
@pytest.mark.parametrize("kind", ["adam", "sgd", "nesterov"])
def test_a_stack_trains_like_a_textbook(kind, kept, request):
    """Adam on LeNet; SGD with momentum, weight decay, a drop, augmentation and a smaller last batch on ResNet-20;
    that with Nesterov's momentum and polynomial decay."""
    recipe = request.getfixturevalue("recipe" if kind == "adam" else "objects_recipe")
    recipe = recipe.but(nesterov=True, decay_power=0.9) if kind == "nesterov" else recipe
    data = recipe.data.but(train=70)
    recipe = recipe.but(epochs=2, data=data)
    network, stack, examples = start(recipe, REPLICATES)
    stack = {n: t.double() if t.is_floating_point() else t for n, t in stack.items()}
    masks = {}
    if kept:
        own = torch.Generator().manual_seed(0)
        masks = {n: torch.rand(stack[n].shape, generator=own) < kept for n in network.prunable}
        stack = {n: t * masks[n] if n in masks else t for n, t in stack.items()}
    before = {n: t.clone() for n, t in stack.items()}
    done = train(network.module, Progress(0, stack, masks), examples, REPLICATES, recipe, Part(recipe.epochs))
    assert isinstance(examples.train_images, torch.Tensor)
    for row, replicate in enumerate(REPLICATES):
        module = network.module.double()
        module.load_state_dict({n: t[row] for n, t in before.items()})
        losses = train_plainly(
            module, examples.train_images, examples.train_labels[row], recipe, replicate,
            {n: mask[row] for n, mask in masks.items()},
        )  # fmt: skip
        assert losses == pytest.approx([epoch[row] for epoch in done.epoch_losses], rel=1e-6)
        for name, tensor in module.state_dict().items():
            assert torch.allclose(tensor, done.stack[name][row], rtol=1e-7, atol=1e-9), name
        moved = module.state_dict()["output.bias"] - before["output.bias"][row]
        assert moved.abs().min() > 1e-4


def test_the_reference_is_short_enough_for_a_page():
    import inspect

    source = inspect.getsource(train_plainly)
    body = source[source.index('"""', source.index('"""') + 3) + 3 :]
    assert len(body.splitlines()) <= 40


def test_dropout_repeats_itself_and_is_each_replicates_own(recipe):
    """Any module with dropout trains, one replicate at a time, and goes on from a checkpoint to the bit."""
    _, _, examples = start(recipe, REPLICATES)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(784, 10))

    def trained(row: int, *stops: int) -> torch.Tensor:
        progress = Progress(0, fresh_stack(module, REPLICATES[row : row + 1], CPU))
        for stop in stops:
            train(module, progress, examples[[row]], REPLICATES[row : row + 1], recipe, Part(stop))
        return progress.stack["2.weight"]

    state = torch.get_rng_state()
    whole = trained(0, 2)
    assert torch.equal(torch.get_rng_state(), state), "the process's own random numbers are left alone"
    assert torch.equal(whole, trained(0, 1, 2))
    assert not torch.equal(whole, trained(1, 2))
