// From one crawl to another: who came, who went, who is back, who has changed.
import { get, type Crawl, type Difference, type Page } from "../api.ts";
import { fill, h, said } from "../dom.ts";
import { count, peerName, words } from "../format.ts";
import { command, crawlName, notice, panel, show } from "../parts.ts";
import { changed, link } from "../route.ts";
import type { Context } from "../view.ts";

const kinds = [
  ["came", "reached, and not before"],
  ["went", "was reached before"],
  ["back", "was there once, and is again"],
  ["changed", "says something else"],
] as const;

function choice(context: Context, name: "a" | "b", label: string, crawls: Crawl[], chosen: string): HTMLElement {
  const select = h("select", { id: `crawl-${name}`, onchange: () => (location.hash = changed(context.route, { [name]: select.value, what: "" })) },
    crawls.map((crawl) => h("option", { value: crawl.id, selected: String(crawl.id) === chosen }, crawlName(crawl))));
  return h("span", { class: "field" }, h("label", { for: `crawl-${name}` }, label), select);
}

// What changed are words of the peer's; who came and went has outcomes there.
function turn(item: Difference["items"][number]): Node[] {
  const text = (value: string | null) =>
    item.what === "changed" ? said(value) : h("span", value === null ? { class: "faint" } : null, value === null ? "not visited" : words(value));
  return [text(item.was), h("span", { class: "faint" }, " → "), text(item.now)];
}

function list(context: Context, page: Difference): HTMLElement {
  const body = h("tbody");
  const add = (items: Difference["items"]) =>
    body.append(...items.map((item) =>
      h("tr", null, h("td", null, h("span", { class: `badge ${item.what}` }, item.what)),
        h("td", null, h("a", { href: link(context.network.name, "peer", {}, String(item.id)) }, said(peerName(item.peer)))),
        h("td", null, said(item.agent)),
        h("td", null, ...turn(item)))));
  add(page.items);
  let next = page.next;
  const more = h("button", {
    type: "button", class: "button", hidden: next === null,
    onclick: async () => {
      more.disabled = true;
      try {
        const { a, b, what } = context.route.params;
        const rest = await get<Difference>("diff", { a: a ?? page.a.id, b: b ?? page.b.id, what, cursor: next }, context.signal);
        add(rest.items);
        next = rest.next;
        more.hidden = next === null;
      } catch (error) {
        if (!context.signal.aborted) more.textContent = `${error instanceof Error ? error.message : error} Try again`;
      } finally {
        more.disabled = false;
      }
    },
  }, "Show more");
  if (page.items.length === 0) return h("p", { class: "faint" }, "Nobody.");
  return h("div", null, h("div", { class: "scroll" }, h("table", { class: "list" },
    h("thead", null, h("tr", null, ["what", "peer", "agent", "was, and is"].map((name) => h("th", { scope: "col" }, name)))), body)), more);
}

export function compare(context: Context): void {
  const { network, route, signal } = context;
  const numbers = h("div");
  const load = async (): Promise<Node[]> => {
    const crawls = await get<Page<Crawl>>("crawls", { network: network.name, limit: 200 }, signal);
    const heading = h("div", { class: "heading" }, h("h1", null, "Compare"));
    if (crawls.items.length < 2)
      return [heading, notice("There is nothing to compare yet",
        h("p", null, `This database has ${crawls.items.length === 0 ? "no crawl" : "one crawl"} of ${network.name}. After another one:`),
        command(`peerwalk crawl ${network.name} --db FILE`))];
    const a = route.params.a ?? String(crawls.items[1]!.id);
    const b = route.params.b ?? String(crawls.items[0]!.id);
    heading.append(h("p", { class: "tools" }, choice(context, "a", "from", crawls.items, a), choice(context, "b", "to", crawls.items, b)));
    void show(numbers, signal, async () => {
      const page = await get<Difference>("diff", { a, b, what: route.params.what }, signal);
      const tiles = kinds.map(([kind, meaning]) => {
        const on = route.params.what === kind;
        return h("a", { class: "tile", href: changed(route, { what: on ? "" : kind }), "aria-current": on ? "true" : null },
          h("span", { class: "name" }, kind), h("span", { class: "value" }, count(page[kind])), h("small", null, meaning));
      });
      return [h("div", { class: "tiles" }, tiles),
        panel(route.params.what ? words(route.params.what) : "All changes", list(context, page))];
    });
    return [heading, numbers];
  };
  fill(context.root);
  void show(context.root, signal, load);
}
