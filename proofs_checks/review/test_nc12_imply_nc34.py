r"""Collapse onto a simplex ETF implies NC3 and NC4 for least-squares classifiers (review, footnote 6).

The footnote names no assumption on A and b; with a free classifier the statement is empty of content: A = 0 is a
counterexample. Let $\mu_k = \mu_G+\alpha u_k$ with an ETF $u_k$, n samples each at the means, and A, b of least
squares with b free, $\lambda\ge0$ on A (for λ = 0 the least A). Then $A = \frac1K\sum_k(e_k-\frac1K1)\alpha u_k^\top
S^{-1}$ on the span of the $u_k$, where $S = \frac1K\alpha^2\sum_ku_ku_k^\top+\lambda I$ is a multiple of I: so $a_k =
cu_k$, c > 0, and $b = \frac1K1-A\mu_G$. For every f the largest of $c\langle u_k,f-\mu_G\rangle+\frac1K$ belongs to
the nearest mean, as all $\lVert\mu_k-\mu_G\rVert$ are equal. With b = 0 this is so if μ_G = 0, but not in general.
"""

from typing import Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.geometry.decision_regions import nearest_mean_agrees
from theory.geometry.simplex_etf import etf
from theory.ridge import least_squares_classifier


class Implied(NamedTuple):
    """For which classifiers at collapsed features the rows are multiples of the centred means, and NC4 holds."""

    classifier: Literal["any", "least squares", "no bias", "free bias or centred"]

    def applies(self, fitted, bias, centred):
        return {
            "any": True,
            "least squares": fitted,
            "no bias": fitted and not bias,
            "free bias or centred": fitted and (bias or centred),
        }[self.classifier]


claim = Claim(
    id="review.nc12-imply-nc34",
    title="NC1 and NC2 imply NC3 and NC4",
    source="review, footnote 6",
    verdict="amended",
    printed=Statement(r"\mathcal{NC}1, \mathcal{NC}2 \implies \mathcal{NC}3, \mathcal{NC}4", Implied("any")),
    amended=Statement(
        r"\text{the same, for all points } f\text{, if } (A, b) \text{ are a least-squares fit to the balanced labels "
        r"with } \lambda \ge 0 \text{ on } A \text{ (for } \lambda = 0 \text{ of all fits one with the least } \|A\|_F"
        r"\text{), and } "
        r"b \text{ is free or } \mu_G = 0",
        Implied("free bias or centred"),
    ),
    near_misses={
        "for every least-squares classifier": Implied("least squares"),
        "for every one without a bias": Implied("no bias"),
    },
    depends_on=["review.eq-7.equinorm", "review.eq-8"],
    counterexample_code=r"""
# K = 2, one dimension, means 2 and 1, least squares without a bias: A = (2, 1)/5, always the first class for f > 0.
means = (2, 1)
A = [mean / sum(x * x for x in means) for mean in means]
f = 1.2
classified, nearest = max((0, 1), key=lambda k: A[k] * f), min((0, 1), key=lambda k: abs(f - means[k]))
print("A =", A, "at f =", f, "class", classified, "and the nearest mean", nearest)
assert classified != nearest and A[0] != -A[1]
""",
)


def unfitted():
    """Pairs A, b for the means 1 and −1 that are no least-squares fit: none, reversed, one sided, shifted."""
    return [([[0], [0]], [0, 0]), ([[-1], [1]], [0, 0]), ([[1], [0]], [0, 0]), ([[1], [-1]], [1, 0])]


