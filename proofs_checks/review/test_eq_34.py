r"""Minority collapse: from which ratio of class sizes on the minority classifiers are one vector (review, equation 34).

As printed: for a threshold $t_0>1$ the average angle between minority classifiers is zero, i.e. they are a single
vector, once $r=n_{maj}/n_{min}\ge t_0$. With a = K_maj, b = K_min, K = a + b and m ≥ K − 1 that is true for b ≥ 2 up to
a second threshold, where a ≥ 2 and $c=K\sqrt{\Omega_A\Omega_F}<a(a-1)\log(1+\sqrt{K/b})$: from there on these rows are
0, and there is no angle. Both thresholds are explicit. The proof, of which the derived check does the algebra, is in
docs/minority_collapse.md; in short:

The outputs Z of the class means minimise a weighted cross-entropy over $\lVert Z\rVert_*\le c$ (eq-24); the minimiser
is unique, so $Z=s(I_a-J/a)\oplus t(I_b-J/b)+uv^\top$. The rows are the same just if t = 0, and 0 just if t = v = 0. At
t = 0 the negative gradient is $w_{min}$ on the contrasts of the minority classes, whatever the other outputs: so t = 0
just if the multiplier of the norm is at least the weight of one minority class. The points where it is equal are a
curve in q, the margin of minority samples over majority classes; the ratio and c increase along it.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from nct.ledger import (
    Claim,
    Condition,
    Instances,
    Search,
    Statement,
    require,
    require_at_most,
    require_equal,
)
from theory.ufm import layer_peeled


def elementary(name):
    def function(x):
        return getattr(math, name)(x) if isinstance(x, (int, float)) else getattr(sp, name)(x)

    return function


exp, log, sqrt = elementary("exp"), elementary("log"), elementary("sqrt")


class Collapse(NamedTuple):
    """The curve of c = K√(Ω_AΩ_F) and t₀, in q; and when the rows are 0, with x = exp(−c/(a(a − 1)))."""

    E: Callable[[Any, Any, Any], Any]  # of a, b, q
    omega: Callable[[Any, Any, Any], Any]  # of a, b, E
    g: Callable[[Any, Any, Any], Any]  # of a, b, ω
    sigma: Callable[..., Any]  # of a, b, q, E, ω, g
    total: Callable[..., Any]  # of a, b, q, E, σ
    ratio: Callable[[Any, Any, Any, Any], Any]  # of a, b, g, σ
    vanishes: Annotated[Callable[[Any, Any, Any, Any], bool], Condition]  # of a, b, r, x
    applies: Annotated[Callable[[int, int, int], bool], Condition]  # of a, b, m


true = Collapse(
    lambda a, b, q: (a + b * exp(q)) / (a + b),
    lambda a, b, E: sqrt((a + b - a * E**-2) / b),
    lambda a, b, omega: (a + b - b * omega) / a,
    lambda a, b, q, E, omega, g: b * q * E * omega + a * log(omega / g),
    lambda a, b, q, E, sigma: (a - 1) * sigma + b * q * E,
    lambda a, b, g, sigma: 1 + g * (exp(sigma) - 1) / (a + b),
    lambda a, b, r, x: (
        a > 1 and r**2 * ((a * x + b) ** 2 - (a + b) * b) * (a + b) >= a * (x ** (1 - a) + (a - 1) * x + b) ** 2
    ),
    lambda a, b, m: m >= a + b - 1,
)

claim = Claim(
    id="review.eq-34",
    title="Minority collapse sets in at an explicit ratio of class sizes",
    source="review, equation 34",
    verdict="amended",
    depends_on=("review.eq-24",),
    printed=Statement(
        r"K_{min} \ge 2: \text{ there is a } t_0 > 1 \text{ such that for } r \ge t_0 \text{ the average angle between "
        r"the minority classifiers is zero, i.e. the rows of } A \text{ pertaining to these classes collapse to a "
        r"single vector (read: at every global minimum, } m \ge K - 1 \text{; with the exact } t_0 \text{, and nonzero "
        r"rows, between which there is an angle)}",
        true._replace(vanishes=lambda a, b, r, x: False),
    ),
    amended=Statement(
        r"\text{Let } m \ge K - 1,\ a = K_{maj} \ge 1,\ b = K_{min} \ge 2 \text{, and for } q > 0:\ E = "
        r"\frac{a + be^q}{a + b},\ \omega = \sqrt{\frac{a + b - aE^{-2}}{b}},\ g = \frac{a + b - b\omega}{a},\ "
        r"\sigma = bqE\omega + a\log\frac{\omega}{g}. \text{ The equation } (a - 1)\sigma + bqE = "
        r"(a + b)\sqrt{\Omega_A\Omega_F} \text{ has one solution } q \text{, and at every global minimum all minority "
        r"rows of } A \text{ are the same if } r \ge t_0 \text{ and no two are if } r < t_0, \text{ with } t_0 = "
        r"1 + \frac{g(e^{\sigma} - 1)}{a + b} > 1. \text{ They are 0 (as are the minority features; this also for } "
        r"b = 1 \text{) if and only if } a \ge 2 \text{ and, with } x = e^{-K\sqrt{\Omega_A\Omega_F}/(a(a - 1))},\ "
        r"r^2\left((ax + b)^2 - (a + b)b\right)(a + b) \ge a\left(x^{1 - a} + (a - 1)x + b\right)^2, \text{ which is "
        r"from some } t_1 > t_0 \text{ on, or never}",
        true,
        formulas={
            r"\frac{a + be^q}{a + b}": lambda s, a, b, q: s.E(a, b, q),
            r"\sqrt{\frac{a + b - aE^{-2}}{b}}": lambda s, a, b, E=(1.0, 1.5, 3.0): s.omega(a, b, E),
            r"\frac{a + b - b\omega}{a}": lambda s, a, b, omega: s.g(a, b, omega),
            r"bqE\omega + a\log\frac{\omega}{g}": lambda s, a, b, q, E, omega, g: s.sigma(a, b, q, E, omega, g),
            r"(a - 1)\sigma + bqE": lambda s, a, b, q, E, sigma: s.total(a, b, q, E, sigma),
            r"1 + \frac{g(e^{\sigma} - 1)}{a + b}": lambda s, a, b, g, sigma: s.ratio(a, b, g, sigma),
        },
    ),
    near_misses={
        "a fiftieth later": true._replace(ratio=lambda a, b, g, sigma: 1.02 + g * (exp(sigma) - 1) / (a + b)),
        "without the contrasts of the majority": true._replace(total=lambda a, b, q, E, sigma: b * q * E),
        "b log for a log": true._replace(
            sigma=lambda a, b, q, E, omega, g: b * q * E * omega + b * log(omega / g),
        ),
        "zero from the first threshold on": true._replace(
            vanishes=lambda a, b, r, x: a > 1 and r**2 * ((a * x + b) ** 2 - (a + b) * b) * (a + b) >= a
        ),
        "for every width": true._replace(applies=lambda a, b, m: True),
        "K² for Kb": true._replace(
            vanishes=lambda a, b, r, x: (
                a > 1 and r**2 * ((a * x + b) ** 2 - b * b) * (a + b) >= a * (x ** (1 - a) + (a - 1) * x + b) ** 2
            )
        ),
    },
    counterexample_code=r"""
