"""One thin PyTorch core for research on pruning and generalization; each room is a page per idea."""

import os
import time
from pathlib import Path


def _busy_cores(seconds: float = 0.05) -> float:
    """Return how many cores other processes keep busy right now; 0 where the system does not tell."""
    clock = Path("/proc/stat")
    if not clock.exists():
        return 0.0

    def ticks() -> list[int]:
        return [int(n) for n in clock.read_text().splitlines()[0].split()[1:]]

    before = ticks()
    time.sleep(seconds)
    passed = [after - earlier for after, earlier in zip(ticks(), before, strict=True)]
    idle = passed[3] + passed[4]  # idle, and waiting for a disk
    return (os.cpu_count() or 1) * (1 - idle / max(1, sum(passed)))


# How the threads of a parallel loop wait for each other is read once, when torch is loaded. Spinning, the default, is two to
# three times faster for LeNet on an idle machine. Where another process computes too, spinning threads hold up the very
# work that they wait for, and a step took 20 times longer; there they sleep. It changes no result.
if "OMP_WAIT_POLICY" not in os.environ and _busy_cores() > 0.5:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
