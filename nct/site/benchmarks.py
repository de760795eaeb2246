"""The page of benchmarks: the committed results with machine and date, and how they changed from run to run.

>>> from nct.site.benchmarks import figures
>>> figures({"rows": [{"K": 3, "seconds": {"median": 1.5, "max": 2.0}}]})
{'rows · 1 · K': 3, 'rows · 1 · seconds · median': 1.5}
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nct.ledger import LedgerError
from nct.site.build import Page

#: What says how a median was found, and is left out beside it.
_SPREAD = {"lower_quartile", "upper_quartile", "min", "max"}

#: Of a benchmark the page has at most so many; the file has all.
_MOST = 120

#: What is told of a run apart from its figures.
_APART = {"benchmark", "date", "started", "machine"}


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its runs' dates and machines, and the first figures' values in each run, the latest first."""

    name: str
    dates: list[str]
    machines: list[str]
    rows: list[tuple[str, list[str]]]
    total: int


def benchmark_pages(results: Path) -> tuple[Page, ...]:
    """The page of the results in a folder; none if there is no such folder.

    Parameters
    ----------
    results : Path
        The folder: ``NAME.json`` holds the latest run, ``history/NAME.jsonl`` all of them, one a line.

    Returns
    -------
    tuple of Page

    Raises
    ------
    LedgerError
        If a file cannot be read.
    """
    found = [_benchmark(path.stem, _runs(results, path)) for path in sorted(results.glob("*.json"))]
    return (Page("benchmarks.html", "benchmarks.html", "Benchmarks", {"benchmarks": found}),) if found else ()


def _runs(results: Path, path: Path) -> list[dict[str, Any]]:
    past = results / "history" / f"{path.stem}.jsonl"
    try:
        runs = [json.loads(path.read_text(encoding="utf-8"))]
        if past.is_file():
            runs += [json.loads(line) for line in reversed(past.read_text(encoding="utf-8").splitlines())]
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    return [run for number, run in enumerate(runs) if run not in runs[:number]]


def _benchmark(name: str, runs: list[dict[str, Any]]) -> Benchmark:
    told = [figures({key: value for key, value in run.items() if key not in _APART}) for run in runs]
    names = dict.fromkeys(figure for one in told for figure in one)
    return Benchmark(
        name=name,
        dates=[str(run.get("date", "")) for run in runs],
        machines=[", ".join(f"{key} {value}" for key, value in run.get("machine", {}).items()) for run in runs],
        rows=[(figure, [_shown(one.get(figure)) for one in told]) for figure in islice(names, _MOST)],
        total=len(names),
    )


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def figures(results: Any) -> dict[str, Any]:
    """Every figure of a run with where it stands; of a median's spread the median alone.

    Parameters
    ----------
    results : dict
        What a benchmark wrote.

    Returns
    -------
    dict of str to object
    """
    return dict(_figures("", results))


def _figures(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, value in part.items():
            if not ("median" in part and name in _SPREAD):
                yield from _figures(f"{path} · {name}" if path else str(name), value)
    elif isinstance(part, list) and any(isinstance(one, dict | list) for one in part):
        for number, value in enumerate(part, 1):
            yield from _figures(f"{path} · {number}", value)
    else:
        yield path, part
