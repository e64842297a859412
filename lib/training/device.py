"""Which device computes, and how it rounds."""

import contextlib
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from lib.errors import InputError, unknown
from lib.training.recipe import Precision


def find_device(name: str = "auto") -> torch.device:
    """Return the device of that name.

    Args:
        name: "cpu", "cuda", "cuda:1", "mps", or "auto" for cuda where it is there and cpu elsewhere. An Apple GPU has no
            float64, which some scores and measurements need: it is used where it is asked for.

    Raises:
        InputError: if the name is unknown or the device is not there: a run never falls back silently.
    """
    kind, _, index = name.partition(":")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if kind not in there or (index and not index.isdigit()):
        raise unknown("device", name, [*there, "cuda:1", "auto"])
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if not there[kind] or int(index or 0) >= count:
        usable = [kind for kind, available in there.items() if available]
        raise InputError(
            f"device {name!r} was asked for, but this machine offers only {', '.join(usable)} ({count} of its kind)"
        )
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Return the device in words for provenance, such as "2 CPU cores (AMD EPYC)" or "NVIDIA H200"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.*\S)", info.read_text(), re.MULTILINE) if info.exists() else []
    model = names[0] if names else platform.processor() or platform.machine()
    kind = "Apple GPU, " if device.type == "mps" else ""
    return f"{kind}{os.cpu_count()} CPU cores ({model})"


@contextlib.contextmanager
def arithmetic(device: torch.device, precision: Precision, deterministic: bool | None = None) -> Iterator[None]:
    """Set how a device computes for the length of a block, and put it back after it.

    Args:
        device: where the block computes. Only CUDA has these settings: on a CPU each operation adds up in a fixed order,
            so that a run repeats itself to the bit for a given number of threads, whatever is asked for.
        precision: "tf32" lets float32 products round their factors to 10 bits of mantissa.
        deterministic: on CUDA, choose only operations that repeat themselves to the bit, and convolutions without trying
            which is fastest; an operation that cannot is an error. None leaves it as it is around the block.
    """
    if device.type != "cuda":
        yield
        return
    # Read when the first matrices are multiplied; without it cuBLAS may add up in any order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    matrices: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    before = matrices.allow_tf32, convolutions.allow_tf32, convolutions.benchmark
    fixed = torch.are_deterministic_algorithms_enabled()
    deterministic = fixed if deterministic is None else deterministic
    matrices.allow_tf32 = convolutions.allow_tf32 = precision == "tf32"
    convolutions.benchmark = not deterministic
    torch.use_deterministic_algorithms(deterministic)
    try:
        yield
    finally:
        matrices.allow_tf32, convolutions.allow_tf32, convolutions.benchmark = before
        torch.use_deterministic_algorithms(fixed)
