"""The checks that a new device has to pass, here on the CPU, and that they can fail."""

import pytest
import torch

from book.costs import check


@pytest.fixture(autouse=True)
def one_network(monkeypatch):
    """Convolutions take half a minute; that they train alike in every way is tested elsewhere."""
    monkeypatch.setattr(check, "SHAPES", {"lenet-300-100": (1, 28, 28)})


def test_the_cpu_passes(capsys):
    assert check.main(["--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "all passed" in printed and "units left out" in printed


def test_a_device_that_computes_something_else_fails(monkeypatch, capsys):
    honest = check._gradients

    def wrong_once(name, device):
        monkeypatch.setattr(check, "_gradients", honest)
        return [t + 1e-6 for t in honest(name, device)]

    monkeypatch.setattr(check, "_gradients", wrong_once)
    assert check.main(["--device", "cpu"]) == 1
    assert "1 of 10 failed" in capsys.readouterr().out


def test_relative_difference_of_stacks():
    one = {"a": torch.tensor([[1.0, 2.0]])}
    assert check._apart(one, {"a": torch.tensor([[1.0, 2.5]])}) == 0.25
