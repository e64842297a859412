"""A replicate is the same alone and in a stack; a stack repeats itself to the bit; masks hold."""

import pytest
import torch

from lib.models import build, initialize
from lib.pruning import magnitude, select
from lib.training import (
    Computation,
    Hooks,
    Part,
    Precision,
    Progress,
    Recipe,
    Replicate,
    evaluate,
    evaluate_each,
    forward,
    fresh_stack,
    logits,
    prepare,
    stack_limit,
    stack_states,
    train,
)
from lib.training.evaluation import VALUES_PER_BATCH, VALUES_PER_MAPS, images_per_batch
from lib.training.sources import data_order
from lib.training.stack import bound
from lib.training.task import losses_of_step
from tests.training.stacks import CPU, start


def trained(recipe: Recipe, replicates: list[Replicate], epochs: int = 1, masks=None, precision: Precision = "float32"):
    network, stack, examples = start(recipe, replicates)
    progress, computation = Progress(0, stack, masks or {}), Computation(precision)
    return train(network.module, progress, examples, replicates, recipe, Part(epochs), computation=computation)


@pytest.mark.parametrize(
    ("name", "width", "shape"),
    [
        ("lenet-300-100", None, (1, 28, 28)),
        ("cifar-resnet20", 4, (3, 32, 32)),
        ("cifar-vgg16", 4, (3, 32, 32)),
        ("imagenet-resnet50", 2, (3, 32, 32)),
        ("cifar-resnet56-bottleneck", 2, (3, 16, 16)),
        ("cifar-vgg16-maximum", 2, (3, 32, 32)),
        ("cifar-densenet22", 3, (3, 16, 16)),
        ("cifar-wide-resnet16-8", 1, (3, 16, 16)),
    ],
)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_stack_is_each_of_its_networks(name, width, shape, mode):
    """Logits, gradients and running statistics, in float64, of the book's networks and of any other module."""
    network = build(name, 10, width)
    states = []
    for seed in range(3):
        initialize(network.module, torch.Generator().manual_seed(seed))
        states.append({n: t.detach().clone() for n, t in network.module.state_dict().items()})
    stack = {n: t.double() if t.is_floating_point() else t for n, t in stack_states(states).items()}
    images = torch.rand(3, 5, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    network.module.train(mode == "train")

    def results(batch: torch.Tensor, chosen: list[int]):
        leaves = {n: t[chosen].clone() for n, t in stack.items()}
        for name, _ in network.module.named_parameters():
            leaves[name].requires_grad_()
        logits = forward(network.module, leaves, batch)
        logits.square().sum().backward()
        return [logits.detach()] + [t.detach() if t.grad is None else t.grad for t in leaves.values()]

    together = results(images, [0, 1, 2])
    for r in range(3):
        for one, all_ in zip(results(images[r : r + 1], [r]), together, strict=True):
            assert torch.allclose(one[0].double(), all_[r].double(), rtol=1e-6, atol=1e-6)
    shared = results(images[0], [0, 1, 2])
    assert torch.allclose(shared[0][0], together[0][0])
    leaves = {n: t[0] for n, t in stack.items()}
    plain = torch.func.functional_call(network.module, leaves, (images[0],))
    assert torch.allclose(plain, together[0][0], rtol=1e-6, atol=1e-6)


def test_any_other_module_stacks_too():
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    states = [{n: torch.randn_like(t) for n, t in module.state_dict().items()} for _ in range(3)]
    images = torch.rand(3, 5, 3, 2, 2)
    together = forward(module, stack_states(states), images)
    for r, state in enumerate(states):
        module.load_state_dict(state)
        assert torch.allclose(together[r], module(images[r]), atol=1e-6)


def test_dropout_stacks_and_trains_one_at_a_time():
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(12, 2)).train()
    stack = stack_states([{n: torch.randn_like(t) for n, t in module.state_dict().items()}] * 2)
    images = torch.rand(5, 3, 2, 2)
    both = forward(module, stack, images)
    assert both.shape == (2, 5, 2) and not torch.equal(both[0], both[1]), "each draws for itself"
    assert forward(module, {n: t[:1] for n, t in stack.items()}, images).shape == (1, 5, 2)
    assert stack_limit(module, torch.device("cuda"), 12) == 1
    assert torch.equal(*forward(module.eval(), stack, images))


