# %% [markdown]
# (lip-how-far)=
# # How far may I prune my model?
#
# **The question.** You have a trained network, images, and a margin: so much error more than now would be too much. How many of its parameters can go? And does
# the answer hold when the images change?
#
# ## The idea
#
# The usual answer is to prune until the test error rises. That answers for images like your test images, and for no others. {cite:t}`liebenwein2021lost` find that a
# network that is as good as before on its test set can be worse on noisy, blurred or foggy images, where its parent would still have managed. So measure the same
# thing on every kind of image that may come, and let the worst of them decide.
#
# ## Prune potential
#
# Prune step by step, to fewer and fewer parameters. Let $\mathrm{PR}_k$ be the share of all parameters that is gone after step $k$. On images from a distribution
# $\mathcal D$, the {term}`prune potential` with margin $\delta$ is
#
# $$
# P(\mathcal D, \delta) = \max \big\{ \mathrm{PR}_k : \operatorname{error}(\text{step } k, \mathcal D) \le \operatorname{error}(\text{not pruned}, \mathcal D) + \delta \big\},
# $$ (eq-lip-how-far)
#
# and 0 if no step qualifies. Both errors are on the *same* images: a network that errs on half of the foggy images may be pruned if it then still errs on half of
# them. The paper takes $\delta = 0.5$ points.
#
# **What the paper advises** (its section 1)
#
# 1. *Do not prune* if shifts that you do not expect may occur. On the worst corruption the potential of most networks in the paper is 0: some kind of image exists for which the
#    first cut was already too much, and you cannot know beforehand which.
# 2. *Prune moderately* if you know some of the shifts. Stop before the worst of them; one that you do not know may allow less.
# 3. *Prune to the full* only if all shifts are known and in the training. Then the potential on your test images is the one that counts.
# 4. *Train with the shifts*, before and after each cut. In the paper this raises the potential of weight pruning on nearly every network; for filters it
#    falls in 7 of 12 cases.
#
# The four are one rule: the measured potential is a promise about measured images. The tool below measures; what may come, you have to say.
#
# ## Parameters

# %% tags=["parameters"]
scale: str = "laptop"
delta: float = 0.5  # points of error
device: str = "auto"

# %% [markdown]
# ## A network and its images
#
# Replace both by your own. Here the network is small, and its images are digits, set into 32 × 32 pixels with three channels so that they can be corrupted as photographs
# are. A thousand of them, on which it was not trained, are for measuring.

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy, pad

from lib import data

digits = data.load("mnist" if scale != "smoke" else "generated-digits")
count = {"images": 3_000, "tests": 1_000} if scale != "smoke" else {"images": 200, "tests": 60}


def in_colour(pixels: torch.Tensor) -> torch.Tensor:
    """Return images uint8 [N, 32, 32, 3] of digits uint8 [N, 28, 28, 1]."""
    return pad(pixels.squeeze(-1), (2, 2, 2, 2)).unsqueeze(-1).repeat(1, 1, 1, 3)


train, labels = in_colour(digits.train_images[: count["images"]]), digits.train_labels[: count["images"]].long()
images, truth = in_colour(digits.test_images[: count["tests"]]), digits.test_labels[: count["tests"]].long()
normalization = data.constants_of(train)


class Small(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip


# %% [markdown]
# The paper trains again after every cut, with the whole schedule. A function that trains a module in place is all that the tool needs; what was pruned stays pruned while it
# runs.

# %%
inputs = data.normalize(train, normalization)


def training(network: nn.Module, epochs: int = 2) -> nn.Module:
    device = next(network.parameters()).device
    optimizer = torch.optim.SGD(network.train().parameters(), lr=0.05, momentum=0.9)
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs), generator=order).split(64):
            optimizer.zero_grad()
            cross_entropy(network(inputs[batch].to(device)), labels[batch].to(device)).backward()
            optimizer.step()
    return network.eval()


torch.manual_seed(0)
network = training(Small(), epochs=4)
with torch.no_grad():
    print(f"error: {(network(data.normalize(images, normalization)).argmax(1) != truth).float().mean():.1%}")

# %% [markdown]
# ### One cut by hand
#
# To keep three tenths of *all* parameters, biases and normalization count too, and stay. So the largest weights get what is left of the budget:

