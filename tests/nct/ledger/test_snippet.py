"""Code that shows a counterexample without the project."""

import subprocess
import sys

import pytest
from ledgers import FALSE, fails_with

CODE = "m = 1\nprint(f'{m * m // 2 = }, and the sum is {m}')\nassert m * m // 2 != m\n"


def with_code(ledger, code, verdict="fails"):
    path = ledger.add(verdict=verdict, printed=FALSE)
    path.write_text(
        path.read_text().replace("    near_misses=", f"    counterexample_code={code!r},\n    near_misses=")
    )
    return path


def test_the_code_is_run_and_printed(ledger, nct):
    with_code(ledger, CODE)
    code = nct("ledger", "example.sum", "--counterexample", "--folder", ledger.root)
    result = ledger.run()
    assert result.ret == 0
    result.assert_outcomes(passed=6)
    assert ledger.written["example.sum"]["counterexample_code"] == CODE
    done = subprocess.run([sys.executable, "-I", "-"], input=code, capture_output=True, text=True, check=True)
    assert done.stdout == "m * m // 2 = 0, and the sum is 1\n"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("print(1", "is no Python: '(' was never closed"),
        ("print(1)", "asserts nothing"),
        ("assert True", "prints nothing"),
        ("print(1)\nassert 1 == 2, 'so it is'", "fails: AssertionError: so it is"),
        ("import nct\nprint(1)\nassert True", "imports nct, which a reader may not have"),
        ("from mine.sums import f\nprint(1)\nassert True", "imports mine, which a reader may not have"),
    ],
)
def test_code_that_shows_nothing(ledger, code, fault, monkeypatch):
    (ledger.pytester.path / "mine").mkdir()
    (ledger.pytester.path / "mine" / "__init__.py").touch()
    monkeypatch.syspath_prepend(ledger.pytester.path)
    with_code(ledger, code)
    fails_with(ledger, f"example.sum: counterexample_code {fault}", passed=5)


def test_a_claim_that_holds_has_no_counterexample(ledger):
    path = with_code(ledger, CODE, verdict="holds")
    ledger.run()
    assert f"counterexample_code of {path.parent.name}.sum is given" in ledger.printed


def test_claims_without_code(ledger, complaint):
    ledger.add()
    ledger.add("example.sum-2")
    assert "--counterexample wants one claim, not 2" in complaint("ledger", "--counterexample", "--folder", ledger.root)
    told = complaint("ledger", "example.sum", "--counterexample", "--folder", ledger.root)
    assert "example.sum (verdict 'holds') has no code that shows a counterexample" in told
