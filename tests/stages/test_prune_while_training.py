"""Filters pruned while a network trains: counts, exact removal, noise for n batches, kills, and a plain script beside it."""

# Modules and series have no types of their own here.
# pyright: reportOptionalCall=false, reportOptionalSubscript=false, reportIndexIssue=false
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy

from lib import data
from lib.errors import InputError
from lib.models import build
from lib.models.filters import filters_of
from lib.stages import Store, checkpoint, run
from lib.stages.algorithms import pruning_while_training
from lib.stages.checkpoint import Checkpoint
from lib.stages.filter_events import FilterEvents
from lib.stages.prune_while_training import extra_masks, prune_while_training
from lib.stages.runner import Execution
from lib.stages.starting_point import initialize_replicate
from lib.training import DataRecipe, Part, Progress, Recipe, Replicate, learning_rate, prepare
from lib.training.loop import train
from lib.training.stack import stack_states

CPU = torch.device("cpu")
LAST, BEFORE_LAST = "layers.11.0.weight", "layers.10.0.weight"
EVENTS = FilterEvents(layers=(BEFORE_LAST, LAST), shares=(0.25, 0.5), first=(0, 1), last=(2, 3), every=2, schedule=6)


@pytest.fixture
def vgg() -> Recipe:
    """A narrow VGG-11 on generated objects: 96 images, six epochs of three steps."""
    return Recipe(
        benchmark="objects",
        data=DataRecipe(image_set="generated-objects", validation=50, train=96, test=60, normalization="cifar"),
        network="cifar-vgg11", width=4, normalization_scale="one", initial_weights="fan-out", initial_bias="zero",
        epochs=6, batch_size=32, optimizer="adam", learning_rate=1e-3, drop_epochs=(4,), record_epochs=True,
    )  # fmt: skip


SEEDS = [Replicate(seed=0), Replicate(seed=1)]


def not_stacked(classes: int, width: int):
    """A reader's network: its layers know no replicates, so that the loop calls it as it is."""
    module = build("cifar-resnet18-gated", classes, width).module
    module.stackable = False
    return module


def finished(recipe, events, store, replicates=SEEDS):
    chain = pruning_while_training("pruned", recipe, events)
    return [row[-1] for row in run(chain, replicates, store, "cpu", progress=False).entries]


@pytest.mark.parametrize(
    ("first", "last", "every", "count"), [(3, 150, 4, 37), (6, 275, 4, 68), (6, 275, 40, 7), (6, 275, 300, 1)]
)
def test_events_are_counted_as_the_released_code_does(first, last, every, count):
    events = FilterEvents(layers=("a",), shares=(0.9,), first=(first,), last=(last,), every=every, schedule=325)
    assert events.counts() == {"a": count}
    steps = events.steps(325 * 391)
    assert len(steps) == count and min(steps) == (first + 1) * 391


@pytest.mark.parametrize(
    ("every", "percent"), [(4, 1.3), (20, 6.4), (40, 12.9), (60, 18), (100, 30), (200, 45), (300, 90)]
)
def test_the_largest_share_of_an_event_is_that_of_figure_3(every, percent):
    events = FilterEvents(layers=("a",), shares=(0.9,), first=(6,), last=(275,), every=every, schedule=325)
    assert 90 / events.counts()["a"] == pytest.approx(percent, abs=0.06)


def test_filters_left_fall_to_what_the_share_leaves():
    events = FilterEvents(layers=("a",), shares=(0.9,), first=(6,), last=(275,), every=40, schedule=325)
    left = [events.left("a", 512, j) for j in range(8)]
    assert left == [512, 447, 381, 315, 250, 184, 118, 52]  # ⌈52 + 460 (7 − j) / 7⌉, and m = ⌈0.1 · 512⌉


def test_a_short_training_has_its_events_at_the_same_parts():
    events = FilterEvents(layers=("a",), shares=(0.9,), first=(9,), last=(29,), every=10, schedule=100)
    assert list(events.steps(1000)) == [100, 200, 300]
    assert list(events.steps(50)) == [5, 10, 15]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shares": (0.5,)}, "shares has 1"),
        ({"last": (2, 5)}, "the last before epoch 5"),
        ({"layers": (LAST, LAST)}, "each once"),
        ({"restore": True}, "allowed with 'zero' only"),
        ({"score": "l3"}, "l2"),
        ({"batches": 0}, "batches"),
    ],
)
def test_events_that_cannot_be_are_refused(change, said):
    with pytest.raises((ValidationError, InputError), match=said):
        EVENTS.but(**change)


