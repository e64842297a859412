# %% [markdown]
# (ln-missed-double-descent)=
# # Why others missed it
#
# **The question.** If the test error climbs before it falls, as on {ref}`the page before <ln-double-descent>`, why do few papers on
# pruning show a climb?
#
# ## The idea
#
# Appendix A.2.3 of {cite:t}`anonymous2022noise` offers three explanations in a few sentences and tests none of them:
#
# * **Too few points.** A curve of four or five sparsities can step over the peak.
# * **{term}`Fine-tuning <fine-tuning>`.** It keeps a pruned network near the solution from which it was pruned. Rewinding lets it look
#   for another one.
# * **Pruning is noise, and noise regularizes**, which makes up for what is lost. This belongs to another paper,
#   {cite:t}`bartoldson2020stability`, and is not tested here.
#
# The first two can be tested with what this book has. None of them is a claim on the scoreboard.
#
# ## The algorithm
#
# Both algorithms prune by {term}`magnitude` and see the same wrong labels. {term}`Weight rewinding <weight rewinding>` sets the remaining
# weights back after each cut and trains by the whole schedule. Fine-tuning keeps them and trains the last quarter of the schedule
# again, at the learning rates with which it ends. In the code they differ in where a stage starts (`"previous"` or `"rewind"`) and in its epochs:

# %% tags=["remove-input"]
from lib.stages.algorithms import fine_tuning, weight_rewinding
from lib.widgets.page import show_source
from papers.label_noise import experiments

show_source(experiments.missed_double_descent, fine_tuning, weight_rewinding)

# %% [markdown]
# ### The rise by hand
#
# Let $E_k$ be the last test error at {term}`level` $k$, averaged over {term}`replicates <replicate>`, among the levels that are looked at. A
# reader sees a peak where the error comes down again: at the level $p$ where its largest fall begins. The rise is
#
# $$
# \begin{gathered}
# \Delta = E_p - E_0, \\ (p, q) = \operatorname*{arg\,max}_{0 \le p < q} \; (E_p - E_q) .
# \end{gathered}
# $$ (eq-ln-rise)
#
# Nothing rises ($\Delta = 0$) where the fall begins with the dense network, or nothing falls. In plain Python, for a curve that climbs and
# falls:

# %%
from itertools import combinations
from math import isclose


def rise(errors: list[float], every: int = 1) -> float:
    """Return how far the error stands above the dense network's where its largest fall begins."""
    seen = range(0, len(errors), every)
    falls = [(errors[p] - errors[q], p) for p, q in combinations(seen, 2)]
    fall, p = max(falls, key=lambda one: one[0], default=(0.0, 0))
    return errors[p] - errors[0] if fall > 0 else 0.0


curve = [15.0, 16.0, 20.0, 26.0, 18.0, 8.0, 14.0]
{f"every {every}": rise(curve, every) for every in (1, 2, 4)}

# %% [markdown]
# With every fourth level one point is left beside the dense network, and the peak is gone. The line that checks this against the
# library needs a table; it follows the run.
#
# ## Parameters
#
# All that you need to touch. Empty means as planned; what you change becomes a run of its own, drawn beside the book's.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
noise_percents: list[float] = []  # empty, here and below 0 or "": as planned
seeds: list[int] = []
levels: int = 0
fraction: float = 0.0
score: str = ""
epochs: int = 0
images: int = 0
store: str = ""
device: str = "auto"
deterministic: bool = False  # on a GPU: repeat to the bit, slower; a CPU always does

# %% tags=["hide-output"]
from lib.analysis.levels import TEST
from lib.analysis.table import values
from lib.charts import table
from lib.widgets.page import open_page
from papers.label_noise import figures, observations, tables
from papers.label_noise.experiments import PAGES
from papers.label_noise.names import WR

page = open_page(PAGES["missed_double_descent"], vars())

# %% tags=["remove-input"]
page.note

# %% tags=["remove-input"]
page.cost

# %% [markdown]
# The library's $\Delta$ is the one by hand, averaged over seeds:

# %%
noise = min(page.table.frame["noise_percent"].tolist())
measured = values(page.table, TEST, algorithm=WR, noise_percent=noise).mean().tolist()
of_library = tables.peak_above_dense(page.table, WR, noise)
of_library is not None and isclose(rise(measured), of_library.mean(), abs_tol=1e-9)

