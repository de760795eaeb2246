"""SIGKILLs of a sweep, half of them aimed at its training and half at its storing: rows lost, doubled or different.

A sweep in a process of its own is killed, and started again with another batch, until it has been killed often enough.
Its rows are then compared with those of a sweep that nobody disturbed. If it is done before, another file is begun.

    OMP_NUM_THREADS=1 python benchmarks/sweep_kills.py

Takes about ten minutes on one busy core, most of it for starting processes, and writes results/sweep_kills.json.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import record

from numerics import sweep

GRID = {"K": [4, 5], "L": 3, "lam": [1e-3, 3e-3, 1e-2], "width": 8, "seeds": 40, "steps": 3000}
LIMIT = 300  # seconds after which a process is taken to hang

SCRIPT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from numerics import sweep
from numerics.sweep import _run

def logged(text, do=_run.do):
    log(f"begin {text}")
    rows = do(text)
    log(f"end {text}")
    return rows

def log(line):
    with open(sys.argv[2], "a") as file:
        file.write(line + "\\n")

if __name__ == "__main__":
    _run.do = logged
    with ThreadPoolExecutor(1) as pool:
        sweep.run(sys.argv[1], sweep.Grid(**json.loads(sys.argv[3])), executor=pool, in_flight=2)
"""


def lines(log):
    return log.read_text().splitlines() if log.exists() else []


def wait_for(process, log, count, word):
    """Wait until the process has logged `count` lines, the last of which begins with `word`; tell whether it has."""
    deadline = time.monotonic() + LIMIT
    while process.poll() is None:
        seen = lines(log)
        if len(seen) >= count and seen[-1].startswith(word):
            return True
        if time.monotonic() > deadline:
            raise TimeoutError(f"no progress in {LIMIT} s")
        time.sleep(0.001)
    return False


def killed(folder, path, log, batch, training, rng):
    """Start the sweep and kill it; None if it was done before, else what it was doing."""
    grid = json.dumps(GRID | {"batch": batch})
    process = subprocess.Popen([sys.executable, folder / "script.py", path, log, grid])
    try:
        ready = wait_for(process, log, len(lines(log)) + rng.choice([3, 4, 5]), "begin" if training else "end")
        if ready:
            time.sleep(rng.random() * (0.05 if training else 0.01))
        process.send_signal(signal.SIGKILL)
        ended = process.wait(LIMIT)
        if ended not in (0, -signal.SIGKILL):
            raise RuntimeError(f"the sweep ended by itself with status {ended}")
        if ended == 0:
            return None
    finally:
        process.kill()
        process.wait(LIMIT)
    return "training" if lines(log)[-1].startswith("begin") else "storing"


def compare(path, expected):
    """Rows lost, doubled and different."""
    rows = Counter(json.dumps(row, sort_keys=True) for row in sweep.Results(path).rows())
    keys = Counter((row["K"], row["lam"], row["seed"]) for row in sweep.Results(path).rows())
    wanted = {(row["K"], row["lam"], row["seed"]) for row in expected}
    return {
        "lost": len(wanted - set(keys)),
        "doubled": sum(count - 1 for count in keys.values()),
        "different": sum((rows - Counter(json.dumps(row, sort_keys=True) for row in expected)).values()),
    }


def disturbed(folder, number, kills, expected, rng):
    """Kill one sweep until it is done or has been killed `kills` times, let it end, and look at its rows."""
    path, log = folder / f"{number}.db", folder / f"{number}.log"
    doing = []
    while len(doing) < kills:
        found = killed(folder, path, log, rng.choice([1, 2, 3, 5]), len(doing) % 2 == 0, rng)
        if found is None:
            break
        doing.append(found)
    with ThreadPoolExecutor(1) as pool:
        sweep.run(path, sweep.Grid(**GRID), executor=pool)
    trained = sum(len(sweep.Task.from_text(line[4:]).seeds) for line in lines(log) if line.startswith("end"))
    return Counter(doing), compare(path, expected), trained


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--kills", type=int, default=50)
    kills = parser.parse_args().kills
    rng, rows, doing = random.Random(0), [], Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "script.py").write_text(SCRIPT)
        with ThreadPoolExecutor(1) as pool:
            expected = sweep.run(folder / "expected.db", sweep.Grid(**GRID), executor=pool).rows()
        while doing.total() < kills:
            found, differences, trained = disturbed(folder, len(rows), kills - doing.total(), expected, rng)
            doing += found
            rows.append(
                {"kills": dict(found), "runs": len(expected), "trained before the last kill": trained} | differences
            )
            print(rows[-1], flush=True)
    total = {what: sum(row[what] for row in rows) for what in ("lost", "doubled", "different")}
    print(f"{doing.total()} kills ({dict(doing)}): {total}")
    record.write("sweep_kills", {"grid": GRID, "kills": dict(doing), "rows": total, "files": rows}, "torch", "numpy")
    sys.exit(any(total.values()))


if __name__ == "__main__":
    main()
