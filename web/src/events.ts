// What happens now, as the server tells it. One connection for the whole page, and none while
// nobody looks at it.
import { address } from "./api.ts";

type Handlers = Record<string, Set<(data: never) => void>>;

// The server's pause where all its places for listeners are taken.
const AGAIN_MS = 10_000;

export class Events {
  private source: EventSource | null = null;
  private timer = 0;
  private network = "";
  private handlers: Handlers = {};

  constructor(private onState: (connected: boolean) => void) {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
  }

  listen(network: string): void {
    if (network === this.network && this.source !== null) return;
    this.network = network;
    this.close();
    this.open();
  }

  on<T>(event: string, handler: (data: T) => void, signal: AbortSignal): void {
    const all = (this.handlers[event] ??= new Set());
    all.add(handler);
    signal.addEventListener("abort", () => all.delete(handler));
  }

  private open(): void {
    if (this.source !== null || document.hidden || this.network === "") return;
    const source = new EventSource(address("events", { network: this.network }));
    this.source = source;
    source.onopen = () => this.onState(true);
    source.onerror = () => {
      this.onState(false);
      // Refused, not broken off: the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        this.source = null;
        this.timer = window.setTimeout(() => this.open(), AGAIN_MS);
      }
    };
    for (const name of ["hello", "crawl", "visits", "changed"])
      source.addEventListener(name, (event) => this.tell(name, event.data as string));
  }

  private tell(name: string, text: string): void {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return;
    }
    for (const handler of this.handlers[name] ?? []) handler(data as never);
  }

  private close(): void {
    window.clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
