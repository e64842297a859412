# %% [markdown]
# (ln-missed-double-descent)=
# # Why others missed it
#
# If the test error climbs before it falls, why do few papers on pruning show a climb? Appendix A.2.3 of {cite:t}`anonymous2022noise` offers
# three explanations in a few sentences and tests none of them. Two can be tested with what this book has, so this page does.
#
# **What the paper says**
#
# * Too few points are drawn: a curve with four or five sparsities can step over the peak.
# * Fine-tuning keeps a pruned network close to the solution from which it was pruned, where rewinding lets it look for another one.
# * Pruning is noise, and noise regularizes, which makes up for what is lost. This belongs to another paper, {cite:t}`bartoldson2020stability`, and
#   is not tested here.
#
# None of this is a claim with a test of its own on the scoreboard; the table below gives the numbers.
#
# ## The method
#
# Pruning is by magnitude, and both algorithms see the same wrong labels. {term}`Weight rewinding <weight rewinding>` sets the remaining weights
# back after each cut and trains by the whole schedule. {term}`Fine-tuning <fine-tuning>` keeps them as they are and trains the last quarter of the
# schedule again, at the learning rates with which it ends.
#
# Let $E_k$ be the last test error at {term}`level` $k$, averaged over replicates, among the levels that are looked at. A reader sees a peak where the
# error comes down again: at the level $p$ where its largest fall begins, which {ref}`the page before <ln-double-descent>` calls *overfitting*. The rise is
#
# $$
# \Delta = E_p - E_0, \qquad (p, q) = \operatorname*{arg\,max}_{0 \le p < q} \; (E_p - E_q) .
# $$ (eq-ln-rise)
#
# Nothing rises ($\Delta = 0$) where the fall begins with the dense network, or nothing falls. Leaving out levels can hide the peak, or all that lies
# beyond it.
#
# ## Parameters
#
# All that you need to touch.

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
# Tables that exist are drawn at once, and a note says what they miss; with `recompute = True`, that is trained first. Weight rewinding is that
# of {ref}`the page on double descent <ln-double-descent>` and is not trained again where it has run.

# %% tags=["hide-output"]
from lib.charts import enable, table
from lib.widgets.explorer import explore_noise
from lib.widgets.page import open_page
from papers.label_noise import figures, tables
from papers.label_noise.experiments import PAGES

enable()
page = open_page(PAGES["missed_double_descent"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Fewer points
#
# Pull the slider of {numref}`fig-ln-few-levels` to the right. From which $n$ on would you not have reported a rise?

# %% mystnb={"figure": {"caption": "Last test error of weight rewinding against weights remaining. The slider keeps every n-th level only.", "name": "fig-ln-few-levels"}} tags=["hide-input"]
figures.error_at_few_levels(page.tables)

# %% [markdown]
# ## Fine-tuning instead of rewinding
#
# In {numref}`fig-ln-fine-tuning` both start from the same dense network and remove as many weights at each level. Compare the heights of the two
# peaks, and where they stand.

# %% mystnb={"figure": {"caption": "Last test error of weight rewinding and of fine-tuning against weights remaining.", "name": "fig-ln-fine-tuning"}} tags=["hide-input"]
figures.rewinding_and_fine_tuning(page.tables)

# %% [markdown]
# ## The rise in numbers
#
# $\Delta$ of {eq}`eq-ln-rise` for each way of looking. A rise is seen where the mean over replicates is at least one standard deviation above
# zero.

# %% tags=["hide-input"]
table(tables.peaks_table(page.tables), "rise-by-experiment")

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper has no such experiment. Its sentences are taken as hypotheses; the length of fine-tuning, a quarter of the schedule, is this book's choice
#   and was fixed before anything was measured.
# * The first level that is left when every fourth is kept has lost more weights than most papers remove in all.
# * Charts show error against weights remaining, where the paper draws accuracy against sparsity.
#
# ## Try it
#
# In JupyterLab (`make lab`) the explorer answers to algorithm, noise and level; in the published book it has no kernel to ask.

# %% tags=["remove-output"]
explore_noise(page)

# %% [markdown]
# **Change this and predict**
#
# 1. In `papers/label_noise/experiments.py`, let fine-tuning take the whole schedule (`FINE_TUNED_SHARE = 1`) and set `recompute = True`. LeNet's
#    learning rate never falls, so fine-tuning becomes {term}`learning-rate rewinding`. Does the peak move towards that of weight rewinding?
# 2. In `papers/label_noise/recipes.py`, add the noise level 0 to the plan. Is there a rise without wrong labels, and would you have needed every
#    level to see it?
