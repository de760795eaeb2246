"""The pytest plugin that runs claims and prints the ledger.

It does nothing in a run that collects no claim. Checks become ordinary test items, one for each form of the
statement, and each kind of evidence is a marker, so that ``-k``, ``-m``, paths, node ids and ``-n`` (pytest-xdist)
select as usual.
One more item for each claim, ``rules``, holds the claim to the ledger's rules. What only all items of a check can show,
that it has measured something, is decided at the end of the run and reported like a failing test.

Options: ``--ledger FILE`` writes the ledger as JSON, ``--long`` runs the checks marked ``long`` too. With
``ledger_require_covers = true`` in the configuration a check that does not say what it covers fails the run.
"""

from pathlib import Path

import pytest

from nct.ledger._claim import KINDS
from nct.ledger._collection import pytest_collection_modifyitems, pytest_generate_tests, pytest_make_collect_report
from nct.ledger._reporting import (
    check_target,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
)
from nct.ledger._running import pytest_pyfunc_call, pytest_runtest_makereport

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_make_collect_report",
    "pytest_pyfunc_call",
    "pytest_runtest_makereport",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ledger's options."""
    group = parser.getgroup("ledger", "claims and their ledger")
    group.addoption(
        "--ledger", metavar="FILE", type=Path, help="write the ledger of the claims that ran to FILE as JSON"
    )
    group.addoption("--long", action="store_true", help="run the checks marked 'long' too")
    parser.addini(
        "ledger_require_covers",
        type="bool",
        default=False,
        help="fail a check that does not say what it covers, and an experiment that does not say what was run (default:"
        " warn)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the ledger's markers, and look at the file that is to be written."""
    for kind in KINDS:
        config.addinivalue_line("markers", f"{kind}: evidence of this kind for a claim")
    config.addinivalue_line("markers", "statement(variant): the form of the statement that a check is run on")
    config.addinivalue_line("markers", "long: takes minutes; runs only with --long")
    check_target(config)
