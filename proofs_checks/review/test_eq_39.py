r"""Global minimisers of the three-factor risk (review, equation 39).

By the variational form of the Schatten quasi-norm and von Neumann, singular values z = x³ of the outputs of the class
means cost $\frac1{2K}(1-z)^2+\frac32cz^{2/3}$ each, $c^3=n\lambda_{A_2}\lambda_{A_1}\lambda_F$, or 1/(2K) at 0. With κ
= Kc critical points have κ = x(1 − x³), where 2K times the cost less 1 is $z(1-2z)$: they beat 0 for z > 1/2 only, that
is for κ³ < 1/16; at κ³ = 1/16 both are minimisers, beyond it 0 alone. So (39) holds with positive factors for all
global minimisers for m ≥ K and K³nλλλ < 1/16. The factors are balanced: F̄ᵀF̄ = (cx²/(nλ_F))I, (A₂A₁)(A₂A₁)ᵀ =
(c²x⁴/(λ_{A2}λ_{A1}))I, A₂A₁F̄ = x³I, F̄ a multiple of (A₂A₁)ᵀ.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from nct.ledger import Claim, Condition, Instances, Search, Statement, require_close, require_equal
from theory.ufm import squared_error


class Frame(NamedTuple):
    """All global minimisers have F̄ᵀF̄ = features I, (A₂A₁)(A₂A₁)ᵀ = layers I, not 0, just under the condition."""

    applies: Annotated[Callable[[Any, Any, int, Any], bool], Condition]  # K, n, m, λ_{A2}λ_{A1}λ_F
    features: Callable[[Any, Any, Any, Any], Any]  # of c, x, n, λ_F
    layers: Callable[[Any, Any, Any, Any], Any]  # of c, x, λ_{A2}, λ_{A1}


def features(c, x, n, f):
    return c * x**2 / (n * f)


def layers(c, x, second, first):
    return c**2 * x**4 / (second * first)


claim = Claim(
    id="review.eq-39",
    title="Global minimisers of the three-factor risk are orthogonal frames",
    source="review, equation 39",
    verdict="amended",
    depends_on=(
        "review.eq-37",
        "review.eq-38",
    ),
    printed=Statement(
        r"(F^*, A_1^*, A_2^*) \text{ a global minimiser of (36) with } F^* = \bar F \otimes 1_n^\top \implies "
        r"(A_2^*A_1^*)\bar F \propto \bar F^\top\bar F \propto (A_2^*A_1^*)(A_2^*A_1^*)^\top \propto I_K \text{ (read: "
        r"positive multiples, for all } m \text{ and } \lambda > 0)",
        Frame(lambda K, n, m, product: True, features, layers),
    ),
    amended=Statement(
        r"m \ge K \text{ and } K^3n\lambda_{A_2}\lambda_{A_1}\lambda_F < \tfrac1{16} \iff \text{all global minimisers "
        r"have } A_2A_1\bar F = x^3I_K, \bar F^\top\bar F = \tfrac{cx^2}{n\lambda_F}I_K, (A_2A_1)(A_2A_1)^\top = "
        r"\tfrac{c^2x^4}{\lambda_{A_2}\lambda_{A_1}}I_K \text{ with } c^3 = n\lambda_{A_2}\lambda_{A_1}\lambda_F, x "
        r"\text{ the largest root of } x(1 - x^3) = Kc; \text{ then } \bar F \propto (A_2A_1)^\top, \text{ and the "
        r"loss is } \tfrac12(1 - x^3)^2 + \tfrac32Kcx^2. \text{ At } \tfrac1{16} \text{ the zero point is a minimiser "
        r"too, beyond it the only one}",
        Frame(lambda K, n, m, product: m >= K and 16 * K**3 * n * product < 1, features, layers),
        formulas={
            r"\tfrac{cx^2}{n\lambda_F}": lambda s, c, x, n, lam_F: s.features(c, x, n, lam_F),
        },
    ),
    near_misses={
        "m ≥ K − 1": Frame(lambda K, n, m, product: m >= K - 1 and 16 * K**3 * n * product < 1, features, layers),
        "at 1/16": Frame(lambda K, n, m, product: m >= K and 16 * K**3 * n * product <= 1, features, layers),
        "where a local minimum is left": Frame(
            lambda K, n, m, product: m >= K and 256 * K**3 * n * product < 27, features, layers
        ),
        "K² for K³": Frame(lambda K, n, m, product: m >= K and 16 * K**2 * n * product < 1, features, layers),
        "λ_F without n": Frame(
            lambda K, n, m, product: m >= K and 16 * K**3 * n * product < 1, lambda c, x, n, f: c * x**2 / f, layers
        ),
    },
    counterexample_code=r"""
