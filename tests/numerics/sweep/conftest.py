"""Fixtures of the tests of sweeps."""

import pytest
from sweeps import Processes, run


@pytest.fixture(scope="package")
def expected(tmp_path_factory):
    """The rows of the small sweep, done without any trouble."""
    return run(tmp_path_factory.mktemp("expected") / "sweep.db").rows()


@pytest.fixture
def processes(tmp_path):
    """What starts processes; none of them outlives the test."""
    started = Processes(tmp_path)
    yield started
    started.end()
