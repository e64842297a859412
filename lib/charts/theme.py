"""One look for every chart of the book, and the way a chart leaves a notebook.

A chart leaves as its Vega-Lite specification, as data, under one MIME type. The page then needs no script from elsewhere:
the book's Sphinx extension draws the specification with a local script, and JupyterLab with its own. JupyterLab 4 knows the
type of version 5 as its newest and draws specifications of version 6 under it; Altair's own name for version 6 does not end
in "+json", which notebooks refuse.

Colours: grey, blue, green, vermillion, purple and red, near those of Okabe and Ito (Color Universal Design, 2008), moved so
that any two stay apart for readers who do not see red, green or blue, on white and in dark mode, and that each has a
contrast of at least 3 : 1 with both grounds. Colour is never the only sign: series differ in the shape of their points too.
"""

from typing import Any

import altair as alt

MIME = "application/vnd.vegalite.v5+json"
VEGALITE_VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])  # as vl-convert names it

PALETTE = ("#6a6a77", "#035faa", "#26a06a", "#e16109", "#a452ff", "#95002e")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
STAR = (  # five points, as a path
    "M0,-1L0.225,-0.309L0.951,-0.309L0.363,0.118L0.588,0.809L0,0.382"
    "L-0.588,0.809L-0.363,0.118L-0.951,-0.309L-0.225,-0.309Z"
)
INK = "#24292f"
WRONG = "#a84300"  # of words about what is wrong, such as a replaced label: vermillion, dark enough to be read
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
LEFT = -40  # pixels from the plot to the left edge of titles and notes, over the axis labels
WIDTH = 680  # pixels; of a picture without any window
WIDEST = 800  # pixels; what a page of the book offers on a desktop at most

# From 260 to `WIDEST` pixels, axes included. The box a chart is drawn into may not have a width of its own (JupyterLab
# shrinks it around the chart), so the window decides then; without any window (a picture made by vl-convert) the declared
# width stays. 46: scroll bar and card's border.
FITTING_WIDTH = (
    f"isFinite(windowSize()[0]) && windowSize()[0] > 0"
    f" ? min({WIDEST}, max(260, (containerSize()[0] > 260 ? min(containerSize()[0], windowSize()[0] - 46)"
    f" : windowSize()[0] - 46)))"
    f" : {WIDTH}"
)


_LABELS = {
    "labelColor": INK,
    "titleColor": INK,
    "labelFontSize": 12,
    "titleFontSize": 12.5,
    "titleFontWeight": 500,
}


@alt.theme.register("book", enable=False)
def _theme() -> alt.theme.ThemeConfig:
    config: Any = {
        "background": "#ffffff", "font": FONT, "padding": 6, "line": {"strokeWidth": 2},
        "view": {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": 320},
        "title": {
            "anchor": "start", "frame": "group", "dx": LEFT, "offset": 8, "limit": 0,
            "color": INK, "fontSize": 15, "fontWeight": 600,
            "subtitleColor": INK, "subtitleFontSize": 12, "subtitlePadding": 4,
        },
        "axis": {
            **_LABELS, "titlePadding": 8, "labelLimit": 190,
            "gridColor": "#e9ecef", "domainColor": "#8a929c", "tickColor": "#8a929c",
        },
        "legend": {
            **_LABELS, "orient": "bottom", "direction": "horizontal", "titleOrient": "left", "offset": 8,
            "symbolSize": 90, "symbolOpacity": 1,
        },
        "range": {"category": list(PALETTE)},
    }  # fmt: skip
    return {"config": config}


def _shown(chart: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {MIME: chart, "text/plain": chart.get("description", "A chart.")}


def enable() -> None:
    """Display every chart from now on in the book's theme, as its specification and a sentence (its description)."""
    alt.theme.enable("book")
    alt.renderers.register("book", _shown)
    alt.renderers.enable("book")
    alt.data_transformers.enable("default", max_rows=20_000)


def specification(chart: Any) -> dict[str, Any]:
    """Return a chart of Altair as a Vega-Lite specification in the book's theme, whatever is switched on elsewhere."""
    with alt.theme.enable("book"):
        return chart.to_dict()
