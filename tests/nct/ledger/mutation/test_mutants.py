"""The item ``mutants`` of a claim, in runs of temporary ledgers."""

import pytest
from ledgers import DERIVED, FALSE, TRUE

from nct.ledger import Claim, Statement

WEAK = """
@claim.check("derived")
def test_at_zero(statement):
    require(statement(0) == 0, "wrong at 0")
"""
PROPERTY = """
@claim.check("property")
@given(m=st.integers(2, 10**6))
def test_steps(statement, tmp_path_factory, m):
    assert statement(m) - statement(m - 1) == m
"""
PARAMETERS = """
@pytest.fixture
def one():
    return 1

@claim.check("derived")
@pytest.mark.parametrize("m", [4, 5])
def test_one_more_term(statement, m, one):
    require(statement(m) - statement(m - one) == m, "wrong step", m=m)
"""


def weak(path):
    """Leave the check that adds up only one instance."""
    path.write_text(path.read_text().replace("range(9)", "range(1)"))


@pytest.mark.parametrize("then", [DERIVED, PROPERTY, PARAMETERS])
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_every_edit_is_rejected(ledger, then, workers):
    ledger.add(then=then)
    result = ledger.run("proofs_checks", "--ledger-mutate", *workers)
    assert result.ret == 0, ledger.printed
    mutants = ledger.written["example.sum"]["mutants"]
    assert mutants["killed"] == mutants["counted"] == mutants["made"] == 9
    assert mutants["rate"] == 1
    result.stdout.fnmatch_lines(["claim * mutants killed", "example.sum * 9 of 9", "mutants: 9 of 9 killed, 100.0%"])


def test_only_the_mutants(ledger):
    ledger.add()
    ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants").assert_outcomes(passed=1, deselected=5)
    assert ledger.written["example.sum"]["mutants"]["rate"] == 1


def test_without_the_option_nothing_is_edited(ledger):
    ledger.add()
    result = ledger.run()
    result.assert_outcomes(passed=5)
    assert ledger.written["example.sum"]["mutants"] is None
    assert "mutants" not in ledger.printed


def test_edits_that_survive_are_shown(ledger):
    weak(ledger.add(then=WEAK))
    result = ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "example.sum: its checks reject 0 of 9 edits, fewer than 80%" in ledger.printed
    assert "example.sum: no check rejects m * (m + 1) // 2 → m * (m + 1) // 3" in ledger.printed
    printed = [line.strip() for line in ledger.printed.splitlines()]
    before = printed.index("example.sum: no check rejects m + 1 → m - 1") + 1
    assert printed[before].startswith("- printed=Statement(")
    assert printed[before + 1] == "+" + printed[before][1:].replace("m + 1", "m - 1")
    assert "1 claim: 1 broken" in ledger.printed
    survived = ledger.written["example.sum"]["mutants"]["survived"]
    assert {"name", "difference", "error"} == set(survived[0])


NEAR = """
from typing import Annotated, Any, NamedTuple
from nct.ledger import Claim, Conclusion, Statement, require

class Sum(NamedTuple):
    formula: Any
    near: Annotated[Any, Conclusion] = lambda a, b: abs(a - b) <= 2

claim = Claim(
    id="example.sum", title="Sum", source="example", verdict="holds",
    printed=Statement("", Sum(lambda m: m * (m + 1) // 2)),
    near_misses={"one less": Sum(lambda m: m * (m - 1) // 2)},
)

@claim.check("exact")
def test_by_adding_up(statement):
    for m in range(9):
        require(statement.near(statement.formula(m), sum(range(m + 1))), "the sum differs", m=m)
"""


def test_what_false_forms_are_asked_decides_on_conclusions(ledger):
    ledger.add().write_text(NEAR)
    ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    mutants = ledger.written["example.sum"]["mutants"]
    near = [one["name"] for one in mutants["survived"] if one["name"].startswith("near")]
    assert mutants["discarded"]["weaker"] >= 1
    assert "near: abs(a - b) <= 2 → abs(a - b) <= 3" not in near


def test_a_statement_with_nothing_to_edit(ledger):
    ledger.add(printed="'a switch'", near_misses="{'other': 'another'}", then="")
    path = ledger.root / "example" / "test_sum.py"
    text = path.read_text().split("@claim")[0]
    for kind in ("exact", "derived"):
        text += f'@claim.check("{kind}")\ndef test_{kind}(statement):\n    require(statement == "a switch", "other")\n'
    path.write_text(text)
    assert ledger.run("proofs_checks", "--ledger-mutate").ret == 0
    assert "example.sum: nothing in its statement can be edited" in ledger.printed
    assert ledger.written["example.sum"]["mutants"]["rate"] is None


def test_the_amended_statement_is_edited(ledger):
    ledger.add(verdict="amended", printed=FALSE, amended=f"Statement('', {TRUE})")
    assert ledger.run("proofs_checks", "--ledger-mutate").ret == 0
    assert ledger.written["example.sum"]["mutants"]["counted"] == 9


def test_a_claim_that_fails_has_nothing_to_edit(ledger):
    ledger.add(verdict="fails", printed=FALSE)
    ledger.run("proofs_checks", "--ledger-mutate").assert_outcomes(passed=5)


def declare(path, edits):
    text = path.read_text()
    path.write_text(text.replace("    depends_on=[],", f"    depends_on=[],\n    true_edits={edits},"))


