import base64
import io

import numpy as np
import pytest
import vl_convert
from PIL import Image

from lib.charts.example_images import ExampleSet, data_url, labelled_examples, worst_examples
from lib.charts.theme import VEGALITE_VERSION
from lib.errors import InputError
from tests.charts import made_up

IMAGES = np.arange(5 * 28 * 28, dtype=np.uint8).reshape(5, 28, 28)
LABELS, ORIGINAL = np.array([7, 1, 2, 3, 4]), np.array([1, 1, 2, 3, 4])


def test_the_highest_losses_come_first_with_both_labels():
    chart = worst_examples(
        IMAGES, LABELS, ORIGINAL, [5.0, 1.0, np.nan, 9.0, 2.0], count=3, note="laptop, 15 % noise"
    )
    specification = chart.to_dict()
    rows = made_up.rows_of(specification, "image")
    assert [row["example"] for row in rows] == [3, 0, 4]
    assert [row["label"] for row in rows] == ["3", "7 (was 1)", "4"]
    assert "laptop, 15 % noise" in " ".join(specification["title"]["subtitle"])
    assert "9.00 nats for 3" in specification["description"]
    assert vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION).count("<image") == 3


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28), (3, 32, 32), (32, 32, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_images_of_every_layout_become_pictures(shape, kind):
    image = np.full(shape, 255 if kind == np.uint8 else 1.0, dtype=kind)
    picture = Image.open(io.BytesIO(base64.b64decode(data_url(image).split(",")[1])))
    assert picture.width == picture.height >= 64
    extrema = np.asarray(picture)
    assert extrema.min() == extrema.max() == 255


def test_what_is_no_set_of_examples_is_refused():
    with pytest.raises(InputError, match="5 images"):
        worst_examples(IMAGES, LABELS[:4], ORIGINAL, np.ones(5))
    with pytest.raises(InputError, match="finite"):
        worst_examples(IMAGES, LABELS, ORIGINAL, np.full(5, np.inf))
    with pytest.raises(InputError, match="channels"):
        data_url(np.zeros((2, 28, 28)))


def ranked(name="laptop", count=5, **changed):
    """A set of made-up examples; the second and the fourth are predicted otherwise than labelled."""
    parts = {
        "images": IMAGES[:count], "labels": LABELS[:count], "predictions": np.array([7, 5, 2, 9, 4])[:count],
        "original_labels": ORIGINAL[:count], "changes": np.linspace(3, 1, 5)[:count],
    }  # fmt: skip
    return ExampleSet(name, f"mnist-lenet, {name} scale, 3 replicates.", **{**parts, **changed})


def test_labels_and_predictions_stand_under_the_images():
    specification = labelled_examples([ranked()], title="Worsened").to_dict()
    rows = made_up.rows_of(specification, "image")
    assert [row["label"] for row in rows] == ["7 · 7", "1 · 5 ✗", "2 · 2", "3 · 9 ✗", "4 · 4"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0]["original"] == "1" and rows[4]["change"] == 1
    assert "2 of them are mostly predicted otherwise" in specification["description"]
    assert "laptop scale, 3 replicates" in made_up.texts(specification)
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION)
    assert svg.count("<image") == 5 and "3 · 9 ✗" in svg


def test_names_of_classes_take_two_lines_and_four_columns():
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    rows = made_up.rows_of(labelled_examples([ranked()], title="x", class_names=names).to_dict(), "image")
    assert rows[1]["label"] == "automobile\ndog ✗"
    assert max(row["column"] for row in rows) == 3


def test_a_menu_switches_sets():
    specification = labelled_examples([ranked(), ranked("paper", 3)], title="x").to_dict()
    menu = next(p for p in specification["params"] if p["name"] == "table_menu")
    assert menu["bind"]["options"] == ["laptop", "paper"]
    assert all(
        {"filter": "datum.table == table_menu"} in layer["transform"] for layer in specification["layer"]
    )
    assert vl_convert.vegalite_to_svg(specification, vl_version=VEGALITE_VERSION).count("<image") == 5, (
        "one set is drawn at a time"
    )


def test_examples_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="at least one"):
        labelled_examples([], title="x")
    with pytest.raises(InputError, match="given: 5, 5, 4"):
        labelled_examples([ranked(predictions=[1, 2, 3, 4])], title="x")
