// standing.mjs: `peerwalk node bitcoin-regtest` among real nodes, for an hour of their time and
// ours. All of them run on one clock, which is a hundred times as fast: for bcoin and us it is
// libfaketime's, for litecoind, whose threads wait on clocks that libfaketime does not turn, its
// own setmocktime. Apart from that they are as they are installed, but for one rule of bcoin's
// (--any-services in bcoin/nodes.js).
import assert from 'node:assert/strict';
import path from 'node:path';
import {
  check, context, have, hostPort, jsonLines, peerwalk, skip, sleep, start, startBcoin, stop, until
} from './lib.mjs';
import { keepTime, startLitecoin } from './litecoind.mjs';
import { honest, name, startSimulation } from './simulated.mjs';

const SPEED = 100;
const HOUR_MS = 3600 * 1000;
const OURS = '54.9.2.3:18444', OURS6 = '[2a01:4f8:99::3]:18444';
const PING_BYTES = 24 + 8;
// An answer is 23 % of what we know: of 60 peers at least so many.
const LEARNT = 8;

// A clock for all that is started with this environment: one beginning, SPEED times as fast. It
// goes on until `clock` is stopped.
async function fastClock() {
  const beginMs = Date.now();
  const clock = start('faketime', ['-f', `+0 x${SPEED}`, 'sh', '-c', 'env; echo ready; cat'],
    { stdin: 'pipe' });
  await until('the fast clock', () => {
    if (clock.status !== undefined)
      throw new Error(`faketime ended: ${clock.stderr}`);
    return clock.stdout.endsWith('ready\n');
  });
  const env = Object.fromEntries(clock.stdout.split('\n')
    .filter(line => /^(FAKETIME|LD_PRELOAD)/.test(line))
    .map(line => line.split(/=(.*)/s).slice(0, 2)));
  const nowS = () => Math.floor((beginMs + (Date.now() - beginMs) * SPEED) / 1000);
  return { clock, env, nowS };
}

// With its lines of JSON so far.
async function startOurs(env, bootstraps) {
  const p = start(context.program, ['node', 'bitcoin-regtest', '--json', '-v',
    '--listen', OURS, '--listen', OURS6, '--no-default-bootstrap',
    '--db', path.join(context.scratch, 'standing.db'),
    ...bootstraps.flatMap(peer => ['--bootstrap', peer])], { env });
  p.events = what => jsonLines(p.stdout.slice(0, p.stdout.lastIndexOf('\n') + 1))
    .filter(e => e.event === what);
  await until('a node of ours', () => {
    if (p.status !== undefined)
      throw new Error(`node ended: ${p.stderr}`);
    return p.events('ready').length === 1;
  });
  return p;
}

// What a node has in its books about its connection to us, once hands are shaken. (Whom we know
// we may dial besides.) On a busy machine the seconds of bcoin's patience with who asks are over
// before it has answered: then it is asked once more.
async function ourPeer(node, inbound, tries = 5) {
  try {
    return (await node.rpc('getpeerinfo'))
      .find(p => p.subver.startsWith('/peerwalk:') && p.inbound === inbound);
  } catch (e) {
    if (!(e instanceof SyntaxError) || tries === 1)
      throw e;
    return ourPeer(node, inbound, tries - 1);
  }
}

function assertIsHonest(peer) {
  assert.equal(Number(`0x${peer.services}`), 0, 'services');
  assert.equal(peer.version, 70017);
  assert.equal(peer.relaytxes, false);
}

// Messages of one kind within an hour: one every two minutes, and the first at once. Where the
// machine is late, a hundredth of a second is one of theirs.
function assertHourOf(bytes, what) {
  const count = bytes / PING_BYTES;
  assert.ok(count >= 25 && count <= 40, `${count} ${what} in an hour`);
}

