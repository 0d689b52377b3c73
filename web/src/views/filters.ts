// The filters of a list of peers, as they stand in the address of the page.
import { h, said } from "../dom.ts";
import { changed, type Route } from "../route.ts";

export const filters = ["q", "agent", "protocol", "country", "asn", "kind", "outcome", "service", "reached", "visited", "crawl"] as const;

export function filterOf(route: Route): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of filters) if (route.params[name]) out[name] = route.params[name];
  return out;
}

// What is filtered by, each with a way to take it away.
export function filterBar(route: Route): HTMLElement {
  const set = Object.entries(filterOf(route)).filter(([name]) => name !== "q");
  return h("p", { class: "chips", "aria-label": "filters" }, set.map(([name, value]) =>
    h("a", { class: "chip", href: changed(route, { [name]: "" }), title: "take this filter away" },
      h("span", { class: "faint" }, name), " ", said(value), h("span", { "aria-hidden": "true" }, " ×"), h("span", { class: "unseen" }, " (take away)"))));
}
