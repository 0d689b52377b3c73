// wire.mjs: what goes over the wire, as tshark's Bitcoin dissector reads it: a decoder that
// shares nothing with peerwalk's.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  check, context, crawl, have, hostPort, peerwalkJson, run, skip, sleep, start,
  startBcoin, stop, until
} from './lib.mjs';
import { hurry, PORT as LITECOIN_PORT, startLitecoin } from './litecoind.mjs';

const SOURCES = ['198.97.0.9', '2600:9::9']; // ours: private-internet has them
// tshark 4.0 knows neither. They come from BIP 339 and BIP 155.
const NEWER = ['wtxidrelay', 'sendaddrv2'];
const FIELDS = ['tcp.stream', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'bitcoin.magic',
  'bitcoin.command', 'bitcoin.length', 'bitcoin.command.unknown', 'bitcoin.version.version',
  'bitcoin.version.services', 'bitcoin.version.start_height', 'bitcoin.version.relay',
  'bitcoin.address.address', 'bitcoin.address.port', '_ws.expert.message'];

// Captures while `work` runs. Null, and the reason, where this machine doesn't let us.
async function capture(file, work) {
  const p = start('tshark', ['-q', '-i', 'lo', '-f', 'tcp', '-w', file]);
  const size = () => { try { return statSync(file).size; } catch { return 0; } };
  await until('the capture', () => p.status !== undefined || size() > 0);
  if (p.status !== undefined)
    return p.stderr.trim().split('\n').at(-1);
  await sleep(500); // the file is opened before the device
  await work();
  // What has been captured is read from the device twice a second or so.
  await sleep(1000);
  await stop(p, 'SIGINT');
  return null;
}

// Rows of fields; several values of one packet are separated by commas.
async function read(file, filter) {
  const args = ['-r', file, '-Y', filter, '-T', 'fields', '-E', 'separator=;'];
  const { stdout } = await run('tshark', [...args, ...FIELDS.flatMap(field => ['-e', field])]);
  return stdout.split('\n').filter(Boolean).map((line) => {
    const values = line.split(';');
    return Object.fromEntries(FIELDS.map((field, i) => [field, values[i]]));
  });
}

const values = text => text.split(',').filter(Boolean);

// What we sent, connection by connection: { to, magics, commands, packets }.
function conversations(rows) {
  const streams = new Map();
  for (const row of rows) {
    if (!SOURCES.includes(row['ip.src'] || row['ipv6.src']))
      continue;
    const id = row['tcp.stream'];
    const stream = streams.get(id) ??
      { to: row['ip.dst'] || row['ipv6.dst'], magics: [], commands: [], packets: [] };
    streams.set(id, stream);
    stream.magics.push(...values(row['bitcoin.magic']));
    stream.commands.push(...values(row['bitcoin.command']));
    stream.packets.push(row);
  }
  return [...streams.values()];
}

const FLIGHT = ['version', ...NEWER, 'verack'];

function assertVersion(stream) {
  const packet = stream.packets[0];
  const mapped = stream.to.includes(':') ? stream.to : `::ffff:${stream.to}`;
  assert.equal(packet['bitcoin.version.version'], '70017');
  assert.equal(Number(packet['bitcoin.version.services']), 0);
  assert.equal(packet['bitcoin.version.start_height'], '0');
  assert.match(packet['bitcoin.version.relay'], /^(0|False)$/);
  // Whom we dialled; of ourselves nothing.
  assert.deepEqual(values(packet['bitcoin.address.address']), [mapped, '::']);
  assert.equal(values(packet['bitcoin.address.port'])[1], '0');
}