# %%
weights = {name: w.detach() for name, w in network.named_parameters() if w.dim() > 1}
total = sum(parameter.numel() for parameter in network.parameters())
prunable = sum(w.numel() for w in weights.values())
allowed = int(0.3 * total) - (total - prunable)
threshold = torch.cat([w.abs().flatten() for w in weights.values()]).topk(allowed).values[-1]
by_hand = {name: w.abs() >= threshold for name, w in weights.items()}
removed = 100 * (prunable - sum(int(mask.sum()) for mask in by_hand.values())) / total
print(f"{allowed:,} of {prunable:,} weights stay; PR = {removed:.1f} %")

# %% [markdown]
# The library cuts at the same place:

# %%
from lib.pruning import Batch
from lib.pruning.methods import prune_parameters
from lib.seeds import generator

batch = Batch(data.normalize(images[:8], normalization), truth[:8], generator(0, "by hand"))
masks = prune_parameters(network, {}, "magnitude", 0.3, batch)
all(torch.equal(masks[name], by_hand[name]) for name in weights)

# %% [markdown]
# ## The run
#
# One call prunes a copy of the network by each method, trains it after every cut, and measures it on clean images, under 15 corruptions, under three levels of noise, and on a
# shift of our own: digits that lie three pixels further to the right. It takes about half a minute on two CPU cores.

# %%
from lib.analysis.how_far import how_far

settings = {"keeps": (0.7, 0.5, 0.35, 0.2, 0.1, 0.05), "corruptions": data.BENCHMARK_CORRUPTIONS}
if scale == "smoke":  # for tests
    settings = {"keeps": (0.5, 0.2), "corruptions": ("fog", "contrast")}
found = how_far(
    network,
    images,
    truth,
    methods=("magnitude", "ft"),  # weights (WT) and filters (FT); there are "sipp" and "pfp" too
    shifts={"three pixels to the right": (images.roll(3, dims=2), truth)},
    retrain=training,
    normalization=normalization,
    device=device,
    **settings,
)

# %% [markdown]
# ## The curves
#
# {numref}`fig-lip-how-far-errors` has the error on clean images, and beside it that on shifted ones; the menu chooses which. The two rules are what $\delta$ allows on each. The
# potential is where a curve is below its own rule for the last time. Which shift crosses first?

# %% mystnb={"figure": {"caption": "Error of the page's small network against the share of parameters removed, on clean and on shifted images, by weights (WT) and by filters (FT).", "name": "fig-lip-how-far-errors"}} tags=["hide-input"]
from lib.charts import enable, table
from papers.lost_in_pruning import function_figures as figures
from papers.lost_in_pruning import function_observations as observations

enable()
figures.errors_on_shifts(found, delta)

# %% tags=["remove-input"]
observations.errors_on_shifts(found, delta)

# %% [markdown]
# By hand, the potential by WT on clean images is one line, and the library's is the same:

# %%
from lib.analysis.prune_potential import prune_potential

curve = found.curves["magnitude"]
clean, gone = curve.errors[0, 0], curve.removed[0]
by_hand = max(share for share, error in zip(gone, clean, strict=True) if error <= clean[0] + delta)
bool(prune_potential(curve, delta)[0, 0] == by_hand)

# %% [markdown]
# ## How far
#
# {numref}`fig-lip-how-far` has the potential on every set of images. The slider is $\delta$: with a wider margin all cells darken, but seldom alike.

# %% mystnb={"figure": {"caption": "Prune potential of the page's small network on clean and on shifted images, for a margin that a slider sets.", "name": "fig-lip-how-far"}} tags=["hide-input"]
figures.potential_of_sets(found, delta)

# %% tags=["remove-input"]
observations.potential_of_sets(found, delta)

# %% [markdown]
# ### The network that is left
#
# A mask makes no network smaller: its zeros are stored and multiplied as before. Filters can be *taken out*, with the channels of the next layer that read them, and the outputs stay what they are.
# Here FT leaves three tenths of the parameters. What is in the masks are weights, biases and normalization of the filters that stay:

# %%
import copy

from lib.pruning.removal import without_removed

cut = copy.deepcopy(network).cpu()
masks = prune_parameters(cut, {}, "ft", 0.3, batch)
small = without_removed(cut, masks, image=(3, 32, 32))
with torch.no_grad():
    for name, mask in masks.items():
        cut.get_parameter(name).mul_(mask)
    same = torch.allclose(cut(batch.images), small(batch.images), atol=1e-5)
before, after = (sum(parameter.numel() for parameter in one.parameters()) for one in (cut, small))
print(f"{before:,} parameters with zeros, {after:,} without; the same outputs: {same}")

