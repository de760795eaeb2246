r"""Left singular vectors do not change the trace ratio of NC1 (agop, Section 6; agop-v1, Section 4).

For $W = U S V^\top$, with hats for the features $W X$ and none for $S V^\top X$,

$$
\frac{\operatorname{tr}\hatΣ_W}{\operatorname{tr}\hatΣ_B}
= \frac{\operatorname{tr}(U Σ_W U^\top)}{\operatorname{tr}(U Σ_B U^\top)}
= \frac{\operatorname{tr}Σ_W}{\operatorname{tr}Σ_B},
$$

since $U^\top U = I$, in the full and in the thin decomposition. More than that, ‖Wx‖ = ‖SVᵀx‖ for every x.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close
from numerics.metrics import class_statistics, nc1


class TwoMaps(NamedTuple):
    """Two linear maps made of a decomposition, said to give features of equal NC1; ReLU or nothing after both."""

    first: Callable = lambda U, S, Vt: U @ S @ Vt
    second: Callable = lambda U, S, Vt: S @ Vt
    relu: bool = False


claim = Claim(
    id="agop.svd-invariance",
    title="NC1 does not see left singular vectors",
    source="agop, Section 6; agop-v1, Section 4",
    verdict="holds",
    printed=Statement(
        r"\operatorname{tr}(\hat\Sigma_W)\operatorname{tr}(\hat\Sigma_B)^{-1} = \operatorname{tr}(U\Sigma_W U^\top)"
        r"\operatorname{tr}(U\Sigma_B U^\top)^{-1} = \operatorname{tr}(\Sigma_W)\operatorname{tr}(\Sigma_B)^{-1},"
        r"\quad W = USV^\top, \; \Sigma \text{ of } SV^\top X, \; \hat\Sigma \text{ of } WX",
        TwoMaps(),
    ),
    near_misses={
        "singular values left out too": TwoMaps(second=lambda U, S, Vt: Vt),
        "right singular vectors left out": TwoMaps(second=lambda U, S, Vt: U @ S),
        "a left factor that is not orthogonal": TwoMaps(first=lambda U, S, Vt: (U + S) @ S @ Vt),
        "after the ReLU": TwoMaps(relu=True),
    },
    true_edits={"first: U @ S → S": "the statement itself: U does not matter"},
)


@claim.check(
    "derived",
    covers=Instances("2 × 2, all rotations and singular values"),
    blind_to={"after the ReLU": "a quadratic form of the data says nothing about what is not linear in them"},
)
def test_equal_quadratic_forms(statement):
    # tr(AΣAᵀ)/tr(AΣ'Aᵀ) is a function of AᵀA alone, and of that only up to scale; for 2 × 2 rotations and scales.
    t, u = sp.symbols("t u", real=True)
    S = sp.diag(*sp.symbols("s1 s2", positive=True))
    first, second = (
        A.T @ A
        for A in (
            form(sp.rot_axis3(t)[:2, :2], S, sp.rot_axis3(u)[:2, :2]) for form in (statement.first, statement.second)
        )
    )
    for i, j in ((0, 1), (1, 1)):
        minor = sp.simplify(first[0, 0] * second[i, j] - first[i, j] * second[0, 0])
        require(minor == 0, "the quadratic forms are not proportional", entry=(i, j), minor=minor)


@claim.check("property", covers=Instances("2–5 classes, matrices up to 6 × 6, full and thin, drawn at random"))
@given(st.integers(2, 5), st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**32 - 1), st.booleans())
def test_nc1_of_random_data(statement, K, rows, columns, seed, full):
    # U has as many columns as S rows; both decompositions, wide and tall.
    generator = np.random.default_rng(seed)
    W, X = generator.normal(size=(rows, columns)), generator.normal(size=(columns, 5 * K))
    U, s, Vt = np.linalg.svd(W, full_matrices=full)
    S = np.zeros((U.shape[1], Vt.shape[0]))
    np.fill_diagonal(S, s)
    y = torch.arange(5 * K) % K
    values = []
    for form in (statement.first, statement.second):
        try:
            features = torch.as_tensor(form(U, S, Vt) @ X).T
        except ValueError:
            return  # factors of these shapes do not fit together
        features = torch.relu(features) if statement.relu else features
        values.append(float(nc1(class_statistics(features, y, K))))
    # Ratios of sums of squares, in which nothing cancels but the class means; 1e-9 leaves room for means that nearly
    # do.
    require_close(values[0], values[1], "NC1 differs", rtol=1e-9, K=K, shape=W.shape)
    if not statement.relu:  # the member between: covariances of S Vᵀ X, turned by U
        features = statement.second(U, S, Vt) @ X
        means = np.stack([features[:, y.numpy() == c].mean(axis=1) for c in range(K)], axis=1)
        spread, centred = features - means[:, y.numpy()], means - means.mean(axis=1, keepdims=True)
        if U.shape[1] == len(features):
            within, between = U @ (spread @ spread.T) @ U.T / (5 * K), U @ (centred @ centred.T) @ U.T / K
            ratio = float(np.trace(within) / np.trace(between))
            require_close(ratio, values[0], "tr(U Σ_W Uᵀ)/tr(U Σ_B Uᵀ) differs", rtol=1e-9, K=K, shape=W.shape)
