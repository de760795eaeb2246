"""Threads, and Hypothesis profiles, for the ledger and the tests.

Matrices here are small: one thread a process is as fast as several, repeats to the last bit, and leaves the other cores
to ``-n``. OMP_NUM_THREADS in the environment overrides it.

The default profile repeats the same examples in every run; ``--hypothesis-profile=deep`` searches with fresh seeds and
a hundred times as many.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and torch are imported

from hypothesis import settings

settings.register_profile(
    "ledger", derandomize=True, deadline=None, max_examples=50, report_multiple_bugs=False, print_blob=False
)
settings.register_profile("deep", derandomize=False, deadline=None, max_examples=5000, report_multiple_bugs=False)
settings.load_profile("ledger")


def pytest_addoption(parser):
    parser.addoption(
        "--shapes", action="store_true", help="check every annotation: shapes by jaxtyping, types by beartype"
    )


def pytest_configure(config):
    if config.getoption("--shapes"):
        from shapes import check_shapes

        check_shapes()
