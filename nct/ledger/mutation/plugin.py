"""The part of the pytest plugin that makes near misses by machine: ``--ledger-mutate``.

Every claim gets an item ``mutants`` more. It makes false neighbours of the form of the statement that stands and counts
those that the claim's checks reject; see `nct.ledger.mutation`.
"""

import inspect
import random
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, cast

import pytest
from _pytest.runner import runtestprotocol  # the way to run an item out of turn; as in pytest-rerunfailures

from nct.ledger._book import Record
from nct.ledger._claim import Check, Claim, claim_of
from nct.ledger._collection import TRIAL, left_out
from nct.ledger._item import ClaimItem
from nct.ledger._running import SPARED, sparing
from nct.ledger._statement import Variant
from nct.ledger.mutation._edit import Edit, name_edits
from nct.ledger.mutation._memory import fingerprint
from nct.ledger.mutation._trials import LEAST_OF_A_CLAIM, Tally, Trials
from nct.ledger.mutation._values import Manner, edits_of

#: A sample takes one claim in so many, and at most so many edits of each.
_ONE_IN, _AT_MOST = 4, 12

_Call = Callable[[Any], object]
_PLAN = pytest.StashKey[Callable[[_Call], None]]()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the item ``mutants`` to a file that states a claim which has a form that stands."""
    report = yield
    claim = claim_of(collector.obj) if type(collector) is pytest.Module and report.passed else None
    if claim is not None and claim.verdict != "fails" and _wanted(claim, collector.config):
        items = [item for item in report.result if isinstance(item, pytest.Function) and _can_reject(item)]
        checks = [item for item in items if _form(item).role != "near miss" and _stands(item)]
        false = [item for item in items if _form(item).role == "near miss"]
        report.result.append(Mutants.from_parent(collector, name="mutants", checks=checks, false=false))
    return report


def _wanted(claim: Claim, config: pytest.Config) -> bool:
    if config.getoption("--ledger-mutate") == "all":
        return True
    return random.Random(claim.id).randrange(_ONE_IN) == 0


def _form(item: pytest.Function) -> Variant:
    return cast(Variant, next(item.iter_markers("ledger_form")).args[0])


def _can_reject(item: pytest.Function) -> bool:
    """Whether the item is of a check whose failure says that a statement is false: of a kernel's it says nothing."""
    check = Check.of(item.function)
    return check is not None and check.kind != "kernel"


def _stands(item: pytest.Function) -> bool:
    check = Check.of(item.function)
    return check is not None and _form(item).value is check.claim.standing.value


