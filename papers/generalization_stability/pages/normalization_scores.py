# %% [markdown]
# (gs-normalization-scores)=
# # Scores that know of normalization
#
# **The question.** Stable pruning takes what does not matter. But who says what does not? If a better {term}`score` makes gentle pruning gentler and
# rough pruning rougher, then the relation between {term}`stability` and {term}`generalization` should come out more clearly.
#
# ## The idea
#
# A {term}`filter` with weights twice as large gives a map twice as large. Then batch normalization divides by the map's own deviation, and the factor
# two is gone. So the norm of a filter says little about what leaves the layer. What does is the scale $\gamma$ and the shift $\beta$ that normalization
# gives back:
#
# $$
# M = \gamma\, \hat x + \beta, \qquad R = \max(0, M),
# $$ (eq-gs-normalized)
#
# with $\hat x$ the normalized map. If $\hat x$ is standard normal, $M$ is normal with mean $\beta$ and deviation $\gamma' = \lvert \gamma \rvert$, and the mean of
# what the ReLU lets through has a formula. With $\lambda = -\beta / \gamma'$, $\varphi$ and $\Phi$ the density and the distribution function of the standard
# normal distribution,
#
# $$
# \mathrm{E}[R] = \bigl(1 - \Phi(\lambda)\bigr)\, \beta + \gamma'\, \varphi(\lambda) .
# $$ (eq-gs-expected)
#
# The first term is the mean $\beta$ times the chance that $M$ is above zero. The second is added because the values that pass lie, on average, above $\beta$. The appendix calls pruning by this score E[BN]. Its
# *signed* variant puts $\gamma$ itself in place of $\gamma'$, which is no expected value of anything, and served ResNet-18 better.
#
# **What the paper claims** ({cite:t}`bartoldson2020stability`, App. B.2)
#
# * With such a score the correlation of stability and accuracy is stronger than with the first one (GS-C02).
# * The sign of $\gamma$ changes little for VGG-11, and steadies PruneS 1 % on ResNet-18 (GS-C04).
# * Normalized activations are near normal before training, and less so after it, above all near the output (GS-C22).

# %% tags=["hide-input"]
from lib.pruning import filter_scores
from lib.widgets.page import show_source
from papers.generalization_stability import experiments

show_source(experiments.normalization_scores, filter_scores.expected, filter_scores.signed_expected)

# %% [markdown]
# ### The score by hand
#
# Three filters: one whose map is mostly above zero, one mostly below it, and one with a negative $\gamma$. First the formula, then a million draws.

# %%
import torch

beta, gamma = torch.tensor([0.5, -0.5, 0.0]), torch.tensor([1.0, 3.0, -1.0])
standard, deviation = torch.distributions.Normal(0.0, 1.0), gamma.abs()
ratio = -beta / deviation  # λ
by_formula = (1 - standard.cdf(ratio)) * beta + deviation * standard.log_prob(ratio).exp()

maps = beta + deviation * torch.randn(1_000_000, 3, generator=torch.Generator().manual_seed(0))
by_sampling = maps.relu().mean(0)
print("formula: ", by_formula, "\nsampling:", by_sampling)

# %% [markdown]
# The second filter's map is negative more often than not, yet its score is the highest: it varies most, and the ReLU cuts off only one side. With the sign of
# $\gamma$ the third filter gets a *negative* score and goes first. The library's scores:

# %%
from lib.pruning.filter_scores import FilterTensors, expected, signed_expected

of_layer = FilterTensors(torch.zeros(3, 1, 1, 1), gamma, beta)
print("signed:  ", signed_expected(of_layer))
(
    torch.allclose(expected(of_layer), by_formula)
    and torch.allclose(by_formula, by_sampling, atol=0.005)
    and signed_expected(of_layer).argmin().item() == 2
)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's.

# %% tags=["parameters"]
benchmark: str = "cifar10-vgg11"
scale: str = "laptop"
recompute: bool = False
seeds: list[int] = []  # empty, here and below 0: as planned
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% tags=["hide-output"]
from lib.charts import table
from lib.widgets.page import open_page
from papers.generalization_stability import figures, observations, tables
from papers.generalization_stability.experiments import PAGES

