// What several views are made of.
import { ApiError, type Crawl } from "./api.ts";
import { fill, h, said, share } from "./dom.ts";
import { ago, count, minute, percent, tone, words } from "./format.ts";

export function panel(title: string, ...children: (Node | string | null)[]): HTMLElement {
  return h("section", { class: "panel" }, h("h2", null, title), children);
}

export function tile(name: string, value: string, note: Node | string | null = null): HTMLElement {
  return h("div", { class: "tile" }, h("dt", null, name), h("dd", null, value, note === null ? null : h("small", null, note)));
}

export function when(iso: string | null | undefined): HTMLElement {
  if (!iso) return h("span", { class: "faint" }, "never");
  return h("time", { datetime: iso, title: `${iso.slice(0, 19).replace("T", " ")} UTC` }, ago(iso, Date.now()));
}

export function moment(iso: string | null | undefined): HTMLElement {
  return iso ? h("time", { datetime: iso, title: ago(iso, Date.now()) }, `${minute(iso)}`) : h("span", { class: "faint" }, "–");
}

export function badge(outcome: string | null): HTMLElement {
  return h("span", { class: `badge ${tone(outcome)}` }, outcome === null ? "not visited" : words(outcome));
}

export interface Bar {
  text: string;
  stranger?: boolean; // a peer's words
  note?: string | undefined;
  count: number;
  share: number;
  href?: string | undefined;
}

// Names with their counts and bars: most of what there is to know is of this kind.
export function bars(rows: Bar[], label: string, others = 0, total = 0): HTMLElement {
  const most = Math.max(...rows.map((row) => row.share), 0.0001);
  const line = (row: Bar, extra = "") => {
    const name = row.stranger ? said(row.text, "(empty)") : row.text;
    const cell = h("th", { scope: "row" },
      row.href ? h("a", { href: row.href }, name) : h("span", null, name),
      row.note ? h("small", null, row.note) : null);
    return share(
      h("tr", { class: extra }, cell, h("td", { class: "number" }, count(row.count)),
        h("td", { class: "number faint" }, percent(row.share))),
      row.share / most);
  };
  return h("table", { class: "bars", "aria-label": label },
    h("thead", { class: "unseen" }, h("tr", null, ["what", "peers", "share"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, rows.map((row) => line(row)),
      others > 0 ? line({ text: "others", count: others, share: others / Math.max(1, total) }, "others") : null));
}

// Why it did not work, and what can be done.
export function failure(error: unknown, again: () => void): HTMLElement {
  const status = error instanceof ApiError ? error.status : -1;
  const text = error instanceof Error ? error.message : String(error);
  if (status === 401) return askToken();
  const hint =
    status === 0 ? "Is peerwalk serve still running?" : status === 404 ? "It may have been removed since." : null;
  return h("div", { class: "failure", role: "alert" }, h("p", null, h("strong", null, text)), hint ? h("p", null, hint) : null,
    h("button", { type: "button", class: "button", onclick: again }, "Try again"));
}

function askToken(): HTMLElement {
  const input = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  return h("form", {
      class: "failure", role: "alert",
      onsubmit: (event: Event) => {
        event.preventDefault();
        location.href = `/?token=${encodeURIComponent(input.value)}${location.hash}`;
      },
    },
    h("p", null, h("strong", null, "This server wants a token.")),
    h("p", null, "It is the first line of the file that ", h("code", null, "peerwalk serve --token FILE"), " was given."),
    h("p", { class: "row" }, h("label", { for: "token" }, "Token"), input, h("button", { class: "button" }, "Show")));
}

export function notice(title: string, ...children: (Node | string)[]): HTMLElement {
  return h("div", { class: "notice" }, h("h2", null, title), children);
}

export function command(text: string): HTMLElement {
  const state = h("span", { class: "unseen", role: "status" });
  // Browsers have no clipboard for pages that come over plain HTTP from elsewhere.
  return h("div", { class: "command" }, h("code", null, text),
    navigator.clipboard === undefined ? null : h("button", {
      type: "button", class: "quiet",
      onclick: () => navigator.clipboard.writeText(text).then(() => (state.textContent = "copied")),
    }, "copy"), state);
}

export function crawlName(crawl: Crawl): string {
  return `#${crawl.id} · ${minute(crawl.started_at)}${crawl.reached === undefined ? "" : ` · ${count(crawl.reached)} reached`}`;
}

// Shows what load brings, and errors with a way to try again; until then what stood there before,
// dimmed. null: it is still what is shown.
export async function show(root: HTMLElement, signal: AbortSignal, load: () => Promise<Node[] | null>): Promise<void> {
  if (root.childElementCount === 0) fill(root, h("p", { class: "nobody later", role: "status" }, "Loading …"));
  root.setAttribute("aria-busy", "true");
  await refresh(root, signal, load);
  root.removeAttribute("aria-busy");
}

// The same without dimming, as nobody has asked for it.
export async function refresh(root: HTMLElement, signal: AbortSignal, load: () => Promise<Node[] | null>): Promise<void> {
  try {
    const nodes = await load();
    if (!signal.aborted && nodes !== null) fill(root, nodes);
  } catch (error) {
    if (!signal.aborted) fill(root, failure(error, () => void show(root, signal, load)));
  }
}

// Whether an answer is another one than that before.
export function changes(): (answer: unknown) => boolean {
  let before = "";
  return (answer) => {
    const now = JSON.stringify(answer);
    const differs = now !== before;
    before = now;
    return differs;
  };
}
