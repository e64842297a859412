// Prunes LeNet-300-100 in the page. Everything is in the page: weights as 16-bit integers, 500 digits of 4-bit pixels.
(() => {
const PIXELS = 784, SIDE = 28, FIRST = 300, SECOND = 100, CLASSES = 10, PER_ROW = 25, EDGE = 34;
const root = document.getElementById("prune");
const given = JSON.parse(document.getElementById("prune-data").textContent);
const show = Object.fromEntries([...root.querySelectorAll("[data-show]")].map((each) => [each.dataset.show, each]));
const form = root.querySelector("form");
const percent = (value, digits = 1) => `${value.toFixed(digits)} %`;
const shareText = (share) => percent(100 * share, share < 0.0995 ? 2 : 1);
const whole = (number) => number.toLocaleString("en");

// ---- what was given

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floats = (name) => new Float32Array(bytes(given.tensors[name]).buffer);
const matrix = (name) => Float32Array.from(new Int16Array(bytes(given.tensors[name]).buffer), (q) => q * given.scales[name]);
const [hidden1, hidden2] = [matrix("hidden.0.weight"), matrix("hidden.1.weight")];  // a row of weights for each neuron
const output = matrix("output.weight");
const [bias1, bias2, bias3] = ["hidden.0.bias", "hidden.1.bias", "output.bias"].map(floats);
const labels = bytes(given.tensors.labels), packed = bytes(given.tensors.digits);
const DIGITS = labels.length, WEIGHTS = hidden1.length + hidden2.length;
const pixels = new Uint8Array(DIGITS * PIXELS);
packed.forEach((pair, at) => { pixels[2 * at] = pair >> 4; pixels[2 * at + 1] = pair & 15; });

// ---- the cut

// start of the cut
function cut(scores, count) {  // remove the `count` weights of lowest score: 1 stays, 0 goes
  const kept = new Uint8Array(scores.length);
  const threshold = count ? sorted(scores)[count - 1] : -Infinity;
  let ties = count - scores.reduce((below, score) => below + (score < threshold), 0);
  for (let i = 0; i < scores.length; i += 1) {  // of equal scores the first go, so that exactly `count` do
    kept[i] = scores[i] > threshold || (scores[i] === threshold && --ties < 0) ? 1 : 0;
  }
  return kept;
}
// end of the cut

const orders = new WeakMap();  // sorting takes longer than all else, so it is done once
function sorted(scores) {
  if (!orders.has(scores)) orders.set(scores, scores.slice().sort());
  return orders.get(scores);
}

function randomNumbers(seed, count) {  // mulberry32
  return Float32Array.from({length: count}, () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  });
}

// The scores of both layers, one after the other.
const SCORES = {
  magnitude: () => Float32Array.from(joined, Math.abs),
  largest: () => Float32Array.from(joined, (weight) => -Math.abs(weight)),
  random: () => randomNumbers(draw, joined.length),
};
const joined = new Float32Array(WEIGHTS);
joined.set(hidden1);
joined.set(hidden2, hidden1.length);
let draw = 1;
const known = new Map();
function scoresOf(name) {
  const key = name === "random" ? `random ${draw}` : name;
  if (!known.has(key)) {
    const both = SCORES[name]();
    known.set(key, {both, first: both.slice(0, hidden1.length), second: both.slice(hidden1.length)});
  }
  return known.get(key);
}

const removed = (size, share) => Math.ceil(Number(((1 - share) * size).toFixed(6)));

function masks(state) {
  const {both, first, second} = scoresOf(state.score);
  if (state.scope === "global") {
    const kept = cut(both, removed(both.length, state.shares[0]));
    return [kept.subarray(0, first.length), kept.subarray(first.length)];
  }
  return [cut(first, removed(first.length, state.shares[0])), cut(second, removed(second.length, state.shares.at(-1)))];
}

// ---- the network

// Most pixels are empty, so only the others are multiplied: with x = (p / 15 − μ) / σ, W x = W p / (15 σ) − μ / σ Σ W.
const starts = new Uint32Array(DIGITS + 1), places = [], inks = [];
for (let digit = 0; digit < DIGITS; digit += 1) {
  for (let pixel = 0; pixel < PIXELS; pixel += 1) {
    const value = pixels[digit * PIXELS + pixel];
    if (value) { places.push(pixel); inks.push(value / 15 / given.std); }
  }
  starts[digit + 1] = places.length;
}
const place = Uint16Array.from(places), ink = Float64Array.from(inks);

function columns(weights, kept, inputs, outputs) {  // what is kept, a row for each input
  const turned = new Float64Array(weights.length);
  for (let o = 0, at = 0; o < outputs; o += 1) {
    for (let i = 0; i < inputs; i += 1, at += 1) if (kept[at]) turned[i * outputs + o] = weights[at];
  }
  return turned;
}
const ALL = new Uint8Array(hidden1.length).fill(1);
const last = columns(output, ALL, SECOND, CLASSES);

// sum += Σ values[at] · weights[rows[at]] for from ≤ at < to. Four rows in one pass take half the time.
function add(sum, weights, rows, values, from, to) {
  const size = sum.length;
  let at = from;
  for (; at + 3 < to; at += 4) {
    const [a, b, c, d] = [rows[at] * size, rows[at + 1] * size, rows[at + 2] * size, rows[at + 3] * size];
    const [p, q, r, s] = [values[at], values[at + 1], values[at + 2], values[at + 3]];
    for (let k = 0; k < size; k += 1) sum[k] += p * weights[a + k] + q * weights[b + k] + r * weights[c + k] + s * weights[d + k];
  }
  for (; at < to; at += 1) {
    for (let k = 0, start = rows[at] * size; k < size; k += 1) sum[k] += values[at] * weights[start + k];
  }
}

const active = new Uint16Array(FIRST), strength = new Float64Array(FIRST);
function addActive(sum, weights, neurons) {  // those that ReLU lets through
  let count = 0;
  for (let i = 0; i < neurons.length; i += 1) if (neurons[i] > 0) { active[count] = i; strength[count] = neurons[i]; count += 1; }
  add(sum, weights, active, strength, 0, count);
}
const everyPixel = Uint16Array.from({length: PIXELS}, (_, pixel) => pixel);
const black = new Float64Array(PIXELS).fill(-given.mean / given.std);

function forward([kept1, kept2]) {  // logits of all digits, one after the other
  const first = columns(hidden1, kept1, PIXELS, FIRST), second = columns(hidden2, kept2, FIRST, SECOND);
  const shifted = Float64Array.from(bias1), a = new Float64Array(FIRST), b = new Float64Array(SECOND);
  const c = new Float64Array(CLASSES), logits = new Float64Array(DIGITS * CLASSES);
  add(shifted, first, everyPixel, black, 0, PIXELS);
  for (let digit = 0; digit < DIGITS; digit += 1) {
    a.set(shifted); b.set(bias2); c.set(bias3);
    add(a, first, place, ink, starts[digit], starts[digit + 1]);
    addActive(b, second, a);
    addActive(c, last, b);
    logits.set(c, digit * CLASSES);
  }
  return logits;
}

function answersOf(logits) {
  return Uint8Array.from({length: DIGITS}, (_, digit) => {
    const own = logits.subarray(digit * CLASSES, (digit + 1) * CLASSES);
    return own.indexOf(Math.max(...own));
  });
}

const dense = {logits: forward([ALL, ALL])};
dense.answers = answersOf(dense.logits);
dense.right = dense.answers.reduce((sum, answer, digit) => sum + (answer === labels[digit]), 0);

// ---- what the reader asks for

const STEPS = given.curves.magnitude.length - 1;
const shareAt = (step) => 0.8 ** (step / given.stepsPerLevel);
let chosenDigit = 0, now;

function read() {
  const value = (name) => form.elements[name].value;
  const own = value("scope") === "own";
  const steps = own ? [Number(value("step1")), Number(value("step2"))] : [Number(value("step"))];
  return {score: value("score"), scope: value("scope"), steps, shares: steps.map(shareAt)};
}

function update() {
  const state = read(), began = performance.now();
  const kept = masks(state), logits = forward(kept), answers = answersOf(logits);
  const count = (mask) => mask.reduce((sum, each) => sum + each, 0);
  const left = kept.map(count);
  const right = answers.reduce((sum, answer, digit) => sum + (answer === labels[digit]), 0);
  const broken = [...labels.keys()].filter((d) => dense.answers[d] === labels[d] && answers[d] !== labels[d]);
  const mended = [...labels.keys()].filter((d) => dense.answers[d] !== labels[d] && answers[d] === labels[d]);
  now = {state, kept, pixelsLeft: pixelsLeft(kept[0]), logits, answers, left, right, broken, mended, share: (left[0] + left[1]) / joined.length};
  root.dataset.computing = (performance.now() - began).toFixed(1);
  tell();
  drawAll();
  root.dataset.milliseconds = (performance.now() - began).toFixed(1);
}

let waiting = 0;
const later = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; update(); }); };

