# %% [markdown]
# (gs-flat-minima)=
# # Flat minima
#
# **The question.** Pruned networks that were less stable on the way may generalize better. Do they end where the loss is flatter?
#
# ## The idea
#
# Picture the loss on training images as a landscape, and that on test images as the same landscape shifted a little. On flat ground a shift costs nothing; in a narrow valley it costs a lot.
# So a {term}`flat minimum` should generalize, and noise during training should lead to one, since a network that is shaken cannot rest in a narrow valley. The paper asks whether pruning shakes
# networks into flat minima.
#
# Flatness has no single measure. Let $\theta$ be the weights that remain, $\ell_i$ the loss on image $i$, and $L$ its mean over $N$ images. The paper uses four, and three of them come from two matrices:
#
# $$
# \begin{gathered}
# H = \frac{\partial^2 L}{\partial \theta^2}, \qquad C = \frac{1}{N} \sum_{i=1}^{N} \nabla \ell_i\, \nabla \ell_i^\top , \\
# \operatorname{Tr} H \approx \sum_{j=1}^{100} \lambda_j, \qquad \operatorname{Tr} C = \frac{1}{N} \sum_{i=1}^{N} \lVert \nabla \ell_i \rVert^2, \qquad \frac{\operatorname{Tr} C}{\operatorname{Tr} H} .
# \end{gathered}
# $$ (eq-gs-flatness)
#
# The {term}`Hessian` $H$ is the curvature: in the direction of its unit eigenvector $v_j$ the loss rises like $\lambda_j \varepsilon^2 / 2$. VGG-11 has nine million weights, so $H$ has $10^{14}$ entries; only its largest eigenvalues
# $\lambda_1, \lambda_2, \dots$ are computed. $C$ is the {term}`gradient noise`, uncentred. Their quotient stands in for {term}`Takeuchi's criterion` $\operatorname{Tr}(C H^{-1})$, an estimate of the gap between test and training loss
# {cite:p}`thomas2020interplay`. The fourth measure takes a real step: the smallest $|\varepsilon|$ with $L(\theta + \varepsilon v_j) \ge L(\theta) + 0.1$ for one of ten eigenvectors, the *tolerated perturbation*.
#
# **What the paper claims** ({cite:t}`bartoldson2020stability`, Fig. 6 and appendix E)
#
# * Lower {term}`stability` goes with a smaller trace of $H$ and of $C$, and both go with higher accuracy (GS-C16).
# * Less stable networks tolerate larger perturbations (GS-C17).
# * Directions of larger eigenvalues raise the loss more (GS-C18).
# * The criterion falls with stability and predicts accuracy (GS-C19).
# * Among these networks, too, lower stability goes with higher accuracy (GS-C20).
#
# ## What is trained
#
# Six configurations: the four of {ref}`the first page <gs-less-stable-better>`, random filters, and a network that is pruned before training, which no event ever disturbs:

# %% tags=["hide-input"]
from lib.widgets.page import show_source
from papers.generalization_stability import experiments

show_source(experiments.flat_minima, experiments.from_scratch)

# %% [markdown]
# ### Curvature by hand
#
# A logistic regression of forty small generated images has few enough weights to write its whole Hessian down:

# %% tags=["remove-stderr"]
import torch
from torch import nn
from torch.func import functional_call, grad, hessian, jvp, vmap
from torch.nn.functional import cross_entropy

from lib import data
from lib.data.generated import generate

torch.manual_seed(0)
drawn = data.ImageSet("digits", **generate("generated-digits", train=40))
pixels, labels = drawn.train_images[:, 10:18, 10:18], drawn.train_labels.long()
inputs = data.normalize(pixels, data.normalization("mnist"))
output = nn.Linear(64, 10, bias=False)
network, weights = nn.Sequential(nn.Flatten(), output), output.weight.detach()


def loss(w, x=inputs, y=labels):
    return cross_entropy(functional_call(network, {"1.weight": w}, (x,)), y)


H = hessian(loss)(weights).reshape(640, 640)
values, vectors = torch.linalg.eigh(H)
print("largest eigenvalues: ", [f"{value:.3f}" for value in values.flip(0)[:5]])
print(f"trace {H.trace():.3f}, the five largest {values.flip(0)[:5].sum():.3f}, the smallest {values[0]:.1e}")

# %% [markdown]
# No large network allows that. But a *product* with a vector does not need the matrix: it is the derivative of the gradient along the vector. Multiply again and again, and the largest eigenvector is left:

# %%
v = torch.randn_like(weights)
for _ in range(300):
    product = jvp(grad(loss), (weights,), (v,))[1]  # H v
    v = product / product.norm()
