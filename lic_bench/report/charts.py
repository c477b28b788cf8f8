"""Plotly figures of a report, as JSON for the page. Origins differ by marker and line, codecs by colour and shape.

Colours of text, grid and background are left to the page's style sheet, so that one chart serves light and dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lic_bench.analysis import sensitivity
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.caveats import Caveat
from lic_bench.records import Call, Origin
from lic_bench.report.content import Content, Efficiency, View, efficiencies
from lic_bench.report.label_placement import placements
from lic_bench.report.palette import LINES, Style, colour, styles
from lic_bench.report.wording import METRIC_NAMES

if TYPE_CHECKING:
    import plotly.graph_objects as go

AXES: dict[Metric, str] = {"psnr_db": "PSNR (dB)", "ms_ssim_db": "MS-SSIM (dB, −10 log₁₀(1 − mean))"}
HEIGHT = 520
"""Of a chart, in CSS pixels; more where the legend needs it."""

MOST_BPP = 2.1
"""Rates beyond this are outside the first view of a chart: nobody compares there, and the rest would be squeezed."""


@dataclass(frozen=True)
class Chart:
    """A figure as plotly's JSON; `alt` describes it to readers who cannot see it, `caption` says how to read it."""

    name: str
    title: str
    alt: str
    caption: str
    json: str


def codec_styles(content: Content) -> dict[str, Style]:
    """A style for every codec of the report; a published curve has that of the codec whose card names it."""
    names = [point.codec for point in content.points]
    names += (_styled_as(view, curve) for view in content.views for curve in view.curves)
    return styles(names, content.header.cards)


def rate_distortion(view: View, metric: Metric, style_of: Mapping[str, Style], name: str) -> Chart | None:
    """Quality over bits per pixel for every curve of a view that has this metric; None where none has."""
    shown = [curve for curve in view.curves if any(point.score(metric) is not None for point in curve.points)]
    if not shown:
        return None
    anchor = view.anchors.get(metric)
    shown.sort(key=lambda curve: (curve is not anchor, curve.source.origin is not Origin.MEASURED))
    figure = blank("bits per pixel", AXES[metric])
    for curve in shown:
        figure.add_trace(_rd_trace(curve, metric, style_of[_styled_as(view, curve)], anchored=curve is anchor))
    figure.update_layout(height=max(HEIGHT, 130 + 20 * len(shown)), **_window(shown, metric))
    title = f"{METRIC_NAMES[metric]} against rate: {view.title}"
    listed = "; ".join(f"{curve.name}, {len(curve.points)} points" for curve in shown)
    caption = "Filled markers on solid lines are measured; open on dashed lines published; open with a dot on "
    caption += "dotted lines read off a published plot."
    if any(point.bpp > MOST_BPP for curve in shown for point in curve.points):
        caption += f" Rates above {MOST_BPP:g} bpp are outside the first view; zoom out to see them."
    if metric == "psnr_db" and any(curve.optimised_for == "ms-ssim" for curve in shown):
        caption += " Models trained for MS-SSIM start hidden here; the legend shows them."
    return Chart(name, title, f"Line chart of {title}. Curves: {listed}.", caption, as_json(figure))


def rate_difference(view: View, style_of: Mapping[str, Style], name: str) -> Chart | None:
    """Rate over that of the anchor in per cent, along PSNR, for every measured curve; None where there is none."""
    import plotly.graph_objects as go

    anchor = view.anchors.get("psnr_db")
    own = [curve for curve in view.curves if curve.source.origin is Origin.MEASURED and curve is not anchor]
    lines = [(curve, sensitivity.rate_difference(anchor, curve)) for curve in own] if anchor else []
    shown = [(curve, line) for curve, line in lines if line]
    if anchor is None or not shown:
        return None
    figure = blank("PSNR (dB)", "rate less the anchor's (%)")
    for curve, line in shown:
        style = style_of[_styled_as(view, curve)]
        about = html.escape(curve.name) + ": %{y:+.1f} % at %{x:.2f} dB<extra></extra>"
        figure.add_trace(
            go.Scatter(x=[x for x, _ in line], y=[y for _, y in line], name=html.escape(curve.codec), mode="lines",
                       line={"color": style.colour, "width": 2}, hovertemplate=about)
        )  # fmt: skip
    figure.add_hline(y=0, line={"width": 1, "dash": "dash", "color": "#808080"})
    title = f"Rate difference over quality: {view.title}"
    listed = "; ".join(f"{curve.codec} {line[0][1]:+.0f} to {line[-1][1]:+.0f} %" for curve, line in shown)
    caption = f"Below zero a codec needs less rate than {anchor.name} at that quality (PCHIP, where both have it)."
    return Chart(name, title, f"Line chart of {title}, from low to high quality: {listed}.", caption, as_json(figure))


