r"""Does a network with m = ⌈K/2⌉ attain the m-orthoplex? (review, Section 5, an open question).

Tried in the unconstrained features model with one sample a class, regularised cross-entropy and no bias. At K = 2m
every start ends at the orthoplex. At odd K none does: the class means are then no subset of an orthoplex's vertices.
"""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import minimize

from nct.ledger import Claim, Statement, require_equal
from theory.geometry.polytopes import recognise


class Attained(NamedTuple):
    """Whether all starts end at vertices of an orthoplex, for even and for odd K with m = ⌈K/2⌉."""

    even: Literal["orthoplex", "other"]
    odd: Literal["orthoplex", "other"]


claim = Claim(
    id="review.orthoplex",
    title="The orthoplex in half as many dimensions as classes",
    source="review, Section 5 (an open question)",
    verdict="observed",
    printed=Statement(
        r"\text{whether a network attains the } m\text{-orthoplex configuration if the feature dimension is fixed to }"
        r"m = \lceil K/2 \rceil \text{ (read: it does, for every } K)",
        Attained("orthoplex", "orthoplex"),
    ),
    seen=Statement(
        r"\text{at } K = 2m \text{ every start ends at the orthoplex; at odd } K \text{ none ends at vertices of one}",
        Attained("orthoplex", "other"),
    ),
    near_misses={"for no K": Attained("other", "other"), "for odd K only": Attained("other", "orthoplex")},
    ran="regularised cross-entropy, n = 1, no bias, λ_A = λ_F = 0.02, K = 4, 5, 6 with m = 2, 3, 3, BFGS from four "
    "random starts each; the tolerance 1e-3 is ours",
)


@cache
def descents(K, m, lam=0.02, starts=4):
    """The class means where descents from random starts end."""

    def objective(x):
        A, F = x[: K * m].reshape(K, m), x[K * m :].reshape(m, K)
        Z = A @ F
        norm = np.logaddexp.reduce(Z, axis=0)
        slope = (np.exp(Z - norm) - np.eye(K)) / K
        gradient = np.concatenate([(slope @ F.T).ravel(), (A.T @ slope).ravel()]) + lam * x
        return (norm - np.diag(Z)).mean() + lam / 2 * (x @ x), gradient

    rng = np.random.default_rng(K)
    runs = [minimize(objective, 1.5 * rng.normal(size=2 * K * m), jac=True, method="BFGS") for _ in range(starts)]
    return [run.x[K * m :].reshape(m, K) for run in runs]


def on_an_orthoplex(F):
    """Whether unit multiples of the columns are equal, opposite or orthogonal, and different."""
    U = F / np.linalg.norm(F, axis=0)
    products = (U.T @ U)[np.triu_indices(F.shape[1], 1)]
    return bool(np.minimum(np.abs(products), np.abs(products + 1)).max() < 1e-3)


@claim.check("simulated")
def test_inner_products(statement):
    for K, m in ((4, 2), (6, 3), (5, 3)):
        found = {on_an_orthoplex(F) for F in descents(K, m)}
        expected = statement.odd if K % 2 else statement.even
        require_equal({expected == "orthoplex"}, found, "ends elsewhere", K=K, m=m)


@claim.check("optimised")
def test_recognised(statement):
    # With K = 2m all vertices are there, centred. At K = 5 one vertex would lack its opposite: the opposite of each of
    # the five in turn is added, and a full orthoplex is looked for.
    for K, m in ((4, 2), (6, 3), (5, 3)):
        expected = statement.odd if K % 2 else statement.even
        for F in descents(K, m):
            U = F / np.linalg.norm(F, axis=0)
            sets = [np.column_stack([U, -u]) for u in U.T] if K % 2 else [U]
            found = any(recognise(points, tol=1e-2).kind == "orthoplex" for points in sets)
            require_equal(expected == "orthoplex", found, "ends elsewhere", K=K, m=m)
