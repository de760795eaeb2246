"""How hard Hypothesis searches: the profiles ``ledger`` and ``deep``.

The profile ``ledger`` repeats the same examples in every run, so that a ledger can be repeated; ``deep``, chosen by
``--hypothesis-profile=deep``, searches with fresh seeds and a hundred times as many. Claims are imported under
``ledger`` unless the command line names a profile; whatever else runs keeps the profile that it had.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_PROFILES = {
    "ledger": {"derandomize": True, "max_examples": 50, "print_blob": False},
    "deep": {"derandomize": False, "max_examples": 5000},
}


def register_profiles() -> None:
    """Make the two profiles known to Hypothesis, except where a profile of that name is known already.

    Examples
    --------
    >>> from hypothesis import settings
    >>> register_profiles()
    >>> settings.get_profile("deep").max_examples
    5000
    """
    from hypothesis import settings
    from hypothesis.errors import InvalidArgument

    for name, given in _PROFILES.items():
        try:
            settings.get_profile(name)
        except InvalidArgument:
            settings.register_profile(name, deadline=None, report_multiple_bugs=False, **given)  # type: ignore[arg-type]


def chosen_profile(config: pytest.Config) -> str | None:
    """The profile that the command line names."""
    name = config.getoption("--hypothesis-profile", default=None)
    return None if name is None else str(name)


@contextmanager
def ledger_profile(config: pytest.Config) -> Iterator[None]:
    """The profile under which a file of claims is imported: decorators take the settings of that moment.

    Parameters
    ----------
    config : pytest.Config
        The run's configuration; nothing is changed if its command line names a profile.
    """
    if chosen_profile(config) is not None:
        yield
        return
    from hypothesis import settings

    register_profiles()
    # The name of the current profile is public since version 6.130 only.
    before = str(getattr(settings, "get_current_profile_name", lambda: settings._current_profile)())
    settings.load_profile("ledger")
    try:
        yield
    finally:
        settings.load_profile(before)
