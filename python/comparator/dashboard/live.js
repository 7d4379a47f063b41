"use strict";
// An experiment as it runs: the panel above its report, and the report itself, which is kept up to date.
Promise.resolve(window.comparatorReady).then(() => {
  const { made, command: commandLine, wordsApart, labelCells, idle } = window.comparatorElements;
  const get = (id) => document.getElementById(id);
  const panel = get("live");
  const query = location.search;
  const page = window.comparatorPage; // none before there is a report
  const SOON = 1000, LATER = 5000, HIDDEN = 10000; // milliseconds between two looks
  const ROWS_A_MILLISECOND = 1; // so many evaluations are handed over at most
  const created = panel.dataset.created; // which experiment the page shows: another may take its id
  let number = Number(panel.dataset.page);
  let records = Number(panel.dataset.records || 0); // evaluations that the page shows
  let answered = { ...panel.dataset }; // how many its answer is of
  let held = ""; // what the latest news said of what lies under the dots
  let handed = 0;
  let state = null;
  let tag = "";
  let log = "";
  let offset = 0; // of the server's clock
  let said = "";
  let kept = { width: 0, height: 0 }; // of the list of trainings
  const title = document.title;

  const isAlive = () => Boolean(state) && ["running", "queued"].includes(state.state);

  function span(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const [hours, minutes, rest] = parts.map((each) => String(each).padStart(2, "0"));
    return parts[0] ? `${parts[0]}:${minutes}:${rest}` : `${Number(minutes)}:${rest}`;
  }

  // -- the panel --------------------------------------------------------------------------------------------

  function show() {
    const badge = get("live-state");
    if (badge.textContent !== state.doing) badge.textContent = state.doing;
    badge.dataset.state = state.state;
    const bar = get("live-bar");
    const share = state.of ? Math.min(100, 100 * state.evaluations / state.of) : 0;
    bar.hidden = !state.of || (!isAlive() && (share === 100 || state.state === "finished"));
    document.title = state.of && isAlive() ? `${Math.floor(share)} % ${title}` : title;
    bar.firstElementChild.style.width = `${share}%`;
    bar.setAttribute("aria-valuenow", Math.round(share));
    const counts = [state.of ? `${state.evaluations} of ${state.of}` : `${state.evaluations} evaluations`];
    if (state.confirming) counts.push(`${state.confirming} confirming`);
    if (state.failed) counts.push(`${state.failed} failed`);
    if (state.left) counts.push(`about ${span(state.left)} left`);
    if (state.job) counts.push(`job ${state.job}`);
    else if (state.host && state.state === "running") counts.push(`on ${state.host}`);
    get("live-counts").textContent = counts.join(" · ");
    get("live-stop").hidden = !state.may_stop;
    get("live-resume").hidden = !state.may_resume;
    const words = said || state.reason || state.page.failure
      || (state.state === "running" && !state.running.length && !state.records ? "No training has begun yet: models are being loaded." : "");
    get("live-words").textContent = words;
    get("live-words").hidden = !words;
    get("live-words").classList.toggle("wrong", Boolean(said.startsWith("!") || state.page.failure));
    showTrainings();
    showMetrics();
    showCommands();
    showNotes();
    showAge();
    const waiting = get("waiting");
    if (waiting) {
      waiting.textContent = state.page.failure ? `The page cannot be made: ${state.page.failure}` : "The page is being made.";
    }
  }

  // The counts above are of now, the answer is of when it was made.
  function showAge() {
    const heading = get("answer-heading");
    if (!heading) return;
    const of = state.of ? ` of ${state.of}` : " evaluations";
    const more = Number(answered.confirming) ? `, ${answered.confirming} confirming` : "";
    const text = Number(answered.records) < state.records ? `Answer, as of ${answered.done}${of}${more}` : "Answer";
    if (heading.textContent !== text) heading.textContent = text;
  }

  function showTrainings() {
    const list = get("live-running");
    const wanted = state.running.map((each) => `${each.evaluation}-${each.replicate}-${each.submodel}`);
    const lines = new Map([...list.children].map((line) => [line.dataset.key, line]));
    const now = state.running.map((each, place) => {
      const line = lines.get(wanted[place]) || begun(each, wanted[place]);
      const [, epoch, bar, losses, time] = line.children;
      const text = each.epoch === null ? "" : `epoch ${each.epoch}${each.epochs ? `/${each.epochs}` : ""}`;
      if (epoch.textContent !== text) epoch.textContent = text;
      bar.hidden = !(each.epochs && each.epoch !== null);
      if (!bar.hidden) bar.firstElementChild.style.width = `${Math.min(100, 100 * each.epoch / each.epochs)}%`;
      const told = Object.entries(each.losses).slice(0, 4).map(([name, value]) => `${name} ${value}`).join(" · ");
      if (losses.textContent !== told) losses.textContent = told;
      time.dataset.since = each.since;
      line.querySelector("button").hidden = !each.log;
      line.querySelector("button").dataset.log = each.log || "";
      return line;
    });
    if (now.length !== list.children.length || now.some((line, place) => list.children[place] !== line)) list.replaceChildren(...now);
    keepHeight(list);
    tick();
  }

  // Trainings come and go all the time: nothing below moves with each of them.
  function keepHeight(list) {
    list.hidden = !isAlive() && !list.children.length;
    if (!isAlive() || kept.width !== list.clientWidth) {
      list.style.minHeight = "";
      kept = { width: list.clientWidth, height: 0 };
    }
    if (list.offsetHeight > kept.height && isAlive()) list.style.minHeight = `${kept.height = list.offsetHeight}px`;
  }

  function begun(each, key) {
    const line = made("li");
    line.dataset.key = key;
    const name = made("span", each.model, `model-${each.submodel}`);
    name.title = each.point;
    const bar = made("span", undefined, "bar small");
    bar.append(made("span"));
    const button = made("button", "log");
    button.type = "button";
    button.setAttribute("aria-label", `Log of ${each.model}, evaluation ${each.evaluation}`);
    button.addEventListener("click", () => openLog(button.dataset.log, `${each.model}, evaluation ${each.evaluation}`));
    const at = each.evaluation === -1 ? "as given" : each.evaluation < 0 ? `beside the search: ${each.point}` : `evaluation ${each.evaluation}: ${each.point}`;
    line.append(name, made("span"), bar, made("span"), made("span"), button, made("span", at, "at"));
    return line;
  }

  function tick() {
    for (const one of document.querySelectorAll("[data-since]")) {
      one.textContent = span(Date.now() / 1000 - offset - Number(one.dataset.since));
    }
  }

  function showMetrics() {
    const select = get("live-metric");
    if (select.options.length !== state.metrics.length) {
      select.replaceChildren(...state.metrics.map((name) => new Option(name, name)));
      select.value = state.metric;
    }
    get("live-metrics").hidden = state.metrics.length < 2;
    const both = get("live-both");
    both.hidden = state.metric === state.metrics[0];
    both.href = `../../compare?ids=${encodeURIComponent(state.id)},${encodeURIComponent(`${state.id}:${state.metric}`)}`;
  }

  get("live-metric").addEventListener("change", (event) => {
    const own = event.target.value === state.metrics[0];
    location.href = own ? "./" : `./?metric=${encodeURIComponent(event.target.value)}`;
  });

  // -- steering ---------------------------------------------------------------------------------------------

  // The conditions that hyperparameters have to hold, as a box; null where there are none.
  function boxOfChosen() {
    const axes = new Set(state.steering.axes);
    const sides = [...(page?.conditions() || [])].filter(([name]) => axes.has(name));
    return sides.length ? Object.fromEntries(sides.map(([name, side]) => [name, side.values ? side : [side.from, side.to]])) : null;
  }

  let boxed = { text: "", suggestions: [] };
  async function askForBox() {
    const box = state ? boxOfChosen() : null;
    const text = box ? JSON.stringify(box) : "";
    if (text === boxed.text) return;
    boxed = { text, suggestions: [] };
    if (text) {
      const answer = await fetch(`steering?box=${encodeURIComponent(text)}`, { cache: "no-store" });
      if (answer.ok && boxed.text === text) boxed.suggestions = await answer.json();
    }
    if (state) showCommands();
  }
  let asking = 0;
  document.addEventListener("conditions", () => { clearTimeout(asking); asking = setTimeout(askForBox, 300); });

  let shownCommands = "";
  function showCommands() {
    const { suggestions, axes, may_begin: mayBegin } = state.steering;
    const items = [...state.commands, ...suggestions, ...boxed.suggestions];
    if (axes.length && page && !boxed.text) {
      items.push({ what: "A search inside a part of the space, or outside it: draw a frame on a map first" });
    }
    const text = JSON.stringify([items, mayBegin]);
    if (text === shownCommands) return;
    shownCommands = text;
    get("live-steer").hidden = !items.length;
    get("live-commands").replaceChildren(...items.map(({ what, command, choice }) => {
      const item = made("li", what);
      if (choice && mayBegin) {
        const button = made("button", "Begin …");
        button.type = "button";
        button.addEventListener("click", () => ask(what, choice));
        item.append(button);
      }
      if (command) item.append(commandLine(command));
      return item;
    }));
  }

  // -- a new search, once its command and what it costs have been seen ----------------------------------------

  const send = async (where, content) => {
    const answer = await fetch(where, { method: "POST", body: JSON.stringify(content) });
    const said = await answer.json();
    if (said.error) throw new Error(said.error);
    return said;
  };

  let choosing = null;
  async function ask(what, choice) {
    const mine = choosing = { ...choice };
    get("live-sure-what").textContent = `${what}, as a new experiment:`;
    get("live-sure-command").textContent = "";
    get("live-sure-cost").textContent = "The command is being checked …";
    get("live-begin").hidden = true;
    get("live-sure").showModal();
    try {
      const { command, cost, id } = await send("preview", choice);
      if (choosing !== mine) return;
      mine.id = id;
      get("live-sure-command").replaceChildren(...wordsApart(command));
      get("live-sure-cost").textContent = `It costs ${cost}.`;
      get("live-begin").hidden = false;
      get("live-begin").focus();
    } catch (error) {
      if (choosing === mine) get("live-sure-cost").textContent = `! ${error.message}`;
    }
  }

  get("live-begin").addEventListener("click", async () => {
    const mine = choosing;
    get("live-begin").hidden = true;
    try {
      const { done, id } = await send("begin", mine);
      if (choosing !== mine) return;
      const link = made("a", id);
      link.href = `../${encodeURIComponent(id)}/`;
      get("live-sure-cost").replaceChildren(`${done}: `, link);
    } catch (error) {
      if (choosing === mine) get("live-sure-cost").textContent = `! ${error.message}`;
    }
  });
  get("live-sure").addEventListener("close", () => { choosing = null; });

  // -- tags and note ----------------------------------------------------------------------------------------

  let noted = null; // as they were when they came into the form

  function showNotes() {
    get("live-notes").hidden = false;
    get("live-tags").replaceChildren(...state.tags.map((each) => made("span", each, "tagged")));
    const tags = state.tags.join(", ");
    const isOther = noted && (get("live-note-tags").value !== noted.tags.join(", ") || get("live-note-text").value !== noted.text);
    if (isOther) return; // somebody writes here
    noted = { tags: state.tags, text: state.note };
    get("live-note-tags").value = tags;
    get("live-note-text").value = state.note;
  }

  get("live-note").addEventListener("submit", async (event) => {
    event.preventDefault();
    const tags = get("live-note-tags").value.split(",").map((each) => each.trim()).filter(Boolean);
    const text = get("live-note-text").value.trim();
    const output = get("live-note-said");
    try {
      output.textContent = (await send("note", { tags, text, was: noted })).done;
      output.classList.remove("wrong");
      noted = { tags, text };
      get("live-note-tags").value = tags.join(", ");
      get("live-note-text").value = text;
      setTimeout(() => { output.textContent = ""; }, 4000);
    } catch (error) {
      output.textContent = error.message;
      output.classList.add("wrong");
      noted = { tags: state.tags, text: state.note }; // what is saved next is meant against what stands there now
    }
  });

  // -- stop and resume --------------------------------------------------------------------------------------

  async function act(button, what) {
    button.disabled = true;
    try {
      const answer = await fetch(what, { method: "POST" });
      const content = await answer.json();
      said = content.error ? `! ${content.error}` : content.done;
    } catch {
      said = "! The server does not answer.";
    }
    button.disabled = false;
    if (state) show();
    setTimeout(() => { said = ""; if (state) show(); }, 8000);
  }

  let sure = 0;
  get("live-stop").addEventListener("click", (event) => {
    const button = event.currentTarget;
    clearTimeout(sure);
    if (button.dataset.asked) {
      delete button.dataset.asked;
      button.textContent = "Stop";
      act(button, "stop");
      return;
    }
    button.dataset.asked = "1";
    button.textContent = "Stop? What is finished is kept";
    sure = setTimeout(() => { delete button.dataset.asked; button.textContent = "Stop"; }, 5000);
  });
  get("live-resume").addEventListener("click", (event) => act(event.currentTarget, "resume"));

  // -- logs -------------------------------------------------------------------------------------------------

  async function openLog(name, title) {
    log = name;
    get("live-log").hidden = false;
    get("live-log-name").textContent = title;
    get("live-log-alone").href = `../../files/${name.split("/").map(encodeURIComponent).join("/")}`;
    get("live-log").querySelector("pre").textContent = "";
    await followLog();
  }

  async function followLog() {
    if (!log) return;
    const shown = log;
    const answer = await fetch(get("live-log-alone").href, { cache: "no-store" });
    const text = answer.ok ? await answer.text() : "The log is not there.";
    const box = get("live-log").querySelector("pre");
    if (log !== shown || box.textContent === text) return;
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 30;
    box.textContent = text;
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  get("live-log-close").addEventListener("click", () => { log = ""; get("live-log").hidden = true; });

  // -- the report -------------------------------------------------------------------------------------------

  const figuresIn = (place) => [...place.querySelectorAll("[data-figure]")].map((each) => each.dataset.figure);
  const partsOf = (main) => [...main.children].filter((each) => !["live"].includes(each.id));
  const keyOf = (part) => [part.tagName, part.className, part.getAttribute("aria-labelledby"), figuresIn(part).join()].join(" ");

  // What stays as it is where a part of the page is renewed: it is drawn anew by itself, or a reader has set it.
  const KEPT = ".chart, .choices, .tools, #box, #answer";

  // The pairs of elements, before and now, by which all of a part but what stays becomes what it is now; null where
  // what stays has other places.
  function renewals(old, now) {
    if (old.ariaLabel !== now.ariaLabel) old.ariaLabel = now.ariaLabel;
    if (old.matches(KEPT)) return [];
    if (!old.querySelector(KEPT)) return old.innerHTML === now.innerHTML ? [] : [[old, now]];
    if (old.children.length !== now.children.length) return null;
    const found = [...old.children].map((each, place) => renewals(each, now.children[place]));
    return found.includes(null) ? null : found.flat();
  }

  function renew(old, now) {
    for (const one of now.querySelectorAll("details")) { // what a reader has opened stays open
      one.open ||= [...old.querySelectorAll("details[open]")].some((each) => each.firstChild.textContent === one.firstChild.textContent);
    }
    if (old.matches("details")) now.open = old.open;
    old.replaceWith(document.adoptNode(now));
  }

  // While a server ends, its page is better as it was than none.
  async function again() {
    if ((await fetch("state" + query, { cache: "no-store" })).ok) location.reload();
  }

  // A report that has the same parts takes the place of this one without a break; else the page is loaded again.
  async function take() {
    const answer = await fetch(location.pathname + query, { cache: "no-store" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    labelCells(next);
    const fresh = next.getElementById("live");
    if (fresh?.dataset.created !== created || !next.getElementById("colours")) return again();
    const [old, now] = [document, next].map((each) => partsOf(each.querySelector("main")));
    if (old.length !== now.length || old.some((part, place) => keyOf(part) !== keyOf(now[place]))) return again();
    const parts = old.map((part, place) => renewals(part, now[place]));
    if (parts.includes(null)) return again();
    for (const pair of parts.flat()) renew(...pair);
    const { charts, evaluations } = await window.comparatorRead(next);
    await idle();
    page.update({ answer: next.getElementById("answer").innerHTML, figures: charts });
    await idle();
    page.update({ evaluations });
    handed = Date.now();
    number = Number(fresh.dataset.page);
    held = "";
    records = Number(fresh.dataset.records);
    answered = { ...fresh.dataset };
    showAge();
  }

  async function news() {
    const answer = await fetch(`news${query ? `${query}&` : "?"}since=${records}&held=${held}`, { cache: "no-store" });
    if (!answer.ok) return;
    const content = await answer.json();
    if (content.created !== created) return;
    await page.add(content);
    records = content.records;
    held = content.held;
    handed = Date.now();
  }

  const isBusy = () => document.activeElement?.matches("input, select, textarea") || !getSelection().isCollapsed
    || get("live-sure").open;

  async function refresh() {
    if (state.created !== created) {
      if (!isBusy()) await again();
      return;
    }
    if (!page) {
      if (state.page.number > 0 && !state.page.failure) await again();
      return;
    }
    if (state.page.number !== number && !state.page.failure) {
      if (!isBusy()) await take();
      return;
    }
    if (state.records === records || Date.now() - handed < state.records * ROWS_A_MILLISECOND) return;
    if (number) await news();
    else if (!isBusy()) await take(); // before what is found is known the page is made of what there is
  }

  // -- looking again ----------------------------------------------------------------------------------------

  async function look() {
    try {
      const answer = await fetch("state" + query, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      const date = Date.parse(answer.headers.get("Date") || "");
      if (!Number.isNaN(date)) offset = Math.abs(Date.now() - date) < 2000 ? 0 : (Date.now() - date) / 1000;
      if (answer.status === 200) {
        tag = answer.headers.get("ETag") || "";
        state = await answer.json();
        show();
      } else if (answer.status !== 304) {
        throw new Error((await answer.json().catch(() => ({}))).error);
      }
      await refresh();
      await followLog();
      panel.classList.remove("lost");
    } catch (error) {
      panel.classList.add("lost");
      get("live-words").hidden = false;
      get("live-words").textContent = error.message && !(error instanceof TypeError) ? error.message
        : "The server does not answer any more: what stands here is as it was last.";
    }
    setTimeout(look, document.hidden ? HIDDEN : isAlive() || (state && state.page.is_being_made) ? SOON : LATER);
  }

  setInterval(tick, 1000);
  look();
});
