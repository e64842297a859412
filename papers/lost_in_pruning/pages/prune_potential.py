# %% [markdown]
# (lip-prune-potential)=
# # Prune potential
#
# **The question.** A network can lose most of its parameters before its *test error* rises. How much can it lose before noise, fog or new photographs
# show the difference?
#
# ## The idea
#
# {ref}`lip-test-set` asks how far one can prune, and answers with one number. But the answer depends on the images that one asks with. So give each
# set of images a number of its own: the largest share of parameters that can go before the error on *these* images rises. If pruning removed
# nothing but what is superfluous, all these numbers would be the same.
#
# The sets are made of the same test images, by {term}`corruptions <corruption>` {cite:p}`hendrycks2019benchmarking`: 15 of a benchmark and four that were meant
# for validation, each at five severities. A person still sees what is on the picture, at most of them without effort. Pull the slider of {numref}`fig-lip-corruptions`; the paper measures severity 3.

# %% tags=["remove-input"]
from lib.charts import enable
from papers.lost_in_pruning import figures

enable()  # the book's way to draw

# %% mystnb={"figure": {"caption": "A picture of 32 × 32 pixels under all 19 corruptions, at the severity of the slider.", "name": "fig-lip-corruptions"}} tags=["hide-input"]
figures.corrupted_images()  # a number in the brackets: that test image of CIFAR-10

# %% [markdown]
# This picture is drawn for the page, so that you can see it without CIFAR-10. A severity is not always more of everything: look at saturate, or at
# defocus blur from 3 to 4.
#
# Besides, there is noise: $x + \varepsilon u$, with $x$ the normalized image and each entry of $u$ uniform between −1 and 1.

# %% mystnb={"figure": {"caption": "The same picture under uniform noise, after Fig. 5 of the paper.", "name": "fig-lip-noisy-images"}} tags=["hide-input"]
figures.noisy_images()  # likewise

# %% [markdown]
# ## A number for each set of images
#
# Let $E(\theta, \mathcal D)$ be the error in percent of a network $\theta$ on images $\mathcal D$, $\theta_0$ a parent and $\theta_1, \dots, \theta_K$ what was cut from it, with prune ratios
# $\text{PR}_k$ as in {eq}`eq-lip-ratios`. The {term}`prune potential` with margin $\delta$ is
#
# $$
# P(\mathcal D, \delta) = \max \big\{ \text{PR}_k : E(\theta_k, \mathcal D) \le E(\theta_0, \mathcal D) + \delta \big\},
# $$ (eq-lip-potential)
#
# and 0 where no cut qualifies; $\delta = 0.5$ points in the paper. Two details matter. The parent is measured on $\mathcal D$ too: if fog is hard for everyone, that costs no potential. And a
# late cut counts even if an earlier one fails.
#
# Over several sets the paper takes the **average** of their potentials, and the **minimum**: how far may I prune if I do not know what comes, or if nothing may get worse?
#
# **What the paper claims** ({cite:t}`liebenwein2021lost`, section 5 and appendix D)
#
# * The potential falls with noise, for ResNet-20 to 0 (LIP-C08). WRN-16-8 keeps its potential (LIP-C09).
# * It depends on the corruption: almost 0 for gaussian, impulse and shot noise, near that of clean images for JPEG compression (LIP-C10).
# * Averaged over corruptions it is well below the clean one for most networks (LIP-C11), and its minimum is 0 for most (LIP-C12).
# * Equal potential on clean images does not mean equal potential on corrupted ones: VGG-16 and WRN-16-8 both have 98 %, then 80.9 and 95.7 % (LIP-C13).
# * Conclusions do not depend on $\delta$ (LIP-C17). Filters have less potential than weights, everywhere (LIP-C18).
# * It scatters more over corruptions on ImageNet (LIP-C19), and segmentation loses more than half of it (LIP-C20).
#
# ## What is measured
#
# Families of networks as on the page before. They never saw a corrupted image:

# %% tags=["hide-input"]
from lib.widgets.page import show_source
from papers.lost_in_pruning import experiments

show_source(experiments.families)

# %% [markdown]
# ### A potential by hand
#
# Errors of a parent and of four cuts, on three sets of images. Made up, to show each case:

# %%
import numpy

removed = numpy.array([0.0, 50.0, 80.0, 90.0, 95.0])  # PR in percent, the parent first
errors = {
    "clean": numpy.array([9.0, 8.8, 9.1, 9.4, 12.0]),
    "fog": numpy.array([20.0, 20.3, 21.0, 20.4, 26.0]),  # fails at 80 %, and recovers
    "shot noise": numpy.array([38.0, 40.0, 43.0, 47.0, 55.0]),  # no cut is free
}
delta = 0.5

