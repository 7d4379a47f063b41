"use strict";
// The marks of a figure by keys: arrows go from one to the next and have it say what a mouse would have it say, Enter
// picks what it stands for, Escape is silent again.
(() => {
  const drawing = window.comparatorFigures;
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  let at = null; // {chart, place} of the mark that speaks

  function stepped(chart, marks, step) {
    if (at?.chart !== chart) return step < 0 && step > -Infinity ? marks.length - 1 : Math.max(0, Math.min(step - 1, marks.length - 1));
    return Math.max(0, Math.min(at.place + step, marks.length - 1));
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { at = null; drawing.say(""); }
    const chart = event.target.closest?.(".chart[tabindex]");
    if (!chart || event.ctrlKey || event.metaKey || event.altKey) return;
    const isPick = event.key === "Enter" || event.key === " ";
    if (!isPick && !(event.key in STEPS)) return;
    const marks = drawing.marks(chart.closest("[data-figure]").dataset.figure);
    if (!marks.length || (isPick && at?.chart !== chart)) return;
    event.preventDefault();
    if (isPick) { drawing.click(marks[at.place]?.numbers); return; }
    at = { chart, place: stepped(chart, marks, STEPS[event.key]) };
    const { text, x, y } = marks[at.place];
    drawing.say(text, x, y);
  });

  document.addEventListener("focusout", (event) => {
    if (at?.chart === event.target) { at = null; drawing.say(""); }
  });
})();