// ---- words and numbers

let speaking;
const series = () => (now.state.scope === "global" ? given.retrained[now.state.score] : undefined);

function nearest(found, share) {
  const far = (level) => Math.abs(Math.log(level.share / share));
  return found.levels.reduce((best, level) => (far(level) < far(best) ? level : best));
}

function tell() {
  const {state, left, right, broken, mended, share} = now;
  const own = state.scope === "own";
  root.querySelectorAll("[data-for]").forEach((each) => { each.hidden = !each.dataset.for.split(" ").includes(state.scope); });
  root.querySelector("[data-do=draw]").hidden = state.score !== "random";
  const sizes = [hidden1.length, hidden2.length];
  state.steps.forEach((step, at) => {
    const text = shareText(state.shares[at]);
    show[own ? `share${at + 1}` : "share"].textContent = text;
    form.elements[own ? `step${at + 1}` : "step"].setAttribute("aria-valuetext", `${text} of the weights left`);
  });
  const now100 = 100 * right / DIGITS;
  show.accuracy.textContent = percent(now100);
  show.right.textContent = `${right} of ${DIGITS}`;
  show.change.textContent = `digits right; before: ${dense.right}`;
  show.left.textContent = shareText(share);
  show.layers.textContent = `${whole(left[0] + left[1])} of ${whole(joined.length)}; first layer ${shareText(left[0] / sizes[0])}, `
    + `second ${shareText(left[1] / sizes[1])}`;
  const again = series();
  if (again) {
    const level = nearest(again, share);
    show.retrained.textContent = `${level.mean.toFixed(1)}${level.std === null ? "" : ` ± ${level.std.toFixed(1)}`} %`;
    show.whose.textContent = `at ${shareText(level.share)} of the weights: ${again.label}`;
  } else {
    show.retrained.textContent = "–";
    show.whose.textContent = "not measured for this way of cutting";
  }
  const lost = broken.length ? `${broken.length} digit${broken.length > 1 ? "s break" : " breaks"}` : "No digit breaks";
  const won = mended.length ? `, ${mended.length} that ${mended.length > 1 ? "were" : "was"} wrong before ${mended.length > 1 ? "are" : "is"} right now` : "";
  const empty = now.pixelsLeft.filter((n) => n === 0).length;
  const said = `Accuracy ${percent(now100)} with ${shareText(share)} of the weights. ${lost}${won}. `
    + `${empty} of ${PIXELS} pixels have no weight left.`;
  clearTimeout(speaking);  // read aloud where the slider rests, not on its way
  speaking = setTimeout(() => { show.said.textContent = said; }, 200);
  menuOfBroken.replaceChildren(...broken.map((digit) => new Option(`${nameOf(digit)}, read as ${now.answers[digit]}`, digit)));
  menu.value = chosenDigit;
}

