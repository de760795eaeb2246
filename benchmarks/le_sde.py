"""The stochastic equation of local elasticity: all paths at once against a plain loop over them in NumPy.

Both take the same steps of Heun's scheme with the same noise per path and step, and are compared: their means and
variances agree within the statistical error. Run it with `OMP_NUM_THREADS=1 python benchmarks/le_sde.py`; it takes
less than a minute on one core.
"""

import numpy as np
import record

from theory import local_elasticity

SIZES = [(2, 10, 1), (4, 25, 4), (10, 50, 10)]  # classes, samples a class, features
ALPHA, BETA, SIGMA, STEPS = 1.0, -0.25, 0.5, 50


def start(K, n, m):
    return np.repeat(np.random.default_rng(0).normal(size=(m, K)), n, axis=1)


def all_at_once(K, n, m, paths):
    grid = np.linspace(0, 1, STEPS + 1)
    return local_elasticity.simulate_le_sde(start(K, n, m), K, ALPHA, BETA, SIGMA, grid, paths=paths, seed=0)


def loop(K, n, m, paths):
    """One path after the other, the slopes by matrices of the classes: what one writes down first."""
    rng, h = np.random.default_rng(1), 1 / STEPS
    E = local_elasticity.impact_matrix(K, ALPHA, BETA) / K
    ends = []
    for _ in range(paths):
        F = start(K, n, m).reshape(m, K, n).copy()
        for _ in range(STEPS):
            noise = SIGMA * np.sqrt(h) * rng.standard_normal(F.shape)
            slope = F.mean(axis=2) @ E.T
            ahead = (F + h * slope[:, :, None] + noise).mean(axis=2) @ E.T
            F = F + noise + h / 2 * (slope + ahead)[:, :, None]
        ends.append(F.reshape(m, K * n))
    return np.array(ends)


def apart(first, second):
    """The largest difference of the means of the entries of two sets of paths, in standard errors."""
    error = np.sqrt(first.var(axis=0) / len(first) + second.var(axis=0) / len(second))
    return float(np.abs((first.mean(axis=0) - second.mean(axis=0)) / error).max())


def measure(K, n, m):
    many, few = max(200, 200_000 // (K * n * m)), 20
    fast = record.seconds(lambda: all_at_once(K, n, m, many), 7)
    slow = record.seconds(lambda: loop(K, n, m, few), 7)
    rates = [paths * STEPS / times["median"] for paths, times in ((many, fast), (few, slow))]
    return {
        "classes": K,
        "samples_a_class": n,
        "features": m,
        "steps": STEPS,
        "paths": many,
        "seconds": fast,
        "paths_of_the_loop": few,
        "seconds_of_the_loop": slow,
        "path_steps_per_second": round(rates[0]),
        "path_steps_per_second_of_the_loop": round(rates[1]),
        "times_faster": round(rates[0] / rates[1], 1),
        "difference_in_standard_errors": apart(all_at_once(K, n, m, 2000 // m), loop(K, n, m, 400)),
    }


def main():
    results = [measure(*sizes) for sizes in SIZES]
    for result in results:
        print(*(f"{key} {value}" for key, value in result.items() if not isinstance(value, dict)), sep=", ")
    print(record.write("le_sde", {"sizes": results}, "numpy", "scipy"))


if __name__ == "__main__":
    main()
