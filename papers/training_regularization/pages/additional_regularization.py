# %% [markdown]
# (tr-additional-regularization)=
# # Pruning under wrong labels
#
# Some training labels are wrong. A dense network learns them by heart, and its test error pays for it. What becomes of the wrong labels when weights go? This page
# re-runs section 4 of {cite:t}`jin2022pruning`.
#
# **What the paper claims**
#
# * The network pruned to its best sparsity has a lower test error than the dense one in 11 of 13 cases with wrong labels, and matches it in the other two (TR-C07).
#   The gain grows with the share of wrong labels (TR-C08).
# * At that sparsity the training loss on wrong labels has risen (TR-C09), more than on correct ones (TR-C10). LeNet at 5 % noise and ResNet-50 are exceptions.
# * For VGG-16 the gap between the two becomes more than ten times as wide (TR-C11).
# * Light pruning does something else first: it lowers the loss on wrong labels (TR-C12, ResNet-20). Very hard pruning closes the gap again, because the network then
#   fits neither (TR-C13).
#
# ## The idea
#
# Learning a wrong label takes weights. It has nothing to do with the labels of similar images, so the network must store it by itself. Take weights away, and such
# single facts should be the first to go, while what many images share stays.
#
# **The noise.** A share $p$ of the $N$ training images, exactly $\lceil pN \rceil$, is chosen at random. Each gets a label drawn from the *other* classes, once for
# each {term}`replicate`. Validation and test labels stay clean.
#
# **The pruning.** {ref}`tr-preliminaries` has the algorithm, {term}`learning-rate rewinding`, and the rule by which two results differ.
#
# **The two losses.** With $f_k$ the network at {term}`level` $k$, $y$ the label that is trained on and $S$ the images with a wrong label, or the others, the
# {term}`cross-entropy` is averaged over each set by itself:
#
# $$
# L_S(f_k) = \frac{1}{\lvert S \rvert} \sum_{(x, y) \in S} -\ln p_k(y \mid x) .
# $$ (eq-partition-loss)
#
# Its unit is the {term}`nat`: a loss of 2.3 nats is that of guessing among ten classes, $\ln 10$; 0 is certainty.
#
# ## Noise and losses, by hand
#
# A thousand digits, 15 % of them relabelled, and the plainest of networks, one linear layer:

# %%
import math

import torch
from torch.nn.functional import cross_entropy

from lib.data import add_label_noise, load, normalization, normalize

digits = load("mnist")
inputs, true = (
    normalize(digits.train_images[:1000], normalization("mnist")).flatten(1),
    digits.train_labels[:1000].long(),
)

generator = torch.Generator().manual_seed(0)
chosen = torch.randperm(1000, generator=generator)[: math.ceil(0.15 * 1000)]
shift = torch.randint(1, 10, (1000,), generator=generator)  # 1 to 9 and never 0: always another class
noisy = torch.zeros(1000, dtype=torch.bool)
noisy[chosen] = True
labels = torch.where(noisy, (true + shift) % 10, true)

torch.manual_seed(0)
layer = torch.nn.Linear(784, 10)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
for _step in range(300):
    optimizer.zero_grad()
    cross_entropy(layer(inputs), labels).backward()
    optimizer.step()

losses = cross_entropy(layer(inputs), labels, reduction="none")
print(f"wrong labels {losses[noisy].mean():.2f} nats, correct labels {losses[~noisy].mean():.2f} nats")

# %% [markdown]
# After 300 small steps the layer has learned what digits share, and not yet single images: it does worse on wrong labels than guessing would (2.3 nats), because it answers what it has learned from the others. Trained much longer, it
# would fit them too. The sparse end of the charts shows the same pattern for another reason: too few weights. The library relabels the same images in the same way:

# %%
ours = add_label_noise(true, 15, "other", 10, torch.Generator().manual_seed(0))
torch.equal(ours.labels, labels) and torch.equal(ours.noisy, noisy)

# %% [markdown]
# ## The algorithm, as it is run

# %% tags=["hide-input"]
from lib.stages.algorithms import learning_rate_rewinding
from lib.widgets.page import open_page, show_source
from papers.training_regularization import example_figures, figures, observations
from papers.training_regularization.experiments import PAGES, pruning

