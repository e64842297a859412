"""The book's script rearranges a wide chart, lights a seed in all charts of a page, and plays one that advances."""

from pathlib import Path

import pandas
import pytest
import vl_convert
from playwright.sync_api import Browser, Page

from lib.book.extension import ASSETS, figure
from lib.charts import advancing, lines
from lib.charts.controls import LIT
from lib.charts.theme import VEGALITE_VERSION, specification
from tests.charts import made

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


def open_charts(browser: Browser, folder: Path, charts, **settings) -> Page:
    """Open a page that has nothing but these charts and the book's script."""
    code = vl_convert.javascript_bundle((ASSETS / "charts.js").read_text("utf-8"), vl_version=VEGALITE_VERSION)
    (folder / "charts.js").write_text(f"(function () {{\n{code}\n}})();\n", "utf-8")
    body = "".join(figure(specification(chart)) for chart in charts)
    head = "<meta charset=utf-8><style>.drawing { display: block !important }</style>"
    text = f"<!doctype html>{head}<body>{body}<script src=charts.js></script>"
    (folder / "page.html").write_text(text, "utf-8")
    page = browser.new_context(viewport={"width": 900, "height": 1400}, **settings).new_page()
    page.goto((folder / "page.html").as_uri())
    page.wait_for_function("[...document.querySelectorAll('figure')].every((each) => each.dataset.state === 'drawn')")
    return page


def signals(page: Page, name: str) -> list:
    """Return a signal of every chart."""
    return page.evaluate("(n) => [...document.querySelectorAll('figure')].map((f) => f.vegaView.view.signal(n))", name)


@pytest.mark.browser
def test_a_seed_is_lit_in_all_charts_by_mouse_and_keyboard(browser: Browser, tmp_path: Path):
    numbers = {0: [6.0, 8.0, 9.0], 1: [5.0, 7.0, 8.0], 2: [3.0, 4.0, 5.5]}
    few = made.rows({level: values[:2] for level, values in numbers.items()})
    charts = [lines(rows, x=made.SIZE, title="Errors") for rows in (made.rows(numbers), made.rows(numbers), few)]
    page = open_charts(browser, tmp_path, charts)
    dots = page.locator("figure").first.locator("path[stroke=transparent]")
    assert dots.count() == 9
    dots.nth(4).click()
    page.wait_for_timeout(100)
    assert signals(page, LIT) == [1, 1, 1]
    page.keyboard.press("Escape")
    page.wait_for_timeout(100)
    assert signals(page, LIT) == [None, None, None]
    page.locator(f"select[name={LIT}]").nth(1).select_option("2")
    page.wait_for_timeout(100)
    assert signals(page, LIT) == [2, 2, None], "a chart without this seed is left alone"
    page.locator("figure").first.locator("svg.marks").click(position={"x": 5, "y": 5})
    page.wait_for_timeout(100)
    assert signals(page, LIT) == [None, None, None]
    page.context.close()


@pytest.mark.browser
def test_what_is_chosen_stays_when_a_phone_is_turned(browser: Browser, tmp_path: Path):
    rows = pandas.concat([made.rows({0: [6.0, 8.0], 1: [5.0, 7.0]}).assign(noise_percent=n) for n in (0.0, 20.0)])
    page = open_charts(browser, tmp_path, [lines(rows, x=made.SIZE, menus=["noise_percent"], title="Errors")])
    menu = page.locator("select[name=noise_percent_menu]")
    first, second = menu.locator("option").all_text_contents()
    menu.select_option(second)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.querySelector('figure').drawnWidth < 500")
    assert signals(page, "noise_percent_menu") == [second] and menu.input_value() == second != first
    page.context.close()


@pytest.mark.browser
def test_a_chart_plays_and_takes_its_time_where_less_motion_is_asked_for(browser: Browser, tmp_path: Path):
    chart = advancing(made.rows({k: [6.0, 7.0] for k in range(4)}), colour="algorithm", seconds=0.3, title="Errors")
    page = open_charts(browser, tmp_path, [chart])
    assert signals(page, "until_slider") == [3]
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('figure').vegaView.view.signal('until_slider') < 3")
    page.wait_for_function("document.querySelector('figure').vegaView.view.signal('until_slider') === 3")
    assert page.get_by_role("button", name="Play").count() == 1, "it stops at the end"
    page.context.close()
    calm = open_charts(browser, tmp_path, [chart], reduced_motion="reduce")
    calm.get_by_role("button", name="Play").click()
    calm.wait_for_timeout(1300)
    assert signals(calm, "until_slider") == [1], "a level at a time"
    calm.get_by_role("button", name="Pause").click()
    calm.context.close()