def test_an_edit_that_is_declared_to_be_true(ledger):
    path = ledger.add(printed="lambda m: m * (m + 1) // 2 if m < 99 else m", then=DERIVED)
    ledger.run("proofs_checks", "--ledger-mutate")
    names = {one["name"] for one in ledger.written["example.sum"]["mutants"]["survived"]}
    assert names == {"m < 99 → m <= 99", "m < 99 → m < 100", "m < 99 → m < 98"}
    declare(path, {"m < 99 → m <= 99": "nobody asks at 99", "m < 99 → m < 100": "as before"})
    assert ledger.run("proofs_checks", "--ledger-mutate").ret == 0
    mutants = ledger.written["example.sum"]["mutants"]
    assert mutants["true"] == {"m < 99 → m <= 99": "nobody asks at 99", "m < 99 → m < 100": "as before"}
    assert [one["name"] for one in mutants["survived"]] == ["m < 99 → m < 98"]
    assert mutants["counted"] == mutants["killed"] + 1


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"m + 1 → m - 1": "it is not"}, "'m + 1 → m - 1' is declared to be true, and test_by_"),
        ({"m + 1 → m + 7": "it is not"}, "true_edits must name edits that are made"),
    ],
)
def test_a_declaration_that_is_wrong(ledger, edits, message):
    declare(ledger.add(), edits)
    result = ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert message in ledger.printed


def test_a_statement_that_does_not_pass_its_own_checks(ledger):
    ledger.add(printed=FALSE)
    result = ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "the statement does not pass its own checks" in ledger.printed
    assert "example.sum: test_by_adding_up[printed]: " in ledger.printed
    assert "the sum differs: m = 1" in ledger.printed


def test_all_claims_together(ledger):
    guarded = "lambda m: m * (m + 1) * (m + 2) // (2 * (m + 2)) if m < 99 else m"
    for row in ("a", "b"):
        ledger.add(f"example.{row}", printed=guarded)  # 3 survive: few enough for one claim, too many for a ledger
    result = ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    result.assert_outcomes(passed=2, failed=1, deselected=10)
    assert "of all claims together" in ledger.printed
    assert ledger.run("proofs_checks", "--ledger-mutate", "-k", "example.a").ret == 0


def test_a_sample_is_the_same_every_time(ledger):
    for i in range(8):
        ledger.add(f"example.sum-{i}", printed="lambda m: m * (m + 1) // 2 + 0 * (m - 1) * (m - 2) * (m + 7)")
    seen = []
    for _ in range(2):
        ledger.run("proofs_checks", "--ledger-mutate=sample", "-k", "mutants")
        seen.append({name: entry["mutants"]["made"] for name, entry in ledger.written.items()})
    assert seen[0] == seen[1]
    assert 0 < len(seen[0]) < 8
    assert set(seen[0].values()) == {12}


def test_long_checks_are_left_out_unless_asked_for(ledger):
    path = ledger.add(then="\n@pytest.mark.ledger_long" + DERIVED)
    weak(path)
    ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants")
    assert ledger.written["example.sum"]["mutants"]["killed"] == 0
    ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants", "--ledger-long")
    assert ledger.written["example.sum"]["mutants"]["rate"] == 1


def test_what_has_not_changed_is_recalled(ledger):
    ledger.pytester.makeini("[pytest]\naddopts = --import-mode=importlib\n")
    path = ledger.add()
    calls = ledger.pytester.path / "calls"
    path.write_text(
        path.read_text().replace(
            "    for m in range(9):", f"    open({str(calls)!r}, 'a').write('x')\n    for m in range(9):"
        )
    )

    def tried():
        calls.write_text("")
        assert ledger.run("proofs_checks", "--ledger-mutate", "-k", "mutants").ret == 0
        assert ledger.written["example.sum"]["mutants"]["killed"] == 9
        return len(calls.read_text())

    assert tried() > 0
    assert tried() == 0
    path.write_text(path.read_text() + "\n")
    assert tried() > 0


RESOLUTION = """
@claim.check("simulated", resolution=0.1)
def test_nearly(statement):
    require(abs(statement - 0.5) < 0.06, "off")

@claim.check("optimised", resolution=0.3)
def test_roughly(statement):
    require(abs(statement - 0.5) < 0.15, "off")
"""


def test_statements_with_statistical_error_move_by_twice_the_resolution(ledger):
    path = ledger.add(printed="0.5", near_misses="{'1': 1.0}")
    path.write_text(path.read_text().split("@claim")[0] + RESOLUTION)
    result = ledger.run("proofs_checks", "--ledger-mutate")
    assert result.ret == 0
    mutants = ledger.written["example.sum"]["mutants"]
    assert (mutants["step"], mutants["killed"], mutants["counted"]) == (0.2, 2, 2)
    assert "example.sum: numbers were moved by 20%, twice the resolution of its checks" in ledger.printed
    path.write_text(path.read_text().replace('"optimised", resolution=0.3', '"optimised"'))  # exact: two per cent
    result = ledger.run("proofs_checks", "--ledger-mutate")
    assert ledger.written["example.sum"]["mutants"]["step"] == 0.02
    assert "fewer than 80%" in ledger.printed


@pytest.mark.parametrize("resolution", [0, -1.0, float("nan")])
def test_a_resolution_is_positive(resolution):
    claim = Claim(id="a.b", title="t", source="s", verdict="holds", printed=Statement("", 0))
    with pytest.raises(ValueError, match="resolution must be positive"):
        claim.check("simulated", resolution=resolution)


def test_true_edits_are_a_mapping():
    with pytest.raises(TypeError, match="true_edits must be a mapping"):
        Claim(id="a.b", title="t", source="s", verdict="holds", printed=Statement("", 0), true_edits=["m → 1"])
