"""The runner: shares beginnings, resumes to the bit, survives kills, and says when numbers change."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from torch import nn

from lib.errors import InputError
from lib.models import build
from lib.stages import (
    Execution,
    Prune,
    Store,
    checkpoint,
    housekeeping,
    run,
    run_all,
    stage_keys,
    starting_point,
    train_stage,
)
from lib.stages import runner as runner_module
from lib.stages.algorithms import (
    extended_dense_training,
    learning_rate_rewinding,
    redense_training,
    weight_rewinding,
)
from lib.stages.entry import unpack
from lib.training import Replicate, prepare

PRUNE = Prune(fraction=0.5)


def bits(results):
    """Return all weights of all stages, to compare runs bit for bit."""
    return [
        {name: tensor.clone() for name, tensor in entry.tensors("weights").items()}
        for row in results.entries
        for entry in row
    ]


def same(one, other):
    return all(torch.equal(t, b[n]) for a, b in zip(bits(one), bits(other), strict=True) for n, t in a.items())


def metrics(results):
    return [entry.record["metrics"] for row in results.entries for entry in row]


def quick(chain, replicates, store, **options):
    return run(chain, replicates, store, Execution("cpu", **options), progress=False)


def test_a_second_run_trains_nothing(recipe, replicates, store, monkeypatch):
    chain = learning_rate_rewinding(recipe, 2, PRUNE)
    first = quick(chain, replicates, store)
    monkeypatch.setattr(runner_module, "train_stage", lambda *a: pytest.fail("trained again"))
    second = quick(chain, replicates, store)
    assert metrics(first) == metrics(second)


def test_what_another_process_trains_is_left_to_it_while_there_is_other_work(recipe, replicates, store):
    """It trains the first stage of one replicate: the others are brought to the ends of both chains meanwhile."""
    chains = [learning_rate_rewinding(recipe, 1, PRUNE), weight_rewinding(recipe, 1, PRUNE)]
    keys = [{key for chain in chains for key in stage_keys(chain, one, "float32")} for one in replicates]
    with ThreadPoolExecutor(1) as thread:
        with FileLock(store.locks / f"{stage_keys(chains[0], replicates[2], 'float32')[0]}.lock"):
            running = thread.submit(lambda: [*run_all(chains, replicates, store, "cpu", progress=False)])
            until = time.monotonic() + 60
            while not (others := set.union(*keys[:2], *keys[3:])) <= {*store.keys()} and time.monotonic() < until:
                time.sleep(0.05)
            assert set(store.keys()) == others and not running.done()
        results = running.result(timeout=60)
    assert [one.chain for one in results] == chains
    assert [len(row) for one in results for row in one.entries] == 8 * [3]


def test_one_bar_counts_several_runs(recipe, replicates, store):
    """Chains share its dense network, so the bar of a page has less to do than the bars of its chains."""
    dense = recipe.epochs - recipe.rewind_epoch
    total = len(replicates) * (recipe.epochs + dense + dense)
    bar = runner_module.progress_bar(total, shown=True)
    run(learning_rate_rewinding(recipe, 1, PRUNE), replicates, store, "cpu", bar)
    assert (bar.n, bar.total) == (total - len(replicates) * dense, total)
    run(learning_rate_rewinding(recipe, 1, PRUNE), replicates, store, "cpu", bar)
    assert (bar.n, bar.total) == (total - len(replicates) * dense, total), "what is there is not counted again"
    run(extended_dense_training(recipe, 1), replicates, store, "cpu", bar)
    assert (bar.n, bar.total) == (total, total) and "extended dense training: 100%" in str(bar) and " left" in str(bar)


def test_algorithms_share_the_dense_network(recipe, replicates, store):
    quick(learning_rate_rewinding(recipe, 2, PRUNE), replicates, store)
    before = set(store.keys())
    quick(weight_rewinding(recipe, 2, PRUNE), replicates, store)
    quick(extended_dense_training(recipe, 1), replicates, store)
    # Level 1 of both rewindings prunes the same network but trains from other weights.
    assert len(set(store.keys()) - before) == len(replicates) * (2 + 1)


def test_masks_of_a_chain(recipe, store):
    """Exact counts; each level's mask lies inside the one before; pruned weights are zero."""
    (row,) = quick(learning_rate_rewinding(recipe, 3, PRUNE), [Replicate(seed=0)], store).entries
    counts, previous = [], None
    for entry in row:
        masks = entry.masks()
        counts.append(sum(int(m.sum()) for m in masks.values()))
        weights = entry.tensors("weights")
        assert all(weights[name][~mask].eq(0).all() for name, mask in masks.items())
        if previous:
            assert all(bool((previous[name] | ~mask).all()) for name, mask in masks.items())
        previous = masks
    assert counts == [265_200, 265_200, 132_600, 66_300, 33_150]


