# %% [markdown]
# (ln-loss-landscape)=
# # The loss between and around networks
#
# **The question.** A sparse network {ref}`leaves its place when its weights come back <ln-redense-training>`. What does the loss look like on
# the way, and how steep is it where the network ends?
#
# ## The idea
#
# Good minima are said to be flat: the loss around them rises slowly. If sparse networks were good because they lie in flat valleys, two things would
# follow. A barrier should stand between the sparse network and the one that it becomes, or it would have rolled on. And the place where it ends should
# be flat as well. Both can be looked at with a line through the space of all weights.
#
# **What the paper claims** ({cite:t}`anonymous2022noise`, first half of section 5)
#
# * On the straight line from a sparse network to the {term}`re-dense <re-dense training>` one the training loss falls all the way: no barrier
#   held the sparse network, only its mask did (LN-C14).
# * Re-dense networks end in sharper minima than a network that was never pruned; the sparser they started, the sharper (LN-C15).
#
# ## Two lines
#
# Let $\theta_s$ be a sparse network, its pruned weights zero, and $\theta_r$ the network after the mask was lifted and training went on for
# as many epochs again. Between the two lie, following {cite:t}`goodfellow2015qualitatively`,
#
# $$
# \begin{gathered}
# \theta(\alpha) = (1 - \alpha)\, \theta_s + \alpha\, \theta_r, \\ \alpha = 0,\ 0.01,\ \dots,\ 1 .
# \end{gathered}
# $$ (eq-ln-path)
#
# If the loss of $\theta(\alpha)$ never rises, $\theta_s$ is no minimum of the loss of all weights: a way down was there, and the mask closed
# it.
#
# A line through *one* network shows how sharp its minimum is. Draw a random direction $d$, each entry from a normal distribution. Doubling all
# weights makes a step of fixed length count half as much. So each filter's direction $d_f$ is scaled to that filter's norm
# $\lVert \theta_f \rVert$, the root of its summed squares; a filter is a row of a linear layer, or what makes one output of a convolution
# {cite:p}`li2018visualizing`:
#
# $$
# \begin{gathered}
# L(\theta + x\, d), \qquad d_f \leftarrow d_f \, \frac{\lVert \theta_f \rVert}{\lVert d_f \rVert}, \\ x = -1,\ -0.96,\ \dots,\ 1 .
# \end{gathered}
# $$ (eq-ln-slice)
#
# At $x = 1$ the step of each filter is as long as the filter itself. Biases and normalization keep their values, and all networks share one draw.

# %% tags=["remove-input"]
from lib.analysis.loss_path import interpolate
from lib.analysis.loss_slice import random_direction
from lib.widgets.page import show_source
from papers.label_noise import experiments

show_source(experiments.redense)

# %% [markdown]
# ### Both lines by hand
#
# Between a network after one pass over 2,000 digits and the same after ten more, and then around the second:

# %%
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from lib import data
from lib.seeds import generator

digits, _ = data.load("mnist"), torch.manual_seed(0)
inputs, labels = digits.train_images[:2000].flatten(1) / 255, digits.train_labels[:2000].long()
network = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def trained(passes: int) -> dict[str, torch.Tensor]:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for batch, truth in passes * list(zip(inputs.split(64), labels.split(64), strict=True)):
        optimizer.zero_grad()
        cross_entropy(network(batch), truth).backward()
        optimizer.step()
    return {name: w.detach().clone() for name, w in network.named_parameters()}


first, last = trained(1), trained(10)


# %%
def loss(weights: dict[str, torch.Tensor]) -> float:
    with torch.no_grad():
        return float(cross_entropy(functional_call(network, weights, (inputs,)), labels))


alphas = torch.linspace(0, 1, 5, dtype=torch.float64)
path = [{name: (1 - float(a)) * first[name] + float(a) * last[name] for name in first} for a in alphas]
print("between:", [f"{loss(weights):.3f}" for weights in path])

draw, direction = generator(0, "loss slice"), {}
for name, weight in last.items():
    if weight.dim() == 1:  # biases stay as they are
        direction[name] = torch.zeros_like(weight)
    else:  # a row is a filter
        drawn = torch.randn(weight.shape, generator=draw)
        direction[name] = drawn * weight.norm(dim=1, keepdim=True) / drawn.norm(dim=1, keepdim=True)
print(
    "around: ",
    [f"{loss({name: last[name] + x * direction[name] for name in last}):.3f}" for x in (-1, -0.2, 0, 0.2, 1)],
)

# %% [markdown]
# The library interpolates and normalizes as we did:

# %%
line, of_library = interpolate(first, last, alphas), random_direction(network, last)
all(
    torch.allclose(line[name][i], path[i][name]) and torch.allclose(of_library[name], direction[name])
    for name in last for i in range(5)
)  # fmt: skip

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

