r"""The ridge solution determines the features up to the aligned case (lowrank, Appendix A.2, on Theorem 6).

Let X and X' (d × K) differ in their first columns x, x' only, and have the same ridge regression on the labels,

$$
(X^\top X + cI)^{-1}X^\top = (X'^\top X' + cI)^{-1}X'^\top, \qquad c = K\lambda_{W_L} > 0.
$$

Then x and x' are aligned. The steps of the printed proof that a matrix can confirm or refute, with
$X = U\Sigma V^\top$, $f(s) = s/(s^2+c)$ and a diagonal Σ of the positive singular values:

* The solution is $V f(\Sigma) U^\top$; f takes every value twice but its largest, at s and c/s.
* Equal solutions make $U^\top X' V = \Sigma'$ plus a symmetric matrix that differs from Σ by $\rho zz^\top$; its
  eigenvalues interlace those of Σ, and their sum grows by exactly $\rho\lVert z\rVert^2$ (ρ > 0 without loss of
  generality).
* Let σ be an eigenvalue of Σ with multiplicity m. If z vanishes on all its entries, σ has multiplicity m after the
  update; otherwise m − 1, and possibly m. *The first half is false, and the second says too little*: where z vanishes
  a new eigenvalue may fall on σ, and where it does not, none can: an eigenvector q with qᵀz ≠ 0 satisfies
  $(\sigma' - \sigma_i)q_i = \rho z_i z^\top q \ne 0$. The smallest counterexample, Σ = diag(1, 2), z = (1, 0), ρ = 1,
  has equal ridge solutions for c = 2 besides.
* Eigenvectors with qᵀz ≠ 0 have no zero where z has none, and spread over at most two eigenvalues; so does z; and
  then over one.

The conclusion stands: more directly, $rx^\top = r'x'^\top$ with residuals r, r' that cannot be zero. The aligned case
does occur with x' ≠ x, exactly where x is orthogonal to the other columns: $x' = (c/\lVert x\rVert^2)\,x$.
"""

from collections.abc import Callable
from itertools import combinations_with_replacement, product
from typing import Annotated, Any, NamedTuple

