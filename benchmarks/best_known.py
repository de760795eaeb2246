"""Search for better solutions than the table of best known ones has, over all matrices, and write them into it.

    python benchmarks/best_known.py --seconds 600 --workers 2 --seed 0

A try takes an entry at random, changes its matrices or those of a neighbour (a class or a layer more or less) by one of
`theory.dufm.optimum`'s moves, and descends with a ReLU that is smoothed and then sharpened. What is better replaces
the entry and is written at once: the search can be stopped at any time, and goes on from the table. What each move has
won is printed at the end. Another seed searches on.
"""

import argparse
import json
import random
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from numerics.files import replacing
from theory import dufm
from theory.dufm import graphs
from theory.dufm.optimum._rescaled import of_shape
from theory.dufm.optimum._search import MOVES, annealed, moved
from theory.ufm import Problem

TABLE = Path(graphs.__file__).parent / "best_known.json"
LAM = "0.0005"
KEPT = 1e-9  # an improvement of matrices by this share is kept,
TOLD = 1e-6  # and one by this share told in the history; a structure is given up for no less

Key = tuple[int, int]
Shape = list[np.ndarray]


def shape_of(solution: dufm.Solution) -> Shape:
    return [solution.class_means(1), *(solution.weights(l) for l in range(1, solution.L))]


def attempt(key: Key, shapes: dict[Key, Shape], seed: int) -> tuple[Key, str, float, Shape]:
    """One move on an entry, given its shape and those of its neighbours."""
    K, L = key
    problem, generator = Problem.of(K, L, LAM), np.random.default_rng(seed)
    return key, *next(moved(problem, shapes[key], generator, lambda dK, dL: shapes.get((K + dK, L + dL))))


def first_look(key: Key, shape: Shape) -> tuple[Key, str, float, Shape]:
    """An entry's own matrices and those of rank two, descended from without a move."""
    problem = Problem.of(*key, LAM)
    found = [("a descent from the table", *annealed(problem, shape, 0.02))]
    if key[0] > 2:
        found.append(("a descent from rank two", *annealed(problem, shape_of(dufm.rank_two(*key, 1e-9)))))
    return key, *min(found, key=lambda one: one[1])


class Table:
    """The table's entries, and what they were improved to."""

    def __init__(self) -> None:
        self.data = json.loads(TABLE.read_text(encoding="utf-8"))
        self.entries = {(e["K"], e["L"]): e for e in self.data["entries"]}
        self.shapes = {key: shape_of(graphs.best_known(*key)) for key in self.entries}
        self.new: set[Key] = {key for key, e in self.entries.items() if e["loss"] < e["base_loss"]}

    def improve(self, key: Key, method: str, loss: float, shape: Shape) -> bool:
        entry = self.entries[key]
        if loss >= entry["loss"] * (1 - (KEPT if key in self.new else TOLD)):
            return False
        solution = of_shape(Problem.of(*key, LAM), shape, "matrices", dict)
        if loss < entry["history"][-1][0] * (1 - TOLD):
            entry["history"].append([solution.evaluate(), datetime.now(UTC).date().isoformat(), method])
        entry["loss"] = solution.evaluate()
        self.shapes[key] = shape_of(solution)
        self.new.add(key)
        return True

    def write(self) -> None:
        arrays = {}
        for K, L in sorted(self.new):
            solution = of_shape(Problem.of(K, L, LAM), self.shapes[K, L], "matrices", dict)
            matrices = [solution.class_means(1), *(solution.weights(l) for l in range(1, L + 1))]
            arrays |= {f"{K} {L} {i}": matrix for i, matrix in enumerate(matrices)}
        with replacing(TABLE.with_suffix(".npz")) as new:
            np.savez_compressed(new, **arrays)
        lines = ",\n".join(json.dumps(self.entries[key]) for key in sorted(self.entries))
        head = json.dumps({name: value for name, value in self.data.items() if name != "entries"})
        with replacing(TABLE) as new:
            new.write_text(f'{head[:-1]}, "entries": [\n{lines}\n]}}\n', encoding="utf-8")


def searched(table: Table, executor: Executor, workers: int, seconds: float, seed: int) -> tuple[Counter, Counter]:
    """Tries until the time is over; tries and wins by move."""
    start, order = time.perf_counter(), random.Random(seed)
    keys = [key for key in table.entries if key[0] > 2]
    tries, wins = Counter(), Counter()

    def task() -> Future:
        K, L = order.choice(keys)
        near = {
            key: table.shapes[key]
            for key in [(K, L), (K + 1, L), (K - 1, L), (K, L + 1), (K, L - 1)]
            if key in table.shapes
        }
        return executor.submit(attempt, (K, L), near, order.getrandbits(63))

    running = {task() for _ in range(2 * workers)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            key, move, loss, shape = future.result()
            tries[move] += 1
            before = table.entries[key]["loss"]
            if table.improve(key, move, loss, shape):
                wins[move] += 1
                table.write()
                print(f"{key}: {before:.9g} -> {loss:.9g} ({move})", flush=True)
            if time.perf_counter() - start < seconds:
                running.add(task())
    return tries, wins


def summary(table: Table) -> str:
    """The table as Markdown: the loss over that of deep neural collapse, and the ranks of the layers."""
    depths = sorted({L for _, L in table.entries})
    lines = [
        f"# Best known solutions, λ = {LAM} for every matrix, n = 1",
        "",
        "Loss over that of deep neural collapse, and the ranks of M_2, …, M_{L−1}; `*`: matrices without a structure",
        "that is known. Every figure is attained by what `theory.dufm.best_known` returns; only those for K = 2 are",
        "proved to be least.",
        "",
        "| K | " + " | ".join(f"L = {L}" for L in depths) + " |",
        "| --- |" + " --- |" * len(depths),
    ]
    for K in sorted({K for K, _ in table.entries}):
        cells = []
        for L in depths:
            solution, entry = graphs.best_known(K, L), table.entries[K, L]
            ranks = sorted(set(solution.ranks[1:-1]))
            span = f"{ranks[0]}–{ranks[-1]}" if len(ranks) > 1 else f"{ranks[0]}"
            cells.append(f"{entry['loss'] / dufm.dnc_loss(K, L, LAM):.5f} ({span}){'*' if (K, L) in table.new else ''}")
        lines.append(f"| {K} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", action="store_true", help="begin with a descent from every entry and from rank two")
    arguments = parser.parse_args()
    table = Table()
    with ProcessPoolExecutor(arguments.workers) as executor:
        if arguments.first:
            for found in executor.map(first_look, table.shapes, table.shapes.values()):
                if table.improve(*found):
                    print(f"{found[0]}: {found[2]:.9g} ({found[1]})", flush=True)
            table.write()
        tries, wins = searched(table, executor, arguments.workers, arguments.seconds, arguments.seed)
    table.write()
    for move in MOVES:
        print(f"{move}: {wins[move]} of {tries[move]}")
    (Path(__file__).parent / "results" / "best_known.md").write_text(summary(table), encoding="utf-8")


if __name__ == "__main__":
    main()
