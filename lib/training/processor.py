"""Settings of this process that make training on a CPU faster, and how large matrices are multiplied there.

Memory: glibc returns large blocks to the kernel as soon as they are free, so each training step takes fresh pages for
its activations and gradients, and the kernel clears them. On a virtual machine that was half of a step of LeNet.

Products: PyTorch multiplies float32 matrices with MKL, which uses half of the vector width of AMD's processors. oneDNN,
also inside PyTorch, uses all of it and was twice as fast, but PyTorch only asks it where reduced precision is allowed. On
x86 processors without matrix tiles (AMX) oneDNN computes in float32 all the same, and a product tells whether it does.
"""

import ctypes
import functools
import sys

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's numbers, malloc.h of glibc


@functools.cache
def prepare_processor() -> None:
    """Set up this process for training on its CPU, once; changes no result beyond the order of float32 sums."""
    keep_freed_memory()
    use_wide_products()


def keep_freed_memory() -> bool:
    """Let the allocator keep freed memory; return whether it understood (glibc only)."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def use_wide_products() -> bool:
    """Let oneDNN multiply float32 matrices where it is the faster one and stays in float32; return whether it does."""
    settings = getattr(torch.backends.mkldnn, "matmul", None)
    processor = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if settings is None or not processor.get("avx512_bw") or processor.get("amx_tile", True):
        return False
    before = settings.fp32_precision
    settings.fp32_precision = "bf16"
    if not _products_are_float32():
        settings.fp32_precision = before
        return False
    return True


def _products_are_float32() -> bool:
    """Return whether products with the identity keep every bit of a float32, alone and in a batch."""
    values = torch.rand(3, 128, 256, generator=torch.Generator().manual_seed(0)) + 1
    identity = torch.eye(256)
    batched = torch.bmm(values, identity.expand(3, -1, -1))
    return torch.equal(batched, values) and torch.equal(values[0] @ identity, values[0])
