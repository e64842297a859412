"""A small book with a real chart, read in a real browser that has no network."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from lib.book import extension
from lib.book.build import build
from lib.errors import InputError

from . import toy
from .browser import CHART, PHONE, check_page, read

GUIDE = ("index", "how_to_read", "how_to_rerun", "glossary", "references", "scoreboard", "runs")


def address(root: Path, page: str) -> str:
    return (root / "_build" / "html" / f"{page}.html").as_uri()


def width_of(place: Locator) -> float:
    box = place.bounding_box()
    assert box, "not on the page"
    return box["width"]


def test_no_page_names_a_resource_of_the_network(toy_book: Path):
    loads = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//"""
    )
    canonical = re.compile(r"""<link[^>]+rel=["']?canonical[^>]*>""")
    for page in (toy_book / "_build" / "html").rglob("*.html"):
        assert not loads.search(canonical.sub("", page.read_text("utf-8"))), page.name


def test_only_pages_with_charts_load_the_chart_script(toy_book: Path):
    html = toy_book / "_build" / "html"
    assert extension.CHART_SCRIPT in (html / "papers" / f"{toy.NAME}.html").read_text("utf-8")
    assert extension.CHART_SCRIPT not in (html / "glossary.html").read_text("utf-8")
    assert extension.TABLE_SCRIPT in (html / "scoreboard.html").read_text("utf-8")


def test_an_unknown_engine_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="jupyter-book, sphinx"):
        build(tmp_path, tmp_path, "latex")


def test_a_warning_fails_the_build_and_is_shown(tmp_path: Path):
    (tmp_path / "conf.py").touch()
    (tmp_path / "index.rst").write_text("A book\n======\n\n:doc:`missing`\n", "utf-8")
    with pytest.raises(RuntimeError, match="unknown document: 'missing'"):
        build(tmp_path, tmp_path / "out", "sphinx")


def test_a_figure_has_drawing_data_and_name():
    text = extension.figure(toy.panels().to_dict())
    assert 'aria-label="Training loss on noisy and original examples"' in text
    assert text.count("</script>") == 1, "data that spells a closing tag must not end the script"
    assert "<svg" in text


@pytest.mark.browser
def test_charts_are_drawn_and_answer_on_desktop_and_phone(browser: Browser, toy_book: Path):
    assert check_page(browser, address(toy_book, f"papers/{toy.NAME}")) == 2


@pytest.mark.browser
def test_a_figure_can_be_cited_on_every_page_of_the_same_source(browser: Browser, toy_book: Path):
    with read(browser, address(toy_book, f"papers/{toy.VARIANT}")) as reading:
        cited = reading.page.get_by_role("link", name=re.compile(r"^Fig\. \d+$"))
        assert cited.get_attribute("href") == "#fig-toy-other-seed"


@pytest.mark.browser
@pytest.mark.parametrize("page", GUIDE)
def test_the_guide_reads_well(browser: Browser, toy_book: Path, page: str):
    assert check_page(browser, address(toy_book, page)) == 0


@pytest.mark.browser
def test_a_wide_chart_is_rearranged_to_fit_a_phone(browser: Browser, toy_book: Path):
    with read(browser, address(toy_book, f"papers/{toy.NAME}"), PHONE) as reading:
        reading.wait_for_charts()
        for number in range(2):
            chart = reading.page.locator(CHART).nth(number)
            drawing = chart.locator("svg.marks").first
            assert width_of(drawing) <= width_of(chart)
            sizes = drawing.locator("text").evaluate_all("(all) => all.map((each) => getComputedStyle(each).fontSize)")
            smallest = min(float(size.removesuffix("px")) for size in sizes)
            assert smallest >= 9, "the text of a chart must stay readable"


@pytest.mark.browser
def test_hovering_over_a_point_shows_its_numbers(browser: Browser, toy_book: Path):
    with read(browser, address(toy_book, f"papers/{toy.NAME}")) as reading:
        reading.wait_for_charts()
        point = reading.page.locator(f"{CHART} svg .mark-symbol.role-mark path").last
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box
        reading.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        reading.page.wait_for_function("document.querySelector('#vg-tooltip-element.visible')", timeout=5000)
        assert "test_error_percent" in reading.page.locator("#vg-tooltip-element").inner_text()


@pytest.mark.browser
def test_the_scoreboard_filters_and_opens_as_a_link_asks(browser: Browser, toy_book: Path):
    with read(browser, address(toy_book, "scoreboard")) as reading:
        rows = reading.page.locator("table.scoreboard").first.locator("tbody tr:visible")
        assert rows.count() == 39, "the claims of the paper that has a page"
        bar = reading.page.locator(".controls").first
        bar.locator("label", has_text="verdict").locator("select").select_option("reproduced")
        assert rows.count() == 1
        bar.locator("label", has_text="verdict").locator("select").select_option("")
        bar.locator("input[type=search]").fill("replicate needed")
        assert rows.count() == 1
        assert "TR-C08" in rows.first.inner_text()
    with read(
        browser, address(toy_book, "scoreboard") + "#paper=Training%20and%20regularization&state=open"
    ) as reading:
        rows = reading.page.locator("table.scoreboard").first.locator("tbody tr:visible")
        expect(rows).to_have_count(38)
    with read(browser, address(toy_book, "scoreboard") + "#LIP-C01", PHONE) as reading:
        expect(reading.page.locator("#LIP-C01")).to_be_in_viewport()


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_link_to_the_glossary_shows_its_definition(browser: Browser, toy_book: Path, dark: bool):
    with read(browser, address(toy_book, f"papers/{toy.NAME}"), dark=dark) as reading:
        link, tip = reading.page.locator("a[href$='#term-level']"), reading.page.get_by_role("tooltip")
        expect(tip).to_be_hidden()
        link.hover()
        expect(tip).to_contain_text("How often a network has been pruned")
        tip.hover()
        reading.page.wait_for_timeout(400)
        expect(tip, "it stays while the pointer is on it").to_be_visible()
        reading.page.mouse.move(0, 0)
        expect(tip).to_be_hidden()
        link.focus()
        reading.page.keyboard.press("Shift+Tab")
        reading.page.keyboard.press("Tab")
        expect(tip).to_be_visible()
        assert link.get_attribute("aria-describedby") == tip.get_attribute("id")
        reading.page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        assert not reading.errors


@pytest.mark.browser
def test_a_touch_shows_the_definition_instead_of_leaving_the_page(browser: Browser, toy_book: Path):
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    page.goto(address(toy_book, f"papers/{toy.NAME}"))
    page.locator("a[href$='#term-level']").tap()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("How often a network has been pruned")
    box = tip.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    tip.get_by_role("link", name="In the glossary").tap()
    page.wait_for_url("**/glossary.html#term-level")
    context.close()


@pytest.mark.browser
def test_without_scripts_the_charts_are_still_there(browser: Browser, toy_book: Path):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address(toy_book, f"papers/{toy.NAME}"))
    drawings = page.locator(f"{CHART} .drawing[role=img] svg")
    assert drawings.count() == 2
    assert width_of(drawings.first) > 300
    context.close()