potential = {name: float(removed[error <= error[0] + delta].max()) for name, error in errors.items()}
before_a_failure = {
    name: float(removed[numpy.logical_and.accumulate(error <= error[0] + delta)].max())
    for name, error in errors.items()
}
shifted = [potential[name] for name in ("fog", "shot noise")]
print(potential, "average", sum(shifted) / 2, "minimum", min(shifted))
print("if nothing after a failure counts:", before_a_failure)

# %% [markdown]
# Fog has 90 %, although the cut before fails. Is that luck, or did the network recover? One parent cannot tell. {numref}`fig-lip-margin` therefore has the stricter count as well.
# The library finds the same numbers:

# %%
from lib.analysis.prune_potential import Curves, over_sets, prune_potential

curves = Curves(tuple(errors), (0,), (0, 1, 2, 3, 4), removed[None], numpy.stack([*errors.values()])[:, None])
found, strict = prune_potential(curves, delta), prune_potential(curves, delta, first_crossing=True)
(
    found[:, 0].tolist() == [*potential.values()]
    and strict[:, 0].tolist() == [*before_a_failure.values()]
    and over_sets(found[1:])["average"].item() == sum(shifted) / 2
    and over_sets(found[1:])["minimum"].item() == min(shifted)
)

# %% [markdown]
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's. `benchmark` is one of `cifar10-resnet20`,
# `-resnet56`, `-resnet110`, `-resnet56-bottleneck`, `-vgg16`, `-densenet22`, `-wrn16-8`, or `imagenet-resnet18`, `imagenet-resnet101`.

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
from lib.charts import table
from lib.widgets.page import open_page
from papers.lost_in_pruning import observations, tables
from papers.lost_in_pruning.experiments import PAGES

