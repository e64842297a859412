// What every page does for its reader: definitions at links to the glossary, names that screen readers can say, tables that
// the keyboard can scroll, and a scoreboard that opens with the filter that a link asks for.

// Definitions. A tip shows while the pointer or the focus is on the link or the tip, until Escape; a touch shows it instead
// of following the link, which the tip repeats.
function showDefinitions(definitions) {
  const tip = document.createElement("div");
  tip.id = "definition";
  tip.className = "definition";
  tip.setAttribute("role", "tooltip");
  tip.popover = "manual";
  document.body.append(tip);
  let current, timer;

  const known = (target) => {
    const link = target.closest?.("a[href*='glossary.html#term-']");
    const meant = link && definitions[decodeURIComponent(link.hash.slice(1))];
    return meant && !tip.contains(link) ? {link, ...meant} : undefined;
  };
  const hide = () => {
    clearTimeout(timer);
    current?.removeAttribute("aria-describedby");
    current = undefined;
    if (tip.matches(":popover-open")) tip.hidePopover();
  };
  const show = async ({link, term, definition}, touched) => {
    hide();
    current = link;
    tip.innerHTML = `<strong>${term}</strong>${definition}`;
    if (touched) {
      const more = Object.assign(document.createElement("a"), {href: link.href, textContent: "In the glossary"});
      tip.append(more);
    }
    link.setAttribute("aria-describedby", tip.id);
    tip.showPopover();
    await window.MathJax?.typesetPromise?.([tip]).catch(() => {});
    if (current === link) place(link);
  };
  const place = (link) => {  // below the link, above it where there is no room, and inside the window
    const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const below = at.bottom + 6 + tip.offsetHeight < window.innerHeight || at.top < tip.offsetHeight + 6;
    tip.style.left = `${window.scrollX + Math.max(8, Math.min(at.left, room))}px`;
    tip.style.top = `${window.scrollY + (below ? at.bottom + 6 : at.top - 6 - tip.offsetHeight)}px`;
  };
  const later = (act, wait) => { clearTimeout(timer); timer = setTimeout(act, wait); };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const meant = known(event.target);
    if (meant && meant.link !== current) later(() => show(meant), 150);
    else if (meant || tip.contains(event.target)) clearTimeout(timer);
    else if (current) later(hide, 250);
    else clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const meant = known(event.target);
    if (meant && event.target.matches(":focus-visible")) show(meant);
    else if (!tip.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const meant = known(event.target);
    if (meant && event.pointerType === "touch" && meant.link !== current) {
      event.preventDefault();
      show(meant, true);
    } else if (!tip.contains(event.target)) hide();
  }, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}

// A name that differs from the text in view helps nobody; a table that scrolls must be reachable.
function nameControls() {
  document.querySelectorAll("summary[aria-label], button[aria-label].search-button-field").forEach((one) => {
    if (one.textContent.trim()) one.removeAttribute("aria-label");
  });
  // Docutils puts links back to the text between the entries of what it calls a list.
  document.querySelectorAll("[role=list].citation-list").forEach((list) => list.removeAttribute("role"));
}

function letTablesScroll() {
  const scrollable = () => document.querySelectorAll(
    ".bd-article table, .bd-article pre, .bd-article .highlight, .bd-article mjx-container[display=true], figure.book-chart",
  ).forEach((one) => {
    const style = getComputedStyle(one);
    const scrolls = one.scrollWidth > one.clientWidth && ["auto", "scroll"].includes(style.overflowX);
    if (scrolls && !one.hasAttribute("tabindex")) { one.tabIndex = 0; one.dataset.scrolls = ""; }
    else if (!scrolls && "scrolls" in one.dataset) { one.removeAttribute("tabindex"); delete one.dataset.scrolls; }
  });
  scrollable();
  window.addEventListener("load", scrollable);
  window.addEventListener("resize", scrollable);
  document.addEventListener("toggle", scrollable, true);  // what was folded has a width now
}

// scoreboard.html#verdict=reproduced&scale=paper chooses in the menus of these names; #TR-C07 unfolds what holds that row.
function chooseByAddress() {
  const asked = decodeURIComponent(location.hash.slice(1));
  const row = asked && document.getElementById(asked);
  if (row) {
    for (let fold = row.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    row.scrollIntoView();
  } else if (asked.includes("=")) {
    for (const [name, value] of new URLSearchParams(asked)) {
      const label = [...document.querySelectorAll(".controls label")].find((one) => one.textContent.startsWith(name));
      const menu = label?.querySelector("select");
      if (menu && [...menu.options].some((option) => option.value === value)) {
        menu.value = value;
        menu.dispatchEvent(new Event("input", {bubbles: true}));
      }
    }
  }
}

document.addEventListener("readystatechange", () => {  // before deferred scripts make pictures of the icons
  if (document.readyState !== "interactive") return;
  document.querySelectorAll(".theme-switch-button [title]").forEach((icon) => icon.removeAttribute("title"));
});
document.addEventListener("DOMContentLoaded", () => {
  nameControls();
  letTablesScroll();
  if (window.definitions) showDefinitions(window.definitions);
});
if (location.pathname.endsWith("scoreboard.html")) {
  window.addEventListener("load", chooseByAddress);
  window.addEventListener("hashchange", chooseByAddress);
}