import flint
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from nct.ledger import (
    Claim,
    Fixed,
    Instances,
    Search,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory import ridge


class Steps(NamedTuple):
    conclusion: Annotated[Callable[[Any, Any], bool], Fixed]  # first columns of equal solutions, up to rounding
    partner: Callable[[Any, Any], Any]  # the other s with the same f(s)
    interlacing: Callable[[Any], tuple]  # the bounds of the new eigenvalues, from the old ones, increasing
    vanishing: Callable[[int], set]  # multiplicities after the update, where z is zero
    meeting: Callable[[int], set]  # and where it is not


def aligned(x, y):
    """Linear dependence, to the accuracy of features that a solver has found to 1e-7."""
    gap = np.linalg.svd(np.column_stack([x, y]).astype(float), compute_uv=False)
    return len(gap) < 2 or gap[1] <= 1e-6 * gap[0]


def equal(x, y):
    return np.allclose(np.asarray(x, float), np.asarray(y, float), atol=1e-6)


def upwards(before):
    """σ_i ≤ σ'_i ≤ σ_{i+1}."""
    return before, np.append(before[1:], np.inf)


def downwards(before):
    """σ_{i−1} ≤ σ'_i ≤ σ_i."""
    return np.append(-np.inf, before[:-1]), before


printed = Steps(aligned, lambda s, c: c / s, upwards, lambda m: {m}, lambda m: {m - 1, m})
amended = printed._replace(vanishing=lambda m: {m, m + 1}, meeting=lambda m: {m - 1})

claim = Claim(
    id="lowrank.thm-6.ridge",
    title="Ridge solution determines the features up to alignment",
    source="lowrank, Appendix A.2, alternative proof of Theorem 6, Steps 3 and 4",
    verdict="amended",
    printed=Statement(
        r"(X^\top X + cI)^{-1}X^\top = (X'^\top X' + cI)^{-1}X'^\top and X, X' differ in the first column only "
        r"\Rightarrow"
        r" x, x' aligned; in the proof: if z = 0 on the entries of an eigenvalue of \Sigma with multiplicity m, its"
        r" multiplicity in \Sigma + \rho zz^\top is m, otherwise m - 1 or m",
        printed,
    ),
    amended=Statement(
        r"the same, with multiplicity m or m + 1 where z = 0 on its entries, and exactly m - 1 otherwise",
        amended,
        formulas={
            "m + 1": lambda steps, m=(1, 2, 5): max(steps.vanishing(m)),
            "m - 1": lambda steps, m=(1, 2, 5): max(steps.meeting(m)),
        },
    ),
    near_misses={
        "the solution determines the features": amended._replace(conclusion=equal),
        "values mirrored at the peak": amended._replace(partner=lambda s, c: 2 * np.sqrt(float(c)) - s),
        "interlacing from below": amended._replace(interlacing=downwards),
    },
    depends_on=["lowrank.lemma-17", "lowrank.thm-6"],
    counterexample_code=r"""
# Σ = diag(1, 2), z = (1, 0), ρ = 1: z vanishes on the entry of the eigenvalue 2.
sigma, z, rho = [1, 2], [1, 0], 1
updated = [s + rho * v * v for s, v in zip(sigma, z)]  # Σ + ρ z zᵀ, which is diagonal as well
print(f"the eigenvalue 2 has multiplicity {sigma.count(2)} before the update and {updated.count(2)} after it")
assert sigma.count(2) != updated.count(2)
# The two have equal ridge solutions s/(s² + c) at c = 2, so the proof does meet this case.
assert [s / (s * s + 2) for s in sigma] == [s / (s * s + 2) for s in updated]
""",
)


def check_multiplicities(statement, sigma, z, multiplicity, **witness):
    """The step on multiplicities, for every eigenvalue of Σ."""
    for value in sorted(set(sigma)):
        entries = [zi for s, zi in zip(sigma, z, strict=True) if s == value]
        allowed = statement.meeting if any(entries) else statement.vanishing
        require(
            multiplicity(value) in allowed(len(entries)),
            "another multiplicity",
            sigma=sigma,
            z=z,
            eigenvalue=value,
            before=len(entries),
            after=multiplicity(value),
            **witness,
        )


@claim.check(
    "exact",
    covers=Instances("all Σ of up to three values 1, 2, 3, z of zeros and ones, ρ = 1, 2 and 5"),
    blind_to={"interlacing from below": "the eigenvalues of these updates are mostly irrational, and left alone"},
)
def test_small_updates_in_rationals(statement):
    for r in (1, 2, 3):
        for sigma in combinations_with_replacement((1, 2, 3), r):
            for z in product((0, 1), repeat=r):
                for rho in (1, 2, 5) if any(z) else ():
                    check_exact_update(statement, sigma, z, rho)


def check_exact_update(statement, sigma, z, rho):
    r = len(sigma)
    entries = [sigma[i] * (i == j) + rho * z[i] * z[j] for i in range(r) for j in range(r)]
    before = flint.fmpq_mat(r, r, [sigma[i] * (i == j) for i in range(r) for j in range(r)])
    after = flint.fmpq_mat(r, r, entries)
    one = flint.fmpq_mat(r, r, [int(i == j) for i in range(r) for j in range(r)])

    def filtered(matrix, c):
        return (matrix * matrix + c * one).inv() * matrix

    same = [c for c in range(1, 31) if filtered(before, c) == filtered(after, c)]
    check_multiplicities(
        statement, sigma, z, lambda value: r - (after - value * one).rank(), rho=rho, equal_solutions_at_c=same
    )
    support = [i for i in range(r) if z[i]]
    for c in same:
        require(len({sigma[i] for i in support}) == 1, "z spreads over several eigenvalues", sigma=sigma, z=z)
        if len(support) == 1:  # X = Σ and X' = Σ', which differ in one column
            (i,) = support
            require_equal(sigma[i] + rho, statement.partner(sigma[i], c), "another value of f", s=sigma[i], c=c)
            columns = [[0] * i + [s] + [0] * (r - i - 1) for s in (sigma[i], sigma[i] + rho)]
            require(statement.conclusion(*columns), "another first column", sigma=sigma, c=c, x=columns)


#: Increasing eigenvalues with repetitions, apart by at least a quarter.
spectra = st.lists(st.integers(1, 12).map(lambda k: k / 4), min_size=1, max_size=6).map(sorted)


@claim.check(
    "property",
    covers=Instances("updates of random spectra, with eigenvalues that fall together"),
    blind_to={
        "the solution determines the features": "updates alone, without features",
        "values mirrored at the peak": "updates alone, without f",
    },
)
@given(spectra, st.floats(0.3, 3.0), st.integers(0, 2**32 - 1))
def test_random_updates(statement, sigma, rho, seed):
    generator = np.random.default_rng(seed)
    values = sorted(set(sigma))
    spared = set(generator.choice(values, size=len(values) // 2, replace=False))
    z = np.array([0.0 if s in spared else generator.choice([-1, 1]) * generator.uniform(0.5, 1.5) for s in sigma])
    # Interlacing and the trace.
    before = np.array(sigma)
    after, Q = np.linalg.eigh(np.diag(before) + rho * np.outer(z, z))
    low, high = statement.interlacing(before)
    slack = 1e-9 * before[-1]
    require_at_most(low - slack, after, "no interlacing", sigma=sigma)
    require_at_most(after, high + slack, "no interlacing", sigma=sigma)
    require_close(after.sum() - before.sum(), rho * z @ z, "another total increase", rtol=1e-9, atol=1e-8)
    # Put a spared eigenvalue where a new one falls: what changes is only its place.
    new = [value for value in after if np.abs(before - value).min() > 1e-3]
    if new:
        target = float(new[int(generator.integers(len(new)))])
        sigma, z = [*sigma, target], np.append(z, 0.0)
        after, Q = np.linalg.eigh(np.diag(sigma) + rho * np.outer(z, z))
    # Distinct eigenvalues are apart by more than 1e-4 or the draw is not decided in float64.
    gaps = np.abs(after[:, None] - np.array(sigma))
    if not ((gaps > 1e-9) & (gaps < 1e-5)).any():
        check_multiplicities(statement, sigma, z, lambda value: int((np.abs(after - value) < 1e-7).sum()))
    # Eigenvectors that meet z have no zero where z has none.
    for q in Q.T:
        if abs(q @ z) > 1e-3:
            require((np.abs(q[z != 0]) > 1e-6).all(), "a zero of the eigenvector", sigma=sigma)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 5, normal features, and pairs with the same solution in the aligned case"),
    blind_to={"interlacing from below": "the updates here are of one eigenvalue"},
)
@given(st.integers(2, 5), st.integers(0, 3), st.floats(0.2, 4.0), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_features(statement, K, more_rows, c, collide, seed):
    generator = np.random.default_rng(seed)
    d = K + more_rows
    X = generator.standard_normal((d, K))
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    W = ridge.minimiser(X, c / K)
    require(np.allclose(W, Vt.T @ np.diag(s / (s * s + c)) @ U.T, atol=1e-10), "not V f(Σ) Uᵀ")
    partner = statement.partner(s, c)
    require(np.allclose(partner / (partner**2 + c), s / (s * s + c), rtol=1e-9), "another value of f", c=c)
    # Two features that are not aligned: another solution.
    other = X.copy()
    other[:, 0] = generator.standard_normal(d)
    require(np.abs(ridge.minimiser(other, c / K) - W).max() > 1e-9, "the same solution", K=K)
    # The residual r = W x − e_1 is not zero: (I − W X) = c (XᵀX + c)⁻¹ is positive definite.
    require(1 - (W @ X)[0, 0] > 0, "exact fit")
    # The aligned case: x orthogonal to the rest. Let x' have the length of another singular vector if asked to.
    left = np.linalg.qr(generator.standard_normal((d, d)))[0]
    rest = generator.uniform(0.5, 2.0, K - 1)
    length = c / rest[0] if collide else generator.uniform(0.5, 2.0)
    turn = np.linalg.qr(generator.standard_normal((K - 1, K - 1)))[0]
    first = left[:, 0] * length
    X = np.column_stack([first, left[:, 1:K] * rest @ turn])
    other = X.copy()
    other[:, 0] = first * c / length**2
    check_pair(statement, X, other, c)


def check_pair(statement, X, other, c):
    """The steps for features with the same ridge solution."""
    K = X.shape[1]
    solutions = [ridge.minimiser(features, c / K) for features in (X, other)]
    require(np.allclose(*solutions, atol=1e-6), "the solutions differ")
    require(statement.conclusion(X[:, 0], other[:, 0]), "another first column", c=round(c, 3))
    if equal(X, other):
        return
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    update = U.T @ other @ Vt.T - np.diag(s)
    require(np.allclose(update, update.T, atol=1e-5), "the update is not symmetric")
    eigenvalues, vectors = np.linalg.eigh(update)
    lead = np.abs(eigenvalues).argmax()
    require(np.allclose(np.delete(eigenvalues, lead), 0, atol=1e-5), "the update has a larger rank")
    if eigenvalues[lead] < 0:
        return check_pair(statement, other, X, c)
    z = vectors[:, lead]
    rounded = [round(float(value), 3) for value in s]
    after = np.linalg.eigvalsh(np.diag(s) + update)
    # Values that are neither equal to 1e-5 nor apart by 2e-3 are not decided at this accuracy.
    everything = np.sort(np.concatenate([s, after]))
    if not ((np.diff(everything) > 1e-5) & (np.diff(everything) < 2e-3)).any():
        support = np.where(np.abs(z) > 1e-3, z, 0.0)
        check_multiplicities(statement, rounded, support, lambda value: int((np.abs(after - value) < 1e-3).sum()))
    return None


@claim.check(
    "optimised",
    covers=Search("least squares from 12 random starts for each of four X"),
    blind_to={
        "values mirrored at the peak": "the solver does not use f",
        "interlacing from below": "the updates that it finds are of one eigenvalue",
    },
)
def test_all_first_columns_with_the_same_solution(statement):
    # Given X, a solver looks for every x' with the same ridge solution.
    generator = np.random.default_rng(3)
    tilted = np.array([[1.0, 0.3], [0.2, 2.0]])
    for X, c in [(np.diag([1.0, 2.0]), 2.0), (np.diag([1.0, 2.0, 0.7]), 0.6), (tilted, 2.0), (np.eye(3, 2), 0.4)]:
        K = X.shape[1]
        W = ridge.minimiser(X, c / K)

        def mismatch(x, X=X, c=c, K=K, W=W):
            return (ridge.minimiser(np.column_stack([x, X[:, 1:]]), c / K) - W).ravel()

        found = []
        for _ in range(12):
            run = least_squares(mismatch, 2 * generator.standard_normal(len(X)), xtol=1e-14, ftol=1e-14, gtol=1e-14)
            if np.abs(run.fun).max() < 1e-9:
                found.append(run.x)
                check_pair(statement, X, np.column_stack([run.x, X[:, 1:]]), c)
        different = [x for x in found if not equal(x, X[:, 0])]
        orthogonal = np.allclose(X[:, 0] @ X[:, 1:], 0)
        require(found and (different or not orthogonal), "the solver missed the aligned case", X=X.tolist())
