# %% [markdown]
# (ln-distance)=
# # The distance from initialization
#
# **The question.** If sparse networks do not resist wrong labels because they lie in {ref}`flat valleys <ln-loss-landscape>`, then why?
#
# ## The idea
#
# The paper's answer, in the second half of section 5 of {cite:t}`anonymous2022noise`: to memorize wrong labels a network must travel far
# from its initial weights, and a mask keeps it near. So measure how far networks travel, and ask whether those that stay closer are the
# better ones.
#
# **What the paper claims**
#
# * The distance from initialization falls as networks get sparser, for sparse and for {term}`re-dense <re-dense training>` networks (LN-C16).
# * Staying closer goes with a lower test error. At low {term}`sparsity` the sparse network lies farther away than the re-dense one and is
#   worse; at high sparsity it lies closer and is better; both change at about the same point (LN-C17).
# * For LeNet the curves of distance and accuracy mirror each other (LN-C18).
#
# ## Two ways to count
#
# With $\theta_0$ the initial weights and biases of all convolutions and linear layers, and $\theta$ the same after training, the distance is the
# root of the summed squares of all differences:
#
# $$
# d = \lVert \theta - \theta_0 \rVert_2 .
# $$ (eq-ln-distance)
#
# It has no unit. One thing has to be decided that the paper leaves open: where is a *pruned* weight? In the function that the network computes it
# is zero, so it lies $\lvert \theta_{0,i} \rvert$ away from where it began. By that count, setting weights to zero moves a network before it is
# trained at all, and removing nearly all of them moves it by nearly $\lVert \theta_0 \rVert$. The other count begins at the initialization
# that the mask $m$ leaves, $m \odot \theta_0$, each weight times its entry of the mask:
#
# $$
# d' = \lVert \theta - m \odot \theta_0 \rVert_2 .
# $$ (eq-ln-masked-distance)
#
# For a sparse network $d'$ is the distance over its kept weights alone. In a re-dense network the other weights come back at zero, and $d'$
# counts how far they go from there. The claims are decided by $d$; the chart's menu has both.
#
# ## The algorithm

# %% tags=["remove-input"]
from lib.analysis.distance import distance
from lib.widgets.page import show_source
from papers.label_noise import experiments

show_source(experiments.redense)

# %% [markdown]
# ### Both distances by hand
#
# A fresh network, pruned to 2 % at random and trained for a few passes over 2,000 digits:

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lib import data

digits, _ = data.load("mnist"), torch.manual_seed(0)
inputs, labels = digits.train_images[:2000].flatten(1) / 255, digits.train_labels[:2000].long()
network = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
initial = {name: w.detach().clone() for name, w in network.named_parameters()}
masks = {name: torch.rand_like(initial[name]) < 0.02 for name in ("0.weight", "2.weight")}


# %%
def distances() -> tuple[float, float]:
    """Return d and d' of the network as it is."""
    whole = masked = 0.0
    for name, weight in network.state_dict().items():
        start = initial[name].double()
        whole += float((weight - start).square().sum())
        masked += float((weight - start * masks.get(name, 1)).square().sum())
    return whole**0.5, masked**0.5


optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
for passes in range(6):
    for name, mask in masks.items():
        network.get_parameter(name).data *= mask
    print("after {} passes: d = {:.2f}, d' = {:.2f}".format(passes, *distances()))
    for batch, truth in zip(inputs.split(64), labels.split(64), strict=True):
        optimizer.zero_grad()
        cross_entropy(network(batch), truth).backward()
        optimizer.step()
        for name, mask in masks.items():
            network.get_parameter(name).data *= mask

# %% [markdown]
# Before the first pass $d' = 0$ and $d$ is already what it will be, to two decimals: that is the cut, not training. The library counts the same:

# %%
now, named = network.state_dict(), [*initial]
library = distance(now, initial, named), distance(now, initial, named, masks)
all(abs(a - b) < 1e-6 for a, b in zip(library, distances(), strict=True))

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