async function testAmong(ours, { called, caller, litecoin, isMember }) {
  const nodes = [
    { label: 'bcoin, which we dialled', node: called, inbound: true },
    { label: 'bcoin, which dialled us', node: caller.nodes[0], inbound: false },
    { label: 'litecoind, which dialled us', node: litecoin, inbound: false }
  ];

  await litecoin.rpc('addnode', OURS6, 'onetry');
  await check('standing: bcoin that dialled us has learnt addresses from us alone', () =>
    until('it knows members', async () => {
      const [{ knows }] = await caller.ask();
      return knows.map(hostPort).filter(isMember).length >= LEARNT;
    }));
  await check('standing: so has litecoind, over IPv6, by addrv2', async () => {
    await until('it knows members', async () =>
      (await litecoin.rpc('getnodeaddresses', 0)).map(hostPort).filter(isMember).length >= LEARNT);
    assert.ok((await ourPeer(litecoin, false)).bytesrecv_per_msg.addrv2 > 100);
  });
  for (const n of nodes) {
    n.peer = await until(`${n.label}: we are its peer`,
      () => ourPeer(n.node, n.inbound));
    assertIsHonest(n.peer);
  }
  await sleep((HOUR_MS + 60 * 1000) / SPEED);
  for (const n of nodes) {
    await check(`standing: ${n.label}, keeps us for an hour`, async () => {
      const peer = await ourPeer(n.node, n.inbound);
      assert.ok(peer, 'we are its peer');
      assert.equal(peer.id, n.peer.id, 'on the same connection');
      assert.ok(peer.minping >= 0, 'it has our pongs');
      assert.ok(!(peer.banscore > 0));
      // litecoind tells when by the clock of the machine.
      if (n.node !== litecoin)
        assert.ok(peer.conntime >= HOUR_MS / 1000, `${peer.conntime} s`);
    });
  }
  await check('standing: in that hour, pings every two minutes each way, and pongs', async () => {
    const before = nodes[2].peer, after = await ourPeer(litecoin, false);
    for (const [direction, what] of [['recv', 'ping'], ['recv', 'pong'], ['sent', 'ping'],
      ['sent', 'pong']]) {
      const key = `bytes${direction}_per_msg`;
      assertHourOf(after[key][what] - (before[key][what] ?? 0), `${what} ${direction}`);
    }
    const usual = ['addr', 'addrv2', 'ping', 'pong', 'sendaddrv2', 'verack', 'version',
      'wtxidrelay'];
    const strange = Object.keys(after.bytesrecv_per_msg).filter(m => !usual.includes(m));
    assert.deepEqual(strange, [], 'we send nothing else');
  });
  await check('standing: our silence about a block of theirs is no quarrel', async () => {
    const { addresses: [address] } = await called.rpc('decodescript', `0014${'ab'.repeat(20)}`);
    await called.rpc('generatetoaddress', 1, address);
    await until('we hear of it', () => ours.events('message').some(e => e.message === 'inv'));
    assert.equal((await ourPeer(called, true)).id, nodes[0].peer.id);
  });
}

async function testHour({ env: fast, nowS }, sim) {
  const members = honest(sim).map(name);
  const isMember = address => members.includes(address);
  const also = `--also=${members.slice(0, 40)}`;
  const called = await startBcoin(['--count=1', '--network=regtest', '--net=56', also], fast);
  const ours = await startOurs(fast, [hostPort(called.nodes[0])]);

  await check('standing: what a real bcoin that we dial names, we know', () =>
    until('40 addresses', () => members.slice(0, 40).every(address =>
      ours.events('known').some(e => e.address === address))));
  await check('standing: we say it to who asks: a share, and the same to the next', async () => {
    const ask = async () => (await peerwalk(['peers', `bitcoin-regtest://${OURS}`])).stdout
      .split('\n').filter(isMember);
    const answers = [await ask(), await ask(), await ask()];
    for (const named of answers)
      assert.ok(named.length < members.length / 2, `${named.length} named`);
    // What it passes on unasked comes on top. Three samples made anew would share one or none.
    const shared = answers[0].filter(a => answers[1].includes(a) && answers[2].includes(a));
    assert.ok(shared.length >= LEARNT, `${shared.length} in all answers`);
  });

  const caller = await startBcoin(['--count=1', '--network=regtest', '--net=58',
    '--rpc-port=30100', `--only=${OURS}`, '--any-services'], fast);
  const { nodes: [litecoin], processes } = await startLitecoin(1);
  await keepTime([litecoin], nowS,
    testAmong(ours, { called: called.nodes[0], caller, litecoin, isMember }));
  await stop(ours);
  await check('standing: we leave when we are told to, and nobody had to be let go', () => {
    assert.equal(ours.status, 143);
    const [end] = ours.events('end');
    assert.equal(end.evicted + end.refused + end.let_go, 0);
    assert.ok(end.answered >= 3);
  });
  await Promise.all([called, caller, ...processes].map(p => stop(p)));
}

// Without that exception bcoin hangs up, as Core does on whom it has chosen itself.
async function testServices() {
  const ours = await startOurs({}, []);
  const caller = await startBcoin(['--count=1', '--network=regtest', '--net=58',
    `--only=${OURS}`]);

  await check('standing: bcoin as it is wants blocks of whom it dials, and hangs up', async () => {
    await until('it has dialled us', () => ours.events('down').length > 0);
    assert.equal(await ourPeer(caller.nodes[0], false), undefined);
    assert.match(ours.events('down')[0].peer, /^198\.97\.0\.9:/);
  });
  await stop(caller);
  await stop(ours);
}

export async function testStanding() {
  if (!context.bcoin) {
    skip('standing', context.bcoinMissing);
    return;
  }
  await testServices();
  for (const command of ['faketime', 'litecoind']) {
    if (!have(command)) {
      skip('standing: an hour', `there is no ${command} here; tools/setup interop installs it`);
      return;
    }
  }
  const fast = await fastClock();
  const sim = await startSimulation('standing', ['bitcoin-regtest', '--range', '57.0.0.0/8',
    '--port', '18555', '--peers', '60', '--ghosts', '0', '--liars', '0'], fast.env);
  await testHour(fast, sim);
  await stop(sim);
  await stop(fast.clock);
}
