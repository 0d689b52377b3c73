// litecoin.mjs: crawls of a regtest network of litecoind and bcoin nodes, and visits.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  assertSameSet, check, context, crawl, exportCsv, have, hostPort, jsonLines, peerwalk,
  peerwalkJson, skip, start, startBcoin, stop, until
} from './lib.mjs';
import { hurry, PORT, startLitecoin } from './litecoind.mjs';

const NETWORK = 'bitcoin-regtest';
const uri = node => `${NETWORK}://${hostPort(node)}`;

function assertIsNode(row, node, network = NETWORK) {
  assert.ok(row, `${hostPort(node)} was found`);
  assert.equal(row.network, network);
  assert.equal(row.agent, node.agent);
  assert.equal(row.protocol, String(node.protocol));
  assert.equal(Number(row.services), node.services);
  assert.equal(row.height, String(node.height));
  assert.notEqual(row.last_reached, '');
}

const rowOf = (rows, node) =>
  rows.find(row => row.address === node.address && row.port === String(node.port));

// From one bcoin node, which knows the litecoind nodes. Those mostly stay silent as long as
// a visit takes.
async function crawlMixed(nodes, bcoin) {
  const db = path.join(context.scratch, 'mixed.db');
  const all = [...nodes, ...bcoin.nodes];
  const summary = await crawl(db, [NETWORK, '--seed', hostPort(bcoin.nodes[0])]);
  const { rows } = await exportCsv(db, 'peers');

  assert.equal(summary.reached, all.length);
  assertSameSet(rows.filter(row => row.last_reached !== '').map(row => row.peer), all.map(uri),
    'peers reached');
  for (const node of all)
    assertIsNode(rowOf(rows, node), node);
  for (const node of bcoin.nodes)
    assert.equal(rowOf(rows, node).outcome, 'ok');
  for (const node of nodes)
    assert.match(rowOf(rows, node).outcome, /^(ok|no_peers)$/);
}

// With --patient the lists come, and in them IPv6 addresses, in addrv2.
async function crawlPatiently(nodes) {
  const db = path.join(context.scratch, 'patient.db');
  const seeds = nodes.flatMap(node => ['--seed', uri(node)]);
  await hurry(nodes, crawl(db, [NETWORK, ...seeds, '--patient', '--adverts']));
  const visits = (await exportCsv(db, 'visits')).rows;
  const adverts = (await exportCsv(db, 'adverts')).rows;

  for (const node of nodes) {
    const visit = rowOf(visits, node);
    assertIsNode(rowOf((await exportCsv(db, 'peers')).rows, node), node);
    assert.equal(visit.outcome, 'ok');
    assert.match(visit.negotiation, /\bwtxidrelay sendaddrv2\b/);
    // 23 % of its table: 14 of 62, fewer if some fell out of their places in it (8 seen).
    const named = adverts.filter(row => row.from === uri(node)).map(row => row.peer);
    const known = new Set([...node.knows, node].map(uri));
    for (const peer of named)
      assert.ok(known.has(peer), `${uri(node)} knows ${peer}`);
    const v6 = named.filter(peer => peer.includes('://[2a01:4f8:'));
    assert.ok(v6.length >= 4, `IPv6 addresses of ${uri(node)}: ${v6}`);
  }
  const dead = visits.filter(row => row.address.includes(':'));
  assert.ok(dead.length >= 4);
  for (const row of dead)
    assert.equal(row.outcome, 'refused', row.peer);
}

async function crawlByMagic(nodes) {
  const db = path.join(context.scratch, 'magic.db');
  const seeds = nodes.flatMap(node => ['--seed', node.address]);
  const summary = await hurry(nodes, crawl(db, ['litecoin-regtest', '--magic', 'fabfb5da', '--port',
    String(PORT), ...seeds]));
  const { rows } = await exportCsv(db, 'peers');

  assert.equal(summary.network, 'litecoin-regtest');
  for (const node of nodes)
    assertIsNode(rowOf(rows, node), node, 'litecoin-regtest');
}