const nameOf = (digit) => `a ${labels[digit]} (no. ${1 + digit % (DIGITS / CLASSES)})`;

const optionGroup = (label) => Object.assign(document.createElement("optgroup"), {label});
const menu = root.querySelector("select[name=digit]"), menuOfBroken = optionGroup("Broken");
menu.append(menuOfBroken, ...Array.from({length: CLASSES}, (_, label) => optionGroup(`Every ${label}`)));
labels.forEach((label, digit) => menu.children[1 + label].append(new Option(nameOf(digit), digit)));

function pixelsLeft(kept) {
  const found = Array(PIXELS).fill(0);
  for (let at = 0; at < kept.length; at += PIXELS) for (let pixel = 0; pixel < PIXELS; pixel += 1) found[pixel] += kept[at + pixel];
  return found;
}

// ---- pictures

const tones = {};  // of the theme
const colour = (name) => (tones[name] ||= getComputedStyle(root).getPropertyValue(`--prune-${name}`).trim() || "#888");

function drawAll() {
  drawChart();
  drawMask();
  drawPixel();
  drawWall();
  drawDigit();
}

const LINES = {magnitude: "smallest", layer: "smallest, each layer", random: "random", largest: "largest"};
const STYLES = {magnitude: ["left", ""], layer: ["layer", "6 3"], random: ["random", ""], largest: ["largest", ""]};