largest = float((v * jvp(grad(loss), (weights,), (v,))[1]).sum())  # vᵀ H v

each = vmap(grad(loss), in_dims=(None, 0, 0))(weights, inputs[:, None], labels[:, None])
noise = float(each.flatten(1).square().sum(1).mean())  # Tr C
print(f"by multiplying {largest:.4f}, by the whole matrix {values[-1]:.4f}; Tr C {noise:.3f}")

# %% [markdown]
# The library multiplies too, but takes Lanczos iteration, which remembers all products instead of the last one and finds a hundred eigenvalues at once:

# %%
from lib.analysis.curvature import gradient_covariance_trace, hessian_eigenvalues, hessian_product, mean_loss
from lib.analysis.landscape import Sample

around = mean_loss(network, network.state_dict(), {}, Sample(pixels, labels, "mnist"))
(
    torch.allclose(hessian_product(around)(v.flatten()), product.norm() * v.flatten(), atol=1e-3)
    and torch.allclose(hessian_eigenvalues(around, 5).float(), values.flip(0)[:5], rtol=1e-3)
    and abs(gradient_covariance_trace(around) / noise - 1) < 1e-4
)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's.

# %% tags=["parameters"]
benchmark: str = "cifar10-vgg11"
scale: str = "laptop"
recompute: bool = False
seeds: list[int] = []  # empty, here and below 0 or "": as planned
score: str = ""
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% tags=["hide-output"]
from lib.widgets.page import open_page
from papers.generalization_stability import noise_and_flatness_figures as figures
from papers.generalization_stability import noise_and_flatness_observations as observations
from papers.generalization_stability.experiments import PAGES

