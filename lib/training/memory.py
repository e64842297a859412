"""Keep freed memory instead of giving it back to the system at every step.

glibc returns large blocks to the kernel as soon as they are free, so each training step takes fresh pages for its
activations and gradients, and the kernel clears them. On a virtual machine that was half of a step of LeNet.
"""

import ctypes
import functools
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's numbers, malloc.h of glibc


@functools.cache
def keep_freed_memory() -> bool:
    """Tell the allocator of this process, once; return whether it understood (glibc only)."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))