def test_answers_are_scored_against_several_sets_of_labels_in_one_pass(recipe, monkeypatch):
    network, stack, examples = start(recipe, [Replicate(seed=0, noise_percent=40.0), Replicate(seed=1)])
    monkeypatch.setattr("lib.training.evaluation.VALUES_PER_BATCH", 2 * 784 * 70)
    passes = []
    monkeypatch.setattr("lib.training.evaluation.forward", lambda *given: passes.append(given[2]) or forward(*given))
    sets = [examples.train_labels, examples.original_labels]
    given = network.module, stack, examples.train_images
    both = evaluate_each(*given, sets, examples.normalization)
    assert [len(batch) for batch in passes] == [70] * 4 + [20]
    for labels, one in zip(sets, both, strict=True):
        alone = evaluate(*given, labels, examples.normalization)
        assert torch.equal(alone.losses, one.losses) and torch.equal(alone.correct, one.correct)
    answers = torch.cat([*logits(*given, examples.normalization)], 1)
    assert torch.equal(answers.argmax(-1) == examples.train_labels, both[0].correct)
    assert not answers.requires_grad


def test_maps_of_a_batch_that_is_evaluated_stay_in_a_processors_caches():
    """Counted for the first convolution; without one, and on a GPU, pixels count."""
    narrow, wide = (build("cifar-resnet20", width=width).module for width in (8, 16))
    assert images_per_batch(wide, 1, (32, 32, 3), "cpu") * 16 * 32 * 32 == VALUES_PER_MAPS
    assert images_per_batch(narrow, 1, (3, 32, 32), "cpu") == 2 * images_per_batch(wide, 1, (3, 32, 32), "cpu")
    assert images_per_batch(wide, 4, (3, 32, 32), "cpu") * 4 == images_per_batch(wide, 1, (3, 32, 32), "cpu")
    assert images_per_batch(wide, 1, (32, 32, 3), "cuda") == VALUES_PER_BATCH // (32 * 32 * 3)
    assert images_per_batch(build("lenet-300-100").module, 2, (28, 28, 1), "cpu") == VALUES_PER_BATCH // (2 * 28 * 28)
    assert images_per_batch(wide, 1, (4_000, 4_000, 3), "cpu") == 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_convolutions_train_in_stacks(objects_recipe, replicates, precision):
    """As they do on a GPU; on a CPU the runner trains them one after the other, which is faster there."""
    together = trained(objects_recipe, replicates[:2], 2, precision=precision)
    alone = trained(objects_recipe, replicates[1:2], 2, precision=precision)
    assert together.epoch_losses[0][1] == pytest.approx(alone.epoch_losses[0][0], rel=0.05)
    assert all(t.dtype == torch.float32 for n, t in together.stack.items() if "num_batches" not in n)


@pytest.mark.parametrize("kind", ["recipe", "objects_recipe"])
def test_same_first_updates_alone_and_in_a_stack(kind, request, replicates):
    """Same initialization, labels, data order and augmentation; the same updates to float tolerance."""
    recipe = request.getfixturevalue(kind)
    recipe = recipe.but(data=recipe.data.but(train=recipe.batch_size))  # one step
    together = trained(recipe, replicates)
    for r, replicate in enumerate(replicates):
        alone = trained(recipe, [replicate])
        before = start(recipe, [replicate])[1]
        steps = [
            torch.cat([(stack[n][index] - before[n][0]).flatten() for n in before if stack[n].is_floating_point()])
            for stack, index in ((alone.stack, 0), (together.stack, r))
        ]
        assert (steps[0] - steps[1]).norm() < 0.01 * steps[0].norm()
        assert alone.epoch_losses[0][0] == pytest.approx(together.epoch_losses[0][r], abs=1e-4)


