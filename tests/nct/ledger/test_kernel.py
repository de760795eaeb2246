"""Evidence that a proof kernel checks: what counts, what does not, and what is reported where there is no kernel."""

import pytest
from ledgers import DERIVED, GOOD

from nct.ledger import NotProved, Part, find_coqc, require_proved, run_coqc

needs_coq = pytest.mark.skipif(find_coqc() is None, reason="there is no coqc (Debian's package is coq)")

TRUE = "Theorem one : 1 = 1. Proof. reflexivity. Qed."
FALSE = "Theorem one : 1 = 2. Proof. reflexivity. Qed."
KERNEL = f"""
from nct.ledger import Part, require_proved

@claim.check("kernel", covers=Part("that one is one"))
def test_by_the_kernel(statement):
    require_proved(claim, {TRUE!r})
"""


@needs_coq
def test_a_rejected_proof_is_no_refutation():
    require_proved(GOOD, TRUE)
    with pytest.raises(NotProved, match="no refutation"):
        require_proved(GOOD, FALSE)
    assert not issubclass(NotProved, AssertionError)


@needs_coq
def test_an_axiom_is_no_proof():
    assert run_coqc(TRUE).assumptions == frozenset()
    with pytest.raises(NotProved, match="anything"):
        require_proved(GOOD, "Axiom anything : 1 = 2. Theorem one : 1 = 2. Proof. exact anything. Qed.")
    with pytest.raises(NotProved):
        require_proved(GOOD, "Theorem one : 1 = 2. Proof. Admitted.")


@needs_coq
def test_what_is_checked_is_told_and_counts_for_no_other_kind(ledger):
    ledger.add(then=DERIVED + KERNEL)
    ledger.run().assert_outcomes(passed=6)
    written = ledger.written["example.sum"]
    assert written["reach"]["kernel"] == ["that one is one"]
    assert written["reach"]["scope"] == "tested"


def test_without_coq_it_is_not_run(ledger, monkeypatch):
    monkeypatch.setenv("PATH", "")
    ledger.add(then=DERIVED + KERNEL)
    result = ledger.run()
    result.assert_outcomes(passed=5, skipped=1)
    assert ledger.written["example.sum"]["reach"]["kernel"] == []


def test_refutes_is_for_kernel_checks_and_names_near_misses():
    with pytest.raises(ValueError, match="refutes = 'off by one'"):
        GOOD.check("exact", refutes=["off by one"])
    with pytest.raises(ValueError, match="refutes = 'none'"):
        GOOD.check("kernel", covers=Part("it"), refutes=["none"])
    with pytest.raises(ValueError, match="covers"):
        GOOD.check("kernel")
