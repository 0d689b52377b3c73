// bcoin.mjs: crawls of real bcoin nodes, and single visits to them.
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  assertSameSet, check, context, crawl, exportCsv, hostPort, jsonLines, peerwalk, peerwalkJson,
  skip, start, startBcoin, stop, until
} from './lib.mjs';

const DEAD = '52.200.2.3:8333';   // nobody listens
const SILENT = '60.1.2.3:8333';   // nobody answers at all
// The columns that docs/cli.md promises, in this order.
const COLUMNS = 'network,peer,address,port,node_id,outcome,agent,protocol,services,height,' +
  'first_seen,last_seen,last_reached,connect_ms,handshake_ms,visits,reached_count';

const uri = node => `bitcoin://${hostPort(node)}`;

// What the database must hold of a node that was reached, by the node's own word.
function assertIsNode(row, node, expected) {
  assert.equal(row.network, expected.network);
  assert.equal(row.outcome, expected.outcome, `outcome of ${row.peer}`);
  assert.equal(row.address, node.address);
  assert.equal(row.port, String(node.port));
  assert.equal(row.agent, node.agent);
  assert.equal(row.protocol, String(node.protocol));
  assert.equal(Number(row.services), node.services);
  assert.equal(row.height, String(node.height));
  assert.equal(row.visits, String(expected.visits));
  assert.equal(row.reached_count, String(expected.visits));
  assert.match(row.connect_ms, /^\d+$/);
  assert.match(row.handshake_ms, /^\d+$/);
  for (const column of ['first_seen', 'last_seen', 'last_reached']) {
    assert.match(row[column], /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, column);
    const ageMs = Date.now() - Date.parse(row[column]);
    assert.ok(ageMs > -1000 && ageMs < 600 * 1000, `${column} of ${row.peer}: ${row[column]}`);
  }
}

function assertIsDead(row, outcome) {
  assert.equal(row.outcome, outcome, row.peer);
  assert.equal(row.last_reached, '');
  assert.equal(row.reached_count, '0');
  assert.equal(row.agent, '');
}

// One crawl of the ring, then what the database says about it.
async function crawlRing(db, nodes, visits, args = []) {
  const expected = { refused: 1, connect_timeout: context.silent ? 1 : 0 };
  const summary = await crawl(db, ['bitcoin', '--seed', hostPort(nodes[0]), '--adverts',
    '--connect-timeout', '1s', ...args]);
  assert.equal(summary.crawl, visits);
  assert.equal(summary.reached, nodes.length);
  assert.equal(summary.outcomes.ok, nodes.length);
  for (const [outcome, count] of Object.entries(summary.outcomes))
    assert.equal(count, outcome === 'ok' ? nodes.length : expected[outcome] ?? 0, outcome);
  const { header, rows } = await exportCsv(db, 'peers');
  assert.equal(header.slice(0, COLUMNS.split(',').length).join(), COLUMNS);
  const dead = [DEAD, ...(context.silent ? [SILENT] : [])].map(peer => `bitcoin://${peer}`);
  assertSameSet(rows.map(row => row.peer), [...nodes.map(uri), ...dead], 'peers found');
  for (const row of rows) {
    const node = nodes.find(n => uri(n) === row.peer);
    if (node)
      assertIsNode(row, node, { network: 'bitcoin', outcome: 'ok', visits });
    else
      assertIsDead(row, row.peer.endsWith(DEAD) ? 'refused' : 'connect_timeout');
  }
}

// Whom a node names to a stranger: those of its table, and itself.
const named = node => [...node.knows, node].map(hostPort);

async function checkRing() {
  const dead = context.silent ? `${DEAD},${SILENT}` : DEAD;
  const bcoin = await startBcoin(['--count=8', '--v6', '--degree=2', `--also=${dead}`]);
  const { nodes } = bcoin;
  const db = path.join(context.scratch, 'ring.db');

  await check('bcoin: a crawl finds all of a ring of 8, IPv4 and IPv6, as they say they are',
    () => crawlRing(db, nodes, 1));
  await check('bcoin: who named whom is in the database', async () => {
    const { rows } = await exportCsv(db, 'adverts');
    const truth = nodes.flatMap(n => named(n).map(p => `${uri(n)} bitcoin://${p}`));
    assertSameSet(rows.map(row => `${row.from} ${row.peer}`), truth, 'adverts');
  });
  await check('bcoin: a second crawl, with two threads, finds the same',
    () => crawlRing(db, nodes, 2, ['--threads', '2']));
  await checkVisits(nodes);
  await stop(bcoin);
}

