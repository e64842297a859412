# %% [markdown]
# (tr-preliminaries)=
# # How a network is pruned, and when two results differ
#
# Everything in {cite:t}`jin2022pruning` rests on one algorithm and one rule. The algorithm removes weights; the rule says when two results differ. What does one
# cut take from a network, and what does the training after it do with the rest? This page takes one small network through it, cut by cut.
#
# **What the paper fixes** (section 2; it claims nothing yet)
#
# * The algorithm is {term}`iterative <iterative pruning>` {term}`magnitude` pruning with {term}`learning-rate rewinding`
#   {cite:p}`renda2020rewinding`.
# * The {term}`optimally sparse` network is the one with the best error on {term}`validation <validation set>` images.
# * Every experiment runs three times. Two results differ only if their {term}`paired differences <paired difference>` say so.
#
# ## The idea
#
# A weight near zero does little. So train a network, remove a fixed share $q$ of the weights that are left, those closest to zero, and train again. Repeat.
# *Learning-rate rewinding* keeps the weights as they are and turns only the learning rate back, to where it was in an early epoch $t$.
#
# One cut and the training after it make a {term}`level`. A {term}`mask` $m_k$ of zeros and ones says which weights $w_k$ are left at level $k$:
#
# $$
# \begin{aligned}
# m_{k+1} &= m_k \odot [\, |w_k| > \tau_k \,] && \text{prune} \\
# w_{k+1} &= \mathrm{train}_{\,t \to T}\,(m_{k+1} \odot w_k) && \text{train} \\
# \lVert m_{k+1} \rVert_0 &= \lVert m_k \rVert_0 - \lceil q \, \lVert m_k \rVert_0 \rceil \;\approx\; (1-q)^{k+1}\, \lVert m_0 \rVert_0 && \text{count}
# \end{aligned}
# $$ (eq-one-level)
#
# | sign | how to read it |
# |---|---|
# | $a \odot b$ | the {term}`elementwise product`: entry by entry, $a_i b_i$ |
# | $[\,\cdot\,]$ | the {term}`indicator`: 1 where the statement in the brackets holds, 0 where it does not |
# | $\tau_k$ | the threshold: the largest magnitude that is removed |
# | $\mathrm{train}_{\,t \to T}$ | training from epoch $t$ of the schedule to its end $T$, with a fresh optimizer |
# | $\lVert m \rVert_0$ | how many entries of $m$ are not zero |
# | $\lceil x \rceil$ | $x$, rounded up |
#
# There is one threshold for all layers (global {term}`scope`), so a layer whose weights are small loses more of them. Each cut takes its share of what is
# *left*: with the paper's $q = 0.2$ the {term}`weights remaining` are $0.8^k$, a half after 3 levels, a tenth after 10, one percent after about 21.
#
# ## The cut, by hand
#
# A fresh LeNet-300-100, in plain PyTorch. Which layer pays for the first cut?

# %%
import torch

from lib.models import build, initialize

network = build("lenet-300-100")
initialize(network.module, torch.Generator().manual_seed(0))
weights = {name: network.module.get_parameter(name).detach() for name in network.prunable}

sizes = torch.cat([w.abs().flatten() for w in weights.values()])  # |w| of all layers together: global scope
count = int(0.2 * len(sizes))  # a fifth of 265,200 is a whole number
threshold = sizes.sort().values[count - 1]
masks = {name: w.abs() > threshold for name, w in weights.items()}

for name, mask in masks.items():
    print(f"{name}: {mask.numel():,} weights, {100 * mask.float().mean():.1f} % stay")

# %% [markdown]
# The first layer has nine tenths of the weights and the smaller ones: its 784 inputs make He's initialization draw from a narrower distribution. So most of what
# goes, goes there. The library's cut is the same:

# %%
from lib.pruning import magnitude, select

everything = {name: torch.ones_like(mask) for name, mask in masks.items()}
ours = select(magnitude(network.module, network.prunable), everything, fraction=0.2)
all(torch.equal(ours[name], masks[name]) for name in masks)

# %% [markdown]
# ## The algorithm, as it is run
#
# This book writes every algorithm as a chain of {term}`stages <stage>`. A stage answers three questions: whose weights does it **start** from, what does it
# **prune**, which epochs does it **train**? Learning-rate rewinding is two stages for the dense network and then the same stage again and again:

# %% tags=["hide-input"]
from lib.stages.algorithms import learning_rate_rewinding
from lib.widgets.page import open_page, show_source
from papers.training_regularization.experiments import PAGES, pruning

show_source(pruning, learning_rate_rewinding)

