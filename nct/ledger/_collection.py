"""Collecting claims with pytest: a check becomes one item for each form of the statement."""

from collections.abc import Generator
from contextlib import nullcontext

import pytest

from nct.ledger._book import Record
from nct.ledger._claim import KINDS, Check, claim_of
from nct.ledger._item import ClaimItem
from nct.ledger._profiles import ledger_profile
from nct.ledger._rules import Rules
from nct.ledger._snippet import Snippet

#: What an item of a claim tries; absent from all other items.
TRIAL = pytest.StashKey[Record]()


_MARKED = pytest.StashKey[bool]()


def register_markers(config: pytest.Config) -> None:
    """Make the kinds of evidence markers; in a run without claims they are none."""
    if not config.stash.get(_MARKED, False):
        config.stash[_MARKED] = True
        for kind in KINDS:
            config.addinivalue_line("markers", f"{kind}: evidence of this kind for a claim")
        config.addinivalue_line("markers", "ledger_form(variant): the form of the statement that a check is run on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a check the forms of its claim's statement."""
    check = Check.of(metafunc.function)
    if check is None:
        return
    if check.claim is not claim_of(metafunc.module):
        pytest.fail(
            f"{metafunc.function.__name__} checks {check.claim.id}, which its file does not state: "
            "one claim, one file, and the claim's name there is 'claim'",
            pytrace=False,
        )
    register_markers(metafunc.config)
    forms = [pytest.param(v.value, id=v.id, marks=pytest.mark.ledger_form(v)) for v in check.variants]
    metafunc.parametrize("statement", forms)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Import a file of claims under the ledger's profile, and add the items ``rules`` and ``counterexample``."""
    with ledger_profile(collector.config) if _may_state_a_claim(collector) else nullcontext():
        report = yield
    if type(collector) is pytest.Module and report.passed and (claim := claim_of(collector.obj)) is not None:
        report.result.append(Rules.from_parent(collector, name="rules"))
        if claim.counterexample_code is not None:
            report.result.append(Snippet.from_parent(collector, name="counterexample"))
    return report


def _may_state_a_claim(collector: pytest.Collector) -> bool:
    """Whether the collector is about to import a file that uses the ledger's words."""
    if not isinstance(collector, pytest.File) or collector.path.suffix != ".py":
        return False
    try:
        return b"nct.ledger" in collector.path.read_bytes()
    except OSError:
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note what each item tries, mark it with its kind of evidence, and leave out the long ones unless asked for."""
    for item in items:
        trial = _trial(item)
        if trial is not None:
            item.stash[TRIAL] = trial
            item.extra_keyword_matches.add(trial.claim["id"])
            if trial.kind is not None:
                item.add_marker(trial.kind)
    long = {item for item in items if left_out(item)}
    if long:
        config.hook.pytest_deselected(items=list(long))
        items[:] = [item for item in items if item not in long]


def left_out(item: pytest.Item) -> bool:
    """Whether an item is long and long ones are not asked for."""
    return item.get_closest_marker("ledger_long") is not None and not item.config.getoption("--ledger-long")


def _trial(item: pytest.Item) -> Record | None:
    """What the item tries, with its outcome still to come."""
    if isinstance(item, ClaimItem):
        return Record.of(item.claim, test=item.nodeid)
    if isinstance(item, pytest.Function) and (check := Check.of(item.function)) is not None:
        variant = next(item.iter_markers("ledger_form")).args[0]
        return Record.of(check.claim, test=item.nodeid, check=check, variant=variant)
    return None
