"""Claims of a run as pages show them: what the ledger's JSON has, put together by check and by near miss.

>>> from nct.site.entries import Entry
>>> Entry({"id": "example.sum", "status": "holds", "reach": {"scope": "proved"}}).reach
'proved'
"""

import ast
import re
from dataclasses import dataclass
from typing import Any

#: The fields that pages show in places of their own; any other is shown in a list by its name.
_PLACED = {
    *("id", "title", "source", "verdict", "status", "printed", "amended", "seen", "ran", "near_misses", "depends_on"),
    *("counterexample_code", "true_edits", "reach", "evidence", "failed", "mutants", "counterexample"),
    *("counterexample_is", "seconds", "file", "reading", "code", "values", "checks"),
}


@dataclass(frozen=True)
class Entry:
    """A claim with what a run found of it.

    Attributes
    ----------
    data : dict
        The claim's entry in the ledger's JSON.
    """

    data: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """A field of the JSON; None if it has none of that name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self.data.get(name)

    @property
    def paper(self) -> str:
        """The key of the claim's paper."""
        return str(self.data["id"].partition(".")[0])

    @property
    def row(self) -> str:
        """The claim's id within its paper."""
        return str(self.data["id"].partition(".")[2])

    @property
    def reach(self) -> str:
        """How far the evidence carries; a dash for what has no reach, such as an experiment."""
        return (self.data.get("reach") or {}).get("scope") or "–"

    @property
    def proved_parts(self) -> list[str]:
        """The parts that are proved, where that is not the whole."""
        return (self.data.get("reach") or {}).get("parts") or []

    @property
    def kinds(self) -> list[str]:
        """The kinds of the evidence that passed."""
        return list(dict.fromkeys(e["kind"] for e in self.data.get("evidence", []) if e["outcome"] == "passed"))

    @property
    def rejected(self) -> int:
        """How many near misses were rejected."""
        return sum(miss["rejected"] for miss in self.data.get("near_misses", []))

    @property
    def tests(self) -> list["Test"]:
        """The checks in the order of the file."""
        evidence, told = self.data.get("evidence", []), {c["name"]: c for c in self.data.get("checks") or []}
        names = dict.fromkeys([*told, *(_check(e["test"]) for e in evidence)])
        return [self._test(name, told.get(name, {})) for name in names]

    def _test(self, name: str, told: dict[str, Any]) -> "Test":
        outcomes = {_form(e["test"]): e for e in self.data.get("evidence", []) if _check(e["test"]) == name}
        first: dict[str, Any] = next(iter(outcomes.values()), {})
        begin, end = told.get("lines") or (1, 0)
        return Test(
            name=name,
            kind=told.get("kind") or first.get("kind", ""),
            covers=[one["text"] for one in told.get("covers") or first.get("covers", [])],
            outcomes={form: self._outcome(form, found["outcome"]) for form, found in outcomes.items()},
            seconds=sum(found["seconds"] for found in outcomes.values()),
            code="".join((self.data.get("code") or "").splitlines(keepends=True)[begin - 1 : end]),
        )

    def _outcome(self, form: str, outcome: str) -> str:
        """What an item's outcome says of the form of the statement that it ran on."""
        if outcome != "passed":
            return outcome
        if form != "printed" or self.data["verdict"] == "holds":
            return "accepted"
        return "refuted" if self.data["verdict"] in ("amended", "fails") else "run"

    @property
    def frame(self) -> str:
        """The code of the file without its docstring, its checks and the claim itself, which the page has."""
        lines = (self.data.get("code") or "").splitlines(keepends=True)
        for begin, end in [*(check["lines"] for check in self.data.get("checks") or []), *_claims("".join(lines))]:
            lines[begin - 1 : end] = [""] * (end - begin + 1)
        text = re.sub(r'\A(?:#.*\n|\s)*[rR]?"""[\s\S]*?"""\n', "", "".join(lines))
        return re.sub(r"\n{3,}", "\n\n\n", text).strip() + "\n" * bool(text.strip())

    @property
    def misses(self) -> list["Miss"]:
        """The near misses, in the order of the file."""
        codes = (self.data.get("values") or {}).get("near_misses", {})
        blind = {check["name"]: check["blind_to"] for check in self.data.get("checks") or []}
        return [
            Miss(
                name=miss["name"],
                code=codes.get(miss["name"], ""),
                rejected=miss["rejected"],
                by=list(dict.fromkeys(map(_check, miss.get("by", [])))),
                blind={check: reasons[miss["name"]] for check, reasons in blind.items() if miss["name"] in reasons},
            )
            for miss in self.data.get("near_misses", [])
        ]

    @property
    def further(self) -> dict[str, Any]:
        """Fields of the JSON that came later than these pages."""
        return {name: value for name, value in self.data.items() if name not in _PLACED and value not in (None, [], {})}

    @property
    def refutation(self) -> "Refutation | None":
        """The counterexample, in words and numbers."""
        text = self.data.get("counterexample")
        return None if text is None else refutation(text)


@dataclass(frozen=True)
class Test:
    """A check: its kind, what it covers, what it found of each form, its time and its code."""

    name: str
    kind: str
    covers: list[str]
    outcomes: dict[str, str]
    seconds: float
    code: str

    @property
    def title(self) -> str:
        """The name as words."""
        return in_words(self.name)


@dataclass(frozen=True)
class Miss:
    """A near miss: its code, whether it was rejected and by which checks, and which cannot see it, each with why."""

    name: str
    code: str
    rejected: bool
    by: list[str]
    blind: dict[str, str]


@dataclass(frozen=True)
class Refutation:
    """A counterexample: what is wrong, and the numbers by name at which it is."""

    words: str
    numbers: list[tuple[str, str]]


def refutation(text: str) -> Refutation:
    """Take a counterexample's line apart.

    Parameters
    ----------
    text : str
        As in the ledger.

    Returns
    -------
    Refutation

    Examples
    --------
    >>> refutation("the sum differs: m = 7, terms = (1, 2)")
    Refutation(words='the sum differs', numbers=[('m', '7'), ('terms', '(1, 2)')])
    """
    found = re.search(r"(?:^|: )(?=\w+ ?=(?!=))", text)
    if found is None:
        return Refutation(text, [])
    parts = re.split(r", (?=\w+ ?=(?!=))", text[found.end() :])
    joined: list[str] = []
    for part in parts:  # a comma within brackets separates nothing
        if joined and joined[-1].count("(") + joined[-1].count("[") > joined[-1].count(")") + joined[-1].count("]"):
            joined[-1] += f", {part}"
        else:
            joined.append(part)
    pairs = [re.split(r" ?= ?", part, maxsplit=1) for part in joined]
    return Refutation(text[: found.start()].strip(), [(name, value) for name, value in pairs])


def in_words(name: str) -> str:
    """A function's name as words."""
    return name.removeprefix("test_").replace("_", " ")


def _check(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[0]


def _form(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[2].rstrip("]").partition("-")[0]


def _claims(code: str) -> list[tuple[int, int]]:
    """The first and last lines of each ``NAME = Claim(…)``."""
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", getattr(node.value.func, "attr", "")) == "Claim"
    ]
