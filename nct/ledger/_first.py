"""Beginning a ledger: the folder of claims, the table of papers, and a first claim that passes."""

from pathlib import Path

from nct.ledger._folder import CLAIMS_FOLDER, LedgerError, configuration

FIRST_CLAIM = '''\
r"""The sum of the first integers (gauss, Theorem 1).

$$
\\sum_{i=1}^m i = \\frac{m(m+1)}2
$$
"""

from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require

claim = Claim(
    id="gauss.thm-1",
    title="Sum of the first integers",
    source="gauss, Theorem 1",
    verdict="holds",
    printed=Statement(r"\\sum_{i=1}^m i = m(m+1)/2", lambda m: m * (m + 1) // 2),
    near_misses={
        "one less": lambda m: m * (m - 1) // 2,
        "without the half": lambda m: m * (m + 1),
    },
)


@claim.check("exact", covers=Instances("m ≤ 49"))
def test_adding_up(statement):
    for m in range(1, 50):
        require(statement(m) == sum(range(m + 1)), "the sum differs", m=m)


@claim.check("property", covers=Instances("m ≤ 10⁹, drawn at random"))
@given(st.integers(1, 10**9))
def test_one_more_term(statement, m):
    require(statement(m) - statement(m - 1) == m, "wrong step", m=m)
'''

_PAPERS = """\
# The papers of this ledger; a claim's id begins with the key of its paper.

[[paper]]
key = "gauss"
title = "The sum of the first integers, in the schoolroom"
authors = ["C. F. Gauss"]
year = 1786
identifier = "a story; put your paper here"
"""

_SETTINGS = """\
[pytest]
# Two papers may have a theorem of the same number, and so files of the same name.
addopts = --import-mode=importlib
"""


def begin_ledger(root: Path) -> list[Path]:
    """Write a ledger of one claim.

    Parameters
    ----------
    root : Path
        The folder of claims, created unless it exists. Beside it, a ``pytest.ini`` is written unless pytest is
        configured there already.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    LedgerError
        If one of the claim's files exists already, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in begin_ledger(Path(folder) / "proofs_checks")]
    ['test_thm_1.py', 'papers.toml', 'pytest.ini']
    """
    files = {root / "gauss" / "test_thm_1.py": FIRST_CLAIM, root / "papers.toml": _PAPERS}
    for path in files:
        if path.exists():
            raise LedgerError(f"{path} exists; a ledger is begun where there is none")
    if not configuration(root.parent):
        claims = "" if root.name == CLAIMS_FOLDER else f"ledger_claims = {root.name}\n"
        files[root.parent / "pytest.ini"] = _SETTINGS + claims
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{error.filename} cannot be written: {error.strerror}") from error
    return list(files)
