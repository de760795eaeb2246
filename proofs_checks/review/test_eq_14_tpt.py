r"""The terminal phase of training and the margins of the samples (review, after equation 14).

Of the margin $q_{k,i} = a_k^\top f_{k,i} - \max_{j\ne k}a_j^\top f_{k,i}$ it is said that reaching the terminal phase
of training means $q_{k,i}\ge0$ for all k and i, "i.e." that the features can be perfectly separated. With a margin of
0 there is a tie: A = 0, F = 0 has $q_{k,i} = 0$ throughout and classifies nothing. Separation is $q_{k,i} > 0$: then
and only then is k the one class with the largest output.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import cross_entropy


class Phase(NamedTuple):
    """Samples are separated exactly if all margins, of outputs and class, satisfy a condition."""

    margin: Callable[[Any, int], Any]  # of the outputs of a sample, and its class
    separated: Callable[[Any], bool]  # of a margin


def printed_margin(h, k):
    return h[k] - max(h[j] for j in range(len(h)) if j != k)


claim = Claim(
    id="review.eq-14.tpt",
    title="The terminal phase of training is positive margins",
    source="review, Section 3.1.1, after equation 14",
    verdict="amended",
    printed=Statement(
        r"\text{reaching the terminal phase of training indicates } q_{k,i} \ge 0 \text{ for all } k, i \text{, that "
        r"is, the features can be perfectly separated}",
        Phase(printed_margin, lambda q: q >= 0),
    ),
    amended=Statement(
        r"\text{all samples are classified correctly, without ties, if and only if } q_{k,i} > 0 \text{ for all } k, i",
        Phase(printed_margin, lambda q: q > 0),
    ),
    near_misses={
        "a margin that is not 0": Phase(printed_margin, lambda q: q != 0),
        "over the mean of the other outputs": Phase(
            lambda h, k: h[k] - (sum(h) - h[k]) / (len(h) - 1), lambda q: q > 0
        ),
        "over the least of the other outputs": Phase(
            lambda h, k: h[k] - min(h[j] for j in range(len(h)) if j != k), lambda q: q > 0
        ),
        "a margin above 1": Phase(printed_margin, lambda q: q > 1),
    },
    counterexample_code=r"""
# K = 2 classes, one sample each, A = 0 and F = 0: every margin is 0, and nothing is separated.
outputs = [(0, 0), (0, 0)]
margins = [h[k] - h[1 - k] for k, h in enumerate(outputs)]
correct = [h[k] > h[1 - k] for k, h in enumerate(outputs)]
print("margins", margins, "correct", correct)
assert all(q >= 0 for q in margins) and not any(correct)
""",
)


@claim.check("exact", covers="all")
def test_every_order_of_the_outputs(statement):
    # Whether k alone has the largest output, and the sign of the margin, depend on h_k and the largest other output
    # only; and scaling the outputs changes neither. Two classes with gaps −2 to 2, and three with every order.
    for K in (2, 3):
        for h in product((-1, 0, 1, 3), repeat=K):
            for k in range(K):
                alone = [j for j in range(K) if h[j] == max(h)] == [k]
                for scale in (1, 2):
                    q = statement.margin([scale * x for x in h], k)
                    require_equal(statement.separated(q), alone, "decided otherwise", h=h, k=k, scale=scale)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 3, m ≤ 3, integer A and F, 50 drawn"))
@given(st.integers(2, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 9999))
def test_integer_classifiers(statement, K, n, m, seed):
    rng = np.random.default_rng(seed)
    for size in range(4):
        A = rng.integers(-2, 3, (K, m))
        F = np.repeat(A.T, n, axis=1) * size + rng.integers(-1, 2, (m, K * n)) * (size > 0)
        H, labels = A @ F, np.repeat(np.arange(K), n)
        q = np.array([statement.margin(h.tolist(), k) for h, k in zip(H.T, labels, strict=True)])
        correct = [sorted(h)[-2] < h[k] for h, k in zip(H.T, labels, strict=True)]
        require_close(q, cross_entropy.margins(A, F), "another margin", atol=1e-12, A=A.tolist(), F=F.tolist())
        for found, one in zip(correct, q, strict=True):
            require_equal(bool(statement.separated(one)), bool(found), "decided otherwise", A=A.tolist(), F=F.tolist())
