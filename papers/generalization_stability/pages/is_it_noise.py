# %% [markdown]
# (gs-is-it-noise)=
# # Is it noise?
#
# **The question.** Pruning takes filters away for good. If it helps because it *disturbs* training, a disturbance that ends should help as much.
# Does it?
#
# ## The idea
#
# Two things happen when filters are pruned: the network loses capacity, and training is disturbed. Pruning cannot tell which of them matters, since
# it always does both. Noise can. Set the weights of the same filters to zero for some batches, then let them learn again: the disturbance is there, and
# the capacity comes back. Dropout {cite:p}`srivastava2014dropout` and DropConnect {cite:p}`wan2013regularization` are noise of this kind, drawn anew for every batch.
#
# Let $w$ be the weights of the filters that a {term}`pruning event` targets at step $t_0$. Three treatments begin there:
#
# $$
# \begin{aligned}
# \text{pruning:} \quad & w \leftarrow 0 && \text{before every step } t \ge t_0, \\
# \text{zeroing } n: \quad & w \leftarrow 0 && \text{before the steps } t_0 \le t < t_0 + n, \\
# \text{Gaussian } n: \quad & w \leftarrow w + \sigma \xi_t && \text{before the steps } t_0 \le t < t_0 + n,
# \end{aligned}
# $$ (eq-gs-noise)
#
# with $\xi_t$ drawn from a standard normal distribution, and $\sigma$ the standard deviation of the weights of filters in the same layer that no event has
# targeted. The paper's Gaussian noise begins with one large draw, of variance $79\,\sigma^2$, for all $n$ but the shortest: its events cost far more than those of $n = 1$. After $n$ steps a filter is free, but it counts as used: later events choose among the others, exactly as if it had been pruned. So all treatments have
# the same schedule and touch equally many filters.
#
# **What the paper claims** ({cite:t}`bartoldson2020stability`, Fig. 5 and appendix D)
#
# * Noise that lasts long enough generalizes as well as pruning, and better than training without either; removal for good is not needed (GS-C13).
# * The filters come back into use: taking them away at the end lowers accuracy, except after the longest zeroing (GS-C14).
# * If zeroed filters get back the values they had, the network relies on them however long they were zero (GS-C15).
#
# ## What is trained
#
# No pruning, pruning of large filters, and noise of three kinds in its place. In the third kind, *restored*, weights, normalization and its running statistics
# are put back to what they were before the event, and each event zeroes every filter that was ever targeted:

# %% tags=["hide-input"]
from lib.widgets.page import show_source
from papers.generalization_stability import experiments

show_source(experiments.is_it_noise)

# %% [markdown]
# ### One weight by hand
#
# The smallest network there is: one weight $w$, trained by SGD on the loss $(w - 1)^2 / 2$, with a gradient that scatters from batch to batch. The treatment comes
# before the forward pass.

# %%
import torch

STEPS, EVENT, N, RATE = 400, 100, 50, 0.03


def path(treatment):
    w, scatter, found = torch.zeros(()), torch.Generator().manual_seed(0), []
    for step in range(STEPS):
        w = treatment(w, step)
        found.append(float(w))
        w = w - RATE * (w - 1 + torch.randn((), generator=scatter))
    return found


def pruning(w, step):
    return 0 * w if step >= EVENT else w


def zeroing(w, step):
    return 0 * w if EVENT <= step < EVENT + N else w


noise, sigma = torch.Generator().manual_seed(1), 0.2


def gaussian(w, step):
    return w + sigma * torch.randn((), generator=noise) if EVENT <= step < EVENT + N else w


paths = {"no treatment": path(lambda w, step: w)}
paths |= {treatment.__name__: path(treatment) for treatment in (pruning, zeroing, gaussian)}
for name, w in paths.items():
    print(f"{name:12} at the event {w[EVENT]:5.2f}, after 50 steps {w[EVENT + N]:5.2f}, in the end {w[-1]:5.2f}")

# %% mystnb={"figure": {"caption": "One weight over training, without treatment, pruned, zeroed for 50 steps, and with Gaussian noise for 50 steps, as Fig. D.1 of the paper sketches it.", "name": "fig-gs-one-weight"}} tags=["hide-input"]
from lib.charts import enable
from papers.generalization_stability import noise_and_flatness_figures as figures

enable()  # the book's way to draw
figures.one_weight(paths, event=EVENT, until=EVENT + N)

# %% [markdown]
# A pruned weight never moves again. A zeroed one sets out from zero a second time. Gaussian noise makes it stray: in a walk of $n$ steps its deviation grows like $\sqrt{n}\, \sigma$, and
# the gradient pulls it back meanwhile. In the end both noises are forgotten *here*, since this loss has one minimum. A network has many, and may settle in another one.
#
# Does the library do this to a filter? Its hook treats our weight as the first weight of a convolution's first filter:

# %%
from lib.models import build
from lib.stages.filter_events import FilterEvents
from lib.stages.prune_while_training import extra_masks, prune_while_training
from lib.training import DataRecipe, Part, Progress, Recipe, Replicate, prepare

drawn = DataRecipe(image_set="generated-objects", train=32, test=16, validation=0, normalization="cifar")
recipe = Recipe(benchmark="objects", data=drawn, network="cifar-vgg11", width=4, epochs=100, batch_size=8,
                optimizer="sgd", learning_rate=RATE)  # fmt: skip
network, layer, one = build("cifar-vgg11", 10, width=4), "layers.11.0.weight", [Replicate(seed=0)]
examples = prepare(drawn, one, torch.device("cpu"))


def of_library(effect):
    events = FilterEvents(layers=(layer,), shares=(0.5,), first=(24,), last=(24,), every=1, schedule=100,
                          effect=effect, batches=N)  # fmt: skip
    stack = {name: tensor.detach()[None].clone() for name, tensor in network.module.state_dict().items()}
    masks = {layer: torch.ones_like(stack[layer], dtype=torch.bool)} | extra_masks(network.module, events, stack)
    progress = Progress(0, stack, masks)
    before_step = prune_while_training(events, network, one, examples, recipe, Part(recipe.epochs)).before_step
    assert before_step is not None

    def treatment(w, step):
        stack[layer][:] = w * masks[layer]
        before_step(step, progress)
        return stack[layer].flatten()[0].clone()

    return treatment


path(of_library("prune")) == paths["pruning"] and path(of_library("zero")) == paths["zeroing"]

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
from papers.generalization_stability import noise_and_flatness_observations as observations
from papers.generalization_stability.experiments import PAGES

