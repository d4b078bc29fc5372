// Images on canvas and plots of SVG: small enough to do without a library of several megabytes.

const VERMILION = [213, 94, 0];
const BLUE = [0, 114, 178];

/** An element of a drawing: see `element`. */
function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** An image of some pixels; `label` says what it shows to those who cannot see it. */
function canvas(height, width, label, css = "") {
  return element("canvas", { width, height, role: "img", "aria-label": label, class: css });
}

/** Paint values from 0 (paper) to 1 (ink). */
function paintInk(target, values) {
  paint(target, values, (value) => {
    const grey = 255 - Math.round(255 * Math.min(Math.max(value, 0), 1));
    return [grey, grey, grey];
  });
}

/** Paint values from -1 (blue) over 0 (white) to 1 (red). */
function paintChange(target, values) {
  paint(target, values, (value) => {
    const end = value > 0 ? VERMILION : BLUE;
    const strength = Math.min(Math.abs(value), 1);
    return end.map((colour) => 255 + (colour - 255) * strength);
  });
}

function paint(target, values, colour) {
  const context = target.getContext("2d");
  const image = context.createImageData(target.width, target.height);
  values.forEach((value, i) => image.data.set([...colour(value), 255], 4 * i));
  context.putImageData(image, 0, 0);
}

/** Marks of an axis: round numbers from low to high, about as many as asked for. */
function ticks(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const marks = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; i++) {
    marks.push(Number((i * step).toPrecision(12)));
  }
  return marks;
}

/** Axes of a drawing: a frame with round numbers; returns the places of values in pixels. */
function axes(svg, box, [left, right], [bottom, top], xLabel, yLabel) {
  const x = (value) => box.left + ((value - left) / (right - left)) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - bottom) / (top - bottom)) * (box.bottom - box.top);
  for (const value of ticks(left, right, (box.right - box.left) / 90)) {
    svg.append(drawn("line", { class: "grid", x1: x(value), x2: x(value), y1: box.top, y2: box.bottom }));
    svg.append(drawn("text", { x: x(value), y: box.bottom + 16, "text-anchor": "middle" }, String(value)));
  }
  for (const value of ticks(bottom, top, (box.bottom - box.top) / 60)) {
    svg.append(drawn("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }));
    svg.append(drawn("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  svg.append(
    drawn("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }),
    drawn("text", { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" }, xLabel),
    drawn("text", { x: box.left, y: box.top - 10, "text-anchor": "start" }, yLabel),
  );
  return { x, y };
}

/** Draw now, and again whenever the width of a place changes. */
function redrawn(place, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth !== width) {
      width = place.clientWidth;
      requestAnimationFrame(() => draw(width)); // drawing changes sizes, which is for later
    }
  }).observe(place);
}
