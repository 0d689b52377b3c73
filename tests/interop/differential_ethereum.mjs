// differential_ethereum.mjs: ethereumjs's codecs, for differential.mjs: RLP, packets of discovery
// v4, node records, Hello and Status. Keys are made up here, from a fixed seed.
import { createRequire } from 'node:module';
import path from 'node:path';
import { corpus, mutate } from './differential.mjs';

// Their slices of a Buffer would share its memory, and they read IPv6 addresses and ports from the
// beginning of that.
const plain = bytes => Uint8Array.from(bytes);
const hex = bytes => Buffer.from(bytes).toString('hex');
const KEY = Buffer.alloc(32, 0x11);
const CAPS_MAX = 32; // that we keep of a Hello
const EXPIRATION = 1900000000;

// Strings in hex, lists in brackets, as codec_probe has them.
function flat(item) {
  return Array.isArray(item) ? [['list', '['], ...item.flatMap(flat), ['list', ']']]
    : [['string', hex(item)]];
}

// A host as 16 bytes, so that it does not matter how it is written.
function hostBytes(text) {
  if (text === '')
    return '';
  if (!text.includes(':'))
    return '00000000000000000000ffff' + hex(text.split('.').map(Number));
  const wordsOf = (word) => {
    const [a, b, c, d] = word.split('.').map(Number);
    return word.includes('.') ? [a << 8 | b, c << 8 | d] : [parseInt(word, 16)];
  };
  const [head, tail] = text.split('::')
    .map(half => half.split(':').filter(Boolean).flatMap(wordsOf));
  const words = tail === undefined ? head
    : [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail];
  return words.map(word => word.toString(16).padStart(4, '0')).join('');
}

const isHost = name => ['from', 'to', 'node', 'address'].includes(name);
const ours = fields => fields.map(([name, value]) =>
  [name, isHost(name) ? hostBytes(value) : value]);
// They read text as UTF-8, and put U+FFFD where it is none.
const asText = fields => fields.map(([name, value]) =>
  [name, name === 'client' ? hex(Buffer.from(Buffer.from(value, 'hex').toString())) : value]);

function endpoint(name, { address, udpPort, tcpPort }) {
  return [[name, hostBytes(address)], ['udp', String(udpPort ?? 0)], ['tcp', String(tcpPort ?? 0)]];
}

// What each packet says, in the order of codec_probe.
const packets = {
  ping: d => [['version', String(d.version)], ...endpoint('from', d.from), ...endpoint('to', d.to)],
  pong: d => [...endpoint('to', d.to), ['hash', hex(d.hash)]],
  findneighbours: d => [['target', hex(d.id)]],
  neighbours: d => d.peers.flatMap(p => [...endpoint('node', p.endpoint), ['key', hex(p.id)]])
};
const types = { ping: 1, pong: 2, findneighbours: 3, neighbours: 4 };

class Ethereumjs {
  constructor(home) {
    const require = createRequire(path.join(home, 'differential.js'));
    const devp2p = createRequire(path.join(home, 'node_modules/@ethereumjs/devp2p/package.json'));
    const inside = path.join(home, 'node_modules/@ethereumjs/devp2p/dist/cjs');
    const inner = file => require(path.join(inside, file));
    this.RLP = require('@ethereumjs/rlp').RLP;
    this.keccak = devp2p('ethereum-cryptography/keccak.js').keccak256;
    this.secp = devp2p('ethereum-cryptography/secp256k1.js').secp256k1;
    this.util = devp2p('@ethereumjs/util');
    this.message = inner('dpt/message.js');
    this.ENR = inner('dns/enr.js').ENR;
    this.Peer = inner('rlpx/peer.js').Peer;
  }

