# %% [markdown]
# (what-it-costs)=
# # What it costs
#
# How long does training take, what do sparsity and lower precision save, and what does each page of this book cost? `python -m book.costs`
# measures it, and with `--write` it keeps small tables, from which this page is drawn. Every comparison was made side by side in one
# run, since machines are shared and their speed varies: on another machine the ratios are a better guide than the seconds.

# %% tags=["parameters"]
scale: str = "laptop"

# %% tags=["hide-input"]
from book.costs import figures
from lib.charts import enable

enable()

# %% [markdown]
# ## An epoch
#
# The **conventional loop** is the one of this field's scripts: images as PIL pictures, transformed one at a time, a data loader with two
# worker processes, the same network and optimizer, and the test set once an epoch. In this book's loop the images stay on the device as
# tensors and are transformed a batch at a time, and {term}`replicates <replicate>` can advance together as a stack. Times are per
# replicate: 12 replicates whose epoch takes 6 s as a stack cost 0.5 s each.
#
# The **floor** is a lower bound for the time of an epoch: what the arithmetic alone would take at the best rate of that machine,
#
# $$ t_\mathrm{floor} = \max\left( \frac{\text{operations}}{\text{rate}},\; \frac{\text{bytes}}{\text{bandwidth}} \right). $$
#
# Operations are the multiplications and additions in the matrix products and convolutions of training and evaluation; their rate is that
# of one large matrix product in the same precision. Bytes are what the optimizer must read and write. Rate and bandwidth are measured on
# the same machine. All other work is left out, so a real loop stays above the floor.

# %% mystnb={"figure": {"caption": "Training speed as a multiple of the conventional loop, and the floor of the machine.", "name": "fig-costs-epochs"}} tags=["hide-input"]
figures.part("epochs", figures.speed)

# %% tags=["hide-input"]
figures.numbers("epochs")

# %% tags=["hide-input"]
figures.sources("epochs")

# %% [markdown]
# ## Sparsity
#
# A {term}`mask` holds pruned weights at zero, and that alone saves no time: zeros are multiplied like other numbers. With **masks alone**
# an epoch takes as long at 1 % of the weights as at 100 %.
#
# A *unit* is a pixel of the input, a neuron or a {term}`filter`. It is **connected** if unpruned weights lead from it to the output. The
# other units change neither the output nor any gradient, so this book leaves them out while a {term}`stage` trains, with their rows and
# columns of weights, and puts them back afterwards. This is exact, up to rounding: the remaining weights get the same updates as with
# masks alone, and weight decay of those left out is made up for. A unit that has lost only its inputs stays, because its bias still
# reaches the output. Where less than a quarter of a layer's weights remain, the optimizer is also handed only those. What all this saves
# depends on where pruning leaves its weights.

# %% mystnb={"figure": {"caption": "Time of training with masks alone, and with the unconnected units left out.", "name": "fig-costs-paths"}} tags=["hide-input"]
figures.part("paths", figures.sparsity)

# %% tags=["hide-input"]
figures.numbers("paths")

# %% tags=["hide-input"]
figures.sources("paths")

# %% [markdown]
# ## Precision
#
# float32 is the reference. In bfloat16 matrix products take factors rounded to 8 significant bits; TF32, on GPUs, rounds them to 11. Both
# are faster where the hardware has them. Whether they change a result is tested here by training the same {term}`seeds <seed>` in each
# precision and taking the difference per seed. Two runs that differ in the last bit part as two seeds do, so a precision is neutral as
# far as the mean difference stays within the spread of the differences.

# %% mystnb={"figure": {"caption": "Test error minus that in float32, paired by seed, ± 1 standard deviation.", "name": "fig-costs-precision"}} tags=["hide-input"]
figures.part("precision", figures.precision)

# %% tags=["hide-input"]
figures.numbers("precision")

# %% tags=["hide-input"]
figures.sources("precision")

# %% [markdown]
# ## Other measurements

# %% tags=["hide-input"]
figures.numbers("other")

# %% tags=["hide-input"]
figures.sources("other")

# %% [markdown]
# ## Pages
#
# The times are estimated for the whole plan of a page, all seeds and levels, from its number of epochs and the time of a few training
# steps. A {term}`stage` that several replicates or algorithms share counts once in a page, and again in each page that shares it; a batch
# trains it once. What training the book's tables did take stands in the [list of runs](../../runs.md). A page whose table is there
# renders in seconds, since it only reads.

# %% tags=["hide-input"]
figures.total(scale)

# %% tags=["hide-input"]
figures.part("pages", figures.pages)

# %% tags=["hide-input"]
figures.sources("pages")

# %% [markdown]
# ## Determinism
#
# On a CPU a run repeats itself to the bit, with the same versions and number of threads. This is the default, and costs nothing extra.
#
# On CUDA some operations add numbers in an order that varies from run to run, and the fastest convolution is found by trying.
# `deterministic = True`, a parameter of the pages, and `--deterministic` of `python -m lib.analysis.measure` switch to operations that
# repeat themselves to the bit, and do without the trying; an operation that has no such form is refused with an error. A measured table
# records whether it was made this way. Measured on a GPU, the first table of this page has a row for it.
