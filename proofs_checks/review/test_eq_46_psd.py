r"""Whether the transformation by residuals is positive semidefinite (review, after equation 46).

Every block $d_jd_j^\top/\|d_j\|^2$ is, for each m ≥ K. As a whole T is symmetric only if all blocks are equal, so if
all d_j are parallel: K = m = 2. Otherwise d_1, d_2 are not parallel and $x^\top Tx = ⟨s, \sum_j P_jx_j⟩$ with
$s = \sum_j x_j$ is negative somewhere: $x_1 = d_1 + w_1$, $x_2 = w_2$ with $w_j \perp d_j$ gives
$⟨d_1 + w_1 + w_2, d_1⟩$, and $⟨w_2,d_1⟩$ can be as negative as one likes. The eigenvalues of T are those of the Gram
matrix of the $d_j/\|d_j\|$, and zeros: none is negative, for each m.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Part, Statement, require_equal, require_proved
from theory import coq, local_elasticity, verified
from theory.certificate import ShiftCertificate


class Definite(NamedTuple):
    """For which K and m ≥ K the transformation is psd as a whole, in its blocks, and has no negative eigenvalue."""

    whole: Callable[[int, int], bool]  # xᵀTx ≥ 0 and T symmetric
    blocks: Callable[[int, int], bool]
    eigenvalues: Callable[[int, int], bool]


true = Definite(lambda K, m: m == 2, lambda K, m: True, lambda K, m: True)

claim = Claim(
    id="review.eq-46.psd",
    title="The transformation by residuals is positive semidefinite by blocks only",
    source="review, Section 3.2.3, after equation 46",
    verdict="amended",
    depends_on=["review.eq-46"],
    printed=Statement(
        r"m = K \text{ is assumed so that the transformation matrix } T \text{ is positive semidefinite (read: } T "
        r"\text{ as a whole is, for } m = K \text{ and for no other } m)",
        true._replace(whole=lambda K, m: m == K),
    ),
    amended=Statement(
        r"\text{for all } m \ge K \ge 2 \text{ the blocks of } T \text{ are positive semidefinite and no eigenvalue of "
        r"} T \text{ is negative; } T \text{ as a whole is positive semidefinite if and only if } K = m = 2",
        true,
    ),
    near_misses={
        "for K = 2": true._replace(whole=lambda K, m: K == 2),
        "never": true._replace(whole=lambda K, m: False),
        "blocks for m = K": true._replace(blocks=lambda K, m: m == K),
        "eigenvalues for m = K": true._replace(eigenvalues=lambda K, m: m == K),
        "eigenvalues for K = m = 2": true._replace(eigenvalues=lambda K, m: m == 2),
    },
    counterexample_code=r"""
