// What every page shares: reading its data, and building elements.

const data = JSON.parse(document.getElementById("data").textContent);

/** Bytes of a text in base64. */
function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Numbers that were written as integers of 16 bits, times a scale. */
function unpacked({ scale, content }) {
  return Float32Array.from(new Int16Array(bytes(content).buffer), (value) => value * scale);
}

/** An element with attributes, listeners (functions by the event's name) and children. */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A labelled menu; `options` are pairs of a value and a text. */
function menu(label, options, chosen, change) {
  const select = element("select", { change: () => change(select.value) });
  for (const [value, text] of options) select.append(element("option", { value }, text));
  select.value = chosen;
  return element("label", {}, label, select);
}

/** A slider; `change` is given its value, which screen readers hear with two decimals. */
function slider(attributes, value, change) {
  const input = element("input", { type: "range", ...attributes, input: () => move(input.value) });
  input.value = value;
  input.setAttribute("aria-valuetext", Number(value).toFixed(2));
  function move(text) {
    input.setAttribute("aria-valuetext", Number(text).toFixed(2));
    change(Number(text));
  }
  return input;
}
