// Arrow keys, space, a click on either half, Home and End turn the page; n shows what the chapter says.
"use strict";
const slides = [...document.querySelectorAll(".slide")];
let now = 0;

function show(number) {
  now = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  history.replaceState(null, "", "#" + (now + 1));
}

const KEYS = {
  ArrowRight: () => show(now + 1), PageDown: () => show(now + 1), " ": () => show(now + 1),
  ArrowLeft: () => show(now - 1), PageUp: () => show(now - 1),
  Home: () => show(0), End: () => show(slides.length - 1),
  n: () => document.body.classList.toggle("with-notes"),
};

addEventListener("keydown", (event) => {
  const turn = KEYS[event.key];
  if (turn && !event.ctrlKey && !event.metaKey) { turn(); event.preventDefault(); }
});
addEventListener("click", (event) => {
  if (!event.target.closest("a, summary, .notes")) show(now + (event.clientX < innerWidth / 3 ? -1 : 1));
});
show((parseInt(location.hash.slice(1), 10) || 1) - 1);
