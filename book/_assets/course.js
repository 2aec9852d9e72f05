/* What the pages do by themselves: quizzes and a search in tables. No network, nothing is stored. */
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.quiz")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => answer(event.target));
  }
  for (const field of document.querySelectorAll("input[data-filters]")) {
    field.addEventListener("input", () => filter(field.value.toLowerCase(), field.dataset.filters));
  }
  for (const table of document.querySelectorAll(".bd-content table")) {
    table.tabIndex = 0; // it scrolls sideways, so the keyboard must reach it
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
