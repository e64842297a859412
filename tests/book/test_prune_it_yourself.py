"""The page "Prune it yourself": its script computes what PyTorch does, its controls do what they say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from book.prune_it_yourself.__main__ import accuracy, four_bits, masks, pack
from book.prune_it_yourself.cut import cut
from book.prune_it_yourself.network import from_integers, to_integers
from lib.analysis.files import REPOSITORY
from lib.book.prune_it_yourself import parts, read_made, retrained
from lib.models import build
from lib.pruning import select

from .browser import Reading, check_page, read

BOOK = REPOSITORY / "book"
MADE: dict[str, Any] = read_made(BOOK) or {}
ACCURACY = MADE["accuracy (%)"]
CURVES = MADE["curves"]
SLIDER = "input[name=step]"


def test_the_cut_that_is_shown_is_the_one_of_the_book():
    weights = {"a": torch.randn(30, 20), "b": torch.randn(7, 5)}
    everything = {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}
    kept = select({name: w.abs() for name, w in weights.items()}, everything, 0.5, keep=0.2)
    found = cut(weights, 0.2)
    assert all(torch.equal(found[name], weights[name] * kept[name]) for name in weights)


def test_small_integers_cost_no_accuracy():
    exact = ACCURACY["float32, all test images"]
    for name in ("16 bits, all test images", "16 bits, 4-bit pixels, all test images"):
        assert abs(ACCURACY[name] - exact) <= 0.1
    assert CURVES["magnitude"][0] == ACCURACY["16 bits, 4-bit pixels, these digits"]
    state = {"weight": torch.randn(30, 20), "bias": torch.randn(30)}
    kept, scales = to_integers(state)
    again = from_integers(kept, scales)
    assert torch.equal(again["bias"], state["bias"]) and kept["weight"].dtype == torch.int16
    assert (again["weight"] - state["weight"]).abs().max() <= 0.51 * scales["weight"]


def test_pixels_fit_into_four_bits():
    images = torch.tensor([[0, 8, 9, 255]], dtype=torch.uint8)
    assert four_bits(images).tolist() == [[0, 0, 1, 15]]
    assert pack(four_bits(images)).tolist() == [[0, 31]]
    assert accuracy(torch.eye(4), torch.tensor([0, 1, 2, 0])) == 75


def test_masks_leave_what_is_asked_for():
    network = build("lenet-300-100")
    for way in ("magnitude", "layer", "random", "largest"):
        kept = masks(network, way, 0.1)
        assert sum(int(mask.sum()) for mask in kept.values()) == 26520
        assert way != "layer" or [int(mask.sum()) for mask in kept.values()] == [23520, 3000]


def test_a_missing_network_or_table_is_said_in_words(tmp_path: Path):
    assert "python -m book.prune_it_yourself" in parts(tmp_path, REPOSITORY)["prune_it_yourself"]
    assert retrained(MADE, tmp_path) == {}
    found = parts(BOOK, tmp_path)
    assert "No table of retrained networks" in found["prune_it_yourself_seen"]


def test_retrained_networks_come_from_the_largest_scale_that_has_them():
    found = retrained(MADE, REPOSITORY)["magnitude"]
    assert found["label"].startswith("paper scale, 58,000 training images, 3 seeds")
    assert [level["share"] for level in found["levels"][:3]] == pytest.approx([1, 0.8, 0.64], abs=1e-4)
    assert all(90 < level["mean"] < 100 and level["std"] > 0 for level in found["levels"])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interactive part alone, on a page of its own."""
    inside = parts(BOOK, REPOSITORY)["prune_it_yourself"].split("html\n", 1)[1].rpartition("\n`````")[0]
    page = tmp_path_factory.mktemp("prune") / "page.html"
    page.write_text(
        f'<!doctype html><html lang="en" data-theme="light"><title>t</title><body>{inside}</body></html>', "utf-8"
    )
    assert page.stat().st_size < 1_500_000
    return page.as_uri()


@contextmanager
def opened(browser: Browser, address: str, **how: Any) -> Iterator[Page]:
    """Open the page; afterwards nothing may have gone wrong."""
    with read(browser, address, **how) as reading:
        reading.page.wait_for_selector("#prune:not([hidden])")
        yield reading.page
        _check(reading)


def _check(reading: Reading) -> None:
    assert not reading.errors and not reading.requests and reading.overflow() <= 0


def move(page: Page, name: str, step: int) -> None:
    page.locator(f"#prune input[name={name}]").evaluate(
        "(slider, step) => { slider.value = step; slider.dispatchEvent(new Event('input', {bubbles: true})); }", step
    )


def shows(page: Page, name: str, text: str) -> None:
    expect(page.locator(f"[data-show='{name}']")).to_have_text(text)


