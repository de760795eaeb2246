"""The rules of a ledger, each seen to fail a run when a claim breaks it."""

import pytest
from ledgers import DERIVED, OFF, TRUE, fails_with


def test_fewer_than_two_kinds_of_evidence(ledger):
    ledger.add(then=DERIVED.replace("derived", "exact"))
    fails_with(ledger, "fewer than two kinds of evidence (it has: exact)", passed=4)


def test_no_check_at_all(ledger):
    path = ledger.add()
    path.write_text(path.read_text().split("@claim")[0])
    fails_with(ledger, "fewer than two kinds of evidence (it has: none)", passed=0)


def test_no_near_miss(ledger):
    ledger.add(near_misses="{}")
    fails_with(ledger, "no near miss", passed=2)
    claim = ledger.written["example.sum"]
    assert (claim["status"], claim["failed"]) == ("broken", ["proofs_checks/example/test_sum.py::rules"])


@pytest.mark.parametrize(("said", "broken"), [("m(m+1)/2", False), ("m(m-1)/2", True)])
def test_a_text_that_says_something_else_than_the_value(ledger, said, broken):
    path = ledger.add()
    formulas = f'formulas={{"{said}": lambda value, m=(1, 4): value(m)}}'
    path.write_text(path.read_text().replace('printed=Statement(r"', f'printed=Statement({formulas}, text=r"{said} ', 1)
                    .replace(TRUE, f"value={TRUE}", 1))  # fmt: skip
    if broken:
        fails_with(ledger, "the printed statement: its text says 'm(m-1)/2', which is 0 where the value is 1", passed=4)
    else:
        ledger.run().assert_outcomes(passed=5)


def test_every_check_is_blind_to_a_near_miss(ledger):
    path = ledger.add(near_misses=f"{{'unseen': {OFF}, 'off by one': {OFF}}}")
    text = path.read_text()
    for kind in ("exact", "derived"):
        text = text.replace(f'check("{kind}")', f'check("{kind}", blind_to={{"unseen": "a reason"}})')
    path.write_text(text)
    fails_with(ledger, "every check is blind to the near miss 'unseen'", passed=4)


def test_one_check_may_be_blind_to_a_near_miss(ledger):
    path = ledger.add(near_misses=f"{{'unseen': {OFF}}}")
    path.write_text(path.read_text().replace('check("exact")', 'check("exact", blind_to={"unseen": "a reason"})'))
    ledger.run().assert_outcomes(passed=4)
    assert ledger.written["example.sum"]["near_misses"][0]["by"] == [
        "proofs_checks/example/test_sum.py::test_by_induction[near-miss-unseen]"
    ]


def test_two_claims_with_one_id(ledger):
    first, second = ledger.add("example.sum-1"), ledger.add("example.sum-1", file="example/test_SUM_1.py")
    fails_with(ledger, f"its id is also that of {first}", f"its id is also that of {second}", passed=8, failed=2)


def test_a_duplicate_that_is_not_selected_is_found(ledger):
    first, second = ledger.add("example.sum-1"), ledger.add("example.sum-1", file="example/test_SUM_1.py")
    ledger.run(first).assert_outcomes(passed=4, failed=1)
    assert f"its id is also that of {second}" in ledger.printed


def test_a_dependency_that_is_no_claim(ledger):
    ledger.add(depends_on=["example.product"])
    fails_with(ledger, "it depends on example.product, which is the id of no claim", passed=4)


def test_a_dependency_that_is_not_selected_is_found(ledger):
    path = ledger.add(depends_on=["other.product"])
    ledger.add("other.product")
    ledger.run(path).assert_outcomes(passed=5)
    assert list(ledger.written) == ["example.sum"]


def test_a_check_whose_name_does_not_start_with_test(ledger):
    ledger.add(then=DERIVED + DERIVED.replace("test_by_induction", "by_induction"))
    fails_with(ledger, "the check by_induction never runs: its name must begin with 'test_'", passed=4)


def test_a_check_that_is_marked_xfail(ledger):
    ledger.add(
        then=DERIVED.replace("@claim", "@pytest.mark.xfail(reason='hard')\n@claim"), near_misses="{'0': lambda m: 0}"
    )
    assert ledger.run().ret == pytest.ExitCode.TESTS_FAILED
    assert "the check test_by_induction is marked xfail" in ledger.printed


def test_a_file_in_the_wrong_folder(ledger):
    ledger.add("agop-v1.sum", file="agop/test_sum.py")
    fails_with(ledger, "its file is in the folder agop, not in that of its paper, agop_v1", passed=4)


def test_a_file_that_is_not_named_after_its_id(ledger):
    ledger.add("agop-v1.prop-5.1.steps", file="agop_v1/test_steps.py")
    fails_with(ledger, "its file is named test_steps.py, not after its id, test_prop_5_1_steps.py", passed=4)


@pytest.mark.parametrize("name", ["the_claim", "Claim"])
def test_checks_of_a_claim_that_the_file_does_not_state(ledger, name):
    path = ledger.add()
    path.write_text(path.read_text().replace("claim = Claim(", "its = Claim(").replace("@claim.", "@its."))
    result = ledger.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "test_by_adding_up checks example.sum, which its file does not state" in ledger.printed
