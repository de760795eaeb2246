r"""Low-rank metrics and singular kernel matrices (agop-v1, Section 5.4).

"Even a low-rank M does not naturally produce singular k, since k always has 1's on the diagonal", for
$k_{ij} = \phi(\lVert x_i-x_j\rVert_M)$, where the paper's kernels are the Laplace and the Gaussian one. Read: a kernel
matrix with ones on its diagonal is non-singular, whatever the rank of M, for distinct samples.

*As read it is false:* ones on the diagonal do not keep a matrix from being singular. M = diag(1, 0) does not see the
difference of (0, 0) and (0, 1), so that k is 11ᵀ. *Amended:* for M ⪰ 0 of any rank, k is non-singular if and only
if $x_i-x_j\notin\ker M$ for all $i\ne j$. *Proof.* k is the matrix of a strictly positive definite function of
Euclidean space (both are Fourier transforms of positive densities) at the points $M^{1/2}x_i$: distinct points make it
positive definite, two equal points make two equal rows. For M of rank 1 and the Laplace kernel, with the points
$t_1\le\dots\le t_N$ on the line, the determinant is $\prod_i(1-e^{-2(t_{i+1}-t_i)})$.

So a low-rank M gives a non-singular k for almost all samples; yet a singular one for those that the theorem's
collapsed kernel asks for.
"""

import itertools
from collections.abc import Callable
from typing import Annotated, NamedTuple

import flint
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Fixed, Instances, Part, Statement, require, require_close, require_equal
from theory.deep_rfm.mahalanobis import mahalanobis_kernel


class Kernels(NamedTuple):
    """When k is said to be non-singular, from the squared distances in M of the pairs of samples; and the kernels."""

    nonsingular: Callable = lambda squares: min(squares) > 0
    exponents: Annotated[tuple, Fixed] = (1, 2)  # exp(−t^p): Laplace and Gaussian


AMENDED = Kernels()
claim = Claim(
    id="agop-v1.singular-k",
    title="Low-rank metrics and singular kernel matrices",
    source="agop-v1, Section 5.4",
    verdict="amended",
    printed=Statement(
        r"k_{ij} = \phi(\|x_i-x_j\|_M) \text{ is non-singular for distinct samples, } M \text{ of low rank or not,}"
        r" \text{ since } k_{ii} = 1",
        Kernels(nonsingular=lambda squares: True),
    ),
    amended=Statement(
        r"\phi(t) = e^{-t} \text{ or } e^{-t^2},\; M \succeq 0: \quad \det k \ne 0 \iff "
        r"x_i - x_j \notin \ker M \text{ for all } i \ne j",
        AMENDED,
    ),
    near_misses={
        "one pair apart is enough": Kernels(nonsingular=lambda squares: max(squares) > 0),
        "singular for every low-rank M": Kernels(nonsingular=lambda squares: False),
        "distances of one at least": Kernels(nonsingular=lambda squares: min(squares) >= 1),
    },
    counterexample_code=r"""
from math import exp, sqrt

X, M = [(0, 0), (0, 1)], [[1, 0], [0, 0]]  # two different samples, a metric of rank one

def k(x, y, phi=lambda t: exp(-t)):
    v = [a - b for a, b in zip(x, y)]
    return phi(sqrt(sum(v[i] * M[i][j] * v[j] for i in range(2) for j in range(2))))

matrix = [[k(x, y) for y in X] for x in X]
print(f"the kernel matrix is {matrix}")
assert matrix == [[1, 1], [1, 1]]  # ones on the diagonal, and singular
""",
)


@claim.check("derived", covers=Part("the Laplace kernel, M of rank 1, 2–5 samples"))
def test_determinant_on_the_line(statement):
    for N in range(2, 6):
        gaps = sp.symbols(f"q1:{N}", positive=True)  # e^(−gap), 1 for equal points, below 1 for others
        k = sp.Matrix(N, N, lambda i, j, gaps=gaps: sp.prod(gaps[min(i, j) : max(i, j)]))
        determinant = sp.factor(k.det(method="berkowitz"))
        require(sp.expand(determinant - sp.prod([1 - q**2 for q in gaps])) == 0, "another determinant", N=N)
        for choice in itertools.product((sp.Integer(1), sp.Rational(9, 10), sp.Rational(1, 7)), repeat=N - 1):
            steps = [-sp.log(q) for q in choice]
            squares = [sum(steps[i:j]) ** 2 for i in range(N) for j in range(i + 1, N)]
            nonzero = determinant.subs(dict(zip(gaps, choice, strict=True))) != 0
            require_equal(bool(statement.nonsingular(squares)), bool(nonzero), "singular or not", q=choice)


def integer_samples(N):
    """Distinct samples in the square grid, of which the first coordinate alone, or all of it, is seen by M."""
    return itertools.combinations(itertools.product((0, 1, 2), (0, 1)), N)


@claim.check("enclosed", covers=Instances("2 and 3 samples of a grid of six, M = diag(1, 0), diag(1/4, 0), 11ᵀ and I"))
def test_enclosed_determinants(statement):
    metrics = (((1, 0), (0, 0)), ((0.25, 0), (0, 0)), ((1, 1), (1, 1)), ((1, 0), (0, 1)))
    for N, M, p in itertools.product((2, 3), metrics, statement.exponents):
        for samples in integer_samples(N):
            square = {
                (i, j): (np.subtract(samples[i], samples[j]) @ np.array(M) @ np.subtract(samples[i], samples[j])).item()
                for i, j in itertools.product(range(N), repeat=2)
            }
            k = flint.arb_mat([[(-(flint.arb(square[i, j]).sqrt() ** p)).exp() for j in range(N)] for i in range(N)])
            squares = [square[i, j] for i in range(N) for j in range(i)]
            equal_rows = any(square[i, j] == 0 for i in range(N) for j in range(i))  # then the determinant is zero
            require(equal_rows or k.det() > 0, "the enclosure does not tell", samples=samples, M=M, p=p)
            require_equal(
                bool(statement.nonsingular(squares)), not equal_rows, "singular or not", samples=samples, M=M, p=p
            )


@claim.check("property", covers=Instances("2–6 samples in up to 4 dimensions, M of every rank, drawn at random"))
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 4), st.sampled_from([1, 2]), st.integers(0, 2**32 - 1))
def test_random_metrics(statement, N, d, rank, p, seed):
    rng = np.random.default_rng(seed)
    B, X = rng.integers(-2, 3, (min(rank, d), d)) / 2, rng.integers(-1, 2, (d, N)).astype(float)
    X = np.unique(X, axis=1)  # distinct samples
    if X.shape[1] < 2:
        return
    M = B.T @ B
    k = mahalanobis_kernel(X, M, lambda distance: np.exp(-(distance**p)))
    require_close(np.diag(k), np.ones(len(k)), "the diagonal is not one", atol=1e-14)
    mapped = B @ X
    squares = [float(np.sum((mapped[:, i] - mapped[:, j]) ** 2)) for i in range(X.shape[1]) for j in range(i)]
    # Different points are half a unit apart at least (six of them on a line: the least eigenvalue is 0.007, for
    # the Gaussian); the distances of equal ones are zero up to the root of the rounding, 1e-8.
    least = float(np.linalg.eigvalsh(k)[0])
    require_equal(bool(statement.nonsingular(squares)), least > 1e-5, "singular or not", X=X, M=M, p=p, least=least)
