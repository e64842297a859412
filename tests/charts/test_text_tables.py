import pandas as pd

from lib.charts.text_tables import text_table


def test_text_in_a_table_is_escaped():
    html = text_table(pd.DataFrame({"what": ["<b>"]}), "small").to_html()
    assert "&lt;b&gt;" in html and "T_small" in html
