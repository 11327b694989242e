// How Grafana writes a number in each of the units that our dashboards use.

const digits = (value) => {
  const size = Math.abs(value);
  const decimals = size === 0 || size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(decimals)));
};

const scaled = (value, steps, last) => {
  const size = Math.abs(value);
  const [, divisor, suffix] = steps.find(([below]) => size < below) ?? [0, ...last];
  return digits(value / divisor) + suffix;
};

const DURATIONS = [
  [1e-3, 1e-6, " µs"], [1, 1e-3, " ms"], [60, 1, " s"], [3600, 60, " mins"], [86400, 3600, " hours"],
  [604800, 86400, " days"],
];
const BYTES = [[2 ** 10, 1, " B"], [2 ** 20, 2 ** 10, " KiB"], [2 ** 30, 2 ** 20, " MiB"]];
const per = (what) => (value) => scaled(value, [[1e3, 1, ` ${what}`], [1e6, 1e3, ` K${what}`]], [1e6, ` M${what}`]);

const UNITS = {
  none: digits,
  short: (value) => scaled(value, [[1e3, 1, ""], [1e6, 1e3, " K"]], [1e6, " Mil"]),
  s: (value) => (value === 0 ? "0 s" : scaled(value, DURATIONS, [604800, " weeks"])),
  percentunit: (value) => `${digits(value * 100)}%`,
  bytes: (value) => scaled(value, BYTES, [2 ** 30, " GiB"]),
  reqps: per("req/s"),
  eps: per("evt/s"),
  ops: per("ops/s"),
  rowsps: per("rows/s"),
  bool_yes_no: (value) => (value ? "Yes" : "No"),
};

// The text and colour of a value, or of no value, by mappings, thresholds and unit.
function shown(value, field) {
  const mapped = (field.mappings ?? []).map((mapping) => mappedTo(value, mapping)).find(Boolean) ?? {};
  const color = mapped.color ?? threshold(value, field.thresholds);
  if (mapped.text !== undefined) return { text: mapped.text, color };
  if (value === null || value === undefined) return { text: field.noValue ?? "No data", color };
  if (typeof value === "string") return { text: value, color };
  return { text: unit(field.unit)(value), color };
}

function unit(name) {
  if (!((name ?? "none") in UNITS)) throw new Error(`the unit ${name} is not drawn here`);
  return UNITS[name ?? "none"];
}

function mappedTo(value, { type, options }) {
  if (type === "value") return options[String(value)];
  if (type === "special" && options.match === "null") return value === null || value === undefined ? options.result : null;
  throw new Error(`the mapping ${type} is not drawn here`);
}

function threshold(value, thresholds) {
  const steps = thresholds?.steps ?? [];
  return steps.filter((step) => step.value === null || value >= step.value).at(-1)?.color;
}
