r"""Full-rank maps and the within-class variability (agop-v1, Section 1).

"If W is a full rank matrix, then the common metric of within-class variability for X and WX are equal": the ground on
which the paper says that a linear layer can reduce variability by small singular directions only. Which metric is left
open; in use are $\operatorname{tr}\Sigma_W/\operatorname{tr}\Sigma_B$, the one that the paper measures, and
$\operatorname{tr}(\Sigma_W\Sigma_B^+)$. Read: the second, since any W that is no multiple of an isometry changes the
first; every shape of W.

*As printed it is false* of both, for a square and invertible W already: with fewer classes than dimensions plus one,
$\Sigma_B$ is singular, and a shear moves variability from its kernel into its range. *Amended:* for W injective on the
range of $\Sigma_B$, if the range of $\Sigma_W$ is within that of $\Sigma_B$.

*Proof.* Let Q be an orthonormal basis of that range, $\Sigma_B = QBQ^\top$ and $\Sigma_W = QSQ^\top$ with B invertible.
$P = WQ$ has full column rank, so that $(PBP^\top)^+ = P^{+\top}B^{-1}P^+$, whence
$\operatorname{tr}(PSP^\top P^{+\top}B^{-1}P^+) = \operatorname{tr}(SB^{-1})$. *The condition is needed* if it is to
hold for every W: for a unit vector u of the kernel of $\Sigma_B$ with $u^\top\Sigma_Wu = s > 0$ and v of its range, the
shear $I+t\,vu^\top$ leaves $\Sigma_B$ and changes the metric by
$2t\,v^\top\Sigma_B^+\Sigma_Wu + t^2s\,v^\top\Sigma_B^+v$, which grows with t.
"""

import itertools
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require, require_close, require_equal
from numerics.metrics import class_statistics, nc1_pinv


class Invariance(NamedTuple):
    """A metric of Σ_W and Σ_B, said to be the same for X and WX when both conditions hold.

    Ranks and pseudo-inverses are handed in: of rational matrices, or of floats.
    """

    metric: Callable = lambda pinv, within, between: (within @ pinv(between)).trace()
    keeps: Annotated[Callable, Condition] = lambda rank, W, between: rank(W @ between) == rank(between)
    inside: Annotated[Callable, Condition] = lambda rank, within, between: rank(within + between) == rank(between)

    def applies(self, rank, W, within, between):
        return bool(self.keeps(rank, W, between) and self.inside(rank, within, between))


def always(rank, within, between):
    return True


AMENDED = Invariance()
claim = Claim(
    id="agop-v1.full-rank-metric",
    title="Full-rank maps and the within-class variability",
    source="agop-v1, Section 1",
    verdict="amended",
    printed=Statement(
        r"\operatorname{tr}(\hat\Sigma_W\hat\Sigma_B^+) = \operatorname{tr}(\Sigma_W\Sigma_B^+)"
        r" \text{ for the features } WX \text{ and } X, \text{ if } W \text{ has full rank}",
        Invariance(keeps=lambda rank, W, between: rank(W) == min(W.shape), inside=always),
    ),
    amended=Statement(
        r"\operatorname{tr}(\hat\Sigma_W\hat\Sigma_B^+) = \operatorname{tr}(\Sigma_W\Sigma_B^+)"
        r" \text{ if } \operatorname{rank}W\Sigma_B = \operatorname{rank}\Sigma_B"
        r" \text{ and } \operatorname{range}\Sigma_W \subseteq \operatorname{range}\Sigma_B",
        AMENDED,
    ),
    near_misses={
        "invertible, and no more": AMENDED._replace(
            keeps=lambda rank, W, between: rank(W) == W.shape[0] == W.shape[1], inside=always
        ),
        "full rank in place of injective": AMENDED._replace(keeps=lambda rank, W, between: rank(W) == min(W.shape)),
        "ratio of traces": AMENDED._replace(metric=lambda pinv, within, between: within.trace() / between.trace()),
        "no pseudo-inverse": AMENDED._replace(metric=lambda pinv, within, between: (within @ between).trace()),
    },
    counterexample_code=r"""
# Two classes of two samples in the plane, an invertible W. tr(Σ_W Σ_B⁺) is Σ_W[0][0]/Σ_B[0][0], as the class means
# (−1, 0) and (1, 0) are on the first axis, where W leaves them.
classes = [[(-1, -1), (-1, 1)], [(1, -1), (1, 1)]]
W = [[1, 1], [0, 1]]

def metric(classes):
    means = [[sum(x[i] for x in xs) / 2 for i in range(2)] for xs in classes]
    assert means == [[-1, 0], [1, 0]]
    within = sum((x[0] - m[0]) ** 2 for xs, m in zip(classes, means) for x in xs) / 4
    return within / (sum(m[0] ** 2 for m in means) / 2)

mapped = [[tuple(sum(W[i][j] * x[j] for j in range(2)) for i in range(2)) for x in xs] for xs in classes]
print(f"the metric is {metric(classes)} of X and {metric(mapped)} of WX")
assert metric(classes) == 0 and metric(mapped) == 1
""",
)


