# %% [markdown]
# (tr-better-training)=
# # Better training: which examples pruning helps
#
# A network with fewer weights should fit its training images worse. Pruned to the sparsity where it generalizes best, it fits them better. This page re-runs section 3, Fig. 5 of section 4, and appendix L of
# {cite:t}`jin2022pruning`: it sorts the training examples by difficulty and asks which of them a pruned network fits better, which worse, and whether longer training or a narrower network do the same.
#
# **What the paper claims**
#
# * Without wrong labels, at the sparsity that generalizes best, no group of examples is fitted worse than by the dense network (TR-C04), and
#   the hardest examples gain most (TR-C05).
# * At the highest sparsity that still lowers the test error, the two networks for CIFAR-10 fit most groups worse than the dense one does, and
#   generalize better all the same; the other three still fit better (TR-C06).
# * With wrong labels the sign turns: at the best sparsity the loss rises, most for the hardest examples (TR-C14). So training loss falls at
#   the optimum without noise and rises with much of it (TR-C15).
# * Pruning does both, one after the other: it helps at low sparsity and harms at high sparsity (TR-C37). {term}`Extended dense training`
#   only helps (TR-C38), {term}`width down-scaling` only harms (TR-C39).
#
# ## The method
#
# How hard an example is, the {term}`EL2N` score says {cite:p}`paul2021diet`. $M = 10$ networks are trained for the first tenth of the epochs, and each
# gives the example $x$ with label $y$ a vector of probabilities $p_m(x)$. The score is the mean length of their errors,
#
# $$
# \mathrm{EL2N}(x, y) = \frac{1}{M} \sum_{m=1}^{M} \bigl\lVert p_m(x) - \mathrm{onehot}(y) \bigr\rVert_2 ,
# $$ (eq-el2n)
#
# with the label that is trained on: a wrong label makes an easy image a hard example. Scores sort the training set into 20 groups of 5 % each, $G_1$ the
# easiest, $G_{20}$ the hardest. For the network $f_k$ at {term}`level` $k$ of an algorithm and the dense network $f_0$ of the same
# {term}`replicate`, the change of group $g$ is
#
# $$
# \Delta L_g = \frac{1}{|G_g|} \sum_{(x, y) \in G_g} \bigl[ \ell(f_k(x), y) - \ell(f_0(x), y) \bigr] ,
# $$ (eq-group-change)
#
# with the {term}`cross-entropy` $\ell$ in nats. Below zero, $f_k$ fits the group better. Three algorithms are looked at:
#
# | algorithm | level $k$ is |
# |---|---|
# | pruning: {term}`learning-rate rewinding` | the network pruned $k$ times |
# | longer training: extended dense training | the dense network after as many epochs, nothing removed |
# | narrower networks: width down-scaling | a dense network with $0.8^k$ of the width ($0.4^k$ at `laptop` scale), trained once |
#
# Two levels of pruning get a closer look: the *best* one, which has the lowest error on the validation images, and the *sparsest that improves*, the last one whose
# mean test error is below that of the dense network. {ref}`The page on section 4 <tr-additional-regularization>` has the networks, the label
# noise and the rule by which two results differ.
#
# ## Parameters
#
# All that you need to touch. `laptop` takes about three times as long as the page on section 4; where that page and {ref}`the one on longer training
# <tr-pruning-and-longer-training>` have run, only the narrow networks and those that score the examples are left to train.

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
# Where a table of these parameters exists, it is drawn at once; with `recompute = True`, what is missing is trained first. Beside error and
# loss, the table holds the mean loss of each group, and its mean score. Where there are many levels, it holds them for the two levels of interest and five evenly spaced ones.

# %% tags=["hide-output"]
from lib.charts import enable, table
from lib.widgets.page import open_page
from papers.training_regularization import example_figures, figures, tables
from papers.training_regularization.experiments import PAGES

