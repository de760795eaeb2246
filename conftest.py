"""Threads, and Hypothesis profiles, for the ledger and the tests.

Matrices here are small: one thread a process is as fast as several, repeats to the last bit, and leaves the other cores
to ``-n``. OMP_NUM_THREADS in the environment overrides it.

The profiles are the ledger's own; here the tests that are no claims run under ``ledger`` too.

``SHAPES=1`` in the environment checks every annotation while the tests run (tests/support/shapes.py).
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and torch are imported

from hypothesis import settings

from nct.ledger import register_profiles

register_profiles()
settings.load_profile("ledger")

SHAPES = bool(os.environ.get("SHAPES"))
if SHAPES:
    sys.path.insert(0, str(Path(__file__).parent / "tests" / "support"))
    from shapes import check_shapes

    check_shapes()

pytest_plugins = ["pytester"]


def pytest_configure(config):
    config.addinivalue_line("markers", "any_type: passes on purpose what annotations do not allow; not with SHAPES=1")


def pytest_collection_modifyitems(config, items):
    """Leave out of the run with shapes what breaks an annotation on purpose: names with "wrong", and ``any_type``."""
    if SHAPES:
        left = [item for item in items if "wrong" in item.nodeid or item.get_closest_marker("any_type")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
