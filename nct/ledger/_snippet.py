"""The code that shows a counterexample without the project, as a test item."""

import ast
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nct.ledger._item import ClaimItem

_TIMEOUT = 60  # seconds; a counterexample that takes longer is none that a reader will run


class Snippet(ClaimItem):
    """The code that shows the counterexample of a file's claim, run in a process of its own."""

    def faults(self) -> Iterator[str]:
        """Whether the code is plain, asserts something, prints something and ends well."""
        for fault in snippet_faults(self.claim.counterexample_code or "", self.config.rootpath):
            yield f"counterexample_code {fault}"


def snippet_faults(code: str, project: Path) -> Iterator[str]:
    """What is wrong with code that is to show a counterexample.

    Parameters
    ----------
    code : str
        The code.
    project : Path
        The project's folder, whose modules the code may not import.

    Yields
    ------
    str
        A fault.

    Examples
    --------
    >>> list(snippet_faults("n = 2**32 + 1; print(n, '= 641 ·', n // 641); assert n % 641 == 0", Path("/nowhere")))
    []
    >>> list(snippet_faults("print(1)", Path("/nowhere")))
    ['asserts nothing']
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        yield f"is no Python: {error}"
        return
    own = sorted(name for name in _imported(tree) if _is_of(name, project))
    if own:
        yield f"imports {', '.join(own)}, which a reader may not have"
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield "asserts nothing"
    if own:
        return
    with tempfile.TemporaryDirectory() as folder:
        yield from _faults_of_running(code, folder)


def _faults_of_running(code: str, folder: str) -> Iterator[str]:
    command = [sys.executable, "-I", "-X", "utf8", "-c", code]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        yield f"does not end within {_TIMEOUT} s"
        return
    if done.returncode:
        yield f"fails: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    elif not done.stdout.strip():
        yield "prints nothing"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _is_of(name: str, project: Path) -> bool:
    """Whether a module belongs to the project, and not to an environment that lies in its folder, or to the ledger."""
    if name == "nct":
        return True
    spec = importlib.util.find_spec(name) if name else None
    places = [] if spec is None else [spec.origin or "", *(spec.submodule_search_locations or ())]
    here = [Path(place).resolve() for place in places if place]
    environment = Path(sys.prefix).resolve()
    return any(path.is_relative_to(project.resolve()) and not path.is_relative_to(environment) for path in here)
