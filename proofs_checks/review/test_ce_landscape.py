r"""The landscape of the cross-entropy along tangents (review, Section 3.1.1, "Loss Landscape").

If (F, A) do not satisfy the NC properties or $\lVert A\rVert_F\ne\lVert F\rVert_F$, it is said, there is a tangent,
with $\operatorname{tr}(F^\top\Delta F)+\operatorname{tr}(A^\top\Delta A) = 0$, and $\delta_{\max}>0$ such that
$R_{CE}(F+\delta\Delta F, A+\delta\Delta A) < R_{CE}(F, A)$ for $0<\delta<\delta_{\max}$. The points are on a straight
line, which leaves the sphere of constant norm. The proof that is named looks at the Riemannian Hessian, that is, at
the sphere. The two differ.

* Along lines it is false for m = 1: three classes at $A = F^\top = \frac32(1,-1,0)^\top$. For m ≥ 2, or K = 2, it is
  true. But for m ≥ 2 *every* point has such a tangent, collapsed or not: where the gradient is −c(A, F) with c > 0,
  $(A(1-\delta\Omega), (1+\delta\Omega)F)$ with a skew Ω.
* On the sphere it is true exactly for m ≥ K − 1, and the collapsed points (with $\mu_G=0$) have none. For m < K − 1
  the sphere's minimum is not collapsed.

docs/landscape.md has the proof for all points and sizes.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from flint import arb, arb_mat
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from nct.ledger import Claim, Condition, Instances, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Landscape(NamedTuple):
    """Where all points but the collapsed descend along tangent lines, or on the sphere; the collapsed along lines."""

    line: Annotated[Callable[[int, int], bool], Condition]
    sphere: Annotated[Callable[[int, int], bool], Condition]
    collapsed: Callable[[int, int], bool]


def nowhere(K, m):
    return False


def plane(K, m):
    return m >= 2


true = Landscape(lambda K, m: m >= 2 or K == 2, lambda K, m: m >= K - 1, plane)

claim = Claim(
    id="review.ce-landscape",
    title="Descent along tangents from points that are not collapsed",
    source="review, Section 3.1.1, loss landscape",
    verdict="amended",
    printed=Statement(
        r"(F, A) \text{ not NC or } \lVert A\rVert_F \ne \lVert F\rVert_F \implies \exists\, (\Delta F, \Delta A)"
        r"\text{ with } \operatorname{tr}(F^\top\Delta F) + \operatorname{tr}(A^\top\Delta A) = 0,\ \delta_{\max} > 0:"
        r"\ R_{CE}(F + \delta\Delta F, A + \delta\Delta A) < R_{CE}(F, A) \text{ for } 0 < \delta < \delta_{\max}"
        r"\text{ (for every } m \text{)}",
        Landscape(lambda K, m: True, nowhere, plane),
    ),
    amended=Statement(
        r"\text{The same for } m \ge 2 \text{ or } K = 2 \text{; for } m \ge 2 \text{ at the NC points as well. On the "
        r"sphere } \lVert A\rVert_F^2 + \lVert F\rVert_F^2 = \text{const, } (F, A) \text{ not NC with } "
        r"\lVert A\rVert_F = \lVert F\rVert_F, \mu_G = 0 \text{ has a descent direction for } m \ge K - 1 \text{, and "
        r"for } m < K - 1 \text{ not always}",
        true,
    ),
    near_misses={
        "on the sphere in K − 2 dimensions": true._replace(sphere=lambda K, m: m >= K - 2),
        "on the sphere in the plane": true._replace(sphere=lambda K, m: m >= 2 or K == 2),
        "three classes on a line": true._replace(line=lambda K, m: m >= 2 or K <= 3),
        "collapsed points have no descent along lines": true._replace(collapsed=nowhere),
        "collapsed points on a line descend too": true._replace(collapsed=lambda K, m: True),
    },
    depends_on=["review.eq-15.margin"],
    counterexample_code=r"""
from math import exp, log
from random import Random

# K = 3, n = 1, m = 1: A = F = (3/2, -3/2, 0), not collapsed. The risk along random tangent lines.
point = [1.5, -1.5, 0.0] * 2

def risk(x):
    a, f = x[:3], x[3:]
    return sum(log(sum(exp((a[j] - a[k]) * f[k]) for j in range(3))) for k in range(3)) / 3

