# %% [markdown]
# (lip-opening)=
# # Lost in pruning: the story
#
# Take 85 % of the weights of a ResNet-20 away, train what is left, and it errs on CIFAR-10 as often as before. Then what were all those weights for? {cite:t}`liebenwein2021lost` look where test accuracy
# does not. Add noise, blur or fog to the test images, and a pruned network that was as good as its {term}`parent`, the network before
# pruning, no longer is.
#
# **The thesis in plain words.** Test accuracy says how a network answers on one kind of images, the kind that it was trained on. Two networks that agree there may part elsewhere, and pruned ones part from their
# parents in one direction: they lose more. What seemed to be spare capacity was spare only for the test set. The paper measures how much can really go with one number. Prune as far as the error on some data rises by no
# more than half a point: the share that is gone then is the {term}`prune potential` *on these data*. Between clean and corrupted images it may fall from 85 % to nothing.
#
# ## The chart that carries it
#
# In {numref}`fig-lip-opening` a row is one set of test images, all but CIFAR-10.1 made of the same photographs. The dot says how much of the network can go on that set. Were pruning safe, all dots would lie where the first one does.

# %% tags=["parameters"]
benchmark: str = "cifar10-resnet20"
scale: str = "laptop"
recompute: bool = False
store: str = ""

# %% tags=["remove-input"]
from typing import Any

import pandas
from IPython.display import Markdown

from lib.analysis.experiments import committed_tables
from lib.analysis.inventory import map_table, outcomes, tally
from lib.charts import table
from lib.widgets.page import open_page
from papers.lost_in_pruning import figures, menu, observations, tables
from papers.lost_in_pruning.experiments import PAGES
from papers.lost_in_pruning.names import MODELS

page = open_page(PAGES["opening"], vars())
page.note

# %% mystnb={"figure": {"caption": "Prune potential on clean test images, under each of 19 corruptions, and on new test images where they were at hand.", "name": "fig-lip-opening"}} tags=["remove-input"]
figures.potential_by_images(page.tables)

# %% tags=["remove-input"]
observations.potential_by_images(page.tables)

# %% [markdown]
# Four ways to prune go through all pages. Two of them remove single weights: **WT**, of small magnitude, and **SiPP**, of small contribution to what a sample of images excites. Two remove structure, which
# saves computation on any machine: **FT**, filters of small norm, and **PFP**, input channels of small contribution. Each cut is followed by the whole training again.

# %% tags=["remove-input"]
table(tables.methods(), "methods")

# %% [markdown]
# ## What became of its claims

# %% tags=["remove-input"]
Markdown(tally(outcomes("lost_in_pruning", committed_tables("lost_in_pruning"))))

# %% [markdown]
# ## The way through
#
# | page | its question |
# |---|---|
# | {ref}`lip-test-set` | What does pruning cost on the test set? |
# | {ref}`lip-informative-pixels` | Which pixels decide, and do they for the other network, too? |
# | {ref}`lip-same-function` | Does a pruned network still answer as its parent does? |
# | {ref}`lip-prune-potential` | How much can be pruned before other images show it? |
# | {ref}`lip-excess-error` | How much more do corrupted images cost a pruned network? |
# | {ref}`lip-robust-training` | Does it help to train on corrupted images? |
# | {ref}`lip-how-far` | How far may I prune *my* model? |
# | {ref}`lip-closing` | What held, what did not, what we cannot tell |
#
# ## A map of the paper
#
# Every figure and table of the paper, where it stands here, and at which scales it is measured. Many of its figures are one figure for another network: here that is one page, whose parameter `benchmark` names the
# network. A {term}`scale` says how much of the paper's training was done. `laptop` takes minutes, and its parents are far from trained to their end: it shows how everything is measured, and decides few claims. `short`
# has all four methods, eight cuts, 5,000 images and half the width; its parents nearly fit their images (5 to 8 % training error), those that train on corrupted images do not (23 to 25 %). `paper` is the exact recipe.

# %% tags=["remove-input"]
map_table("lost_in_pruning")

# %% [markdown]
# ## The networks, and what they cost
#
# What the exact recipes take: networks trained, parents with all their cuts; images that pass through them in training; and multiplications with additions, three passes for a step. Each page says before it runs how long
# that takes on your machine, once one such network was trained on it. One benchmark, or all of them:
#
# ```bash
# python -m lib.analysis.measure lost_in_pruning prune_potential cifar10-vgg16 paper
# python -m lib.analysis.measure lost_in_pruning robust_training cifar10-vgg16-robust paper
# python -m lib.batch --paper lost_in_pruning --scale paper
# ```
#
# ImageNet and Pascal VOC are not fetched for you. Put their files into the data folder ([How to rerun](../../how_to_rerun.md)), and the same commands run them.

# %% tags=["remove-input"]
table(menu.networks(), "networks")

# %% [markdown]
# ## The hyper-parameters
#
# What Tables 3, 5 and 7 print, beside what this book trains. A dash: not used, or not printed.

# %% tags=["remove-input"]
settings: Any = pandas.concat([tables.hyperparameters(one).assign(network=f"{MODELS[one]} ({one})") for one in MODELS])
first = ["network", "setting", "printed"]
table(settings[[*first, *settings.columns.difference(first)]].fillna("no plan"), "hyperparameters")
