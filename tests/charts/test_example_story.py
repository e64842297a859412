import json

import numpy
import pandas
import pytest

from lib.charts import example_story
from lib.charts.theme import specification
from lib.errors import InputError
from tests.charts import made


def story(**given):
    places = [(g, i) for g in (1, 2, 3) for i in (1, 2)]
    cells = [{"group": g, "example": i, "score": g + i / 10, "original": "17"[g < 3]} for g, i in places]
    examples = pandas.DataFrame(cells).assign(label="7", table=made.LABEL, noise_percent=15.0)
    losses = pandas.concat(
        [
            made.rows({0: [0.1, 0.2], 1: [g * i, g * i + 0.1]}, noise_percent=15.0).assign(group=g, example=i)
            for g in (1, 2, 3)
            for i in (1, 2)
        ]
    )
    pictures = numpy.zeros((len(examples), 28, 28), dtype=numpy.uint8)
    return example_story(examples, pictures, losses, menus=["noise_percent"], title="From a group to an image", **given)


def test_the_hardest_group_is_shown_first_with_its_images_and_labels():
    chart = story()
    spec = specification(chart)
    text = spec["description"]
    assert "Example 1 of group 3: label 7, before noise 1; EL2N 3.1." in text and "group 2:" not in text
    choices = {p["name"]: p["value"] for p in spec["params"] if p["name"] in ("group", "example")}
    assert choices == {"group": [{"group": 3}], "example": [{"example": 1}]}
    drawn = made.svg(chart)
    assert drawn.count("<image") == 2 and "(was 1)" in drawn, "the images of one group"
    assert len([row for row in made.sets(chart) if "image" in row]) == 6
    assert made.svg(story(group=1)).count("(was 1)") == 0


def test_losses_have_their_replicates():
    (line,) = [row for row in made.lines_of(story()) if (row["group"], row["example"]) == (3, 2)]
    assert line["mean"] == [0.15, 6.05] and line["values"] == [[0.1, 0.2], [6.0, 6.1]] and line["labels"] == "replaced"
    assert "datum.group == group_group" in json.dumps(specification(story()))


def test_every_example_needs_a_picture():
    with pytest.raises(InputError, match="picture"):
        example_story(pandas.DataFrame({"group": [1]}), [], made.rows({0: [1.0]}), title="None")