def complexity_against_efficiency(
    content: Content, view: View, style_of: Mapping[str, Style], name: str
) -> Chart | None:
    """BD-rate over kMAC/pixel, as in Fig. 2 of the LoC-LIC paper (arXiv:2504.21778); None without both for any codec.

    The complexity is our count, forward, encode or decode by a switch; the BD-rate is measured or, where a network
    ran untrained, that of its published curve.
    """
    by_call = {call: efficiencies(content, view, call) for call in Call}
    shown = by_call[Call.FORWARD]
    if not shown or any(len(by_call[call]) != len(shown) for call in Call):
        return None
    figure = blank("kMAC per pixel (log)", "BD-rate (%), lower is better")
    ticks = [step * 10**power for power in range(5) for step in (1, 2, 5)]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    beside = _label_places(shown)
    for one in shown:
        figure.add_trace(_efficiency_trace(one, style_of[one.codec], beside[one.codec]))
    figure.add_hline(y=0, line={"width": 1, "dash": "dash", "color": "#808080"})
    figure.update_layout(showlegend=False, updatemenus=[_call_switch(by_call)])
    anchor = shown[0].figure.anchor
    title = f"Complexity against efficiency: {view.title}"
    listed = "; ".join(
        f"{one.codec} {one.complexity.kmac_per_pixel:.0f} kMAC/pixel, {one.figure.value:+.1f} %" for one in shown
    )
    caption = f"BD-rate over PSNR against {anchor}, at 0 % by definition. Filled: rate measured here. Open: rate of "
    caption += "the published curve, for networks that ran without weights. MACs are always our own count "
    caption += "(predicted); the marker is the mean over operating points, the bar reaches from the least to the most."
    return Chart(name, title, f"Scatter plot of {title}, kMAC/pixel and BD-rate: {listed}.", caption, as_json(figure))


def macs_by_part(content: Content, call: Call, name: str) -> Chart | None:
    """kMAC/pixel of one call by part of the network, a stacked bar per network; None where nothing was counted."""
    import plotly.graph_objects as go

    bars: dict[tuple[Any, ...], tuple[str, Mapping[str, float]]] = {}
    for point in content.points:
        if call in point.complexity:
            parts = point.complexity[call].by_part
            bars.setdefault((point.codec, tuple(parts.items())), (f"{point.codec} {point.label}", parts))
    if not bars:
        return None
    ordered = sorted(bars.values(), key=lambda bar: sum(bar[1].values()), reverse=True)
    figure = blank("kMAC per pixel", "")
    # colours go by all parts of all calls, so that a part has the same colour in the charts of every call
    counted = [one for point in content.points for one in point.complexity.values()]
    every_part = dict.fromkeys(part for one in counted for part in one.by_part)
    colours = {part: colour(index) for index, part in enumerate(every_part)}
    drawn = {part for _, parts in ordered for part, kmac in parts.items() if kmac}
    for part in (part for part in colours if part in drawn):
        figure.add_trace(
            go.Bar(
                x=[parts.get(part) for _, parts in ordered],
                y=[html.escape(label) for label, _ in ordered],
                orientation="h",
                name=html.escape(part),
                marker={"color": colours[part]},
                hovertemplate="%{y}<br>" + html.escape(part) + ": %{x:.1f} kMAC/pixel<br>predicted<extra></extra>",
            )
        )
    height = 160 + 26 * len(ordered)
    figure.update_layout(barmode="stack", height=height, legend={"traceorder": "normal"}, meta={"narrow": height})
    figure.update_yaxes(automargin=True)
    title = f"MACs by part of the network, {call}"
    listed = "; ".join(f"{label} {sum(parts.values()):.0f}" for label, parts in ordered)
    caption = "Counted from the network (predicted), per pixel of the picture as given; padding is inside."
    return Chart(name, title, f"Stacked bars of {title}, kMAC/pixel in all: {listed}.", caption, as_json(figure))


def _window(shown: Sequence[RDCurve], metric: Metric) -> dict[str, Any]:
    """The part of the plane shown at first: rates of interest, with all quality found there."""
    points = [(point.bpp, point.score(metric)) for curve in shown for point in curve.points]
    inside = [(bpp, score) for bpp, score in points if score is not None and bpp <= MOST_BPP]
    if not inside:
        return {}
    widest, lowest, highest = max(x for x, _ in inside), min(y for _, y in inside), max(y for _, y in inside)
    room = 0.04 * (highest - lowest) + 0.1
    return {"xaxis_range": [0, 1.04 * widest], "yaxis_range": [lowest - room, highest + room]}


def _with_caveat(curve: RDCurve) -> str:
    """What stands beside the name of a published curve that its own source contradicts."""
    return " · unconfirmed" if Caveat.UNCONFIRMED in curve.caveats else ""


