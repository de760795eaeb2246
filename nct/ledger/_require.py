"""What a check says when a statement does not stand."""

__tracebackhide__ = True  # pytest shows a failing check, not how it fails


class Refuted(AssertionError):
    """A statement does not stand; `witness` is the instance that shows it."""

    def __init__(self, message: str, **witness: object) -> None:
        self.witness = witness
        shown = ", ".join(f"{name} = {value}" for name, value in witness.items())
        super().__init__(f"{message}: {shown}" if shown else message)


def require(condition: object, message: str, **witness: object) -> None:
    """Raise `Refuted` with the witness unless the condition is true.

    Parameters
    ----------
    condition : object
        What the statement entails; its truth value counts.
    message : str
        What is wrong if it is false.
    **witness : object
        The instance: the values at which the statement fails, shown in the ledger as its counterexample.

    Raises
    ------
    Refuted
        If the condition is false.

    Examples
    --------
    >>> require(7 * 8 // 2 == sum(range(8)), "the sum differs", m=7)
    >>> require(7 * 7 // 2 == sum(range(8)), "the sum differs", m=7)
    Traceback (most recent call last):
    ...
    nct.ledger._require.Refuted: the sum differs: m = 7
    """
    if not condition:
        raise Refuted(message, **witness)
