"""Certificates as theorems with proofs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import singledispatch
from math import lcm
from pathlib import Path

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
        of which Bernstein coefficients show the sign, and a last half-line. Coq computes the coefficients.
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
    ['p']
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
    moved = shifted != polynomial(certificate.coefficients, variables)  # a constant is not
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
                    *(_rewritten(certificate.coefficients, variables, shifted) if moved else []),
                    f"  {'rewrite shifted; clear shifted; ' if moved else ''}{tactic}.",
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
    intervals, beyond, shifted = pieces(certificate.coefficients, certificate.at_least)
    common = lcm(*(Fraction(c).denominator for c in certificate.coefficients))
    integers = "; ".join(str(int(c * common)) for c in certificate.coefficients[: len(shifted)])
    text = [
        comment(certificate.statement or "positive on each of the pieces"),
        *_statement(ShiftCertificate("", ("x",), coefficients, (certificate.at_least,)), name, "<"),
        "Proof.",
        "  intros x bound_x.",
        "  assert (as_list :",
        f"    {wrapped(polynomial(coefficients, ['x']), 4)}",
        "    = value",
        f"      [{wrapped(integers, 7)}]%Z",
        f"      x / {common})",
        "    by (cbn [value]; field).",
        "  rewrite as_list; clear as_list; apply Rdiv_lt_0_compat; [| lra].",
        *(line for i, interval in enumerate(intervals, start=1) for line in _on_interval(interval, i)),
        f"  apply (positive_beyond {_integer(beyond.numerator)} {beyond.denominator}); {_AT_SIGHT}.",
        "Qed.",
    ]
    return [Lemma(name, "\n".join(text), Path(__file__).with_name("sign.v"))]


_AT_SIGHT = "[reflexivity | lra | vm_compute; reflexivity]"


def _on_interval(interval: Interval, i: int) -> list[str]:
    common = lcm(interval.lower.denominator, interval.upper.denominator)
    lower, upper = (_integer(int(end * common)) for end in (interval.lower, interval.upper))
    return [
        f"  destruct (Rlt_le_dec x {number(interval.upper)}) as [before_{i} | from_{i}].",
        f"  {{ apply (positive_between {lower} {upper} {common}); {_AT_SIGHT}. }}",
    ]


def _integer(value: int) -> str:
    return str(value) if value >= 0 else f"({value})"


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
