"""What a run says of claims whose statements do, and do not, behave as the verdict says."""

import pytest
from ledgers import FALSE, OFF, TRUE, fails_with


def test_a_good_ledger_passes_and_is_printed(ledger):
    ledger.add("example.sum")
    ledger.add("example.sum-10", verdict="amended", printed=FALSE, amended=f"Statement('m(m+1)/2', {TRUE})")
    ledger.add("example.sum-9", verdict="fails", printed=FALSE, depends_on=["example.sum"])
    ledger.add("other.seen", verdict="observed")
    result = ledger.run()
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=22)  # two checks of 2, 3, 2 and 2 forms, and the rules of each claim
    result.stdout.fnmatch_lines(
        [
            "*= ledger =*",
            "claim *title * verdict * reach * evidence * near misses rejected",
            "example.sum * Sum of the first integers * holds * tested * derived exact * 1 of 1",
            "example.sum-9 * fails * derived exact *",  # 9 before 10
            "example.sum-10 * amended * derived exact *",
            "other.seen * observed * derived exact *",
            "4 claims: 1 holds, 1 amended, 1 fails, 1 observed",
            "false as printed, with the smallest counterexample:",
            "*example.sum-9: the sum differs: m = 1",
            "*example.sum-10: the sum differs: m = 1",
        ],
        consecutive=False,
    )


@pytest.mark.parametrize("verdict", ["holds", "observed"])
def test_a_false_printed_statement_that_is_said_to_stand(ledger, verdict):
    ledger.add(verdict=verdict, printed=FALSE)
    fails_with(ledger, "the sum differs: m = 1", passed=3, failed=2)
    assert {e["outcome"] for e in ledger.written["example.sum"]["evidence"]} == {"failed"}


def test_a_true_printed_statement_that_is_said_to_fail(ledger):
    ledger.add(verdict="fails")
    fails_with(ledger, "the printed statement passes this check", "verdict 'fails'", passed=3, failed=2)


def test_a_true_printed_statement_that_is_said_to_need_amending(ledger):
    ledger.add(verdict="amended", amended=f"Statement('m(m+1)/2', {TRUE})")
    fails_with(ledger, "the printed statement passes this check", "verdict 'amended'", passed=5, failed=2)


def test_an_amended_statement_that_fails(ledger):
    ledger.add(verdict="amended", printed=FALSE, amended=f"Statement('m(m-1)/2', {OFF})")
    fails_with(ledger, "[amended]", "the sum differs: m = 1", passed=5, failed=2)


def test_one_check_of_two_does_not_see_that_the_printed_statement_is_false(ledger):
    blind = '\n@claim.check("derived")\ndef test_at_zero(statement):\n    require(statement(0) in (0, -1), "wrong")\n'
    ledger.add(verdict="fails", printed=FALSE, near_misses="{'1 at 0': lambda m: 1}", then=blind)
    fails_with(ledger, "test_at_zero[printed]", "the printed statement passes this check", passed=4)


def test_a_near_miss_that_is_accepted(ledger):
    ledger.add(near_misses=f"{{'the same again': {TRUE}, 'off by one': {OFF}}}")
    fails_with(ledger, "near miss accepted", "'the same again'", passed=5, failed=2)
    assert "1 of 2" in ledger.printed
    by_name = {miss["name"]: miss for miss in ledger.written["example.sum"]["near_misses"]}
    assert not by_name["the same again"]["rejected"]
    assert by_name["the same again"]["by"] == []
    assert by_name["off by one"]["rejected"]


def test_a_check_with_parameters_of_its_own(ledger):
    at = """
@claim.check("derived")
@pytest.mark.parametrize("m", [1, 2, 3])
def test_one_more_term(statement, m):
    require(statement(m) - statement(m - 1) == m, "wrong step", m=m)
"""
    ledger.add(verdict="amended", printed=FALSE, amended=f"Statement('m(m+1)/2', {TRUE})", then=at)
    result = ledger.run()
    # 3 forms and the rules, and 3 forms at 3 steps, of which the printed one, m²/2 rounded down, has the second right
    result.assert_outcomes(passed=12, failed=1)
    assert "test_one_more_term[2-printed]" in ledger.printed or "test_one_more_term[printed-2]" in ledger.printed


def test_a_crash_on_a_near_miss_is_no_rejection(ledger):
    ledger.add(near_misses="{'division by zero': lambda m: 1 / 0}")
    fails_with(ledger, "ZeroDivisionError", passed=3, failed=2)
    assert ledger.written["example.sum"]["near_misses"][0]["rejected"] is False


def test_a_crash_on_a_false_printed_statement_is_no_refutation(ledger):
    ledger.add(verdict="fails", printed="lambda m: 1 / 0")
    fails_with(ledger, "ZeroDivisionError", passed=3, failed=2)
    assert ledger.written["example.sum"]["counterexample"] is None


def test_pytest_fail_is_no_rejection(ledger):
    stop = '\n@claim.check("derived")\ndef test_stop(statement):\n    pytest.fail("given up")\n'
    ledger.add(verdict="fails", printed=FALSE, then=stop)
    fails_with(ledger, "given up", passed=3, failed=2)
