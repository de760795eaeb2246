"""The best loss of the deep unconstrained features model that is known, and a proved lower bound of all losses, for all
widths. The loss is attained: it is enclosed and rounded up, and the lower bound is rounded down. Beside them stand
deep neural collapse (DNC) and the better of the two strongly regular graph constructions (SRG).

Solutions come from a table for 2 to 28 classes and 3 to 8 layers, which are put at their best scales, and from what
can be written down for any sizes. With --descend descents over all matrices follow, which take some seconds for each
problem and gain where the table's regularisation, 5e-4, is far. Lists and ranges are given as in `nct ratio`, and
every combination becomes a row.

examples:
  nct best --check found.npz
  nct best --classes 8 --layers 3 --weight-decay 5e-4
  nct best --classes 3:10 --layers 3:6 --weight-decay 1e-3 --csv
  nct best --classes 13 --layers 5 --weight-decay 1e-4 --descend --plot best.png
"""

import argparse
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import Path
from typing import Any

from nct.arguments import Output, add_forms, check_outputs, image_endings, save_figure
from nct.candidates import TOLD, Verdict, checked
from nct.commands import InputError, wrong_input
from nct.problems import Problem, add_problem_arguments, at_least, at_most, described, formatted, problems, runs, spaced
from nct.progress import progress
from nct.tables import Table, print_csv, print_json, print_latex, print_table
from theory import dufm

__all__ = ["add_arguments", "run"]

FEWEST_CLASSES = 6  # below which there is no SRG solution
MOST_DRAWN = 1000  # classes: a Gram matrix of more has no pixel for each
UP, DOWN = Context(prec=10, rounding=ROUND_CEILING), Context(prec=10, rounding=ROUND_FLOOR)
GAIN = 1 - 1e-9  # what a descent has to reach of the loss before it, to be worth the loss of a name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_problem_arguments(parser, required=False)
    parser.add_argument(
        "--descend", action="store_true", help="descend from the best solution; at most 28 classes and 8 layers"
    )
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="write class means and Gram matrices of the solution, of one problem, to an image",
    )
    parser.add_argument(
        "--check",
        metavar="FILE",
        type=Path,
        help="say whether the solution in this .npz or .json file is better than the best that is known",
    )
    add_forms(parser, latex=True)


def run(arguments: argparse.Namespace) -> int | None:
    """Compute and print the rows, and draw the solution; or check one, with status 1 if it is no better."""
    _check_asked(arguments)
    if arguments.check is not None:
        return _print_check(checked(arguments.check), arguments.json)
    asked = problems(arguments, instead="theory.dufm.bounds")
    _check_plot(arguments.plot, asked)
    rows = []
    if arguments.descend:
        _check_table(asked)
    with wrong_input(), progress("bounds", len(asked)) as update:
        for problem in asked:
            rows.append(_row(problem, arguments.descend, keep=arguments.plot is not None))
            update(len(rows))
    failure = _plot(rows[0], arguments.plot) if arguments.plot else None
    if arguments.json:
        print_json([row.to_json() for row in rows])
    elif arguments.csv:
        print_csv([{name: value for name, value in row.to_json().items() if name != "history"} for row in rows])
    elif arguments.latex:
        print_latex(*_table(rows))
    elif len(rows) == 1:
        _print_one(rows[0])
    else:
        print_table(*_table(rows))
    if failure is not None:
        raise InputError(failure)
    return None


def _check_asked(arguments: argparse.Namespace) -> None:
    """Refuse a problem beside a file that has one, and to do without either."""
    sizes = {"-K/--classes": arguments.classes, "-L/--layers": arguments.layers}
    missing = [name for name, value in sizes.items() if value is None]
    without_strength = arguments.weight_decay is None and arguments.lams is None
    if arguments.check is not None:
        others = arguments.descend or arguments.plot or arguments.csv or arguments.latex
        if others or len(missing) < len(sizes) or not without_strength:
            raise InputError("--check goes with --json alone: the file says which problem it is of")
    elif missing:
        raise InputError(f"the following arguments are required: {', '.join(missing)}")
    elif without_strength:
        raise InputError("one of the arguments --weight-decay --lams is required")


def _print_check(verdict: Verdict, as_json: bool) -> int:
    if as_json:
        print_json(verdict.to_json())
        return int(not verdict.passes)
    solution, known = verdict.solution, verdict.known
    print(f"{solution.K} classes, {solution.L} layers, lams {spaced(solution.lams, 'g')}, n = {solution.n}")
    print()
    print(f"loss         {float(UP.plus(verdict.loss)):.10g} (attained, at the best scales)")
    print(f"ranks        {spaced(solution.ranks)}")
    print(f"best known   {float(UP.plus(known.upper)):.10g}")
    print(f"lower bound  {float(DOWN.plus(known.lower)):.10g} ({known.argument})")
    print()
    share = f"{abs(verdict.gain):.2e}"
    below = f"not better: the best known loss is below by a share of {share}"
    same = f"not better: a gain of {TOLD:g} at least is wanted, not of {share}"
    better = f"better than the best known by a share of {share}; CONTRIBUTING says how to submit it"
    words = better if verdict.passes else below if verdict.gain < 0 else same
    print(words)
    return int(not verdict.passes)


