r"""Neural collapse follows from strong neural collapse (review, Section 3.1.2, after equation 17).

SNC2 gives NC1 and $\mu_k = a_k/\sqrt n$; SNC1 gives $\|A^\top 1\|^2 = 1^\top AA^\top 1 = 0$, so that the means are
centred, equal norms, and the cosines of a simplex ETF. Classifier and means are then proportional, NC3. NC4 the source
does not spell out where it says that the standard properties can be derived: with equal biases and equal norms,
$a_c\cdot f + b_c = \sqrt n\,(\|f\|^2 - \|f - \mu_c\|^2)/2 + \text{const}$, so that both rules agree for every f in
$\mathbb R^m$, ties included.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse


class Collapse(NamedTuple):
    """What SNC entails: means, cosines, and which rule classifies as the outputs do."""

    mean: Callable[[Any], Any]  # μ_k = mean(n) · a_k
    total: Any  # Aᵀ1, as a multiple of anything
    own: Callable[[Any], Any]  # ⟨a_k, a_k⟩ / (‖a_k‖‖a_k‖) at K
    cosine: Callable[[Any], Any]  # ⟨a_k, a_l⟩ / (‖a_k‖‖a_l‖) at K
    rule: Literal["nearest mean", "largest inner product with the mean", "nearest centred row"]


true = Collapse(
    lambda n: 1 / sp.sqrt(n),
    0,
    lambda K: K / (K - 1) - 1 / (K - 1),
    lambda K: -1 / (K - 1),
    "nearest mean",
)

claim = Claim(
    id="review.eq-17.implies-nc",
    title="Strong neural collapse implies NC1 to NC4",
    source="review, Section 3.1.2, after equation 17",
    verdict="holds",
    printed=Statement(
        r"\text{SNC1–3 imply NC1–4: } f_{k,i} = \mu_k = a_k/\sqrt n,\ A^\top 1_K = 0,\ "
        r"\frac{\langle a_k, a_l\rangle}{\|a_k\|\|a_l\|} = \frac{(AA^\top)_{kl}}{\sqrt n(1-\frac1K)} = "
        r"\bigl(\tfrac K{K-1}I - \tfrac1{K-1}J\bigr)_{kl},\ A \propto M;\ \text{the outputs and the nearest class mean "
        r"(read: of any f) choose the same class}",
        true,
    ),
    near_misses={
        "means equal to rows": true._replace(mean=lambda n: sp.Integer(1)),
        "cosines −1/K": true._replace(cosine=lambda K: -1 / K),
        "orthogonal": true._replace(cosine=lambda K: 0 * K),
        "rows of A of sum 1": true._replace(total=1),
        "nearest row of A": true._replace(rule="nearest centred row"),
    },
    depends_on=["review.eq-17"],
)

NCC_ONLY = {"nearest row of A": "the rule is the subject of the property check"}


@claim.check("derived", covers="all")
def test_words(statement):
    # Words in A, F = AᵀY/√n, with AAᵀ = √n(I − uuᵀ/K), u the ones, YYᵀ = nI.
    A, At, Y, Yt, u, ut = sp.symbols("A At Y Yt u ut", commutative=False)
    K, n = sp.symbols("K n", positive=True)
    rules = {A * At: sp.sqrt(n) * (1 - u * ut / K), Y * Yt: n, ut * u: K}
    total = strong_collapse.reduced(ut * A * At * u, rules)  # ‖Aᵀ1‖²
    require_equal(total, statement.total, "another sum of the rows")
    means = strong_collapse.reduced(At * Y * Yt / sp.sqrt(n) / n, rules)  # F Yᵀ/n
    require_equal(sp.simplify(means - statement.mean(n) * At), 0, "other means")
    gram = strong_collapse.reduced(A * At, rules) / sp.sqrt(n)
    diagonal, off = 1 - 1 / K, -1 / K  # of I − J/K
    require_equal(sp.expand(gram - (1 - u * ut / K)), 0, "another Gram matrix")
    require_equal(sp.simplify(off / diagonal - statement.cosine(K)), 0, "another cosine")
    require_equal(sp.simplify(diagonal / diagonal - statement.own(K)), 0, "another norm")
    # NC4: with μ_c = a_c/√n of one squared norm s and biases β, a_c·f + β = √n(‖f‖² + s − ‖f − μ_c‖²)/2 + β
    a, f, s, beta = sp.symbols("a f s beta", real=True)  # along the line of μ_c; the rest of f cancels
    if statement.rule == "nearest mean":
        scale = statement.mean(n)
        gap = a * f + beta - sp.sqrt(n) * (f**2 + (scale * a) ** 2 - (f - scale * a) ** 2) / 2 - beta
    else:
        gap = a * f + beta - sp.sqrt(n) * (f**2 + a**2 - (f - a) ** 2) / 2 - beta
    require_equal(sp.simplify(gap), 0, "another rule", rule=statement.rule, s=s)


def rational_point(K, c):
    """A = c(I − J/K) and F = (A ⊗ 1)ᵀ/c² have SNC1 and SNC2 for n = c⁴; one sample of each class is shown."""
    A = [[c * (Fraction(j == k) - Fraction(1, K)) for j in range(K)] for k in range(K)]
    return A, [[x / c**2 for x in row] for row in A]


def dot(x, y):
    return sum(p * q for p, q in zip(x, y, strict=True))


@claim.check("exact", covers=Instances("n = c⁴, c ≤ 3, K ≤ 6"), blind_to=NCC_ONLY)
def test_rational_points(statement):
    for K in range(2, 7):
        for c in (1, 2, 3):
            A, means = rational_point(K, c)
            where = {"K": K, "n": c**4}
            for row, mean in zip(A, means, strict=True):
                factor = sp.Rational(statement.mean(sp.Integer(c**4)))
                scaled = [Fraction(int(factor.p), int(factor.q)) * x for x in row]
                require_equal(mean, scaled, "other means", **where)
            require_equal(
                sum(map(sum, zip(*A, strict=True))), Fraction(int(statement.total)), "rows do not sum", **where
            )
            for k in range(K):
                cosine = dot(A[0], A[k]) / dot(A[0], A[0])  # all rows have one norm
                value = sp.Rational((statement.cosine if k else statement.own)(sp.Integer(K)))
                require_equal(cosine, Fraction(int(value.p), int(value.q)), "another cosine", k=k, **where)


#: Near misses about other parts than the rule.
OTHERS = dict.fromkeys(("cosines −1/K", "orthogonal", "rows of A of sum 1"), "about which class is chosen")


@claim.check("property", covers=Instances("K ≤ 6, c ≤ 3, n = c⁴, integer f with ties, 50 drawn"), blind_to=OTHERS)
@given(st.integers(2, 6), st.integers(2, 3), st.lists(st.integers(-4, 4), min_size=6, max_size=6))
def test_chosen_classes(statement, K, c, f):
    A, means = rational_point(K, c)
    f = f[:K]
    scale = sp.Rational(statement.mean(sp.Integer(c**4)))
    centres = [[Fraction(int(scale.p), int(scale.q)) * x for x in row] for row in A]
    require_equal(centres, means, "other means", K=K)
    outputs = [dot(row, f) + Fraction(1, K) for row in A]
    chosen = {k for k in range(K) if outputs[k] == max(outputs)}
    at = means if statement.rule == "nearest mean" else [[x + (k == 0) for x in row] for k, row in enumerate(A)]
    distances = [dot(g, g) for g in ([x - y for x, y in zip(f, mean, strict=True)] for mean in at)]
    nearest = {k for k in range(K) if distances[k] == min(distances)}
    require_equal(chosen, nearest, "another class", K=K, c=c, f=f)


@claim.check("property", covers=Instances("K ≤ 6, n ≤ 9, m ≤ K + 3, 50 random rotations"), blind_to=NCC_ONLY)
@given(st.integers(2, 6), st.integers(2, 9), st.integers(-1, 3), st.integers(0, 2**32 - 1))
def test_cosines_of_rotated_points(statement, K, n, extra, seed):
    A, F, _ = strong_collapse.snc_point(K, n, K + extra)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(K + extra, K + extra)))[0]
    A, F = A @ turn, turn.T @ F
    means = F.reshape(-1, K, n).mean(axis=2).T
    require_close(means, float(statement.mean(sp.Integer(n))) * A, "other means", atol=1e-12)
    require_close(A.sum(axis=0), np.full(K + extra, float(statement.total)), "sum of rows", atol=1e-12)
    unit = A / np.linalg.norm(A, axis=1, keepdims=True)
    own, cosine = (float(x(sp.Integer(K))) for x in (statement.own, statement.cosine))
    expected = np.full((K, K), cosine) + (own - cosine) * np.eye(K)
    require_close(unit @ unit.T, expected, "other cosines", atol=1e-12)
