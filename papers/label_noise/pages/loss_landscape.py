# %% [markdown]
# (ln-loss-landscape)=
# # The loss between and around networks
#
# A highly sparse network can ignore wrong labels. Does it sit in a wide, flat valley of the loss, as good minima are said to do, or is it held on a
# slope by its missing weights? This page re-runs the first half of section 5 of {cite:t}`anonymous2022noise`. It gives a sparse network its
# weights back, trains on, and looks at the loss on the way and at the end.
#
# **What the paper claims**
#
# * On the straight line from a sparse network to the {term}`re-dense <re-dense training>` one that it becomes, the training loss falls all the way: no barrier held the
#   sparse network, only its mask did (LN-C14).
# * Re-dense networks end in sharper minima than a network that was never pruned, and the sparser they started the sharper (LN-C15).
#
# ## The method
#
# Let $\theta_s$ be a sparse network, its pruned weights zero, and $\theta_r$ the network after the mask was lifted and training went on for as many epochs
# again. Between the two lie, following {cite:t}`goodfellow2015qualitatively`,
#
# $$
# \theta(\alpha) = (1 - \alpha)\, \theta_s + \alpha\, \theta_r, \qquad \alpha = 0,\ 0.01,\ \dots,\ 1 .
# $$ (eq-ln-path)
#
# If the loss of $\theta(\alpha)$ never rises, $\theta_s$ is no minimum of the loss of all weights: a way down was there, and the mask closed it.
#
# A line through *one* network shows how sharp its minimum is. Draw a Gaussian direction $d$. Networks whose weights are twice as large shrug at steps twice as
# long, so each filter $d_f$, a row of a linear layer or what makes one output of a convolution, is rescaled to the length of the
# network's own {cite:p}`li2018visualizing`:
#
# $$
# L(\theta + x\, d), \qquad d_f \leftarrow d_f \, \frac{\lVert \theta_f \rVert}{\lVert d_f \rVert}, \qquad x = -1,\ -0.96,\ \dots,\ 1 .
# $$ (eq-ln-slice)
#
# Biases and normalization keep their values, and all networks share one draw. At $x = 1$ a filter is perturbed by as much as it has.
#
# Which networks? Those at the {term}`levels <level>` of {ref}`the page on training over the epochs <ln-dynamics>`, found anew in each table: *overfitting* and *recovery*, between
# which the last test error falls most, the two *sweet spots* and *underfitting*, where there are any. They may coincide; the chart then takes
# the first of these names. *Denser level* is one that an earlier rule chose.
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
# Tables that exist are drawn at once, and a note says what they miss; with `recompute = True`, that is trained first. The chains are
# those of the other pages on re-dense training and are not trained again where one of these has run.

# %% tags=["hide-output"]
from lib.charts import enable
from lib.widgets.page import open_page
from papers.label_noise import figures
from papers.label_noise.experiments import PAGES

enable()
page = open_page(PAGES["loss_landscape"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## From sparse to re-dense
#
# In {numref}`fig-ln-paths` each line begins at a sparse network and ends at the re-dense one. Read the solid lines first: do they fall without a
# bump? Then the dashed ones, on test images: the loss that training lowers is not the one that we care about.

# %% mystnb={"figure": {"caption": "Loss and error on the straight line from sparse networks to the re-dense networks that they became, as in Fig. 5 and 14 of the paper.", "name": "fig-ln-paths"}} tags=["hide-input"]
figures.loss_along_paths(page.tables)

# %% [markdown]
# ## Around the end
#
# {numref}`fig-ln-slices` walks away from each network in one random direction. Compare how fast the lines rise near $x = 0$, not how deep they lie: a
# logarithmic axis makes the deeper one look steeper. LN-C15 is decided by the rise in nats, a fifth of each filter's norm away.

# %% mystnb={"figure": {"caption": "Training loss along a filter-normalized random direction around re-dense networks and the dense one, as in Fig. 6 of the paper.", "name": "fig-ln-slices"}} tags=["hide-input"]
figures.loss_along_direction(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# The paper prints no number for these figures. Its curves are of ResNet-18 on CIFAR-10 with 20 % and on CIFAR-100 with 40 % noise; LeNet is not among
# them.
#
# ## The verdicts
#
# Each claim is a test over the table, decided for this benchmark as far as it goes. *Undecided* means that the table lacks what the
# test needs, *not run* that it holds nothing of it, or that the claim speaks of other networks.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper does not say on which images it measures. Here losses and errors are means over 2,000 training images, with the labels trained on, and 2,000
#   test images, all drawn once by a fixed seed; all of a set where it has fewer. They are not augmented, and the networks are in evaluation mode.
# * The training loss is measured at all 101 points of {eq}`eq-ln-path`; of the others every fourth is kept, so that the table stays small. Paths are kept for the
#   first three replicates. Numbers are rounded to four digits.
# * Batch normalization holds running statistics that no gradient trains. The paper does not say what they are between two networks. They are
#   interpolated like the weights; with `statistics="recomputed"` for `loss_path` in `papers/label_noise/experiments.py` they are computed anew at each point, in one pass over the
#   training sample. LeNet has none.
# * Nor does it give the range of its slices. Range and points are those of the tool that its reference comes with.
# * Re-dense training loads the sparse network, puts pruned weights back at zero and begins with a fresh optimizer, as the text says. The released code keeps the
#   momentum that pruned weights gathered while masked.
# * A dense network was trained for one schedule, a re-dense one for twice as many epochs. What {numref}`fig-ln-slices` shows is
#   therefore not the work of sparsity alone; the paper compares the same two.
# * LN-C14 is asked more strictly than step by step, where many small rises could add up: the loss may nowhere lie above its lowest value so far by more than 1 % of the whole
#   fall. LN-C15 takes one step, $x = \pm 0.2$, since the paper reads curvature off the figure.
# * The paper shows both for its ResNets, and the claims speak of these alone. Curves of LeNet are this book's own.
#
# ## Try it
#
# **Change this and predict**
#
# 1. In `lib/analysis/loss_slice.py` set `DIRECTION_SEED = 1` and run with `recompute = True`; nothing is trained. Which curves of {numref}`fig-ln-slices` change, and does the order
#    of the networks?
# 2. In `descent_levels` of `lib/analysis/levels.py` let the sparsest level of the table count too, and run with `recompute = True`. A network that can hardly fit
#    anything then stands at $\alpha = 0$. Does its loss have farther to fall, and is there still no barrier?
