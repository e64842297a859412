# %% [markdown]
# (tr-examples-themselves)=
# # The images themselves
#
# Averages say that pruning raises or lowers the training loss. This page looks at single images. Which twenty does pruning worsen most, which does it improve most, and which does it leave alone? It re-runs
# appendix K.1 of {cite:t}`jin2022pruning` (Figure 16 and Table 4).
#
# **What the paper claims**
#
# * The images whose loss pruning changes most, in either direction, are atypical for their label or labelled wrongly; those that it changes least are typical and clear (TR-C35).
#
# The paper shows this by pictures only. Pictures are convincing and do not count. So the claim gets two numbers here: how hard the images of each kind are by {term}`EL2N`, and, where wrong labels were put in on
# purpose, how many of the most worsened images have one.
#
# ## The idea
#
# One level of pruning may change an image's loss by chance. An image that changes in the same direction at *every* level is another matter. With $\ell_k(x)$ the training loss of image $x$ after $k$ levels of
# {term}`learning-rate rewinding` and $\ell_0$ that of the {term}`dense` network, both averaged over replicates, the change that a category asks for is
#
# $$
# c_k(x) = \begin{cases}
# \ell_k(x) - \ell_0(x) & \text{most worsened,} \\
# \ell_0(x) - \ell_k(x) & \text{most improved,} \\
# \lvert \ell_k(x) - \ell_0(x) \rvert & \text{least affected,}
# \end{cases}
# $$ (eq-loss-change)
#
# and the images are ranked by its geometric mean over a set $K$ of levels,
#
# $$
# g(x) = \Bigl( \prod_{k \in K} \max\bigl(c_k(x),\, 10^{-5}\bigr) \Bigr)^{1 / \lvert K \rvert}.
# $$ (eq-geometric-mean)
#
# The first two categories take the largest $g$, the third the smallest. A geometric mean is strict: an image that gets worse at one level and better at the next has a factor of $10^{-5}$ and falls far back. The
# floor is needed because such a mean takes no negative numbers. Each category has its own levels:
#
# | category | levels $K$: compared with the dense network |
# |---|---|
# | most worsened | higher training loss, lower test error; where no level has both, higher training loss and at most 2 points more test error |
# | most improved | lower training loss and lower test error |
# | least affected | at most 2 points more test error |
#
# ## The ranking, by hand
#
# Five images and two levels. Which image has changed most for the worse?

# %%
import torch

before = torch.tensor([0.10, 0.10, 0.10, 2.00, 0.00])  # the dense network
after = torch.tensor([[0.60, 3.00, 0.11, 0.50, 0.00], [0.80, 0.05, 0.12, 0.40, 0.00]])  # two levels

rise = after - before
floored = rise.clamp(min=1e-5)
geometric = floored.log().mean(0).exp()
for i in range(5):
    print(
        f"image {i}: rises {rise[0, i]:+.2f} and {rise[1, i]:+.2f}, arithmetic mean {rise[:, i].mean():+.3f}, g {geometric[i]:.5f}"
    )

# %% [markdown]
# By the arithmetic mean it is image 1, with one large jump; by the geometric mean image 0, which gets worse at both levels. The library ranks the same:

# %%
from lib.analysis.ranked_examples import ranked

order, change = ranked("most worsened", before, after)
(
    order.tolist() == geometric.argsort(descending=True, stable=True).tolist(),
    torch.allclose(change.float(), geometric[order]),
)

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
# All that you need to touch. The networks are those of {ref}`tr-additional-regularization`; the ten short trainings that EL2N takes for each replicate cost about as much as one more level.

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
from lib.charts import table
from papers.training_regularization import tables

page = open_page(PAGES["examples_themselves"], vars())
clean, noisiest = min(page.plan.noise_percents), max(page.plan.noise_percents)

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# ## Most worsened, with wrong labels
#
# Begin where the answer is known. These images come from one replicate at the highest noise. Read label and prediction together: where the label was replaced, pruning gives it up, and the prediction is often
# what you see in the image. Point at an image for its label before noise; a cross marks images on which most pruned networks disagree with the label.

# %% mystnb={"figure": {"caption": "The training images whose loss pruning raises most, when part of the labels is wrong; one replicate.", "name": "fig-tr-worsened-noisy"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most worsened", noisiest, "Most worsened, with wrong labels")

# %% tags=["remove-input"]
observations.ranked_images(page.tables, "most worsened", noisiest)

# %% [markdown]
# ## Most worsened, without noise
#
# Now no label was touched. Look before you read on: would you have given these labels? By the paper's own recipe LeNet fits clean images better at every size; where that table has no such images, `laptop` has.

# %% mystnb={"figure": {"caption": "The training images whose loss pruning raises most, with label and prediction of most pruned networks, as in Fig. 16 of the paper.", "name": "fig-tr-most-worsened"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most worsened", clean, "Most worsened by pruning")

# %% tags=["remove-input"]
observations.ranked_images(page.tables, "most worsened", clean)

# %% [markdown]
# ## Most improved, without noise

# %% mystnb={"figure": {"caption": "The training images whose loss pruning lowers most, as in Fig. 16 of the paper.", "name": "fig-tr-most-improved"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most improved", clean, "Most improved by pruning")

