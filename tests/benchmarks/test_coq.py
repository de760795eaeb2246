"""benchmarks/coq.py: its results are of this ledger, and docs/coq.md has them."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from nct.ledger import read_claims

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark():
    folder = ROOT / "benchmarks"
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("benchmark_of_coq", folder / "coq.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def results():
    return json.loads((ROOT / "benchmarks" / "results" / "coq.json").read_text(encoding="utf-8"))


def test_the_page_has_the_results(benchmark, results):
    assert benchmark.page(results) == benchmark.PAGE.read_text(encoding="utf-8")


def test_the_results_are_of_this_ledger(results):
    by_kernel = {
        listing.claim.id
        for listing in read_claims(ROOT / "proofs_checks")
        if any(check.kind == "kernel" for check in listing.checks.values())
    }
    assert set(results["claims"]) == by_kernel == {one["claim"] for one in results["scripts"].values()}
    assert all(row["checked"] == row["certificates"] for row in results["claims"].values())
    assert all(one["accepted"] for one in results["scripts"].values())


def test_a_certificate_that_is_not_put_to_coq_is_missed(benchmark, tmp_path):
    path = tmp_path / "test_half.py"
    path.write_text(
        """
from nct.ledger import Claim, Part, Statement, require_proved
from theory import coq
from theory.certificate import ShiftCertificate

claim = Claim(id="a.b", title="t", source="s", verdict="holds", printed=Statement("x", 1), near_misses={"y": 2})
ONE, OTHER = (ShiftCertificate("", ("r",), {(1,): 1, (0,): shift}, (4,)) for shift in (-1, -2))

@claim.check("exact", covers="all")
def test_both(statement):
    assert ONE.verify() and OTHER.verify()

@claim.check("kernel", covers=Part("one"))
def test_one(statement):
    require_proved(claim, coq.script(coq.translate(ONE, "one")))
""",
        encoding="utf-8",
    )
    assert benchmark.certificates(benchmark.import_file(path)) == (2, 1)


@pytest.mark.ledger_long
def test_every_certificate_of_the_ledger_is_put_to_coq(benchmark):
    rows = benchmark.of_claims()
    assert rows
    assert all(row["checked"] == row["certificates"] for row in rows.values())
