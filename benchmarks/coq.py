"""What Coq has checked of the ledger: certificates of all, how long it takes, sizes, and what the proofs assume.

A certificate counts as checked if the theorem that it is translated to is in one of its claim's scripts. Those that
count are all that a claim's exact checks and derivations verify on the form that stands. Seconds are of processor time,
for each script with the start of Coq.

Run it with `python benchmarks/coq.py`; it takes about three minutes on one core, and writes the table in docs/coq.md,
too. With `--check` it writes nothing, and fails if the table is not of the results.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import record

from nct.ledger import Check, collecting, find_coqc, read_claims, run_coqc, write_scripts
from nct.ledger._reading import import_file
from theory import coq, verified

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coq.md"
BEGIN, END = "<!-- the table of benchmarks/coq.py -->\n", "<!-- its end -->\n"


def theorems(source):
    """What a script's theorems say, without their names."""
    found = re.findall(r"^Theorem \w+ :(.*?)^Proof\.", source, re.DOTALL | re.MULTILINE)
    return {" ".join(text.split()) for text in found}


def standing(check):
    """The forms of the statement that hold."""
    return [form.value for form in check.variants if form.role in ("printed", "amended") and form.holds]


def certificates(module):
    """The theorems of the certificates that a claim's checks verify, and those that its kernel checks put to Coq."""
    checks = [(function, check) for function in vars(module).values() if (check := Check.of(function)) is not None]
    with verified.verified_certificates() as found:
        for function, check in checks:
            if check.kind in ("exact", "derived"):
                for value in standing(check):
                    function(value)
    with collecting() as sources, suppress(AssertionError):
        for function, check in checks:
            if check.kind == "kernel":
                for value in standing(check):
                    function(value)
    says = {frozenset(theorems(coq.translate(one, "name")[-1].text)) for one in found}
    put = set().union(*map(theorems, sources))
    return len(says), sum(one <= put for one in says)


def of_claims():
    """For each claim that has certificates or proofs: how many certificates there are, and how many are checked."""
    rows = {}
    for listing in read_claims(ROOT / "proofs_checks"):
        by_kernel = any(check.kind == "kernel" for check in listing.checks.values())
        if by_kernel or "ertificate" in listing.path.read_text(encoding="utf-8"):
            found, checked = certificates(import_file(listing.path))
            if found or by_kernel:
                rows[listing.claim.id] = {"certificates": found, "checked": checked}
    return rows


def of_scripts():
    """For each script that `nct ledger --coq` writes: size, theorems, and what Coq says of it."""
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        *paths, _ = write_scripts(read_claims(ROOT / "proofs_checks"), Path(folder))
        for path in paths:
            source = path.read_text(encoding="utf-8").split("(* What the proofs assume")[0]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            checked = run_coqc(source)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            rows[path.name] = {
                "claim": re.split(r"[:\s]", source.removeprefix("(* "))[0],
                "accepted": checked.accepted,
                "theorems": len(re.findall(r"^(?:Theorem|Lemma) ", source, re.MULTILINE)),
                "bytes": len(source.encode()),
                "seconds": round(sum(after[:2]) - sum(before[:2]), 2),
                "assumptions": sorted(checked.assumptions),
            }
    return rows


def table(results):
    """The results as a table in Markdown, a row a claim."""
    lines = [
        "| claim | certificates checked | scripts | theorems | KiB | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    claims, scripts = results["claims"], results["scripts"]
    for name, row in sorted(claims.items()):
        lines.append(line(f"`{name}`", [row], [one for one in scripts.values() if one["claim"] == name]))
    lines.append(line("all", claims.values(), scripts.values()))
    axioms = sorted({axiom for one in scripts.values() for axiom in one["assumptions"]})
    machine = results["machine"]
    return "\n".join(
        [
            *lines,
            "",
            f"Processor seconds on one core ({machine['processor']}), {results['coq']}. Together the proofs assume "
            + ", ".join(f"`{axiom}`" for axiom in axioms)
            + ".\n",
        ]
    )


def line(name, claims, scripts):
    found, checked = (sum(row[key] for row in claims) for key in ("certificates", "checked"))
    theorems, size, seconds = (sum(one[key] for one in scripts) for key in ("theorems", "bytes", "seconds"))
    of_all = f"{checked} of {found}" if found else ""
    return f"| {name} | {of_all} | {len(scripts)} | {theorems} | {size / 1024:.1f} | {seconds:.1f} |"


def page(results):
    """docs/coq.md with the table of these results."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + table(results) + "\n" + END + rest.split(END)[1]


def main():
    arguments = record.parser(__doc__)
    arguments.add_argument("--check", action="store_true", help="compare the page with the results and write nothing")
    if arguments.parse_args().check:
        results = json.loads((record.RESULTS / "coq.json").read_text(encoding="utf-8"))
        sys.exit(page(results) != PAGE.read_text(encoding="utf-8"))
    version = subprocess.run([find_coqc(), "--version"], capture_output=True, encoding="utf-8", check=True).stdout
    results = {"coq": version.splitlines()[0], "claims": of_claims(), "scripts": of_scripts()}
    path = record.write("coq", results)
    PAGE.write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    print(table(json.loads(path.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
