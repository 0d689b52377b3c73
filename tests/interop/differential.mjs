// differential.mjs: our decoders and other people's (bcoin's, ethereumjs's) on the same bytes, well
// formed and mutated from a fixed seed: both must take them, or neither, and read the same in them.
//
// DIFFERENTIAL=N is how many inputs there are (20,000), DIFFERENTIAL_SEED another seed. What is
// judged otherwise for a reason is a row in differential_known.mjs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { check, context, skip } from './lib.mjs';
import { bitcoinCodecs } from './differential_bitcoin.mjs';
import { ethereumCodecs } from './differential_ethereum.mjs';
import { known } from './differential_known.mjs';

const SHOWN = 20;            // disagreements, the first of each kind
const INPUT_MAX = 64 * 1024; // bytes, so that many fit
const BATCH = 2000;          // inputs that are held at once

// Mulberry32: the same numbers on every machine.
export function random(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = n => Math.floor(next() * n);
  return { below, pick: list => list[below(list.length)] };
}

const EDGES = [0, 1, 2, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xf7, 0xf8, 0xfc, 0xfd, 0xfe,
  0xff];

// One to four changes: of bits, bytes, lengths, and pieces of another input.
export function mutate(r, bytes, other) {
  const tail = of => of.subarray(r.below(of.length + 1));
  const run = size => Buffer.alloc(size, r.pick(EDGES));
  let out = Buffer.from(bytes);
  for (let n = r.below(4); n >= 0; n--) {
    const at = r.below(out.length + 1), size = r.below(9);
    switch (r.below(8)) {
      case 0: if (at < out.length) out[at] ^= 1 << r.below(8); break;
      case 1: if (at < out.length) out[at] = r.pick(EDGES); break;
      case 2: out = Buffer.concat([out.subarray(0, at), run(size), out.subarray(at)]); break;
      case 3: out = Buffer.concat([out.subarray(0, at), out.subarray(at + size)]); break;
      case 4: out = Buffer.from(out.subarray(0, at)); break;
      case 5: for (let i = 0; i < 4 && at + i < out.length; i++) out[at + i] = r.pick(EDGES); break;
      case 6: out = Buffer.concat([out.subarray(0, at), tail(other)]); break;
      case 7: out = Buffer.concat([out, run(size)]); break;
    }
  }
  return out.subarray(0, INPUT_MAX);
}

