"""Images with a class for each pixel: read as torchvision reads them, moved with their maps, and clear about damage."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import SBDataset, VOCSegmentation

from lib.data import corrupt_alone, draw_seeds
from lib.data.segmentation_images import (
    IGNORED,
    LAYOUTS,
    SegmentationImages,
    open_segmentation,
    read_segmentation,
    split_classes,
    write_segmentation,
)
from lib.errors import InputError
from lib.seeds import generator

SMALL = {name: replace(layout, counts=None, side=33) for name, layout in LAYOUTS.items()}


@pytest.fixture(params=["sbd", "voc2012"])
def name(request) -> str:
    return request.param


@pytest.fixture
def root(name: str, tmp_path: Path) -> Path:
    """The folder of a set of 5 and 3 images, below a data folder."""
    folder = tmp_path / LAYOUTS[name].folder
    write_segmentation(folder, LAYOUTS[name], 5, 3)
    return folder


def opened(name: str, root: Path) -> SegmentationImages:
    images = read_segmentation(name, root, SMALL[name]).train_images
    assert isinstance(images, SegmentationImages)
    return images


def test_torchvision_reads_the_same_files(name: str, root: Path, tmp_path: Path):
    if name == "sbd":
        theirs = SBDataset(str(root), "val", mode="segmentation")
    else:
        theirs = VOCSegmentation(str(tmp_path), "2012", "val")
    wide = replace(SMALL[name], side=40)  # the short side of the first image
    ours = read_segmentation(name, root, wide)
    assert len(theirs) == len(ours.test_images) == 3 and len(ours.class_names) == 21
    image, classes = theirs[0]
    middle = slice((np.array(image).shape[1] - 40) // 2, (np.array(image).shape[1] + 40) // 2)
    pixels, truth = split_classes(next(ours.test_images.read(torch.arange(1), 1)))
    assert torch.equal(ours.test_images[:1], pixels) and ours.test_images.shape == (3, 40, 40, 3)
    assert np.array_equal(pixels[0], np.array(image)[:, middle])
    assert np.array_equal(truth[0], np.array(classes)[:, middle]) and IGNORED in truth[0]


def test_an_image_and_its_map_move_together(name: str, root: Path):
    """Noise apart, a pixel's brightness says its class; what was added around a small image does not count."""
    images = opened(name, root)
    seeds = draw_seeds(200, generator(0, "augmentation"))
    (batch,) = images.read(torch.arange(200) % 5, 200, seeds)
    assert batch.shape == (200, 33, 33, 4) and batch.dtype == torch.uint8
    pixels, truth = split_classes(batch)
    assert set(truth.unique().tolist()) == {0, 1, 2, 3, IGNORED}
    bright, inside = pixels.float().mean(-1), truth != IGNORED
    for kind in range(4):
        assert bright[truth == kind].mean().item() == pytest.approx(30 + 60 * kind, abs=15)
    corner = ~inside[:, 0, 0]
    assert 0.05 < corner.float().mean() < 0.9 and (pixels[:, 0, 0][corner] == 0).float().mean() > 0.9
    alone = torch.cat([*images.read(torch.arange(200) % 5, 7, seeds)])
    assert torch.equal(alone, batch), "the size of batches changes nothing"


def test_short_sides_of_training_images_are_those_of_the_paper():
    from lib.data.segmentation_images import _transforms

    resize = _transforms(513)[1].transforms[0]
    assert (resize.min_size, resize.max_size) == (256, 1025)  # the upper end is left out


def test_the_sets_have_as_many_images_as_were_published(name: str, root: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"it lists 5 and 3 images, not \("):
        open_segmentation(name, tmp_path)
    with pytest.raises(
        InputError, match=r"unknown segmentation set 'voc'.*Allowed: generated-segmentation, sbd, voc2012"
    ):
        open_segmentation("voc", tmp_path)


def test_what_lacks_is_named(name: str, root: Path):
    layout, first = SMALL[name], "2008_000000"
    (root / layout.map.format(first)).unlink()
    with pytest.raises(InputError, match=rf"set: 1 files are not there, the first is {layout.map.format(first)}\. Put"):
        read_segmentation(name, root, layout)
    (root / layout.list.format("train")).unlink()
    with pytest.raises(InputError, match="No such file.*PRUNING_BOOK_DATA"):
        read_segmentation(name, root, layout)
    (root / layout.list.format("val")).write_text("")
    (root / layout.list.format("train")).write_text("2008_000001")
    with pytest.raises(InputError, match="val.txt lists no image"):
        read_segmentation(name, root, layout)


@pytest.mark.parametrize("part", ["image", "map"])
def test_a_damaged_file_is_named(name: str, root: Path, part: str):
    images, path = opened(name, root), root / getattr(SMALL[name], part).format("2008_000002")
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no picture"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=rf"{path.name} cannot be read: .*Replace it by the original file"):
            images[2:3]


def test_a_map_of_another_size_or_with_other_classes_is_refused(root: Path, name: str):
    if name == "sbd":
        pytest.skip("the same after reading")
    images, path = opened(name, root), root / SMALL[name].map.format("2008_000002")
    Image.fromarray(np.full((8, 8), 1, np.uint8), mode="L").save(path)
    with pytest.raises(InputError, match=r"2008_000002.png has \(8, 8\), but 2008_000002.jpg has \(56, 56\)"):
        images[2:3]
    Image.fromarray(np.full((56, 56), 21, np.uint8), mode="L").save(path)
    with pytest.raises(InputError, match=r"2008_000002.png has class 21"):
        images[2:3]


def test_corrupted_images_keep_their_maps(name: str, root: Path):
    images = opened(name, root)
    (clean,), (foggy,) = (replace(images, corruption=c).read(torch.arange(5), 5) for c in (None, ("fog", 3, 0)))
    assert torch.equal(clean[..., 3], foggy[..., 3]) and not torch.equal(clean[..., :3], foggy[..., :3])


def test_a_file_is_corrupted_before_it_is_resized(name: str, root: Path):
    """As by hand; noise on what was resized would differ at every second pixel."""
    images = replace(opened(name, root), corruption=("impulse_noise", 3, 0))
    which = str(np.char.decode(images.paths[0]))
    file = np.array(Image.open(root / images.layout.image.format(which)).convert("RGB"))
    noisy = Image.fromarray(corrupt_alone(torch.from_numpy(file), "impulse_noise", 3, 0, which).numpy())
    short = images.layout.side / min(noisy.size)
    resized = noisy.resize([round(side * short) for side in noisy.size], Image.Resampling.BILINEAR)
    found = images[:1][0].numpy()
    left, top = ((side - images.layout.side) // 2 for side in resized.size)
    expected = np.array(resized)[top : top + 33, left : left + 33]
    assert np.abs(found.astype(int) - expected).mean() < 1
