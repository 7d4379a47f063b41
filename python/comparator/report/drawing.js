"use strict";
// The figures of a page: how they are drawn, renewed and faded, and the frames that a reader draws on them.
//
// Nothing here takes longer than a frame of the screen by the number of marks: thousands are drawn a part at a time into
// a view that is not shown yet; what is new is added to a view that stands; what is not picked fades on what is drawn.
(() => {
  const { made, frame, idle } = window.comparatorElements;
  const { Layers } = window.comparatorPicked;
  const MANY = 600; // marks of a figure; from here on it is drawn as an image, which stays quick
  const NARROW = 480; // pixels
  const WORK = 8; // milliseconds of drawing between two frames of the screen
  const SMALL = 200; // marks of a layer that are drawn at once
  const FADED = 0.12; // of the opacity of what is picked
  const DRAG = 4; // pixels; less is a click
  const BESIDE = 0.05; // of the height of parallel coordinates: how far a frame goes beyond the places it holds
  const colours = JSON.parse(document.getElementById("colours")?.textContent || "{}");
  const tip = document.getElementById("tip");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const texts = new Map(); // by the name of a figure: its specification as text, until it is looked at
  const contents = new Map(); // the same, as `apart` gives it
  const views = new Map(); // {name, isImage, size, view, content, fades, ready}
  const inSight = new Set(); // names
  let hooks = { clicked: () => undefined, framed: () => undefined };
  let axes = new Map(); // of hyperparameters, by their names
  let conditions = new Map();

  const pictures = () => [...document.querySelectorAll("[data-figure]")];
  const pictureOf = (name) => pictures().find((one) => one.dataset.figure === name);
  const chartOf = (picture) => picture.querySelector(".chart");

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

  // -- specifications ---------------------------------------------------------------------------------------

  function layersOf(chart) {
    return [chart, ...(chart.layer || []).flatMap(layersOf)];
  }

  // A specification without its rows, as text, and its rows layer by layer; `growing` names the layers that keep theirs.
  function apart(chart) {
    const rows = [], growing = [];
    for (const layer of layersOf(chart)) {
      if (!layer.data?.values) continue;
      growing.push(layer.name?.startsWith("growing") ? layer.name : null);
      rows.push(layer.data.values);
      layer.data = { name: `rows-${rows.length - 1}` };
    }
    return { frame: JSON.stringify(chart), rows, growing, axes: chart.usermeta?.axes };
  }

  function contentOf(name) {
    if (!contents.has(name) && texts.has(name)) contents.set(name, apart(JSON.parse(texts.get(name))));
    return contents.get(name);
  }

  // A layer's row may stand for a row of marks.
  const marksIn = (row) => Object.entries(row).reduce((most, [field, value]) =>
    (Array.isArray(value) && field !== "evaluations" ? Math.max(most, value.length) : most), 1);
  // How much there is to draw: a line across several axes counts as often.
  const sizeOf = ({ rows, axes: shown }) => rows.flat().length * (shown?.across?.length || 1);
  const countOf = (rows) => rows.reduce((sum, row) => sum + marksIn(row), 0);

  // An image has no elements that the page's style could colour.
  function coloured(content) {
    const text = JSON.stringify(content);
    const style = getComputedStyle(document.documentElement);
    return JSON.parse(text.replace(/"(#[0-9a-f]{6})"/g, (whole, colour) =>
      colours[colour] ? JSON.stringify(style.getPropertyValue(colours[colour]).trim()) : whole));
  }

  const hasColour = (row) => Object.values(row).some((value) => typeof value === "string" && colours[value]);
  const asShown = (isImage, rows) => (isImage && rows.some(hasColour) ? coloured(rows) : rows);

  // -- drawing ----------------------------------------------------------------------------------------------

  function widthOf(picture) {
    const figure = picture.closest("figure");
    return Math.max(200, Math.floor(figure ? figure.clientWidth : picture.clientWidth));
  }

  function draw(picture) {
    const name = picture.dataset.figure;
    if (views.has(name)) return views.get(name).ready;
    const content = contentOf(name);
    if (!content) return undefined;
    const isImage = sizeOf(content) >= MANY;
    const entry = { name, content, isImage, size: widthOf(picture), view: null, fades: -1, ready: null };
    views.set(name, entry);
    entry.ready = fillIn(entry, picture).catch((error) => {
      chartOf(picture).textContent = "This figure cannot be drawn here: " + error.message;
      console.error(name, error);
    });
    return entry.ready;
  }

  async function fillIn(entry, picture) {
    const { content, isImage, size } = entry;
    const spec = isImage ? coloured(JSON.parse(content.frame)) : JSON.parse(content.frame);
    const all = new Map(content.rows.map((rows, place) => [`rows-${place}`, rows]));
    const later = [...all].filter(([, rows]) => countOf(rows) > SMALL);
    for (const [name] of later) all.delete(name);
    for (const { data } of layersOf(spec)) if (all.has(data?.name)) data.values = asShown(isImage, all.get(data.name));
    if (spec.width === "container") spec.width = size;
    // On a narrow screen a map that is as high as on a wide one leaves no room for what it says.
    if (size < NARROW && spec.height > 0.7 * size) spec.height = Math.round(0.7 * size);
    const renderer = isImage ? "canvas" : "svg";
    const holder = made("div");
    const { view } = await comparatorEmbed(holder, spec, {
      ast: true,
      actions: false,
      logLevel: 1, // errors alone
      renderer: later.length ? "none" : renderer,
      config: { aria: false },
      tooltip: (_, event, item, value) => say(value && !drag ? String(value) : "", event?.clientX ?? 0, event?.clientY ?? 0),
    });
    for (const [name, rows] of later) await insert(entry, view, name, rows);
    if (views.get(entry.name) !== entry) { view.finalize(); return; }
    if (later.length) await view.renderer(renderer).initialize(view.container()).runAsync();
    entry.view = view;
    chartOf(picture).replaceChildren(holder);
    chartOf(picture).style.minHeight = "";
    chartOf(picture).classList.toggle("framed", Boolean(content.axes));
    if (content.rows.some((rows) => rows.some((row) => row.tip))) chartOf(picture).tabIndex = 0;
    view.addEventListener("click", (_, item) => {
      const numbers = item?.datum?.evaluations;
      if (numbers?.length && !dragged) hooks.clicked(numbers);
    });
    if (picked) await fadeNow(entry);
    showFrames(entry);
    picture.dataset.drawn = "";
  }

  // Adds rows to a view, as many at a time as there is time for.
  async function insert(entry, view, name, rows) {
    const least = Math.max(1, Math.round(40 / marksIn(rows[0])));
    let size = least;
    for (let first = 0; first < rows.length && views.get(entry.name) === entry;) {
      const began = performance.now();
      const part = asShown(entry.isImage, rows.slice(first, first + size));
      await view.insert(name, part).runAsync();
      first += part.length;
      const took = Math.max(1, performance.now() - began);
      size = Math.max(least, Math.min(2 * size, Math.round(part.length * WORK / took)));
      await frame();
    }
  }

  function redraw(isWanted) {
    for (const [name, entry] of [...views]) {
      if (!isWanted(name, entry)) continue;
      views.delete(name);
      const picture = pictureOf(name);
      if (!picture) { entry.view?.finalize(); continue; }
      chartOf(picture).style.minHeight = chartOf(picture).offsetHeight + "px"; // nothing below jumps meanwhile
      draw(picture)?.finally(() => entry.view?.finalize());
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const name = target.dataset.figure;
      if (isIntersecting) { inSight.add(name); draw(target); work(); } else inSight.delete(name);
    }
  }, { rootMargin: "300px" });

  // What is not looked at yet is drawn one after the other in free moments, so that it is there to be printed.
  async function drawTheRest() {
    for (let next; (next = pictures().find((one) => !views.has(one.dataset.figure) && texts.has(one.dataset.figure)));) {
      await idle();
      await draw(next);
    }
  }

  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    for (const entry of views.values()) entry.place = null;
    resizing = setTimeout(() => redraw((name, entry) => {
      const picture = pictureOf(name);
      return picture && widthOf(picture) !== entry.size;
    }), 150);
  });
  dark.addEventListener("change", () => redraw((_, entry) => entry.isImage));

  // -- what is done figure by figure, those in sight first --------------------------------------------------

  let picked = null; // numbers of evaluations; null where all are
  let round = 0; // of picking
  const changed = new Set(); // names of figures that have new results
  let works = false;

  // Those in sight, strictly.
  function isSeen({ name }) {
    const box = inSight.has(name) && pictureOf(name)?.getBoundingClientRect();
    return Boolean(box) && box.bottom > 0 && box.top < innerHeight && box.height > 0;
  }

  async function work() {
    if (works) return;
    works = true;
    for (;;) {
      const waits = [...views.values()].filter((one) => one.view && (changed.has(one.name) || one.fades !== round));
      const visible = waits.find((one) => one === drag?.entry) || waits.find(isSeen);
      const next = visible || (drag ? null : waits[0]);
      if (!next) break;
      await (visible ? frame() : idle());
      if (views.get(next.name) !== next) continue;
      try {
        if (changed.delete(next.name)) await renew(next);
        else await fadeNow(next);
      } catch (error) {
        next.fades = round;
        console.error(next.name, error);
      }
    }
    works = false;
  }

  function* itemsOf(mark) {
    for (const item of mark.items) {
      if (mark.marktype === "group") for (const inner of item.items) yield* itemsOf(inner);
      else yield item;
    }
  }

  // The marks that say something: those of evaluations where a figure has any, each once, from left to right.
  function speaking(view) {
    const items = [...itemsOf(view.scenegraph().root)].filter((item) => item.datum?.tip && item.bounds);
    const ofSome = items.filter((item) => item.datum.evaluations);
    const once = new Map(ofSome.map((item) => [`${item.datum.tip} ${item.datum.evaluations}`, item]));
    return (once.size ? [...once.values()] : items).sort((one, other) => one.bounds.x1 - other.bounds.x1 || one.bounds.y1 - other.bounds.y1);
  }

  // What they say, what they stand for, and where they are in the window.
  function marks(name) {
    const view = views.get(name)?.view;
    const place = view && placeOf(view);
    if (!place) return [];
    const box = chartOf(pictureOf(name)).getBoundingClientRect();
    return speaking(view).map(({ datum, bounds }) => ({
      text: datum.tip,
      numbers: datum.evaluations,
      x: box.left + place.left + place.ratio * (bounds.x1 + bounds.x2) / 2,
      y: box.top + place.top + place.ratio * (bounds.y1 + bounds.y2) / 2,
    }));
  }

  // Fades on what is drawn: to have it worked out again, mark by mark, would take a hundred times as long.
  async function fadeNow(entry) {
    entry.fades = round;
    if (!entry.isImage) { fade(entry, FADED); return; }
    if (!entry.layers && !picked) return;
    entry.layers ??= new Layers(entry.view);
    await entry.layers.show(picked, () => rest(entry));
  }

  // The next frame; a figure that a frame is drawn on does not wait until another is done.
  async function rest(entry) {
    await frame();
    const own = drag?.entry;
    if (own && own !== entry && own.view && own.fades !== round) await fadeNow(own);
  }

  function fade({ view }, faded) {
    for (const item of itemsOf(view.scenegraph().root)) {
      const numbers = item.datum?.evaluations;
      if (!numbers) continue;
      item.whole ??= item.opacity ?? 1;
      const opacity = !picked || numbers.some((one) => picked.has(one)) ? item.whole : faded * item.whole;
      if (item.opacity === opacity) continue;
      item.opacity = opacity;
      // Of an element its colours fade: an opacity of its own would make a layer of each.
      if (item._svg) item._svg.style.fillOpacity = item._svg.style.strokeOpacity = opacity === item.whole ? "" : opacity;
    }
  }

  // Takes away what lies over an image, which then shows all of its marks.
  async function bare(entry) {
    const { layers } = entry;
    entry.layers = null;
    await layers?.remove();
  }

  function pick(numbers) {
    picked = numbers;
    round += 1;
    work();
  }

  // -- new results ------------------------------------------------------------------------------------------

  const textOf = (rows) => JSON.stringify(rows);

  // What `now` has more than `before`, where it has all of that; else null.
  function growth(before, now) {
    if (now.length < before.length) return null;
    if (before.every((row, place) => row === now[place])) return now.slice(before.length);
    const had = new Set(before.map(textOf));
    const more = now.filter((row) => !had.delete(textOf(row)));
    return had.size ? null : more;
  }

  async function renew(entry) {
    const { view, content: before } = entry;
    const now = contentOf(entry.name);
    const redrawn = () => redraw((name) => name === entry.name);
    if (now.frame !== before.frame) return redrawn();
    const more = now.rows.map((rows, place) => (rows === before.rows[place] ? [] : growth(before.rows[place], rows)));
    if (!entry.isImage && sizeOf(now) >= MANY) return redrawn();
    for (const [place, rows] of now.rows.entries()) {
      if (!more[place] && countOf(rows) > SMALL) return redrawn();
    }
    for (const [place, rows] of now.rows.entries()) {
      const name = `rows-${place}`;
      if (more[place]?.length) await insert(entry, view, name, more[place]);
      else if (!more[place]) await view.remove(name, () => true).insert(name, asShown(entry.isImage, rows)).runAsync();
    }
    await bare(entry);
    entry.content = now;
    entry.place = null;
    entry.fades = picked ? -1 : round;
    showFrames(entry);
    return undefined;
  }

  // Takes specifications by name, as objects or as text; says which have no place on the page.
  function take(charts) {
    for (const [name, chart] of Object.entries(charts)) {
      const text = typeof chart === "string" ? chart : JSON.stringify(chart);
      if (texts.get(name) === text) continue;
      texts.set(name, text);
      contents.delete(name);
      changed.add(name);
    }
    work();
    const held = new Set(pictures().map((one) => one.dataset.figure));
    return Object.keys(charts).filter((name) => !held.has(name));
  }

  // Takes specifications whose growing layers have the new rows alone, and others none where they are as they were.
  function grow(charts) {
    for (const [name, chart] of Object.entries(charts)) {
      const before = contentOf(name);
      const now = apart(chart);
      now.rows = now.rows.map((rows, place) => {
        if (rows === "held") return before.rows[place];
        const layer = now.growing[place];
        const kept = layer && before ? before.rows[before.growing.indexOf(layer)] : null;
        if (kept) return rows.length ? kept.concat(rows) : kept;
        return rows;
      });
      contents.set(name, now);
      texts.set(name, "");
      changed.add(name);
    }
    work();
  }

  // -- frames: what a reader draws on a figure is a condition on what its axes show ---------------------------

  const scaled = (axis, place) => (axis.log ? Math.log10(place) : place);

  // Parallel coordinates show each axis as shares of it.
  function shareOf(axis, place) {
    const [low, high] = [scaled(axis, axis.low), scaled(axis, axis.high)];
    return (scaled(axis, place) - low) / (high - low);
  }

  function placeAt(axis, share) {
    const [low, high] = [scaled(axis, axis.low), scaled(axis, axis.high)];
    const place = low + Math.min(1, Math.max(0, share)) * (high - low);
    return axis.log ? 10 ** place : place;
  }

  const axisOf = (name) => axes.get(name) || { low: -Infinity, high: Infinity };

  // The condition that two places of an axis are the ends of.
  function sideOf(name, one, other) {
    const axis = axisOf(name);
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    if (axis.values) {
      const [from, to] = [Math.max(0, Math.round(low)), Math.min(axis.values.length - 1, Math.round(high))];
      return { values: axis.values.slice(from, to + 1) };
    }
    const round = axis.whole ? Math.round : (number) => Number(number.toPrecision(4));
    return { from: round(Math.max(low, axis.low)), to: round(Math.min(high, axis.high)) };
  }

  // The stretches of an axis that a condition holds.
  function stretches(name, side) {
    const axis = axisOf(name);
    if (!side.values) return [[side.from, side.to]];
    const held = side.values.map((value) => (axis.values || []).indexOf(value)).filter((place) => place >= 0).sort((a, b) => a - b);
    const found = [];
    for (const place of held) {
      const last = found.at(-1);
      if (last && last[1] === place - 0.5) last[1] = place + 0.5;
      else found.push([place - 0.5, place + 0.5]);
    }
    return found;
  }

  // Where a figure's plot lies in its element, and what turns its places into pixels; null where it is not seen.
  function plotOf(entry) {
    const { view, content } = entry;
    entry.place ??= placeOf(view);
    return entry.place && { ...entry.place, x: view.scale("x"), y: view.scale("y"), across: content.axes.across };
  }

  function placeOf(view) {
    const drawn = view.container().querySelector("canvas:not(.layer), svg");
    const chart = view.container().closest(".chart");
    const [box, outer] = [drawn?.getBoundingClientRect(), chart?.getBoundingClientRect()];
    if (!box?.width || !outer) return null;
    const [origin, padding] = [view.origin(), view.padding()];
    const whole = view.width() + origin[0] + padding.left + padding.right;
    const ratio = drawn.tagName === "CANVAS" ? box.width / (Number.parseFloat(drawn.style.width) || box.width)
      : box.width / (Number(drawn.getAttribute("width")) || whole);
    return {
      ratio,
      left: box.left - outer.left + ratio * (origin[0] + padding.left),
      top: box.top - outer.top + ratio * (origin[1] + padding.top),
      width: ratio * view.width(),
      height: ratio * view.height(),
    };
  }

  const between = (low, value, high) => Math.min(high, Math.max(low, value));

  // Rectangles [left, top, width, height] of a plot, in pixels of it.
  function rectanglesOf(entry, plot) {
    const { axes: shown } = entry.content;
    const pixels = (scale, low, high, most) => {
      const ends = [scale(low), scale(high)].map((each) => between(0, plot.ratio * each, most));
      return [Math.min(...ends), Math.max(...ends)];
    };
    if (plot.across) {
      return plot.across.flatMap((name, column) => (conditions.has(name) ? stretches(name, conditions.get(name)) : [])
        .map(([low, high]) => {
          const axis = axisOf(name);
          const [top, foot] = pixels(plot.y, shareOf(axis, high), shareOf(axis, low), plot.height);
          return [plot.ratio * plot.x(column) - 9, top - 2, 18, foot - top + 4];
        }));
    }
    const sides = ["x", "y"].map((which) => (conditions.has(shown[which]) ? stretches(shown[which], conditions.get(shown[which])) : null));
    if (!sides[0] && !sides[1]) return [];
    const all = [[0, plot.width], [0, plot.height]];
    const [across, up] = sides.map((side, number) => (side
      ? side.map(([low, high]) => pixels(number ? plot.y : plot.x, low, high, number ? plot.height : plot.width)) : [all[number]]));
    return across.flatMap(([left, right]) => up.map(([top, foot]) => [left, top, right - left, foot - top]));
  }

  function framesOf(entry) {
    const plot = conditions.size ? plotOf(entry) : null;
    return plot ? rectanglesOf(entry, plot).map(([left, top, width, height]) => (
      { left: plot.left + left + "px", top: plot.top + top + "px", width: width + "px", height: height + "px" })) : [];
  }

  // All places are asked for before anything is changed: each change would have them worked out again.
  function showFrames(...entries) {
    const shown = entries.filter(({ view, content }) => view && content.axes && view.container()?.closest(".chart"));
    const frames = shown.map(framesOf);
    shown.forEach(({ view }, number) => {
      const chart = view.container().closest(".chart");
      const old = [...chart.querySelectorAll(".frame")];
      for (const one of old.slice(frames[number].length)) one.remove();
      frames[number].forEach((style, place) => {
        if (!old[place]) chart.append(old[place] = made("div", undefined, "frame"));
        Object.assign(old[place].style, style);
      });
    });
  }

  function show(now) {
    conditions = now;
    showFrames(...views.values());
  }

  // What a drag from one point of a plot to another means: conditions by name, null for none any more.
  function meant(entry, plot, start, end) {
    const { axes: shown } = entry.content;
    const at = (which, point) => plot[which].invert(point[which] / plot.ratio);
    if (plot.across) {
      const column = between(0, Math.round(plot.x.invert(start.x / plot.ratio)), plot.across.length - 1);
      const name = plot.across[column];
      if (!end) return { [name]: null };
      return { [name]: sideOf(name, ...[start, end].map((point) => placeAt(axisOf(name), at("y", point)))) };
    }
    return Object.fromEntries(["x", "y"].filter((which) => shown[which])
      .map((which) => [shown[which], end ? sideOf(shown[which], at(which, start), at(which, end)) : null]));
  }

  let drag = null; // {entry, plot, start, isOver}
  let dragged = false; // whether the click that comes ends a drag

  function pointIn(plot, chart, event) {
    const box = chart.getBoundingClientRect();
    return {
      x: between(0, event.clientX - box.left - plot.left, plot.width),
      y: between(0, event.clientY - box.top - plot.top, plot.height),
    };
  }

  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest?.(".chart.framed");
    const entry = views.get(chart?.closest("[data-figure]")?.dataset.figure);
    dragged = false;
    if (!entry?.view || event.button !== 0) return;
    const plot = plotOf(entry);
    const box = chart.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - plot.left, event.clientY - box.top - plot.top];
    const beyond = plot.across ? 20 : 0;
    if (x < -beyond || y < 0 || x > plot.width + beyond || y > plot.height) return;
    drag = { entry, plot, chart, pointer: event.pointerId, start: pointIn(plot, chart, event), last: null, waits: false };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const point = pointIn(drag.plot, drag.chart, event);
    if (!drag.last && Math.hypot(point.x - drag.start.x, point.y - drag.start.y) < DRAG) return;
    if (!drag.last) { say(""); getSelection().removeAllRanges(); document.body.classList.add("frames"); }
    drag.last = point;
    if (drag.waits) return;
    drag.waits = true;
    const mine = drag;
    requestAnimationFrame(() => {
      mine.waits = false;
      if (drag === mine) hooks.framed(meant(mine.entry, mine.plot, mine.start, mine.last), false);
    });
  });

  function endDrag(event) {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { entry, plot, start, last, chart } = drag;
    drag = null;
    document.body.classList.remove("frames");
    if (event.type === "pointercancel") { hooks.framed({}, true); return; }
    if (last) {
      dragged = true;
      hooks.framed(meant(entry, plot, start, last), true);
    } else if (chart.querySelector(".frame") && tip?.hidden !== false) { // a click beside all marks
      hooks.framed(meant(entry, plot, start, null), true);
    }
  }
  document.addEventListener("pointerup", endDrag);
  document.addEventListener("pointercancel", endDrag);

  // -- files ------------------------------------------------------------------------------------------------

  async function save(picture, form) {
    await draw(picture);
    const entry = views.get(picture.dataset.figure);
    const { view } = entry;
    if (picked) fade(entry, FADED);
    let address;
    if (form === "svg") {
      const text = (await view.toSVG()).replace("<svg ", '<svg style="background:white" ');
      address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    } else {
      const drawn = await view.toCanvas(3);
      const paper = Object.assign(made("canvas"), { width: drawn.width, height: drawn.height });
      const pen = paper.getContext("2d");
      pen.fillStyle = "white";
      pen.fillRect(0, 0, paper.width, paper.height);
      pen.drawImage(drawn, 0, 0);
      address = paper.toDataURL("image/png");
    }
    Object.assign(made("a"), { href: address, download: `${picture.dataset.figure}.${form}` }).click();
    if (picked && entry.isImage) for (const item of itemsOf(view.scenegraph().root)) item.opacity = item.whole ?? item.opacity;
    if (form === "svg") setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  // -- begin ------------------------------------------------------------------------------------------------

  for (const one of document.querySelectorAll("script[data-chart]")) texts.set(one.dataset.chart, one.textContent);
  for (const [name, chart] of Object.entries(window.comparatorContent?.charts || {})) texts.set(name, JSON.stringify(chart));

  function begin(given) {
    hooks = given;
    for (const one of pictures()) seen.observe(one);
    if (document.readyState === "complete") drawTheRest(); else addEventListener("load", drawTheRest);
  }

  window.comparatorFigures = {
    begin, take, grow, pick, show, save, say, marks,
    click: (numbers) => { if (numbers?.length) hooks.clicked(numbers); },
    know: (given) => { axes = given; },
    drawAll: () => pictures().forEach(draw),
  };
})();