async function checkCapture(file, magic, expected) {
  const ours = conversations(await read(file, 'bitcoin'));
  const both = ['.', ':'].map(mark => ours.filter(stream => stream.to.includes(mark)).length);
  assert.equal(ours.length, expected.connections);
  assert.deepEqual(both.map(n => n > 0), [true, expected.v6]);
  for (const stream of ours) {
    assert.deepEqual(new Set(stream.magics), new Set([magic]));
    assert.deepEqual(stream.commands.slice(0, 4), FLIGHT, `to ${stream.to}`);
    const rest = stream.commands.slice(4).join(' ');
    assert.match(rest, expected.rest, `to ${stream.to}, after the handshake: ${rest}`);
    assertVersion(stream);
    const unknown = stream.packets.flatMap(row => values(row['bitcoin.command.unknown'])).length;
    assert.equal(unknown, NEWER.length);
  }
}

// Everything that the dissector finds wrong, of whoever sent it.
async function complaints(file) {
  const wrong = '_ws.malformed || _ws.unreassembled || _ws.expert.severity == error || ' +
    '(bitcoin && _ws.expert.severity == warning)';
  return (await read(file, wrong)).flatMap(row => values(row['_ws.expert.message']))
    .filter(message => message !== 'Unknown command'); // counted by checkCapture
}

const checkComplaints = async file => assert.deepEqual(await complaints(file), []);

// That the check above can fail: a user agent that claims to be longer than its message.
async function checkControl(file) {
  const bytes = readFileSync(file);
  const at = bytes.indexOf('/peerwalk:');
  assert.ok(at > 0);
  bytes[at - 1] = 0xfc;
  const broken = `${file}.broken`;
  writeFileSync(broken, bytes);
  assert.notDeepEqual(await complaints(broken), []);
}

async function checkMain() {
  const { nodes, ...bcoin } = await startBcoin(['--count=4', '--v6', '--degree=2']);
  const file = path.join(context.scratch, 'main.pcapng');
  const uris = nodes.map(node => `bitcoin://${hostPort(node)}`);

  const why = await capture(file, async () => {
    await crawl(path.join(context.scratch, 'wire.db'), ['bitcoin', '--seed', uris[0]]);
    await peerwalkJson(['ping', '--count', '2', '--interval', '50ms', uris[0], uris[1]]);
  });
  await stop(bcoin);
  if (why !== null) {
    skip('wire', `tshark cannot capture here: ${why}`);
    return false;
  }
  await check('wire: tshark reads what we say to bcoin, over IPv4 and IPv6', () =>
    checkCapture(file, '0xf9beb4d9', {
      connections: nodes.length + 2, v6: true, rest: /^getaddr$|^ping ping$/
    }));
  await check('wire: tshark has no complaint about a crawl of bcoin', () => checkComplaints(file));
  await check('wire: it would have about one broken byte', () => checkControl(file));
  return true;
}

async function checkRegtest() {
  const { nodes, processes } = await startLitecoin(2);
  const file = path.join(context.scratch, 'regtest.pcapng');
  const seeds = nodes.flatMap(node => ['--seed', `${node.address}:${LITECOIN_PORT}`]);
  const db = path.join(context.scratch, 'wire-regtest.db');

  await capture(file, () => hurry(nodes, crawl(db, ['bitcoin-regtest', ...seeds, '--patient'])));
  await Promise.all(processes.map(p => stop(p)));
  await check('wire: tshark reads what we say to litecoind, pongs for its pings among it', () =>
    checkCapture(file, '0xfabfb5da', {
      connections: nodes.length, v6: false, rest: /^getaddr( pong)+$/
    }));
  await check('wire: tshark has no complaint about a crawl of litecoind',
    () => checkComplaints(file));
}

export async function testWire() {
  if (!have('tshark')) {
    skip('wire', 'there is no tshark here; tools/setup interop installs it');
    return;
  }
  if (!context.bcoin)
    skip('wire: bcoin', context.bcoinMissing);
  else if (!await checkMain())
    return;
  if (have('litecoind'))
    await checkRegtest();
  else
    skip('wire: litecoind', 'there is no litecoind here');
}
