# %% [markdown]
# (ln-opening)=
# # Label noise: the story
#
# Can pruning protect against wrong labels? Real data sets have them, and a large network learns them by heart: it drives its
# training error to zero, wrong labels included, and pays for that on new images. {cite:t}`anonymous2022noise` ask whether {term}`pruning`
# can prevent it.
#
# **The thesis in plain words.** Removing *some* of the weights makes things worse. The network still fits every wrong label,
# with less to spare. Removing *nearly all* of them makes things better: what is left can no longer hold single exceptions and
# falls back on what most labels have in common, which is the truth. The {term}`test error` goes up before it comes down, the
# paper's {term}`double descent`. The paper then asks why. Its answer is not that sparse networks sit in flat valleys of the loss, but
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
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import map_table, outcomes, tally
from lib.charts import table
from lib.widgets.page import open_page
from papers.label_noise import figures, observations, tables
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
Markdown(tally(outcomes("label_noise", committed_tables("label_noise"))))

# %% [markdown]
# ## The way through
#
# | page | its question |
# |---|---|
# | {ref}`ln-double-descent` | What happens to the test error when weights go? |
# | {ref}`ln-missed-double-descent` | Why do few papers show a climb? |
# | {ref}`ln-dynamics` | What does a sparse network give up: the wrong labels, or the images? |
# | {ref}`ln-redense-training` | Does a sparse network stay where it is because it wants to, or because it must? |
# | {ref}`ln-loss-landscape` | What does the loss look like on the way that it takes, and where it ends? |
# | {ref}`ln-distance` | Is it the nearness to the initial weights that protects? |
# | {ref}`ln-closing` | What held, what did not, what we cannot tell |
#
# ## A map of the paper
#
# Every figure and table of the paper, where it stands here, and at which scales it is measured. Several figures of the paper are
# one chart here, with a menu for the noise. A {term}`scale` says how much of the paper's training was done; `paper` is all of it.

# %% tags=["remove-input"]
map_table("label_noise")

# %% [markdown]
# ## The hyper-parameters
#
# The paper's Table A1 beside what this book trains. `laptop` and `short` see fewer images or epochs and take several of the
# paper's cuts at once. ResNet-18 at `laptop` is also narrower, with 8 filters in its first layer, and sees images without augmentation. A dash: not used, or not in Table A1; noise, cut and seeds stand in the paper's sections 3.1 and 3.2. CIFAR-100 has the printed values of CIFAR-10.

# %% tags=["remove-input"]
table(tables.hyperparameters_table(), "hyperparameters")
