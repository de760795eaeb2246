"""What a failing check shows: the statement's source, and no frame but the check's."""

import re

import pytest

FUNCTION = """
def half(m):
    # a comment that is part of the source
    return m * m // 2
"""


def failing(ledger, printed, *, before="", call="statement(m)", arguments=()):
    path = ledger.add(printed=printed)
    text = path.read_text().replace("statement(m)", call).split('@claim.check("derived")')[0]
    path.write_text(text.replace("claim = ", f"{before}\n\nclaim = "))
    result = ledger.run("proofs_checks", *arguments)
    assert result.ret == 1
    assert "0x" not in ledger.printed
    assert "nct/ledger/" not in ledger.printed.replace("\\\\", "/")
    return ledger.printed


def test_a_lambda_is_shown_in_place(ledger):
    shown = failing(ledger, "lambda m: m * m // 2")
    assert "statement = (lambda m: m * m // 2)\n" in shown
    assert "Refuted: the sum differs: m = 1" in shown


def test_a_lambda_over_several_lines(ledger):
    shown = failing(ledger, "(\n        lambda m:\n            m * m // 2\n    )")
    assert "statement = (lambda m: m * m // 2)\n" in shown


def test_a_function_is_shown_in_full(ledger):
    shown = failing(ledger, "half", before=FUNCTION)
    assert "statement = half\n" in shown
    assert re.search(rf"- statement, printed -+\nhalf\n\n{re.escape(FUNCTION.strip())}\n", shown)


def test_functions_within_a_record(ledger):
    before = (
        "from dataclasses import dataclass\n@dataclass\nclass Formula:\n    f: object\n    parts: tuple\n" + FUNCTION
    )
    shown = failing(ledger, "Formula(lambda m: m + 7, (half, 3))", before=before, call="statement.f(m)")
    assert "statement = Formula(f=(lambda m: m + 7), parts=(half, 3))" in shown
    assert "a comment that is part of the source" in shown


def test_in_an_assertion_and_from_a_worker(ledger):
    ledger.add(
        printed="lambda m: m * m // 2",
        then="\n@claim.check('derived')\ndef test_at_two(statement):\n    assert statement(3) == 6\n",
    )
    ledger.run("proofs_checks", "-n", "1", "-k", "test_at_two and printed")
    assert "where 4 = (lambda m: m * m // 2)(3)" in ledger.printed


def test_a_near_miss_that_is_accepted(ledger):
    ledger.add(near_misses="{'the same again': lambda m: m * (m + 1) // 2}")
    ledger.run()
    assert "statement, the same again" in ledger.printed
    assert "(lambda m: m * (m + 1) // 2)\n" in ledger.printed


@pytest.mark.parametrize("value", ["7", "{'a': 1}", "None"])
def test_a_statement_without_functions(ledger, value):
    assert "TypeError" in failing(ledger, value)
