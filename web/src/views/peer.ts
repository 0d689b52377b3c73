// One peer: what it says of itself, and what became of it over time.
import { get, type Day, type Peer, type PeerHistory } from "../api.ts";

import { h, s, said, share } from "../dom.ts";
import { daily, strip } from "../figures.ts";
import { count, duration, milliseconds, percent, words } from "../format.ts";
import { badge, changes as changed, command, moment, panel, refresh, show, when } from "../parts.ts";
import { link } from "../route.ts";
import { onChanged, type Context } from "../view.ts";

const DAYS = 90;
const FIRST_VISITS = 30;
const VISITS = 1000; // what the API gives at once

function cellTone(cell: Day): string {
  if (cell.visits === 0) return "none";
  if (cell.reached === cell.visits) return "up";
  return cell.reached === 0 ? "down" : "part";
}

function uptimeStrip(days: Day[]): HTMLElement {
  const cells = strip(days, new Date().toISOString().slice(0, 10), DAYS);
  const visits = cells.reduce((sum, cell) => sum + cell.visits, 0);
  const reached = cells.reduce((sum, cell) => sum + cell.reached, 0);
  const text = (cell: Day) => (cell.visits === 0 ? `${cell.day}: not visited` : `${cell.day}: reached ${cell.reached} of ${cell.visits} times`);
  const label = `Reached ${count(reached)} of ${count(visits)} times in the last ${DAYS} days`;
  return h("div", { class: "uptime" },
    s("svg", { viewBox: `0 0 ${DAYS * 10} 36`, preserveAspectRatio: "none", role: "img", "aria-label": label },
      cells.map((cell, at) => s("rect", { x: at * 10 + 1, width: 8, height: 36, rx: 2, class: `day ${cellTone(cell)}` }, s("title", null, text(cell))))),
    h("p", { class: "ends faint" }, h("span", null, `${DAYS} days ago`), h("span", null, visits === 0 ? "not visited" : `${percent(reached / visits)} of ${count(visits)} visits`), h("span", null, "today")));
}

function fact(name: string, value: Node | string | null | undefined): HTMLElement | null {
  return value === null || value === undefined || value === "" ? null : h("div", null, h("dt", null, name), h("dd", null, value));
}

function facts(peer: Peer): HTMLElement {
  const node = peer.node ?? {};
  const text = (key: string) => (node[key] === null || node[key] === undefined ? null : said(String(node[key])));
  return h("dl", { class: "facts" },
    fact("agent", said(peer.agent)),
    fact("protocol", peer.protocol === null ? null : String(peer.protocol)),
    fact("services", peer.services === null ? null : h("span", null, peer.services, " ", (peer.service_names ?? []).map((name) => h("span", { class: "mark" }, name)))),
    fact("height", peer.height === null ? null : count(peer.height)),
    fact("kind of network", peer.kind),
    fact("node id", peer.node_id ? h("code", { class: "break" }, peer.node_id) : null),
    fact("country", peer.country ? said([peer.city, peer.country_name ?? peer.country].filter(Boolean).join(", ")) : null),
    fact("AS", peer.asn ? h("span", null, `AS${peer.asn} `, said(peer.as_name, "")) : null),
    fact("connect", milliseconds(peer.connect_ms)),
    fact("handshake", milliseconds(peer.handshake_ms)),
    fact("first seen", moment(peer.first_seen)),
    fact("last seen", when(peer.last_seen)),
    fact("last reached", when(peer.last_reached)),
    fact("visits", `${count(peer.visits)}, ${count(peer.reached_count)} of them reached it`),
    fact("up since", peer.up_since ? moment(peer.up_since) : null),
    fact("next visit", peer.schedule ? h("span", null, moment(peer.schedule.due), peer.schedule.misses > 0 ? `, ${peer.schedule.misses} missed` : "") : null),
    Object.keys(node).map((key) => fact(words(key), key === "record" && node[key] ? h("code", { class: "break" }, String(node[key])) : text(key))));
}

