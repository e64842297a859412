# %% [markdown]
# (lip-same-function)=
# # The same function?
#
# **The question.** A pruned network makes as many mistakes as its parent. Does it make the *same* ones, and does it still do so when the
# images are disturbed?
#
# ## The idea
#
# Test error is one number. Two networks with 9 % error each can agree everywhere, or disagree on up to 18 % of the images. So look at the answers
# themselves: add noise to an image, ask the parent and the pruned network, and count how often they say the same. Noise moves the image
# about in its neighbourhood; if both networks keep agreeing there, their decision boundaries lie close together.
#
# How much agreement is much? That needs a yardstick. The paper takes a **separate network**: same architecture, same data, other initial weights.
# It was never pruned, and it never saw the parent.
#
# ## Two distances
#
# Let $f$ be the parent, $\hat f$ the other network, $x$ a normalized image, and $u$ noise with each entry uniform between −1 and 1. At noise level
# $\varepsilon$ ({term}`function distance`; {cite:t}`liebenwein2021lost`, section 4),
#
# $$
# \begin{gathered}
# \text{matching}(\varepsilon) = \Pr\big[ \arg\max f(x + \varepsilon u) = \arg\max \hat f(x + \varepsilon u) \big], \\
# D(\varepsilon) = \mathbb{E}\, \big\lVert \operatorname{softmax} f(x + \varepsilon u) - \operatorname{softmax} \hat f(x + \varepsilon u) \big\rVert_2 .
# \end{gathered}
# $$ (eq-lip-distance)
#
# The first counts answers, in percent. The second sees confidence too: it is 0 where both give the same probabilities, and $\sqrt 2$ where each is
# certain of another class. Probability and mean are over test images and draws of $u$.
#
# **What the paper claims**
#
# * Under noise, pruned networks agree with their parent more often than a separate network does (LIP-C01).
# * Their class probabilities are closer to the parent's than a separate network's (LIP-C02).
# * The more is pruned, the less alike the two are (LIP-C03).
#
# ## What is compared
#
# A parent, and all that a method made of it by cutting and training again:

# %% tags=["hide-input"]
from lib.stages.algorithms import prune_and_retrain
from lib.widgets.page import show_source
from papers.lost_in_pruning import experiments

show_source(experiments.families, prune_and_retrain)

# %% [markdown]
# The separate network costs nothing extra: it is the parent of the next {term}`seed`.
#
# ### Both distances by hand
#
# Two small networks on 2,000 digits, and a copy of the first that loses 80 % of its weights and trains again:

# %%
import copy

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lib import data

digits, _ = data.load("mnist"), torch.manual_seed(0)
inputs, labels = digits.train_images[:2000].flatten(1) / 255, digits.train_labels[:2000].long()
tests, truth = digits.test_images[:1000].flatten(1) / 255, digits.test_labels[:1000].long()


def trained(network, masks):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for batch, own in 5 * list(zip(inputs.split(64), labels.split(64), strict=True)):
        optimizer.zero_grad()
        cross_entropy(network(batch), own).backward()
        optimizer.step()
        for layer, mask in zip(network[::2], masks, strict=False):
            layer.weight.data *= mask  # what was pruned stays zero
    return network


def largest_fifth(layer):
    return layer.weight.abs() > layer.weight.abs().quantile(0.8)


parent, separate = (trained(nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)), []) for _ in range(2))
masks = [largest_fifth(layer) for layer in parent[::2]]
pruned = trained(copy.deepcopy(parent), masks)

# %% [markdown]
# Now ask all three about the same noisy images:

# %%
noise = 2 * torch.rand(tests.shape) - 1
for epsilon in (0.0, 0.3, 0.6):
    with torch.no_grad():
        logits = torch.stack([network(tests + epsilon * noise) for network in (parent, pruned, separate)])
    wrong = (logits.argmax(2) != truth).float().mean(1)
    matching = (logits[1:].argmax(2) == logits[0].argmax(1)).float().mean(1)
    distance = (logits[1:].softmax(2) - logits[0].softmax(1)).norm(dim=2).mean(1)
    print(f"ε = {epsilon}: error", " ".join(f"{one:5.1%}" for one in wrong), "(parent, pruned, separate)")
    for name, same, far in zip(("pruned", "separate"), matching, distance, strict=True):
        print(f"         {name:8} matching {same:.1%}, softmax distance {far:.3f}")

# %% [markdown]
# The errors of parent and pruned network are nearly equal, and still they give different answers on about one digit in fifteen. Here the separate network agrees with
# the parent just as often: digits and so small a network leave training little choice. What the paper claims is about harder problems, where two trainings
# end apart.
#
# The library computes the same two numbers of each image:

# %%
from lib.analysis.function_distance import distances

torch.allclose(distances(logits).mean(2), torch.stack([matching, distance]))

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's. `benchmark` is any network of the
# paper's CIFAR-10 figures: `cifar10-resnet20`, `cifar10-resnet56`, `cifar10-resnet110`, `cifar10-vgg16`, `cifar10-densenet22`, `cifar10-wrn16-8`.

# %% tags=["parameters"]
benchmark: str = "cifar10-resnet20"
scale: str = "laptop"
recompute: bool = False
seeds: list[int] = []  # empty, here and below 0 or "": as planned
levels: int = 0
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% tags=["hide-output"]
from lib.widgets.page import open_page
from papers.lost_in_pruning import function_figures as figures
from papers.lost_in_pruning import function_observations as observations
from papers.lost_in_pruning.experiments import PAGES