page = open_page(PAGES["is_it_noise"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## How long is $n$?
#
# The paper counts $n$ in batches of training, 391 to an epoch, and has 40 epochs between two events: the longest zeroing of its Figure 5 acts in 7 % of the training between two events of a layer.
# With few images an epoch has few batches, and 1,105 of them would be longer than the whole training. Smaller scales therefore have other $n$. Their longest noise lasts for most of the
# time between two events, and is still far fewer steps than the paper's: a short training cannot keep both the number of steps and the share.

# %% tags=["remove-input"]
figures.lengths_of_noise(benchmark)

# %% [markdown]
# ## Noise in place of pruning
#
# {numref}`fig-gs-noise` compares the ends of these trainings. Read it in three steps. Is pruning above no pruning? If it is not, there is nothing that noise could explain. Does
# accuracy rise with $n$? And does the longest noise reach what pruning reaches? The bar of a mean is its 95 % {term}`bootstrap interval` over runs. The menu *accuracy* has
# the best epoch after the last event, as the paper does, and the last epoch, which nobody chose.

# %% mystnb={"figure": {"caption": "Test accuracy without pruning, with large filters pruned, and with zeroing or Gaussian noise on the same filters for n batches after each event; means with 95 % bootstrap intervals over runs. After Fig. 5 of the paper.", "name": "fig-gs-noise"}} tags=["hide-input"]
figures.accuracy_by_noise(page.tables)

# %% tags=["remove-input"]
observations.accuracy_by_noise(page.tables)

# %% [markdown]
# ### With values restored
#
# A zeroed filter begins anew from zero. Is that new beginning what helps, or the time without the filter? {numref}`fig-gs-restored` gives a first answer: here filters come back with the values
# they had, as if they had been away. (Two other things change with it, normalization and how many filters are touched, so it is no more than a first answer.)

# %% mystnb={"figure": {"caption": "Test accuracy where zeroed filters get back weights, normalization and running statistics after n batches; means with 95 % bootstrap intervals over runs. After Fig. D.2 of the paper.", "name": "fig-gs-restored"}} tags=["hide-input"]
figures.accuracy_restored(page.tables)

# %% tags=["remove-input"]
observations.accuracy_restored(page.tables)

# %% [markdown]
# ## Did the filters come back?
#
# A zeroed filter that never learns again is a pruned one, and noise would then be pruning under another name. The test: after training, take away every filter that noise ever
# targeted, and measure once more. Its $\beta$ stays, as noise left it, so that what goes is what the weights have learnt since. Left of zero in {numref}`fig-gs-without`, the network needs them.

# %% mystnb={"figure": {"caption": "Change of the last test accuracy when every filter that noise ever targeted is taken away after training; means with 95 % bootstrap intervals over runs.", "name": "fig-gs-without"}} tags=["hide-input"]
figures.without_targeted(page.tables)

# %% tags=["remove-input"]
observations.without_targeted(page.tables)

# %% [markdown]
# ## Stability of noise
#
# Each treatment drops the accuracy at its events, and by different amounts. If the drop is what helps, dots in {numref}`fig-gs-noise-scatter` fall to the right whatever their colour. Unpruned networks, whose
# stability is 100 by convention, are left out. As on {ref}`the first page <gs-less-stable-better>`, the correlation over all runs stands beside the one {term}`within configurations <correlation>`.

# %% mystnb={"figure": {"caption": "Test accuracy against mean stability, a dot for each run with pruning or with noise.", "name": "fig-gs-noise-scatter"}} tags=["hide-input"]
figures.accuracy_and_stability_of_noise(page.tables)

# %% tags=["remove-input"]
observations.accuracy_and_stability_of_noise(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# There is nothing to set side by side: the paper prints no number of Figures 5 and D.2. Its text says which networks lose accuracy without the targeted filters, and that is what GS-C14 and
# GS-C15 ask.
#
# ## What it means
#
# If long noise does what pruning does, then the smaller network is a side effect, and the disturbance is the cause. If it falls short, there are two readings: the noise was too short, or
# fewer filters are themselves the regularizer. The claims need a network in which pruning *helps*. At `laptop` scale VGG-11 is narrow and pruning takes what it needs, so noise, which gives the capacity back, has it easy
# there: that it ends above pruning at this scale says nothing about the paper.

# %% tags=["remove-input"]
observations.learned_is_it_noise(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * Here $n$ counts training batches, as the paper's text does. The released code counts test batches too and stops one late: its 129 are 51 training batches, where the paper says 50.
# * The paper's Gaussian noise begins on 79 test batches, in which nothing learns. That is one draw with 79 times the variance, and it is drawn so here, for all $n$ but the shortest.
# * $\sigma$ is taken from all filters of the layer that were not targeted. The released code takes the first of them.
# * The normalization of a targeted filter is left as it is, also by pruning, as in Figure 5; on the other pages pruning masks it. A zeroed filter thus still gives a constant map. With values restored, the normalization is
#   zeroed too, as in Figure D.2.
# * The released code zeroes all masked weights in the last epoch, those under noise included, and Figure 5 leaves that epoch out. Here nothing is zeroed at the end, and the last epoch counts.
# * Taking targeted filters away takes their weights, and where values were restored their normalization too: what noise had zeroed.
# * A mean of three runs has an interval that the bootstrap makes too narrow: it cannot draw what it has not seen.
# :::
#
# ## Try it
#
# 1. **Noise that shakes harder** (ten seconds, in the cell by hand). Set `sigma` to 1. How far does the weight stray in the figure, and where is it in the end of training?
#
# :::{dropdown} Answer
# From −3.8 to 2.7, and by chance it is at 0.5 when the noise ends. The gradient pulls back a share of 0.03 each step, which bounds the walk at about $\sigma / \sqrt{2 \cdot 0.03} \approx 4 \sigma$. In the end it is near 1, like the others.
# This loss has a single minimum; what noise changes for good in a network is which minimum it ends in.
# :::
#
# 2. **The shortest noise** (by thought). At the *first* event, zeroing for one batch drops the accuracy as much as pruning the same filters. Must the two have the same mean stability? If the first drop were all that matters, what should the
#    accuracy of zeroing be?
#
# :::{dropdown} Answer
# No: zeroed filters come back, so that later events hit another network. At `laptop` scale zeroing for one batch has 94 to 99 %, and so has pruning. If the first drop alone mattered, both would end alike. Compare their rows in {numref}`fig-gs-noise`: if
# zeroing for one batch ends like no pruning, the drop by itself is not what helps.
# :::
#
# 3. **Twice the training** (about eight minutes). Set `epochs = 40`, `seeds = [0]`, `recompute = True`: twice the `laptop` plan. The longest noise now acts in two fifths of the time between two events. Will taking the targeted filters away, in {numref}`fig-gs-without`,
#    cost more or less?
#
# :::{dropdown} Answer
# Expect more: filters that are free for longer come back into use more fully. Half the training is refused, since the longest noise would still act when the next event begins.
# :::
#
# ### Prune it live
#
# With the unpruned network in the store, this takes chosen filters from it and shows the drop at once. How many of the largest filters can go before accuracy falls? And of the smallest?

# %% tags=["remove-output"]
from lib.widgets.filter_dips import filter_dips

page.explore(filter_dips)

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.without_targeted)
