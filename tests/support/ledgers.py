"""Temporary ledgers, and runs of them."""

import pytest

from nct.ledger import Claim, Statement, read_ledger

TRUE = "lambda m: m * (m + 1) // 2"
FALSE = "lambda m: m * m // 2"  # right at 0 only
OFF = "lambda m: m * (m - 1) // 2"

CLAIM = """
import pytest
from hypothesis import given, strategies as st
from nct.ledger import Claim, Statement, require

claim = Claim(
    id="{id}",
    title="Sum of the first integers",
    source="example, Theorem 1",
    verdict="{verdict}",
    printed=Statement(r"\\sum_{{i=1}}^m i", {printed}),
    amended={amended},
    near_misses={near_misses},
    depends_on={depends_on},
)

@claim.check("exact")
def test_by_adding_up(statement):
    for m in range(9):
        require(statement(m) == sum(range(m + 1)), "the sum differs", m=m)
"""

DERIVED = """
@claim.check("derived")
def test_by_induction(statement):
    require(statement(0) == 0, "wrong at 0")
    require(all(statement(m) - statement(m - 1) == m for m in range(1, 9)), "wrong step")
"""

GOOD = Claim(
    id="example.sum",
    title="Sum",
    source="example",
    verdict="holds",
    printed=Statement("text", lambda m: m),
    near_misses={"off by one": lambda m: m + 1},
)


class Ledger:
    """A temporary ledger and the runs of it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path / "proofs_checks"
        pytester.makeini("[pytest]\naddopts = --import-mode=importlib --strict-markers -p no:cacheprovider\n")

    def add(
        self,
        id="example.sum",
        *,
        verdict="holds",
        printed=TRUE,
        amended="None",
        near_misses=None,
        depends_on=(),
        then=DERIVED,
        file=None,
    ):
        if near_misses is None:
            near_misses = "{'off by one': " + OFF + "}"
        paper, row = id.split(".", 1)
        path = self.root / (file or f"{paper}/test_{row.replace('-', '_').replace('.', '_')}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = dict(id=id, verdict=verdict, printed=printed, amended=amended)
        text = CLAIM.format(**fields, near_misses=near_misses, depends_on=list(depends_on)) + then
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments):
        """Run pytest on the ledger and read what it wrote."""
        result = self.pytester.runpytest_inprocess("--ledger", "ledger.json", *(arguments or ["proofs_checks"]))
        self.printed = result.stdout.str()
        return result

    @property
    def written(self):
        return {claim["id"]: claim for claim in read_ledger(self.pytester.path / "ledger.json").claims}

    @property
    def tests(self):
        """The names of the evidence that ran, without the folder."""
        return [e["test"].split("::", 1)[1] for entry in self.written.values() for e in entry["evidence"]]


def fails_with(ledger, *messages, passed, failed=1):
    result = ledger.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=passed, failed=failed)
    for message in messages:
        assert message in ledger.printed
    assert "broken" in ledger.printed
