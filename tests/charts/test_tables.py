import base64
import math
import re

import pandas
import pytest

from lib.charts import table, verdict_table, wide_table
from lib.charts.tables import download_link
from lib.errors import InputError


def test_a_table_escapes_its_text_and_has_a_dash_for_nothing():
    made = table(pandas.DataFrame({"noise_percent": [5.0, math.nan], "words": ["<b>", None]}), "small").to_html()
    assert "label noise (%)" in made and "&lt;b&gt;" in made and "<b>" not in made and made.count("–") == 2


def test_verdicts_are_said_by_sign_word_and_colour():
    made = verdict_table([{"claim": "TR-C07", "verdict": "reproduced", "reason": "a < b"}]).to_html()
    assert "✓ reproduced" in made and "background-color" in made and "a &lt; b" in made
    with pytest.raises(InputError, match="undecided"):
        verdict_table([{"verdict": "undecidedly"}])
    with pytest.raises(InputError, match="no verdicts"):
        verdict_table([])


def test_only_named_columns_have_a_menu_and_text_is_escaped():
    rows = [["5", "<b>"], [("6", "good"), "1"]]
    made = wide_table(["table", "mean"], rows, classes={"mean": "number"}, menus=["table"])
    assert "<th data-menu>table</th>" in made and '<th class="number">mean</th>' in made
    assert '<td class="number">&lt;b&gt;</td>' in made and '<span class="verdict good">6</span>' in made
    assert 'class="filterable table"' in made
    assert 'class="table"' in wide_table(["a"], []) and "data-menu" not in wide_table(["a"], [])


def test_a_link_holds_the_whole_file():
    made = download_link("a,b\n1,µ\n", "numbers.csv", "Save <all>")
    found = re.search(r'download="numbers.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', made)
    assert found and base64.b64decode(found[1]).decode("utf-8") == "a,b\n1,µ\n"
    assert "Save &lt;all&gt;" in made
