r"""The displayed lines of the proof of agop, Theorem 5.3, one by one (Appendix C.1; agop-v1, Appendix A.2).

Let $A = X^\top X \succeq λ_\mathrm{map}I$ (λ = λ_k, m = λ_map, ε_lin = λ/m), $P = Y^\top Y$ with n samples in each
class, N in all, $A^* = P + mI$, $D = A - A^*$ of norm ε_A, and $Ψ = (I + D(A^*)^{-1})^{-1}$. Constants in an O are read
as universal, as the theorem's is.

1. The predictor at the data is (A + λI)α, α = (A + λI)⁻¹y: it interpolates.
2. $M = \sum_i \nabla f(x_i)\nabla f(x_i)^\top = Xαα^\top X^\top$. *False*: the gradient is Xα at each sample, and the
   sum N times that (two samples). The mean is meant.
3. $X^\top MX = A(A+λI)^{-1}P(A+λI)^{-1}A$.
4. $(A+λI)^{-1} = A^{-1} - λA^{-1}(I+λA^{-1})^{-1}A^{-1}$.
5. $X^\top MX = EPE$, $E = I - λ(I+λA^{-1})^{-1}A^{-1}$.
6. $λ\lVert A^{-1}\rVert \le ε_\mathrm{lin}$.
7. $(I+λA^{-1})^{-1}λA^{-1} = λA^{-1} + O(ε_\mathrm{lin}^2)$; the constant is 1.
8. $X^\top MX = P - λA^{-1}P - λPA^{-1} + O(ε_\mathrm{lin}^2)$. *False*: the constant is 3n, which A = mI attains as
   λ → 0. (Three is what one sample needs; two samples of a class need six.)
9. $A^{-1} = (A^*)^{-1} - (A^*)^{-1}ΨD(A^*)^{-1}$.
10. $\lVertΨ\rVert \le (1 - ε_A/m)^{-1} \le 2$ for ε_A ≤ m/2.
11. $P(A^*)^{-1} = (1+m^{-1})P$. *False*: $(m+n)^{-1}P$ (agop.thm-5.3.eigenstep).
12. $X^\top MX = P - λ(A^*)^{-1}P - λP(A^*)^{-1} + O - λ(A^*)^{-1}ΨD(A^*)^{-1}P - λP(A^*)^{-1}DΨ(A^*)^{-1}$. *False*
    twice: by line 9 the last two terms have the sign + (one sample shows it), and the last one is
    $P(A^*)^{-1}ΨD(A^*)^{-1}$ (two samples).
13. The same with line 11's factor for $(A^*)^{-1}$ beside P.
14. $κ = 1-2λ(1+m^{-1}) > \frac12$ for $2λm^{-1}(1+m^{-1})n < 1-ε$. *False*: for m > n it may be negative. The κ that
    fixes P, $(1+λ/(n+m))^{-2}$, is above 4/9 there, as λ < m/2.
15. $\lVert X_{l+1}^\top X_{l+1} - A^*\rVert = \lVertκ^{-1}X^\top MX - P\rVert$, by the definition of a layer.
16. That *equals* $\lVert O + 2κ^{-1}λ(1+m^{-1})\,T\rVert$, $T = (A^*)^{-1}ΨDP$. *False*: T + Tᵀ is not 2T (two
    samples of a class); its norm is at most 2‖T‖.
17. The second term is at most $ε_A·2λm^{-1}(1+m^{-1})n$. *False*: that drops ‖Ψ‖ ≤ 2 and κ⁻¹ ≤ 2 (and line 11's factor
    is wrong). With it right the term is at most $ε_A·4λn/(κm(m+n))$.
18. Below ε_A (1−ε), by the choice of λ: that the factor of line 17 is below 1−ε.
19. $ε_A = \lVert X_lX_l^\top - A^*\rVert$. *Misprinted*: $X_l^\top X_l$.
20. $X^\top MX = P + ε_\mathrm{lin}nΨ' + O(ε_\mathrm{lin}^2)$ with ‖Ψ'‖ = 1. *False*: the norm is at most 2, and 2 for
    A = mI.
21. $\lVert X^\top MX - P\rVert < \frac12$ for $ε_\mathrm{lin}n < C/2$: right for C = 1/2. It is to show that ε_A < m/2
    after the first layer, which it does not for m < 1; $ε_\mathrm{lin}n < m/4$ does, before the scaling by κ.

The result stands with other constants: agop.thm-5.3.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    Part,
    Statement,
    UpperBound,
    require_at_most,
    require_close,
    require_equal,
)
from theory import labels
from theory.deep_rfm import collapse_map


class Proof(NamedTuple):
    """What the lines state, where they state more than an identity that has no constant in it."""

    agop: Literal["mean", "sum"] = "mean"  # line 2
    series: Annotated[float, UpperBound] = 1.0  # line 7: the constant
    expansion: Annotated[Callable, UpperBound] = lambda n: 3 * n  # line 8: the constant
    inverse: Annotated[Callable, UpperBound] = lambda share: 1 / (1 - share)  # line 10: ‖Ψ‖ for ε_A = share · m
    eigenvalue: Callable = lambda m, n: 1 / (m + n)  # lines 11 and 13
    sign: Literal[1, -1] = 1  # line 12: of the last two terms
    order: Literal["ΨD", "DΨ"] = "ΨD"  # line 12: in the last term
    kappa: Callable = lambda n, k, m: (1 + k / (n + m)) ** -2  # line 14
    least_kappa: Annotated[Fraction, LowerBound] = Fraction(4, 9)
    relation: Literal["at most", "equal"] = "at most"  # line 16
    factor: Annotated[Callable, UpperBound] = lambda n, k, m, kappa: 4 * k * n / (kappa * m * (m + n))  # line 17
    gram: Literal["XᵀX", "XXᵀ"] = "XᵀX"  # line 19
    first_order: Annotated[float, UpperBound] = 2.0  # line 20: ‖Ψ'‖
    start: Annotated[Callable, LowerBound] = lambda n, m: m / 4  # line 21: ε_lin n, for a distance below m/2


RIGHT = Proof()
PRINTED = {
    "line 2: a sum": {"agop": "sum"},
    "line 8: a constant without n": {"expansion": lambda n: 3},
    "line 11: 1 + 1/λ_map": {"eigenvalue": lambda m, n: 1 + 1 / m},
    "line 12: minus": {"sign": -1},
    "line 12: DΨ in the last term": {"order": "DΨ"},
    "line 14: κ > 1/2": {"kappa": lambda n, k, m: 1 - 2 * k * (1 + 1 / m), "least_kappa": Fraction(1, 2)},
    "line 16: equal": {"relation": "equal"},
    "line 17: without 4/κ": {"factor": lambda n, k, m, kappa: 2 * k * n / (m * (m + n))},
    "line 19: X Xᵀ": {"gram": "XXᵀ"},
    "line 20: norm 1": {"first_order": 1.0},
    "line 21: 1/4 for every λ_map": {"start": lambda n, m: 1 / 4},
}
AS_PRINTED = RIGHT._replace(**{name: value for line in PRINTED.values() for name, value in line.items()})._replace(
    factor=lambda n, k, m, kappa: 2 * k * (1 + 1 / m) * n / m
)

claim = Claim(
    id="agop.thm-5.3.steps",
    title="The lines of the proof of Theorem 5.3",
    source="agop, Appendix C.1, proof of Theorem 5.3; agop-v1, Appendix A.2",
    verdict="amended",
    printed=Statement(
        r"\text{lines 1–21 of the proof, with } M = \textstyle\sum_i\nabla f\nabla f^\top \text{ (2), a "
        r"universal constant (8), } P(A^*)^{-1} = (1+\lambda_{\mathrm{map}}^{-1})P \text{ (11), } "
        r"-\text{ and } D\Psi \text{ (12), } \kappa = 1-2\lambda_k(1+\lambda_{\mathrm{map}}^{-1}) > \tfrac12 \text{ "
        r"(14), } = \text{ (16), } 2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})n/\lambda_{\mathrm{map}} \text{ (17), } "
        r"X_lX_l^\top \text{ (19), } \|\Psi'\| = 1 \text{ (20), } \varepsilon_{\mathrm{lin}}n < C/2 \text{ (21)}",
        AS_PRINTED,
        formulas={
            r"1-2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})": lambda proof, lam_k, lam_map: proof.kappa(
                1, lam_k, lam_map
            ),
            r"2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})n/\lambda_{\mathrm{map}}": (
                lambda proof, lam_k, lam_map, n=(1, 2, 5): proof.factor(n, lam_k, lam_map, 1)
            ),
        },
    ),
    amended=Statement(
        r"\text{the same lines, with } M = \tfrac1N\textstyle\sum_i\nabla f\nabla f^\top \text{ (2), the constant } "
        r"3n \text{ (8), } P(A^*)^{-1} = (\lambda_{\mathrm{map}}+n)^{-1}P \text{ (11), } +\text{ and } \Psi D \text{ "
        r"(12), } \kappa = (1+\lambda_k/(n+\lambda_{\mathrm{map}}))^{-2} > \tfrac49 \text{ (14), } \le \text{ (16), } "
        r"4\lambda_kn/(\kappa\lambda_{\mathrm{map}}(\lambda_{\mathrm{map}}+n)) \text{ (17), } X_l^\top X_l \text{ "
        r"(19), } \|\Psi'\| \le 2 \text{ (20), } \varepsilon_{\mathrm{lin}}n < \lambda_{\mathrm{map}}/4 \text{ for a "
        r"distance below } \lambda_{\mathrm{map}}/2 \text{ (21)}",
        RIGHT,
        parts=["the identities", "the bounds"],
        formulas={
            "3n": lambda proof, n=(1, 2, 5): proof.expansion(n),
            r"(\lambda_{\mathrm{map}}+n)^{-1}": lambda proof, lam_map, n=(1, 2, 5): proof.eigenvalue(lam_map, n),
            r"(1+\lambda_k/(n+\lambda_{\mathrm{map}}))^{-2}": (
                lambda proof, lam_k, lam_map, n=(1, 2, 5): proof.kappa(n, lam_k, lam_map)
            ),
            r"\tfrac49": lambda proof: proof.least_kappa,
            r"4\lambda_kn/(\kappa\lambda_{\mathrm{map}}(\lambda_{\mathrm{map}}+n))": (
                lambda proof, lam_k, lam_map, kappa, n=(1, 2, 5): proof.factor(n, lam_k, lam_map, kappa)
            ),
            r"\lambda_{\mathrm{map}}/4": lambda proof, lam_map: proof.start(1, lam_map),
        },
    ),
    near_misses={name: RIGHT._replace(**line) for name, line in PRINTED.items()},
    depends_on=["agop.lemma-C1", "agop.lemma-C2", "agop.thm-5.3.eigenstep"],
    counterexample_code=r"""
