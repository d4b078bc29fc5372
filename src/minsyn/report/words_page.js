// Page of the words benchmark: sorting, scatter plot, decoder maps, traversal, words, swaps.

const LOW = 0.05, HIGH = 0.95; // quantiles that stand for "low" and "high"
const [HEIGHT, WIDTH] = data.shape;
const N_PIXELS = HEIGHT * WIDTH;
const LENGTH = data.length;
const place = (id) => document.getElementById(id);

// --- Table -------------------------------------------------------------------------------------

function makeSortable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = element("button", { type: "button", click: sort }, head.textContent);
    head.replaceChildren(button);
    function sort() {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...body.rows].sort((one, other) => {
        const [a, b] = [one, other].map((row) => row.cells[column].dataset.value);
        if (a === "" || b === "") return (a === "") - (b === ""); // what is empty comes last
        const order = column ? a - b : a.localeCompare(b);
        return falling ? -order : order;
      });
      body.append(...rows);
    }
  });
}

// --- Scatter plot ------------------------------------------------------------------------------

function scatter() {
  const svg = drawn("svg", {
    role: "img", tabindex: 0, keydown: step, pointermove: point, pointerdown: point,
    "aria-label": "Loss against ACC of every draw. Arrow keys go from draw to draw.",
  });
  const told = element("output", { "aria-live": "polite" });
  const legend = element("div", { class: "legend", role: "group", "aria-label": "Methods" });
  let score = "test_loss", marks = [], chosen = -1, kept = null;

  for (const { key, label, colour } of data.scores) {
    const button = element(
      "button", { type: "button", "aria-pressed": "false", click: () => keep(key) },
      element("i", { style: `background:${colour}` }), label,
    );
    button.dataset.key = key;
    legend.append(button);
  }
  place("scatter").append(
    element("div", { class: "controls" }, menu(
      "Loss", [["test_loss", "on held-out words"], ["train_loss", "on training words"]], score,
      (value) => { score = value; draw(); },
    )),
    svg, told, legend,
  );
  redrawn(place("scatter"), draw);

  function keep(key) {
    kept = kept === key ? null : key;
    for (const button of legend.children) {
      button.setAttribute("aria-pressed", String(button.dataset.key === kept));
    }
    draw();
  }

  function draw() {
    const width = Math.max(place("scatter").clientWidth, 280), height = Math.min(420, 0.8 * width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const points = data.scores.flatMap((method) => method.draws
      .filter((one) => one.acc !== null && one[score] !== null)
      .map((one) => ({ method, draw: one, x: one.acc, y: one[score] })));
    marks = [];
    chosen = -1;
    told.textContent = points.length
      ? "Small marks are draws, large ones their means. Point at one to see which it is."
      : "No draw has both scores.";
    if (!points.length) return;
    const top = Math.max(...points.map((p) => p.y)), low = Math.min(...points.map((p) => p.y));
    const margin = 0.08 * (top - low || 1), most = Math.log(LENGTH) || 1;
    const to = axes(
      svg, { left: 44, right: width - 12, top: 28, bottom: height - 44 },
      [-0.04 * most, 1.04 * most], [low - margin, top + margin],
      "ACC (nats)", score === "test_loss" ? "Test loss" : "Train loss",
    );
    for (const { method, draw: one, x, y } of points) {
      const mark = drawn("circle", {
        cx: to.x(x), cy: to.y(y), r: 4, fill: method.colour, "fill-opacity": 0.55,
        class: kept && kept !== method.key ? "faded" : "",
      });
      marks.push({ mark, x: to.x(x), y: to.y(y), key: method.key, text:
        `${method.label}, draw ${one.draw + 1}: train loss ${number(one.train_loss, 2)}, ` +
        `test loss ${number(one.test_loss, 2)}, ACC ${number(one.acc, 3)}` });
    }
    // The first method comes last, on top of others at the same place.
    svg.append(...marks.map(({ mark }) => mark).reverse());
    for (const method of data.scores.slice().reverse()) {
      const own = points.filter((p) => p.method === method);
      if (!own.length) continue;
      const mean = (name) => own.reduce((sum, p) => sum + p[name], 0) / own.length;
      const [x, y] = [to.x(mean("x")), to.y(mean("y"))];
      svg.append(drawn("path", {
        d: `M${x},${y - 8}L${x + 8},${y}L${x},${y + 8}L${x - 8},${y}Z`, fill: method.colour,
        stroke: "var(--ground)", class: kept && kept !== method.key ? "faded" : "",
      }));
    }
    svg.append(drawn("circle", { class: "chosen", r: 8, visibility: "hidden" }));
  }

  function choose(i) {
    chosen = i;
    const { x, y, text } = marks[i];
    filled(svg.lastChild, { cx: x, cy: y, visibility: "visible" }, []);
    told.textContent = text;
  }

  function step(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || !marks.length) return;
    event.preventDefault();
    choose((chosen + by + marks.length + (chosen < 0 && by < 0 ? 1 : 0)) % marks.length);
  }

  function point(event) {
    const frame = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / frame.width;
    const x = (event.clientX - frame.left) * scale, y = (event.clientY - frame.top) * scale;
    let best = -1, least = 30 ** 2;
    marks.forEach((mark, i) => {
      const distance = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (distance < least && (!kept || mark.key === kept)) [best, least] = [i, distance];
    });
    if (best >= 0 && best !== chosen) choose(best);
  }
}

