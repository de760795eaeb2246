"""The AGOP of a Laplace kernel machine: this library, the straightforward form and xrfm. Writes results/agop.json.

    OMP_NUM_THREADS=1 python benchmarks/agop.py                  # CPU, one thread, process time
    python benchmarks/agop.py --device cuda                      # GPU, wall time; writes results/agop_cuda.json

Every measurement is a process of its own, so that its peak of memory is its own (the resident set above that before
the call; on a GPU what torch allocated). Rounds go over all methods in turn, and ratios are taken within a round. In
float64 and float32, with the product's rate in the same dtype; where the time of ours goes is in the results as well.

straightforward  distances by torch.cdist, P, then all n·C gradients by one batched product, then their products: the
                 formulation of the paper's code, without blocks
xrfm kernel      xrfm's LaplaceKernel.get_agop without a matrix M
xrfm RFM         RFM.update_M of the same package, as its fit calls it for the first AGOP: with M = I, multiplied out
"""

import argparse
import cProfile
import itertools
import json
import pstats
import resource
import subprocess
import sys
import time
from pathlib import Path

import record
import torch

SIZES = [(2000, 3072, 10), (2000, 1024, 10), (4000, 1024, 10), (8000, 512, 10)]
METHODS = ["ours", "straightforward", "xrfm kernel", "xrfm RFM"]
# Where the two routes cost about the same, and far to either side.
ROUTES = [(1000, 64, 1), (2000, 64, 2), (2000, 128, 10), (2000, 512, 2), (1000, 512, 10)]
BANDWIDTH = 2.0


def problem(n, d, c, device, dtype):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, d, generator=generator, dtype=torch.float64)
    alpha = torch.randn(n, c, generator=generator, dtype=torch.float64)
    return (X / X.norm(dim=1, keepdim=True)).to(device, dtype), alpha.to(device, dtype)


def straightforward(X, alpha):
    distances = torch.cdist(X, X)
    factor = torch.exp(-distances / BANDWIDTH) / distances.clamp_min(1e-10) * (distances >= 1e-10) / -BANDWIDTH
    terms = (alpha.T[:, None, :] * factor) @ X
    gradients = ((factor @ alpha).T[:, :, None] * X - terms).reshape(-1, X.shape[1])
    return gradients.T @ gradients / len(X)


def xrfm_kernel(X, alpha):
    from xrfm.rfm_src.kernels import LaplaceKernel

    return LaplaceKernel(bandwidth=BANDWIDTH, exponent=1.0).get_agop(X, X, alpha.T.contiguous()) / len(X)


def xrfm_rfm(X, alpha):
    from xrfm import RFM
    from xrfm.rfm_src.kernels import LaplaceKernel

    model = RFM(kernel=LaplaceKernel(bandwidth=BANDWIDTH, exponent=1.0), device=str(X.device), diag=False)
    model.centers, model.weights, model.M, model.sqrtM = X, alpha, None, None
    model.center_grads = False
    return model.update_M(X) / len(X)


def ours(route):
    from numerics.agop import kernel_agop
    from numerics.kernels import Laplace

    return lambda X, alpha: kernel_agop(Laplace(BANDWIDTH), X, alpha, route=route)


FUNCTIONS = {
    "ours": ours("auto"),
    "ours, samples": ours("samples"),
    "ours, features": ours("features"),
    "straightforward": straightforward,
    "xrfm kernel": xrfm_kernel,
    "xrfm RFM": xrfm_rfm,
}


def clock(device):
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def measure(method, n, d, c, device, dtype):
    """Seconds, peak bytes and a checksum of one call, after one on a small problem."""
    if method == "product":
        A = torch.randn(n, d, dtype=dtype, device=device)
        B = torch.randn(d, c, dtype=dtype, device=device)
        A @ B
        start = clock(device)
        A @ B
        return {"seconds": clock(device) - start}
    function = FUNCTIONS[method.removesuffix(", profile")]
    function(*problem(300, 50, 3, device, dtype))
    X, alpha = problem(n, d, c, device, dtype)
    if method.endswith(", profile"):
        return profile(lambda: function(X, alpha))
    before = peak(device)
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    start = clock(device)
    result = function(X, alpha)
    taken = clock(device) - start
    return {"seconds": taken, "bytes": peak(device) - before, "norm": float(torch.linalg.matrix_norm(result))}


