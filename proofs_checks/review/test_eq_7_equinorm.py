r"""The metric NC2 normalises every row, and yet sees unequal norms (review, equation 7).

M has the rows $u_k = (\mu_k-\mu_G)/r_k$, $r_k = \lVert\mu_k-\mu_G\rVert > 0$. If the metric is 0, $MM^\top$ is a
multiple of $I-\frac1KJ$, whose kernel is span(1): the relations $\sum_kc_ku_k=0$ are the multiples of $\sum_ku_k=0$.
Since $\mu_G$ is the mean of the class means, $\sum_kr_ku_k = 0$ is one, and all $r_k$ are equal. With the mean over the
samples of unequal classes for $\mu_G$ it is $\sum_kn_kr_ku_k = 0$ instead, and the norms are in the ratio of $1/n_k$.
"""

from typing import Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Norms(NamedTuple):
    """Where NC2 = 0: the norm of the centred mean of a class of size n is a multiple of a power of n."""

    exponent: float
    centre: Literal["classes", "samples"]  # over what μ_G is a mean

    def norm(self, n):
        return n**self.exponent

    def weight(self, n):
        return n if self.centre == "samples" else n**0


claim = Claim(
    id="review.eq-7.equinorm",
    title="NC2 = 0 implies equal norms of the centred means",
    source="review, equation 7 and the definition of NC2",
    verdict="holds",
    printed=Statement(
        r"\mathcal{NC}2 = 0 \Rightarrow \|\mu_k - \mu_G\| = \|\mu_{k'} - \mu_G\| \text{ for all } k, k'"
        r"\text{ (read: } \mu_G = \tfrac1K \textstyle\sum_k \mu_k \text{ and no } \mu_k \text{ is } \mu_G)",
        Norms(0, "classes"),
    ),
    near_misses={
        "about the mean of all samples of unequal classes": Norms(0, "samples"),
        "norms in the ratio of 1/n": Norms(-1, "classes"),
        "norms in the ratio of √n": Norms(0.5, "classes"),
    },
)


@claim.check("derived", covers="all")
def test_the_kernel_of_the_gram_matrix(statement):
    # (I − J/K) c = c − mean(c) 1: it is 0 if and only if all c_k are equal. For c_k = w_k r_k, w_k the weight in μ_G.
    n, m = sp.symbols("n m", positive=True)
    ratio = statement.weight(n) * statement.norm(n) / (statement.weight(m) * statement.norm(m))
    require_equal(sp.simplify(ratio), 1, "the weighted norms are no multiple of 1", n=n, m=m)
    require_equal(sp.simplify(statement.norm(n) / statement.norm(m)), 1, "norms are not equal", n=n, m=m)
    for K in range(2, 7):
        kernel = (sp.eye(K) - sp.ones(K) / K).nullspace()
        require_equal([list(v / v[0]) for v in kernel], [[1] * K], "a larger kernel", K=K)


@claim.check("property", covers=Instances("2 ≤ K ≤ 8, sizes to 9, 50 drawn"))
@given(st.lists(st.integers(1, 9), min_size=2, max_size=8), st.integers(0, 2**32 - 1))
def test_means_from_their_directions(statement, sizes, seed):
    K, n = len(sizes), np.array(sizes, float)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(K, K)))[0]
    u = rotation @ (np.eye(K) - 1 / K) / np.sqrt(1 - 1 / K)
    r = statement.norm(n)
    centred = u * r
    weights = statement.weight(n)
    # They are the centred means of a set of means exactly if their weighted mean is 0.
    found = centred @ (weights / weights.sum())
    require_close(found, np.zeros(K), "not centred", atol=1e-12, sizes=sizes)
    require_close(np.linalg.norm(centred, axis=0), np.full(K, r[0]), "other norms", rtol=1e-12, sizes=sizes)
