r"""How near one layer of the linearised Deep RFM comes to collapse (agop, Section 5.1).

"NC will occur in a single layer of Deep RFM when $\lambda_{\mathrm{map}} \gg \lambda_k$"; and
"$\lambda_{\mathrm{map}} = 0$ when Φ is linear, preventing this ideal setting". One layer takes the Gram matrix G to

$$
T(G) = S\,Y^\top Y\,S, \qquad S = (G+\lambda_{\mathrm{map}}I)(G+\lambda_{\mathrm{map}}I+\lambda_kI)^{-1},
$$

with κ = 1, for n samples in each class. Read: the first sentence of every G ⪰ 0, with an error that depends on
$\lambda_k/\lambda_{\mathrm{map}}$ only; the second: then no data come near to collapse. *The second is false:* a
linear Φ collapses G = g I exactly, to the scale $(g/(g+\lambda_k))^2$, which tends to one. *Amended:* with
$\rho = \lambda_k/(\lambda_{\mathrm{map}}+\lambda_k)$,

$$
\sup_{G\succeq0} \lVert T(G)-Y^\top Y\rVert = n\rho(2-\rho),
$$

which tends to zero with $\lambda_k/\lambda_{\mathrm{map}}$, and is n, as for features that are lost, at
λ_map = 0: a linear Φ prevents what holds for all data, not what holds for some.

*Proof.* $Y^\top Y = n\Pi$ for a projection Π, and S = (1−ρ/2) I + (ρ/2) R with ‖R‖ ≤ 1. Let x be a unit vector,
p = |Πx| and u = Πx/p. Then $|\Pi Sx| \ge u^\top Sx \ge q = (1-\rho/2)p-\rho/2$, so that
$x^\top(\Pi-S\Pi S)x \le p^2-q^2$ (where q > 0, else p² with p ≤ ρ/(2−ρ)), which is at most its value ρ(2−ρ) at p = 1.
On the other side $|\Pi Sx| \le (1-\rho/2)p+\rho/2$, whence $x^\top(S\Pi S-\Pi)x \le \rho/(4-\rho)$, which is less.
G = 0 attains the bound.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, OneOf, Statement, require, require_at_most, require_close, require_equal
from theory import labels
from theory.deep_rfm import collapse_map


class OneLayer(NamedTuple):
    """The largest distance from YᵀY after one layer, over all data, and whether a linear Φ keeps all data from it."""

    worst: Callable = lambda n, rho: n * rho * (2 - rho)
    linear_prevents: Annotated[bool, OneOf(True)] = False


AMENDED = OneLayer()
claim = Claim(
    id="agop.one-layer-limit",
    title="How near one layer of the linearised Deep RFM comes to collapse",
    source="agop, Section 5.1",
    verdict="amended",
    depends_on=["agop.linear-one-step"],
    printed=Statement(
        r"\|T(G) - Y^\top Y\| \to 0 \text{ for all } G \succeq 0 \text{ as } \lambda_k/\lambda_{\mathrm{map}} \to 0;"
        r" \text{ not for any } G \text{ if } \lambda_{\mathrm{map}} = 0",
        OneLayer(linear_prevents=True),
    ),
    amended=Statement(
        r"\sup_{G \succeq 0} \|T(G) - Y^\top Y\| = n\rho(2-\rho), \quad "
        r"\rho = \lambda_k/(\lambda_{\mathrm{map}} + \lambda_k); \text{ for } \lambda_{\mathrm{map}} = 0"
        r" \text{ it is } n, \text{ though } G = gI \text{ collapses}",
        AMENDED,
    ),
    near_misses={
        "first order": OneLayer(worst=lambda n, rho: 2 * n * rho),
        "half of it": OneLayer(worst=lambda n, rho: n * rho),
        "free of n": OneLayer(worst=lambda n, rho: rho * (2 - rho)),
        "triangle inequality": OneLayer(worst=lambda n, rho: n * rho * (2 + rho)),
    },
    counterexample_code=r"""
from fractions import Fraction

# Two samples of one class with XᵀX = G = g I, a linear Φ (λ_map = 0), λ_k = 1: S = g/(g+1) I, T(G) = S [[1,1],[1,1]] S.
def entries(g):
    s = Fraction(g, g + 1)
    return {s * 1 * s for i in range(2) for j in range(2)}