def test_events_closer_than_a_step_are_refused():
    with pytest.raises(InputError, match="at least a step between two events"):
        EVENTS.but(every=1, schedule=50).steps(20)


@pytest.mark.parametrize(
    ("first", "last", "every", "steps", "where"),
    [
        (0, 6, 2, 5, "event 3 of 4 of .* on the step of the one before"),
        (8, 8, 1, 4, "event 1 of 1 of .* behind the last"),
    ],
)
def test_events_that_rounding_moves_onto_one_step_or_behind_the_last_are_refused(first, last, every, steps, where):
    events = EVENTS.but(layers=(LAST,), shares=(0.5,), first=(first,), last=(last,), every=every, schedule=10)
    with pytest.raises(InputError, match=where):
        events.steps(steps)


def test_noise_longer_than_the_time_between_events_is_refused():
    with pytest.raises(InputError, match="the next event of a layer comes after 6 steps"):
        EVENTS.but(effect="zero", batches=7).steps(18)


def test_filters_that_training_would_end_too_early_to_restore_are_refused():
    late = EVENTS.but(layers=(LAST,), shares=(0.5,), first=(0,), last=(0,), every=1, schedule=10, effect="zero")
    (step,) = late.steps(20)
    assert list(late.but(batches=20).steps(20)) == [step] == list(late.but(restore=True, batches=19 - step).steps(20))
    with pytest.raises(InputError, match="restores its filters after step 20, in a training of 20 steps"):
        late.but(restore=True, batches=20 - step).steps(20)


def test_exactly_as_many_filters_go_and_their_maps_are_zero(vgg, store):
    for entry in finished(vgg, EVENTS, store):
        masks, weights = entry.masks(), entry.tensors("weights")
        assert [int(masks[n].flatten(1).any(1).sum()) for n in EVENTS.layers] == [24, 16]
        network = build(vgg.network, 10, vgg.width)
        network.module.load_state_dict(weights)
        for own in filters_of(network.module, EVENTS.layers):
            maps = []
            layer = network.module.get_submodule(own.maps)
            layer.register_forward_hook(lambda _, given, out, maps=maps: maps.append(out.clone()))
            network.module.eval()(torch.randn(4, 3, 32, 32))
            gone = ~masks[own.weight].flatten(1).any(1)
            assert not maps[0][:, gone].any() and maps[0][:, ~gone].any()
            assert all(not weights[name][gone].any() for name in own.parameters)
        events = entry.record["filter_events"]
        assert [event["epoch"] for event in events] == [1, 2, 3, 4]
        targeted = [f for event in events for f in event["filters"].get(LAST, [])]
        assert len(set(targeted)) == len(targeted) == 16
        whole = sum(masks[name].sum() for name in network.prunable) / sum(
            masks[name].numel() for name in network.prunable
        )
        assert entry.record["weights_remaining_percent"] == pytest.approx(100 * float(whole))


def test_a_channel_that_a_shortcut_feeds_is_zero_too(vgg, store):
    recipe = vgg.but(network="cifar-resnet18-gated", initial_weights="uniform", initial_bias="uniform")
    events = FilterEvents(
        layers=("blocks.6.second.0.weight", "blocks.7.second.0.weight"), shares=(0.5, 0.25), first=(0, 0), last=(2, 2),
        every=2, schedule=6, score="activation", target="largest",
    )  # fmt: skip
    (entry,) = finished(recipe, events, store, SEEDS[:1])
    module = build(recipe.network, 10, recipe.width).module
    module.load_state_dict(entry.tensors("weights"))
    maps = []
    module.get_submodule("blocks.7").register_forward_hook(lambda _, given, out: maps.append(out))
    module.eval()(torch.randn(4, 3, 32, 32))
    gone = ~entry.masks()["blocks.7.second.0.weight"].flatten(1).any(1)
    assert gone.sum() == 8 and not maps[0][:, gone].any()
    assert torch.equal(entry.tensors("weights")["blocks.7.gate.open"] == 0, gone)


