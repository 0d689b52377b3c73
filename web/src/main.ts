// The frame around the views: which network, which view, and whether the server is there.
import "./style.css";
import { ApiError, get, type Networks, type Running } from "./api.ts";
import { fill, h, s } from "./dom.ts";
import { Events } from "./events.ts";
import { count } from "./format.ts";
import { command, failure, notice } from "./parts.ts";
import { link, parse, type Route, type ViewName } from "./route.ts";
import { themeSwitch } from "./theme.ts";
import type { Context, View } from "./view.ts";
import { compare } from "./views/compare.ts";
import { live } from "./views/live.ts";
import { map } from "./views/map.ts";
import { overview } from "./views/overview.ts";
import { peer } from "./views/peer.ts";
import { peers } from "./views/peers.ts";

const views: Record<ViewName, View> = { overview, live, peers, peer, compare, map };
const tabs: [ViewName, string][] = [["overview", "Overview"], ["live", "Live"], ["peers", "Peers"], ["compare", "Compare"], ["map", "Map"]];

const main = h("main", { id: "main", tabindex: -1 });
const nav = h("nav", { "aria-label": "views" });
const where = h("div", { class: "where" });
const lost = h("p", { class: "lost", role: "alert", hidden: true }, "The server does not answer; trying again …");
const version = h("span");

let data: Networks | null = null;
let route: Route = parse(location.hash);
let leave: AbortController | null = null;
let shown: { view: ViewName; key: string; update?: ((route: Route) => void) | undefined } | null = null;
let running: number | null = null;

const events = new Events((connected) => (lost.hidden = connected));
const forever = new AbortController().signal;
events.on<{ version: string }>("hello", (hello) => (version.textContent = ` ${hello.version}`), forever);
events.on<Running>("crawl", (crawl) => {
  const now = crawl.running && crawl.network === route.network ? crawl.id : null;
  if (now !== running) {
    running = now;
    drawNav();
  }
}, forever);

function drawNav(): void {
  const current = route.view === "peer" ? "peers" : route.view;
  fill(nav, tabs.map(([view, name]) =>
    h("a", { href: link(route.network, view), "aria-current": view === current ? "page" : null }, name,
      view === "live" && running !== null ? h("i", { class: "pulse" }, h("span", { class: "unseen" }, " (a crawl runs)")) : null)));
}

function drawWhere(): void {
  const networks = data?.networks ?? [];
  const select = h("select", { id: "network", "aria-label": "network", onchange: () => {
    const view = route.view === "peer" ? "peers" : route.view;
    location.hash = link(select.value, view);
  } }, networks.map((n) => h("option", { value: n.name, selected: n.name === route.network }, `${n.name} · ${count(n.reached)} reached`)));
  fill(where, networks.length > 0 ? select : null);
}

// The page begins by itself once there is something.
const EMPTY_MS = 3000;
const NETWORKS_MS = 10_000;

function empty(): Node[] {
  window.setTimeout(() => void start(), EMPTY_MS);
  return [notice("There is nothing in this database yet",
    h("p", null, "The page fills as soon as a crawl writes into it. To begin:"),
    command("peerwalk crawl bitcoin --db FILE"),
    h("p", null, "To try it out without the Internet, a simulated network on this machine:"),
    command("peerwalk simulate bitcoin --peers 2000 --seeds-out seeds.txt"),
    command("peerwalk crawl bitcoin --no-default-seeds --seeds seeds.txt --allow-private --db FILE"))];
}

function unknown(): Node[] {
  return [notice(`There is no network "${route.network}" in this database`,
    h("p", null, (data?.networks ?? []).map((n) => [h("a", { href: link(n.name, "overview") }, n.name), " "])))];
}

function go(): void {
  route = parse(location.hash);
  const networks = data?.networks ?? [];
  const newest = [...networks].sort((a, b) => (b.newest_crawl ?? 0) - (a.newest_crawl ?? 0))[0];
  if (route.network === "" && newest !== undefined) route.network = newest.name;
  const network = networks.find((n) => n.name === route.network);
  const key = `${route.network}/${route.view}/${route.id}`;
  document.title = network === undefined ? "peerwalk" : `${route.network} · ${route.view} · peerwalk`;
  if (shown?.key === key && shown.update) {
    shown.update(route);
    return;
  }
  leave?.abort();
  leave = new AbortController();
  const before = shown;
  shown = null;
  if (network === undefined) {
    fill(main, networks.length === 0 ? empty() : unknown());
    drawNav();
    return;
  }
  running = network.running;
  drawNav();
  drawWhere();
  events.listen(network.name);
  // The same view with other parameters keeps what it shows until the new is there.
  const root = before?.key === key ? (main.firstElementChild as HTMLElement) : h("div", { class: `view ${route.view}` });
  const context: Context = { route, network, geo: data!.geo, root, signal: leave.signal, events };
  if (before?.key !== key) {
    fill(main, root);
    window.scrollTo({ top: 0 });
  }
  const view = views[route.view](context);
  shown = { view: route.view, key, update: view?.update };
}

// A large database takes the server a few seconds at its start.
const AGAIN_MS = 1000;

function reading(message: string): Node {
  window.setTimeout(() => void start(), AGAIN_MS);
  return h("p", { class: "nobody", role: "status" }, `${message} …`);
}

// Networks that have come since, and what is in them now.
let asked = false;
events.on("changed", () => {
  if (asked) return;
  asked = true;
  window.setTimeout(() => {
    asked = false;
    if (!document.hidden)
      get<Networks>("networks", {}, forever).then((now) => {
        data = now;
        if (!where.contains(document.activeElement)) drawWhere();
      }, () => {
        // Whoever looks is told by the view.
      });
  }, NETWORKS_MS);
}, forever);

async function start(): Promise<void> {
  try {
    const now = await get<Networks>("networks", {}, forever);
    const still = data !== null && data.networks.length === 0 && now.networks.length === 0;
    data = now;
    nav.hidden = data.networks.length === 0;
    if (still) window.setTimeout(() => void start(), EMPTY_MS);
    else go();
  } catch (error) {
    const wait = error instanceof ApiError && error.status === 503;
    fill(main, wait ? reading(error.message) : failure(error, () => void start()));
  }
}

fill(document.getElementById("app")!,
  h("a", { class: "skip", href: "#main", onclick: (event: Event) => {
    event.preventDefault();
    main.focus();
  } }, "To the content"),
  h("header", null,
    h("a", { class: "brand", href: "#/" },
      s("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" },
        s("path", { d: "M8 9l16 3-7 12z", class: "edge" }), [[8, 9], [24, 12], [17, 24]].map(([cx, cy]) => s("circle", { cx: cx!, cy: cy!, r: 4.5 }))),
      "peerwalk"),
    where, nav, h("span", { class: "grow" }), themeSwitch()),
  lost, main,
  h("footer", null, "peerwalk", version, " · times are UTC · ", h("a", { href: "/api/v1/networks" }, "API"), " · ", h("a", { href: "/metrics" }, "metrics")));
window.addEventListener("hashchange", go);
void start();
