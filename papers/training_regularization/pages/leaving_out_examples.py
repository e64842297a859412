# %% [markdown]
# (tr-leaving-out-examples)=
# # Do these images matter?
#
# Pruning lightly improves some images most: it comes to fit what the dense network did not. Are these images worth more than others? Leave them out, train a *dense* network on the rest, and see whether it
# suffers more than without as many random ones. And what about those that pruning worsens most? This page re-runs appendices D and K.2 of {cite:t}`jin2022pruning`.
#
# **What the paper claims**
#
# * Without wrong labels, the images that pruning improves most are worth more than others: leaving out a fifth of all images, the most improved, hurts more than leaving out a random fifth
#   (TR-C24). With a tenth nothing is to be seen (TR-C25).
# * Adding the hundredth of the images that pruning worsens most to a subsample hurts more than adding random ones (TR-C36; ResNet-20 and VGG-16 only).
#
# ## The idea
#
# To learn what an image is worth, do without it. One image is too little to see anything, so a fifth of them is left out at once: those that pruning singles out, or as many at random.
#
# Let $\ell_0(x)$ be the loss of training image $x$ in the dense network and $\ell_k(x)$ that in the sparse network of {term}`level` $k$, pruned by {term}`learning-rate rewinding`. With $N$ images
# and a share $K$, the most improved ones are
#
# $$
# I_k = \text{the } \lceil K N \rceil \text{ images with the largest } \ell_0(x) - \ell_k(x),
# $$ (eq-most-improved)
#
# and the most worsened ones those with the largest $\ell_k(x) - \ell_0(x)$. For each level $k$ a new dense network is trained, with all of its weights, on
#
# | chain | training images | steps |
# |---|---|---|
# | without improved examples (TIE in the paper) | all but $I_k$; $K = 20 \%$, or 10 % | fewer: an epoch is one pass |
# | without random examples (RND) | all but as many at random, drawn anew for each level | the same |
# | with worsened examples (TW) | a random 39 % of all, and the 1 % most worsened | fewer |
# | with random examples (Rand) | the same 39 %, and a random 1 % | the same |
#
# The two networks of a comparison share initial weights and random seed. In the figures such a network stands at the weights remaining in the *sparse* network that chose its images. It has itself lost
# none.
#
# ## The choice, by hand
#
# Ten images and their losses in a dense and in a sparse network:

# %%
import torch

dense = torch.tensor([0.01, 0.90, 0.02, 1.50, 0.03, 0.01, 2.00, 0.02, 0.40, 0.01])
sparse = torch.tensor([0.01, 0.10, 0.02, 0.30, 0.05, 0.02, 2.10, 4.00, 0.35, 0.01])

improvement = dense - sparse
most_improved = improvement.argsort(descending=True)[:2]  # a fifth of ten
left = [i for i in range(10) if i not in most_improved.tolist()]
print(f"most improved: {sorted(most_improved.tolist())}, trained on: {left}")
most_worsened = improvement.argsort()[:1]
print(f"most worsened: {most_worsened.tolist()}")

# %% [markdown]
# Images 1 and 3 were hard for the dense network and are not for the sparse one. Image 7 is the other way round: fitted before, given up now. That is what a wrong label looks like. The library chooses the same:

# %%
from lib.stages.stage import Subset
from lib.stages.subsets import choose

improved = Subset(judge=1, rule="without_improved", share=0.2)
correct = sparse < 0.7  # this rule does not look at it
torch.equal(choose(improved, dense, sparse, correct, torch.Generator()), torch.tensor(left))

# %% [markdown]
# ## The algorithms, as they are run

# %% tags=["hide-input"]
from lib.stages.algorithms import with_worsened_examples, without_improved_examples, without_random_examples
from lib.widgets.page import open_page, show_source
from papers.training_regularization import experiments, figures, observations
from papers.training_regularization.experiments import PAGES, WORSENED

