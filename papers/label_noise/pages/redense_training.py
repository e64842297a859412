# %% [markdown]
# (ln-redense-training)=
# # What happens when the weights come back
#
# At the {term}`sweet spot` a sparse network refuses to learn wrong labels. Perhaps pruning has led it into a good place, a broad valley of the loss where
# it would stay even if it could leave. Or it only stays because it cannot leave. The paper's experiment is as simple as the question: give the
# weights back, go on training, and watch. This page re-runs Figures 4, 11 and 13 of {cite:t}`anonymous2022noise`.
#
# **What the paper claims**
#
# * A very sparse network whose weights are restored leaves its solution, even at a small learning rate. It memorizes the wrong labels, and its test error
#   rises (LN-C13).
#
# ## The method
#
# Let $w^{(T)}$ be the weights after $T$ epochs of training under the mask $m$, which {term}`weight rewinding` has found. {term}`Re-dense training <re-dense training>`
# replaces the mask by ones and goes on for as many epochs again, on the same labels:
#
# $$
# w^{(T)} \odot m \;\longrightarrow\; \text{train all weights, at the last learning rate, from epoch } T \text{ to } 2T.
# $$ (eq-redense)
#
# At the moment of the lift nothing changes: weights that were pruned are zero, as they were under the mask, and the network computes the same function. From then
# on they receive gradients like all others. The learning rate is the last one of sparse training: 0.1 for LeNet, whose rate never falls, and 0.001 for
# ResNet-18.
#
# If the sparse solution lay in a broad valley of the space of *all* weights, small steps would not take the network far from it. If
# it ends near a minimum of the *sparse* space only, the loss falls along the directions that come back, and the network follows them. What it follows
# them to can be read from the {term}`noisy examples`.
#
# The networks shown are those of {ref}`the page before <ln-dynamics>`. Dense is among them: it has nothing to restore, and shows what twice the training
# alone does.
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
# Tables that exist are drawn at once, and a note says what they miss; with `recompute = True`, that is trained first. The sparse networks are those of
# {ref}`the page on double descent <ln-double-descent>`; each is trained on without its masks.

# %% tags=["hide-output"]
from lib.charts import enable
from lib.widgets.page import open_page
from papers.label_noise import figures
from papers.label_noise.experiments import PAGES

enable()
page = open_page(PAGES["redense_training"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Before and after the lift
#
# {numref}`fig-ln-lift` shows one network at a time, chosen by the slider; the dotted rule is the end of sparse training. Begin at recovery, where it opens. What does the line of the noisy
# examples do to the right of the rule, and what does the test set do meanwhile? Then compare with the dense network, which crosses the rule unchanged.
# A leap right behind the rule is not the lift itself, which changes no answer: training examples are scored while the first steps without masks are made.

# %% mystnb={"figure": {"caption": "Error over the epochs of sparse and then of re-dense training, one network at a time, as in Fig. 4, 11 and 13 of the paper.", "name": "fig-ln-lift"}} tags=["hide-input"]
figures.errors_over_the_lift(page.tables)

# %% [markdown]
# ## Where they end
#
# {numref}`fig-ln-redense-ends` sets both ends side by side at every level, a sparse network above or below what became of it. Both stand at the weights
# that were left *before* the lift. With the menu on the test set, look for the range where the sparse line is the lower one: there
# it was the missing weights that kept the network from the wrong labels.

# %% mystnb={"figure": {"caption": "Error after the last epoch of sparse and of re-dense networks against the weights remaining in the sparse one.", "name": "fig-ln-redense-ends"}} tags=["hide-input"]
figures.sparse_and_redense(page.tables)

# %% [markdown]
# ## The verdict
#
# The paper prints no numbers for these figures. LN-C13 asks, at both sweet spots of the table, where it has them: is the error on noisy examples lower, and the test error
# higher, at the end of re-dense training than at the end of sparse training, each by at least one standard deviation of the paired
# differences? It is decided at the noise level of the benchmark's own figure: 20 % for MNIST and CIFAR-10, 40 % for CIFAR-100.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The text continues from the sparse solution with the pruned weights at zero. The code that its authors built on trains anew for $2T$ epochs and lifts the mask in the middle, with the
#   optimizer running on; pruned weights then start with momentum that was gathered while they were masked. This book follows the text, with
#   a fresh optimizer. Without momentum, as for LeNet, the two are the same but for the order of the data.
# * Sweet spots are the table's own, by the definition on {ref}`the page before <ln-dynamics>`, and so are the other levels shown.
# * Training examples are scored over the epochs as on the page before: by the step that trains on them. LN-C13 and {numref}`fig-ln-redense-ends` read
#   the errors after training, in evaluation mode without augmentation.
# * Restored examples are measured, but not drawn over the epochs: that keeps the table small, and the test set tells the same.
# * "Even at a small learning rate" can be seen with ResNet-18 only. For LeNet the last rate is the first one.
# * At `laptop` scale that rate is 0.2 with batches of 64, so that few epochs suffice to memorize; the paper's is 0.1 with batches of 128. At the higher
#   rate re-dense training is unsteady: errors jump between epochs, and replicates end far from each other. This page and the two after it show
#   that as it came out.
#
# ## Try it
#
# Which images does the re-dense network still misfit, and were they the ones that the sparse network misfitted? In JupyterLab (`make lab`), set `algorithm` to `"weight rewinding"`
# and compare.

# %% mystnb={"figure": {"caption": "The training images that one network misfits most, with the labels that it was trained on.", "name": "fig-ln-redense-misfits"}} tags=["hide-input"]
algorithm, level, noise = "re-dense training", page.plan.levels, min(page.plan.noise_percents)

figures.worst_fitted_images(page, noise, level, algorithm)

# %% [markdown]
# **Change this and predict**
#
# 1. In `redense_training` of `lib/stages/algorithms.py`, let the second phase end at `recipe.epochs + recipe.epochs // 4` and set `recompute = True`. A network with
#    its weights back is as large as a dense one, but it starts from a solution that ignores the noise. Will the noisy examples be learned by
#    then? Read the answer off {numref}`fig-ln-lift` first.
# 2. The lift gives *all* weights back. Suppose that a random half of them came back. Would the network at the sweet spot still leave? Think of how
#    many weights the overfitting level has, and of what it does with them.
