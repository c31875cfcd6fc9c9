
// Sorting and filtering of tables.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
// Fewer rows than these are seen at a glance.
const FILTER_FROM = 10;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function sortKey(cell) {
  if (!cell) return null;
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const text = cell.textContent.trim();
  return text === "" || text === "–" ? null : text;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(String(a), String(b));
}

// One click sorts, the next turns the order around, the third brings back the first order.
function sortBy(table, heads, original, column) {
  const head = heads[column];
  const first = head.dataset.first || "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const now = head.getAttribute("aria-sort");
  const next = now === null ? first : now === first ? second : null;
  for (const other of heads) other.removeAttribute("aria-sort");
  if (next) head.setAttribute("aria-sort", next);
  const sign = next === "descending" ? -1 : 1;
  for (const [at, body] of [...table.tBodies].entries()) {
    if (!next) {
      body.append(...original[at]);
      continue;
    }
    const keyed = original[at].map((row) => [sortKey(row.cells[column]), row]);
    keyed.sort(([a], [b]) => {
      // What is not there stays at the end in either order.
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * compare(a, b);
    });
    body.append(...keyed.map(([, row]) => row));
  }
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const original = [...table.tBodies].map((body) => [...body.rows]);
  if (original.every((rows) => rows.length < 2)) return;
  heads.forEach((head, column) => {
    const button = element("button", { type: "button", className: "sort" }, ...head.childNodes);
    button.addEventListener("click", () => sortBy(table, heads, original, column));
    head.append(button);
  });
}

// Columns of words with few different ones, which are worth a choice.
function choices(table, rows) {
  return [...table.tHead.rows[0].cells].flatMap((head, column) => {
    if (head.classList.contains("num")) return [];
    const seen = new Set();
    for (const row of rows) {
      seen.add(row.cells[column]?.textContent ?? "");
      if (seen.size > 20) return [];
    }
    if (seen.size < 2 || seen.size > rows.length / 2) return [];
    return [{ column, title: head.textContent.trim(), values: [...seen].sort(collator.compare) }];
  });
}

function makeFilterable(table, place, from) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  if (rows.length < from) return;
  const words = rows.map((row) =>
    [...row.cells].filter((cell) => !cell.classList.contains("num"))
      .map((cell) => cell.textContent).join(" ").toLowerCase());
  const search = element("input", { type: "search", autocomplete: "off", spellcheck: false });
  const selects = choices(table, rows).map(({ column, title, values }) => {
    const select = element("select", {}, element("option", { value: "" }, "All"),
      ...values.map((value) => element("option", { value: "=" + value }, value)));
    return { column, title, select };
  });
  const count = element("output", { "aria-live": "polite" });
  const apply = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = wanted.every((word) => words[at].includes(word)) &&
        selects.every(({ column, select }) =>
          !select.value || "=" + row.cells[column]?.textContent === select.value);
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
  };
  const filters = element("div", { className: "filters", role: "group", "aria-label": "Filter rows" },
    element("label", {}, "Filter", search),
    ...selects.map(({ title, select }) => element("label", {}, title, select)),
    count);
  filters.addEventListener("input", apply);
  apply();
  place.before(filters);
}

// Says that columns lie beyond the right edge, until the last of them is in view.
function showWidth(place) {
  const sign = element("p", { className: "sideways", hidden: true, "aria-hidden": "true" },
    "More columns to the right →");
  place.before(sign);
  const update = () => {
    const beyond = place.scrollWidth - place.clientWidth;
    place.classList.toggle("more", beyond - place.scrollLeft > 1);
    // The line goes only with the width: the table must not jump while it is scrolled.
    sign.hidden = beyond <= 1;
    sign.style.visibility = place.scrollLeft >= beyond - 1 ? "hidden" : "";
  };
  place.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(place);
  update();
}

function enhance(table, from = FILTER_FROM) {
  const place = table.closest(".scroll");
  if (place) {
    makeFilterable(table, place, from);
    showWidth(place);
  }
  makeSortable(table);
}
