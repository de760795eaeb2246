r"""A bound by the mean CDNV can be large although the error is small (review, Section 4.3, after equation 54).

Of u classes the first two have the features $\mp\fracε2\pmσ$, each sign with probability ½, and the others a point
each, far from them and from each other; a task is a pair of classes, n = 1. The first two have V = r², r = σ/ε, and
the others nearly 0, so the mean over the u(u−1)/2 pairs tends to $2r^2/(u(u-1))$. No pair but the first has an error;
that pair has 3/8 for each r > ½: of the eight signs of the test sample and the two samples three are wrong. So with
$u\to\infty$ and $r\gg u$ the mean CDNV is as large, and the error as small, as one likes.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from typing import Any, NamedTuple

import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from theory.generalisation import cdnv, transfer_error_bound


class Family(NamedTuple):
    """The limit of the mean CDNV as the other classes move away, and the error, of u classes and r = σ/ε > ½."""

    cdnv: Callable[[Any, Any], Any]
    error: Callable[[Any], Any]


true = Family(lambda u, r: 2 * r**2 / (u * (u - 1)), lambda u: 3 / (4 * u * (u - 1)))

claim = Claim(
    id="review.eq-54.vacuous",
    title="A bound by the mean CDNV can be large although the error is small",
    source="review, Section 4.3, after equation 54",
    verdict="holds",
    depends_on=["review.eq-54"],
    printed=Statement(
        r"\text{when } \|\mu_f(P_{C_i}) - \mu_f(P_{C_j})\|_2 \text{ tends to be very small, the transfer error can be "
        r"small and the upper bound very large: an anomalous pair of target classes, of infinitely many (read: there "
        r"is such a family; of } u \text{ classes two at the distance } \varepsilon \text{ with the standard deviation "
        r"} r\varepsilon\text{, one sample a class: mean CDNV } \to \frac{2r^2}{u(u-1)}, \text{ error } "
        r"\frac3{4u(u-1)} \text{ for all } r > \tfrac12)",
        true,
        formulas={
            r"\frac{2r^2}{u(u-1)}": lambda family, u, r: family.cdnv(u, r),
            r"\frac3{4u(u-1)}": lambda family, u: family.error(u),
        },
    ),
    near_misses={
        "r for r²": true._replace(cdnv=lambda u, r: 2 * r / (u * (u - 1))),
        "one of u² pairs": true._replace(cdnv=lambda u, r: 2 * r**2 / u**2),
        "half of the pair's samples wrong": true._replace(error=lambda u: 1 / (u * (u - 1))),
        "an error that grows as the CDNV": true._replace(error=lambda u: 3 / (4 * (u - 1))),
    },
)


def wrong_signs(epsilon, sigma, nearer):
    """How many of the 2 · 8 choices of class and signs of x, a, b are wrong; nearer(p, q): |p| < |q|."""
    count = 0
    for own, sx, sa, sb in product((-1, 1), repeat=4):
        x = own * epsilon / 2 + sx * sigma
        count += nearer(x + own * epsilon / 2 - sb * sigma, x - own * epsilon / 2 - sa * sigma)
    return count


@claim.check("derived", covers="all")
def test_signs(statement):
    e, s, u, r = sp.symbols("e s u r", positive=True)

    def nearer(p, q):
        # σ = ε/2 + s: p² − q² has coefficients of one sign, or is 0 just if it is 0 identically
        signs = {sp.sign(c) for c in sp.Poly(sp.expand(p**2 - q**2), e, s).coeffs()}
        assert len(signs) == 1
        return signs == {-1}

    pairs = u * (u - 1) / 2
    wrong = sp.Rational(wrong_signs(e, e / 2 + s, nearer), 16)
    require_equal(sp.simplify(statement.error(u) - wrong / pairs), 0, "another error")
    sigma = r * e  # the two variances are σ², the distance of the means is ε
    require_equal(sp.simplify(statement.cdnv(u, r) - (2 * sigma**2 / (2 * e**2)) / pairs), 0, "another mean CDNV")
    # As large and as small as one likes: of r the error does not depend.
    require_equal(sp.limit(statement.cdnv(u, u**2), u, sp.oo), sp.oo, "the mean CDNV does not grow")
    require_equal(sp.limit(statement.error(u), u, sp.oo), 0, "the error does not vanish")


def family(u, r, far):
    """Error and mean CDNV with ε = 1 and the others at multiples of `far`, by enumeration."""
    half = Fraction(1, 2)
    points = [(-half - r, -half + r), (half - r, half + r), *[(k * far,) * 2 for k in range(1, u - 1)]]
    pairs, wrong, total = list(combinations(range(u), 2)), 0, Fraction(0)
    for i, j in pairs:
        for a, b, x in product(points[i], points[j], (0, 1)):
            wrong += (abs(points[i][x] - b) <= abs(points[i][x] - a)) + (abs(points[j][x] - a) <= abs(points[j][x] - b))
        means = [sum(points[k]) / 2 for k in (i, j)]
        spread = sum((points[k][0] - points[k][1]) ** 2 / Fraction(4) for k in (i, j))
        total += spread / (2 * (means[0] - means[1]) ** 2)
    return Fraction(wrong, 16 * len(pairs)), total / len(pairs)


@claim.check("exact", covers=Instances("u ≤ 8, r = 1, 7, 1000; others at 10⁶ r and more, in rationals"))
def test_enumeration(statement):
    for u, r in product((2, 3, 5, 8), (Fraction(1), Fraction(7), Fraction(1000))):
        error, average = family(u, r, 10**6 * r)
        require_equal(Fraction(statement.error(Fraction(u))), error, "another error", u=u, r=int(r))
        # what is left of the far ones is below 10⁻¹¹ of the mean
        require_close(float(statement.cdnv(Fraction(u), r)), float(average), "another mean", rtol=1e-9, u=u, r=int(r))
        bound = transfer_error_bound(average, 2, 1)
        require_at_most(float(error), bound, "the bound does not hold", u=u)


@claim.check("property", covers=Instances("u ≤ 6, ½ < r ≤ 10³, 50 drawn"))
@given(st.integers(2, 6), st.fractions(Fraction(51, 100), 1000, max_denominator=100))
def test_any_ratio(statement, u, r):
    error, _ = family(u, r, 10**6 * r)
    require_equal(Fraction(statement.error(Fraction(u))), error, "another error", u=u, r=str(r))
    spread, positions = float(r), [-0.5, 0.5, *(1e6 * float(r) * k for k in range(1, u - 1))]
    average = cdnv([positions], [spread**2, spread**2, *[0.0] * (u - 2)]).sum() / (u * (u - 1))
    require_close(float(statement.cdnv(u, spread)), average, "another mean CDNV", rtol=1e-9, u=u, r=spread)