# K = m = 3: 3d₁ = (2, −1, −1), 3d₂ = (−1, 2, −1). With s = x₁ + x₂ + x₃, xᵀTx = Σ_j ⟨s, d_j⟩⟨x_j, d_j⟩/‖d_j‖².
d = [(2, -1, -1), (-1, 2, -1), (-1, -1, 2)]
x = [(2, -1, -1), (-6, 0, 6), (0, 0, 0)]
dot = lambda u, v: sum(a * b for a, b in zip(u, v))
s = [sum(column) for column in zip(*x)]
form = sum(dot(s, e) * dot(v, e) for v, e in zip(x, d)) / 6
print("xTx =", form)
assert form < 0
""",
)


SIZES = [(K, m) for K in range(2, 7) for m in range(K, 9)]


@claim.check("derived", covers="all")
def test_gram_matrix(statement):
    K, more = sp.symbols("K more", positive=True)
    m = K + more
    norm, product = (1 - 1 / K) ** 2 + (m - 1) / K**2, 2 * (1 - 1 / K) * (-1 / K) + (m - 2) / K**2
    # The determinant of the Gram matrix of d_i, d_j is 0 just if K(K − 2) + 2(m − K) is, a sum of two terms ≥ 0.
    require_equal(sp.expand(K**2 * (norm**2 - product**2) - K * (K - 2) - 2 * more), 0, "another determinant")
    # At x₁ = d₁, x₂ = −s(d₁ − d₂⟨d₁,d₂⟩/‖d₂‖²), the form is ‖d₁‖² − s(determinant)/‖d₂‖²: negative for large s.
    form, s = sp.symbols("form s")
    form = norm - s * (norm - product**2 / norm)
    require_equal(sp.simplify(sp.diff(form, s) * norm + norm**2 - product**2), 0, "another slope")
    # The eigenvalues of the Gram matrix of all K: 1, and m/K − 1 ≥ 0.
    require_equal(sp.simplify(norm - product), 1, "another eigenvalue")
    require_equal(sp.simplify(norm + (K - 1) * product - more / K), 0, "another eigenvalue")
    for k, dimension in SIZES:
        where = {"K": k, "m": dimension}
        require_equal(statement.whole(k, dimension), k * (k - 2) + 2 * (dimension - k) == 0, "as a whole", **where)
        require_equal(statement.blocks(k, dimension), True, "a block is d dᵀ/‖d‖²", **where)
        require_equal(statement.eigenvalues(k, dimension), dimension / k - 1 >= 0, "another spectrum", **where)


@claim.check("exact", covers=Instances("K ≤ 4, m ≤ 6, in rationals: symmetry and minors; projections; spectra"))
def test_matrices(statement):
    for K, m in filter(lambda size: max(size[0] + 2, size[1]) <= 6, SIZES):
        vectors = [[sp.Integer(int(p == j)) - sp.Rational(1, K) for p in range(m)] for j in range(K)]
        P = [sp.Matrix(d) * sp.Matrix([d]) / sum(x * x for x in d) for d in vectors]
        require_equal(statement.blocks(K, m), all(p.T == p and p * p == p for p in P), "blocks", K=K, m=m)
        T = sp.Matrix.vstack(*[sp.Matrix.hstack(*P)] * K)
        # a symmetric T of equal projections is K times the projection J/K ⊗ P
        require_equal(statement.whole(K, m), T.T == T and T * T == K * T, "as a whole", K=K, m=m)
        # nonzero spectrum of T: that of Σ_j P_j, which is symmetric
        total = sum(P[1:], P[0])
        x = sp.Symbol("x")
        shifted = (sp.eye(m) * x + total).det(method="berkowitz")
        signs = ShiftCertificate.of("det(x I + Σ P) ≥ 0", shifted, {x: 0}, strict=False)
        require_equal(statement.eigenvalues(K, m), signs.verify(), "a negative eigenvalue", K=K, m=m)


@claim.check("kernel", covers=Part("that det(xI + Σ_j P_j) ≥ 0 for all x ≥ 0, for the sizes of the exact check"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_matrices(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check("property", covers=Instances("K ≤ 6, m ≤ 9, by eigenvalues in floats, 50 drawn"))
@given(st.sampled_from([(2, 2), (3, 3), (2, 3), *SIZES]))
def test_eigenvalues(statement, size):
    K, m = size
    T = local_elasticity.transformation(K, m)
    lowest = np.linalg.eigvalsh((T + T.T) / 2)[0]
    require_equal(statement.whole(K, m), bool(lowest > -1e-9), "as a whole", K=K, m=m)
    blocks = [np.linalg.eigvalsh(T[:m, j * m : j * m + m])[0] for j in range(K)]
    require_equal(statement.blocks(K, m), min(blocks) > -1e-9, "blocks", K=K, m=m)
    real = np.linalg.eigvals(T).real.min()  # the kernel is perturbed by rounding to a power ½ at most
    require_equal(statement.eigenvalues(K, m), bool(real > -1e-6), "a negative eigenvalue", K=K, m=m)
