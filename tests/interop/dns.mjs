// dns.mjs: what `export --format zone` and `enrtree` write, served by NSD and by Knot DNS with the
// configuration of packaging/seeding, and asked by dig, by the DNS client of ethereumjs, and by
// peerwalk itself, for whom it is the resolver's.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  assertSameSet, check, context, crawl, exportCsv, have, peerwalk, run, skip, start, stop, until
} from './lib.mjs';
import { startSimulation } from './simulated.mjs';

const SEED = 'seed.example.org', TREE = 'nodes.example.org', SERVER = '192.0.2.53';
const packaging = new URL('../../packaging/seeding/', import.meta.url).pathname;

// Files of packaging/seeding with other folders, and without other users.
function place(name, folder, replacements) {
  let text = readFileSync(path.join(packaging, name), 'utf8');
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), `${name} has ${from}`);
    text = text.replaceAll(from, to);
  }
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function dig(name, type, ...options) {
  const p = await run('dig', [`@${SERVER}`, '+tries=1', '+time=5', ...options, name, type]);
  const status = /status: (\w+)/.exec(p.stdout)?.[1];
  const answers = p.stdout.split('\n').filter(line => /^[^;].*\bIN\b/.test(line))
    .map(line => line.split(/\s+/));
  return { status, text: p.stdout, size: Number(/MSG SIZE +rcvd: (\d+)/.exec(p.stdout)?.[1]),
    flags: /flags: ([a-z ]*);/.exec(p.stdout)?.[1], values: answers.filter(a => a[3] === type)
      .map(a => a.slice(4).join(' ')) };
}

const block = ip => (ip.includes(':') ? ip.split(':').slice(0, 2) : ip.split('.').slice(0, 2)).join();