page = open_page(PAGES["prune_potential"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## The same networks, harder images
#
# First the curves from which potentials are read. In {numref}`fig-lip-errors` all lines are the same networks; only the images differ. *Clean* are the very images that were then corrupted.
# Look at the slope, not at the height: which lines leave their left end first?

# %% mystnb={"figure": {"caption": "Test error against the share of parameters removed, on clean images and under corruptions of one kind; menus choose kind and method. After Fig. 6a and 6d of the paper.", "name": "fig-lip-errors"}} tags=["hide-input"]
figures.error_under_corruptions(page.tables)

# %% tags=["remove-input"]
observations.error_under_corruptions(page.tables)

# %% [markdown]
# ## Potential under noise
#
# {numref}`fig-lip-noise` is the paper's first figure. Pull the slider of the margin: is there a $\delta$ at which the lines become flat?

# %% mystnb={"figure": {"caption": "Prune potential against the level of uniform noise, for the margin of the slider. After Fig. 1 and 28 of the paper.", "name": "fig-lip-noise"}} tags=["hide-input"]
figures.potential_under_noise(page.tables)

# %% tags=["remove-input"]
observations.potential_under_noise(page.tables)

# %% [markdown]
# ## Potential by corruption
#
# A row of {numref}`fig-lip-potential` is a set of images. The first is the number that one usually reports.

# %% mystnb={"figure": {"caption": "Prune potential on clean images, under each corruption and on new test images where they are there; menus choose method and margin. After Fig. 6, 7 and 29 to 37 of the paper.", "name": "fig-lip-potential"}} tags=["hide-input"]
figures.potential_by_images(page.tables)

# %% tags=["remove-input"]
observations.potential_by_images(page.tables)

# %% [markdown]
# {numref}`fig-lip-potential-methods` has all methods side by side. If filters are more fragile than weights, their columns are lighter than those of WT and SiPP in every row.

# %% mystnb={"figure": {"caption": "Prune potential of every method on every set of images, for the margin of the slider.", "name": "fig-lip-potential-methods"}} tags=["hide-input"]
figures.potential_of_methods(page.tables)

# %% tags=["remove-input"]
observations.potential_of_methods(page.tables)

# %% [markdown]
# ## Does the margin matter?
#
# Half a point is arbitrary, and small: of the 2,000 images at `short` scale it is ten, and chance alone moves their error by one point; of the 200 at `laptop` scale it is one, and chance moves it by more than three. {numref}`fig-lip-margin` has the potential for every margin up to 5 points. Solid lines count any cut, dashed ones only cuts
# before the first failure.

# %% mystnb={"figure": {"caption": "Prune potential against the margin: on clean images, on average over corruptions, and of the worst corruption. After Fig. 38 of the paper.", "name": "fig-lip-margin"}} tags=["hide-input"]
figures.potential_by_margin(page.tables)

# %% tags=["remove-input"]
observations.potential_by_margin(page.tables)

# %% [markdown]
# ## Measured beside printed
#
# Tables 2, 9 and 10: potential on clean images, and average and minimum over the shifted ones; mean ± sample standard deviation over parents. Change $\delta$ in the cell.

# %% tags=["hide-input"]
table(tables.potentials(page.tables, benchmark, delta=0.5), "potentials")

# %% [markdown]
# ## What it means
#
# Where the potential falls, parameters that looked superfluous were not. They did nothing for the images that the network was tested on, and something for others. To report how far a network can be pruned,
# one therefore has to say on which images: a single number holds for a single distribution.
#
# The minimum is harsh. It is 0 with one corruption of nineteen under which *no* cut stays within half a point; where even mild cuts cost a little, noise of the measurement can bring the rest about. With few test images expect it low for any
# method. Where there are only a few cuts, expect steps: a potential can only be one of the ratios that were trained.

# %% tags=["remove-input"]
observations.learned_prune_potential(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "All verdicts with their reasons", "code_prompt_hide": "Hide the verdicts"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper tests on the published files of CIFAR-10-C. They were drawn without seeds and cannot be made again. Here the test set is corrupted by the same algorithms and constants, with a seed for each corruption and severity;
#   where the published files are in the data folder, they are read instead.
# * Frost looks through photographs in the published files, and through synthesized textures here: expect other numbers for this one corruption.
# * The text averages over corruptions, the code also over CIFAR-10.1. The table has 19 corruptions and the benchmark's 15, and CIFAR-10.1 with them only where its files are there.
# * Noise is added to normalized images, without clipping; 0.1 is about a fiftieth of the range from black to white. All networks share one draw at every level. The paper calls its spread a standard deviation, and its code computes
#   the median absolute deviation over draws; here it is the sample standard deviation over parents.
# * Spread is by $n - 1$; the paper divides by $n$. It prints ± 0.0 for ImageNet, where there was one parent.
# * Smaller scales test on the first few hundred or thousand test images. The clean error beside them is of the same images.
# * Error may rise by exactly $\delta$; in the paper's noise figures it has to stay below.
# * ImageNet and VOC need files that have to be asked for; no table of them is committed.
# :::
#
# (lip-try-prune-potential)=
# ## Try it
#
# Minutes are for `laptop` scale on two CPU cores; run the page with `make lab`.
#
# 1. **A picture of your own** (seconds). Put a number into the brackets of {numref}`fig-lip-corruptions`, such as `figures.corrupted_images(7)`; this needs CIFAR-10. Which corruptions make it hard for *you*?
#
# :::{dropdown} Answer
# For most people contrast and the blurs at severity 5, hardly the noises. Compare with the networks: what is hard for them, and what pruning makes harder, is a different list.
# :::
#
# 2. **Noise of the measurement** (seconds, no training). Take two networks with the same true error of 30 %. How often does a test of 500 images see the second one at least half a point above the first?
#
#    ```python
#    draw = numpy.random.default_rng(0)
#    first, second = (draw.binomial(500, 0.3, 100_000) / 5 for _ in range(2))
#    print((second > first + 0.5).mean())
#    ```
#
# :::{dropdown} Answer
# In 43 % of cases: the cut would fail although nothing is lost. Both networks see the same images here, and err on many of the same, so that it is less in truth. Still, differences of a point mean little with 500 images; the margin slider tells how robust a statement is.
# :::
#
# 3. **A potential from one corruption alone** (seconds, no training). With the page's first table, ask the library for the potential under fog at severity 3.
#
#    ```python
#    from lib.analysis.distributions import corrupted
#    from lib.analysis.prune_potential import curves
#    fog = curves(page.table, [corrupted("fog")], algorithm="WT")
#    prune_potential(fog, [0, 0.5, 1, 2])
#    ```
#
# :::{dropdown} Answer
# An array of margins × sets × parents. It never falls from one margin to the next: what is allowed with a small margin is allowed with a larger one.
# :::
#
# 4. **By thought.** A parent errs on 90 % of the images under some corruption, which is chance. What is its prune potential there?
#
# :::{dropdown} Answer
# Close to all: a network of no weights errs on 90 % as well. The potential asks whether pruning costs *more*, not whether the network is any good. So read it with the error beside it.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.potential_under_noise)
