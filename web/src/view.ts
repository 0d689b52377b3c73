// What a view gets, and what it gives back.
import type { Network, Networks } from "./api.ts";
import type { Events } from "./events.ts";
import type { Route } from "./route.ts";

export interface Context {
  route: Route;
  network: Network;
  geo: Networks["geo"];
  root: HTMLElement;
  signal: AbortSignal; // fires when the view is left
  events: Events;
}

// update: other parameters of the same view; without it the view is made anew.
export type View = (context: Context) => { update?: (route: Route) => void } | void;

// A crawl writes without pause: what is shown is asked for again so often at most.
const REFRESH_MS = 5000;

export function onChanged(context: Context, refresh: () => void): void {
  let timer = 0;
  context.events.on(
    "changed",
    () => {
      if (timer !== 0) return;
      timer = window.setTimeout(() => {
        timer = 0;
        if (!document.hidden) refresh();
      }, REFRESH_MS);
    },
    context.signal,
  );
  context.signal.addEventListener("abort", () => window.clearTimeout(timer));
}
