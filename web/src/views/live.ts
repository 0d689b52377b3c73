// A crawl while it runs.
import type { Running, Visits } from "../api.ts";
import { chart } from "../charts.ts";
import { fill, h, said, share } from "../dom.ts";
import { count, duration, peerName, percent } from "../format.ts";
import { badge, command, notice, panel, tile } from "../parts.ts";
import { link } from "../route.ts";
import type { Context } from "../view.ts";

const POINTS = 600; // ten minutes of seconds
const LINES = 60;

function idle(context: Context, last: Running | null): HTMLElement {
  const name = context.network.name;
  return notice(
    last === null ? "No crawl runs" : `Crawl #${last.id} has ended: ${count(last.reached)} reached`,
    h("p", null, "This page shows one as soon as it writes into this database. To begin:"),
    command(`peerwalk crawl ${name} --db FILE`),
    h("p", null, "or, again and again:"),
    command(`peerwalk crawl ${name} --db FILE --every 1h`),
    h("p", null, h("a", { href: link(name, "overview") }, "What the newest crawl found")),
  );
}

function ticker(context: Context): { root: HTMLElement; add(visits: Visits): void } {
  const list = h("ol", { class: "ticker" });
  let held = false;
  const hold = h("button", {
    type: "button", class: "quiet", "aria-pressed": "false",
    onclick: () => {
      held = !held;
      hold.setAttribute("aria-pressed", String(held));
      hold.textContent = held ? "go on" : "hold";
    },
  }, "hold");
  const root = panel("Visits", h("p", { class: "corner" }, hold), list);
  return {
    root,
    add(visits) {
      if (held) return;
      const lines = visits.items.map((item) =>
        h("li", null, badge(item.outcome),
          h("a", { href: link(context.network.name, "peer", {}, String(item.id)) }, said(peerName(item.peer))),
          h("span", { class: "grow" }, item.agent ? said(item.agent) : null),
          item.country ? h("span", { class: "faint" }, item.country) : null));
      if (visits.more > 0) lines.push(h("li", { class: "faint" }, `and ${count(visits.more)} more`));
      list.prepend(...lines);
      while (list.children.length > LINES) list.lastElementChild?.remove();
    },
  };
}

export function live(context: Context): void {
  const { signal, events } = context;
  const times: number[] = [];
  const lines: [number[], number[], number[], number[]] = [[], [], [], []];
  let shown: number | null = null;
  const numbers = h("dl", { class: "tiles" });
  const bar = h("div", { class: "progress", role: "progressbar", "aria-label": "visited of the known", "aria-valuemin": 0, "aria-valuemax": 100 });
  const heading = h("p", { class: "faint" });
  const counts = chart({ label: "Known, visited and reached so far", height: 230, kind: "lines", least: 30,
    lines: [{ label: "reached", color: "--c1" }, { label: "visited", color: "--c2" }, { label: "known", color: "--c4" }] }, signal);
  const rate = chart({ label: "Visits per second", height: 230, kind: "area", least: 30,
    lines: [{ label: "visits per second", color: "--c1" }] }, signal);
  const visits = ticker(context);
  const body = h("div", null, h("div", { class: "heading" }, h("h1", null, "Live"), heading), bar, numbers,
    h("div", { class: "grid" }, panel("So far", counts.root), panel("Visits per second", rate.root)), visits.root);

  const seen = (now: Running) => {
    if (now.network !== context.network.name) return;
    if (shown !== now.id) {
      times.length = 0;
      for (const line of lines) line.length = 0;
      shown = now.id;
      fill(context.root, body);
    }
    const second = Date.now() / 1000;
    times.push(second);
    [now.reached, now.visited, now.known, now.per_second].forEach((n, at) => lines[at]!.push(n));
    if (times.length > POINTS) for (const line of [times, ...lines]) line.shift();
    counts.set([...times], lines.slice(0, 3).map((line) => [...line]));
    rate.set([...times], [[...lines[3]]]);
    const part = now.known > 0 ? now.visited / now.known : 0;
    share(bar, part);
    bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
    const age = (Date.now() - Date.parse(now.started_at)) / 1000;
    heading.textContent = now.running
      ? `Crawl #${now.id} of ${now.network}, for ${duration(age)}${now.every_seconds ? `, again every ${duration(now.every_seconds)}` : ""}`
      : `Crawl #${now.id} has ended`;
    fill(numbers, tile("reached", count(now.reached), `${percent(now.reached / Math.max(1, now.visited))} of the visited`),
      tile("visited", count(now.visited), `${percent(part)} of the known`), tile("known", count(now.known)),
      tile("waiting", count(now.waiting)), tile("visits per second", count(Math.round(now.per_second))));
  };
  fill(context.root, idle(context, null));
  events.on<Running>("crawl", seen, signal);
  events.on<Visits>("visits", (data) => shown !== null && visits.add(data), signal);
}
