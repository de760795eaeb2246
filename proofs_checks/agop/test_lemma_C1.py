r"""The Woodbury inverse formula (agop, Lemma C.1; agop-v1, Lemma A.1).

$$
(P + UV^\top)^{-1} = P^{-1} - P^{-1}U\,(I + V^\top P^{-1}U)^{-1}\,V^\top P^{-1}.
$$

No assumption is printed. The formula speaks of the inverses of P and of $I + V^\top P^{-1}U$; where the first
exists, the second exists exactly when the left side does, which is checked too.
"""

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_at_most, require_equal
from theory import woodbury

ENTRIES = st.integers(-2, 2)


def formula(sign=1, inner=1, left=True, right=True):
    """P⁻¹ − sign · (P⁻¹) U (I + inner · V P⁻¹ U)⁻¹ V (P⁻¹) as a function of P⁻¹, U, Vᵀ, of the inverse and of one."""

    def value(P, U, W, one, inverse):
        core = inverse(one + W * P * U * inner)
        return P - (P if left else 1) * U * core * W * (P if right else 1) * sign

    return value


claim = Claim(
    id="agop.lemma-C1",
    title="Woodbury inverse formula",
    source="agop, Lemma C.1; agop-v1, Lemma A.1",
    verdict="holds",
    printed=Statement(
        r"(P + UV^\top)^{-1} = P^{-1} - P^{-1}U(I + V^\top P^{-1}U)^{-1}V^\top P^{-1}",
        formula(),
    ),
    near_misses={
        "sign of the correction": formula(sign=-1),
        "minus inside the inverse": formula(inner=-1),
        "the last inverse of P dropped": formula(right=False),
        "the first inverse of P dropped": formula(left=False),
    },
)


@claim.check("derived", covers="all")
def test_product_with_the_matrix_is_one(statement):
    # In the free algebra: p is the inverse of P, q that of 1 + w p u. Multiply and cancel by P p = 1 and w p u q = 1
    # − q.
    P, p, u, w, q = sp.symbols("P p u w q", commutative=False)
    given_core = []

    def inverse(core):
        given_core.append(sp.expand(core))
        return q

    product = sp.expand((P + u * w) * statement(p, u, w, sp.Integer(1), inverse))
    sign = 1 if given_core == [1 + w * p * u] else -1  # the inverse of 1 ∓ w p u turns w p u q into ±(1 − q)
    product = sp.expand(product.subs(P * p, 1))
    product = sp.expand(product.subs(w * p * u * q, sign * (1 - q)))
    require_equal(product, 1, "times P + U Vᵀ it is not the identity")


def matrices(rows, columns):
    return st.lists(ENTRIES, min_size=rows * columns, max_size=rows * columns).map(
        lambda entries: fmpq_mat(rows, columns, [fmpq(e) for e in entries])
    )


def identity(size):
    return fmpq_mat(size, size, [fmpq(i == j) for i in range(size) for j in range(size)])


SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 2))
TRIPLES = SHAPES.flatmap(lambda s: st.tuples(matrices(s[0], s[0]), matrices(s[0], s[1]), matrices(s[1], s[0])))


@claim.check("exact", covers=Instances("P up to 3 × 3, U with 1 or 2 columns, entries −2 … 2, drawn at random"))
@given(TRIPLES)
def test_rational_matrices(statement, triple):
    P, U, W = triple
    assume(P.det() != 0)
    core = identity(W.nrows()) + W * P.inv() * U
    require((P + U * W).det() == P.det() * core.det(), "the determinants disagree on what is invertible", P=P, U=U, W=W)
    assume(core.det() != 0)
    try:
        stated = statement(P.inv(), U, W, identity(W.nrows()), lambda matrix: matrix.inv())
    except ZeroDivisionError:
        require(False, "the right side does not exist where the left side does", P=P, U=U, W=W)
    require_equal((P + U * W) * stated, identity(P.nrows()), "not the inverse", P=P, U=U, Vt=W)


@claim.check("property", covers=Instances("as the exact check, in float64"))
@given(TRIPLES)
def test_float64_update(statement, triple):
    assume(triple[0].det() != 0 and (triple[0] + triple[1] * triple[2]).det() != 0)
    try:
        exact = statement(triple[0].inv(), *triple[1:], identity(triple[2].nrows()), lambda matrix: matrix.inv())
    except ZeroDivisionError:
        require(False, "the right side does not exist where the left side does", triple=triple)
    P, U, W, stated = (
        np.array([[float(e.p) / float(e.q) for e in row] for row in m.table()]) for m in (*triple, exact)
    )
    inverse = np.linalg.inv(P)
    updated = woodbury.updated_inverse(inverse, U, W.T)
    # Rounding of the entries of P⁻¹, carried through the product of norms that the formula multiplies out.
    norm = np.linalg.norm
    core = norm(np.linalg.inv(np.eye(len(W)) + W @ inverse @ U)) * norm(U) * norm(W)
    tolerance = (
        1e-15 * norm(P) * norm(inverse) * (norm(inverse) + norm(inverse) ** 2 * core) * (1 + norm(inverse) * core)
    )
    solved = np.linalg.inv(P + U @ W)
    require_at_most(norm(solved - stated), 50 * tolerance, "differs from the inverse by LAPACK", P=P, U=U, Vt=W)
    require_at_most(norm(updated - solved), 50 * tolerance, "woodbury.updated_inverse differs", P=P, U=U, Vt=W)