page = open_page(PAGES["same_function"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Agreement under noise
#
# In {numref}`fig-lip-agreement` the dashed line is the separate network. A solid line above it (upper panel) or below it (lower panel) is a pruned
# network that is nearer to its parent than a stranger is. Colours say how much was removed; the menu has the other methods. Where the line of a
# strongly pruned network crosses the dashed one, its parent can no longer be told from its answers.

# %% mystnb={"figure": {"caption": "Matching predictions and softmax distance to the parent against uniform noise, for networks of several prune ratios and for a separate network. After Fig. 4 and 16 to 27 of the paper.", "name": "fig-lip-agreement"}} tags=["hide-input"]
figures.agreement_under_noise(page.tables)

# %% tags=["remove-input"]
observations.agreement_under_noise(page.tables)

# %% [markdown]
# ## Cut after cut
#
# {numref}`fig-lip-agreement-ratio` turns the same numbers round: the prune ratio runs across, and the slider sets the noise. Look for the ratio
# at which a method reaches the flat line. Do weights (WT, SiPP) and filters (FT, PFP) reach it at the same ratio?

# %% mystnb={"figure": {"caption": "Matching predictions and softmax distance to the parent against the share of parameters removed, by method, at a level of noise that a slider sets.", "name": "fig-lip-agreement-ratio"}} tags=["hide-input"]
figures.agreement_by_ratio(page.tables)

# %% tags=["remove-input"]
observations.agreement_by_ratio(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# The paper prints no number for these figures, and its text one order: pruned above separate, "clearly". So the claims ask for the order, and for a gap
# of more than one standard deviation over parents.
#
# ## What it means
#
# Agreement above that of a separate network says that training after a cut keeps much of the parent's function: one starts from its weights, and ends
# near them. It does not say that the pruned network is as good. A network can agree with its parent on nineteen images of twenty and lose exactly the
# twentieth, and under noise both may be wrong together. Whether the *error* stays is the next question, and there the answer is less friendly.
#
# Beware of one trap. Two good networks agree often simply because both are right often. With errors of 9 % each, two networks agree on at least
# 82 % of the images. So agreement falls as networks get worse, pruned or not; compare a pruned network with the separate one where their errors are
# about the same.
#
# And of a second one. Each cut is followed by a whole training, so a pruned network has trained longer than its parent, and longer than the separate network. Where the
# parent had not finished, as at `laptop` scale, it becomes surer of its answers, right or wrong. The softmax distance counts that as distance, even where the answers agree.

# %% tags=["remove-input"]
observations.learned_same_function(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper compares one parent and its descendants with one separate network. Here every seed is a parent, the separate network is the parent of the next
#   seed, and the spread is the sample standard deviation over parents. The paper's is over draws of noise, and over images for the softmax distance.
# * Noise is added to normalized images and not clipped, as in the paper. There, 0.1 is about a fiftieth of the range from black to white.
# * All networks and all levels of noise share the draws of $u$, so that two curves differ by the networks alone.
# * `paper` scale has the paper's 1,000 images and 100 draws, the first 1,000 test images instead of random ones. Smaller scales have fewer of both.
# * Networks are those whose prune ratio is nearest to the paper's 15, 46, 69, 80 and 95 %. Ratios count all parameters.
# * "ResNet56" and "ResNet110" of the released code are bottleneck networks; `cifar10-resnet56-bottleneck` is one, `cifar10-resnet56` is what the text describes.
# :::
#
# (lip-try-same-function)=
# ## Try it
#
# Minutes are for `laptop` scale on two CPU cores; run the page with `make lab`.
#
# 1. **Prune harder** (seconds). In the cell by hand take `quantile(0.98)`. What happens to error and agreement, and which falls faster?
#
# :::{dropdown} Answer
# Without noise the error of the pruned network rises from 12 to about 22 %, and agreement falls from 93 to about 80 %: below the separate network's 93 %. With
# 2 % of its weights it can no longer draw the parent's boundaries.
# :::
#
# 2. **No retraining** (seconds). In the cell by hand, replace the last line by one that only multiplies the weights with the masks. Is the network nearer to the
#    parent or further away?
#
#    ```python
#    pruned = copy.deepcopy(parent)
#    for layer, mask in zip(pruned[::2], masks, strict=True):
#        layer.weight.data *= mask
#    ```
#
# :::{dropdown} Answer
# Further away: at ε = 0 they agree on 92.1 % of the digits instead of 93.3, and the softmax distance is 0.137 instead of 0.106. Training after a cut brings
# the function part of the way back. Under noise the difference is gone: 89.3 against 89.2 % at ε = 0.6.
# :::
#
# 3. **By thought.** Two networks each err on 9 % of the images. What are the least and the most images on which they can agree?
#
# :::{dropdown} Answer
# At most all: they make the same mistakes. At least 82 %: no image is missed by both, and wherever one errs the other is right. Two networks that err
# *together* may still disagree, on another wrong class, but that cannot take agreement below 82 %.
# :::
#
# 4. **Another parent** (no training). In {numref}`fig-lip-agreement` click a dot of a single parent. Is the order of the lines the same for each parent?
#
# :::{dropdown} Answer
# Where the bands of two lines do not touch, it must be nearly so. Where they overlap, the claim asks for the mean of the paired differences.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.agreement_under_noise)
