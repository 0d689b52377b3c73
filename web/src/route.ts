// Where one is: "#/bitcoin/peers?agent=x". All of it is in the address, so that it can be sent to
// somebody, and "back" goes back. Pure.

export const views = ["overview", "live", "peers", "peer", "compare", "map"] as const;
export type ViewName = (typeof views)[number];

export interface Route {
  network: string; // empty: not said
  view: ViewName;
  id: string; // of a peer, else empty
  params: Record<string, string>;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [network = "", view = "", id = ""] = path.split("/").map(unescaped);
  const params: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) if (value !== "") params[name] = value;
  const known = views.find((name) => name === view) ?? "overview";
  return { network, view: known, id: known === "peer" ? id : "", params };
}

export function link(network: string, view: ViewName, params: Record<string, string> = {}, id = ""): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ""));
  const tail = query.toString() === "" ? "" : `?${query}`;
  return `#/${encodeURIComponent(network)}/${view}${id === "" ? "" : `/${encodeURIComponent(id)}`}${tail}`;
}

// The same place with some parameters changed; "" takes one away. Another filter begins at the
// first page.
export function changed(route: Route, change: Record<string, string>): string {
  const params = { ...route.params };
  if (!("cursor" in change)) delete params.cursor;
  return link(route.network, route.view, { ...params, ...change }, route.id);
}
