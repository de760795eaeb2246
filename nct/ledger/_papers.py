"""The table of the papers whose claims a ledger has: ``papers.toml`` in the folder of claims.

A ledger can do without. Where there is a table, every claim's paper has to be in it.
"""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nct.ledger._folder import LedgerError


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper, as the ledger refers to it.

    Attributes
    ----------
    key : str
        The part of the claims' ids before the first dot.
    title : str
        The title.
    authors : tuple of str
        The authors, in the paper's order.
    year : int
        The year of publication.
    identifier : str
        Where to find it: ``arXiv:…``, ``doi:…`` or an address.
    rows : tuple of str
        The rows of its claims' ids in the paper's order, those without a claim among them; none if nobody has said.
    without : dict of str to str
        Why a row has no claim, by row.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    identifier: str
    rows: tuple[str, ...] = ()
    without: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The paper as plain data."""
        return asdict(self) | {"authors": list(self.authors), "rows": list(self.rows)}


def read_papers(root: Path) -> dict[str, Paper] | None:
    """The papers of the ledger in `root`, by key and in the order of the table; None if there is no table.

    Parameters
    ----------
    root : Path
        The ledger's folder.

    Returns
    -------
    dict of str to Paper, or None
        The papers.

    Raises
    ------
    LedgerError
        If the table cannot be read, a field is missing, unknown or of another type, or two papers have one key.
    """
    path = root / "papers.toml"
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    papers: dict[str, Paper] = {}
    for number, row in enumerate(table.get("paper", []), 1):
        paper = _paper(row, f"{path}, paper {number}")
        if paper.key in papers:
            raise LedgerError(f"{path}, paper {number}: key = {paper.key!r}; key must not be that of another paper")
        papers[paper.key] = paper
    return papers


def near(name: str, names: list[str]) -> str:
    """A question after a name that is unknown, such as ``; is it lowrank?``; empty where no name is near."""
    found = get_close_matches(name, names)
    return f"; is it {' or '.join(found)}?" if found else ""


def _paper(row: dict[str, Any], where: str) -> Paper:
    optional: dict[str, type] = {"rows": list, "without": dict}
    names = [one.name for one in fields(Paper) if one.name not in optional]
    if sorted(row.keys() - optional.keys()) != sorted(names):
        raise LedgerError(f"{where} has the fields {', '.join(sorted(row)) or 'none'}; a paper has {', '.join(names)}")
    types: dict[str, type] = {name: str for name in names} | {"authors": list, "year": int} | optional
    for name, value in row.items():
        if not isinstance(value, types[name]) or not value:
            raise LedgerError(f"{where}: {name} = {value!r}; {name} must be a {types[name].__name__} and not empty")
    return Paper(**row | {"authors": tuple(row["authors"]), "rows": tuple(row.get("rows", ()))})
