"""numerics.kernels.solve_kernel: regular and singular matrices of every size, wrong input."""

import pytest
import torch

from numerics.kernels import Laplace, extreme_eigenvalue, solve_kernel

F64 = torch.float64


def points(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_a_regular_matrix_is_solved_and_its_condition_known(ridge):
    K = Laplace(2.0)(points(80, 5))
    Y = points(80, 3, 1)
    regular = K + ridge * torch.eye(80, dtype=F64)
    solution = solve_kernel(K.clone(), Y, ridge=ridge)
    torch.testing.assert_close(solution.alpha, torch.linalg.solve(regular, Y))
    assert (solution.method, solution.rank, solution.singular) == ("cholesky", 80, False)
    assert solution.condition == pytest.approx(float(torch.linalg.cond(regular)), rel=0.05)
    assert solution.residual < 1e-13


def singular_problem(n=60, copies=3):
    """Every point several times, and targets that agree on the copies."""
    X = points(n // copies, 4).repeat_interleave(copies, dim=0)
    Y = points(n // copies, 2, 1).repeat_interleave(copies, dim=0)
    return Laplace(2.0)(X), Y


@pytest.mark.parametrize("method", ["pinv", "jitter"])
def test_a_singular_matrix_gives_the_pseudo_inverse_solution(method):
    K, Y = singular_problem()
    expected = torch.linalg.pinv(K, hermitian=True, rtol=1e-10) @ Y
    solution = solve_kernel(K.clone(), Y, singular=method)
    assert solution.method == method
    assert solution.singular
    copies = solution.alpha.view(20, 3, 2)
    torch.testing.assert_close(copies.sum(dim=1), expected.view(20, 3, 2).sum(dim=1), rtol=1e-9, atol=1e-9)
    # How the sum is shared among copies: equally. Jitter resolves that to machine epsilon over itself, 1/60 here.
    torch.testing.assert_close(
        copies, copies.mean(dim=1, keepdim=True).expand_as(copies), rtol=0.0, atol=1e-9 if method == "pinv" else 1 / 60
    )
    assert solution.residual < 1e-12
    assert solution.condition > 1e14
    assert solution.shift > 0.0
    assert solution.rank == (20 if method == "pinv" else 60)


def test_contradictory_targets_on_equal_points_leave_a_residual_that_is_reported():
    K = torch.ones(2, 2, dtype=F64)
    solution = solve_kernel(K, torch.tensor([[1.0], [0.0]], dtype=F64), singular="pinv")
    torch.testing.assert_close(solution.alpha, torch.full((2, 1), 0.25, dtype=F64))
    assert solution.residual == pytest.approx(0.5**0.5)


def test_lanczos_finds_the_largest_eigenvalue_from_below():
    A = points(200, 200)
    A = A @ A.T
    largest = float(torch.linalg.eigvalsh(A)[-1])
    estimate = extreme_eigenvalue(lambda v: A @ v, A)
    assert 0.99 * largest < estimate < largest * (1 + 1e-12)
    assert extreme_eigenvalue(lambda v: 3.0 * v, points(5, 1)) == pytest.approx(3.0)


def test_wrong_input_to_kernel_regression():
    K, Y = singular_problem()
    with pytest.raises(ValueError, match="square"):
        solve_kernel(K[:, :5], Y)
    with pytest.raises(ValueError, match="one row a point: 60"):
        solve_kernel(K, Y[:5])
    with pytest.raises(ValueError, match="ridge"):
        solve_kernel(K, Y, ridge=-1.0)
    with pytest.raises(ValueError, match="singular must be"):
        solve_kernel(K, Y, singular="ignore")
    for method in ("pinv", "jitter"):
        with pytest.raises(ValueError, match=r"K has (the|an) eigenvalue .*semi-definite"):
            solve_kernel(torch.diag(torch.tensor([1.0, -1.0], dtype=F64)), Y[:2], singular=method)


def test_refinement_takes_off_the_jitter():
    """An eigenvalue of 10⁻¹² is moved by the jitter by 7·10⁻⁴ of its size; steps of Riley's refinement give it back."""
    eigenvalue = 1e-12
    K, Y = torch.diag(torch.tensor([1.0, eigenvalue, 0.0], dtype=F64)), torch.tensor([[0.0], [1.0], [0.0]], dtype=F64)
    solution = solve_kernel(K, Y, singular="jitter")
    assert solution.shift / eigenvalue > 1e-4
    assert solution.residual < 1e-13
    torch.testing.assert_close(solution.alpha, Y / eigenvalue, rtol=1e-13, atol=0.0)


def test_an_asymmetric_matrix_is_refused_and_the_rounding_of_a_product_is_not():
    K, Y = singular_problem()
    K[3, 5] += 1e-3
    with pytest.raises(ValueError, match=r"K differs from its transpose by 0\.001; K must be symmetric"):
        solve_kernel(K, Y)
    with pytest.raises(ValueError, match="symmetric"):
        solve_kernel(torch.tensor([[1.0, 0.5], [0.0, 1.0]]), torch.ones(2, 1))
    X = points(60, 60)
    K = X @ X.T  # as a user writes it
    K[3, 5] *= 1.0 + 2e-16
    torch.testing.assert_close(solve_kernel(K.clone(), Y).alpha, torch.linalg.solve(K, Y))


@pytest.mark.parametrize("size", [2.0**498, 2.0**-498])
@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_matrices_and_targets_of_any_size_have_the_coefficients_of_the_rescaled(size, ridge):
    X, Y = points(60, 60), points(60, 2, 1)
    K = X @ X.T
    expected = solve_kernel(K.clone(), Y, ridge=ridge)
    for solution, factor in (
        (solve_kernel(size * K, Y, ridge=ridge * size), 1.0 / size),
        (solve_kernel(K.clone(), size * Y, ridge=ridge), size),
        (solve_kernel(size * K, size * Y, ridge=ridge * size), 1.0),
    ):
        torch.testing.assert_close(solution.alpha, factor * expected.alpha, rtol=1e-9, atol=0.0)
        assert solution.condition == pytest.approx(expected.condition, rel=1e-9)
        assert solution.residual == pytest.approx(expected.residual, rel=1.0, abs=1e-13)
    with pytest.raises(ValueError, match="the coefficients are of size 1e"):
        solve_kernel(K.clone() * 2.0**-900, Y * 2.0**900)


def test_a_gradient_that_would_be_cut_is_refused():
    K, Y = singular_problem()
    with pytest.raises(ValueError, match=r"Y must be detached: Y\.detach\(\)"):
        solve_kernel(K, Y.requires_grad_())


@pytest.mark.parametrize(("below", "times"), [(1e-15, 1), (1e-14, 4), (3e-14, 16), (1e-13, 64)])
def test_the_jitter_grows_by_four_until_it_is_enough(below, times):
    K = torch.diag(torch.tensor([1.0, 1.0, -below], dtype=torch.float64))
    ones = torch.ones(3, 1, dtype=torch.float64)
    least = solve_kernel(torch.diag(torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)), ones, singular="jitter").shift
    found = solve_kernel(K, ones, singular="jitter")
    assert found.method == "jitter"
    assert found.shift == pytest.approx(times * least)
    assert found.shift / 4 < max(below, least) < found.shift * 4
