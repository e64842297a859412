# %% [markdown]
# (gs-opening)=
# # Generalization and stability: the story
#
# Remove {term}`filters <filter>` from a network while it trains, and its accuracy drops. One would think that the smaller the drop, the better: whoever removes only what does not matter loses nothing.
# {cite:t}`bartoldson2020stability` found the opposite. Among networks that were pruned as much, those that suffered *larger* drops ended with *higher* accuracy.
#
# **The thesis in plain words.** A drop is a disturbance, and a network that has to recover from disturbances cannot rely on any single filter. That is what noise does, which is known to help
# {term}`generalization`. So pruning helps not because a smaller network generalizes better, but because *being pruned* is a kind of noise. The paper measures it by {term}`stability`: the share of its
# accuracy that a network keeps at an event, 100 % if nothing happens. Between stability and generalization there is a trade-off. If the thesis holds, three things should follow: noise without any
# pruning should do the same, the networks should end in flatter minima, and more of it should not always be better.
#
# ## The chart that carries it
#
# A dot of {numref}`fig-gs-opening` is one training. How far to the left it stands says how much its events took from it; how high, how good it was in the end. The colours are kinds of pruning that all remove
# as many filters: small ones often, small ones seldom, large ones seldom.

# %% tags=["parameters"]
benchmark: str = "cifar10-vgg11"
scale: str = "laptop"
recompute: bool = False
store: str = ""

# %% tags=["remove-input"]
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import map_table, outcomes, tally
from lib.charts import table
from lib.widgets.page import open_page
from papers.generalization_stability import figures, observations, tables
from papers.generalization_stability.experiments import PAGES

page = open_page(PAGES["opening"], vars())
page.note

# %% mystnb={"figure": {"caption": "Test accuracy in the end against mean stability of the pruning on the way, a dot for each run.", "name": "fig-gs-opening"}} tags=["remove-input"]
figures.accuracy_against_stability(page.tables)

# %% tags=["remove-input"]
observations.accuracy_against_stability(page.tables)

# %% [markdown]
# A line through a few clusters is easily drawn. The pages that follow ask the same within each kind of pruning, on images that chose nothing, and for rates, networks and data sets besides.
#
# :::{admonition} Half of this paper
# :class: note
#
# Only the paper's *appendix* was available to this book, not its main text. Figures 2 to 6 are therefore rebuilt from the appendix, which describes their set-up, and from the code that the authors released.
# Two things follow. Where the book says what the main text claims, it has it from the appendix, which repeats the claims. And most numbers of these figures cannot be set beside ours; where the appendix
# prints one, it is.
# :::
#
# ## What became of its claims

# %% tags=["remove-input"]
Markdown(tally(outcomes("generalization_stability", committed_tables("generalization_stability"))))

# %% [markdown]
# ## The way through
#
# | page | its question |
# |---|---|
# | {ref}`gs-less-stable-better` | Do the networks that suffered larger drops end better? |
# | {ref}`gs-normalization-scores` | Is it clearer with scores that know what normalization does? |
# | {ref}`gs-rate-and-target` | Which filters, or how many at a time? And is there too much? |
# | {ref}`gs-how-much` | What if more goes, and what does a shortcut do? |
# | {ref}`gs-traditional` | Does it still help where training regularizes already? |
# | {ref}`gs-is-it-noise` | Does noise in place of pruning do the same? |
# | {ref}`gs-flat-minima` | Do less stable networks end in flatter minima? |
# | {ref}`gs-another-data-set` | And on CIFAR-100? |
# | {ref}`gs-closing` | What held, what did not, what we cannot tell |
#
# ## A map of the paper
#
# Every figure and table of the paper, where it stands here, and at which scales it is measured. A {term}`scale` says how much of the paper's training was done; `paper` is all of it. `laptop` is so small that it
# shows the drops and cannot show the trade-off; `short` has the paper's network, and few images.

# %% tags=["remove-input"]
map_table("generalization_stability")

# %% [markdown]
# ## The hyper-parameters
#
# What the appendix and the released code have, beside what this book trains. A dash: not used, or not printed.

# %% tags=["remove-input"]
table(tables.hyperparameters_table(), "hyperparameters")