def reduce_products(expression, rules):
    """Expand and cancel neighbouring factors until nothing changes."""
    while (reduced := sp.expand(expression.subs(rules))) != expression:
        expression = reduced
    return expression


@claim.check("derived", covers="all")
def test_factors_on_the_range(statement):
    # P = WQ, L = P⁺ with L P = 1 and P L symmetric: the Penrose equations of Lᵀ B⁻¹ L for P B Pᵀ, in words of letters
    # that do not commute; the trace is that of its cyclic rearrangement.
    P, L, B, Bi, S, Q = sp.symbols("P L B Bi S Q", commutative=False)
    Pt, Lt, Qt = sp.symbols("Pt Lt Qt", commutative=False)
    one = {L * P: 1, Pt * Lt: 1, B * Bi: 1, Bi * B: 1, Lt * Pt: P * L, Qt * Q: 1}
    A, X = P * B * Pt, Lt * Bi * L
    require(reduce_products(A * X - P * L, one) == 0, "A A⁺ is not the orthogonal projection P L")
    require(reduce_products(A * X * A - A, one) == 0, "A A⁺ A is not A")
    require(reduce_products(Lt * Bi * L * P * L - X, one) == 0, "A⁺ A A⁺ is not A⁺")
    word = reduce_products(P * S * Pt * X, one)
    require(word == P * S * Bi * L, "another word", word=word)
    # tr(P S B⁻¹ L) = tr(S B⁻¹ L P) = tr(S B⁻¹), the value for W = 1. And the statement's metric is that function: the
    # same on the range, in coordinates, for general S and B of order 2.
    b, s = sp.symbols("b1:4"), sp.symbols("s1:4")
    between, within = sp.Matrix([[b[0], b[1]], [b[1], b[2]]]), sp.Matrix([[s[0], s[1]], [s[1], s[2]]])
    metric = statement.metric(lambda M: M.inv(), within, between)
    determinant = b[0] * b[2] - b[1] ** 2
    stated = (s[0] * b[2] - 2 * s[1] * b[1] + s[2] * b[0]) / determinant
    require(sp.simplify(metric - stated) == 0, "another function on the range", metric=metric)
    # Beyond the range: Σ_B = diag(b, 0), a shear, and the two coordinates, of which one loses the means.
    t, beyond, along = sp.symbols("t s q", positive=True)
    between = sp.diag(1, 0)
    for W, (q, size) in itertools.product(
        (sp.Matrix([[1, t], [0, 1]]), sp.Matrix([[1, 0]]), sp.Matrix([[0, 1]])), ((0, 0), (along, beyond))
    ):
        within = sp.Matrix([[1 + q**2, q], [q, size]])
        if statement.applies(sp.Matrix.rank, W, within, between):
            change = (W * within * W.T)[0, 0] - within[0, 0] if W[0] == 1 else -within[0, 0]
            require(sp.simplify(change) == 0, "the metric changes", W=W.tolist(), within=within.tolist(), change=change)


