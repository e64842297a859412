# %% [markdown]
# (tr-leaving-out-examples)=
# # Leaving out examples
#
# The pages before this one ask what pruning does to the loss of the training examples. This one asks whether that is how it improves the
# network: take the examples that pruning treats specially, leave them out (or put them in), and train a *dense* network on the rest. It re-runs
# appendices D, E and K.2 of {cite:t}`jin2022pruning`.
#
# **What the paper claims**
#
# * Without wrong labels, the examples that pruning improves most are worth more than others: leaving out a fifth of all examples, the most improved, hurts
#   more than leaving out a random fifth (TR-C24). With a tenth nothing is to be seen (TR-C25).
# * With wrong labels, a dense network that is trained only on what the sparse network classifies correctly is as good as the sparse network or
#   better (TR-C26), and its error follows that of the sparse network from level to level (TR-C27).
# * Adding the hundredth of the examples that pruning worsens most to a subsample hurts more than adding random ones (TR-C36). This is
#   claimed for ResNet-20 and VGG-16, the networks that prune best where they fit their training set worse.
#
# ## The method
#
# Let $\ell_0(x)$ be the loss of training example $x$ in the dense network and $\ell_k(x)$ that in the sparse network of {term}`level` $k$, pruned
# by {term}`learning-rate rewinding`. With $N$ examples and a share $K$, the most improved ones are
#
# $$
# I_k = \text{the } \lceil K N \rceil \text{ examples with the largest } \ell_0(x) - \ell_k(x),
# $$ (eq-most-improved)
#
# and the most worsened ones those with the largest $\ell_k(x) - \ell_0(x)$. For each level $k$ a new dense network is trained, with all of its weights, on
#
# | chain | training examples | steps |
# |---|---|---|
# | without improved examples (TIE in the paper) | all but $I_k$; $K = 20 \%$, or 10 % | fewer: an epoch is one pass |
# | without random examples (RND) | all but as many at random, drawn anew for each level | the same |
# | correct examples only (dense-subset) | those that the sparse network classifies as they are labelled | as many as on all examples |
# | with worsened examples (TW) | a random 39 % of all, and the 1 % most worsened | fewer |
# | with random examples (Rand) | the same 39 %, and a random 1 % | the same |
#
# What is compared with each other starts from the same weights and draws its random choices from the same numbers. Correct examples are
# a different number at each level and in each replicate. There the network passes over them again and again, each time in a new order, until it has taken as many
# gradient steps as on all examples; the learning rate follows the steps.
#
# In the figures such a network stands at the weights remaining in the *sparse* network that chose its examples. It has itself lost none.
#
# ## Parameters
#
# All that you need to touch. Every point of a chart is a network of its own, so `paper` is long: see {ref}`What it costs <what-it-costs>`.

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
# Where a table of these parameters exists, it is drawn at once; with `recompute = True`, what is missing is trained first. The sparse networks that
# choose are those of {ref}`the page on section 4 <tr-additional-regularization>` and are not trained again where it has run.

# %% tags=["hide-output"]
from IPython.display import Markdown

from lib.charts import enable
from lib.widgets.explorer import explore_noise
from lib.widgets.page import open_page
from papers.training_regularization import figures
from papers.training_regularization.experiments import PAGES, WORSENED

enable()
page = open_page(PAGES["leaving_out_examples"], benchmark, scale, recompute, store, device, deterministic)

# %% [markdown]
# What was measured, and where:

# %%
page.note

# %% [markdown]
# ## Without the examples that pruning improves
#
# {numref}`fig-tr-improved` begins without noise, as in the paper; the menus have the other noise levels and the smaller share. Where the two lines part, it
# matters *which* examples are left out. Where a stretch is shaded, the sparse network beats the dense one by more than
# replicates differ; without one, the claim has little to speak of.

# %% mystnb={"figure": {"caption": "Test error of dense networks trained without the most improved examples, or without random ones, against weights remaining in the network that chose, as in Fig. 9 of the paper.", "name": "fig-tr-improved"}} tags=["hide-input"]
figures.error_without_examples(page.tables)

# %% [markdown]
# ## Only the examples that the sparse network gets right
#
# In {numref}`fig-tr-correct` both lines belong together level by level: the sparse network sorts the examples, a dense one learns what is left. At level
# 0 it is the dense network itself that sorts. With wrong labels, watch what happens to the dense line where the sparse network no longer fits the noisy examples.

