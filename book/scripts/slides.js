// Arrow keys, space, a click on either half, Home and End turn the page; n shows what the chapter says.
"use strict";
const slides = [...document.querySelectorAll(".slide")];
let now = 0;

function show(number) {
  now = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, i) => slide.classList.toggle("now", i === now));
  history.replaceState(null, "", "#" + (now + 1));
  [...slides[now].querySelectorAll("table.result, .said, .words"), slides[now]].forEach(shrink);
  slides[now].querySelectorAll("img[data-film]").forEach(fit);
}

/* Letters are counted where slides are made; where the reader's are wider, or the screen is narrower, words and
   tables shrink until they fit. */
function shrink(part) {
  const slide = part.closest(".slide");
  part.dataset.size ??= part.style.fontSize; // as it was made
  part.style.fontSize = part.dataset.size;
  let size = parseFloat(getComputedStyle(part).fontSize);
  while ((slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth) && size > 9) {
    size *= 0.95;
    part.style.fontSize = `${size}px`;
  }
}

/* A film's pixel becomes a whole number of the screen's pixels, unless that would leave the figure much smaller
   than its room: then the browser scales it, as it scales charts. */
const ENOUGH = 0.8; // of the size that would fill the room
function fit(image) {
  const [room, film] = [image.parentElement, Number(image.dataset.film)];
  const fills = Math.min(room.clientWidth / image.naturalWidth, room.clientHeight / image.naturalHeight);
  const scale = Math.floor(fills * devicePixelRatio * film) / film / devicePixelRatio;
  const whole = scale >= ENOUGH * fills;
  image.classList.toggle("whole", whole);
  image.style.width = whole ? `${image.naturalWidth * scale}px` : "";
  image.style.height = whole ? `${image.naturalHeight * scale}px` : "";
}

const KEYS = {
  ArrowRight: () => show(now + 1), PageDown: () => show(now + 1), " ": () => show(now + 1),
  ArrowLeft: () => show(now - 1), PageUp: () => show(now - 1),
  Home: () => show(0), End: () => show(slides.length - 1),
  n: () => { document.body.classList.toggle("with-notes"); show(now); },
};

addEventListener("keydown", (event) => {
  const turn = KEYS[event.key];
  if (turn && !event.ctrlKey && !event.metaKey) { turn(); event.preventDefault(); }
});
addEventListener("click", (event) => {
  if (!event.target.closest("a, summary, .notes")) show(now + (event.clientX < innerWidth / 3 ? -1 : 1));
});
addEventListener("resize", () => show(now));
addEventListener("load", () => show(now)); // now the figures know their sizes
addEventListener("beforeprint", () => document.querySelectorAll("img.whole").forEach((image) => {
  image.classList.remove("whole");
  image.removeAttribute("style");
}));
show((parseInt(location.hash.slice(1), 10) || 1) - 1);
