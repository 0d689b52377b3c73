// nodes.js: real bcoin full nodes in one process, each at an address of its own, each with
// a table of peers that is fixed. So a crawl of them has one right answer, and this prints it.
//
//     node nodes.js [--count=8] [--network=main] [--v6] [--degree=2] [--fat] [--blocks]
//                   [--also=HOST:PORT,...] [--only=HOST:PORT,...] [--max-inbound=200]
//                   [--net=52] [--rpc-port=30000] [--any-services]
//
//   --v6        every second node has an IPv6 address
//   --degree=K  node i knows the K after it, in a ring
//   --fat       and bcoin's built-in list of some 1,500 addresses of the real network
//   --blocks    node i mines i + 1 blocks (regtest), so that no two have the same height
//   --also      further addresses that all of them know
//   --only      connects to these, and asks them whom they know
//   --any-services  keeps them although they offer no blocks: an exception that Core makes for
//               peers that it was told to dial, and bcoin does not. Nothing else is changed: it
//               knows that they have none
//
// A line of JSON when all listen: what each node says of itself over RPC, and whom it knows.
// Each line on stdin is answered by such a line. Needs `npm ci` in the folder BCOIN_HOME, and
// runs inside tests/interop/private-internet.
'use strict';
process.env.NODE_BACKEND = 'js'; // without the native addons, which have to be compiled
require('events').defaultMaxListeners = 0; // the nodes share one clock, which has one list
const path = require('path');
const readline = require('readline');
const home = require('module').createRequire(path.join(process.env.BCOIN_HOME, 'nodes.js'));
const {FullNode, Network} = home('bcoin');
const NetAddress = home('bcoin/lib/net/netaddress');
const seeds = home('bcoin/lib/net/seeds');
const Peer = home('bcoin/lib/net/peer');
const IP = home('binet');

const ADDR_MAX = 1000; // entries of one addr message, by the protocol; bcoin sends the first

const flags = new Map(process.argv.slice(2).map((arg) => {
  const [name, value] = arg.replace(/^--/, '').split(/=(.*)/s);
  return [name, value ?? ''];
}));
const number = (name, usual) => Number(flags.get(name) ?? usual);
const list = name => (flags.get(name) || '').split(',').filter(Boolean);

const count = number('count', 8);
const network = flags.get('network') ?? 'main';
const port = Network.get(network).port;
// One /16, or /48, for each: crawlers go easy on neighbours.
const hosts = Array.from({length: count}, (_, i) => flags.has('v6') && i % 2 === 1
  ? `2a01:4f8:${(i + 1).toString(16)}::3` : `${number('net', 52)}.${i + 1}.2.3`);

if (flags.has('any-services')) {
  const handleVersion = Peer.prototype.handleVersion;
  Peer.prototype.handleVersion = async function(packet) {
    const {services} = packet;
    packet.services |= 1 | 8;
    await handleVersion.call(this, packet);
    packet.services = this.services = services;
  };
}

function add(node, hostPort, ageSeconds) {
  const addr = NetAddress.fromHostname(hostPort, network);
  if (!addr.isRoutable() || addr.isOnion())
    return;
  addr.services = 1 | 8; // NODE_NETWORK, NODE_WITNESS
  addr.time = Math.floor(Date.now() / 1000) - ageSeconds;
  node.pool.hosts.add(addr);
}

async function start(i) {
  const node = new FullNode({
    network, memory: true, workers: false, logLevel: 'none', listen: true, noAuth: true,
    host: hosts[i], publicHost: hosts[i], port, publicPort: port,
    maxInbound: number('max-inbound', 200), maxOutbound: 1,
    httpHost: '127.0.0.1', httpPort: number('rpc-port', 30000) + i,
    seeds: [], only: list('only')
  });
  node.on('error', () => {}); // a peer that goes away is no news
  for (let k = 1; k <= Math.min(number('degree', 2), count - 1); k++)
    add(node, IP.toHostname(hosts[(i + k) % count], port), 600);
  for (const also of list('also'))
    add(node, also, 600);
  // Older, as bcoin's table has room for 1,000 and drops the oldest.
  for (const seed of flags.has('fat') ? seeds.get(network) : [])
    add(node, seed, 7200);
  await node.open();
  for (let b = 0; flags.has('blocks') && b <= i; b++)
    await node.chain.add(await node.miner.mineBlock());
  if (flags.has('only'))
    await node.connect();
  else
    await node.pool.listen();
  return node;
}

async function report(node, i) {
  const call = async (method) => {
    const {result, error} = await node.rpc.call({method, params: [], id: 1}, {});
    if (error)
      throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const info = await call('getnetworkinfo');
  return {
    address: hosts[i], port, rpc_port: number('rpc-port', 30000) + i,
    agent: info.subversion, protocol: info.protocolversion,
    services: Number(`0x${info.localservices}`), height: await call('getblockcount'),
    knows: node.pool.hosts.toArray().slice(0, ADDR_MAX).map(a => ({address: a.host, port: a.port})),
    peers: (await call('getpeerinfo')).map(p => ({address: p.addr, agent: p.subver}))
  };
}

async function main() {
  const nodes = [];
  for (let i = 0; i < count; i++)
    nodes.push(await start(i));
  const print = async () =>
    console.log(JSON.stringify({nodes: await Promise.all(nodes.map(report))}));
  await print();
  for await (const _ of readline.createInterface({input: process.stdin}))
    await print();
  process.exit(0); // stdin was closed: whoever wanted them has gone
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
