"""numerics.kernels: values and gradients by definition, at every size of the points; wrong input."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.kernels import COINCIDENCE, Gaussian, Laplace, Linear, Linearised, squared_distances

F64 = torch.float64


def points(n, d, seed=0, dtype=F64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def metric(d, seed=1):
    B = points(d, d, seed)
    M = B @ B.T / d
    return 0.5 * (M + M.T)


KERNELS = {
    "laplace": (lambda M: Laplace(1.7, M=M), lambda r, inner: torch.exp(-r / 1.7)),
    "gaussian": (lambda M: Gaussian(1.7, M=M), lambda r, inner: torch.exp(-(r**2) / (2 * 1.7**2))),
    "linear": (lambda M: Linear(M=M), lambda r, inner: inner),
}


def definition(function, x, z, M):
    """k(x, z) for two vectors, straight from its formula."""
    difference = x - z
    return function(torch.sqrt(difference @ M @ difference), x @ M @ z)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mahalanobis", [False, True])
def test_values_and_gradients_are_those_of_the_definition(name, mahalanobis):
    make, function = KERNELS[name]
    X, Z = points(6, 4, 2), points(5, 4, 3)
    M = metric(4) if mahalanobis else None
    full = torch.eye(4, dtype=F64) if M is None else M
    kernel = make(M)
    values = torch.stack([torch.stack([definition(function, x, z, full) for z in Z]) for x in X])
    torch.testing.assert_close(kernel(X, Z), values, rtol=1e-13, atol=1e-14)
    gradient = torch.func.grad(lambda x, z: definition(function, x, z, full))
    expected = torch.stack([torch.stack([gradient(x, z) for z in Z]) for x in X])
    torch.testing.assert_close(kernel.gradient(X, Z), expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(kernel.diagonal(X), kernel(X).diagonal(), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("kernel", [Laplace(0.8), Gaussian(0.8), Linear()])
def test_a_kernel_matrix_is_exactly_symmetric_and_positive_semidefinite(kernel):
    K = kernel(points(300, 7))
    assert torch.equal(K, K.T)
    # Eigenvalues are off by at most about n machine epsilons of the largest.
    values = torch.linalg.eigvalsh(K)
    assert values[0] > -300 * 2.3e-16 * values[-1]


def test_linearised_kernel_perturbs_the_training_points_alone():
    X = points(4, 6)
    torch.testing.assert_close(Linearised(0.3)(X), X @ X.T + 0.3 * torch.eye(4, dtype=F64))
    torch.testing.assert_close(Linearised(0.3)(X, X.clone()), X @ X.T)
    assert torch.equal(Linearised(0.3).gradient(X), Linear().gradient(X))
    torch.testing.assert_close(Linearised(0.5).diagonal(points(6, 3)), Linearised(0.5)(points(6, 3)).diagonal())


def test_equal_points_are_at_distance_zero_and_have_no_gradient():
    X = points(5, 3)
    X[4] = X[1]
    assert squared_distances(X)[1, 4] == 0.0
    for kernel in (Laplace(2.0), Gaussian(2.0)):
        assert kernel(X)[1, 4] == 1.0
        gradient = kernel.gradient(X)
        assert torch.isfinite(gradient).all()
        assert not gradient[1, 4].any()
        assert not gradient[2, 2].any()
        assert gradient[1, 2].any()


def test_points_nearer_than_the_coincidence_radius_have_no_gradient():
    X = torch.zeros(3, 1, dtype=F64)
    X[1] = 1.0
    radius = (2.0 / 3.0) * COINCIDENCE[F64]  # the largest distance from the mean is 2/3
    X[2] = 0.5 * radius
    assert not Laplace(1.0).gradient(X)[0, 2].any()
    X[2] = 2.0 * radius
    assert Laplace(1.0).gradient(X)[0, 2].item() == pytest.approx(1.0)


def test_float32_stays_float32():
    X = points(4, 3, dtype=torch.float32)
    for kernel in (Laplace(1.0), Gaussian(1.0), Linear()):
        assert kernel(X).dtype == kernel.gradient(X).dtype == torch.float32
        torch.testing.assert_close(kernel(X).double(), kernel(X.double()), rtol=1e-5, atol=1e-6)


@pytest.mark.any_type
@pytest.mark.parametrize("make", [Laplace, Gaussian])
@pytest.mark.parametrize(
    ("bandwidth", "error"),
    [(0.0, ValueError), (-1, ValueError), (float("nan"), ValueError), ("two", ValueError), ([2.0], TypeError)],
)
def test_bandwidths_must_be_positive(make, bandwidth, error):
    with pytest.raises(error, match="bandwidth"):
        make(bandwidth)


@pytest.mark.any_type
@pytest.mark.parametrize(
    ("M", "message"),
    [
        (torch.eye(2, 3, dtype=F64), "square"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]], dtype=F64), "symmetric"),
        (torch.diag(torch.tensor([1.0, -1.0], dtype=F64)), "semi-definite"),
        (torch.full((2, 2), torch.inf, dtype=F64), "NaN or infinity"),
    ],
)
def test_mahalanobis_matrices_must_be_symmetric_psd(M, message):
    with pytest.raises(ValueError, match=message):
        Laplace(1.0, M=M)


def test_wrong_points():
    X = points(3, 2)
    with pytest.raises(TypeError, match=r"X is a ndarray; X must be a torch\.Tensor"):
        Laplace(1.0)(np.ones((2, 2)))
    with pytest.raises(ValueError, match="shape"):
        Laplace(1.0)(X[0])
    with pytest.raises(ValueError, match="shape"):
        Laplace(1.0)(X[:0])
    with pytest.raises(ValueError, match=r"torch.int64"):
        Laplace(1.0)(X.long())
    with pytest.raises(ValueError, match="Z must have 2 columns"):
        Laplace(1.0)(X, points(3, 4))
    with pytest.raises(ValueError, match="float32"):
        Laplace(1.0)(X, X.float())
    with pytest.raises(ValueError, match="M is 3 × 3"):
        Laplace(1.0, M=torch.eye(3, dtype=F64))(X)
    bad = X.clone()
    bad[1, 0] = torch.nan
    with pytest.raises(ValueError, match="first in row 1"):
        Gaussian(1.0)(bad)
    with pytest.raises(ValueError, match="lam"):
        Linearised(-0.1)
    with pytest.raises(ValueError, match="X is sparse or nested; X must be dense"):
        Laplace(1.0)(X.to_sparse())
    with pytest.raises(ValueError, match="the device meta, which holds no numbers"):
        Laplace(1.0)(X.to("meta"))


@pytest.mark.parametrize("kernel", [Laplace(1.0), Gaussian(1.0), Linear()])
def test_a_gradient_that_would_be_cut_is_refused_and_one_of_nothing_taken(kernel):
    X = points(3, 2)
    followed = X.clone().requires_grad_()
    for call in (kernel, kernel.gradient, lambda Z: kernel(X, Z)):
        with pytest.raises(ValueError, match=r"must be detached: .\.detach\(\)"):
            call(followed)
    with torch.no_grad():
        assert torch.equal(kernel(followed), kernel(X))


@pytest.mark.any_type
def test_numbers_of_every_type_are_taken_and_kept_plain():
    for two in (2, np.float32(2), np.int8(2), Fraction(2), "2", torch.tensor(2.0)):
        assert type(Laplace(two).bandwidth) is type(Linearised(two).lam) is float
        assert Gaussian(two).bandwidth == Linearised(two).lam == 2.0


SIZES = [(torch.float32, 2.0**66), (torch.float32, 2.0**-66), (F64, 2.0**498), (F64, 2.0**-498)]  # 1e±20 and 1e±150


def collapsing(dtype):
    """Points apart, near and coincident."""
    X = points(60, 7, 3, dtype)
    X[20:40] = X[:20] + 1e-4 * points(20, 7, 4, dtype)
    X[40:50] = X[:10]
    return X


@pytest.mark.parametrize(("dtype", "size"), SIZES)
@pytest.mark.parametrize("make", [Laplace, Gaussian])
def test_points_of_any_size_have_the_kernel_of_the_rescaled_points(dtype, size, make):
    X, Z = collapsing(dtype), points(9, 7, 5, dtype)
    assert torch.equal(make(size)(size * X), make(1.0)(X))
    assert torch.equal(make(size)(size * X, size * Z), make(1.0)(X, Z))
    assert torch.equal(make(size).gradient(size * X), make(1.0).gradient(X) / size)


@pytest.mark.parametrize(("dtype", "size"), SIZES)
def test_inner_products_that_no_number_holds_are_refused_and_others_right(dtype, size):
    X = points(9, 7, 5, dtype)
    if dtype == F64:
        torch.testing.assert_close(Linear()(size * X), Linear()(X) * size**2, rtol=1e-13, atol=0.0)
        torch.testing.assert_close(Linear().diagonal(size * X), Linear().diagonal(X) * size**2, rtol=1e-13, atol=0.0)
    else:
        for call in (Linear(), Linear().diagonal):
            with pytest.raises(ValueError, match=r"which torch\.float32 cannot hold; take float64, or scale the data"):
                call(size * X)
    torch.testing.assert_close(Linear().gradient(size * X), Linear().gradient(X) * size)


@pytest.mark.parametrize("make", [Laplace, Gaussian])
@pytest.mark.parametrize("dtype", [F64, torch.float32])
def test_bandwidths_of_any_size_have_values_and_refuse_gradients_that_vanish(make, dtype):
    X = points(5, 3, dtype=dtype)
    assert torch.equal(make(1e-300)(X), torch.eye(5, dtype=dtype))
    assert torch.equal(make(1e300)(X), torch.ones(5, 5, dtype=dtype))
    assert not make(1e-300).gradient(X).any()
    with pytest.raises(ValueError, match="times the size of the points; it must be at most"):
        make(1e300).gradient(X)
