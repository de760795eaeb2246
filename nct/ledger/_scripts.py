"""Writing the scripts of kernel checks to a folder, for a reader who trusts nothing else."""

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nct.ledger._claim import Check
from nct.ledger._folder import LedgerError
from nct.ledger._kernel import collecting, with_assumptions
from nct.ledger._reading import Listing, import_file
from nct.ledger._statement import Variant

_MAKEFILE = """\
# 'make' has Coq check every proof here, and prints what each rests on.
SCRIPTS = {names}

all: $(SCRIPTS:.v=.vo)

%.vo: %.v
	coqc $<

clean:
	rm -f *.vo *.vok *.vos *.glob .*.aux

.PHONY: all clean
"""


def write_scripts(listings: Iterable[Listing], folder: Path) -> list[Path]:
    """Write what the kernel checks of some claims put to Coq, one file a check, and a makefile.

    Parameters
    ----------
    listings : iterable of Listing
        The claims; those without a kernel check add nothing.
    folder : Path
        Where to write; it is made if it does not exist.

    Returns
    -------
    list of Path
        The files, the makefile last.

    Raises
    ------
    LedgerError
        If no claim has a kernel check, or the folder cannot be written.
    """
    scripts = {name: source for listing in listings for name, source in _scripts(listing).items()}
    if not scripts:
        raise LedgerError("none of these claims has a check that a proof kernel runs")
    files = {folder / name: with_assumptions(source) for name, source in scripts.items()}
    files[folder / "Makefile"] = _MAKEFILE.format(names=" ".join(scripts))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{folder} cannot be written: {error}") from error
    return list(files)


def _scripts(listing: Listing) -> dict[str, str]:
    """What a claim's kernel checks put to Coq for the form that stands and for the near misses they refute."""
    checks = {name: check for name, check in listing.checks.items() if check.kind == "kernel"}
    if not checks:
        return {}
    module = import_file(listing.path)
    found: list[str] = []
    for name in checks:
        function = getattr(module, name)
        for form in _forms(function):
            with collecting() as sources, suppress(AssertionError):  # of a near miss that the script refutes
                function(form.value)
            found += sources
    stem = re.sub(r"\W", "_", listing.claim.id)
    return {f"{stem}{f'_{i}' if i else ''}.v": source for i, source in enumerate(dict.fromkeys(found))}


def _forms(function: Any) -> list[Variant]:
    check = Check.of(function)
    return [] if check is None else check.variants
