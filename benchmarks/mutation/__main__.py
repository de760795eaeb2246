"""Mutation testing of the mathematics: small faults that the ledger refutes, that only tests notice, or nobody.

    python benchmarks/mutation --shard 3/40
    python benchmarks/mutation --paths theory/dufm/_losses.py
    python benchmarks/mutation --sample 0.1 --least 12 --seed 0
    python benchmarks/mutation --again                        # once more those that nobody noticed
    python benchmarks/mutation --report results/*.jsonl       # the table of these results

The mutants are mutmut's, one changed place each, in functions, decorated ones too, and module data. A mutant is tried
on the checks of the ledger that execute its statement, until one refutes it, then on all other tests that do, until one
fails. Everything happens in a copy; what was found is kept in `--work`, line by line, so that a run can be stopped at
any moment and goes on where it was. Needs Linux or macOS (it forks) and `pip install -e '.[test,mutation]'`.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import record
from mutants import MutatedFile
from table import equivalent_mutants, fate, show, summary
from trying import Trials
from workplace import Project, Workplace

ROOT = Path(__file__).parents[2]


def chosen(found: MutatedFile, share: float, least: int, seed: int) -> list[str]:
    """A random sample of a file's mutants that count; a larger one of the same seed contains it.

    Parameters
    ----------
    found : MutatedFile
        The mutants of a file.
    share : float
        How much of them.
    least : int
        How many at least, if there are as many.
    seed : int
        Which sample.

    Returns
    -------
    list of str
        Names.
    """
    names = [name for name, mutant in found.mutants.items() if not mutant.uncounted]
    random.Random(f"{seed}:{next(iter(found.mutants), '')}").shuffle(names)
    return names[: max(least, round(share * len(names)))]


def kept_results(path: Path) -> dict[str, dict[str, object]]:
    """The last result of every mutant; a line that was cut off is none."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            result = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[result["mutant"]] = result
    return found


def cut_off(path: Path) -> bool:
    """Whether the last line has no end."""
    return path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")


def wanted(project: Project, arguments: argparse.Namespace) -> Iterator[tuple[str, MutatedFile]]:
    """The names that the command line asks for, with their files."""
    part, parts = map(int, arguments.shard.split("/"))
    number = 0
    for file in project.sources():
        if not file.startswith(tuple(arguments.paths)):
            continue
        found = MutatedFile(project.root, file)
        for name in chosen(found, arguments.sample, arguments.least, arguments.seed):
            number += 1
            if number % parts == part % parts:
                yield name, found


def run(project: Project, arguments: argparse.Namespace) -> None:
    """Try every mutant that is wanted and has no result yet."""
    workplace = Workplace(project, arguments.work)
    workplace.update()
    workplace.measure()
    trials = Trials(workplace, arguments.budget)
    path = arguments.work / "results.jsonl"
    kept = kept_results(path)
    if arguments.again:
        kept = {name: result for name, result in kept.items() if fate(result) != "nobody"}
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" if cut_off(path) else "")
        for name, found in wanted(project, arguments):
            text = None if name in kept else found.text(name)
            if text is None:
                continue
            result = trials.attempt(found.mutants[name], text)
            file.write(json.dumps(result, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
            print(f"{fate(result):8} {result['seconds']:6.1f} s  {name[:160]}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = record.parser(__doc__)
    parser.add_argument("--paths", nargs="+", default=[""], help="beginnings of the paths of files (default: all)")
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="every N-th mutant, beginning with the I-th")
    parser.add_argument("--sample", type=float, default=1.0, metavar="SHARE", help="a random part of each module")
    parser.add_argument("--least", type=int, default=12, help="mutants of each module in a sample, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--budget", type=float, default=60, help="seconds of tests for each mutant, quickest first")
    parser.add_argument("--again", action="store_true", help="try once more what nobody noticed")
    parser.add_argument("--work", type=Path, help="what is kept between runs (default: .mutation in the project)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project, a git work tree (default: this one)")
    parser.add_argument("--packages", nargs="+", default=Project.packages, help="folders that are mutated")
    parser.add_argument("--ledger", default=Project.ledger, help="the folder of claims")
    parser.add_argument("--tests", nargs="+", default=Project.tests, help="what else pytest collects")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="no run: the table of these results")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/results/mutation.json")
    options = parser.parse_args(arguments)
    options.work = options.work or options.root / ".mutation"
    if options.report is None:
        run(Project(options.root, tuple(options.packages), options.ledger, tuple(options.tests)), options)
    results: dict[str, dict[str, object]] = {}
    for path in options.report or [options.work / "results.jsonl"]:
        results |= kept_results(path)
    found = summary(results.values(), equivalent_mutants())
    show(found)
    if options.write:
        nobody = [name for name, result in results.items() if fate(result) == "nobody"]
        survivors = sorted(name for name in nobody if name not in equivalent_mutants())
        print(record.write("mutation", {**found, "survivors": survivors}, "mutmut", "hypothesis", "pytest", "torch"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
