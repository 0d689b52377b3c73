// nodes.js: nodes of @ethereumjs/devp2p in one process, each at an address of its own: RLPx, and
// discovery if it is wanted.
//
//     node nodes.js [--count=3] [--first=0] [--full] [--discover] [--bootstrap=ENODE] [--dial=ENODE]
//
//   --first      the number of the first, by which it has its address and its key
//   --full       no node has a place for a peer
//   --discover   all run discovery, too, and begin with node 0 ...
//   --bootstrap  ... or with this one
//   --dial       node 0 calls this one
//
// A line of JSON when all listen: who they are. Then one for each thing that happens to a
// connection, as the node itself sees it. Needs `npm ci` in the folder ETHEREUMJS_HOME, and runs
// inside tests/interop/private-internet.
'use strict';
const path = require('path');
const home = require('module').createRequire(path.join(process.env.ETHEREUMJS_HOME, 'nodes.js'));
const {DPT, RLPx, ETH} = home('@ethereumjs/devp2p');
const {Common, Mainnet, Hardfork} = home('@ethereumjs/common');
const {bytesToHex, hexToBytes, intToBytes, utf8ToBytes} = home('@ethereumjs/util');

const flags = new Map(process.argv.slice(2).map((arg) => {
  const [name, value] = arg.replace(/^--/, '').split(/=(.*)/s);
  return [name, value ?? ''];
}));
const say = what => console.log(JSON.stringify(what));
const bare = bytes => bytesToHex(bytes).slice(2);

const PORT = 30303;
// Main network's genesis block.
const genesis = hexToBytes(
  '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3');
const common = new Common({chain: Mainnet, hardfork: Hardfork.Prague});

// What it learns of others is told: only who answered a ping has a place in its table.
function discover(i, key, address) {
  const endpoint = {address, udpPort: PORT, tcpPort: PORT};
  const dpt = new DPT(key, {endpoint, timeout: 2000, refreshInterval: 2000, dnsAddr: '127.0.0.1'});

  dpt.events.on('error', err => say({node: i, error: err.message}));
  dpt.events.on('peer:added', peer => say({node: i, knows: bare(peer.id), address: peer.address}));
  dpt.bind(PORT, address);
  return dpt;
}

function start(i) {
  const address = `54.${first + i + 1}.2.3`;
  const key = new Uint8Array(32).fill(first + i + 1);
  // The last node speaks an old version alone.
  const capabilities = i === count - 1 ? [ETH.eth66] : [ETH.eth66, ETH.eth68];
  const client = `ethereumjs-test${first + i}/v10.0.0`;
  const rlpx = new RLPx(key, {
    timeout: 5000, maxPeers: flags.has('full') ? 0 : 25, listenPort: PORT, common, capabilities,
    clientId: utf8ToBytes(client)
  });
  const head = new Uint8Array(32).fill(0xa0 + first + i);

  rlpx.events.on('error', err => say({node: i, error: err.message}));
  rlpx.events.on('peer:error', (_, err) => say({node: i, error: err.message}));
  rlpx.events.on('peer:removed', (_, reason, we) => say({node: i, gone: Number(reason), we: !!we}));
  rlpx.events.on('peer:added', (peer) => {
    const hello = peer.getHelloMessage();
    say({node: i, hello: hello.clientId, key: bare(peer.getId()), p2p: hello.protocolVersion,
      capabilities: hello.capabilities.map(c => `${c.name}/${c.version}`)});
    const eth = peer.getProtocols().find(p => p instanceof ETH);
    eth.events.on('status', s => say({node: i, status: bare(s.genesisHash), head: bare(s.bestHash),
      fork: s.forkId.map(bare)}));
    eth.sendStatus({td: hexToBytes('0x0400000000'), bestHash: head, genesisHash: genesis,
      latestBlock: intToBytes(22500000)});
  });
  rlpx.listen(PORT, address);
  const dpt = flags.has('discover') ? discover(i, key, address) : undefined;
  return {rlpx, dpt, enode: `enode://${bare(rlpx.id)}@${address}:${PORT}`, key: bare(rlpx.id), client,
    capabilities: capabilities.map(c => `${c.name}/${c.version}`), head: bare(head),
    genesis: bare(genesis), port: PORT};
}

const parse = enode => /^enode:\/\/([0-9a-f]{128})@([\d.]+):(\d+)/.exec(enode).slice(1);
const count = Number(flags.get('count') ?? 3);
const first = Number(flags.get('first') ?? 0);
const nodes = Array.from({length: count}, (_, i) => start(i));
say({nodes: nodes.map(({rlpx, dpt, ...node}) => node)});
if (flags.has('discover')) {
  const [, address, port] = parse(flags.get('bootstrap') ?? nodes[0].enode);
  const boot = {address, udpPort: Number(port), tcpPort: Number(port)};
  nodes.slice(flags.has('bootstrap') ? 0 : 1).forEach(({dpt}) => dpt.bootstrap(boot));
}
if (flags.has('dial')) {
  const [key, address, port] = parse(flags.get('dial'));
  nodes[0].rlpx.connect({id: hexToBytes(`0x${key}`), address, tcpPort: Number(port)})
    .catch(err => say({error: err.message}));
}
