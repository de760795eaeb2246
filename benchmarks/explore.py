"""How many graphs `theory.dufm.explore` gets through in a second, stage by stage.

The stages are those of the search: enumeration up to isomorphism, the closed-form score, the screening by short
descents, and the thorough search. The graphs are drawn evenly from all graphs with K edges. The last columns say how
good the cheap stages are: the place that the graph which is best after screening has by its closed-form score.

Run it with `OMP_NUM_THREADS=1 python benchmarks/explore.py`; it takes about two minutes on one core.
"""

import time

import numpy as np
import record

from theory.dufm.graphs._candidates import GraphProblem
from theory.dufm.graphs._enumeration import connected_graphs, graphs
from theory.dufm.graphs._search import at_once, screened, search

LAM = "0.0005"
SAMPLES = {"score": 60, "screen": 40, "search": 3}


def enumeration(K):
    connected_graphs.cache_clear()
    start = time.process_time()
    found = list(graphs(K))
    return found, time.process_time() - start


def stage(function, problems):
    times = []
    results = []
    for problem in problems:
        start = time.process_time()
        results.append(function(problem))
        times.append(time.process_time() - start)
    return results, {
        "graphs": len(times),
        "graphs_per_second": len(times) / sum(times),
        "seconds_each": record.spread(times),
    }


def measure(K, L):
    found, seconds = enumeration(K)
    row = {"K": K, "L": L, "lam": LAM, "graphs": len(found), "enumerated_per_second": len(found) / seconds}
    rng = np.random.default_rng(0)

    def sample(count):
        indices = np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)
        return [GraphProblem.of(found[i], L, LAM) for i in indices]

    at_once(GraphProblem.of(found[0], L, LAM))  # imports
    _, row["score"] = stage(lambda p: at_once(p).loss, sample(SAMPLES["score"]))
    losses, row["screen"] = stage(lambda p: screened(p, rng).loss, sample(SAMPLES["screen"]))
    _, row["search"] = stage(lambda p: search(p, 1, 4, rng), sample(SAMPLES["search"]))
    scores = [at_once(p).loss for p in sample(SAMPLES["screen"])]
    best = int(np.argmin(losses))
    row["place_by_score_of_the_best_screened"] = 1 + int((np.array(scores) < scores[best]).sum())
    return row


def main():
    rows = []
    for K, L in ((6, 4), (8, 4), (10, 4), (10, 8)):
        rows.append(measure(K, L))
        row = rows[-1]
        print(
            f"K = {K}, L = {L}: {row['graphs']} graphs, per second {row['enumerated_per_second']:.0f} enumerated, "
            f"{row['score']['graphs_per_second']:.0f} scored, {row['screen']['graphs_per_second']:.1f} screened, "
            f"{row['search']['graphs_per_second']:.2f} searched; best after screening is number "
            f"{row['place_by_score_of_the_best_screened']} by score"
        )
    print(record.write("explore", {"rows": rows}, "numpy", "scipy", "networkx"))


if __name__ == "__main__":
    main()
