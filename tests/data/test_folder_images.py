"""Images in folders: sorted, read in any order by any number of workers to the same pixels, and clear about what lacks."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from lib import data
from lib.data import folder_images
from lib.data.__main__ import main
from lib.data.folder_images import read_folders
from lib.data.generated import write_image_folders
from lib.errors import InputError
from lib.seeds import generator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated tree of 24 and 8 images in 4 classes."""
    folder = tmp_path_factory.mktemp("folders")
    write_image_folders(folder, 24, 8, 4)
    return folder


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(root, tmp_path / "copy"))


def test_files_are_listed_in_sorted_order(root: Path) -> None:
    images = read_folders("tree", root)
    files = sorted(path.relative_to(root).as_posix() for path in (root / "train").glob("*/*.JPEG"))
    assert [path.decode() for path in images.train_images.paths] == files
    assert images.class_names == ("n00000001", "n00000002", "n00000003", "n00000004")
    labels = [images.class_names.index(file.split("/")[1]) for file in files]
    assert images.train_labels.tolist() == labels and images.train_labels.dtype == torch.int64
    assert len(images.test_images) == len(images.test_labels) == 8


def test_evaluation_takes_the_middle_of_the_resized_image(root: Path) -> None:
    images = read_folders("tree", root).train_images
    assert images.shape == (24, 224, 224, 3)
    with Image.open(root / images.paths[5].decode()) as file:
        middle = transforms.CenterCrop(224)(transforms.Resize(256)(file.convert("RGB")))
    assert torch.equal(images[torch.tensor([3, 5])][1], torch.from_numpy(np.array(middle)))
    assert torch.equal(images[4:6], images[torch.tensor([4, 5])]) and images[4:6].dtype == torch.uint8
    some = images.some(torch.tensor([7, 5]), CPU)
    assert len(some) == 2 and torch.equal(some[torch.tensor([1])], images[5:6])
    assert images[5:5].shape == (0, 224, 224, 3)


@pytest.mark.parametrize(
    ("name", "ranges"),
    [("resized-crop", {"scale": (0.1, 1.0), "ratio": (0.8, 1.25)}), ("resized-crop-wide", {})],  # {}: torchvision's own
)
def test_training_takes_torchvisions_random_part(root: Path, name: str, ranges: dict) -> None:
    """Under the seed of the image, and without touching the generator of the process."""
    images = replace(read_folders("tree", root).train_images, random_part=name)
    before = torch.random.get_rng_state()
    (found,) = images.read(torch.tensor([5]), 1, torch.tensor([99]))
    assert torch.equal(torch.random.get_rng_state(), before)
    with Image.open(root / images.paths[5].decode()) as file, torch.random.fork_rng():
        torch.manual_seed(99)
        part = transforms.RandomResizedCrop(224, **ranges)(file.convert("RGB"))
        part = transforms.RandomHorizontalFlip()(part)
    assert torch.equal(found[0], torch.from_numpy(np.array(part)))


def test_workers_change_no_pixel(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = read_folders("tree", root).train_images
    order = torch.randperm(24, generator=generator(0, "data order"))
    seeds = data.draw_seeds(24, generator(0, "augmentation"))
    alone = [*images.read(order, 5, seeds)]
    assert [len(batch) for batch in alone] == [5, 5, 5, 5, 4]
    other = [*images.read(order, 5, data.draw_seeds(24, generator(1, "augmentation")))]
    assert not torch.equal(alone[0], other[0])
    monkeypatch.setattr(folder_images, "worker_count", lambda images: 2)
    together = [*images.read(order, 5, seeds)]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_few_images_need_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_images.worker_count(999) == 0 < folder_images.worker_count(1000) <= 16


def test_grey_and_four_channel_images_become_rgb(copy: Path) -> None:
    files = sorted((copy / "train" / "n00000001").iterdir())
    Image.new("L", (80, 60), 7).save(files[0])
    Image.new("CMYK", (60, 80), (0, 0, 0, 0)).save(files[1])
    images = read_folders("tree", copy).train_images[:2]
    assert images.shape == (2, 224, 224, 3) and images[0].eq(7).all()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_is_no_image_is_named(copy: Path, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_images, "worker_count", lambda images: workers)
    file = sorted((copy / "train" / "n00000002").iterdir())[0]
    file.write_bytes(file.read_bytes()[:100])
    images = read_folders("tree", copy).train_images
    with pytest.raises(InputError, match=f"{file.name} cannot be read as an image"):
        [*images.read(torch.arange(24), 8)]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda root: shutil.rmtree(root), "train cannot be used"),
        (lambda root: shutil.rmtree(root / "val" / "n00000003"), "different classes, among them n00000003"),
        (lambda root: [f.unlink() for f in (root / "val" / "n00000001").iterdir()], "n00000001"),
        (lambda root: (root / "val").rename(root / "train" / "n00000005"), "val cannot be used"),
    ],
)
def test_another_layout_is_refused(copy: Path, damage, says: str) -> None:
    damage(copy)
    with pytest.raises(InputError, match=says) as caught:
        read_folders("tree", copy)
    for part in (
        str(copy),
        "train/n01440764/n01440764_10026.JPEG",
        "ILSVRC2012_img_val",
        "PRUNING_BOOK_DATA",
    ):
        assert part in str(caught.value)


def test_imagenet_must_be_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="imagenet does not hold the image set: train cannot be used"):
        data.open_folders("imagenet", tmp_path)
    write_image_folders(tmp_path / "imagenet", 24, 8, 4)
    with pytest.raises(InputError, match="24 training .* 4 classes, not 1,281,167 .* 1,000 classes"):
        data.open_folders("imagenet", tmp_path)
    assert main(["fetch", "imagenet", "--folder", str(tmp_path)]) == 2
    assert "not 1,281,167" in capsys.readouterr().err


def test_names() -> None:
    assert data.class_names("generated-folders") == ("n00000001", "n00000002", "n00000003", "n00000004")
    assert len(data.class_names("generated-cifar100")) == 100
    for call in (data.class_names, data.open_folders):
        with pytest.raises(InputError, match="Did you mean 'imagenet'"):
            call("imagenett")
    with pytest.raises(InputError, match="unknown image set 'imagenet'"):
        data.load("imagenet")  # does not fit in memory
