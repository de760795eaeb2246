r"""Random ReLU features do not increase distances (agop, Section 4 and appendix A; agop-v1, Section 5.2).

"The distances between data points generally increase, but not drastically. They increase irrespective of the angle",
and "the random feature map will provably separate nearby datapoints". Read, as both versions take W with entries from
N(0, 2/D): the expected squared distance after the layer is at least the one before, for every pair of points.

*As read it is false*, and for every pair: no distance increases, whatever the angle and the norms. *Amended:* for
independent rows w that are distributed as −w, with E wwᵀ = (2/D) I, Gaussian or not, any D and any x, y,

$$
\tfrac12\|x-y\|^2 \le \mathbb E\|\sigma(Wx)-\sigma(Wy)\|^2 \le \|x-y\|^2 ,
$$

with equality on the left for y = −x, on the right if y is a non-negative multiple of x. *Proof.* For a = w·x and
b = w·y, p = σ(a) − σ(b) and q = σ(−b) − σ(−a) have the same sign and p + q = a − b. Hence (a−b)²/2 ≤ p² + q² ≤ (a−b)²,
whose mean over w is twice that of p², as −w is distributed as w. ∎

What is right is the comparison: of unit vectors the nearest lose least (agop-v1.fig4). With variance v/D instead of 2/D
the bounds are v/4 and v/2: every distance grows, for such rows, if v > 4, and none does if v ≤ 2.
"""

import itertools
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import flint
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_at_most, require_equal
from theory.deep_rfm.relu_kernel import enclose_expected_product


class Shares(NamedTuple):
    """The least and the largest E ‖σ(Wx)−σ(Wy)‖²/‖x−y‖², for y = −x and for y = cx, c ≥ 0."""

    least: Fraction = Fraction(1, 2)
    largest: Fraction | float = Fraction(1)


claim = Claim(
    id="agop.distances",
    title="Random ReLU features do not increase distances",
    source="agop, Section 4 and appendix A; agop-v1, Section 5.2",
    verdict="amended",
    printed=Statement(
        r"\text{for all } x \ne y: \quad \mathbb E\|\sigma(Wx)-\sigma(Wy)\|^2 \ge \|x-y\|^2",
        Shares(Fraction(1), float("inf")),
    ),
    amended=Statement(
        r"\text{rows } w \sim -w,\; \mathbb E ww^\top = \tfrac2D I: \quad "
        r"\tfrac12\|x-y\|^2 \le \mathbb E\|\sigma(Wx)-\sigma(Wy)\|^2 \le \|x-y\|^2 \text{, with equality for } y = -x "
        r"\text{ and for } y = cx,\, c \ge 0",
        Shares(),
        formulas={r"\tfrac12": lambda value: value.least},
    ),
    near_misses={
        "kept at every angle": Shares(least=Fraction(1)),
        "a factor 1/√2 for the squares": Shares(least=Fraction(707, 1000)),
        "a quarter": Shares(least=Fraction(1, 4)),
        "by 1 % larger at most": Shares(largest=Fraction(101, 100)),
        "by 1 % smaller at least": Shares(largest=Fraction(99, 100)),
    },
    depends_on=["agop.prop-A1", "agop-v1.fig4"],
    counterexample_code=r"""
from math import pi

# x = (1, 0), y = (0, 1); the rows of W are √(2/D) times one of the vectors (±1, ±1), equally likely: E wwᵀ = 2/D · I.
def relu(t):
    return max(t, 0)

after = sum(2 * (relu(s) - relu(t)) ** 2 for s in (1, -1) for t in (1, -1)) / 4  # w·x ∝ s, w·y ∝ t
print(f"rows of signs: E ‖σ(Wx) − σ(Wy)‖² = {after}, ‖x − y‖² = 2")
assert after == 1

print(f"Gaussian rows: {2 - 2 / pi:.4f}")  # 2 − 2κ(0), κ(0) = 1/π at the right angle
assert 2 - 2 / pi < 2
""",
)


