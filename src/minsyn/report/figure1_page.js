// Explorer of Figure 1: information and synergy of two Gaussian sources about a target.

/** Correlations of the sources for which there is a joint (Eq. 6). */
function range([a, b]) {
  const half = Math.sqrt((1 - a * a) * (1 - b * b));
  return [a * b - half, a * b + half];
}

/** All measures in bits, by their names. */
function measures([a, b], s) {
  const determinant = 1 - s * s;
  // Regression of the target on both sources, and the variance that it leaves.
  const full = [(a - s * b) / determinant, (b - s * a) / determinant];
  const left = 1 - a * full[0] - b * full[1];
  const union = -0.5 * Math.log2(1 - Math.max(a * a, b * b));
  // The decoder that takes the sources for independent given the target (Eq. 9).
  const r = [a, b].map((rho) => rho / (1 - rho * rho));
  const variance = 1 / (1 + a * r[0] + b * r[1]);
  const d = full.map((coefficient, j) => coefficient - r[j] * variance);
  const off = d[0] ** 2 + d[1] ** 2 + 2 * s * d[0] * d[1];
  const information = -0.5 * Math.log2(left);
  return {
    information,
    union,
    gk: information - union,
    ci: (0.5 * (Math.log(variance / left) + (left + off) / variance - 1)) / Math.LN2,
  };
}

const CURVES = [
  ["information", "Information I", "var(--black)", ""],
  ["union", "Union information U", "#CC79A7", "7 3"],
  ["gk", "GK synergy I − U", "var(--accent)", ""],
  ["ci", "CI synergy", "#D55E00", "6 2 2 2"],
];
const N_POINTS = 401;

const place = (id) => document.getElementById(id);
const rho = [...data.rho];
let sigma = data.sigma12;

function knob(id, label, low, high, value, change) {
  const shown = element("output", {}, value.toFixed(2));
  const input = slider({ id, min: low, max: high, step: 0.01 }, value, (moved) => {
    shown.textContent = moved.toFixed(2);
    change(moved);
  });
  place("sliders").append(element("div", { class: "knob" },
    element("label", { for: id }, ...label), input, shown));
  return { input, shown };
}

const sub = (text, index) => [text, element("sub", {}, index)];
knob("rho1", ["Source 1 and target, ", ...sub("ρ", "1")], -0.95, 0.95, rho[0], (v) => { rho[0] = v; fit(); });
knob("rho2", ["Source 2 and target, ", ...sub("ρ", "2")], -0.95, 0.95, rho[1], (v) => { rho[1] = v; fit(); });
const last = knob("sigma12", ["Between the sources, ", ...sub("Σ", "1,2")], -1, 1, sigma, (v) => { sigma = v; draw(); });

/** Keep the sources' correlation where there is a joint. */
function fit() {
  const [low, high] = range(rho), margin = 0.002 * (high - low);
  filled(last.input, { min: low + margin, max: high - margin, step: "any" }, []);
  sigma = Math.min(Math.max(sigma, low + margin), high - margin);
  last.input.value = sigma;
  last.input.setAttribute("aria-valuetext", sigma.toFixed(2));
  last.shown.textContent = sigma.toFixed(2);
  draw();
}

function draw() {
  const svg = place("curves");
  const width = Math.max(place("plot").clientWidth, 280), height = Math.min(400, 0.85 * width);
  const [low, high] = range(rho);
  // Denser towards the ends, where the information runs to infinity.
  const points = Array.from({ length: N_POINTS }, (_, i) => {
    const s = low + ((high - low) * (1 - Math.cos((Math.PI * (i + 1)) / (N_POINTS + 1)))) / 2;
    return [s, measures(rho, s)];
  });
  const top = 2.9 * Math.max(measures(rho, sigma).union, 0.5);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(drawn("clipPath", { id: "frame" },
    drawn("rect", { x: 44, y: 28, width: width - 56, height: height - 72 })));
  const to = axes(svg, { left: 44, right: width - 12, top: 28, bottom: height - 44 },
    [low, high], [0, top], "Σ₁₂, correlation of the sources", "bits");
  for (const [name, , stroke, dashes] of CURVES) {
    const line = points.map(([s, of]) => `${to.x(s).toFixed(1)},${to.y(Math.min(of[name], 9 * top)).toFixed(1)}`);
    svg.append(drawn("path", {
      id: name, d: `M${line.join("L")}`, fill: "none", stroke, "stroke-width": 2.2,
      "stroke-dasharray": dashes, "clip-path": "url(#frame)",
    }));
  }
  svg.append(drawn("line", { class: "chosen", x1: to.x(sigma), x2: to.x(sigma), y1: 28, y2: height - 44 }));
  const now = measures(rho, sigma);
  place("values").replaceChildren(...CURVES.map(([name, label, colour, dashes]) =>
    element("tr", {},
      element("th", { scope: "row" }, sample(colour, dashes), label),
      element("td", { id: `value-${name}` }, Math.max(now[name], 0).toFixed(3)))));
  place("said").textContent = sentence(now);
}

function sample(stroke, dashes) {
  const svg = drawn("svg", { viewBox: "0 0 34 8", class: "sample", "aria-hidden": "true" });
  svg.append(drawn("path", { d: "M0,4H34", stroke, "stroke-width": 2.5, "stroke-dasharray": dashes }));
  return svg;
}

/** Nothing, to the digits that are shown. */
function vanishes(value) {
  return value < 0.0005;
}

function sentence({ gk, ci }) {
  const independent = rho[0] * rho[1];
  const texts = [];
  if (vanishes(ci)) texts.push("The sources are independent given the target: nothing is lost by a decoder that takes them one at a time (no CI synergy).");
  else if (sigma < independent) texts.push(`Below ρ₁ρ₂ = ${independent.toFixed(2)} a decoder that takes the sources one at a time misses what their combination tells.`);
  else texts.push(`Above ρ₁ρ₂ = ${independent.toFixed(2)} a decoder that takes the sources one at a time counts twice what they share.`);
  texts.push(vanishes(gk)
    ? "The better source knows all that both know (no GK synergy)."
    : "Both together know more than the better one (GK synergy).");
  return texts.join(" ");
}

fit();
redrawn(place("plot"), draw);
