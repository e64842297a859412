"""CIFAR-100 is read from torchvision's files: right files are decoded, wrong ones are refused and named.

The real files are not needed: a generated tree has their format, and its class carries its own MD5s.
"""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR100

from lib.data import image_sets, load
from lib.data.generated import generate, write_cifar100
from lib.data.image_sources import KNOWN
from lib.errors import InputError

REAL = KNOWN["cifar100"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the known CIFAR-100 a set of 200 and 100 images, lay its files in the data folder, and close the network."""
    shapes = {
        "train_images": (200, 32, 32, 3), "train_labels": (200,), "test_images": (100, 32, 32, 3), "test_labels": (100,),
    }  # fmt: skip
    kind = write_cifar100(tmp_path, 200, 100)
    names = generate("generated-objects", 1, 1, 100)["class_names"]
    monkeypatch.setattr("torchvision.datasets.CIFAR100", kind)
    monkeypatch.setitem(KNOWN, "cifar100", replace(REAL, class_names=names, shapes=shapes))

    def no_network(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", no_network)
    return tmp_path


def test_what_is_known_of_the_real_set() -> None:
    assert len(set(REAL.class_names)) == 100 and list(REAL.class_names) == sorted(REAL.class_names)
    assert REAL.shapes["train_images"] == (50_000, 32, 32, 3)
    assert [CIFAR100.train_list[0][0], CIFAR100.test_list[0][0]] == ["train", "test"]
    assert all(len(entry[1]) == 32 for entry in [*CIFAR100.train_list, *CIFAR100.test_list])  # MD5s


def test_files_are_decoded(tree: Path) -> None:
    """Against the pickles themselves: a row is the red, then the green, then the blue plane."""
    images = load("cifar100", tree, download=False)
    expected = generate("generated-objects", 200, 100, 100)
    for part in image_sets.TENSORS:
        assert torch.equal(getattr(images, part), expected[part])
    with (tree / "cifar-100-python" / "test").open("rb") as file:
        content = pickle.load(file)
    row = content["data"][7]
    assert row.dtype == np.uint8 and row.shape == (3072,)
    assert images.test_images[7, 3, 5].tolist() == [int(row[plane * 1024 + 3 * 32 + 5]) for plane in range(3)]
    assert images.test_labels.tolist() == content["fine_labels"] and len(images.class_names) == 100


def test_the_kept_file_is_used_and_watched(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = load("cifar100", tree, download=False)
    (tree / "cifar-100-python").rename(tree / "away")
    again = load("cifar100", tree, download=False)
    assert torch.equal(first.train_images, again.train_images)
    kept = tree / "cifar100.safetensors"
    content = bytearray(kept.read_bytes())
    content[-1500] ^= 1  # a pixel: neither shape nor labels show it
    kept.write_bytes(content)
    with pytest.raises(InputError, match=r"SHA-256 of train_images .*kept as cifar100\.safetensors\.damaged"):
        load("cifar100", tree, download=False)
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["train", "test", "meta"])
def test_a_file_with_another_md5_is_refused_before_it_is_decoded(
    tree: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree / "cifar-100-python" / file
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    if file != "meta":  # which torchvision checks last
        monkeypatch.setattr("torchvision.datasets.cifar.pickle.load", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(InputError, match="corrupted"):
        load("cifar100", tree, download=False)


def test_generated_files_are_not_taken_for_the_real_ones(tmp_path: Path) -> None:
    write_cifar100(tmp_path, 200, 100)
    with pytest.raises(InputError, match="not found or corrupted"):
        load("cifar100", tmp_path, download=False)


def test_classes_of_unequal_size_and_other_names_are_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as others:
        others.setitem(KNOWN, "cifar100", replace(KNOWN["cifar100"], class_names=REAL.class_names))
        with pytest.raises(InputError, match="class names in cifar-100-python/meta"):
            load("cifar100", tree, download=False)
    monkeypatch.setattr("torchvision.datasets.CIFAR100", write_cifar100(tree / "b", 200, 99))
    with pytest.raises(InputError, match=r"test_images is torch.uint8 \(99, 32, 32, 3\)"):
        load("cifar100", tree / "b", download=False)


def test_nowhere_says_what_to_put_where(tree: Path) -> None:
    with pytest.raises(InputError) as caught:
        load("cifar100", tree / "empty")
    message = str(caught.value)
    for part in (str(tree / "empty"), "cifar-100-python/train, test and meta", "no network in this test"):
        assert part in message
    assert "npm" not in message


def test_the_generated_set_needs_no_file() -> None:
    images = load("generated-cifar100")
    assert len(images.class_names) == 100 and images.train_images.shape == (600, 32, 32, 3)
    assert torch.bincount(images.train_labels.long()).tolist() == [6] * 100
