// The server's API (docs/api.md): its shapes, and how it is asked.

export interface Network {
  name: string;
  peers: number;
  reached: number;
  crawls: number;
  newest_crawl: number | null;
  running: number | null;
}

export interface Networks {
  networks: Network[];
  geo: { countries: boolean; asns: boolean; locations: boolean };
  version: number | string;
}

export interface Crawl {
  id: number;
  network: string;
  started_at: string;
  ended_at: string | null;
  complete: boolean;
  running?: boolean;
  every_seconds?: number | null;
  seconds?: number;
  known?: number;
  visited?: number;
  reached?: number;
  bytes_in?: number;
  bytes_out?: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Row {
  value: string | number | null;
  text?: string;
  count: number;
  share: number;
}

export interface Table {
  total: number;
  distinct: number;
  others: number;
  rows: Row[];
}

export interface Times {
  count: number;
  median: number | null;
  p90: number | null;
  histogram: { up_to: number | null; count: number }[];
}

export interface Report {
  crawl: Crawl;
  visited: number;
  reached: number;
  times: Record<string, Times>;
  tip: number | null;
  nodes?: Record<string, Table | { count: number; median: number; p90: number }>;
  [table: string]: unknown;
}

export interface Past {
  id: number;
  started_at: string;
  known: number | null;
  visited: number;
  reached: number;
  came: number | null;
  went: number | null;
  values: Record<string, number>;
}

export interface History {
  network: string;
  items: Past[];
  values: { value: string | number; text: string }[];
}

export interface Peer {
  id: number;
  network: string;
  peer: string;
  address: string;
  port: number;
  kind: string;
  node_id: string | null;
  outcome: string | null;
  reached: boolean | null;
  agent: string | null;
  protocol: number | null;
  services: string | null;
  service_names: string[] | null;
  height: number | null;
  first_seen: string | null;
  last_seen: string | null;
  last_reached: string | null;
  connect_ms: number | null;
  handshake_ms: number | null;
  visits: number;
  reached_count: number;
  country?: string | null;
  country_name?: string | null;
  city?: string | null;
  latitude?: number | null;
  longitude?: number | null;
  asn?: number | null;
  as_name?: string | null;
  up_since: string | null;
  uptime: Record<string, number | null> | null;
  node?: Record<string, string | number | null> | null;
  schedule?: { due: string; misses: number } | null;
}

export interface Peers extends Page<Peer> {
  total: number;
}

export interface Facet {
  value: string | number;
  text: string | null;
  count: number;
}

export type Facets = { total: number } & Record<string, Facet[]>;

export interface PeerHistory {
  sessions: { from: string; to: string | null }[];
  visits: {
    crawl: number;
    started_at: string;
    outcome: string;
    reached: boolean;
    rule: string | null;
    agent: string | null;
    height: number | null;
    connect_ms: number | null;
    handshake_ms: number | null;
  }[];
  changes: { at: string; what: string; was: string | null; now: string | null }[];
  days: Day[];
}

export interface Day {
  day: string;
  visits: number;
  reached: number;
}

export interface Difference extends Page<{
  what: "came" | "went" | "back" | "changed";
  id: number;
  peer: string;
  agent: string | null;
  was: string | null;
  now: string | null;
}> {
  a: Crawl;
  b: Crawl;
  came: number;
  went: number;
  back: number;
  changed: number;
}

export interface Places {
  countries: { country: string; name: string | null; count: number }[];
  places: { latitude: number; longitude: number; count: number; city: string | null; country: string | null }[];
  unknown: number;
}

// What events say.
export interface Running {
  id: number;
  network: string;
  started_at: string;
  running: boolean;
  known: number;
  visited: number;
  reached: number;
  waiting: number;
  per_second: number;
  every_seconds: number | null;
}

export interface Visits {
  crawl: number;
  items: {
    id: number;
    peer: string;
    outcome: string;
    reached: boolean;
    agent: string | null;
    country?: string | null;
  }[];
  more: number;
}

// status 0: the server did not answer.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type Params = Record<string, string | number | null | undefined>;

export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return `/api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

export async function get<T>(path: string, params: Params, signal: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path, params), { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, "The server does not answer.");
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    if (signal.aborted) throw error;
    body = null;
  }
  if (!response.ok) {
    const said = (body as { error?: unknown } | null)?.error;
    throw new ApiError(response.status, typeof said === "string" ? said : `The server says ${response.status}.`);
  }
  if (body === null) throw new ApiError(response.status, "The server's answer is not JSON.");
  return body as T;
}
