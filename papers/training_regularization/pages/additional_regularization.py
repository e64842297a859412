# %% [markdown]
# (tr-additional-regularization)=
# # Additional regularization: pruning under label noise
#
# Some training labels are wrong. A dense network learns them by heart, and its test error pays for it. This page re-runs section 4 of
# {cite:t}`jin2022pruning`, which finds that pruning undoes much of that damage, and asks how.
#
# **What the paper claims**
#
# * With label noise, the network pruned to its best sparsity has a lower test error than the dense one (TR-C07), and the gain
#   grows with the share of wrong labels (TR-C08).
# * At that sparsity the training loss on the *noisy* examples has risen (TR-C09), more than on the correctly labelled ones (TR-C10).
# * Pruning lightly does something else first: it lowers the loss on noisy examples (TR-C12). Pruning very hard closes the gap
#   between noisy and correct examples again, because the network then fits neither (TR-C13).
#
# ## The method
#
# A share $p$ of the $N$ training examples, $\lceil pN \rceil$ of them exactly, is chosen at random. Each gets a label drawn uniformly
# from the *other* classes, once for each {term}`replicate`; validation and test labels stay clean. Then the network is pruned by
# {term}`learning-rate rewinding`. With weights $w$ and {term}`mask` $m \in \{0, 1\}^d$, a {term}`level` is
#
# $$
# \begin{aligned}
# m_{k+1} &= m_k \odot [\, |w_k| > \tau_k \,], \\
# w_{k+1} &= \mathrm{train}_{\,t \to T}\,(m_{k+1} \odot w_k),
# \end{aligned}
# $$ (eq-learning-rate-rewinding)
#
# where the threshold $\tau_k$ removes exactly $\lceil q \, \lVert m_k \rVert_0 \rceil$ of the remaining weights, and training goes through the schedule from epoch $t$ to its end $T$ with a fresh optimizer. All weights compete with each
# other (global {term}`scope`); $q = 0.2$ at `paper` scale. LeNet rewinds to $t = 0$ and leaves its output layer whole; ResNet-20 rewinds
# to $t = 10$ of 160 epochs and prunes every layer.
#
# The *optimal* sparsity is the level with the lowest error on held-out validation images; only then is its test error read. Two algorithms differ
# when the mean of their paired differences over replicates is at least one sample standard deviation from zero (section 2 of the paper).
#
# ## Parameters
#
# All that you need to touch. `laptop` takes minutes on two CPU cores, `paper` is the paper's own recipe.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% [markdown]
# ## The run
#
# Where a table of these parameters exists, it is drawn at once; with `recompute = True`, what is missing is trained first. Every
# trained stage is kept, so a second run only reads.

# %% tags=["hide-output"]
from lib.charts import enable
from lib.widgets.explorer import explore_noise
from lib.widgets.page import open_page
from papers.training_regularization import example_figures, figures
from papers.training_regularization.experiments import PAGES

enable()
page = open_page(PAGES["additional_regularization"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Test error while pruning
#
# Read it from left to right: each point has fewer weights than the one before. The dashed lines are the dense networks, the star is the
# level that the validation images choose. Faint dots are single replicates. Click the legend to
# follow one share of wrong labels; point at a mark for its numbers.

# %% mystnb={"figure": {"caption": "Test error against weights remaining, for each share of wrong labels, as in Fig. 3 of the paper.", "name": "fig-tr-error"}} tags=["hide-input"]
figures.error_while_pruning(page.tables)

# %% [markdown]
# ## What happens to the noisy examples
#
# The same networks, seen from the training set: loss on the examples whose label was replaced, and on the others.

# %% mystnb={"figure": {"caption": "Training loss on noisy and on original examples against weights remaining, as in Fig. 4 of the paper.", "name": "fig-tr-loss"}} tags=["hide-input"]
figures.loss_of_noisy_examples(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# Table 6 of the paper gives the test error of the dense and of the optimally sparse network; Table 11 the training loss on both kinds of
# examples. Both are means ± one standard deviation over replicates. Printed and measured values stand as they are; at `laptop` scale they
# need not agree, because fewer images are trained on.

# %% mystnb={"figure": {"caption": "Printed and measured test errors, Table 6 of the paper.", "name": "fig-tr-table-6"}} tags=["hide-input"]
figures.printed_beside_measured(benchmark, page.tables, 6)

# %% tags=["hide-input"]
figures.printed_table(benchmark, page.tables, 6)

# %% tags=["hide-input"]
figures.printed_table(benchmark, page.tables, 11)

# %% [markdown]
# ## The verdicts
#
# Each claim is a test over the table, decided for this benchmark as far as it goes. *Undecided* means that the table lacks what the
# test needs.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper prints no validation split for MNIST; 2,000 of its 60,000 training images are held out here, as the paper does for CIFAR-10.
# * Validation labels are clean. The paper does not say whether its own are.
# * Exactly $\lceil 0.2 R \rceil$ of the $R$ remaining weights go at each level. The code that the paper builds on removes one more, and
#   all that tie with the threshold.
# * Training loss is measured without augmentation in evaluation mode, so that each example has one loss.
# * Table 6 is the one compared with; the paper's tables disagree in the second digit for some networks.
# * `paper` scale for LeNet multiplies matrices in bfloat16 while training; weights, optimizer and evaluation are float32. A table
#   says which precision it was measured with.
# * `laptop` scale trains on fewer images for fewer epochs and takes several of the paper's levels at once: about seven for LeNet, eight
#   for ResNet-20 and VGG-16. ResNet-20 also has half the filters and VGG-16 a quarter, both no augmentation, so that they have learned their
#   wrong labels within minutes; they are measured at one noise level each, with one replicate.
#
# ## Try it
#
# In JupyterLab (`make lab`) the explorer below answers to noise and level, and shows the training images that the network fits worst,
# with their wrong labels. In the published book it has no kernel to ask.

# %% tags=["remove-output"]
explore_noise(page)

# %% [markdown]
# These are the training examples that the sparsest network fits worst, at the highest noise:

# %% mystnb={"figure": {"caption": "The training examples with the highest loss in the sparsest network; nearly all carry a replaced label.", "name": "fig-tr-misfits"}} tags=["hide-input"]
example_figures.worst_fitted_images(page, max(page.plan.noise_percents), page.plan.levels)

# %% [markdown]
# **Change this and predict**
#
# 1. Set the noise of the plan (`recipes.py` in `papers/training_regularization`) to 40 %. Does the peak of the curve move left or right? Why should a network with more wrong labels to
#    learn run out of weights earlier?
# 2. In `papers/training_regularization/experiments.py`, add `weight_rewinding(plan.recipe, plan.levels, plan.prune)` to the list that `pruning` returns, and draw
#    the first figure with `algorithm="weight rewinding"`. Both prune as many weights and take as many steps. Which
#    one forgets the noisy labels sooner? With `recompute = True` only the new levels are trained; the dense networks are shared. The answer is on
#    {ref}`another page <tr-pruning-and-longer-training>`.
