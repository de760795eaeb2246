"""The claims of the ledger: what each states, where it is from, its verdict and its evidence.

A NAME is the id of a claim, a part of ids, or the key of a paper. One claim is shown in full, several in a table. The
verdicts are those that the claims' files state; counterexamples are those that the last recorded run has found.
'nct verify' runs the claims; 'nct ledger init' begins a ledger of your own.

examples:
  nct ledger
  nct ledger lowrank --verdict amended --statements
  nct ledger lowrank.thm-5
  nct ledger lowrank.thm-5 --counterexample | python
  nct ledger review --reach tested --csv
  nct ledger --coq proofs && make -C proofs
  nct ledger --compare before.json after.json
  nct ledger --site pages
  nct ledger init --folder claims
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from nct.arguments import add_forms
from nct.claims import STYLES, Row, choose, claim_names, counted, overview, read_rows, statements_in_latex
from nct.commands import InputError
from nct.ledger import (
    KINDS,
    SCOPES,
    VERDICTS,
    LedgerError,
    begin_ledger,
    compare,
    find_ledger,
    in_unicode,
    read_ledger,
    write_scripts,
)
from nct.page import page, print_lines, shown_path
from nct.tables import print_csv, print_json, print_latex, print_table

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    names = parser.add_argument(
        "names", metavar="NAME", nargs="*", help="which claims (default: all); 'init' alone begins a ledger"
    )
    names.completer = claim_names  # type: ignore[attr-defined]
    parser.add_argument("--verdict", choices=VERDICTS, help="list only the claims with this verdict")
    parser.add_argument("--reach", choices=SCOPES, help="list only the claims whose checks reach this far")
    parser.add_argument("--kind", choices=KINDS, help="list only the claims with evidence of this kind")
    parser.add_argument(
        "--statements", action="store_true", help="list each claim with its statement and what refutes it"
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="the ledger's folder (default: what pytest's setting ledger_claims names, or proofs_checks, here, in a "
        "folder above, or in the installed source tree)",
    )
    add_forms(parser, each="one for each claim", latex=True)
    parser.add_argument(
        "--counterexample",
        action="store_true",
        help="print plain Python that shows the claim's counterexample without this project",
    )
    parser.add_argument(
        "--coq",
        metavar="DIR",
        type=Path,
        help="write the proofs that Coq checks, of the claims that are chosen, and a makefile that has it check them",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        type=Path,
        help="print what changed from one ledger to another, both written by 'pytest --ledger FILE'",
    )
    parser.add_argument(
        "--site",
        metavar="DIR",
        type=Path,
        help="write pages for the browser of all claims and their evidence; the claims are run, unless --from is given",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        type=Path,
        help="of --site: what 'pytest --ledger FILE' wrote",
    )
    parser.add_argument("--home", metavar="ADDRESS", help="of --site: where the first link of every page goes")


def run(arguments: argparse.Namespace) -> None:
    """List the claims, show one, compare two ledgers, or begin one."""
    try:
        if arguments.compare is not None:
            _print_changes(*arguments.compare)
        elif arguments.site is not None:
            _write_site(arguments)
        elif arguments.names == ["init"]:
            _begin(arguments.folder or Path("proofs_checks"))
        else:
            _show(arguments)
    except LedgerError as error:
        raise InputError(str(error)) from error


def _print_changes(before: Path, after: Path) -> None:
    for line in compare(read_ledger(before), read_ledger(after)) or ["no change"]:
        print(line)


def _write_site(arguments: argparse.Namespace) -> None:
    try:
        from nct.site.command import make_site

        claims = arguments.folder or find_ledger()
        first, *others = make_site(arguments.site, claims, run=arguments.source, home=arguments.home)
    except ImportError as error:
        raise InputError(f"--site: {error}; pip install 'neural-collapse-theory[site]'") from error
    print(f"wrote {shown_path(first)} and {len(others)} further pages")


def _begin(folder: Path) -> None:
    for path in begin_ledger(folder.resolve()):
        print(f"wrote {shown_path(path)}")
    if not _is_found(folder.resolve()):
        project = shown_path(folder.resolve().parent)
        print(f"\nadd 'ledger_claims = {folder.name}' to the pytest configuration in {project}")
    print(f"\nnow run: pytest {shown_path(folder.resolve())}")


def _is_found(folder: Path) -> bool:
    """Whether the ledger is found without being named."""
    try:
        return find_ledger(folder.parent) == folder
    except LedgerError:
        return False


def _show(arguments: argparse.Namespace) -> None:
    rows = read_rows(arguments.folder or find_ledger())
    chosen = _chosen(rows, arguments)
    if arguments.coq is not None:
        for path in write_scripts([row.listing for row in chosen], arguments.coq):
            print(f"wrote {shown_path(path)}")
        print(f"\nnow run: make -C {shown_path(arguments.coq)}")
    elif arguments.counterexample:
        _print_code(chosen)
    elif arguments.json:
        print_json([row.to_json() | {"needed_by": _needed_by(row, rows)} for row in chosen])
    elif arguments.csv:
        print_csv([row.to_csv() for row in chosen])
    elif arguments.latex:
        print_latex(*statements_in_latex(chosen))
    elif arguments.statements:
        print_lines(_with_statements(chosen))
    elif len(chosen) == 1 and _is_one_claim(arguments.names, rows):
        print_lines(page(chosen[0], _needed_by(chosen[0], rows)))
    else:
        _print_list(chosen)


def _chosen(rows: Sequence[Row], arguments: argparse.Namespace) -> list[Row]:
    named = {listing.claim.id for listing in choose([row.listing for row in rows], arguments.names)}
    return [
        row
        for row in rows
        if row.listing.claim.id in named
        and arguments.verdict in (None, row.listing.claim.verdict)
        and arguments.reach in (None, row.listing.reach)
        and (arguments.kind is None or arguments.kind in row.kinds)
    ]


def _is_one_claim(names: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether a claim is asked for, rather than a list that happens to have one."""
    return len(names) == 1 and names[0] not in {row.listing.claim.paper for row in rows}


def _print_code(chosen: Sequence[Row]) -> None:
    if len(chosen) != 1:
        raise InputError(f"--counterexample wants one claim, not {len(chosen)}")
    claim = chosen[0].listing.claim
    if claim.counterexample_code is None:
        raise InputError(f"{claim.id} (verdict {claim.verdict!r}) has no code that shows a counterexample")
    print(claim.counterexample_code.strip())


def _needed_by(row: Row, rows: Sequence[Row]) -> list[str]:
    return [other.listing.claim.id for other in rows if row.listing.claim.id in other.listing.claim.depends_on]


def _print_list(rows: Sequence[Row]) -> None:
    if rows:
        table, styles = overview(rows)
        print_table(*table, styles=styles, whole=("claim", "verdict", "reach"))
        print()
    print_lines((line, "") for line in counted(rows))


def _with_statements(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        claim, reach = row.listing.claim, row.listing.reach
        yield f"{claim.id}: {claim.title} ({claim.verdict}{f', {reach}' if reach else ''})", STYLES[claim.verdict]
        for name in ("printed", "amended", "seen"):
            form = getattr(claim, name)
            if form is not None:
                yield f"    {name}: {in_unicode(form.text)}", ""
        if row.outcome is not None and row.outcome.counterexample is not None:
            yield f"    counterexample: {row.outcome.counterexample} ({row.when})", ""
        yield "", ""
    yield from ((line, "") for line in counted(rows))