# %% [markdown]
# Training is the loop of every textbook: a batch, its gradient, a step of the optimizer; pruned weights get no gradient and stay zero. The book trains several
# networks at once by a faster loop, which a test holds equal to this one:

# %% mystnb={"code_prompt_show": "The plain training loop"} tags=["hide-cell"]
from lib.training.reference import train_plainly

show_source(train_plainly)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. The map of pixels needs a network whose first layer reads them all, so the benchmark is LeNet. At `laptop` scale the dense network
# and its five cuts train in seconds on two CPU cores.

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
#
# One {term}`replicate`: the first seed of {ref}`tr-additional-regularization`, at its highest share of wrong labels, where pruning has most to change. Both
# pages describe the same stages, so whichever runs first trains them for both.

# %% tags=["hide-output"]
import pandas
from IPython.display import Markdown

from lib.analysis.experiments import plan_of
from lib.analysis.steps import best_step, chain_table, kept_steps, steps_table
from lib.charts import table
from lib.stages import Store, stage_keys
from lib.widgets.stepper import step_through
from papers.training_regularization import figures, observations, recipes, tables

page = open_page(PAGES["preliminaries"], vars())
yours_first = sorted(page.tables, key=lambda one: not one.changes)  # of the one network shown
done, drawn = kept_steps(page.page.name, yours_first) or ([], page.table)
plan = plan_of(page.page, drawn)
[chain], replicate = page.page.chains(plan), plan.replicates()[0]

# %% tags=["hide-input"]
source = f"{benchmark}, {drawn.label}, seed {replicate.seed}, {replicate.noise_percent:g} % label noise."
trained_on = f"{plan.recipe.data.train:,}" if plan.recipe.data.train else "all"
Markdown(
    f"{source} Trained on {trained_on} training images for {plan.recipe.epochs} epochs a level, "
    f"{plan.levels} cuts of {100 * plan.prune.fraction:.3g} % each."
    + ("" if done else " **No table has its steps: set `recompute = True` to train and measure it.**")
)

# %% [markdown]
# Its chain. The first stage trains to epoch $t$ and is not reported; for LeNet $t = 0$, so it only draws the weights. Level 0 is the {term}`dense` network.

# %% tags=["hide-input"]
table(chain_table(chain), "chain")

# %% [markdown]
# ## Step by step
#
# Move the slider. Four things to look for:
#
# * **The cut.** Before the first one the weights crowd around zero. The cut takes the middle out (outlined bars, between the dashed thresholds).
# * **The training after it.** The gap does not stay empty. Some weights move back towards zero, or through it. Most move outwards, and the next threshold is
#   higher.
# * **The map.** Every pixel feeds 300 neurons of the first layer. A pixel at the rim is black in nearly every image and tells nothing: its weights stay small and
#   go first. What is left has the shape of the digits.
# * **The errors.** They need not rise or fall in order. The star marks the level that the validation images choose, the *optimal sparsity*; test images have no
#   say in it.

# %% mystnb={"figure": {"caption": "One LeNet, pruned level by level: weights left for each pixel of the first layer; errors; weights of the prunable layers around the cut and after training. The outermost bars of a histogram hold all that lies beyond.", "name": "fig-tr-steps"}} tags=["hide-input"]
figures.network_level_by_level(done, source)

# %% tags=["remove-input"]
observations.network_level_by_level(done)

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
# ## What rewinding the learning rate does
#
# LeNet's learning rate never changes, so rewinding it only makes the optimizer forget. Elsewhere it matters: at the end of ResNet-20's schedule the rate is a
# hundredth of what it was, and the weights hardly move any more. At `paper` scale it goes back to epoch $t = 10$ after each cut, and every level gets the high
# rates once more:

# %% mystnb={"figure": {"caption": "The learning rate of ResNet-20 over the first levels of learning-rate rewinding: 160 epochs, then 150 at each level.", "name": "fig-tr-learning-rate"}} tags=["hide-input"]
resnet = recipes.plan("cifar10-resnet20", "paper")
figures.learning_rate_while_pruning(learning_rate_rewinding(resnet.recipe, 3, resnet.prune))

# %% [markdown]
# ## When do two results differ?
#
# Two {term}`seeds <seed>` often differ more than two algorithms do. So both algorithms run with the *same* seeds, and what counts is the difference
# $d_i = a_i - b_i$ for each of the $n = 3$ seeds:
#
# $$
# \begin{aligned}
# \bar d &= \tfrac{1}{n} \textstyle\sum_i d_i, \\
# s &= \sqrt{\tfrac{1}{n-1} \textstyle\sum_i (d_i - \bar d)^2} .
# \end{aligned}
# $$ (eq-paired-rule)
#
# The results *differ* if and only if $|\bar d| \ge s$; otherwise they *match*. Two examples with made-up errors. A has the same errors in both, and B the same mean:

