# %% [markdown]
# (ln-opening)=
# # Can pruning protect against wrong labels?
#
# Real data sets contain mistakes. A large network learns them by heart: it drives its training error to zero, wrong labels
# included, and pays for that on new images. {cite:t}`anonymous2022noise` ask whether {term}`pruning` can prevent it.
#
# **The thesis in plain words.** Removing *some* of the weights makes things worse. The network still fits every wrong label,
# with less to spare. Removing *nearly all* of them makes things better: what is left can no longer hold single exceptions and
# falls back on what most labels have in common, which is the truth. The {term}`test error` goes up before it comes down, the
# paper's {term}`double descent`. It then asks why. Its answer is not that sparse networks sit in flat valleys of the loss, but
# that a {term}`mask` keeps them near the weights from which they started.
#
# ## The chart that carries it
#
# LeNet-300-100, a network of two hidden layers, is trained on MNIST's digits, of which a share was given a random
# label. It is then pruned again and again. Read {numref}`fig-ln-opening` from left, where nothing is pruned, to right, where one
# weight in several hundred is left. Test labels are always the true ones.

# %% tags=["parameters"]
benchmark: str = "mnist-lenet"
scale: str = "laptop"
recompute: bool = False
store: str = ""

# %% tags=["remove-input"]
from lib.analysis.inventory import map_table
from lib.charts import table
from lib.widgets.page import open_page
from papers.label_noise import figures, observations, outcomes, tables
from papers.label_noise.experiments import PAGES

page = open_page(PAGES["opening"], vars())
page.note

# %% mystnb={"figure": {"caption": "Test error after the last epoch against weights remaining, for each share of wrong labels. Pruned by magnitude, with weight rewinding.", "name": "fig-ln-opening"}} tags=["remove-input"]
figures.test_error_by_noise(page.tables)

# %% tags=["remove-input"]
observations.test_error_by_noise(page.tables)

# %% [markdown]
# ## What became of its claims

# %% tags=["remove-input"]
outcomes.count()

# %% [markdown]
# {ref}`What held under label noise <ln-closing>` has them one by one.
#
# ## How to read on
#
# * {ref}`Double descent while pruning <ln-double-descent>`: the curve above, with three ways to choose the weights that go, and
#   {ref}`why others missed it <ln-missed-double-descent>`.
# * {ref}`Memorization over the epochs <ln-dynamics>`: which labels a network gives up, and when.
# * Then the question why, in three steps: {ref}`what happens when the weights come back <ln-redense-training>`,
#   {ref}`the loss between and around networks <ln-loss-landscape>`, and
#   {ref}`the distance from initialization <ln-distance>`.
#
# ## From the paper to the book
#
# Every figure and table of the paper, where it stands here, and at which scales it is measured. Several figures of the paper are
# one chart here, with a menu for the noise. A {term}`scale` says how much of the paper's training was done; `paper` is all of it.

# %% tags=["remove-input"]
map_table("label_noise")

# %% [markdown]
# ## The hyper-parameters
#
# The paper's Table A1 beside what this book trains. `laptop` and `short` see fewer images or epochs and take several of the
# paper's cuts at once; everything else is the paper's. CIFAR-100 has the printed values of CIFAR-10.

# %% tags=["remove-input"]
table(tables.hyperparameters_table(), "hyperparameters")
