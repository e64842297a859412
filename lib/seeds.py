"""Every random choice has its own generator, named by (seed, purpose, counters).

A generator is derived, never carried along: generator(3, "data order", level, epoch) is the same stream in any
process, on any device and in any stack, so resuming needs no generator state and one purpose can be
varied while the others stay as they are.
"""

import hashlib

import torch


def derived_seed(seed: int, purpose: str, *counters: int) -> int:
    """Return a 63-bit seed that depends on all arguments; different purposes give independent streams."""
    text = "/".join(map(str, (seed, purpose, *counters)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *counters: int) -> torch.Generator:
    """Return a CPU generator for one purpose of one replicate.

    Random numbers are always drawn on the CPU and then moved, so that a GPU run uses the same ones.

    Args:
        seed: the replicate's seed.
        purpose: what the numbers are for, such as "initialization", "data order" or "label noise".
        counters: what distinguishes uses within the purpose, such as (stage, epoch).
    """
    return torch.Generator().manual_seed(derived_seed(seed, purpose, *counters))