function drawChart() {
  const width = Math.max(280, show.chart.clientWidth), height = Math.min(320, 0.62 * width);
  const [west, east, north, south] = [38, 12, 22, 40];
  const x = (share) => west + (width - west - east) * Math.log(share) / Math.log(shareAt(STEPS));
  const y = (value) => north + (height - north - south) * (1 - value / 100);
  const text = (at, words, anchor = "middle", more = "") =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}" fill="currentColor" ${more}>${words}</text>`;
  const path = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  const parts = [];
  for (const value of [0, 20, 40, 60, 80, 100]) {
    parts.push(`<path d="M${west} ${y(value)}H${width - east}" stroke="${colour("line")}" stroke-width="0.7"/>`);
    parts.push(text([west - 5, y(value) + 4], value, "end"));
  }
  for (const share of [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005]) parts.push(text([x(share), height - 22], `${+(100 * share).toFixed(2)}`));
  parts.push(text([(west + width) / 2, height - 4], "weights left (%)"), text([4, 10], "accuracy (%)", "start"));
  for (const [name, values] of Object.entries(given.curves)) {
    const [tone, dash] = STYLES[name];
    const points = values.map((value, step) => [x(shareAt(step)), y(value)]);
    parts.push(`<path d="${path(points)}" fill="none" stroke="${colour(tone)}" stroke-width="2" stroke-dasharray="${dash}"/>`);
  }
  for (const name of ["magnitude", "random"]) {
    const again = given.retrained[name];
    if (!again) continue;
    const points = again.levels.filter((level) => level.share >= shareAt(STEPS)).map((level) => [x(level.share), y(level.mean)]);
    parts.push(`<path d="${path(points)}" fill="none" stroke="${colour(STYLES[name][0])}" stroke-width="2" stroke-dasharray="2 4"/>`);
    points.forEach(([a, b]) => parts.push(`<circle cx="${a}" cy="${b}" r="2.2" fill="${colour(STYLES[name][0])}"/>`));
  }
  const value = 100 * now.right / DIGITS, at = [x(Math.max(now.share, shareAt(STEPS))), y(value)];
  parts.push(`<circle cx="${at[0]}" cy="${at[1]}" r="7" fill="none" stroke="${colour("cut")}" stroke-width="3"/>`);
  show.chart.innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Accuracy against weights left. `
    + `You are at ${percent(value)} with ${shareText(now.share)} of the weights.">${parts.join("")}</svg>`;
}

const chosenPixel = () => {
  const value = (name) => Number(root.querySelector(`input[name=${name}]`).value);
  return SIDE * value("row") + value("column");
};

function drawMask() {
  const context = show.mask.getContext("2d"), size = show.mask.width / SIDE, left = now.pixelsLeft;
  context.clearRect(0, 0, show.mask.width, show.mask.height);
  const [some, none] = [colour("left"), colour("cut")];
  left.forEach((count, pixel) => {
    context.globalAlpha = count ? 0.05 + 0.95 * Math.sqrt(count / FIRST) : 1;
    context.fillStyle = count ? some : none;
    context.fillRect(size * (pixel % SIDE), size * Math.floor(pixel / SIDE), size, size);
  });
  context.globalAlpha = 1;
  const pixel = chosenPixel();
  context.strokeStyle = colour("ink");
  context.lineWidth = 3;
  context.strokeRect(size * (pixel % SIDE) + 1.5, size * Math.floor(pixel / SIDE) + 1.5, size - 3, size - 3);
  const empty = left.filter((n) => n === 0).length;
  show.mask.setAttribute("aria-label", `Weights left at each of the 28 × 28 pixels: ${Math.min(...left)} to ${Math.max(...left)} `
    + `of 300; ${empty} pixels have none.`);
}

