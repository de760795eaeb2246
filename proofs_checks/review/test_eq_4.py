r"""NC1 sees the variability within the span of the centred means only (review, equation 4).

$\frac1K\operatorname{tr}(\Sigma_W\Sigma_B^\dagger)$ is a sum of squares: with $\Sigma_B^\dagger = TT^\top$ it is
$\frac1{K\cdot Kn}\sum\lVert T^\top(f_{k,i}-\mu_k)\rVert^2$, and the kernel of $T^\top$ is that of Σ_B. So it is 0 if
and only if every $f_{k,i}-\mu_k$ is orthogonal to all $\mu_j-\mu_G$: features may vary as they like in the other
directions. That is collapse exactly if the range of Σ_W lies in that of Σ_B, in particular if Σ_B has full rank m, for
which $K\ge m+1$ classes are needed.
"""

from typing import Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal
from theory.ufm.strong_collapse import reduced


class ZeroSet(NamedTuple):
    """Which part of the deviations from the class means vanishes exactly where NC1 = 0."""

    part: Literal["all", "along the centred means", "along the means", "along the mean of the means"]

    def vanishes(self, F, K):
        """Of rational features, n a class in order, one a column."""
        n = F.shape[1] // K
        means = sp.Matrix.hstack(*(F[:, k * n : (k + 1) * n] * sp.ones(n, 1) / n for k in range(K)))
        centre = means * sp.ones(K, 1) / K
        deviations = F - sp.Matrix.hstack(*(means[:, k] for k in range(K) for _ in range(n)))
        along = {
            "all": sp.eye(F.shape[0]),
            "along the centred means": means - centre * sp.ones(1, K),
            "along the means": means,
            "along the mean of the means": centre,
        }[self.part]
        return (along.T * deviations).is_zero_matrix


claim = Claim(
    id="review.eq-4",
    title="Where the metric NC1 is zero",
    source="review, equation 4",
    verdict="amended",
    printed=Statement(
        r"\mathcal{NC}1 = \tfrac1K \operatorname{tr}(\Sigma_W \Sigma_B^\dagger) = 0 \iff f_{k,i} = \mu_k"
        r"\text{ for all } k, i \text{ (read: it measures the collapse of the features to their class means)}",
        ZeroSet("all"),
    ),
    amended=Statement(
        r"\mathcal{NC}1 = 0 \iff \langle f_{k,i} - \mu_k, \mu_j - \mu_G\rangle = 0 \text{ for all } i, j, k",
        ZeroSet("along the centred means"),
    ),
    near_misses={
        "along the means, not centred": ZeroSet("along the means"),
        "along the mean of the means": ZeroSet("along the mean of the means"),
    },
    counterexample_code=r"""
# K = 2 in the plane: the means are (1, 0) and (-1, 0), the features vary in the second direction only.
classes = [[(1, 1), (1, -1)], [(-1, 1), (-1, -1)]]
# Sigma_B = diag(1, 0) is its own pseudo-inverse, and Sigma_W = diag(0, 1).
sigma_w = [sum((f[d] - (1, -1)[k] * (d == 0)) ** 2 for k in (0, 1) for f in classes[k]) / 4 for d in (0, 1)]
nc1 = (sigma_w[0] * 1 + sigma_w[1] * 0) / 2
print("Sigma_W = diag", sigma_w, "NC1 =", nc1)
assert nc1 == 0 and sigma_w[1] == 1
""",
)


def nc1_vanishes(F, K):
    """From the definition, with SymPy's pseudo-inverse of a rational matrix."""
    n = F.shape[1] // K
    columns = [F[:, i] for i in range(K * n)]
    means = [sum(columns[k * n : (k + 1) * n], sp.zeros(F.shape[0], 1)) / n for k in range(K)]
    centre = sum(means, sp.zeros(F.shape[0], 1)) / K
    within = sp.zeros(F.shape[0])
    for i, f in enumerate(columns):
        within += (f - means[i // n]) * (f - means[i // n]).T / (K * n)
    between = sum(((m - centre) * (m - centre).T for m in means), sp.zeros(F.shape[0])) / K
    return (within * between.pinv()).trace() / K == 0


INSTANCES = [
    (2, [[1, 1, -1, -1], [1, -1, 1, -1]]),
    (2, [[1, 1, -1, -1], [0, 0, 0, 0]]),
    (2, [[2, 1, -1, -2], [0, 0, 0, 0]]),
    (2, [[2, 2, 0, 0], [4, 2, 3, 3]]),
    (2, [[0, 0, 0, 0], [1, -1, 2, -2]]),
    (2, [[1, 1, -1, -1], [1, 1, 3, 3], [5, 7, 1, 2]]),
    (2, [[1, 1, -1, -1], [1, 1, 3, 3], [5, 7, 4, 8]]),
    (3, [[1, 1, 0, 0, -1, -1], [0, 0, 1, 1, -1, -1], [1, 2, 1, 0, 3, 2]]),
    (3, [[1, 1, 0, 0, -1, -1], [1, 0, 1, 1, -1, -1]]),
]


@claim.check("exact", covers="all")
def test_a_sum_of_squares(statement):
    # S = CCᵀ = KΣ_B with the centred means C, P = SS⁺ = S⁺S. A summand of NC1 is dᵀS⁺d = ‖CᵀS⁺d‖² up to a factor, and
    # Cᵀ = CᵀP, as ‖Cᵀ(1 − P)‖² has the trace of (1 − P)S(1 − P). So Cᵀd = 0 gives S⁺d = S⁺S⁺C Cᵀd = 0 and NC1 = 0;
    # NC1 = 0 gives CᵀS⁺d = 0, then Pd = C CᵀS⁺d = 0 and Cᵀd = CᵀPd = 0.
    C, Ct, I, d, dt = sp.symbols("C Ct I d dt", commutative=False)  # I for S⁺
    S = C * Ct
    penrose = {S * I * S: S, I * S * I: I}
    require_equal(reduced(dt * I * S * I * d, penrose), dt * I * d, "no square")
    require_equal(reduced((1 - S * I) * S * (1 - I * S), penrose), 0, "the means leave the range of Σ_B")
    require_equal(reduced(I * S * I * S, penrose), I * S, "no projection")
    for K, rows in INSTANCES:
        F = sp.Matrix(rows)
        require_equal(statement.vanishes(F, K), nc1_vanishes(F, K), "another zero set", K=K, features=rows)


@claim.check("property", covers=Instances("2 or 3 classes of two samples in 2 or 3 dimensions, integers, 50 drawn"))
@given(st.integers(2, 3), st.integers(2, 3), st.integers(0, 2**32 - 1))
def test_integer_features(statement, K, m, seed):
    generator = np.random.default_rng(seed)
    free = generator.integers(0, 2, m)  # directions in which the samples differ
    means = generator.integers(-2, 3, (m, K)) * (1 - free[:, None] * generator.integers(0, 2)) + 1
    spread = generator.integers(-2, 3, (m, K)) * free[:, None]
    F = np.stack([means + spread, means - spread], axis=2).reshape(m, 2 * K)
    centred = means - means.mean(axis=1, keepdims=True)
    between = centred @ centred.T / K
    found = abs(np.trace(spread @ spread.T / K @ np.linalg.pinv(between, rcond=1e-12))) / K < 1e-12
    require_equal(statement.vanishes(sp.Matrix(F.tolist()), K), bool(found), "another zero set", K=K, m=m, F=F.tolist())