page = open_page(PAGES["flat_minima"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Accuracy and stability, once more
#
# First the trade-off itself, in the networks whose flatness is measured. Two of the six configurations have stability 100 by convention: nothing was pruned while they trained. They stand at the right edge of
# {numref}`fig-gs-flat-accuracy` and pull the line.
#
# At `laptop` scale VGG-11 is narrow: pruning takes what the network needs, and accuracy follows what is left of it ({ref}`gs-less-stable-better`). Whether flat networks are better cannot be read there; which networks are flat, and how eigenvalues fall, can. The answer depends on the images: the unpruned network is the sharpest on *test* images and the flattest on *training* images.

# %% mystnb={"figure": {"caption": "Test accuracy against mean stability of the networks whose flatness is measured, a dot for each run. After Fig. E.6 of the paper.", "name": "fig-gs-flat-accuracy"}} tags=["hide-input"]
figures.accuracy_and_stability(page.tables)

# %% tags=["remove-input"]
observations.accuracy_and_stability(page.tables)

# %% [markdown]
# ## Flatness and stability
#
# The menu of {numref}`fig-gs-flat-stability` has every measure: the two traces of Fig. 6, the tolerated perturbation (Fig. E.3) and the criterion (Fig. E.5). A flat minimum has small traces and tolerates much. The paper measures on *test*
# images, of which a trained network is not even at a minimum. What is usually meant by flatness is the loss on *training* images; the menu has both. The trace is also estimated in another way, by random vectors
# {cite:p}`hutchinson1990trace`, which leaves no eigenvalue out.

# %% mystnb={"figure": {"caption": "Measures of flatness against mean stability, a dot for each run. After the left panels of Fig. 6, E.3 and E.5 of the paper.", "name": "fig-gs-flat-stability"}} tags=["hide-input"]
figures.flatness_and_stability(page.tables)

# %% tags=["remove-input"]
observations.flatness_and_stability(page.tables)

# %% [markdown]
# ## Does flatness predict accuracy?
#
# Flatness explains nothing unless flatter networks are better. In {numref}`fig-gs-flat-predicts` look within one colour, too: among runs with the same settings, do the flatter ones end better? If only the colours
# line up, something else that differs between configurations may be the cause.

# %% mystnb={"figure": {"caption": "Test accuracy against measures of flatness, a dot for each run. After the right panels of Fig. 6, E.3 and E.5 of the paper.", "name": "fig-gs-flat-predicts"}} tags=["hide-input"]
figures.accuracy_and_flatness(page.tables)

# %% tags=["remove-input"]
observations.accuracy_and_flatness(page.tables)

# %% [markdown]
# ## The eigenvalues
#
# A trace is one number; {numref}`fig-gs-eigenvalues` shows what it sums. Few directions are steep, and most are nearly flat. Negative eigenvalues may appear: on test images the network is not at a minimum.

# %% mystnb={"figure": {"caption": "Eigenvalues of the Hessian of the mean loss in order of falling magnitude, the first ten of all runs and as many as were computed of the first runs. After Fig. E.1 and E.2 of the paper.", "name": "fig-gs-eigenvalues"}} tags=["hide-input"]
figures.eigenvalues(page.tables)

# %% tags=["remove-input"]
observations.eigenvalues(page.tables)

# %% [markdown]
# ## A step along an eigenvector
#
# Curvature is a statement about infinitely small steps. {numref}`fig-gs-along` takes steps of real length along the first, second, fifth and tenth eigenvector. A parabola would be symmetric; where a line leans to one side, the gradient of
# the test loss is not zero.

# %% mystnb={"figure": {"caption": "Test loss when the weights move by ε along eigenvectors of the Hessian, a configuration at a time. After Fig. E.4 of the paper.", "name": "fig-gs-along"}} tags=["hide-input"]
figures.loss_along_eigenvectors(page.tables)

# %% tags=["remove-input"]
observations.loss_along_eigenvectors(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# There is nothing to set side by side: Figures 6 and E.1 to E.6 come without a printed number, and the values of their axes are not repeated in the text. What can be compared are signs, and that is what the claims ask.
#
# ## What it means
#
# Traces that fall as stability falls would fit a story in three steps: less stable pruning shakes the network, shaking leads to flat minima, flat minima generalize. Each step can fail alone, and two cautions hold even if none does.
# Networks can be rewritten so that they compute the same and are as sharp as one likes {cite:p}`dinh2017sharp`; batch normalization does so all the time, since weights before it can be scaled without any effect. And $\operatorname{Tr} C$
# of the *test* loss is large wherever a network is certain and wrong, since such an answer has a steep gradient. Then it would not predict accuracy but repeat it.

# %% tags=["remove-input"]
observations.learned_flat_minima(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The text allows 100 power iterations for each eigenvalue, the released code 20, begun at the eigenvector just removed. Here it is Lanczos iteration to a relative residual of $10^{-4}$, which agrees with power
#   iterations that are given time.
# * The paper measures after epoch 315 of 325, ten epochs before the end; here it is the finished network. The accuracy beside it is that of the best epoch after the last event, as in the paper.
# * At `paper` scale 512 images and 100 eigenvalues are taken as in the paper. Smaller scales take fewer images and eigenvalues, because each costs hundreds of passes through the network; their traces are sums of fewer
#   eigenvalues, so compare them within a scale only.
# * Removed weights are no directions: a pruned network is compared by the weights that it has. In the paper they count with a curvature of zero, which changes neither sum.
# * Training images are measured as an extra, with the labels trained on and without augmentation.
# * The tolerated perturbation is found on a grid of 0.01, as in the paper; where nothing happens up to 0.40, one step more is reported. Ten eigenvectors are followed; Figure E.4 of the paper shows nine.
# * Whether less noise or more goes with stability is not printed. The direction that GS-C16 tests is read from the purpose of the analysis.
# :::
#
# ## Try it
#
# 1. **The other end of the spectrum** (ten seconds, in the cell by hand). How many eigenvalues of `H` are above a hundredth of the largest: `(values > values[-1] / 100).sum()`? How many images are there?
#
# :::{dropdown} Answer
# 50 of 640. The Hessian of a linear model on $N$ images and $c$ classes has a rank of at most $N (c - 1)$: 360 here. So at least 280 directions are perfectly flat, however the weights were found.
# :::
#
# 2. **Scale the weights** (ten seconds, in the cell by hand). Train the regression for a while, or simply set `weights = 5 * weights`, and compute `H` again. Is it flatter?
#
# :::{dropdown} Answer
# Yes: its predictions become more certain, $p (1 - p)$ shrinks for each class, and the trace falls from 117 to 48, the largest eigenvalue hardly. But no prediction changes: the network is right for one image in ten, as before. A certain network
# looks flat even where it is wrong.
# :::
#
# 3. **Only the pruned ones** (by thought). Leave out the two configurations at stability 100. Which correlation of {numref}`fig-gs-flat-accuracy` would you trust more, and why?
#
# :::{dropdown} Answer
# The one without them. Their stability is a convention: they had no event, so nothing about them was measured. One point with an assigned position, at the end of the axis, decides a line through clusters. The text below the figure gives both.
# :::
#
# ### Prune it live
#
# Flat minima tolerate changes of weights; do they tolerate the loss of whole filters? With the unpruned network in the store, this takes chosen filters from it and shows the drop at once.

# %% tags=["remove-output"]
from lib.widgets.filter_dips import filter_dips

page.explore(filter_dips)

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.loss_along_eigenvectors)
