"""Random flip and crop of a whole batch at once, on the device where the batch is.

An image is flipped left to right with probability 1/2, surrounded by `padding` black pixels, and cropped to its size at an
offset that is uniform in {0, ..., 2 padding} per axis. TR and LN flip, then crop; LIP and GS crop, then flip; the
distribution is the same, since the offsets are symmetric. One gather does both:

    out[i, j] = padded[down + i, right + j]     columns counted from the right side if the image is flipped
"""

import torch
from torch import Tensor


def draw(count: int, generator: torch.Generator, padding: int = 4) -> Tensor:
    """Draw the flips and offsets of a batch, or of a whole epoch to move to the device in one copy.

    Returns:
        Int64 [count, 3] on the CPU: offset down in pixels, offset to the right in pixels, flipped (0 or 1).
    """
    flipped = torch.randint(0, 2, (count, 1), generator=generator)
    offsets = torch.randint(0, 2 * padding + 1, (count, 2), generator=generator)
    return torch.cat([offsets, flipped], dim=1)


def crop_and_flip(batch: Tensor, draws: Tensor, fill: Tensor, padding: int = 4) -> Tensor:
    """Flip, pad and crop each image as its draw says.

    Args:
        batch: [..., C, H, W], any dtype and any leading axes: [B] or [R, B].
        draws: int64 [..., 3] with the same leading axes, from `draw`, on the batch's device.
        fill: [C], the value of a padded pixel per channel: `Normalization.black` in a normalised batch.
        padding: pixels added on each side.

    Returns:
        A new tensor with the batch's shape and dtype, contiguous.
    """
    channels, height, width = batch.shape[-3:]
    images = batch.reshape(-1, channels, height, width)
    count, wide = len(images), width + 2 * padding
    padded = fill.to(batch).view(1, -1, 1, 1).repeat(count, 1, height + 2 * padding, wide)
    padded[:, :, padding : padding + height, padding : padding + width] = images

    down, right, flipped = draws.reshape(-1, 3, 1).unbind(1)
    rows = down + torch.arange(height, device=batch.device)
    columns = right + torch.arange(width, device=batch.device)
    columns = torch.where(flipped.bool(), wide - 1 - columns, columns)
    source = (rows.unsqueeze(2) * wide + columns.unsqueeze(1)).view(count, 1, height * width)
    # Expanded, not copied: the channels of an image share their index.
    return padded.flatten(2).gather(2, source.expand(-1, channels, -1)).view(batch.shape)
