"""A small sweep, executors of the tests' own, and sweeps in processes of their own that no test leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from numerics import sweep

SMALL = {"K": [2, 3], "L": 3, "lam": [1e-3, 1e-2], "width": 4, "seeds": 6, "steps": 60, "batch": 2}
RUNS = 24
LIMIT = 120  # seconds after which a process that a test waits for is taken to hang

# A process of its own that works on a sweep and logs each task that it does.
_SCRIPT = """
import json, signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from numerics import sweep
from numerics.sweep import _run

def logged(text, do=_run.do):
    result = do(text)
    with open(sys.argv[2], "a") as log:
        log.write(text + "\\n")
    time.sleep(0.02)
    return result

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell put the tests in the background
    _run.do = logged
    with ThreadPoolExecutor(1) as pool:
        sweep.run(sys.argv[1], sweep.Grid(**json.loads(sys.argv[3])), executor=pool, in_flight=2)
"""


def run(path, grid=SMALL, **options):
    """Sweep in a thread of this process."""
    with ThreadPoolExecutor(1) as pool:
        return sweep.run(path, sweep.Grid(**grid), executor=pool, **options)


class Inline(Executor):
    """Does the work at once, by a function of the test's, and remembers it."""

    def __init__(self, do=sweep.do):
        self.do, self.tasks = do, []

    def submit(self, function, text):
        self.tasks.append(sweep.Task.from_text(text))
        future = Future()
        try:
            future.set_result(self.do(text))
        except BaseException as error:
            future.set_exception(error)
        return future

    def runs(self):
        """What has been done, as (K, lam, seed)."""
        return [(task.setting["K"], task.setting["lam"], seed) for task in self.tasks for seed in task.seeds]


class Processes:
    """Starts Python processes and kills, in the end, those that still live."""

    def __init__(self, folder):
        self.folder, self.started = Path(folder), []

    def python(self, source, *arguments):
        script = self.folder / f"script{len(self.started)}.py"
        script.write_text(source)
        process = subprocess.Popen([sys.executable, script, *map(str, arguments)], start_new_session=True)
        self.started.append(process)
        return process

    def sweep(self, path, log, grid=SMALL):
        """Work on a sweep in a process of its own."""
        return self.python(_SCRIPT, path, log, json.dumps(grid))

    def end(self):
        for process in self.started:
            process.kill()  # its workers end with it; those of one that cannot are in its session
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(LIMIT)


def logged_runs(*logs):
    """What processes have logged, as (K, lam, seed) of each run."""
    tasks = [sweep.Task.from_text(line) for log in logs if log.exists() for line in log.read_text().splitlines()]
    return [(task.setting["K"], task.setting["lam"], seed) for task in tasks for seed in task.seeds]


def done(path):
    """The number of runs done, 0 while there is no file to tell."""
    try:
        return sweep.Results(path).counts()["done"]
    except (FileNotFoundError, sweep.SweepError):  # killed before the file was made
        return 0


def wait_for(condition, seconds=60):
    """Wait until something is true and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing happened in {seconds} s")
