# %% [markdown]
# (ln-closing)=
# # What held under label noise
#
# The paper of {ref}`these pages <ln-opening>` makes 21 claims that can be tested. Each was written down as a formal test before
# it was run here. A claim is decided by the largest {term}`scale` that decides anything; at least three {term}`seeds <seed>` have to
# agree, see [How to read this book](../../how_to_read.md). What was measured decides this page: it is made anew with the tables.

# %% tags=["parameters"]
scale: str = "laptop"

# %% tags=["remove-input"]
from lib.charts import enable
from papers.label_noise.outcomes import count, outcomes

enable()
count()

# %% [markdown]
# ## What held

# %% tags=["remove-input"]
outcomes("reproduced")

# %% [markdown]
# ## What did not
#
# A claim that did not hold *here* may hold on the paper's networks. Look at the scale before you blame the paper: a laptop's
# LeNet sees a part of MNIST for a part of the epochs.

# %% tags=["remove-input"]
outcomes("not reproduced")

# %% [markdown]
# ## What we cannot tell
#
# Either the numbers are closer than the seeds are to each other, or a table lacks what the claim speaks of: CIFAR-100, a level
# that beats the dense network, a second seed. `paper` scale on a GPU would decide most of these.

# %% tags=["remove-input"]
outcomes("undecided", "not run")

# %% [markdown]
# ## What to take away
#
# 1. *Sparse* is not one thing under wrong labels. A little pruning and a lot of it can act in opposite directions, so a curve needs
#    many {term}`levels <level>`, and some far out ({ref}`Why others missed it <ln-missed-double-descent>`).
# 2. Ask which examples a network gets wrong, not only how many. Noisy, original and restored examples tell memory from
#    understanding ({ref}`Memorization over the epochs <ln-dynamics>`).
# 3. An explanation needs an experiment that could refute it. Giving the weights back is one: were a sparse network in a wide valley of
#    the loss, it would stay there ({ref}`What happens when the weights come back <ln-redense-training>`).
# 4. A measure has to be defined before it can explain. Where a pruned weight *is* decides whether
#    {ref}`the distance from initialization <ln-distance>` falls or rises.
#
# All verdicts of the book, of every scale, stand on [the scoreboard](../../scoreboard.md).
