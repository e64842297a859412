# %% [markdown]
# (ln-closing)=
# # Label noise: what held, and what did not
#
# The paper of {ref}`these pages <ln-opening>` makes 21 claims that can be tested. Each was written down as a formal test before it was run
# here. A claim is decided by the largest {term}`scale` that decides anything, and counts as not held if one network contradicts it. It
# takes three {term}`seeds <seed>`. What was measured decides this page: it is made anew with the tables.

# %% tags=["parameters"]
scale: str = "laptop"  # the committed tables of every scale are read; nothing is trained here

# %% tags=["remove-input"]
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import HELD, NOT_HELD, OPEN, outcome_list, outcomes, tally
from lib.analysis.statistics import FEWEST_REPLICATES
from lib.charts import enable
from papers.label_noise import observations

enable()
tables = committed_tables("label_noise")
found = outcomes("label_noise", tables)
lenet = [table for table in tables if table.benchmark == "mnist-lenet" and len(table.frame)]
lenet.sort(key=lambda table: len(table.seeds) < FEWEST_REPLICATES)  # what decides nothing does not lead
Markdown(tally(found))

# %% [markdown]
# ## What held

# %% tags=["remove-input"]
outcome_list(found[HELD])

# %% [markdown]
# ## What did not
#
# A claim that did not hold *here* may hold on the paper's networks. Look at the scale before you blame the paper: a laptop's LeNet sees a part
# of MNIST for a part of the epochs. And look at the definition: LN-C16 and LN-C18 depend on where a pruned weight is said to be, LN-C17 does
# not ({ref}`ln-distance`).

# %% tags=["remove-input"]
outcome_list(found[NOT_HELD])

# %% [markdown]
# ## What we cannot tell
#
# Either the numbers are closer to each other than seeds are, or a table lacks what the claim speaks of: CIFAR-100, a level that beats the
# dense network, a third seed. `paper` scale on a GPU would decide most of these.

# %% tags=["remove-input"]
outcome_list(found[OPEN])

# %% [markdown]
# ## The argument, line by line, with our numbers
#
# **Pruning hurts before it helps** ({ref}`ln-double-descent`, {ref}`ln-missed-double-descent`). A little pruning and a lot of it can act in
# opposite directions, so a curve needs many {term}`levels <level>`, and some far out.

# %% tags=["remove-input"]
observations.learned_double_descent(lenet)

# %% [markdown]
# **What goes is memory** ({ref}`ln-dynamics`). Ask which examples a network gets wrong, not only how many.

# %% tags=["remove-input"]
observations.learned_dynamics(lenet)

# %% [markdown]
# **Does the mask hold the network, or a flat valley?** ({ref}`ln-redense-training`, {ref}`ln-loss-landscape`) An explanation needs an experiment
# that could refute it. Giving the weights back is one: a network in a wide valley would stay.

# %% tags=["remove-input"]
observations.learned_redense_training(lenet)

# %% tags=["remove-input"]
observations.learned_loss_landscape(lenet)

# %% [markdown]
# **Near the initialization is safe?** ({ref}`ln-distance`) A measure has to be defined before it can explain. Where a pruned weight *is*
# can turn the distance around.

# %% tags=["remove-input"]
observations.learned_distance_from_initialization(lenet)

# %% [markdown]
# All verdicts of the book, of every scale, stand on [the scoreboard](../../scoreboard.md).
