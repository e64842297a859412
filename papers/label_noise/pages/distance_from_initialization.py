# %% [markdown]
# (ln-distance)=
# # The distance from initialization
#
# If sparse networks do not resist wrong labels because they lie in flat valleys, then why? The second half of section 5 of {cite:t}`anonymous2022noise`
# proposes an answer: to memorize wrong labels a network must travel far from its initial weights, and a mask keeps it near. This page
# measures how far networks travel, and asks whether those that stay closer are the better ones.
#
# **What the paper claims**
#
# * The distance from initialization falls as networks get sparser, for sparse and for {term}`re-dense <re-dense training>` networks (LN-C16).
# * Staying closer goes with a lower test error: at low {term}`sparsity` the sparse network lies farther away than the re-dense one and is worse, at high sparsity it lies
#   closer and is better, and both change at about the same point (LN-C17).
# * For LeNet the curves of distance and accuracy mirror each other (LN-C18).
#
# ## The method
#
# With $\theta_0$ the initial weights and biases of all convolutions and linear layers, and $\theta$ the same after training,
#
# $$
# d = \lVert \theta - \theta_0 \rVert_2 .
# $$ (eq-ln-distance)
#
# It has no unit. Here one has to decide something that the paper leaves open: where is a *pruned* weight? In the function that the network computes it is zero,
# so it lies $\lvert \theta_{0,i} \rvert$ away from where it began. By that count, setting weights to zero moves a network before it is trained at all, and removing
# nearly all of them moves it by nearly $\lVert \theta_0 \rVert$. The other count begins at the initialization that the mask $m$ leaves:
#
# $$
# d' = \lVert \theta - m \odot \theta_0 \rVert_2 .
# $$ (eq-ln-masked-distance)
#
# For a sparse network $d'$ is the distance over its kept weights alone. In a re-dense network the other weights come back at zero, and $d'$
# counts how far they go from there. The claims are decided by $d$; the chart's menu has both.
#
# ## Parameters
#
# All that you need to touch. `laptop` trains LeNet on a part of MNIST for fewer epochs and takes several of the paper's
# levels at once; `paper` is the paper's own recipe.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% [markdown]
# ## The run
#
# Tables that exist are drawn at once, and a note says what they miss; with `recompute = True`, that is trained first. The chains are those of
# {ref}`the page before <ln-loss-landscape>` and are not trained again where it has run. Initial weights are not kept: they are drawn again, from the same seed.

# %% tags=["hide-output"]
from lib.charts import enable
from lib.widgets.page import open_page
from papers.label_noise import figures
from papers.label_noise.experiments import PAGES

enable()
page = open_page(PAGES["distance_from_initialization"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## How far, and how good
#
# {numref}`fig-ln-distance` puts the distance above the test error. A vertical rule stands where sparse and re-dense networks change places,
# with the weights that remain there; 10 % of the weights are a sparsity of 90 %. If the paper is right, the rules of both panels stand close together. Then
# use the menu *Distance from*: which part of the upper panel is travel, and which is pruning itself?

# %% mystnb={"figure": {"caption": "Distance from initialization and last test error of sparse and re-dense networks against weights remaining, as in Fig. 7 of the paper.", "name": "fig-ln-distance"}} tags=["hide-input"]
figures.distance_and_error(page.tables)

# %% [markdown]
# What decides LN-C17 is the difference between the two, too small beside the distance itself to be seen there. {numref}`fig-ln-distance-differences` draws it.
# The paper expects both lines to begin above zero, to fall, and to pass zero at about the same place.

# %% mystnb={"figure": {"caption": "Distance from initialization and last test error of sparse networks minus those of the re-dense networks that they became, against weights remaining.", "name": "fig-ln-distance-differences"}} tags=["hide-input"]
figures.differences(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# The paper prints no number for its Figure 7, which has LeNet at 20 %, ResNet-18 on CIFAR-10 at 20 % and on CIFAR-100 at 40 % noise. The verdicts are on these cases.
#
# ## The verdicts
#
# Each claim is a test over the table, decided for this benchmark as far as it goes. *Undecided* means that the table lacks what the
# test needs, *not run* that the claim speaks of other networks or of what was not measured.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper does not say how it counts pruned weights. By {eq}`eq-ln-distance` distance grows with sparsity as soon as the initial weights of the pruned part outweigh the travel of
#   the rest, which speaks for something like {eq}`eq-ln-masked-distance` in its figure. Which one it is cannot be told from the text or from the released code, which has no such
#   measurement.
# * At the same level, both networks carry the same pruned part. Its share cancels to a good part in the *difference* between them, which LN-C17 is about.
# * $\theta_0$ is the initialization, also where weights are rewound to a later step. Normalization layers do not count.
# * The paper contradicts itself on LeNet: distance is said to decline continuously with sparsity, and to have a double-descent-like trend. LN-C16 takes the first, LN-C18
#   fits the second.
# * "Strongly" in LN-C18 is taken as a correlation of at least 0.7. LN-C17 lets the two differences disagree at one level; it looks at the levels from the first cut to the
#   sweet spot of the last epoch, because beyond it a network fits nothing well.
# * LN-C16 and LN-C18 correlate in each replicate by itself; LN-C17 pairs replicates by seed.
# * For the rest see {ref}`the page before <ln-loss-landscape>`.
#
# ## Try it
#
# **Change this and predict**
#
# 1. Distance grows with training. In `papers/label_noise/recipes.py` halve the epochs of the `laptop` plan and set `recompute = True`. Does the distance
#    of the dense network halve, and what happens to that of the sparsest one in $d$ and in $d'$?
# 2. In `redense` of `papers/label_noise/experiments.py` give all chains the random score, as `double_descent` does there. Magnitude pruning removes the weights
#    that ended near zero. With weights removed at random, is $d$ at the same level larger or smaller?
