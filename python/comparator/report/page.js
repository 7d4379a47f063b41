"use strict";
// The figures of a page, its table of evaluations, and the links between the two.
//
// What is chosen, filtered, sorted and turned to stands in the address (#view?...), so that a view can be sent.
// A page that is served hands over new results by window.comparatorPage.update.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
  const MANY = 1500; // marks of a figure; from here on it is drawn as an image, which stays quick
  const PRINTED = 1000; // rows
  const NARROW = 480; // pixels
  const { charts, colours } = read("figures") || { charts: {}, colours: {} };
  const tip = document.getElementById("tip");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const views = new Map(); // by the name of a figure: {view, size, isImage}

  let chosen = new Set(); // numbers of evaluations
  let only = false; // show the chosen rows alone
  let words = "";
  let sorted = null; // {column, down}
  const choices = new Map(); // what is chosen of each set of choices

  // -- what a mark says -------------------------------------------------------------------------------------

  function say(text, x, y) {
    if (!tip) return;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const box = tip.getBoundingClientRect();
    const above = y - box.height - 12;
    tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = (above < 8 ? y + 16 : above) + "px";
  }

  // -- figures ----------------------------------------------------------------------------------------------

  const pictures = () => [...document.querySelectorAll("[data-figure]")];
  const chartOf = (picture) => picture.querySelector(".chart");

  function layersOf(chart) {
    return [chart, ...["layer", "hconcat", "vconcat", "concat"].flatMap((key) => (chart[key] || []).flatMap(layersOf)),
      ...(chart.spec ? layersOf(chart.spec) : [])];
  }

  const rowsOf = (chart) => layersOf(chart).flatMap((one) => one.data?.values || []);

  // An image has no elements that the page's style could colour.
  function coloured(chart) {
    const style = getComputedStyle(document.documentElement);
    const text = JSON.stringify(chart).replace(/"(#[0-9a-f]{6})"/g, (whole, colour) =>
      colours[colour] ? JSON.stringify(style.getPropertyValue(colours[colour]).trim()) : whole);
    return JSON.parse(text);
  }

  function widthOf(picture) {
    const figure = picture.closest("figure");
    return Math.max(200, Math.floor(figure ? figure.clientWidth : picture.clientWidth));
  }

  async function draw(picture) {
    const name = picture.dataset.figure;
    const chart = charts[name];
    if (!chart || views.has(name)) return views.get(name)?.ready;
    const isImage = rowsOf(chart).length >= MANY;
    const size = widthOf(picture);
    const entry = { isImage, size, view: null, ready: null };
    views.set(name, entry);
    const shown = { ...(isImage ? coloured(chart) : chart) };
    if (shown.width === "container") shown.width = size;
    // On a narrow screen a map that is as high as on a wide one leaves no room for what it says.
    if (size < NARROW && shown.height > 0.7 * size) shown.height = Math.round(0.7 * size);
    const holder = document.createElement("div");
    entry.ready = comparatorEmbed(holder, shown, {
      ast: true,
      actions: false,
      logLevel: 1, // errors alone
      renderer: isImage ? "canvas" : "svg",
      config: { aria: false },
      tooltip: (_, event, item, value) => say(value ? String(value) : "", event?.clientX ?? 0, event?.clientY ?? 0),
    }).then(({ view }) => {
      if (views.get(name) !== entry) return view.finalize();
      entry.view = view;
      chartOf(picture).replaceChildren(holder);
      chartOf(picture).style.minHeight = "";
      view.addEventListener("click", (_, item) => {
        const numbers = item?.datum?.evaluations;
        if (numbers?.length) choose(numbers, true);
      });
      followBrush(view, chart);
      show(entry);
      picture.dataset.drawn = "";
    }).catch((error) => {
      chartOf(picture).textContent = "This figure cannot be drawn here: " + error.message;
      console.error(name, error);
    });
    return entry.ready;
  }

  // A frame on a figure chooses what lies in it.
  function followBrush(view, chart) {
    let waiting = 0;
    try {
      view.addSignalListener("brush", (_, frame) => {
        clearTimeout(waiting);
        waiting = setTimeout(() => {
          const ends = ["x", "y"].map((axis) => [axis, frame?.[axis]]).filter(([, range]) => range);
          const inside = (row) => ends.every(([axis, [from, to]]) =>
            row[axis] >= Math.min(from, to) && row[axis] <= Math.max(from, to));
          const rows = ends.length ? rowsOf(chart).filter((row) => row.evaluations && inside(row)) : [];
          const numbers = new Set(rows.flatMap((row) => row.evaluations));
          if (numbers.size || !ends.length && only) set(numbers, numbers.size > 0);
        }, 60);
      });
    } catch { /* a figure without a frame */ }
  }

  function show(entry) {
    if (!entry.view) return;
    try {
      entry.view.signal("chosen", [...chosen]).runAsync();
    } catch { /* a figure whose marks stand for no evaluation */ }
  }

  function redraw(isWanted) {
    for (const [name, entry] of [...views]) {
      if (!isWanted(name, entry)) continue;
      views.delete(name);
      const picture = pictures().find((one) => one.dataset.figure === name);
      if (!picture) { entry.view?.finalize(); continue; }
      chartOf(picture).style.minHeight = chartOf(picture).offsetHeight + "px"; // nothing below jumps meanwhile
      draw(picture).finally(() => entry.view?.finalize());
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const one of entries) if (one.isIntersecting) { seen.unobserve(one.target); draw(one.target); }
  }, { rootMargin: "300px" });

  const idle = window.requestIdleCallback || ((task) => setTimeout(task, 200));
  // What is not looked at yet is drawn one after the other in free moments, so that it is there to be printed.
  async function drawTheRest() {
    const next = pictures().find((one) => !views.has(one.dataset.figure));
    if (!next) return;
    await draw(next);
    idle(drawTheRest);
  }

  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => redraw((name, entry) => {
      const picture = pictures().find((one) => one.dataset.figure === name);
      return picture && widthOf(picture) !== entry.size;
    }), 150);
  });
  dark.addEventListener("change", () => redraw((_, entry) => entry.isImage));

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

  // -- files ------------------------------------------------------------------------------------------------

  async function save(picture, form) {
    await draw(picture);
    const { view } = views.get(picture.dataset.figure);
    let address;
    if (form === "svg") {
      const text = (await view.toSVG()).replace("<svg ", '<svg style="background:white" ');
      address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    } else {
      const drawn = await view.toCanvas(3);
      const paper = Object.assign(document.createElement("canvas"), { width: drawn.width, height: drawn.height });
      const pen = paper.getContext("2d");
      pen.fillStyle = "white";
      pen.fillRect(0, 0, paper.width, paper.height);
      pen.drawImage(drawn, 0, 0);
      address = paper.toDataURL("image/png");
    }
    Object.assign(document.createElement("a"), { href: address, download: `${picture.dataset.figure}.${form}` }).click();
    if (form === "svg") setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch { // not allowed here: marked, so that a key copies it
      getSelection().selectAllChildren(code);
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.choose !== undefined) {
      choices.set(button.dataset.of, button.dataset.choose);
      turn(button.dataset.of, button.dataset.choose);
      remember();
    } else if (button?.dataset.copy !== undefined) {
      copy(button);
    } else if (button?.dataset.save) {
      event.preventDefault();
      save(button.closest("[data-figure]"), button.dataset.save);
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
  let rows = []; // {number, status, cells, logs, reason, text}
  let listed = []; // those that are shown, in their order
  let height = 30;
  let from = -1;
  let to = -1;
  let prints = false;

  const written = (cell) => (cell === null ? "" : String(cell));

  function take(content) {
    columns = content?.columns || [];
    rows = (content?.rows || []).map(([number, status, cells, logs, reason]) => ({
      number, status, cells, logs, reason,
      text: [...cells.map(written), ...logs.map(([name]) => name), reason || ""].join(" ").toLowerCase(),
    }));
    if (!table) return;
    const widths = columns.map((name, column) =>
      Math.min(26, 3 + rows.reduce((most, row) => Math.max(most, written(row.cells[column]).length), name.length + 1)));
    const group = document.createElement("colgroup");
    for (const width of [...widths, 30]) {
      const col = document.createElement("col");
      col.style.width = width + "ch";
      group.append(col);
    }
    const head = document.createElement("tr");
    columns.forEach((name, column) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.setAttribute("aria-sort", "none");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = name;
      button.addEventListener("click", () => {
        sorted = { column, down: sorted?.column === column && !sorted.down };
        refresh();
      });
      cell.append(button);
      head.append(cell);
    });
    const last = document.createElement("th");
    last.scope = "col";
    last.textContent = "logs, and why it failed";
    head.append(last);
    table.querySelector("colgroup")?.remove();
    table.prepend(group);
    table.tHead.replaceChildren(head);
    table.style.width = widths.reduce((sum, width) => sum + width, 30) + "ch";
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return written(one).localeCompare(written(other), undefined, { numeric: true });
  }

  function list() {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    listed = rows.filter((row) => (!only || chosen.has(row.number)) && wanted.every((word) => row.text.includes(word)));
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
    const line = document.createElement("tr");
    line.dataset.evaluation = row.number;
    line.setAttribute("aria-rowindex", place + 2);
    line.classList.toggle("failed", row.status !== "ok");
    line.classList.toggle("chosen", chosen.has(row.number));
    for (const cell of row.cells) {
      const one = line.insertCell();
      one.textContent = written(cell);
      if (written(cell).length > 20) one.title = written(cell);
    }
    const last = line.insertCell();
    for (const [name, address] of row.logs) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = name;
      last.append(link, " ");
    }
    if (row.reason) {
      last.append(row.reason);
      last.title = row.reason;
    }
    return line;
  }

  function space(count) {
    const line = document.createElement("tr");
    line.className = "space";
    line.setAttribute("aria-hidden", "true");
    const cell = line.insertCell();
    cell.colSpan = columns.length + 1;
    cell.style.height = count * height + "px";
    return line;
  }

  function fill(again) {
    if (!table) return;
    const first = prints ? 0 : Math.max(0, Math.floor(box.scrollTop / height) - 12);
    const end = prints ? Math.min(listed.length, PRINTED)
      : Math.min(listed.length, Math.ceil((box.scrollTop + (box.clientHeight || 544)) / height) + 12);
    if (!again && first >= from && end <= to && to - from < 200) return;
    [from, to] = prints ? [first, end] : [Math.max(0, first - 20), Math.min(listed.length, end + 20)];
    const shown = listed.slice(from, to).map((row, place) => rowOf(row, from + place));
    const rest = prints ? 0 : listed.length - to;
    table.tBodies[0].replaceChildren(...(from ? [space(from)] : []), ...shown, ...(rest ? [space(rest)] : []));
    table.setAttribute("aria-rowcount", listed.length + 1);
  }

  // Makes all show what is chosen, filtered and sorted.
  function refresh() {
    list();
    if (table) {
      [...table.tHead.rows[0]?.cells || []].forEach((head, column) => {
        if (head.hasAttribute("aria-sort")) {
          head.setAttribute("aria-sort", sorted?.column === column ? (sorted.down ? "descending" : "ascending") : "none");
        }
      });
      document.getElementById("shown").textContent = `${listed.length} of ${rows.length}`;
      clear.hidden = !chosen.size && !words.trim();
      fill(true);
    }
    for (const row of document.querySelectorAll("tr[data-evaluation]")) {
      row.classList.toggle("chosen", chosen.has(Number(row.dataset.evaluation)));
    }
    remember();
  }

  function set(numbers, alone) {
    chosen = new Set(numbers);
    only = alone;
    refresh();
    for (const entry of views.values()) show(entry);
  }

  function choose(numbers, fromFigure) {
    const again = numbers.length === chosen.size && numbers.every((one) => chosen.has(one));
    set(again ? [] : numbers, fromFigure && !again);
  }

  if (table) {
    filter.addEventListener("input", () => { words = filter.value; box.scrollTop = 0; refresh(); });
    clear.addEventListener("click", () => { words = filter.value = ""; set([], false); });
    let asked = false;
    box.addEventListener("scroll", () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; fill(false); });
    }, { passive: true });
    table.addEventListener("keydown", (event) => {
      if (event.key === "Escape") set([], false);
    });
  }

  // -- the address ------------------------------------------------------------------------------------------

  const VIEW = "#view?";

  function remember() {
    const view = new URLSearchParams();
    if (chosen.size) view.set("chosen", [...chosen].join("."));
    if (only) view.set("only", "1");
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
    for (const [name, choice] of view) {
      const of = name.slice("show.".length);
      if (!name.startsWith("show.")) continue;
      if (offered.some((one) => one.dataset.of === of && one.dataset.choose === choice)) choices.set(of, choice);
    }
  }

  function recallAll() {
    recall();
    takeTurns();
    refresh();
    for (const entry of views.values()) show(entry);
  }

  addEventListener("hashchange", () => { if (location.hash.startsWith(VIEW)) recallAll(); });

  // -- print ------------------------------------------------------------------------------------------------

  let opened = [];
  addEventListener("beforeprint", () => {
    prints = true;
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
    for (const one of pictures()) draw(one);
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

  // Takes any of `answer` (HTML of the answer), `figures` (charts by name) and `evaluations` (columns and rows);
  // returns the names of figures that this page has no place for.
  function update({ answer, figures, evaluations } = {}) {
    if (answer !== undefined) document.getElementById("answer").innerHTML = answer;
    if (evaluations) take(evaluations);
    const changed = Object.keys(figures || {}).filter((name) =>
      JSON.stringify(figures[name]) !== JSON.stringify(charts[name]));
    Object.assign(charts, figures);
    redraw((name) => changed.includes(name));
    refresh();
    const held = new Set(pictures().map((one) => one.dataset.figure));
    return Object.keys(figures || {}).filter((name) => !held.has(name));
  }

  window.comparatorPage = { update, set, chosen: () => [...chosen] };

  // -- begin ------------------------------------------------------------------------------------------------

  take(read("evaluations"));
  recallAll();
  const measured = table?.querySelector("tr[data-evaluation]")?.offsetHeight;
  if (measured && measured !== height) {
    height = measured;
    fill(true);
  }
  for (const one of pictures()) seen.observe(one);
  addEventListener("load", () => idle(drawTheRest));
})();
