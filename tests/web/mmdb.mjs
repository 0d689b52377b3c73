// mmdb.mjs: a small database in MaxMind's format (maxmind.github.io/MaxMind-DB, version 2.0), so
// that simulated peers on loopback are somewhere: eight parts of 127.0.0.0/8.
const size = n => [n >>> 16 & 255, n >>> 8 & 255, n & 255];

// Types of the format: 2 text, 3 double, 5 uint16, 6 uint32, 7 map, 9 uint64, 11 array.
function head(type, length) {
  const more = type > 7 ? [type - 7] : [];
  const first = (type > 7 ? 0 : type << 5);
  return length < 29 ? [first | length, ...more] : [first | 29, ...more, length - 29];
}

function whole(type, bytes, n) {
  const out = [];
  for (let at = bytes - 1; at >= 0; at--)
    out.push(Math.floor(n / 256 ** at) % 256);
  return [...head(type, bytes), ...out];
}

function text(value) {
  const bytes = [...Buffer.from(value)];
  return [...head(2, bytes.length), ...bytes];
}

function map(entries) {
  return [...head(7, entries.length), ...entries.flatMap(([name, value]) => [...text(name), ...value])];
}

function double(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return [...head(3, 8), ...bytes];
}

const named = value => map([['names', map([['en', text(value)]])]]);

function record({ country, name, city, latitude, longitude, asn, organization }) {
  return map([
    ['country', map([['iso_code', text(country)], ['names', map([['en', text(name)]])]])],
    ['city', named(city)],
    ['location', map([['latitude', double(latitude)], ['longitude', double(longitude)]])],
    ['autonomous_system_number', whole(6, 4, asn)],
    ['autonomous_system_organization', text(organization)],
  ]);
}

export const places = [
  { country: 'DE', name: 'Germany', city: 'Falkenstein', latitude: 50.48, longitude: 12.36, asn: 24940, organization: 'Example Hosting' },
  { country: 'US', name: 'United States', city: 'Ashburn', latitude: 39.04, longitude: -77.49, asn: 64500, organization: 'Example Cloud' },
  { country: 'JP', name: 'Japan', city: 'Tokyo', latitude: 35.69, longitude: 139.69, asn: 64501, organization: 'Example Denki' },
  { country: 'BR', name: 'Brazil', city: 'São Paulo', latitude: -23.55, longitude: -46.63, asn: 64502, organization: 'Example Telecom' },
  { country: 'SG', name: 'Singapore', city: 'Singapore', latitude: 1.29, longitude: 103.85, asn: 64503, organization: 'Example Straits' },
  { country: 'ZA', name: 'South Africa', city: 'Cape Town', latitude: -33.93, longitude: 18.42, asn: 64504, organization: 'Example Cape' },
  { country: 'AU', name: 'Australia', city: 'Sydney', latitude: -33.87, longitude: 151.21, asn: 64505, organization: 'Example South' },
  { country: 'FR', name: 'France', city: 'Paris', latitude: 48.86, longitude: 2.35, asn: 64506, organization: '<b>Example</b>' },
];

// Eight nodes lead to 127.0.0.0/8, seven more divide it by its next three bits.
export function database() {
  const count = 8 + 7;
  const nobody = count;
  const data = places.map(record);
  const starts = data.map((_, at) => data.slice(0, at).reduce((sum, one) => sum + one.length, 0));
  const leaf = at => count + 16 + starts[at];
  const nodes = [];
  for (let bit = 0; bit < 8; bit++)
    nodes.push(127 >> (7 - bit) & 1 ? [nobody, bit + 1] : [bit + 1, nobody]);
  nodes.push([9, 10], [11, 12], [13, 14]);
  for (let at = 0; at < 8; at += 2)
    nodes.push([leaf(at), leaf(at + 1)]);
  const metadata = map([
    ['node_count', whole(6, 4, count)], ['record_size', whole(5, 2, 24)], ['ip_version', whole(5, 2, 4)],
    ['database_type', text('Example-City')], ['languages', [...head(11, 1), ...text('en')]],
    ['binary_format_major_version', whole(5, 2, 2)], ['binary_format_minor_version', whole(5, 2, 0)],
    ['build_epoch', whole(9, 8, 1700000000)], ['description', map([['en', text('for tests')]])],
  ]);
  return Buffer.from([
    ...nodes.flatMap(([left, right]) => [...size(left), ...size(right)]), ...new Array(16).fill(0),
    ...data.flat(), 0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com'), ...metadata,
  ]);
}
