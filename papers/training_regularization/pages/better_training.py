# %% [markdown]
# (tr-better-training)=
# # Which images pruning helps, and which it gives up
#
# A network with fewer weights should fit its training images worse. Pruned to the sparsity where it generalizes best, it often fits them better. Which images gain, and which
# lose? This page re-runs section 3, Fig. 5 of section 4, and appendix L of {cite:t}`jin2022pruning`: it sorts the training images by difficulty and follows each
# group from cut to cut.
#
# **What the paper claims**
#
# * Without wrong labels, at the sparsity that generalizes best, no group is fitted worse than by the dense network (TR-C04), and the hardest images gain most (TR-C05).
# * At the highest sparsity that still lowers the test error, the two networks for CIFAR-10 fit most groups worse than the dense one, and generalize better all the same;
#   the other three still fit better (TR-C06).
# * With wrong labels the sign turns: at the best sparsity the loss rises, most for the hardest images (TR-C14). So training loss falls at the optimum without noise and rises
#   with much of it (TR-C15).
# * Pruning does both, one after the other: it helps at low sparsity and harms at high sparsity (TR-C37). {term}`Extended dense training` only helps (TR-C38),
#   {term}`width down-scaling` only harms (TR-C39).
#
# ## The idea
#
# Some images are hard for every network. To know which, train a few networks briefly and see where they err. The {term}`EL2N` score does this {cite:p}`paul2021diet`: $M = 10$
# networks are trained for the first tenth of the epochs. Each gives the image $x$ with label $y$ a vector of probabilities $p_m(x)$, and the score is the mean distance
# of that vector from the {term}`one-hot` vector of the label, which is 1 at the label and 0 elsewhere:
#
# $$
# \mathrm{EL2N}(x, y) = \frac{1}{M} \sum_{m=1}^{M} \bigl\lVert p_m(x) - \mathrm{onehot}(y) \bigr\rVert_2 .
# $$ (eq-el2n)
#
# The label is the one that is trained on: a wrong label makes an easy image a hard one. Scores sort the training set into 20 groups of 5 %, $G_1$ the easiest, $G_{20}$ the
# hardest. For the network $f_k$ at {term}`level` $k$ and the dense network $f_0$ of the same {term}`replicate`, the change of group $g$ is
#
# $$
# \Delta L_g = \frac{1}{|G_g|} \sum_{(x, y) \in G_g} \bigl[ \ell(f_k(x), y) - \ell(f_0(x), y) \bigr] ,
# $$ (eq-group-change)
#
# with the {term}`cross-entropy` $\ell$ in {term}`nats <nat>`. Below zero, $f_k$ fits the group better than the dense network. Three algorithms are looked at:
#
# | algorithm | level $k$ is |
# |---|---|
# | pruning: {term}`learning-rate rewinding` | the network pruned $k$ times |
# | longer training: extended dense training | the dense network after as many epochs, nothing removed |
# | narrower networks: width down-scaling | a dense network of smaller width, trained once |
#
# ## EL2N, by hand
#
# Three small networks, a few steps of training each, and five hundred digits of which the first 25 have a wrong label:

# %%
import torch
from torch.nn.functional import cross_entropy, one_hot

from lib.data import load, normalization, normalize
from lib.models import build, initialize

digits = load("mnist")
pixels, labels = digits.train_images[:500], digits.train_labels[:500].long()
labels[:25] = (labels[:25] + 1) % 10
inputs = normalize(pixels, normalization("mnist"))