# %% mystnb={"figure": {"caption": "Test error of dense networks trained on what the sparse network of each level classifies correctly, and of that sparse network, as in Fig. 10 of the paper.", "name": "fig-tr-correct"}} tags=["hide-input"]
figures.error_on_correct_examples(page.tables)

# %% [markdown]
# ## With the examples that pruning worsens
#
# The paper asks this of ResNet-20 and VGG-16 on CIFAR-10 only, and so does this page.

# %% mystnb={"figure": {"caption": "Difference in test error between dense networks trained on 40 % of the examples, 1 % being the most worsened ones or random ones, as in Fig. 17 of the paper.", "name": "fig-tr-worsened"}} tags=["hide-input"]
if benchmark in WORSENED:
    shown = figures.difference_with_worsened_examples(page.tables)
else:
    shown = Markdown(f"Not run on {benchmark}: this part of the paper is about {' and '.join(WORSENED)}.")
shown

# %% [markdown]
# ## Measured beside printed
#
# Table 8 of the paper has the error at each chain's own optimum and at level 0, as mean ± one standard deviation over replicates. Nothing is adjusted: at
# `laptop` scale they need not agree, because fewer images are trained on. A dash stands where nothing is printed, or nothing measured.

# %% mystnb={"figure": {"caption": "Printed and measured test errors of pruning and of dense training on correctly classified examples, Table 8 of the paper.", "name": "fig-tr-table-8"}} tags=["hide-input"]
figures.printed_beside_measured(benchmark, page.tables, 8)

# %% tags=["hide-input"]
figures.printed_table(benchmark, page.tables, 8)

# %% [markdown]
# ## The verdicts
#
# Each claim is a test over the table, decided for this benchmark as far as it goes. *Undecided* means that the table lacks what the
# test needs, *not run* that the claim speaks of other networks or of what was not measured.

# %% tags=["hide-input"]
page.verdicts()

# %% [markdown]
# ## What differs from the paper, and why
#
# * The paper says for correct examples only that the number of gradient steps is kept. The others train for the usual number of epochs here, and so take
#   a fifth (or a tenth, or three fifths) fewer steps. What is compared always takes the same number.
# * Its base algorithm trains a dense network in two parts, with a fresh optimizer at epoch $t$; so do these networks, unless $t = 0$.
# * Losses are measured in evaluation mode, without augmentation and with the labels trained on, once, at the end of each level, and kept with
#   eleven bits: losses that differ by less than a thousandth may change places in the ranking, ties go by position.
# * Table 8 prints another optimum of learning-rate rewinding than Table 6 for some networks (12.63 against 13.0 % for ResNet-20 at 15 %). Here it stands
#   beside the same measurement in both.
# * Correct examples only is printed with noise only (13 cases). Here it is measured without noise too, where nothing stands beside it.
# * "Improving" levels are those whose mean test error is below the dense network's, as in the paper's shading. This looks at the test set, to
#   say where a comparison is made, never to choose a network. The shading of {numref}`fig-tr-improved` asks more: paired differences of at least one
#   standard deviation.
# * TR-C24 and TR-C25 are averaged over the improving levels replicate by replicate. "Negligible" is taken as less than one standard deviation.
# * What `laptop` scale leaves out, and the rest of the recipe, is as on {ref}`the page on section 4 <tr-additional-regularization>`. Its few levels may include no
#   improving one; then these claims stay undecided.
#
# ## Try it
#
# In JupyterLab (`make lab`) the explorer below shows the training examples that a network misfits. Choose *correct examples only*, a dense
# network. At 15 % noise and the sparsest level, how many of them are mislabelled, and how many are just odd? In the published book it has no kernel to ask.

# %% tags=["remove-output"]
explore_noise(page)

# %% [markdown]
# **Change this and predict**
#
# 1. A sparse network leaves out what it cannot fit; a *small dense* one does so too. In `lib/stages/algorithms.py` let the judges of `_on_subset` be narrower
#    networks instead of sparse ones. At which width do you expect the lowest error of the dense network that learns from its choice?
# 2. In {numref}`fig-tr-improved` choose 15 % noise. The most improved examples are now to a good part mislabelled ones, which light pruning learns
#    better by heart. Should leaving them out still hurt?
