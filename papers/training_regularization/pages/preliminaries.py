# %% [markdown]
# (tr-preliminaries)=
# # Preliminaries: how a network is pruned, and when two results differ
#
# Section 2 of {cite:t}`jin2022pruning` makes no claim. It fixes the algorithm, the words and the rule by which two results are compared,
# and everything else in the paper rests on them. This page takes one small network through the algorithm, one cut at a time.
#
# **What the paper fixes**
#
# * The algorithm is {term}`iterative <iterative pruning>` {term}`magnitude` pruning with {term}`learning-rate rewinding`
#   {cite:p}`renda2020rewinding`.
# * The {term}`optimally sparse` network is the one with the best error on {term}`validation <validation set>` images.
# * Every experiment runs three times; two results differ only if their {term}`paired differences <paired difference>` say so.
#
# ## The method
#
# Train a network to the end of its schedule. Remove a fixed share $q$ of the weights that are left, those closest to zero. Turn the
# learning rate, but not the weights, back to where it was in an early epoch $t$, and train to the end again. Repeat.
#
# This book writes such an algorithm as a chain of {term}`stages <stage>`, each of which answers three questions:
#
# | part of a stage | learning-rate rewinding | what else there could be |
# |---|---|---|
# | **start**: whose weights? | those of the stage before | new ones; those of epoch $t$ ({term}`weight rewinding`) |
# | **prune**: what goes? | the share $q$ with the smallest $\lvert w \rvert$ | nothing; another {term}`score`; each layer by itself |
# | **train**: which epochs? | $t$ to the end $T$, with a fresh optimizer | only the last ones ({term}`fine-tuning`); all of them |
#
# One cut and the training after it make a {term}`level`. A {term}`mask` $m_k$ of zeros and ones says which weights are left at level
# $k$, and $\lVert m_k \rVert_0$ counts them:
#
# $$
# \begin{aligned}
# m_{k+1} &= m_k \odot [\, |w_k| > \tau_k \,] && \text{prune} \\
# w_{k+1} &= \mathrm{train}_{\,t \to T}\,(m_{k+1} \odot w_k) && \text{train} \\
# \lVert m_{k+1} \rVert_0 &= \lVert m_k \rVert_0 - \lceil q \, \lVert m_k \rVert_0 \rceil \;\approx\; (1-q)^{k+1}\, \lVert m_0 \rVert_0 && \text{count}
# \end{aligned}
# $$ (eq-one-level)
#
# There is one threshold $\tau_k$ for all layers (global {term}`scope`): a layer whose weights are small loses more of them. Each cut takes
# its share of what is *left*, so the cuts become smaller and smaller: with the paper's $q = 0.2$, the {term}`weights remaining` are
# $0.8^k$, which is half after 3 levels, a tenth after 10, and 1 % after about 21.
#
# ## Parameters
#
# All that you need to touch. With `recompute = True` the network is trained where the store does not have it. One network at `laptop` scale takes about
# half a minute on two CPU cores. The map of pixels needs a network whose first layer reads them all, so the benchmark is LeNet.

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
# One {term}`replicate`: the first seed of the {ref}`page on label noise <tr-additional-regularization>`, at its highest share of wrong labels, where
# pruning has most to change. Both pages describe the same stages, so whichever runs first trains them for both.

# %% tags=["hide-output"]
import inspect

import pandas
from IPython.display import Code, Markdown

from lib.analysis.steps import best_step, chain_table, kept_steps, steps_table
from lib.charts import table
from lib.stages import Store, stage_keys
from lib.stages.algorithms import learning_rate_rewinding
from lib.training.reference import train_plainly
from lib.widgets.page import open_page
from lib.widgets.stepper import step_through
from papers.training_regularization import figures, recipes, tables
from papers.training_regularization.experiments import PAGES

page = open_page(PAGES["preliminaries"], vars())
done, drawn = kept_steps(page.page.name, page.tables) or ([], page.table)
plan = page.page.plans(benchmark, drawn.scale)
[chain], [replicate] = page.page.chains(plan), plan.replicates()