  // Changes within lists, or of the bytes themselves.
  mutateItem(r, bytes, other) {
    if (r.below(3) === 0)
      return mutate(r, bytes, other);
    const tree = this.RLP.decode(bytes, true).data;
    const leaf = () => Buffer.alloc(r.below(70), r.below(256));
    const zeros = (n, behind) => Buffer.concat([Buffer.alloc(n), behind]);
    for (let n = r.below(3); n >= 0; n--) {
      let at = tree;
      while (Array.isArray(at) && at.length > 0 && at.some(Array.isArray) && r.below(2) === 0)
        at = r.pick(at.filter(Array.isArray));
      if (!Array.isArray(at))
        break;
      const i = r.below(at.length + 1);
      switch (r.below(5)) {
        case 0: at[i] = leaf(); break;
        case 1: at.splice(i, 1); break;
        case 2: at.splice(i, 0, r.below(4) === 0 ? [leaf()] : leaf()); break;
        case 3: if (at[i] instanceof Uint8Array) at[i] = mutate(r, at[i], leaf()); break;
        case 4: if (at[i] instanceof Uint8Array) at[i] = zeros(r.below(3), at[i]); break;
      }
    }
    return Buffer.from(this.RLP.encode(tree));
  }

  rlp() {
    const seeds = corpus('fuzz_rlp').map(({ bytes }) => bytes).filter(bytes => bytes.length < 4096);
    return {
      name: 'rlp', weight: 8, seeds, ours,
      decode: bytes => flat(this.RLP.decode(plain(bytes))),
      mutate: (r, seed, other) => mutate(r, seed, other)
    };
  }

  // Their Hello is read by a peer; this one has nothing but what that needs.
  hello() {
    const { RLP, Peer, util } = this;
    const hello = (client, caps, port) => Buffer.from(RLP.encode([Buffer.from([5]),
      Buffer.from(client), caps.map(([name, v]) => [Buffer.from(name), Buffer.from([v])]),
      util.intToBytes(port), Buffer.alloc(64, 7)]));
    return {
      name: 'hello', weight: 3, ours: asText,
      seeds: [hello('Geth/v1.16.4', [['eth', 68], ['eth', 69], ['snap', 1]], 30303),
        hello('', [], 0), hello('ünïcode \0 and more', [['abcdefgh', 255]], 65535)],
      mutate: (r, seed, other) => this.mutateItem(r, seed, other),
      decode: (bytes) => {
        const peer = { _remoteId: null, _capabilities: [], disconnect: () => {}, _socket: {} };
        Peer.prototype._handleHello.call(peer, RLP.decode(plain(bytes), true).data);
        const h = peer._hello;
        // Names that no specification allows are counted here, but not kept.
        const named = h.capabilities.filter(c => /^[!-~]{1,8}$/.test(c.name)).slice(0, CAPS_MAX);
        return [['version', String(h.protocolVersion)], ['client', hex(Buffer.from(h.clientId))],
          ...named.flatMap(c => [['capability', hex(Buffer.from(c.name))],
            ['capability version', String(c.version)]]),
          ['port', String(h.port)], ['key', hex(h.id)]];
      }
    };
  }

  // eth/68: their numbers of this list, by their functions.
  status() {
    const { RLP, util } = this, word = n => util.bigIntToUnpaddedBytes(BigInt(n));
    const status = (network, difficulty, next) => Buffer.from(RLP.encode([word(68), word(network),
      word(difficulty), Buffer.alloc(32, 1), Buffer.alloc(32, 2),
      [Buffer.from('07c9462e', 'hex'), word(next)]]));
    return {
      name: 'status/68', weight: 2, ours,
      seeds: [status(1, 2n ** 70n, 0), status(17000, 1, 1710338135),
        status(2n ** 63n, 0, 2n ** 64n - 1n)],
      mutate: (r, seed, other) => this.mutateItem(r, seed, other),
      decode: (bytes) => {
        const list = RLP.decode(plain(bytes), true).data;
        const [version, network, difficulty, head, genesis, fork] = list;
        return [['version', String(util.bytesToInt(version))],
          ['network', String(util.bytesToBigInt(network))],
          ['difficulty', util.bytesToBigInt(difficulty).toString(16).padStart(64, '0')],
          ['head', hex(head)], ['genesis', hex(genesis)],
          ['fork', hex(fork[0])], ['next', String(util.bytesToBigInt(fork[1]))]];
      }
    };
  }