# %% tags=["hide-input"]
first = pandas.Series({0: 9.1, 1: 8.4, 2: 9.6})
together = pandas.Series({0: 9.4, 1: 8.8, 2: 9.8})
apart = pandas.Series({0: 9.8, 1: 9.4, 2: 8.8})
examples = {"B moves with A": {"A": first, "B": together}, "B moves alone": {"A": first, "B": apart}}
table(tables.paired_differences(examples), "paired")

# %% mystnb={"figure": {"caption": "Three pairs of runs. The seeds lie a percentage point apart, but A is below B for each of them: the results differ. The menu has the second example.", "name": "fig-tr-paired"}} tags=["hide-input"]
figures.paired_runs(examples)

# %% [markdown]
# In the second example B's errors are the same three numbers with seeds exchanged. The means are unchanged, and yet the results match, because the difference now
# depends on the seed. A line of pandas makes the rule, and the library agrees:

# %%
from lib.analysis.statistics import difference

d = first - together
print(f"mean {d.mean():.2f}, standard deviation {d.std():.2f}, differ: {abs(d.mean()) >= d.std()}")
difference(first, together).verdict, difference(first, apart).verdict

# %% [markdown]
# It is a mild rule. $|\bar d| \ge s$ is Student's $|t| \ge \sqrt{3}$ with two degrees of freedom. Two algorithms that do not differ at all pass it in
# $1 - \sqrt{3/5} \approx 23$ % of all comparisons, if differences are normally distributed. A verdict that just passes it is weak evidence.
#
# ## The paper's benchmarks
#
# Networks, data sets and training as printed in Table 1 of the paper. $t$ is the epoch to which the learning rate is rewound.

# %% tags=["hide-input"]
table(tables.hyperparameters(), "hyperparameters")

# %% tags=["remove-input"]
observations.learned_preliminaries(page.tables)

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The figure above shows one replicate with wrong labels. It explains the algorithm and measures nothing that the paper prints.
# * Small scales train on fewer images for fewer epochs, and one cut takes several of the paper's at once. The gap in the histogram is therefore wider than at
#   `paper` scale.
# * Each cut removes exactly $\lceil q R \rceil$ of the $R$ remaining weights. The code that the paper builds on removes one more, and all that tie with the
#   threshold. It also counts LeNet's output layer among the remaining weights: after 21 cuts it has 0.55 % of the hidden weights left, and this book 0.92 %.
# * ResNet-50 warms up for five epochs, which Table 1 does not list; the code that the paper builds on does so.
# * LeNet's output layer stays whole, as in that code; the paper does not say. *Prunable* weights are those of the two hidden layers.
# * Where several levels tie for the lowest validation error, the one with more weights is called optimal. The paper is silent on ties.
# * The paper does not say which standard deviation it means; this book takes that of a sample, with $n - 1$.
# :::
#
# ## Try it
#
# **1. Half a minute.** Replace `w.abs()` in the cut by hand with `torch.rand(w.shape)`: a random cut. What share of each layer stays?
#
# :::{dropdown} Answer
# About 80 % of each. Random scores do not know which layer a weight is in. Magnitude does, without being told, since initialization scales each layer by its number
# of inputs.
# :::
#
# **2. Two minutes, in JupyterLab.** The controls below prune and train this network for real. Choose the score `random` and prune once. What will the map of pixels
# look like, and the histogram after the cut? Go back and choose `synflow`, which never looks at an image. Does it find the rim?
#
# :::{dropdown} Answer
# At random the map stays flat and the histogram keeps its shape, only lower: nothing is singled out. SynFlow does find the rim. It looks at weights only, but these
# were trained on images, and those of the rim have stayed small.
# :::
#
# **3. Three minutes, in JupyterLab.** Reach 22 % of the weights in two ways: by one cut of 78 %, or by two cuts of 53.1 %. Which network has the lower test error?
# Before you credit the gentler cuts: what else is different between the two?
#
# :::{dropdown} Answer
# Two cuts also train twice. Whether the training or the cutting helps is the question of {ref}`tr-pruning-and-longer-training`.
# :::

# %% tags=["remove-output"]
dense = stage_keys(chain, replicate, plan.precision)[1]
if Store(store or None).find(dense):
    shown = step_through(
        plan, store=store, device=device, deterministic=deterministic, note=f"{benchmark}, {plan.recipe.epochs} epochs"
    )
else:
    shown = Markdown("*The controls begin with the dense network, which the store lacks: set `recompute = True`.*")
shown