# %% [markdown]
# Single weights that WT removes leave no such network. They save memory in a sparse format, and time only where a machine computes with one.
#
# ## Measured beside printed
#
# What the paper prints of networks on CIFAR-10 and ImageNet (Table 2): the potential on test images, and its average over corrupted ones. Our digits are another problem; what can be
# compared is the direction of the difference.

# %% tags=["hide-input"]
from lib.analysis.printed import printed

paper = printed("lost_in_pruning", "table_02_prune_potential_main")
whole = paper.pivot_table(index=["model", "method"], columns="metric", values="mean", sort=False).reset_index()
table(
    whole.rename(
        columns={
            "prune_potential_avg_train_dist": "test images (%)",
            "prune_potential_avg_test_dist": "corrupted images (%)",
            "difference_test_minus_train": "difference",
        }
    ),
    "table-2",
)

# %% [markdown]
# ## What it means
#
# Read the tool's last sentences as the small print that they are. Eight hundred images (a fifth of the thousand is the sample of the methods) tell this error to ± 0.8 points. A margin of
# half a point is four images, and a potential can jump by a whole cut on one of them. More images sharpen it, and several networks, trained from other {term}`seeds <seed>`, tell how far it is a property of your recipe
# rather than of this one network. And no table of shifts is complete.

# %% tags=["remove-input"]
observations.learned_how_far(found, delta)

# %% [markdown]
# ## Your own model
#
# Any `nn.Module` with convolutions or linear layers will do. It is copied, not changed. In a cell of your own:
#
# ```python
# network = torch.load("mine.pt", weights_only=False).eval()
# found = how_far(
#     network, my_images, my_labels,            # uint8 [N, H, W, C], or your inputs as float [N, ...]; not trained on
#     methods=("magnitude", "sipp", "ft", "pfp"),
#     shifts={"night": (night_images, night_labels)},
#     retrain=my_training,                      # trains a module in place; leave it out to prune only
#     normalization=data.Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
# )
# print(found.sentence(delta=1.0))
# ```
#
# * **Labels** are class numbers. The images must be ones that neither training nor `retrain` has seen.
# * **Corruptions** need pixels with three channels. Give anything else as inputs, and shifts of your own in `shifts`, such as another camera or another month. Those are the ones that
#   count most: a shift that you can photograph beats one that is simulated.
# * **Without `retrain`** nothing is trained after a cut. That is quick, and training usually lets more go.
# * **What cannot be pruned** is refused by name, before anything is measured.
#
# :::{dropdown} What differs from the paper, and why
# * The paper defines the potential as the largest prune ratio of any mask; like the paper, we search only the cuts that were made.
# * It repeats the whole training after each cut, on three networks. This page trains two epochs, on one network.
# * A later cut counts even where an earlier one fails, as in the released code. `prune_potential(..., first_crossing=True)` stops at the first failure.
# * A fifth of the images given, at most 256, is the sample that data-informed methods look at. They are not measured on.
# * Noise is uniform on normalized images, one draw.
# :::
#
# (lip-try-how-far)=
# ## Try it
#
# Run the page with `make lab`.
#
# 1. **No retraining** (seconds). Set `retrain=None`. How far may the network be pruned now, by weights and by filters?
#
# :::{dropdown} Answer
# By weights 50 % instead of 80 on clean images, by filters nothing at all: a removed filter takes whole maps with it, and the layers behind need training to do without.
# :::
#
# 2. **Train with the shift** (a minute). Guideline 4: let `train` hold noisy digits too. Before the cell with `inputs`, add the cell below; the network and every retraining then sees them. What becomes of
#    the potential on clean images?
#
#    ```python
#    noisy = data.corrupt(train, "gaussian_noise", 3)
#    train, labels = torch.cat([train, noisy]), torch.cat([labels, labels])
#    ```
#
# :::{dropdown} Answer
# In our run it falls, from 80 to 65 % by weights. Look at the errors: the *unpruned* network has become better, 4.4 instead of 6.1 %, and two epochs after a cut do not reach
# it again. A potential is relative to the network not pruned; what you deploy is the error. For weights, and with enough training after each cut, the paper finds the guideline to hold, except on DenseNet-22.
# :::
#
# 3. **By thought.** Your network errs on 90 % of the images of some shift, as guessing would. What is its potential there, and what does it mean?
#
# :::{dropdown} Answer
# Close to 100 %: hardly any pruning makes guessing worse. A potential is relative to the network not pruned. Read it beside that network's error, or a useless network looks safe.
# :::

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
from lib.widgets.page import show_source

show_source(figures.potential_of_sets)
