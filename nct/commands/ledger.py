"""The claims of the ledger: what each states, where it is from, its verdict and its evidence.

The verdicts are those that the claims' files state; 'pytest proofs_checks/' is what checks them.

examples:
  nct ledger
  nct ledger lowrank.thm-5
  nct ledger --verdict amended --json
"""

import argparse
import json
import textwrap
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nct.commands import InputError
from nct.ledger import VERDICTS, Claim, LedgerError, Listing, find_ledger, read_claims

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("id", metavar="ID", nargs="?", help="show this claim, in full (default: list all)")
    parser.add_argument("--verdict", choices=VERDICTS, help="list only the claims with this verdict")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="the ledger's folder (default: proofs_checks here, in a folder above, or in the installed source tree)",
    )
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(arguments: argparse.Namespace) -> None:
    """List the claims, or show one."""
    try:
        folder = arguments.folder or find_ledger()
        claims = sorted(read_claims(folder), key=lambda listing: listing.sort_key)
    except LedgerError as error:
        raise InputError(str(error)) from error
    chosen = claims if arguments.id is None else [_named(arguments.id, claims)]
    if arguments.verdict is not None:
        chosen = [listing for listing in chosen if listing.claim.verdict == arguments.verdict]
    if arguments.json:
        print(json.dumps([_to_json(listing, claims) for listing in chosen], indent=2, ensure_ascii=False))
    elif arguments.id is not None:
        for listing in chosen:
            _print_one(listing, claims)
    else:
        _print_list(chosen)


def _named(id: str, claims: list[Listing]) -> Listing:
    for listing in claims:
        if listing.claim.id == id:
            return listing
    near = get_close_matches(id, [listing.claim.id for listing in claims])
    hint = f"; is it {' or '.join(near)}?" if near else "; 'nct ledger' lists them"
    raise InputError(f"no claim has the id {id!r}{hint}")


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
    print("\nprinted statement")
    _print_text(claim.printed.text, 4)
    if claim.amended is not None:
        print("\namended statement")
        _print_text(claim.amended.text, 4)
    kinds: dict[str, list[str]] = {}
    for name, check in listing.checks.items():
        kinds.setdefault(check.kind, []).append(name.removeprefix("test_").replace("_", " "))
    _print_section("checks", [f"{kind}: {name}" for kind, names in kinds.items() for name in names])
    _print_section("near misses, which every check has to reject", list(claim.near_misses))
    _print_section("rests on", list(claim.depends_on))
    _print_section("needed by", _needed_by(claim, claims))
    print(f"\npytest {_shown(listing.path)}")


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
