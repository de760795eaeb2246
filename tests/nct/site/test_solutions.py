"""The pages of numbers, in a browser."""

import base64
import json

import numpy as np
import pytest
from browser import visit

pytest.importorskip("py_mini_racer")

from nct.ledger import LedgerFile
from nct.site.build import write_site
from nct.site.solutions import solution_pages
from theory import dufm
from theory.ufm import layer_peeled


@pytest.fixture(scope="module")
def pages():
    return {page.path: page for page in solution_pages()}


@pytest.fixture(scope="module")
def site(pages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_site(LedgerFile(), folder, further=tuple(pages.values()))
    return folder


def test_the_table_s_entries_are_cells(pages):
    context = pages["best_known.html"].context
    cells = {(cell["K"], cell["L"]): cell for cell in json.loads(context["cells"])}
    table = dufm.best_known_table()
    assert len(cells) == len(table) == len(context["ratios"])
    for entry in table:
        cell = cells[entry.K, entry.L]
        assert cell["ratio"] == entry.ratio
        assert 0 < cell["bound"] <= 1 + 1e-9
        assert len(cell["grams"]) == entry.L
    gram = dufm.best_known(10, 4).gram(2)
    told = cells[10, 4]["grams"][1]
    steps = np.frombuffer(base64.b64decode(told["steps"]), dtype=np.int8).reshape(10, 10)
    assert np.abs(steps * told["scale"] / 127 - gram).max() <= told["scale"] / 254 * 1.001


def test_the_curves_are_the_library_s(pages):
    ratio = json.loads(pages["ratio.html"].context["data"])
    i, j, k = 4, 1, 30
    assert ratio["ratio"][i][j][k] == pytest.approx(
        dufm.loss_ratio(ratio["K"][i], ratio["L"][j], ratio["lam"][k]), abs=1e-5
    )
    minority = json.loads(pages["minority.html"].context["data"])
    budget = minority["budget"][7]
    expected = layer_peeled.minority_collapse_threshold(3, 4, budget, budget)
    assert minority["threshold"][1][2][7] == expected


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_pages_in_a_browser(site, width, scheme):
    with visit(width=width, scheme=scheme) as browser:
        page = browser.open(site / "best_known.html")
        page.get_by_role("button", name="K = 10, L = 4", exact=True).click()
        assert "K=10&L=4" in page.url
        panel = page.locator("#cell")
        assert "ranks 5, 5, 5, 10" in panel.inner_text()
        assert panel.locator("canvas").count() == 4
        assert panel.locator("svg circle").count() == 5
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert "K=10&L=5" in page.url
        with page.expect_download() as download:
            panel.get_by_role("link", name="Download").click()
        assert json.loads(download.value.path().read_text(encoding="utf-8"))["L"] == 5
        before = page.get_by_role("button", name="K = 10, L = 4", exact=True).inner_text()
        page.get_by_label("Show").select_option("bound")
        assert page.get_by_role("button", name="K = 10, L = 4", exact=True).inner_text() != before
        assert browser.overflow <= 0
        for name, first, curves in (("ratio.html", "15", 7), ("minority.html", "3", 6)):
            page = browser.open(site / name)
            assert page.locator("path.curve title").count() == curves
            page.locator("#first").select_option(first)
            page.locator("#second").select_option("4")
            assert page.locator("path.curve title").count() == 1
            assert page.url.endswith(f"#first={first}&second=4")
            assert browser.overflow <= 0
    assert browser.requests == []
    assert browser.errors == []