page = open_page(PAGES["distance_from_initialization"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## How far, and how good
#
# {numref}`fig-ln-distance` puts the distance above the test error. A vertical rule stands where sparse and re-dense networks change
# places; 10 % of the weights are a sparsity of 90 %. If the paper is right, the rules of both panels stand close together; in a panel
# without a rule they never change places. Then use the menu
# *Distance from*: which part of the upper panel is travel, and which is pruning itself?

# %% mystnb={"figure": {"caption": "Distance from initialization and last test error of sparse and re-dense networks against weights remaining, as in Fig. 7 of the paper.", "name": "fig-ln-distance"}} tags=["hide-input"]
figures.distance_and_error(page.tables)

# %% tags=["remove-input"]
observations.distance_and_error(page.tables)

# %% [markdown]
# ## Nearer and better?
#
# What decides LN-C17 is the difference between the two, too small beside the distance itself to be seen there.
# {numref}`fig-ln-distance-differences` draws it. The paper expects both lines to begin above zero, to fall, and to pass zero at about the
# same place.

# %% mystnb={"figure": {"caption": "Distance from initialization and last test error of sparse networks minus those of the re-dense networks that they became, against weights remaining.", "name": "fig-ln-distance-differences"}} tags=["hide-input"]
figures.differences(page.tables)

# %% tags=["remove-input"]
observations.differences(page.tables)

# %% [markdown]
# ## What it means
#
# A correlation is the weakest kind of explanation. Networks that train longer travel farther, whatever they learn; networks with fewer weights
# have fewer directions to travel in. And the answer can depend on where a pruned weight is counted. That
# memorizing takes travel is plausible; the figures agree with it only in part. That staying near *causes* robustness would
# need another experiment: hold a dense network near its initialization, and see whether it ignores wrong labels. The paper prints no number
# for its Figure 7.

# %% tags=["remove-input"]
observations.learned_distance_from_initialization(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper does not say how it counts pruned weights. By {eq}`eq-ln-distance` the distance grows with sparsity as soon as the initial weights of
#   the pruned part outweigh the travel of the rest, which speaks for something like {eq}`eq-ln-masked-distance` in its figure. Which one it is
#   cannot be told from the text or from the released code, which has no such measurement.
# * At the same level, both networks carry the same pruned part. Its share cancels to a good part in the *difference* between them, which LN-C17
#   is about.
# * $\theta_0$ is the initialization, also where weights are rewound to a later step. It is not kept: it is drawn again, from the same seed.
#   Normalization layers do not count.
# * The paper contradicts itself on LeNet: distance is said to decline continuously with sparsity, and to have a double-descent-like trend. LN-C16
#   takes the first, LN-C18 fits the second.
# * Figure 7 has LeNet and ResNet-18 on CIFAR-10 at 20 % noise, and ResNet-18 on CIFAR-100 at 40 %. The verdicts are on these cases.
# * "Strongly" in LN-C18 is taken as a correlation of at least 0.7. LN-C17 lets the two differences disagree at one level; it looks at the levels
#   from the first cut to the sweet spot of the last epoch, because beyond it a network fits nothing well. LN-C16 and LN-C18 correlate in each
#   seed by itself; LN-C17 pairs networks by seed.
# :::
#
# ## Try it
#
# Change the parameter cell and run the page again (`make lab`). Minutes and answers are for `laptop` scale on two CPU cores.
#
# 1. **Half the training** (about 1 minute). `epochs = 20`, `seeds = [0]`, `noise_percents = [20]`, `recompute = True`. Does the distance of the dense
#    network halve? What happens to that of the sparsest one, in $d$ and in $d'$?
#
# :::{dropdown} Answer
# Of the sparsest network $d$ hardly changes, since nearly all of it is the cut; $d'$ and the dense distance shrink. They need not halve:
# distance is not length of the way, and steps that go back and forth add nothing to it.
# :::
#
# 2. **Cuts by magnitude** (no training). The cell by hand cuts at random. Let `masks` keep the largest 2 % of each layer instead,
#    `initial[name].abs() > initial[name].abs().quantile(0.98)`, and then the largest half. Is $d$ before the first pass larger or smaller than with as many
#    weights cut at random?
#
# :::{dropdown} Answer
# Hardly smaller at 2 %, where all but a few weights are gone in either case (11.2 instead of 11.4). Half as large at 50 % (4.1 instead of 8.2): what
# magnitude removes lay near zero already.
# :::
#
# 3. **Wrong labels and distance** (no training). In {numref}`fig-ln-distance`, let the menu show more noise. Does the dense network travel farther to learn
#    more wrong labels, in as many steps? And the sparsest one, by the count that leaves out the pruned part?
#
# :::{dropdown} Answer
# The dense one does: 10.9, 13.4 and 15.9 at 20, 40 and 80 % noise, at laptop scale. A right label is soon fitted and stops pulling; a wrong one pulls until
# it is known by heart. The sparsest one travels *less* the more labels are wrong (7.7, 6.6, 3.8): it cannot learn them, so they only blur what it learns.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.distance_and_error)
