"""The claims of the ledger: what each states, where it is from, its verdict and its evidence.

The verdicts are those that the claims' files state; 'pytest' on the ledger's folder is what checks them, and with
'--ledger FILE' writes what came of it. 'nct ledger init' begins a ledger of your own.

examples:
  nct ledger
  nct ledger lowrank.thm-5
  nct ledger lowrank.thm-5 --counterexample | python
  nct ledger --verdict amended --json
  nct ledger --coq proofs && make -C proofs
  nct ledger --compare before.json after.json
  nct ledger init --folder claims
"""

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nct.arguments import nearest
from nct.commands import InputError
from nct.ledger import (
    KINDS,
    VERDICTS,
    Check,
    Claim,
    LedgerError,
    Listing,
    begin_ledger,
    compare,
    find_ledger,
    read_claims,
    read_ledger,
    shown_value,
    write_scripts,
)
from nct.tables import print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "id", metavar="ID", nargs="?", help="show this claim, in full (default: list all); 'init' begins a ledger"
    )
    parser.add_argument("--verdict", choices=VERDICTS, help="list only the claims with this verdict")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="the ledger's folder (default: what pytest's setting ledger_claims names, or proofs_checks, here, in a "
        "folder above, or in the installed source tree)",
    )
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
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


def run(arguments: argparse.Namespace) -> None:
    """List the claims, show one, compare two ledgers, or begin one."""
    try:
        if arguments.compare is not None:
            _print_changes(*arguments.compare)
        elif arguments.id == "init":
            _begin(arguments.folder or Path("proofs_checks"))
        else:
            _show(arguments)
    except LedgerError as error:
        raise InputError(str(error)) from error


def _print_changes(before: Path, after: Path) -> None:
    for line in compare(read_ledger(before), read_ledger(after)) or ["no change"]:
        print(line)


def _begin(folder: Path) -> None:
    for path in begin_ledger(folder.resolve()):
        print(f"wrote {_shown(path)}")
    if not _is_found(folder.resolve()):
        print(f"\nadd 'ledger_claims = {folder.name}' to the pytest configuration in {_shown(folder.resolve().parent)}")
    print(f"\nnow run: pytest {_shown(folder.resolve())}")


def _is_found(folder: Path) -> bool:
    """Whether the ledger is found without being named."""
    try:
        return find_ledger(folder.parent) == folder
    except LedgerError:
        return False


def _show(arguments: argparse.Namespace) -> None:
    claims = sorted(read_claims(arguments.folder or find_ledger()), key=lambda listing: listing.sort_key)
    chosen = claims if arguments.id is None else [_named(arguments.id, claims)]
    if arguments.verdict is not None:
        chosen = [listing for listing in chosen if listing.claim.verdict == arguments.verdict]
    if arguments.coq is not None:
        for path in write_scripts(chosen, arguments.coq):
            print(f"wrote {_shown(path)}")
        print(f"\nnow run: make -C {_shown(arguments.coq)}")
    elif arguments.counterexample:
        _print_code(chosen, arguments.id)
    elif arguments.json:
        print_json([_to_json(listing, claims) for listing in chosen])
    elif arguments.id is not None:
        for listing in chosen:
            _print_one(listing, claims)
    else:
        _print_list(chosen)


def _named(id: str, claims: list[Listing]) -> Listing:
    for listing in claims:
        if listing.claim.id == id:
            return listing
    near = nearest(id, [listing.claim.id for listing in claims])
    hint = f"; is it {' or '.join(near)}?" if near else "; 'nct ledger' lists them"
    raise InputError(f"no claim has the id {id!r}{hint}")


def _print_code(chosen: list[Listing], id: str | None) -> None:
    if id is None:
        raise InputError("--counterexample wants the ID of one claim")
    for listing in chosen:
        code = listing.claim.counterexample_code
        if code is None:
            verdict = listing.claim.verdict
            raise InputError(f"{id} (verdict {verdict!r}) has no code that shows a counterexample")
        print(code.strip())


def _needed_by(claim: Claim, claims: list[Listing]) -> list[str]:
    return [other.claim.id for other in claims if claim.id in other.claim.depends_on]


def _to_json(listing: Listing, claims: list[Listing]) -> dict[str, Any]:
    return listing.claim.to_json() | {
        "needed_by": _needed_by(listing.claim, claims),
        "checks": {name: check.kind for name, check in listing.checks.items()},
        "file": str(listing.path),
    }


def _print_list(listings: list[Listing]) -> None:
    claims = [listing.claim for listing in listings]
    width = max((len(claim.id) for claim in claims), default=0)
    for claim in claims:
        print(f"{claim.id:{width}}  {claim.verdict:8}  {claim.title}")
        _print_text(claim.printed.text, 4)
        if claim.amended is not None:
            _print_text(f"amended: {claim.amended.text}", 4)
    counts = [(sum(claim.verdict == verdict for claim in claims), verdict) for verdict in VERDICTS]
    told = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
    print(f"\n{len(claims)} claim{'s' * (len(claims) != 1)}{': ' if told else ''}{told}")


def _print_one(listing: Listing, claims: list[Listing]) -> None:
    claim = listing.claim
    print(f"{claim.id}: {claim.title}")
    print(f"source   {claim.source}")
    print(f"verdict  {claim.verdict}")
    for title, form in (("printed", claim.printed), ("amended", claim.amended), ("seen", claim.seen)):
        if form is not None:
            print(f"\n{title} statement" if title != "seen" else "\nseen")
            _print_text(form.text, 4)
            _print_text(f"in code: {shown_value(form.value)}", 4)
    if claim.ran is not None:
        print("\nrun")
        _print_text(claim.ran, 4)
    checks = sorted(listing.checks.items(), key=lambda item: KINDS.index(item[1].kind))
    _print_section("checks", [f"{check.kind}: {_plain(name)}{_covered(check)}" for name, check in checks])
    _print_section("near misses, each to be rejected", list(_near_misses(listing)))
    _print_section("rests on", list(claim.depends_on))
    _print_section("needed by", _needed_by(claim, claims))
    print(f"\npytest {_shown(listing.path)}")


def _plain(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _covered(check: Check) -> str:
    told = "; ".join(one.text for one in check.covers if one.text != "not said")
    return f" ({told})" if told else ""


def _near_misses(listing: Listing) -> Iterator[str]:
    """Each with the checks that are exempt, and why."""
    for near_miss in listing.claim.near_misses:
        blind = {
            name: check.blind_to[near_miss] for name, check in listing.checks.items() if near_miss in check.blind_to
        }
        told = "; ".join(f"not by '{_plain(name)}': {reason}" for name, reason in blind.items())
        yield near_miss + (f" ({told})" if told else "")


def _print_section(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}")
        for line in lines:
            print(f"    {line}")


def _print_text(text: str, indent: int) -> None:
    margin = " " * indent
    print(
        textwrap.fill(
            " ".join(text.split()),
            width=110,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _shown(path: Path) -> str:
    """`path` from here, if it is below here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
