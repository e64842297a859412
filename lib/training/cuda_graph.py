"""The same step again and again: captured once as a CUDA graph, then replayed with one launch.

On a GPU a step of a small network is hundreds of kernels of a few microseconds, each launched from Python. A captured step
works on fixed memory: its inputs are copied into slots before each replay. The first steps run as they are, on a side
stream, so that everything that is only set up once exists before capture; they are steps of the training like all others.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3

Function = Callable[..., None]


def capture_cuda_graph(function: Function, slots: list[Tensor]) -> Callable[[], None]:
    """Capture one call on these tensors without running it, and return what replays it."""
    graph, device = torch.cuda.CUDAGraph(), slots[0].device
    # "thread_local": images that are read from files are pinned meanwhile by another thread, which the usual mode forbids.
    captured = torch.cuda.graph(graph, stream=_side_stream(device), capture_error_mode="thread_local")
    with torch.cuda.device(device), captured:
        function(*slots)
    return graph.replay


@functools.cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the one side stream of a device, since memory that a stream has freed stays its own."""
    return torch.cuda.Stream(device)


def run_on_side_stream(function: Function, tensors: tuple[Tensor, ...]) -> None:
    """Call the function on a side stream, as capture will, and wait for it on the current one of the tensors' device."""
    device = tensors[0].device
    stream, current = _side_stream(device), torch.cuda.current_stream(device)
    stream.wait_stream(current)
    with torch.cuda.stream(stream):
        function(*tensors)
    current.wait_stream(stream)


class Replayed:
    """A function of tensors, called often with the same shapes.

    Args:
        function: does its work by changing tensors in place; returns nothing and never waits for the device.
        capture: makes a replay of a call on given tensors; None calls the function each time.
        warm_up: runs one of the first calls.
    """

    def __init__(
        self, function: Function, capture: Callable[[Function, list[Tensor]], Callable[[], None]] | None,
        warm_up: Callable[[Function, tuple[Tensor, ...]], None] = run_on_side_stream,
    ):  # fmt: skip
        self._function, self._capture, self._warm_up = function, capture, warm_up
        self._calls, self._slots = 0, []
        self._replay: Callable[[], None] | None = None

    def __call__(self, *tensors: Tensor) -> None:
        """Do what the function would do with these tensors; other shapes than the first call's are not captured."""
        self._calls += 1
        if self._calls == 1:
            self._shapes = [tensor.shape for tensor in tensors]
        if self._capture is None or [tensor.shape for tensor in tensors] != self._shapes:
            self._function(*tensors)
        elif self._calls <= WARM_UP:
            self._warm_up(self._function, tensors)
        else:
            if self._replay is None:
                self._slots = [tensor.clone() for tensor in tensors]
                self._replay = self._capture(self._function, self._slots)
            for slot, tensor in zip(self._slots, tensors, strict=True):
                slot.copy_(tensor)
            self._replay()
