# %% [markdown]
# (ln-dynamics)=
# # Memorization over the epochs
#
# **The question.** {ref}`Pruning far enough <ln-double-descent>` lowers the test error under wrong labels. What has the sparse network
# given up: the wrong labels, or the images?
#
# ## The idea
#
# Watch networks *while* they train, and ask them separately about three sets of examples. A share of the training labels is
# replaced by labels drawn from all classes. So an image has its own label or a drawn one, and a mislabelled image can be scored
# against the drawn label or the true one:
#
# | examples | images | scored against |
# |---|---|---|
# | {term}`noisy <noisy examples>` | those whose label was drawn anew | the drawn label |
# | original | all others | their label |
# | {term}`restored <restored examples>` | those whose label was drawn anew | the label that they had before |
#
# A network that knows nothing but the truth errs on noisy examples and not on restored ones. One that knows all labels by heart has it
# the other way round. No answer is right in both, unless the drawn label happens to be the old one.
#
# **What the paper claims** ({cite:t}`anonymous2022noise`, Figures 2, 3, 9, 10 and 12)
#
# * Every network, however sparse, comes to rest before training ends. The good test error of very sparse networks is not that of a
#   training cut short (LN-C05).
# * From the level that overfits most to the {term}`sweet spot`, a network gives up far more of the noisy examples than of the original
#   ones (LN-C06). The first thing that sparsity takes is {term}`memorization`.
# * Of a mislabelled image, the sweet spot finds the *true* label more often than the dense network does (LN-C07).
#
# ## The algorithm
#
# Networks are pruned by {term}`magnitude` and trained again by {term}`weight rewinding`, as on the page before; the errors of every
# epoch are kept.

# %% tags=["remove-input"]
from lib.analysis.epoch_curves import errors_by_epoch
from lib.widgets.page import show_source
from papers.label_noise import experiments

show_source(experiments.dynamics, errors_by_epoch)

# %% [markdown]
# ### Three errors by hand
#
# With $f(x)_c$ the network's output for class $c$, and $y_S$ the labels against which a set $S$ is scored, the error in percent is the
# share of images whose highest output is not at their label:
#
# $$
# E_S = \frac{100}{\lvert S \rvert} \sum_{x \in S} \begin{cases} 1 & \text{if } \arg\max_c f(x)_c \neq y_S(x) \\ 0 & \text{otherwise} \end{cases}
# $$ (eq-epoch-error)
#
# In plain PyTorch, with 40 % of 2,000 digits relabelled, after each of a few passes of training:

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lib import data

digits, _ = data.load("mnist"), torch.manual_seed(0)
inputs, true = digits.train_images[:2000].flatten(1) / 255, digits.train_labels[:2000].long()
network = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
optimizer = torch.optim.SGD(network.parameters(), lr=0.2)

# %%
order = torch.randperm(2000, generator=(draw := torch.Generator().manual_seed(1)))
noisy = torch.zeros(2000, dtype=torch.bool)
noisy[order[:800]] = True
given = torch.where(noisy, torch.randint(0, 10, (2000,), generator=draw), true)  # the labels trained on

for passes in range(1, 41):
    for batch, truth in zip(inputs.split(64), given.split(64), strict=True):
        optimizer.zero_grad()
        cross_entropy(network(batch), truth).backward()
        optimizer.step()
    if passes in (1, 5, 20, 40):
        answers = network(inputs).argmax(1)
        sets = {"noisy": answers[noisy] != given[noisy], "original": answers[~noisy] != given[~noisy]}
        sets |= {"restored": answers[noisy] != true[noisy]}
        print(
            f"after {passes:2} passes:",
            *(f"{name} {100 * wrong.float().mean():5.1f} %" for name, wrong in sets.items()),
        )

# %% [markdown]
# After five passes the network mostly answers with the truth, also where it is taught something else. Later it learns the wrong labels. The
# library draws the same labels:

# %%
library = data.add_label_noise(true, 40, "any", 10, torch.Generator().manual_seed(1))
torch.equal(library.labels, given) and torch.equal(library.noisy, noisy)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
noise_percents: list[float] = []  # empty, here and below 0 or "": as planned
seeds: list[int] = []
levels: int = 0
fraction: float = 0.0
score: str = ""
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% tags=["hide-output"]
from lib.widgets.page import open_page
from papers.label_noise import figures, observations
from papers.label_noise.experiments import PAGES

