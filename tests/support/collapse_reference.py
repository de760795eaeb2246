"""Labelled clusters, and every measure of collapse from the formula that it is printed with."""

import math

import numpy as np
import torch

F64 = torch.float64


def labelled(n, d, K, seed=0, balanced=True, spread=1.0):
    """Gaussian clusters about random means, as tensors X (n, d) and y (n,)."""
    generator = torch.Generator().manual_seed(seed)
    if balanced:
        y = torch.arange(n) % K
    else:
        y = torch.cat([torch.arange(K), torch.randint(0, K, (n - K,), generator=generator) // 2])
    means = 3.0 * torch.randn(K, d, generator=generator, dtype=F64)
    X = means[y] + spread * torch.randn(n, d, generator=generator, dtype=F64)
    return X, y


def naive_measures(X, y, K, weighting):
    """Every measure from the formula it is printed with, in NumPy, by loops."""
    X, y = X.numpy(), y.numpy()
    N, d = X.shape
    groups = [X[y == c] for c in range(K)]
    mu = np.stack([group.mean(axis=0) for group in groups])
    w = np.full(K, 1 / K) if weighting == "classes" else np.array([len(group) / N for group in groups])
    glob = (w[:, None] * mu).sum(axis=0)
    within, between = np.zeros((d, d)), np.zeros((d, d))
    for c, group in enumerate(groups):
        for x in group:
            within += np.outer(x - mu[c], x - mu[c]) / N
        between += w[c] * np.outer(mu[c] - glob, mu[c] - glob)
    M = (mu - glob) / np.linalg.norm(mu - glob, axis=1, keepdims=True)
    etf = np.where(np.eye(K, dtype=bool), 1.0, -1 / (K - 1))
    projector = (np.eye(K) - np.ones((K, K)) / K) / math.sqrt(K - 1)
    pairs = [(i, j) for i in range(K) for j in range(K) if i != j]
    variance = [((group - group.mean(axis=0)) ** 2).sum(axis=1).mean() for group in groups]
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True).reshape(d, d)).clip(0)
    shares = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return {
        "nc1": np.trace(within) / np.trace(between),
        "nc1_pinv": np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / K,
        "nc2": np.linalg.norm(M @ M.T - etf),
        "nc2_normalised": np.linalg.norm(M @ M.T / np.linalg.norm(M @ M.T) - projector),
        "dnc2": np.linalg.cond(mu) if d >= K else math.inf,
        "cdnv": np.mean([(variance[i] + variance[j]) / (2 * ((mu[i] - mu[j]) ** 2).sum()) for i, j in pairs]),
        "effective_rank": math.exp(-(shares * np.log(shares)).sum()),
    }
