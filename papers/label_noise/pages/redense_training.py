# %% [markdown]
# (ln-redense-training)=
# # What happens when the weights come back
#
# **The question.** A very sparse network {ref}`ignores wrong labels <ln-dynamics>`. Has pruning led it into a good place, where it would stay
# even if it could leave? Or does it only stay because it cannot leave?
#
# ## The idea
#
# The experiment is as simple as the question: give the weights back, go on training, and watch. If the sparse network lies in a broad
# valley of the loss over *all* weights, small steps will not take it far away. If it lies at a minimum only among *sparse* networks, the
# loss still falls along the directions that come back, and the network follows them. Where they lead can be read from the
# {term}`noisy examples`.
#
# **What the paper claims** ({cite:t}`anonymous2022noise`, Figures 4, 11 and 13)
#
# * A very sparse network whose weights are restored leaves its solution, even at a small learning rate. It memorizes the wrong labels, and
#   its test error rises (LN-C13).
#
# ## The algorithm
#
# Let $w^{(T)}$ be the weights after $T$ epochs of training under the mask $m$, and $\odot$ the product of each weight with its entry of the
# mask. {term}`Re-dense training <re-dense training>` replaces the mask by ones and goes on for as many epochs again, on the same labels:
#
# $$
# \begin{gathered}
# w^{(T)} \odot m \;\longrightarrow\; \text{train all weights,} \\ \text{at the last learning rate, from epoch } T \text{ to } 2T.
# \end{gathered}
# $$ (eq-redense)

# %% tags=["remove-input"]
from lib.stages.algorithms import redense_training
from lib.widgets.page import show_source
from papers.label_noise import experiments

show_source(experiments.redense, redense_training)

# %% [markdown]
# ### Lifting a mask by hand
#
# A small network, 2 % of whose hidden weights are kept, trained with the mask applied after every step, and then without it:

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lib import data

digits, _ = data.load("mnist"), torch.manual_seed(0)
inputs, labels = digits.train_images[:2000].flatten(1) / 255, digits.train_labels[:2000].long()
network = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
masks = {name: torch.rand_like(w) < 0.02 for name, w in network.named_parameters() if name in ("0.weight", "2.weight")}


# %%
def train(network: nn.Module, masks: dict[str, torch.Tensor], passes: int) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)  # a fresh one each time
    for _ in range(passes):
        for batch, truth in zip(inputs.split(64), labels.split(64), strict=True):
            optimizer.zero_grad()
            cross_entropy(network(batch), truth).backward()
            optimizer.step()
            for name, mask in masks.items():
                network.get_parameter(name).data *= mask  # pruned weights stay at zero


train(network, masks, passes=5)
sparse, before = {name: w.clone() for name, w in network.state_dict().items()}, network(inputs)
train(network, {}, passes=0)  # the mask is lifted: nothing has happened yet ...
same = torch.equal(network(inputs), before)
train(network, {}, passes=1)  # ... and now all weights learn, but those of black pixels and of neurons that never fire
moved = [float((network.get_parameter(name)[~mask] != 0).float().mean()) for name, mask in masks.items()]
print(
    f"same answers at the lift: {same}; returned weights that have left zero, by layer: {[f'{100 * m:.0f} %' for m in moved]}"
)

# %% [markdown]
# At the lift nothing changes. The pruned weights are zero, as they were under the mask, and the network computes the same function. From
# then on they receive gradients like all others. Every stage of the library begins with weights and masks; its lifting stage begins with
# the same:

# %%
from types import SimpleNamespace
from typing import Any

from lib.models import Network
from lib.stages.starting_point import starting_point
from lib.training import Replicate
from papers.label_noise.recipes import plan

chain = redense_training(plan("mnist-lenet", "smoke").recipe, 1, plan("mnist-lenet", "smoke").prune)[1]
done: Any = SimpleNamespace(tensors=lambda kind: sparse, masks=lambda: masks)  # stands for the finished sparse stage
examples: Any = None  # which only a score looks at
weights, ones = starting_point(
    Network(network, (*masks,)), chain, len(chain.stages) - 1, Replicate(seed=0), [done], examples
)
all(torch.equal(weights[name], sparse[name]) for name in sparse) and all(mask.all() for mask in ones.values())

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