def _rd_trace(curve: RDCurve, metric: Metric, style: Style, anchored: bool) -> go.Scatter:
    import plotly.graph_objects as go

    points = [point for point in curve.points if point.score(metric) is not None]
    origin = curve.source.origin
    name = f"{curve.codec}{' for MS-SSIM' if curve.optimised_for == 'ms-ssim' else ''} · {origin.value}"
    about = [html.escape(f"{curve.name}; rate: {curve.rate_kind}"), *(caveat.text for caveat in curve.caveats)]
    if curve.source.uncertainty:
        about.append(html.escape(f"read to {curve.source.uncertainty}"))
    hidden = metric == "psnr_db" and curve.optimised_for == "ms-ssim"
    return go.Scatter(
        x=[point.bpp for point in points],
        y=[point.score(metric) for point in points],
        customdata=[html.escape(point.label) for point in points],
        name=html.escape(name) + (" · anchor" if anchored else "") + _with_caveat(curve),
        mode="lines+markers",
        visible="legendonly" if hidden else True,
        line={"color": style.colour, "dash": LINES[origin], "width": 3 if anchored else 1.8},
        marker={
            "color": style.colour,
            "symbol": style.symbol(origin),
            "size": 8,
            "line": {"width": 1.5, "color": style.colour},
        },
        hovertemplate="%{x:.3f} bpp, %{y:.2f} dB (point %{customdata})<br>" + "<br>".join(about) + "<extra></extra>",
    )


def marker(style: Style, origin: Origin, size: int) -> dict[str, Any]:
    """A codec's marker: filled where measured, open where published or predicted, with a dot where digitised."""
    line = {"width": size / 6, "color": style.colour}
    return {"color": style.colour, "symbol": style.symbol(origin), "size": size, "line": line}


def _efficiency_trace(one: Efficiency, style: Style, place: str) -> go.Scatter:
    import plotly.graph_objects as go

    origins = ", ".join(one.complexity.origins)
    about = f"{one.codec}: {one.figure.value:+.2f} % by {one.curve.name}; MACs {origins}"
    return go.Scatter(
        x=[one.complexity.kmac_per_pixel],
        y=[one.figure.value],
        error_x=_reach(one),
        name=html.escape(one.codec),
        mode="markers+text",
        text=[html.escape(one.codec) + _with_caveat(one.curve)],
        textposition=place,
        cliponaxis=False,
        marker=marker(style, one.curve.source.origin, 12),
        hovertemplate=html.escape(about) + "<br>%{x:.1f} kMAC/pixel<extra></extra>",
    )


def _reach(one: Efficiency) -> dict[str, Any]:
    """The bar from the least to the most complexity of a codec's operating points, as plotly's `error_x`."""
    mean, least, most = one.complexity.kmac_per_pixel, one.complexity.least, one.complexity.most
    ends = {"array": [most - mean], "arrayminus": [mean - least]}
    return {"type": "data", "symmetric": False, "thickness": 1, "visible": most > least, **ends}


def _label_places(shown: Sequence[Efficiency]) -> dict[str, str]:
    """Where each name stands, worked out for a wide screen (a narrow one puts the names in the legend)."""
    across = [math.log(one.complexity.kmac_per_pixel) for one in shown]
    up = [one.figure.value or 0.0 for one in shown]
    wide = 1000 / (max(across) - min(across) or 1)
    high = 0.75 * HEIGHT / (max(*up, 0) - min(*up, 0) or 1)
    return placements({one.codec: (wide * x, high * y) for one, x, y in zip(shown, across, up, strict=True)})


def _call_switch(by_call: Mapping[Call, Sequence[Efficiency]]) -> dict[str, Any]:
    buttons = [
        {
            "label": call.value,
            "method": "restyle",
            "args": [{"x": [[one.complexity.kmac_per_pixel] for one in found], "error_x": [*map(_reach, found)]}],
        }
        for call, found in by_call.items()
    ]
    return {"type": "buttons", "direction": "right", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
            "buttons": buttons}  # fmt: skip


def _styled_as(view: View, curve: RDCurve) -> str:
    """The codec whose style a curve has: that of the run it is about, else its own name."""
    return (*view.codecs(curve), curve.codec)[0]


def blank(x_title: str, y_title: str) -> go.Figure:
    """A figure with axes and nothing in it, in the page's colours."""
    import plotly.graph_objects as go

    axis = {"gridcolor": "#d0d0d0", "zeroline": False, "ticks": "outside", "automargin": True}
    return go.Figure(
        layout={
            "template": "none",
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "inherit", "size": 13},
            "height": HEIGHT,
            "meta": {"narrow": 430},  # the page's script sets the legend below the plot where there is no room beside
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#8a8a8a", "activecolor": "#5a8fd0"},
            "margin": {"l": 60, "r": 20, "t": 40, "b": 55},
            "hovermode": "closest",
            "xaxis": {**axis, "title": {"text": x_title}},
            "yaxis": {**axis, "title": {"text": y_title}},
        }
    )


def as_json(figure: go.Figure) -> str:
    """JSON that may stand inside a script element: nothing in it can close the element."""
    return str(figure.to_json()).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
