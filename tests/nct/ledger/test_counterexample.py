"""The instance that refutes a printed statement."""

from ledgers import DERIVED, FALSE

PROPERTY = """
@claim.check("property")
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_difference(statement, m, k):
    assert statement(m + k) - statement(m) == m * k + k * (k + 1) // 2
"""


def test_what_hypothesis_shrinks_is_the_counterexample(ledger):
    path = ledger.add(
        verdict="fails", printed="lambda m: m * (m + 1) // 2 + (m > 100)", near_misses="{'2': lambda m: 2*m}"
    )
    path.write_text(path.read_text().split("@claim")[0] + PROPERTY + DERIVED.replace("range(1, 9)", "range(1, 200)"))
    ledger.run(path, "-m", "property")
    assert ledger.written["example.sum"]["counterexample"].endswith("m=0, k=101")


def test_a_statement_that_is_printed_on_many_lines_stays_out_of_the_counterexample(ledger):
    statement = "Table([list(range(100, 150)) for _ in range(3)])"
    path = ledger.add(verdict="fails", printed=statement, near_misses=f"{{'other': {statement}}}")
    text = (
        path.read_text()
        .split("@claim")[0]
        .replace(
            "claim = ",
            "from dataclasses import dataclass\n@dataclass\nclass Table:\n    rows: list\n\nclaim = ",
        )
    )
    path.write_text(
        text
        + '@claim.check("property")\n@given(st.lists(st.integers(0, 9), min_size=2, max_size=2), st.integers(5, 9))\n'
        "def test_never(statement, numbers, r):\n    assert sum(numbers) < 1, 'too big'\n"
    )
    ledger.run(path, "-m", "property")
    shown = ledger.written["example.sum"]["counterexample"]
    assert shown.startswith("too big")
    assert shown.endswith("numbers=[0, 1], r=5")
    assert "100" not in shown


def test_an_exact_counterexample_comes_before_one_found_at_random(ledger):
    simulated = DERIVED.replace("derived", "simulated").replace("wrong at 0", "wrong by chance")
    ledger.add(verdict="fails", printed="lambda m: 1", then=simulated)
    assert ledger.run().ret == 0
    assert ledger.written["example.sum"]["counterexample"] == "the sum differs: m = 0"


def test_a_plain_assertion_is_a_counterexample_too(ledger):
    then = '\n@claim.check("derived")\ndef test_at_two(statement):\n    assert statement(2) == 3, "not 3"\n'
    ledger.add(verdict="fails", printed=FALSE, then=then)
    ledger.run("proofs_checks", "-k", "test_at_two")
    assert ledger.written["example.sum"]["counterexample"].startswith("not 3")


COUNTED = """
@claim.check("property")
@given(st.integers(0, 10**6))
def test_counted(statement, m):
    wrong = statement(m) != m * (m + 1) // 2
    if wrong:
        with open("refutations", "a") as file:
            file.write("x")
    require(not wrong, "wrong", m=m)
"""


def test_only_what_is_shown_is_shrunk(ledger):
    """Near misses are rejected at the first instance, replayed once; the printed statement's is made small."""
    path = ledger.add(
        verdict="fails", printed="lambda m: m * (m + 1) // 2 + (m > 1000)", near_misses="{'0': lambda m: -1}"
    )
    path.write_text(path.read_text().split("@claim")[0] + COUNTED)
    refutations = ledger.pytester.path / "refutations"
    ledger.run(path, "-k", "near-miss").assert_outcomes(passed=1, deselected=2)
    assert len(refutations.read_text()) <= 2
    refutations.unlink()
    ledger.run(path, "-k", "printed").assert_outcomes(passed=1, deselected=2)
    assert ledger.written["example.sum"]["counterexample"] == "wrong: m = 1001"
    assert len(refutations.read_text()) > 2


def test_hypothesis_does_not_explain_what_it_refutes(ledger):
    ledger.add(verdict="fails", printed="lambda m: m * (m + 1) // 2 + (m > 100)", near_misses="{'2': lambda m: 2*m}")
    path = ledger.root / "example" / "test_sum.py"
    path.write_text(
        path.read_text().split("@claim")[0]
        + """
from hypothesis import Phase
PHASES = []

@claim.check("property")
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_difference(statement, m, k):
    PHASES.append(test_difference._hypothesis_internal_use_settings.phases)
    assert statement(m + k) - statement(m) == m * k + k * (k + 1) // 2

def test_what_was_spared():
    assert all(Phase.explain not in phases for phases in PHASES)
    assert {Phase.shrink in phases for phases in PHASES} == {True, False}
"""
        + DERIVED
    )
    ledger.run(path, "-k", "difference or spared").assert_outcomes(passed=3)
