# %% [markdown]
# (gs-closing)=
# # Generalization and stability: what held, and what did not
#
# The paper of {ref}`these pages <gs-opening>` makes 23 claims that can be tested. Each was written down as a formal test before it was run here. A claim is decided by the largest {term}`scale` that decides anything,
# and counts as not held if one network contradicts it. It takes three {term}`seeds <seed>`. What was measured decides this page: it is made anew with the tables.

# %% tags=["parameters"]
scale: str = "laptop"  # the committed tables of every scale are read; nothing is trained here

# %% tags=["remove-input"]
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import HELD, NOT_HELD, OPEN, outcome_list, outcomes, tally
from lib.analysis.measure import find
from lib.charts import enable
from papers.generalization_stability import noise_and_flatness_observations, observations
from papers.generalization_stability.experiments import PAGES, RESNET18, VGG11

enable()
found_tables = committed_tables("generalization_stability")
found = outcomes("generalization_stability", found_tables)


def committed(page, benchmark=VGG11):
    """What a page draws of a network, as committed."""
    return [one for one in find(PAGES[page], benchmark, scale).tables if one.origin == "committed"]


Markdown(tally(found))

# %% [markdown]
# ## What held

# %% tags=["remove-input"]
outcome_list(found[HELD])

# %% [markdown]
# ## What did not
#
# A claim that did not hold *here* may hold with the paper's 50,000 images and 325 epochs. Look at the scale before you blame the paper: at `laptop` scale the network is narrow, and the longest zeroing lasts 32 batches, not 1,105.

# %% tags=["remove-input"]
outcome_list(found[NOT_HELD])

# %% [markdown]
# ## What we cannot tell
#
# The numbers are closer to each other than seeds are, or the network was too narrow to show the trade-off, or a table lacks what the claim speaks of. The gains that this paper is about are half a point; to see half a point takes many runs, and most of these
# claims ask for a GPU and patience.

# %% tags=["remove-input"]
outcome_list(found[OPEN])

# %% [markdown]
# ## The argument, line by line, with our numbers
#
# **Is less stable better?** ({ref}`gs-less-stable-better`). A correlation over configurations and one within them are different things; ask for both.

# %% tags=["remove-input"]
observations.learned_less_stable_better(committed("less_stable_better"))

# %% [markdown]
# **By other scores, too?** ({ref}`gs-normalization-scores`) A score that spreads the configurations raises the coefficient, whatever the cause.

# %% tags=["remove-input"]
observations.learned_normalization_scores(committed("normalization_scores"))

# %% [markdown]
# **Is there a best rate?** ({ref}`gs-rate-and-target`, {ref}`gs-how-much`) A trade-off has a best place. One looks for it by turning one handle at a time.

# %% tags=["remove-input"]
observations.learned_rate_and_target(committed("rate_and_target"))

# %% tags=["remove-input"]
observations.learned_how_much(committed("how_much", RESNET18))

# %% [markdown]
# **Where training regularizes already?** ({ref}`gs-traditional`) There the paper finds little left to gain.

# %% tags=["remove-input"]
observations.learned_traditional(committed("traditional", "cifar10-resnet18-sgd"))

# %% [markdown]
# **As noise, and into flat minima?** ({ref}`gs-is-it-noise`, {ref}`gs-flat-minima`) If noise that gives the filters back does as well, capacity is not the cause; if flat minima were, flatness would say which network ends better.

# %% tags=["remove-input"]
noise_and_flatness_observations.learned_is_it_noise(committed("is_it_noise"))

# %% tags=["remove-input"]
noise_and_flatness_observations.learned_flat_minima(committed("flat_minima"))

# %% [markdown]
# **On another data set?** ({ref}`gs-another-data-set`) CIFAR-100 is not measured here. The paper's printed table alone leaves half of its own claim open: pruning large filters against pruning small ones has $p = 0.052$.
#
# All verdicts of the book, of every scale, stand on [the scoreboard](../../scoreboard.md).
