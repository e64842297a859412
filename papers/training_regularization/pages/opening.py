# %% [markdown]
# (tr-opening)=
# # Training and regularization: the story
#
# Remove nine weights out of ten from a trained network, train on, and it often does *better* on new images. Why should a network gain from losing parts?
# {cite:t}`jin2022pruning` answer: pruning does two things, and their order explains the gain.
#
# 1. **It trains better.** Every cut is followed by another round of training. With most weights still there, the network comes to fit its training images
#    better, the difficult ones most of all.
# 2. **It forgets what should not be learned.** With few weights left, the network can no longer fit everything. It gives up the images that are hardest to
#    fit. Where labels are wrong, those are the wrong ones.
#
# The old explanation, a smaller network generalizes better, is half of the second point and none of the first.
#
# ## The chart that carries it
#
# LeNet-300-100 learns MNIST while 0, 5, 10 or 15 % of its training labels are wrong. Read each line from left to right: every point has a fifth fewer
# weights than the one before. The dashed rule is the {term}`dense` network, the star the network that the validation images choose.

# %% tags=["parameters"]
scale: str = "laptop"  # tables of this scale and larger ones are read; nothing is trained here

# %% tags=["hide-input"]
from lib.analysis.inventory import map_table
from lib.charts import enable
from papers.training_regularization import figures, observations
from papers.training_regularization.printed_tables import sources

enable()
tables, note = sources(scale)
lenet = [table for table in tables if table.benchmark == "mnist-lenet"]

# %% mystnb={"figure": {"caption": "Test error of LeNet on MNIST against weights remaining, for four shares of wrong labels, as in Fig. 3 of the paper.", "name": "fig-tr-story"}} tags=["hide-input"]
figures.error_while_pruning(lenet, title="Pruning under wrong labels")

# %% tags=["remove-input"]
observations.error_while_pruning(lenet)

# %% [markdown]
# Two things are worth a second look. With 10 and 15 % wrong labels pruning repairs damage, and the way to the gain leads over a hill, because
# the first cuts make the network better at learning wrong labels by heart; {ref}`ln-double-descent` is about that hill. With 5 % the best network comes before the hill, and with 0 % there is no hill: there pruning gains by
# training better.
#
# ## The way through
#
# | page | its question |
# |---|---|
# | {ref}`tr-preliminaries` | What does one cut take, and when do two results differ? |
# | {ref}`tr-additional-regularization` | What becomes of wrong labels when weights go? |
# | {ref}`tr-better-training` | Which images does pruning help, and which does it give up? |
# | {ref}`tr-pruning-and-longer-training` | Would longer training alone do the same? |
# | {ref}`tr-size-reduction` | Would a smaller network do the same? |
# | {ref}`tr-correct-examples` | Is it enough to tell a dense network what to ignore? |
# | {ref}`tr-leaving-out-examples` | Are the images that pruning fits better worth more than others? |
# | {ref}`tr-examples-themselves` | What do these images look like? |
# | {ref}`tr-all-numbers` | Every printed number beside every measured one |
# | {ref}`tr-agreement` | Do the numbers themselves agree? |
# | {ref}`tr-closing` | What held, what did not, what we cannot tell |
#
# ## A map of the paper
#
# Every figure and table of the paper, its place in the book, and the networks and scales at which it is measured here. The paper shows most of them for five
# networks; what is not named is not measured.

# %% tags=["remove-input"]
map_table("training_regularization")
