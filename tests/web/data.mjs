// data.mjs: a database of real crawls of simulated networks, with some strangers' words in it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { check, start, stop, until } from '../interop/lib.mjs';
import { database } from './mmdb.mjs';

// What peers might call themselves. A text, or bytes that are no UTF-8.
export const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  'javascript:alert(3)//\'"`${alert(4)}',
  'left\u202egpj.exe\u202c right\u2066',
  'line\r\nbreak\u2028\x07\x1b[2J',
  Buffer.from([0x2f, 0xff, 0xfe, 0x00, 0x2f]),
];

async function simulate(program, network, scratch, args) {
  const seeds = path.join(scratch, `${network}.seeds`);
  const sim = start(program, ['simulate', network, '--json', '--seeds-out', seeds, ...args]);
  await until(`${network} is ready`, () => sim.stdout.includes('"ready"') || sim.status !== undefined);
  assert.equal(sim.status, undefined, sim.stderr);
  return { sim, seeds };
}

export function crawlArgs(network, seeds, db, more = []) {
  return ['crawl', network, '--no-default-seeds', '--seeds', seeds, '--allow-private', '--db', db,
    '--connect-timeout', '1s', '--quiet', ...more];
}

async function crawl(program, network, seeds, db, more) {
  const run = start(program, crawlArgs(network, seeds, db, more));
  await run.ended;
  assert.equal(run.status, 0, run.stderr);
}

// Their agents in the place of what six peers really said.
const words = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
names = [bytes.fromhex(text) for text in sys.argv[2:]]
peers = db.execute("SELECT p.id FROM peers p JOIN networks n ON n.id = p.network_id "
    "WHERE n.name = 'bitcoin' AND p.reached AND p.agent IS NOT NULL ORDER BY p.id LIMIT ?", (len(names),))
for (peer,), name in zip(peers.fetchall(), names):
    try:
        agent = name.decode()
        agent = name if "\\0" in agent else agent
    except UnicodeDecodeError:
        agent = name
    db.execute("UPDATE peers SET agent = ? WHERE id = ?", (agent, peer))
    db.execute("UPDATE visits SET agent = ? WHERE peer_id = ? AND agent IS NOT NULL", (agent, peer))
    print(peer)
db.commit()
`;

export async function makeData(program, scratch) {
  const db = path.join(scratch, 'page.db');
  const data = { db, mmdb: path.join(scratch, 'places.mmdb'), empty: path.join(scratch, 'empty.db'), scratch };
  writeFileSync(data.mmdb, database());
  await check('data: four crawls of a simulated Bitcoin network, one of Ethereum, a watched one', async () => {
    for (const world of [1, 1, 2, 1]) {
      const { sim, seeds } = await simulate(program, 'bitcoin', scratch, ['--peers', '220', '--ghosts', '120',
        '--latency', '5ms', '--jitter', '5ms', '--seed', String(world), '--port', '18444']);
      await crawl(program, 'bitcoin', seeds, db, ['--timeout', '3s']);
      await stop(sim);
    }
    const { sim, seeds } = await simulate(program, 'ethereum', scratch,
      ['--peers', '120', '--ghosts', '40', '--latency', '5ms']);
    await crawl(program, 'ethereum', seeds, db, ['--duration', '10s']);
    await stop(sim);
    const watched = await simulate(program, 'bitcoin-signet', scratch,
      ['--peers', '40', '--ghosts', '10', '--latency', '5ms']);
    await crawl(program, 'bitcoin-signet', watched.seeds, db, ['--every', '2s', '--duration', '7s', '--timeout', '2s']);
    await stop(watched.sim);
    const hex = hostile.map(name => Buffer.from(name).toString('hex'));
    const change = start('python3', ['-c', words, db, ...hex]);
    await change.ended;
    assert.equal(change.status, 0, change.stderr);
    data.hostile = change.stdout.trim().split('\n').map(Number);
    assert.equal(data.hostile.length, hostile.length);
  });
  return data;
}

// A network to crawl while somebody looks on.
export async function running(program, data) {
  const { sim, seeds } = await simulate(program, 'bitcoin', data.scratch,
    ['--peers', '300', '--ghosts', '50', '--latency', '5ms', '--seed', '3', '--port', '18444']);
  const crawling = start(program, crawlArgs('bitcoin', seeds, data.db, ['--rate', '60/s', '--timeout', '3s']));
  return { sim, crawling };
}
