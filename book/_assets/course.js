/* What the pages do by themselves: quizzes and a search in tables. No network, nothing is stored. */
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.quiz")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => answer(event.target));
  }
  for (const field of document.querySelectorAll("input[data-filters]")) {
    field.addEventListener("input", () => {
      const found = filter(field.value.trim().toLowerCase(), field.dataset.filters);
      const told = field.parentElement.parentElement.querySelector(".filter-found");
      const says = found === 0 ? "Nothing found: try fewer letters." : `${found} found`;
      told.textContent = field.value.trim() === "" ? "" : says;
    });
  }
  mendButtons();
  document.querySelectorAll("details.choice").forEach(frame);
  reachWhatScrolls();
  addEventListener("resize", reachWhatScrolls);
  document.querySelectorAll("details").forEach((fold) => fold.addEventListener("toggle", reachWhatScrolls));
  nameTerms();
  openTheWay();
  addEventListener("hashchange", openTheWay);
  addEventListener("beforeprint", () => openFolds(true));
  addEventListener("afterprint", () => openFolds(false));
  if (location.protocol === "file:") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // it would load each page found, which a disc refuses
  }
});

/* A choice shows what it teaches. */
function answer(choice) {
  const question = choice.closest(".quiz-question");
  const right = choice.dataset.right === "true";
  const feedback = question.querySelector(".quiz-feedback");
  feedback.textContent = (right ? "✓ " : "Not quite. ") + choice.dataset.says.replaceAll("*", "");
  question.dataset.answered = right ? "right" : "wrong";
}

/* The choices of a question in a box of their own: a prediction is no fold of code. */
function frame(choice) {
  if (choice.previousElementSibling?.matches("details.choice")) {
    return; // the first choice speaks for all of its question
  }
  const choices = [choice];
  while (choices.at(-1).nextElementSibling?.matches("details.choice")) {
    choices.push(choices.at(-1).nextElementSibling);
  }
  const box = make("div", "prediction");
  const title = box.appendChild(make("p", "prediction-title", "What do you predict?"));
  title.id = `prediction-${document.querySelectorAll(".prediction").length + 1}`;
  box.setAttribute("role", "group");
  box.setAttribute("aria-labelledby", title.id);
  choice.before(box);
  box.append(...choices);
  const decided = choices.some((one) => RIGHT.test(said(one)));
  choices.forEach((one) => one.addEventListener("toggle", () => mark(one, decided), { once: true }));
  awaitChoice(box, choices);
}

/* How the text of the right choice begins. Where no text does, the run decides, and the choices say what then. */
const RIGHT = /^Right[.:,]/, NOT_WRONG = /^(Half right|Right)/, WRONG = /^Not quite/;
const said = (choice) => {
  const text = [...choice.childNodes].filter((node) => node.localName !== "summary").map((node) => node.textContent);
  return text.join("").trim();
};

/* An opened choice is ticked or crossed, in words too. */
function mark(choice, decided) {
  const text = said(choice);
  const wrong = WRONG.test(text) || (decided && !NOT_WRONG.test(text));
  choice.dataset.found = RIGHT.test(text) ? "right" : wrong ? "wrong" : "open";
  const words = { right: "right", wrong: "not this one", open: "the result decides" }[choice.dataset.found];
  choice.querySelector("summary").append(make("span", "visually-hidden", ` (${words})`));
}

const NEXT_TOPIC = "section, h1, h2, h3, details.choice, .prediction";
const reveals = new WeakMap(); // what waits: how to show it

/* What comes after a prediction, up to the next heading or question, waits until a choice is opened or one asks
 * for it. Code is shown: from there on what it found, and what is said of it, is not. */
