// The world as SVG paths, made while the page is built out of Natural Earth's shapes (public
// domain): what a reader's browser gets is projected, rounded and by ISO 3166 letters already.
import { createRequire } from "node:module";
import { geoNaturalEarth1, geoPath } from "d3-geo";
import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from "geojson";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Plugin } from "vite";
import { relative } from "./path.ts";
import { MAP_SCALE, MAP_WIDTH, MAP_Y } from "../src/projection.ts";

const require = createRequire(import.meta.url);
const id = "virtual:world";

// Islands of less than so many square units of the drawing are left out, unless they are all that
// a country has.
const SMALLEST = 3;

type Shape = Feature<Polygon | MultiPolygon>;

const projection = geoNaturalEarth1()
  .scale(MAP_SCALE)
  .translate([MAP_WIDTH / 2, MAP_Y])
  .precision(0.5);
const path = geoPath(projection).digits(0);

function polygons(shape: Shape): Position[][][] {
  return shape.geometry.type === "Polygon" ? [shape.geometry.coordinates] : shape.geometry.coordinates;
}

function drawn(shape: Shape): string {
  const parts = polygons(shape)
    .map((coordinates) => ({ type: "Polygon" as const, coordinates }))
    .map((polygon) => ({ polygon, area: path.area(polygon) }))
    .sort((a, b) => b.area - a.area);
  return parts
    .filter((part, at) => at === 0 || part.area >= SMALLEST)
    .map((part) => relative(path(part.polygon) ?? ""))
    .join("");
}

function shapes(): Record<string, string> {
  const world = require("world-atlas/countries-50m.json") as Topology<{ countries: GeometryCollection }>;
  const codes = require("i18n-iso-countries/codes.json") as [string, string, string][];
  const letters = new Map(codes.map(([two, , digits]) => [digits, two]));
  const countries = feature(world, world.objects.countries) as FeatureCollection<Polygon | MultiPolygon>;
  const out: Record<string, string> = {};
  for (const country of countries.features) {
    // Land without a code of its own (Northern Cyprus ...) is drawn, too, under a name that no
    // country has.
    const key = letters.get(String(country.id)) ?? "";
    if (key === "AQ") continue;
    out[key] = (out[key] ?? "") + drawn(country);
  }
  return out;
}

export function world(): Plugin {
  return {
    name: "world",
    resolveId: (source) => (source === id ? `\0${id}` : null),
    load: (source) =>
      source === `\0${id}` ? `export default JSON.parse(${JSON.stringify(JSON.stringify(shapes()))});` : null,
  };
}
