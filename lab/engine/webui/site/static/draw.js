"use strict";
// Small line charts in SVG. Nothing of them is text from elsewhere: names and numbers stand beside them, in HTML.
const draw = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function make(kind, attributes) {
    const element = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  const path = (points, x, y) => points.map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");

  // `chart.lines` are [class, points]; `chart.bands` are shaded in turn; `chart.end` is the last second of the axis.
  return (svg, chart) => {
    const { width, height } = svg.viewBox.baseVal;
    const top = Math.max(1, ...chart.lines.flatMap(([, points]) => points.map(([, value]) => value)));
    const x = (at) => (at / chart.end) * width;
    const y = (value) => height - 8 - (value / top) * (height - 24);
    const parts = chart.bands.map((band, n) => make("rect", {
      class: n % 2 ? "" : "band", fill: n % 2 ? "none" : "", x: x(band.begin), y: 0, width: Math.max(x(band.end) - x(band.begin), 0), height,
    }));
    for (const [kind, points] of chart.lines) if (points.length) parts.push(make("path", { class: kind, d: path(points, x, y) }));
    if (chart.now > 0 && chart.now < chart.end) parts.push(make("path", { class: "now", d: `M${x(chart.now)} 0V${height}` }));
    svg.replaceChildren(...parts);
    svg.setAttribute("aria-label", `${chart.words}. At most ${Math.round(top)}.`);
    return top;
  };
})();
