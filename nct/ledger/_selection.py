"""Leaving files unread that ``-k`` cannot select from: ``-k lowrank.thm-5`` imports the file of that claim alone.

A word of the expression that is part of a claim's id, and has its dot, selects claims by their ids and nothing else.
Any other word may select an item of any file, for all that is known before the file is imported.
"""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from nct.ledger._reading import read_ids

_MOST_WORDS = 10  # of which every truth value is tried
_WORD = re.compile(r"(?:[:+\-.\[\]\\/]|\w)+")


class Selection:
    """What an expression of ``-k`` can select among the files of a run.

    Parameters
    ----------
    expression : str
        As pytest takes it.
    ids : dict of Path to str
        The ids of the ledger's claims, by file.
    """

    def __init__(self, expression: str, ids: dict[Path, str]) -> None:
        self.ids = {path.resolve(): id for path, id in ids.items()}
        self.words = list(dict.fromkeys(w for w in _WORD.findall(expression) if w not in ("and", "or", "not")))
        self.named = [word for word in self.words if "." in word and any(_in(word, id) for id in ids.values())]
        filters = bool(self.named) and len(self.words) <= _MOST_WORDS
        numbered = _WORD.sub(lambda m: self._placeholder(m.group()), expression)
        try:
            self._expression = compile(numbered, "-k", "eval") if filters else None
        except SyntaxError:  # pytest complains
            self._expression = None

    def may_select_from(self, path: Path) -> bool:
        """Whether an item of the file could be selected."""
        return self._expression is None or any(
            eval(self._expression, {"__builtins__": {}}, world) for world in self._worlds(path)
        )

    def _worlds(self, path: Path) -> Iterator[dict[str, bool]]:
        """Every truth value that the words may have for an item of the file."""
        id = self.ids.get(path.resolve())
        possible = [[id is not None and _in(word, id)] if word in self.named else [False, True] for word in self.words]
        for values in product(*possible):
            yield {self._placeholder(word): value for word, value in zip(self.words, values, strict=True)}

    def _placeholder(self, word: str) -> str:
        return word if word in ("and", "or", "not") else f"w{self.words.index(word)}"


def _in(word: str, id: str) -> bool:
    return word.casefold() in id.casefold()


_SELECTION = pytest.StashKey[Selection | None]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file that ``-k`` names no claim of."""
    if collection_path.suffix not in (".py", ".md", ".rst", ".txt"):
        return None
    if _SELECTION not in config.stash:
        config.stash[_SELECTION] = _selection(config)
    selection = config.stash[_SELECTION]
    return True if selection is not None and not selection.may_select_from(collection_path) else None


def _selection(config: pytest.Config) -> Selection | None:
    expression = config.getoption("keyword", default="")
    root = config.rootpath / config.getini("ledger_claims")
    if "." not in expression or not root.is_dir():
        return None
    return Selection(expression, read_ids(root))