# %% tags=["remove-input"]
observations.ranked_images(page.tables, "most improved", clean)

# %% [markdown]
# ## Least affected, without noise
#
# Many images are fitted so well by all networks that their change is below the floor. The figure shows the first twenty of them in the order of the data set: as in the paper, this set is not unique.

# %% mystnb={"figure": {"caption": "Training images whose loss pruning hardly changes, as in Fig. 16 of the paper.", "name": "fig-tr-least-affected"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "least affected", clean, "Least affected by pruning")

# %% tags=["remove-input"]
observations.ranked_images(page.tables, "least affected", clean)

# %% [markdown]
# ## The story of one image
#
# A ranking sums up what happened to an image on its way through the levels. Here is the way itself. Choose a group by its difficulty, look at some of its images, and click one: below, its training loss from the
# dense network to the sparsest. Look for an image whose line dives first and climbs later; with wrong labels the hardest group has many.

# %% mystnb={"figure": {"caption": "Groups of training images by EL2N, some images of the chosen group, and the loss of the chosen image while the network is pruned.", "name": "fig-tr-story-of-an-image"}} tags=["hide-input"]
example_figures.example_stories(page.tables)

# %% [markdown]
# ## In numbers
#
# Mean EL2N of the twenty images of each category without noise, and at each noise level the share of them whose label is wrong, as a mean over replicates. Drawn at random, that share would be the noise level
# itself.

# %% tags=["hide-input"]
table(tables.ranked_groups(page.tables), "ranked")

# %% [markdown]
# ## Which sparsities
#
# The rules read two curves, the test error below and the mean training loss. They are applied to the measured table, without noise and then at each noise level.

# %% mystnb={"figure": {"caption": "Test error against weights remaining; the levels at or below the dashed line improve generalization.", "name": "fig-tr-examples-error"}} tags=["hide-input"]
figures.error_while_pruning(page.tables, title="Where generalization is preserved")

# %% tags=["remove-input"]
observations.error_while_pruning(page.tables)

# %% [markdown]
# Percent of weights remaining at which each category is ranked without noise, from the first level to the last, beside the paper's Table 4. The paper counts the dense network, 100 %, among the levels of the least
# affected images, where it changes nothing.

# %% tags=["hide-input"]
table(tables.ranked_sizes(benchmark, page.tables), "sizes")

# %% [markdown]
# ## What it means
#
# A sparse network argues with its training set. Asked which labels it refuses, it points at wrong ones with few false alarms, although nobody told it that some were wrong. On the clean set it points at digits over
# which people would argue too. By the paper's own recipe, giving such images up lowers the test error of LeNet with 10 and 15 % wrong labels; with 5 % it does not (7.0 against 5.3 % at best). Without wrong labels no size gives images
# up on average there, so what was ranked as most worsened is of `laptop` scale, where the error rises with it (4.2 against 3.6 %).

# %% tags=["remove-input"]
observations.learned_examples_themselves(page.tables)

# %% tags=["remove-input"]
page.chips()

# %% mystnb={"code_prompt_show": "Each verdict with its reason"} tags=["hide-cell"]
page.verdicts()

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper names its sparsities in Table 4; here the rules of its text choose them from the measured curves, so other levels may come out. Table 4 is titled sparsities and holds weights remaining.
# * The paper floors *negative* changes at $10^{-5}$. Here every change below the floor counts as the floor, for all three categories: a change that is smaller than the floor is no more of a change than none. Floor,
#   range and number of images are constants of `lib/analysis/ranked_examples.py`.
# * Losses are averaged over replicates before ranking where there is no noise, as in the paper. With noise, which the paper does not rank, each replicate has wrong labels of its own, and so a ranking of its own.
# * "Generalization" is read as the test error: the levels are not chosen for reporting an error, only for looking at training images.
# * The prediction is that of the majority of all networks at the levels of the category, over all replicates. The paper does not say over which networks its majority runs.
# * Losses are measured without augmentation and kept in half precision, so losses below about $10^{-7}$ nats cannot be told from 0.
# * The claim is decided by the two numbers above, not by looking. Without noise the ranking is one of all replicates together, so EL2N gives one number and no spread: that half of the claim stays
#   undecided, however clear the number.
# :::
#
# ## Try it
#
# **1. One second.** In the ranking by hand, take the arithmetic mean instead of the geometric one. Why does it hardly matter where a category has a single level?
#
# :::{dropdown} Answer
# Image 1 comes first. With one level both means are that level's change, and the order is the same.
# :::
#
# **2. Two minutes.** `noise_percents = [40.0]`, `recompute = True`. How many of the twenty most worsened images have a wrong label now? Drawn at random it would be eight.
#
# :::{dropdown} Answer
# Nearly all of them, as long as some level is better than the dense network: these images are exactly what it has given up to become better.
# :::
#
# **3. By thought.** A tool that lists the most worsened images of a data set would find wrong labels. What else would it list, and why must a person look?
#
# :::{dropdown} Answer
# Rare but correct images: an unusual seven is as hard as a mislabelled one. Removing all of them would make the network worse exactly for the people who write such sevens.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How the figures of images are made"} tags=["hide-cell"]
show_source(example_figures.ranked_images)
