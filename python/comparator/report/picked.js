"use strict";
// What is picked of a figure that is drawn as an image: its marks alone, on a canvas of their own.
//
// The figure is drawn once without its marks, and once as a whole, which lies faintly over it. What is picked then costs
// no more than its marks, and these are drawn a part at a time: a frame of the screen never waits for all of them.
(() => {
  const { made } = window.comparatorElements;
  const WORK = 5; // milliseconds of drawing between two frames of the screen
  const AT_ONCE = 100; // marks that are drawn between two looks at the clock

  // The marks of a view that stand for evaluations, in the order in which they are drawn, and where their groups lie.
  function* marksOf(mark, x = 0, y = 0) {
    if (mark.marktype !== "group") {
      const items = mark.items.filter((item) => item.datum?.evaluations);
      if (items.length) yield { mark, items, x, y };
      return;
    }
    for (const group of mark.items) {
      for (const inner of group.items) yield* marksOf(inner, x + (group.x || 0), y + (group.y || 0));
    }
  }

  async function drawAnew(view) {
    view.dirty(view.scenegraph().root.items[0]);
    await view.runAsync();
  }

  // -- marks that have one outline and one look: many of a look are one path --------------------------------

  const OUTLINES = {
    circle: (pen, x, y, size) => {
      const radius = Math.sqrt(size) / 2;
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    },
    square: (pen, x, y, size) => {
      const side = Math.sqrt(size);
      pen.rect(x - side / 2, y - side / 2, side, side);
    },
  };
  const outlineOf = (item) => OUTLINES[item.shape || "circle"];
  const isPlain = ({ mark, items }) => mark.marktype === "symbol"
    && items.every((item) => outlineOf(item) && !item.strokeDash && !item.angle);
  const LOOK = ["fill", "stroke", "strokeWidth", "opacity", "fillOpacity", "strokeOpacity", "shape"];
  const looksAs = (one, other) => LOOK.every((name) => one[name] === other[name]);

  function paint(pen, items) {
    for (let first = 0; first < items.length;) {
      const look = items[first];
      const opacity = look.opacity ?? 1;
      const [hasFill, hasRim] = [look.fill, look.stroke].map((colour) => colour && colour !== "transparent");
      // One by one where that shows: where a rim sets a mark off from the one below, or where this shines through.
      const isOne = (hasFill && hasRim) || opacity < 1;
      let next = first;
      pen.beginPath();
      do {
        const { x, y, size } = items[next];
        outlineOf(look)(pen, x ?? 0, y ?? 0, size ?? 64);
        next += 1;
      } while (!isOne && next < items.length && looksAs(items[next], look));
      if (hasFill) {
        pen.globalAlpha = opacity * (look.fillOpacity ?? 1);
        pen.fillStyle = look.fill;
        pen.fill();
      }
      if (hasRim) {
        pen.globalAlpha = opacity * (look.strokeOpacity ?? 1);
        pen.strokeStyle = look.stroke;
        pen.lineWidth = look.strokeWidth ?? 1;
        pen.stroke();
      }
      first = next;
    }
    pen.globalAlpha = 1;
  }

  // -- layers ------------------------------------------------------------------------------------------------

  class Layers {
    constructor(view) {
      this.view = view;
      this.drawn = view.container().querySelector("canvas");
      this.whole = this.above("whole");
      this.whole.getContext("2d").drawImage(this.drawn, 0, 0);
      this.picked = this.above("picked");
      this.marks = null;
    }

    sized(kind) {
      const { width, height, style } = this.drawn;
      const one = Object.assign(made("canvas", undefined, `layer ${kind}`), { width, height });
      Object.assign(one.style, { width: style.width, height: style.height });
      return one;
    }

    above(kind) {
      const one = this.sized(kind);
      this.drawn.parentElement.classList.add("layered");
      this.drawn.parentElement.append(one);
      return one;
    }

    // Draws the figure without its marks; they are what they were when a mouse looks for them.
    async prepare() {
      this.marks = [...marksOf(this.view.scenegraph().root)].map((each) => ({ ...each, isPlain: isPlain(each) }));
      this.next = this.sized("next");
      const items = this.marks.flatMap((each) => each.items);
      const opacities = items.map((item) => item.opacity);
      for (const item of items) item.opacity = 0;
      await drawAnew(this.view);
      items.forEach((item, number) => { item.opacity = opacities[number]; });
    }

    // Shows the marks of these evaluations alone, all where null; `rest` is waited for between two parts.
    async show(numbers, rest) {
      if (numbers) {
        if (!this.marks) { await this.prepare(); await rest(); }
        await this.draw(numbers, rest);
      }
      this.whole.classList.toggle("faint", Boolean(numbers));
      this.picked.hidden = !numbers;
      this.drawn.style.opacity = numbers || !this.marks ? "" : 0;
    }

    async draw(numbers, rest) {
      const { view, picked, next } = this;
      const pen = next.getContext("2d", { willReadFrequently: true });
      const [origin, padding] = [view.origin(), view.padding()];
      const ratio = next.width / (Number.parseFloat(next.style.width) || next.width);
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, next.width, next.height);
      let began = performance.now();
      let count = 0;
      for (const { mark, items, x, y, isPlain: plain } of this.marks) {
        const shown = items.filter((item) => item.datum.evaluations.some((one) => numbers.has(one)));
        for (let first = 0; first < shown.length; first += AT_ONCE) {
          const part = mark.marktype === "line" ? mark.items : shown.slice(first, first + AT_ONCE);
          pen.setTransform(ratio, 0, 0, ratio, ratio * (origin[0] + padding.left + x), ratio * (origin[1] + padding.top + y));
          if (plain) paint(pen, part); else view._renderer.draw(pen, { ...mark, items: part }, null);
          count += part.length;
          if (count < AT_ONCE) continue;
          count = 0;
          pen.getImageData(0, 0, 1, 1); // what was asked for is drawn now, not all at the end
          if (performance.now() - began < WORK) continue;
          await rest();
          began = performance.now();
        }
      }
      const shows = picked.getContext("2d");
      shows.globalCompositeOperation = "copy";
      shows.drawImage(next, 0, 0);
    }

    // Takes the layers away, with all marks drawn below them.
    async remove() {
      if (this.marks) await drawAnew(this.view);
      this.drawn.style.opacity = "";
      this.whole.remove();
      this.picked.remove();
    }
  }

  window.comparatorPicked = { Layers };
})();
