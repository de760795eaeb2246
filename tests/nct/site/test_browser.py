"""The site in a real browser, from the disk: what it shows, what it does, and what it must not do."""

import re

import pytest
from browser import visit
from ledgers import FALSE, TRUE, Ledger

pytest.importorskip("py_mini_racer")

from nct.ledger import read_ledger
from nct.site.build import write_site

LONG = "+".join(f"x_{{{number}}}" for number in range(80))
PAGES = ["index.html", "false.html", "graph.html", "papers/example.html", "claims/example.sum-2.html"]


@pytest.fixture
def site(pytester, tmp_path):
    """A site of four claims, one of them with a formula that no window holds."""
    ledger = Ledger(pytester)
    ledger.add("example.sum")
    amended = rf"Statement(r'\\text{{for each m: }} m(m+1)/2 = \\left({LONG}\\right)', {TRUE})".replace("\\\\", "\\")
    ledger.add("example.sum-2", verdict="amended", printed=FALSE, amended=amended, depends_on=["example.sum"])
    ledger.add("example.sum-10", depends_on=["example.sum-2"])
    ledger.add("other.sum")
    assert ledger.run().ret == 0
    write_site(read_ledger(pytester.path / "ledger.json"), tmp_path / "site")
    return tmp_path / "site"


def shown(page):
    return page.locator("#claims tbody tr:visible th a").all_inner_texts()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_pages_fit_the_window_and_need_no_network(site, width, scheme):
    with visit(width=width, scheme=scheme) as browser:
        for name in PAGES:
            page = browser.open(site / name)
            assert browser.overflow <= 0, name
            text = page.locator("main").inner_text()
            assert not re.search(r"\\[a-z]+|\$", re.sub(r"nct\S*|lambda.*", "", text)), name
            for control in page.locator("a, button, input, select, summary").all():
                named = control.evaluate(
                    "e => e.innerText || e.textContent || e.getAttribute('aria-label') || e.labels?.[0]?.innerText"
                )
                assert named, (name, control)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert browser.requests == []
    assert browser.errors == []


def test_formulas_are_drawn_with_their_fonts_and_scroll_by_themselves(site):
    with visit(width=360) as browser:
        page = browser.open(site / "claims" / "example.sum-2.html")
        assert page.locator(".katex").count() >= 2
        page.evaluate("document.fonts.ready")
        assert page.evaluate("[...document.fonts].some((font) => font.status === 'loaded')")
        wide = page.locator(".formula.long").first
        assert wide.evaluate("e => e.scrollWidth > e.clientWidth")
        assert wide.evaluate("e => getComputedStyle(e).overflowX") == "auto"
        assert "for each m" in page.locator(".form.amended").inner_text()
        top = page.locator(".katex .A").first.bounding_box()
        assert top["height"] > 5
    assert browser.errors == []


def test_filters_are_kept_in_the_address(site):
    with visit() as browser:
        page = browser.open(site / "index.html")
        assert shown(page) == ["example.sum", "example.sum-2", "example.sum-10", "other.sum"]
        page.get_by_label("Verdict").select_option("amended")
        assert shown(page) == ["example.sum-2"]
        assert page.locator("#shown").inner_text() == "1 shown"
        assert page.url.endswith("#verdict=amended")
        page.get_by_role("button", name="Clear").click()
        page.wait_for_function("location.hash === ''")
        assert len(shown(page)) == 4
        page.keyboard.press("/")
        page.keyboard.type("sum-10")
        assert shown(page) == ["example.sum-10"]
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/example.sum-10.html")
        page = browser.open(site / "index.html", "#paper=example&kind=derived&text=sum-&sort=-id")
        assert shown(page) == ["example.sum-10", "example.sum-2"]
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Near misses rejected").click()
        assert "sort=misses" in page.url
    assert browser.errors == []


def test_the_graph_is_walked_by_clicks_and_keys(site):
    with visit() as browser:
        page = browser.open(site / "graph.html")
        assert page.locator(".node").count() == 3
        page.locator('.node[data-id="example.sum-2"]').click()
        assert page.url.endswith("#example.sum-2")
        assert "Rests on: example.sum" in page.locator("#selected").inner_text()
        page.keyboard.press("ArrowRight")
        assert page.url.endswith("#example.sum-10")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert page.url.endswith("graph.html#example.sum")
        assert page.locator(".node.near").count() == 3
        page.keyboard.press("Enter")
        page.wait_for_url("**/claims/example.sum.html")
        page.locator('.node[data-id="example.sum-2"]').click()
        page.wait_for_url("**/claims/example.sum-2.html")
        assert page.locator(".node.own").get_attribute("data-id") == "example.sum-2"
    assert browser.errors == []


def test_colours_are_chosen_and_the_citation_is_copied(site):
    with visit(scheme="light") as browser:
        page = browser.open(site / "claims" / "example.sum.html")
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("button", name=re.compile("Copied|Selected")).wait_for()
    assert browser.errors == []