def _check_plot(path: str | None, asked: list[Problem]) -> None:
    check_outputs(Output("--plot", path, image_endings))
    if path is not None and len(asked) > 1:
        raise InputError(f"--plot draws the solution of one problem, not of {len(asked)}")
    if path is not None and asked[0].classes > MOST_DRAWN:
        raise InputError(f"--plot draws at most {MOST_DRAWN} classes, not {asked[0].classes}")


def _check_table(asked: list[Problem]) -> None:
    """Refuse, before any work, sizes that there is no descent for."""
    sizes = {(entry.K, entry.L) for entry in dufm.best_known_table()}
    with wrong_input():
        for problem in asked:
            if (problem.classes, problem.layers) not in sizes:
                dufm.best_known(problem.classes, problem.layers)  # which says what there is


@dataclass(frozen=True)
class Row:
    """One problem and what is known of its optimum.

    The zero solution has a name and ranks as others have. The solution is kept in `bounds` only if it is to be drawn:
    those of many rows would fill the memory.
    """

    problem: Problem
    bounds: dufm.OptimumBounds
    name: str
    ranks: tuple[int, ...]
    dnc_loss: float
    srg_loss: float | None
    entry: dufm.BestKnown | None

    @property
    def loss(self) -> float:
        """The best known loss."""
        return at_least(self.bounds.upper)

    @property
    def ratio_to_srg(self) -> float | None:
        """The best known loss over that of SRG."""
        return None if self.srg_loss is None else self.loss / self.srg_loss

    def to_json(self) -> dict[str, Any]:
        """The fields in the order in which they are printed."""
        return {
            **self.problem.to_json(),
            "best_known_loss": self.loss,
            "best_known": self.name,
            "ranks": list(self.ranks),
            "lower_bound": at_most(self.bounds.lower),
            "argument": self.bounds.argument,
            "optimal": self.bounds.optimal,
            "dnc_loss": self.dnc_loss,
            "srg_loss": self.srg_loss,
            "ratio_to_dnc": self.loss / self.dnc_loss,
            "ratio_to_srg": self.ratio_to_srg,
            "history": None if self.entry is None else [step._asdict() for step in self.entry.history],
        }


def _row(problem: Problem, descend: bool, keep: bool) -> Row:
    K, L, lam, lams, n = problem
    bounds = dufm.bounds(K, L, lam, lams=lams, n=n)
    if descend:
        bounds = _descended(problem, bounds)
    solution = bounds.solution
    return Row(
        problem=problem,
        bounds=bounds if keep else bounds._replace(solution=None),
        name="zero" if solution is None else solution.name,
        ranks=(0,) * L if solution is None else solution.ranks,
        dnc_loss=dufm.dnc(K, L, lam, lams=lams, n=n).loss,
        srg_loss=None if K < FEWEST_CLASSES else dufm.srg(K, L, lam, lams=lams, n=n, construction="best").loss,
        entry=_entry(problem),
    )


def _descended(problem: Problem, bounds: dufm.OptimumBounds) -> dufm.OptimumBounds:
    """The bounds with the solution that a descent ends at, where that is better."""
    K, L, lam, lams, n = problem
    found = dufm.best_known(K, L, lam=lam, lams=lams, n=n)
    if found.loss >= GAIN * float(bounds.upper):
        return bounds
    return bounds._replace(upper=dufm.attained(found), solution=found)


def _entry(problem: Problem) -> dufm.BestKnown | None:
    """The table's entry, if this is a problem of the table."""
    lams = {problem.weight_decay} if problem.lams is None else set(problem.lams)
    if problem.samples_per_class != 1:
        return None
    for entry in dufm.best_known_table():
        if (entry.K, entry.L) == (problem.classes, problem.layers) and lams == {float(entry.lam)}:
            return entry
    return None


def _plot(row: Row, path: str) -> str | None:
    """Draw the solution; return why that cannot be, if it cannot."""
    solution = row.bounds.solution
    if solution is None:
        return "--plot: nothing better than the zero solution is known, which is nothing to draw"
    return save_figure(solution.plot, path)


def _print_one(row: Row) -> None:
    print(row.problem.heading)
    print()
    optimal = ", proved optimal" if row.bounds.optimal else ""
    print(f"best known   {float(UP.plus(row.bounds.upper)):.10g} ({described(row.name)}{optimal})")
    print(f"ranks        {spaced(row.ranks)}")
    print(f"lower bound  {float(DOWN.plus(row.bounds.lower)):.10g} ({row.bounds.argument})")
    print()
    rows = [("DNC", row.dnc_loss, row.loss / row.dnc_loss), ("SRG", row.srg_loss, row.ratio_to_srg)]
    cells = [(name, formatted(loss, ".10g"), formatted(ratio, ".6f")) for name, loss, ratio in rows if loss is not None]
    print_table(("", "loss", "best over it"), cells, "<>>")
    if row.entry is not None:
        print()
        steps = [(step.date, f"{step.loss:.10g}", step.method) for step in row.entry.history]
        print_table(("since", "loss", "found by"), steps, "<><")


def _table(rows: list[Row]) -> Table:
    titles = ("lower bound", "best known", "/ L_dnc", "/ L_srg", "solution", "ranks")
    return Table((*rows[0].problem.titles, *titles), list(map(_cells, rows)), ">>>>>>>><<")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        *row.problem.cells,
        f"{float(row.bounds.lower):.6g}",
        f"{row.loss:.6g}",
        f"{row.loss / row.dnc_loss:.6f}",
        formatted(row.ratio_to_srg, ".6f"),
        row.name + ", optimal" * row.bounds.optimal,
        runs(row.ranks),
    )