page = open_page(PAGES["dynamics"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## A few networks over the epochs
#
# A line for every network would be too many to read. As in the paper a few tell the story, chosen anew for each table and noise level:
#
# | network | its level |
# |---|---|
# | dense | nothing is pruned |
# | overfitting | where the error after the last epoch begins its largest fall from one level to a sparser one |
# | recovery | where that fall ends |
# | best sweet spot | the lowest error of any epoch, if it is below that of the dense network |
# | last sweet spot | the lowest error after the last epoch, if it is below that of the dense network |
# | underfitting | beyond both sweet spots, the first level where both errors exceed those of the dense network |
#
# {numref}`fig-ln-epochs` begins with the test set. Look for lines that fall and then rise again: the network has learnt what the right
# labels teach and goes on to learn the wrong ones. Then let the menu show the training set. Where its error stays near the share
# of wrong labels, they are not being learnt.

# %% mystnb={"figure": {"caption": "Test and training error over the epochs at a few levels, as in Fig. 2 and 9 of the paper.", "name": "fig-ln-epochs"}} tags=["hide-input"]
figures.errors_over_epochs(page.tables)

# %% tags=["remove-input"]
observations.errors_over_epochs(page.tables)

# %% [markdown]
# ## What each network learns
#
# {numref}`fig-ln-memorization` takes one network at a time and divides its training examples. Pull the slider from the dense network
# to the sparsest and compare two lines: noisy examples (is the wrong label known?) and restored examples (is the true one?).

# %% mystnb={"figure": {"caption": "Error over the epochs on noisy, original and restored training examples, one network at a time, as in Fig. 3, 10 and 12 of the paper.", "name": "fig-ln-memorization"}} tags=["hide-input"]
figures.errors_by_examples(page.tables)

# %% tags=["remove-input"]
observations.errors_by_examples(page.tables)

# %% [markdown]
# ### The images behind the numbers
#
# Which images does a network still misfit? In the sparsest networks most of them should be noisy ones: compare the label trained on with
# the original one.

# %% mystnb={"figure": {"caption": "The training images that one network misfits most, with the labels that it was trained on.", "name": "fig-ln-misfits"}} tags=["hide-input"]
figures.worst_fitted_images(page, noise_percent=min(page.plan.noise_percents))

# %% [markdown]
# ## What it means
#
# Right labels agree with each other: one weight can serve thousands of them. Each wrong label is an exception that needs weights of its
# own. With few weights training cannot afford exceptions, and its steps are spent on what many labels share. So the error on noisy
# examples *rises* under pruning. Where it rises far more than that on original ones, and the error on restored ones falls, the network has
# become robust. LeNet shows this; the one ResNet-18 that is measured (`laptop` scale, 40 % wrong labels, one seed) loses right labels almost as fast, which may be chance. The paper prints no numbers for these figures, so
# what is tested are its claims.

# %% tags=["remove-input"]
observations.learned_dynamics(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} How the claims are tested
# * LN-C05 asks of every level, not of a few, how far the last test error is from the mean of the last ten epochs. Up to twice the
#   standard error of an error near 40 % counts as small: one percentage point with 10,000 test images, more with fewer. The number is
#   ours; the paper judges by eye. With few epochs ten of them are a larger part of training, so the test is harder.
#   LeNet is asked at 20 and 40 % noise, those of Figure 9.
# * LN-C06 is stated in the paper for CIFAR-100 at 40 % noise, between 3.52 and 1.44 % of the weights. Here each benchmark is asked between
#   its own overfitting level and the first sweet spot that follows, at the noise level of its own figure: 20 % for MNIST and CIFAR-10,
#   40 % for CIFAR-100.
# * LN-C07 reads restored examples at the last sweet spot, at the same noise level. Where no level beats the dense network there is no
#   sweet spot. LN-C07 needs the last one; LN-C06 needs both, to know which comes first, and stays undecided without, however clear the rest is.
# :::
#
# :::{dropdown} What differs from the paper, and why
# * The paper draws accuracy; this book draws error, 100 minus it.
# * Levels are chosen here by definition, from means over replicates. The paper lists the sparsities that it chose, and they differ from
#   figure to figure. All levels are chosen on the test set, which describes a curve but is no way to pick a network to use. A level of several names is
#   drawn once, by its first; the line above the chart has all. Older tables may hold a level that today's rules would not choose; charts call it
#   *denser level* or *sparser level*.
# * The paper's figures stand side by side; here menus switch between them, so that they can be read on a phone.
# * Over the epochs, a training example is scored by the step that trains on it: with the weights, the augmentation and the batch
#   statistics of that step. That is free, and lags behind the end of the epoch by half an epoch on average. The paper does not say how it scores.
#   LN-C06 and LN-C07 read the errors after training, in evaluation mode without augmentation.
# * A table keeps at most 30 evenly spaced epochs of a curve. The lowest error of any epoch and the steadiness are taken from all.
# * A network that is rewound to a later step than the first (ResNet-18: step 1000) has no errors before it; its line begins there.
# :::
#
# ## Try it
#
# Change the parameter cell and run the page again (`make lab`). Minutes and answers are for LeNet at `laptop` scale on two
# CPU cores.
#
# 1. **Stop early** (about 1 minute). `epochs = 10`, `seeds = [0]`, `recompute = True`. Stopping early is a way not to memorize, too. Which lines of
#    {numref}`fig-ln-epochs` end lower than before?
#
# :::{dropdown} Answer
# Those of the dense and the overfitting network, which spend the later epochs on wrong labels. The recovered network ends higher or where it was: it
# had nothing to lose by training on.
# :::
#
# 2. **Extreme noise** (no training). Let the menu of {numref}`fig-ln-memorization` show 80 % (LeNet only). Four labels in five are drawn. Does any network
#    still find the true label of a noisy example?
#
# :::{dropdown} Answer
# Yes. Drawn labels disagree with each other, and 20 % right ones plus a tenth of the drawn ones agree. The restored error of the
# sparsest network drawn is 32 %, far below the 90 % of guessing; the dense network's is 89 %.
# :::
#
# 3. **A glance at the border** (no training). In the cell by hand, print `answers[noisy] == given[noisy]` and `answers[noisy] == true[noisy]`
#    together after 5 and after 40 passes. How many images are neither?
#
# :::{dropdown} Answer
# `(~((answers[noisy] == given[noisy]) | (answers[noisy] == true[noisy]))).float().mean()` falls from about a sixth to about a thirtieth. Few images are
# between: most go straight from the true label to the wrong one.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.errors_by_examples)
