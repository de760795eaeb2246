r"""A bias re-centres the ball; whether the minimisers still form a simplex ETF (review, Section 3.1.1).

Of the K minimisers $h^{(k)}$ of the cross-entropy over $B_R(b)$ it is said that the bias led to a re-centring and did
not affect the formation of a simplex ETF. With $u^{(k)} = h^{(k)} - b$, the multiplier rule says that $u^{(k)}$ is a
positive multiple of $e_k - \mathrm{softmax}(h^{(k)})$: it is in $1^\perp$, has norm R, and $a_{jk} = -u^{(k)}_j > 0$
for $j\ne k$ with

$$ a_{jk} + \log a_{jk} = b_j + t_k . $$

If b is a multiple of 1, or K = 2, the statement holds. Else it does not. Suppose the $u^{(k)}$ are a simplex ETF.
They sum to 0, and the rows of the matrix U of columns $u^{(k)}$ have, like its columns, sum 0 and norm R. Let $b_1 >
b_2$. In a third column $a_{1k} > a_{2k}$; since both rows have the same norm and sum, $a_{12} < a_{21}$, that is
$b_1 + t_2 < b_2 + t_1$, so $t_1 > t_2$. Then in a third row $a_{k1} > a_{k2}$, and the columns say $a_{21} < a_{12}$.
That is a contradiction. Subtracting the mean of the minimisers instead of b changes nothing: K points of $1^\perp$ at
equal distances that lie on a sphere about 0 have their mean at 0.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_equal
from theory.ufm import cross_entropy


class Recentred(NamedTuple):
    """For which K and b the minimisers over B_R(b), minus b, form a simplex ETF, for every R > 0."""

    etf: Callable[[int, list[Any]], bool]


claim = Claim(
    id="review.eq-12.bias",
    title="A bias that re-centres the ball of outputs",
    source="review, Section 3.1.1, after equation 12",
    verdict="amended",
    printed=Statement(
        r"\text{for every } b \in \mathbb R^K \text{ the minimisers of (12) over } B_R(b)\text{, minus } b\text{, "
        r"form a simplex ETF: the bias re-centres the ball and does not affect it}",
        Recentred(lambda K, b: True),
    ),
    amended=Statement(
        r"\text{the minimisers of (12) over } B_R(b)\text{, minus } b \text{ or minus their mean, form a simplex ETF "
        r"if and only if } K = 2 \text{ or } b \in \operatorname{span}(1)",
        Recentred(lambda K, b: K == 2 or min(b) == max(b)),
    ),
    near_misses={
        "for b in span(1) only": Recentred(lambda K, b: min(b) == max(b)),
        "up to K = 3": Recentred(lambda K, b: K <= 3 or min(b) == max(b)),
        "for b with the mean 0": Recentred(lambda K, b: K == 2 or min(b) == max(b) or sum(b) == 0),
        "for b along one e_j": Recentred(lambda K, b: K == 2 or len(b) - b.count(min(b)) <= 1),
    },
    depends_on=["review.eq-12"],
    counterexample_code=r"""
from math import exp, sqrt

# K = 3, R = 1, b = (0, 0, 2): the minimisers by projected gradient descent.
b, minimisers = (0, 0, 2), []
for k in range(3):
    u = [0.0, 0.0, 0.0]
    for _ in range(20000):
        e = [exp(x + c) for x, c in zip(u, b)]
        u = [x - (y / sum(e) - (j == k)) for j, (x, y) in enumerate(zip(u, e))]
        norm = max(1, sqrt(sum(x * x for x in u)))
        u = [x / norm for x in u]
    minimisers.append(u)
