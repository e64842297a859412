# %% [markdown]
# (prune-your-own)=
# # Prune your own
#
# Does what this book finds hold for *your* network and *your* images? Here you give an `nn.Module` and a folder of images, or two
# tensors, and get the book's curves for them: the error of the {term}`dense` network, the error while {term}`pruning` by several
# {term}`scores <score>`, at several sizes, with {term}`seeds <seed>` as {term}`replicates <replicate>`, and with {term}`label noise` if
# you ask for it. The page brings a small network and some digits of its own, so that you can first see it work, and then replace both.
#
# ## Parameters

# %% tags=["parameters"]
scale: str = "laptop"
recompute: bool = False
store: str = ""
device: str = "auto"

# %% tags=["hide-input"]
from book.prune_your_own.kept import kept_if_asked
from lib import data
from lib.analysis.prune_your_own import parameters_of, prune_your_own, what_we_see
from lib.analysis.table import SIZE, rows
from lib.charts import enable, lines, table
from lib.pruning import magnitude, select
from lib.stages.algorithms import learning_rate_rewinding
from lib.widgets.page import show_source

enable()

# %% [markdown]
# ## The network
#
# Your module may look like this: a convolution, a batch normalization, another convolution, a linear layer. Nothing in it knows
# about pruning.

# %%
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.output = nn.Linear(16 * 7 * 7, classes)

    def forward(self, images):
        maps = self.norm(self.first(images)).relu()
        return self.output(self.second(maps).relu().flatten(1))


# %% [markdown]
# ### What is pruned
#
# Three rules decide what is {term}`prunable`:
#
# * The **weights of every convolution and every linear layer** are, in any number of dimensions. They are nearly all of most networks.
# * **Biases and batch normalization** are not. They are few, and each of them acts on a whole {term}`filter`; cutting single ones is
#   another question.
# * **Anything else that you define** is not: an embedding, a recurrent layer, an `nn.Parameter` of your own, the joint input weight of
#   `nn.MultiheadAttention`. It is trained, and stays whole.
#
# A layer that you name in `unpruned` stays whole too. The last layer is a usual choice, since in a small network it is quickly cut off.

# %%
table(parameters_of(Small), "parameters")

# %% [markdown]
# By hand, one cut by {term}`magnitude` over all layers together is a threshold: of a new network, half of all these weights stay.

# %%
network = Small(classes=10)
weights = {name: w.detach() for name, w in network.named_parameters() if w.dim() > 1}
threshold = torch.cat([w.abs().flatten() for w in weights.values()]).median()
for name, w in weights.items():
    print(f"{name}: {(w.abs() > threshold).float().mean():.0%} of {w.numel():,} stay")

# %% [markdown]
# The library removes exactly these:

# %%
whole = {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}
masks = select(magnitude(network, [*weights]), whole, fraction=0.5)
all(torch.equal(masks[name], w.abs() > threshold) for name, w in weights.items())

# %% [markdown]
# The layer with the smallest weights pays, here the last one. With `scope="layer"` each layer would lose the same share.
#
# Percentages of {term}`weights remaining` count prunable weights only: here 100 % are 9,064 weights, not all 9,114 parameters of the
# module.
#
# ## The images
#
# Two tensors, or arrays, will do: images as `[N, channels, height, width]`, `[N, height, width, channels]` or `[N, height, width]`, either
# whole numbers from 0 to 255 or fractions from 0 to 1, and a class number for each. Here are 3,000 digits of MNIST to train on, and
# 2,000 to test.

# %%
digits = data.load("mnist" if scale != "smoke" else "generated-digits")  # replace by your own
images, labels = digits.train_images[:3_000], digits.train_labels[:3_000]
test = (digits.test_images[:2_000], digits.test_labels[:2_000])
images.shape, labels.shape, labels[:10]

# %% [markdown]
# A folder will do as well, with a folder of images for each class:
#
# ```
# photos/cat/1.jpg   photos/cat/2.png   …   photos/dog/1.jpg   …
# ```
#
# Then `images="photos"` takes the place of both tensors. Images may have any size; with `side=32` their short side is resized to 32
# pixels and the square in the middle is taken. If there are `photos/train` and `photos/test`, these are used; otherwise a fifth of the
# images is set aside for testing, always the same fifth.
#
# You need not normalize: the book subtracts the mean of your training images and divides by their standard deviation, for each channel. A
# tenth of the training images is held out for validation; it chooses the starred network below.
#
# ## The run
#
# One call trains the network for each seed and prunes it by {term}`learning-rate rewinding`: remove half of the weights that remain,
# train again with the schedule from the first epoch on, and repeat. Other settings are those of the book's recipes, such as
# `optimizer="sgd"`, `momentum=0.9` or `data={"augmentation": "flip-crop"}`. This is the {term}`chain <stage>` that is run, once for each
# score; `algorithm=weight_rewinding` or another function beside it in `lib/stages/algorithms.py` takes its place.

# %%
show_source(learning_rate_rewinding)

