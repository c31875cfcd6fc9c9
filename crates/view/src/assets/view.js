
// What the live pages do.

const main = document.getElementById("main");

// How long ago a time was, in words.
function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (!Number.isFinite(seconds)) return time;
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

function tellAges() {
  for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = ago(time.dateTime);
}

// Sortable tables: those that are not replaced while they are read.
function prepare(root) {
  for (const table of root.querySelectorAll("table:not(.list):not(.probabilities)")) {
    const folded = table.closest("details.values");
    if (folded && !folded.open) folded.addEventListener("toggle", () => enhance(table), { once: true });
    else enhance(table);
  }
}

// Puts a part in place. What a reader has opened stays open, what is scrolled stays scrolled, and the
// focus stays where it is.
function replace(part, html) {
  if (part.dataset.shown === html) return;
  part.dataset.shown = html;
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  const scrolled = [...part.querySelectorAll(".scroll")].map((area) => [area.scrollLeft, area.scrollTop]);
  const links = [...part.querySelectorAll("a, button, input, [tabindex]")];
  const focused = links.indexOf(document.activeElement);
  part.innerHTML = html;
  part.querySelectorAll("details").forEach((details, at) => { details.open = open[at] ?? details.open; });
  part.querySelectorAll(".scroll").forEach((area, at) => {
    if (scrolled[at]) [area.scrollLeft, area.scrollTop] = scrolled[at];
  });
  if (focused >= 0) part.querySelectorAll("a, button, input, [tabindex]")[focused]?.focus({ preventScroll: true });
  tellAges();
}

// Follows a run until its last figures.
function follow(address) {
  const lost = document.getElementById("lost");
  const parts = new Map([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  const source = new EventSource(address);
  let ended = false;
  source.addEventListener("message", ({ data }) => {
    const { html, last, state } = JSON.parse(data);
    for (const [name, content] of Object.entries(html)) {
      // What was read before the run was lost stays.
      if (parts.has(name) && (content || state !== "lost")) replace(parts.get(name), content);
    }
    lost.hidden = true;
    main.dataset.state = state;
    if (!last) return;
    ended = true;
    source.close();
    lost.textContent = state === "finished"
      ? "The run has ended, and these are its figures. `sureness view` shows them again."
      : "The run has stopped. The same command goes on with it; `sureness view` shows what there is.";
    lost.hidden = false;
  });
  source.addEventListener("error", () => {
    if (ended) return;
    lost.textContent = "The connection is lost; trying again. What is below may be old.";
    lost.hidden = false;
    main.dataset.state = "lost";
  });
}

// Looks at the list of runs from time to time, while somebody may see it and has nothing chosen.
function watchList(address) {
  const part = document.querySelector("[data-part=list]");
  const look = async () => {
    if (document.hidden || part.querySelector("input:checked")) return;
    try {
      const answer = await fetch(address);
      if (!answer.ok) return;
      const html = await answer.text();
      if (html === part.dataset.shown) return;
      replace(part, html);
      part.dataset.shown = html;
      prepare(part);
      countChosen();
    } catch { /* The server is gone or busy; the list stays as it is. */ }
  };
  setInterval(look, 5000);
}

function countChosen() {
  const button = document.getElementById("compare");
  if (!button) return;
  const update = () => {
    const chosen = document.querySelectorAll(".list input:checked").length;
    button.disabled = chosen < 2 || chosen > 4;
    document.getElementById("chosen").textContent = chosen === 0 ? "Choose two to four." : `${chosen} chosen.`;
  };
  document.querySelector("form.runs").addEventListener("change", update);
  update();
}

// Opens the run as soon as there is one.
function wait(address) {
  const look = async () => {
    try {
      const answer = await fetch(address, { redirect: "manual" });
      if (answer.type === "opaqueredirect") location.replace(address);
    } catch { /* The server is gone or busy. */ }
  };
  setInterval(look, 1000);
}

document.getElementById("actions").hidden = false;
themes();
tellAges();
setInterval(tellAges, 5000);
const { events, list, wait: waiting } = main.dataset;
if (events) follow(events);
else prepare(main);
if (list) watchList(list);
if (waiting) wait(waiting);
countChosen();
