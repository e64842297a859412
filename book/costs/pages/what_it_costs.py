# %% [markdown]
# (what-it-costs)=
# # What it costs
#
# A network with one weight in a hundred should train a hundred times faster. Does it? And why can a laptop repeat experiments that took
# their authors days?

# %% tags=["parameters"]
scale: str = "laptop"

# %% tags=["hide-input"]
import time

import torch

from book.costs import figures, observations
from book.prune_it_yourself.cut import cut
from book.prune_it_yourself.network import read
from lib.charts import enable
from lib.models import build
from lib.training.connected_units import find_connected_units

enable()

# %% [markdown]
# ## The idea
#
# Training multiplies matrices. How long that takes depends on three things: how fast the loop around it feeds them, how many numbers are
# multiplied, and how many bits each has. This page measures the three one by one.
#
# Every comparison was made side by side in one run. On another machine the ratios are a better guide than the seconds.
#
# ## The loop
#
# The **conventional loop** is the one of most research scripts: each image is a PIL picture, transformed by itself, and two worker
# processes hand batches to the network. In this book's loop all images lie on the device as one tensor and are transformed a batch at a
# time, and {term}`replicates <replicate>` can train together as a stack. Times are per replicate: 12 replicates whose epoch takes 6 s as
# a stack cost 0.5 s each.
#
# No loop can be faster than its arithmetic. This **floor** is
#
# $$ t_\mathrm{floor} = \max\left( \frac{\text{operations}}{\text{rate}},\; \frac{\text{bytes}}{\text{bandwidth}} \right) , $$
#
# where operations are the multiplications and additions of all matrix products and convolutions, and bytes are what the optimizer reads
# and writes. Rate and bandwidth are measured on the same machine, the rate with one large matrix product.

# %% mystnb={"figure": {"caption": "Training speed as a multiple of the conventional loop, and the floor of the machine.", "name": "fig-costs-epochs"}} tags=["hide-input"]
figures.part("epochs", figures.speed)

# %% tags=["remove-input"]
figures.seen("epochs", observations.speed)

# %% [markdown]
# LeNet gains most because its arithmetic is small: the conventional loop spends its time on pictures and on Python. ResNet-20 has
# far more to multiply for each image, so there is less to save around it.
#
# ## Sparsity
#
# A {term}`mask` holds pruned weights at zero, and a zero is multiplied like any other number. So a mask saves no time by itself. Two
# things do: leaving out whole rows and columns, and multiplying only the weights that remain.
#
# ### Whole rows and columns
#
# A *unit*, a pixel, a neuron or a {term}`filter`, is **connected** if unpruned weights lead from it to the output. All others can be left
# out. Here is the network of {ref}`Prune it yourself <prune-it-yourself>`, cut to 1 % of its weights. Which pixels and which neurons still
# matter?

# %%
weights = read()
names = ("hidden.0.weight", "hidden.1.weight")  # 300 × 784 and 100 × 300
first, second = cut({name: weights[name] for name in names}, 0.01).values()  # mostly zeros now

neurons = second.any(dim=0)  # something reads them
pixels = first[neurons].any(dim=0)  # something reads them that is itself read
small_first, small_second = first[neurons][:, pixels], second[:, neurons]


