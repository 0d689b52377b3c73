// All peers, filtered and sorted.
import { get, type Facet, type Facets, type Peer, type Peers } from "../api.ts";
import { fill, h, said } from "../dom.ts";
import { count, milliseconds, peerName, peersText, percent, words } from "../format.ts";
import { badge, failure, when } from "../parts.ts";
import { changed, link, type Route } from "../route.ts";
import { onChanged, type Context } from "../view.ts";
import { filterBar, filterOf } from "./filters.ts";

const TYPING_MS = 300;
const LIMIT = 50;

// The columns: a title, the name that the API sorts by, and the order that it begins with.
const columns: [title: string, sort: string, order: "asc" | "desc", cell: (peer: Peer) => Node | string][] = [
  ["peer", "address", "asc", (p) => h("a", { href: link(p.network, "peer", {}, String(p.id)), title: p.peer }, said(peerName(p.peer)))],
  ["outcome", "reached", "desc", (p) => badge(p.outcome)],
  ["agent", "agent", "asc", (p) => said(p.agent)],
  ["height", "height", "desc", (p) => count(p.height)],
  ["latency", "latency", "asc", (p) => milliseconds(p.connect_ms)],
  ["uptime 7 d", "uptime", "desc", (p) => percent(p.uptime?.["7d"])],
  ["place", "", "asc", (p) => place(p)],
  ["first seen", "first", "desc", (p) => when(p.first_seen)],
  ["last seen", "seen", "desc", (p) => when(p.last_seen)],
];
const numeric = new Set(["height", "latency", "uptime"]);

function place(peer: Peer): Node | string {
  if (!peer.country && !peer.asn) return h("span", { class: "faint" }, "–");
  return h("span", null, peer.country ? h("abbr", { title: peer.country_name ?? "" }, peer.country) : null,
    peer.asn ? [" ", said(peer.as_name ?? `AS${peer.asn}`)] : null);
}

const facetNames: [key: string, filter: string, title: string][] = [
  ["outcomes", "outcome", "Outcome"],
  ["agents", "agent", "Agent"],
  ["protocols", "protocol", "Version"],
  ["services", "service", "Service"],
  ["kinds", "kind", "Kind of network"],
  ["countries", "country", "Country"],
  ["asns", "asn", "Autonomous system"],
];

function facet(route: Route, filter: string, title: string, items: Facet[], total: number): HTMLElement {
  const chosen = route.params[filter];
  const name = (item: Facet) =>
    filter === "outcome"
      ? h("span", { title: item.text }, words(String(item.value)))
      : said(item.text ?? String(item.value), "(empty)");
  return h("details", { open: true, "data-facet": filter }, h("summary", null, title),
    h("ul", null, items.slice(0, 12).map((item) => {
      const value = String(item.value);
      const on = chosen === value;
      return h("li", null, h("a", { href: changed(route, { [filter]: on ? "" : value }), "aria-current": on ? "true" : null },
        h("span", { class: "grow" }, name(item)), h("span", { class: "number faint", title: percent(item.count / Math.max(1, total)) }, count(item.count))));
    })));
}

// Those in which there is anything to see, and the one that it is sorted by.
function present(route: Route, items: Peer[]): typeof columns {
  return columns.filter(([title, sort]) => {
    if (sort !== "" && sort === route.params.sort) return true;
    if (title === "place") return items.some((peer) => peer.country || peer.asn);
    if (sort === "uptime") return items.some((peer) => peer.uptime);
    return sort !== "height" || items.some((peer) => peer.height !== null);
  });
}

function header(route: Route, some: typeof columns): HTMLElement {
  const now = route.params.sort ?? "seen";
  return h("tr", null, some.map(([title, sort, first]) => {
    const kind = numeric.has(sort) ? "number" : null;
    if (sort === "") return h("th", { scope: "col", class: kind }, title);
    const order = route.params.order ?? first;
    const active = now === sort;
    const next = active ? (order === "asc" ? "desc" : "asc") : first;
    return h("th", { scope: "col", class: kind, "aria-sort": active ? (order === "asc" ? "ascending" : "descending") : null },
      h("a", { href: changed(route, { sort, order: next === first ? "" : next }) }, title,
        active ? h("span", { "aria-hidden": "true" }, order === "asc" ? " ↑" : " ↓") : null));
  }));
}