# K = 2, m = n = 1, all λ = 1/100: the zero point costs 1/2, (1, 0)ᵀ, 1 and (1, 0) cost 1/4 + 3/200: F̄ ≠ 0 at the
# minimum, and its Gram matrix has rank one, which no non-zero multiple of I has.
assert 1 / 4 + 3 / 200 < 1 / 2
print("a 2 × 2 Gram matrix of rank one is no multiple of I")
""",
)


@claim.check("derived", covers="all")
def test_threshold_and_factors(statement):
    x, n, p, q, f = sp.symbols("x n p q f", positive=True)
    kappa = x * (1 - x**3)  # at critical points
    excess = (1 - x**3) ** 2 + 3 * kappa * x**2 - 1  # 2K times the cost less that of 0
    require_equal(sp.expand(excess - x**3 * (1 - 2 * x**3)), 0, "another excess")
    least = (kappa**3).subs(x, sp.Rational(1, 2) ** sp.Rational(1, 3))  # κ³ falls as x grows from there to 1
    require_equal(sp.nsimplify(least), sp.Rational(1, 16), "another threshold")
    for K_ in (2, 3, 5):
        for n_ in (1, 2):
            for m in range(1, K_ + 2):
                for share in (sp.Rational(99, 100), 1, sp.Rational(101, 100), sp.Rational(3, 2), sp.Rational(1, 50)):
                    product = share * least / (K_**3 * n_)
                    full = share < 1 and min(m, K_) == K_
                    where = {"K": K_, "n": n_, "m": m, "product": product}
                    require_equal(bool(statement.applies(K_, n_, m, product)), full, "a frame otherwise", **where)
    # κ³ = z(1 − z)³ falls for z > 1/4, so z > 1/2 just if κ³ < 1/16: in all of K, n and the product of weight decays.
    z, K, product = sp.symbols("z K product", positive=True)
    slope = sp.factor(sp.diff(z * (1 - z) ** 3, z) / (1 - z) ** 2)
    require_equal(sp.expand(slope - (1 - 4 * z)), 0, "κ³ does not fall")
    said = statement.applies(K, n, K, product)
    require_equal(isinstance(said, sp.StrictLessThan), True, "no strict threshold", said=said)
    ratio = sp.simplify((said.gts - said.lts) / (least - K**3 * n * product))
    require_equal(ratio.is_positive, True, "another threshold", said=said)
    require_equal(bool(statement.applies(K, n, K - 1, product)), False, "a Gram matrix of rank below K")
    # Balanced factors a, b, g of a singular value abg = x³: p a² = q b² = n f g² = c x².
    c = (n * p * q * f) ** sp.Rational(1, 3)
    g2, ab2 = statement.features(c, x, n, f), statement.layers(c, x, p, q)
    require_equal(sp.simplify(g2 * n * f - c * x**2), 0, "features not balanced")
    require_equal(sp.simplify(sp.powsimp(ab2 * g2 - x**6, force=True)), 0, "another product")


@claim.check("exact", covers=Instances("x³ = 1/8, 27/64, 1/2, 343/512 in diagonal factors: the cost against that of 0"))
def test_diagonal_points(statement):
    for K in (2, 3):
        for n in (1, 2):
            for x in ("7/8", "9/10", "4/5", "3/4"):  # z = x³ on either side of 1/2
                x = sp.Rational(x)
                c = x * (1 - x**3) / K
                p, q = c, c * 2
                f = c**3 / (n * p * q)
                g2, ab2 = statement.features(c, x, n, f), statement.layers(c, x, p, q)
                a2 = c * x**2 / p
                b2 = ab2 / a2
                cost = (1 - x**3) ** 2 / (2 * K) + (p * a2 + q * b2 + n * f * g2) / 2
                where = {"K": K, "n": n, "x": x}
                require_equal(g2 * ab2, x**6, "another product", **where)
                require_equal(q * b2, n * f * g2, "not balanced", **where)
                better = bool(cost < sp.Rational(1, 2) / K)
                require_equal(bool(statement.applies(K, n, K, p * q * f)), better, "a frame otherwise", **where)
                require_equal(bool(statement.applies(K, n, K - 1, p * q * f)), False, "rank below K", **where)
            tie = sp.Rational(1, 16 * K**3 * n)  # z = 1/2 and 0 cost the same
            require_equal(bool(statement.applies(K, n, K, tie)), False, "0 is a minimiser", K=K, n=n)


@claim.check("optimised", covers=Search("L-BFGS from eight starts and 0, K ≤ 3, n ≤ 2, m ≤ 3"), blind_to={
    "at 1/16": "rounding decides which side of a threshold floats are on"})  # fmt: skip
def test_minimisers_found(statement):
    rng = np.random.default_rng(0)
    for K, n, m, lams in (
        (2, 1, 2, (0.1, 0.2, 0.1)), (2, 2, 2, (0.1, 0.2, 0.1)), (2, 1, 1, (0.1, 0.1, 0.1)), (2, 1, 3, (0.2, 0.25, 0.2)),
        (3, 1, 3, (0.1, 0.1, 0.1)), (3, 2, 3, (0.2, 0.1, 0.2)), (3, 2, 3, (0.02, 0.1, 0.05)),
    ):  # fmt: skip
        cuts, I = [K * m, K * m + m * m], np.eye(K)

        def value(x, K=K, n=n, m=m, lams=lams, cuts=cuts, I=I):
            A, B, M = (y.reshape(s) for y, s in zip(np.split(x, cuts), ((K, m), (m, m), (m, K)), strict=True))
            E = (A @ B @ M - I) / K
            decay = lams[0], lams[1], n * lams[2]
            total = K * np.sum(E**2) / 2 + sum(d * np.sum(y**2) for d, y in zip(decay, (A, B, M), strict=True)) / 2
            slopes = E @ (B @ M).T + decay[0] * A, A.T @ E @ M.T + decay[1] * B, (A @ B).T @ E + decay[2] * M
            return total, np.concatenate([slope.ravel() for slope in slopes])

        runs = [
            minimize(value, rng.normal(size=2 * K * m + m * m), jac=True, method="L-BFGS-B", options={"ftol": 1e-15})
            for _ in range(8)
        ]
        best = min(runs, key=lambda run: run.fun)
        A, B, M = (y.reshape(s) for y, s in zip(np.split(best.x, cuts), ((K, m), (m, m), (m, K)), strict=True))
        size, outer = float(np.trace(M.T @ M)) / K, float(np.sum((A @ B) ** 2)) / K
        frame = best.fun < 0.5 - 1e-6 and float(np.abs(M.T @ M - size * I).max()) < 1e-2 * size
        where = {"K": K, "n": n, "m": m, "lams": lams}
        require_equal(bool(statement.applies(K, n, m, np.prod(lams))), frame, "a frame otherwise", **where)
        found = squared_error.three_factor_optimum(K, n, m, lams)
        require_close(min(best.fun, 0.5), found.loss, "another minimum", rtol=1e-6, **where)
        if frame:
            c, x = float((n * np.prod(lams)) ** (1 / 3)), found.singular_value ** (1 / 3)
            require_close(size, float(statement.features(c, x, n, lams[2])), "other features", rtol=1e-3, **where)
            require_close(outer, float(statement.layers(c, x, *lams[:2])), "other layers", rtol=1e-3, **where)