def briefly_trained(seed):
    module = build("lenet-300-100").module
    initialize(module, torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    for _step in range(15):
        optimizer.zero_grad()
        cross_entropy(module(inputs), labels).backward()
        optimizer.step()
    return module


networks = [briefly_trained(seed) for seed in range(3)]
with torch.no_grad():
    errors = [network(inputs).softmax(-1) - one_hot(labels, 10) for network in networks]
scores = torch.stack([error.norm(dim=-1) for error in errors]).mean(0)
print(f"mean EL2N: {scores[:25].mean():.2f} of wrong labels, {scores[25:].mean():.2f} of correct ones")
print(f"of the hardest twentieth, {(scores.argsort()[-25:] < 25).sum()} of 25 have a wrong label")

# %% [markdown]
# Fifteen steps are enough: the networks have learned what digits have in common and not yet any single image, so what they get wrong is odd or mislabelled. The library measures
# the same:

# %%
from lib.analysis.example_groups import el2n
from lib.training import evaluate, stack_states

together = stack_states([network.state_dict() for network in networks])
norms = evaluate(networks[0], together, pixels, labels, "mnist").error_norms
torch.allclose(el2n(norms).float(), scores, atol=1e-5)

# %% [markdown]
# ## The algorithms, as they are run

# %% tags=["hide-input"]
from lib.stages.algorithms import extended_dense_training, learning_rate_rewinding, width_downscaling
from lib.widgets.page import open_page, show_source
from papers.training_regularization import example_figures, experiments, figures, observations
from papers.training_regularization.experiments import PAGES

show_source(experiments.better_training, learning_rate_rewinding, extended_dense_training, width_downscaling)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Three algorithms take longer than the one of {ref}`tr-additional-regularization`; where that page and
# {ref}`tr-pruning-and-longer-training` have run, only the narrow networks and those that score the images are left to train.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
noise_percents: list[float] = []  # empty: the plan's; below, 0 and "" mean the plan's too
seeds: list[int] = []
levels: int = 0
fraction: float = 0.0
score: str = ""
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% [markdown]
# ## The run

# %%
from lib.charts import table
from papers.training_regularization import tables

page = open_page(PAGES["better_training"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## From cut to cut
#
# The whole paper is in this one slider. The images are sorted from left to right, from those that every network learns at once to those that it learns last; with wrong
# labels, the right end is full of them. Move the slider from the first cut to the last and watch the right end. The menu changes the share of wrong labels.

# %% mystnb={"figure": {"caption": "Change of training loss by pruning for 20 groups of examples, one sparsity at a time, as in Fig. 18 of the paper.", "name": "fig-tr-groups-pruning"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "learning-rate rewinding", title="Pruning, level by level")

# %% tags=["remove-input"]
observations.change_at_each_level(page.tables, "learning-rate rewinding")

# %% [markdown]
# The vertical axis is linear around zero and logarithmic beyond, because an easy group has hardly any loss to lose. Where a level was not measured group by group, the nearest
# one is shown; the text above the plot says which.
#
# ## Longer training, and narrower networks
#
# If pruning is longer training *and* a smaller network, each alone should do half of it. First the same number of epochs with all weights:

# %% mystnb={"figure": {"caption": "Change of training loss by extended dense training for 20 groups of examples, one length at a time, as in Fig. 19 of the paper.", "name": "fig-tr-groups-longer"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "extended dense training", title="Longer training, cycle by cycle")

# %% tags=["remove-input"]
observations.change_at_each_level(page.tables, "extended dense training")

# %% [markdown]
# Then networks that are small from the start and trained once:

# %% mystnb={"figure": {"caption": "Change of training loss by width down-scaling for 20 groups of examples, one width at a time, as in Fig. 20 of the paper.", "name": "fig-tr-groups-narrower"}} tags=["hide-input"]
example_figures.change_at_each_level(page.tables, "width down-scaling", title="Narrower networks, width by width")

# %% tags=["remove-input"]
observations.change_at_each_level(page.tables, "width down-scaling")

# %% [markdown]
# ## At the best sparsity, with wrong labels
#
# Of all levels, the validation images choose one. Each line is that network at its share of wrong labels:

# %% mystnb={"figure": {"caption": "Change of training loss by pruning to the optimal sparsity, for 20 groups of examples by EL2N, a line for each share of wrong labels, as in Fig. 5 of the paper.", "name": "fig-tr-groups-noise"}} tags=["hide-input"]
example_figures.change_at_optimum(page.tables)

# %% tags=["remove-input"]
observations.change_at_optimum(page.tables)

# %% [markdown]
# ## And without
#
# Where all labels are right, two networks get a closer look: the *best* one, which has the lowest validation error, and the *sparsest that improves*, the last one whose mean
# test error is below that of the dense network.

# %% mystnb={"figure": {"caption": "Change of training loss by pruning, for 20 groups of examples by EL2N, without label noise, at the level with the lowest validation error and at the sparsest level that still lowers the test error, as in Fig. 1b and 2 of the paper.", "name": "fig-tr-groups-clean"}} tags=["hide-input"]
example_figures.change_at_two_levels(page.tables)

# %% tags=["remove-input"]
observations.change_at_two_levels(page.tables)

# %% [markdown]
# ## Hard images, seen
#
# These are images from one group, evenly spaced through it. In JupyterLab, set `group` to 1 for the easiest and `noise` to one of the plan.

# %% mystnb={"figure": {"caption": "Training examples from one group by EL2N, with the labels that they are trained on.", "name": "fig-tr-groups-images"}}
group, noise = 20, min(page.plan.noise_percents)
example_figures.group_images(page, noise, group)

# %% [markdown]
# ## Measured beside printed
#
# The paper draws these losses and prints few numbers of them. One is how much more the loss of the hardest 20 % of the images changes than that of the rest, in magnitude, at the
# best sparsity without noise. Another, for ResNet-20 and VGG-16, is the highest sparsity that still lowers the test error.

# %% tags=["hide-input"]
table(tables.quoted_numbers(benchmark, page.tables), "quoted")

# %% mystnb={"code_prompt_show": "Does the sparse network generalize better at all? Table 6 without noise"} tags=["hide-cell"]
figures.printed_table(benchmark, page.tables, 6, noise_percent=0.0)

# %% [markdown]
# ## What it means
#
# Influence is at the right end of these charts: whatever a method does, it mostly does to the hardest images; only the narrowest networks lose all groups almost alike. That is why averages mislead. A method may lower the mean training loss
# by learning wrong labels, or raise it by refusing to, and the second is the better network. Longer training pushes the right end one way, small networks the other, and pruning does
# one after the other.

# %% tags=["remove-input"]
observations.learned_better_training(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "Each verdict with its reason"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The networks that score the images of a replicate share its labels, wrong ones included, and nothing else: weights and order of the data are drawn anew. The paper does not
#   say what its ten networks share.
# * Scores and losses are measured in evaluation mode without augmentation, so that each image has one of each. The code that the paper builds on measures training loss while
#   augmenting. LeNet has no augmentation.
# * Appendix B.3 takes ten networks at 10 % of the epochs, then prints 22 networks for ImageNet and explains the number as epoch 20 of 90: the letters are exchanged, and it is ten
#   networks at 22 %. ImageNet is not measured here.
# * The loss of each image is stored with three significant digits (half precision). The mean over a group of hundreds is not touched by that at the digits shown.
# * A level is called best, or the sparsest that improves, for all replicates of a noise level, by their means. The paper does not say how it does it. Where the dense network itself is
#   best, its line is zero; the paper leaves LeNet at 5 % noise out of Fig. 5 for that reason, although its Table 6 has the sparse network ahead there.
# * The table beside the text takes the ratio of effects of means over replicates, the verdict takes it replicate by replicate: three seeds fix it poorly.
# * The ratio of effects is taken of the mean changes of groups. The paper does not say whether it averages the magnitudes of single images or of groups.
# * Width is scaled from the original width, rounded to whole units. $0.8$ of the width is about $0.64$ of the weights in the hidden layers, so a level of the narrow networks is smaller
#   than the same level of pruning; the text above the plot counts the real weights.
# * The paper draws five levels of each algorithm. Small scales take larger steps, and fewer.
# * "Most groups" is more than half of them.
# :::
#
# ## Try it
#
# **1. Ten seconds.** Set `noise` in the cell of the hard images to the highest of the plan. How many of them have a wrong label, and how many groups do wrong labels fill? How does
# that agree with where the lines of {numref}`fig-tr-groups-noise` leave zero?
#
# :::{dropdown} Answer
# Nearly all of group 20. With a share $p$ of wrong labels they fill about the last $20\,p$ groups: three of twenty at 15 %. There the line climbs most steeply: at 15 % from group 16 to 18.
# :::
#
# **2. Ten seconds.** Set the menus of {numref}`fig-tr-groups-pruning` to 0 % and `laptop` and move the slider. At which cut does the right end rise above zero, without a single wrong label? Does the left end follow? And by the paper's
# own recipe?
#
# :::{dropdown} Answer
# At the third: with 2.7 % of the weights too few are left to fit the odd ones. The left end stays at zero there; by the last cut it has risen too, to 0.003 nats against 1.9 at the right end, which a logarithmic axis makes look large. MNIST has digits that are hard to name, and the sparsest networks there give these up: {ref}`tr-examples-themselves` shows them. By
# the paper's own recipe at none: with 0.92 % of the weights the hardest group is still fitted better, by 0.07 nats.
# :::
#
# **3. By thought.** Two groups of equal size change by $-0.2$ and $+0.2$ nats. The mean loss has not changed. Has the network?
#
# :::{dropdown} Answer
# It has: it has exchanged what it knows. That is why this page draws twenty groups and no mean.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How the figure with the slider is made"} tags=["hide-cell"]
show_source(example_figures.change_at_each_level, example_figures.group_changes)
