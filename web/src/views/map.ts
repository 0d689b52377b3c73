// Where the peers are: countries by colour, places as dots.
import { get, type Params, type Places } from "../api.ts";
import { h, s } from "../dom.ts";
import { shade, SHADES } from "../figures.ts";
import { count, peersText, percent } from "../format.ts";
import { bars, changes, command, notice, panel, refresh, show } from "../parts.ts";
import { MAP_HEIGHT, MAP_WIDTH, place } from "../projection.ts";
import { changed, link } from "../route.ts";
import { onChanged, type Context } from "../view.ts";
import { filterOf, filterBar } from "./filters.ts";

const names = new Intl.DisplayNames("en", { type: "region", fallback: "code" });

function nameOf(country: string, said: string | null): string {
  if (said) return said;
  try {
    return names.of(country) ?? country;
  } catch {
    return country;
  }
}

function picture(context: Context, shapes: Record<string, string>, places: Places): HTMLElement {
  const byCode = new Map(places.countries.map((c) => [c.country, c]));
  const most = Math.max(0, ...places.countries.map((c) => c.count));
  const biggest = Math.max(1, ...places.places.map((p) => p.count));
  const note = h("p", { class: "tip", role: "status" }, " ");
  const countries = Object.entries(shapes).map(([code, d]) => {
    const there = byCode.get(code);
    const shape = s("path", { d, class: `land shade${shade(there?.count ?? 0, most)}` });
    if (code === "") return shape;
    const text = `${nameOf(code, there?.name ?? null)}: ${count(there?.count ?? 0)}`;
    shape.append(s("title", null, text));
    shape.addEventListener("pointerenter", () => (note.textContent = text));
    if (there === undefined) return shape;
    return s("a", { href: link(context.network.name, "peers", { ...context.route.params, country: code }), "aria-label": text }, shape);
  });
  const dots = places.places.map((p) => {
    const [x, y] = place(p.latitude, p.longitude);
    return s("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: (3 + 19 * Math.sqrt(p.count / biggest)).toFixed(1), class: "place" },
      s("title", null, `${p.city ? `${p.city}: ` : ""}${count(p.count)}`));
  });
  return h("div", { class: "map" },
    s("svg", { viewBox: `0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`, role: "group", "aria-label": "World map of the peers" },
      s("g", null, countries), s("g", { "aria-hidden": "true" }, dots)),
    note,
    most > 0 ? h("p", { class: "scale faint" }, "1 ", Array.from({ length: SHADES }, (_, at) => h("i", { class: `shade${at + 1}` })), ` ${count(most)} peers in a country`) : null);
}

function missing(): HTMLElement {
  return notice("No location database is open",
    h("p", null, "With one in MaxMind's format (countries or cities) this page shows where the peers are:"),
    command("peerwalk serve --db FILE --mmdb CITY.mmdb"));
}

export function map(context: Context): void {
  const { network, route, signal, geo } = context;
  const filter: Params = { ...filterOf(route), network: network.name };
  const differs = changes();
  const load = async (): Promise<Node[] | null> => {
    const heading = h("div", { class: "heading" }, h("h1", null, "Map"), filterBar(route));
    if (!geo.countries && !geo.locations) return [heading, missing()];
    const [places, world] = await Promise.all([get<Places>("map", filter, signal), import("virtual:world")]);
    if (!differs(places)) return null;
    const total = places.countries.reduce((sum, c) => sum + c.count, 0);
    const rows = places.countries.slice(0, 25).map((c) => ({
      text: nameOf(c.country, c.name), count: c.count, share: c.count / Math.max(1, total + places.unknown),
      href: link(network.name, "peers", { ...route.params, country: c.country }),
    }));
    const all = total + places.unknown;
    heading.append(h("p", { class: "faint" }, `${peersText(all)}${places.unknown > 0 ? `, of ${count(places.unknown)} (${percent(places.unknown / Math.max(1, all))}) the place is not known` : ""}`),
      h("p", { class: "tools" }, h("a", { class: "button", href: changed(route, { reached: route.params.reached === "yes" ? "" : "yes" }), "aria-pressed": String(route.params.reached === "yes") },
        route.params.reached === "yes" ? "all peers" : "reached only")));
    const rest = places.countries.slice(25).reduce((sum, c) => sum + c.count, 0);
    return [heading, h("div", { class: "beside" }, h("section", { class: "panel" }, picture(context, world.default, places)),
      panel("Countries", bars(rows, "Countries", rest, Math.max(1, all))))];
  };
  void show(context.root, signal, load);
  onChanged(context, () => void refresh(context.root, signal, load));
}
