"""The verdicts that need every item of a check: decided at the end of a run, in the process that the user started.

One item runs one form of the statement, and with pytest-xdist the forms of a check run in several processes. Whether a
check has measured something shows only in all of them together. A fault becomes a test report of its own, named after
the check (``test_by_adding_up[measured]``) or the claim (``claim[seen]``), so that it fails the run like a broken rule.
"""

from collections.abc import Iterator

from nct.ledger._book import Book, Entry, Record
from nct.ledger._comparison import Measured, faults

#: The least share of the machine-made edits of all claims together that their checks have to reject.
LEAST_OF_ALL = 0.95


def judge(book: Book) -> Iterator[tuple[Record, str]]:
    """What is wrong with the checks of a run, seen over all their items.

    A check is judged if all forms of the statement that it is for have run and behaved; a selection of forms, or one
    that fails, leaves the question open.

    Yields
    ------
    (Record, str)
        The record of a failure, to be added to the ledger, and the message.
    """
    for entry in book.entries:
        for check, records in _by_check(entry).items():
            found = _vacuous(records) if _whole(records) else []
            if found:
                yield _failure(entry, f"{check}[measured]"), f"vacuous check: {', and '.join(found)}"
        if _seen_as_printed(entry):
            file = entry.records[0].test.split("::")[0]
            yield (
                _failure(entry, f"{file}::claim[seen]"),
                "every check finds the printed statement: it was seen, and needs no 'seen' beside it",
            )
    yield from _too_few_killed(book)


def _by_check(entry: Entry) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in entry.records:
        if record.kind not in (None, "kernel"):  # a proof measures nothing, and is not run on what it does not refute
            found.setdefault(record.test.split("[")[0], []).append(record)
    return found


def _whole(records: list[Record]) -> bool:
    ran = {record.variant for record in records if record.outcome == "passed"}
    return set(records[0].forms) <= ran and all(record.outcome == "passed" for record in records)


def _vacuous(records: list[Record]) -> list[str]:
    measured = Measured()
    for record in records:
        measured.add(Measured.from_json(record.measured))
    return list(faults(measured))


def _seen_as_printed(entry: Entry) -> bool:
    if entry.claim["seen"] is None:
        return False
    checks = _by_check(entry).values()
    return (
        bool(checks)
        and all(map(_whole, checks))
        and not any(record.counterexample for records in checks for record in records if record.role == "printed")
    )


def _too_few_killed(book: Book) -> Iterator[tuple[Record, str]]:
    """Of the edits of all claims together; of a single claim its own item decides."""
    tried = [(entry, entry.mutants) for entry in book.entries if entry.mutants is not None]
    killed, counted = (sum(mutants[name] for _, mutants in tried) for name in ("killed", "counted"))
    if len(tried) > 1 and killed < LEAST_OF_ALL * counted:
        worst = min(tried, key=lambda one: one[1]["rate"] if one[1]["rate"] is not None else 1.0)[0]
        file = worst.records[0].test.split("::")[0]
        message = f"of all claims together, {killed} of {counted} edits are rejected, fewer than {LEAST_OF_ALL:.0%}"
        yield _failure(worst, f"{file}::claim[mutants]"), f"the worst of all: {message}"


def _failure(entry: Entry, test: str) -> Record:
    return Record(entry.claim, test, role="judgement", variant="judgement", outcome="failed")
