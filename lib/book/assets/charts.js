// Draws every chart of the page from the data beside it. vl-convert puts this file and Vega into one script.

const OPTIONS = {
  mode: "vega-lite",
  renderer: "svg",
  actions: {export: true, source: false, compiled: false, editor: false},
};

// Visit every object of a specification except its data, which can be large and has words of its own.
function visit(part, change) {
  if (Array.isArray(part)) part.forEach((each) => visit(each, change));
  else if (part && typeof part === "object") {
    change(part);
    for (const [name, each] of Object.entries(part)) if (name !== "data" && name !== "datasets") visit(each, change);
  }
}

function wrap(title, letters) {
  const lines = [""];
  for (const word of [title].flat().join(" ").split(" ")) {
    if (lines.at(-1) && (lines.at(-1) + " " + word).length > letters) lines.push("");
    lines.push((lines.pop() + " " + word).trim());
  }
  return lines;
}

// For a screen narrower than the chart: panels below each other, legends below the plot, titles in lines. A title that
// is an expression breaks its own lines.
function narrow(spec, available) {
  const isText = (title) => typeof title === "string" || Array.isArray(title);
  visit(spec, (part) => {
    if (part.hconcat) { part.vconcat = part.hconcat; delete part.hconcat; }
    if (part.legend) delete part.legend.orient;
    if (!(part.mark || part.layer || part.vconcat)) return;  // axes and legends have titles too
    const title = isText(part.title) ? {text: part.title} : {...part.title};
    if (isText(title.text)) title.text = wrap(title.text, Math.floor(available / 8));
    if (isText(title.subtitle)) title.subtitle = wrap(title.subtitle, Math.floor(available / 6.5));
    if (title.text) part.title = title;
  });
  const legend = {...spec.config?.legend, orient: "bottom", columns: Math.max(1, Math.floor(available / 150))};
  spec.config = {...spec.config, legend};
  return spec;
}

// Make every plot at most so wide; a chart without a width of its own takes the one in the configuration.
function capWidths(spec, excess) {
  const usual = spec.config?.view?.continuousWidth ?? 300;
  const widths = [];
  let sideBySide = 1;
  visit(spec, (part) => {
    if (typeof part.width === "number") widths.push(part.width);
    if (part.hconcat) sideBySide = Math.max(sideBySide, part.hconcat.length);
  });
  const cap = Math.max(120, (widths.length ? Math.max(...widths) : usual) - Math.ceil(excess / sideBySide));
  visit(spec, (part) => { if (typeof part.width === "number") part.width = Math.min(part.width, cap); });
  spec.config = {...spec.config, view: {...spec.config?.view, continuousWidth: Math.min(usual, cap)}};
  return spec;
}

// A seed stays lit in every chart of the page that has it: lib/charts/controls.py calls the signal so.
const LIT = "seed_seed";
let lit = null;

function seedMenu(figure) {
  return figure.querySelector(`.controls select[name=${LIT}]`);
}

function hasSeed(figure, seed) {
  return [...seedMenu(figure).options].some((option) => option.value === String(seed));
}

function light(seed) {
  lit = seed;
  for (const figure of document.querySelectorAll("figure.book-chart[data-state=drawn]")) {
    if (!seedMenu(figure)) continue;
    const here = seed !== null && hasSeed(figure, seed) ? seed : null;
    const view = figure.vegaView.view;
    if (view.signal(LIT) !== here) view.signal(LIT, here).runAsync();
  }
}