def _last_line(report: pytest.TestReport) -> str:
    """What broke a check, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", None) or report.longreprtext or report.outcome).strip().splitlines()[0]


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("ledger_long") is not None


class Mutants(ClaimItem):
    """The edits of a claim's statement, as a test item."""

    def __init__(self, *, checks: list[pytest.Function], false: list[pytest.Function], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.checks, self.false = checks, false
        self.tally: Tally | None = None
        self._broken: list[str] = []
        record = Record.of(self.claim, test=self.nodeid)
        record.role = record.variant = "mutants"
        self.stash[TRIAL] = record
        self.extra_keyword_matches.add(self.claim.id)

    def try_edits(self) -> None:
        """Make the edits and put them to the checks; or recall what came of it, if nothing has changed since."""
        cache = self.config.cache if hasattr(self.config, "cache") else None
        place, key = f"ledger/mutants/{self.claim.id}", self._fingerprint()
        known = cache.get(place, None) if cache is not None else None
        if known is not None and known[0] == key:
            self.tally = Tally.from_json(known[1])
            return
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of statements that are false
            self.tally = self._tried()
        if self.tally is not None:
            self.tally.seconds = round(time.perf_counter() - begin, 3)
        if cache is not None and self.tally is not None:
            cache.set(place, [key, self.tally.to_json()])

    def _fingerprint(self) -> str:
        names = ("--ledger-mutate", "--hypothesis-profile", "--hypothesis-seed")
        options = [self.config.getoption(name, default=None) for name in names]
        return fingerprint(self.path, self.config.rootpath, *options, sorted(item.nodeid for item in self._run))

    @property
    def _run(self) -> list[pytest.Function]:
        return [item for item in self.checks if not left_out(item)]

    @property
    def _step(self) -> float:
        """Twice the resolution that the checks state, if all of them have one, and at least two per cent."""
        resolutions = [check.resolution for item in self._run if (check := Check.of(item.function)) is not None]
        return max(0.02, 2 * min((resolution or 0.0 for resolution in resolutions), default=0.0))

    def _tried(self) -> Tally | None:
        edits = name_edits(
            edits_of(self.claim.standing.value, Manner(self._step, self.claim.standing.stronger, file=str(self.path)))
        )
        trials = Trials(self.claim.standing.value, self._chosen(edits), self._declared(edits))
        seconds: dict[pytest.Function, float] = {}
        for item in self._run:
            with suppress(KeyError):
                seconds[item] = self._call(item, trials.watch)
        if len(seconds) < len(self._run) or not seconds:
            return None
        if trials.compares:
            for item in self.false:
                if not left_out(item):
                    self._call(item, partial(trials.listen, value=_form(item).value))
        trials.discard()
        for item in sorted(seconds, key=lambda item: (_is_long(item), seconds[item])):
            self._call(item, partial(trials.put_to, seconds=seconds[item], name=item.originalname))
        tally = trials.tally()
        tally.step = self._step
        return tally

    def _chosen(self, edits: dict[str, Edit]) -> dict[str, Edit]:
        if self.config.getoption("--ledger-mutate") == "all" or len(edits) <= _AT_MOST:
            return edits
        names = random.Random(self.claim.id).sample(list(edits), _AT_MOST)
        return {name: edits[name] for name in edits if name in names}

    def _declared(self, edits: dict[str, Edit]) -> dict[str, str]:
        """The edits that are declared to be true; in a sample, those of them that it holds or that nobody makes."""
        chosen = self._chosen(edits)
        return {name: why for name, why in self.claim.true_edits.items() if name in chosen or name not in edits}

    def _call(self, item: pytest.Function, plan: Callable[[_Call], Any]) -> Any:
        """What a plan makes of a check, while the check's fixtures are set up; a KeyError if it cannot run."""
        made: dict[str, Any] = {}

        def carry_out(check: _Call) -> None:
            with sparing(item, *SPARED):
                made["result"] = plan(check)

        item.stash[_PLAN] = carry_out
        before = set(vars(item))
        try:
            reports = runtestprotocol(item, log=False, nextitem=self)
        finally:
            del item.stash[_PLAN]
            for name in set(vars(item)) - before:  # Hypothesis notes the examples that fail on the item
                delattr(item, name)
        if "result" not in made:
            self._broken += [f"{item.name}: {_last_line(report)}" for report in reports if not report.passed]
        return made["result"]

    def faults(self) -> Iterator[str]:
        """What is wrong with the declarations, and whether too few edits are rejected."""
        tally = self.tally
        if tally is None:
            yield "the statement does not pass its own checks, so nothing can be said of its edits"
            yield from self._broken
            return
        self.stash[TRIAL].mutants = tally.to_json()
        yield from tally.faults
        if tally.rate is not None and tally.rate < LEAST_OF_A_CLAIM:
            yield f"its checks reject {tally.killed} of {tally.counted} edits, fewer than {LEAST_OF_A_CLAIM:.0%}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Put the edits to the checks before the item itself is set up: a check's fixtures need its own turn."""
    if isinstance(item, Mutants):
        item.try_edits()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Hand the check to the plan that is under way, in the place of calling it once."""
    plan = pyfuncitem.stash.get(_PLAN, None)
    if plan is None:
        return None
    names = [name for name in inspect.signature(pyfuncitem.obj).parameters if name in pyfuncitem.funcargs]
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    plan(lambda value: pyfuncitem.obj(**{**arguments, "statement": value}))
    return True