  // The hash is put right behind a mutation; the signature then is somebody else's, of whom both
  // have to say the same.
  discv4() {
    const at = (address, udpPort, tcpPort) => ({ address, udpPort, tcpPort });
    const encode = (type, data) =>
      Buffer.from(this.message.encode(type, { timestamp: EXPIRATION, ...data }, KEY));
    const host = n => (n % 2 ? '2001:db8::1' : '192.0.2.' + n);
    const peer = n => ({ ...at(host(n), 30303, 30300 + n), id: Buffer.alloc(64, n) });
    const from = at('127.0.0.1', 30303, 30303), to = at('2001:db8::2', 30304, null);
    return {
      name: 'discv4', weight: 2, ours,
      seeds: [encode('ping', { version: 4, from, to }),
        encode('pong', { to, hash: Buffer.alloc(32, 5) }),
        encode('findneighbours', { id: Buffer.alloc(64, 6) }), encode('neighbours', { peers: [] }),
        encode('neighbours', { peers: [1, 2, 3, 4].map(peer) })],
      mutate: (r, seed, other) => {
        const list = this.mutateItem(r, seed.subarray(98), other.subarray(98));
        const packet = Buffer.concat([seed.subarray(0, 98), list]);
        packet.set(this.keccak(packet.subarray(32)));
        return packet;
      },
      decode: (bytes) => {
        const { typename, data, publicKey } = this.message.decode(plain(bytes));
        return [['type', String(types[typename])], ['signer', hex(publicKey.subarray(1))],
          ...packets[typename](data), ['expiration', String(data.timestamp)]];
      }
    };
  }

  // Signed again behind a mutation, so that what stands in it matters.
  enr() {
    const { RLP } = this, key = this.secp.getPublicKey(KEY, true);
    const text = list => Buffer.from('enr:' + Buffer.from(RLP.encode(list)).toString('base64url'));
    const sign = (content) => {
      const hash = this.keccak(RLP.encode(content));
      return text([this.secp.sign(hash, KEY).toCompactRawBytes(), ...content]);
    };
    const pairs = more => Object.entries({ id: Buffer.from('v4'), ip: Buffer.from([192, 0, 2, 1]),
      secp256k1: key, tcp: Buffer.from([0x76, 0x5f]), udp: Buffer.from([0x76, 0x60]), ...more })
      .sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) => [Buffer.from(name), value]);
    const contents = [[Buffer.from([1]), ...pairs({})],
      [Buffer.from([1, 0]),
        ...pairs({ eth: [[Buffer.from('07c9462e', 'hex'), Buffer.alloc(0)]], snap: [] })],
      [Buffer.alloc(0), ...pairs({ zz: Buffer.alloc(100, 1) })]];
    const bytesOf = seed => Buffer.from(seed.toString().slice(4), 'base64url');
    return {
      name: 'enr', weight: 1, seeds: contents.map(sign), ours,
      mutate: (r, seed, other) => {
        if (r.below(4) === 0)
          return mutate(r, seed, other);
        const [, ...content] = RLP.decode(bytesOf(seed));
        const changed = this.mutateItem(r, RLP.encode(content), RLP.encode([]));
        try {
          return sign(RLP.decode(changed));
        } catch {
          return text([Buffer.alloc(64, 1), changed]);
        }
      },
      decode: (bytes) => {
        const p = this.ENR.parseAndVerifyRecord(bytes.toString('latin1'));
        return endpoint('address', p);
      }
    };
  }
}

export function ethereumCodecs(home) {
  const e = new Ethereumjs(home);
  return [e.rlp(), e.hello(), e.status(), e.discv4(), e.enr()];
}