def seconds(images, first, second, bias, repeats=10):
    """Return the answers of both layers, and the best time of some tries."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answers = (images @ first.T + bias).relu() @ second.T
        times.append(time.perf_counter() - start)
    return answers, min(times)


images, bias = torch.rand(2000, 784), weights["hidden.0.bias"]
whole, with_zeros = seconds(images, first, second, bias)
same, left_out = seconds(images[:, pixels], small_first, small_second, bias[neurons])
_, dense = seconds(images, weights[names[0]], weights[names[1]], bias)
print(f"{pixels.sum()} of 784 pixels and {neurons.sum()} of 300 neurons are connected")
print("same answers:", torch.allclose(whole, same, atol=1e-4))
for name, time_taken in {"all weights": dense, "zeros": with_zeros, "units left out": left_out}.items():
    print(f"{name}: {1000 * time_taken:.1f} ms")

# %% [markdown]
# One weight in a hundred is left, and the zeros cost as much as the weights did. Magnitude spreads what it keeps over many units, so
# much more than one product in a hundred remains. The library finds the same units, and rounds their number up to a multiple of 8, since
# matrix products are slower on odd sizes:

# %%
network = build("lenet-300-100")
masks = {name: (w != 0)[None] for name, w in zip(network.prunable, (first, second), strict=True)}
units = find_connected_units(network.units, {name: w[None] for name, w in weights.items()}, masks)
assert units.pixels is not None  # not all are connected
needed, kept = set(pixels.nonzero()[:, 0].tolist()), set(units.pixels.tolist())
print(f"all that are needed are kept: {needed <= kept}; {len(kept)} pixels")

# %% [markdown]
# ### Only what remains
#
# A layer in *compressed rows* keeps, neuron by neuron, the weights that remain and the inputs that they belong to. A product then costs one
# multiplication for each weight and image. Here is that product in plain PyTorch, with the same answers:

# %%
rows, columns = first.nonzero(as_tuple=True)  # ascending rows: the neuron and the pixel of each weight that remains
values = first[rows, columns]
by_pixel = images.T.contiguous()  # a row of all images for each pixel, so that each weight meets a whole row at once

compressed = torch.zeros(len(first), len(images)).index_add_(0, rows, values[:, None] * by_pixel[columns])
print(
    f"{len(values)} of {first.numel()} products, same answers:",
    torch.allclose(compressed.T, images @ first.T, atol=1e-4),
)

# %% [markdown]
# Plain PyTorch writes every one of these products to memory before it adds them up. Training adds them up where they are made, in loops
# that are compiled for the processor. The gradient needs two more products, and they run over the same weights:

# %% tags=["hide-input"]
from lib.training import sparse_kernels
from lib.widgets.page import show_source

show_source(sparse_kernels.rows_times.py_func, sparse_kernels.rows_meet.py_func)

# %%
from lib.training.sparse_products import SparseProduct, Structure

structure, no_bias = Structure((first != 0)[None]), torch.zeros(1, len(first))
times = []
for _ in range(10):
    start = time.perf_counter()
    sparse = SparseProduct.apply(values, no_bias, by_pixel.T, structure)
    times.append(time.perf_counter() - start)
_, one_layer = seconds(images, first, second[:0], torch.zeros(len(first)))
print(f"all weights of the first layer: {1000 * one_layer:.1f} ms, only what remains: {1000 * min(times):.1f} ms")

# %% [markdown]
# ### In training
#
# This book leaves unconnected units out while a {term}`stage` trains and puts them back afterwards. That is exact, up to rounding: they
# change neither the output nor a gradient, and what weight decay would have done to them is made up for. A neuron that has lost only its
# inputs stays, because its bias still reaches the output. A {term}`filter` of which nothing remains, not even its bias, is left out as
# well. Where less than a quarter of a linear layer's weights remain, a CPU multiplies only those, and the optimizer is handed only those.

# %% mystnb={"figure": {"caption": "Time of training with masks alone, with unconnected units left out, and with products of what remains.", "name": "fig-costs-paths"}} tags=["hide-input"]
figures.part("paths", figures.sparsity)

# %% tags=["remove-input"]
figures.seen("paths", observations.sparsity)

# %% [markdown]
# The networks measured here keep more units than the one above: LeNet's twelve train as a stack, in which each keeps as many units as the
# one that needs most, and before each cut they had only a few epochs to move their weights.
#
# ### In convolutions?
#
# A convolution is a linear layer too: every pixel of its output is an example, and the patch of pixels around it is the input. So the same
# products can run over unfolded patches. We compare one layer, forward pass and both gradients, unfolding included, with the dense
# convolution. Above 1 the products of what remains are faster.

# %% mystnb={"figure": {"caption": "Products of what remains against dense convolutions, batches of 128.", "name": "fig-costs-convolutions"}} tags=["hide-input"]
figures.part("convolutions", figures.convolutions)

# %% tags=["remove-input"]
figures.seen("convolutions", observations.convolutions)

# %% [markdown]
# A kernel of 3 × 3 copies every pixel nine times before it multiplies anything. With few channels this copying costs more than the dense
# convolution does, whatever remains. Kernels of 1 × 1 copy nothing, and hundreds of channels have enough to multiply: there it would pay.
# The networks that this book trains on CPUs have few channels, so training leaves single pruned weights of convolutions in their dense
# products; only whole filters save time there.
#
# ## Precision
#
# float32 is the reference. In bfloat16 the factors of a matrix product are rounded to 8 significant bits; TF32, on GPUs, rounds them to
# 11. Both are faster where the hardware has them. Do they change a result? We train the same {term}`seeds <seed>` in each precision and
# take the difference per seed. Two runs that differ in the last bit drift apart like two seeds, so a precision counts as neutral as long
# as the mean difference is smaller than the spread of the differences.
#
# Products of the weights that remain are float32 always. Where they do most of the work of a stage, it is float32 as a whole, whatever
# was asked for, and its record says so; a tenth of LeNet's weights on a CPU is such a case.

# %% mystnb={"figure": {"caption": "Test error minus that in float32, paired by seed, ± 1 standard deviation.", "name": "fig-costs-precision"}} tags=["hide-input"]
figures.part("precision", figures.precision)

# %% tags=["remove-input"]
figures.seen("precision", observations.precision)

# %% [markdown]
# ## The pages of this book
#
# These times are estimates for an empty store: the epochs of a page, all seeds and levels, times the time of an epoch, which a few training
# steps tell. A {term}`stage` that several pages share counts in each of them; a batch trains it once. The [list of runs](../../runs.md) has
# the time that the book's tables took. A page whose table is there takes seconds, since it only reads.

# %% tags=["remove-input"]
figures.total(scale)

# %% tags=["remove-input"]
figures.seen("pages", observations.pages)

# %% tags=["hide-cell"]
figures.part("pages", figures.pages)

# %% tags=["remove-input"]
figures.seen("batch", observations.batch)

# %% [markdown]
# ## What it means
#
# Speed here comes from the loop, from precision, and in linear layers on CPUs from sparsity. Elsewhere sparsity, as these papers make it,
# is about generalization and storage: single weights go, and a processor that multiplies whole matrices has no use for that. To save
# time there, remove whole neurons or filters ({term}`structured pruning`), or use hardware that skips zeros.
#
# ## What we learned

# %% tags=["remove-input"]
figures.learned()

# %% [markdown]
# ## Does a run repeat itself?
#
# On a CPU it does, to the bit, with the same versions and number of threads, and this costs nothing. On CUDA some operations add numbers
# in an order that varies, and the fastest convolution is found by trying. `deterministic = True`, a parameter of the pages, and
# `--deterministic` of `python -m lib.analysis.measure` choose operations that repeat to the bit; one that has no such form is refused
# with an error. A table records how it was made.
#
# ## The numbers, and how they were measured
#
# `python -m book.costs --write` measures them anew and keeps small tables, from which this page is drawn.

# %% [markdown]
# **An epoch**

# %% tags=["hide-cell"]
figures.numbers("epochs")

# %% [markdown]
# **Sparsity**

# %% tags=["hide-cell"]
figures.numbers("paths")

# %% [markdown]
# **Convolutions**

# %% tags=["hide-cell"]
figures.numbers("convolutions")

# %% [markdown]
# **Precision**

# %% tags=["hide-cell"]
figures.numbers("precision")

# %% [markdown]
# **Other work: scoring, memory, a page that only reads**

# %% tags=["hide-cell"]
figures.numbers("other")

# %% [markdown]
# **A batch and its store**

# %% tags=["hide-cell"]
figures.numbers("batch")

# %% [markdown]
# **Machines, versions, commands**

# %% tags=["hide-cell"]
figures.sources("epochs", "paths", "convolutions", "precision", "other", "batch", "pages")

# %% [markdown]
# ## Try it
#
# 1. *(1 minute)* In the cell by hand, keep the 20 strongest neurons of the first layer whole instead. How fast is it now, with how many
#    weights?
#
#    :::{dropdown} Answer
#    `strong = weights[names[0]].norm(dim=1).topk(20).indices`, and then `seconds(images, weights[names[0]][strong],
#    weights[names[1]][:, strong], bias[strong])`. 17,680 weights remain, nearly seven times as many as at 1 %, and it takes less time:
#    whole rows are gone.
#    :::
#
# 2. *(10 minutes)* Measure your own machine: `python -m book.costs epochs --quick` in a terminal. Is your conventional loop as far behind?
#
#    :::{dropdown} What to expect
#    The more cores, the better the conventional loop, since its workers run beside the network; the faster the device, the worse, since it
#    waits for them.
#    :::
