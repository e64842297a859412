"""Masks on images: what the slider shows, and what no mask is."""

from typing import Any

import numpy
import pandas
import pytest

from lib.charts import masks
from lib.errors import InputError

IMAGE = numpy.arange(12, dtype="uint8").reshape(2, 2, 3)


def rows(**changes: Any) -> pandas.DataFrame:
    whole = {"picture": 0, "caption": "the image", "order": [], "image": "1", "table": "t"}
    return pandas.DataFrame([whole, whole | {"caption": "the parent", "order": [3, 0, 1, 2]} | changes])


def drawn(**settings: Any) -> dict[str, Any]:
    chart: Any = masks(rows(), {0: IMAGE}, remaining=1, title="Masks", **settings)
    return chart.to_dict()


def test_the_colours_of_the_image_are_kept_pixel_by_pixel():
    found = drawn()
    kept = [one for data in found["datasets"].values() for one in data if "colours" in one]
    assert [one["colours"] for one in kept] == ["000102030405060708090a0b"]


def test_the_slider_runs_over_all_pixels_and_hides_the_first_of_the_order():
    found = drawn(menus=["image"])
    slider = next(one for one in found["params"] if one["name"] == "remaining")
    assert (slider["value"], slider["bind"]["min"], slider["bind"]["max"]) == (1, 1, 4)
    filters = [step["filter"] for layer in found["layer"] for step in layer.get("transform", ()) if "filter" in step]
    assert "datum.whole || datum.rank > 4 - remaining" in filters
    assert "1 of 4 pixels shown" in found["description"] and "the parent" in found["description"]


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 2]])
def test_an_order_that_does_not_name_every_pixel_once_is_refused(order):
    with pytest.raises(InputError, match="names 2 × 2 pixels once"):
        masks(rows(order=order), {0: IMAGE}, remaining=1, title="Masks")


def test_what_is_no_image_is_refused():
    with pytest.raises(InputError, match="1 or 3 channels"):
        masks(rows(), {0: numpy.zeros((2, 2, 2))}, remaining=1, title="Masks")