@pytest.mark.parametrize("network", ["cifar-resnet18-gated", "tests.stages.test_prune_while_training:not_stacked"])
def test_activations_are_recorded_of_what_is_trained(vgg, store, network):
    """Where nothing is recorded all filters are equal, and the smallest are the largest: the first ones."""
    recipe = vgg.but(network=network, initial_weights="uniform", initial_bias="uniform")
    events = FilterEvents(
        layers=("blocks.6.first.0.weight", "blocks.7.first.0.weight"), shares=(0.25, 0.25), first=(1, 1), last=(1, 1),
        every=1, schedule=6, score="activation",
    )  # fmt: skip
    taken = {}
    for target in ("smallest", "largest"):
        (entry,) = finished(recipe, events.but(target=target), store, SEEDS[:1])
        taken[target] = entry.record["filter_events"][0]["filters"]
    for layer in events.layers:
        small, large = taken["smallest"][layer], taken["largest"][layer]
        assert len(small) == len(large) > 1 and not {*small} & {*large}


def test_an_event_before_anything_is_recorded_is_refused(vgg, store):
    with pytest.raises(
        InputError, match=r"no activation of .* was recorded before the event at step 0. Allowed .*one process"
    ):
        finished(vgg, EVENTS.but(score="activation", first=(-1, -1), last=(-1, -1)), store, SEEDS[:1])


def test_without_a_gate_the_layer_is_refused(vgg, store):
    events = EVENTS.but(layers=("blocks.6.first.0.weight", "blocks.7.second.0.weight"))
    with pytest.raises(InputError, match="gated form"):
        finished(vgg.but(network="cifar-resnet18"), events, store)


