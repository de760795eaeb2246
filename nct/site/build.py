"""Writing the site of a ledger: pages that stand alone, from the JSON of a run."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nct.ledger import KINDS, SCOPES, LedgerError, LedgerFile, in_unicode
from nct.site.code import code_html
from nct.site.contents import Contents, Row, counted, in_order
from nct.site.drawing import draw, slug
from nct.site.entries import Entry, in_words
from nct.site.formulas import ASSETS

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent

_COLUMNS = {
    "id": "Claim", "title": "Title", "verdict": "Verdict", "reach": "Reach", "kinds": "Evidence",
    "misses": "Near misses rejected", "seconds": "Seconds",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A page: where it is, its name in the menu if it has one, its template, and what that needs."""

    path: str
    template: str
    name: str = ""
    context: dict[str, Any] = field(default_factory=dict)


def write_site(
    ledger: LedgerFile,
    folder: Path,
    *,
    title: str = "Claims",
    home: str | None = None,
    further: tuple[Page, ...] = (),
) -> list[Path]:
    """Write the site of a ledger.

    Parameters
    ----------
    ledger : LedgerFile
        What a run wrote.
    folder : Path
        Where the site goes; files of it that are there are replaced, others are left.
    title : str
        The heading of the first page.
    home : str or None
        An address, from the site's folder, that the menu begins with.
    further : tuple of Page
        Pages beside those of the claims.

    Returns
    -------
    list of Path
        The pages, the first one first.

    Raises
    ------
    LedgerError
        If the ledger has nothing to show, or the folder cannot be written.
    FormulaError
        If a statement or a reading cannot be typeset; the message names the claim.
    """
    contents = Contents(ledger)
    pages = [*_pages(contents), *further]
    menu = [page for page in pages if page.name]
    common = {"ledger": ledger, "entries": contents.entries, "papers": contents.papers, "counts": contents.counts}
    common |= {"title": title, "home": home, "menu": menu}
    environment = _environment(contents)
    written = []
    try:
        for page in pages:
            target = folder / page.path
            target.parent.mkdir(parents=True, exist_ok=True)
            root = "../" * page.path.count("/")
            html = environment.get_template(page.template).render(common | page.context, path=page.path, root=root)
            target.write_text(html, encoding="utf-8")
            written.append(target)
        _write_assets(contents, folder / "assets")
    except OSError as error:
        raise LedgerError(f"{folder} cannot be written: {error.strerror or error}") from error
    return written


def _write_assets(contents: Contents, folder: Path) -> None:
    for path in sorted((HERE / "assets").glob("*.*")):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    shutil.copytree(ASSETS / "fonts", folder / "katex" / "fonts", dirs_exist_ok=True)
    shutil.copyfile(ASSETS / "LICENSE.txt", folder / "katex" / "LICENSE.txt")
    sheet = contents.styles.sheet((ASSETS / "katex.min.css").read_text(encoding="utf-8"))
    (folder / "katex" / "formulas.css").write_text(sheet + "\n", encoding="utf-8")


def _environment(contents: Contents) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def badge(entry: Entry) -> Markup:
        return Markup('<span class="badge verdict {}">{}</span>').format(slug(entry.status), entry.status)

    def reach(entry: Entry) -> Markup:
        shown = Markup('<span class="badge reach {}">{}</span>').format(slug(entry.reach), entry.reach)
        return Markup("") if entry.reach == "–" else shown

    def link(id: str, root: str) -> Markup:
        known = Markup('<a href="{}claims/{}.html">{}</a>').format(root, id, id)
        return known if id in contents.entries else escape(id)

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"slug": slug, "words": in_words, "shown": shown}
    environment.filters["code"] = lambda text: Markup(code_html(text))
    environment.globals |= {"badge": badge, "reach": reach, "link": link}
    return environment


def shown(value: Any) -> str:
    """A field of the JSON that the pages have no place for, as text.

    Examples
    --------
    >>> shown({"formal": ["a", "b"]})
    'formal: a, b'
    """
    if isinstance(value, dict):
        return "; ".join(f"{name}: {shown(part)}" for name, part in value.items())
    return ", ".join(map(shown, value)) if isinstance(value, list) else str(value)


