"""What changed from one ledger to another."""

from collections.abc import Iterator
from typing import Any

from nct.ledger._claim import natural
from nct.ledger._ledger_file import LedgerFile

#: What is not compared as a whole: one by one, or, of texts that fill a page, whether they differ.
_APART = ("id", "seconds", "evidence", "near_misses", "values", "checks", "reading", "code")


def compare(before: LedgerFile, after: LedgerFile) -> list[str]:
    r"""The differences of two ledgers in lines for people; none if they say the same of the same claims.

    Times are not compared, nor is a field that one of the two does not have.

    Parameters
    ----------
    before, after : LedgerFile
        The two ledgers.

    Returns
    -------
    list of str
        What each was run on where that differs, and then claim by claim.

    Examples
    --------
    >>> one = LedgerFile(commit="a1", claims=[{"id": "example.sum", "verdict": "holds"}])
    >>> two = LedgerFile(commit="b2", claims=[{"id": "example.sum", "verdict": "fails"}, {"id": "example.new"}])
    >>> print(*compare(one, two), sep="\n")
    commit: a1 → b2
    example.new: new
    example.sum
      verdict: holds → fails
    """
    return [*_circumstances(before, after), *_claims(before, after)]


def _circumstances(before: LedgerFile, after: LedgerFile) -> Iterator[str]:
    for name in ("commit", "python", "platform", "profile", "seed"):
        yield from _change(name, getattr(before, name), getattr(after, name))
    if before.packages and after.packages:
        for name in sorted(before.packages.keys() | after.packages.keys(), key=str.lower):
            yield from _change(name, before.packages.get(name), after.packages.get(name))


def _claims(before: LedgerFile, after: LedgerFile) -> Iterator[str]:
    old, new = ({claim["id"]: claim for claim in ledger.claims} for ledger in (before, after))
    for id in sorted(old.keys() | new.keys(), key=natural):
        if id not in new:
            yield f"{id}: gone"
        elif id not in old:
            yield f"{id}: new"
        else:
            changes = list(_claim(old[id], new[id]))
            if changes:
                yield id
                yield from (f"  {line}" for line in changes)


def _claim(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in new:
        if name in old and name not in _APART:
            yield from _change(name, old[name], new[name])
    yield from _changes(_outcomes(old), _outcomes(new), "check ")
    yield from _changes(_rejections(old), _rejections(new), "near miss ")
    for name, told in (("values", _values), ("checks", _coverage)):
        if name in old and name in new:
            yield from _changes(told(old[name]), told(new[name]))
    yield from (f"{n}: changed" for n in ("reading", "code") if n in old and n in new and old[n] != new[n])


def _changes(was: dict[str, Any], now: dict[str, Any], what: str = "") -> Iterator[str]:
    for name in dict.fromkeys([*was, *now]):
        yield from _change(f"{what}{name}", was.get(name), now.get(name))


def _values(values: dict[str, Any]) -> dict[str, str]:
    misses = {f"value of near miss {name}": value for name, value in values.get("near_misses", {}).items()}
    return {f"value of {name}": value for name, value in values.items() if name != "near_misses"} | misses


def _coverage(checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"check {check['name']} {name}": check[name] for check in checks for name in ("covers", "blind_to")}


def _outcomes(claim: dict[str, Any]) -> dict[str, str]:
    return {e["test"].rpartition("::")[2]: f"{e['kind']}, {e['outcome']}" for e in claim.get("evidence", [])}


def _rejections(claim: dict[str, Any]) -> dict[str, str]:
    return {m["name"]: "rejected" if m["rejected"] else "accepted" for m in claim.get("near_misses", [])}


def _change(name: str, old: Any, new: Any) -> Iterator[str]:
    if old != new:
        yield f"{name}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(_shown(part) for part in value) or "none"
    return " ".join(str(value).split())
