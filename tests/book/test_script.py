"""The book's script rearranges a chart that is wider than its screen."""

import pytest
from playwright.sync_api import Browser

from lib.book.extension import ASSETS

WIDE = {
    "title": {"text": ["A network,", "level by level"], "subtitle": "where it comes from"},
    "hconcat": [
        {"mark": "bar", "title": {"text": {"expr": "narrow ? ['Error at', 'each level'] : 'Error at each level'"}}},
        {"layer": [{"mark": "line", "encoding": {"x": {"title": "weights"}}}], "title": "Weights left per pixel"},
    ],
}  # fmt: skip


@pytest.mark.browser
def test_a_narrow_chart_has_its_panels_below_each_other_and_its_titles_in_lines(browser: Browser):
    page = browser.new_page()
    page.add_script_tag(content=(ASSETS / "charts.js").read_text("utf-8"))
    found = page.evaluate("(spec) => narrow(spec, 96)", WIDE)
    page.close()
    assert found["title"]["text"] == ["A network,", "level by", "level"]
    assert found["title"]["subtitle"] == ["where it comes", "from"]
    bars, lines = found["vconcat"]
    assert bars["title"] == WIDE["hconcat"][0]["title"], "an expression breaks its own lines"
    assert lines["title"]["text"] == ["Weights left", "per pixel"]
    assert lines["layer"][0]["encoding"]["x"]["title"] == "weights"
