"""The pytest plugin that runs claims and prints the ledger.

It does nothing in a run that collects no claim. Checks become ordinary test items, one for each form of the
statement, and each kind of evidence is a marker, so that ``-k``, ``-m``, paths, node ids and ``-n`` (pytest-xdist)
select as usual. One more item for each claim, ``rules``, holds the claim to the ledger's rules. What only all items of
a check can show, that it has measured something, is decided at the end of the run and reported like a failing test.

Options: ``--ledger FILE`` writes the ledger as JSON, ``--ledger-long`` runs the checks marked ``ledger_long`` too,
``--ledger-record`` keeps what was found in ``last_run.json`` beside the claims. The setting ``ledger_claims`` names the
folder of claims, if that is not ``proofs_checks``. With ``ledger_require_covers = true`` a check that does not say what
it covers fails the run. ``--ledger-mutate`` makes false neighbours of every statement and counts those that the checks
reject; ``--ledger-mutate=sample`` does so for a part.
"""

from pathlib import Path

import pytest

from nct.ledger._collection import (
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_make_collect_report,
    register_markers,
)
from nct.ledger._folder import CLAIMS_FOLDER
from nct.ledger._profiles import chosen_profile, register_profiles
from nct.ledger._reporting import (
    check_record,
    check_target,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
)
from nct.ledger._running import pytest_pyfunc_call, pytest_runtest_makereport
from nct.ledger._selection import pytest_ignore_collect

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_ignore_collect",
    "pytest_make_collect_report",
    "pytest_pyfunc_call",
    "pytest_runtest_makereport",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ledger's options and settings, whose names all begin with ``ledger``."""
    group = parser.getgroup("ledger", "claims and their ledger")
    group.addoption(
        "--ledger", metavar="FILE", type=Path, help="write the ledger of the claims that ran to FILE as JSON"
    )
    group.addoption(
        "--ledger-record", action="store_true", help="note what was found of every claim, for 'nct ledger' to show"
    )
    group.addoption("--ledger-long", action="store_true", help="run the checks marked 'ledger_long' too")
    group.addoption(
        "--ledger-mutate",
        metavar="all|sample",
        nargs="?",
        const="all",
        choices=("all", "sample"),
        help="make false neighbours of every statement, or of a fixed sample, and count those that its checks reject",
    )
    parser.addini("ledger_claims", "the folder of claims", default=CLAIMS_FOLDER)
    parser.addini(
        "ledger_require_covers",
        type="bool",
        default=False,
        help="fail a check that does not say what it covers, and an experiment that does not say what was run (default:"
        " warn)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register markers and profiles, and look at the file that is to be written, before Hypothesis is configured."""
    config.addinivalue_line("markers", "ledger_long: takes minutes; runs only with --ledger-long")
    if (config.rootpath / config.getini("ledger_claims")).is_dir():
        register_markers(config)
    if chosen_profile(config) is not None:
        register_profiles()
    if config.getoption("--ledger-mutate") is not None:
        from nct.ledger.mutation import plugin

        config.pluginmanager.register(plugin)
    check_target(config)
    check_record(config)