def test_a_stack_repeats_itself_to_the_bit(recipe, replicates):
    first, second = trained(recipe, replicates, 2), trained(recipe, replicates, 2)
    assert first.epoch_losses == second.epoch_losses
    assert all(torch.equal(t, second.stack[n]) for n, t in first.stack.items())


def test_random_choices_are_separate(recipe):
    """Holding one purpose fixed leaves the others free."""
    plain = Replicate(seed=1, noise_percent=20.0)
    shared = Replicate(seed=2, noise_percent=20.0, shared=(("label noise", 1),))
    labels = prepare(recipe.data, [plain, shared], CPU).train_labels
    assert torch.equal(labels[0], labels[1])
    orders = data_order([plain, shared], 0, 0, 50)
    assert not torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], data_order([plain], 0, 1, 50)[0])
    assert not torch.equal(orders[0], data_order([plain], 1, 0, 50)[0])
    assert torch.equal(orders[0], data_order([plain], 0, 0, 50)[0])


@pytest.mark.parametrize("kind", ["recipe", "objects_recipe"])
def test_pruned_weights_stay_zero_and_others_move(kind, request, replicates):
    recipe = request.getfixturevalue(kind)
    network, stack, examples = start(recipe, replicates)
    masks = []
    for r in range(len(replicates)):
        network.module.load_state_dict({n: t[r] for n, t in stack.items()})
        dense = {n: torch.ones_like(stack[n][r], dtype=torch.bool) for n in network.prunable}
        masks.append(select(magnitude(network.module, network.prunable), dense, 0.6))
    stacked = stack_states(masks)
    masked = {n: t * stacked[n] if n in stacked else t for n, t in stack.items()}
    before = {n: t.clone() for n, t in masked.items()}
    done = train(network.module, Progress(0, masked, stacked), examples, replicates, recipe, Part(2))
    for name, mask in stacked.items():
        assert done.stack[name][~mask].eq(0).all()
        assert done.stack[name][mask].ne(before[name][mask]).float().mean() > 0.5


def test_bfloat16_follows_float32(recipe, replicates):
    exact, fast = trained(recipe, replicates, 3), trained(recipe, replicates, 3, precision="bfloat16")
    for a, b in zip(exact.epoch_losses[-1], fast.epoch_losses[-1], strict=True):
        assert a == pytest.approx(b, abs=0.05)
    assert all(t.dtype == torch.float32 for n, t in fast.stack.items() if "num_batches" not in n)


def test_training_lowers_the_loss_and_evaluation_agrees_with_plain_torch(recipe):
    replicates = [Replicate(seed=0)]
    network, stack, examples = start(recipe, replicates)
    before = evaluate(network.module, stack, examples.test_images, examples.test_labels, "mnist")
    done = train(network.module, Progress(0, stack), examples, replicates, recipe, Part(3))
    after = evaluate(network.module, done.stack, examples.test_images, examples.test_labels, "mnist")
    assert after.losses.mean() < before.losses.mean() / 2
    network.module.load_state_dict({n: t[0] for n, t in done.stack.items()})
    assert isinstance(examples.test_images, torch.Tensor)
    inputs = (examples.test_images.float().permute(0, 3, 1, 2) / 255 - 0.1307) / 0.3081
    plain = torch.nn.functional.cross_entropy(network.module(inputs), examples.test_labels, reduction="none")
    assert torch.allclose(after.losses[0], plain, atol=1e-4)