# K_maj = K_min = 2, r = 2, Z = s(e_0 − e_1)(e_0 − e_1)ᵀ/2 with e^{-s/2} = 9/10: minority rows and features are 0. Z is
# the minimum in its nuclear norm if the gradient G has the spectral norm |⟨G, Z⟩|/|Z|_*: by convexity
# loss(Z') ≥ loss(Z) + ⟨G, Z' − Z⟩.
from fractions import Fraction
x, r = Fraction(9, 10), 2
shares = [[1, x**2, x, x], [x**2, 1, x, x], [1, 1, 1, 1], [1, 1, 1, 1]]  # of sample k, up to a factor
G = [[w * (Fraction(p) / sum(row) - (j == k)) for k, (w, row) in enumerate(zip([r, r, 1, 1], shares)) for p in [row[j]]]
     for j in range(4)]
norm = -(G[0][0] - G[0][1])  # −⟨G, Z⟩/s
assert G[0][0] - G[0][1] == G[1][1] - G[1][0] and norm > 0
# norm²I − GᵀG is positive semidefinite: all pivots of its elimination are ≥ 0
M = [[(i == j) * norm**2 - sum(G[l][i] * G[l][j] for l in range(4)) for j in range(4)] for i in range(4)]
for k in range(4):
    assert M[k][k] >= 0 and (M[k][k] > 0 or all(M[i][k] == 0 for i in range(k, 4)))
    if M[k][k]:
        M = [[M[i][j] - (M[i][k] * M[k][j] / M[k][k] if min(i, j) > k else 0) for j in range(4)] for i in range(4)]
