"""The table by module: how many mutants of a sample the ledger refutes, and how many all tests notice.

Not counted are mutants of messages, names of arguments in them, dtypes and the like, and equivalent ones, which
`equivalent.toml` lists with the reason.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable
from math import sqrt
from pathlib import Path
from typing import Any

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
RATES = ("noticed", "ledger", "ledger_without_crashes")
NORMAL = 1.959963984540054  # the 97.5 % point


def equivalent_mutants(path: Path = EQUIVALENT) -> dict[str, str]:
    """Names of the equivalent mutants, with the reason.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file of tables ``[[equivalent]]`` with ``mutant`` and ``reason``.

    Returns
    -------
    dict of {str: str}
        Reasons by name.

    Examples
    --------
    >>> all(equivalent_mutants().values())
    True
    """
    listed = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return {entry["mutant"]: entry["reason"] for entry in listed}


def fate(result: dict[str, Any]) -> str:
    """What became of a mutant: refuted or crashed by the ledger, noticed by other tests, or by nobody.

    Parameters
    ----------
    result : dict
        What a trial found.

    Returns
    -------
    {"refuted", "crashed", "tests", "nobody"}
        The first that fits.

    Examples
    --------
    >>> fate({"ledger": "passed", "tests": "refuted"})
    'tests'
    """
    if result["ledger"] in ("refuted", "crashed"):
        return str(result["ledger"])
    return "tests" if result["tests"] in ("refuted", "crashed") else "nobody"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion.

    Parameters
    ----------
    hits, of : int
        Successes and trials; no trial, no knowledge: (0, 1).

    Returns
    -------
    (float, float)
        The ends.

    Examples
    --------
    >>> low, high = wilson(10, 10)
    >>> round(low, 3), high
    (0.722, 1.0)
    """
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, NORMAL**2 / of
    middle, half = share + z2 / 2, NORMAL * sqrt(share * (1 - share) / of + z2 / (4 * of))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def rate(hits: int, of: int) -> dict[str, Any]:
    """A proportion with its interval, as the results keep it."""
    low, high = wilson(hits, of)
    return {
        "hits": hits,
        "of": of,
        "rate": round(hits / of, 4) if of else None,
        "wilson": [round(low, 4), round(high, 4)],
    }


def summary(results: Iterable[dict[str, Any]], equivalent: dict[str, str]) -> dict[str, Any]:
    """Fates counted by module, and over all.

    Parameters
    ----------
    results : iterable of dict
        What trials found.
    equivalent : dict of {str: str}
        Left out, and counted.

    Returns
    -------
    dict
        Of each module: fates, the rate that all tests notice, and of the mutants in functions that the ledger's checks
        execute the rate that the ledger notices, and the rate that it refutes of those on which it does not only crash.
    """
    by_module = defaultdict(list)
    for result in results:
        by_module[result["mutant"].split("::")[0]].append(result)
    rows = {module: _row(by_module[module], equivalent) for module in sorted(by_module)}
    return {"all": _row([result for found in by_module.values() for result in found], equivalent), "modules": rows}


def _row(results: list[dict[str, Any]], equivalent: dict[str, str]) -> dict[str, Any]:
    counted = [result for result in results if result["mutant"] not in equivalent]
    fates = [fate(result) for result in counted]
    in_ledger = [fate(result) for result in counted if result["executed_by_ledger"]]
    return {
        **{name: fates.count(name) for name in ("refuted", "crashed", "tests", "nobody")},
        "equivalent": len(results) - len(counted),
        "noticed": rate(len(fates) - fates.count("nobody"), len(fates)),
        "ledger": rate(in_ledger.count("refuted") + in_ledger.count("crashed"), len(in_ledger)),
        "ledger_without_crashes": rate(in_ledger.count("refuted"), len(in_ledger) - in_ledger.count("crashed")),
    }


def show(found: dict[str, Any]) -> None:
    """Print a summary as a table, and every module below the goal of 95 %."""
    from rich.console import Console
    from rich.table import Table

    heads = ["module", "refuted", "crashed", "tests", "nobody", "equiv.", "noticed", "by ledger", "refuted"]
    table = Table(box=None)
    for head in heads:
        table.add_column(head, no_wrap=True)
    for module, row in [*found["modules"].items(), ("all", found["all"])]:
        counts = [str(row[name]) for name in ("refuted", "crashed", "tests", "nobody", "equivalent")]
        table.add_row(module, *counts, *(_percent(row[name]) for name in RATES))
    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)


def _percent(found: dict[str, Any]) -> str:
    if not found["of"]:
        return "–"
    low, high = found["wilson"]
    return f"{found['rate']:.0%} of {found['of']} ({low:.0%}–{high:.0%})"