function number(value, decimals) {
  return value === null ? "–" : value.toFixed(decimals);
}

// --- Methods, their decoders, and what their factors do ------------------------------------------

class Method {
  constructor(packed) {
    Object.assign(this, packed);
    this.weights = unpacked(packed.weights);
    this.bias = unpacked(packed.bias);
    this.codes = new Float32Array(bytes(packed.codes).buffer);
    this.n = this.weights.length / N_PIXELS;
    this.columns = Array.from({ length: this.n }, (_, k) =>
      Float32Array.from(data.words, (word, i) => this.codes[i * this.n + k]).sort());
    this.middle = this.columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
    this.effects = this.columns.map((column, k) => {
      const [low, high] = [LOW, HIGH].map((q) => this.decode(
        this.middle.with(k, column[Math.round(q * (column.length - 1))])));
      return high.map((value, i) => value - low[i]);
    });
    const shares = this.effects.map(sharesOfLetters);
    this.letter = shares.map((share) => share.indexOf(Math.max(...share)));
    this.share = shares.map((share, k) => share[this.letter[k]]);
    const centre = shares.map((share) => share.reduce((sum, s, p) => sum + s * p, 0));
    // Factors have no order: they are shown by the place in the word where they act.
    this.order = [...centre.keys()].sort((a, b) => centre[a] - centre[b]);
  }

  /** The link function of an affine map: what the estimator's own decoder gives. */
  decode(z) {
    const values = Float32Array.from(this.bias);
    for (let k = 0; k < this.n; k++) {
      for (let i = 0, at = k * N_PIXELS; i < N_PIXELS; i++) values[i] += z[k] * this.weights[at + i];
    }
    return this.logistic ? values.map((value) => 1 / (1 + Math.exp(-value))) : values;
  }

  /** Code of a word, by its place among the words. */
  code(word) {
    return Array.from(this.codes.subarray(word * this.n, (word + 1) * this.n));
  }

  name(k) {
    return `letter ${this.letter[k] + 1} (${Math.round(100 * this.share[k])} %)`;
  }
}

/** Shares of each letter of the word in the squares of an image. */
function sharesOfLetters(values) {
  const sums = Array.from({ length: LENGTH }, () => 0);
  values.forEach((value, i) => { sums[letterOf[i]] += value * value; });
  const total = sums.reduce((a, b) => a + b, 0);
  return sums.map((sum) => (total ? sum / total : 0));
}

const letterOf = bytes(data.groups);
const tiles = bytes(data.tiles);
const tileOf = new Uint16Array(bytes(data.tile_of).buffer);
const placeOf = new Map(data.words.map((word, i) => [word, i]));

/** Image of a word: its letters' tiles beside each other. */
function image(word) {
  const width = WIDTH / LENGTH, values = new Float32Array(N_PIXELS);
  for (let p = 0; p < LENGTH; p++) {
    const from = tileOf[word * LENGTH + p] * HEIGHT * width;
    for (let row = 0; row < HEIGHT; row++) {
      for (let column = 0; column < width; column++) {
        values[row * WIDTH + p * width + column] = tiles[from + row * width + column] / 255;
      }
    }
  }
  return values;
}

function squaredError(one, other) {
  return one.reduce((sum, value, i) => sum + (value - other[i]) ** 2, 0);
}

