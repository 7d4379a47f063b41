"use strict";
// Tables that stand in a page as they are, sorted by a click on a heading; numbers by their size, also within words.
(() => {
  const { made } = window.comparatorElements;
  const order = new Intl.Collator(undefined, { numeric: true });
  const NUMBER = /^\s*([-−]?[\d,]*\.?\d+(?:e[-+]?\d+)?)(?=$|[\s\u00a0%[])/i; // what a cell begins with

  function numberOf(text) {
    const found = text.match(NUMBER);
    return found && Number(found[1].replaceAll(",", "").replace("−", "-"));
  }

  function sort(table, column, down) {
    const [head] = table.tHead.rows;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, text: row.cells[column].textContent.trim() }));
    const isNumeric = rows.every(({ text }) => !text || numberOf(text) !== null);
    rows.sort((a, b) => {
      if (!a.text || !b.text) return !a.text - !b.text; // empty ones come last
      const larger = isNumeric ? numberOf(a.text) - numberOf(b.text) : order.compare(a.text, b.text);
      return down ? -larger : larger;
    });
    body.append(...rows.map(({ row }) => row));
    [...head.cells].forEach((cell, place) => {
      cell.setAttribute("aria-sort", place === column ? (down ? "descending" : "ascending") : "none");
    });
  }

  for (const table of document.querySelectorAll("table[data-sorts]")) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = made("button", cell.textContent);
      button.type = "button";
      button.addEventListener("click", () => sort(table, column, cell.getAttribute("aria-sort") === "ascending"));
      cell.setAttribute("aria-sort", "none");
      cell.replaceChildren(button);
    });
  }
})();