print(f"the entries of T(G), all equal, are {entries(1)} for g = 1, {entries(999)} for g = 999")
assert entries(999) == {Fraction(999, 1000) ** 2}  # collapsed, and 1 up to 2/1000
""",
)


@claim.check("derived", covers="all")
def test_the_bound_and_what_attains_it(statement):
    n, p, rho, lam_k, lam_map = sp.symbols("n p rho lam_k lam_map", positive=True)
    bound = rho * (2 - rho)
    lower = (1 - rho / 2) * p - rho / 2
    # The gap to the bound is (1 − p) times what is linear in p, and at least zero at both ends, for 0 ≤ ρ ≤ 1.
    linear, rest = sp.div(sp.expand(bound - (p**2 - lower**2)), 1 - p, p)
    require(rest == 0 and sp.degree(linear, p) == 1, "the bound is not attained at p = 1", rest=rest)
    at_ends = [sp.factor(linear.subs(p, end) / rho) for end in (0, 1)]
    for value in at_ends:  # affine in ρ, hence at least its values at ρ = 0 and ρ = 1
        require(
            sp.degree(value, rho) <= 1 and min(value.subs(rho, 0), value.subs(rho, 1)) >= 0, "negative", value=value
        )
    other = ((1 - rho / 2) * p + rho / 2) ** 2 - p**2
    (top,) = sp.solve(sp.diff(other, p), p)
    require(sp.simplify(other.subs(p, top) - rho / (4 - rho)) == 0, "another maximum on the other side")
    # ρ/(4−ρ) ≤ ρ(2−ρ) and (ρ/(2−ρ))² ≤ ρ(2−ρ), that is 1 ≤ (2−ρ)(4−ρ) and ρ ≤ (2−ρ)³: falling in ρ, true at ρ = 1
    require((2 - 1) * (4 - 1) >= 1 and (2 - 1) ** 3 >= 1, "the other cases exceed the bound")
    # G = 0: S is a multiple of the identity, and ‖YᵀY‖ = n.
    scale = lam_map / (lam_map + lam_k)
    attained = n * (1 - scale**2)
    stated = statement.worst(n, lam_k / (lam_map + lam_k))
    require(sp.simplify(stated - attained) == 0, "G = 0 is at another distance", stated=stated, attained=attained)
    if statement.linear_prevents:  # λ_map = 0 and G = g I
        g = sp.Symbol("g", positive=True)
        distance = sp.limit(n * (1 - (g / (g + lam_k)) ** 2), g, sp.oo)
        require(distance != 0, "G = g I collapses for g → ∞, though Φ is linear", distance=distance)


@claim.check("exact", covers=Instances("two samples of one class, integer G of entries up to 3, three λ_k, two λ_map"))
def test_two_samples(statement):
    ones = sp.ones(2, 2)
    for lam_k, lam_map in itertools.product((sp.Rational(1, 10), sp.Integer(1), sp.Integer(5)), (0, sp.Integer(1))):
        worst = statement.worst(2, lam_k / (lam_map + lam_k))
        closest = None
        for a, b, c in itertools.product(range(4), (-1, 0, 1), range(4)):
            if a * c < b * b:
                continue
            gram = sp.Matrix([[a, b], [b, c]]) + lam_map * sp.eye(2)
            S = gram * (gram + lam_k * sp.eye(2)).inv()
            difference = S * ones * S - ones
            for sign in (1, -1):
                slack = worst * sp.eye(2) + sign * difference
                require(
                    slack.trace() >= 0 and slack.det() >= 0, "further away", G=(a, b, c), lam_k=lam_k, lam_map=lam_map
                )
                closest = slack.det() if closest is None else min(closest, slack.det())
        require_equal(closest, 0, "no data are as far away", lam_k=lam_k, lam_map=lam_map)
        if statement.linear_prevents:
            far = Fraction(10**6, 10**6 + 1)
            require(1 - far**2 > Fraction(1, 10**5), "G = 10⁶ I collapses, though Φ is linear", lam_k=1, lam_map=0)


@claim.check("property", covers=Instances("1–3 classes of up to 4 samples, G of every rank and size, drawn at random"))
@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.floats(-3, 1),
    st.floats(-2, 2),
    st.floats(-4, 4),
    st.integers(0, 2**32 - 1),
)
def test_random_data(statement, K, n, log_k, log_map, size, seed):
    lam_k, lam_map, rng = 10.0**log_k, 10.0**log_map, np.random.default_rng(seed)
    Y = labels.one_hot((n,) * K)
    X = 10.0 ** (size / 2) * rng.standard_normal((rng.integers(1, n * K + 2), n * K))
    worst = statement.worst(n, lam_k / (lam_map + lam_k))

    def distance(gram, shift):
        return float(np.linalg.norm(collapse_map.agop_gram(gram + shift * np.eye(n * K), Y, lam_k) - Y.T @ Y, 2))

    shown = {"n": n, "K": K, "lam_k": lam_k, "lam_map": lam_map}
    # solving with a matrix of condition below 1e9 loses that share of the rounding, of a matrix of norm n
    require_at_most(distance(X.T @ X, lam_map), worst + 1e-7 * n, "further away", **shown)
    require_close(
        distance(0 * (X.T @ X), lam_map), worst, "G = 0 is at another distance", rtol=1e-9, atol=1e-12, **shown
    )
    if statement.linear_prevents:
        require(distance(1e9 * np.eye(n * K), 0.0) > 1e-6, "G = 10⁹ I collapses, though Φ is linear", **shown)
