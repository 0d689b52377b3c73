// simulated.mjs: peerwalk's own simulated network at public addresses. It is crawled as the
// real one is, without --allow-private; and real nodes dial into it, and take it for real.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  assertSameSet, check, context, crawl, exportCsv, have, parseCsv, peerwalkJson, skip, start,
  startBcoin, stop, until
} from './lib.mjs';
import { startLitecoin } from './litecoind.mjs';

export async function startSimulation(name, args, env = {}) {
  const truthFile = path.join(context.scratch, `${name}-truth.csv`);
  const seedsFile = path.join(context.scratch, `${name}-seeds.txt`);
  const p = start(context.program, ['simulate', ...args, '--truth', truthFile,
    '--seeds-out', seedsFile], { env });
  await until('the simulated network', () => {
    if (p.status !== undefined)
      throw new Error(`simulate ended: ${p.stderr}`);
    return p.stdout.includes('"ready":true');
  });
  p.truthFile = truthFile;
  p.seedsFile = seedsFile;
  p.truth = parseCsv(readFileSync(truthFile, 'utf8')).rows;
  return p;
}

async function checkCrawl(name, range) {
  const sim = await startSimulation(name, ['bitcoin', '--range', range, '--peers', '300',
    '--ghosts', '200', '--latency', '20ms']);
  const db = path.join(context.scratch, `${name}.db`);

  await check(`simulated: a crawl of 500 addresses in ${range} finds all there are`, async () => {
    await crawl(db, ['bitcoin', '--seeds', sim.seedsFile, '--connect-timeout', '2s',
      '--per-group', '500']);
    const reached = (await exportCsv(db, 'peers')).rows.filter(row => row.last_reached !== '');
    const reachable = sim.truth.filter(row => row.reachable === '1');
    assert.ok(reachable.length > 200);
    assertSameSet(reached.map(row => row.peer), reachable.map(row => row.peer), 'peers reached');
    assertSameSet(reached.map(row => `${row.peer} ${row.agent}`),
      reachable.map(row => `${row.peer} ${row.agent}`), 'user agents');
  });
  await check(`simulated: score agrees on ${range}`, async () => {
    const score = await peerwalkJson(['score', '--truth', sim.truthFile, '--db', db,
      '--min-recall', '1']);
    assert.equal(score.recall, 1);
    assert.equal(score.precision, 1);
  });
  await stop(sim, 'SIGINT');
  await check(`simulated: simulate in ${range} ends with its counts`, () => {
    assert.equal(sim.status, 130);
    const counts = JSON.parse(sim.stdout.trim().split('\n').at(-1));
    assert.ok(counts.getaddr > 200 && counts.bytes_out > counts.bytes_in);
  });
}

// A simulation has its ports at all addresses, so that of a real node beside it is another.

// Peers of a simulation that real nodes get along with: current, and listening.
export const honest = sim => sim.truth.filter(row => row.kind === 'honest' && row.reachable === '1');
export const name = row => `${row.address}:${row.port}`;

async function checkBcoinDials() {
  const sim = await startSimulation('bcoin-dials', ['bitcoin', '--range', '52.0.0.0/8',
    '--port', '8433', '--peers', '200', '--ghosts', '50', '--latency', '20ms', '--liars', '0']);
  const targets = honest(sim).slice(0, 3);
  const bcoin = await startBcoin(['--count=1', '--net=56', `--only=${targets.map(name)}`]);

  await check('simulated: bcoin dials in, and learns the network from us', async () => {
    const members = new Set(sim.truth.map(name));
    const before = new Set(targets.map(name));
    const [node] = await until('bcoin knows more', async () => {
      const nodes = await bcoin.ask();
      const { peers, knows } = nodes[0];
      const met = peers.filter(peer => peer.agent).length;
      return met === targets.length && knows.length > 30 ? nodes : null;
    });
    for (const peer of node.peers)
      assert.equal(peer.agent,
        targets.find(row => name(row) === peer.address)?.agent, peer.address);
    const learnt = node.knows.map(a => `${a.address}:${a.port}`).filter(a => !before.has(a));
    const known = learnt.filter(a => members.has(a));
    assert.ok(known.length > 25, `${known.length} of ${learnt.length} belong to the network`);
  });
  await stop(bcoin);
  await stop(sim);
}

async function checkLitecoinDials() {
  const sim = await startSimulation('litecoin-dials', ['bitcoin-regtest', '--range', '52.0.0.0/8',
    '--port', '19544', '--peers', '200', '--ghosts', '50', '--latency', '20ms', '--liars', '0']);
  const [target] = honest(sim);
  const { nodes: [node], processes } = await startLitecoin(1);

  await check('simulated: litecoind dials in, and learns the network in addrv2', async () => {
    await node.rpc('addnode', name(target), 'onetry');
    const peer = await until('an answer to getaddr', async () => {
      const [p] = await node.rpc('getpeerinfo');
      return p?.bytesrecv_per_msg.addrv2 > 500 ? p : null;
    });
    assert.equal(peer.addr, name(target));
    assert.equal(peer.subver, target.agent);
    assert.equal(peer.inbound, false);
    assert.ok(peer.bytesrecv_per_msg.pong > 0, 'our pong has come');
    assert.ok(peer.bytesrecv_per_msg.sendaddrv2 > 0);
    const members = new Set(sim.truth.map(name));
    const sample = (await node.rpc('getnodeaddresses', 2500)).map(a => `${a.address}:${a.port}`);
    assert.ok(sample.filter(a => members.has(a)).length > 10, `it knows now: ${sample}`);
  });
  await Promise.all(processes.map(p => stop(p)));
  await stop(sim);
}

export async function testSimulated() {
  await checkCrawl('simulated4', '52.0.0.0/8');
  await checkCrawl('simulated6', '2a00::/12');
  if (context.bcoin)
    await checkBcoinDials();
  else
    skip('simulated: bcoin dials in', context.bcoinMissing);
  if (have('litecoind'))
    await checkLitecoinDials();
  else
    skip('simulated: litecoind dials in', 'there is no litecoind here');
}
