r"""Removing classes: the minimum for K classes is at least one for fewer (docs/optimum.md).

Take any point of the L-DUFM for K classes with one sample each, and keep K′ of the classes: their columns of H_1, their
rows of W_L. Over all choices, the losses of what is kept, with λ_H1 and λ_WL multiplied by K/K′, are on average at most
the loss of the whole. So

$$ \min\mathcal L_K(\Pi)\ \ge\ \min\mathcal L_{K'}\bigl(\Pi\,(K/K')^2\bigr),
\qquad \Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L}. $$

The average is the loss where no class leaks into another's output, as in deep neural collapse: the multipliers cannot
be raised.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import coq, dufm
from theory.ufm import Problem, objective


class Removal(NamedTuple):
    """What λ_H1 and λ_WL are multiplied by where K′ of K classes are kept."""

    features: Callable[[int, int], Fraction]
    outputs: Callable[[int, int], Fraction]


def share(K, kept):
    return Fraction(K) / kept


claim = Claim(
    id="own.removing-classes",
    title="Fewer classes, a smaller minimum",
    source="docs/optimum.md, Removing classes",
    verdict="holds",
    printed=Statement(
        r"\Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L};\quad 2 \le K' \le K,\ n = 1:"
        r"\ \text{the losses of the } K' \text{ classes kept, at } \tfrac K{K'}\lambda_{H_1}"
        r" \text{ and } \tfrac K{K'}\lambda_{W_L} \text{, are on average over the choices at most } \mathcal L"
        r" \text{, and equal to it if } W_LM_L \text{ is diagonal; so for every } n:"
        r"\ \min\mathcal L_K(\Pi) \ge \min\mathcal L_{K'}(\Pi(K/K')^2)",
        Removal(share, share),
    ),
    near_misses={
        "neither is multiplied": Removal(lambda K, kept: Fraction(1), lambda K, kept: Fraction(1)),
        "only that of the features is": Removal(share, lambda K, kept: Fraction(1)),
        "by its square": Removal(lambda K, kept: Fraction(K, kept) ** 2, lambda K, kept: Fraction(K, kept) ** 2),
        "by the share of the pairs": Removal(
            share, lambda K, kept: Fraction(K * (K - 1), kept * (kept - 1)) if kept > 1 else Fraction(K)
        ),
    },
    depends_on=["lowrank.two-classes"],
)


def averages(K, kept):
    """The share of the choices that keep a class, and a pair of classes."""
    choices = list(combinations(range(K), kept))
    single = Fraction(sum(0 in choice for choice in choices), len(choices))
    return single, Fraction(sum({0, 1} <= set(choice) for choice in choices), len(choices))


@claim.check("derived", covers="all")
def test_what_is_kept_of_each_term(statement):
    # A class is kept with probability K′/K, a pair with K′(K′−1)/(K(K−1)) ≤ K′/K: counted for small K, and in general
    # by the quotients of the binomial coefficients.
    K, kept = sp.symbols("K k", integer=True, positive=True)
    single = sp.simplify(sp.gammasimp(sp.binomial(K - 1, kept - 1) / sp.binomial(K, kept)))
    pair = sp.simplify(sp.gammasimp(sp.binomial(K - 2, kept - 2) / sp.binomial(K, kept)))
    require_equal(sp.simplify(single - kept / K), 0, "a class is kept otherwise")
    require_equal(sp.simplify(pair - kept * (kept - 1) / (K * (K - 1))), 0, "a pair is kept otherwise")
    for size in range(2, 8):
        for left in range(2, size + 1):
            of_class, of_pair = averages(size, left)
            # ‖H_1‖² and ‖W_L‖² are kept in the share of a class, and cost the same again.
            require_equal(
                statement.features(size, left) * of_class, 1, "features cost another share", K=size, kept=left
            )
            require_equal(statement.outputs(size, left) * of_class, 1, "outputs cost another share", K=size, kept=left)
            # Of the fit, 1/(2K′) of the errors kept against 1/(2K) of all: equal on the diagonal, less beside it.
            require_equal(of_class / left, Fraction(1, size), "the diagonal has another share", K=size, kept=left)
            require_at_most(of_pair / left, Fraction(1, size), "pairs weigh more", K=size, kept=left)


@claim.check(
    "kernel",
    covers=Part(
        "the average over the choices, its equality for diagonal outputs, and the bound of the minima by Π alone, for "
        "all K, K′ ≥ 2, n, numbers of layers and widths"
    ),
)
def test_average_and_minima_by_the_kernel(statement):
    here, parts = Path(__file__), ("choices", "loss", "product")
    shares = [
        f"INR {K} / INR {kept} = {coq.number(multiplier(K, kept))}"
        for K, kept in ((5, 2), (6, 4))
        for multiplier in (statement.features, statement.outputs)
    ]
    claimed = " /\\\n  ".join(shares)
    as_stated = f"""\
(* The multipliers of the statement *)

Theorem as_stated :
  {claimed}.
