/* Quizzes: a choice shows what it teaches. No network, nothing is stored. */
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.quiz")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => answer(event.target));
  }
});

function answer(choice) {
  const question = choice.closest(".quiz-question");
  const right = choice.dataset.right === "true";
  const feedback = question.querySelector(".quiz-feedback");
  feedback.textContent = (right ? "✓ " : "Not quite. ") + choice.dataset.says.replaceAll("*", "");
  question.dataset.answered = right ? "right" : "wrong";
}
