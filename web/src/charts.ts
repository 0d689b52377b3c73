// Lines, areas and bars over time, by uPlot. Its own legend and its titles are not used: those here
// can be operated by keys, and hold strangers' words.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h, s, said } from "./dom.ts";
import { bins as filled, stacked, type Values } from "./figures.ts";
import { count, minute, short, timeTicks } from "./format.ts";

export interface Line {
  label: string;
  color: string; // the name of a custom property: "--c1"
  hidden?: boolean;
}

export interface ChartOptions {
  label: string; // what it shows, for who cannot see it
  height: number;
  lines: Line[];
  kind: "lines" | "area" | "stacked" | "bars";
  least?: number; // seconds that it spans, even where there are few times
}

export interface Chart {
  root: HTMLElement;
  set(times: number[], values: Values[]): void;
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function series(line: Line, kind: ChartOptions["kind"], first: boolean): uPlot.Series {
  const base: uPlot.Series = {
    label: line.label,
    show: true,
    stroke: () => color(line.color),
    width: 1.75,
    points: { show: false },
    spanGaps: false,
  };
  if (kind === "bars")
    return { ...base, width: 0, fill: () => color(line.color), paths: uPlot.paths.bars!({ size: [0.7, 28] }) };
  if (kind === "stacked") return { ...base, width: 1, stroke: () => color("--panel"), fill: () => color(line.color) };
  if (kind === "area" && first) return { ...base, fill: () => `${color(line.color)}22` };
  return base;
}

// Steps of whole seconds: the finest of uPlot's own are too fine.
const steps = [1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400].concat(
  [2, 4, 7, 14, 28, 56, 112, 364].map((days) => days * 86400),
);

function axes(): uPlot.Axis[] {
  const look: uPlot.Axis = {
    stroke: () => color("--faint"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: () => color("--grid"), width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...look, grid: { show: false }, space: 70, size: 26, incrs: steps,
      values: (_, ticks, __, ___, step) => timeTicks(ticks, step),
    },
    { ...look, size: 46, space: 34, values: (_, ticks) => ticks.map((n) => short(Math.abs(n))) },
  ];
}

interface Legend {
  root: HTMLElement;
  show(time: number | null, values: (number | null)[]): void;
}

function legend(lines: Line[], shown: boolean[], toggled: () => void): Legend {
  const when = h("span", { class: "when" });
  const cells = lines.map(() => h("b", null, ""));
  const items = lines.map((line, at) => {
    const button = h(
      "button",
      {
        type: "button",
        class: "key",
        "aria-pressed": String(shown[at]),
        onclick: () => {
          shown[at] = !shown[at];
          button.setAttribute("aria-pressed", String(shown[at]));
          toggled();
        },
      },
      s("svg", { viewBox: "0 0 10 10", "aria-hidden": "true", class: "swatch" },
        s("rect", { width: 10, height: 10, rx: 2, fill: `var(${line.color})` })),
      said(line.label, "(empty)"),
      cells[at],
    );
    return button;
  });
  return {
    root: h("div", { class: "legend" }, items, when),
    show(time, values) {
      when.textContent = time === null ? "" : `${minute(new Date(time * 1000).toISOString())} UTC`;
      cells.forEach((cell, at) => {
        const value = values[at];
        cell.textContent = value === null || value === undefined ? "–" : count(Math.abs(Math.round(value)));
      });
    },
  };
}

// The numbers of the chart as a table, made when somebody opens it.
function numbers(options: ChartOptions, read: () => { times: number[]; values: Values[] }): HTMLElement {
  const box = h("div", { class: "scroll" });
  const details = h(
    "details",
    {
      class: "numbers",
      ontoggle: () => {
        box.replaceChildren();
        if (!details.open) return;
        const { times, values } = read();
        const head = h("tr", null, h("th", { scope: "col" }, "time (UTC)"),
          options.lines.map((line) => h("th", { scope: "col", class: "number" }, said(line.label, "(empty)"))));
        const rows = times.map((time, at) =>
          h("tr", null, h("th", { scope: "row" }, minute(new Date(time * 1000).toISOString())),
            values.map((line) => h("td", { class: "number" }, line[at] == null ? "–" : count(Math.abs(line[at]!))))));
        box.append(h("table", { class: "plain" }, h("thead", null, head), h("tbody", null, rows.reverse())));
      },
    },
    h("summary", null, "numbers"),
    box,
  );
  return details;
}

export function chart(options: ChartOptions, signal: AbortSignal): Chart {
  const shown = options.lines.map((line) => !line.hidden);
  let times: number[] = [];
  let values: Values[] = options.lines.map(() => []);
  let plot: uPlot | null = null;
  const box = h("div", { class: "plot", role: "img", "aria-label": options.label });
  box.style.height = `${options.height}px`;

  const data = (): uPlot.AlignedData => [
    times,
    ...(options.kind === "stacked"
      ? stacked(values, shown)
      : values.map((line, at) => (shown[at] ? line : line.map(() => null)))),
  ];
  const key = legend(options.lines, shown, () => plot?.setData(data()));
  const tell = (at: number | null | undefined) => {
    const index = at ?? times.length - 1;
    key.show(at === null || at === undefined ? null : (times[index] ?? null), values.map((line) => line[index] ?? null));
  };

  function build(): void {
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(box.clientWidth, 100),
        height: options.height,
        legend: { show: false },
        tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
        cursor: { y: false, drag: { x: false, y: false }, points: { show: options.kind !== "stacked" } },
        scales: {
          x: { time: true, range: (_, low, high) => [low, Math.max(high, low + (options.least ?? 1))] },
          y: { range: (_, low, high) => [Math.min(0, (low ?? 0) * 1.08), Math.max(1, (high ?? 1) * 1.08)] },
        },
        axes: axes(),
        series: [{}, ...options.lines.map((line, at) => series(line, options.kind, at === 0))],
        hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
      },
      data(),
      box,
    );
  }

  const sizes = new ResizeObserver(() => plot?.setSize({ width: Math.max(box.clientWidth, 100), height: options.height }));
  sizes.observe(box);
  const themed = () => plot?.redraw(false);
  document.addEventListener("theme", themed);
  signal.addEventListener("abort", () => {
    sizes.disconnect();
    document.removeEventListener("theme", themed);
    plot?.destroy();
  });

  return {
    root: h("div", { class: "chart" }, box, key.root, numbers(options, () => ({ times, values }))),
    set(newTimes, newValues) {
      times = newTimes;
      values = newValues;
      // What it is drawn in has a width only once it is in the page.
      if (plot === null) requestAnimationFrame(() => signal.aborted || plot !== null || build());
      else plot.setData(data());
      tell(null);
    },
  };
}

// How times are spread, as columns.
export function columns(all: { label: string; count: number }[], label: string): SVGElement {
  const bins = filled(all);
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const step = 720 / bins.length;
  const height = 220;
  return s("svg", { class: "columns", viewBox: `0 0 720 ${height + 60}`, role: "img", "aria-label": label },
    bins.map((bin, at) => {
      const tall = bin.count === 0 ? 0 : Math.max(2, (bin.count / most) * height);
      const middle = at * step + step / 2;
      return s("g", null,
        s("rect", { class: "column", x: at * step + step * 0.1, y: 28 + height - tall, width: step * 0.8, height: tall, rx: 3 }),
        s("text", { x: middle, y: 20 + height - tall, "text-anchor": "middle", class: "value" }, bin.count === 0 ? "" : short(bin.count)),
        s("text", { x: middle, y: height + 54, "text-anchor": "middle" }, bin.label));
    }));
}
