# %% [markdown]
# (tr-correct-examples)=
# # Telling a dense network what to ignore
#
# A sparse network can be read as a choice of images: those it still fits. Hand that choice to a *dense* network and see what the choice alone is worth. If giving up the right images is how pruning
# improves a network, the dense one needs nothing else. This page re-runs appendix E of {cite:t}`jin2022pruning`.
#
# **What the paper claims**
#
# * With wrong labels, a dense network that is trained only on what the sparse network classifies correctly is as good as the sparse network or better (TR-C26).
# * Its error follows that of the sparse network from level to level (TR-C27).
#
# ## The idea
#
# At {term}`level` $k$ of {term}`learning-rate rewinding` the sparse network $f_k$ classifies some training images as they are labelled, and others not:
#
# $$
# C_k = \{\, (x, y) : \arg\max_c \, p_k(c \mid x) = y \,\} .
# $$ (eq-correct-examples)
#
# A new dense network, with all of its weights, is trained from scratch on $C_k$ alone. With few weights left, $C_k$ lacks most of the wrong labels, because $f_k$ does not fit them; and it lacks some correct
# images that are hard. The new network takes as many gradient steps as on all images, so it goes over $C_k$ more often.
#
# In the figures it stands at the weights remaining in the *sparse* network that chose its images. It has itself lost none.
#
# ## The choice, by hand
#
# A thousand digits, 15 % of them with a wrong label. A linear layer, stopped before it learns them by heart, plays the sparse network; LeNet is the dense one:

# %%
import torch
from torch.nn.functional import cross_entropy

from lib.data import add_label_noise, load, normalization, normalize
from lib.models import build, initialize

digits = load("mnist")
inputs, true = normalize(digits.train_images[:1000], normalization("mnist")), digits.train_labels[:1000].long()
test_inputs, test_labels = normalize(digits.test_images[-2000:], normalization("mnist")), digits.test_labels[-2000:]
noise = add_label_noise(true, 15, "other", 10, torch.Generator().manual_seed(0))


def trained(module, chosen, steps):
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    for _step in range(steps):
        optimizer.zero_grad()
        cross_entropy(module(inputs[chosen]), noise.labels[chosen]).backward()
        optimizer.step()
    return module


def lenet():
    module = build("lenet-300-100").module
    initialize(module, torch.Generator().manual_seed(0))
    return module


torch.manual_seed(0)
everything = torch.arange(1000)
judge = trained(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)), everything, steps=50)
correct = (judge(inputs).argmax(-1) == noise.labels).nonzero()[:, 0]

print(f"the judge keeps {len(correct)} images; {noise.noisy[correct].sum()} of 150 wrong labels are among them")
for name, chosen in (("all images", everything), ("what the judge gets right", correct)):
    wrong = trained(lenet(), chosen, steps=60)(test_inputs).argmax(-1) != test_labels
    print(f"LeNet trained on {name}: test error {100 * wrong.float().mean():.1f} %")

# %% [markdown]
# A network that can learn everything by heart generalizes better on fewer images, once a network that has not learned them by heart has chosen. The library chooses the same ones:

# %%
from lib.stages.stage import Subset
from lib.stages.subsets import choose

losses = torch.zeros(1000)  # this rule does not look at them
is_correct = judge(inputs).argmax(-1) == noise.labels
torch.equal(
    choose(Subset(judge=1, rule="correct", equal_steps=True), losses, losses, is_correct, torch.Generator()), correct
)

# %% [markdown]
# ## The algorithm, as it is run

# %% tags=["hide-input"]
from lib.stages.algorithms import correct_examples_only, learning_rate_rewinding
from lib.widgets.page import open_page, show_source
from papers.training_regularization import experiments, figures, observations
from papers.training_regularization.experiments import PAGES

