// Where a place is on the map: Natural Earth's projection, in the units of the drawing.
import * as geo from "d3-geo";

// Its types are those of a factory, which it is not.
const raw = geo.geoNaturalEarth1Raw as unknown as (lambda: number, phi: number) => [number, number];

export const MAP_WIDTH = 2000;
export const MAP_HEIGHT = 850;
export const MAP_SCALE = 362;
export const MAP_Y = 505; // of the equator; the far south is cut off

export function place(latitude: number, longitude: number): [number, number] {
  const [x, y] = raw((longitude * Math.PI) / 180, (latitude * Math.PI) / 180);
  return [MAP_WIDTH / 2 + MAP_SCALE * x, MAP_Y - MAP_SCALE * y];
}
