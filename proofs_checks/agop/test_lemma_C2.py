r"""The inverse of the collapsed Gram matrix (agop, Lemma C.2; agop-v1, Lemma A.2).

$$
A^* = Y^\top Y + \lambda_\mathrm{map} I, \qquad
(A^*)^{-1} = \lambda_\mathrm{map}^{-1} I - \lambda_\mathrm{map}^{-1}(\lambda_\mathrm{map}+n)^{-1} Y^\top Y.
$$

Here n is the number of samples of each class, as in the papers' notation sections, for K ≥ 1 classes of one size and
λ_map > 0 (λ_map = 0, which the text admits elsewhere, leaves A* singular unless n = 1). The proof's matrix U of
eigenvectors is given n rows, and the theorem that uses the lemma calls the number of all samples n too: with that
reading the formula is false for K ≥ 2. For classes of unequal size no single n will do, and the inverse is
$\lambda_\mathrm{map}^{-1}(I - Y^\top \operatorname{diag}(\lambda_\mathrm{map}+n_c)^{-1} Y)$, which
`theory.deep_rfm.collapse_map.collapsed_gram_inverse` computes.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    require_at_most,
    require_disproved,
    require_equal,
    require_proved,
)
from theory import coq, labels
from theory.deep_rfm import collapse_map


class Inverse(NamedTuple):
    """a I − b YᵀY: the coefficients as functions of (λ_map, the class sizes), and whether the sizes may differ."""

    of_identity: Callable
    of_gram: Callable
    unequal: bool = False


def each(sizes):
    assert len(set(sizes)) == 1
    return sizes[-1]


claim = Claim(
    id="agop.lemma-C2",
    title="Inverse of the collapsed Gram matrix",
    source="agop, Lemma C.2; agop-v1, Lemma A.2",
    verdict="holds",
    printed=Statement(
        r"(Y^\top Y + \lambda_{\mathrm{map}} I)^{-1} = \lambda_{\mathrm{map}}^{-1} I"
        r" - \lambda_{\mathrm{map}}^{-1}(\lambda_{\mathrm{map}} + n)^{-1} Y^\top Y, \quad "
        r"Y = I_K \otimes 1_n^\top",
        Inverse(lambda lam, sizes: 1 / lam, lambda lam, sizes: 1 / (lam * (lam + each(sizes)))),
        formulas={
            r"\lambda_{\mathrm{map}}^{-1}": lambda inverse, lam_map: inverse.of_identity(lam_map, (2, 2)),
            r"\lambda_{\mathrm{map}}^{-1}(\lambda_{\mathrm{map}} + n)^{-1}": (
                lambda inverse, lam_map, n=(1, 2, 5): inverse.of_gram(lam_map, (n, n))
            ),
        },
    ),
    near_misses={
        "n the number of all samples": Inverse(
            lambda lam, sizes: 1 / lam, lambda lam, sizes: 1 / (lam * (lam + sum(sizes)))
        ),
        "classes of unequal size, n their mean": Inverse(
            lambda lam, sizes: 1 / lam, lambda lam, sizes: 1 / (lam * (lam + sum(sizes) / len(sizes))), unequal=True
        ),
        "one factor 1/λ short": Inverse(lambda lam, sizes: 1 / lam, lambda lam, sizes: 1 / (lam + each(sizes))),
        "the sign of the second term": Inverse(
            lambda lam, sizes: 1 / lam, lambda lam, sizes: -1 / (lam * (lam + each(sizes)))
        ),
    },
    depends_on=["agop.lemma-C1"],
    true_edits={"of_gram.each: -1 → -0": "the sizes are equal: the first is the last"},
)


@claim.check("derived", covers="all")
def test_from_the_woodbury_formula(statement):
    # YᵀY is block diagonal with blocks 1 1ᵀ of n_c ones. On one block, with P = λ I and U = V = 1, Woodbury's small
    # matrix is the number 1 + n_c/λ: the inverse is I/λ − 1 1ᵀ/(λ² (1 + n_c/λ)).
    lam, n, other = sp.symbols("lambda n n_2", positive=True)
    sizes = (n, other) if statement.unequal else (n, n)
    for size in sizes:
        of_ones = 1 / (lam**2 * (1 + size / lam))
        require_equal(sp.simplify(statement.of_identity(lam, sizes) * lam), 1, "coefficient of I")
        share = sp.simplify(statement.of_gram(lam, sizes) / of_ones)
        require_equal(share, 1, "coefficient of YᵀY, over the right one", n=sizes)


INSTANCE = """\
(* The coefficients stated, for two classes of two samples and lam = 2 *)

