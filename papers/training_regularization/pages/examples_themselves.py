# %% [markdown]
# (tr-examples-themselves)=
# # The examples themselves
#
# Averages say that pruning raises or lowers the training loss. This page looks at single images: which twenty does pruning worsen most, which
# does it improve most, and which does it leave alone? It re-runs appendix K.1 of {cite:t}`jin2022pruning` (Figure 16 and Table 4).
#
# **What the paper claims**
#
# * The examples whose loss pruning changes most, in either direction, are atypical for their label or labelled wrongly; those that it
#   changes least are typical and clear (TR-C35).
#
# The paper shows this by pictures only. Pictures are convincing and do not count, so the claim gets two numbers here: how hard the examples of
# each kind are by {term}`EL2N`, and, where wrong labels were put in on purpose, how many of the most worsened examples have one.
#
# ## The method
#
# With $\ell_k(x)$ the training loss of example $x$ after $k$ levels of {term}`learning-rate rewinding`, $\ell_0$ that of the {term}`dense`
# network, both averaged over replicates, the change that a category asks for is
#
# $$
# c_k(x) = \begin{cases}
# \ell_k(x) - \ell_0(x) & \text{most worsened,} \\
# \ell_0(x) - \ell_k(x) & \text{most improved,} \\
# \lvert \ell_k(x) - \ell_0(x) \rvert & \text{least affected,}
# \end{cases}
# $$ (eq-loss-change)
#
# and the examples are ranked by its geometric mean over a set $K$ of levels,
#
# $$
# g(x) = \Bigl( \prod_{k \in K} \max\bigl(c_k(x),\, 10^{-5}\bigr) \Bigr)^{1 / \lvert K \rvert}.
# $$ (eq-geometric-mean)
#
# The first two categories take the largest $g$, the third the smallest. A geometric mean is strict: an example that gets worse at one
# level and better at the next has a factor of $10^{-5}$ and falls far back. The floor is needed because such a mean takes no negative
# numbers. Each category has its own levels:
#
# | category | levels $K$: compared with the dense network |
# |---|---|
# | most worsened | higher training loss, lower test error; where no level has both, higher training loss and at most 2 points more test error |
# | most improved | lower training loss and lower test error |
# | least affected | at most 2 points more test error |
#
# ## Parameters
#
# All that you need to touch. The networks are those of {ref}`the page on section 4 <tr-additional-regularization>`; the ten short trainings
# that EL2N takes for each replicate cost about as much as one more level.

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
# Where a table of these parameters exists, it is drawn at once; with `recompute = True`, what is missing is trained first. The
# table keeps, for each of the twenty examples of a category, its place among the training images, its label and what most networks predict.

# %% tags=["hide-output"]
from lib.charts import enable, table
from lib.widgets.explorer import explore_noise
from lib.widgets.page import open_page
from papers.training_regularization import example_figures, figures, tables
from papers.training_regularization.experiments import PAGES

enable()
page = open_page(PAGES["examples_themselves"], benchmark, scale, recompute, store, device, deterministic)
clean, noisiest = min(page.plan.noise_percents), max(page.plan.noise_percents)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Which sparsities
#
# The rules read two curves, the test error of {numref}`fig-tr-examples-error` and the mean training loss. They are applied to the measured
# table, without noise and then at each noise level.

# %% mystnb={"figure": {"caption": "Test error against weights remaining; the levels at or below the dashed line improve generalization.", "name": "fig-tr-examples-error"}} tags=["hide-input"]
figures.error_while_pruning(page.tables, title="Where generalization is preserved")

# %% [markdown]
# Percent of weights remaining at which each category is ranked without noise, from the first level to the last, beside the paper's. The
# paper counts the dense network, 100 %, among the levels of the least affected examples, where it changes nothing.

# %% tags=["hide-input"]
table(tables.ranked_sizes(benchmark, page.tables), "sizes")

# %% [markdown]
# ## Most worsened, without noise
#
# Look at {numref}`fig-tr-most-worsened` before you read on. Would you have given these labels? A cross marks the images on which most of
# the pruned networks disagree with the label.

