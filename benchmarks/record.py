"""What every benchmark shares: the machine's description, medians with spread, and the file of results."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
STARTED = datetime.now(UTC).isoformat(timespec="seconds")


def machine(*packages: str) -> dict[str, Any]:
    """Processor, cores, memory, Python and the versions of `packages`."""
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if cpuinfo.exists()
        else []
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_GiB": None if memory is None else round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        **{package: version(package) for package in packages},
    }


def seconds(function: Callable[[], object], repeats: int) -> dict[str, float]:
    """Median, quartiles and extremes of the process time that `function` takes, after one call to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return spread(times)


def spread(values: list[float]) -> dict[str, float]:
    """Median, quartiles and extremes."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": median, "lower_quartile": low, "upper_quartile": high, "min": min(values), "max": max(values)}


def write(name: str, results: dict[str, Any], *packages: str) -> Path:
    """Write results with the machine's description and the time to results/<name>.json.

    The same is a line of results/history/<name>.jsonl, which keeps all runs, the latest last. A run that writes as it
    goes on replaces its own line.
    """
    path, past = RESULTS / f"{name}.json", RESULTS / "history" / f"{name}.jsonl"
    past.parent.mkdir(parents=True, exist_ok=True)
    content = {"benchmark": name, "date": STARTED[:10], "started": STARTED, "machine": machine(*packages), **results}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = past.read_text(encoding="utf-8").splitlines() if past.exists() else []
    lines = [line for line in lines if json.loads(line).get("started") != STARTED]
    past.write_text("\n".join([*lines, json.dumps(content, ensure_ascii=False)]) + "\n", encoding="utf-8")
    return path


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser that shows the module's docstring."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
