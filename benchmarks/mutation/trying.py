"""Trying a mutant: its file is written into the copy, and the tests that execute it run in a child of this process.

The child inherits every module from outside the project, so that a mutant costs no more than its tests.
"""

import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from judging import Judge
from mutants import Mutant
from workplace import Workplace, forget_bytecode

MEMORY = 12 * 2**30


class Trials:
    """The mutants of a project, tried one at a time.

    Parameters
    ----------
    workplace : Workplace
        Brought up to date and measured.
    budget : float
        Seconds that the tests of a mutant may take without it; of more, the quickest are run.
    """

    def __init__(self, workplace: Workplace, budget: float) -> None:
        self.workplace, self.budget, self.executed = workplace, budget, workplace.executed
        self.packages = tuple(str(workplace.copy / package) for package in workplace.project.packages)
        os.environ.update(workplace.environment(PYTHONHASHSEED="0"))
        for module in self.executed.modules:
            with suppress(Exception):
                importlib.import_module(module)
        gc.freeze()  # a child need not look through what it inherits

    def attempt(self, mutant: Mutant, text: str) -> dict[str, Any]:
        """Try a mutant on the ledger, and on all other tests unless the ledger notices it.

        Parameters
        ----------
        mutant : Mutant
            What is tried.
        text : str
            The mutated file.

        Returns
        -------
        dict
            What came of it: ``ledger`` is ``refuted``, ``crashed``, ``passed`` or ``not executed``, so is ``tests``, or
            ``None`` where they were spared; by which test; and the numbers of tests.
        """
        start = time.monotonic()
        ledger = self.workplace.project.ledger + "/"
        tests = self.executed.of(mutant.file, mutant.lines)
        scope = self.executed.of(mutant.file, mutant.scope)
        checks = {test for test in tests if test.startswith(ledger)}
        result: dict[str, Any] = {"mutant": mutant.name, "executed_by_ledger": any(t.startswith(ledger) for t in scope)}
        with self._planted(mutant.file, text):
            result["ledger"], result["ledger_by"], capped = self._run(checks, "refuted")
            result["tests"] = result["tests_by"] = None
            if result["ledger"] in ("passed", "not executed"):
                result["tests"], result["tests_by"], more = self._run(tests - checks, "crashed")
                capped |= more
        result |= {"checks": len(checks), "others": len(tests - checks), "capped": capped}
        return result | {"seconds": round(time.monotonic() - start, 2)}

    @contextmanager
    def _planted(self, file: str, text: str) -> Iterator[None]:
        path = self.workplace.copy / file
        kept = path.read_bytes()
        try:
            path.write_text(text, encoding="utf-8")
            forget_bytecode(path)
            yield
        finally:
            path.write_bytes(kept)
            forget_bytecode(path)

    def _run(self, tests: set[str], settled: str) -> tuple[str, str, bool]:
        chosen: dict[str, float] = {}
        for test in sorted(tests, key=lambda test: self.executed.seconds[test]):
            if chosen and sum(chosen.values()) + self.executed.seconds[test] > self.budget:
                break
            chosen[test] = self.executed.seconds[test]
        if not chosen:
            return "not executed", "", False
        answer = self.workplace.folder / "answer.json"
        answer.unlink(missing_ok=True)
        ended = _in_child(
            lambda: self._judge(chosen, settled, answer),
            seconds=30 + 8 * sum(chosen.values()),
            log=self.workplace.folder / "log.txt",
        )
        if not ended:
            return "crashed", "no end", False
        if not answer.exists():
            return "crashed", "the process", False
        outcome, by = json.loads(answer.read_text(encoding="utf-8"))
        return outcome, by, len(chosen) < len(tests)

    def _judge(self, chosen: dict[str, float], settled: str, answer: Path) -> None:
        import pytest

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.chdir(self.workplace.copy)
        sys.path.insert(0, str(self.workplace.copy))
        judge = Judge(chosen, self.packages, settled)
        scratch = self.workplace.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        files = sorted({test.split("::")[0] for test in chosen})
        options = ["-q", "-p", "no:cacheprovider", "--tb=native", f"--basetemp={scratch}", "--no-header"]
        code = pytest.main([*files, *options], plugins=[judge])
        if judge.outcome == "passed" and code not in (0, 1):
            judge.outcome, judge.by = "crashed", f"pytest ended with {int(code)}"
        answer.write_text(json.dumps([judge.outcome, judge.by]), encoding="utf-8")


def _in_child(work: Callable[[], None], seconds: float, log: Path) -> bool:
    """Do the work in a child, which is ended with all its own after so many seconds; whether it ended by itself."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            with log.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            work()
            code = 0
        finally:
            os._exit(code)
    limit = time.monotonic() + seconds
    try:
        while time.monotonic() < limit:
            if os.waitpid(child, os.WNOHANG)[0]:
                return True
            time.sleep(0.01)
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
