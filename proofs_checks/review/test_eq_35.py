r"""The slope of the cross-entropy in a classifier: pull of its own features, push of all others (review, equation 35).

$\ell_{CE}$ is the sum over samples: the printed slope has no 1/N. On one sample f of class j the loss is
$\log\sum_le^{\langle a_l,f\rangle}-\langle a_j,f\rangle$, with the slope $(p_k(f)-\delta_{jk})f$ in $a_k$; the samples
of class k sum to the pull, all others to the push. So it holds, for every K, m and all class sizes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import layer_peeled


class Slope(NamedTuple):
    """The coefficients of a feature in the slope in a_k, of the share p of class k on it and the number of samples."""

    pull: Callable[[Any, int], Any]  # a sample of class k
    push: Callable[[Any, int], Any]  # of another class


claim = Claim(
    id="review.eq-35",
    title="The slope in a classifier is a pull of its own features and a push of all others",
    source="review, equation 35",
    verdict="holds",
    printed=Statement(
        r"\frac{\partial\ell_{CE}}{\partial a_k} = \sum_{i \le n_k} f_{k,i}\left(p_k(f_{k,i}) - 1\right) + "
        r"\sum_{k' \ne k}\sum_{j \le n_{k'}} f_{k',j}\,p_k(f_{k',j}),\ p_k(f) = e^{\langle a_k, f\rangle}/\sum_l "
        r"e^{\langle a_l, f\rangle} \text{, with } \ell_{CE} \text{ the sum over samples; the first term is the pull, "
        r"the second the push}",
        Slope(lambda p, N: p - 1, lambda p, N: p),
    ),
    near_misses={
        "the sign of the pull": Slope(lambda p, N: 1 - p, lambda p, N: p),
        "the mean over samples": Slope(lambda p, N: (p - 1) / N, lambda p, N: p / N),
        "no share in the pull": Slope(lambda p, N: -1, lambda p, N: p),
        "the sign of the push": Slope(lambda p, N: p - 1, lambda p, N: -p),
    },
)


@claim.check("derived", covers="all")
def test_one_sample(statement):
    # In the direction of a_k a sample f sees the output z = ⟨a_k, f⟩, and all other exponentials as one number R.
    z, R, own = sp.symbols("z R own", positive=True)
    p = sp.exp(z) / (sp.exp(z) + R)
    for N in (1, 3):
        own_loss, other_loss = sp.log(sp.exp(z) + R) - z, sp.log(sp.exp(z) + R) - own
        pull = sp.simplify(sp.diff(own_loss, z) - statement.pull(p, N))
        push = sp.simplify(sp.diff(other_loss, z) - statement.push(p, N))
        require_equal((pull, push), (0, 0), "another slope", N=N)


@claim.check("exact", covers=Instances("K = 3, m = 2, class sizes (1, 2, 1), (2, 0, 3), A/log 2 integer"))
def test_derivative_of_the_sum(statement):
    a = sp.Matrix(3, 2, sp.symbols("a0:6", real=True))
    at = dict(zip(a, [sp.log(2) * x for x in (1, 0, -1, 2, 0, 1)], strict=True))
    for sizes in ((1, 2, 1), (2, 0, 3)):
        labels = [k for k, size in enumerate(sizes) for _ in range(size)]
        columns = [sp.Matrix([(3 * i + 1) % 4 - 1, (i * i) % 3]) for i in range(len(labels))]
        outputs = [a * f for f in columns]
        total = sum(sp.log(sum(map(sp.exp, h))) - h[label] for h, label in zip(outputs, labels, strict=True))
        shares = [[sp.exp(h[k]).subs(at) / sum(sp.exp(x).subs(at) for x in h) for k in range(3)] for h in outputs]
        for k in range(3):
            parts = [
                f * (statement.pull if label == k else statement.push)(sp.nsimplify(sp.simplify(share[k])), len(labels))
                for f, label, share in zip(columns, labels, shares, strict=True)
            ]
            found = sp.Matrix([sp.simplify(sp.diff(total, x).subs(at)) for x in a.row(k)])
            require_equal(sp.simplify(sum(parts, sp.zeros(2, 1)) - found), sp.zeros(2, 1), "another slope", k=k)


@claim.check("property", covers=Instances("K ≤ 5, m ≤ 4, N ≤ 8, any labels, 50 drawn: complex steps"))
@given(st.integers(2, 5), st.integers(1, 4), st.integers(1, 8), st.integers(0, 9999))
def test_complex_steps(statement, K, m, N, seed):
    rng = np.random.default_rng(seed)
    A, F, labels = rng.normal(size=(K, m)), 1 + rng.normal(size=(m, N)), rng.integers(0, K, size=N)

    def total(A):
        H = A @ F
        return np.sum(np.log(np.exp(H).sum(axis=0)) - H[labels, np.arange(N)])

    P = np.exp(A @ F)
    P /= P.sum(axis=0)
    own = np.arange(K)[:, None] == labels
    pull = np.where(own, statement.pull(P, N), 0) @ F.T
    push = np.where(own, 0, statement.push(P, N)) @ F.T
    found = np.zeros((K, m))
    for k in range(K):
        for c in range(m):
            step = np.zeros((K, m), dtype=complex)
            step[k, c] = 1e-30j
            found[k, c] = total(A + step).imag / 1e-30
    require_close(pull + push, found, "another slope", atol=1e-11, K=K, m=m, N=N)
    ours = layer_peeled.pull_push(A, F, labels)
    require_close(np.array(ours), np.array([pull, push]), "other parts", atol=1e-11, K=K, m=m, N=N)
