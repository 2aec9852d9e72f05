/* What the pages do by themselves: quizzes and a search in tables. No network, nothing is stored. */
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.quiz")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => answer(event.target));
  }
  for (const field of document.querySelectorAll("input[data-filters]")) {
    field.addEventListener("input", () => filter(field.value.toLowerCase(), field.dataset.filters));
  }
  mendButtons();
  document.querySelectorAll("details.choice").forEach(awaitChoice);
  reachWhatScrolls();
  addEventListener("resize", reachWhatScrolls);
  document.querySelectorAll("details").forEach((fold) => fold.addEventListener("toggle", reachWhatScrolls));
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

/* What the cells after a prediction found waits until a choice is opened, or until one asks for it. */
function awaitChoice(choice) {
  if (choice.nextElementSibling?.matches("details.choice")) {
    return; // the last choice speaks for all of its question
  }
  const [choices, outputs] = [[choice], []];
  while (choices[0].previousElementSibling?.matches("details.choice")) {
    choices.unshift(choices[0].previousElementSibling);
  }
  let after = choice.nextElementSibling;
  while (after && !after.matches(".cell, section, :is(h1, h2, h3)")) {
    after = after.nextElementSibling;
  }
  for (; after?.matches(".cell"); after = after.nextElementSibling) {
    outputs.push(...after.querySelectorAll(".cell_output"));
  }
  if (outputs.length === 0) {
    return;
  }
  const button = document.createElement("button");
  button.className = "show-result";
  button.textContent = "Show the result";
  const reveal = () => {
    outputs.forEach((output) => output.classList.remove("awaits"));
    button.remove();
    reachWhatScrolls();
  };
  outputs.forEach((output) => output.classList.add("awaits"));
  outputs[0].before(button);
  button.addEventListener("click", reveal);
  choices.forEach((one) => one.addEventListener("toggle", reveal, { once: true }));
}

/* Show the rows that hold the words, and open the folds that have any. */
function filter(words, group) {
  for (const fold of document.querySelectorAll(`.${group}`)) {
    let found = 0;
    for (const row of fold.querySelectorAll("tbody tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(words);
      found += !row.hidden;
    }
    fold.hidden = found === 0;
    fold.open = words !== "" && found > 0;
  }
}

/* What scrolls sideways must be reached by the keyboard; what does not is no stop on its way. */
function reachWhatScrolls() {
  for (const box of document.querySelectorAll(".bd-content :is(table, pre, .cell_output, .diagram, div.math)")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

/* A link to something in a fold opens the fold. */
function openTheWay() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
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