function awaitChoice(box, choices) {
  let after = box.nextElementSibling;
  while (after && !after.matches(`.cell, ${NEXT_TOPIC}`)) {
    after = after.nextElementSibling; // what is still to be said before the code
  }
  const waiting = [];
  for (; after && !after.matches(NEXT_TOPIC); after = after.nextElementSibling) {
    if (after.nextElementSibling?.matches("details.choice, .prediction")) {
      break; // the next question
    }
    waiting.push(...(after.matches(".cell") ? after.querySelectorAll(".cell_output") : [after]));
  }
  if (waiting.length === 0) {
    return;
  }
  const notice = make("div", "awaited");
  notice.append(make("p", "", "The result, and what is said of it, waits for your prediction."));
  const button = notice.appendChild(make("button", "show-result", "Show the result"));
  const reveal = () => {
    waiting.forEach((one) => one.classList.remove("awaits"));
    notice.remove();
    reachWhatScrolls();
  };
  for (const one of waiting) {
    one.classList.add("awaits");
    reveals.set(one, reveal);
  }
  waiting[0].before(notice);
  button.addEventListener("click", reveal);
  choices.forEach((one) => one.addEventListener("toggle", reveal, { once: true }));
}

function make(tag, className, textContent = "") {
  return Object.assign(document.createElement(tag), { className, textContent });
}

/* Show the rows that hold the words, and open the folds that have any. Returns how many rows are shown. */
function filter(words, group) {
  let shown = 0;
  for (const fold of document.querySelectorAll(`.${group}`)) {
    let found = 0;
    for (const row of fold.querySelectorAll("tbody tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(words);
      found += !row.hidden;
    }
    fold.hidden = found === 0;
    fold.open = words !== "" && found > 0;
    shown += found;
  }
  return shown;
}

/* The search names the term that it found in the glossary, not the glossary alone: "Glossary > Mode collapse". The
 * index has terms in small letters, the place on the page has their capitals. */
function nameTerms() {
  if (typeof Search === "undefined") {
    return; // this is not the page of the search
  }
  const perform = Search._performSearch;
  Search._performSearch = (...query) => perform(...query).map(([page, title, place, ...rest]) => {
    const entries = Object.entries(Search._index.indexentries);
    const [term] = entries.find(([, places]) => places.some(([, id]) => place === `#${id}`)) || [];
    const letters = place.replace("#term-", "");
    const name = term && [...term].map((letter, k) => (/[a-z]/.test(letter) && letters[k]) || letter).join("");
    return [page, name ? `${title} > ${name}` : title, place, ...rest];
  });
}

/* What scrolls sideways must be reached by the keyboard; what does not is no stop on its way. */
function reachWhatScrolls() {
  for (const box of document.querySelectorAll(".bd-content :is(table, pre, figure, .cell_output, .diagram, div.math)")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

/* A link to something in a fold opens the fold; one to what waits for a prediction, or to a live figure's setting
 * (#game.step=100), shows it. */
function openTheWay() {
  const name = decodeURIComponent(location.hash.slice(1)), [figure, setting] = name.split(".");
  const target = document.getElementById(name) ||
    (setting && document.querySelector(`.live-figure[data-figure="${CSS.escape(figure)}"]`));
  reveals.get(target?.closest(".awaits"))?.();
  for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.open = true;
  }
  if (target?.closest("details")) {
    target.scrollIntoView();
  }
}

/* On paper nothing can be opened: exercises and folded sections are there, with the code of their cells; what was
   closed is closed again afterwards. */
function openFolds(printing) {
  for (const fold of document.querySelectorAll("details.fold")) {
    if (printing && !fold.open) {
      fold.open = fold.dataset.printed = true;
    } else if (!printing && fold.dataset.printed) {
      fold.open = false;
      delete fold.dataset.printed;
    }
  }
}

/* The theme's buttons: their names shall be the words on them, and pressing one shall not lose the focus. */
function mendButtons() {
  document.querySelector(".search-button-field")?.removeAttribute("aria-label");
  for (const button of document.querySelectorAll(".theme-switch-button")) {
    button.querySelectorAll("[title]").forEach((icon) => icon.removeAttribute("title"));
    button.addEventListener("click", () => setTimeout(() => button.focus()));
  }
}
