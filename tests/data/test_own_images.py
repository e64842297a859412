"""A reader's own images: whatever form they come in, the same pixels; and a sentence for what cannot be used."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib.data import constants_of, load, normalization, normalize, own_images, spelled
from lib.errors import InputError
from lib.training import DataRecipe, Replicate, prepare

DIGITS, OBJECTS = load("generated-digits"), load("generated-objects")


def test_every_form_of_the_same_images_is_the_same_set():
    images, labels = OBJECTS.train_images, OBJECTS.train_labels
    forms = [
        images, images.permute(0, 3, 1, 2), images.numpy(), images.long(), images / 255, (images / 255).permute(0, 3, 1, 2),
    ]  # fmt: skip
    names = {own_images(form, some).name for form in forms for some in (labels, labels.long(), labels.tolist())}
    assert len(names) == 1
    own = load(min(names))
    assert own.train_images.shape == (480, 32, 32, 3) and own.test_images.shape == (120, 32, 32, 3)
    grey, without_channel = own_images(DIGITS.train_images, labels), own_images(DIGITS.train_images[..., 0], labels)
    assert grey.name == without_channel.name and grey.train_images.shape == (480, 28, 28, 1)


def test_another_pixel_label_or_share_is_another_set():
    images, labels = DIGITS.train_images.clone(), DIGITS.train_labels.clone()
    names = [own_images(images, labels).name, own_images(images, labels, test=0.3).name]
    images[3, 5, 5] += 1
    names.append(own_images(images, labels).name)
    labels[7] = (labels[7] + 1) % 10
    names.append(own_images(images, labels).name)
    assert len(set(names)) == 4


def test_test_images_may_be_given():
    own = own_images(DIGITS.train_images, DIGITS.train_labels, test=(DIGITS.test_images, DIGITS.test_labels))
    assert torch.equal(own.test_images, DIGITS.test_images) and torch.equal(own.train_images, DIGITS.train_images)


def test_training_sees_them_with_their_own_constants():
    own = own_images(OBJECTS.train_images, OBJECTS.train_labels)
    name = spelled(constants_of(own.train_images))
    examples = prepare(
        DataRecipe(image_set=own.name, validation=48, normalization=name), [Replicate(seed=0)], torch.device("cpu")
    )
    assert len(examples.train_images) == 432 and examples.classes == 10
    inputs = normalize(own.train_images, normalization(name))
    assert inputs.mean((0, 2, 3)).abs().max() < 1e-3 and (inputs.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_constants_of_a_channel_that_never_changes():
    images = torch.full((4, 2, 2, 2), 51, dtype=torch.uint8)
    images[:2, ..., 1] = 255
    assert spelled(constants_of(images)) == "mean 0.2 0.6 std 1 0.4"


@pytest.mark.parametrize("name", ["mean 0.5", "mean 0.5 std 0", "mean 0.5 0.5 std 0.1", "mean . std 1"])
def test_constants_that_cannot_be(name):
    with pytest.raises(InputError, match="mean"):
        DataRecipe(image_set="x", validation=0, normalization=name)


def write(root: Path, sizes=((40, 30), (20, 60)), mode: str = "RGB", each: int = 5, classes=("cat", "dog")) -> Path:
    draw = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(each):
            pixels = draw.integers(0, 128, (*sizes[i % len(sizes)], 3), dtype=np.uint8) + 64 * number
            Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(
                root / name / f"{i}.{'png' if i % 2 else 'jpg'}"
            )
    return root


def test_a_folder_of_classes(tmp_path):
    own = own_images(write(tmp_path / "photos"), side=16)
    assert own.class_names == ("cat", "dog") and own.train_images.shape == (8, 16, 16, 3)
    assert own.test_images.shape == (2, 16, 16, 3) and own.name == own_images(str(tmp_path / "photos"), side=16).name


def test_a_folder_with_its_own_test_part(tmp_path):
    write(tmp_path / "train", each=4, mode="L")
    write(tmp_path / "val", each=3, mode="L")
    own = own_images(tmp_path, side=8)
    assert own.train_images.shape == (8, 8, 8, 1) and own.test_images.shape == (6, 8, 8, 1)
    (tmp_path / "val" / "dog").rename(tmp_path / "val" / "wolf")
    with pytest.raises(InputError, match="different classes, among them dog, wolf"):
        own_images(tmp_path)


def broken(root: Path) -> None:
    (write(root) / "cat" / "0.jpg").write_bytes(b"no image")


def empty(root: Path) -> None:
    (write(root) / "eel").mkdir()


def flat(root: Path) -> None:
    write(root, classes=("only",))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (broken, "0.jpg cannot be read as an image"),
        (empty, "eel has no image; allowed: files ending in .jpg"),
        (flat, "has 1 folders; it needs one folder of images for each class"),
        (lambda root: None, "there is no folder"),
    ],
)
def test_what_is_wrong_with_a_folder(tmp_path, make, says):
    make(tmp_path / "photos")
    with pytest.raises(InputError, match=says):
        own_images(tmp_path / "photos")


IMAGES, LABELS = torch.zeros(6, 1, 4, 4), torch.tensor([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (torch.zeros(6, 16), LABELS, r"images are \[6, 16\]; allowed: \[N, channels"),
        (torch.zeros(6, 1, 0, 4), LABELS, "allowed"),
        ("text that is no folder", LABELS, "leave labels out"),
        ({"a": 1}, LABELS, "images are a dict"),
        (IMAGES, None, "without labels"),
        (IMAGES - 1, LABELS, "fractions from -1 to -1; allowed: 0 to 1"),
        (IMAGES * torch.nan, LABELS, "fractions from nan"),
        (IMAGES.long() + 256, LABELS, "go from 256 to 256"),
        ((IMAGES.long() + 1000).to(torch.uint16), LABELS, "go from 1000 to 1000"),
        (IMAGES, LABELS[:5], "6 images have 5 labels"),
        (IMAGES, LABELS.float(), r"of type float32; allowed: whole numbers from 0, such as labels.long\(\)"),
        (IMAGES, LABELS == 0, "of type bool"),
        (IMAGES, torch.eye(6), r"labels are \[6, 6\].*labels.argmax\(1\)"),
        (IMAGES, ["cat", "dog"] * 3, "labels such as 'cat' are no numbers"),
        (IMAGES, LABELS - 1, "go down to -1"),
        (IMAGES, LABELS * 2, "3 classes, but no image to train on of 1"),
        (IMAGES, LABELS * 0, "same class"),
        (IMAGES[:1], LABELS[:1], "1 images were given"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_tensors(images, labels, says):
    with pytest.raises(InputError, match=says):
        own_images(images, labels)


def test_what_is_wrong_with_the_test_images(tmp_path):
    with pytest.raises(InputError, match=r"test is 2; allowed: a share"):
        own_images(IMAGES, LABELS, test=2)
    with pytest.raises(InputError, match=r"test is a tuple; allowed: .*\(images, labels\)"):
        own_images(IMAGES, LABELS, test=(IMAGES,))  # pyright: ignore[reportArgumentType]
    tested = torch.zeros(6, 32, 32, 3), LABELS * 5
    with pytest.raises(InputError, match=r"test image has label 5; allowed: below 2"):
        own_images(write(tmp_path), test=tested)
    with pytest.raises(InputError, match="images of the test have"):
        own_images(IMAGES, LABELS, test=(IMAGES, LABELS[:2]))
    with pytest.raises(InputError, match=r"training images are \[4, 4, 1\], test images \[5, 5, 1\]"):
        own_images(IMAGES, LABELS, test=(torch.zeros(6, 1, 5, 5), LABELS))