random, rises = Random(0), []
for _ in range(2000):
    d = [random.gauss(0, 1) for _ in point]
    d[:3] = [x - sum(d[:3]) / 3 for x in d[:3]]  # a shift of all rows of A changes nothing
    t = sum(x * y for x, y in zip(d, point)) / sum(x * x for x in point)
    d = [x - t * y for x, y in zip(d, point)]
    size = sum(x * x for x in d)
    rises.append((risk([x + 1e-2 * y for x, y in zip(point, d)]) - risk(point)) / (1e-4 * size))
print(f"the least of 2000 second differences: {min(rises):.5f}")
assert min(rises) > 0
""",
)


def require_landscape(statement, K, m, *, line, sphere, collapsed, **witness):
    """What is found: whether all points that are not collapsed descend, along lines and on the sphere."""
    if statement.line(K, m):
        require_equal(line, True, "no descent along a line", K=K, m=m, **witness)
    if statement.sphere(K, m):
        require_equal(sphere, True, "no descent on the sphere", K=K, m=m, **witness)
    require_equal(statement.collapsed(K, m), collapsed, "collapsed points otherwise", K=K, m=m, **witness)


@claim.check("derived", covers="all")
def test_directions_of_descent(statement):
    # The steps of docs/landscape.md with symbols, in a small size: they are identities of matrices in any.
    c = sp.Symbol("c", real=True)
    A, F = sp.Matrix(3, 2, sp.symbols("a:6")), sp.Matrix(2, 3, sp.symbols("f:6"))
    slope = -c * F  # AᵀG
    omega = sp.Matrix([[0, 1], [-1, 0]])
    norm2_A, norm2_F = (A.T * A).trace(), (F.T * F).trace()
    # (A, ΔA by a matrix from the right, ΔF, R'', the tangent condition): ⟨G, ΔA ΔF⟩ = ⟨(factor)ᵀ AᵀG, ΔF⟩.
    for factor, dF, second, condition in (
        (-omega, omega * F, -2 * c * norm2_F, 0),  # for c > 0; Ω² = −1
        (sp.eye(2), -F, 2 * c * norm2_F, norm2_A - norm2_F),  # for c < 0
    ):
        dA = A * factor
        require_equal(sp.expand(dA * F + A * dF), sp.zeros(3, 3), "the outputs change to first order")
        tangent = (A.T * dA).trace() + (F.T * dF).trace()
        require_equal(sp.expand(tangent - condition), 0, "not a tangent")
        product = 2 * ((factor.T * slope).T * dF).trace()
        require_equal(sp.expand(product - second), 0, "another second derivative")
    # Δ = (−α u wᵀ, w vᵀ) with a unit w: 2⟨G, ΔA ΔF⟩ = −2α uᵀGv, that is −2ασ, and on the sphere + c(α² + 1).
    u, v, w = sp.Matrix(sp.symbols("u:3")), sp.Matrix(sp.symbols("v:3")), sp.Matrix([0, 1])
    G = sp.Matrix(3, 3, sp.symbols("g:9"))
    product = (G.T * (-u * w.T) * (w * v.T)).trace()
    require_equal(sp.expand(product + (u.T * G * v)[0]), 0, "another second derivative")
    # At c = 0, where A = 1aᵀ, the outputs change by multiples of 1 beside terms in α, and Q does not see those.
    p = sp.Matrix([*sp.symbols("p:2"), 1 - sum(sp.symbols("p:2"))])
    require_equal(sp.expand((sp.diag(*p) - p * p.T) * sp.ones(3, 1)), sp.zeros(3, 1), "the risk sees a shift")
    for K in range(2, 7):
        for m in range(1, 7):
            skew = m * (m - 1) // 2 > 0
            # A collapsed point has full rank K − 1 and exists for m ≥ K − 1. Other critical points with c > 0 have a
            # lower rank, so that some w is orthogonal to all; then −2σ + 2c < 0 on the sphere. Below, the minimum.
            exists, spare = m >= K - 1, m > K - 2
            require_landscape(statement, K, m, line=skew or exists, sphere=exists and spare, collapsed=skew)


@claim.check(
    "enclosed",
    covers=Instances("K = 3, m = 1, A = Fᵀ = x (1, −1, 0), x = 2, 1/2 and 3/2"),
    blind_to={
        "on the sphere in the plane": "the width is 1",
        "collapsed points have no descent along lines": "the point is not collapsed",
        "collapsed points on a line descend too": "the point is not collapsed",
    },
)
def test_three_classes_on_a_line_in_balls(statement):
    for x in (2, sp.Rational(1, 2), sp.Rational(3, 2)):
        line, sphere = descent_of_three(arb(x.p) / x.q if x != 2 else arb(2))
        require_landscape(statement, 3, 1, line=line, sphere=sphere, collapsed=statement.collapsed(3, 1), x=x)


def descent_of_three(x):
    """Whether there is a descent along a line, and on the sphere, at A = Fᵀ = x (1, −1, 0), where it is critical."""
    A = F = [x, -x, arb(0)]
    P = [[(a * f).exp() / sum((b * f).exp() for b in A) for f in F] for a in A]
    G = [[(P[j][s] - int(j == s)) / 3 for s in range(3)] for j in range(3)]
    in_A = [sum(G[j][s] * F[s] for s in range(3)) for j in range(3)]
    in_F = [sum(G[j][s] * A[j] for j in range(3)) for s in range(3)]
    c = -in_A[0] / x
    for slope, value in zip(in_A + in_F, A + F, strict=True):
        require((slope + c * value).contains(0), "not critical")

    def second(d, e):
        """The second derivative in two directions."""
        dH, eH = ([[u[j] * F[s] + A[j] * u[3 + s] for s in range(3)] for j in range(3)] for u in (d, e))
        total = sum(G[j][s] * (d[j] * e[3 + s] + e[j] * d[3 + s]) for j in range(3) for s in range(3))
        for s in range(3):
            mean_d, mean_e = (sum(P[j][s] * H[j][s] for j in range(3)) for H in (dH, eH))
            total += sum(P[j][s] * (dH[j][s] - mean_d) * (eH[j][s] - mean_e) for j in range(3)) / 3
        return total

    # Tangents but the common shift of A, along which the risk is constant and which is tangent itself: orthogonal to
    # (1, 1, 1; 0) and to the point (1, −1, 0; 1, −1, 0).
    basis = [(1, 1, -2, 0, 0, 0), (1, -1, 0, -1, 1, 0), (0, 0, 0, 1, 1, 0), (0, 0, 0, 0, 0, 1)]
    gram = [[sum(d * e for d, e in zip(one, other, strict=True)) for other in basis] for one in basis]
    line = [[second(d, e) for e in basis] for d in basis]
    sphere = [[line[i][j] + c * gram[i][j] for j in range(4)] for i in range(4)]
    return descends_to_second_order(line), descends_to_second_order(sphere)


def descends_to_second_order(H):
    """False if the symmetric matrix is positive definite, by its leading minors; true if one of them is negative."""
    minors = [arb_mat([row[:size] for row in H[:size]]).det() for size in range(1, 5)]
    assert all(minor > 0 for minor in minors) or any(minor < 0 for minor in minors)
    return any(minor < 0 for minor in minors)


@cache
def critical_points():
    """Critical points on spheres, not collapsed: by symmetry, and by least squares from random starts."""
    zero = np.zeros
    points = [(zero((3, 1)), zero((1, 3))), (np.ones((3, 2)), zero((2, 6))), (np.ones((2, 1)), np.ones((1, 2)))]
    groups = np.array([[1.0], [1], [-1], [-1]])  # two and two classes on one point
    square = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    corners = np.stack([np.cos(2 * np.pi * np.arange(5) / 5), np.sin(2 * np.pi * np.arange(5) / 5)], axis=1)
    for A in (groups, square, corners):
        for m in {A.shape[1], len(A) - 1}:
            wide = np.pad(A, ((0, 0), (0, m - A.shape[1])))
            points += [(scale * wide, scale * wide.T) for scale in (0.7, 1.4)] + [(wide, -wide.T)]
    rng = np.random.default_rng(0)
    for K, n, m in ((3, 1, 2), (4, 1, 3), (3, 2, 2), (4, 1, 2)):
        for _ in range(3):

            def residual(x, K=K, n=n, m=m):
                A, F = x[: K * m].reshape(K, m), x[K * m :].reshape(m, K * n)
                dA, dF, _ = cross_entropy.gradient(A, F)
                slope = np.concatenate([dA.ravel(), dF.ravel()])
                return np.append(slope - (slope @ x) / (x @ x) * x, 1e-3 * (x @ x - 6))

            x = least_squares(residual, rng.normal(size=(K + K * n) * m), xtol=1e-15, ftol=1e-15, gtol=1e-15).x
            if np.linalg.norm(residual(x)[:-1]) < 1e-9:
                points.append((x[: K * m].reshape(K, m), x[K * m :].reshape(m, K * n)))
    return points


def is_collapsed(A, F):
    """NC with balanced norms and class means about 0, by the largest margin that only these have."""
    K, n, norm2 = len(A), F.shape[1] // len(A), float(np.sum(A**2) + np.sum(F**2))
    return norm2 > 0 and cross_entropy.margins(A, F).min() > (1 - 1e-6) * cross_entropy.largest_margin(K, n, norm2)


def descends(A, F, along):
    """Whether the direction that is found, if any, does lower the risk, by its values."""
    found = cross_entropy.tangent_descent(A, F, along)
    if found is None:
        return False
    inner = float(np.sum(A * found.dA) + np.sum(F * found.dF))
    require_at_most(abs(inner), 1e-9 + 0 * found.derivative, "not a tangent")
    start, radius = cross_entropy.risk(A, F), np.sqrt(np.sum(A**2) + np.sum(F**2))
    for delta in (1e-2, 3e-3):
        a, f = A + delta * found.dA, F + delta * found.dF
        if along == "sphere" and radius > 0:
            size = radius / np.sqrt(np.sum(a**2) + np.sum(f**2))
            a, f = a * size, f * size
        if not cross_entropy.risk(a, f) < start:
            return False
    return True


@claim.check("property", covers=Instances("about 40 critical points, K ≤ 5, m ≤ 4, by symmetry or by least squares"))
def test_critical_points(statement):
    points = [*critical_points(), (np.array([[1.5], [-1.5], [0]]), np.array([[1.5, -1.5, 0]]))]
    for A, F in points:
        K, m = A.shape
        if not is_collapsed(A, F):
            line, sphere = descends(A, F, "line"), descends(A, F, "sphere")
            require_landscape(
                statement,
                K,
                m,
                line=line,
                sphere=sphere,
                collapsed=statement.collapsed(K, m),
                A=A.tolist(),
                F=F.tolist(),
            )
    for K, n, m in ((2, 1, 1), (2, 2, 2), (3, 1, 2), (4, 1, 3), (3, 2, 4)):
        A, F = cross_entropy.largest_margin_factors(K, n, 4, m)
        require_equal(descends(A, F, "sphere"), False, "a collapsed point descends on the sphere", K=K, m=m)
        require_equal(statement.collapsed(K, m), descends(A, F, "line"), "collapsed points otherwise", K=K, m=m)
        least = cross_entropy.sphere_minimum(K, n, 4)
        require_close(cross_entropy.risk(A, F), least, "another minimum on the sphere", rtol=1e-12, K=K, m=m)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 5, m ≤ 5, n ≤ 2, unbalanced or moved collapsed points, 50 drawn"),
    blind_to={"on the sphere in the plane": "points with a slope along the sphere are drawn"},
)
@given(st.integers(2, 5), st.integers(1, 5), st.integers(1, 2), st.sampled_from(["drawn", "unbalanced", "moved"]),
       st.integers(0, 9999))  # fmt: skip
def test_other_points(statement, K, m, n, kind, seed):
    if m == 1:
        A = 1.5 * np.array([[1.0], [-1], [0]])
        require_landscape(
            statement, 3, 1, line=descends(A, A.T, "line"), sphere=False, collapsed=statement.collapsed(3, 1)
        )
    rng = np.random.default_rng(seed)
    A, F = rng.normal(size=(K, m)), rng.normal(size=(m, K * n))
    if kind != "drawn" and m >= K - 1:
        A, F = cross_entropy.largest_margin_factors(K, n, 5, m)
        direction = rng.normal(size=(m, 1))
        A, F = (A * 1.5, F) if kind == "unbalanced" else (A, F + 0.3 * direction / np.linalg.norm(direction))
    line, sphere = descends(A, F, "line"), descends(A, F, "sphere")
    require(line and sphere, "no descent", K=K, m=m, n=n, kind=kind, seed=seed)
    A, F = cross_entropy.largest_margin_factors(K, n, 3, K - 1)
    collapsed = descends(A, F, "line")
    require_landscape(statement, K, K - 1, line=line, sphere=sphere, collapsed=collapsed, seed=seed)
