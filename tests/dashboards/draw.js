// Draws a dashboard with its answers as Grafana lays it out: 24 columns, rows of 30 pixels, 8 between panels.

const COLORS = { green: "#56A64B", red: "#E02F44", orange: "#FF780A", yellow: "#F2CC0C", blue: "#3274D9",
  purple: "#8F3BB8", text: "#6e7580", transparent: "transparent" };
const PALETTE = ["#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642",
  "#CCA300", "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477"];
const COLUMN = 1200 / 24, ROW = 38, GAP = 8, TITLE = 32, LEGEND_ROW = 18;

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
};

function draw(board) {
  document.body.append(header(board), element("main"));
  const main = document.querySelector("main");
  for (const panel of board.panels) main.append(framed(panel));
  for (const panel of board.panels) INTO[panel.type](panel, document.getElementById(panel.id), board.range);
  main.style.height = `${Math.max(...board.panels.map(({ gridPos: at }) => at.y + at.h)) * ROW}px`;
}

function header({ title, templating, range }) {
  const choices = templating.list.map((variable) => {
    const value = variable.type === "datasource" ? "Prometheus" : variable.current.text;
    return element("span", { className: "choice" }, `${variable.label} `, element("b", {}, value));
  });
  const times = range.map((time) => new Date(time * 1000).toISOString().slice(11, 19)).join(" to ");
  const shown = element("span", { className: "range" }, `${times} UTC`);
  return element("header", {}, element("h1", {}, title), ...choices, shown);
}

function framed({ id, type, title, description, gridPos: at }) {
  const told = description ? element("span", { className: "told" }, "i") : null;
  const section = element("section", { id, className: type }, element("h2", {}, title, told));
  Object.assign(section.style, { left: `${at.x * COLUMN}px`, top: `${at.y * ROW}px`,
    width: `${at.w * COLUMN - GAP}px`, height: `${at.h * ROW - GAP}px` });
  return section;
}

const INTO = { stat, table, timeseries };

function stat(panel, section) {
  const { text, color } = shown(panel.data[0] ?? null, panel.fieldConfig.defaults);
  const box = element("div", {}, text);
  box.style.background = COLORS[color] ?? color ?? COLORS.text;
  if (text.length > 9) box.style.fontSize = "22px";
  section.append(box);
}

function nothing(panel, section) {
  section.append(element("div", { className: "nothing" }, panel.fieldConfig.defaults.noValue ?? "No data"));
}

function table(panel, section) {
  if (!panel.data) return nothing(panel, section);
  const { columns, rows } = panel.data;
  const isNumber = (column) => rows.some((row) => typeof row[column] === "number");
  const head = columns.map((column) => element("th", { className: isNumber(column) ? "number" : "" }, column));
  const body = rows.map((row) => element("tr", {}, ...columns.map((column) => {
    const field = fieldOf(panel, column);
    const { text, color } = shown(row[column] ?? null, { noValue: "", ...field });
    const cell = element("td", { className: isNumber(column) ? "number" : "" }, text);
    if (field["custom.cellOptions"]?.type === "color-background" && color && color !== "transparent") {
      cell.classList.add("filled");
      cell.style.background = COLORS[color] ?? color;
    }
    return cell;
  })));
  section.append(element("table", {}, element("tr", {}, ...head), ...body));
}

function fieldOf(panel, name) {
  const { defaults, overrides } = panel.fieldConfig;
  const mine = overrides.filter(({ matcher }) => matches(matcher, name));
  return Object.assign({}, defaults, ...mine.flatMap(({ properties }) => properties)
    .map(({ id, value }) => ({ [id]: value })));
}

function matches({ id, options }, name) {
  if (id === "byName") return options === name;
  if (id === "byRegexp") return new RegExp(options.slice(1, options.lastIndexOf("/"))).test(name);
  throw new Error(`the matcher ${id} is not drawn here`);
}