@claim.check("derived", covers="all")
def test_normal_equations(statement):
    # Features μ_G + αU, U an ETF: 1ᵀUᵀ = 0 and UᵀU = K/(K−1) (I − J/K) =: xI + yJ, so UᵀUUᵀ = x Uᵀ. With A = c Uᵀ the
    # slope in A is [(α²cx − α)/K + λc] Uᵀ: from AαU + (Aμ_G + b)1ᵀ − I with b = 1/K − Aμ_G, or from AαU − I.
    K, a = sp.symbols("K a", positive=True)
    g, lam = sp.symbols("g lambda", nonnegative=True)
    x, y = K / (K - 1), -1 / (K - 1)
    require_equal([sp.simplify(x + y - 1), sp.simplify(x + K * y)], [0, 0], "no ETF")
    c = (a / K) / (a**2 / (K - 1) + lam)
    require_equal(sp.simplify((a**2 * c * x - a) / K + lam * c), 0, "not a critical point")
    require_equal(c.subs(K, K + 1).simplify().is_positive, True, "not positive")
    # NC4: ‖f − μ_k‖² less the score times 2α/c does not depend on k.
    product, square = sp.symbols("product square", real=True)  # ⟨u_k, f − μ_G⟩ and ‖f − μ_G‖²
    distance, score = square - 2 * a * product + a**2, c * product + 1 / K
    require_equal(sp.simplify((distance + 2 * a / c * score).diff(product)), 0, "not the nearest mean")
    # Two classes on a line, means g ± a: the solutions themselves, which for b = 0, g > 0 are not dual.
    A, b = sp.Matrix(sp.symbols("A1:3")), sp.Matrix(sp.symbols("b1:3"))
    F, one = sp.Matrix([[g + a, g - a]]), sp.ones(1, 2)
    for bias in (True, False):
        for centred in (True, False):
            offset = b if bias else sp.zeros(2, 1)
            loss = ((A * F + offset * one - sp.eye(2)).applyfunc(lambda x: x**2)).applyfunc(sp.expand)
            objective = sum(loss) / 4 + lam / 2 * A.dot(A)
            unknown = [*A, *(b if bias else [])]
            found = sp.solve([objective.diff(x) for x in unknown], unknown, dict=True)[0]
            rows = A.subs(found).subs(g, 0 if centred else g)
            dual = sp.simplify(rows[0] + rows[1]) == 0
            if bias:
                require_equal(sp.simplify(rows[0] - c.subs(K, 2)), 0, "another factor")
            require_equal(statement.applies(True, bias, centred), bool(dual), "other rows", bias=bias, centred=centred)
    # Any classifier, where no fit is asked for: at the means 1 and −1 some do not agree with the nearest mean.
    for bias in (True, False):
        agree = all(bool(nearest_mean_agrees(A, b, [[1, -1]])) for A, b in unfitted())
        require_equal(statement.applies(False, bias, True), agree, "a classifier that is no fit", bias=bias)


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, K − 1 to K + 1 dimensions, λ = 0 or 0.3, 50 drawn"))
@given(
    st.integers(2, 5), st.integers(0, 2), st.sampled_from([0, 0.3]), st.booleans(), st.booleans(), st.integers(0, 99)
)
def test_fitted_classifiers(statement, K, more, lam, bias, centred, seed):
    generator = np.random.default_rng(seed)
    d = K - 1 + more
    rotation = np.linalg.qr(generator.normal(size=(d, d)))[0]
    u = rotation @ etf(K, d)
    means = 2 * u + (0 if centred else 1) * (generator.uniform(0.5, 1, d) @ np.ones((d, 1)) + u[:, :1])
    F, Y = np.repeat(means, 2, axis=1), np.repeat(np.eye(K), 2, axis=1)
    A, b = least_squares_classifier(F, Y, bias=bias, ridge=lam)
    if statement.applies(True, bias, centred):
        require_close(A / np.linalg.norm(A), u.T / np.linalg.norm(u), "not dual", atol=1e-9, K=K, bias=bias)
        points = 3 * generator.normal(size=(d, 40)) + means.mean(axis=1, keepdims=True)
        said = (A @ points + b[:, None]).argmax(axis=0)
        nearest = ((points[:, None] - means[:, :, None]) ** 2).sum(axis=0).argmin(axis=0)
        require_equal(said, nearest, "not the nearest mean", K=K, bias=bias)
    if statement.applies(False, bias, centred):
        A, b = generator.normal(size=(K, d)), generator.normal(size=K)
        require_close(A / np.linalg.norm(A), u.T / np.linalg.norm(u), "not dual", atol=1e-9, K=K)
        require_equal(bool(nearest_mean_agrees(A, b, means)), True, "not the nearest mean", K=K)
