// Panel of a model's report: move a factor, and see which features change, in their own units.

const change = unpacked(data.change);
const N_FEATURES = data.features.length, N_POSITIONS = data.positions.length;
const FIRST = data.positions[0], LAST = data.positions.at(-1);
const section = document.getElementById("what-if");
let factor = 0;

/** Change of a feature, in its standard deviations, between the computed positions too. */
function changed(feature, position) {
  let right = data.positions.findIndex((at) => at >= position);
  right = right < 0 ? N_POSITIONS - 1 : Math.max(right, 1);
  const [a, b] = [data.positions[right - 1], data.positions[right]];
  const [low, high] = [right - 1, right].map(
    (place) => change[(factor * N_POSITIONS + place) * N_FEATURES + feature]);
  return low + ((high - low) * (position - a)) / (b - a);
}

/** Digits that are worth reading beside a standard deviation. */
function readable(value, std) {
  const digits = Math.min(Math.max(2 - Math.floor(Math.log10(std || 1)), 0), 12);
  return (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits);
}

const range = slider({ id: "position", min: FIRST, max: LAST, step: 0.05 }, 1, show);
const told = element("output", { "aria-live": "polite" });
const body = element("tbody");
section.querySelector("div").append(
  element("div", { class: "controls" },
    menu("Factor", data.factors.map((name, i) => [i, name]), 0, (i) => { factor = Number(i); show(); }),
    element("label", {}, "Position, in standard deviations", range),
    element("button", { type: "button", click: () => { range.value = 0; range.dispatchEvent(new Event("input")); } }, "Mean")),
  told,
  element("div", { class: "wide" }, element("table", {},
    element("thead", {}, element("tr", {}, ...["Feature", "at the mean", "now", "change", ""]
      .map((text) => element("th", { scope: "col" }, text)))), body)));
section.hidden = false;
show();

function show() {
  const position = Number(range.value);
  const widest = Math.max(1e-9, ...data.order.flatMap((features, j) => features.map((i) => {
    const ends = [0, N_POSITIONS - 1].map((p) => change[(j * N_POSITIONS + p) * N_FEATURES + i]);
    return Math.max(...ends.map(Math.abs));
  })));
  told.textContent = `${data.factors[factor]} is ${Math.abs(position).toFixed(2)} standard ` +
    `deviations ${position < 0 ? "below" : "above"} its mean.`;
  body.replaceChildren(...data.order[factor].map((i) => {
    const by = changed(i, position), std = data.std[i];
    const size = (50 * Math.min(Math.abs(by) / widest, 1)).toFixed(1);
    const side = by < 0 ? "right" : "left", colour = by < 0 ? "rgb(0,114,178)" : "rgb(213,94,0)";
    const bar = element("span", { "aria-hidden": "true" },
      element("i", { style: `${side}:50%;width:${size}%;background:${colour}` }));
    const difference = readable(by * std, std);
    return element("tr", {},
      element("th", { scope: "row", title: data.features[i] }, data.features[i]),
      element("td", {}, readable(data.middle[i], std)),
      element("td", {}, readable(data.middle[i] + by * std, std)),
      element("td", {}, difference > 0 ? `+${difference}` : difference),
      element("td", {}, bar));
  }));
}
