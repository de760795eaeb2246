"""Running a check on one form of the statement, and noting what came of it.

A printed statement with the verdict ``amended`` or ``fails``, and every near miss, must be refuted.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import pytest

from nct.ledger._book import Record
from nct.ledger._collection import TRIAL
from nct.ledger._comparison import recording
from nct.ledger._counterexample import counterexample
from nct.ledger._failure import show_statement

#: The phases of Hypothesis that a near miss is spared; the other forms are spared the second only.
SPARED: tuple[Literal["shrink"], Literal["explain"]] = ("shrink", "explain")

__tracebackhide__ = True  # pytest shows a failing check, not who calls it


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a check; an AssertionError is a refutation, and so what a false form has to meet."""
    trial = pyfuncitem.stash.get(TRIAL, None)
    if trial is None:
        return (yield)
    try:
        with recording() as measured, sparing(pyfuncitem, *(SPARED if trial.role == "near miss" else SPARED[1:])):
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
def sparing(item: pytest.Function, *phases: Literal["shrink", "explain"]) -> Iterator[None]:
    """Spare Hypothesis phases whose outcome nobody is shown, and without ``shrink`` its health checks.

    To explain a failure takes longer than to find it and is no part of the counterexample; of a near miss not even the
    smallest example is shown. The settings of a test are an attribute that Hypothesis does not document; without it the
    run is only slower.
    """
    name = "_hypothesis_internal_use_settings"
    settings = getattr(item.function, name, None)
    if settings is None:
        yield
        return
    from hypothesis import HealthCheck

    changes: dict[str, Any] = {"phases": [phase for phase in settings.phases if phase.name not in phases]}
    if "shrink" in phases:
        changes["suppress_health_check"] = list(HealthCheck)
    setattr(item.function, name, type(settings)(settings, **changes))
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