// Both networks, crawled, and their zones.
async function makeZones(folder) {
  const zones = path.join(folder, 'zones');
  mkdirSync(zones, { recursive: true });
  const bitcoin = await startSimulation('dns4', ['bitcoin', '--range', '52.0.0.0/8', '--port', '8333',
    '--peers', '150', '--ghosts', '20', '--liars', '0']);
  const db = path.join(folder, 'bitcoin.db');
  await crawl(db, ['bitcoin', '--seeds', bitcoin.seedsFile, '--timeout', '4s']);
  const ethereum = await startSimulation('dns-eth', ['ethereum', '--range', '54.0.0.0/8', '--port',
    '30303', '--peers', '60', '--ghosts', '10', '--liars', '0']);
  const treeDb = path.join(folder, 'ethereum.db');
  await crawl(treeDb, ['ethereum', '--seeds', ethereum.seedsFile, '--no-session']);
  await stop(ethereum);
  const key = path.join(folder, 'tree.key');
  await peerwalk(['key', key]);
  const settings = place('seeding.conf', folder, [['--fork mainnet ', '']]);
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}
peerwalk='${context.program}' zones='${zones}' seed_db='${db}' tree_db='${treeDb}' tree_key='${key}'
reload=
`);
  const script = path.join(folder, 'update-zones');
  copyFileSync(path.join(packaging, 'update-zones'), script);
  chmodSync(script, 0o755);
  await run(script, [settings]);
  const { stderr } = await peerwalk(['export', '--db', treeDb, '--format', 'enrtree', '--origin', TREE,
    '--key', key, '--output', '/dev/null']);
  return { zones, bitcoin, db, treeDb, script, settings, url: /enrtree:\S+/.exec(stderr)[0] };
}

const servers = {
  nsd: (folder, zones) => {
    const conf = place('nsd.conf', folder, [['/var/lib/peerwalk/zones', zones],
      ['username: nsd', `username: ""\n\txfrdfile: ""\n\tzonelistfile: "${folder}/zone.list"\n` +
        `\txfrdir: "${folder}"\n\tpidfile: "${folder}/nsd.pid"`], ['/run/nsd', folder]]);
    return { args: ['-d', '-c', conf], reload: `nsd-control -c ${conf} reload` };
  },
  knotd: (folder, zones) => {
    const conf = place('knot.conf', folder, [['/var/lib/peerwalk/zones', zones],
      ['user: knot:knot', `rundir: ${folder}\ndatabase:\n    storage: ${folder}\nserver:`]]);
    return { args: ['-c', conf], reload: `knotc -c ${conf} zone-reload` };
  }
};

async function checkSeed(server, made) {
  const peers = new Map((await exportCsv(made.db, 'peers')).rows.map(row => [row.address, row]));
  await check(`dns: ${server} tells the good peers, and no others`, async () => {
    for (const [name, bits] of [[SEED, 1n], [`x9.${SEED}`, 9n], [`x49.${SEED}`, 0x49n],
      [`XC08.${SEED.toUpperCase()}`, 0xc08n]]) {
      const a = await dig(name, 'A', '+noedns', '+ignore');
      assert.equal(a.status, 'NOERROR', a.text);
      assert.match(a.flags, /\baa\b/);
      assert.doesNotMatch(a.flags, /\btc\b/, 'the answer fits a packet');
      assert.ok(a.size <= 512, `${a.size} bytes`);
      assert.ok(a.values.length > 5, a.text);
      for (const ip of a.values) {
        assert.ok(peers.get(ip)?.last_reached, ip);
        assert.equal(BigInt(peers.get(ip).services) & bits, bits, `${name} ${ip}`);
      }
      assert.equal(new Set(a.values.map(block)).size, a.values.length, 'one of a /16');
    }
    assert.equal((await dig(SEED, 'A')).values.length, 25);
    assert.equal((await dig(`x2.${SEED}`, 'A')).status, 'NXDOMAIN');
    assert.equal((await dig(SEED, 'AAAA')).status, 'NOERROR');
    assert.deepEqual((await dig(SEED, 'NS')).values, ['ns.example.net.']);
    assert.match((await dig(SEED, 'SOA')).values[0], /^ns\.example\.net\. hostmaster\.example\.org\. /);
  });
}

async function checkTree(server, made) {
  await check(`dns: ${server} tells the tree, in packets of 512 bytes`, async () => {
    const zone = readFileSync(path.join(made.zones, `${TREE}.zone`), 'utf8');
    const names = [...zone.matchAll(/^([A-Z2-7]{26}) /gm)].map(match => match[1]);
    assert.ok(names.length > 40);
    for (const name of ['', ...names.slice(0, 5), ...names.slice(-5)].map(n => n && `${n}.`)) {
      const txt = await dig(`${name}${TREE}`, 'TXT', '+noedns', '+ignore');
      assert.equal(txt.status, 'NOERROR');
      assert.doesNotMatch(txt.flags, /\btc\b/, `${name}: ${txt.size} bytes`);
      assert.match(txt.values.join(), /^"enr/);
    }
  });
  if (!context.ethereumjs) {
    skip(`dns: ethereumjs reads the tree from ${server}`, context.ethereumjsMissing);
    return;
  }
  const look = async (url, count) => JSON.parse((await run(process.execPath,
    [new URL('ethereumjs/tree.js', import.meta.url).pathname, SERVER, url, String(count)],
    { env: { ETHEREUMJS_HOME: context.ethereumjs } })).stdout);
  await check(`dns: ethereumjs reads the tree from ${server}`, async () => {
    const { peers, error } = await look(made.url, 30);
    assert.equal(error, undefined);
    // It draws at random, with replacement, and gives up after some repetitions.
    assert.ok(peers.length > 10, `${peers.length} found`);
    const known = (await exportCsv(made.treeDb, 'peers')).rows
      .filter(row => row.last_reached !== '').map(row => `${row.address}:${row.port}`);
    for (const peer of peers)
      assert.ok(known.includes(`${peer.address}:${peer.udpPort}`), JSON.stringify(peer));
  });
  await check(`dns: and not with another key`, async () => {
    const other = made.url.replace(/\/\/[A-Z2-7]+@/,
      '//AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@');
    assert.deepEqual((await look(other, 5)).peers, []);
  });
}

// As a cron job does it, and the server is told.
async function checkRotation(server, made, reload) {
  await check(`dns: ${server} takes another draw`, async () => {
    const before = await dig(SEED, 'A'), soa = await dig(SEED, 'SOA');
    const settings = path.join(context.scratch, server, 'seeding.conf');
    writeFileSync(settings, `${readFileSync(made.settings, 'utf8')}\nreload='${reload}'\n`);
    // Serials are seconds.
    await until('another serial', async () => {
      await run(made.script, [settings]);
      return (await dig(SEED, 'SOA')).values[0] !== soa.values[0];
    });
    const after = await dig(SEED, 'A');
    assert.equal(after.values.length, 25);
    assert.notDeepEqual(after.values.sort(), before.values.sort());
  });
}

// For everything in this mount namespace, which is the tests' own.
async function checkCrawl(server, made) {
  const file = path.join(context.scratch, 'resolv.conf');
  writeFileSync(file, `nameserver ${SERVER}\n`);
  await run('mount', ['--bind', file, '/etc/resolv.conf']);
  const name = server === 'nsd' ? SEED : `x9.${SEED}`;
  await check(`dns: a crawl begins with ${name}, which ${server} tells`, async () => {
    const db = path.join(context.scratch, `${server}-crawl.db`);
    await crawl(db, ['bitcoin', '--seed', name, '--timeout', '4s']);
    const reached = (await exportCsv(db, 'peers')).rows.filter(row => row.last_reached !== '');
    assertSameSet(reached.map(row => row.peer),
      made.bitcoin.truth.filter(row => row.reachable === '1').map(row => row.peer), name);
  });
  await run('umount', ['/etc/resolv.conf']);
}

async function testServer(server, made) {
  const folder = path.join(context.scratch, server);
  mkdirSync(folder);
  const { args, reload } = servers[server](folder, made.zones);
  const p = start(server, args);
  await until(`${server} answers`, async () => {
    assert.equal(p.status, undefined, `${server} ended: ${p.stderr}${p.stdout}`);
    const question = start('dig', [`@${SERVER}`, '+tries=1', '+time=1', SEED, 'SOA']);
    await question.ended;
    return question.stdout.includes('status: NOERROR');
  });
  await checkSeed(server, made);
  await checkTree(server, made);
  await checkRotation(server, made, reload);
  await checkCrawl(server, made);
  await stop(p);
}

export async function testDns() {
  const missing = ['dig', 'named-checkzone'].find(command => !have(command));
  if (missing) {
    skip('dns', `there is no ${missing} here`);
    return;
  }
  const folder = path.join(context.scratch, 'dns');
  mkdirSync(folder);
  const made = await makeZones(folder);
  for (const server of Object.keys(servers)) {
    if (have(server))
      await testServer(server, made);
    else
      skip(`dns: ${server}`, `there is no ${server} here`);
  }
  await stop(made.bitcoin);
}