show_source(
    experiments.leaving_out_examples, without_improved_examples, without_random_examples, with_worsened_examples
)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Every point of a chart is a network of its own, so `paper` is long: see {ref}`What it costs <what-it-costs>`.

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
page = open_page(PAGES["leaving_out_examples"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Without the images that pruning improves
#
# Without wrong labels, as in the paper; a menu has the smaller share left out. Where the two lines part, it matters *which* images are left out.
# Shaded stretches are those where the sparse network beats the dense one by more than replicates differ. Where nothing is shaded, no level improves by that
# much; what is said below the figure then rests on levels whose mean error is lower.

# %% mystnb={"figure": {"caption": "Test error of dense networks trained without the most improved examples, or without random ones, against weights remaining in the network that chose, as in Fig. 9 of the paper.", "name": "fig-tr-improved"}} tags=["hide-input"]
figures.error_without_examples(page.tables)

# %% tags=["remove-input"]
observations.error_without_examples(page.tables)

# %% [markdown]
# ## With the images that pruning worsens
#
# The paper asks this of ResNet-20 and VGG-16 on CIFAR-10 only, and so does this page.

# %% mystnb={"figure": {"caption": "Difference in test error between dense networks trained on 40 % of the examples, 1 % being the most worsened ones or random ones, as in Fig. 17 of the paper.", "name": "fig-tr-worsened"}} tags=["hide-input"]
from IPython.display import Markdown

asked = benchmark in WORSENED
not_asked = Markdown(f"Not run on {benchmark}: this part of the paper is about {' and '.join(WORSENED)}.")
figures.difference_with_worsened_examples(page.tables) if asked else not_asked

# %% tags=["remove-input"]
observations.difference_with_worsened_examples(page.tables) if asked else None

# %% [markdown]
# ## Measured beside printed
#
# The paper prints no table of these errors. Its appendix D quotes how many points more it costs, on average over the levels at which pruning improves, to leave out the improved fifth than a random one: 0.78 for LeNet,
# 0.77 for ResNet-20, 0.34 for VGG-16, 0.69 for ResNet-50, and nothing for ResNet-32 at its standard width. Ours stands below {numref}`fig-tr-improved`.
#
# ## What it means
#
# If the improved images are worth more than random ones, then fitting them better is one way in which pruning improves a network: better training, on images that count. The experiment is coarse. It takes out a
# fifth of the data, changes the number of steps with it, and compares means of a few levels. In the paper a tenth is too little to see. A network that learns from fewer images, as at `laptop` scale, misses each of
# them more, and a tenth may show.

# %% tags=["remove-input"]
observations.learned_leaving_out_examples(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "Each verdict with its reason"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * Networks without some of the images train for the usual number of epochs and so take a fifth (or a tenth, or three fifths) fewer steps. The two networks of a comparison always take the same number.
# * Its base algorithm trains a dense network in two parts, with a fresh optimizer at epoch $t$; so do these networks, unless $t = 0$.
# * Losses are measured in evaluation mode, without augmentation and with the labels trained on, once, at the end of each level, and kept with eleven bits: losses that differ by less than a
#   thousandth may change places in the ranking, ties go by position.
# * "Improving" levels are those whose mean test error is below the dense network's, as in the paper's shading. This looks at the test set, to say where a comparison is made, never to choose a
#   network. The shading of {numref}`fig-tr-improved` asks more: paired differences of at least one standard deviation.
# * TR-C24 and TR-C25 are averaged over the improving levels replicate by replicate. "Negligible" is taken as less than one standard deviation.
# * The few levels of a small scale may include no improving one; then these claims stay undecided.
# :::
#
# ## Try it
#
# **1. One second.** In the choice by hand, change one number so that image 6 is among the most improved.
#
# :::{dropdown} Answer
# Lower its loss in the sparse network, say to 0.3: its improvement of 1.7 is then the largest, and image 1 is kept.
# :::
#
# **2. Three minutes.** `noise_percents = [15.0]`, `seeds = [0]`, `recompute = True`. Now some of the most improved images are mislabelled ones, which light pruning learns better by heart. Should leaving them out
# still hurt?
#
# :::{dropdown} Answer
# At levels that keep many weights it should help: it takes out wrong labels. At sparse levels the improved images are correct ones that the dense network had sacrificed, and leaving these out hurts. The line shows
# which is the case at each level.
# :::
#
# **3. By thought.** Leaving out a random fifth also raises the error. What part of the gap between "improved" and "dense, all images" is due to *which* images are missing?
#
# :::{dropdown} Answer
# The distance between the two lines. The rest, from the dashed rule to the line of random images, is the price of having fewer images and fewer steps.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How the first figure is made"} tags=["hide-cell"]
show_source(figures.error_without_examples)
