r"""Cross-entropy without regularisation is enough to reach collapse (review, Section 3.1.1, after Ji et al.).

The experiments are of ResNet18 and VGG13 on four data sets, by SGD with momentum 0.3 and learning rate 0.01 and without
weight decay. Seen here is the unconstrained features model: along its gradient flow, and in gradient descent with that
momentum, NC1 to NC3 fall towards 0 with the loss, like powers of its logarithm. It takes m ≥ K − 1 and a start in
general position: in fewer dimensions the limit is no simplex, and a start with all of A and F in a plane stays there,
as $F' = -A^\top G$ and $A' = -GF^\top$, and tends to a polygon (`review.eq-15.mfcq`). Trained networks are another row.
"""

from functools import cache
from typing import Annotated, NamedTuple

import numpy as np

from nct.ledger import Claim, Fixed, Instances, OneOf, Statement, require_at_most
from theory.ufm import cross_entropy


class Collapse(NamedTuple):
    """NC1, NC2 and NC3 get small, and fall, without regularisation, for such widths and starts."""

    more_than_K: Annotated[int, OneOf(-2)] = -1  # the width
    planar: Annotated[bool, OneOf(True)] = False  # a start with all coordinates but two at 0
    share: Annotated[float, Fixed] = 1.0  # of the run


claim = Claim(
    id="review.ce-flow",
    title="Cross-entropy alone reaches collapse",
    source="review, Section 3.1.1, after Ji et al.",
    verdict="observed",
    printed=Statement(
        r"\text{the implicit regularisation due to cross-entropy seems to be sufficient for converging to NC solutions}"
        r"\text{ (read: of the unconstrained features model, } m \ge K - 1 \text{, from a start in general position)}",
        Collapse(),
    ),
    ran="unconstrained features model without weight decay, n = 2, m = K − 1, A and F of normal entries: gradient flow "
    "until ‖A‖² + ‖F‖² = 10⁴, K = 3 and 4, standard deviation 1, three starts; 2,000 steps of gradient descent on the "
    "sum of the losses with momentum 0.3 and learning rate 0.2 (0.01 is printed), K = 4, standard deviation 0.3, four "
    "starts. Thresholds are ours: the largest of NC1 (tr Σ_W/tr Σ_B), NC2 and NC3 at most 0.05 at the end of a flow, "
    "at most 0.25 in the mean at the end of the descents, and half of what it was once all samples were separated, or "
    "after ten steps",
    near_misses={
        "in K − 2 dimensions": Collapse(-2),
        "from a start in a plane": Collapse(planar=True),
        "in a hundredth of the time": Collapse(share=0.01),
    },
    depends_on=["review.eq-14", "review.eq-15.mfcq"],
)


def start(K, m, planar, seed):
    rng = np.random.default_rng(seed)
    A, F = rng.normal(size=(K, m)), rng.normal(size=(m, 2 * K))
    if planar:
        A[:, 2:], F[2:] = 0, 0
    return A, F


@cache
def flow(K, m, planar, seed):
    return cross_entropy.gradient_flow(*start(K, m, planar, seed), norm2=1e4, times=20, rtol=1e-5)


@cache
def descent(K, m, planar, seed, steps):
    """Gradient descent with momentum after ten steps and at the end."""
    A, F = (0.3 * matrix for matrix in start(K, m, planar, seed))
    vA, vF, points, Y = 0 * A, 0 * F, [], np.repeat(np.eye(K), 2, axis=1)
    for step in range(steps):
        E = np.exp(A @ F - (A @ F).max(axis=0))
        G = E / E.sum(axis=0) - Y
        vA, vF = 0.3 * vA - 0.2 * G @ F.T, 0.3 * vF - 0.2 * A.T @ G
        A, F = A + vA, F + vF
        if step in (10, steps - 1):
            points.append((A, F))
    return points


def metrics(A, F):
    """NC1, NC2 of (7) with the spread of the norms, NC3 of (8)'s proportionality; features in columns."""
    K, n = len(A), F.shape[1] // len(A)
    means = F.reshape(len(F), K, n).mean(axis=2)
    M = means - means.mean(axis=1, keepdims=True)
    within = np.sum((F - np.repeat(means, n, axis=1)) ** 2) / n
    norms = np.linalg.norm(M, axis=0)
    gram = (M / norms).T @ (M / norms)
    shape = np.linalg.norm(gram / np.linalg.norm(gram) - (np.eye(K) - 1 / K) / np.sqrt(K - 1))
    alignment = np.linalg.norm(A / np.linalg.norm(A) - M.T / np.linalg.norm(M))
    return within / np.sum(M**2), shape + norms.std() / norms.mean(), alignment


def require_collapse(early, late, small, **witness):
    require_at_most(late, small, "not collapsed", **witness)
    require_at_most(late, early / 2, "it does not fall", **witness)


@claim.check("property", covers=Instances("K = 3, 4, three starts, the gradient flow"))
def test_gradient_flow(statement):
    for K, seed in ((3, 0), (4, 0), (4, 1)):
        found = flow(K, K + statement.more_than_K, statement.planar, seed)
        last = int(statement.share * 19)
        early = int(np.argmax(found.least_margin > 0))
        first, final = (max(metrics(found.A[i], found.F[i])) for i in (early, last))
        require_at_most(found.log_risk[last], -100, "the risk does not vanish", K=K, seed=seed)
        require_collapse(first, final, 0.05, K=K, seed=seed)


@claim.check("simulated", covers=Instances("K = 4, four starts, gradient descent"))
def test_gradient_descent(statement):
    steps = int(2000 * statement.share)
    ends = [descent(4, 4 + statement.more_than_K, statement.planar, seed, steps) for seed in range(4)]
    first, final = (float(np.mean([max(metrics(*run[i])) for run in ends])) for i in (0, 1))
    require_collapse(first, final, 0.25, K=4)
