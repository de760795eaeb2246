r"""Effective depth and minimal depth by the nearest class mean (review, Section 4.2, before equation 53).

The convention for "no such depth" decides. The effective depth is then L, though the error at layer L is more than ε,
so that it is not the depth from which the nearest mean classifies, and not a bound of the minimal depth either.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require, require_at_most, require_equal
from theory import generalisation


class Depth(NamedTuple):
    """Effective depth of the errors by layer, minimal depth of those of all compositions, and how they compare."""

    effective: Callable[[tuple[Any, ...], Any], int]  # of the errors and ε
    minimal: Callable[[list[list[Any]], Any], int | None]  # of the errors of all compositions by depth, from 1
    classifies: Annotated[Callable[[tuple[Any, ...], Any], bool], Condition]  # when the error at that depth is ≤ ε
    later: Literal["open", "no larger"]  # what is said of the errors at later layers


def first(errors, eps):
    return next((depth for depth, e in enumerate(errors, 1) if e <= eps), len(errors))


true = Depth(
    first,
    lambda errors, eps: next((depth for depth, level in enumerate(errors, 1) if min(level) <= eps), None),
    lambda errors, eps: min(errors) <= eps,
    "open",
)

claim = Claim(
    id="review.eq-53.depth",
    title="Effective depth and minimal depth",
    source="review, Section 4.2, before equation 53",
    verdict="amended",
    printed=Statement(
        r"\rho^\epsilon_X(h) \text{ is the minimum depth } l \in [L] \text{ for which the error of the nearest class "
        r"mean is at most } \epsilon \text{, and } L \text{ if there is none; essentially it is the minimum depth at "
        r"which the features can be classified by that rule with at most this error; } \rho^\epsilon_{\min}(G, X) "
        r"\text{ is the minimum number of layers of } G \text{ that can be composed for this (read: at least one "
        r"layer; the means are those of the same data at that layer; } f_L \text{ is the } L \text{-th composition, } "
        r"h \text{'s own)}",
        true._replace(classifies=lambda errors, eps: True),
    ),
    amended=Statement(
        r"\rho^\epsilon_X(h) \text{ is the minimum depth with an error of at most } \epsilon \text{ if some depth has "
        r"one, and then } \rho^\epsilon_{\min}(G, X) \le \rho^\epsilon_X(h) \text{ for layers of } G \text{; else it "
        r"is } L \text{ with a larger error, and } \rho_{\min} \text{ can be larger than } L \text{ or not exist; "
        r"later layers may err more}",
        true,
    ),
    near_misses={
        "classifies at layer L if nowhere else": true._replace(
            classifies=lambda errors, eps: min(errors) <= eps or len(errors) == 1
        ),
        "an error less than ε": true._replace(
            effective=lambda errors, eps: next((d for d, e in enumerate(errors, 1) if e < eps), len(errors))
        ),
        "the last depth": true._replace(
            effective=lambda errors, eps: max((d for d, e in enumerate(errors, 1) if e <= eps), default=len(errors))
        ),
        "L + 1 where there is none": true._replace(
            effective=lambda errors, eps: next((d for d, e in enumerate(errors, 1) if e <= eps), len(errors) + 1)
        ),
        "layers counted from 0": true._replace(
            minimal=lambda errors, eps: next((d for d, level in enumerate(errors) if min(level) <= eps), None)
        ),
        "all compositions": true._replace(
            minimal=lambda errors, eps: next((d for d, level in enumerate(errors, 1) if max(level) <= eps), None)
        ),
        "from there on": true._replace(later="no larger"),
    },
    counterexample_code=r"""