function drawPixel() {
  const pixel = chosenPixel(), canvas = show.pixel, context = canvas.getContext("2d");
  const own = Array.from({length: FIRST}, (_, neuron) => neuron * PIXELS + pixel).sort((one, other) => hidden1[one] - hidden1[other]);
  const largest = Math.max(...own.map((at) => Math.abs(hidden1[at])));
  const middle = canvas.height / 2, width = canvas.width / FIRST;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const shades = [colour("random"), colour("left")];
  own.forEach((at, rank) => {
    const tall = 0.95 * middle * hidden1[at] / largest, keep = now.kept[0][at];
    context.globalAlpha = keep ? 1 : 0.3;
    context.fillStyle = shades[keep];
    context.fillRect(rank * width, middle - Math.max(tall, 0), width, Math.abs(tall));
  });
  context.globalAlpha = 1;
  const left = own.reduce((sum, at) => sum + now.kept[0][at], 0), column = pixel % SIDE, row = (pixel - column) / SIDE;
  let seen = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) seen += pixels[digit * PIXELS + pixel] > 0;
  const text = `Row ${row}, column ${column}: ${left} of ${FIRST} weights left (strong colour). They are sorted from the most negative to `
    + `the most positive, ±${largest.toFixed(3)}. ${seen} of the ${DIGITS} digits have ink here.`;
  canvas.setAttribute("aria-label", text);
  show["pixel-text"].textContent = text;
}

const sheets = {};  // all digits in one colour, by colour
function sheet(tone) {
  if (sheets[tone]) return sheets[tone];
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE * DIGITS;
  const context = canvas.getContext("2d");
  context.fillStyle = tone;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  const image = context.createImageData(canvas.width, canvas.height);
  pixels.forEach((value, at) => image.data.set([red, green, blue, 17 * value], 4 * at));
  context.putImageData(image, 0, 0);
  return (sheets[tone] = canvas);
}

const cell = (digit) => [EDGE + SIDE * (digit % PER_ROW), SIDE * Math.floor(digit / PER_ROW)];

function drawWall() {
  const canvas = show.wall, context = canvas.getContext("2d"), scale = 2;
  const [width, height] = [EDGE + SIDE * PER_ROW, SIDE * Math.ceil(DIGITS / PER_ROW)];
  if (canvas.width !== scale * width || canvas.height !== scale * height) { canvas.width = scale * width; canvas.height = scale * height; }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const [usual, bad, ground] = [colour("ink"), colour("cut"), colour("cut-ground")];
  context.textBaseline = "middle";
  const rows = Math.ceil(DIGITS / PER_ROW);
  for (let row = 0; row < rows; row += 1) {
    if (row && labels[row * PER_ROW] === labels[row * PER_ROW - 1]) continue;
    context.fillStyle = usual;
    context.font = "600 17px system-ui, sans-serif";
    context.fillText(labels[row * PER_ROW], 4, SIDE * (row + 0.5));
  }
  const broken = new Set(now.broken);
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const [x, y] = cell(digit);
    if (broken.has(digit)) {
      context.fillStyle = ground;
      context.fillRect(x + 0.5, y + 0.5, SIDE - 1, SIDE - 1);
    }
    context.globalAlpha = broken.has(digit) ? 1 : 0.75;
    context.drawImage(sheet(usual), 0, SIDE * digit, SIDE, SIDE, x + 1, y + 1, SIDE - 2, SIDE - 2);
    context.globalAlpha = 1;
    if (broken.has(digit)) {
      context.fillStyle = bad;
      context.font = "700 11px system-ui, sans-serif";
      context.fillText(now.answers[digit], x + SIDE - 9, y + SIDE - 7);
    }
    if (dense.answers[digit] !== labels[digit]) {
      context.strokeStyle = colour("random");
      context.lineWidth = 1;
      context.strokeRect(x + 1, y + 1, SIDE - 2, SIDE - 2);
    }
    if (digit === chosenDigit) {
      context.strokeStyle = usual;
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, SIDE - 2, SIDE - 2);
    }
  }
  const counts = Array.from({length: CLASSES}, (_, label) => now.broken.filter((digit) => labels[digit] === label).length);
  canvas.setAttribute("aria-label", `${now.broken.length} of ${DIGITS} digits broken by the cut: ${counts.map((n, label) => `${n} of ${label}`).join(", ")}.`);
}

