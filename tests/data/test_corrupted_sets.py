"""Corrupted images are kept and checked; published test sets are read in their exact format, and damage is named."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lib import data
from lib.data import FolderSet, ImageSet, corrupted_sets
from lib.data.corrupted_sets import BORDER, MADE_HERE, MAPPINGS
from lib.data.folder_images import read_folders
from lib.data.generated import write_image_folders
from lib.data.segmentation_images import open_segmentation, split_classes
from lib.errors import InputError


@pytest.fixture(autouse=True)
def keep_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrupted_sets, "FEW_VALUES", 0)


@pytest.fixture(scope="module")
def objects() -> ImageSet:
    """20 test images in the role of CIFAR-10's 10,000."""
    whole = data.load("generated-objects")
    return replace(
        whole, name="cifar10", test_images=whole.test_images[:20].clone(), test_labels=whole.test_labels[:20]
    )


@pytest.fixture
def uncorrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function from whose call on nothing may be corrupted any more."""
    return lambda: monkeypatch.setattr(corrupted_sets, "corrupt", lambda *_: pytest.fail("the kept file was not used"))


def kept_file(folder: Path) -> Path:
    (path,) = (folder / "corrupted").glob("*.safetensors")
    return path


# What is made here, and kept.


def test_kept_images_are_those_of_corrupt(objects: ImageSet, tmp_path: Path, uncorrupted) -> None:
    images = objects.test_images
    expected = data.corrupt(images, "fog", 3)
    assert torch.equal(data.corrupted(images, "fog", 3, folder=tmp_path), expected)
    uncorrupted()
    assert torch.equal(data.corrupted(images, "fog", 3, folder=tmp_path), expected)
    assert torch.equal(data.corrupted(images, "fog", 3, 0, "cifar", tmp_path), expected), "these constants are meant"
    assert kept_file(tmp_path).name.startswith("fog-3-")
    assert not list(tmp_path.rglob("*.partial"))


def test_each_setting_and_the_images_have_their_own_file(objects: ImageSet, tmp_path: Path) -> None:
    images = objects.test_images
    calls = [
        (images, "contrast", 3, 0, None), (images, "contrast", 4, 0, None), (images, "brightness", 3, 0, None),
        (images, "contrast", 3, 1, None), (images, "contrast", 3, 0, "imagenet"), (images[:19], "contrast", 3, 0, None),
        (images.view(20, 64, 16, 3), "contrast", 3, 0, None),
    ]  # fmt: skip
    for call in 2 * calls:
        assert torch.equal(data.corrupted(*call, folder=tmp_path), data.corrupt(*call))
    assert len(list(tmp_path.rglob("*.safetensors"))) == len(calls)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def hold_another_tensor(path: Path) -> None:
    save_file({"labels": load_file(path)["images"]}, path)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, hold_another_tensor, lambda path: path.write_bytes(b"")])
def test_a_damaged_file_is_made_again(damage, objects: ImageSet, tmp_path: Path, capsys, uncorrupted) -> None:
    expected = data.corrupted(objects.test_images, "snow", 2, folder=tmp_path)
    path, expected = kept_file(tmp_path), expected.clone()
    damage(path)
    assert torch.equal(data.corrupted(objects.test_images, "snow", 2, folder=tmp_path), expected)
    assert torch.equal(load_file(path)["images"], expected)
    uncorrupted()
    assert torch.equal(data.corrupted(objects.test_images, "snow", 2, folder=tmp_path), expected)
    assert f"{path} is damaged, and made again" in capsys.readouterr().err


def test_what_another_version_made_is_made_again(
    objects: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(corrupted_sets, "_program", lambda: "another version")
        before.setattr(corrupted_sets, "corrupt", lambda images, *_: images + 1)
        data.corrupted(objects.test_images, "fog", 1, folder=tmp_path)
    found = data.corrupted(objects.test_images, "fog", 1, folder=tmp_path)
    assert torch.equal(found, data.corrupt(objects.test_images, "fog", 1)) and kept_file(tmp_path)


@pytest.mark.parametrize("what", ["save_file", "FileLock"])
def test_a_folder_that_cannot_be_written_stops_nothing(
    what: str, objects: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """A full disk, one that may only be read, and a file in the folder's place."""

    def refuse(*_: object) -> None:
        raise OSError("refused by the system")  # permissions do not bind root

    expected = data.corrupt(objects.test_images, "fog", 1)
    with monkeypatch.context() as staged:
        staged.setattr(corrupted_sets, what, refuse)
        assert torch.equal(data.corrupted(objects.test_images, "fog", 1, folder=tmp_path), expected)
    said = capsys.readouterr().err
    assert "fog at severity 1 is made anew each time" in said and "refused by the system" in said
    assert not list(tmp_path.rglob("*.safetensors")) and not list(tmp_path.rglob("*.partial"))
    (tmp_path / "file").touch()
    assert torch.equal(data.corrupted(objects.test_images, "fog", 1, folder=tmp_path / "file"), expected)
    data.corrupted(objects.test_images, "fog", 1, folder=tmp_path)
    monkeypatch.setattr(corrupted_sets, what, refuse)
    assert torch.equal(data.corrupted(objects.test_images, "fog", 1, folder=tmp_path), expected)
    assert "refused" not in capsys.readouterr().err, "what is there can be read all the same"


