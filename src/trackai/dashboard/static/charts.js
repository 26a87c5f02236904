// Draws [data-chart] with uPlot, in the page's language and colours.
const drawn = new Map();

const { lang: language } = document.documentElement;
const { timeZone } = document.body.dataset;
const moments = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short", timeZone });
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short", timeZone });
const units = {
  number: new Intl.NumberFormat(language, { maximumFractionDigits: 1 }),
  percent: new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }),
};

// From so many milliseconds on, a time is told in this unit.
const lengths = [[172800000, 86400000, "d"], [7200000, 3600000, "h"], [120000, 60000, "min"], [1000, 1000, "s"]];

// Of money: whole, and short at the axis.
const sums = new Map();

function money(currency, value, short) {
  const key = `${currency}${short}`;
  const how = short ? { notation: "compact", maximumFractionDigits: 1 } : {};
  if (!sums.has(key)) sums.set(key, new Intl.NumberFormat(language, { style: "currency", currency, ...how }));
  return sums.get(key).format(value);
}

function told(unit, value, short = false) {
  if (value == null) return "–";
  if (unit.startsWith("money:")) return money(unit.slice(6), value, short);
  if (unit !== "ms") return units[unit].format(value);
  for (const [least, length, name] of lengths) {
    if (value >= least) return `${units.number.format(value / length)} ${name}`;
  }
  return `${units.number.format(value)} ms`;
}

// Midnights by their day, other moments by the clock.
function ticked(at) {
  const time = clock.format(at * 1000);
  return time.startsWith("00:00") || time.startsWith("12:00 AM") ? days.format(at * 1000) : time;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// A value that no line leads to is a point.
function alone(plot, series) {
  const values = plot.data[series];
  return [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
}

function draw(place) {
  const { unit, x, lines } = JSON.parse(place.dataset.chart);
  const names = place.dataset.names.split("|");
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  const options = {
    width: place.clientWidth,
    height: 180,
    padding: [null, 34, null, null],  // half of the last day's name
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), timeZone),
    cursor: { points: { size: 6 } },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [Math.min(0, low * 1.08), high > 0 ? high * 1.08 : 1] } },
    axes: [{ ...axis, space: 76, values: (_, ticks) => ticks.map(ticked) }, { ...axis, size: unit.startsWith("money:") ? 84 : 62, values: (_, ticks) => ticks.map((one) => told(unit, one, true)) }],
    series: [
      { label: place.dataset.when, value: (_, at) => (at == null ? "–" : moments.format(at * 1000)) },
      ...lines.map((_, index) => ({
        label: names[index],
        stroke: colour(`--series-${index + 1}`),
        width: 2,
        spanGaps: false,
        points: { show: true, size: 5, filter: alone },
        value: (_, value) => told(unit, value),
      })),
    ],
  };
  drawn.get(place)?.destroy();
  drawn.set(place, new uPlot(options, [x, ...lines], place));
}

function drawAll() {
  for (const [place, plot] of drawn) {
    if (place.isConnected) continue;
    plot.destroy();
    drawn.delete(place);
  }
  document.querySelectorAll("[data-chart]").forEach(draw);
}

let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 100);
});
document.addEventListener("theme", drawAll);
document.addEventListener("htmx:afterSwap", drawAll);
drawAll();
