"""The verdicts that need every item of a check: decided at the end of a run, in the process that the user started.

One item runs one form of the statement, and with pytest-xdist the forms of a check run in several processes. Whether a
check has measured something shows only in all of them together. A fault becomes a test report of its own, named after
the check (``test_by_adding_up[measured]``) or the claim (``claim[seen]``), so that it fails the run like a broken rule.
"""

from collections.abc import Iterator

from nct.ledger._book import Book, Entry, Record
from nct.ledger._comparison import Measured, faults


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


def _by_check(entry: Entry) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in entry.records:
        if record.kind is not None:
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
    return all(map(_whole, checks)) and not any(
        record.counterexample for records in checks for record in records if record.role == "printed"
    )


def _failure(entry: Entry, test: str) -> Record:
    return Record(entry.claim, test, role="judgement", variant="judgement", outcome="failed")
