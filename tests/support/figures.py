"""What makes a picture legible: nothing clipped, nothing printed over something else, no empty panel."""

from itertools import chain, combinations, pairwise

from matplotlib.backends.backend_agg import FigureCanvasAgg


def shown_ticks(axis):
    """The tick labels of an axis that are drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    labels = [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    return [label for label in labels if label.get_visible() and label.get_text()]


def faults(figure):
    """What is wrong with a picture, each in a few words."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    panels = figure.get_axes()
    extents = {}

    def extent(text):
        return extents.setdefault(text, text.get_window_extent(canvas.get_renderer()))

    def clipped(text):
        box, page = extent(text), figure.bbox
        return min(box.x0 - page.x0, box.y0 - page.y0, page.x1 - box.x1, page.y1 - box.y1) < -1

    titles = [panel.title for panel in panels if panel.get_title()]
    ticks = [shown_ticks(axis) for panel in panels for axis in (panel.xaxis, panel.yaxis)]
    labels = [axis.label for panel in panels for axis in (panel.xaxis, panel.yaxis) if axis.label.get_text()]
    pairs = list(combinations(titles, 2))
    for line in ticks:
        pairs += pairwise(sorted(line, key=lambda text: (extent(text).x0, extent(text).y0)))
    return [
        *(f"empty panel {panel.get_title()!r}" for panel in panels if not panel.has_data()),
        *(f"clipped {text.get_text()!r}" for text in [*titles, *labels, *chain(*ticks)] if clipped(text)),
        *(f"{a.get_text()!r} over {b.get_text()!r}" for a, b in pairs if extent(a).overlaps(extent(b))),
    ]
