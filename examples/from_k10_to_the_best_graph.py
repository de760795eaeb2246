"""From "ten classes, four layers" to a picture of the best graph.

In the deep unconstrained features model the classes can be the edges of a graph and the rows of the hidden layers its
vertices. Which graph with ten edges gives the lowest loss? Run this file to see; it takes one or two minutes.

    python examples/from_k10_to_the_best_graph.py [--classes 10] [--layers 4] [--weight-decay 5e-4] [--picture
    best_graph.png]
"""

import argparse

import networkx as nx
import numpy as np

from theory import dufm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--weight-decay", default="5e-4")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds")
    parser.add_argument("--picture", default="best_graph.png")
    arguments = parser.parse_args()
    K, L, lam = arguments.classes, arguments.layers, arguments.weight_decay

    # 1. What the literature compares: deep neural collapse, in which every class has a direction of its own ...
    print("collapse:        ", dufm.dnc(K, L, lam))
    # ... and the strongly regular graph solution, in which ten classes live in five dimensions.
    if K >= 6:
        print("strongly regular:", dufm.srg(K, L, lam, construction="best"))

    # 2. A graph by hand. The classes are its edges: any graph with K edges will do.
    wheel_like = nx.Graph([(i, i + 1) for i in range(K - 1)] + [(0, K - 1)])
    print("a cycle:         ", dufm.graph_solution(wheel_like, L, lam))

    # 3. All graphs with K edges, or, where there are too many, mixtures of blocks and their neighbours.
    search = dufm.explore(K, L, lam, time_limit=arguments.time_limit)
    try:
        search.run(progress=True)
    except dufm.SearchLimitReached as limit:
        print(f"{limit}; going on with what was found")
    how = "all graphs" if search.exhaustive else f"{search.scored} graphs"
    print(f"\nThe best of {how} with {K} edges, by their loss over that of collapse:")
    for place, found in enumerate(search.ranking[:5], start=1):
        solution = search.solution(found)
        print(
            f"  {place}. {found.ratio:.6f}  {solution.name}, hidden rank {solution.ranks[1]}, degrees "
            f"{degrees(found.graph)}"
        )

    # 4. The best one in full. Its loss is recomputed from the matrices by the definition of the model.
    best = search.best
    print("\n", best, sep="")
    print(f"loss {best.loss:.12g}, recomputed from its matrices {best.evaluate():.12g}")
    print("scale of each vertex, layer by layer:", best.vertex_scales.round(4), sep="\n")
    with np.printoptions(precision=3, suppress=True, linewidth=120):
        print("vertex weightings that make the rows of the last layer:", best.weightings, sep="\n")
    try:
        draw(best, arguments.picture)
        print("picture:", arguments.picture)
    except ImportError as error:
        print(error)


def degrees(graph: nx.Graph) -> str:
    return "".join(str(degree) for _, degree in sorted(graph.degree, key=lambda item: -item[1]))


def draw(best: dufm.Solution, path: str) -> None:
    """The class means and Gram matrices, with the graph above them."""
    figure = best.plot()
    figure.draw_without_rendering()  # puts every panel in its place
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    share = height / (height + 4)
    figure.set_size_inches(width, height + 4)
    for axes in figure.axes:
        box = axes.get_position()
        axes.set_position((box.x0, box.y0 * share, box.width, box.height * share))
    axes = figure.add_axes((0.25, share + 0.01, 0.5, 0.9 - share))
    graph = best.graph
    place = nx.circular_layout(graph)
    nx.draw(graph, place, ax=axes, node_color="#3b6ea5", node_size=120, edge_color="#888888")
    names = nx.get_edge_attributes(graph, "label")
    nx.draw_networkx_edge_labels(graph, place, names, ax=axes, font_size=7, rotate=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