function shareSeed(figure) {
  const menu = seedMenu(figure);
  if (!menu) return;
  menu.closest(".vega-bind").parentElement.append(menu.closest(".vega-bind"));
  const view = figure.vegaView.view;
  if (lit !== null && hasSeed(figure, lit)) view.signal(LIT, lit).runAsync();
  view.addSignalListener(LIT, (name, seed) => {
    const here = lit !== null && hasSeed(figure, lit) ? lit : null;
    if (seed !== here) light(seed);
  });
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape" && lit !== null) light(null); });

// A button that moves a slider: `usermeta.play` of a chart names its signal, and the seconds from its start to its end.
function addPlayButton(figure, controls, view, play) {
  const slider = controls.querySelector(`input[name=${play.signal}]`);
  if (!slider) return;
  const [first, last, step] = ["min", "max", "step"].map((name) => Number(slider[name]));
  // Who asks for less motion sees one level after the other, and time to look at each.
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const stride = calm ? Math.max(1, step) : step;
  const pause = calm ? 1000 : (1000 * play.seconds * step) / (last - first);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "play";
  let timer = null;

  const stop = () => { clearInterval(timer); timer = null; say(); };
  const say = () => { button.textContent = timer === null ? "▶ Play" : "❚❚ Pause"; };
  const advance = () => {
    if (!button.isConnected) return stop();
    const next = Math.min(last, view.signal(play.signal) + stride);
    view.signal(play.signal, next).runAsync();
    if (next >= last) stop();
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (view.signal(play.signal) >= last) view.signal(play.signal, first).runAsync();
    timer = setInterval(advance, pause);
    say();
  });
  slider.addEventListener("input", () => { if (timer !== null) stop(); });
  say();
  slider.closest(".vega-bind").before(button);
}

// What a reader chose in menus and on sliders stays as it is when the chart is drawn anew.
function keepChoices(spec, view) {
  visit(spec, (part) => {
    for (const param of Array.isArray(part.params) ? part.params : []) {
      if (param.bind && !param.select) param.value = view.signal(param.name);
    }
  });
}

async function embed(stage, controls, spec) {
  stage.replaceChildren();
  controls.replaceChildren();
  return vegaEmbed(stage, structuredClone(spec), {...OPTIONS, bind: controls});
}

async function draw(figure) {
  const original = JSON.parse(figure.querySelector("script").textContent);
  if (figure.vegaView) keepChoices(original, figure.vegaView.view);
  const controls = figure.querySelector(".controls");
  const available = figure.querySelector(".drawing").clientWidth;
  const stage = document.createElement("div");
  stage.className = "drawing";
  stage.style.cssText = `position: absolute; visibility: hidden; width: ${available}px`;
  figure.append(stage);
  const excess = () => Math.ceil(stage.querySelector("svg").getBoundingClientRect().width - available);

  let spec = structuredClone(original);
  let result = await embed(stage, controls, spec);
  let rearranged = false;
  for (let attempt = 0; attempt < 5 && excess() > 0; attempt += 1) {
    const slightly = excess() < 0.25 * available;
    spec = slightly || rearranged ? capWidths(spec, excess()) : narrow(spec, available);
    rearranged = rearranged || !slightly;
    result.finalize();
    result = await embed(stage, controls, spec);
  }
  figure.vegaView?.finalize();
  figure.vegaView = result;
  figure.drawnWidth = available;
  figure.querySelector(".drawing").replaceWith(stage);
  stage.removeAttribute("style");
  stage.querySelectorAll("details > summary").forEach((menu) => menu.setAttribute("aria-label", "Save the chart"));
  stage.querySelectorAll("[role=graphics-symbol]:not([aria-label])").forEach((marks) => marks.setAttribute("aria-hidden", "true"));
  figure.dataset.state = "drawn";
  shareSeed(figure);
  if (original.usermeta?.play) addPlayButton(figure, controls, result.view, original.usermeta.play);
}

async function drawAll() {
  for (const figure of document.querySelectorAll("figure.book-chart")) {
    // One at a time, and a chart that fails leaves its drawing from the build in place.
    await draw(figure).catch((error) => { figure.dataset.state = "failed"; console.error(error); });
  }
}

let waiting;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    for (const figure of document.querySelectorAll("figure.book-chart[data-state=drawn]")) {
      if (Math.abs(figure.querySelector(".drawing").clientWidth - figure.drawnWidth) > 8) await draw(figure);
    }
  }, 250);
});
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", drawAll);
else drawAll();
