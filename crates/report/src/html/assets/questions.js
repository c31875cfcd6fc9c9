
// The browser of questions.

const DIGITS = new Int8Array(128).fill(-1);
[..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"].forEach((digit, value) => {
  DIGITS[digit.charCodeAt(0)] = value;
});
// How many questions are listed at once.
const PAGE = 60;

const readData = (id) => JSON.parse(document.getElementById(id).textContent);

// The layout is described in pack.rs. Sets are BigInts, since there may be 64 options.
function unpack(task, packed, question) {
  const k = task.options;
  const set = Math.ceil(k / 6);
  let at = question * (1 + 2 * k + 2 * set);
  const number = (digits) => {
    let value = 0n;
    for (let i = 0; i < digits; i += 1) {
      const digit = DIGITS[packed.charCodeAt(at + i)];
      if (!(digit >= 0)) { at += digits; return null; }
      value = value * 64n + BigInt(digit);
    }
    at += digits;
    return value;
  };
  const top = number(1);
  if (top === null) return null;
  const probabilities = Array.from({ length: k }, () => {
    const p = number(2);
    return p === null ? null : Number(p) / 1000;
  });
  return { top: Number(top), probabilities, lac: number(set), aps: number(set) };
}

// The most probable option alone, or -1: what the list needs of every answer.
const topOf = (task, packed, question) =>
  DIGITS[packed.charCodeAt(question * (1 + 2 * task.options + 2 * Math.ceil(task.options / 6)))] ?? -1;

const members = (mask, k) => {
  const list = [];
  for (let i = 0; i < k; i += 1) if ((mask >> BigInt(i)) & 1n) list.push(i);
  return list;
};

// One index, or a list of several.
const isRight = (question, at) => [question.a].flat().includes(at);

const letter = (task, at) => task.letters[at] ?? String(at + 1);

// What the models made of each question, under one strategy.
function tally(task, strategy) {
  if (task.open) return tallyOpen(task, strategy);
  const answers = task.answers.filter((a) => a.s === strategy);
  return task.questions.map((question, at) => {
    const votes = new Array(task.options).fill(0);
    let answered = 0;
    for (const { d } of answers) {
      const top = topOf(task, d, at);
      if (top < 0) continue;
      votes[top] += 1;
      answered += 1;
    }
    const right = votes.reduce((sum, n, option) => sum + (isRight(question, option) ? n : 0), 0);
    return { votes, answered, right, share: answered ? right / answered : 0,
      agreement: answered ? Math.max(...votes) / answered : 0 };
  });
}

const ORDERS = [
  ["As listed", null],
  ["Fewest right first", (a, b) => a.share - b.share],
  ["Most right first", (a, b) => b.share - a.share],
  ["Most divided first", (a, b) => a.agreement - b.agreement],
];

function optionList(task, question, counts) {
  const list = element("ul", { className: "options" });
  for (let at = 0; at < task.options; at += 1) {
    const text = question.o?.[at];
    if (question.o && text === undefined) break;
    const right = isRight(question, at);
    const votes = element("span", { className: "votes" },
      `${counts.votes[at]} of ${counts.answered}`);
    votes.style.setProperty("--share", counts.answered ? counts.votes[at] / counts.answered : 0);
    list.append(element("li", { className: right ? "option right" : "option" },
      element("span", { className: "letter" }, letter(task, at)),
      element("span", { className: "text" }, text ?? "", right ? " ✓ right" : ""), votes));
  }
  return list;
}

function setCell(task, question, mask) {
  if (mask === null) return element("td", { title: "Set the threshold" }, "–");
  const list = members(mask, task.options);
  const cell = element("td", { "data-v": list.length });
  list.forEach((at, place) => {
    if (place) cell.append(" ");
    cell.append(isRight(question, at) ? element("b", {}, letter(task, at)) : letter(task, at));
  });
  return cell;
}

