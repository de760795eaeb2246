"""Certificates as theorems with proofs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import singledispatch
from math import comb

from theory.arguments import RealLike, check_exact
from theory.certificate import ShiftCertificate, SturmCertificate, Theorem5Certificate
from theory.coq._dual import optimum
from theory.coq._half_line import Interval, pieces
from theory.coq._script import Lemma
from theory.coq._terms import comment, number, polynomial, wrapped
from theory.deep_rfm.kernel_certificate import Certificate

_Coefficients = Mapping[tuple[int, ...], int | Fraction]


@singledispatch
def translate(certificate: object, name: str) -> list[Lemma]:
    """Return a certificate's statement as theorems over the reals, with proofs from the certificate's own data.

    Whether a proof stands is for Coq to say: the translation of a certificate that does not verify is rejected.

    Parameters
    ----------
    certificate : ShiftCertificate, SturmCertificate, Theorem5Certificate or kernel_certificate.Certificate
        What is to be proved. Coq's library has no theorem of Sturm's: a Sturm certificate becomes intervals, on each
        of which Bernstein coefficients show the sign, and a last half-line.
    name : str
        The theorem's name; of several, what their names begin with.

    Returns
    -------
    list of Lemma
        The last one is the certificate's statement; of a `Theorem5Certificate` each step is one.

    Raises
    ------
    TypeError
        If it is no certificate.
    ValueError
        If a polynomial in one variable is not positive, so that no intervals can be found, or the multipliers at a
        kernel matrix are floats or of a matrix that is not positive semi-definite.

    Examples
    --------
    >>> from theory.certificate import SturmCertificate
    >>> [lemma.name for lemma in translate(SturmCertificate("x² − x + 1 > 0", (1, -1, 1), 0), "p")]
    ['p_1', 'p_beyond', 'p']
    """
    raise TypeError(f"certificate is a {type(certificate).__name__}; certificate must be one of theory.certificate")


@translate.register
def _(certificate: ShiftCertificate, name: str) -> list[Lemma]:
    variables = certificate.variables
    factors = [v if not b else f"({v} - {number(b)})" for v, b in zip(variables, certificate.bounds, strict=True)]
    sign, tactic = ("<", "positive") if certificate.strict else ("<=", "nonneg")
    shifts = [
        f"  assert (shift_{v} : 0 <= {v} - {number(b)}) by lra."
        for v, b in zip(variables, certificate.bounds, strict=True)
        if b
    ]
    shifted = polynomial(certificate.shifted(), factors)
    return [
        Lemma(
            name,
            "\n".join(
                [
                    *([comment(certificate.statement)] if certificate.statement else []),
                    *_statement(certificate, name, sign),
                    "Proof.",
                    f"  intros {' '.join(variables)} {' '.join(f'bound_{v}' for v in variables)}.",
                    *shifts,
                    *(_rewritten(certificate.coefficients, variables, shifted) if shifts else []),
                    f"  {'rewrite shifted; clear shifted; ' if shifts else ''}{tactic}.",
                    "Qed.",
                ]
            ),
        )
    ]


def _rewritten(coefficients: _Coefficients, variables: Sequence[str], shifted: str) -> list[str]:
    original = polynomial(coefficients, variables)
    tactic = "field" if "/" in original + shifted else "ring"
    return [
        "  assert (shifted :",
        f"    {wrapped(original, 4)}",
        f"    = {wrapped(shifted, 6)}) by {tactic}.",
    ]


def _statement(certificate: ShiftCertificate, name: str, sign: str) -> list[str]:
    bounds = zip(certificate.bounds, certificate.variables, strict=True)
    return [
        f"Theorem {name} : forall {' '.join(certificate.variables)} : R,",
        *(f"  {number(b)} <= {v} ->" for b, v in bounds),
        f"  0 {sign} {wrapped(polynomial(certificate.coefficients, certificate.variables), 6)}.",
    ]


@translate.register
def _(certificate: SturmCertificate, name: str) -> list[Lemma]:
    coefficients: _Coefficients = {(i,): c for i, c in enumerate(certificate.coefficients)}
    intervals, beyond, _ = pieces(certificate.coefficients, certificate.at_least)
    parts = [_on_interval(coefficients, interval, f"{name}_{i}") for i, interval in enumerate(intervals, start=1)]
    last = translate(ShiftCertificate("", ("x",), coefficients, (beyond,)), f"{name}_beyond")
    cases = [
        f"  destruct (Rle_lt_dec x {number(interval.upper)}); [apply {part.name}; lra |]."
        for interval, part in zip(intervals, parts, strict=True)
    ]
    whole = [
        comment(certificate.statement or "the pieces together"),
        *_statement(ShiftCertificate("", ("x",), coefficients, (certificate.at_least,)), name, "<"),
        "Proof.",
        "  intros x bound_x.",
        *cases,
        f"  apply {name}_beyond; lra.",
        "Qed.",
    ]
    return [*parts, *last, Lemma(name, "\n".join(whole))]


def _on_interval(coefficients: _Coefficients, interval: Interval, name: str) -> Lemma:
    n, width = len(interval.bernstein) - 1, interval.upper - interval.lower
    least = min(interval.bernstein)
    terms: _Coefficients = {(j, n - j): (b - least) * comb(n, j) / width**n for j, b in enumerate(interval.bernstein)}
    lower, upper = number(interval.lower), number(interval.upper)
    rest = polynomial(terms, [f"(x - {lower})", f"({upper} - x)"])
    text = [
        comment("its Bernstein coefficients are positive"),
        f"Theorem {name} : forall x : R,",
        f"  {lower} <= x <= {upper} ->",
        f"  0 < {wrapped(polynomial(coefficients, ['x']), 6)}.",
        "Proof.",
        "  intros x bound_x.",
        *_rewritten(coefficients, ["x"], f"{number(least)} + ({rest})"),
        "  rewrite shifted; clear shifted; positive.",
        "Qed.",
    ]
    return Lemma(name, "\n".join(text))


@translate.register
def _(certificate: Theorem5Certificate, name: str) -> list[Lemma]:
    names = ("nuclear_norm", "three_layers", "four_layers", "next_layer", "block_eigenvalue", "star_eigenvalue")
    return [
        lemma
        for step, part in zip(certificate.steps, names, strict=True)
        for lemma in translate(step, f"{name}_{part}" if name else part)
    ]


translate.register(Certificate, optimum)


def translate_all(certificates: Iterable[object]) -> list[Lemma]:
    """Return the theorems of several certificates, named certificate_1, certificate_2, …; each statement once.

    Parameters
    ----------
    certificates : iterable of object
        As `translate` takes them.

    Returns
    -------
    list of Lemma

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> step = ShiftCertificate("", ("r",), {(1,): 1}, (1,))
    >>> [lemma.name for lemma in translate_all([step, step])]
    ['certificate_1']
    """
    distinct: dict[str, object] = {}
    for certificate in certificates:
        distinct.setdefault("".join(lemma.text for lemma in translate(certificate, "same")), certificate)
    if not distinct:
        raise ValueError("certificates are none; certificates must be at least one")
    return [
        lemma
        for i, certificate in enumerate(distinct.values(), start=1)
        for lemma in translate(certificate, f"certificate_{i}")
    ]


def refutation(certificate: ShiftCertificate, name: str, *point: RealLike) -> Lemma:
    """Return the theorem that a certificate's statement is false, by a point at which it fails.

    Parameters
    ----------
    certificate : ShiftCertificate
        What is to be refuted.
    name : str
        The theorem's name.
    *point : int or Fraction
        A value for each variable.

    Returns
    -------
    Lemma

    Examples
    --------
    >>> false = ShiftCertificate("", ("r",), {(2,): 1, (1,): -3}, (3,))
    >>> print(refutation(false, "not_at_three", 3).text)
    (* the statement fails at r = 3 *)
    Theorem not_at_three : ~ (forall r : R,
      3 <= r ->
      0 < - 3 * r + r ^ 2).
    Proof.
      intro claimed.
      specialize (claimed 3 ltac:(lra)).
      lra.
    Qed.
    """
    at = [check_exact("point", value) for value in point]
    sign = "<" if certificate.strict else "<="
    lines = _statement(certificate, name, sign)
    lines[0] = lines[0].replace(" : forall", " : ~ (forall", 1)
    lines[-1] = lines[-1][:-1] + ")."
    where = ", ".join(f"{v} = {x}" for v, x in zip(certificate.variables, at, strict=True))
    bounds = " ".join(["ltac:(lra)"] * len(point))
    text = [
        comment(f"the statement fails at {where}"),
        *lines,
        "Proof.",
        "  intro claimed.",
        f"  specialize (claimed {' '.join(map(number, at))} {bounds}).",
        "  lra.",
        "Qed.",
    ]
    return Lemma(name, "\n".join(text))
