"""Plotly figures of how work and memory grow with the picture."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

from lic_bench.records import Call, Origin
from lic_bench.report.charts import HEIGHT, Chart, as_json, blank, marker
from lic_bench.report.content import Content
from lic_bench.report.growth import Size, distinct
from lic_bench.report.palette import LINES, Look


def work_against_size(content: Content, known: Mapping[str, Look], name: str) -> Chart | None:
    """kMAC/pixel to decode against megapixels, a line per network; None where no network was counted."""
    title = "Work to decode against picture size"
    caption = "Predicted. Flat, but for the padding of pictures whose sides are no multiple of what the network needs."
    return _against_size(
        content, known, (name, title, caption), "kMAC per pixel (log)", lambda size: size.kmac_per_pixel
    )


def memory_against_size(content: Content, known: Mapping[str, Look], name: str) -> Chart | None:
    """Peak memory to decode against megapixels: predicted lines, measured peaks as filled marks."""
    title = "Memory to decode against picture size"
    caption = (
        "Lines: most memory that activations take at one time, predicted. Filled marks: peak of a fresh process above "
        "the loaded model, measured; it holds the coder's buffers and the picture as well."
    )
    return _against_size(
        content, known, (name, title, caption), "MiB (log)",
        lambda size: size.activation_bytes and size.activation_bytes / 2**20,
        lambda size: size.measured_bytes and size.measured_bytes / 2**20,
    )  # fmt: skip


def _against_size(
    content: Content,
    known: Mapping[str, Look],
    told: tuple[str, str, str],
    y_title: str,
    predicted: Callable[[Size], float | None],
    measured: Callable[[Size], float | None] = lambda _: None,
) -> Chart | None:
    import plotly.graph_objects as go

    shown = [one for one in distinct(content.growth) if one.call is Call.DECODE]
    if not shown:
        return None
    name, title, caption = told
    figure = blank("megapixels (log)", y_title)
    for one in shown:
        label, look = html.escape(f"{one.codec} {one.label}"), known[one.codec]
        for origin, value, mode in (
            (Origin.PREDICTED, predicted, "lines+markers"),
            (Origin.MEASURED, measured, "markers"),
        ):
            there = [(size.pixels / 1e6, y) for size in one.sizes if (y := value(size))]
            if there:
                figure.add_trace(
                    go.Scatter(
                        x=[x for x, _ in there], y=[y for _, y in there], mode=mode, name=label, legendgroup=label,
                        showlegend=origin is Origin.PREDICTED, line={"color": look.colour, "dash": LINES[origin]},
                        marker=marker(look, origin, 7),
                        hovertemplate=f"{label}<br>%{{x:.2f}} megapixels: %{{y:.1f}}<br>{origin}<extra></extra>",
                    )
                )  # fmt: skip
    figure.update_layout(height=max(HEIGHT, 130 + 20 * len(shown)), legend={"tracegroupgap": 0})
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    largest = ", ".join(f"{one.codec} {predicted(one.sizes[-1]) or 0:.0f}" for one in shown)
    return Chart(name, title, f"{title}; at the largest size: {largest}.", caption, as_json(figure))
