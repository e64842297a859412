"""One thin PyTorch core for research on pruning and generalization; each room is a page per idea."""

import os

# Threads of a parallel loop wait asleep, not spinning. On a machine that does something else as well, spinning threads
# hold up the very work that they wait for: a step of LeNet took 20 times longer. Read once, when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