products = [sum(x * y for x, y in zip(minimisers[i], minimisers[j])) for i, j in ((0, 1), (0, 2), (1, 2))]
print("cosines", [round(p, 4) for p in products], "and not -1/2")
assert max(abs(p + 0.5) for p in products) > 0.1
""",
)

BIASES = [
    (2, [0, 0]), (2, [1, 0]), (2, [3, -3]), (3, [0, 0, 0]), (3, [2, 2, 2]), (3, [1, 0, 0]), (3, [0, 1, 1]),
    (3, [-1, 0, 1]),
    (4, [1, 1, 1, 1]), (4, [0, 0, 0, 2]), (4, [1, 1, -1, -1]), (5, [0, 0, 0, 0, 0]), (5, [0, 1, 0, 1, 0]),
]  # fmt: skip


@claim.check("exact", covers="all")
def test_rows_and_columns_of_the_same_norm(statement):
    a = sp.Symbol("a", positive=True)
    rest, b = sp.symbols("r b", positive=True)
    # The multiplier rule: with a_j = μ⁻¹ p_j and p_j ∝ exp(b_j − a_j), a_j + log a_j − b_j does not depend on j.
    rule = sp.log(sp.exp(b - a) / a) - (b - a - sp.log(a))
    require_equal(sp.simplify(rule), 0, "another rule")
    require_equal(sp.diff(a + sp.log(a), a).is_positive, True, "a does not rise with b + t")
    # Norm of a row or column with sum zero: (a + Σ rest)² + a² + Σ rest², which rises with each entry.
    require_equal(sp.diff((a + rest) ** 2 + a**2, a).is_positive, True, "the norm does not rise with each entry")
    # By these two, with a third class and b_1 > b_2, the contradiction of the docstring; else it is an ETF.
    for K, bias in [*BIASES, (3, [0, 0, 0.001]), (4, [0, 1e-9, 0, 0]), (7, [1, 1, 1, 1, 1, 1, 1.25])]:
        require_equal(statement.etf(K, bias), K == 2 or len(set(bias)) == 1, "decided otherwise", K=K, b=bias)


def form_etf(U, R, tolerance):
    K = len(U)
    target = R**2 * (K * np.eye(K) - 1) / (K - 1)
    return bool(np.abs(U.T @ U - target).max() < tolerance * R**2)


@claim.check("optimised", covers=Search("SLSQP, 13 biases with K ≤ 5 and entries to 3, R = 1"))
def test_a_constrained_optimiser(statement):
    for K, bias in BIASES:
        b, columns = np.array(bias, float), []
        for k in range(K):
            ball = {"type": "ineq", "fun": lambda u: 1 - u @ u, "jac": lambda u: -2 * u}
            found = minimize(
                lambda u, b=b, k=k: np.logaddexp.reduce(b + u) - b[k] - u[k],
                np.zeros(K),
                jac=lambda u, b=b, k=k: np.exp(b + u - np.logaddexp.reduce(b + u)) - np.eye(len(u))[k],
                constraints=ball,
                method="SLSQP",
                options={"ftol": 1e-15, "maxiter": 200},
            )
            columns.append(found.x)
        U = np.array(columns).T
        # Points are found to 1e-5; the cosines of those that are no ETF are off by more than 0.01.
        found = form_etf(U, 1.0, 1e-3)
        require_equal(found, form_etf(U - U.mean(axis=1, keepdims=True), 1.0, 1e-3), "the mean matters", b=bias)
        require_equal(statement.etf(K, bias), found, "found otherwise", K=K, b=bias)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 6, integers b from −2 to 2, or an eighth of these, R from 0.5 to 10, 50 drawn"),
)
@given(
    st.integers(2, 6).flatmap(lambda K: st.lists(st.integers(-2, 2), min_size=K, max_size=K)),
    st.sampled_from([0.5, 1.0, 4.0, 10.0]),
    st.sampled_from([1, 0.125]),
)
def test_minimisers_in_closed_form(statement, bias, R, scale):
    bias = [scale * x for x in bias]
    K, b = len(bias), np.array(bias, float)
    U = np.array([cross_entropy.ball_minimiser(K, R, k, b) - b for k in range(K)]).T
    require_equal(statement.etf(K, bias), form_etf(U, R, 1e-8), "decided otherwise", b=bias, R=R)
