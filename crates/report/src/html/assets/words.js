
// Answers in words: what was asked, what was answered, how it was read.

// Answers that are shown without being asked for.
const FEW = 3;

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// What the models made of each open question: right is the most frequent answer, if it is accepted.
function tallyOpen(task, strategy) {
  return task.questions.map((_, at) => {
    const found = task.words.filter((w) => w.s === strategy).map((w) => w.q[at]).filter(Boolean);
    const tops = found.map((q) => q.g?.[0]).filter(Boolean);
    const right = tops.filter(([, , , accepted]) => accepted).length;
    const shares = tops.reduce((sum, [, , share]) => sum + share, 0);
    return { votes: [], answered: found.length, right, share: found.length ? right / found.length : 0,
      agreement: tops.length ? shares / tops.length : 0 };
  });
}

function acceptedList(question) {
  const list = (question.k ?? []).flatMap((text, at) =>
    [at ? ", " : "", element("bdi", { className: "right" }, text)]);
  return element("p", { className: "accepted" }, "Accepted: ", ...list);
}

function meaningTable(words) {
  const rows = words.g.map(([text, count, share, accepted], at) => {
    const held = words.h === null ? "–" : at < words.h ? "in" : "";
    const bar = element("td", { className: "num p", "data-v": share }, (share * 100).toFixed(1));
    bar.style.setProperty("--p", share);
    return element("tr", {},
      element("th", { scope: "row", dir: "auto", className: accepted ? "said right" : "said" }, text,
        accepted ? " ✓" : "", accepted ? element("span", { className: "unseen" }, " accepted") : ""),
      element("td", { className: "num" }, String(count)), bar, element("td", {}, held));
  });
  if (words.f) rows.push(element("tr", {}, element("td", { colSpan: 4 }, `and ${plural(words.f, "further meaning")}`)));
  const heads = [["Meaning", ""], ["Answers", "num"], ["Share", "num"], ["Set", ""]];
  return element("table", { className: "probabilities meanings", "aria-label": "Meanings of the answers" },
    element("thead", {}, element("tr", {}, ...heads.map(([title, className]) =>
      element("th", { scope: "col", className }, title)))),
    element("tbody", {}, ...rows));
}

function answerItem([reading, count, text, thought]) {
  return element("li", {},
    element("p", { className: "about" },
      element("span", {}, "read as ", element("bdi", {}, reading)),
      count > 1 ? element("span", {}, `${count} times`) : ""),
    ...(thought ? [element("details", {}, element("summary", {}, "Thought"),
      element("p", { className: "passage", dir: "auto" }, thought))] : []),
    element("p", { className: "said", dir: "auto" }, text === "" ? "(nothing)" : text));
}

function answerList(words) {
  const list = (answers) => element("ul", { className: "answers" }, ...answers.map(answerItem));
  const parts = [list(words.a.slice(0, FEW))];
  const rest = words.a.slice(FEW);
  if (rest.length) {
    parts.push(element("details", {},
      element("summary", {}, plural(rest.length, "further different answer")), list(rest)));
  }
  if (words.b) parts.push(element("p", { className: "about" }, `${plural(words.b, "answer")} not on this page`));
  return parts;
}

function promptOf(task, words) {
  if (!words.p) return [];
  const [prefix, prompt] = words.p.map((at) => task.texts[at]);
  return [element("details", {}, element("summary", {}, "Prompt"),
    element("pre", { className: "prompt", dir: "auto", tabIndex: 0 },
      prefix ? element("span", { className: "shared" }, prefix) : "", prompt))];
}

// A part per model that answered in words.
function wordsOf(index, task, strategy, at) {
  const found = task.words.filter((words) => words.s === strategy && words.q[at]);
  return found.map((of) => {
    const words = of.q[at];
    const entropy = words.e === undefined ? [] :
      [element("p", { className: "about" }, `Semantic entropy ${words.e.toFixed(2)} nats`)];
    return element("div", { className: "words" },
      element("h4", {}, element("bdi", {}, index.models[of.m] ?? String(of.m + 1))),
      ...(words.g ? [element("div", { className: "scroll" }, meaningTable(words))] : []),
      ...entropy, ...answerList(words), ...promptOf(task, words));
  });
}