// What ours makes of a list of [name, bytes].
function ours(inputs) {
  const pieces = inputs.flatMap(({ name, bytes }) => {
    const head = Buffer.alloc(1 + name.length + 4);
    head[0] = name.length;
    head.write(name, 1, 'latin1');
    head.writeUInt32LE(bytes.length, 1 + name.length);
    return [head, bytes];
  });
  const probe = path.join(path.dirname(context.program), 'tests/codec_probe');
  const run = spawnSync(probe, { input: Buffer.concat(pieces), maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, `codec_probe: status ${run.status ?? run.signal}\n${run.stderr}`);
  const lines = run.stdout.toString('latin1').split('\n').filter(Boolean);
  assert.equal(lines.length, inputs.length, 'a line for each input');
  return lines.map(line => JSON.parse(line));
}

function theirs(codec, bytes) {
  try {
    return { ok: true, fields: codec.decode(bytes) };
  } catch (err) {
    return { ok: false, rule: String(err.message).split('\n')[0].slice(0, 200) };
  }
}

// Where both differ, in a word; null if they don't.
function difference(codec, a, b, bytes) {
  if (a.ok !== b.ok)
    return a.ok ? `taken here alone: ${b.rule}` : `taken there alone: ${a.rule}`;
  if (!a.ok)
    return null;
  const mine = codec.ours(a.fields, bytes);
  for (let i = 0; i < Math.max(mine.length, b.fields.length); i++) {
    const [x, y] = [mine[i] ?? ['nothing', ''], b.fields[i] ?? ['nothing', '']];
    if (x[0] !== y[0] || x[1] !== y[1])
      return `field ${x[0]}: ${x[1].slice(0, 80)} here, ${y[0]} ${y[1].slice(0, 80)} there`;
  }
  return null;
}

class Comparison {
  constructor() {
    Object.assign(this, { inputs: 0, taken: 0, reasons: new Map(), unknown: new Map(), count: 0 });
  }

  compare(batch) {
    ours(batch).forEach((a, i) => {
      const { name, bytes, codec } = batch[i];
      const b = theirs(codec, bytes), what = difference(codec, a, b, bytes);
      this.inputs++;
      this.taken += a.ok && b.ok;
      if (what === null)
        return;
      const row = known.find(k => k.of.test(name) && k.what.test(what));
      if (row !== undefined) {
        this.reasons.set(row.why, (this.reasons.get(row.why) ?? 0) + 1);
        return;
      }
      const kind = `${name}: ${what.replace(/[0-9a-f]{5,}|\d+/g, '#')}`;
      if (!this.unknown.has(kind) && this.unknown.size < SHOWN)
        this.unknown.set(kind, `${name}: ${what}\n  ${bytes.toString('hex').slice(0, 4000)}`);
      this.count++;
    });
  }
}

function* inputsOf(codecs, total, r) {
  const weights = codecs.flatMap(codec => Array(codec.weight ?? 1).fill(codec));
  // Each as it is, first.
  for (const codec of codecs)
    for (const bytes of codec.seeds)
      yield { name: codec.name, codec, bytes };
  for (let i = 0; i < total; i++) {
    const codec = r.pick(weights);
    const seed = r.pick(codec.seeds), other = r.pick(codec.seeds);
    const bytes = (codec.mutate ?? mutate)(r, seed, other);
    yield { name: codec.name, codec, bytes };
  }
}

async function compareAll(what, codecs, total) {
  const comparison = new Comparison();
  await check(`${what}: ${total} inputs, of ${codecs.length} kinds`, () => {
    let batch = [];
    const r = random(Number(process.env.DIFFERENTIAL_SEED ?? 1));
    for (const input of inputsOf(codecs, total, r)) {
      batch.push(input);
      if (batch.length === BATCH) {
        comparison.compare(batch);
        batch = [];
      }
    }
    comparison.compare(batch);
    assert.equal(comparison.count, 0,
      `${comparison.count} disagreements without a reason, such as\n` +
      [...comparison.unknown.values()].join('\n'));
    // Of nothing but garbage they would agree as well.
    assert.ok(comparison.taken > comparison.inputs / 20,
      `only ${comparison.taken} were taken by both`);
  });
  console.log(`         ${comparison.inputs} inputs, ${comparison.taken} taken by both`);
  for (const [why, count] of comparison.reasons)
    console.log(`         ${count} times: ${why}`);
}

// Files of the fuzzer's corpus, by what their names begin with.
export function corpus(folder) {
  const at = new URL(`../fuzz/corpus/${folder}`, import.meta.url).pathname;
  return readdirSync(at).sort().map(file => ({ file, bytes: readFileSync(path.join(at, file)) }));
}

export async function testDifferential() {
  const total = Number(process.env.DIFFERENTIAL ?? 20000);
  if (!existsSync(path.join(path.dirname(context.program), 'tests/codec_probe'))) {
    skip('differential', 'there is no tests/codec_probe beside the program; build all of it');
    return;
  }
  if (context.bcoin === null)
    skip('differential: bcoin', context.bcoinMissing);
  else
    await compareAll('differential: bcoin', bitcoinCodecs(context.bcoin), Math.floor(total * 0.6));
  if (context.ethereumjs === null)
    skip('differential: ethereumjs', context.ethereumjsMissing);
  else
    await compareAll('differential: ethereumjs', ethereumCodecs(context.ethereumjs),
      Math.floor(total * 0.4));
}
