"""A pytest plugin that notes which lines of the mutated packages each test executes, how long it takes and its outcome.

Coverage keeps the lines, one context a test. A fixture that several tests share is a context too, which is later given
to each of them; what a function has cached is forgotten after each test. What subprocesses execute is not seen. The
environment names the packages' folders, `MUTATION_PACKAGES`, and the file to write, `MUTATION_DATA`; outcomes and the
modules that were imported from outside the project are written beside it as JSON.
"""

import json
import os
import sys
from collections.abc import Generator
from functools import cache
from itertools import chain
from pathlib import Path

import coverage
import pytest

COVERAGE = pytest.StashKey[coverage.Coverage]()
CACHED = type(cache(lambda: None))
SHARED = "shared fixture "
_seconds: dict[str, float] = {}
_outcomes: dict[str, str] = {}
_fixtures: dict[str, list[str]] = {}
_running: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Begin to measure, before anything of the project is imported by a test."""
    include = [f"{package}/*" for package in os.environ["MUTATION_PACKAGES"].split(os.pathsep)]
    measured = coverage.Coverage(data_file=os.environ["MUTATION_DATA"], include=include, config_file=False)
    measured.start()
    config.stash[COVERAGE] = measured


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Make the test the context of what is executed."""
    item.config.stash[COVERAGE].switch_context(item.nodeid)
    _running.append(item.nodeid)
    _fixtures[item.nodeid] = list(getattr(item, "fixturenames", ()))
    result = yield
    item.config.stash[COVERAGE].switch_context("")
    _forget_results()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Give a fixture that several tests share a context of its own."""
    if fixturedef.scope == "function":
        return (yield)
    measured = request.config.stash[COVERAGE]
    measured.switch_context(f"{SHARED}{fixturedef.argname} {fixturedef.baseid}")
    try:
        return (yield)
    finally:
        measured.switch_context(_running[-1])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of a test's three phases; the first that does not pass is its outcome."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration
    if _outcomes.get(report.nodeid, "passed") == "passed":
        _outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was measured."""
    measured = session.config.stash[COVERAGE]
    measured.stop()
    measured.save()
    tests = {
        test: {"seconds": round(_seconds[test], 4), "outcome": _outcomes[test], "fixtures": _fixtures[test]}
        for test in _seconds
    }
    content = {"tests": tests, "modules": _foreign_modules()}
    Path(os.environ["MUTATION_DATA"] + ".json").write_text(json.dumps(content), encoding="utf-8")


def _forget_results() -> None:
    """Clear what functions of the measured packages have cached, so that the next test that needs it executes them."""
    own = tuple(os.environ["MUTATION_PACKAGES"].split(os.pathsep))
    for module in list(sys.modules.values()):
        if (getattr(module, "__file__", None) or "").startswith(own):
            kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
            for value in chain(vars(module).values(), *(vars(kind).values() for kind in kinds)):
                if isinstance(value, CACHED):
                    value.cache_clear()


def _foreign_modules() -> list[str]:
    own = (str(Path.cwd()), str(Path(__file__).parent))
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if file and name != "__main__" and not file.startswith(own)]
