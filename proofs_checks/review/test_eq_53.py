r"""Whether effective depth bounds the test error (review, equation 53).

The argument that the bound wants: if the network errs on a share q > (1+α)p of X₂, then
$E_κρ_{X_1}(h) \ge E_κρ_{\min}(X_1\cup(X_2,h(X_2))) \ge E\,ρ_{\min}(X_1\cup X_2^{(q)}) \ge ρ_{\min}(X_1\cup\tilde X_2)$,
with qN random labels in the third. The last step is the second assumption. The others are not printed: the effective
depth is that of the training samples and says nothing of h elsewhere, and the labels that h gives to X₂ are no random
labels because wrong ones are spread evenly.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from math import inf
from typing import Annotated, Any, NamedTuple

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from nct.ledger import Claim, Instances, OneOf, Statement, UpperBound, require_at_most
from theory import generalisation


class Bound(NamedTuple):
    """The bound, and which assumptions the probability δ¹ or δ² of failing is counted for."""

    value: Annotated[Callable[[Any, Any, Any, Any, Any], Any], UpperBound]  # of P[ρ ≥ ρ_min], p, α, δ¹, δ²
    own: Annotated[bool, OneOf(False)]  # E_κ ρ(h) is at least E_κ ρ_min with the labels that h gives to X₂
    random: Annotated[bool, OneOf(False)]  # and that at least E ρ_min with qN random labels, q = E_κ err
    harder: Annotated[bool, OneOf(False)]  # E ρ_min with qN random labels is at least ρ_min with pN, q ≥ (1+α)p


true = Bound(lambda P, p, alpha, d1, d2: P + (1 + alpha) * p + d1 + d2, True, True, True)

claim = Claim(
    id="review.eq-53",
    title="Test error and effective depth",
    source="review, equation 53",
    verdict="amended",
    depends_on=["review.eq-53.depth"],
    printed=Statement(
        r"\mathbb E_{X_1}\mathbb E_\kappa[\operatorname{err}_P(h^\kappa_{X_1})] \le P[\mathbb E_\kappa"
        r"[\rho^\epsilon_{X_1}(h^\kappa_{X_1})] \ge \rho^\epsilon_{\min}(G, X_1 \cup \tilde X_2)] + (1+\alpha)p + "
        r"\delta^1_N + \delta^2_{N,p,\alpha} \text{ for } p \in (0, \tfrac12) \text{ and } \alpha \in (0, 1) \text{, "
        r"if with probability } 1 - \delta^1_N \text{ the misclassified samples of } X_2 \text{ are uniformly "
        r"distributed over it, and with probability } 1 - \delta^2_{N,p,\alpha} \text{ the minimal depth to fit } "
        r"(2-p)N \text{ correct and } pN \text{ random labels is at most the expected one for } qN \text{ random "
        r"labels, for every } q \ge (1+\alpha)p \text{ (read: random labels are drawn uniformly; no depth is "
        r"infinite)}",
        true._replace(own=False, random=False),
    ),
    amended=Statement(
        r"\text{the same bound, with } 1 - \delta^1_N \text{ the probability over } X_1, X_2 \text{ that } q = \mathbb "
        r"E_\kappa[\operatorname{err}_{X_2}(h^\kappa_{X_1})] \le (1+\alpha)p \text{ or that } \mathbb E_\kappa"
        r"[\rho^\epsilon_{X_1}(h^\kappa_{X_1})] \ge \mathbb E_\kappa[\rho^\epsilon_{\min}(G, X_1 \cup (X_2, "
        r"h^\kappa_{X_1}(X_2)))] \text{ (the depth of a network suffices for its own labels of } X_2 \text{), and "
        r"this is at least the expected minimal depth with } qN \text{ random labels; none of the three assumptions "
        r"can be left out}",
        true,
    ),
    near_misses={
        "the depth of a network says nothing of X₂": true._replace(own=False),
        "errors that are easy to fit": true._replace(random=False),
        "more noise is not harder": true._replace(harder=False),
        "p for (1+α)p": true._replace(value=lambda P, p, alpha, d1, d2: P + p + d1 + d2),
        "half the probability": true._replace(value=lambda P, p, alpha, d1, d2: P / 2 + (1 + alpha) * p + d1 + d2),
        "without δ¹": true._replace(value=lambda P, p, alpha, d1, d2: P + (1 + alpha) * p + d2),
        "without δ²": true._replace(value=lambda P, p, alpha, d1, d2: P + (1 + alpha) * p + d1),
    },
    counterexample_code=r"""