show_source(pruning, learning_rate_rewinding)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. `laptop` takes minutes on two CPU cores, `paper` is the paper's own recipe. What you change here is a run of your own: it stands
# beside the book's and is never taken for it.

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
page = open_page(PAGES["additional_regularization"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Test error while pruning
#
# Read it from left to right: each point has fewer weights than the one before. Horizontal rules are the dense networks; the star is the level that the validation
# images choose. Where there are several shares of wrong labels, click the legend to follow one.

# %% mystnb={"figure": {"caption": "Test error against weights remaining, for each share of wrong labels, as in Fig. 3 of the paper.", "name": "fig-tr-error"}} tags=["hide-input"]
figures.error_while_pruning(page.tables)

# %% tags=["remove-input"]
observations.error_while_pruning(page.tables)

# %% [markdown]
# ## What happens to the wrong labels
#
# The same networks, seen from the training set. Solid: loss on the images with a wrong label; dashed: on the others.

# %% mystnb={"figure": {"caption": "Training loss on noisy and on original examples against weights remaining, as in Fig. 4 of the paper.", "name": "fig-tr-loss"}} tags=["hide-input"]
figures.loss_of_noisy_examples(page.tables)

# %% tags=["remove-input"]
observations.loss_of_noisy_examples(page.tables)

# %% [markdown]
# ## Who is given up
#
# These are the training images that the sparsest network fits worst, at the highest noise. Below each stands the label it was trained on, and the true one where that
# differs.

# %% mystnb={"figure": {"caption": "The training examples with the highest loss in the sparsest network, with the labels that they are trained on.", "name": "fig-tr-misfits"}} tags=["hide-input"]
example_figures.worst_fitted_images(page, max(page.plan.noise_percents))

# %% [markdown]
# ## Measured beside printed
#
# Table 6 of the paper gives the test error of the dense and of the optimally sparse network, Table 11 the training loss on both kinds of images: means ± one
# standard deviation over replicates. Neither side is adjusted to the other. Below `paper` scale they need not agree, because fewer images are trained on.

# %% mystnb={"figure": {"caption": "Printed and measured test errors, Table 6 of the paper.", "name": "fig-tr-table-6"}} tags=["hide-input"]
figures.printed_beside_measured(benchmark, page.tables, 6)

# %% tags=["remove-input"]
observations.printed_beside_measured(benchmark, page.tables, 6)

# %% mystnb={"code_prompt_show": "Table 6 in numbers"} tags=["hide-cell"]
figures.printed_table(benchmark, page.tables, 6)

# %% mystnb={"code_prompt_show": "Table 11 in numbers"} tags=["hide-cell"]
figures.printed_table(benchmark, page.tables, 11)

# %% [markdown]
# ## What it means
#
# On LeNet's page, read the two figures together. While the error climbs, the network still fits wrong labels, at first even better than the dense one: it has lost few weights and gained a
# round of training with every cut. Where the error falls, the loss on wrong labels has shot up, and that on correct ones has risen less: the network has begun to forget,
# and it forgets selectively. At the far end it fits neither kind well, and the error rises again. VGG-16 at `short` scale shows none of this: with 60 % wrong
# labels its star lies where both losses have fallen, with 30 % where both have risen, and neither gains.
#
# So the number of weights acts as a {term}`regularizer <regularization>`: it limits what can be learned by heart. The paper calls this *additional regularization*. It
# leaves open whether that is all pruning does; {ref}`tr-better-training` looks at the other half. The hill before the valley is studied by the book's other paper on wrong
# labels, in {ref}`ln-double-descent`.

# %% tags=["remove-input"]
observations.learned_additional_regularization(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "Each verdict with its reason"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper prints no validation split for MNIST; 2,000 of its 60,000 training images are held out here, as the paper does for CIFAR-10.
# * Validation labels are clean. The paper does not say whether its own are.
# * Exactly $\lceil 0.2 R \rceil$ of the $R$ remaining weights go at each level. The code that the paper builds on removes one more, and all that tie with the
#   threshold. It also counts LeNet's output layer among the remaining weights, though it never cuts it: after 21 cuts it has 0.55 % of the hidden weights left, and this book 0.92 %.
# * Training loss is measured without augmentation in evaluation mode, so that each example has one loss.
# * Table 6 is the one compared with; the paper's tables disagree in the second digit for some networks.
# * `paper` scale for LeNet multiplies matrices in bfloat16 while training; weights, optimizer and evaluation are float32. Networks with less than a quarter of their weights
#   may be float32 as a whole, which is as fast on a CPU. A table says which precision it was measured with, and where both were used it names both.
# * Smaller scales train on fewer images for fewer epochs and take several of the paper's levels at once. ResNet-20 and VGG-16 are also narrower there and do without
#   augmentation, so that they have learned their wrong labels in reasonable time.
# :::
#
# ## Try it
#
# Each change goes into the parameter cell, with `recompute = True`; minutes are those of LeNet. Your run then stands in the menu of every figure, and
# `observations.error_while_pruning(page.tables[-1:])` puts it into words.
#
# **1. About half a minute.** `noise_percents = [40.0]`. Does the hill move left or right? Why should a network with more wrong labels to learn run out of weights earlier?
#
# :::{dropdown} Answer
# Left, and it grows. LeNet's chart at `paper` scale shows it already: the tops stand at about 7, 11 and 13 % of the weights for 5, 10 and 15 % noise. Every wrong label takes weights to
# store, so with more of them the last network that can store them all is a larger one. Your own run takes large steps: its top may stay at the same level and only grow.
# :::
#
# **2. About a minute.** `score = "random"`. Weights now go at random. What becomes of the hill, and of the dip of the loss on wrong labels?
#
# :::{dropdown} Answer
# With 10 or 15 % wrong labels the dip goes, and most of the hill with it. At the same number of weights a randomly pruned network has worse ones. After cuts as large as these it does not come to learn the
# wrong labels better than the dense network: the loss on them rises from the first cut on, and the valley of the error comes at a larger size. The paper's own recipe takes a fifth at a time and
# shows both: with 15 % wrong labels the error climbs from 13.2 to 18.5 % before it falls. {ref}`tr-pruning-and-longer-training` compares five ways to choose.
# :::
#
# **3. Three lines of your own, about a minute.** In the parameter cell, below the others, write a score; the lowest go first. This one removes the *largest* weights:
#
# ```python
# def largest(module, names, batch):
#     return {name: -module.get_parameter(name).detach().abs() for name in names}
#
# score = largest
# ```
#
# :::{dropdown} Answer
# A surprise: with 15 % wrong labels the error *falls*, in one seed at `laptop` scale from 11.8 % to 8.9 % and 7.4 % after one and two cuts, lower than by removing the smallest. The cut destroys what was learned,
# wrong labels included. What is left has to learn anew, and has too little room to learn by heart. So under wrong labels a low error is no proof that a score knows which weights matter. Try
# `noise_percents = [0.0]`.
# :::
#
# In JupyterLab (`make lab`) the explorer answers to noise and level at once, and shows the training images that a network fits worst.

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How the first figure is made"} tags=["hide-cell"]
show_source(figures.error_while_pruning)
