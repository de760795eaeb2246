"""Graphs of claims as pictures whose nodes are links.

>>> from nct.site.drawing import draw
>>> from nct.site.entries import Entry
>>> one, two = Entry({"id": "a.one", "status": "holds"}), Entry({"id": "a.two", "status": "holds"})
>>> draw({"a.one": one, "a.two": two}, [("a.one", "a.two")], "claims/").count("<a ")
2
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import pairwise

from nct.site.entries import Entry
from nct.site.layout import HEIGHT, Node, laid_out

#: The width of a letter in a node, and the space around the text, in pixels.
_LETTER, _MARGIN = 7.2, 18.0


def slug(text: str) -> str:
    """A class name for a verdict or a reach.

    Examples
    --------
    >>> slug("proved in part")
    'proved-in-part'
    """
    return "-".join("".join(c if c.isalnum() else " " for c in text).split()) or "none"


def draw(entries: Mapping[str, Entry], edges: Iterable[tuple[str, str]], folder: str, *, of: str | None = None) -> str:
    """The graph of some claims as SVG.

    Parameters
    ----------
    entries : mapping of str to Entry
        The claims by id.
    edges : iterable of (str, str)
        From a claim to one that rests on it.
    folder : str
        Where the claims' pages are.
    of : str, optional
        The claim that the picture is about.

    Returns
    -------
    str
        An ``<svg>`` in which every node is a link with the claim's title and verdict as its name.
    """
    drawing = laid_out({id: _LETTER * len(id) + _MARGIN for id in entries}, edges)
    lines = [_edge(a, b, points) for a, b, points in drawing.edges]
    nodes = [_node(entries[id], node, folder, id == of) for id, node in drawing.nodes.items()]
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{arrow}{"".join(lines)}{"".join(nodes)}</svg>'


def _edge(a: str, b: str, points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    path = f"M{x:.0f} {y:.0f}" + _through(rest)
    return f'<path class="edge" data-from="{escape(a)}" data-to="{escape(b)}" d="{path}" marker-end="url(#arrow)"/>'


def _through(points: Sequence[tuple[float, float]]) -> str:
    """A smooth line: quadratic curves whose joints are midway between the points."""
    joints = [((x + u) / 2, (y + v) / 2) for (x, y), (u, v) in pairwise(points)]
    curves = [f"Q{x:.0f} {y:.0f} {u:.0f} {v:.0f}" for (x, y), (u, v) in zip(points[:-1], joints, strict=True)]
    x, y = points[-1]
    return "".join(curves) + f"L{x:.0f} {y:.0f}"


def _node(entry: Entry, node: Node, folder: str, is_own: bool) -> str:
    id, status, reach = entry.id, str(entry.status), entry.reach
    name = f"{id}: {entry.title or ''}; {status}{'' if reach == '–' else f', {reach}'}"
    classes = f"node {slug(status)} {slug(reach)}{' own' if is_own else ''}"
    left, top = node.x - node.width / 2, node.y - HEIGHT / 2
    box = f'<rect x="{left:.1f}" y="{top:.1f}" width="{node.width:.1f}" height="{HEIGHT}" rx="6"/>'
    text = f'<text x="{node.x:.1f}" y="{node.y:.1f}">{escape(id)}</text>'
    label = escape(name)
    return (
        f'<a class="{classes}" href="{folder}{id}.html" data-id="{escape(id)}" aria-label="{label}">'
        f"<title>{label}</title>{box}{text}</a>"
    )