def covariances(X, K):
    """Σ_W and Σ_B of integer samples in columns, class after class."""
    n = X.shape[1] // K
    means = [sum((X[:, c * n + i] for i in range(n)), sp.zeros(X.shape[0], 1)) / n for c in range(K)]
    centre = sum(means, sp.zeros(X.shape[0], 1)) / K
    spread = [X[:, c * n + i] - means[c] for c in range(K) for i in range(n)]
    within = sum((v * v.T for v in spread), sp.zeros(X.shape[0])) / len(spread)
    between = sum(((m - centre) * (m - centre).T for m in means), sp.zeros(X.shape[0])) / K
    return within, between


PLANE = (  # number of classes, samples: within the line of the means, beyond it, and means that span the plane
    (2, [[0, 2, 3, 7], [0, 0, 0, 0]]),
    (2, [[0, 1, 2, 4], [0, 2, 4, 8]]),
    (2, [[-1, -1, 1, 1], [-1, 1, -1, 1]]),
    (3, [[0, 1, 2, 5, 0, 1], [0, 1, 0, 1, 3, 5]]),
)


@claim.check("exact", covers=Instances("four data sets in the plane, W up to 2 × 2 with entries −1, 0, 1; one 3 × 2"))
def test_small_integer_maps(statement):
    def pinv(M):
        return M.pinv()

    def rank(M):
        return M.rank()

    entries = (-1, 0, 1)
    maps = [sp.Matrix([row]) for row in itertools.product(entries, repeat=2)]
    maps += [sp.Matrix(2, 2, four) for four in itertools.product(entries, repeat=4)]
    maps += [sp.Matrix([[1, 0], [1, 1], [2, -1]])]
    for (K, X), W in itertools.product(PLANE, maps):
        X = sp.Matrix(X)
        within, between = covariances(X, K)
        if not statement.applies(rank, W, within, between):
            continue
        mapped = covariances(W * X, K)
        if mapped[1].is_zero_matrix:
            require(statement.metric(pinv, within, between) == 0, "the metric is lost: equal means", W=W, X=X)
            continue
        before, after = (statement.metric(pinv, *pair) for pair in ((within, between), mapped))
        require_equal(before, after, "the metric changes", W=W.tolist(), X=X.tolist())


@claim.check("property", covers=Instances("2–4 classes, up to 4 dimensions, W of up to 5 rows, drawn at random"))
@given(st.integers(2, 4), st.integers(1, 4), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_metric_of_random_features(statement, K, d, rows, on_the_means, seed):
    rng = np.random.default_rng(seed)
    means, noise = rng.standard_normal((d, K)), rng.standard_normal((d, 6 * K))
    if on_the_means:  # noise within the span of the centred means
        noise = (means - means.mean(axis=1, keepdims=True)) @ rng.standard_normal((K, 6 * K))
    noise -= noise.reshape(d, K, 6).mean(axis=2).repeat(6, axis=1)
    X, W = means.repeat(6, axis=1) + noise, rng.standard_normal((rows, d))
    y = torch.arange(K).repeat_interleave(6)
    pairs = []
    for features in (X, W @ X):
        centred = features - features.mean(axis=1, keepdims=True)
        between = centred.reshape(len(features), K, 6).mean(axis=2)
        spread = centred - between.repeat(6, axis=1)
        pairs.append((spread @ spread.T / (6 * K), between @ between.T / K))

    def pinv(M):
        return np.linalg.pinv(M, rcond=1e-10)

    def rank(M):
        return np.linalg.matrix_rank(M, tol=1e-10 * np.linalg.norm(M, 2))

    conditions = [np.linalg.cond(W @ np.linalg.svd(means - means.mean(axis=1, keepdims=True))[0]), np.linalg.cond(W)]
    if max(conditions) > 1e3 or not statement.applies(rank, W, *pairs[0]):
        return
    before, after = (float(statement.metric(pinv, *pair)) for pair in pairs)
    # the pseudo-inverses lose the square of the condition of W and of the means, 1e6 and mostly below 1e4
    require_close(before, after, "the metric changes", rtol=1e-5, shape=W.shape, K=K, seed=seed)
    library = float(nc1_pinv(class_statistics(torch.as_tensor(W @ X).T, y, K, scatter=True))) * K
    require_close(after, library, "not the metric in use", rtol=1e-5, shape=W.shape, K=K, seed=seed)