function maps(methods) {
  for (const method of methods) {
    const row = element("div", { class: "row" });
    for (const k of method.order) {
      const map = canvas(HEIGHT, WIDTH, `${method.label}: a factor of ${method.name(k)}`);
      map.title = method.name(k);
      paintChange(map, method.effects[k]);
      row.append(map);
    }
    place("maps").append(element("div", {}, element("span", {}, method.label), row));
  }
}

// --- Traversal -----------------------------------------------------------------------------------

function traversal(methods) {
  const shown = canvas(HEIGHT, WIDTH, "Decoded word", "word");
  shown.id = "decoded";
  const sliders = element("div");
  const said = element("output", { "aria-live": "polite" });
  let method = methods[0], z = [];
  const start = wordField("Start from", FIRST, (word) => {
    z = method.code(word);
    said.textContent = `Code of “${data.words[word]}”.`;
    build();
  });
  place("traversal").append(
    element("div", { class: "controls" },
      menu("Method", methods.map((m, i) => [i, m.label]), 0, (i) => { method = methods[i]; start.apply(); }),
      start.label,
      element("button", { type: "button", click: () => {
        z = [...method.middle];
        said.textContent = "Mean code of all words.";
        build();
      } }, "Mean of all words"),
    ),
    start.problem,
    element("div", { class: "traversal" },
      element("div", { class: "shown" }, element("figure", { class: "picture" }, shown,
        element("figcaption", {}, said))),
      sliders),
  );
  start.apply();

  function build() {
    sliders.replaceChildren(...method.order.map((k, i) => {
      const column = method.columns[k], low = column[0], high = column.at(-1);
      const value = element("output", {}, z[k].toFixed(2));
      const limits = { id: `factor-${k}`, min: low, max: high, step: "any" };
      const range = slider(limits, z[k], (moved) => {
        z[k] = moved;
        value.textContent = moved.toFixed(2);
        said.textContent = `Factor ${i + 1} is ${moved.toFixed(2)}.`;
        paintInk(shown, method.decode(z));
      });
      const map = canvas(HEIGHT, WIDTH, `What factor ${i + 1} changes`);
      paintChange(map, method.effects[k]);
      return element("div", { class: "slider" }, map,
        element("label", { for: range.id }, `Factor ${i + 1}`, element("br"),
          element("small", {}, method.name(k))), range, value);
    }));
    paintInk(shown, method.decode(z));
  }
}

// --- Words ---------------------------------------------------------------------------------------

const FIRST = placeOf.has("fun") ? "fun" : data.words[0];
const SECOND = placeOf.has("day") ? "day" : data.words.at(-1);

/** A field that takes one of the words; `apply` gives its place to `change`, or tells the cure. */
function wordField(label, word, change) {
  const problem = element("p", { class: "problem", role: "status", hidden: "" });
  const input = element("input", {
    type: "text", value: word, maxlength: 3 * LENGTH, autocomplete: "off", autocapitalize: "off",
    spellcheck: "false", list: "words", input: () => apply(),
  });
  function apply() {
    const found = placeOf.get(input.value.trim().toLowerCase()) ?? placeOf.get(input.value.trim());
    problem.hidden = found !== undefined;
    input.setAttribute("aria-invalid", String(found === undefined));
    if (found !== undefined) change(found);
    else {
      problem.textContent = `No word “${input.value}” here: words have ` +
        data.letters.map((letters, p) => `one of ${letters} as letter ${p + 1}`).join(", ") + ".";
    }
  }
  return { label: element("label", {}, label, input), problem, apply };
}

/** A captioned place for the image of a word. */
function figure(label) {
  const picture = canvas(HEIGHT, WIDTH, label, "word");
  const caption = element("figcaption", {}, label);
  return { picture, caption, node: element("figure", { class: "picture" }, picture, caption) };
}

/** A captioned image. */
function shownAs(values, text) {
  const { picture, node } = figure(text);
  paintInk(picture, values);
  return node;
}

