r"""Scaled up, outputs that classify correctly have cross-entropies that vanish (review, Section 3.1.1).

If $\langle h(x),\xi_x\rangle > \max_{e_i\ne\xi_x}\langle h(x),e_i\rangle$ for P-almost every x, then
$\lim_{\lambda\to\infty}R(\lambda h) = 0$. No uniform gap is asked for, and none is needed: with the gaps $g_j =
\langle h,\xi\rangle - \langle h,e_j\rangle > 0$ the loss is $\log(1+\sum_j e^{-\lambda g_j})$, which goes to 0 for
every x and is at most log K, so that dominated convergence applies. How fast depends on the small gaps: where they
are uniform in (0, 1) and K = 2 the risk is asymptotically $\pi^2/(12\lambda)$. Ties on a set of positive probability
leave a positive limit.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require_at_most, require_close, require_equal


class Vanishing(NamedTuple):
    """For gaps that satisfy the condition, all of positive probability, R(λh) has the limit and is bounded so."""

    applies: Annotated[Callable[[Sequence[Sequence[Any]]], bool], Condition]  # gaps of each atom
    limit: float
    bound: Callable[[int], Any]  # of the loss, for λ ≥ 0


def strict(gaps):
    return all(g > 0 for atom in gaps for g in atom)


claim = Claim(
    id="review.eq-11.scaling",
    title="Scaled outputs that classify correctly have vanishing risk",
    source="review, Section 3.1.1, after equation 11",
    verdict="holds",
    printed=Statement(
        r"\langle h(x), \xi_x\rangle > \max_{e_i \ne \xi_x} \langle h(x), e_i\rangle \text{ for P-almost every } x"
        r"\implies \lim_{\lambda\to\infty} R(\lambda h) = 0"
        r"\text{ (dominated by } \log K \text{)}",
        Vanishing(strict, 0.0, sp.log),
    ),
    near_misses={
        "ties allowed": Vanishing(lambda gaps: all(g >= 0 for atom in gaps for g in atom), 0.0, sp.log),
        "for all but some of the outputs": Vanishing(
            lambda gaps: any(all(g > 0 for g in a) for a in gaps), 0.0, sp.log
        ),
        "a mean gap that is positive": Vanishing(lambda gaps: sum(map(sum, gaps)) > 0, 0.0, sp.log),
        "dominated by log(K − 1)": Vanishing(strict, 0.0, lambda K: sp.log(K - 1)),
    },
)


def patterns():
    """The signs of the gaps of two atoms with K = 3, and some sizes."""
    atoms = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1, 2)]
    return [(one, other) for one in atoms for other in atoms]


@claim.check("derived", covers="all")
def test_limits_of_the_loss_and_its_domination(statement):
    # Only the signs of the gaps decide the limit of an atom, and atoms of probability zero none: two atoms and two gaps
    # show every way in which a condition on signs can fail.
    scale, g, e = sp.symbols("λ g e", positive=True)
    single = {sign: sp.limit(sp.exp(-scale * x), scale, sp.oo) for sign, x in ((1, g), (0, sp.Integer(0)), (-1, -g))}
    for gaps in patterns():
        if statement.applies(gaps):
            limits = [sp.log(1 + sum(single[int(sp.sign(x))] for x in atom)) for atom in gaps]
            require_equal(float(sum(limits)), statement.limit, "another limit", gaps=gaps)
    # Every exponential is in (0, 1] for λ ≥ 0, so that the loss is at most that of all equal to 1.
    rising = sp.diff(sp.log(1 + e + sp.Symbol("rest", positive=True)), e)
    require_equal(rising.is_positive, True, "the loss does not rise with each exponential")
    for K in range(2, 6):
        bound = statement.bound(sp.Integer(K))
        require_equal(sp.log(K), bound, "another bound of the loss", K=K)


@claim.check(
    "exact",
    covers=Instances("uniform gaps with K = 2: the integral; a set of ties of probability 1/2"),
)
def test_no_uniform_gap_is_needed(statement):
    # R(λ) = ∫₀¹ log(1 + e^{−λg}) dg < (1/λ) ∫₀^∞ log(1 + e^{−s}) ds, and by the series of the logarithm that
    # integral is Σ (−1)^{k+1}/k² = π²/12.
    k = sp.Symbol("k", integer=True, positive=True)
    s = sp.Symbol("s", positive=True)
    term = sp.integrate(sp.exp(-k * s), (s, 0, sp.oo)) / k
    total = sp.simplify(sp.summation((-1) ** (k + 1) * term, (k, 1, sp.oo)))
    require_equal(total, sp.pi**2 / 12, "another integral")
    for scale in (10, 100, 1000):
        g = (np.arange(20_000) + 0.5) / 20_000
        risk = float(np.log1p(np.exp(-scale * g)).mean())
        require_close(scale * risk, float(total), "another rate", rtol=2e-4 + np.exp(-scale), scale=scale)
    require_equal(float(sp.limit(total / k, k, sp.oo)), statement.limit, "another limit for uniform gaps")
    if statement.applies([(0,), (1,)]):
        tied = sp.log(2) / 2
        require_equal(tied, statement.limit, "another limit with ties of probability one half")
    require_at_most(sp.log(2), statement.bound(sp.Integer(2)), "a loss above the bound at λ = 0")


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, 1–4 atoms, gaps of either sign or zero, 50 drawn"))
@given(st.integers(2, 5), st.integers(1, 4), st.integers(-1, 2), st.integers(0, 2**32 - 1))
def test_random_outputs(statement, K, atoms, lowest, seed):
    gaps = np.random.default_rng(seed).integers(lowest, 4, (atoms, K - 1)) * 0.25
    if statement.applies(gaps.tolist()):
        losses = np.logaddexp.reduce(np.hstack([np.zeros((atoms, 1)), -400 * gaps]), axis=1)
        require_close(losses.mean(), statement.limit, "not near the limit", atol=1e-12, gaps=gaps.tolist())
        losses = np.logaddexp.reduce(np.hstack([np.zeros((atoms, 1)), -1e-9 * gaps]), axis=1)
        require_at_most(losses.max(), float(statement.bound(K)) + 1e-12, "above the bound", gaps=gaps.tolist())
