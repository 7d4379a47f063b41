"use strict";
// All experiments: a table that looks again every second or two. What is searched, sorted and chosen stands in the address.
(() => {
  const { made } = window.comparatorElements;
  const get = (id) => document.getElementById(id);
  const [words, state, tag, compare, none] = ["words", "state", "tag", "compare", "none"].map(get);
  const body = get("experiments").tBodies[0];
  const heads = [...document.querySelectorAll("th[data-key]")];
  const SOON = 1500, LATER = 10000; // milliseconds between two looks, in view and out of it
  let rows = [];
  let unread = 0; // experiments whose files are still to be read
  let sorted = { key: "created", down: true };
  const chosen = new Set();
  const lines = new Map(); // by id: {line, text of its row}
  let tagOfRows = "";

  function span(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86400)} days`;
  }

  function fill(line, row) {
    const cells = Array.from({ length: 7 }, () => made("td"));
    const [box, what, doing, progress, best, found, begun] = cells;
    if (!row.damage) {
      const check = made("input");
      check.type = "checkbox";
      check.checked = chosen.has(row.id);
      check.setAttribute("aria-label", `Compare ${row.id}`);
      check.addEventListener("change", () => {
        check.checked ? chosen.add(row.id) : chosen.delete(row.id);
        remember();
      });
      box.append(check);
      const link = made("a", row.id);
      link.href = `experiments/${encodeURIComponent(row.id)}/`;
      what.append(link);
    } else {
      what.append(made("b", row.id));
    }
    if (row.title && row.title !== row.id) what.append(made("small", row.title));
    for (const each of row.tags || []) what.append(made("span", each, "tagged"));
    if (row.note) what.append(made("small", row.note, "note"));
    const badge = made("span", row.doing || row.state, "state");
    badge.dataset.state = row.state;
    doing.append(badge);
    if (row.withdrawn) doing.append(made("small", `runs withdrawn: ${row.withdrawn}`));
    if (row.doubled) doing.append(made("small", `evaluations with several lines: ${row.doubled}`));
    if (row.damage) found.append(made("span", row.damage, "damage"));
    else {
      if (row.of && row.evaluations < row.of && row.state !== "finished") {
        const bar = made("span", undefined, "bar small");
        const inside = made("span");
        inside.style.width = `${Math.min(100, 100 * row.evaluations / row.of)}%`;
        bar.append(inside);
        progress.append(bar, " ");
      }
      progress.append(row.of ? `${row.evaluations}/${row.of}` : `${row.evaluations}`);
      const more = [];
      if (row.failed) more.push(`${row.failed} failed`);
      if (row.left) more.push(`about ${span(row.left)} left`);
      if (more.length) progress.append(made("small", more.join(", "), "left"));
      best.textContent = row.best.replace(/^best /, "");
      best.className = "best";
      begun.className = "begun";
      const [first, sure, ...others] = (row.found || []).map((each) => each.replace(/([0-9]) %/g, "$1\u00a0%"));
      if (first) found.append(made("span", first));
      if (sure) found.append(made("small", sure));
      if (others.length) {
        const more = made("details");
        more.append(made("summary", "more"), made("span", others.join(" ")));
        found.append(more);
      }
      found.className = "found";
      begun.textContent = (row.created || "").slice(0, 16).replace("T", "\u00a0");
    }
    line.replaceChildren(...cells);
  }

  const orderOf = (row) => sorted.key === "found" ? (row.found || []).join(" ")
    : sorted.key === "share" ? (row.of ? row.evaluations / row.of : null) : row[sorted.key];

  function compareRows(a, b) {
    const [one, other] = [orderOf(a), orderOf(b)].map((each) => (each === undefined || each === "" ? null : each));
    if (one === null || other === null) return (one === null) - (other === null);
    const order = typeof one === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
    return sorted.down ? -order : order;
  }

  const textOf = (row) => [row.id, row.title, row.state, row.doing, ...(row.found || []), row.best, row.note, row.metric, row.damage,
    ...(row.tags || []), ...(row.models || [])].join(" ").toLowerCase();

  function show() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const listed = rows.filter((row) => (!state.value || row.state === state.value)
      && (!tag.value || (row.tags || []).includes(tag.value)) && wanted.every((word) => textOf(row).includes(word)));
    listed.sort(compareRows);
    const shown = listed.map((row) => {
      const known = lines.get(row.id) || { line: made("tr"), text: "" };
      const text = JSON.stringify(row);
      if (known.text !== text) {
        const focused = known.line.contains(document.activeElement) ? document.activeElement.tagName : "";
        fill(known.line, row);
        if (focused) known.line.querySelector(focused)?.focus();
        known.text = text;
      }
      known.line.dataset.id = row.id;
      lines.set(row.id, known);
      return known.line;
    });
    if (shown.length !== body.rows.length || shown.some((line, place) => body.rows[place] !== line)) body.replaceChildren(...shown);
    for (const id of [...lines.keys()]) if (!rows.some((row) => row.id === id)) lines.delete(id);
    get("shown").textContent = `${listed.length} of ${rows.length}${unread ? `, ${unread} more are being read` : ""}`;
    none.hidden = rows.length > 0 || unread > 0;
    for (const head of heads) {
      head.setAttribute("aria-sort", head.dataset.key === sorted.key ? (sorted.down ? "descending" : "ascending") : "none");
    }
    options(state, [...new Set(rows.map((row) => row.state))]);
    options(tag, [...new Set(rows.flatMap((row) => row.tags || []))]);
    tag.closest("label").hidden = tag.options.length < 2;
  }

  function options(select, values) {
    const now = [...select.options].slice(1).map((each) => each.value);
    const wanted = [...new Set([...values, ...(select.value ? [select.value] : [])])].sort();
    if (now.join("\n") === wanted.join("\n")) return;
    const value = select.value;
    select.replaceChildren(select.options[0], ...wanted.map((each) => new Option(each, each)));
    select.value = value;
  }

  function remember() {
    const view = new URLSearchParams();
    if (words.value.trim()) view.set("search", words.value);
    if (state.value) view.set("state", state.value);
    if (tag.value) view.set("tag", tag.value);
    if (sorted.key !== "created" || !sorted.down) view.set("sort", (sorted.down ? "-" : "") + sorted.key);
    if (chosen.size) view.set("chosen", [...chosen].join(","));
    history.replaceState(null, "", String(view) ? `#${view}` : location.pathname + location.search);
    compare.hidden = chosen.size < 2;
    compare.textContent = `Compare ${chosen.size}`;
    compare.href = `compare?ids=${[...chosen].map(encodeURIComponent).join(",")}`;
  }

  function recall() {
    const view = new URLSearchParams(location.hash.slice(1));
    words.value = view.get("search") || "";
    for (const [select, name] of [[state, "state"], [tag, "tag"]]) {
      const value = view.get(name) || "";
      if (value && ![...select.options].some((each) => each.value === value)) select.append(new Option(value, value));
      select.value = value;
    }
    const sort = view.get("sort");
    if (sort) sorted = { key: sort.replace(/^-/, ""), down: sort.startsWith("-") };
    for (const id of (view.get("chosen") || "").split(",").filter(Boolean)) chosen.add(id);
  }

  async function look() {
    try {
      const answer = await fetch("rows", { headers: tagOfRows ? { "If-None-Match": tagOfRows } : {}, cache: "no-store" });
      if (answer.status === 200) {
        tagOfRows = answer.headers.get("ETag") || "";
        const content = await answer.json();
        rows = content.rows;
        unread = content.unread;
        get("folder").textContent = content.folder;
        none.textContent = `No experiments in ${content.folder} yet: comparator search FILE begins one.`;
        show();
      }
      document.body.classList.remove("lost");
      if (answer.status === 403 || answer.status === 503) throw new Error();
    } catch {
      get("folder").textContent = "The server does not answer any more: what stands here is as it was last.";
    }
    setTimeout(look, document.hidden ? LATER : SOON);
  }

  for (const each of [words, state, tag]) each.addEventListener("input", () => { show(); remember(); });
  for (const head of heads) {
    head.firstElementChild.addEventListener("click", () => {
      const again = sorted.key === head.dataset.key;
      sorted = { key: head.dataset.key, down: again ? !sorted.down : false };
      show();
      remember();
    });
  }
  recall();
  remember();
  look();
})();