# One layer that maps both samples to one point, K = 2, ε = 0: the first class wins both, the error is 1/2 > ε, and yet
# the effective depth is L = 1.
features, labels = [0.0, 0.0], [0, 1]
means = [features[0], features[1]]
nearest = [min((0, 1), key=lambda k: abs(f - means[k])) for f in features]
error = sum(a != b for a, b in zip(nearest, labels)) / 2
print("error", error, "at the effective depth 1")
assert error == 0.5
""",
)


@cache
def samples(L):
    """Errors in quarters at L layers, all of them."""
    return list(product(*[[Fraction(i, 4) for i in range(3)]] * L))


@claim.check(
    "derived",
    covers="all",
    blind_to={"layers counted from 0": "one layer less is also at most the depth of a network"},
)
def test_rule(statement):
    # What a network adds with its last layer: nothing, if an earlier one does; else its own number, by either clause.
    # By induction from one layer this is the definition for every L; the step is the same for each.
    worse = False
    for L in (1, 2, 3, 4):
        for errors in samples(L):
            for eps in (Fraction(0), Fraction(1, 4)):
                rho, ok = statement.effective(errors, eps), min(errors) <= eps
                before = L > 1 and min(errors[:-1]) <= eps
                found = statement.effective(errors[:-1], eps) if before else L
                require_equal(rho, found, "another depth", errors=errors)
                if statement.classifies(errors, eps):
                    require_equal(errors[min(rho, L) - 1] <= eps, True, "does not classify", errors=errors, eps=eps)
                    require_equal(min(errors[: rho - 1], default=1) > eps, True, "not the first", errors=errors)
                    # the network's own layers are one composition of each depth
                    least = statement.minimal([[error, 1] for error in errors], eps)
                    require(least is not None and least <= rho, "fewer layers than the least", errors=errors, eps=eps)
                require_equal(statement.classifies(errors, eps), ok, "when it classifies", errors=errors, eps=eps)
                worse |= ok and errors[-1] > errors[rho - 1]
    require_equal(worse, statement.later == "open", "the errors of later layers")


MAPS = [np.array(A) for A in ([[0, 1], [1, 0]], [[1, -1], [0, 0]], [[1, 1], [0, 1]])]
POINTS = np.array([[0, 1, 0, 1, 2], [0, 1, 1, 0, 1]])
LAYERS = [lambda F, A=A: np.maximum(A @ F, 0) for A in MAPS]


def error(F, y):
    """The error of the nearest class mean, in integers: means times their number, the first of equals."""
    means = [(F[:, y == k].sum(axis=1), int((y == k).sum())) for k in range(max(y) + 1)]
    wrong = 0
    for f, label in zip(F.T, y, strict=True):
        far = [Fraction(int(((count * f - total) ** 2).sum()), count**2) for total, count in means]
        wrong += far.index(min(far)) != label
    return Fraction(wrong, len(y))


@cache
def tables(y):
    """The errors of all compositions of up to three layers, by depth, and those along each network of three."""
    classes, by_depth, along = np.array(y), [], []
    for depth in (1, 2, 3):
        level = []
        for names in product(range(len(LAYERS)), repeat=depth):
            F, errors = POINTS, []
            for i in names:
                F = LAYERS[i](F)
                errors.append(error(F, classes))
            level.append(errors[-1])
            if depth == 3:
                along.append((names, tuple(errors)))
        by_depth.append(level)
    return by_depth, along


LABELS = [(0, 1, 1, 0, 1), (0, 0, 1, 1, 1), (0, 1, 0, 1, 1), (1, 1, 0, 0, 1), (0, 0, 0, 0, 1), (0, 0, 1, 1, 2)]


@claim.check(
    "exact", covers=Instances("five points, six labellings, three ReLU layers, all compositions of up to three")
)
def test_all_networks(statement):
    worse = False
    for y in LABELS:
        by_depth, along = tables(y)
        for eps in (Fraction(0), Fraction(1, 5), Fraction(2, 5)):
            least = statement.minimal(by_depth, eps)
            found = minimal(y, eps)
            require_equal(least, found, "another minimal depth", y=y, eps=eps)
            for names, errors in along:
                rho = statement.effective(errors, eps)
                require_equal(rho, effective(y, names, eps), "another effective depth", y=y, names=names, eps=eps)
                if statement.classifies(errors, eps):
                    require_at_most(errors[rho - 1], eps, "does not classify", y=y, names=names, eps=eps)
                    require_at_most(least, rho, "fewer layers than the least", y=y, names=names, eps=eps)
                worse |= min(errors) <= eps and errors[-1] > errors[rho - 1]
            collapsed = statement.classifies((Fraction(2, 5),), eps)  # one layer, all features 0
            require_equal(collapsed, eps >= Fraction(2, 5), "when one layer classifies", eps=eps)
    require_equal(worse, statement.later == "open", "the errors of later layers")


@cache
def minimal(y, eps):
    return generalisation.minimal_ncc_depth(LAYERS, POINTS, y, eps, max_depth=3).depth


@cache
def effective(y, names, eps):
    F, features = POINTS, []
    for i in names:
        F = LAYERS[i](F)
        features.append(F)
    return generalisation.effective_depth(features, y, eps).depth


@claim.check(
    "property",
    covers=Instances("random features of up to four layers, N ≤ 8, 50 drawn"),
    blind_to={"layers counted from 0": "one network", "all compositions": "one network"},
)
@example(layers=[[0, 0, 0, 0]], eps=0, tilt=0)
@example(layers=[[0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]], eps=0, tilt=0)
@example(layers=[[0, 0, 1, 1], [0, 1, 0, 1]], eps=0, tilt=0)
@example(layers=[[0, 1, 1, 1], [0, 0, 1, 1]], eps=1, tilt=0)
@given(
    layers=st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=4),
    eps=st.integers(0, 2), tilt=st.integers(0, 2),
)  # fmt: skip
def test_random_networks(statement, layers, eps, tilt):
    features = [np.array([F, [tilt * f for f in F]], float) for F in layers]
    found = generalisation.effective_depth(features, [0, 0, 1, 1], eps / 4)
    rho = statement.effective(found.errors, eps / 4)
    require_equal(rho, found.depth, "another depth", layers=layers, eps=eps)
    classifies = statement.classifies(found.errors, eps / 4)
    require_equal(classifies, found.attained, "when it classifies", layers=layers, eps=eps)
    if classifies and statement.later == "no larger":
        require_at_most(found.errors[-1], found.errors[rho - 1], "later layers err more", layers=layers)