function timeseries(panel, section, range) {
  if (!panel.data.length) return nothing(panel, section);
  const { defaults } = panel.fieldConfig;
  const lines = panel.data.map((line, number) => ({ ...line, ...look(fieldOf(panel, line.name), number) }));
  const stacked = defaults.custom.stacking?.mode === "normal";
  const legend = element("div", { className: "legend" }, ...lines.map(legendOf));
  section.append(legend);
  const room = { width: section.clientWidth - 16, height: section.clientHeight - TITLE - legend.offsetHeight - 10 };
  const values = stacked ? stack(lines.map((line) => line.values)) : lines.map((line) => line.values);
  const order = lines.map((_, number) => number);
  if (stacked) order.reverse(); // the highest first, so that the lower ones are drawn over it
  const plot = element("div");
  plot.style.padding = "0 8px";
  section.insertBefore(plot, legend);
  const between = stacked && defaults.custom.drawStyle !== "bars" ? order.slice(1).map((_, at) => [at + 1, at + 2]) : [];
  const bands = between.map((series) => ({ series }));
  const options = { ...room, bands, legend: { show: false }, cursor: { show: false }, scales: { x: { range: () => range }, y: { range: scale(defaults) } },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1e3), "UTC"), axes: axes(defaults),
    series: [{}, ...order.map((number) => lines[number].series)], hooks: { draw: [limits(defaults)] } };
  new uPlot(options, [panel.times, ...order.map((number) => values[number])], plot);
}

function look(field, number) {
  const color = COLORS[field.color?.fixedColor] ?? field.color?.fixedColor ?? PALETTE[number % PALETTE.length];
  const custom = { ...field.custom, ...Object.fromEntries(Object.entries(field)
    .filter(([id]) => id.startsWith("custom.")).map(([id, value]) => [id.slice("custom.".length), value])) };
  const fill = color + Math.round((custom.fillOpacity ?? 0) * 2.55).toString(16).padStart(2, "0");
  const paths = { bars: () => uPlot.paths.bars({ size: [0.9, 100], align: 0 }),
    line: () => (custom.lineInterpolation === "stepAfter" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear()),
  }[custom.drawStyle ?? "line"]();
  const dash = custom.lineStyle?.fill === "dash" ? custom.lineStyle.dash : undefined;
  const points = { show: custom.showPoints === "always" };
  return { color, series: { stroke: color, fill, width: custom.lineWidth ?? 1, dash, points, paths,
    spanGaps: custom.spanNulls === true } };
}

function legendOf({ name, color }) {
  const key = element("i");
  key.style.background = color;
  return element("span", {}, key, name);
}

function stack(series) {
  const sums = series[0].map(() => 0);
  return series.map((values) => values.map((value, at) => (value === null ? null : (sums[at] += value))));
}

function scale({ min, max }) {
  return (_, low, high) => {
    const top = max ?? (high > (min ?? low) ? high : (min ?? 0) + 1);
    return [min ?? low, max ?? top + (top - (min ?? low)) * 0.05];
  };
}

function axes(defaults) {
  const quiet = { stroke: "#5a6069", font: "11px DejaVu Sans", grid: { stroke: "#e9ebee", width: 1 }, ticks: { size: 4 } };
  const write = unit(defaults.unit);
  return [
    { ...quiet, values: (_, times) => times.map((time) => new Date(time * 1e3).toISOString().slice(11, 16)),
      space: 70, size: 26 },
    { ...quiet, values: (_, ticks) => ticks.map(write), size: 76, space: 34,
      incrs: defaults.unit === "s" ? [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120,
        300, 600, 900, 1800, 3600, 7200, 14400]
        : defaults.unit === "bytes" ? Array.from({ length: 40 }, (_, power) => 2 ** power) : undefined },
  ];
}

function limits({ custom, thresholds }) {
  if (custom.thresholdsStyle?.mode !== "line") return () => {};
  return (plot) => {
    for (const { value, color } of thresholds.steps.filter((step) => step.value !== null)) {
      const y = plot.valToPos(value, "y", true);
      if (y < plot.bbox.top) continue;
      plot.ctx.save();
      plot.ctx.strokeStyle = COLORS[color];
      plot.ctx.beginPath();
      plot.ctx.moveTo(plot.bbox.left, y);
      plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
      plot.ctx.stroke();
      plot.ctx.restore();
    }
  };
}