function table(route: Route, page: Peers): Node[] {
  if (page.total === 0)
    return [h("p", { class: "nobody" }, "Nobody is like that. ", h("a", { href: link(route.network, "peers") }, "Show all peers"))];
  const some = present(route, page.items);
  const rows = page.items.map((peer) =>
    h("tr", null, some.map(([title, sort, , cell]) => {
      const td = h("td", { class: [title.replaceAll(" ", "-"), numeric.has(sort) ? "number" : ""].join(" ").trim() }, cell(peer));
      if (td.textContent === "–") td.classList.add("void");
      return td;
    })));
  return [h("div", { class: "scroll" }, h("table", { class: "list cards" }, h("thead", null, header(route, some)), h("tbody", null, rows))),
    h("nav", { class: "pages", "aria-label": "pages" },
      route.params.cursor ? h("a", { class: "button", href: changed(route, { cursor: "" }) }, "First page") : null,
      page.next ? h("a", { class: "button", href: changed(route, { cursor: page.next }) }, "Next page") : null)];
}

export function peers(context: Context): { update: (route: Route) => void } {
  const { network, signal } = context;
  let { route } = context;
  let load = new AbortController();
  const search = h("input", { type: "search", id: "q", placeholder: "address, agent, node id, AS …", maxlength: 200, value: route.params.q ?? "", autocomplete: "off", spellcheck: "false" });
  const total = h("strong", { role: "status" }, "…");
  // Rows do not move away from under the pointer while a crawl runs.
  const fresh = h("button", { type: "button", class: "button", hidden: true, onclick: () => void refresh() }, "Show what is new");
  const chips = h("div");
  const side = h("aside", { class: "facets", "aria-label": "filters by value" });
  const list = h("div", { class: "panel" });
  const facetsToggle = h("button", { type: "button", class: "button only-small", "aria-expanded": "false", onclick: () => facetsToggle.setAttribute("aria-expanded", String(side.classList.toggle("open"))) }, "Filters");
  const reached = h("div", { class: "choice", role: "group", "aria-label": "reached" });

  let typing = 0;
  search.addEventListener("input", () => {
    window.clearTimeout(typing);
    // Each letter in the history of the browser would be a nuisance.
    typing = window.setTimeout(() => {
      history.replaceState(null, "", changed(route, { q: search.value.trim() }));
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    }, TYPING_MS);
  });

  async function refresh(): Promise<void> {
    load.abort();
    load = new AbortController();
    const one = load.signal;
    const filter = { ...filterOf(route), network: network.name };
    list.setAttribute("aria-busy", "true");
    fresh.hidden = true;
    try {
      const [page, facets] = await Promise.all([
        get<Peers>("peers", { ...filter, sort: route.params.sort, order: route.params.order, cursor: route.params.cursor, limit: LIMIT }, one),
        get<Facets>("facets", { ...filter, top: 12 }, one),
      ]);
      total.textContent = peersText(page.total);
      fill(list, table(route, page));
      fill(side, facetNames.map(([key, name, title]) => {
        const items = facets[key] ?? [];
        return items.length === 0 ? null : facet(route, name, title, items, facets.total);
      }));
    } catch (error) {
      if (!one.aborted) fill(list, failure(error, () => void refresh()));
    } finally {
      if (!one.aborted) list.removeAttribute("aria-busy");
    }
  }

  function draw(): void {
    fill(chips, filterBar(route));
    const now = route.params.reached ?? "";
    fill(reached, [["", "all"], ["yes", "reached"], ["no", "not reached"]].map(([value, name]) =>
      h("a", { href: changed(route, { reached: value! }), "aria-current": now === value ? "true" : null }, name!)));
    if (document.activeElement !== search) search.value = route.params.q ?? "";
    void refresh();
  }

  fill(context.root, h("div", { class: "heading" }, h("h1", null, "Peers"), total, fresh,
    h("p", { class: "tools" }, h("label", { for: "q", class: "unseen" }, "Search"), search, reached, facetsToggle)),
    chips, h("div", { class: "split" }, side, list));
  signal.addEventListener("abort", () => {
    window.clearTimeout(typing);
    load.abort();
  });
  draw();
  onChanged(context, () => (fresh.hidden = false));
  return {
    update(next) {
      const turned = next.params.cursor !== route.params.cursor;
      route = next;
      if (turned) window.scrollTo({ top: 0 });
      draw();
    },
  };
}