from fractions import Fraction

# Line 12 for one sample, y = 1, λ_map = 1, XᵀX = A = 3: A* = 1 + λ_map = 2, D = A − A* = 1, Ψ = 1/(1 + D/A*).
# What λ_k multiplies on both sides, −2/A on the left:
A, star = Fraction(3), Fraction(2)
D = A - star
Psi = 1 / (1 + D / star)
left, right = -2 / A, -2 / star - 2 * Psi * D / star**2
print(f"left {left}, right {right}; with + for the last two minus signs {-2 / star + 2 * Psi * D / star**2}")
assert left != right
assert left == -2 / star + 2 * Psi * D / star**2
""",
)

IDENTITIES = {"line 2: a sum", "line 11: 1 + 1/λ_map", "line 12: minus", "line 12: DΨ in the last term"}
ABOUT_IDENTITIES = {name: "the check is of the identities" for name in PRINTED if name not in IDENTITIES}
ABOUT_IDENTITIES["line 2: a sum"] = "the check begins at line 3; the gradients are taken in float64"
ABOUT_BOUNDS = {name: "the check is of the bounds" for name in IDENTITIES}


@claim.check("derived", covers=Part("the identities"), blind_to=ABOUT_IDENTITIES)
def test_identities_in_the_free_algebra(statement):
    # a and b are the inverses of A and S = A*, c that of A + λ, e of 1 + λa, ψ of 1 + Db; P b = b P = factor · P.
    lam, m, n = sp.symbols("lambda m n", positive=True)
    A, a, _c, e, S, b, D, psi, P = sp.symbols("A a c e S b D psi P", commutative=False)

    def rewritten(product, *rules):
        for old, new in rules:
            product = sp.expand(product.subs(old, new))
        return product

    # 4: (A + λ)(a − λ a e a) = 1 + λa − (1 + λa)λ e a; e (1 + λa) = 1. 3 and 5 insert α, and A c = 1 − λ e a.
    product = sp.expand((A + lam) * (a - lam * a * e * a))
    product = rewritten(product, (A * a, 1), (lam * a * e * a, a - e * a))
    require_equal(product, 1, "line 4 is false: (A + λ) times the right side")
    smoother = rewritten(sp.expand(A * (a - lam * a * e * a)), (A * a, 1))
    require_equal(smoother, 1 - lam * e * a, "line 5 is false: A (A + λI)⁻¹")
    # 9: (S + D)(b − bψDb) = 1, as D b ψ = 1 − ψ.
    product = rewritten(sp.expand((S + D) * (b - b * psi * D * b)), (S * b, 1), (D * b * psi, 1 - psi))
    require_equal(product, 1, "line 9 is false: A times the right side")
    # 11: on a class indicator, P has the eigenvalue n.
    factor = statement.eigenvalue(m, n)
    require_equal(sp.simplify(factor * (n + m)), 1, "line 11 is false: the stated factor over the right one")
    # 12 and 13: line 9 in what λ multiplies, −aP − Pa.
    last = psi * D if statement.order == "ΨD" else D * psi
    stated = -b * P - P * b + statement.sign * (b * psi * D * b * P + P * b * last * b)
    inserted = sp.expand(-(b - b * psi * D * b) * P - P * (b - b * psi * D * b))
    require_equal(sp.expand(stated - inserted), 0, "line 12 is false: what λ_k multiplies, less line 9 inserted")


def rational(value):
    value = Fraction(value)
    return fmpq(value.numerator, value.denominator)


@claim.check(
    "exact",
    covers=Instances("1–3 samples in all arrangements, A = diagonal + rank one, λ_map = 1/2, 1, 3, λ_k = 1/4, 1"),
    blind_to=ABOUT_IDENTITIES,
)
def test_identities_of_rational_matrices(statement):
    for sizes in ([1], [2], [1, 1], [3], [1, 1, 1]):
        N, n = sum(sizes), sizes[0]
        one = fmpq_mat(N, N, [fmpq(i == j) for i in range(N) for j in range(N)])
        P = fmpq_mat(N, N, [fmpq(i // n == j // n) for i in range(N) for j in range(N)])
        shape = fmpq_mat(N, N, [fmpq((i + 1) * (i == j) + 1) for i in range(N) for j in range(N)])
        for m, k in ((1, Fraction(1, 4)), (Fraction(1, 2), 1), (3, 1)):
            shown = {"sizes": sizes, "lam_map": m, "lam_k": k}
            A = shape + one * rational(m)
            D = A - (P + one * rational(m))
            a, b, c = A.inv(), (P + one * rational(m)).inv(), (A + one * rational(k)).inv()
            psi = (one + D * b).inv()
            smoother = one - (one + a * rational(k)).inv() * a * rational(k)
            mapped = A * c * P * c * A
            require_equal(mapped, smoother * P * smoother, "line 5 is false", **shown)
            require_equal(c, a - a * (one + a * rational(k)).inv() * a * rational(k), "line 4 is false", **shown)
            require_equal(a, b - b * psi * D * b, "line 9 is false", **shown)
            factor = rational(statement.eigenvalue(Fraction(m), n))
            require_equal(P * b, P * factor, "line 11 is false", **shown)
            last = psi * D if statement.order == "ΨD" else D * psi
            sign = fmpq(statement.sign)
            stated = -(b * P) - P * b + (b * psi * D * b * P + P * b * last * b) * sign
            require_equal(-(a * P) - P * a, stated, "line 12 is false: what λ_k multiplies", **shown)
            shorter = (P * fmpq(-2) + (b * psi * D * P + P * last * b) * sign) * factor
            require_equal(stated, shorter, "line 13 is false", **shown)


@claim.check("exact", covers=Part("the bounds"), blind_to=ABOUT_BOUNDS)
def test_bounds_by_their_terms(statement):
    # 7: of functions of one matrix: x − x/(1 + x) = x²/(1 + x) ≤ x² on its eigenvalues x = λ/a ≤ ε_lin.
    # 8: EPE − (P − ZP − PZ) = RP + PR + (Z−R)P(Z−R), ‖R‖ ≤ ε² and ‖Z−R‖ ≤ ε: at most (2 + 1) ε² n.
    # 10: the geometric series. 20: (Z−R)P + P(Z−R) − …: at most 2εn. Each is attained at A = mI, as ε → 0, or N = 1.
    x, n, m, k, share = sp.symbols("x n m k s", positive=True)
    loss = (1 - (1 + x) ** -2) * n  # ‖P − EPE‖ at A = mI, x = ε_lin
    need = {
        "7": (sp.limit((x - x / (1 + x)) / x**2, x, 0), statement.series),
        "10": (1 / (1 - share), statement.inverse(share)),
        "20": (sp.limit(loss / (n * x), x, 0), statement.first_order),
    }
    for line, (needed, stated) in need.items():
        require_at_most(needed / stated, 1, f"line {line} is false: what A = λ_map I needs, over what is stated")
    # 14: κ makes up for what line 13 takes from P, to first order in λ_k.
    lost = sp.simplify(sp.diff(statement.kappa(n, k, m), k).subs(k, 0) / (-2 * statement.eigenvalue(m, n)))
    require_equal(lost, 1, "line 14 is false: the slope of κ over that of P's share in line 13")
    for size in (1, 2, 10):
        needed = sp.limit((2 * x * n - loss) / x**2, x, 0).subs(n, size)
        require_at_most(needed, statement.expansion(size), "line 8 is false: A = λ_map I needs more", n=size)
        require_at_most(3 * size, statement.expansion(size), "line 8: the argument gives 3n", n=size)
        # 14: at the end of the range of λ_k, for ε → 0.
        for lam_map in (Fraction(1, 2), Fraction(4), Fraction(10**6)):
            end = lam_map / (2 * (1 + 1 / lam_map) * size)
            shown = {"n": size, "lam_map": lam_map, "lam_k": end}
            value = statement.kappa(size, end, lam_map)
            require_at_most(statement.least_kappa, value, "line 14 is false: the least κ", **shown)
            if lam_map == 10**6 and size == 1:  # it comes near: λ_k < λ_map/2 < (n + λ_map)/2
                require_close(float(value), 4 / 9, "line 14: the end of the range", rtol=1e-5, **shown)
            # 16 and 17: ‖T + Tᵀ‖ ≤ 2‖T‖, and (A*)⁻¹, Ψ, D, P have the norms 1/m, 2, ε_A, n.
            fixing = (1 + end / (size + lam_map)) ** -2
            product = 2 * end / fixing * Fraction(1, 1) / (lam_map + size) / lam_map * 2 * size
            stated = statement.factor(size, end, lam_map, fixing)
            require_at_most(product, stated, "line 17 is false: the product of the norms", **shown)
        # 21: 1 − (1 + x)⁻² ≤ 2x, so that the distance 2 ε_lin n is at most m/2.
        for lam_map in (Fraction(1, 10), Fraction(1, 2)):
            largest = 2 * statement.start(size, lam_map)
            require_at_most(largest, lam_map / 2, "line 21 is false: the distance after a layer", lam_map=lam_map)
    # 16 and 19 for two samples of one class in three dimensions, λ_map = 1.
    X = sp.Matrix([[2, 0], [1, 1], [0, 1]])
    P, one = sp.ones(2, 2), sp.eye(2)
    T = (P + one).inv() * (one + (X.T * X - P - one) * (P + one).inv()).inv() * (X.T * X - P - one) * P
    sides = [2 * max(T.singular_values(), key=float), max((T + T.T).singular_values(), key=float)]
    require_at_most(float(sides[1]), float(sides[0]), "line 16: ‖T + Tᵀ‖ and 2‖T‖", X=X)
    if statement.relation == "equal":
        require_close(float(sides[0]), float(sides[1]), "line 16 is false: 2‖T‖ and ‖T + Tᵀ‖", rtol=1e-9, X=X)
    gram = X.T * X if statement.gram == "XᵀX" else X * X.T
    require_equal(gram.shape, P.shape, "line 19 is false: the shapes of the Gram matrix and A*", X=X)


def norm(matrix):
    return float(np.linalg.norm(matrix, 2))


@claim.check(
    "property",
    covers=Instances(
        "1–3 classes of 1–4 samples, λ_map in [1e-2, 1e2], λ_k ≤ λ_map, ε_A < λ_map/2, Gaussian, drawn at random"
    ),
    blind_to={"line 14: κ > 1/2": "λ_map would have to be large"},
)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 3)).map(lambda drawn: [drawn[0]] * drawn[1]),
    st.floats(-2, 2),
    st.floats(0.001, 1.0),
    st.floats(0.01, 0.499),
    st.integers(0, 2**32 - 1),
)
def test_all_lines_in_float64(statement, sizes, log_m, ratio, share, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes).astype(float)
    N, n, m = sum(sizes), sizes[0], 10.0**log_m
    k, one, P = ratio * m, np.eye(N), Y.T @ Y
    shown = {"sizes": sizes, "lam_map": m, "lam_k": k, "eps_A": share * m}
    first = rng.standard_normal((N, rng.integers(0, N + 1))) * m**0.5
    for A in (m * one + first @ first.T, m * one):
        rounding = 1e-12 * np.linalg.cond(A) * (n + 1)
        Z, mapped = k * np.linalg.inv(A), collapse_map.agop_gram(A, Y, k)
        X = np.linalg.cholesky(A).T
        alpha = np.linalg.solve(A + k * one, Y.T)
        require_close(alpha.T @ (A + k * one), Y, "line 1", atol=rounding, **shown)
        gradients = [X @ alpha for _ in range(N)]  # of f(x) = αᵀ(Xᵀx + …), at each sample
        M = sum(gradient @ gradient.T for gradient in gradients) / (N if statement.agop == "mean" else 1)
        require_close(X.T @ M @ X, mapped, "lines 2 and 3", atol=rounding * norm(A), **shown)
        require_at_most(norm(Z), ratio * (1 + 1e-12) + rounding, "line 6", **shown)
        series = norm(np.linalg.solve(one + Z, Z) - Z)
        require_at_most(series, statement.series * ratio**2 + rounding, "line 7", **shown)
        rest = norm(mapped - (P - Z @ P - P @ Z))
        require_at_most(rest, statement.expansion(n) * ratio**2 + rounding, "line 8", **shown)
        require_at_most(norm(Z @ P + P @ Z), statement.first_order * ratio * n + rounding, "line 20", **shown)
        start = min(statement.start(n, m) / n, 1.0)
        at_start = norm(collapse_map.agop_gram(A, Y, start * m) - P)
        require_at_most(at_start, m / 2 + rounding, "line 21", lam_k_there=start * m, **shown)
    change = rng.standard_normal((N, N))
    change = change + change.T
    D = share * m * change / norm(change)
    star = P + m * one
    A, b = star + D, np.linalg.inv(star)
    rounding = 1e-12 * (1 + n / m) ** 2 * (1 + 1 / m) * (1 + n)
    psi = np.linalg.inv(one + D @ b)
    require_at_most(norm(psi), statement.inverse(share) + 1e-9, "line 10", **shown)
    require_close(P @ b, statement.eigenvalue(m, n) * P, "line 11", atol=rounding, **shown)
    last = psi @ D if statement.order == "ΨD" else D @ psi
    exact = -np.linalg.inv(A) @ P - P @ np.linalg.inv(A)
    stated = -b @ P - P @ b + statement.sign * (b @ psi @ D @ b @ P + P @ b @ last @ b)
    require_close(exact, stated, "line 12", atol=rounding, **shown)
    kappa, T = (1 + k / (n + m)) ** -2, b @ psi @ D @ P
    require_at_most(norm(T + T.T), 2 * norm(T) * (1 + 1e-9) + rounding, "line 16", **shown)
    if statement.relation == "equal":
        require_at_most(2 * norm(T), norm(T + T.T) + rounding, "line 16, as an equality", **shown)
    term, factor = 2 * k / kappa / (m + n) * norm(T), statement.factor(n, k, m, kappa)
    require_at_most(term, factor * share * m * (1 + 1e-9) + rounding, "line 17", **shown)
    X = np.vstack([np.linalg.cholesky(A).T, np.zeros((1, N))])
    gram = X.T @ X if statement.gram == "XᵀX" else X @ X.T
    require_equal(gram.shape, star.shape, "line 19: the shapes of the Gram matrix and A*", **shown)
    require_close(norm(gram - star), share * m, "line 19: ε_A", atol=rounding * (1 + norm(A)), **shown)
