"use strict";
// The table of a page's evaluations, what is picked of them, and the links between the two and the figures.
//
// Evaluations are picked by a click on a mark or a row, by conditions (a frame on any figure is one for each axis that it
// has; all hold at once), and by words. Table and figures show the same. All of it stands in the address (#view?...), so
// that a view can be sent. A page that is served hands over new results by window.comparatorPage.
(() => {
  const { made, labelCells, frame, idle } = window.comparatorElements;
  const drawing = window.comparatorFigures;
  const PRINTED = 1000; // rows
  const HIGH = 544; // pixels of the table at most; one of few rows is lower until it has more
  const LONG = 20; // characters of a cell; more may be cut
  const order = new Intl.Collator(undefined, { numeric: true });

  let chosen = new Set(); // numbers of evaluations
  let only = false; // show the chosen rows alone
  const where = new Map(); // by the name of a column: {from, to} or {values}
  let words = "";
  let sorted = null; // {column, down}
  const choices = new Map(); // what is chosen of each set of choices

  // -- pictures that take turns: a choice holds for every figure that offers it -----------------------------

  function turn(of, choice) {
    for (const one of document.querySelectorAll("[data-of]")) {
      if (one.dataset.of !== of) continue;
      if (one.dataset.choose !== undefined) one.setAttribute("aria-pressed", String(one.dataset.choose === choice));
      else one.hidden = one.dataset.choice !== choice;
    }
  }

  function takeTurns() {
    for (const button of document.querySelectorAll("[data-choose]")) {
      const { of, choose: choice } = button.dataset;
      if (!choices.has(of)) choices.set(of, choice);
    }
    for (const [of, choice] of choices) turn(of, choice);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.choose !== undefined) {
      choices.set(button.dataset.of, button.dataset.choose);
      turn(button.dataset.of, button.dataset.choose);
      drawing.show(where);
      remember();
    } else if (button?.dataset.save) {
      event.preventDefault();
      drawing.save(button.closest("[data-figure]"), button.dataset.save);
    } else if (!event.target.closest("a, button")) {
      const row = event.target.closest("tr[data-evaluation]");
      if (row) choose([Number(row.dataset.evaluation)], false);
    }
  });

  // -- the table: only the rows in view are in the page, so that thousands are no burden ---------------------

  const box = document.getElementById("box");
  const table = document.getElementById("table");
  const filter = document.getElementById("filter");
  const clear = document.getElementById("clear");
  let columns = [];
  let shares = []; // the columns of fractions that are read in per cent
  let axes = []; // the hyperparameters, in the form that is handed over
  let rows = []; // {number, status, cells, logs, reason, text}
  let listed = []; // those that are shown, in their order
  let height = 30;
  let from = -1;
  let to = -1;
  let prints = false;

  const perCent = (number) => `${Number((100 * number).toPrecision(4))}\u00a0%`; // the two are never broken apart
  const isShare = (name) => shares.includes(name);
  const written = (cell, column) => (cell === null ? "" : typeof cell === "number" && isShare(columns[column]) ? perCent(cell) : String(cell));
  const readRow = ([number, status, cells, logs, reason]) => ({ number, status, cells, logs, reason, text: null });

  function textOf(row) {
    row.text ??= [...row.cells.map(written), ...row.logs.map(([name]) => name), row.reason || ""].join(" ").toLowerCase().replaceAll("\u00a0", " ");
    return row.text;
  }

  // Characters of a column for its heading, which may take several lines, and for the mark of sorting.
  const headingWidth = (name) =>
    1 + Math.max(Math.min(name.length, 14), ...name.split(/\s+/).map((word) => word.length));

  function take(content) {
    const again = content && columns.join("\n") === content.columns.join("\n");
    columns = content?.columns || [];
    shares = content?.shares || [];
    axes = content?.axes || [];
    rows = (content?.rows || []).map(readRow);
    knowAxes();
    if (!table || again) return;
    const widths = columns.map((name, column) =>
      Math.min(26, 3 + rows.reduce((most, row) => Math.max(most, written(row.cells[column], column).length), headingWidth(name))));
    const group = made("colgroup");
    const last = Math.min(90, rows.reduce((most, row) =>
      Math.max(most, 3 + row.logs.reduce((sum, [name]) => sum + name.length + 1, 0)), 30)); // no log is cut off
    for (const width of [...widths, last]) {
      const col = made("col");
      col.style.width = width + "ch";
      group.append(col);
    }
    const head = made("tr");
    columns.forEach((name, column) => {
      const cell = made("th");
      cell.scope = "col";
      cell.setAttribute("aria-sort", "none");
      const button = made("button");
      button.append(...name.split(/(?<=_)/).flatMap((part) => [part, made("wbr")])); // where it may break
      button.type = "button";
      button.title = name;
      button.addEventListener("click", () => {
        sorted = { column, down: sorted?.column === column && !sorted.down };
        refresh();
      });
      cell.append(button);
      head.append(cell);
    });
    const logs = made("th", "logs, and why it failed");
    logs.scope = "col";
    head.append(logs);
    table.querySelector("colgroup")?.remove();
    table.prepend(group);
    table.tHead.replaceChildren(head);
    table.style.width = widths.reduce((sum, width) => sum + width, last) + "ch";
    offerColumns();
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return order.compare(written(one), written(other));
  }

  const holds = (value, side) => (side.values ? side.values.includes(value)
    : typeof value === "number" && value >= side.from && value <= side.to);

  // Whether a row is picked by the conditions, and by clicks where these leave the others out.
  function isPicked() {
    const sides = [...where].map(([name, side]) => [columns.indexOf(name), side]).filter(([column]) => column >= 0);
    return (row) => (!only || chosen.has(row.number)) && sides.every(([column, side]) => holds(row.cells[column], side));
  }

  function list() {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const picks = isPicked();
    listed = rows.filter((row) => picks(row) && wanted.every((word) => textOf(row).includes(word)));
    if (sorted) {
      const { column, down } = sorted;
      listed.sort((a, b) => {
        const [one, other] = [a.cells[column], b.cells[column]];
        if (one === null || other === null) return (one === null) - (other === null); // empty ones come last
        return down ? compare(other, one) : compare(one, other);
      });
    }
  }

  function rowOf(row, place) {
    const line = made("tr");
    line.dataset.evaluation = row.number;
    line.tabIndex = -1;
    line.setAttribute("aria-rowindex", place + 2);
    if (row.status !== "ok") line.classList.add("failed");
    if (chosen.has(row.number)) line.classList.add("chosen");
    row.cells.forEach((cell, column) => {
      const one = line.insertCell();
      const text = written(cell, column);
      one.textContent = text;
      if (text.length > LONG) {
        one.title = text;
        one.className = "long";
      }
    });
    const last = line.insertCell();
    last.className = "long";
    for (const [name, address] of row.logs) {
      const link = made("a", name);
      link.href = address;
      last.append(link, " ");
    }
    if (row.reason) {
      last.append(row.reason);
      last.title = row.reason;
    }
    return line;
  }

  function space() {
    const line = made("tr", undefined, "space");
    line.setAttribute("aria-hidden", "true");
    line.insertCell();
    return line;
  }
  const [above, below] = [space(), space()]; // as high as the rows that are not in the page

  function spread(line, count) {
    line.hidden = !count;
    line.cells[0].colSpan = columns.length + 1;
    line.cells[0].style.height = count * height + "px";
  }

  function fill(again) {
    if (!table) return;
    const first = prints ? 0 : Math.max(0, Math.floor(box.scrollTop / height) - 2);
    const end = prints ? Math.min(listed.length, PRINTED)
      : Math.min(listed.length, Math.ceil((box.scrollTop + HIGH) / height) + 2);
    if (!again && first >= from && end <= to) return;
    [from, to] = prints ? [first, end] : [Math.max(0, first - 6), Math.min(listed.length, end + 6)];
    const body = table.tBodies[0];
    const focused = document.activeElement?.closest("#table tr[data-evaluation]")?.dataset.evaluation;
    if (again) body.replaceChildren(above, below);
    spread(above, from);
    spread(below, prints ? 0 : listed.length - to);
    // Rows that stay are left where they are: one that is put in again is laid out again.
    const wanted = listed.slice(from, to);
    const numbers = new Set(wanted.map((row) => row.number));
    const lines = new Map();
    for (const line of body.querySelectorAll("tr[data-evaluation]")) {
      const number = Number(line.dataset.evaluation);
      if (numbers.has(number)) lines.set(number, line); else line.remove();
    }
    let at = above.nextSibling;
    wanted.forEach((row, place) => {
      const line = lines.get(row.number) || rowOf(row, from + place);
      if (line === at) at = at.nextSibling; else body.insertBefore(line, at);
    });
    if (focused) body.querySelector(`tr[data-evaluation="${focused}"]`)?.focus({ preventScroll: true });
    table.setAttribute("aria-rowcount", listed.length + 1);
  }

  // What is picked is seen first, then in the table, which takes as long again.
  let refills = false;
  function refill() {
    if (refills) return;
    refills = true;
    frame().then(refillNow);
  }

  function refillNow() {
    if (!refills) return;
    refills = false;
    fill(true);
    for (const row of document.querySelectorAll("tr[data-evaluation]")) {
      row.classList.toggle("chosen", chosen.has(Number(row.dataset.evaluation)));
    }
  }

  // Makes all show what is picked and sorted.
  function refresh() {
    list();
    const isAll = !words.trim() && !only && !where.size;
    drawing.pick(isAll ? (chosen.size ? chosen : null) : new Set(listed.map((row) => row.number)));
    drawing.show(where);
    if (table) {
      [...table.tHead.rows[0]?.cells || []].forEach((head, column) => {
        if (head.hasAttribute("aria-sort")) {
          head.setAttribute("aria-sort", sorted?.column === column ? (sorted.down ? "descending" : "ascending") : "none");
        }
      });
      document.getElementById("shown").textContent = `${listed.length} of ${rows.length}`;
      clear.hidden = isAll && !chosen.size;
    }
    refill();
    showConditions();
    remember();
  }

  // While a frame is drawn only what can be seen of it follows it.
  function follow() {
    list();
    drawing.pick(new Set(listed.map((row) => row.number)));
    drawing.show(where);
    if (counted) counted.textContent = `${listed.length} of ${rows.length}`;
  }

  function set(numbers, alone) {
    chosen = new Set(numbers);
    only = alone && chosen.size > 0;
    refresh();
  }

  function choose(numbers, fromFigure) {
    const again = numbers.length === chosen.size && numbers.every((one) => chosen.has(one));
    set(again ? [] : numbers, fromFigure && !again);
  }

  function showAll() {
    words = "";
    if (filter) filter.value = "";
    where.clear();
    set([], false);
  }

  if (table) {
    filter.addEventListener("input", () => { words = filter.value; box.scrollTop = 0; refresh(); });
    clear.addEventListener("click", showAll);
    let asked = false;
    box.addEventListener("scroll", () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; fill(false); });
    }, { passive: true });
    // Rows by keys: arrows go from one to the next, Enter picks it.
    box.addEventListener("keydown", (event) => {
      refillNow(); // the key may come before the frame that shows what was picked
      const row = document.activeElement.closest("tr[data-evaluation]");
      if (event.key === "Enter" && row && row === document.activeElement) { choose([Number(row.dataset.evaluation)], false); return; }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const top = table.tHead.getBoundingClientRect().bottom;
      const next = !row ? [...table.tBodies[0].querySelectorAll("tr[data-evaluation]")].find((one) => one.getBoundingClientRect().top >= top - 1)
        : event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
      if (!next?.dataset.evaluation) return;
      event.preventDefault();
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest", behavior: "instant" });
      fill(false); // the next key may come before the next frame
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target.closest("input, select, textarea, dialog")) return;
      if (where.size || chosen.size) { where.clear(); set([], false); }
    });
  }

  // -- conditions -------------------------------------------------------------------------------------------

  const conditions = document.getElementById("conditions");
  const counted = conditions?.querySelector("output");
  function sideWords(name, side) {
    const said = isShare(name) ? perCent : String;
    return side.values ? side.values.map((value) => (typeof value === "number" ? said(value) : String(value))).join(", ")
      : `${said(side.from)} to ${said(side.to)}`;
  }

  function knowAxes() {
    const known = axes.map((axis) => {
      const column = columns.indexOf(axis.name);
      return [axis.name, { ...axis, whole: rows.length > 0 && rows.every(({ cells }) => cells[column] === null || Number.isInteger(cells[column])) }];
    });
    for (const name of ["number", "generation"]) {
      if (columns.includes(name)) known.push([name, { low: -Infinity, high: Infinity, whole: true }]);
    }
    drawing.know(new Map(known));
  }

  function setWhere(given) {
    for (const [name, side] of Object.entries(given)) {
      if (side) where.set(name, side); else where.delete(name);
    }
  }

  function showConditions() {
    if (!conditions) return;
    const items = [...where].map(([name, side]) => {
      const button = made("button", `${name} ${sideWords(name, side)}`);
      button.type = "button";
      button.title = "Leave this condition out";
      button.append(made("span", " ×"));
      button.addEventListener("click", () => { where.delete(name); refresh(); conditions.querySelector("button")?.focus(); });
      return button;
    });
    conditions.hidden = !items.length;
    conditions.querySelector("span").replaceChildren(...items);
    counted.textContent = `${listed.length} of ${rows.length}`;
    document.dispatchEvent(new CustomEvent("conditions"));
  }

  // The same by keys: a column, and what it is to hold, as `3 to 10` or `relu, tanh`.
  const adding = document.getElementById("adding");
  const addingName = adding?.querySelector("select");
  const addingSide = adding?.querySelector("input");

  function offerColumns() {
    const held = rows[0]?.cells.map((cell) => typeof cell) || [];
    const names = columns.filter((name, column) => axes.some((axis) => axis.name === name) || held[column] === "number");
    addingName?.replaceChildren(...names.map((name) => new Option(name, name)));
  }

  function readSide(name, text) {
    const range = text.match(/^\s*(-?[\d.]+(?:e[+-]?\d+)?)\s*%?\s*(?:to|:|-|–)\s*(-?[\d.]+(?:e[+-]?\d+)?)\s*%?\s*$/i);
    if (range) {
      const ends = [range[1], range[2]].map((end) => Number(end) / (isShare(name) ? 100 : 1));
      return { from: Math.min(...ends), to: Math.max(...ends) };
    }
    const column = columns.indexOf(name);
    const wanted = text.split(",").map((each) => each.trim()).filter(Boolean);
    const known = new Map(rows.map((row) => [written(row.cells[column], column), row.cells[column]]));
    return wanted.length && wanted.every((each) => known.has(each)) ? { values: wanted.map((each) => known.get(each)) } : null;
  }

  function addCondition() {
    const side = readSide(addingName.value, addingSide.value);
    addingSide.setCustomValidity(side ? "" : `not a range such as "3 to 10", nor values of ${addingName.value}`);
    addingSide.reportValidity();
    if (!side) return;
    where.set(addingName.value, side);
    addingSide.value = "";
    refresh();
  }

  adding?.querySelector("button").addEventListener("click", addCondition);
  addingSide?.addEventListener("keydown", (event) => { if (event.key === "Enter") addCondition(); });
  addingSide?.addEventListener("input", () => addingSide.setCustomValidity(""));
  conditions?.querySelector("button.all").addEventListener("click", showAll);

  // -- the address ------------------------------------------------------------------------------------------

  const VIEW = "#view?";
  const IN = "in.";

  function remember() {
    const view = new URLSearchParams();
    if (chosen.size) view.set("chosen", [...chosen].join("."));
    if (only) view.set("only", "1");
    for (const [name, side] of where) view.set(IN + name, side.values ? JSON.stringify(side.values) : `${side.from}:${side.to}`);
    if (words.trim()) view.set("filter", words);
    if (sorted) view.set("sort", (sorted.down ? "-" : "") + columns[sorted.column]);
    for (const [of, choice] of choices) {
      const first = document.querySelector(`[data-choose][data-of="${CSS.escape(of)}"]`);
      if (first && first.dataset.choose !== choice) view.set("show." + of, choice);
    }
    const address = String(view) ? VIEW + view : "";
    if (address === location.hash || (!address && !location.hash.startsWith(VIEW))) return;
    history.replaceState(null, "", address || location.pathname + location.search);
  }

  function sideIn(text) {
    if (text.startsWith("[")) {
      try {
        const values = JSON.parse(text);
        return values.length ? { values } : null;
      } catch { return null; }
    }
    const ends = text.split(":").map(Number);
    return ends.length === 2 && ends.every(Number.isFinite) ? { from: ends[0], to: ends[1] } : null;
  }

  function recall() {
    if (!location.hash.startsWith(VIEW)) return;
    const view = new URLSearchParams(location.hash.slice(VIEW.length));
    const known = new Set(rows.map((row) => row.number));
    chosen = new Set((view.get("chosen") || "").split(".").filter(Boolean).map(Number).filter((one) => known.has(one)));
    only = view.get("only") === "1" && chosen.size > 0;
    words = view.get("filter") || "";
    if (filter) filter.value = words;
    const sort = view.get("sort") || "";
    const column = columns.indexOf(sort.replace(/^-/, ""));
    sorted = column < 0 ? null : { column, down: sort.startsWith("-") };
    const offered = [...document.querySelectorAll("[data-choose]")];
    where.clear();
    for (const [name, given] of view) {
      if (name.startsWith(IN)) {
        const side = columns.includes(name.slice(IN.length)) && sideIn(given);
        if (side) where.set(name.slice(IN.length), side);
      } else if (name.startsWith("show.")) {
        const of = name.slice("show.".length);
        if (offered.some((one) => one.dataset.of === of && one.dataset.choose === given)) choices.set(of, given);
      }
    }
  }

  function recallAll() {
    recall();
    takeTurns();
    refresh();
  }

  addEventListener("hashchange", () => { if (location.hash.startsWith(VIEW)) recallAll(); });

  // -- print ------------------------------------------------------------------------------------------------

  let opened = [];
  addEventListener("beforeprint", () => {
    prints = true;
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
    drawing.drawAll();
    fill(true);
    const left = document.getElementById("printed");
    if (left && listed.length > PRINTED) left.textContent = `The first ${PRINTED} of ${listed.length}. `;
  });
  addEventListener("afterprint", () => {
    prints = false;
    for (const one of opened) one.open = false;
    const left = document.getElementById("printed");
    if (left) left.textContent = "";
    fill(true);
  });

  // -- what a served page calls when there are new results ---------------------------------------------------

  // Takes any of `answer` (HTML of the answer), `figures` (specifications by name, also as text) and `evaluations`
  // (columns, axes and rows); returns the names of figures that this page has no place for.
  function update({ answer, figures, evaluations } = {}) {
    if (answer !== undefined) document.getElementById("answer").innerHTML = answer;
    if (evaluations) take(evaluations);
    const left = drawing.take(figures || {});
    if (evaluations) refresh();
    return left;
  }

  // Takes what has come beside the rest: figures whose growing layers have new rows alone, and new evaluations.
  async function add({ figures, evaluations }) {
    drawing.grow(figures);
    await idle();
    const known = new Set(rows.map((row) => row.number));
    rows = rows.concat(evaluations.rows.map(readRow).filter((row) => !known.has(row.number)));
    refresh();
  }

  // The rows picked by hand: by clicks and by conditions.
  const picked = () => (only || where.size ? rows.filter(isPicked()).map((row) => row.number) : [...chosen]);

  window.comparatorPage = { update, add, set, chosen: picked, conditions: () => new Map(where), axes: () => axes };

  // -- begin ------------------------------------------------------------------------------------------------

  labelCells();
  take(window.comparatorContent?.evaluations);
  recallAll();
  fill(true);
  const measured = table?.querySelector("tr[data-evaluation]")?.offsetHeight;
  if (measured && measured !== height) {
    height = measured;
    fill(true);
  }
  drawing.begin({
    clicked: (numbers) => choose(numbers, true),
    framed: (given, isOver) => {
      setWhere(given);
      if (isOver) refresh(); else follow();
    },
  });
})();
