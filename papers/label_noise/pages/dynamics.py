# %% [markdown]
# (ln-dynamics)=
# # Memorization over the epochs
#
# {ref}`The page before <ln-double-descent>` looks at networks when their training has ended. This one watches them train. It re-runs Figures 2, 3, 9, 10
# and 12 of {cite:t}`anonymous2022noise`: at which epoch, and at which sparsity, does a network learn the examples whose label is wrong?
#
# **What the paper claims**
#
# * Every network, however sparse, comes to rest before training ends. The good test error of very sparse networks is not that of a
#   training cut short (LN-C05).
# * From the level that overfits most to the {term}`sweet spot`, a network gives up far more of the noisy examples than of those with their
#   original label (LN-C06). The first thing that sparsity takes is {term}`memorization`.
# * On the images with a wrong label, the sweet spot finds the *true* label more often than the dense network does (LN-C07).
#
# ## The method
#
# Networks are pruned by magnitude and trained again by {term}`weight rewinding`. A share of the training labels is replaced by labels drawn from all
# classes. So each training image belongs to one of two kinds, and one of them can be scored in two ways:
#
# | examples | images | scored against |
# |---|---|---|
# | noisy | those whose label was drawn anew | the drawn label |
# | original | all others | their label |
# | restored | those whose label was drawn anew | the label that they had before |
#
# An image can be right as *noisy* or as *restored*, but not as both, unless the drawn label happens to be the old one. The error on examples
# $S$ in epoch $e$, with $f_e$ the network and $y_S$ the labels that $S$ is scored against, is
#
# $$
# E_S(e) = \frac{100}{\lvert S \rvert} \sum_{x \in S} \bigl[ \arg\max_c f_e(x)_c \neq y_S(x) \bigr] \ \%.
# $$ (eq-epoch-error)
#
# A network that knows nothing but the clean images would have a high error on noisy examples and a low one on restored examples. One that has
# memorized everything has it the other way round.
#
# Thirty networks would make thirty lines. As in the paper a few tell the story, chosen anew for each table and noise level:
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
# One level may have several names, and a table need not have all of them. All of these are errors on the *test set*. That is enough to describe a curve, but it is not a way to pick a network to use.
#
# ## Parameters
#
# All that you need to touch. `laptop` trains on fewer images for fewer epochs and prunes several of the paper's levels at once; `paper` is the paper's own
# recipe.

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
# Tables that exist are drawn at once, and a note says what they miss; with `recompute = True`, that is trained first. The chain is the
# first of {ref}`the page before <ln-double-descent>`, and is not trained again where that has run.

# %% tags=["hide-output"]
from lib.charts import enable
from lib.widgets.page import open_page
from papers.label_noise import figures
from papers.label_noise.experiments import PAGES

enable()
page = open_page(PAGES["dynamics"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## A few networks over the epochs
#
# {numref}`fig-ln-epochs` begins with the test set. Look for lines that fall and then rise again: the network has learned what the clean labels teach and
# goes on to learn the wrong ones. Then let the menu show the training set. Where its error stays near the share of wrong labels, they
# are not being learned.

# %% mystnb={"figure": {"caption": "Test and training error over the epochs at a few levels, as in Fig. 2 and 9 of the paper.", "name": "fig-ln-epochs"}} tags=["hide-input"]
figures.errors_over_epochs(page.tables)

# %% [markdown]
# ## What each network learns
#
# {numref}`fig-ln-memorization` takes one network at a time and divides its training examples. Pull the slider from the dense network to the
# sparsest, and compare two lines: noisy examples (is the wrong label known?) and restored examples (is the true one?).

# %% mystnb={"figure": {"caption": "Error over the epochs on noisy, original and restored training examples, one network at a time, as in Fig. 3, 10 and 12 of the paper.", "name": "fig-ln-memorization"}} tags=["hide-input"]
figures.errors_by_examples(page.tables)

# %% [markdown]
# ## The verdicts
#
# The paper prints no numbers for these figures, so only its claims can stand beside the measured ones. Each is a test over the table, decided
# for this benchmark as far as it goes. *Undecided* means that the table lacks what the test needs, *not run* that it holds nothing of it.
#
# * LN-C05 asks of every level, not of a few, how far the last test error is from the mean of the last ten epochs. Up to twice the standard
#   error of an error near 40 % counts as small: one percentage point with 10,000 test images, more with fewer.
# * LN-C06 is stated in the paper for CIFAR-100 at 40 % noise, between 3.52 and 1.44 % of the weights. Here each benchmark is put to it between its own
#   overfitting level and the first sweet spot that follows, at the noise level of its own figure: 20 % for MNIST and CIFAR-10, 40 % for CIFAR-100.
# * LN-C07 reads restored examples at the last sweet spot, at the same noise level. Where no level beats the dense network there is no sweet spot, and
#   LN-C06 and LN-C07 are undecided.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper draws accuracy; this book draws error, 100 minus it, in all four papers.
# * Levels are chosen here by the definition, from means over replicates. The paper lists the sparsities that it chose, and they differ from
#   figure to figure. A level of several names is drawn once, by its first; the line above the chart has all. Some tables also hold a level of an
#   earlier rule, by which the best epoch had a sweet spot, and the sparsest level underfitted, in any case; charts call it *denser level* or *sparser level*.
# * The paper's figures stand side by side; here menus switch between them, so that they can be read on a phone.
# * Over the epochs, a training example is scored by the step that trains on it: with the weights and the augmentation of that step, and with batch statistics
#   where there is batch normalization. That is free, and lags behind the end of the epoch by half an epoch on average. The paper does not say how
#   it scores. The claims LN-C06 and LN-C07 read the errors after training, in evaluation mode without augmentation.
# * A table keeps at most 30 evenly spaced epochs of a curve, and fewer where it has many curves, so that it stays small. The lowest error of any epoch
#   and the steadiness are taken from all epochs.
# * A network that is rewound to a later step than the first (ResNet-18: step 1000) has no errors before it; its line begins there.
# * "Small" in LN-C05 is our number; the paper judges by eye. At `laptop` scale training is shorter, so ten epochs are a larger part of it, and the
#   test is harder.
#
# ## Try it
#
# Which images does the first replicate still misfit? In JupyterLab (`make lab`), set `level` to that of another network. At recovery most of them
# should be noisy ones: compare the label trained on with the original one.

# %% mystnb={"figure": {"caption": "The training images that one network misfits most, with the labels that it was trained on.", "name": "fig-ln-misfits"}} tags=["hide-input"]
level, noise = page.plan.levels // 2, min(page.plan.noise_percents)

figures.worst_fitted_images(page, noise, level)

# %% [markdown]
# **Change this and predict**
#
# 1. In `papers/label_noise/recipes.py`, let the `laptop` plan of MNIST train for 10 epochs instead of 30 and set `recompute = True`. Stopping early is a
#    way not to memorize, too. Which of the lines in {numref}`fig-ln-epochs` will end lower than before, and does recovery move to more or fewer weights?
# 2. In the same plan, set `noise="other"` in the data: a wrong label is then never the true one by chance. No answer
#    can then be right both as noisy and as restored. By how much, with ten classes, do you expect the error on noisy examples to rise in a network
#    that has memorized nothing?
