# %% [markdown]
# (lip-closing)=
# # Lost in pruning: what held, and what did not
#
# The paper of {ref}`these pages <lip-opening>` makes 28 claims that can be tested. Each was written down as a formal test before any of its networks was measured here. A claim is decided by the largest {term}`scale` that
# decides anything, and counts as not held if one network contradicts it. It takes three {term}`seeds <seed>`, each a parent of its own. What was measured decides this page: it is made anew with the tables.

# %% tags=["parameters"]
scale: str = "laptop"  # the committed tables of every scale are read; nothing is trained here

# %% tags=["remove-input"]
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import HELD, NOT_HELD, OPEN, outcome_list, outcomes, tally
from lib.analysis.statistics import FEWEST_REPLICATES
from lib.charts import enable
from papers.lost_in_pruning import function_observations, observations, robust_observations

enable()
found_tables = committed_tables("lost_in_pruning")
found = outcomes("lost_in_pruning", found_tables)
found_tables.sort(key=lambda one: len(one.seeds) < FEWEST_REPLICATES)  # what decides nothing does not lead
plain, robust = (
    [one for one in found_tables if one.benchmark == name and len(one.frame)]
    for name in ("cifar10-resnet20", "cifar10-resnet20-robust")
)
Markdown(tally(found))

# %% [markdown]
# ## What held

# %% tags=["remove-input"]
outcome_list(found[HELD])

# %% [markdown]
# ## What did not
#
# Look at the scale before you blame the paper. At `short` scale networks have half the width and 5,000 images: a smaller network has less to spare.

# %% tags=["remove-input"]
outcome_list(found[NOT_HELD])

# %% [markdown]
# ## What we cannot tell
#
# An open claim lacks one of three things: another network (VGG-16, a wide ResNet, ImageNet, segmentation), whose recipes are here; a larger scale than `laptop`, at which a claim that leans on a fully trained parent is left open,
# whatever the numbers say; or more parents, where three of them differ too much.

# %% tags=["remove-input"]
outcome_list(found[OPEN])

# %% [markdown]
# ## The argument, line by line, with our numbers
#
# **The test set, the paper argues, sees little** ({ref}`lip-test-set`). Error is one number, and retraining repairs it.

# %% tags=["remove-input"]
observations.learned_test_set(plain)

# %% [markdown]
# **On clean and slightly noisy images, the paper argues, a pruned network resembles its parent** ({ref}`lip-informative-pixels`, {ref}`lip-same-function`). Compare with a network that is no relative; without one, no agreement is high or low.

# %% tags=["remove-input"]
function_observations.learned_informative_pixels(plain)

# %% tags=["remove-input"]
function_observations.learned_same_function(plain)

# %% [markdown]
# **Further away, the paper argues, it does not** ({ref}`lip-prune-potential`, {ref}`lip-excess-error`). Potential is a number with a margin and a set of images; say both. Ask for the minimum, not only the average.

# %% tags=["remove-input"]
observations.learned_prune_potential(plain)

# %% tags=["remove-input"]
observations.learned_excess_error(plain)

# %% [markdown]
# **What one knows can be trained for** ({ref}`lip-robust-training`). What one does not know can only be held out.

# %% tags=["remove-input"]
robust_observations.learned_robust_training(robust)

# %% [markdown]
# ## What to do with your own network
#
# The paper ends with advice. If you cannot say what images will come, do not prune. If you can say something about them, prune moderately, and keep a *distribution* out of training as you keep a test set. Prune to the
# full only where all that may come is in training and tests. {ref}`lip-how-far` makes a tool of it.
#
# All verdicts of the book, of every scale, stand on [the scoreboard](../../scoreboard.md).
