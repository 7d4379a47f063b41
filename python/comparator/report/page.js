"use strict";
// Tooltips for the figures' marks, a table that sorts and filters, and the links between the two.
(() => {
  const table = document.getElementById("table");
  const marks = [...document.querySelectorAll("[data-evaluations]")];
  const tip = document.getElementById("tip");

  function place(x, y) {
    const box = tip.getBoundingClientRect();
    const left = Math.min(x + 14, window.innerWidth - box.width - 8);
    const above = y - box.height - 12;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above < 8 ? y + 16 : above) + "px";
  }

  function say(mark, x, y) {
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    place(x, y);
  }

  const numbersOf = (mark) => mark.dataset.evaluations.split(" ").filter(Boolean);
  for (const mark of marks) {
    mark.addEventListener("pointermove", (event) => say(mark, event.clientX, event.clientY));
    mark.addEventListener("pointerleave", () => { tip.hidden = true; });
    mark.addEventListener("click", () => { if (numbersOf(mark).length) choose(numbersOf(mark), true); });
  }

  // Pictures that take turns: a choice holds for every figure that offers it.
  function turn(of, choice) {
    for (const one of document.querySelectorAll("[data-of]")) {
      if (one.dataset.of !== of) continue;
      if (one.dataset.choose) one.setAttribute("aria-pressed", String(one.dataset.choose === choice));
      else one.hidden = one.dataset.choice !== choice;
    }
  }
  const buttons = [...document.querySelectorAll("[data-choose]")];
  for (const button of buttons) button.addEventListener("click", () => turn(button.dataset.of, button.dataset.choose));
  for (const of of new Set(buttons.map((one) => one.dataset.of))) {
    turn(of, buttons.find((one) => one.dataset.of === of).dataset.choose);
  }
  if (!table) return;

  const body = table.tBodies[0];
  const rows = [...body.rows];
  const filter = document.getElementById("filter");
  const clear = document.getElementById("clear");
  let chosen = new Set();
  let only = false; // show the chosen rows alone

  function refresh() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const picked = chosen.has(row.dataset.evaluation);
      row.hidden = (only && !picked) || !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    for (const row of document.querySelectorAll("tr[data-evaluation]")) {
      row.classList.toggle("chosen", chosen.has(row.dataset.evaluation));
    }
    for (const mark of marks) mark.classList.toggle("chosen", numbersOf(mark).some((one) => chosen.has(one)));
    document.getElementById("shown").textContent = `${shown} of ${rows.length}`;
    clear.hidden = !chosen.size && !words.length;
  }

  function choose(numbers, fromFigure) {
    const again = numbers.length === chosen.size && numbers.every((one) => chosen.has(one));
    chosen = new Set(again ? [] : numbers);
    only = fromFigure && !again;
    refresh();
  }

  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-evaluation]");
    if (row && !event.target.closest("a")) choose([row.dataset.evaluation], false);
  });
  filter.addEventListener("input", refresh);
  clear.addEventListener("click", () => {
    chosen = new Set();
    only = false;
    filter.value = "";
    refresh();
  });

  function compare(one, other) {
    // An empty cell comes last in either direction.
    if (one === "" || other === "") return (one === "") - (other === "");
    const difference = Number(one) - Number(other);
    return Number.isNaN(difference) ? one.localeCompare(other) : difference;
  }

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.firstElementChild) return;
    head.firstElementChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const each of heads) if (each.hasAttribute("aria-sort")) each.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = (row) => row.cells[column].dataset.order;
      rows.sort((a, b) => {
        const result = compare(order(a), order(b));
        return down && order(a) !== "" && order(b) !== "" ? -result : result;
      });
      body.append(...rows);
    });
  });
})();