enable()
page = open_page(PAGES["better_training"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Which examples pruning helps
#
# Read {numref}`fig-tr-groups-clean` from left to right, from images that every network learns at once to those that it learns last. Below the thick line the
# sparse network fits the group better. The vertical axis is linear around zero and logarithmic beyond, because an easy group has hardly any
# loss to lose; hovering tells the numbers.

# %% mystnb={"figure": {"caption": "Change of training loss by pruning, for 20 groups of examples by EL2N, without label noise, at the level with the lowest validation error and at the sparsest level that still lowers the test error, as in Fig. 1b and 2 of the paper.", "name": "fig-tr-groups-clean"}} tags=["hide-input"]
example_figures.change_at_two_levels(page.tables)

# %% [markdown]
# ## The same with wrong labels
#
# A wrong label makes a hard example, so the right end of {numref}`fig-tr-groups-noise` is now full of labels that nobody should learn. Each line is the network that the
# validation images choose at its share of wrong labels.

# %% mystnb={"figure": {"caption": "Change of training loss by pruning to the optimal sparsity, for 20 groups of examples by EL2N, a line for each share of wrong labels, as in Fig. 5 of the paper.", "name": "fig-tr-groups-noise"}} tags=["hide-input"]
example_figures.change_at_optimum(page.tables)

# %% [markdown]
# ## From level to level
#
# Move the slider of {numref}`fig-tr-groups-pruning`: the line sinks at first, then rises through zero. The text above the plot says which network
# it is and what its test error is; where a level was not measured group by group, the nearest one is shown. The menu changes the share of wrong labels.

# %% mystnb={"figure": {"caption": "Change of training loss by pruning for 20 groups of examples, one sparsity at a time, as in Fig. 18 of the paper.", "name": "fig-tr-groups-pruning"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "learning-rate rewinding", title="Pruning, level by level")

# %% [markdown]
# Longer training with all weights has the first half of this only ({numref}`fig-tr-groups-longer`), smaller networks the second half only
# ({numref}`fig-tr-groups-narrower`). The paper concludes that pruning is both: training for longer, and training something smaller.

# %% mystnb={"figure": {"caption": "Change of training loss by extended dense training for 20 groups of examples, one length at a time, as in Fig. 19 of the paper.", "name": "fig-tr-groups-longer"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "extended dense training", title="Longer training, cycle by cycle")

# %% mystnb={"figure": {"caption": "Change of training loss by width down-scaling for 20 groups of examples, one width at a time, as in Fig. 20 of the paper.", "name": "fig-tr-groups-narrower"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "width down-scaling", title="Narrower networks, width by width")

# %% [markdown]
# ## Measured beside printed
#
# The paper draws these losses and prints few numbers of them. One is how much more the loss of the hardest 20 % of the examples changes than that of the rest, in
# magnitude, at the best sparsity without noise; another, for ResNet-20 and VGG-16, is the highest sparsity that still lowers the test error.

# %% tags=["hide-input"]
table(tables.quoted_numbers(benchmark, page.tables), "quoted")

# %% [markdown]
# The test errors of Table 6 without noise say whether the sparse network generalizes better at all. A dash stands where nothing is printed, or nothing measured.

# %% tags=["hide-input"]
figures.printed_table(benchmark, page.tables, 6, noise_percent=0.0)

# %% [markdown]
# ## The verdicts
#
# Each claim is a test over the table, decided for this benchmark as far as it goes. *Undecided* means that the table lacks what the
# test needs, *not run* that the claim speaks of other networks or of what was not measured. "Most groups" is more than half of them.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The networks that score the examples of a replicate share its labels, wrong ones included, and nothing else with it or with each other: weights and
#   order of the data are drawn anew. The paper does not say what its ten networks share.
# * Scores and losses are measured in evaluation mode without augmentation, so that each example has one of each. The code that the paper builds on measures training
#   loss while augmenting. LeNet has no augmentation, so there it is the same.
# * Appendix B.3 takes ten networks at 10 % of the epochs, then prints 22 networks for ImageNet and explains the number as epoch 20 of
#   90: the letters are exchanged, and it is ten networks at 22 %. ImageNet is not measured here.
# * The loss of each example is stored with three significant digits (half precision). The mean over a group of hundreds is not touched by
#   that at the digits shown.
# * A single level is called best, or the sparsest that improves, for all replicates of a noise level, by their means. The paper does not say how it does it. Where
#   the dense network itself is best, its line is zero; the paper leaves LeNet at 5 % noise out of Fig. 5 for that reason, although its Table 6
#   has the sparse network ahead there.
# * The ratio of effects is taken of the mean changes of groups. The paper does not say whether it averages the magnitudes of single examples or of
#   groups.
# * Width is scaled from the original width, rounded to whole units. $0.8$ of the width is about $0.64$ of the weights in the hidden layers, so a level of the narrow networks is
#   smaller than the same level of pruning; the text in {numref}`fig-tr-groups-narrower` counts the real weights.
# * The paper draws five levels of each algorithm. `laptop` scale has three: of pruning about seven of the paper's at once, of width about four.
# * What else `laptop` scale leaves out, and the rest of the recipe, is as on {ref}`the page on section 4 <tr-additional-regularization>`.
#
# ## Try it
#
# What do hard examples look like? These are images from one group, evenly spaced through it. In JupyterLab (`make lab`), set `group` to 1 for the easiest, and `noise` to one of the plan.

# %% mystnb={"figure": {"caption": "Training examples from one group by EL2N, with the labels that they are trained on.", "name": "fig-tr-groups-images"}} tags=["hide-input"]
group, noise = 20, min(page.plan.noise_percents)
example_figures.group_images(page, noise, group)

# %% [markdown]
# **Change this and predict**
#
# 1. Set `noise` in the cell above to the highest of the plan. How many of the images of group 20 have a wrong label? Which group is the first with none, and how does that
#    agree with where the lines of {numref}`fig-tr-groups-noise` leave zero?
# 2. In `better_training` of `papers/training_regularization/experiments.py`, add `weight_rewinding(plan.recipe, plan.levels, plan.prune)` to the list, set
#    `recompute = True`, and draw the first figure with `algorithm="weight rewinding"`. It prunes as much and takes as many steps, but starts each cycle from the
#    initial weights. Does it still fit the hard examples *better* than the dense network at low sparsity? What does that say about where better training comes from?