def test_the_smaller_last_batch_is_kept(recipe, monkeypatch):
    seen = []
    from lib.training import loop

    def spy(answers, labels, exact):
        seen.append(labels.shape[1])
        return losses_of_step(answers, labels, exact)

    monkeypatch.setattr(loop, "losses_of_step", spy)
    trained(recipe, [Replicate(seed=0)])
    assert seen == [64, 64, 64, 64, 44]


@pytest.mark.parametrize("name", ["lenet-300-100", "cifar-resnet20", "cifar-densenet22"])
def test_a_module_bound_to_a_stack_answers_and_learns_as_it_does_with_the_stack_put_in(name):
    network = build(name, 10, None if "lenet" in name else 4)
    shape = (1, 28, 28) if "lenet" in name else (3, 16, 16)
    images = torch.rand(2, 5, *shape, generator=torch.Generator().manual_seed(0))

    def answered(use):
        stack = fresh_stack(network.module, [Replicate(seed=seed) for seed in range(2)], torch.device("cpu"))
        leaves = {n: stack[n].requires_grad_() for n, _ in network.module.named_parameters()}
        logits = use(stack)
        logits.square().sum().backward()
        return logits, *(leaf.grad for leaf in leaves.values()), *(t for n, t in stack.items() if n not in leaves)

    def in_its_place(stack):
        module = bound(network.module, stack)
        assert module is not None
        return module(images)

    put_in, in_place = answered(lambda stack: forward(network.module.train(), stack, images)), answered(in_its_place)
    assert all(
        one is not None and other is not None and torch.equal(one, other)
        for one, other in zip(put_in, in_place, strict=True)
    )
    assert bound(torch.nn.Linear(2, 2), {}) is None


def test_a_replicate_that_diverges_leaves_the_others_alone(recipe, replicates):
    network, stack, examples = start(recipe, replicates)
    stack["hidden.0.weight"][1] = float("nan")
    done = train(network.module, Progress(0, stack), examples, replicates, recipe, Part(2))
    healthy = trained(recipe, replicates, 2)
    assert done.epoch_losses[-1][1] != done.epoch_losses[-1][1]
    for r in (0, 2, 3):
        assert torch.equal(done.stack["output.weight"][r], healthy.stack["output.weight"][r])


def test_evaluating_after_an_epoch_does_not_change_training(objects_recipe):
    def trained_with(after_epoch):
        network, stack, examples = start(objects_recipe, [Replicate(seed=0)])
        return train(
            network.module, Progress(0, stack), examples, [Replicate(seed=0)], objects_recipe, Part(2),
            Hooks(after_epoch=lambda now: after_epoch(network.module, now.stack, examples)),
        )  # fmt: skip

    def look(module, stack, examples):
        evaluate(module, stack, examples.test_images, examples.test_labels, "imagenet")

    watched, left_alone = trained_with(look), trained_with(lambda *_: None)
    assert all(torch.equal(t, watched.stack[n]) for n, t in left_alone.stack.items())


def test_training_stops_when_all_have_diverged(recipe):
    network, stack, examples = start(recipe, [Replicate(seed=0)])
    stack["hidden.0.weight"][:] = float("nan")
    done = train(network.module, Progress(0, stack), examples, [Replicate(seed=0)], recipe, Part(3))
    assert done.epoch == 1


def test_replayed_steps_are_the_same_to_the_bit(recipe, replicates, monkeypatch):
    """The loop hands everything that changes to a step through its inputs or in place, as a captured step needs it."""
    from lib.training import loop
    from lib.training.cuda_graph import Replayed

    plain = trained(recipe, replicates, 2)

    class Remembering(Replayed):
        def __init__(self, function, capture):
            def replayable(function, slots):
                return lambda: function(*slots)

            super().__init__(function, replayable, lambda function, tensors: function(*tensors))

    monkeypatch.setattr(loop, "Replayed", Remembering)
    replayed = trained(recipe, replicates, 2)
    assert plain.epoch_losses == replayed.epoch_losses
    assert all(torch.equal(t, replayed.stack[n]) for n, t in plain.stack.items())
