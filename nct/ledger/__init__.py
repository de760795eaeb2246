r"""The vocabulary of the ledger: claims, their checks, and the refutations these report.

A *claim* is a theorem, lemma, displayed equation or reported experiment, stated as its source prints it. A *check* is
a function of the statement, so that one and the same function is run on the printed statement, on the amended one
where there is one, and on every *near miss*: a false statement close to the true one, which the check must reject.
Nothing can pass by asserting nothing. What a check covers of the statement, all values or instances or a search, makes
the claim's *reach*.

A claim is one file:

>>> from nct.ledger import Claim, Statement, require
>>> claim = Claim(
...     id="example.sum",
...     title="Sum of the first integers",
...     source="Gauss",
...     verdict="holds",
...     printed=Statement(r"\sum_{i=1}^m i = m(m+1)/2", lambda m: m * (m + 1) // 2),
...     near_misses={"off by one": lambda m: m * (m - 1) // 2},
... )
>>> @claim.check("exact")
... def test_by_adding_up(statement):
...     for m in range(1, 50):
...         require(statement(m) == sum(range(m + 1)), "the sum differs", m=m)
>>> test_by_adding_up(claim.printed.value)
>>> test_by_adding_up(claim.near_misses["off by one"])
Traceback (most recent call last):
...
nct.ledger._require.Refuted: the sum differs: m = 1

`pytest` runs such files through the plugin `nct.ledger.plugin`, which the distribution registers.
"""

from nct.ledger._claim import KINDS, VERDICTS, Check, Claim, Kind, Verdict
from nct.ledger._compare import compare
from nct.ledger._comparison import require_at_most, require_close, require_equal
from nct.ledger._first import FIRST_CLAIM, begin_ledger
from nct.ledger._folder import LedgerError, claim_files, find_ledger
from nct.ledger._kernel import NotProved, collecting, find_coqc, require_disproved, require_proved, run_coqc
from nct.ledger._last_run import LAST_RUN, Outcome, read_last_run
from nct.ledger._ledger_file import LedgerFile, read_ledger
from nct.ledger._papers import Paper, read_papers
from nct.ledger._profiles import register_profiles
from nct.ledger._reach import SCOPES, Coverage, Instances, Part, Reach, Search, reach, short_scope
from nct.ledger._reading import Listing, load_claims, read_claims
from nct.ledger._require import Refuted, require
from nct.ledger._scripts import write_scripts
from nct.ledger._source import shown_value
from nct.ledger._statement import Statement, Variant
from nct.ledger._strength import Conclusion, Condition, Fixed, LowerBound, OneOf, Stronger, UpperBound
from nct.ledger._unicode import in_unicode

__all__ = [
    "FIRST_CLAIM",
    "KINDS",
    "LAST_RUN",
    "SCOPES",
    "VERDICTS",
    "Check",
    "Claim",
    "Conclusion",
    "Condition",
    "Coverage",
    "Fixed",
    "Instances",
    "Kind",
    "LedgerError",
    "LedgerFile",
    "Listing",
    "LowerBound",
    "NotProved",
    "OneOf",
    "Outcome",
    "Paper",
    "Part",
    "Reach",
    "Refuted",
    "Search",
    "Statement",
    "Stronger",
    "UpperBound",
    "Variant",
    "Verdict",
    "begin_ledger",
    "claim_files",
    "collecting",
    "compare",
    "find_coqc",
    "find_ledger",
    "in_unicode",
    "load_claims",
    "reach",
    "read_claims",
    "read_last_run",
    "read_ledger",
    "read_papers",
    "register_profiles",
    "require",
    "require_at_most",
    "require_close",
    "require_disproved",
    "require_equal",
    "require_proved",
    "run_coqc",
    "short_scope",
    "shown_value",
    "write_scripts",
]