def test_two_at_once_corrupt_once(objects: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, corrupt = [], corrupted_sets.corrupt
    monkeypatch.setattr(corrupted_sets, "corrupt", lambda *call: made.append(call) or corrupt(*call))
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(data.corrupted, objects.test_images, "spatter", 3, folder=tmp_path) for _ in range(4)]
        results = [call.result(60) for call in calls]
    assert len(made) == 1 and all(torch.equal(one, results[0]) for one in results)


def test_few_images_are_not_kept(objects: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrupted_sets, "FEW_VALUES", objects.test_images.numel() + 1)
    found = data.corrupted(objects.test_images, "fog", 1, folder=tmp_path)
    assert torch.equal(found, data.corrupt(objects.test_images, "fog", 1)) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [("fogg", 3), ("fog", 6), ("fog", 3, 0, "cifar10")])
def test_bad_settings_write_nothing(wrong: tuple, objects: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown"):
        data.corrupted(objects.test_images, *wrong, folder=tmp_path)
    if len(wrong) == 2:
        with pytest.raises(InputError, match="unknown"):
            data.test_distribution(objects, *wrong, folder=tmp_path)
    assert not list(tmp_path.iterdir())


# CIFAR-10-C and CIFAR-10.1.


def write_cifar10_c(folder: Path, objects: ImageSet, name: str = "fog") -> np.ndarray:
    root = folder / "CIFAR-10-C"
    root.mkdir()
    count = len(objects.test_labels)
    images = np.random.default_rng(0).integers(0, 256, (5 * count, 32, 32, 3), dtype=np.uint8)
    np.save(root / f"{name}.npy", images)
    np.save(root / "labels.npy", np.tile(objects.test_labels.numpy(), 5))
    return images


def test_without_published_files_the_real_test_set_is_corrupted(objects: ImageSet, tmp_path: Path) -> None:
    found = data.test_distribution(objects, "fog", 3, tmp_path)
    assert isinstance(found.images, torch.Tensor)
    assert torch.equal(found.images, data.corrupt(objects.test_images, "fog", 3))
    assert torch.equal(found.labels, objects.test_labels)
    assert found.source == MADE_HERE == "corrupted here" and not found.published


def test_the_published_file_is_used_where_it_is(objects: ImageSet, tmp_path: Path) -> None:
    images = write_cifar10_c(tmp_path, objects)
    for severity in (1, 3, 5):
        found = data.test_distribution(objects, "fog", severity, tmp_path)
        assert isinstance(found.images, torch.Tensor) and found.images.dtype == torch.uint8
        assert np.array_equal(found.images.numpy(), images[20 * severity - 20 : 20 * severity])
        assert torch.equal(found.labels, objects.test_labels)
        assert found.source == "CIFAR-10-C" and found.published
    assert data.test_distribution(objects, "snow", 3, tmp_path).source == MADE_HERE
    assert data.test_distribution(replace(objects, name="cifar100"), "fog", 3, tmp_path).source == MADE_HERE


@pytest.mark.parametrize(
    ("file", "damage", "says"),
    [
        ("fog.npy", truncate, "cannot be read as an array"),
        ("fog.npy", lambda path: path.write_bytes(b""), "cannot be read as an array"),
        ("fog.npy", lambda path: path.write_bytes(b"<html>"), "cannot be read as an array"),
        ("fog.npy", lambda path: np.savez(path.open("wb"), np.zeros(3)), "cannot be read as an array"),
        ("fog.npy", lambda path: np.save(path, np.array([{}])), "cannot be read as an array"),
        (
            "fog.npy",
            lambda path: np.save(path, np.zeros((20, 32, 32, 3), np.uint8)),
            r"uint8 \[20, 32, 32, 3\]; allowed: uint8 \[100, 32, 32, 3\]",
        ),
        ("fog.npy", lambda path: np.save(path, np.zeros((100, 32, 32, 3), np.float32)), "float32 .*; allowed: uint8"),
        ("labels.npy", Path.unlink, "there is no .*labels.npy"),
        ("labels.npy", lambda path: np.save(path, np.zeros(100)), "float64 .*; allowed: whole numbers"),
        ("labels.npy", lambda path: np.save(path, np.zeros(20, int)), r"\[20\]; allowed: whole numbers \[100\]"),
        ("labels.npy", lambda path: np.save(path, np.load(path)[::-1]), "does not hold the labels of CIFAR-10's test"),
    ],
)
def test_a_damaged_published_file_is_named(file: str, damage, says: str, objects: ImageSet, tmp_path: Path) -> None:
    write_cifar10_c(tmp_path, objects)
    damage(tmp_path / "CIFAR-10-C" / file)
    with pytest.raises(InputError, match=says) as caught:
        data.test_distribution(objects, "fog", 3, tmp_path)
    for part in (str(tmp_path / "CIFAR-10-C" / file), "Unpack CIFAR-10-C.tar", "or remove"):
        assert part in str(caught.value)


def write_cifar10_1(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    images, labels = (
        draw.integers(0, 256, (2000, 32, 32, 3), dtype=np.uint8),
        draw.integers(0, 10, 2000, dtype=np.int32),
    )
    (folder / "CIFAR-10.1").mkdir()
    np.save(folder / "CIFAR-10.1" / "cifar10.1_v6_data.npy", images)
    np.save(folder / "CIFAR-10.1" / "cifar10.1_v6_labels.npy", labels)
    return images, labels


def test_new_test_images_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not data.has_cifar10_1(tmp_path)
    images, labels = write_cifar10_1(tmp_path)
    monkeypatch.setenv("PRUNING_BOOK_DATA", str(tmp_path))
    found = data.cifar10_1()
    assert data.has_cifar10_1() and found.source == "CIFAR-10.1" and found.published
    assert isinstance(found.images, torch.Tensor) and np.array_equal(found.images.numpy(), images)
    assert found.labels.tolist() == labels.tolist() and found.labels.dtype == torch.uint8


@pytest.mark.parametrize(
    ("file", "damage", "says"),
    [
        ("data", Path.unlink, "there is no"),
        ("data", truncate, "cannot be read as an array"),
        (
            "data",
            lambda path: np.save(path, np.load(path)[:1999]),
            r"\[1999, 32, 32, 3\]; allowed: uint8 \[2000, 32, 32",
        ),
        ("data", lambda path: np.save(path, np.load(path).transpose(0, 3, 1, 2)), r"\[2000, 3, 32, 32\]; allowed"),
        ("labels", Path.unlink, "there is no"),
        ("labels", lambda path: np.save(path, np.load(path) * 1.0), "float64"),
        ("labels", lambda path: np.save(path, np.load(path) + 1), "from 1 to 10; allowed: the classes 0 to 9"),
    ],
)
def test_damaged_new_test_images_are_named(file: str, damage, says: str, tmp_path: Path) -> None:
    write_cifar10_1(tmp_path)
    path = tmp_path / "CIFAR-10.1" / f"cifar10.1_v6_{file}.npy"
    damage(path)
    with pytest.raises(InputError, match=says) as caught:
        data.cifar10_1(tmp_path)
    for part in (str(path), "cifar10.1_v6_data.npy and cifar10.1_v6_labels.npy", "modestyachts/CIFAR-10.1"):
        assert part in str(caught.value)


# Sets in files: ImageNet-C and ObjectNet.


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> FolderSet:
    """8 validation images of 4 classes in the role of ImageNet's 50,000."""
    root = tmp_path_factory.mktemp("folders")
    write_image_folders(root, 8, 8, 4)
    return replace(read_folders("tree", root), name="imagenet")


def write_imagenet_c(folder: Path, tree: FolderSet) -> Path:
    """Corrupt the images and write them, as the authors did."""
    root = folder / "imagenet-c" / "fog" / "3"
    for path, image in zip(tree.test_images.paths, tree.test_images[:], strict=True):
        place = root / path.decode().removeprefix("val/")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.corrupt_alone(image, "fog", 3).numpy()).save(place, quality=85)
    return root


def test_images_in_files_are_corrupted_as_they_are_read(tree: FolderSet, tmp_path: Path) -> None:
    """By the name of each, whatever is read with it."""
    found = data.test_distribution(tree, "gaussian_noise", 3, tmp_path)
    assert found.source == MADE_HERE and torch.equal(found.labels, tree.test_labels)
    assert isinstance(found.images, data.FolderImages)
    whole, plain = found.images[:], tree.test_images[:]
    assert torch.equal(found.images[torch.tensor([6, 2])], whole[[6, 2]])
    some = found.images.some(torch.tensor([5, 2]), torch.device("cpu"))
    assert torch.equal(some[torch.tensor([1])][0], whole[2])
    expected = data.corrupt_alone(plain[2], "gaussian_noise", 3, which=tree.test_images.paths[2].decode())
    assert torch.equal(whole[2], expected)
    noise = (whole.double() - plain.double())[:, :50]
    assert not torch.equal(noise[0], noise[1]), "each has random numbers of its own"


def test_segmented_images_are_corrupted_and_their_maps_are_not(tmp_path: Path) -> None:
    """VOC-C: the corruptions of VOC's val."""
    plain = open_segmentation("generated-segmentation")
    for name in ("fog", "elastic_transform"):
        found = data.test_distribution(plain, name, 3, tmp_path)
        assert found.source == MADE_HERE
        assert isinstance(found.images, data.FolderImages)
        (images, maps), (clean, classes) = (
            split_classes(next(one.read(torch.arange(4), 4))) for one in (found.images, plain.test_images)
        )
        assert torch.equal(maps, classes) and images.shape == clean.shape and not torch.equal(images, clean)


def test_corrupting_alone_takes_images_of_any_size() -> None:
    image = torch.arange(60 * 90 * 3).view(60, 90, 3).to(torch.uint8)
    for name in data.CORRUPTIONS:
        found = data.corrupt_alone(image, name, 3, which="one.jpg")
        assert found.shape == image.shape and torch.equal(found, data.corrupt_alone(image, name, 3, which="one.jpg"))
    assert not torch.equal(data.corrupt_alone(image, "fog", 3), data.corrupt_alone(image, "fog", 3, which="two.jpg"))
    assert not torch.equal(data.corrupt_alone(image, "fog", 3), data.corrupt_alone(image, "fog", 3, seed=1))


def test_imagenet_c_is_read_as_it_is_in_the_order_of_val(tree: FolderSet, tmp_path: Path) -> None:
    root = write_imagenet_c(tmp_path, tree)
    found = data.test_distribution(tree, "fog", 3, tmp_path)
    assert found.source == "ImageNet-C" and torch.equal(found.labels, tree.test_labels)
    assert isinstance(found.images, data.FolderImages)
    assert [b"val/" + path for path in found.images.paths] == tree.test_images.paths.tolist()
    with Image.open(root / found.images.paths[5].decode()) as file:
        assert np.array_equal(found.images[5:6][0].numpy(), np.asarray(file))
    assert data.test_distribution(tree, "fog", 2, tmp_path).source == MADE_HERE


def test_damaged_imagenet_c_is_named(tree: FolderSet, tmp_path: Path) -> None:
    root = write_imagenet_c(tmp_path, tree)
    file = sorted((root / "n00000002").iterdir())[0]

    def says(text: str) -> None:
        with pytest.raises(InputError, match=text):
            data.test_distribution(tree, "fog", 3, tmp_path).images[:]

    Image.new("RGB", (100, 224)).save(file)
    says(f"{file.name} has 100 × 224 pixels; allowed: 224 × 224")
    file.write_bytes(file.read_bytes()[:300])
    says(f"{file.name} cannot be read as an image")
    file.unlink()
    says("n00000002 has 1 images; allowed: 2, as in val. Unpack ImageNet-C .*, or remove")
    for other in (root / "n00000002").iterdir():
        other.unlink()
    says("n00000002 has no images; 4 folders of images are needed in .*Unpack ImageNet-C")


def write_objectnet(folder: Path) -> Path:
    """Two classes in ImageNet, one of them several of its classes, and one that is not."""
    root = folder / "objectnet-1.0"
    names = {"air_freshener": "Air freshener", "backpack": "Backpack", "bicycle": "Bicycle"}
    words = {"Backpack": "backpack, back pack", "Bicycle": "mountain bike; bicycle-built-for-two"}
    lines = ["mountain bike", "backpack, back pack", "bicycle-built-for-two", "tench"]
    of_torchvision = {"0": 3, "414": 1, "444": 2, "671": 0}
    contents = [json.dumps(names), json.dumps(words), json.dumps(of_torchvision), "\n".join(lines) + "\n"]
    (root / "mappings").mkdir(parents=True)
    for name, content in zip(MAPPINGS, contents, strict=True):
        (root / "mappings" / name).write_text(content)
    for number, name in enumerate(names):
        (root / "images" / name).mkdir(parents=True)
        for copy in range(2):
            image = Image.new("RGB", (300, 240), (255, 0, 0))
            inner = Image.effect_noise((300 - 2 * BORDER, 240 - 2 * BORDER), 20).convert("RGB")
            image.paste(inner, (BORDER, BORDER))
            image.save(root / "images" / name / f"{number}{copy}.png")
    return root


def test_objectnet_has_the_classes_of_imagenet_and_no_border(tmp_path: Path) -> None:
    root = write_objectnet(tmp_path)
    found = data.objectnet(tmp_path)
    assert isinstance(found.images, data.FolderImages) and found.source == "ObjectNet"
    assert found.labels.tolist() == [414, 414, 671, 671], "of several classes, the first one named"
    assert [path.decode() for path in found.images.paths] == [
        "backpack/10.png", "backpack/11.png", "bicycle/20.png", "bicycle/21.png"
    ]  # fmt: skip
    pixels = found.images[:]
    assert pixels.shape == (4, 224, 224, 3) and torch.equal(pixels[..., 0], pixels[..., 2]), "the border was red"
    with Image.open(root / "images" / "backpack" / "10.png") as file:
        image = file.crop((3, 3, 297, 237)).resize((321, 256), Image.Resampling.BILINEAR).crop((48, 16, 272, 240))
    assert np.abs(pixels[0].numpy().astype(int) - np.asarray(image)).max() <= 1


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda root: (root / "mappings" / MAPPINGS[1]).unlink(),
            "objectnet_to_imagenet_1k.json cannot be read as JSON",
        ),
        (lambda root: truncate_text(root / "mappings" / MAPPINGS[0]), "folder_to_objectnet_label.json cannot be read"),
        (
            lambda root: (root / "mappings" / MAPPINGS[2]).write_text("[]"),
            "2012_id.json holds a list; allowed: an object",
        ),
        (lambda root: (root / "mappings" / MAPPINGS[3]).unlink(), "imagenet_to_label_2012_v2 cannot be read"),
        (
            lambda root: (root / "mappings" / MAPPINGS[3]).write_text("tench\n"),
            "maps 'Backpack' to 'backpack, back pack'",
        ),
        (lambda root: (root / "mappings" / MAPPINGS[1]).write_text("{}"), "maps no folder of images to a class"),
        (
            lambda root: (root / "images" / "bicycle").rename(root / "images" / "bike"),
            "bicycle has no images; 2 folders",
        ),
    ],
)
def test_damaged_objectnet_is_named(damage, says: str, tmp_path: Path) -> None:
    damage(write_objectnet(tmp_path))
    with pytest.raises(InputError, match=says) as caught:
        data.objectnet(tmp_path)
    assert f"Unpack objectnet-1.0.zip (objectnet.dev) in {tmp_path}" in str(caught.value)


def truncate_text(path: Path) -> None:
    path.write_text(path.read_text()[:-3])


def test_an_image_smaller_than_its_border_is_named(tmp_path: Path) -> None:
    root = write_objectnet(tmp_path)
    Image.new("RGB", (5, 5)).save(root / "images" / "backpack" / "10.png")
    with pytest.raises(InputError, match="10.png cannot be read as an image"):
        data.objectnet(tmp_path).images[:]
