"""Reading the instance that refutes a statement out of the error that reports it."""

import re

from theory.ledger._claim import Refuted


def counterexample(refutation: AssertionError) -> str:
    """The instance at which a statement fails, as one line.

    It is the witness of a `Refuted`, else what Hypothesis shrank the example to, else the error's own first line.
    """
    if isinstance(refutation, Refuted) and refutation.witness:
        return str(refutation)
    message = next(iter(str(refutation).splitlines()), "")
    example = _falsifying_example("\n".join(getattr(refutation, "__notes__", [])))
    return ": ".join(part for part in (message, example) if part) or type(refutation).__name__


def _falsifying_example(notes: str) -> str:
    """The arguments in Hypothesis's note ``Falsifying example: test_name(...)``, without the statement."""
    found = re.search(r"Falsifying example: \w+\((?P<arguments>.*?)^\)", notes, re.DOTALL | re.MULTILINE)
    if found is None:
        return ""
    lines = (line.strip() for line in found["arguments"].splitlines())
    lines = (re.sub(r"\s*# or any other generated value$", "", line) for line in lines)
    return " ".join(line for line in lines if line and not line.startswith("statement=")).rstrip(",")
