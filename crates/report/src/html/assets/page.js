
// What the whole page does.

// Marks the part that is being read.
function followReading() {
  const links = new Map([...document.querySelectorAll(".contents a")]
    .map((link) => [document.getElementById(link.hash.slice(1)), link]));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    const current = [...links.keys()].find((part) => seen.has(part));
    for (const [part, link] of links) {
      if (part === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-10% 0px -70% 0px" });
  for (const part of links.keys()) if (part) observer.observe(part);
}

// What is folded away but belongs to the report is printed.
function printing() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.keep:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
  document.getElementById("print").addEventListener("click", () => print());
}

// Tables beside charts are prepared when they are opened, the questions when they come near.
function start() {
  document.getElementById("actions").hidden = false;
  themes();
  printing();
  followReading();
  for (const table of document.querySelectorAll("main table")) {
    const folded = table.closest("details.values");
    if (folded) folded.addEventListener("toggle", () => enhance(table), { once: true });
    else enhance(table);
  }
  const root = document.getElementById("question-browser");
  if (!root) return;
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    questionBrowser(root);
  }, { rootMargin: "600px" });
  near.observe(root);
}

start();
