# %% [markdown]
# (tr-all-numbers)=
# # All numbers
#
# Every number of the paper's last tables, beside every number that this book has measured for it: appendix M of
# {cite:t}`jin2022pruning` has the test errors behind its figures (Tables 5 to 10) and the training losses of noisy and original examples (Table 11). Search
# them here, and take all of them with you.
#
# Claims are tested on the pages whose tables are read here; {ref}`tr-closing` sorts them. This page asks something simpler: how near do two measurements of the same thing come?
#
# ## The idea
#
# A printed number is the mean of three runs with one standard deviation. The measured one beside it is the mean over replicates with the
# sample standard deviation
#
# $$
# \begin{aligned}
# \bar{x} &= \frac{1}{n} \sum_{i=1}^{n} x_i, \\
# s &= \sqrt{\frac{1}{n-1} \sum_{i=1}^{n} (x_i - \bar{x})^2},
# \end{aligned}
# $$ (eq-mean-and-deviation)
#
# at the level that the rule of the printed table asks for: an *optimal* network is the one of its chain with the lowest validation error. The
# difference is measured minus printed. Neither side is ever adjusted to the other.
#
# ## Parameters
#
# Nothing is trained: run the other pages to measure more. Tables of every scale but `smoke` are always read; `smoke` ones, which only show that the code runs, when
# you ask for that scale.

# %% tags=["parameters"]
scale: str = "laptop"

# %% [markdown]
# ## The run

# %% tags=["hide-output"]
from IPython.display import HTML, Markdown

from lib.charts import enable, table, wide_table
from lib.charts.tables import download_link
from papers.training_regularization.printed_tables import (
    beside,
    counts,
    csv_text,
    printed_numbers,
    sources,
    text_cells,
)

enable()
tables, note = sources(scale)
numbers = beside(tables, printed_numbers(5, 6, 7, 8, 9, 10, 11))

# %% mystnb={"code_prompt_show": "What was read, and what was left out"} tags=["hide-cell"]
Markdown(note)

# %% [markdown]
# How many numbers each table of the paper prints, and how many of them are measured:

# %% tags=["hide-input"]
table(counts(numbers), "counts")

# %% [markdown]
# ## Measured beside printed
#
# One row per printed number and measured table. The menus choose a table of the paper, a benchmark, a noise level and a scale; the search
# field takes any words. *Not measured* means that no table has it yet. Errors are in percent, losses in nats, both as mean ± one
# standard deviation.

# %% tags=["hide-input"]
words = dict.fromkeys(["benchmark", "scale"], "short") | dict.fromkeys(["network", "source"], "words")
right = dict.fromkeys(["table", "noise (%)", "printed", "measured", "difference", "replicates"], "number")


def shown(frame, **settings):
    cells = text_cells(frame)
    return wide_table(list(cells), cells.to_numpy(), classes=words | right, **settings)


file = download_link(csv_text(numbers), "training_regularization_all_numbers.csv", "Save all numbers as CSV")
HTML(file + shown(numbers, menus=["table", "benchmark", "noise (%)", "scale"]))

# %% [markdown]
# The file has a line per row, whatever the menus show, with six digits. It is inside this page, so the link works without a network.
#
# | column | what it holds |
# |---|---|
# | `paper`, `table` | TR, and the number of its table |
# | `benchmark`, `noise_percent` | what was trained, and the share of wrong training labels |
# | `algorithm`, `level` | how it was trained; `optimum` is the level with the lowest validation error, `dense` the network before any cut, or, for correct examples only, the one that a dense network chose for |
# | `quantity` | test error or training loss, with its unit |
# | `printed_mean`, `printed_std` | as the paper prints them; empty where it does not |
# | `measured_mean`, `measured_std`, `replicates` | over replicates that did not diverge; empty and 0 where nothing was measured |
# | `scale`, `source` | of the measurement: `laptop`, `short` or `paper`, and the table that it is in |
#
# ## What it means
#
# How near is near? Where a difference is larger than both standard deviations together, the two are not the same measurement. At small scales that is the rule, since networks see
# fewer images there; at `paper` scale it would need an explanation.
#
# :::{dropdown} What differs from the paper, and why
# * The paper's tables disagree with each other in places. Learning-rate rewinding at its optimum is printed in Tables 5, 6, 7, 8, 9 and 10:
#   Tables 5, 7 and 10 agree, Table 8 has other values for most cases, Table 9 one for VGG-16 at 60 % noise. So a measured number can
#   stand beside several printed ones. All of them are listed.
# * Table 6 prints one digit after the point, the others two.
# * The paper does not say which standard deviation it prints; the measured one has $n - 1$.
# * Table 11's losses are measured without augmentation here. LeNet has none; for the other networks, the paper's may be measured while augmenting.
# :::
#
# ## Try it
#
# In JupyterLab, `numbers` is a data frame. The largest differences at a scale, in the units of the table, are:

# %%
gaps = numbers.assign(difference=numbers["measured_mean"] - numbers["printed_mean"])
gaps = gaps.loc[gaps["scale"] == scale].sort_values("difference", ascending=False)
HTML(shown(gaps.head(5)) if len(gaps) else f"Nothing was measured at {scale} scale.")

# %% [markdown]
# **1. One second.** Keep the rows with `gaps["quantity"] == "test error (%)"`, set `ascending=True` and show twenty. Which networks do *better* here than in print?
#
# :::{dropdown} Answer
# Networks with 10 and 15 % wrong labels: dense ones, and chains that end at or near the dense network. Without noise, fewer images make every error larger. With noise, fewer images bring fewer wrong labels along; which
# of the two weighs more, the table alone cannot say.
# :::
#
# **2. One minute.** Filter the table by noise 0. Where the paper prints the same network in two tables, do the two differ by less than their standard deviations?
#
# :::{dropdown} Answer
# Yes, without noise they agree. With noise Table 8 differs from Table 6 in 5 of 12 cases and from Table 5 in most, and the paper does not say why.
# :::