show_source(experiments.correct_examples, learning_rate_rewinding, correct_examples_only)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Every point of the second line is a network of its own, so `paper` is long: see {ref}`What it costs <what-it-costs>`.

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
page = open_page(PAGES["correct_examples"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Only the images that the sparse network gets right
#
# Both lines belong together level by level: the sparse network sorts the images, a dense one learns what is left. At level 0 it is the dense network itself that sorts. Watch the second line where the sparse network
# no longer fits the wrong labels.

# %% mystnb={"figure": {"caption": "Test error of dense networks trained on what the sparse network of each level classifies correctly, and of that sparse network, as in Fig. 10 of the paper.", "name": "fig-tr-correct"}} tags=["hide-input"]
figures.error_on_correct_examples(page.tables)

# %% tags=["remove-input"]
observations.error_on_correct_examples(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# Table 8 of the paper has the error at each chain's own optimum and at level 0, as mean ± one standard deviation over replicates. Nothing is adjusted: below `paper` scale they need not agree, because fewer images
# are trained on.

# %% mystnb={"figure": {"caption": "Printed and measured test errors of pruning and of dense training on correctly classified examples, Table 8 of the paper.", "name": "fig-tr-table-8"}} tags=["hide-input"]
figures.printed_beside_measured(benchmark, page.tables, 8)

# %% tags=["remove-input"]
observations.printed_beside_measured(benchmark, page.tables, 8)

# %% mystnb={"code_prompt_show": "Table 8 in numbers"} tags=["hide-cell"]
figures.printed_table(benchmark, page.tables, 8)

# %% [markdown]
# ## What it means
#
# This is the paper's argument in one picture. A network with all of its weights, trained as long as usual, needs only to be told which images to ignore. So sparsity is not needed for the gain: the
# choice of images is enough. That a sparse network gains for the same reason is the paper's conclusion. This experiment fits it, and does not prove it. Nor do
# the two errors always move together: with 15 % wrong labels they do, with 5 % one falls where the other rises (TR-C27). The dense network gains most where the sparse one refuses wrong labels; with 5 % of them that is not where the sparse one is best.

# %% tags=["remove-input"]
observations.learned_correct_examples(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "Each verdict with its reason"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper says only that the number of gradient steps is kept. Correct images are a different number at each level and in each replicate; the network passes over them again and again, each time in a new order,
#   until it has taken as many steps as on all images. The learning rate follows the steps.
# * Its base algorithm trains a dense network in two parts, with a fresh optimizer at epoch $t$; so do these networks, unless $t = 0$.
# * What is correct is decided in evaluation mode, without augmentation, once, at the end of each level.
# * Table 8 prints another optimum of learning-rate rewinding than Table 6 for some networks (12.63 against 13.0 % for ResNet-20 at 15 %). Here it stands beside the same measurement in both.
# * The paper prints this with noise only (13 cases). Here it is measured without noise too, where nothing stands beside it.
# :::
#
# ## Try it
#
# **1. Ten seconds.** In the choice by hand, let the judge train 2,000 steps instead of 50. What becomes of its choice, and of LeNet's error?
#
# :::{dropdown} Answer
# The judge now fits every wrong label and keeps all 1,000 images, and LeNet's error is that on all images. A good judge is one that has not learned everything: sparse, small, or early.
# :::
#
# **2. Three minutes.** `noise_percents = [40.0]`, `seeds = [0]`, `recompute = True`. What is the best error of the dense network on chosen images now?
#
# :::{dropdown} Answer
# It stays far below that of a dense network on all images, since the sparse network at its best has thrown out most wrong labels. What is missing are the correct images that it threw out with them.
# :::
#
# **3. By thought.** The judge and the dense network are trained on the same data. Where does the information come from that some labels are wrong?
#
# :::{dropdown} Answer
# From the other images: a label is suspect where many similar images say otherwise. The judge is forced to go by what images share; the dense network could do so too, and does not need to.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How the first figure is made"} tags=["hide-cell"]
show_source(figures.error_on_correct_examples, figures.errors_of)
