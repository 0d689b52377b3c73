// "M1,2L3,4L3,4L5,6Z" as "M1 2l2 2 2 2z": points that fall together once, and shorter. Rings of less
// than three points are nothing that can be filled.
export function relative(absolute: string): string {
  return absolute.replace(/M([^MZ]*)Z/g, (_, ring: string) => {
    const points = ring.split("L").map((p) => p.split(",").map(Number) as [number, number]);
    const [first, ...rest] = points;
    if (first === undefined) return "";
    let [x, y] = first;
    const steps: string[] = [];
    for (const [nx, ny] of rest) {
      if (nx !== x || ny !== y) steps.push(`${nx - x} ${ny - y}`);
      [x, y] = [nx, ny];
    }
    return steps.length < 2 ? "" : `M${first[0]} ${first[1]}l${steps.join(" ").replace(/ -/g, "-")}z`;
  });
}
