"""Running a check on one form of the statement, and noting what came of it.

A printed statement with the verdict ``amended`` or ``fails``, and every near miss, must be refuted.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import pytest

from nct.ledger._book import Record
from nct.ledger._collection import TRIAL
from nct.ledger._comparison import recording
from nct.ledger._counterexample import counterexample
from nct.ledger._failure import show_statement

__tracebackhide__ = True  # pytest shows a failing check, not who calls it


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a check; an AssertionError is a refutation, and so what a false form has to meet."""
    trial = pyfuncitem.stash.get(TRIAL, None)
    if trial is None:
        return (yield)
    try:
        with recording() as measured, unshrunk(pyfuncitem) if trial.role == "near miss" else nullcontext():
            result = yield
    except AssertionError as refutation:
        trial.counterexample = counterexample(refutation)
        if trial.expected:
            raise
        return True
    finally:
        trial.measured = measured.to_json()
    if trial.expected is False:
        pytest.fail(_accepted(trial), pytrace=False)
    return result


@contextmanager
def unshrunk(item: pytest.Function) -> Iterator[None]:
    """Spare Hypothesis its health checks and the search for the smallest example, which nobody is shown of a near miss.

    The settings of a test are an attribute that Hypothesis does not document; without it the run is only slower.
    """
    name = "_hypothesis_internal_use_settings"
    settings = getattr(item.function, name, None)
    if settings is None:
        yield
        return
    from hypothesis import HealthCheck

    kept = [phase for phase in settings.phases if phase.name not in ("shrink", "explain")]
    setattr(item.function, name, type(settings)(settings, phases=kept, suppress_health_check=list(HealthCheck)))
    try:
        yield
    finally:
        setattr(item.function, name, settings)


def _accepted(trial: Record) -> str:
    if trial.role == "near miss":
        return (
            f"near miss accepted: this check of {trial.claim['id']} does not tell '{trial.variant}' from the statement"
        )
    verdict = trial.claim["verdict"]
    return f"the printed statement passes this check, though {trial.claim['id']} has the verdict '{verdict}'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what came of the item along with its report, from a worker of pytest-xdist too."""
    report = yield
    trial = item.stash.get(TRIAL, None)
    if trial is not None and report.when == "call" and report.failed and trial.kind is not None:
        show_statement(report, trial.variant, cast(pytest.Function, item).callspec.params["statement"])
    if trial is not None and (report.when == "call" or not report.passed):
        trial.outcome, trial.seconds = report.outcome, round(report.duration, 6)
        cast(Any, report).ledger = trial.to_json()
    return report
