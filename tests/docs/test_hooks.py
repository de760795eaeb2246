"""What the site's hooks do to pages, and what makes a strict build fail."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="the extra docs is not installed")
pytest.importorskip("pymdownx")

HOOKS = Path(__file__).parents[2] / "docs" / "hooks"


def hook(name):
    spec = importlib.util.spec_from_file_location(f"hooks_{name}", HOOKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("index.md", "docs/optimum.md", "optimum.md"),
        ("index.md", "CITATION.cff", "CITATION.cff"),
        ("contributing.md", "docs/tutorials/your_own_ledger.md", "tutorials/your_own_ledger.md"),
        ("tutorials/graph_solutions.md", "../gallery.md", "../gallery.md"),
        ("tutorials/graph_solutions.md", "../../benchmarks/results/best_known.md", "../best_known.md"),
        ("optimum.md", "tutorials/your_own_ledger.md", "tutorials/your_own_ledger.md"),
        ("optimum.md", "../README.md", "index.md"),
    ],
)
def test_links_point_to_where_pages_are_in_the_site(page, link, moved):
    assert hook("outside").moved(page, link) == moved


def test_examples_in_prose_are_fenced():
    fenced = hook("docstrings").fenced
    text = "One line.\n\n>>> 1 + 1\n2\n\nProse, `a >>> b`.\n"
    assert fenced(text) == "One line.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nProse, `a >>> b`.\n"
    section = "One line.\n\nExamples\n--------\n>>> 1 + 1\n2\n\n>>> 3\n3\n"
    assert fenced(section) == section


@pytest.fixture
def build(tmp_path):
    """Build a site of one page with a hook, strictly."""

    def run(name, text, **environment):
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / "index.md").write_text(text, encoding="utf-8")
        (tmp_path / "mkdocs.yml").write_text(
            f"site_name: One\nhooks: ['{(HOOKS / f'{name}.py').as_posix()}']\n"
            "markdown_extensions: [pymdownx.arithmatex: {generic: true}]\n"
            "nav: [Home: index.md]\n",
            encoding="utf-8",
        )
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HOOKS.parents[1]), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_formula_that_cannot_be_typeset_fails_the_build(build, tmp_path):
    assert build("formulas", "A half is $\\frac{1}{2}$.").returncode == 0
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'class="katex"' in page
    assert (tmp_path / "site" / "assets" / "katex" / "katex.min.css").is_file()
    failed = build("formulas", "A half is $\\frac{1}{2$.")
    assert failed.returncode == 1
    assert "index.md: \\frac{1}{2: Unexpected end of input" in failed.stderr


def test_a_display_formula_needs_no_empty_lines(build, tmp_path):
    text = "The sum is\n$$\n\\frac{1}{2}\n$$\nor a half.\n\n* or\n\n  $$ 1/2. $$\n\n```text\n$$\nkept\n$$\n```\n"
    assert build("formulas", text).returncode == 0
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert page.count("katex-display") == 2
    assert "$$\nkept\n$$" in page


def test_a_dollar_that_is_no_formula_fails_the_build(build):
    failed = build("formulas", "A half is $ \\frac{1}{2}.")
    assert failed.returncode == 1
    assert "index.md: a dollar outside formulas and code" in failed.stderr


def test_a_picture_that_is_not_of_its_drawing_fails_the_build(build, tmp_path):
    source = "flowchart\n  a --> b\n"
    text = f"```mermaid\n{source}```\n"
    failed = build("drawings", text)
    assert failed.returncode == 1
    assert "index.md: figures/index-0.svg is not of its drawing" in failed.stderr
    (tmp_path / "docs" / "figures").mkdir()
    digest = hook("drawings").digest(source)
    (tmp_path / "docs" / "figures" / "index-0.svg").write_text(f"<svg><!-- {digest} --></svg>", encoding="utf-8")
    assert build("drawings", text).returncode == 0
    assert build("drawings", text.replace("--> b", "--> c")).returncode == 1


def test_the_ledger_of_a_run_is_in_the_site(build, tmp_path):
    root, run = HOOKS.parents[1], tmp_path / "ledger.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ledger", str(run)]
    subprocess.run([*command, "proofs_checks/lowrank/test_lemma_12.py"], cwd=root, check=True, capture_output=True)
    done = build("ledger", "# Home", LEDGER=str(run))
    assert done.returncode == 0, done.stderr
    assert "lowrank.lemma-12" in (tmp_path / "site" / "ledger" / "index.html").read_text(encoding="utf-8")
    page = (tmp_path / "site" / "ledger" / "claims" / "lowrank.lemma-12.html").read_text(encoding="utf-8")
    assert 'href="../../index.html"' in page  # back to the documentation
    assert 'href="ledger/"' in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_without_a_run_the_site_tells_how_to_make_one(build, tmp_path):
    done = build("ledger", "# Home", LEDGER=str(tmp_path / "none.json"))
    assert done.returncode == 0, done.stderr
    assert "--ledger build/ledger.json" in (tmp_path / "site" / "ledger" / "index.html").read_text(encoding="utf-8")
