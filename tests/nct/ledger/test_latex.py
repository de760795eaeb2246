"""Formulas of a text, read as numbers."""

import pytest
import sympy as sp

from nct.ledger._latex import Unreadable, evaluate, symbol_name

THIRD = sp.Rational(1, 3)
RIDGES = {"lam_k": 1, "n": 2, "lam_map": 4}


@pytest.mark.parametrize(
    ("latex", "values", "expected"),
    [
        (r"m(m+1)/2", {"m": 4}, 10),
        (r"-\frac n2 + 2\cdot 3", {"n": 2}, 5),
        (r"2 - 3 - 4", {}, -5),
        (r"12/2/3", {}, 2),
        (r"2^3 x^{-1}", {"x": 16}, sp.Rational(1, 2)),
        (r"-x^2", {"x": 3}, -9),
        (r"x^23", {"x": 2}, 12),
        (r"\tfrac12 4^p p!", {"p": 3}, 192),
        (r"\tfrac1\pi", {}, 1 / sp.pi),
        (r"\frac{64}{9\pi^2}", {}, 64 / (9 * sp.pi**2)),
        (r"\sqrt[3]{8} + \sqrt x", {"x": 9}, 5),
        (r"\binom{2p}{p}", {"p": 3}, 20),
        (r"\bigl(1+\lambda_k/(n+\lambda_{\mathrm{map}})\bigr)^{-2}", RIDGES, sp.Rational(36, 49)),
        (r"|x - 3||y|", {"x": 1, "y": -2}, 4),
        (r"\lfloor x\rfloor + \lceil x\rceil", {"x": sp.Rational(5, 2)}, 5),
        (r"e^{-R^{-2}}", {"R": 2}, sp.exp(-sp.Rational(1, 4))),
        (r"\cos^{-1} r", {"r": THIRD}, sp.acos(THIRD)),
        (r"\sin^2\theta + \cos^2\theta", {"theta": THIRD}, sp.sin(THIRD) ** 2 + sp.cos(THIRD) ** 2),
        (r"\sin 2\theta\cos\theta", {"theta": THIRD}, sp.sin(2 * THIRD) * sp.cos(THIRD)),
        (r"\frac{r}{\pi}\arctan\frac{r}{\sqrt{1-r^2}}", {"r": THIRD}, sp.atan(1 / sp.sqrt(8)) / 3 / sp.pi),
        (r"\max(K - 2, 0) \, d_L", {"K": 5, "d_L": 2}, 6),
    ],
)  # fmt: skip
def test_values(latex, values, expected):
    assert sp.simplify(evaluate(latex, values) - expected) == 0


@pytest.mark.parametrize("latex", ["", "x +", "(x", "x)", r"\frac x", "x = 1", r"\int x", "2, 3", "y"])
def test_what_is_no_formula_or_has_an_unknown_symbol(latex):
    with pytest.raises(Unreadable, match=r"no formula|whose value"):
        evaluate(latex, {"x": 1})


def test_names_of_symbols():
    assert symbol_name(r"\lambda", r"\mathrm{map}") == "lam_map"
    assert symbol_name("R", "0") == "R_0"
    assert symbol_name(r"\varepsilon") == "eps"
