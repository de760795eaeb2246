"""The documentation builds as it stands, is complete, and needs no network when it is read."""

import ast
import html
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import visit
from filelock import FileLock

pytest.importorskip("material", reason="the extra docs is not installed")

ROOT = Path(__file__).parents[2]
PUBLIC = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("nct", "numerics", "theory")
    for path in (ROOT / package).rglob("*.py")
    if not any(re.match("_(?!_init__)", part) for part in path.relative_to(ROOT).with_suffix("").parts)
    and "commands" not in path.parts
)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built once for all processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "site"
    with FileLock(shared / "site.lock"):
        if not folder.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
            environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "LEDGER": str(shared / "none.json")}
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return folder


def page_of(site, module):
    path = site.joinpath("api", *module.split("."))
    return path / "index.html" if path.is_dir() else path.with_suffix(".html")


def words(source):
    """What a page shows, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", source)).split())


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_module_has_a_page_that_begins_with_its_docstring(site, module):
    source = ROOT.joinpath(*module.split("."))
    source = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
    line = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))).split("\n\n")[0]
    plain = re.sub(r"[`*$]", "", " ".join(line.split()))
    assert plain in words(page_of(site, module).read_text(encoding="utf-8"))


def test_the_api_has_what_the_packages_hand_on(site):
    for module, name in [
        ("theory.dufm", "loss_ratio"),
        ("numerics.metrics", "collapse_metrics"),
        ("nct.ledger", "Claim"),
    ]:
        text = page_of(site, module).read_text(encoding="utf-8")
        assert f'id="{module}.{name}"' in text
        assert ".__reduce__" not in text
        assert "._" not in "".join(re.findall(r'<h\d id="([^"]+)"', text))


def test_no_formula_is_left_as_latex(site):
    typeset = 0
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'class="arithmatex"' not in text, path
        typeset += text.count('class="katex"')
    assert typeset > 300


def test_examples_in_docstrings_are_code(site):
    for path in (site / "api").rglob("*.html"):
        assert "<blockquote>" not in path.read_text(encoding="utf-8"), path


def test_names_of_code_are_links_to_the_api(site):
    text = (site / "enclosures.html").read_text(encoding="utf-8")
    link = r'href="api/theory/dufm/index.html#theory.dufm.enclose_loss"><code>theory.dufm.enclose_loss</code>'
    assert link in text
    text = page_of(site, "theory.dufm").read_text(encoding="utf-8")
    assert 'href="#theory.dufm.symbolic_loss"><code>symbolic_loss</code>' in text
    assert "<autoref" not in text


PAGES = [
    "gallery.html",
    "index.html",
    "notebooks/ten_classes.html",
    "enclosures.html",
    "architecture.html",
    "tutorials/your_own_ledger.html",
    "api/theory/dufm/index.html",
]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_pages_need_no_network_and_fit_the_window(site, width, scheme):
    with visit(width=width, scheme=scheme) as browser:
        for page in PAGES:
            browser.open(site / page)
            assert browser.overflow <= 0, page
    assert browser.requests == []
    assert browser.errors == []


def test_the_search_finds_from_the_disk(site):
    with visit() as browser:
        page = browser.open(site / "index.html")
        page.get_by_role("textbox", name="Search").fill("enclose_ratio")
        page.locator(".md-search-result__item").first.wait_for()
        assert "enclose" in page.locator(".md-search-result__list").inner_text()
    assert browser.errors == []


def test_every_link_leads_somewhere(site):
    texts = {
        path.resolve(): path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.name != "404.html"
    }
    names = {path: set(re.findall(r'\b(?:id|name)="([^"]+)"', text)) for path, text in texts.items()}
    wrong, seen = [], 0
    for path, text in texts.items():
        for link in map(html.unescape, re.findall(r'(?:href|src)="([^"]+)"', text)):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            seen += 1
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in names.get(target, ())):
                wrong.append(f"{path.name}: {link}")
    assert wrong == []
    assert seen > 5000
