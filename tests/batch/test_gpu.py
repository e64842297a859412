"""Runs spread over the GPUs before they share one, and a dead run's place is free."""

import os
import select
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lib.batch import gpu
from lib.errors import InputError

HOLD = """
import os, sys
from pathlib import Path
from lib.batch.gpu import gpu_place
with gpu_place(["gpu-a", "gpu-b"], 2, Path(sys.argv[1])) as name:
    print(name, os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[0]


def test_places_of_two_gpus(tmp_path: Path) -> None:
    holders = [hold(tmp_path), hold(tmp_path)]
    try:
        places = {process: line_of(process) for process in holders}
        assert sorted(places.values()) == ["gpu-a", "gpu-b"]  # both GPUs before any second place
        holders += [hold(tmp_path), hold(tmp_path)]
        places |= {process: line_of(process) for process in holders[2:]}
        assert Counter(places.values()) == {"gpu-a": 2, "gpu-b": 2}
        fifth = hold(tmp_path)
        holders.append(fifth)
        assert fifth.stdout is not None
        assert not select.select([fifth.stdout], [], [], 1.0)[0]  # all places are taken: it waits
        victim = holders[2]
        victim.kill()
        victim.wait()
        assert line_of(fifth) == places[victim]
    finally:
        for process in holders:
            process.kill()
            process.communicate()


def test_the_variable_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpu.VARIABLE, "3,4")
    assert gpu.visible_gpus() == ["3", "4"]
    with gpu.gpu_place(["4"], folder=tmp_path) as name:
        assert (name, os.environ[gpu.VARIABLE]) == ("4", "4")
    assert os.environ[gpu.VARIABLE] == "3,4"
    monkeypatch.delenv(gpu.VARIABLE)
    with gpu.gpu_place(["4"], folder=tmp_path):
        pass
    assert gpu.VARIABLE not in os.environ
    with gpu.gpu_place([]) as name:
        assert name is None


def test_impossible_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 or more"), gpu.gpu_place(["0"], 0, tmp_path):
        pass
    with pytest.raises(InputError, match="not the name of a GPU"), gpu.gpu_place(["../x"], 1, tmp_path):
        pass