# %% mystnb={"figure": {"caption": "The training images whose loss pruning raises most, with label and prediction of most pruned networks, as in Fig. 16 of the paper.", "name": "fig-tr-most-worsened"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most worsened", clean, "Most worsened by pruning")

# %% [markdown]
# ## Most improved, without noise

# %% mystnb={"figure": {"caption": "The training images whose loss pruning lowers most, as in Fig. 16 of the paper.", "name": "fig-tr-most-improved"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most improved", clean, "Most improved by pruning")

# %% [markdown]
# ## Least affected, without noise
#
# Many examples are fitted so well by all networks that their change is below the floor. {numref}`fig-tr-least-affected` shows the first
# twenty of them in the order of the data set: as in the paper, this set is not unique.

# %% mystnb={"figure": {"caption": "Training images whose loss pruning hardly changes, as in Fig. 16 of the paper.", "name": "fig-tr-least-affected"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "least affected", clean, "Least affected by pruning")

# %% [markdown]
# ## Most worsened, with noise
#
# The paper stops here; with injected noise the question has an answer that can be counted. {numref}`fig-tr-worsened-noisy` shows one
# replicate at the highest noise level. Read label and prediction together: where the label was replaced, pruning gives it up, and the
# prediction is often what you see in the image. Point at an image for its label before noise.

# %% mystnb={"figure": {"caption": "The training images whose loss pruning raises most, when part of the labels is wrong; one replicate.", "name": "fig-tr-worsened-noisy"}} tags=["hide-input"]
example_figures.ranked_images(page.tables, "most worsened", noisiest, "Most worsened, with wrong labels")

# %% [markdown]
# ## In numbers
#
# Mean EL2N of the twenty examples of each category without noise, and at each noise level the share of them whose label is wrong, as a mean
# over replicates. Drawn at random, that share would be the noise level itself.

# %% tags=["hide-input"]
table(tables.ranked_groups(page.tables), "ranked")

# %% [markdown]
# ## The verdicts
#
# The claim is a test over the table, decided for this benchmark as far as it goes: by the two numbers above, not by looking. *Undecided*
# means that the table lacks what the test needs.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper names its sparsities in Table 4; here the rules of its text choose them from the measured curves, so other levels may come
#   out. Table 4 is titled sparsities and holds weights remaining.
# * The paper floors *negative* changes at $10^{-5}$. Here every change below the floor counts as the floor, for all three categories: a
#   change that is smaller than the floor is no more of a change than none. Floor, range and number of examples are constants of
#   `lib/analysis/ranked_examples.py`.
# * Losses are averaged over replicates before ranking where there is no noise, as in the paper. With noise, which the paper does not
#   rank, each replicate has wrong labels of its own, and so a ranking of its own.
# * "Generalization" is read as the test error: the levels are not chosen for reporting an error, only for looking at training examples.
# * The prediction is that of the majority of all networks at the levels of the category, over all replicates. The paper does not say over which
#   networks its majority runs.
# * Losses are measured without augmentation and kept in half precision, which tells losses below about $10^{-7}$ nats not apart from 0.
#
# ## Try it
#
# In JupyterLab (`make lab`) the explorer below shows the training images that the network fits worst at any noise level and level, by loss and
# not by change of loss. In the published book it has no kernel to ask.

# %% tags=["remove-output"]
explore_noise(page)

# %% [markdown]
# **Change this and predict**
#
# 1. Replace the geometric by the arithmetic mean (`geometric_means` in `lib/analysis/ranked_examples.py`). Which kind of example moves up among the most
#    worsened ones, and why does it hardly matter where a category has a single level?
# 2. Set `WORSE_BY = 10` in `lib/analysis/ranked_examples.py`, so that sparser networks take part, and run with `recompute = True`; nothing is trained where the
#    store has the networks. Does the share of wrong labels among the most worsened
#    examples rise or fall, once the network can no longer fit the correct ones?
