"""Devices by name."""

import pytest
import torch

from lib.errors import InputError
from lib.training.device import describe_device, find_device
from lib.training.memory import keep_freed_memory


def test_automatic_and_named():
    assert find_device("cpu").type == "cpu"
    assert find_device("auto").type in ("cuda", "mps", "cpu")
    assert "CPU cores" in describe_device(torch.device("cpu"))


def test_a_missing_gpu_is_an_error():
    with pytest.raises(InputError, match="offers only"):
        find_device("cuda:99")
    with pytest.raises(InputError, match="Did you mean 'cuda'"):
        find_device("cudda")


def test_memory_setting_is_understood_or_ignored():
    assert keep_freed_memory() in (True, False)
