// Draws every chart of the page from the JSON beside it, and sets the legend below the chart on a narrow screen.
(() => {
  const NARROW = 720;
  const charts = [...document.querySelectorAll(".chart")];
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

  function fitted(layout, traces, width) {
    if (layout.showlegend === false || width >= NARROW) {
      return { height: layout.height, legend: { ...layout.legend } };
    }
    const legend = { ...layout.legend, orientation: "v", x: 0, xanchor: "left", y: -0.2, yanchor: "top" };
    return { height: layout.height - 120 + 20 * traces, legend };
  }

  for (const chart of charts) {
    const figure = JSON.parse(document.getElementById(chart.id + "-figure").textContent);
    const fit = () => fitted(figure.layout, figure.data.length, chart.clientWidth);
    chart.replaceChildren();
    Plotly.newPlot(chart, figure.data, { ...figure.layout, ...fit() }, config);
    let narrow = chart.clientWidth < NARROW;
    window.addEventListener("resize", () => {
      if (narrow !== chart.clientWidth < NARROW) {
        narrow = !narrow;
        Plotly.relayout(chart, fit());
      }
    });
  }
})();
