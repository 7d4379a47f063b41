"use strict";
// What the scripts of all pages have in common.
(() => {
  // An element with its text and its class.
  function made(name, text, kind) {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  }

  // Makes a button copy the text of an element, and say so.
  async function copy(button, source) {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch { // not allowed here: marked, so that a key copies it
      getSelection().selectAllChildren(source);
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  // The words of a command, between which alone it breaks; those in quotes are one.
  function wordsApart(text) {
    const words = text.match(/(?:'[^']*'|"[^"]*"|\S)+/g) || [];
    return words.flatMap((word, place) => [...(place ? [" "] : []), made("span", word)]);
  }

  // A command with its button.
  function command(text) {
    const line = made("span", undefined, "command");
    const code = made("code");
    code.append(...wordsApart(text));
    const button = made("button", "Copy");
    button.type = "button";
    button.dataset.copy = "";
    line.append(code, button);
    return line;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(button, button.parentElement.querySelector("code"));
  });

  // Gives each cell of tables of many columns its heading, under which it stands on a narrow screen.
  function labelCells(page = document) {
    for (const table of page.querySelectorAll("table[data-cards]:not(.cards)")) {
      const headings = [...table.tHead.rows[0].cells].map((each) => each.textContent || each.ariaLabel || "");
      for (const row of table.tBodies[0].rows) {
        [...row.cells].forEach((cell, column) => {
          if (!cell.textContent.trim()) return;
          const value = made("span");
          value.append(...cell.childNodes);
          cell.append(value);
          cell.dataset.label = headings[column];
        });
      }
      table.classList.add("cards");
    }
  }

  // The next frame, or a little later: where nobody looks, and where a page is made into a picture, there are none.
  const frame = () => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 50);
  });

  // A moment in which nothing else is to be done, or a little later.
  const idle = () => new Promise((done) => {
    if (window.requestIdleCallback) requestIdleCallback(() => done(), { timeout: 400 });
    else setTimeout(done, 100);
  });

  window.comparatorElements = { made, command, wordsApart, labelCells, frame, idle };
})();