@claim.check("derived", covers="all")
def test_one_feature_and_its_opposite(statement):
    # (p² + q²)/(a − b)² with a ≥ b, case by case, from the definition of σ; mean over w and −w is all that is used.
    s, t = sp.symbols("s t", nonnegative=True)
    values = []
    for a, b in ((s + t, s), (s, -t), (-s, -s - t)):
        p, q = sp.Max(a, 0) - sp.Max(b, 0), sp.Max(-b, 0) - sp.Max(-a, 0)
        require(sp.expand(p + q - (a - b)) == 0, "the parts do not add up", a=a, b=b)
        share = sp.cancel((p**2 + q**2) / (a - b) ** 2)
        if share.is_number:  # a and b of one sign, as for y = cx
            require_equal(share, statement.largest, "another share of one sign", a=a, b=b)
            values.append(share)
            continue
        line = sp.expand(share.subs(t, 1 - s))  # homogeneous: s + t = 1
        require(line.is_polynomial(s), "not homogeneous", share=share)
        critical = [root for root in sp.real_roots(line.diff(s), s) if 0 <= root <= 1]
        values += [line.subs(s, point) for point in (0, 1, *critical)]
        opposite = line.subs(s, sp.Rational(1, 2))  # b = −a, as for y = −x
        require_equal(opposite, statement.least, "another share of opposite points")
    require_equal(min(values), statement.least, "another least share")
    require_equal(max(values), statement.largest, "another largest share")


@cache
def gaussian_product(r):
    return enclose_expected_product(r, digits=12)


@claim.check(
    "enclosed", covers=Instances("Gaussian rows: nine cosines, norms 1 against 1/3, 1 and 2; 24 pairs of points")
)
def test_gaussian_rows(statement):
    cosines = [Fraction(-1), *(Fraction(k, 10) for k in (-9, -5, -1, 0, 3, 7, 9)), Fraction(1)]
    for r, norm in itertools.product(cosines, (Fraction(1, 3), Fraction(1), Fraction(2))):
        if r == norm == 1:
            continue  # the same point
        before = 1 + norm**2 - 2 * norm * r
        product = gaussian_product(r)
        after = flint.arb(flint.fmpq(*(1 + norm**2).as_integer_ratio())) - 2 * _arb(norm) * product
        share = after / _arb(before)
        witness = {"r": r, "norm": norm, "share": float(share)}
        if r == -1 and norm == 1:
            require(share.overlaps(_arb(statement.least)), "another share of opposite points", **witness)
        elif r == 1:
            require(share.overlaps(_arb(statement.largest)), "another share of parallel points", **witness)
        else:
            require(_arb(statement.least) < share < _arb(statement.largest), "outside the bounds", **witness)


def _arb(value):
    return flint.arb(value) if isinstance(value, float) else flint.arb(flint.fmpq(*value.as_integer_ratio()))


@claim.check("property", covers=Instances("rows of equally likely signs, 50 pairs of integer points, d ≤ 4; exact"))
@given(
    st.integers(1, 4).flatmap(
        lambda d: st.tuples(*2 * [st.lists(st.integers(-4, 4), min_size=d, max_size=d)])
    ),
    st.integers(0, 5),
)  # fmt: skip
def test_rows_of_signs(statement, points, factor):
    x, y = points
    if x != y:
        require_at_most(statement.least, share(x, y), "it shrinks more", x=x, y=y)
        require_at_most(share(x, y), statement.largest, "it grows more", x=x, y=y)
    if any(x):
        require_equal(share(x, [-a for a in x]), statement.least, "another share of opposite points", x=x)
        multiple = [(factor if factor != 1 else 6) * a for a in x]
        require_equal(share(x, multiple), statement.largest, "another share of parallel points", x=x)


def share(x, y):
    """E ‖σ(Wx)−σ(Wy)‖²/‖x−y‖² for rows √(2/D) w, w uniform in {−1, 1}^d."""
    total, rows = 0, list(itertools.product((1, -1), repeat=len(x)))
    for w in rows:
        a, b = (sum(i * j for i, j in zip(w, point, strict=True)) for point in (x, y))
        total += 2 * (max(a, 0) - max(b, 0)) ** 2
    return Fraction(total, len(rows) * sum((i - j) ** 2 for i, j in zip(x, y, strict=True)))
