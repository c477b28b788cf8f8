// Draws every chart of the page from the JSON beside it. On a narrow screen the legend stands below the chart, and
// names beside markers, which would overlap there, move into it.
(() => {
  const NARROW = 720;

  function fitted(figure, narrow) {
    const { data, layout } = figure;
    if (!narrow) return { data, layout };
    const legend = { ...layout.legend, orientation: "v", x: 0, xanchor: "left", y: -0.2, yanchor: "top" };
    return {
      data: data.map((trace) => (trace.mode === "markers+text" ? { ...trace, mode: "markers" } : trace)),
      layout: { ...layout, legend, showlegend: true, height: layout.meta.narrow + 22 * data.length },
    };
  }

  for (const chart of document.querySelectorAll(".chart")) {
    const figure = JSON.parse(document.getElementById(chart.id + "-figure").textContent);
    let narrow;
    const draw = () => {
      if (narrow === chart.clientWidth < NARROW) return;
      narrow = chart.clientWidth < NARROW;
      const { data, layout } = fitted(figure, narrow);
      const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
      // Plotly adds to what it is given; a copy keeps the figure as it was written.
      Plotly.react(chart, structuredClone(data), structuredClone(layout), narrow ? { ...config, displayModeBar: false } : config);
    };
    chart.replaceChildren();
    draw();
    window.addEventListener("resize", draw);
  }
})();
