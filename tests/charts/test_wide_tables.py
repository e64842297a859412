import base64
import re

from lib.charts.wide_tables import download_link, wide_table


def test_only_named_columns_have_a_menu_and_text_is_escaped():
    made = wide_table(
        ["table", "mean"], [["5", "<b>"], [("6", "good"), "1"]], classes={"mean": "number"}, menus=["table"]
    )
    assert "<th data-menu>table</th>" in made and '<th class="number">mean</th>' in made
    assert '<td class="number">&lt;b&gt;</td>' in made and '<span class="verdict good">6</span>' in made
    assert 'class="filterable table"' in made
    assert 'class="table"' in wide_table(["a"], []) and "data-menu" not in wide_table(["a"], [])


def test_a_link_holds_the_whole_file():
    made = download_link("a,b\n1,µ\n", "numbers.csv", "Save <all>")
    found = re.search(r'download="numbers.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', made)
    assert found and base64.b64decode(found[1]).decode("utf-8") == "a,b\n1,µ\n"
    assert "Save &lt;all&gt;" in made