function averages(peer: Peer): HTMLElement | null {
  const windows = Object.entries(peer.uptime ?? {}).filter(([, value]) => value !== null);
  if (windows.length === 0) return null;
  return panel("Uptime", h("ul", { class: "meters" }, windows.map(([name, value]) =>
    share(h("li", null, h("span", { class: "faint" }, name), h("b", null, percent(value))), value ?? 0))));
}

function visitsPanel(past: PeerHistory): HTMLElement {
  const body = h("tbody");
  const rows = (visits: PeerHistory["visits"]) => visits.map((visit) =>
    h("tr", null, h("td", null, moment(visit.started_at)), h("td", null, badge(visit.outcome), visit.rule ? [" ", said(visit.rule)] : null),
      h("td", null, said(visit.agent)), h("td", { class: "number" }, count(visit.height)),
      h("td", { class: "number" }, milliseconds(visit.connect_ms)), h("td", { class: "number" }, milliseconds(visit.handshake_ms))));
  body.append(...rows(past.visits.slice(0, FIRST_VISITS)));
  const more = h("button", { type: "button", class: "button", hidden: past.visits.length <= FIRST_VISITS, onclick: () => {
    body.append(...rows(past.visits.slice(FIRST_VISITS)));
    more.hidden = true;
  } }, `Show ${count(past.visits.length - FIRST_VISITS)} more`);
  return panel("Visits", past.visits.length === 0 ? h("p", { class: "faint" }, "It was named, and never visited.") :
    h("div", { class: "scroll" }, h("table", { class: "list" },
      h("thead", null, h("tr", null, ["when (UTC)", "outcome", "agent", "height", "connect", "handshake"].map((name, at) => h("th", { scope: "col", class: at > 2 ? "number" : null }, name)))), body)), more);
}

function sessions(past: PeerHistory): HTMLElement | null {
  if (past.sessions.length === 0) return null;
  return panel("Sessions", h("div", { class: "scroll" }, h("table", { class: "list" },
    h("thead", null, h("tr", null, ["up from (UTC)", "to", "for"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, past.sessions.map((session) => {
      const end = session.to === null ? Date.now() : Date.parse(session.to);
      return h("tr", null, h("td", null, moment(session.from)), h("td", null, session.to === null ? h("span", { class: "badge good" }, "goes on") : moment(session.to)),
        h("td", null, duration((end - Date.parse(session.from)) / 1000)));
    })))));
}

function changes(past: PeerHistory): HTMLElement | null {
  if (past.changes.length === 0) return null;
  return panel("Changes", h("ol", { class: "changes" }, past.changes.map((change) =>
    h("li", null, moment(change.at), h("span", { class: "what" }, words(change.what)), h("span", null, said(change.was), " → ", said(change.now))))));
}

export function peer(context: Context): void {
  const { route, signal } = context;
  const differs = changed();
  const load = async (): Promise<Node[] | null> => {
    const path = `peers/${encodeURIComponent(route.id)}`;
    const [one, past] = await Promise.all([get<Peer>(path, {}, signal), get<PeerHistory>(`${path}/history`, { limit: VISITS }, signal)]);
    if (!differs([one, past])) return null;
    const parts = [
      h("div", { class: "heading" }, h("p", { class: "back" }, h("a", { href: link(one.network, "peers") }, "← Peers")), h("h1", { class: one.peer.length > 60 ? "break long" : "break" }, said(one.peer)), badge(one.outcome)),
      panel("Last 90 days", uptimeStrip(daily(past.days, past.visits))),
      panel("What it says", facts(one)),
      averages(one), sessions(past), changes(past), visitsPanel(past),
      panel("By hand", command(`peerwalk ping ${one.peer}`)),
    ];
    return parts.filter((part) => part !== null);
  };
  void show(context.root, signal, load);
  onChanged(context, () => void refresh(context.root, signal, load));
}
