"""Time and memory of a Deep RFM, layer by layer and step by step. Writes results/deep_rfm.json (deep_rfm_cuda.json).

    OMP_NUM_THREADS=1 python benchmarks/deep_rfm.py              # CPU: digits, depth 20; n = 8,000, d = 1,024, depth 20
    python benchmarks/deep_rfm.py --device cuda                  # GPU: the scale of the paper, n = 50,000, d = 3,072,
    depth 20 python benchmarks/deep_rfm.py --run 2000,1024,5              # any n, d, depth

Laplace kernel of bandwidth 2, 1,024 ReLU features, no ridge, float64; ten Gaussian clusters but for digits. Seconds
are wall time, so that a busy machine shows; each run is a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings

import record
import torch

STEPS = ["kernel", "solve", "agop", "root", "features", "metrics"]
RUNS = {"cpu": ["digits,20", "8000,1024,20"], "cuda": ["digits,20", "8000,1024,20", "50000,3072,20"]}


def measure(spec, device):
    from numerics import data
    from numerics.deep_rfm import DeepRFM
    from numerics.kernels import Laplace, ReLUFeatures

    *size, depth = spec.split(",")
    if size == ["digits"]:
        dataset = data.digits().standardised()
    else:
        n, d = map(int, size)
        dataset = data.gaussian_clusters([n // 10] * 10, d, separation=8.0, seed=0)
    model = DeepRFM(
        int(depth), kernel=Laplace(2.0), feature_map=ReLUFeatures(1024), device=device, random_state=0,
        callback=lambda model, layer: print(layer.layer, layer.seconds, file=sys.stderr, flush=True),
    )  # fmt: skip
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(dataset.X, dataset.y)
    total = time.perf_counter() - start
    layers = [
        {
            "layer": layer.layer,
            "seconds": {step: round(layer.seconds[step], 3) for step in STEPS},
            "nc1_projected": layer.metrics["projected"].nc1,
            "condition": layer.condition,
            "solver": layer.solver,
        }
        for layer in model.records_
    ]
    median = {step: round(record.spread([layer["seconds"][step] for layer in layers])["median"], 3) for step in STEPS}
    return {
        "run": spec,
        "n, d": list(dataset.X.shape),
        "depth": int(depth),
        "seconds_in_all": round(total, 1),
        "median_seconds_a_layer": median,
        "peak_MB": round(max(layer.peak_memory for layer in model.records_) / 1e6),
        "warnings": [str(warning.message) for warning in caught],
        "layers": layers,
    }


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--run", action="append", help="n,d,depth or digits,depth; may be repeated")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.device)))
        return
    kind = torch.device(arguments.device).type
    runs = []
    for spec in arguments.run or RUNS[kind]:
        command = [sys.executable, __file__, "--device", arguments.device, "--one", spec]
        runs.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
        print({key: value for key, value in runs[-1].items() if key != "layers"}, flush=True)
    results = {"device": "cpu" if kind == "cpu" else torch.cuda.get_device_name(), "dtype": "float64", "runs": runs}
    if kind == "cpu":
        results["cuda, n = 50,000, d = 3,072"] = "not measured"
    print(record.write("deep_rfm" if kind == "cpu" else f"deep_rfm_{kind}", results, "torch"))


if __name__ == "__main__":
    main()
