"""How errors show a wrong argument: one wording, in one line, however long the value."""

from fractions import Fraction

from theory.foreign import scalar_of

__all__ = ["shown", "wrong_type", "wrong_value"]


def shown(value: object) -> str:
    """Return how an error shows a value: in one line, and shortened where it is long.

    Parameters
    ----------
    value : object
        What the caller was given.

    Returns
    -------
    str

    Examples
    --------
    >>> shown(Fraction(1, 3)), shown(["many", "words"] * 100)
    ('Fraction(1, 3)', "['many', 'words', 'many', 'words', 'man…rds', 'many', 'words', 'many', 'words']")
    """
    number = scalar_of(value)
    if isinstance(number, (int, Fraction)) and not -(10**4000) < number < 10**4000:  # Python refuses to write it out
        return f"a number of about {number.numerator.bit_length() * 3 // 10} digits"
    try:
        line = " ".join(repr(number).split())
    except ValueError:  # a Fraction with a long denominator
        return "a fraction with a very long denominator"
    return line if len(line) <= 80 else f"{line[:39]}…{line[-39:]}"


def wrong_type(name: str, value: object, allowed: str) -> TypeError:
    """Return the error that says that an argument is of no allowed type, to be raised.

    Parameters
    ----------
    name : str
        The argument's name.
    value : object
        What the caller was given.
    allowed : str
        What is: "name must be …".

    Returns
    -------
    TypeError
    """
    return TypeError(f"{name} = {shown(value)} is a {type(value).__name__}; {allowed}")


def wrong_value(name: str, value: object, allowed: str) -> ValueError:
    """Return the error that says that an argument is not allowed, to be raised.

    Parameters
    ----------
    name : str
        The argument's name.
    value : object
        What the caller was given.
    allowed : str
        What is: "name must be …".

    Returns
    -------
    ValueError
    """
    return ValueError(f"{name} = {shown(value)}; {allowed}")