function drawDigit() {
  const canvas = show.digit, context = canvas.getContext("2d"), digit = chosenDigit;
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(sheet(colour("ink")), 0, SIDE * digit, SIDE, SIDE, 0, 0, canvas.width, canvas.height);
  const words = `${nameOf(digit)}, read as ${dense.answers[digit]} before and as ${now.answers[digit]} after the cut`;
  canvas.setAttribute("aria-label", `Picture of ${words}`);
  show["digit-title"].textContent = words[0].toUpperCase() + words.slice(1);
  const [before, after] = [dense.logits, now.logits].map((all) => all.subarray(digit * CLASSES, (digit + 1) * CLASSES));
  const all = [...before, ...after, 0], low = Math.min(...all), high = Math.max(...all);
  const at = (value) => 100 * (value - low) / (high - low || 1);
  const bar = (value, tone, answer) => {
    const [from, to] = [at(Math.min(value, 0)), at(Math.max(value, 0))], shade = `color-mix(in srgb, ${tone} 40%, transparent)`;
    return `<td class="${answer ? "prune-answer" : ""}" style="background-image:linear-gradient(90deg,transparent ${from}%,`
      + `${shade} ${from}%,${shade} ${to}%,transparent ${to}%)">${value.toFixed(1)}</td>`;
  };
  show.logits.innerHTML = Array.from({length: CLASSES}, (_, label) => `<tr><th scope="row">${label}${label === labels[digit] ? " (true)" : ""}</th>`
    + bar(before[label], colour("left"), label === dense.answers[digit])
    + bar(after[label], colour("cut"), label === now.answers[digit]) + "</tr>").join("");
}

// ---- the hand on it

function choosePixel(event) {
  const box = show.mask.getBoundingClientRect();
  const inside = (value) => Math.max(0, Math.min(SIDE - 1, Math.floor(SIDE * value)));
  root.querySelector("input[name=column]").value = inside((event.clientX - box.left) / box.width);
  root.querySelector("input[name=row]").value = inside((event.clientY - box.top) / box.height);
  drawMask();
  drawPixel();
}

function chooseDigit(digit) {
  chosenDigit = digit;
  tell();
  drawWall();
  drawDigit();
}

for (const name of ["step", "step1", "step2"]) form.elements[name].max = STEPS;
root.addEventListener("input", (event) => { if (event.target.form === form) later(); });
form.addEventListener("submit", (event) => event.preventDefault());
root.querySelector("[data-do=back]").addEventListener("click", () => {
  for (const name of ["step", "step1", "step2"]) form.elements[name].value = 0;
  later();
});
root.querySelector("[data-do=draw]").addEventListener("click", () => { known.delete(`random ${draw}`); draw += 1; later(); });
show.mask.addEventListener("click", choosePixel);
for (const name of ["row", "column"]) root.querySelector(`input[name=${name}]`).addEventListener("input", () => { drawMask(); drawPixel(); });
show.wall.addEventListener("click", (event) => {
  const box = show.wall.getBoundingClientRect(), scale = (EDGE + SIDE * PER_ROW) / box.width;
  const column = Math.floor((scale * (event.clientX - box.left) - EDGE) / SIDE), row = Math.floor(scale * (event.clientY - box.top) / SIDE);
  const digit = row * PER_ROW + column;
  if (column >= 0 && column < PER_ROW && digit < DIGITS) chooseDigit(digit);
});
menu.addEventListener("change", () => chooseDigit(Number(menu.value)));
new MutationObserver(() => {
  for (const name of Object.keys(tones)) delete tones[name];
  drawAll();
}).observe(document.documentElement, {attributeFilter: ["data-theme"]});
window.addEventListener("resize", drawChart);

const stroke = (name, dash) => `<svg viewBox="0 0 28 8" aria-hidden="true"><path d="M0 4H28" stroke="var(--prune-${STYLES[name][0]})" `
  + `stroke-width="2.5" stroke-dasharray="${dash ?? STYLES[name][1]}"/></svg>`;
show.legend.innerHTML = Object.entries(LINES).map(([name, words]) => `<span>${stroke(name)}${words}</span>`).join("")
  + Object.keys(given.retrained).map((name) => `<span>${stroke(name, "2 4")}${LINES[name]}, retrained</span>`).join("");
show.draws.textContent = given.draws;
show.series.textContent = [...new Set(Object.values(given.retrained).map((each) => each.label))].join("; ") || "not measured yet";
root.hidden = false;
root.logits = (share) => forward(masks({score: "magnitude", scope: "global", shares: [share]}));
update();
})();
