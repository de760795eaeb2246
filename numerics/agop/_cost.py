"""What the two routes to the AGOP of a kernel machine cost."""

from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer

__all__ = ["agop_cost"]


def agop_cost(n: IntegerLike, d: IntegerLike, c: IntegerLike) -> dict[str, float]:
    """Flops of the two routes of `kernel_agop` for n points in d dimensions and c outputs.

    Both include n²d for the distances. With ``route="auto"`` the smaller is taken.

    Parameters
    ----------
    n, d, c : int
        Numbers of points, dimensions and outputs.

    Returns
    -------
    dict
        Flops by route: ``"features"`` and ``"samples"``.

    Raises
    ------
    TypeError, ValueError
        If they are no positive integers.

    Examples
    --------
    >>> cost = agop_cost(2000, 3072, 10)
    >>> round(cost["features"] / cost["samples"], 1)
    8.2
    """
    n, d, c = (
        check_integer(name, value, at_least=1, at_most=LARGEST_SIZE) for name, value in (("n", n), ("d", d), ("c", c))
    )
    distances = float(n) * n * d
    features = 2.0 * n * n * d * c + float(n) * c * d * d
    last = min(2.0 * n * d * d, n**3 / 3.0 + float(n) * d * d)
    samples = float(n) ** 3 + 6.0 * n * n * c + float(n) * n * d + last
    return {"features": distances + features, "samples": distances + samples}
