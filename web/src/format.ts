// Numbers and times for people. Pure, and in one language: that of the page.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const grouped = new Intl.NumberFormat("en-US");

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : grouped.format(n);
}

export function peersText(n: number): string {
  return n === 1 ? "1 peer" : `${count(n)} peers`;
}

// 1234567 as "1.23M": for axes.
export function short(n: number): string {
  const size = Math.abs(n);
  for (const [unit, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (size >= unit) return `${Number((n / unit).toPrecision(3))}${letter}`;
  return String(Number(n.toPrecision(3)));
}

export function percent(part: number | null | undefined): string {
  if (part === null || part === undefined || !Number.isFinite(part)) return "–";
  const hundred = part * 100;
  if (part > 0 && hundred < 0.1) return "<0.1%";
  // What is not all is not shown as all.
  if (part < 1 && hundred > 99.9) return "99.9%";
  return `${hundred.toFixed(1)}%`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (n >= 1024 && at < units.length - 1) {
    n /= 1024;
    at++;
  }
  return `${at === 0 ? n : n.toFixed(1)} ${units[at]}`;
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms / 1000);
}

// 3725 as "1 h 02 min"
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pair = (big: number, unit: string, small: number, sub: string) =>
    `${big} ${unit} ${String(small).padStart(2, "0")} ${sub}`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86400) return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  const hours = Math.floor((whole % 86400) / 3600);
  return `${Math.floor(whole / 86400)} d ${hours} h`;
}

// "2026-11-29T16:23:50.729Z" as "2026-11-29 16:23"
export function minute(iso: string | null | undefined): string {
  return iso ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : "–";
}

// A peer's URL as short as a table wants it: without the network, and of a key only its beginning.
export function peerName(url: string): string {
  const rest = url.replace(/^[a-z0-9-]+:\/\//, "").replace(/\?.*$/, "");
  return rest.replace(/^([0-9a-f]{8})[0-9a-f]{56,}@/, "$1…@");
}

// What stands below an axis of time: as much of it as tells two ticks apart.
export function timeTicks(seconds: number[], step: number): string[] {
  let before = "";
  return seconds.map((time) => {
    const iso = new Date(time * 1000).toISOString();
    const day = `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]}`;
    const first = iso.slice(0, 10) !== before;
    before = iso.slice(0, 10);
    if (step >= 28 * 86400) return `${day.split(" ")[1]} ${iso.slice(0, 4)}`;
    if (step >= 86400) return day;
    const clock = step < 60 ? iso.slice(11, 19) : iso.slice(11, 16);
    return clock === "00:00" || (first && step >= 3600) ? day : clock;
  });
}

export function ago(iso: string | null | undefined, now: number): string {
  if (!iso) return "never";
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

// connect_timeout as "connect timeout"
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

// How grave an outcome is: reached, busy, gone, wrong.
export function tone(outcome: string | null | undefined): string {
  switch (outcome) {
    case "ok":
    case "no_peers":
      return "good";
    case "full":
    case "mute":
    case "handshake_timeout":
      return "busy";
    case "protocol_error":
    case "too_big":
    case "wrong_network":
      return "bad";
    default:
      return "gone";
  }
}