def test_a_level_may_say_what_share_of_all_weights_it_keeps(recipe, store):
    chain = learning_rate_rewinding(recipe, 1, Prune(keep=0.1))
    (row,) = quick(chain, [Replicate(seed=0)], store).entries
    assert row[-1].record["weights_remaining_percent"] == pytest.approx(10)


def readers_network(classes: int) -> nn.Module:
    """A network of the reader's own."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.Tanh(), nn.Linear(20, classes))


def test_a_readers_own_network_is_pruned_and_trained(recipe, store):
    own = recipe.but(network=f"{__name__}:readers_network")
    (row,) = quick(learning_rate_rewinding(own, 1, PRUNE), [Replicate(seed=0)], store).entries
    assert {name: mask.shape for name, mask in row[-1].masks().items()} == {
        "1.weight": (20, 784), "3.weight": (10, 20),
    }  # fmt: skip
    assert row[-1].record["weights_remaining_percent"] == 50


def test_a_replicate_given_twice_is_an_error(recipe, store):
    with pytest.raises(InputError, match="seed=1.* is there twice"):
        quick(
            learning_rate_rewinding(recipe, 1, PRUNE), [Replicate(seed=0), Replicate(seed=1), Replicate(seed=1)], store
        )


def test_rewinding_really_restores(recipe, store):
    """With no epochs after rewinding, the weights are those of the first stage under the mask."""
    frozen = weight_rewinding(recipe, 1, PRUNE)
    last = frozen.stages[-1].but(from_epoch=1, to_epoch=1)
    chain = frozen.but(stages=(*frozen.stages[:-1], last))
    (row,) = quick(chain, [Replicate(seed=0)], store).entries
    masks = row[-1].masks()
    first, rewound = row[0].tensors("weights"), row[-1].tensors("weights")
    for name, tensor in first.items():
        assert torch.equal(rewound[name], tensor * masks[name] if name in masks else tensor)


class Killed(Exception):
    pass


@pytest.mark.parametrize("kind", ["recipe", "objects_recipe"])
def test_a_stage_resumes_from_its_checkpoint_to_the_bit(kind, request, store, monkeypatch, replicates):
    recipe = request.getfixturevalue(kind).but(epochs=4)
    replicates = replicates if kind == "recipe" else replicates[1:2]  # which would train one after the other
    chain = learning_rate_rewinding(recipe, 1, PRUNE)
    whole = quick(chain, replicates, Store(store.folder.parent / "whole"))
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    real = checkpoint.Checkpoint.save
    saved = []

    def then_die(self, progress):
        real(self, progress)
        saved.append(progress.epoch)
        if len(saved) in (2, 3):
            raise Killed

    monkeypatch.setattr(checkpoint.Checkpoint, "save", then_die)
    for _ in range(2):
        with pytest.raises(Killed):
            quick(chain, replicates, store)
    resumed = quick(chain, replicates, store)
    assert same(whole, resumed) and metrics(whole) == metrics(resumed)
    assert not list((store.folder / "checkpoints").iterdir())


def while_captured() -> RuntimeError:
    """Return what is raised when memory runs out while a step is captured: capture ends with an error of its own."""
    failed = RuntimeError("operation failed due to a previous error during capture")
    failed.__context__ = torch.OutOfMemoryError("CUDA out of memory. Tried")
    return failed


@pytest.mark.parametrize(
    "refusal",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        while_captured(),
    ],
)
def test_a_stack_that_does_not_fit_is_divided(recipe, replicates, store, monkeypatch, refusal):
    """Of stacks of 4, 2 and 1 replicates only the last two fit; the work done before memory ran out is kept."""
    chain = learning_rate_rewinding(recipe, 1, PRUNE)
    sizes = []

    def refuse_some(context, position, chosen, *rest):
        if len(chosen) > 2 and position > 0:
            raise refusal
        sizes.append((position, len(chosen)))
        train_stage.train_stage(context, position, chosen, *rest)

    monkeypatch.setattr(runner_module, "train_stage", refuse_some)
    with pytest.warns(UserWarning, match="stack of 4 replicates does not fit in memory .* stacks of 2"):
        results = quick(chain, replicates, store)
    assert sizes == [(0, 4), (1, 2), (2, 2), (1, 2), (2, 2)]
    assert [len(row) for row in results.entries] == [3] * 4


def test_a_single_replicate_that_does_not_fit_is_an_error(recipe, replicates, store, monkeypatch):
    def refuse(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(runner_module, "train_stage", refuse)
    with pytest.warns(UserWarning, match="does not fit"), pytest.raises(torch.OutOfMemoryError):
        quick(learning_rate_rewinding(recipe, 0, PRUNE), replicates, store)


def test_other_errors_are_not_taken_for_full_memory(recipe, replicates, store, monkeypatch):
    def fail(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(runner_module, "train_stage", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        quick(learning_rate_rewinding(recipe, 0, PRUNE), replicates, store)


def test_a_precision_that_the_device_lacks_is_an_error(recipe, replicates, store):
    with pytest.raises(InputError, match="only CUDA devices have it; allowed: float32, bfloat16"):
        quick(learning_rate_rewinding(recipe, 0, PRUNE), replicates, store, precision="tf32")


def test_what_is_damaged_is_found_when_it_is_read_and_trained_again(recipe, replicates, store):
    """Level 1 of two replicates is damaged: longer chains read it, train it again, and go on."""
    chain = learning_rate_rewinding(recipe, 1, PRUNE)
    before = bits(quick(chain, replicates[:1], store))
    quick(chain, replicates[1:3], store)
    victims = [quick(chain, [r], store).entries[0][2] for r in replicates[:2]]
    for victim in victims:
        file = victim.folder / "weights.safetensors"
        content = bytearray(file.read_bytes())
        content[-2] ^= 4
        file.write_bytes(content)
    with pytest.warns(UserWarning, match="weights.safetensors differs from its checksum") as warned:
        longer = quick(learning_rate_rewinding(recipe, 2, PRUNE), replicates[:3], store)
    assert {str(w.message)[:32] for w in warned} == {victim.key for victim in victims}
    assert [len(row) for row in longer.entries] == [4, 4, 4]
    for weights, entry in zip(before, longer.entries[0], strict=False):  # it was trained alone both times
        assert all(torch.equal(entry.tensors("weights")[name], t) for name, t in weights.items())


def test_results_give_the_reported_networks(recipe, replicates, store):
    results = quick(learning_rate_rewinding(recipe, 1, PRUNE), replicates[:2], store)
    found = [(r.noise_percent, s.level, e.key) for r, s, e in results.reported()]
    assert found == [
        (noise, level, row[level + 1].key)
        for noise, row in zip((0.0, 20.0), results.entries, strict=True)
        for level in (0, 1)
    ]


def test_cleaning_leaves_what_a_run_has_looked_up(recipe, replicates, store):
    """A20: another process must not delete what this one still reads."""
    results = quick(learning_rate_rewinding(recipe, 0, PRUNE), replicates[:1], store)
    assert housekeeping.clean(Store(store.folder), keep=[]) == []
    assert results.entries[0][-1].tensors("weights")
    keys, folder = store.keys(), store.folder
    store._in_use.release()  # as when its process ends
    assert housekeeping.clean(Store(folder), keep=[]) == keys and not [*folder.glob("locks/in-use*")]


def test_divergence_is_recorded_and_ends_that_replicate(recipe, store, monkeypatch):
    replicates = [Replicate(seed=0), Replicate(seed=1)]
    real = starting_point.starting_point

    def poisoned(network, chain, position, replicate, *rest):
        weights, masks = real(network, chain, position, replicate, *rest)
        if replicate.seed == 1:
            weights["output.bias"][0] = float("nan")
        return weights, masks

    monkeypatch.setattr(train_stage, "starting_point", poisoned)
    with pytest.warns(UserWarning, match="seed 1, .* no longer finite in epoch 0 of level 0"):
        results = quick(learning_rate_rewinding(recipe, 2, PRUNE), replicates, store)
    assert [len(row) for row in results.entries] == [4, 1]
    assert results.entries[1][0].record["diverged_in_epoch"] == 0
    assert results.entries[1][0].record["diverged"] and not results.entries[0][-1].record["diverged"]
    monkeypatch.setattr(runner_module, "prepare", lambda *given: pytest.fail("loads images for stages that never come"))
    again = quick(learning_rate_rewinding(recipe, 2, PRUNE), replicates, store)
    assert [len(row) for row in again.entries] == [4, 1]


def test_a_bar_is_not_left_waiting_for_one_that_diverged(recipe, store, monkeypatch):
    real = starting_point.starting_point

    def poisoned(*given):
        weights, masks = real(*given)
        weights["output.bias"][0] = float("nan")
        return weights, masks

    monkeypatch.setattr(train_stage, "starting_point", poisoned)
    bar = runner_module.progress_bar(1000, shown=False)
    due = 3 * (recipe.epochs - recipe.rewind_epoch) + recipe.rewind_epoch
    with pytest.warns(UserWarning, match="no longer finite"):
        next(run_all([learning_rate_rewinding(recipe, 2, PRUNE)], [Replicate(seed=1)], store, "cpu", bar))
    assert bar.total - bar.n == 1000 - due


def test_per_example_records_agree_with_the_metrics(recipe, store):
    (row,) = quick(learning_rate_rewinding(recipe, 1, PRUNE), [Replicate(seed=0, noise_percent=20.0)], store).entries
    record, kept = row[-1].record, row[-1].tensors("examples")
    by_subset = {m["subset"]: m for m in record["metrics"]}
    assert set(by_subset) == {"train", "train_noisy", "train_original", "validation", "test"}
    correct = unpack(kept["train_correct"], [300])
    assert 100 * (1 - correct.double().mean().item()) == pytest.approx(by_subset["train"]["error_percent"])
    mean = kept["train_losses"].double().mean().item()
    assert mean == pytest.approx(by_subset["train"]["cross_entropy_nats"], rel=1e-3)
    assert by_subset["train_noisy"]["examples"] == 60 and by_subset["train_original"]["examples"] == 240


GOLDEN = """
import sys
from tests.stages.test_runner import golden_run
golden_run(sys.argv[1])
"""


def golden_run(folder):
    """Three levels of three epochs on generated digits; long enough to be killed in the middle of."""
    from lib.training import DataRecipe, Recipe

    recipe = Recipe(
        benchmark="digits", network="lenet-300-100", epochs=25, batch_size=32, optimizer="adam", learning_rate=1.2e-3,
        data=DataRecipe(image_set="generated-digits", validation=100, normalization="mnist"),
    )  # fmt: skip
    chain = learning_rate_rewinding(recipe, 3, PRUNE)
    return quick(chain, [Replicate(seed=s, noise_percent=20.0) for s in (0, 1)], Store(folder))


def start_process(folder) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", GOLDEN, str(folder)], env=environment)


def entries(folder: Path) -> set[str]:
    place = folder / "entries"
    return {p.name for p in place.iterdir()} if place.exists() else set()


@pytest.mark.slow
def test_kill_nine_in_the_middle_loses_nothing_and_two_processes_train_once(tmp_path):
    """Kill -9 while training, run again, twice at once: finished stages stay, the result equals an uninterrupted run's."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = golden_run(tmp_path / "whole")
    finally:
        torch.set_num_threads(threads)
    folder = tmp_path / "killed"
    process = start_process(folder)
    while len(entries(folder)) < 4 and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = {p: p.stat().st_mtime_ns for p in (folder / "entries").iterdir()}
    assert 4 <= len(finished) < 10
    both = [start_process(folder), start_process(folder)]
    assert [p.wait(timeout=300) for p in both] == [0, 0]
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    resumed = golden_run(folder)
    assert len(entries(folder)) == 10 and same(whole, resumed) and metrics(whole) == metrics(resumed)