page = open_page(PAGES["loss_landscape"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## A walk along one path
#
# Pull the slider of {numref}`fig-ln-walk` from the sparse network on the left to the re-dense one on the right. The line above the chart has the
# numbers of the place where you stand, on 2,000 training and 2,000 test images. Does the training loss ever rise on the way? And does the test error follow it? The menu *Path from*
# takes the path of another {ref}`level <ln-dynamics>`.

# %% mystnb={"figure": {"caption": "Loss and error on the straight line from one sparse network to the re-dense network that it became; a slider walks along it. After Fig. 5 and 14 of the paper.", "name": "fig-ln-walk"}} tags=["hide-input"]
figures.along_one_path(page.tables)

# %% tags=["remove-input"]
observations.along_one_path(page.tables)

# %% [markdown]
# ## All paths
#
# In {numref}`fig-ln-paths` each line begins at a sparse network and ends at the re-dense one. Read the solid lines first: do they fall
# without a bump? Then the dashed ones, on test images: the loss that training lowers is not the one that we care about.

# %% mystnb={"figure": {"caption": "Loss and error on the straight line from sparse networks to the re-dense networks that they became, as in Fig. 5 and 14 of the paper.", "name": "fig-ln-paths"}} tags=["hide-input"]
figures.loss_along_paths(page.tables)

# %% tags=["remove-input"]
observations.loss_along_paths(page.tables)

# %% [markdown]
# ## Around the end
#
# {numref}`fig-ln-slices` walks away from each network in one random direction. Compare how fast the lines rise near $x = 0$, not how deep
# they lie: a logarithmic axis makes the deeper one look steeper. LN-C15 is decided by the rise in nats, a fifth of each filter's norm
# away.

# %% mystnb={"figure": {"caption": "Training loss along a filter-normalized random direction around re-dense networks and the dense one, as in Fig. 6 of the paper.", "name": "fig-ln-slices"}} tags=["hide-input"]
figures.loss_along_direction(page.tables)

# %% tags=["remove-input"]
observations.loss_along_direction(page.tables)

# %% [markdown]
# ## What it means
#
# A path without a bump says that the sparse network was no minimum of the full loss; a path with one says that training found its way around,
# since re-dense training does not follow a straight line. Either way, neither a low training loss
# nor a flat minimum is a good network by itself: the lines below set both beside the test error. The paper prints no number for these figures. Its curves are of ResNet-18;
# LeNet is not among them, so its claims speak of other networks and LeNet's curves are this book's own.

# %% tags=["remove-input"]
observations.learned_loss_landscape(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper does not say on which images it measures. Here losses and errors are means over 2,000 training images, with the labels trained
#   on, and 2,000 test images, all drawn once by a fixed seed; all of a set where it has fewer. They are not augmented, and the networks are
#   in evaluation mode.
# * The training loss is measured at all 101 points of {eq}`eq-ln-path`; of the others every fourth is kept, so that the table stays small.
#   Paths are kept for the first three seeds. Numbers are rounded to four digits.
# * Batch normalization holds running statistics that no gradient trains. The paper does not say what they are between two networks. They are
#   interpolated like the weights; with `statistics="recomputed"` for `loss_path` in `papers/label_noise/experiments.py` they are computed anew
#   at each point. LeNet has none.
# * Nor does it give the range of its slices. Range and points are those of the tool that its reference comes with.
# * Re-dense training puts pruned weights back at zero and begins with a fresh optimizer, as the text says. The released code keeps the momentum
#   that pruned weights gathered while masked.
# * A dense network was trained for one schedule, a re-dense one for twice as many epochs. What {numref}`fig-ln-slices` shows is therefore not the
#   work of sparsity alone; the paper compares the same two.
# * LN-C14 is asked more strictly than step by step, where many small rises could add up: the loss may nowhere lie above its lowest value so far
#   by more than 1 % of the whole fall. LN-C15 takes one step, $x = \pm 0.2$, since the paper reads curvature off the figure.
# * Networks are those of the {ref}`levels that tell the story <ln-dynamics>`. Older tables may hold a level that today's
#   rules would not choose, called *denser level* or *sparser level*.
# :::
#
# ## Try it
#
# Minutes and answers are for `laptop` scale on two CPU cores; run the page with `make lab`.
#
# 1. **Another direction** (less than a minute if the networks are in the store). In `papers/label_noise/experiments.py` write `loss_slice(WEIGHT_REWINDING, REDENSE_TRAINING, direction=1)`, and run the page with `recompute = True`.
#    Which curves of {numref}`fig-ln-slices` change, and does the order of the networks?
#
# :::{dropdown} Answer
# Expect every curve to change a little and the order hardly: hundreds of thousands of random entries average out, so that one direction is much like
# another.
# :::
#
# 2. **Beyond the ends** (no training). In the cell by hand, let α run from −0.5 to 1.5. Where is the loss lowest, and what does that say of the
#    second network?
#
# :::{dropdown} Answer
# `torch.linspace(-0.5, 1.5, 9, dtype=torch.float64)`: the training loss still falls just beyond α = 1. Training had not finished; the straight line
# points the way on, for a while.
# :::
#
# 3. **Without normalization** (no training). In the cell by hand, leave out the scaling: `direction[name] = drawn`. Why is the loss at $x = 0.2$ so
#    large?
#
# :::{dropdown} Answer
# A drawn entry is about 1, a weight of the first layer a few hundredths. A step of 0.2 then changes every weight by several times its size. What counts
# as a small step has to be said relative to the weights.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.along_one_path)
