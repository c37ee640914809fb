"use strict";
(() => {
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 600px)");
  const button = document.getElementById("theme");
  let chosen = "";

  const theme = () => chosen || (dark.matches ? "dark" : "light");
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  function fade(hex, alpha) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  }

  function axis(own, extra) {
    const grid = colour("rule");
    return {
      gridcolor: grid, linecolor: grid, zerolinecolor: grid, tickcolor: grid, showline: false, ticks: "",
      automargin: true, fixedrange: narrow.matches, ...own, ...extra,
      title: { standoff: 10, ...own.title, font: { size: 12, color: colour("ink-3") } },
    };
  }

  function layout(own) {
    const axes = {};
    for (const key of Object.keys(own)) {
      if (/^[xy]axis\d*$/.test(key)) axes[key] = axis(own[key], key.startsWith("x") ? { showgrid: false, ticklabelstandoff: 5 } : {});
    }
    // Where there is no room for names: the iterations' numbers.
    if (narrow.matches && own.meta?.narrow) axes.xaxis.ticktext = own.meta.narrow;
    return {
      ...own, ...axes,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("ink-2") },
      margin: { l: 52, r: 8, t: 22, b: 30 },
      legend: { orientation: "h", traceorder: "normal", x: 0, xanchor: "left", y: -0.16, yanchor: "top", font: { color: colour("ink-2") } },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink"), size: 12 } },
      shapes: (own.shapes || []).map((shape) => ({ ...shape, fillcolor: colour(shape.name === "warm-up" ? "warm" : "band"), line: { width: 0 } })),
      annotations: (own.annotations || []).map((note) => ({
        ...note, font: { size: 11, color: colour("ink-3") }, text: narrow.matches ? note.text.replace(/ users?$/, "") : note.text,
      })),
    };
  }

  function trace(own) {
    const tint = colour(`c-${own.meta.colour}`);
    const styled = { ...own, line: { ...own.line, color: tint } };
    if (own.marker) styled.marker = { ...own.marker, color: tint };
    if (own.error_y) styled.error_y = { ...own.error_y, color: tint };
    if (own.fill) styled.fillcolor = fade(tint, 0.28);
    if (own.marker?.pattern?.shape) styled.marker.pattern = { ...own.marker.pattern, bgcolor: fade(tint, 0.18) };
    if (own.fillpattern) {
      styled.fillcolor = own.fillpattern.shape ? tint : fade(tint, 0.85);
      styled.fillpattern = { ...own.fillpattern, fgcolor: tint, bgcolor: fade(tint, 0.18) };
    }
    return styled;
  }

  function draw() {
    root.dataset.theme = theme();
    button.textContent = theme() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${button.textContent.toLowerCase()} colours`);
    if (!window.Plotly) return;
    for (const [id, figure] of Object.entries(figures)) {
      const place = document.getElementById(id);
      if (!place.dataset.drawn) place.replaceChildren();
      place.dataset.drawn = "yes";
      const config = { displaylogo: false, displayModeBar: false, responsive: true, showTips: false };
      window.Plotly.react(place, figure.data.map(trace), layout(figure.layout), config);
    }
  }

  async function unpack() {
    const packed = document.getElementById("plotly");
    if (!packed) return;
    const text = atob(packed.textContent);
    const bytes = new Uint8Array(text.length);
    // A fifth of a second faster than Uint8Array.from with a function per character.
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    packed.remove();
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    draw();
  });
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
  let before = "";
  addEventListener("beforeprint", () => { before = chosen; chosen = "light"; draw(); });
  addEventListener("afterprint", () => { chosen = before; draw(); });
  draw();
  unpack().then(draw, () => {
    for (const id of Object.keys(figures)) {
      const note = document.createElement("p");
      note.textContent = "This browser cannot draw the charts; the tables hold the figures.";
      document.getElementById(id).append(note);
    }
  }).finally(() => { root.dataset.ready = "yes"; });
})();
