"""What the ledger's JSON has of the claims' files."""

from ledgers import TRUE


def test_the_files_of_claims_are_in_the_ledger(ledger):
    path = ledger.add(near_misses="{'off by one': lambda m: 1, 'too large': lambda m: 2}", then=THEN)
    path.write_text('"""How it is read: $m$."""\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert ledger.run().ret == 0
    claim = ledger.written["example.sum"]
    assert claim["file"] == "proofs_checks/example/test_sum.py"
    assert claim["reading"] == "How it is read: $m$."
    assert claim["code"] == path.read_text(encoding="utf-8")
    assert claim["values"] == {
        "printed": TRUE,
        "near_misses": {"off by one": "lambda m: 1", "too large": "lambda m: 2"},
    }
    first, second = claim["checks"]
    assert (first["name"], first["kind"], first["blind_to"]) == ("test_by_adding_up", "exact", {})
    assert second["covers"] == [{"extent": "all", "text": "all values"}]
    assert second["blind_to"] == {"too large": "it looks at 0 only"}
    begin, end = second["lines"]
    assert "\n".join(claim["code"].splitlines()[begin - 1 : end]) == THEN.strip()
    assert claim["seconds"] > 0


THEN = """
@claim.check("derived", covers="all", blind_to={"too large": "it looks at 0 only"})
def test_at_zero(statement):
    require(statement(0) == 0, "wrong at 0")
"""
