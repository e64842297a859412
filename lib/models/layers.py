"""Layers whose parameters and buffers may have a leading replicate axis, so that R networks are one network.

A linear layer is one batched matrix product forward and one for each gradient,

    y = (W xᵀ)ᵀ + b,    ∂L/∂W = gᵀ x,    ∂L/∂x = g W,    ∂L/∂b = Σ g     (g = ∂L/∂y; Σ over the batch)

for W [R, O, I], b [R, O] and x [R, B, I]. Written this way round, automatic differentiation computes ∂L/∂W in the layout of
W; from x Wᵀ, as `torch.func.vmap` has it, it computes the transpose, and copying that took as long as the products.
Convolutional networks lay their replicates side by side as channels, [B, R C, H, W]: a convolution is then a grouped one,
and normalization, pooling and ReLU are what they are for one network.

Weights are used in the type of the input: a bfloat16 batch means bfloat16 products of float32 weights. Normalization keeps
its parameters and statistics in float32.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, linear

WEIGHTED = nn.Linear | nn.modules.conv._ConvNd
"""Layers whose weights are drawn and may be pruned, in any number of dimensions."""


def scaled(count: int, scale: float) -> int:
    """Return how many of a layer's filters or neurons a network of that width scale has, at least one (facts J6)."""
    return max(1, round(count * scale))


class Linear(nn.Linear):
    """`torch.nn.Linear` with a bias."""

    def forward(self, input: Tensor) -> Tensor:
        """Map [batch, in] to [batch, out], or with stacked parameters [R, batch, in] or [batch, in] to [R, batch, out]."""
        weight, bias = self.weight.to(input), self.bias.to(input)
        if weight.dim() == 2:
            return linear(input, weight, bias)
        if input.dim() == 2:  # the same batch for all: one product
            return (weight @ input.mT).mT + bias.unsqueeze(-2)
        return torch.baddbmm(bias.unsqueeze(-1), weight, input.mT).mT  # rounds once, the bias included


class Convolution(nn.Conv2d):
    """`torch.nn.Conv2d` on maps [batch, in, height, width], or [batch, R in, height, width] with stacked parameters."""

    def forward(self, input: Tensor) -> Tensor:
        """Map to [batch, out, ...] or [batch, R out, ...]."""
        weight, bias = self.weight.to(input), None if self.bias is None else self.bias.to(input)
        groups, stride = 1, self.stride
        if weight.dim() == 5:
            groups, weight, bias = len(weight), weight.flatten(0, 1), None if bias is None else bias.flatten()
        if self.kernel_size == (1, 1) and self.padding == (0, 0):
            # It reads every stride-th pixel. Asked for it, oneDNN 3.13 reads or writes out of bounds in the weight gradient.
            input, stride = torch.nn.functional.avg_pool2d(input, 1, stride), 1
        return torch.conv2d(input, weight, bias, stride, self.padding, self.dilation, groups)  # pyright: ignore


class Normalization(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` on maps as a `Convolution` gives them."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalize each channel; in train mode the running statistics are updated in place."""
        mean, variance, count = self.running_mean, self.running_var, self.num_batches_tracked
        assert mean is not None and variance is not None and count is not None and self.momentum is not None
        if self.training:
            count.add_(1)
        return batch_norm(
            input, mean.view(-1), variance.view(-1), self.weight.view(-1), self.bias.view(-1),
            self.training, self.momentum, self.eps,
        )  # fmt: skip


def side_by_side(images: Tensor, weight: Tensor) -> Tensor:
    """Lay images [batch, C, H, W] or [R, batch, C, H, W] of a stack side by side as channels, [batch, R C, H, W].

    `weight`, of the first convolution, says whether the network is a stack; a single network's images stay as they are. The
    result is channels last in memory, the layout in which convolutions run without reordering.
    """
    if weight.dim() == 4:
        return images
    images = images.expand(len(weight), *images.shape[-4:]).transpose(0, 1).flatten(1, 2)
    return images.contiguous(memory_format=torch.channels_last)


def apart(features: Tensor, weight: Tensor) -> Tensor:
    """Undo `side_by_side` for features [batch, C] or [batch, R C], returning [batch, C] or [R, batch, C]."""
    return features if weight.dim() == 4 else features.unflatten(1, (len(weight), -1)).transpose(0, 1)


def joined(first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
    """Join the channels of two maps [batch, C, H, W], or of each replicate's in [batch, R C, H, W]; `weight` as above."""
    if weight.dim() == 4:
        return torch.cat((first, second), 1)
    pair = [maps.unflatten(1, (len(weight), -1)) for maps in (first, second)]
    return torch.cat(pair, 2).flatten(1, 2).contiguous(memory_format=torch.channels_last)