@pytest.fixture
def one_thread():
    """Sums in one order: where several threads add, a maximum that rounding moves makes another network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_a_plain_script_prunes_the_same_filters_and_answers_the_same(vgg, store):
    """Sixty lines that do the obvious: one network, a list of removed filters, zeros put back after every step.

    With SGD, since Adam makes of the rounding of a zero gradient, as of a bias before normalization, a whole step.
    """
    vgg = vgg.but(optimizer="sgd", learning_rate=0.005, momentum=0.9)
    (entry,) = finished(vgg, EVENTS, store, SEEDS[:1])
    replicate = SEEDS[0]
    examples = prepare(vgg.data, [replicate], CPU)
    module = build(vgg.network, 10, vgg.width).module
    initialize_replicate(module, vgg, replicate)
    inputs = data.normalize(examples.train_images, data.normalization("cifar"))
    test = data.normalize(examples.test_images, data.normalization("cifar"))
    labels = examples.train_labels[0]
    convolution = {LAST: module.layers[11][0], BEFORE_LAST: module.layers[10][0]}
    normalization = {LAST: module.layers[11][1], BEFORE_LAST: module.layers[10][1]}
    removed = {LAST: [], BEFORE_LAST: []}
    due = {3: {BEFORE_LAST: 4}, 9: {BEFORE_LAST: 4}, 6: {LAST: 8}, 12: {LAST: 8}}  # step → layer → filters to remove

    def accuracy():
        module.eval()
        with torch.no_grad():
            found = (module(test).argmax(1) == examples.test_labels).double().mean().item()
        module.train()
        return 100 * found

    def clear():
        with torch.no_grad():
            for name, filters in removed.items():
                for tensor in (*convolution[name].parameters(), *normalization[name].parameters()):
                    tensor[filters] = 0

    optimizer = torch.optim.SGD(module.parameters(), vgg.learning_rate, vgg.momentum)
    record, step = [], 0
    module.train()
    for epoch in range(vgg.epochs):
        order = torch.randperm(96, generator=replicate.generator("data order", 0, epoch))
        for chosen in order.split(32):
            if step in due:
                before = accuracy()
                for name, count in due[step].items():
                    norms = convolution[name].weight.detach().flatten(1).norm(dim=1)
                    norms[removed[name]] = torch.inf
                    removed[name] += norms.argsort()[:count].tolist()
                clear()
                record.append((before, accuracy()))
            optimizer.param_groups[0]["lr"] = learning_rate(vgg, step, 3)
            optimizer.zero_grad()
            cross_entropy(module(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
            clear()
            step += 1
    found = [(event["before"]["test"], event["after"]["test"]) for event in entry.record["filter_events"]]
    assert torch.allclose(torch.tensor(found), torch.tensor(record), atol=2.0)  # one image of sixty is 1.7 %
    for name, filters in removed.items():
        gone = ~entry.masks()[name].flatten(1).any(1)
        assert sorted(filters) == gone.nonzero().flatten().tolist()
    ours = build(vgg.network, 10, vgg.width).module
    ours.load_state_dict(entry.tensors("weights"))
    with torch.no_grad():
        assert torch.allclose(ours.eval()(test), module.eval()(test), atol=1e-3)


@pytest.mark.parametrize("change", [
    {}, {"target": "random"}, {"effect": "gaussian", "batches": 2, "first_variance": 9.0},
    {"effect": "zero", "batches": 4, "restore": True}, {"effect": "zero", "batches": 4},
])  # fmt: skip
def test_a_run_killed_inside_goes_on_to_the_same_bits(change, vgg, tmp_path, monkeypatch):
    events = EVENTS.but(**change)
    whole = finished(vgg, events, Store(tmp_path / "whole"))
    real, saved = Checkpoint.save, []
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)

    def then_die(self, progress):
        real(self, progress)
        saved.append(progress.epoch)
        if len(saved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", then_die)
    with pytest.raises(KeyboardInterrupt):
        finished(vgg, events, Store(tmp_path / "killed"))
    monkeypatch.setattr(Checkpoint, "save", real)
    for one, other in zip(whole, finished(vgg, events, Store(tmp_path / "killed")), strict=True):
        assert one.record["filter_events"] == other.record["filter_events"]
        assert all(torch.equal(t, other.tensors("weights")[n]) for n, t in one.tensors("weights").items())


def hooked(vgg, events, seeds=SEEDS):
    """Return hooks and progress of a training that has not begun."""
    examples, network = prepare(vgg.data, seeds, CPU), build(vgg.network, 10, vgg.width)
    states = []
    for replicate in seeds:
        initialize_replicate(network.module, vgg, replicate)
        states.append({n: t.detach().clone() for n, t in network.module.state_dict().items()})
    stack = stack_states(states)
    masks = {n: torch.ones_like(stack[n], dtype=torch.bool) for n in network.prunable}
    progress = Progress(0, stack, masks | extra_masks(network.module, events, stack))
    return prune_while_training(events, network, seeds, examples, vgg, Part(vgg.epochs)), progress


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_zeroing_acts_before_exactly_n_training_batches(batches, vgg):
    hooks, progress = hooked(vgg, EVENTS.but(effect="zero", batches=batches, layers=(LAST, BEFORE_LAST)))
    acted = []
    for step in range(8):
        with torch.no_grad():
            hooks.before_step(step, progress)
            rows = progress.kept.get("targeted", {}).get(LAST)
            if rows is not None and rows.any():
                acted.append(not progress.stack[LAST][rows].any())
            progress.stack[LAST] += 1  # as a training step would change them
    assert acted[:batches] == [True] * batches and not any(acted[batches:])
    assert progress.masks[LAST].all(), "nothing is masked"


def test_restored_filters_are_what_they_were(vgg):
    hooks, progress = hooked(vgg, EVENTS.but(effect="zero", batches=2, restore=True))
    names = ("layers.10.0.weight", "layers.10.1.weight", "layers.10.1.running_var")
    for step in range(6):
        with torch.no_grad():
            before = {n: progress.stack[n].clone() for n in names}
            hooks.before_step(step, progress)
            rows = progress.kept.get("targeted", {}).get(BEFORE_LAST)
            if step == 3:
                at_event = before
                assert not progress.stack[names[0]][rows].any() and not progress.stack[names[1]][rows].any()
            if step == 5:
                assert all(torch.equal(progress.stack[n][rows], at_event[n][rows]) for n in names)
                assert not torch.equal(progress.stack[names[0]][~rows], at_event[names[0]][~rows])
            for name in names:
                progress.stack[name] += 0.5


def test_gaussian_noise_has_the_deviation_of_filters_that_are_not_targeted(vgg):
    wide = vgg.but(width=16)
    events = EVENTS.but(effect="gaussian", batches=1, first_variance=4.0, layers=(BEFORE_LAST, LAST))
    hooks, progress = hooked(wide, events, SEEDS[:1])
    before = progress.stack[BEFORE_LAST].clone()
    with torch.no_grad():
        hooks.before_step(3, progress)
    rows = progress.kept["targeted"][BEFORE_LAST]
    change = (progress.stack[BEFORE_LAST] - before)[rows]
    assert float(change.std() / before[~rows].std()) == pytest.approx(2.0, rel=0.05)
    assert torch.equal(progress.stack[BEFORE_LAST][~rows], before[~rows])


def test_the_optimizer_is_what_it_was_before_the_event(vgg):
    """Moments of filters that stay do not change at an event; training goes on with them."""
    events = EVENTS
    seen = {}
    hooks, progress = hooked(vgg, events, SEEDS[:1])
    examples, network = prepare(vgg.data, SEEDS[:1], CPU), build(vgg.network, 10, vgg.width)
    from dataclasses import replace

    def note(now):
        seen[now.epoch] = {n: t.clone() for n, t in now.optimizer["exp_avg"].items()}

    train(network.module, progress, examples, SEEDS[:1], vgg, Part(1), replace(hooks, after_epoch=note))
    assert float(progress.optimizer["step"][LAST]) == 3
    train(network.module, progress, examples, SEEDS[:1], vgg, Part(2), replace(hooks, after_epoch=note))
    assert float(progress.optimizer["step"][LAST]) == 6, "the same optimizer, three steps on"


def test_recorded_activations_are_the_mean_of_absolute_maps(vgg, store):
    """After one recorded batch the average is a tenth of the batch's mean |z|."""
    hooks, progress = hooked(vgg, EVENTS.but(score="activation"), SEEDS[:1])
    network = build(vgg.network, 10, vgg.width)
    examples = prepare(vgg.data, SEEDS[:1], CPU)
    part = Part(vgg.epochs)
    pruning = prune_while_training(EVENTS.but(score="activation"), network, SEEDS[:1], examples, vgg, part)
    own = {n: t[0].clone() for n, t in progress.stack.items()}
    assert pruning.watch
    pruning.watch(network.module)
    with torch.no_grad():
        pruning.before_step(0, progress)
        network.module.train()
        maps = []
        network.module.layers[11][1].register_forward_hook(lambda _, given, out: maps.append(out.clone()))
        torch.func.functional_call(network.module, progress.stack, (torch.randn(1, 8, 3, 32, 32),))
    expected = 0.1 * maps[0].abs().mean((0, 2, 3))
    assert torch.allclose(progress.kept["activation"][LAST][0], expected, atol=1e-6)
    assert own.keys() == progress.stack.keys()


def test_pruning_before_training_happens_at_step_zero(vgg, store):
    events = EVENTS.but(first=(-1, -1), last=(-1, -1))
    (entry,) = finished(vgg, events, store, SEEDS[:1])
    assert [event["epoch"] for event in entry.record["filter_events"]] == [0]
    network = build(vgg.network, 10, vgg.width)
    initialize_replicate(network.module, vgg, SEEDS[0])
    norms = network.module.get_parameter(LAST).detach().flatten(1).norm(dim=1)
    assert sorted(entry.record["filter_events"][0]["filters"][LAST]) == sorted(norms.argsort()[:16].tolist())


def test_a_stack_and_single_networks_prune_alike(vgg, tmp_path):
    events = EVENTS.but(target="random")
    together = run(
        pruning_while_training("pruned", vgg, events), SEEDS, Store(tmp_path / "a"), Execution("cpu"), progress=False
    )
    for index, replicate in enumerate(SEEDS):
        (alone,) = finished(vgg, events, Store(tmp_path / "b"), [replicate])
        assert alone.record["filter_events"] == together.entries[index][-1].record["filter_events"]