# %% [markdown]
# What was measured, and where:

# %% tags=["hide-input"]
source = f"{benchmark}, {drawn.label}, seed {replicate.seed}, {replicate.noise_percent:g} % label noise."
images = f"{plan.recipe.data.train:,}" if plan.recipe.data.train else "all"
Markdown(
    f"{source} Trained on {images} training images for {plan.recipe.epochs} epochs a level, "
    f"{plan.levels} cuts of {100 * plan.prune.fraction:.3g} % each."
    + ("" if done else " **No table has its steps: set `recompute = True` to train and measure it.**")
)

# %% [markdown]
# ## The chain
#
# This is the whole algorithm as the program sees it. The first stage trains to epoch $t$ and is not reported; for LeNet $t = 0$, so it
# only draws the weights. The stage of level 0 makes the {term}`dense` network.

# %% tags=["hide-input"]
table(chain_table(chain), "chain")

# %% [markdown]
# Training itself is the loop of every textbook: a batch, its gradient, a step of the optimizer, and after it the pruned weights are zero. The book
# trains several networks at once and faster, by a loop that a test holds equal to this one:

# %% tags=["hide-input"]
Code(inspect.getsource(train_plainly), language="python")

# %% [markdown]
# LeNet's learning rate never changes, so rewinding it does nothing there but make the optimizer forget. In the other benchmarks it
# matters: at the end of the schedule the rate is a hundredth or less of what it was, and the weights hardly move any more. ResNet-20
# at `paper` scale goes back to epoch $t = 10$ after each cut:

# %% mystnb={"figure": {"caption": "The learning rate of ResNet-20 over the first levels of learning-rate rewinding: 160 epochs, then 150 at each level.", "name": "fig-tr-learning-rate"}} tags=["hide-input"]
resnet = recipes.plan("cifar10-resnet20", "paper")
figures.learning_rate_while_pruning(learning_rate_rewinding(resnet.recipe, 3, resnet.prune))

# %% [markdown]
# ## Step by step
#
# Move the slider. Four things to look for:
#
# * **The cut.** Before the first one the weights crowd around zero; the cut takes the middle out (outlined bars, between the dashed
#   thresholds). The first layer is nearly eight times as large and has the smaller weights, so it pays for most of the cut.
# * **The training after it.** The gap does not stay empty: some weights move back towards zero, or through it. Most move outwards,
#   and the next threshold is higher.
# * **The map.** Every pixel feeds 300 neurons of the first layer, by one weight each. A pixel at the rim is the
#   same in nearly every image and tells nothing: its weights stay small and go first. What is left has the shape of the digits.
# * **The errors.** They need not rise or fall in order. The star marks the level that the validation images choose, the *optimal sparsity*;
#   test images have no say in it.

# %% mystnb={"figure": {"caption": "One LeNet, pruned level by level: weights left for each pixel of the first layer; errors; weights of the prunable layers around the cut and after training. The outermost bars of a histogram hold all that lies beyond.", "name": "fig-tr-steps"}} tags=["hide-input"]
figures.network_level_by_level(done, source)

# %% [markdown]
# The same in numbers. The counts follow {eq}`eq-one-level` to the last weight; the power of $1 - q$ beside them knows no rounding:

# %% tags=["hide-input"]
table(steps_table(done), "steps")

# %% tags=["hide-input"]
best = best_step(done)
Markdown(
    f"Lowest validation error: **level {best.level}**, with {best.weights_remaining_percent:.3g} % of the weights. Its test error, "
    f"{best.error_percent['test']:.2f} % against {done[0].error_percent['test']:.2f} % of the dense network, is the number that "
    "is reported. One replicate says nothing about chance."
    if best
    else "The level with the lowest validation error is named here once the network is measured."
)

