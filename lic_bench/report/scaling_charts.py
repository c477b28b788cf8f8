"""Plotly figures of MACs and memory against picture size."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

from lic_bench.records import Call, Origin
from lic_bench.report.charts import HEIGHT, Chart, as_json, blank, marker
from lic_bench.report.palette import LINES, Style
from lic_bench.report.scaling import Scaling, ScalingPoint, one_per_network

MIB = 2**20


def macs_against_size(found: Sequence[Scaling], style_of: Mapping[str, Style], name: str) -> Chart | None:
    """kMAC/pixel to decode against megapixels, a line per network; None where no network was counted."""
    title = "MACs to decode against picture size"
    caption = "Predicted. Flat, but for the padding of pictures whose sides are no multiple of what the network needs."
    return _against_size(
        found, style_of, (name, title, caption), "kMAC per pixel (log)", lambda point: point.kmac_per_pixel
    )


def memory_against_size(found: Sequence[Scaling], style_of: Mapping[str, Style], name: str) -> Chart | None:
    """Peak memory to decode against megapixels: predicted lines, measured peaks as filled markers."""
    title = "Memory to decode against picture size"
    caption = (
        "Lines: most memory that activations take at one time, predicted. Filled markers: peak of a fresh process "
        "above the loaded model, measured; it holds the coder's buffers and the picture as well."
    )
    return _against_size(
        found, style_of, (name, title, caption), "MiB (log)",
        lambda point: point.activation_bytes and point.activation_bytes / MIB,
        lambda point: point.measured_bytes and point.measured_bytes / MIB,
    )  # fmt: skip


def _against_size(
    found: Sequence[Scaling],
    style_of: Mapping[str, Style],
    texts: tuple[str, str, str],
    y_title: str,
    predicted: Callable[[ScalingPoint], float | None],
    measured: Callable[[ScalingPoint], float | None] = lambda _: None,
) -> Chart | None:
    """A chart of the decoders; `texts` are its name, title and caption."""
    import plotly.graph_objects as go

    shown = [one for one in one_per_network(found) if one.call is Call.DECODE]
    if not shown:
        return None
    name, title, caption = texts
    figure = blank("megapixels (log)", y_title)
    for one in shown:
        label, style = html.escape(f"{one.codec} {one.label}"), style_of[one.codec]
        for origin, value, mode in (
            (Origin.PREDICTED, predicted, "lines+markers"),
            (Origin.MEASURED, measured, "markers"),
        ):
            drawn = [(point.pixels / 1e6, y) for point in one.points if (y := value(point))]
            if drawn:
                figure.add_trace(
                    go.Scatter(
                        x=[x for x, _ in drawn], y=[y for _, y in drawn], mode=mode, name=label, legendgroup=label,
                        showlegend=origin is Origin.PREDICTED, line={"color": style.colour, "dash": LINES[origin]},
                        marker=marker(style, origin, 7),
                        hovertemplate=f"{label}<br>%{{x:.2f}} megapixels: %{{y:.1f}}<br>{origin}<extra></extra>",
                    )
                )  # fmt: skip
    figure.update_layout(height=max(HEIGHT, 130 + 20 * len(shown)), legend={"tracegroupgap": 0})
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    largest = ", ".join(f"{one.codec} {predicted(one.points[-1]) or 0:.0f}" for one in shown)
    return Chart(name, title, f"{title}; at the largest size: {largest}.", caption, as_json(figure))
