"""The loss of the strongly regular graph solution (SRG) and of deep neural collapse (DNC) in the deep unconstrained
features model, each minimised over its scale, and their ratio: below 1 the strongly regular graph is better. Beside
them stands the best loss that is known; `nct best` tells more of it.

Wherever a number is wanted a comma-separated list may be given, and for integers also a range with both ends,
START:STOP or START:STOP:STEP; every combination becomes a row of a table. A number may be written as a fraction.
Below 6 classes there is no strongly regular graph solution, and its columns are empty; so are those of the best known
solution where its scales are beyond the range of floating-point numbers.

examples:
  nct ratio --classes 10 --layers 4 --weight-decay 5e-4
  nct ratio --classes 6,10,15 --layers 3:6 --weight-decay 1e-4,1e-3 --csv
  nct ratio --classes 6:28 --layers 4 --weight-decay 5e-4 --latex
  nct ratio --classes 10 --layers 3 --lams 1e-3,1e-4,1e-4,5e-4 --json
"""

import argparse
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from nct.arguments import add_forms
from nct.commands import wrong_input
from nct.problems import Problem, add_problem_arguments, at_least, at_most, described, formatted, problems, runs, spaced
from nct.progress import progress
from nct.tables import Table, print_csv, print_json, print_latex, print_table
from theory import dufm

__all__ = ["add_arguments", "run"]

FEWEST_CLASSES = 6  # the edges of the complete graph on 4 nodes, below which there is no SRG solution
BETTER = 1 - 1e-12  # the relative precision of the losses that are compared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_problem_arguments(parser)
    parser.add_argument(
        "--construction",
        choices=get_args(dufm.Construction),
        default="block",
        help="what is done where the number of classes is not triangular: a graph on as many classes as possible and "
        "collapse on the others; the next larger graph with classes left out; the better of the two (default: block)",
    )
    add_forms(parser, latex=True)


def run(arguments: argparse.Namespace) -> None:
    """Compute and print the rows."""
    with wrong_input():
        rows = _rows(arguments)
    if arguments.json:
        print_json([row.to_json() for row in rows])
    elif arguments.csv:
        print_csv([row.to_json() for row in rows])
    elif arguments.latex:
        print_latex(*_table(rows))
    elif len(rows) == 1:
        _print_one(rows[0])
    else:
        print_table(*_table(rows))


class Best(NamedTuple):
    """What `dufm.bounds` says, without the solution's matrices, which would fill the memory with those of many rows."""

    loss: float
    name: str
    lower: float
    argument: str
    optimal: bool


@dataclass(frozen=True)
class Row:
    """One problem and its losses; those of SRG are None where there is no such solution, `best` where it is unknown."""

    problem: Problem
    construction: str
    dnc: dufm.Solution
    srg: dufm.Solution | None
    best: Best | None

    @property
    def ratio(self) -> float | None:
        """Below 1, SRG is better than DNC."""
        return None if self.srg is None else self.srg.loss / self.dnc.loss

    @property
    def lower_loss(self) -> float:
        """The loss of DNC or SRG, whichever is lower."""
        return self.dnc.loss if self.srg is None else min(self.dnc.loss, self.srg.loss)

    @property
    def better_is_known(self) -> bool:
        """Whether a solution is known that is better than both."""
        return self.best is not None and self.best.loss < BETTER * self.lower_loss

    @property
    def nontrivial(self) -> bool:
        """Whether a solution beats the zero solution, whose loss is one half."""
        return min(self.lower_loss, 0.5 if self.best is None else self.best.loss) < 0.5

    def to_json(self) -> dict[str, Any]:
        """The fields in the order in which they are printed."""
        return {
            **self.problem.to_json(),
            "construction": self.construction,
            "dnc_loss": self.dnc.loss,
            "srg_loss": None if self.srg is None else self.srg.loss,
            "ratio": self.ratio,
            "best_known_loss": None if self.best is None else self.best.loss,
            "best_known": None if self.best is None else self.best.name,
            "lower_bound": None if self.best is None else self.best.lower,
            "nontrivial": self.nontrivial,
            "dnc_ranks": list(self.dnc.ranks),
            "srg_ranks": None if self.srg is None else list(self.srg.ranks),
        }


def _rows(arguments: argparse.Namespace) -> list[Row]:
    asked = problems(arguments, instead="theory.dufm.loss_ratio")
    rows = []
    with progress("losses", len(asked)) as update:
        for problem in asked:
            rows.append(_row(problem, arguments.construction))
            update(len(rows))
    return rows


def _row(problem: Problem, construction: dufm.Construction) -> Row:
    K, L, lam, lams, n = problem
    dnc = dufm.dnc(K, L, lam, lams=lams, n=n)
    srg = None if K < FEWEST_CLASSES else dufm.srg(K, L, lam, lams=lams, n=n, construction=construction)
    return Row(problem, construction, dnc, srg, _best(problem))


def _best(problem: Problem) -> Best | None:
    K, L, lam, lams, n = problem
    try:
        found = dufm.bounds(K, L, lam, lams=lams, n=n)
    except (ValueError, TimeoutError):  # of scales beyond floats: wrong input would have been refused before
        return None
    name = "zero" if found.solution is None else found.solution.name
    return Best(at_least(found.upper), name, at_most(found.lower), found.argument, found.optimal)


def _print_one(row: Row) -> None:
    print(row.problem.heading)
    print()
    srg = (None, ()) if row.srg is None else (row.srg.loss, row.srg.ranks)
    cells = [
        ("loss", formatted(row.dnc.loss, ".10g"), formatted(srg[0], ".10g")),
        ("ranks", spaced(row.dnc.ranks), spaced(srg[1])),
    ]
    print_table(("", "DNC", "SRG"), cells, "<>>")
    print()
    print(f"ratio        {formatted(row.ratio, '.10g')}{' ' * (row.ratio is not None)}({_verdict(row)})")
    print(f"non-trivial  {'yes' if row.nontrivial else 'no: the zero solution is as good, with loss 0.5'}")
    if row.best is not None:
        print(f"best known   {row.best.loss:.10g} ({described(row.best.name)}{', proved optimal' * row.best.optimal})")
        print(f"lower bound  {row.best.lower:.10g} ({row.best.argument})")


def _verdict(row: Row) -> str:
    """Who wins, unless better than both is known, or nothing is known of better ones."""
    if row.best is not None and not row.better_is_known:
        return _comparison(row.ratio, "SRG wins", "DNC wins", "neither wins")
    found = _comparison(row.ratio, "SRG is below DNC", "DNC is below SRG", "neither is below the other")
    return found + "; better is known" * row.better_is_known


def _comparison(ratio: float | None, below: str, above: str, equal: str) -> str:
    if ratio is None:
        return f"there is no SRG solution below {FEWEST_CLASSES} classes"
    return below if ratio < 1 else above if ratio > 1 else equal


def _table(rows: list[Row]) -> Table:
    titles = ("L_dnc", "L_srg", "ratio", "best", "non-trivial", "ranks dnc", "ranks srg")
    return Table((*rows[0].problem.titles, *titles), list(map(_cells, rows)), ">>>>>>>><<<")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        *row.problem.cells,
        formatted(row.dnc.loss, ".6g"),
        formatted(None if row.srg is None else row.srg.loss, ".6g"),
        formatted(row.ratio, ".6f"),
        formatted(None if row.best is None else row.best.loss, ".6g"),
        "yes" if row.nontrivial else "no",
        runs(row.dnc.ranks),
        runs(() if row.srg is None else row.srg.ranks),
    )
