// The numbers behind the pictures. Pure.
import type { Day } from "./api.ts";

export type Values = (number | null)[];

// Each line on top of those after it; those that are hidden add nothing.
export function stacked(values: Values[], shown: boolean[]): Values[] {
  const length = values[0]?.length ?? 0;
  const sums = new Array<number>(length).fill(0);
  const out: Values[] = new Array(values.length);
  for (let at = values.length - 1; at >= 0; at--)
    out[at] = sums.map((sum, i) => (sums[i] = sum + (shown[at] ? (values[at]?.[i] ?? 0) : 0)));
  return out;
}

// Visits that are still there, and the sums of those that are not, by day.
export function daily(days: Day[], visits: { started_at: string; reached: boolean }[]): Day[] {
  const all = new Map(days.map((day) => [day.day, { ...day }]));
  for (const visit of visits) {
    const day = visit.started_at.slice(0, 10);
    const sum = all.get(day) ?? { day, visits: 0, reached: 0 };
    sum.visits += 1;
    sum.reached += visit.reached ? 1 : 0;
    all.set(day, sum);
  }
  return [...all.values()];
}

// The last days one by one, those without a visit too, the oldest first.
export function strip(days: Day[], today: string, length: number): Day[] {
  const byDay = new Map(days.map((day) => [day.day, day]));
  const end = Date.parse(`${today}T00:00:00Z`);
  return Array.from({ length }, (_, at) => {
    const day = new Date(end - (length - 1 - at) * 86_400_000).toISOString().slice(0, 10);
    return byDay.get(day) ?? { day, visits: 0, reached: 0 };
  });
}

export const SHADES = 6;

// 1 .. SHADES by the logarithm: a few countries have most of the peers. 0: nobody.
export function shade(n: number, most: number): number {
  if (n <= 0 || most <= 0) return 0;
  return most === 1 ? SHADES : 1 + Math.round((Math.log(n) / Math.log(most)) * (SHADES - 1));
}

// Columns up to the last that has something in it, six at least.
export function bins<T extends { count: number }>(all: T[]): T[] {
  const last = all.reduce((at, bin, i) => (bin.count > 0 ? i : at), 0);
  return all.slice(0, Math.max(last + 1, 6));
}