# Two points, 0 of class 0 and 1 of class 1: X₁ and X₂ have N = 4 samples, 2 at each. G has the identity only, and h is
# the identity and then the wrong class everywhere. Its effective depth on X₁ is 1, its error 1, spread evenly over X₂.
# p = 1/4: one label of X₂ is redrawn. If it changes, two labels share a point, and no depth has the error 0 (ε = 0):
# the minimal depth is infinite, and so it is in expectation for more random labels. δ¹ = δ² = 0.
from fractions import Fraction
p, alpha, error = Fraction(1, 4), Fraction(1, 8), 1
probability = Fraction(1, 2)  # that the redrawn label is the old one, so that one layer is enough
bound = probability + (1 + alpha) * p
print("error", error, "bound", bound)
assert error > bound
""",
)


class World(NamedTuple):
    """One pair (X₁, X₂) with its weight: depths and errors, expected over κ, and the noisy labels with theirs."""

    weight: Any
    depth: Any  # E_κ ρ_{X₁}(h)
    own: Any  # E_κ ρ_min(G, X₁ ∪ (X₂, h(X₂)))
    q: Any  # E_κ of the error of h on X₂
    random: Any  # E ρ_min with qN random labels, of the pair's q
    more: Any  # the least of it over q ≥ (1+α)p
    noisy: list[tuple[Any, Any]]  # probabilities and minimal depths of Ỹ₂


def compare(statement, worlds, p, alpha, **where):
    """The expected error against the bound, all probabilities computed from the worlds."""
    event = d1 = d2 = error = Fraction(0)
    for world in worlds:
        error += world.weight * world.q
        failing = world.q > (1 + alpha) * p and (
            (statement.own and world.depth < world.own) or (statement.random and world.own < world.random)
        )
        d1 += world.weight * failing
        for weight, depth in world.noisy:
            event += world.weight * weight * (world.depth >= depth)
            d2 += world.weight * weight * (statement.harder and depth > world.more)
    require_at_most(error, statement.value(event, p, alpha, d1, d2), "a larger error", p=p, alpha=alpha, **where)


@claim.check("derived", covers="all")
def test_chain(statement):
    # For one pair, by cases: with no event and no assumption that fails, an error above (1+α)p has to contradict the
    # inequalities that the assumptions give. Expectations over the pairs keep the inequality; X₂ is independent of h,
    # and so the error on it has the expectation err_P.
    edges = [(0, 1)] * statement.own + [(1, 2)] * statement.random + [(2, 3)] * statement.harder
    rows = [[(i == b) - (i == a) for i in range(4)] for a, b in edges]  # depth_a ≥ depth_b
    rows.append([1, 0, 0, -1])  # and no event: E ρ < ρ_min of the noisy labels, by 1
    free = linprog(np.zeros(4), A_ub=rows, b_ub=[0] * len(edges) + [-1], bounds=[(1, None)] * 4).status == 0
    small = Fraction(1, 10**9)
    for p, alpha in product((small, Fraction(1, 8), Fraction(49, 100)), (small, Fraction(9, 10))):
        for event, first, second in product((0, 1), repeat=3):
            counted = (first and (statement.own or statement.random)) or (second and statement.harder)
            worst = 1 if event or counted or free else (1 + alpha) * p
            if first and not (statement.own or statement.random):
                continue
            bound = statement.value(event, p, alpha, first, second)
            require_at_most(worst, bound, "a larger error", event=event, p=p, alpha=alpha, first=first, second=second)


def least_depth(labels, points):
    """The minimal depth for the identity as the only layer, ε = 0."""
    found = generalisation.minimal_ncc_depth([lambda F: F], [points], labels, 0, max_depth=2)
    return inf if found.exhausted else found.depth


@cache
def two_points(fits):
    """N = 4 samples at two points or at 2 × 12 points of two clusters; h wrong everywhere, or off X₁ (`fits`)."""
    places = range(12) if fits else range(1)
    pairs = list(combinations_with_replacement(places, 2))
    worlds = []
    size = len(places)
    for pair in pairs:  # of class 0; class 1 alike, 100 further on; the number in X₁ decides h
        weight = Fraction(1 if pair[0] == pair[1] else 2, size**2)
        distinct = len(set(pair))
        q = Fraction(size - distinct, size) if fits else Fraction(1)
        first = [*pair, *(100 + x for x in pair)]
        # where X₂ lies in the two clusters makes no difference to the depths
        points = np.array([*first, 0, places[-1], 100, 100 + places[-1]], float)
        labels = [0, 0, 1, 1, 0, 0, 1, 1]
        assert generalisation.effective_depth([points[None, :4]], labels[:4], 0) == (1, True, (0.0,))
        noisy = []
        for i, new in product(range(4), (0, 1)):
            changed = labels.copy()
            changed[4 + i] = new
            noisy.append((Fraction(1, 8), least_depth(tuple(changed), tuple(points))))
        worlds.append(World(weight, 1, inf, q, inf, inf, noisy))
    return worlds


@cache
def layered():
    """Worlds in depths alone, each of which breaks one assumption, or none and attains the bound."""
    p, alpha = Fraction(1, 4), Fraction(1, 8)
    one, half = Fraction(1), Fraction(1, 2)
    return (
        {
            # two κ: one without errors at depth 1, one with errors only at depth 2: the average is below 2
            "average": [World(one, Fraction(3, 2), Fraction(3, 2), half, 2, 2, [(one, 2)])],
            # errors by another threshold, as easy as none, where random labels need two layers
            "easy": [World(one, 1, 1, half, 2, 2, [(one, 2)])],
            # all labels exchanged are as easy as none, few are not
            "exchanged": [World(one, 1, 1, one, 1, 1, [(one, 2)])],
            "attained": [World(one, 1, 1, (1 + alpha) * p, 1, 2, [(one, 2)])],
            "event": [World(one, 2, 2, one, 2, 2, [(one, 2)])],
            "own": [World(one, 1, 2, one, 2, 2, [(one, 2)])],
        },
        p,
        alpha,
    )


@claim.check("exact", covers=Instances("samples of two classes with a layer, N = 4; six laws of depths; in rationals"))
def test_small_worlds(statement):
    worlds, p, alpha = layered()
    for fits in (False, True):
        compare(statement, two_points(fits), p, alpha, fits=fits)
    for name, world in worlds.items():
        compare(statement, world, p, alpha, world=name)


@claim.check("property", covers=Instances("laws on up to three pairs, depths up to 3, errors in eighths, 50 drawn"))
@example(pairs=[(1, 2, 8, 2, 2, (2, 2))], p=Fraction(1, 8), alpha=Fraction(1, 2))
@example(pairs=[(1, 1, 8, 2, 2, (2, 2))], p=Fraction(1, 8), alpha=Fraction(1, 2))
@example(pairs=[(1, 1, 8, 1, 1, (2, 2))], p=Fraction(1, 8), alpha=Fraction(1, 2))
@example(pairs=[(2, 2, 8, 2, 2, (2, 2))], p=Fraction(1, 8), alpha=Fraction(1, 2))
@example(pairs=[(1, 1, 1, 1, 2, (2, 2))], p=Fraction(1, 10), alpha=Fraction(1, 4))
@given(
    pairs=st.lists(
        st.tuples(*[st.integers(1, 3)] * 2, st.integers(0, 8), *[st.integers(1, 3)] * 2,
                  st.tuples(*[st.integers(1, 3)] * 2)), min_size=1, max_size=3,
    ),
    p=st.sampled_from([Fraction(1, 100), Fraction(1, 8), Fraction(3, 8)]),
    alpha=st.sampled_from([Fraction(1, 100), Fraction(1, 2), Fraction(9, 10)]),
)  # fmt: skip
def test_laws(statement, pairs, p, alpha):
    weight, worlds = Fraction(1, len(pairs)), []
    for depth, own, q, random, more, noisy in pairs:
        beyond = q > 8 * (1 + alpha) * p  # only then is the pair's own q one of those of the second assumption
        least, equal = min(random, more) if beyond else more, Fraction(1, 2)
        worlds.append(World(weight, depth, own, Fraction(q, 8), random, least, [(equal, d) for d in noisy]))
    compare(statement, worlds, p, alpha)