function comparison(methods) {
  const find = (key) => methods.findIndex((method) => method.key === key);
  const chosen = [Math.max(find("minsyn-vector"), 0), Math.max(find("pca"), methods.length - 1)];
  if (find("pca") >= 0) chosen[1] = find("pca");
  let word = 0, first = 0, second = 0, position = 0;
  const seen = element("div", { class: "pair" }), swapped = element("div", { class: "pair" });
  const wordOriginal = figure("Image of the word"), swapOriginal = element("div", { class: "pair" });
  const fields = [
    wordField("Word", FIRST, (i) => { word = i; showWord(); }),
    wordField("First word", FIRST, (i) => { first = i; showSwap(); }),
    wordField("Second word", SECOND, (i) => { second = i; showSwap(); }),
  ];
  place("comparison").append(
    element("div", { class: "controls" }, ...["One method", "Another method"].map((label, side) =>
      menu(label, methods.map((m, i) => [i, m.label]), chosen[side], (i) => {
        chosen[side] = Number(i);
        showWord();
        showSwap();
      }))),
    element("h3", {}, "Type a word"),
    element("div", { class: "controls" }, fields[0].label), fields[0].problem,
    wordOriginal.node, seen,
    element("h3", {}, "Swap a letter"),
    element("p", { class: "caption" },
      "The factors of one letter (those that act most there) are taken from the second word, all " +
      "others from the first. Where factors mean one letter each, only that letter changes. Where " +
      "they do not, the others change with it."),
    element("div", { class: "controls" }, fields[1].label, fields[2].label,
      menu("Letter", Array.from({ length: LENGTH }, (_, p) => [p, String(p + 1)]), 0,
        (p) => { position = Number(p); showSwap(); })),
    fields[1].problem, fields[2].problem, swapOriginal, swapped,
  );
  fields.forEach((field) => field.apply());

  function showWord() {
    const original = image(word);
    paintInk(wordOriginal.picture, original);
    wordOriginal.picture.setAttribute("aria-label", `Image of “${data.words[word]}”`);
    wordOriginal.caption.textContent = `Image of “${data.words[word]}”` +
      (word < data.n_train ? ", a training word" : ", a held-out word");
    seen.replaceChildren(...chosen.map((i) => {
      const method = methods[i], code = method.code(word), values = method.decode(code);
      const bars = method.order.map((k) => {
        const [low, high] = [method.columns[k][0], method.columns[k].at(-1)];
        const share = high > low ? (100 * (code[k] - low)) / (high - low) : 0;
        return element("div", { class: "bar" }, element("span", {}, method.name(k)),
          element("span", { role: "img", "aria-label": code[k].toFixed(2), title: code[k].toFixed(2) },
            element("i", { style: `width:${share.toFixed(1)}%` })));
      });
      const error = squaredError(values, original).toFixed(1);
      return element("section", { "aria-label": method.label }, element("b", {}, method.label),
        shownAs(values, `Reconstruction, squared error ${error}`),
        element("div", { class: "bars", role: "group", "aria-label": "Code" }, ...bars));
    }));
  }

  function showSwap() {
    const mixed = [...data.words[first]];
    mixed[position] = data.words[second][position];
    const aim = placeOf.get(mixed.join(""));
    swapOriginal.replaceChildren();
    const target = aim === undefined ? null : image(aim);
    if (target) swapOriginal.append(shownAs(target, `What it should be: “${mixed.join("")}”`));
    swapped.replaceChildren(...chosen.map((i) => {
      const method = methods[i], before = method.code(first), from = method.code(second);
      const moved = before.map((value, k) => (method.letter[k] === position ? from[k] : value));
      const values = method.decode(moved), old = method.decode(before);
      const change = values.map((value, j) => value - old[j]);
      const total = change.reduce((sum, value) => sum + value * value, 0);
      const elsewhere = total ? 100 * (1 - sharesOfLetters(change)[position]) : 0;
      const count = method.letter.filter((letter) => letter === position).length;
      const changes = canvas(HEIGHT, WIDTH, "What changed", "word");
      paintChange(changes, change);
      return element("section", { "aria-label": method.label }, element("b", {}, method.label),
        shownAs(values, `${count} of ${method.n} factors taken` +
          (target ? `, squared error ${squaredError(values, target).toFixed(1)}` : "")),
        element("figure", { class: "picture" }, changes, element("figcaption", {},
          `What changed: ${elsewhere.toFixed(0)} % of it in the other letters`)));
    }));
  }
}

makeSortable(document.querySelector("#scores table"));
scatter();
if (data.methods.length) {
  const methods = data.methods.map((packed) => new Method(packed));
  place("comparison").append(element("datalist", { id: "words" },
    ...data.words.map((word) => element("option", { value: word }))));
  maps(methods);
  traversal(methods);
  comparison(methods);
}
