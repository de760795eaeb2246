"""The plugin among other people's tests: it does nothing without claims, and keeps to them where there are some."""

import subprocess
import sys

import hypothesis
import pytest

FOREIGN = {
    "theory/__init__.py": "",
    "theory/sums.py": "def total(n): return n * (n + 1) // 2\n",
    "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["long: slow"]\naddopts = "--strict-markers"\n',
    "conftest.py": """
import pytest
def pytest_addoption(parser):
    parser.addoption("--long", action="store_true")
def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip("slow"))
""",
    "test_sums.py": """
import sys
import pytest
from theory.sums import total
def test_total():
    assert total(4) == 10
@pytest.mark.long
def test_long():
    assert total(10**6) == sum(range(10**6 + 1))
def test_nothing_is_imported():
    assert {"hypothesis", "rich", "sympy", "torch"} & set(sys.modules) == set()
""",
}


@pytest.fixture
def foreign(pytester):
    """A project of somebody else's: a theory, an option and a marker of its own."""
    for name, text in FOREIGN.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments]
        return subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)

    return run


def test_a_project_with_a_theory_and_an_option_of_its_own(foreign):
    done = foreign("-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("2 passed, 1 skipped in ")
    assert "ledger" not in done.stdout
    assert foreign("--long").stdout.splitlines()[-1].strip("= ").startswith("3 passed in ")


def test_kinds_of_evidence_are_markers_only_where_there_are_claims(foreign, pytester):
    told = foreign("--markers").stdout
    assert "@pytest.mark.ledger_long" in told
    assert "@pytest.mark.exact" not in told
    (pytester.path / "proofs_checks").mkdir()
    assert "@pytest.mark.exact" in foreign("--markers").stdout


PROFILES = """
from hypothesis import given, settings, strategies as st
@given(st.integers())
def test_theirs(n):
    pass
def test_settings():
    assert test_theirs._hypothesis_internal_use_settings.max_examples == {examples}
    assert settings.default.max_examples == {examples}
"""

SEEN = """
from hypothesis import settings, given, strategies as st
SETTINGS = settings()
@claim.check("derived")
@given(st.integers(1, 99))
def test_settings(statement, m):
    with open("seen", "w") as file:
        print(SETTINGS.max_examples, SETTINGS.derandomize, file=file)
    require(statement(m) - statement(m - 1) == m, "wrong step", m=m)
"""


@pytest.mark.parametrize(
    ("conftest", "arguments", "examples", "seen"),
    [
        ("", [], 100, "50 True"),
        ("settings.register_profile('theirs', max_examples=7); settings.load_profile('theirs')", [], 7, "50 True"),
        ("", ["--hypothesis-profile=deep"], 5000, "5000 False"),
        (
            "settings.register_profile('deep', max_examples=9, derandomize=False)",
            ["--hypothesis-profile=deep"],
            9,
            "9 False",
        ),
    ],
)
@pytest.mark.parametrize("on_a_server", [False, True])  # where `CI` is set, Hypothesis begins with another profile
def test_profiles_are_for_claims(ledger, monkeypatch, on_a_server, conftest, arguments, examples, seen):
    monkeypatch.setenv("CI", "true") if on_a_server else monkeypatch.delenv("CI", raising=False)
    ledger.add(then=SEEN)
    (ledger.pytester.path / "conftest.py").write_text(f"from hypothesis import settings\n{conftest}\n")
    (ledger.pytester.path / "test_theirs.py").write_text(PROFILES.format(examples=examples))
    done = ledger.pytester.runpytest_subprocess("-n0", *arguments)
    assert done.ret == 0, done.stdout.str()
    assert (ledger.pytester.path / "seen").read_text().strip() == seen


def test_output_that_the_terminal_cannot_show(ledger, monkeypatch):
    path = ledger.add()
    path.write_text(path.read_text().replace("Sum of the first", "Σ of the first"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = ledger.pytester.runpytest_subprocess("proofs_checks")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["claim *", "example.sum *u03a3 of the first integers*holds*", "1 claim: 1 holds"])


def test_hypothesis_is_repeatable_by_default():
    assert hypothesis.settings.default.derandomize or hypothesis.settings.default.max_examples >= 5000
