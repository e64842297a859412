"""The page "What it costs" says what the tables of `book/costs/` say, from all of them to none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lib.analysis.costs import PARTS
from lib.book import costs, extension
from lib.book.build import REPOSITORY
from lib.errors import InputError
from tests.charts import made_up_costs as made_up

from .browser import CHART, check_page

PAGE = "what_it_costs"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    results = tmp_path / "papers" / "training_regularization" / "results" / "additional_regularization"
    results.mkdir(parents=True)
    info = {
        "benchmark": "mnist-lenet", "scale": "paper", "seeds": [0], "precision": "bfloat16",
        "device": "2 <CPU> cores", "date": "2026-11-19", "wall_clock_seconds": 7008.8,
    }  # fmt: skip
    (results / "mnist-lenet_paper.json").write_text(json.dumps(info), "utf-8")
    (results / "mnist-lenet_smoke.json").write_text(json.dumps({**info, "scale": "smoke"}), "utf-8")
    return tmp_path / "papers"


def parts(tmp_path: Path, papers: Path, **tables) -> dict[str, str]:
    made_up.write(tmp_path / "book" / "costs", **tables)
    return costs.parts(tmp_path / "book", papers)


def test_every_part_that_the_page_includes_is_made(tmp_path: Path, papers: Path):
    page = (REPOSITORY / "book" / f"{PAGE}.md").read_text("utf-8")
    included = {line.split("generated/")[1] for line in page.splitlines() if line.startswith("```{include}")}
    for tables in (made_up.EVERYTHING, {}):
        made = parts(tmp_path / str(len(tables)), papers, **tables)
        assert {name for name in made if name.endswith(".md")} == included


def test_without_tables_each_part_says_which_command_measures_it(tmp_path: Path, papers: Path):
    made = parts(tmp_path, papers)
    assert not [name for name in made if name.endswith(".json")]
    for part in PARTS:
        assert f"`python -m lib.benchmark {part} --write`" in made[f"costs_{part}.md"]
        assert "{chart}" not in made[f"costs_{part}.md"]
    assert "has not been measured yet" in made["costs_determinism.md"]
    assert "<td>measured</td>" in made["costs_pages.md"], "committed tables are there in any case"


def test_one_table_is_shown_and_the_others_are_asked_for(tmp_path: Path, papers: Path):
    made = parts(tmp_path, papers, paths_cpu=made_up.PATHS)
    assert "```{chart} /generated/costs_paths_cpu.json\n:name: fig-costs-paths-cpu" in made["costs_paths.md"]
    assert set(made) >= {"costs_paths_cpu.json"} and "costs_epochs_cpu.json" not in made
    assert "has not been measured yet" in made["costs_epochs.md"]


def test_each_device_has_its_chart_its_tables_and_how_they_were_measured(tmp_path: Path, papers: Path):
    text = parts(tmp_path, papers, **made_up.EVERYTHING)["costs_epochs.md"]
    assert text.index("### 2 CPU cores (a model)") < text.index("### one GPU \\[a\\_model\\]")
    assert text.count("{chart}") == 2 and text.count("**mnist-lenet**") == 2
    assert '<td class="number">0.27</td><td class="number">19.6</td><td class="number">0.23</td>' in text
    assert '<td class="number">1.17</td><td class="short">bytes</td>' in text, "times the floor"
    assert "Measured on 2 CPU cores (a model), 2 threads · python 3.11.7, torch 2.15.0 · 2026-11-20" in text
    assert "<code>python -m lib.benchmark epochs --write</code>" in text
    assert "&lt;fast&gt; &amp; &#96;slow&#96;" in text, "notes are escaped"


def test_sparsity_has_a_table_per_network_in_its_unit(tmp_path: Path, papers: Path):
    text = parts(tmp_path, papers, paths_cpu=made_up.PATHS)["costs_paths.md"]
    assert "masks alone (s per replicate and epoch)" in text and "units left out (s per step)" in text
    assert '<td class="number">0.922</td><td class="number">0.49</td><td class="number">0.14</td>' in text


def test_differences_between_precisions_have_a_sign_and_a_spread(tmp_path: Path, papers: Path):
    made = parts(tmp_path, papers, precision_cpu=made_up.PRECISION)
    assert ">−0.05 ± 0.22</td>" in made["costs_precision.md"] and ">+0.10</td>" in made["costs_precision.md"]
    reference = parts(tmp_path, papers, precision_cpu=made_up.PRECISION[:1])
    assert "{chart}" not in reference["costs_precision.md"], "nothing to compare"
    assert ">1.98 ± 0.06</td>" in reference["costs_precision.md"]


def test_estimated_and_measured_pages_stand_together(tmp_path: Path, papers: Path):
    text = parts(tmp_path, papers, pages_cpu=made_up.PAGES)["costs_pages.md"]
    rows = [line for line in text.splitlines() if line.startswith("<tr>")]
    assert len(rows) == 4, "three estimates, one measurement, no smoke scale"
    laptop, estimated, measured = rows[1:]
    assert "3 min" in laptop and "480 replicate epochs" in laptop
    assert "2.2 h" in estimated and "15,840 replicate epochs" in estimated
    assert "1.9 h" in measured and "1 seed, bfloat16" in measured
    assert "2 &lt;CPU&gt; cores" in measured and "2026-11-19" in measured
    assert "Estimated on 2 CPU cores (a model), 2 threads" in text


def test_the_price_of_determinism_is_that_of_the_same_loop(tmp_path: Path, papers: Path):
    text = parts(tmp_path, papers, epochs_cuda=made_up.GPU_EPOCHS)["costs_determinism.md"]
    assert '<td class="number">0.21</td><td class="number">0.252</td><td class="number">1.2</td>' in text
    assert "one GPU [a_model]" in text


def test_determinism_may_also_be_a_row_of_other(tmp_path: Path, papers: Path):
    rows = [("epoch of LeNet, deterministic", 1.2, "times slower", "one replicate")]
    assert "has not been measured" in parts(tmp_path / "a", papers, other_cpu=rows)["costs_determinism.md"]
    text = parts(tmp_path / "b", papers, other_cuda=rows)["costs_determinism.md"]
    assert "times slower" in text and "has not been measured" not in text


def test_a_wrong_table_stops_the_build_with_what_to_do(tmp_path: Path, papers: Path):
    made_up.write(tmp_path / "book" / "costs", paths_cpu=made_up.PATHS)
    path = tmp_path / "book" / "costs" / "paths_cpu.csv"
    path.rename(path.with_stem("paths_gpu"))
    path.with_suffix(".json").rename(path.with_name("paths_gpu.json"))
    with pytest.raises(InputError, match="'gpu'.* Allowed: cpu, cuda, mps"):
        costs.parts(tmp_path / "book", papers)


def test_the_page_is_made_without_torch():
    code = "import sys, lib.book.build, lib.charts.costs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_the_page_loads_the_chart_script_and_numbers_its_figures(toy_book: Path):
    text = (toy_book / "_build" / "html" / f"{PAGE}.html").read_text("utf-8")
    assert extension.CHART_SCRIPT in text and extension.TABLE_SCRIPT in text
    assert text.count('class="book-chart"') == 4
    assert 'id="fig-costs-paths-cpu"' in text and text.count('class="caption-number"') == 4
    assert text.count("<svg") >= 4, "drawings for readers without scripts"


@pytest.mark.browser
def test_the_page_reads_well(browser: Browser, toy_book: Path):
    assert check_page(browser, (toy_book / "_build" / "html" / f"{PAGE}.html").as_uri()) == 4


@pytest.mark.browser
def test_pages_can_be_filtered(browser: Browser, toy_book: Path):
    page = browser.new_page()
    page.goto((toy_book / "_build" / "html" / f"{PAGE}.html").as_uri())
    rows = page.locator("table.filterable tbody tr:visible")
    assert rows.count() == 3
    page.locator("label", has_text="scale").locator("select").select_option("paper")
    assert rows.count() == 2
    assert page.locator(CHART).count() == 4
    page.close()
