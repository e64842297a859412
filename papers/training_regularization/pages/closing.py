# %% [markdown]
# (tr-closing)=
# # Training and regularization: what held, and what did not
#
# The paper makes 39 claims that can be tested. This page sorts them by what the book's tables say today; measure more, and it changes. A claim is decided
# by the largest {term}`scale` that can decide it, and counts as not held if one network contradicts it.

# %% tags=["parameters"]
scale: str = "laptop"  # tables of this scale and larger ones are read; nothing is trained here

# %% tags=["hide-input"]
from IPython.display import Markdown

from lib.analysis.inventory import HELD, NOT_HELD, OPEN, outcome_list, outcomes, tally
from lib.charts import enable
from papers.training_regularization import observations
from papers.training_regularization.printed_tables import sources

enable()
tables, note = sources(scale)
lenet = [table for table in tables if table.benchmark == "mnist-lenet"]
found = outcomes("training_regularization", [table for table in tables if table.origin == "committed"])
Markdown(tally(found))

# %% [markdown]
# ## What held

# %% tags=["remove-input"]
outcome_list(found[HELD])

# %% [markdown]
# ## What did not
#
# Where this happens at `laptop` scale, ask first whether the small experiment could have shown it: fewer images, fewer epochs, larger cuts. The reason under
# each claim has the numbers. TR-C17 and TR-C23 show what that means: they ask how far something falls behind pruning. In LeNet's five large cuts at `laptop` scale pruning itself gains next to
# nothing, and both failed; by the paper's own recipe both hold.
#
# TR-C20 fails because LeNet, in print the one network on which narrow and sparse ones tie, has no tie here: narrow networks are worse, as the claim says of the others. TR-C03 is decided at `laptop` scale,
# where weight rewinding gains nothing. By the paper's own recipe two lengths of longer training validate alike, and it stays open.

# %% tags=["remove-input"]
outcome_list(found[NOT_HELD])

# %% [markdown]
# ## What we cannot tell
#
# Most of these speak of networks that are not measured here, or of a case in which the network with the best validation error is the dense one, so that there is
# nothing to compare.

# %% tags=["remove-input"]
outcome_list(found[OPEN])

# %% [markdown]
# ## The argument, question by question, with our numbers
#
# ### Does pruning gain under wrong labels?

# %% tags=["remove-input"]
observations.learned_additional_regularization(lenet)

# %% [markdown]
# ### Does it help first and give up later?

# %% tags=["remove-input"]
observations.learned_better_training(lenet)

# %% [markdown]
# ### Is the gain without wrong labels the longer training?

# %% tags=["remove-input"]
observations.learned_pruning_and_longer_training(lenet)

# %% [markdown]
# ### Is the gain with wrong labels the smaller size?

# %% tags=["remove-input"]
observations.learned_size_reduction(lenet)

# %% [markdown]
# ### Is what it gives up what it should not have learned?
#
# Then a dense network, told what to ignore, needs no pruning to generalize.

# %% tags=["remove-input"]
observations.learned_correct_examples(lenet)

# %% [markdown]
# ### Is what it comes to fit worth fitting?

# %% tags=["remove-input"]
observations.learned_leaving_out_examples(lenet)

# %% [markdown]
# ### Do the images themselves agree?

# %% tags=["remove-input"]
observations.learned_examples_themselves(lenet)

# %% [markdown]
# ## Read on
#
# The other paper on wrong labels begins where this one ends: what happens between the hill and the valley of the error curve, and what becomes of a sparse network
# when its weights come back. {ref}`ln-double-descent` draws the same curve for a recipe of its own.