page = open_page(PAGES["redense_training"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Before and after the lift
#
# {numref}`fig-ln-lift` shows one network at a time, chosen by the slider; the dotted rule is the end of sparse training. It opens at
# recovery, the level where {ref}`the test error has come down <ln-dynamics>`. What does the line of the noisy examples do to the right of the
# rule, and what does the test set do meanwhile? Then compare with the dense network, which crosses the rule unchanged: it has nothing to
# restore and shows what twice the training alone does. The lift itself changes no answer; the leap
# right behind the rule is the first epoch without masks. Look at the test error in the epochs after it, too: it falls before it rises.

# %% mystnb={"figure": {"caption": "Error over the epochs of sparse and then of re-dense training, one network at a time, as in Fig. 4, 11 and 13 of the paper.", "name": "fig-ln-lift"}} tags=["hide-input"]
figures.errors_over_the_lift(page.tables)

# %% tags=["remove-input"]
observations.errors_over_the_lift(page.tables)

# %% [markdown]
# ## Where they end
#
# {numref}`fig-ln-redense-ends` sets both ends side by side at every level: a sparse network, and what became of it. Both stand at the
# weights that were left *before* the lift. With the menu on the test set, look for the range where the sparse line is the lower one. There
# the missing weights kept the network from the wrong labels.

# %% mystnb={"figure": {"caption": "Error after the last epoch of sparse and of re-dense networks against the weights remaining in the sparse one.", "name": "fig-ln-redense-ends"}} tags=["hide-input"]
figures.sparse_and_redense(page.tables)

# %% tags=["remove-input"]
observations.sparse_and_redense(page.tables)

# %% [markdown]
# ### The images behind the numbers
#
# Which images does the re-dense network still misfit? If it has memorized, not many are left, and those drawn are the exceptions that
# are hardest to learn: are they noisy ones, and of which digit? Compare with
# {ref}`those of the sparse network <ln-dynamics>`.

# %% mystnb={"figure": {"caption": "The training images that one network misfits most, with the labels that it was trained on.", "name": "fig-ln-redense-misfits"}} tags=["hide-input"]
figures.worst_fitted_images(page, noise_percent=min(page.plan.noise_percents), algorithm="re-dense training")

# %% [markdown]
# ## What it means
#
# If a network leaves as soon as it may, the mask was what held it, and no property of the place where it stood. Then its resistance to
# wrong labels cannot come from a flat minimum. Whether that is so for LeNet, the lines below say. The paper prints no numbers for these
# figures, so what is tested is its claim.

# %% tags=["remove-input"]
observations.learned_redense_training(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "The verdict with its reason", "code_prompt_hide": "Hide the verdict"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} How the claim is tested
# LN-C13 asks at both sweet spots, by the best and by the last test error. A table that lacks one of them leaves the claim undecided, however
# clear the other is. The question: at the end of re-dense training, is the error on noisy examples lower, and
# the test error higher, than at the end of sparse training, each by at least one standard deviation of the paired differences? It is decided
# at the noise level of the benchmark's own figure: 20 % for MNIST and CIFAR-10, 40 % for CIFAR-100.
# :::
#
# :::{dropdown} What differs from the paper, and why
# * The text continues from the sparse solution with the pruned weights at zero. The code that its authors built on trains anew for $2T$
#   epochs and lifts the mask in the middle, with the optimizer running on; pruned weights then start with momentum gathered while they were
#   masked. This book follows the text, with a fresh optimizer. Without momentum, as for LeNet, the two differ only in the order of the data.
# * Sweet spots and the other levels are chosen from the table by {ref}`their definitions <ln-dynamics>`.
# * Over the epochs, training examples are scored by the step that trains on them. LN-C13 and {numref}`fig-ln-redense-ends` read the errors
#   after training, in evaluation mode without augmentation.
# * Restored examples are measured, but not drawn over the epochs: that keeps the table small, and the test set tells the same.
# * "Even at a small learning rate" can be seen with ResNet-18 only. LeNet's last rate is its first.
# :::
#
# ## Try it
#
# Change the parameter cell and run the page again (`make lab`). Minutes and answers are for `laptop` scale on two CPU cores.
#
# 1. **How fast?** (no training). In {numref}`fig-ln-lift` at recovery, count the epochs from the rule until the error on noisy examples has
#    done half of its way. How long would re-dense training have to be for an answer?
#
# :::{dropdown} Answer
# At laptop scale about 20 of 40 epochs. The test error takes another way: it falls to about 8 % within four epochs, because the weights that came back first learn the digits better, and passes the sparse network's only after thirteen. A quarter of
# the schedule would have shown that the network leaves (90 % become 78 %), and no damage to the test error. Learning exceptions takes time, also for a network of full size that already knows the digits.
# :::
#
# 2. **Without wrong labels** (about 2 minutes). `noise_percents = [0]`, `seeds = [0]`, `recompute = True`. Does the network leave its sparse
#    solution when there is nothing wrong to learn? Will the test error rise?
#
# :::{dropdown} Answer
# The training error falls, so it does leave. The test error falls with it or stays: the returned weights learn what the few could not.
# Leaving is not what hurts; what there is to learn is.
# :::
#
# 3. **Half of them back** (think). Suppose that a random half of the pruned weights came back. Would the network at the sweet spot still
#    learn the wrong labels? Remember at which size networks still fit all labels.
#
# :::{dropdown} Answer
# Expect it to learn most of them. Half of the weights are more than the {ref}`interpolation threshold <ln-double-descent>` of magnitude pruning
# asks for (30 % with 20 % wrong labels, at laptop scale), though weights chosen at random do less than chosen ones. To keep the network from
# memorizing, nearly all have to stay away.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.errors_over_the_lift)
