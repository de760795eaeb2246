"""What a claim's file says beyond the claim's fields: how it is read, and the code of its statements and checks."""

import ast
from pathlib import Path
from typing import Any

from nct.ledger._claim import Check
from nct.ledger._reading import Listing, read_claim
from nct.ledger._source import parsed_file, shown_value


def details(path: Path) -> dict[str, Any]:
    """The part of a claim's entry in the ledger's JSON that is read from its file, not found by running it.

    Parameters
    ----------
    path : Path
        The file, which is not run if that can be helped.

    Returns
    -------
    dict
        ``reading``, the file's docstring; ``code``, the text of the file; ``values``, every statement as code, by
        ``printed``, ``amended`` and ``seen``, and the near misses by name; ``checks``, a list with the name, kind,
        coverage and exemptions of each, and the lines of the text that are its code. Empty if the file states no claim.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    listing = read_claim(path)
    parsed = parsed_file(str(path))
    if listing is None or parsed is None:
        return {}
    tree, lines = parsed
    return {
        "reading": ast.get_docstring(tree),
        "code": b"".join(lines).decode(),
        "values": _values(listing),
        "checks": [
            _check(node, listing.checks[node.name])
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name in listing.checks
        ],
    }


def _values(listing: Listing) -> dict[str, Any]:
    claim = listing.claim
    forms = {"printed": claim.printed, "amended": claim.amended, "seen": claim.seen}
    return {name: shown_value(form.value) for name, form in forms.items() if form is not None} | {
        "near_misses": {name: shown_value(value) for name, value in claim.near_misses.items()}
    }


def _check(node: ast.FunctionDef, check: Check) -> dict[str, Any]:
    return {
        "name": node.name,
        "kind": check.kind,
        "covers": [one.to_json() for one in check.covers],
        "blind_to": dict(check.blind_to),
        "lines": [min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.end_lineno],
    }
