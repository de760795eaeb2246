r"""A linear kernel collapses the data in one layer (agop, Section 5.1; agop-v1, Section 5.3).

Let $f(x) = \beta^\top x$ interpolate one-hot labels, $\beta^\top X = Y$; ridgeless regression with the linear
kernel finds it whenever X has full column rank ($\lambda_k = 0$). The AGOP of f is
$M = \beta\beta^\top$, and

$$
M X = \beta Y, \qquad (M^{1/2}X)^\top(M^{1/2}X) = X^\top M X = Y^\top Y.
$$

So samples of one class coincide after M, and after $M^{1/2}$, which is what Deep RFM applies, the class means are in
addition orthonormal. Without interpolation (λ_k > 0, or an X
of less than full column rank that no predictor interpolates) neither is exact. Of it the text says that NC occurs in a
single layer when λ_map is large against λ_k; how near it comes is in agop.thm-5.3.
"""

from typing import NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory import labels
from theory.deep_rfm import collapse_map


class OneStep(NamedTuple):
    """The layer: λ_k, the power of M that is applied, whether X may lack full column rank, the Gram matrix it makes."""

    lam_k: int = 0
    power: str = "M^(1/2)"
    any_rank: bool = False
    scale: int = 1


claim = Claim(
    id="agop.linear-one-step",
    title="A linear kernel collapses the data in one layer",
    source="agop, Section 5.1; agop-v1, Section 5.3",
    verdict="holds",
    printed=Statement(
        r"\beta^\top X = Y \;\Rightarrow\; \mathrm{AGOP}(x \mapsto \beta^\top x) = \beta\beta^\top, \quad "
        r"\beta\beta^\top X = \beta Y, \quad X^\top\beta\beta^\top X = Y^\top Y",
        OneStep(),
    ),
    near_misses={
        "kernel with λ_k = 1": OneStep(lam_k=1),
        "orthonormal class means after M itself": OneStep(power="M"),
        "without interpolation": OneStep(any_rank=True),
        "twice the collapsed Gram matrix": OneStep(scale=2),
    },
)


def transpose(matrix):
    return matrix.transpose()


def layer(statement, X, Y, one, inverse):
    """(β, the Gram matrix of the mapped data), for matrices of any kind that has @ or *."""
    gram = transpose(X) * X
    beta = X * inverse(gram + one * statement.lam_k) * transpose(Y)
    agop = beta * transpose(beta)
    mapped = transpose(X) * agop * X if statement.power == "M^(1/2)" else transpose(agop * X) * (agop * X)
    return beta, mapped


@claim.check("derived", covers="all", blind_to={"without interpolation": "the inverse is formal"})
def test_in_the_free_algebra(statement):
    # g is the inverse of G = XᵀX + λ_k, so XᵀX g = 1 − λ_k g = g XᵀX. With p = Yᵀ Y:
    # Xᵀ M X = XᵀX g p g XᵀX for M = X g p g Xᵀ; after M itself another factor stands in the middle.
    p, g = sp.symbols("p g", commutative=False)
    through = 1 - statement.lam_k * g
    mapped = through * p * through
    if statement.power == "M":
        mapped = through * p * g * through * p * through  # Xᵀ M M X, with Xᵀ X between the two
    difference = sp.expand(mapped - statement.scale * p)
    require_equal(difference, 0, "the Gram matrix is not YᵀY")
    # The AGOP: the gradient of the c-th output is the c-th column of β, at every sample; their mean outer product is
    # ββᵀ.
    beta = sp.Matrix(2, 2, sp.symbols("b:4"))
    x = sp.Matrix(sp.symbols("x:2"))
    gradients = (beta.T * x).jacobian(x).T
    require(gradients * gradients.T == beta * beta.T, "the AGOP is not ββᵀ")


@claim.check("exact", covers=Instances("up to 2 classes of up to 2 samples, integer data, drawn at random"))
@given(
    st.lists(st.integers(1, 2), min_size=1, max_size=2),
    st.integers(0, 2),
    st.lists(st.integers(-2, 2), min_size=24, max_size=24),
)
def test_rational_data(statement, sizes, more, entries):
    N = sum(sizes)
    d = N + more if not statement.any_rank else max(1, N - 1)
    X = fmpq_mat(d, N, [fmpq(entry) for entry in entries[: d * N]])
    Y = fmpq_mat(len(sizes), N, [fmpq(int(entry)) for entry in labels.one_hot(sizes).ravel()])
    gram = transpose(X) * X
    if not statement.any_rank:
        assume(gram.det() != 0)
    one = fmpq_mat(N, N, [fmpq(i == j) for i in range(N) for j in range(N)])
    beta, mapped = layer(statement, X, Y, one, inverse_or_refute)
    shown = {"X": X.tolist(), "sizes": sizes}
    require_equal(mapped, transpose(Y) * Y * fmpq(statement.scale), "the Gram matrix is not YᵀY", **shown)
    require_equal(beta * transpose(beta) * X, beta * Y, "M X is not β Y", **shown)


def inverse_or_refute(matrix):
    """The inverse; for a singular matrix that of the least-squares problem, the inverse on its range."""
    if matrix.det() != 0:
        return matrix.inv()
    inverse = sp.Matrix([[sp.Rational(int(e.p), int(e.q)) for e in row] for row in matrix.table()]).pinv()
    return fmpq_mat(matrix.nrows(), matrix.ncols(), [fmpq(int(e.p), int(e.q)) for e in inverse])


@claim.check(
    "property",
    covers=Instances("up to 4 classes of up to 4 samples, Gaussian data, drawn at random"),
    blind_to={"orthonormal class means after M itself": "the library maps by the square root"},
)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_least_squares_and_the_library(statement, sizes, more, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    d = N + more if not statement.any_rank else max(1, N // 2)
    X = np.random.default_rng(seed).standard_normal((d, N))
    condition = np.linalg.cond(X)
    assume(condition < 1e3)
    beta = np.linalg.lstsq(X.T, Y.T)[0]
    tolerance = 1e-13 * condition**2 * N
    require(
        np.abs(beta.T @ X - Y).max() < tolerance, "the least-squares predictor does not interpolate", sizes=sizes, d=d
    )
    mapped = X.T @ beta @ beta.T @ X
    require_close(mapped, statement.scale * Y.T @ Y, "the Gram matrix is not YᵀY", atol=tolerance, sizes=sizes)
    library = collapse_map.agop_gram(X.T @ X, Y, statement.lam_k)
    require(
        np.abs(library - mapped).max() < tolerance, "collapse_map.agop_gram differs", sizes=sizes, lam_k=statement.lam_k
    )