# %% [markdown]
# ## When do two results differ?
#
# A {term}`replicate` is one run of the whole chain with its own {term}`seed`: its own first weights, order of the images and wrong labels. Two seeds often
# differ more than two algorithms do. So both algorithms run with the *same* seeds, and what counts is the difference $d_i = a_i - b_i$ for each of the $n = 3$ seeds:
#
# $$
# \begin{aligned}
# \bar d &= \tfrac{1}{n} \textstyle\sum_i d_i, \\
# s &= \sqrt{\tfrac{1}{n-1} \textstyle\sum_i (d_i - \bar d)^2} .
# \end{aligned}
# $$ (eq-paired-rule)
#
# The results *differ* if and only if $|\bar d| \ge s$; otherwise they *match*. The paper does not say which standard deviation it means; this book takes that of a sample, with $n - 1$. Two
# examples with made-up errors; A has the same errors in both, and B the same mean:

# %% tags=["hide-input"]
first = pandas.Series({0: 9.1, 1: 8.4, 2: 9.6})
together = pandas.Series({0: 9.4, 1: 8.8, 2: 9.8})
apart = pandas.Series({0: 9.8, 1: 9.4, 2: 8.8})
examples = {"B moves with A": {"A": first, "B": together}, "B moves alone": {"A": first, "B": apart}}
table(tables.paired_differences(examples), "paired")

# %% mystnb={"figure": {"caption": "Three pairs of runs. The seeds lie a percentage point apart, but A is below B for each of them: the results differ. The menu has the second example.", "name": "fig-tr-paired"}} tags=["hide-input"]
figures.paired_runs(examples)

# %% [markdown]
# In the second example B's errors are the same three numbers with seeds exchanged. Nothing changes in the means, and yet the results match, since the
# difference now depends on the seed.
#
# It is a mild rule. $|\bar d| \ge s$ is Student's $|t| \ge \sqrt{3}$ with two degrees of freedom. If the differences are normally distributed, two
# algorithms that do not differ at all will pass it in $1 - \sqrt{3/5} \approx 23$ % of all comparisons. A verdict in this book follows the paper's rule; a
# single one that just passes it is weak evidence.
#
# ## The paper's benchmarks
#
# Networks, data sets and training as printed in Table 1 of the paper. $t$ is the epoch to which the learning
# rate is rewound.

# %% tags=["hide-input"]
table(tables.hyperparameters(), "hyperparameters")

# %% [markdown]
# ## What differs from the paper, and why
#
# * The figure above shows one replicate with wrong labels. It explains the algorithm and measures nothing that the paper prints.
# * `laptop` scale trains on fewer images for fewer epochs, and one cut takes several of the paper's at once. The gap
#   in the histogram is therefore wider than at `paper` scale.
# * Each cut removes exactly $\lceil q R \rceil$ of the $R$ remaining weights. The code that the paper builds on removes one more, and all
#   that tie with the threshold.
# * LeNet's output layer stays whole, as in that code; the paper does not say. *Prunable* weights are those of the two hidden layers.
# * Where several levels tie for the lowest validation error, the one with more weights is called optimal. The paper is silent on ties.
#
# ## Try it
#
# In JupyterLab (`make lab`) the controls below prune and train this network for real, one step at a time, by a score and a share of your
# choice. *Back* takes a step back, to try another. In the published book there is no kernel to ask.

# %% tags=["remove-output"]
dense = stage_keys(chain, replicate, plan.precision)[1]
if Store(store or None).find(dense):
    shown = step_through(
        plan, store=store, device=device, deterministic=deterministic, note=f"{benchmark}, {plan.recipe.epochs} epochs"
    )
else:
    shown = Markdown("*The controls begin with the dense network, which the store lacks: set `recompute = True`.*")
shown

# %% [markdown]
# **Change this and predict**
#
# 1. Choose the score `random` and prune the dense network once. What will the map of pixels look like, and the histogram after the cut? Then go
#    back and choose `synflow`, which never looks at an image. Does it find the rim?
# 2. Reach 22 % of the weights in two ways: by one cut of 78 %, or by two cuts of 53.1 %. Which network has the lower test error?
#    Before you credit the gentler cuts: what else is different between the two? The answer fills
#    {ref}`another page <tr-pruning-and-longer-training>`.
