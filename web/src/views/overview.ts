// The newest crawl in numbers, and how the network became what it is.
import { get, type Crawl, type History, type Page, type Report, type Row, type Table, type Times } from "../api.ts";
import { chart, columns } from "../charts.ts";
import { fill, h } from "../dom.ts";
import { bytes, count, duration, milliseconds, minute, percent, words } from "../format.ts";
import { bars, changes, crawlName, panel, refresh, show, tile, type Bar } from "../parts.ts";
import { changed, link } from "../route.ts";
import { onChanged, type Context } from "../view.ts";

const ROWS = 12;
const ROUNDED = 0.00005; // a share of something that is rounded to nothing

// What a table of the report is called here, and the parameter that shows its peers.
const tables: [key: string, title: string, filter: string, stranger?: boolean][] = [
  ["outcomes", "How the visits ended", "outcome"],
  ["agents", "User agents", "agent", true],
  ["clients", "Clients", "", true],
  ["client_versions", "Clients and their versions", "", true],
  ["forks", "Forks", ""],
  ["networks", "Network ids", ""],
  ["capabilities", "Capabilities", "", true],
  ["sessions", "How the sessions ended", ""],
  ["completeness", "Tables of nodes", ""],
  ["protocols", "Protocol versions", "protocol"],
  ["service_bits", "Services", "service"],
  ["countries", "Countries", "country"],
  ["asns", "Autonomous systems", "asn", true],
  ["kinds", "Kinds of network", "kind"],
  ["heights", "Heights", ""],
  ["ports", "Ports", ""],
];

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && Array.isArray((value as Table).rows);
}

function row(context: Context, r: Row, filter: string, stranger: boolean, plain: boolean): Bar {
  const value = r.value === null ? "" : String(r.value);
  const name = r.text ?? (plain ? words(value) : value);
  return {
    text: name === "" && !stranger ? "not known" : name,
    stranger,
    count: r.count,
    share: r.share > 0 ? r.share : r.count > 0 ? ROUNDED : 0,
    href:
      filter === "" || value === ""
        ? undefined
        : link(context.network.name, "peers", filter === "outcome" ? { outcome: value } : { [filter]: value, reached: "yes" }),
  };
}

function tablePanels(context: Context, report: Report): HTMLElement[] {
  const out: HTMLElement[] = [];
  for (const [key, title, filter, stranger] of tables) {
    const table = report[key] ?? report.nodes?.[key];
    if (!isTable(table) || table.rows.length === 0) continue;
    const rows = table.rows.slice(0, ROWS).map((r) => row(context, r, filter, stranger ?? false, !stranger && key !== "service_bits"));
    const cut = table.rows.slice(ROWS).reduce((sum, r) => sum + r.count, 0);
    const more = key === "service_bits" || key === "capabilities" ? 0 : table.others + cut;
    out.push(panel(title, bars(rows, title, more, table.total)));
  }
  return out;
}

function tiles(report: Report, past: History): HTMLElement {
  const crawl = report.crawl;
  const last = past.items.find((item) => item.id === crawl.id);
  const time = (key: string): Times | undefined => report.times?.[key];
  return h("dl", { class: "tiles" },
    tile("reached", count(report.reached), `${percent(report.reached / Math.max(1, report.visited))} of the visited`),
    tile("visited", count(report.visited), crawl.known === undefined ? null : `of ${count(crawl.known)} known`),
    last?.came == null ? null : tile("came", `+${count(last.came)}`, "since the crawl before"),
    last?.went == null ? null : tile("went", `−${count(last.went)}`, "since the crawl before"),
    tile("connect", milliseconds(time("connect_ms")?.median), "median"),
    tile("handshake", milliseconds(time("handshake_ms")?.median), "median"),
    report.tip == null ? null : tile("tip", count(report.tip), "median of the heights"),
    tile("took", duration(crawl.seconds), crawl.bytes_in === undefined ? null : `${bytes(crawl.bytes_in)} received`));
}

function overTime(context: Context, signal: AbortSignal, past: History): HTMLElement[] {
  if (past.items.length < 2)
    return [panel("Over time", h("p", { class: "faint" },
      "Lines begin with the second crawl. ",
      h("code", null, `peerwalk crawl ${context.network.name} --every 1h`), " goes on for ever."))];
  const times = past.items.map((item) => Date.parse(item.started_at) / 1000);
  const reached = past.items.map((item) => item.reached);
  const crowd = past.items.some((item) => (item.known ?? 0) > 3 * item.reached);
  const growth = chart({
    label: `Peers of ${context.network.name} over time`, height: 230, kind: "area",
    lines: [{ label: "reached", color: "--c1" }, { label: "visited", color: "--c2", hidden: crowd },
      { label: "known", color: "--c4", hidden: crowd }],
  }, signal);
  growth.set(times, [reached, past.items.map((item) => item.visited), past.items.map((item) => item.known)]);
  const churn = chart({
    label: `Who came and who went at each crawl of ${context.network.name}`, height: 230, kind: "bars",
    lines: [{ label: "came", color: "--c3" }, { label: "went", color: "--c6" }],
  }, signal);
  churn.set(times, [past.items.map((item) => item.came), past.items.map((item) => (item.went === null ? null : -item.went))]);
  const compared = past.items.some((item) => item.came !== null || item.went !== null);
  const out = [panel("Peers over time", growth.root),
    panel("Came and went", compared ? churn.root : h("p", { class: "faint" }, "Not known of these crawls: their reports were not kept."))];
  if (past.values.length === 0) return out;
  const lines = past.values.map((value, at) => ({ label: value.text, color: `--c${at + 1}` }));
  const agents = chart({
    label: `User agents of ${context.network.name} over time`, height: 280, kind: "stacked",
    lines: [...lines, { label: "others", color: "--others" }],
  }, signal);
  const each = past.values.map((value) => past.items.map((item) => item.values[String(value.value)] ?? 0));
  const others = reached.map((all, at) => Math.max(0, all - each.reduce((sum, line) => sum + (line[at] ?? 0), 0)));
  agents.set(times, [...each, others]);
  const wide = panel("User agents over time", agents.root);
  wide.classList.add("wide");
  return [...out, wide];
}

