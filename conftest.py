"""Hypothesis profiles for the ledger and the tests.

The default repeats the same examples in every run; ``--hypothesis-profile=deep`` searches with fresh seeds and
a hundred times as many.
"""

from hypothesis import settings

settings.register_profile(
    "ledger", derandomize=True, deadline=None, max_examples=50, report_multiple_bugs=False, print_blob=False
)
settings.register_profile("deep", derandomize=False, deadline=None, max_examples=5000, report_multiple_bugs=False)
settings.load_profile("ledger")
