"""Mutation testing, on a made-up project of two functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "benchmarks" / "mutation"
sys.path.append(str(TOOL))

from mutants import MutatedFile  # noqa: E402 - the tool is a folder, not a package
from table import fate, summary, wilson  # noqa: E402

SUMS = '''
"""Sums."""

from functools import cache

LIMIT = 3


@cache
def total(m: int = 4):
    """Sum of the first m integers."""
    return m * (m + 1)


def clipped(m):
    if m < 0:
        raise ValueError(f"m = {m}; m must be at least 0")
    return LIMIT if m > 1 else m


def tenfold(m):
    return 10 * m


@cache
def squares():
    return [m * m for m in range(3)]


def doubles():
    return [m + m for m in range(3)]


def unused(m):
    return m + 1
'''
CLAIMS = """
from sums.sums import tenfold, total

def test_total():
    assert total(1) == 2 and total() == 20

def test_tenfold():
    if tenfold(2) != 20:
        raise RuntimeError
"""
TESTS = """
import pytest
from sums.sums import clipped, doubles, squares

@pytest.fixture(scope="module")
def doubled():
    return doubles()

def test_first():
    assert len(squares()) == 3

def test_second():
    assert squares()[2] == 4

def test_length(doubled):
    assert len(doubled) == 3

def test_last(doubled):
    assert doubled[2] == 4

def test_clipped():
    assert clipped(5) == 3

def test_broken_anyway():
    assert clipped(5) == 4

@pytest.mark.skip
def test_skipped():
    clipped(5)
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    for file, text in {"sums/sums.py": SUMS, "claims/test_claims.py": CLAIMS, "more/test_more.py": TESTS}.items():
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def run(root, *options):
    """The command's results, in the order in which they were found; a line that was cut off is none."""
    of_it = ["--root", root, "--packages", "sums", "--ledger", "claims", "--tests", "more"]
    subprocess.run([sys.executable, TOOL, *map(str, [*of_it, *options])], check=True, capture_output=True)
    lines = (root / ".mutation" / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_every_fate(project):
    found = run(project)
    fates = {result["mutant"].removeprefix("sums/sums.py::"): fate(result) for result in found}
    assert fates["total: (m + 1) → (m - 1)"] == "refuted"
    assert fates["total: 4 → 5"] == "refuted"  # of a decorated function
    assert fates["tenfold: 10 * m → 10 / m"] == "crashed"
    assert fates[": LIMIT = 3 → LIMIT = None"] == "tests"  # module data
    assert fates["squares: m * m → m / m"] == "tests"  # cached when the second test asks for it
    assert fates["doubles: m + m → m - m"] == "tests"  # by a fixture that two tests share
    assert fates["unused: m + 1 → m - 1"] == "nobody"
    assert fates["clipped: < 0 → <= 0"] == "nobody"
    assert not any("m must be" in name for name in fates)
    assert (project / "sums" / "sums.py").read_text() == SUMS
    assert (project / ".mutation" / "copy" / "sums" / "sums.py").read_text() == SUMS


def test_a_run_that_is_cut_off_goes_on(project):
    found = run(project, "--sample", 0, "--least", 3)
    kept = project / ".mutation" / "results.jsonl"
    whole = kept.read_text().splitlines()
    kept.write_text("\n".join([*whole[:2], whole[2][:12]]))
    run(project, "--sample", 0, "--least", 3)
    *first, cut, last = kept.read_text().splitlines()
    assert (first, cut) == (whole[:2], whole[2][:12])
    assert json.loads(last)["mutant"] == found[2]["mutant"]


def test_shards_and_samples(project):
    every = MutatedFile(project, "sums/sums.py").mutants
    counted = {name for name, mutant in every.items() if not mutant.uncounted}
    sample = [result["mutant"] for result in run(project, "--sample", 0.1, "--least", 2, "--shard", "1/2")]
    both = [result["mutant"] for result in run(project, "--sample", 0.1, "--least", 2, "--shard", "2/2")]
    assert len(sample) < len(both)
    assert len(both) == len(set(both)) == max(2, round(0.1 * len(counted)))
    assert set(both) <= counted


def test_a_mutant_is_named_without_lines(project):
    before = list(MutatedFile(project, "sums/sums.py").mutants)
    (project / "sums" / "sums.py").write_text("# A line more\n" + SUMS, encoding="utf-8")
    assert list(MutatedFile(project, "sums/sums.py").mutants) == before
    assert "sums/sums.py::total: 1 → 2" in before
    assert len(before) == len(set(before))


@pytest.mark.parametrize(
    ("code", "uncounted"),
    [
        ('def f(K):\n    check_integer("K", K, at_least=2)', {'"K" → "k"': "message", "K → None": None}),
        ("def f(x):\n    return zeros(x, dtype=float)", {"zeros(x, dtype=float) → zeros(x, dtype=None)": "dtype"}),
        (
            "def f(x, y):\n    return zip(x, y, strict=True)",
            {"True → False": "guard of lengths", "zip(x, y, strict=True) → zip(None, y, strict=True)": ""},
        ),
        ("def f(x):\n    raise ValueError(g(x))", {"g(x) → g(None)": "message"}),
    ],
)
def test_what_does_not_count(tmp_path, code, uncounted):
    (tmp_path / "code.py").write_text(code)
    found = {mutant.change: mutant.uncounted for mutant in MutatedFile(tmp_path, "code.py").mutants.values()}
    assert {change: found.get(change) for change in uncounted} == uncounted


def test_rates():
    results = [
        {"mutant": "a.py::f: 1", "ledger": "refuted", "tests": None, "executed_by_ledger": True},
        {"mutant": "a.py::f: 2", "ledger": "crashed", "tests": None, "executed_by_ledger": True},
        {"mutant": "a.py::f: 3", "ledger": "passed", "tests": "crashed", "executed_by_ledger": True},
        {"mutant": "a.py::g: 1", "ledger": "not executed", "tests": "passed", "executed_by_ledger": False},
        {"mutant": "a.py::g: 2", "ledger": "not executed", "tests": "passed", "executed_by_ledger": False},
    ]
    row = summary(results, {"a.py::g: 2": "why"})["modules"]["a.py"]
    assert {name: row[name] for name in ("refuted", "crashed", "tests", "nobody", "equivalent")} == {
        "refuted": 1, "crashed": 1, "tests": 1, "nobody": 1, "equivalent": 1,
    }  # fmt: skip
    assert (row["noticed"]["hits"], row["noticed"]["of"]) == (3, 4)
    assert (row["ledger"]["hits"], row["ledger"]["of"]) == (2, 3)
    assert (row["ledger_without_crashes"]["hits"], row["ledger_without_crashes"]["of"]) == (1, 2)


def test_wilson_is_where_the_score_test_just_rejects():
    low, high = wilson(7, 20)
    for end in (low, high):
        assert abs(7 / 20 - end) == pytest.approx(1.959963984540054 * (end * (1 - end) / 20) ** 0.5)