Proof. simpl INR; lra. Qed."""
    sources = [here.parents[1] / "sums.v", *(here.with_name(f"removing_classes_{part}.v") for part in parts)]
    require_proved(claim, coq.script([*sources, as_stated]))


def exact_loss(H, weights, lams):
    """The objective for one sample of each class, in rational numbers."""
    layer = H
    for weight in weights[:-1]:
        layer = np.maximum(weight @ layer, 0)
    error = weights[-1] @ layer - np.eye(H.shape[1], dtype=int)
    decays = sum(lam * (matrix**2).sum() for lam, matrix in zip(lams, (H, *weights), strict=True))
    return (error**2).sum() / Fraction(2 * H.shape[1]) + Fraction(decays) / 2


def check_average(statement, H, weights, lams, loss, close):
    """The average over the choices against the loss, and their equality where the outputs are diagonal."""
    K = H.shape[1]
    layer = H
    for weight in weights[:-1]:
        layer = np.maximum(weight @ layer, 0)
    outputs = weights[-1] @ layer
    diagonal = not (outputs - np.diag(np.diag(outputs))).any()
    whole = loss(H, weights, lams)
    for kept in range(2, K):
        changed = [lams[0] * statement.features(K, kept), *lams[1:-1], lams[-1] * statement.outputs(K, kept)]
        choices = [list(choice) for choice in combinations(range(K), kept)]
        parts = [loss(H[:, c], [*weights[:-1], weights[-1][c]], changed) for c in choices]
        average = sum(parts) / len(parts)
        require_at_most(average, whole * (1 + close), "more on average", K=K, kept=kept, L=len(weights))
        if diagonal:
            require(
                abs(average - whole) <= close * whole, "another average", K=K, kept=kept, average=average, loss=whole
            )


@claim.check(
    "exact", covers=Instances("30 points with small integers, K = 3 to 5, L = 2 and 3; diagonal outputs, K = 3 to 6")
)
def test_points_in_rational_numbers(statement):
    generator = np.random.default_rng(0)
    for L in (2, 3):
        lams = [Fraction(1, 7 + i) for i in range(L + 1)]
        for K in (3, 4, 5):
            for _ in range(5):
                H = generator.integers(-2, 3, (3, K)).astype(object)
                weights = [generator.integers(-2, 3, (3, 3)).astype(object) for _ in range(L - 1)]
                weights.append(generator.integers(-1, 2, (K, 3)).astype(object))
                check_average(statement, H, weights, lams, exact_loss, 0)
        for K in range(3, 7):
            identity = np.eye(K, dtype=object) * Fraction(2, 3)
            check_average(statement, identity, [identity] * L, lams, exact_loss, 0)


@claim.check("property", covers=Instances("K = 3 to 5, L = 2 to 5, normal matrices and collapse, 50 drawn"))
@given(st.integers(3, 5), st.integers(2, 5), st.floats(-9, 0), st.integers(0, 2**32 - 1))
def test_random_points_by_the_objective(statement, K, L, log_lam, seed):
    generator = np.random.default_rng(seed)
    lams = list(10.0 ** (log_lam + generator.uniform(-1, 1, L + 1)))

    def loss(H, weights, lams):
        problem = Problem.of(H.shape[1], L, lams=lams, width=[weight.shape[1] for weight in weights])
        return objective(problem, H, weights)

    weights = [generator.standard_normal((4, 4)) for _ in range(L - 1)]
    point = generator.standard_normal((4, K)), [*weights, generator.standard_normal((K, 4))]
    # Losses are computed to some units of rounding.
    check_average(statement, *point, lams, loss, 1e-12)
    size = abs(generator.standard_normal(L + 1))
    check_average(statement, size[0] * np.eye(K), [s * np.eye(K) for s in size[1:]], lams, loss, 1e-12)


@claim.check(
    "optimised",
    covers=Instances("the best known solutions for K = 3 to 8 against the minimum for two classes, L = 3 to 6"),
)
def test_no_known_solution_is_below_the_bound(statement):
    for K in range(3, 9):
        for L in range(3, 7):
            lam = 5e-4
            lams = [lam * float(statement.features(K, 2)), *[lam] * (L - 1), lam * float(statement.outputs(K, 2))]
            require_at_most(dufm.dnc_loss(2, L, lams=lams), dufm.best_known(K, L).loss, "a solution is below", K=K, L=L)
    # With the classes of collapse apart from each other, nothing is lost: the minima of two classes and of collapse.
    for K in (3, 5):
        one = dufm.dnc(K, 4, 1e-4)
        H, weights = one.class_means(1), [one.weights(l) for l in range(1, 5)]
        kept = [dufm.evaluate_loss(H[:, [0, 1]], [*weights[:-1], weights[-1][[0, 1]]], changed_lams(statement, K))]
        require_close(kept[0], one.loss, "another loss of what is kept", rtol=1e-9, K=K)


def changed_lams(statement, K):
    return [1e-4 * float(statement.features(K, 2)), *[1e-4] * 3, 1e-4 * float(statement.outputs(K, 2))]
