"""Devices by name."""

import pytest
import torch

from lib.errors import InputError
from lib.training.device import describe_device, find_device
from lib.training.processor import keep_freed_memory, prepare_processor, use_wide_products


def test_automatic_and_named():
    assert find_device("cpu").type == "cpu"
    assert find_device("auto").type in ("cuda", "cpu")
    assert "CPU cores" in describe_device(torch.device("cpu"))


def test_a_missing_gpu_is_an_error():
    with pytest.raises(InputError, match="offers only"):
        find_device("cuda:99")
    with pytest.raises(InputError, match="Did you mean 'cuda'"):
        find_device("cudda")


def test_settings_of_the_processor_leave_float32_products_float32():
    prepare_processor()
    inputs, weights = (torch.randn(s, generator=torch.Generator().manual_seed(0)) for s in ((128, 784), (784, 300)))
    exact = inputs.double() @ weights.double()
    assert (inputs @ weights - exact).abs().max() < 1e-3  # rounding to bfloat16 would be off by 0.1
    assert (inputs.expand(4, -1, -1) @ weights.expand(4, -1, -1) - exact).abs().max() < 1e-3


def test_settings_that_are_not_understood_are_left_alone(monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"amx_tile": True, "avx512_bw": True}, raising=False)
    assert use_wide_products() is False
    monkeypatch.setattr("sys.platform", "darwin")
    assert keep_freed_memory() is False


def test_a_processor_that_would_round_keeps_its_setting(monkeypatch):
    monkeypatch.setattr("lib.training.processor._products_are_float32", lambda: False)
    before = torch.backends.mkldnn.matmul.fp32_precision  # pyright: ignore[reportAttributeAccessIssue]
    assert use_wide_products() is False
    assert torch.backends.mkldnn.matmul.fp32_precision == before  # pyright: ignore[reportAttributeAccessIssue]