async function checkPing(nodes) {
  const answers = await peerwalkJson(['ping', '--count', '2', '--interval', '50ms',
    ...nodes.map(uri)]);
  answers.forEach((a, i) => {
    assert.equal(a.outcome, 'ok');
    assert.equal(a.agent, nodes[i].agent);
    assert.equal(a.height, nodes[i].height);
    assert.equal(a.protocol, nodes[i].protocol);
    assert.equal(Number(a.services), nodes[i].services);
    assert.equal(a.feefilter, 1000); // -minrelaytxfee: 0.00001 a kvB
    assert.equal(a.pings, 2);
    assert.match(a.sees_us_as, /^198\.97\.0\.9:\d+$/);
  });
}

// How the node sees us: by its own books.
async function checkBooks(node) {
  const guest = start(context.program, ['listen', uri(node), '--json', '-v']);
  try {
    const peer = await hurry([node], (async () => {
      await until('a list in addrv2', () =>
        /"message":"addrv2"[^\n]*"count","value":([2-9]|\d\d)/.test(guest.stdout));
      return (await node.rpc('getpeerinfo')).find(p => p.subver.startsWith('/peerwalk:'));
    })());
    assert.equal(peer.version, 70017);
    assert.equal(peer.services, '0000000000000000');
    assert.equal(peer.inbound, true);
    const heard = Object.keys(peer.bytesrecv_per_msg).sort();
    assert.deepEqual(heard, ['getaddr', 'pong', 'sendaddrv2', 'verack', 'version', 'wtxidrelay']);
  } finally {
    await stop(guest, 'SIGINT');
  }
  const messages = jsonLines(guest.stdout);
  for (const name of ['version', 'wtxidrelay', 'sendaddrv2', 'verack', 'sendheaders', 'sendcmpct',
    'ping', 'feefilter', 'addrv2'])
    assert.ok(messages.some(m => m.message === name), `${name} among the messages`);
  for (const m of messages)
    assert.equal(m.rule, undefined, `${m.message}: ${m.rule}`);
}

export async function testLitecoin() {
  if (!have('litecoind')) {
    skip('litecoin', 'there is no litecoind here; tools/setup interop installs it');
    return;
  }
  const { nodes, processes } = await startLitecoin(3);

  if (context.bcoin) {
    const bcoin = await startBcoin(['--count=3', '--network=regtest', '--blocks', '--degree=1',
      `--also=${nodes.map(hostPort)}`]);
    await check('litecoin: a crawl of a regtest network of bcoin and litecoind finds all',
      () => crawlMixed(nodes, bcoin));
    await stop(bcoin);
  } else {
    skip('litecoin: a regtest network of bcoin and litecoind', context.bcoinMissing);
  }
  await check('litecoin: --patient gets the addrv2 lists, and visits whom they name',
    () => crawlPatiently(nodes));
  await check('litecoin: a chain described by --magic and --port', () => crawlByMagic(nodes));
  await check('litecoin: ping says who each node is', () => checkPing(nodes));
  await check('litecoin: peers --patient prints whom a node names', async () => {
    const { stdout } = await hurry(nodes, peerwalk(['peers', '--patient', uri(nodes[0])]));
    const known = new Set([...nodes[0].knows, nodes[0]].map(hostPort));
    const named = stdout.split('\n').filter(Boolean);
    assert.ok(named.length >= 4, `named: ${named}`);
    for (const peer of named)
      assert.ok(known.has(peer), peer);
  });
  await check('litecoin: listen decodes every message; the node counts no fault of ours',
    () => checkBooks(nodes[1]));
  await check('litecoin: another network\'s question is closed without a byte', async () => {
    const [a] = await peerwalkJson(['ping', `bitcoin://${hostPort(nodes[2])}`], { status: 3 });
    assert.equal(a.outcome, 'full');
  });
  await Promise.all(processes.map(p => stop(p)));
}
