"""Reading the instance that refutes a statement out of the error that reports it."""

import re

from nct.ledger._require import Refuted


def counterexample(refutation: AssertionError) -> str:
    """The instance at which a statement fails, as one line.

    It is the witness of a `Refuted`, else what Hypothesis shrank the example to, else the error's own first line.

    Parameters
    ----------
    refutation : AssertionError
        What a check raised.

    Returns
    -------
    str
        The message and the instance.

    Examples
    --------
    >>> counterexample(Refuted("the sum differs", m=7))
    'the sum differs: m = 7'
    """
    if isinstance(refutation, Refuted) and refutation.witness:
        return " ".join(str(refutation).split())
    message = next((line.strip() for line in str(refutation).splitlines() if line.strip()), "")
    example = _falsifying_example("\n".join(getattr(refutation, "__notes__", [])))
    return ": ".join(part for part in (message, example) if part) or type(refutation).__name__


def _falsifying_example(notes: str) -> str:
    """The arguments in Hypothesis's note ``Failing test case: test_name(...)``, without the statement.

    The words before the colon differ between versions of Hypothesis, and for explicit examples.
    """
    found = re.search(r"^[A-Z][a-z ]+: \w+\(\n(?P<arguments>.*?)^\)", notes, re.DOTALL | re.MULTILINE)
    if found is None:
        return ""
    text = re.sub(r"\s*# or any other generated value$", "", found["arguments"], flags=re.MULTILINE)
    arguments = re.split(r"^    (?=\w+=)", text, flags=re.MULTILINE)  # a value may run over further, indented lines
    shown = (" ".join(argument.split()).rstrip(",") for argument in arguments if not argument.startswith("statement="))
    return ", ".join(argument for argument in shown if argument)
