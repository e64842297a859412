"""Several processes that train one network compute what one does, and go on after a kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lib.errors import InputError
from lib.stages import Store
from lib.training import prepare, processes
from lib.training.sources import make_source
from tests.training.trained_together import RECIPE, REPLICATES, trained

START = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def start(what: str, where: Path) -> subprocess.Popen:
    command = [*START, "-m", "tests.training.trained_together", what, str(where)]
    return subprocess.Popen(command, start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_two_processes_compute_what_one_does_with_the_same_batch(tmp_path):
    assert start("network", tmp_path / "two.pt").wait(timeout=120) == 0
    two, one = torch.load(tmp_path / "two.pt"), trained()
    assert len(one.epoch_losses) == 2 and torch.tensor(two["losses"]).allclose(torch.tensor(one.epoch_losses))
    for name, tensor in one.stack.items():
        torch.testing.assert_close(two["stack"][name], tensor.detach(), rtol=0, atol=1e-12)
    assert one.optimizer and two["optimizer"].keys() == one.optimizer.keys()
    for name, tensor in one.optimizer["momentum_buffer"].items():
        torch.testing.assert_close(two["optimizer"]["momentum_buffer"][name], tensor, rtol=0, atol=1e-12)


def kept(folder: Path) -> dict[str, torch.Tensor]:
    """Return every tensor of every stage."""
    store, found = Store(folder), {}
    for entry in map(store.find, store.keys()):
        assert entry and entry.record["processes"] == 2
        for group in ("weights", "masks", "examples"):
            found |= {f"{entry.key} {group} {name}": tensor for name, tensor in entry.tensors(group).items()}
    return found


@pytest.mark.slow
def test_killed_they_go_on_to_the_same_bits(tmp_path):
    assert start("chain", tmp_path / "whole").wait(timeout=200) == 0
    killed, until = start("chain", tmp_path / "killed"), time.monotonic() + 200
    entries, unfinished = tmp_path / "killed" / "entries", tmp_path / "killed" / "checkpoints"
    while not (entries.exists() and len([*entries.iterdir()]) == 1 and [*unfinished.glob("*.pt")]):
        assert killed.poll() is None and time.monotonic() < until, "the run ended before it could be killed"
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len([*entries.iterdir()]) < 3
    assert start("chain", tmp_path / "killed").wait(timeout=200) == 0
    whole, after = kept(tmp_path / "whole"), kept(tmp_path / "killed")
    assert whole.keys() == after.keys() and len(whole) > 100
    assert all(torch.equal(tensor, after[name]) for name, tensor in whole.items())


def test_what_processes_cannot_share_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    one_device = pytest.raises(
        InputError, match="several processes were given device 'cuda:1'; allowed: auto, cuda, cpu"
    )
    with one_device, processes.together("cuda:1"):
        pass
    monkeypatch.setattr(processes, "count", lambda: 3)
    with pytest.raises(InputError, match="3 processes were given a batch of 2 images, the last of 10 in batches of 4"):
        processes.share(torch.arange(10), 4)
    data = RECIPE.data.but(image_set="generated-objects", augmentation="none", train=8, validation=4, test=4)
    examples = prepare(data, REPLICATES, torch.device("cpu"))
    with pytest.raises(InputError, match="3 processes were given images that lie on the device. Allowed: one process"):
        make_source(examples, REPLICATES, RECIPE.but(data=data), 0)