print("minority classifiers are 0 at r =", r)
""",
)

WIDE = {"for every width": "the outputs of wide features only"}
BLIND = WIDE | dict.fromkeys(
    ("a fiftieth later", "without the contrasts of the majority", "b log for a log"),
    "the first threshold is no rational number",
)


def curve(statement, a, b, q):
    """The total c = K√(Ω_AΩ_F) and the ratio."""
    E = statement.E(a, b, q)
    omega = statement.omega(a, b, E)
    g = statement.g(a, b, omega)
    sigma = statement.sigma(a, b, q, E, omega, g)
    return statement.total(a, b, q, E, sigma), statement.ratio(a, b, g, sigma)


@cache
def slopes():
    """Shares and slopes on majority samples, and the slope on minority samples in q, from the losses."""
    a, b, s, t, p, q = sp.symbols("a b s t p q", positive=True)
    major = sp.log(1 + (a - 1) * sp.exp(-s) + b * sp.exp(-s * (1 - 1 / a) - p))
    minor = sp.log(1 + (b - 1) * sp.exp(-t) + a * sp.exp(-t * (1 - 1 / b) - q))
    # At t = 0 the slope on the b − 1 contrasts of the minority classes is 1, whatever q.
    require_equal(sp.cancel(-sp.diff(b * minor, t).subs(t, 0) / (b - 1)), 1, "another slope at t = 0")
    S, Y = sp.symbols("S Y", positive=True)  # e^{−s} and e^{−s(1 − 1/a) − p}
    to_symbols = {sp.exp(-s * (1 - 1 / a) - p): Y, sp.exp(-s): S}
    pi_s, pi_y = S / (1 + (a - 1) * S + b * Y), Y / (1 + (a - 1) * S + b * Y)
    in_s, in_p = (-sp.diff(a * major, x).subs(to_symbols) for x in (s, p))
    require_equal(sp.cancel(in_s / (a - 1) - (a * pi_s + b * pi_y)), 0, "another slope in s")
    require_equal(sp.cancel(in_p - a * b * pi_y), 0, "another slope in p")
    return (a, b, q, S, Y), (pi_s, pi_y), -sp.diff(b * minor, q).subs(t, 0)


@claim.check("derived", covers="all", blind_to=WIDE)
def test_conditions_of_optimality(statement):
    (a, b, q, S, Y), (pi_s, pi_y), in_q = slopes()
    K = a + b
    # ‖v‖ has v₁ = p per_p and v₂ = q per_q, so that the slopes in v are G₁ = r√(Kb) π_y and G₂ = √(Ka) π'_y.
    per_p, per_q = a * sp.sqrt(b / K), b * sp.sqrt(a / K)
    require_equal(sp.simplify(a * b / per_p - sp.sqrt(K * b)), 0, "another slope in v₁")
    E = statement.E(a, b, q)
    require_equal(sp.cancel(in_q * K * E / (a * b)), 1, "another slope in v₂: E is not 1/(Kπ'_y)")
    # The curve: with the multiplier 1, r(aπ_s + bπ_y) = 1 and r²G₁² + G₂² = 1, p/q as rG₁/G₂.
    w, e = sp.symbols("omega E", positive=True)
    require_equal(sp.simplify(b * statement.omega(a, b, e) ** 2 / K + a / (K * e**2)), 1, "no slope of norm one")
    margin = q * b * e * w / a
    g = statement.g(a, b, w)
    ratio = per_p * margin / (per_q * q) / (sp.sqrt(K * b) * w / K / (sp.sqrt(K * a) / (K * e)))
    require_equal(sp.simplify(ratio), 1, "another direction")
    gg = sp.Symbol("g", positive=True)
    sigma = statement.sigma(a, b, q, e, w, gg)
    require_equal(sp.simplify(sp.expand_log(sigma / a - margin - sp.log(w / gg), force=True)), 0, "another scale s")
    # so Y/S = ω/g: and then the shares give r
    t0 = statement.ratio(a, b, gg, -sp.log(S)).subs(gg, g)
    at = {Y: S * w / g}
    require_equal(sp.simplify((t0 * pi_y).subs(at) - w / K), 0, "ω is not Krπ_y")
    require_equal(sp.simplify((t0 * (a * pi_s + b * pi_y)).subs(at) - 1), 0, "no multiplier 1")
    norm = per_q * q / (sp.sqrt(K * a) / (K * e))  # ‖v‖ = v₂/G₂
    x = sp.Symbol("x", positive=True)
    require_equal(sp.simplify(statement.total(a, b, q, e, x) - ((a - 1) * x + norm)), 0, "another nuclear norm")
    # Along the curve all increases: E and ω in q, and Kr = K + ω(e^y − 1) + (ω − 1)(1 + b/a), y = σ − log(ω/g).
    require((sp.diff(E, q) / sp.exp(q)).subs({a: 3, b: 2}) > 0, "E does not increase")
    require_equal(sp.simplify(sp.diff(statement.omega(a, b, e) ** 2, e) * e**3 * b / a), 2, "ω does not increase")
    y = sp.Symbol("y", positive=True)
    rewritten = K + w * (sp.exp(y) - 1) + (w - 1) * (1 + b / a)
    stated = K * statement.ratio(a, b, g, y + sp.log(w) - sp.log(g))
    require_equal(sp.simplify(sp.expand(sp.powsimp(stated)) - sp.expand(rewritten)), 0, "another ratio")
    vanishing_condition(statement)


def vanishing_condition(statement):
    """v = t = 0 is optimal just if r²(K b π_y²) + a/K ≤ r²(aπ_s + bπ_y)², π_s = xπ_y and π_y = 1/(x^{1−a} + …)."""
    for a, b in ((2, 1), (2, 4), (3, 2), (5, 3)):
        K, r, x = a + b, sp.Symbol("r", positive=True), sp.Symbol("x", positive=True)
        inverse = x ** (1 - a) + (a - 1) * x + b  # of π_y
        excess = r**2 * ((a * x + b) ** 2 - K * b) - sp.Rational(a, K) * inverse**2  # over π_y²
        said = statement.vanishes(a, b, r, x)
        require(said not in (True, False), "never or always", a=a, b=b)
        factor = sp.cancel((said.gts - said.lts) / excess)
        require(factor.is_positive and isinstance(said, sp.GreaterThan), "another condition", a=a, b=b, factor=factor)
    require(not statement.vanishes(1, 2, 10**6, Fraction(1, 2)), "no majority contrast takes the norm")


@claim.check("exact", covers=Instances("a ≤ 4, b ≤ 3, rational x = exp(−s/a) and r: the spectral norm of the gradient"),
             blind_to=BLIND)  # fmt: skip
def test_certificate_of_vanishing(statement):
    # Z = s(I − J/a) ⊕ 0 is the minimiser just if no singular value of the gradient exceeds that on its own contrasts.
    # The squares of all are those on the contrasts and the rest of the Frobenius norm: one, as the columns sum to 0.
    for a, b in product((2, 3, 4), (1, 2, 3)):
        for x in (Fraction(99, 100), Fraction(9, 10), Fraction(3, 4), Fraction(1, 2), Fraction(2, 5), Fraction(1, 4)):
            for r in (Fraction(1), Fraction(21, 20), Fraction(5, 4), Fraction(2), Fraction(4), Fraction(50)):
                K = a + b
                shares = np.array([[x**a] * K] * a + [[x ** (a - 1)] * K] * b, dtype=object)
                for k in range(a):
                    shares[k, k] = Fraction(1)
                shares[:, a:] = Fraction(1)
                G = shares / shares.sum(axis=0) - np.eye(K, dtype=int)
                G[:, :a] *= r
                own, other = G[0, 1] - G[0, 0], Fraction(1) if b > 1 else Fraction(0)
                rest = (G**2).sum() - (a - 1) * own**2 - (b - 1) * other**2
                zero = own >= other and own**2 >= rest
                stated = bool(statement.vanishes(a, b, r, x))
                require_equal(stated, bool(zero), "0 otherwise", a=a, b=b, r=r, x=x)


def certificate(Z, a, b, r, total):
    """How far the loss of Z may be above the minimum, in units of the weight of a minority class."""
    shares = np.exp(Z - Z.max(axis=0))
    G = (shares / shares.sum(axis=0) - np.eye(a + b)) * np.repeat([r, 1.0], [a, b])
    return float(np.sum(G * Z) + total * np.linalg.norm(G, 2))


@claim.check(
    "property", covers=Instances("a ≤ 5, b ≤ 5, q from 0.05 to 1.5, r near t₀ and at t₁, 50 drawn"), blind_to=WIDE
)
@example(a=2, b=2, q=0.1)
@example(a=3, b=2, q=0.05)
@example(a=2, b=3, q=1.0)
@given(st.integers(1, 5), st.integers(2, 5), st.floats(0.05, 1.5))
def test_both_sides(statement, a, b, q):
    # The minimiser is certified by its gradient alone, and unique.
    total, t0 = curve(statement, a, b, q)
    budget = total / (a + b)
    where = {"a": a, "b": b, "q": q}
    for factor, same in ((1 - 1e-4, False), (1, True), (1 + 1e-4, True)):
        r = 1 + (t0 - 1) * factor
        found = layer_peeled.layer_peeled_optimum(a, b, r, budget, budget)
        require_at_most(certificate(found.outputs, a, b, r, total), 1e-11 * (1 + total) * r, "no minimum", r=r, **where)
        size = np.abs(found.A[a] - found.A[a + 1]).max()
        # Rows differ by about the square root of t, at the threshold by that of rounding: of r, by σ times that of q.
        require_equal(bool(size < (1e-5 if factor == 1 else 1e-9)), same, "another threshold", r=r, **where)
        stated = bool(statement.vanishes(a, b, r, math.exp(-total / (a * (a - 1))) if a > 1 else 0.5))
        require_equal(bool(not found.A[a].any()), stated, "0 otherwise", r=r, **where)
    if a > 1:
        for r in (2 * t0, 1 + 2 * (t0 - 1)):
            found = layer_peeled.layer_peeled_optimum(a, b, r, budget, budget)
            require_at_most(certificate(found.outputs, a, b, r, total), 1e-11 * (1 + total) * r, "no minimum", **where)
            stated = bool(statement.vanishes(a, b, r, math.exp(-total / (a * (a - 1)))))
            require_equal(bool(not found.A[a].any()), stated, "0 otherwise", r=r, **where)


@cache
def descended(a, b, many, few, total, m):
    """Where L-BFGS on A and on the features of all samples, of fixed norms, comes to rest; the best of two starts."""
    K, sizes = a + b, np.repeat([many, few], [a, b])
    classes = np.repeat(np.arange(a + b), sizes)
    N, hot = len(classes), np.eye(a + b)[:, classes]
    share = np.sqrt(1 / sizes)[classes]  # the bound is on f/√n_k

    def value(x):
        A, F = x[: K * m].reshape(K, m), x[K * m :].reshape(m, N)
        lengths = np.linalg.norm(A), np.linalg.norm(F)
        scale = total / lengths[0] / lengths[1]
        Z = scale * A @ F / share
        P = np.exp(Z - Z.max(axis=0))
        P /= P.sum(axis=0)
        G = scale * (P - hot) / share / N
        slope_A, slope_F = G @ F.T, A.T @ G
        slope_A -= A * np.sum(slope_A * A) / lengths[0] ** 2
        slope_F -= F * np.sum(slope_F * F) / lengths[1] ** 2
        return -np.log((P * hot).sum(axis=0)).mean(), np.concatenate([slope_A.ravel(), slope_F.ravel()])

    options = {"ftol": 1e-16, "gtol": 1e-9, "maxiter": 3000}
    rng = np.random.default_rng(0)
    runs = [
        minimize(value, rng.normal(size=K * m + m * N), jac=True, method="L-BFGS-B", options=options) for _ in range(2)
    ]
    A = min(runs, key=lambda run: run.fun).x[: K * m].reshape(K, m)
    return A[a:] / np.linalg.norm(A)


@claim.check("optimised", covers=Search("L-BFGS in A and the features of 7 to 23 samples, two starts, 13 problems"),
             blind_to={"a fiftieth later": "the ratios are those of small integers"})  # fmt: skip
def test_descent_in_classifier_and_features(statement):
    for a, b, many, few, total, m in (
        (1, 2, 9, 5, 1.06, 3), (1, 2, 2, 1, 1.06, 2), (2, 2, 3, 2, 2.0, 3), (2, 2, 7, 4, 2.0, 4), (3, 2, 5, 4, 2.5, 5),
        (3, 2, 3, 2, 2.5, 5), (2, 3, 5, 4, 1.77, 5), (2, 3, 3, 2, 1.77, 4), (2, 3, 6, 5, 0.41, 5),
        (2, 3, 3, 2, 0.41, 5), (3, 2, 2, 1, 0.36, 5), (2, 2, 5, 2, 4.0, 3), (2, 2, 5, 2, 4.0, 2),
    ):  # fmt: skip
        if not statement.applies(a, b, m):
            continue
        q = brentq(lambda q, a=a, b=b, total=total: curve(statement, a, b, q)[0] - total, 1e-6, 3)
        rows = descended(a, b, many, few, total, m)
        differ, size = float(np.abs(rows - rows[0]).max()), float(np.abs(rows).max())
        where = {"a": a, "b": b, "r": many / few, "total": total, "m": m}
        stated = bool(many / few >= curve(statement, a, b, q)[1])
        require_equal(differ < 2e-3, stated, "the rows are the same otherwise", differ=differ, **where)
        x = math.exp(-total / (a * (a - 1))) if a > 1 else 0.5
        require_equal(size < 2e-3, bool(statement.vanishes(a, b, many / few, x)), "0 otherwise", size=size, **where)