page = open_page(PAGES["normalization_scores"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## The relation, by each score
#
# {numref}`fig-gs-scores` repeats the dots of {ref}`gs-less-stable-better` for another score; the menu switches. The text above the chart has the correlations.
# Does the cloud get narrower, or only longer? A score that pulls the colours apart raises the pooled coefficient by itself.

# %% mystnb={"figure": {"caption": "Test accuracy in the end against mean stability by three scores of filters, a dot for each run. After Fig. B.2 of the paper.", "name": "fig-gs-scores"}} tags=["hide-input"]
figures.accuracy_by_score(page.tables)

# %% tags=["remove-input"]
observations.accuracy_by_score(page.tables)

# %% [markdown]
# ## What a score does to stability
#
# The paper wants stable pruning more stable and unstable pruning less. {numref}`fig-gs-score-stability` has the mean stability of each configuration; the rule
# is at 100, no change.

# %% mystnb={"figure": {"caption": "Mean stability of each pruned configuration by three scores of filters.", "name": "fig-gs-score-stability"}} tags=["hide-input"]
figures.stability_by_score(page.tables)

# %% tags=["remove-input"]
observations.stability_by_score(page.tables)

# %% [markdown]
# ## What the formula takes for granted
#
# {eq}`eq-gs-expected` needs $\hat x$ to be normal. Is it? The Kolmogorov-Smirnov distance is the largest gap between two distribution functions, here that of
# the activations and the normal one: 0 if they agree, at most 1. {numref}`fig-gs-normality` has it for the last eight layers with normalization.

# %% mystnb={"figure": {"caption": "Kolmogorov-Smirnov distance of normalized activations from a normal distribution, layer by layer, before and after training.", "name": "fig-gs-normality"}} tags=["hide-input"]
figures.normality_by_layer(page.tables)

# %% tags=["remove-input"]
observations.normality_by_layer(page.tables)

# %% [markdown]
# In {numref}`fig-gs-densities` the slider goes from layer to layer. In the last one most values lie a little below the mean and a few far above it. The formula misjudges such a map.

# %% mystnb={"figure": {"caption": "Distribution of normalized activations of one layer at a time before and after training, beside the standard normal one. After Fig. B.1 of the paper.", "name": "fig-gs-densities"}} tags=["hide-input"]
figures.activation_densities(page.tables)

# %% tags=["remove-input"]
observations.activation_densities(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# The legend of Figure B.2 prints mean stabilities, and its plots the correlations. Of Figure 2 the main text would have them; it was not at hand. A dash: not
# printed, or not measured.

# %% tags=["remove-input"]
table(tables.figure_b2(page.tables, benchmark), "figure-b2")

# %% tags=["remove-input"]
table(tables.correlations_table(page.tables, ["Figure 2", "E[BN] score", "signed E[BN] score"]), "correlations")

# %% [markdown]
# ## What it means
#
# A correlation is a property of runs *and* of how they are spread. Two clusters further apart give a larger coefficient though nothing about a single run has
# changed. So a stronger correlation by a better score is what one expects if stability matters, and also what one expects if only the configurations matter. The
# coefficient within configurations tells these apart.
#
# At `laptop` scale both networks are narrow, and accuracy follows what is taken, not how roughly ({ref}`gs-less-stable-better`). Look there at what the scores do to stability, and at the activations.
#
# The formula is a model, and training works against it: in a layer near the output a few large values stand against many small ones. A score may be useful
# without being what its derivation says, as the signed one shows.

# %% tags=["remove-input"]
observations.learned_normalization_scores(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * Figure B.2 takes E[BN] for VGG-11 and the signed variant for ResNet-18. Here both networks get both.
# * For ResNet-18 the paper starts pruning a few epochs earlier than in Figure 2, $s = (3, 4, 5, 6)$. Here all scores have the events of Figure 2, so that the score is all
#   that differs.
# * The released code masks only normalization for these scores and leaves the convolution; the map is zero either way. Here both go, as everywhere.
# * Figure B.1 is of VGG-19 with torchvision's weights, trained on ImageNet. Here it is the page's own unpruned networks, on 512 training images, with all channels of
#   a layer pooled, as in the paper. Before training, the images' own mean and variance normalize.
# * "Stronger" is tested by Fisher's $z$ between two coefficients, as if runs were independent.
# :::
#
# ## Try it
#
# 1. **Ten seconds.** In the cell by hand, set $\gamma$ of the first filter to 0.01. What does its score become, and what is the limit for $\gamma \to 0$?
#
# :::{dropdown} Answer
# 0.5, the shift: a map that does not vary passes the ReLU as it is, or not at all. $\mathrm{E}[R] \to \max(0, \beta)$.
# :::
#
# 2. **Ten seconds.** For which $\beta$ is the score of a filter with $\gamma = 1$ below 0.01? Is such a filter useless?
#
# :::{dropdown} Answer
# For $\beta < -1.94$. It is active in a fortieth of the places. That may be exactly where its feature is: the score knows how much a map lets through, not what the next layer
# makes of it.
# :::
#
# 3. **One minute, with a download of 550 MB.** Figure B.1's own network: torchvision's VGG-19 with batch normalization, in a cell of your own. `pictures` are ImageNet-like
#    images `[N, 3, 224, 224]`, normalized; put some of your own there.
#
#    ```python
#    import torchvision
#    from lib.analysis.normality import activation_normality
#
#    trained = torchvision.models.vgg19_bn(weights="DEFAULT")
#    fresh = torchvision.models.vgg19_bn()
#    for network, new in ((fresh, True), (trained, False)):
#        print([f"{one.distance:.2f}" for one in activation_normality(network, pictures, fresh_statistics=new)])
#    ```
#
# :::{dropdown} Answer
# As the paper draws it: before training all distances are small; after it they grow towards the output. With noise in place of pictures a trained network is far from
# normal everywhere, since its running statistics are those of photographs.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.activation_densities)