def profile(function):
    """The share of the time that each of the library's own functions takes, with all it calls; from 2 % on."""
    profiler = cProfile.Profile()
    profiler.runcall(function)
    stats = pstats.Stats(profiler)
    own = {
        f"{Path(file).stem}.{name}": cumulative / stats.total_tt
        for (file, _, name), (_, _, _, cumulative, _) in stats.stats.items()
        if "numerics" in Path(file).parts
    }
    return {name: round(share, 3) for name, share in sorted(own.items(), key=lambda one: -one[1]) if share >= 0.02}


def peak(device):
    if device == "cpu":
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return torch.cuda.max_memory_allocated()


def in_process(*arguments):
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else str(done.returncode)}
    return json.loads(done.stdout)


def summary(values):
    return {key: round(value, 4) for key, value in record.spread(values).items()}


def row(size, methods, rounds, device, dtype, flops_of):
    """All methods in turn, ``rounds`` times."""
    runs = {method: [] for method in methods}
    products = []
    for _ in range(rounds):
        products.append(2 * 4096**3 / in_process("product", 4096, 4096, 4096, device, dtype)["seconds"])
        for method in methods:
            runs[method].append(in_process(method, *size, device, dtype))
    entry = {
        "n, d, c": list(size),
        "dtype": dtype,
        "rounds": rounds,
        "product_GFlops": summary([p / 1e9 for p in products]),
        "methods": {},
    }
    first = runs[methods[0]]
    for method, found in runs.items():
        if any("failed" in one for one in found):
            entry["methods"][method] = {"failed": next(one["failed"] for one in found if "failed" in one)}
            continue
        times = [one["seconds"] for one in found]
        flops = flops_of(method, size)
        entry["methods"][method] = {
            "seconds": summary(times),
            "peak_MB": round(max(one["bytes"] for one in found) / 1e6),
            "times_as_long": summary([a["seconds"] / b["seconds"] for a, b in zip(found, first, strict=True)]),
            "norm_of_result": found[0]["norm"],
        }
        if flops is not None:
            entry["methods"][method]["share_of_product_rate"] = summary(
                [flops / one["seconds"] / rate for one, rate in zip(found, products, strict=True)]
            )
    print(json.dumps(entry, ensure_ascii=False), flush=True)
    return entry


def flops(method, size):
    """Those that the chosen route needs, by numerics.agop.agop_cost."""
    from numerics.agop import agop_cost

    cost = agop_cost(*size)
    if method == "ours":
        return min(cost.values())
    return cost[method.removeprefix("ours, ")] if method.startswith("ours, ") else None


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        method, *size, device, dtype = arguments.one
        print(json.dumps(measure(method, *map(int, size), device, getattr(torch, dtype))))
        return
    device = arguments.device
    results = {
        "device": device if device == "cpu" else torch.cuda.get_device_name(),
        "clock": "process time" if device == "cpu" else "wall",
        "sizes": [],
        "routes": [],
    }
    if device == "cpu":
        results["cuda"] = "not measured"
    name = "agop" if device == "cpu" else "agop_cuda"
    for size, dtype in itertools.product(SIZES, ["float64", "float32"]):
        entry = row(size, METHODS, arguments.rounds, device, dtype, flops)
        entry["share_of_the_time_of_ours"] = in_process("ours, profile", *size, device, dtype)
        results["sizes"].append(entry)
        record.write(name, results, "torch", "xrfm")
    for size in ROUTES:
        entry = row(size, ["ours, samples", "ours, features"], arguments.rounds, device, "float64", flops)
        entry["predicted_features_over_samples"] = round(
            flops("ours, features", size) / flops("ours, samples", size), 2
        )
        results["routes"].append(entry)
        path = record.write(name, results, "torch", "xrfm")
    print(path)


if __name__ == "__main__":
    main()
