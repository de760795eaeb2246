r"""The AGOP of a linear predictor, and the index ranges of the AGOP's definition (agop, equation (1) and Section 5.1).

For $f(x) = β^\top x$ the paper uses $\mathrm{AGOP} = ββ^\top$. Its equation (1), as agop-v1's, reads

$$
\mathrm{AGOP}(f, X) = \frac1N \sum_{c=1}^K \sum_{i=1}^N
\frac{\partial f(x_{ci})}{\partial x}\frac{\partial f(x_{ci})}{\partial x}^\top,
$$

with $\partial f/\partial x ∈ \mathbb R^{d×K}$ the transposed Jacobian, $x_{ci}$ the i-th sample of class c,
and N = Kn samples in all. The inner sum runs over N samples of a class that has n: K·N terms over N. Each term of a
linear predictor is ββᵀ, so that the printed definition gives K·ββᵀ. With i from 1 to n it is ββᵀ, as used. (It is
also ββᵀ if the Jacobian is replaced by the gradient of output c alone and i runs over all samples.) Algorithm 1
prints the ranges right and leaves the factor 1/N out, which is Nββᵀ; Deep RFM with ReLU features, whose rows are
scaled, cannot tell. The proof of Theorem 5.3 takes the sum of n such terms to be one of them.
"""

from typing import Literal, NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_equal
from numerics.agop import kernel_agop, model_agop
from numerics.kernels import Linear


class Definition(NamedTuple):
    """AGOP as a sum over classes c = 1…K and samples i = 1…last, over ``divisor``."""

    last: Literal["n", "N", "K", "1"]
    divisor: Literal["1", "n", "K", "N"]


claim = Claim(
    id="agop.agop-linear",
    title="The AGOP of a linear predictor; index ranges of its definition",
    source="agop, equation (1) and Section 5.1; agop-v1, Section 3.3",
    verdict="amended",
    printed=Statement(
        r"\mathrm{AGOP}(f, X) = \frac1N\sum_{c=1}^K\sum_{i=1}^N \frac{\partial f(x_{ci})}{\partial x}"
        r"\frac{\partial f(x_{ci})}{\partial x}^\top; \quad \mathrm{AGOP}(x \mapsto \beta^\top x) = \beta\beta^\top",
        Definition("N", "N"),
    ),
    amended=Statement(
        r"\mathrm{AGOP}(f, X) = \frac1N\sum_{c=1}^K\sum_{i=1}^n \frac{\partial f(x_{ci})}{\partial x}"
        r"\frac{\partial f(x_{ci})}{\partial x}^\top; \quad \mathrm{AGOP}(x \mapsto \beta^\top x) = \beta\beta^\top",
        Definition("n", "N"),
    ),
    near_misses={
        "a sum, as in Algorithm 1": Definition("n", "1"),
        "over the samples of one class": Definition("n", "n"),
        "over K": Definition("n", "K"),
    },
    counterexample_code=r"""
K, n, beta = 2, 3, 5  # classes, samples of each, and the predictor f(x) = 5x, whose gradient is 5 everywhere
N = K * n
agop = sum(beta * beta for c in range(K) for i in range(N)) / N  # the definition: i runs to N in every class c
print(f"the definition gives {agop}, and ββᵀ = {beta * beta}: a factor of K too much")
assert agop == K * beta * beta
""",
)


def evaluate(definition, jacobian, K, n):
    """The definition, term by term; ``jacobian(c, i)`` is that at the i-th sample of class c, samples repeating."""
    size = {"1": 1, "n": n, "K": K, "N": K * n}
    terms = [jacobian(c, i % n) for c in range(K) for i in range(size[definition.last])]
    total = sum((J @ J.T for J in terms[1:]), terms[0] @ terms[0].T)
    return total / size[definition.divisor]


@claim.check("derived", covers=Instances("(K, n) = (2, 1), (2, 2), (3, 2), d = 2, β symbolic"))
def test_derivatives_of_a_linear_function(statement):
    for K, n in ((2, 1), (2, 2), (3, 2)):
        x = sp.Matrix(sp.symbols("x:2"))
        beta = sp.Matrix(2, K, sp.symbols(f"b:{2 * K}"))
        jacobian = (beta.T * x).jacobian(x).T
        result = evaluate(statement, lambda c, i, J=jacobian: J, K, n)
        shares = [sp.simplify(entry / right) for entry, right in zip(result, beta * beta.T, strict=True)]
        require_equal(shares, [1] * 4, "not ββᵀ: the entries over the right ones", K=K, n=n)


@claim.check("property", covers=Instances("K, n ≤ 4, d ≤ 5, Gaussian samples, drawn at random"))
@given(st.integers(2, 4), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_jacobians_of_torch(statement, K, n, d, seed):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(K * n, d, generator=generator, dtype=torch.float64)
    layer = torch.nn.Linear(d, K, bias=False, dtype=torch.float64)
    beta = layer.weight.detach().T
    jacobians = torch.func.vmap(torch.func.jacrev(layer))(X).detach()
    result = evaluate(statement, lambda c, i: jacobians[c * n + i].T.numpy(), K, n)
    expected = (beta @ beta.T).numpy()
    error = np.abs(result - expected).max() / np.abs(expected).max()
    require_at_most(error, 1e-12, "not ββᵀ", K=K, n=n, d=d, relative_error=error)
    # What the library computes, for a module and for a kernel machine with β = Xᵀα, is that matrix.
    torch.testing.assert_close(model_agop(layer, X), beta @ beta.T)
    alpha = torch.randn(K * n, K, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(kernel_agop(Linear(), X, alpha), X.T @ alpha @ alpha.T @ X)