function latency(report: Report, chosen: { key: string }): HTMLElement | null {
  const kinds: [string, string][] = [["connect_ms", "connect"], ["handshake_ms", "handshake"], ["reply_ms", "answer"], ["total_ms", "whole visit"]];
  const box = h("div", { class: "latency" });
  const picture = (key: string, name: string) => {
    const times = report.times?.[key];
    if (!times) return;
    const bins = times.histogram.map((bin, at, all) => ({
      label: bin.up_to === null ? `>${(all[at - 1]?.up_to ?? 0) / 1000}s` : bin.up_to < 1000 ? `${bin.up_to}` : `${bin.up_to / 1000}s`,
      count: bin.count,
    }));
    fill(box, columns(bins, `How long it took, in milliseconds: ${name}`),
      h("p", { class: "faint" }, `${count(times.count)} peers; the median is ${milliseconds(times.median)}, nine of ten took ${milliseconds(times.p90)} or less. Each column: up to so many milliseconds.`));
  };
  const present = kinds.filter(([key]) => (report.times?.[key]?.count ?? 0) > 0);
  if (present.length === 0) return null;
  const first = present.find(([key]) => key === chosen.key) ?? present[0]!;
  const choice = h("div", { class: "choice", role: "group", "aria-label": "which time" }, present.map(([key, name]) => {
    const button = h("button", {
      type: "button", "aria-pressed": String(key === first[0]),
      onclick: () => {
        for (const other of choice.children) other.setAttribute("aria-pressed", String(other === button));
        chosen.key = key;
        picture(key, name);
      },
    }, name);
    return button;
  }));
  picture(...first);
  return panel("Latency", choice, box);
}

function title(context: Context, report: Report, crawls: Crawl[]): HTMLElement {
  const crawl = report.crawl;
  const known = crawls.some((other) => other.id === crawl.id) ? crawls : [crawl, ...crawls];
  const chosen = h("select", { id: "crawl", onchange: () => (location.hash = changed(context.route, { crawl: chosen.value })) },
    h("option", { value: "" }, "the newest"),
    known.map((other) => h("option", { value: other.id, selected: context.route.params.crawl === String(other.id) }, crawlName(other))));
  const state = crawl.ended_at === null ? "not ended" : crawl.complete ? "complete" : "stopped before its end";
  return h("div", { class: "heading" }, h("h1", null, context.network.name),
    h("p", { class: "faint" }, `Crawl #${crawl.id}, ${minute(crawl.started_at)} UTC, ${state}`),
    h("p", { class: "tools" }, h("label", { for: "crawl" }, "Crawl"), chosen));
}

// Pictures of the past are drawn anew only when there is more of it: what was chosen in them stays.
function pastPanels(context: Context): (past: History) => HTMLElement {
  const differs = changes();
  let made = new AbortController();
  let root = h("div");
  context.signal.addEventListener("abort", () => made.abort());
  return (past) => {
    if (differs(past)) {
      made.abort();
      made = new AbortController();
      root = h("div", { class: "grid" }, overTime(context, made.signal, past));
    }
    return root;
  };
}

export function overview(context: Context): void {
  const { network, signal, route } = context;
  const differs = changes();
  const panels = pastPanels(context);
  const time = { key: "connect_ms" };
  const load = async (): Promise<Node[] | null> => {
    const id = route.params.crawl ?? "newest";
    const report = await get<Report>(`crawls/${encodeURIComponent(id)}/report`,
      { network: id === "newest" ? network.name : null, top: 20 }, signal);
    const [past, crawls] = await Promise.all([
      get<History>("history", { network: network.name, table: report.nodes ? "clients" : "agents", top: 7 }, signal),
      get<Page<Crawl>>("crawls", { network: network.name, limit: 50 }, signal),
    ]);
    if (!differs([report, past, crawls])) return null;
    const parts = [title(context, report, crawls.items), tiles(report, past), panels(past),
      h("div", { class: "masonry" }, latency(report, time), tablePanels(context, report))];
    return parts;
  };
  void show(context.root, signal, load);
  if (route.params.crawl === undefined) onChanged(context, () => void refresh(context.root, signal, load));
}