# %%
settings = {
    "scores": ["magnitude", "random"],
    "levels": 5,  # each removes half of what remains
    "seeds": [0, 1, 2],
    "noise_percents": [0.0],  # try [0.0, 20.0]
    "epochs": 5,
    "test": test,
    "name": "a small network",
}
if scale == "smoke":  # for tests
    settings |= {"levels": 2, "seeds": [0], "epochs": 2}

# %% [markdown]
# The book keeps the table of exactly this run, and draws it without training. Once you have changed network, images or settings, set
# `recompute = True`: all of this takes about half a minute on two CPU cores, and a bar shows how far it is. Twice the images, epochs,
# seeds or levels take twice as long. What is finished is kept: if you add a score, only that is trained.

# %%
if recompute:
    results = prune_your_own(Small, images, labels, **settings, store=store, device=device)
else:
    results = kept_if_asked(Small, images, labels, **settings)

# %% [markdown]
# ## The curves

# %% mystnb={"figure": {"caption": "Test error of the page's small network while it is pruned by two scores; the star has the lowest validation error.", "name": "fig-prune-your-own"}} tags=["hide-input"]
lines(
    rows(results, "test error (%)"),
    x=SIZE,
    colour="algorithm",
    menus=["noise_percent"],
    reference="dense, shared",
    mark="optimum",
    title="Test error while pruning",
)

# %% tags=["hide-input"]
what_we_see(results)

# %% [markdown]
# Read such a chart from the left, where nothing is pruned. Where the line stays at the dashed rule, pruning costs nothing. Where it dips
# below by more than the seeds differ, pruning helped, as {ref}`the first paper <tr-preliminaries>` describes. How far pruning by magnitude
# stays below random pruning says how much it matters *which* weights go.
#
# Beware of one trap: each level also trains the network further. A dense network that has not finished training, as this one after five
# epochs, gains from that alone; give it more `epochs` before you credit pruning. Three seeds are the fewest that tell a difference from
# chance; five or ten show smaller ones.
#
# The table has more than the test error: `"training error (%)"`, `"validation error (%)"` and the losses, and with label noise
# `"noisy training error (%)"`, the error on the examples whose labels are wrong. Any of them goes into `rows(...)`.

# %%
errors = rows(results, "training error (%)")
errors.groupby(["algorithm", "level"])["value"].agg(["mean", "std"]).round(2)

# %% [markdown]
# ## What to keep in mind
#
# * **Your weights are not used.** Every seed draws its initial weights anew, also if your module was trained before. What other layers
#   hold, such as an embedding, starts as you give it and is the same for all seeds.
# * **A small network on few images is an example, not evidence.** The numbers above say how this network behaves on 2,700 digits.
# * **Same question, same key.** What is trained is kept under a key made from your images, the module's structure and the source of its
#   classes. Change any of these, and it is trained anew. Functions of other files that your classes call are not in the key; if you
#   change those, take a new `store`.
# * **No training, if something is wrong.** The network is tried on eight images first. A sentence then says what to change: images of a wrong
#   shape, labels that are no whole numbers, an output for another number of classes, a softmax at the end, dropout that is not switched
#   off in evaluation, a function that builds another network each time, nothing that could be pruned.
# * Images are held in memory, up to 8 GB of pixels. Larger sets can be streamed from files as ImageNet is, see `lib/data/folder_images.py`.
#
# ## Try it
#
# Each takes about a minute with `recompute = True`.
#
# 1. **A network in five lines.** Put this in place of `Small` in the call. It has three times as many weights and no convolution. Will its
#    curve be flatter?
#
#    ```python
#    def wide(): return nn.Sequential(
#        nn.Flatten(),
#        nn.Linear(784, 32), nn.ReLU(),
#        nn.Linear(32, 10),
#    )
#    ```
#
#    :::{dropdown} Answer
#    It is. Most of its weights read pixels at the border, which are black in every digit. Pruning by magnitude takes these first, and loses
#    nothing. The convolutions of `Small` have hardly a weight to spare.
#    :::
#
# 2. **A score of your own.** Add `large_first` to `scores`, after a cell with
#
#    ```python
#    def large_first(module, names, batch):
#        return {name: -module.get_parameter(name).detach().abs() for name in names}
#    ```
#
#    Lowest scores go first. What does this one remove, and can anything do worse than chance?
#
#    :::{dropdown} Answer
#    It removes the largest weights. It does much worse than random pruning: what is left is what the network relied on least. In a trial
#    with 1,500 digits, three epochs and one seed, a quarter of the weights gave an error of 90 %, as guessing does; left at random, 38 %.
#    :::
#
# 3. **Keep the last layer whole.** Add `"unpruned": ["output"]` to `settings`. Then most of the 9,064 weights cannot be pruned at all.
#    What does 50 % of the *weights remaining* mean now?
#
#    :::{dropdown} Answer
#    Half of the 1,224 weights of the convolutions. The axis counts what could be pruned, so at the same place the two curves belong to
#    networks of different size.
#    :::
