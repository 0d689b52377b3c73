// differential_bitcoin.mjs: bcoin's codecs, for differential.mjs: the fields of each message in the
// order and with the names of ours. Loads them into this process; NODE_BACKEND=js, as always here.
import { createRequire } from 'node:module';
import path from 'node:path';
import { corpus } from './differential.mjs';

const number = (name, v) => [name, String(v)];
const u32 = (name, v) => [name, String(v >>> 0)];
const hex = (name, v) => [name, typeof v === 'string' ? v : v.toString('hex')];
const ascii = (name, v) => [name, Buffer.from(v, 'latin1').toString('hex')];

// bcoin knows the lower half of the service bits.
const half = v => String(BigInt.asUintN(32, BigInt(v)));

// A place as 16 bytes, whatever its text looks like.
function addressBytes(IP, text) {
  return IP.toBuffer(text).toString('hex');
}

function netAddress(prefix, a) {
  return [number(`${prefix}services`, a.services), hex(`${prefix}address`, a.raw),
    number(`${prefix}port`, a.port)];
}

function header(h) {
  return [u32('version', h.version), hex('previous block', h.prevBlock),
    hex('merkle root', h.merkleRoot), number('time', h.time), number('bits', h.bits),
    number('nonce', h.nonce), hex('block hash', h.hash('hex'))];
}

function transaction(t, raw) {
  const witness = raw[4] === 0 && raw[5] !== 0;
  const fields = [u32('version', t.version), number('input count', t.inputs.length)];
  for (const input of t.inputs)
    fields.push(hex('previous txid', input.prevout.hash),
      number('previous index', input.prevout.index), hex('script', input.script.raw),
      number('sequence', input.sequence));
  fields.push(number('output count', t.outputs.length));
  for (const output of t.outputs)
    fields.push(number('value', output.value), hex('script', output.script.raw));
  for (const input of witness ? t.inputs : [])
    fields.push(number('item count', input.witness.items.length),
      ...input.witness.items.map(item => hex('item', item)));
  fields.push(number('lock time', t.locktime), hex('txid', t.hash('hex')));
  return witness ? [...fields, hex('wtxid', t.witnessHash('hex'))] : fields;
}

const inventory = p => [number('count', p.items.length),
  ...p.items.flatMap(item => [number('type', item.type), hex('hash', item.hash)])];

const locator = p => [u32('protocol', p.version), number('count', p.locator.length),
  ...p.locator.map(hash => hex('block hash', hash)), hex('stop hash', p.stop)];

// What is there; who leaves out the end has nothing there.
function version(p, raw) {
  const fields = [number('protocol', p.version), number('services', p.services),
    number('time', p.time), ...netAddress('receiver ', p.remote)];
  if (raw.length > 46)
    fields.push(...netAddress('sender ', p.local), number('nonce', p.nonce.readBigUInt64LE()));
  if (raw.length > 80)
    fields.push(ascii('user agent', p.agent));
  const behind = raw.length > 80 ? 80 + 1 + (raw[80] === 0xfd ? 2 : 0) + p.agent.length : 0;
  if (behind > 0 && raw.length > behind)
    fields.push(number('height', p.height));
  if (behind > 0 && raw.length > behind + 4)
    fields.push(['relay', p.noRelay ? '0' : '1']);
  return fields;
}

const readers = {
  version,
  ping: p => (p.nonce ? [number('nonce', p.nonce.readBigUInt64LE())] : []),
  pong: p => [number('nonce', p.nonce.readBigUInt64LE())],
  addr: p => [number('count', p.items.length),
    ...p.items.flatMap(a => [number('time', a.time), ...netAddress('', a)])],
  inv: inventory, getdata: inventory, notfound: inventory,
  getblocks: locator, getheaders: locator,
  headers: p => [number('count', p.items.length),
    ...p.items.flatMap(h => [...header(h), number('transaction count', 0)])],
  tx: (p, raw) => transaction(p.tx, raw),
  reject: p => [ascii('rejected command', p.message), number('code', p.code),
    ascii('reason', p.reason), ...(p.hash !== null ? [hex('rejected hash', p.hash)] : [])],
  filterload: p => [hex('filter', p.filter.filter), number('hash functions', p.filter.n),
    number('tweak', p.filter.tweak), number('flags', p.filter.update)],
  filteradd: p => [hex('element', p.data)],
  merkleblock: p => [...header(p.block), number('transaction count', p.block.totalTX),
    number('hash count', p.block.hashes.length), ...p.block.hashes.map(hash => hex('hash', hash)),
    hex('flags', p.block.flags)],
  feefilter: p => [number('feerate', p.rate)],
  sendcmpct: p => [number('announce', p.mode), number('version', p.version)]
};

// Ours, without what is said by the length of what follows, and as bcoin can hold it.
function ours(IP, name, fields) {
  const said = fields.filter(([field]) => !['length', 'marker', 'flag'].includes(field));
  return said.map(([field, value]) => {
    if (field.endsWith('services'))
      return [field, half(value)];
    if (field.endsWith('address'))
      return [field, addressBytes(IP, value)];
    if (field === 'version' && name !== 'sendcmpct')
      return u32(field, Number(value));
    if (field === 'relay')
      return [field, value === '0' ? '0' : '1'];
    // Seven bits of a character.
    if (['user agent', 'rejected command', 'reason'].includes(field))
      return [field, Buffer.from(Buffer.from(value, 'hex').map(b => b & 0x7f)).toString('hex')];
    return [field, value];
  });
}

export function bitcoinCodecs(home) {
  process.env.NODE_BACKEND = 'js';
  const require = createRequire(path.join(home, 'differential.js'));
  const packets = require('bcoin/lib/net/packets'), IP = require('binet');
  const files = corpus('fuzz_payload');

  return Object.entries(readers).map(([name, read]) => ({
    name,
    // The first byte of a file says which message it is.
    seeds: files.filter(({ file }) => file.split('-')[0] === name)
      .map(({ bytes }) => bytes.subarray(1)).filter(bytes => bytes.length < 64 * 1024),
    weight: name === 'version' || name === 'tx' ? 4 : 1,
    decode: bytes => read(packets.fromRaw(name, Buffer.from(bytes)), bytes),
    ours: fields => ours(IP, name, fields)
  }));
}
