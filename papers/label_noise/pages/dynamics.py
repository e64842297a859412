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
# Thirty networks would make thirty lines. As in the paper, five tell the story, chosen anew for each table and noise level:
#
# | network | its level |
# |---|---|
# | dense | nothing is pruned |
# | overfitting | where the error after the last epoch begins its largest fall from one level to a sparser one |
# | best sweet spot | the lowest error of any epoch |
# | last sweet spot | where the largest fall ends |
# | underfitting | beyond both, the first level where both errors exceed those of the dense network |
#
# All of these are errors on the *test set*. That is enough to describe a curve, but it is not a way to pick a network to use.
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
# Where a table of these parameters exists, it is drawn at once; with `recompute = True`, what is missing is trained first. The chain is the
# first of {ref}`the page before <ln-double-descent>`, and is not trained again where that has run.

# %% tags=["hide-output"]
from IPython.display import Markdown

from lib.analysis import drawn
from lib.analysis.claims import verdict_rows
from lib.charts import comparison, theme
from lib.charts.epoch_curves import error_by_examples, error_by_level
from lib.charts.example_images import worst_examples
from lib.errors import InputError
from papers.label_noise import claims
from papers.label_noise.cases import WR
from papers.label_noise.dynamics import PAGE

theme.enable()
plan = PAGE.plans(benchmark, scale)
found = drawn.tables(PAGE, benchmark, scale, recompute, store, device, deterministic=deterministic)

# %% [markdown]
# What was measured, and where:

# %%
Markdown(found.note)

# %% [markdown]
# ## Five networks over the epochs
#
# {numref}`fig-ln-epochs` begins with the test set. Look for lines that fall and then rise again: the network has learned what the clean labels teach and
# goes on to learn the wrong ones. Then let the menu show the training set. Where its error stays near the share of wrong labels, they
# are not being learned.

# %% mystnb={"figure": {"caption": "Test and training error over the epochs at the five telling levels, as in Fig. 2 and 9 of the paper.", "name": "fig-ln-epochs"}} tags=["hide-input"]
error_by_level(found.current, WR, title="Five networks over the epochs")

# %% [markdown]
# ## What each network learns
#
# {numref}`fig-ln-memorization` takes one of the five at a time and divides its training examples. Go through the menu *Network* from dense to
# underfitting, and compare two lines: noisy examples (is the wrong label known?) and restored examples (is the true one?).

# %% mystnb={"figure": {"caption": "Error over the epochs on noisy, original and restored training examples, one network at a time, as in Fig. 3, 10 and 12 of the paper.", "name": "fig-ln-memorization"}} tags=["hide-input"]
error_by_examples(found.current, [WR], title="What a network learns of its labels")

# %% [markdown]
# ## The verdicts
#
# The paper prints no numbers for these figures, so only its claims can stand beside the measured ones. Each is a test over the table, decided
# for this benchmark as far as it goes. *Undecided* means that the table lacks what the test needs, *not run* that it holds nothing of it.
#
# * LN-C05 asks of every level, not of five, how far the last test error is from the mean of the last ten epochs. Up to one percentage point counts as
#   small: twice the standard error of an error near 40 % on the 10,000 test images of CIFAR.
# * LN-C06 is stated in the paper for CIFAR-100 at 40 % noise, between 3.52 and 1.44 % of the weights. Here each benchmark is put to it between its own
#   overfitting level and the first sweet spot that follows, at the noise level of its own figure: 20 % for MNIST and CIFAR-10, 40 % for CIFAR-100.
# * LN-C07 reads restored examples at the last sweet spot, at the same noise level.

# %% tags=["hide-input"]
asked = ["LN-C05", "LN-C06", "LN-C07"]
comparison.verdicts_table(
    verdict_rows(asked, claims.CLAIM_TESTS, claims.CLAIM_BENCHMARKS, found.one_per_scale)
)

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper draws accuracy; this book draws error, 100 minus it, in all four papers.
# * The telling levels are chosen here by the definition, from means over replicates. The paper lists the sparsities that it chose, and they differ from
#   figure to figure. Where both sweet spots are one level, it is drawn once; where no level lies before or after the sweet spot, it is missing.
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
# Which images does the first replicate still misfit? In JupyterLab (`make lab`), set `level` to that of another network. At the sweet spot most of them
# should be noisy ones: compare the label trained on with the original one.

# %% mystnb={"figure": {"caption": "The training images that one network misfits most, with the labels that it was trained on.", "name": "fig-ln-misfits"}} tags=["hide-input"]
level, noise = plan.levels // 2, min(plan.noise_percents)

try:
    shown = worst_examples(
        *drawn.training_examples(PAGE, benchmark, scale, noise, level, store),
        title=f"What level {level} misfits",
        note=f"{benchmark}, {scale} scale, noise {noise:g} %, first replicate",
        class_names=drawn.class_names(plan),
    )
except InputError as lack:  # a table without its networks: committed, or measured elsewhere
    shown = Markdown(str(lack))
shown

# %% [markdown]
# **Change this and predict**
#
# 1. In `papers/label_noise/recipes.py`, let the `laptop` plan of MNIST train for 10 epochs instead of 40 and set `recompute = True`. Stopping early is a
#    way not to memorize, too. Which of the five lines in {numref}`fig-ln-epochs` will end lower than before, and does the sweet spot move to more or fewer weights?
# 2. In the same plan, set `noise="other"` in the data: a wrong label is then never the true one by chance. No answer
#    can then be right both as noisy and as restored. By how much, with ten classes, do you expect the error on noisy examples to rise in a network
#    that has memorized nothing?