async function checkVisits(nodes) {
  await check('bcoin: ping says who each node is, and how far away', async () => {
    const answers = await peerwalkJson(['ping', '--count', '3', '--interval', '50ms',
      ...nodes.map(uri)]);
    assert.equal(answers.length, nodes.length);
    answers.forEach((a, i) => {
      assert.equal(a.outcome, 'ok');
      assert.equal(a.agent, nodes[i].agent);
      assert.equal(a.protocol, nodes[i].protocol);
      assert.equal(Number(a.services), nodes[i].services);
      assert.deepEqual(a.service_names, ['NETWORK', 'WITNESS']);
      assert.equal(a.height, nodes[i].height);
      assert.equal(a.pings, 3);
      assert.ok(a.ping_min_ms <= a.ping_mean_ms && a.ping_mean_ms <= a.ping_max_ms);
      assert.ok(Math.abs(a.clock_skew_s) <= 1);
    });
  });
  for (const node of nodes.slice(0, 2)) {
    await check(`bcoin: peers prints exactly whom ${hostPort(node)} knows`, async () => {
      const { stdout } = await peerwalk(['peers', uri(node)]);
      assertSameSet(stdout.split('\n').filter(Boolean), named(node), 'peers');
    });
    await check(`bcoin: listen decodes what ${hostPort(node)} says`, () => checkListen(node));
  }
  await check('bcoin: the other network\'s magic is wrong_network', async () => {
    const peer = `bitcoin-regtest://${hostPort(nodes[0])}`;
    const [a] = await peerwalkJson(['ping', peer], { status: 3 });
    assert.equal(a.outcome, 'wrong_network');
  });
}

async function checkListen(node) {
  const { stdout } = await peerwalk(['listen', uri(node), '--duration', '2s', '--json', '-v']);
  const messages = jsonLines(stdout);
  const names = messages.map(m => m.message);
  assert.equal(names[0], 'version');
  for (const name of ['verack', 'addr', 'sendcmpct', 'getaddr'])
    assert.ok(names.includes(name), `${name} among ${names}`);
  for (const m of messages)
    assert.equal(m.rule, undefined, `${m.message}: ${m.rule}`);
  const text = JSON.stringify(messages[0].fields);
  for (const value of [node.agent, node.protocol, node.height])
    assert.ok(text.includes(String(value)), `${value} in ${text}`);
  const addresses = messages.filter(m => m.message === 'addr').flatMap(m => m.fields)
    .filter(f => f.name === 'address').map(f => f.value);
  for (const known of named(node))
    assert.ok(JSON.stringify(addresses).includes(known.replace(/:\d+$/, '').replace(/[[\]]/g, '')),
      `${known} among ${JSON.stringify(addresses)}`);
}

// IANA's special ranges within 2000::/3 that bcoin's list has addresses of: 2001::/23 (Teredo)
// and 2002::/16 (6to4). Nobody is reached there, so a crawl counts them, and no more.
function isSpecial(peer) {
  const [, first, second] = /\[([0-9a-f]+):([0-9a-f]*):/.exec(peer) ?? [];
  return first === '2002' || (first === '2001' && parseInt(second || '0', 16) < 0x200);
}

// Answers with a thousand entries each: what bcoin is built with, of the real network. In
// here nobody is at these addresses.
async function checkFat() {
  const bcoin = await startBcoin(['--count=8', '--v6', '--degree=2', '--fat']);
  const { nodes } = bcoin;
  const db = path.join(context.scratch, 'fat.db');

  await check('bcoin: a crawl takes 1,000 entries from each, and visits them all', async () => {
    for (const node of nodes)
      assert.equal(node.knows.length, 1000);
    const summary = await crawl(db, ['bitcoin', '--seed', hostPort(nodes[0])]);
    const truth = new Set(nodes.flatMap(named).filter(p => !isSpecial(p))
      .map(p => `bitcoin://${p}`));
    assert.ok(truth.size > 600, `${truth.size} addresses`);
    const { rows } = await exportCsv(db, 'peers');
    assertSameSet(rows.map(row => row.peer), truth, 'peers known');
    assertSameSet(rows.filter(row => row.last_reached !== '').map(row => row.peer),
      nodes.map(uri), 'peers reached');
    assert.equal(summary.known, truth.size);
    assert.equal(summary.visited, truth.size);
    assert.equal(summary.adverts, nodes.flatMap(named).length);
    for (const row of rows)
      assert.ok(row.outcome !== '', `${row.peer} was visited`);
  });
  await check('bcoin: peers prints a thousand and the node itself', async () => {
    const { stdout } = await peerwalk(['peers', uri(nodes[1])]);
    assertSameSet(stdout.split('\n').filter(Boolean), named(nodes[1]), 'peers');
  });
  await stop(bcoin);
}

// bcoin accepts a connection more than it has room for, and closes it at once.
async function checkFull() {
  const bcoin = await startBcoin(['--count=1', '--max-inbound=1', '--also=' + DEAD]);
  const [node] = bcoin.nodes;
  const guest = start(context.program, ['listen', uri(node)]);

  await check('bcoin: a node with all its slots taken is full', async () => {
    await until('the slot is taken', async () => (await bcoin.ask())[0].peers.length === 1);
    const [a] = await peerwalkJson(['ping', uri(node)], { status: 3 });
    assert.equal(a.outcome, 'full');
  });
  await stop(guest, 'SIGINT');
  await check('bcoin: listen ends in order when interrupted',
    () => assert.equal(guest.status, 130));
  await stop(bcoin);
}

export async function testBcoin() {
  if (!context.bcoin) {
    skip('bcoin', context.bcoinMissing);
    return;
  }
  if (!context.silent)
    skip('bcoin: an address that never answers', 'this kernel gives us no tun device');
  await checkRing();
  await checkFat();
  await checkFull();
}