Definition pairs_of_samples := classes_one_after_another 2 2 ltac:(lia).

Definition claimed := forall i j, (i < 4)%nat -> (j < 4)%nat ->
  product 4 (collapsed (fun i => i / 2)%nat 2 2) (combination (fun i => i / 2)%nat 2 {a} {b}) i j
  = identity i j.

Theorem {theorem}.
Proof.
  {proof}
Qed.
"""
HOLDS = """\
intros i j below_i below_j; rewrite (collapsed_times _ 2 2 4 2 _ _ i j pairs_of_samples below_i below_j).
  simpl INR; lra."""
FAILS = """\
intro claimed; destruct (no_other_coefficients (fun i => i / 2)%nat 2 2 4 2 {a} {b} 0 1) as [first second];
    try lia; try lra; try exact pairs_of_samples; [reflexivity | intros; apply claimed; lia |].
  simpl INR in *; lra."""


@claim.check(
    "kernel",
    covers=Part("that it is the inverse on both sides, for all n, K and λ_map > 0, the samples in any order"),
    refutes=["n the number of all samples", "one factor 1/λ short", "the sign of the second term"],
)
def test_inverse_by_the_kernel(statement):
    here = Path(__file__)
    theorems = [here.parents[1] / "sums.v", here.with_name("lemma_C2.v")]
    a, b = (Fraction(of(Fraction(2), (2, 2))) for of in (statement.of_identity, statement.of_gram))
    coefficients = {"a": coq.number(a), "b": coq.number(b)}
    if (a, b) == (Fraction(1, 2), Fraction(1, 8)):
        instance = INSTANCE.format(theorem="as_stated : claimed", proof=HOLDS, **coefficients)
        require_proved(claim, coq.script([*theorems, instance]))
    else:
        instance = INSTANCE.format(theorem="refuted : ~ claimed", proof=FAILS.format(**coefficients), **coefficients)
        require_disproved(claim, coq.script([*theorems, instance]), "not the inverse", sizes=[2, 2], lam=2)


def rational(value):
    return fmpq(value.numerator, value.denominator)


@claim.check("exact", covers=Instances("up to 4 classes of up to 4 samples, rational λ in [1/50, 50], drawn at random"))
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=50),
)
def test_rational_matrices(statement, sizes, lam):
    if not statement.unequal:
        sizes = sizes[:1] * len(sizes)
    classes = [c for c, size in enumerate(sizes) for _ in range(size)]
    N = len(classes)
    gram = fmpq_mat(N, N, [fmpq(c == d) for c in classes for d in classes])
    one = fmpq_mat(N, N, [fmpq(i == j) for i in range(N) for j in range(N)])
    a, b = (Fraction(f(lam, [Fraction(s) for s in sizes])) for f in (statement.of_identity, statement.of_gram))
    product = (gram + one * rational(lam)) * (one * rational(a) - gram * rational(b))
    require_equal(product, one, "not the inverse", sizes=sizes, lam=lam)


@claim.check(
    "property", covers=Instances("up to 5 classes of up to 5 samples in any order, λ in [1e-3, 1e3], drawn at random")
)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.floats(1e-3, 1e3),
    st.randoms(use_true_random=False),
)
def test_float64_inverse_of_shuffled_samples(statement, sizes, lam, random):
    if not statement.unequal:
        sizes = sizes[:1] * len(sizes)
    order = random.sample(range(sum(sizes)), sum(sizes))
    Y = labels.one_hot(sizes)[:, order]
    inverse = np.linalg.inv(collapse_map.collapsed_gram(Y) + lam * np.eye(len(order)))
    stated = statement.of_identity(lam, sizes) * np.eye(len(order)) - statement.of_gram(lam, sizes) * (Y.T @ Y)
    tolerance = 1e-14 * (lam + max(sizes)) / lam**2  # rounding times condition number times the inverse's norm
    require_at_most(np.abs(stated - inverse).max(), 10 * tolerance, "not the inverse", sizes=sizes, lam=lam)
    library = collapse_map.collapsed_gram_inverse(Y, lam)
    off = np.abs(library - inverse).max()
    require_at_most(off, 10 * tolerance, "the library's inverse differs", sizes=sizes, lam=lam)
