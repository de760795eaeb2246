"""Steps per second of `numerics.descent.train`, against a plain autograd loop and the machine's own bound.

The loop is `torch.nn.Linear` layers, `loss.backward()` and `torch.optim.SGD` with weight decay, one run after the
other. Both are measured in turn, in rounds, so that a slower spell of the machine meets both; ratios are taken within
a round. Times are of the process on a CPU and of the wall on a GPU. The bound is the rate at which the same machine
multiplies large matrices in the same precision, over the operations that one step needs (three products per layer).

    OMP_NUM_THREADS=1 python benchmarks/dufm_training.py
    python benchmarks/dufm_training.py --device cuda

Each writes the rows of its device to results/dufm_training.json and leaves those of the other as they were. About
three minutes on one core.
"""

import json
import time
from functools import partial

import record
import torch

from numerics import descent
from numerics.descent import Network, Problem, flushed_denormals, labels, make_optimizer, shapes, tiles

SIZES = [(10, 4, 64), (15, 4, 64), (50, 5, 256)]
LAM, LR = 5e-4, 0.5
SEEDS = {"cpu": [1, 16, 256], "cuda": [1, 256, 4096]}


class Clock:
    def __init__(self, device):
        self.cuda = device == "cuda"

    def seconds(self, function):
        now = time.perf_counter if self.cuda else time.process_time
        if self.cuda:
            torch.cuda.synchronize()
        start = now()
        function()
        if self.cuda:
            torch.cuda.synchronize()
        return now() - start


def autograd_loop(problem, dtype, device):
    """One run, as most people would write it; returns a function that takes some steps."""
    torch.manual_seed(0)
    features = torch.nn.Parameter(torch.randn(shapes(problem)[0], dtype=dtype, device=device) / 8)
    layers = []
    for rows, columns in shapes(problem)[1:]:
        layers += [torch.nn.Linear(columns, rows, bias=False, dtype=dtype, device=device), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    targets = labels(problem, dtype, device)
    optimizer = torch.optim.SGD([features, *network.parameters()], lr=LR, weight_decay=LAM)

    def steps(count):
        for _ in range(count):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(network(features), targets, reduction="sum") / (2 * problem.N)
            loss.backward()
            optimizer.step()

    return steps


def ours(problem, seeds, dtype, device):
    """The optimiser of `train` on its tiles; returns a function that takes some steps of all runs."""
    generator = torch.Generator().manual_seed(0)
    steppers = []
    with torch.inference_mode():
        for part in tiles(problem, seeds, torch.device(device), dtype):
            runs = len(range(seeds)[part])
            parameters = [
                torch.randn(runs, *shape, generator=generator).to(device, dtype) / 8 for shape in shapes(problem)
            ]
            steppers.append(make_optimizer("gd", Network(problem, parameters), LR))

    def steps(count):
        with torch.inference_mode(), flushed_denormals():
            for stepper in steppers:
                stepper.advance(count)

    return steps


def multiply_rate(dtype, device, clock, size=1536):
    a, b, c = (torch.randn(size, size, dtype=dtype, device=device) for _ in range(3))
    torch.mm(a, b, out=c)
    return 2 * size**3 / min(clock.seconds(lambda: torch.mm(a, b, out=c)) for _ in range(5))


def operations(problem):
    """Floating-point operations of one step: forward, and the gradients of features and weights."""
    return 6 * problem.N * sum(rows * columns for rows, columns in shapes(problem)[1:])


def enough_steps(steps, clock, least):
    """Steps that take about `least` seconds."""
    count = 20
    while True:
        taken = clock.seconds(partial(steps, count))
        if taken > least / 4 or count > 10**6:
            return max(20, round(count * least / taken / 20) * 20)
        count *= 4


def measure(size, seeds, dtype, device, rounds, least):
    problem, clock = Problem.of(size[0], size[1], LAM, width=size[2]), Clock(device)
    run, loop = ours(problem, seeds, dtype, device), autograd_loop(problem, dtype, device)
    loop(50)
    count, loop_count = enough_steps(run, clock, least), enough_steps(loop, clock, least)
    rates, loop_rates, fractions = [], [], []
    for _ in range(rounds):
        loop_rates.append(loop_count / clock.seconds(lambda: loop(loop_count)))
        rates.append(seeds * count / clock.seconds(lambda: run(count)))
        fractions.append(rates[-1] * operations(problem) / multiply_rate(dtype, device, clock))
    return {
        "K, L, width": size,
        "seeds": seeds,
        "dtype": str(dtype).removeprefix("torch."),
        "device": device,
        "steps_per_second_all_runs": record.spread(rates),
        "autograd_steps_per_second": record.spread(loop_rates),
        "speed_ratio_per_run": record.spread([a / b for a, b in zip(rates, loop_rates, strict=True)]),
        "fraction_of_floating_point_bound": record.spread(fractions),
    }


def fixed_cost():
    """Seconds of a call of `train` that takes no step: draws, singular values, copies."""
    return record.seconds(lambda: descent.train(10, 4, LAM, seeds=16, steps=0), repeats=7)


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="time of one measurement")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = arguments.device
    path = record.RESULTS / "dufm_training.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    rows = []
    for size in SIZES:
        for seeds in SEEDS[device]:
            for dtype in (torch.float32, torch.float64):
                rows.append(measure(size, seeds, dtype, device, arguments.rounds, arguments.seconds))
                r = rows[-1]
                print(
                    f"{size} {seeds:4} seeds {r['dtype']} {device}: "
                    f"{r['steps_per_second_all_runs']['median']:.4g} steps/s,"
                    f" {r['speed_ratio_per_run']['median']:.3g} times the loop,"
                    f" {r['fraction_of_floating_point_bound']['median']:.2g} of the bound",
                    flush=True,
                )
    results = {
        "cpu": before.get("cpu", "not measured"),
        "cuda": before.get("cuda", "not measured"),
        "train_call_without_steps_seconds": before.get("train_call_without_steps_seconds", "not measured"),
    }
    results[device] = {"rows": rows, "gpu": torch.cuda.get_device_name() if device == "cuda" else None}
    if device == "cpu":
        results["train_call_without_steps_seconds"] = fixed_cost()
    record.write("dufm_training", results, "torch", "numpy")


if __name__ == "__main__":
    main()
