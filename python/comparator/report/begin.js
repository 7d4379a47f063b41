"use strict";
// Unpacks a page: its figures, its table and its scripts stand in it compressed, and begin once they are whole.
//
// What is undone here is done by packing.py, which has the forms.
(() => {
  async function inflated(element) {
    const text = atob(element.textContent);
    const bytes = new Uint8Array(text.length);
    for (let place = 0; place < bytes.length; place += 1) bytes[place] = text.charCodeAt(place);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  function summed(steps) {
    let sum = 0;
    return steps.map((step) => (sum += step));
  }

  function columnOf(column, count, { texts, lists }) {
    if (Array.isArray(column)) return column;
    if ("all" in column) return new Array(count).fill(column.all);
    if (column.texts) return column.texts.map((place) => texts[place]);
    if (column.steps) return summed(column.steps);
    const { numbers, rows } = lists[column.lists];
    const found = Array.from({ length: count }, () => []);
    rows.forEach((row, place) => found[row].push(numbers[place]));
    return found;
  }

  function rowsOf({ columns, count }, pool) {
    const named = Object.entries(columns).map(([name, column]) => [name, columnOf(column, count, pool)]);
    return Array.from({ length: count }, (_, place) => Object.fromEntries(named.map(([name, values]) => [name, values[place]])));
  }

  // A specification whose layers have their rows again.
  function chartOf(chart, pool) {
    const layers = chart.layer ? { layer: chart.layer.map((each) => chartOf(each, pool)) } : {};
    const data = chart.data?.columns ? { data: { values: rowsOf(chart.data, pool) } } : {};
    return { ...chart, ...layers, ...data };
  }

  // The table, each row as its number, status, cells, logs and reason.
  function tableOf({ names, shares, axes, count, number, status, cells, logs, reason }, pool) {
    const [statuses, columns, reasons, named] = [
      columnOf(status, count, pool), cells.map((each) => columnOf(each, count, pool)),
      columnOf(reason, count, pool), columnOf(logs.names, count, pool),
    ];
    const addresses = logs.addresses.split("\n");
    let next = 0;
    const logsOf = (text) => (text ? text.split("\n").map((name) => [name, logs.head + addresses[next++] + logs.tail]) : []);
    const rows = summed(number).map((each, place) => (
      [each, statuses[place], columns.map((values) => values[place]), logsOf(named[place]), reasons[place] || null]));
    return { columns: names, shares, axes, rows };
  }

  // What a page draws: `charts`, specifications by name, and `evaluations`; null where it has nothing packed.
  async function read(page) {
    const element = page.getElementById("packed");
    if (!element) return null;
    const { charts, table, texts, lists } = JSON.parse(await inflated(element));
    const pool = { texts, lists: lists.map(({ numbers, rows }) => ({ numbers: summed(numbers), rows })) };
    const figures = Object.entries(charts).map(([name, chart]) => [name, chartOf(chart, pool)]);
    return { charts: Object.fromEntries(figures), evaluations: tableOf(table, pool) };
  }

  async function begin() {
    window.comparatorContent = await read(document);
    for (const one of document.querySelectorAll("script[data-packed]")) {
      const script = document.createElement("script");
      script.textContent = await inflated(one);
      document.body.append(script);
    }
  }

  window.comparatorRead = read;
  window.comparatorReady = begin().catch((error) => {
    const said = document.getElementById("unread");
    said.hidden = false;
    said.append(` (${error.message})`);
    console.error(error);
  });
})();