# %% [markdown]
# ## Fewer points
#
# Pull the slider of {numref}`fig-ln-few-levels` to the right. From which $n$ on would you not have reported a rise?

# %% mystnb={"figure": {"caption": "Last test error of weight rewinding against weights remaining. The slider keeps every n-th level only.", "name": "fig-ln-few-levels"}} tags=["hide-input"]
figures.error_at_few_levels(page.tables)

# %% tags=["remove-input"]
observations.error_at_few_levels(page.tables)

# %% [markdown]
# ## Fine-tuning instead of rewinding
#
# In {numref}`fig-ln-fine-tuning` both start from the same dense network and lose as many weights at each level. Compare the heights of
# the two peaks, and where they stand.

# %% mystnb={"figure": {"caption": "Last test error of weight rewinding and of fine-tuning against weights remaining.", "name": "fig-ln-fine-tuning"}} tags=["hide-input"]
figures.rewinding_and_fine_tuning(page.tables)

# %% tags=["remove-input"]
observations.rewinding_and_fine_tuning(page.tables)

# %% [markdown]
# ## The rise in numbers
#
# $\Delta$ of {eq}`eq-ln-rise` for each way of looking. A rise is *seen* where its mean over replicates is at least one standard
# deviation above zero. There is nothing printed to set beside it.

# %% tags=["remove-input"]
table(tables.peaks_table(page.tables), "rise-by-experiment")

# %% [markdown]
# ## What it means
#
# Whether a paper shows double descent depends on where it looks as much as on what it trains. A peak that is one
# or two levels wide falls between points that lie further apart. How far apart is too far depends on the cuts: a level of `laptop` scale keeps
# 30 % of the weights of the one before, of `short` scale 41 %, of the paper 80 %. Four cuts of the paper are one of `short`.

# %% tags=["remove-input"]
observations.learned_missed_double_descent(page.tables)

# %% [markdown]
# :::{dropdown} What differs from the paper, and why
# * The paper has no such experiment. Its sentences are taken as hypotheses. The length of fine-tuning, a quarter of the schedule, is
#   this book's choice and was fixed before anything was measured.
# * Charts show error against weights remaining, where the paper draws accuracy against sparsity.
# :::
#
# ## Try it
#
# Change the parameter cell and run the page again (`make lab`). Minutes and answers are for `laptop` scale on two CPU cores.
#
# 1. **A finer look** (about 2 minutes). `levels = 12`, `fraction = 0.4`, `noise_percents = [40]`, `seeds = [0]`, `recompute = True`. Is the peak
#    higher with smaller cuts, or only better resolved?
#
# :::{dropdown} Answer
# Mostly better resolved: the error is a property of the size, and a large cut jumps over sizes. The top may still stand higher, since now a
# level can lie on it.
# :::
#
# 2. **No noise** (about 1 minute). `noise_percents = [0]`, `seeds = [0]`, `recompute = True`. Is there a rise without wrong labels, and would
#    you have needed every level to see it?
#
# :::{dropdown} Answer
# Hardly. {ref}`With the other paper's recipe <tr-additional-regularization>` and no wrong labels it does not climb before it falls: at `laptop` scale it stays level and then rises, by that paper's own recipe it first falls, from 2.0 to 1.4 %, and then rises.
# Papers that prune networks trained on clean labels had little to miss.
# :::
#
# 3. **Fine-tuning that is longer** (about 2 minutes, in a cell of your own). `experiments.FINE_TUNED_SHARE = 1`, then
#    `page = open_page(PAGES["missed_double_descent"], {**vars(), "recompute": True, "seeds": [0]})` and draw
#    `figures.rewinding_and_fine_tuning(page.tables)`. LeNet's learning rate never falls, so fine-tuning becomes
#    {term}`learning-rate rewinding`. Does its peak move towards that of weight rewinding?
#
# :::{dropdown} Answer
# Expect it to come nearer in height: a longer training memorizes more at every size. What is left between the two is what rewinding itself does.
# :::

# %% tags=["remove-output"]
page.explore()

# %% mystnb={"code_prompt_show": "How one of the figures is made"} tags=["hide-cell"]
show_source(figures.error_at_few_levels)