@pytest.mark.browser
def test_accuracy_falls_as_the_slider_moves_and_is_that_of_pytorch(browser: Browser, address: str):
    with opened(browser, address) as page:
        whole = ACCURACY["16 bits, 4-bit pixels, these digits"]
        shows(page, "accuracy", f"{whole:.1f} %")
        expect(page.locator("[role=status]")).to_contain_text("No digit breaks")
        for step in (1, 12, 40, 60, 96):
            move(page, "step", step)
            shows(page, "accuracy", f"{CURVES['magnitude'][step]:.1f} %")
        assert CURVES["magnitude"][60] < whole - 10
        last = retrained(MADE, REPOSITORY)["magnitude"]["levels"][-1]
        shows(page, "retrained", f"{last['mean']:.1f} ± {last['std']:.1f} %")
        page.get_by_label("the same share of each layer").check()
        shows(page, "accuracy", f"{CURVES['layer'][96]:.1f} %")
        shows(page, "retrained", "–")
        page.get_by_label("both layers together").check()
        page.get_by_label("the largest").check()
        move(page, "step", 4)
        shows(page, "accuracy", f"{CURVES['largest'][4]:.1f} %")
        page.get_by_role("button", name="Put all weights back").click()
        shows(page, "accuracy", f"{whole:.1f} %")
        found = page.evaluate("document.getElementById('prune').logits(1).slice(0, 50)")
        first = [z for digit in MADE["logits of the first digits"] for z in digit]
        assert [found[str(i)] if isinstance(found, dict) else found[i] for i in range(50)] == pytest.approx(
            first, abs=1e-3
        )
        assert (
            float(page.locator("#prune").get_attribute("data-milliseconds") or 1e9) < 500
        )  # some 25 on an idle desktop


@pytest.mark.browser
def test_random_cuts_differ_from_draw_to_draw_and_layers_may_have_shares_of_their_own(browser: Browser, address: str):
    with opened(browser, address) as page:
        page.get_by_label("random ones").check()
        move(page, "step", 16)
        shows(page, "left", "41.0 %")
        before = page.locator("[data-show=wall]").get_attribute("aria-label")
        page.get_by_role("button", name="Draw other random weights").click()
        expect(page.locator("[data-show=wall]")).not_to_have_attribute("aria-label", before or "")
        page.get_by_label("a share for each layer").check()
        expect(page.locator(SLIDER)).to_be_hidden()
        move(page, "step1", 8)
        shows(page, "share1", "64.0 %")
        shows(page, "share2", "100.0 %")
        expect(page.locator("[data-show=layers]")).to_contain_text("first layer 64.0 %, second 100.0 %")


@pytest.mark.browser
def test_pixels_and_digits_can_be_chosen_by_mouse_and_by_keyboard(browser: Browser, address: str):
    with opened(browser, address) as page:
        page.get_by_role("slider", name="Weights left").focus()
        page.keyboard.press("End")
        expect(page.locator(SLIDER)).to_have_value("96")
        page.locator("[data-show=mask]").click(position={"x": 1, "y": 1})
        expect(page.locator("[data-show='pixel-text']")).to_contain_text("Row 0, column 0: 0 of 300 weights left")
        page.get_by_role("slider", name="Row").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-show='pixel-text']")).to_contain_text("Row 1, column 0")
        menu = page.get_by_role("combobox", name="Digit")
        broken = menu.locator("option").nth(5)
        words = broken.inner_text()
        menu.select_option(broken.get_attribute("value"))
        shows(
            page,
            "digit-title",
            f"A{words[1:].split(',')[0]}, read as {words[2]} before and as {words[-1]} after the cut",
        )
        menu.select_option(label="a 9 (no. 50)")
        expect(page.locator("[data-show='digit-title']")).to_contain_text("A 9 (no. 50), read as")
        assert page.locator("[data-show=logits] tr").count() == 10
        assert page.locator("[data-show=logits] .prune-answer").count() == 2


@pytest.mark.browser
def test_without_scripts_a_table_has_the_numbers(browser: Browser, address: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#prune")).to_be_hidden()
    expect(page.locator("noscript table tbody tr").first).to_contain_text(f"{CURVES['magnitude'][0]:.1f}")
    context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_of_the_book_reads_well(toy_book: Path, browser: Browser):
    page = toy_book / "_build" / "html" / "prune_it_yourself.html"
    assert page.stat().st_size < 1_500_000
    check_page(browser, page.as_uri())
    text = page.read_text("utf-8")
    assert "function cut(scores, count)" in text and "magnitudes" in text
    assert f"{ACCURACY['float32, all test images']:.2f} %" in text and "No table of retrained networks" in text
