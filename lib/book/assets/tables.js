// Puts a search field above every table of class "filterable", and a menu for each column whose head asks for one.

function control(label, element) {
  const box = document.createElement("label");
  box.append(label + " ", element);
  return box;
}

function makeFilterable(table) {
  const rows = [...table.tBodies[0].rows];
  const bar = document.createElement("div");
  const count = document.createElement("output");
  const search = document.createElement("input");
  const menus = [];
  search.type = "search";
  bar.className = "controls";
  bar.append(control("Search", search));

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!("menu" in head.dataset)) return;
    const values = [...new Set(rows.map((row) => row.cells[column].textContent.trim()))];
    values.sort((one, other) => one.localeCompare(other, "en", {numeric: true}));
    const menu = document.createElement("select");
    menu.append(new Option("all", ""), ...values.filter(Boolean).map((value) => new Option(value)));
    menus.push([menu, column]);
    bar.append(control(head.textContent, menu));
  });
  bar.append(count);

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && menus.every(([menu, column]) =>
        !menu.value || row.cells[column].textContent.trim() === menu.value));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };
  bar.addEventListener("input", apply);
  apply();
  table.before(bar);
}

document.querySelectorAll("table.filterable").forEach(makeFilterable);
