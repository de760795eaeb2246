"""Where mutants are tried: a copy of the project, and what its tests execute.

Mutants are written into the copy, never into the project. The copy and what was measured stay for the next run, and are
brought up to date where files have changed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import coverage
from executed import SHARED

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """What is mutated and what is to notice.

    Attributes
    ----------
    root : pathlib.Path
        A git work tree.
    packages : tuple of str
        The folders that are mutated.
    ledger : str
        The folder of claims.
    tests : tuple of str
        All other paths that pytest collects; of a folder ``tests`` each part is measured by itself.
    """

    root: Path
    packages: tuple[str, ...] = ("theory", "numerics")
    ledger: str = "proofs_checks"
    tests: tuple[str, ...] = ("tests", "theory", "numerics", "nct", "README.md")

    def files(self) -> list[str]:
        """Tracked files, and new ones that git does not ignore."""
        command = ["git", "-C", str(self.root), "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted(file for file in set(listed) if file and (self.root / file).is_file())

    def parts(self) -> list[str]:
        """What is measured by itself: the ledger, the paths of tests, and each part of the folder ``tests``."""
        found = [self.ledger]
        for path in self.tests:
            within = sorted((self.root / path).iterdir()) if path == "tests" else []
            folders = [part.name for part in within if part.is_dir() and any(part.rglob("test_*.py"))]
            files = [part.name for part in within if part.match("test_*.py")]
            found += [f"{path}/{name}" for name in folders + files] or [path]
        return found

    def sources(self) -> list[str]:
        """The files that are mutated."""
        return [file for file in self.files() if file.endswith(".py") and file.startswith(_folders(self.packages))]


@dataclass(frozen=True)
class Executed:
    """Which tests execute what, by file and line.

    Attributes
    ----------
    seconds : dict of {str: float}
        What each test takes that passes without a mutant.
    tests : dict of {str: dict of {int: set of str}}
        By file and line.
    modules : list of str
        Modules from outside the project that tests import.
    """

    seconds: dict[str, float]
    tests: dict[str, dict[int, set[str]]]
    modules: list[str]

    def of(self, file: str, lines: Iterable[int]) -> set[str]:
        """The tests that execute some of the lines; of the whole file, if none is given."""
        by_line = self.tests.get(file, {})
        return set().union(*(by_line.get(line, set()) for line in (lines or by_line)))


class Workplace:
    """A folder with the copy of a project and what its tests execute.

    Parameters
    ----------
    project : Project
        What is tried.
    folder : pathlib.Path
        Made if it does not exist.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self.copy = project, folder.resolve(), folder.resolve() / "copy"

    def update(self) -> None:
        """Copy what has changed, and remove what is gone."""
        files = self.project.files()
        for path in [path for path in self.copy.rglob("*") if path.is_file() and "__pycache__" not in path.parts]:
            if str(path.relative_to(self.copy)) not in files:
                path.unlink()
        for file in files:
            source, target = self.project.root / file, self.copy / file
            if not target.exists() or source.read_bytes() != target.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                forget_bytecode(target)

    def environment(self, **more: str) -> dict[str, str]:
        """Variables under which the copy, and nothing else, is imported."""
        path = os.pathsep.join([str(self.copy), str(HERE)])
        return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **more}

    def measure(self) -> None:
        """Run every test once and note the lines that it executes; paths whose files are unchanged are spared."""
        for path in self.project.parts():
            data = self._data(path)
            key = self._digest((*self.project.packages, path))
            if data.with_suffix(".key").exists() and data.with_suffix(".key").read_text() == key:
                continue
            data.parent.mkdir(exist_ok=True)
            data.unlink(missing_ok=True)
            packages = os.pathsep.join(str(self.copy / package) for package in self.project.packages)
            environment = self.environment(MUTATION_PACKAGES=packages, MUTATION_DATA=str(data))
            command = [sys.executable, "-m", "pytest", path, "-q", "-p", "executed", "-p", "no:cacheprovider"]
            with data.with_suffix(".txt").open("w") as log:
                code = subprocess.run(command, cwd=self.copy, env=environment, stdout=log, stderr=log).returncode
            if code not in (0, 1, 5):  # passed, some failed, none found
                raise RuntimeError(f"{path} = a path whose tests cannot be run; see {data.with_suffix('.txt')}")
            data.with_suffix(".key").write_text(key)

    @cached_property
    def executed(self) -> Executed:
        """What the tests execute, as it was measured last."""
        seconds, modules = {}, []
        tests: dict[str, dict[int, set[str]]] = defaultdict(dict)
        for path in self.project.parts():
            noted = json.loads(Path(f"{self._data(path)}.json").read_text(encoding="utf-8"))
            passed = {test: run["seconds"] for test, run in noted["tests"].items() if run["outcome"] == "passed"}
            seconds |= passed
            modules += noted["modules"]
            users = _users_of_fixtures(noted["tests"])
            data = coverage.CoverageData(str(self._data(path)))
            data.read()
            for file in data.measured_files():
                by_line = tests[str(Path(file).relative_to(self.copy))]
                for line, contexts in data.contexts_by_lineno(file).items():
                    tests_there = (users.get(context, {context}) for context in contexts)
                    by_line.setdefault(line, set()).update(passed.keys() & set().union(*tests_there))
        return Executed(seconds, tests, list(dict.fromkeys(modules)))

    def _data(self, path: str) -> Path:
        return self.folder / "executed" / f"{path.replace('/', '-').replace('.', '-')}.data"

    def _digest(self, paths: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for file in self.project.files():
            if file.startswith(_folders(paths)) or file in paths:
                digest.update(f"{file}\0".encode() + (self.project.root / file).read_bytes() + b"\0")
        return digest.hexdigest()


def _users_of_fixtures(tests: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """The tests that use a fixture which several share, by the fixture's context."""
    return {
        f"{SHARED}{name} {base}": {
            test for test, run in tests.items() if name in run["fixtures"] and test.startswith(base)
        }
        for name in {name for run in tests.values() for name in run["fixtures"]}
        for base in {base for test, run in tests.items() if name in run["fixtures"] for base in _bases(test)}
    }


def _bases(test: str) -> list[str]:
    """Where a fixture of a test may stand: nowhere, a folder, the file, or a class."""
    file, *inside = test.split("[")[0].split("::")
    folders = [str(folder) for folder in PurePosixPath(file).parents][::-1]
    return ["", *folders[1:], file, *("::".join([file, *inside[:count]]) for count in range(1, len(inside)))]


def forget_bytecode(path: Path) -> None:
    """Remove what Python compiled of a file: two versions may have the same size and time."""
    for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        cached.unlink(missing_ok=True)


def _folders(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{path}/" for path in paths)
