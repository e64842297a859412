"""A replayed step does what the step does; here with a capture that only remembers, as no GPU is needed for that."""

import pytest
import torch

from lib.training.cuda_graph import WARM_UP, Replayed


@pytest.fixture
def counted():
    """Return a sum that a function adds its inputs to, and the list of how each call was made."""
    total, how = torch.zeros(()), []

    def add(first: torch.Tensor, second: torch.Tensor) -> None:
        total.add_((first * second).sum())

    def capture(function, slots):
        how.append("captured")

        def replay():
            how.append("replayed")
            function(*slots)

        return replay

    def beside(function, tensors):
        how.append("beside")
        function(*tensors)

    return add, capture, beside, total, how


def test_every_call_counts_once_however_it_is_made(counted):
    add, capture, beside, total, how = counted
    replayed = Replayed(add, capture, beside)
    expected = 0.0
    for number in range(6):
        inputs = torch.full((4,), float(number)), torch.arange(4.0)
        replayed(*inputs)
        expected += float((inputs[0] * inputs[1]).sum())
    replayed(torch.ones(2), torch.ones(2))  # the smaller last batch
    replayed(torch.ones(4), torch.ones(4))
    assert total.item() == expected + 2 + 4
    assert how == ["beside"] * WARM_UP + ["captured"] + ["replayed"] * 4


def test_without_a_captureer_the_function_is_called(counted):
    add, _, beside, total, how = counted
    replayed = Replayed(add, None, beside)
    for _ in range(6):
        replayed(torch.ones(3), torch.ones(3))
    assert total.item() == 18 and how == []