function answerRow(task, question, name, answer) {
  const head = element("th", { scope: "row" }, name);
  if (!answer) {
    const rest = Array.from({ length: task.options + 3 }, () => element("td", {}, "–"));
    return element("tr", {}, head, ...rest);
  }
  const right = isRight(question, answer.top);
  return element("tr", {}, head,
    element("td", { className: right ? "right" : "wrong" },
      `${letter(task, answer.top)} ${right ? "✓" : "✗"} `,
      element("span", { className: "unseen" }, right ? "right" : "wrong")),
    ...answer.probabilities.map((p) => {
      if (p === null) return element("td", { className: "num" }, "–");
      const cell = element("td", { className: "num p", "data-v": p }, (p * 100).toFixed(1));
      cell.style.setProperty("--p", p);
      return cell;
    }),
    setCell(task, question, answer.lac), setCell(task, question, answer.aps));
}

function answerTable(index, task, strategy, question, at) {
  const heads = ["Model", "Answer"].map((title) => element("th", { scope: "col" }, title));
  for (let k = 0; k < task.options; k += 1) {
    heads.push(element("th", { scope: "col", className: "num", "data-first": "descending" },
      letter(task, k) + (isRight(question, k) ? " ✓" : "")));
  }
  heads.push(...["LAC", "APS"].map((title) => element("th", { scope: "col" }, title)));
  const rows = task.answers.filter((a) => a.s === strategy).map((a) =>
    answerRow(task, question, index.models[a.m] ?? String(a.m + 1), unpack(task, a.d, at)));
  const table = element("table", { className: "probabilities", "aria-label": "Each model’s answer" },
    element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
  const frame = element("div", { className: "tabular" },
    element("p", { className: "caption" },
      "Probability of each option in percent, and the options in the prediction sets of LAC and APS."),
    element("div", { className: rows.length > 24 ? "scroll tall" : "scroll", role: "region", tabIndex: 0,
      "aria-label": "Each model’s answer" }, table));
  enhance(table, 20);
  return frame;
}

function passage(text) {
  const body = element("p", { className: "passage", dir: "auto" }, text);
  if (text.length <= 400) return body;
  return element("details", {}, element("summary", {}, "Context"), body);
}

function questionBrowser(root) {
  const index = readData("question-index");
  const tasks = [];
  const taskAt = (at) => (tasks[at] ??= readData(`question-task-${at}`));
  const state = { limit: PAGE, list: [], at: null, task: null, repeated: new Set(), counts: [] };

  const options = (select, texts, all) => {
    select.replaceChildren(...(all ? [element("option", { value: "" }, all)] : []),
      ...texts.map((text, value) => element("option", { value: String(value) }, text)));
    select.closest("label").hidden = texts.length < (all ? 1 : 2);
  };
  const field = (title, control) => element("label", {}, title, control);
  const select = () => element("select");
  const [task, strategy, category, tag, order] = [select(), select(), select(), select(), select()];
  const search = element("input", { type: "search", autocomplete: "off", spellcheck: false });
  const count = element("output", { "aria-live": "polite" });
  const picker = element("ul", { className: "picker", "aria-label": "Questions" });
  const shown = element("div", { className: "question" });
  root.append(
    element("div", { className: "filters", role: "search", "aria-label": "Filter questions" },
      field("Task", task), field("Strategy", strategy), field("Category", category),
      field("Noted as", tag), field("Order", order), field("Search", search), count),
    element("div", { className: "browse" }, picker, shown));
  options(task, index.tasks);
  options(strategy, index.strategies);
  options(order, ORDERS.map(([title]) => title));

  const show = (at) => {
    state.at = at;
    for (const button of picker.querySelectorAll("button[data-at]")) {
      const current = Number(button.dataset.at) === at;
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      button.tabIndex = current ? 0 : -1;
    }
    const question = state.task.questions[at];
    if (!question) {
      shown.replaceChildren(element("p", {}, "No question fits."));
      return;
    }
    const place = state.list.indexOf(at);
    const step = (title, to) => {
      const button = element("button", { type: "button", disabled: state.list[to] === undefined }, title);
      button.addEventListener("click", () => {
        if (to >= state.limit) { state.limit += PAGE; fill(); }
        show(state.list[to]);
        picker.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
        const again = shown.querySelectorAll(".steps button")[title === "Previous" ? 0 : 1];
        again.focus();
      });
      return button;
    };
    const about = element("p", { className: "about" },
      element("bdi", {}, state.task.categories[question.c] ?? ""),
      ...(question.t ?? []).map((t) => element("span", { className: "tag" }, state.task.tags[t])));
    shown.replaceChildren(
      element("header", {}, element("h3", {}, element("bdi", {}, question.i)),
        element("div", { className: "steps" }, step("Previous", place - 1), step("Next", place + 1))),
      about,
      ...(question.x ? [passage(question.x)] : []),
      ...(question.s === undefined ? [] : [element("p", { className: "stem", dir: "auto" }, question.s)]),
      ...(state.task.open ? [acceptedList(question)] : [
        optionList(state.task, question, state.counts[at]),
        answerTable(index, state.task, Number(strategy.value), question, at)]),
      ...wordsOf(index, state.task, Number(strategy.value), at));
  };

  // Where many questions ask the same of other passages, the passage tells them apart.
  const preview = (question) => {
    const stem = question.s ?? "";
    return (state.repeated.has(stem) && question.x ? question.x : stem).slice(0, 160);
  };

  const entry = (at) => {
    const question = state.task.questions[at];
    const counts = state.counts[at];
    const button = element("button", { type: "button", tabIndex: -1, "data-at": at },
      element("span", { className: "about" }, element("span", {}, question.i),
        element("span", {}, `${counts.right} of ${counts.answered} right`)),
      element("span", { className: "what", dir: "auto" }, preview(question)));
    button.addEventListener("click", () => {
      show(at);
      // On a narrow screen the question is below the list, out of sight.
      if (shown.offsetTop >= picker.offsetTop + picker.offsetHeight) shown.scrollIntoView();
    });
    return element("li", {}, button);
  };

  const fill = () => {
    picker.replaceChildren(...state.list.slice(0, state.limit).map(entry));
    if (state.list.length > state.limit) {
      const more = element("button", { type: "button", className: "more" }, "Show more");
      more.addEventListener("click", () => {
        const from = state.limit;
        state.limit += PAGE;
        fill();
        show(state.at);
        picker.querySelectorAll("button")[from]?.focus();
      });
      picker.append(element("li", {}, more));
    }
    count.textContent = state.list.length === state.task.questions.length
      ? `${state.list.length} questions`
      : `${state.list.length} of ${state.task.questions.length} questions`;
  };

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (question) => {
      if (category.value && question.c !== Number(category.value)) return false;
      if (tag.value && !question.t?.includes(Number(tag.value))) return false;
      if (!words.length) return true;
      const text = [question.i, question.s, question.x, ...(question.o ?? []), ...(question.k ?? [])].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    state.list = [...state.task.questions.keys()].filter((at) => fits(state.task.questions[at]));
    const by = ORDERS[Number(order.value)][1];
    if (by) state.list.sort((a, b) => by(state.counts[a], state.counts[b]));
    state.limit = PAGE;
    fill();
    show(state.list[0]);
  };

  const recount = () => { state.counts = tally(state.task, Number(strategy.value)); };
  const enter = () => {
    state.task = taskAt(Number(task.value));
    const stems = new Set();
    state.repeated = new Set();
    for (const { s } of state.task.questions) {
      if (stems.has(s)) state.repeated.add(s);
      stems.add(s);
    }
    options(category, state.task.categories, "All");
    options(tag, state.task.tags, "Anything");
    recount();
    apply();
  };

  task.addEventListener("input", enter);
  strategy.addEventListener("input", () => { recount(); apply(); });
  for (const control of [category, tag, order, search]) control.addEventListener("input", apply);
  picker.addEventListener("keydown", (event) => {
    const buttons = [...picker.querySelectorAll("button")];
    const now = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
    const next = to === undefined ? undefined : buttons[to];
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (next.dataset.at) show(Number(next.dataset.at));
  });
  enter();
}
