"""What training takes is found from shapes: it grows with what is stacked, and no image is read."""

import pytest
import torch

from lib.analysis.memory import _network, most_memory, stack_of
from papers.training_regularization.recipes import plan

LENET, RESNET = (plan(name, "paper").recipe for name in ("mnist-lenet", "cifar10-resnet20"))


def test_weights_are_counted_and_what_a_step_saves_is_what_autograd_saves():
    weights, saved, alive = _network("lenet-300-100", None, "mnist", (1, 28, 28), "float32")
    assert weights == 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
    assert 4 * (784 + 300 + 100) <= saved <= 4 * (784 + 2 * 300 + 2 * 100 + 10), (
        "inputs of three products, signs of two"
    )
    assert 4 * (784 + 300) <= alive <= 4 * (784 + 5 * 300)


def test_lower_precision_saves_half():
    asked = "cifar-resnet20", None, "cifar10", (3, 32, 32)
    (_, whole, alive), (_, half, exact) = (_network(*asked, precision) for precision in ("float32", "bfloat16"))
    assert half == pytest.approx(whole / 2, rel=0.05) and exact == alive
    assert alive >= 3 * 4 * 16 * 32 * 32, "the shortcut, the input and the output of a convolution"


def test_memory_grows_with_the_stack_and_the_batch_and_a_device_holds_less_than_a_process():
    one, many = most_memory(LENET, 1), most_memory(LENET, 12)
    assert one < many < one + 12 * 266_610 * 4 * 8
    assert most_memory(RESNET.but(batch_size=4096), 1) > 2 * most_memory(RESNET, 1)
    assert most_memory(RESNET, 1, kind="cuda") < most_memory(RESNET, 1)


def test_convolutions_train_one_at_a_time_on_a_processor():
    assert [stack_of(LENET, 12), stack_of(RESNET, 12), stack_of(RESNET, 12, "cuda")] == [12, 1, 12]
    assert stack_of(RESNET.but(network="imagenet-resnet50", data={"image_set": "imagenet"}), 12, "cuda") == 1
    assert not torch.cuda.is_initialized()