def test_rewinding_goes_back_to_a_step(recipe, replicates, store):
    """The first stage ends within an epoch; the second begins there, with as many steps in all as the schedule has."""
    stepped = recipe.but(rewind_epoch=0, rewind_step=7, record_epochs=True)
    done = quick(weight_rewinding(stepped, 1, PRUNE), replicates[:1], store).entries[0]
    steps = -(-300 // recipe.batch_size)
    assert len(done[0].record["train_losses"]) == 2  # 7 steps reach into the second epoch of 5
    assert steps == 5 and len(done[1].record["train_losses"]) == recipe.epochs - 1
    at_step, masks = done[0].tensors("weights"), done[2].masks()
    examples = prepare(recipe.data, replicates[:1], torch.device("cpu"))
    chain = weight_rewinding(stepped, 1, PRUNE)
    before, _ = starting_point.starting_point(build(recipe.network), chain, 2, replicates[0], done[:2], examples)
    assert all(torch.equal(before[n], at_step[n] * masks[n]) for n in masks)


def test_lifting_masks_changes_the_function_only_by_training(recipe, replicates, store):
    """Re-dense training starts at the sparse network: the same weights, zeros for the pruned ones, no mask (LN 3.3)."""
    chain = redense_training(recipe, 1, PRUNE)[1]
    done = quick(chain, replicates[:1], store).entries[0]
    network, position = build(recipe.network), len(chain.stages) - 1
    start, masks = starting_point.starting_point(network, chain, position, replicates[0], done[:-1], None)  # pyright: ignore
    sparse = done[-2].tensors("weights")
    assert all(torch.equal(start[name], tensor) for name, tensor in sparse.items())
    assert all(bool(mask.all()) for mask in masks.values())
    was_pruned = {name: ~mask for name, mask in done[-2].masks().items()}
    ended = done[-1].tensors("weights")
    assert all((ended[name][gone] != 0).any() for name, gone in was_pruned.items())
    assert done[-1].record["weights_remaining_percent"] == 100
    assert len(done[-1].record["train_losses"]) == recipe.epochs