def _pages(contents: Contents) -> Iterator[Page]:
    entries = list(contents.entries.values())
    false = _refuted(contents)
    filters = {
        "paper": list(dict.fromkeys(entry.paper for entry in entries)),
        "verdict": [status for status, _ in contents.counts],
        "reach": in_order([entry.reach for entry in entries], SCOPES),
        "kind": in_order([kind for entry in entries for kind in entry.kinds], KINDS),
    }
    first = {"columns": list(_COLUMNS.items()), "filters": list(filters.items()), "false_path": false.path}
    yield Page("index.html", "index.html", "Claims", first)
    yield false
    yield _graph(contents)
    for key in dict.fromkeys([*contents.papers, *(entry.paper for entry in entries)]):
        yield _paper(contents, key)
    for entry in entries:
        yield _claim(contents, entry)


def _refuted(contents: Contents) -> Page:
    """What is false as printed, and experiments that were seen otherwise."""
    rows: dict[bool, list[Row]] = {True: [], False: []}
    for entry in contents.entries.values():
        if entry.verdict in ("amended", "fails") or entry.seen:
            rows[bool(entry.seen)].append(Row(entry, contents.forms(entry)))
    context = {"rows": rows[False], "experiments": rows[True]}
    return Page("false.html", "false.html", "False as printed", context)


def _graph(contents: Contents) -> Page:
    edges = contents.edges()
    connected = [id for id in contents.entries if any(id in edge for edge in edges)]
    drawing = draw({id: contents.entries[id] for id in connected}, edges, "claims/") if connected else ""
    alone = [id for id in contents.entries if id not in connected]
    scopes = in_order([entry.reach for entry in contents.entries.values()], SCOPES)
    context = {"drawing": _safe(drawing), "connected": connected, "alone": alone, "scopes": scopes}
    return Page("graph.html", "graph.html", "Graph", context)


def _paper(contents: Contents, key: str) -> Page:
    paper = contents.papers.get(key)
    order = {row: number for number, row in enumerate((paper or {}).get("rows", []))}
    entries = [entry for entry in contents.entries.values() if entry.paper == key]
    entries.sort(key=lambda entry: order.get(entry.row, len(order)))
    without = dict((paper or {}).get("without", {}))
    claimed = {entry.row for entry in entries}
    missing = [(row, without.get(row, "not yet a claim")) for row in [*order, *(w for w in without if w not in order)]]
    context = {
        "key": key,
        "ordered": bool(order),
        "paper": paper,
        "address": address((paper or {}).get("identifier", "")),
        "rows": [Row(entry, text=in_unicode(entry.printed)) for entry in entries],
        "counts": counted(entries),
        "missing": [(row, reason) for row, reason in missing if row not in claimed],
    }
    return Page(f"papers/{key}.html", "paper.html", key, context)


def address(identifier: str) -> str | None:
    """The address of a paper, from what it is known by.

    Examples
    --------
    >>> address("arXiv:2405.14468")
    'https://arxiv.org/abs/2405.14468'
    """
    scheme, _, name = identifier.partition(":")
    known = {"arxiv": f"https://arxiv.org/abs/{name}", "doi": f"https://doi.org/{name}"}
    return known.get(scheme.lower()) or (identifier if scheme in ("http", "https") else None)


def _claim(contents: Contents, entry: Entry) -> Page:
    context = {
        "entry": entry,
        "forms": contents.forms(entry, with_code=True),
        "reading": _safe(contents.reading(entry)),
        "code": _safe(code_html(entry.frame)) if entry.frame else "",
        "needed_by": [b for a, b in contents.edges() if a == entry.id],
        "drawing": _surroundings(contents, entry),
        "citation": _citation(contents.ledger, entry, contents.papers.get(entry.paper)),
    }
    return Page(f"claims/{entry.id}.html", "claim.html", "", context)


def _surroundings(contents: Contents, entry: Entry) -> Any:
    """The graph of a claim with what it rests on and what rests on it."""
    edges = contents.edges()
    own = {id for edge in edges if entry.id in edge for id in edge}
    if not own:
        return ""
    near = {id: contents.entries[id] for id in contents.entries if id in own}
    return _safe(draw(near, [edge for edge in edges if own.issuperset(edge)], "", of=entry.id))


def _citation(ledger: LedgerFile, entry: Entry, paper: Mapping[str, Any] | None) -> str:
    of = f" of: {paper['title']} ({paper['year']})" if paper else ""
    run = ", ".join(part for part in (ledger.commit and f"commit {ledger.commit}", ledger.date) if part)
    what = f"Claim {entry.id} ({entry.status}), {entry.title}; {entry.source}{of}"
    return f"{what}. Ledger of machine-checked claims, {run}."


def _safe(html: str) -> Any:
    from markupsafe import Markup

    return Markup(html)
