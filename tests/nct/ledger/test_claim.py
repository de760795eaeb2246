"""The vocabulary: claims, statements, checks."""

from dataclasses import replace

import pytest
from ledgers import GOOD

from nct.ledger import Refuted, Statement, require


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"id": "sum"}, ValueError, "'sum'"),
        ({"id": "Example.sum"}, ValueError, "'Example.sum'"),
        ({"id": "example.a b"}, ValueError, "'example.a b'"),
        ({"title": " "}, ValueError, "title = ' ' of example.sum; title must not be empty"),
        ({"source": ""}, ValueError, "source = '' of example.sum; source must not be empty"),
        (
            {"verdict": "true"},
            ValueError,
            "verdict = 'true' of example.sum; verdict must be one of holds, amended, fails, observed",
        ),
        ({"verdict": "amended"}, ValueError, "amended of example.sum is missing; amended must be given exactly when"),
        (
            {"amended": Statement("text", None)},
            ValueError,
            "amended of example.sum is given; amended must be given exactly",
        ),
        ({"printed": "text"}, TypeError, "printed of example.sum is a str; printed must be a Statement"),
        ({"printed": None}, TypeError, "printed of example.sum is a NoneType; printed must be a Statement"),
        ({"near_misses": [1]}, TypeError, "near_misses of example.sum is a list; near_misses must be a mapping"),
        ({"depends_on": "example.sum"}, TypeError, "depends_on = 'example.sum' of example.sum is a string"),
    ],
)
def test_a_claim_that_is_wrongly_stated(change, error, message):
    with pytest.raises(error, match=message):
        replace(GOOD, **change)


def test_a_claim_cannot_be_changed():
    with pytest.raises(AttributeError):
        GOOD.verdict = "fails"
    with pytest.raises(TypeError):
        GOOD.near_misses["another"] = 1


def test_an_unknown_kind_of_evidence():
    with pytest.raises(
        ValueError, match=r"kind = 'proved' of a check of example.sum; kind must be one of derived, exact"
    ):
        GOOD.check("proved")


def test_blindness_to_what_is_no_near_miss():
    with pytest.raises(ValueError, match=r"blind_to = 'off by two' of a check of example.sum"):
        GOOD.check("exact", blind_to={"off by two": "a reason"})


def test_a_near_miss_named_printed_does_not_hide_the_printed_statement():
    claim = replace(GOOD, near_misses={"printed": None, "other": None})

    @claim.check("exact", blind_to={"printed": "a reason"})
    def test_something(statement): ...

    assert [v.id for v in test_something.__ledger_check__.variants] == ["printed", "near-miss-other"]


def test_require():
    require(True, "fine", m=1)
    with pytest.raises(Refuted, match=r"^wrong: m = 1, x = 2\.5$") as refuted:
        require(0, "wrong", m=1, x=2.5)
    assert refuted.value.witness == {"m": 1, "x": 2.5}
    assert isinstance(refuted.value, AssertionError)
