// ethereum.mjs: real nodes of @ethereumjs/devp2p: RLPx sessions with them in both roles, and a node
// of ours among them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { assertSameSet, check, context, jsonLines, run, skip, start, stop, until } from './lib.mjs';

const probe = () => path.join(path.dirname(context.program), 'tests/rlpx_probe');

async function startNodes(args) {
  const script = new URL('ethereumjs/nodes.js', import.meta.url).pathname;
  const p = start(process.execPath, [script, ...args],
    { env: { ETHEREUMJS_HOME: context.ethereumjs } });
  p.heard = () => jsonLines(p.stdout.slice(0, p.stdout.lastIndexOf('\n') + 1));
  p.nodes = (await until('nodes of ethereumjs',
    () => p.heard()[0] ?? (p.child.exitCode !== null && { error: p.stderr }))).nodes;
  assert.ok(p.nodes, `they did not come up: ${p.stderr}`);
  return p;
}

const call = async node => JSON.parse((await run(probe(), ['call', node.enode])).stdout);

// What we learnt of a node is what it is.
function assertLearnt(said, node) {
  assert.equal(said.outcome, 'ok', JSON.stringify(said));
  assert.equal(said.key, node.key);
  assert.equal(said.client, node.client);
  assert.deepEqual(said.capabilities, node.capabilities);
  assert.equal(said.eth, Math.max(...node.capabilities.map(c => Number(c.slice(4)))));
  assert.equal(said.p2p, 5);
  assert.equal(said.network, 1);
  assert.equal(said.genesis, node.genesis);
  assert.equal(said.head, node.head);
  assert.match(said.fork, /^[0-9a-f]{8}$/);
}

// And the node was content with us until we left, "client quitting".
async function assertContent(p, i, said) {
  const of = what => p.heard().find(e => e.node === i && what in e);
  await until(`node ${i} lets go`, () => of('gone'));
  assert.equal(of('hello').hello, 'peerwalk/probe');
  assert.equal(of('hello').p2p, 5);
  assert.ok(of('hello').capabilities.includes('eth/69'));
  assert.equal(of('status').status, said.genesis);
  assert.equal(of('status').head, said.head);
  assert.equal(of('status').fork[0], said.fork);
  assert.equal(of('gone').gone, 8);
  assert.equal(of('gone').we, false);
  assert.equal(of('error'), undefined);
}

// --- a node of ours ---

// With its lines of JSON so far.
async function startOurs(args, listen = '55.1.2.3:30303') {
  const p = start(context.program, ['node', 'ethereum', '--no-default-bootstrap', '--json',
    `--listen=${listen}`, ...args]);
  p.heard = () => jsonLines(p.stdout.slice(0, p.stdout.lastIndexOf('\n') + 1));
  p.ready = await until('a node of ours',
    () => p.heard()[0] ?? (p.child.exitCode !== null && { error: p.stderr }));
  assert.ok(p.ready.enode, `it did not come up: ${p.stderr}`);
  p.key = /^enode:\/\/([0-9a-f]{128})@/.exec(p.ready.enode)[1];
  return p;
}

const keyOf = enode => /([0-9a-f]{128})@/.exec(enode)[1];
// Whom node i of theirs has in its table, as far as it was told.
const known = (p, i) => p.heard().filter(e => e.node === i && e.knows).map(e => e.knows);
const bonded = p => p.heard().filter(e => e.event === 'bonded').map(e => keyOf(e.enode));

async function testNode() {
  const COUNT = 12;
  const theirs = await startNodes([`--count=${COUNT}`, '--discover']);
  const keys = theirs.nodes.map(n => n.key);
  const ours = await startOurs(['-vv', `--bootstrap=${theirs.nodes[0].enode}`]);

  await check(`ethereum: a node of ours finds ${COUNT}, and they find it`, async () => {
    await until('ours has bonded with all', () => new Set(bonded(ours)).size >= COUNT);
    assertSameSet(bonded(ours), keys, 'whom ours has bonded with');
    await until('all of theirs have ours in their table',
      () => keys.every((_, i) => known(theirs, i).includes(ours.key)));
    for (const i of keys.keys()) {
      const entry = theirs.heard().find(e => e.node === i && e.knows === ours.key);
      assert.equal(entry.address, '55.1.2.3');
    }
  });
  await check('ethereum: theirs ask it whom it knows, and it answers', async () => {
    const of = (event, packet) => ours.heard().filter(e => e.event === event && e.packet === packet);
    const asked = await until('a question that was answered',
      () => of('in', 'findnode').find(e => e.fate === 'taken'));
    await until('its answer', () => of('out', 'neighbors').some(e => e.peer === asked.peer));
    assert.ok(of('out', 'neighbors').every(e => e.bytes <= 1280));
    // (With 15 in a table, theirs would send packets longer than 1280 bytes, which ours leaves.)
    assert.ok(ours.heard().every(e => e.fate !== 'malformed'));
  });
  await check('ethereum: one that knows ours alone learns of all by its answers', async () => {
    const late = await startNodes(['--count=1', `--first=${COUNT}`, '--discover',
      `--bootstrap=${ours.ready.enode}`]);
    await until('it knows all', () => keys.every(key => known(late, 0).includes(key)));
    assert.ok(known(late, 0).includes(ours.key));
    await stop(late);
  });
  await check('ethereum: listening to one of theirs', async () => {
    const { stdout } = await run(context.program, ['listen', '--json', '-v', '--count=4',
      theirs.nodes[3].enode]);
    const packets = jsonLines(stdout);
    assert.equal(packets.length, 4);
    assert.equal(packets[0].message, 'pong');
    assert.ok(packets.every(m => ['ping', 'pong', 'findnode'].includes(m.message) && !m.rule));
    assert.ok(packets.every(m => m.peer === theirs.nodes[3].enode));
  });
  await stop(theirs);
  await check('ethereum: ours leaves politely, and says how it went', async () => {
    await stop(ours);
    const end = ours.heard().at(-1);
    assert.equal(ours.status, 143);
    assert.equal(end.event, 'end');
    assert.ok(end.bonds >= COUNT && end.packets_in > 0 && end.packets_out > 0, JSON.stringify(end));
  });
}

async function testCalled() {
  const ours = await startOurs(['-v'], '55.1.2.4:30303');

  await check('ethereum: a node of ours is called: Hello and Status, both ways', async () => {
    const theirs = await startNodes(['--count=1', `--dial=${ours.ready.enode}`]);
    const of = what => theirs.heard().find(e => e.node === 0 && what in e);
    const session = await until('a session', () => ours.heard().find(e => e.event === 'session'));
    assert.equal(session.outcome, 'ok', JSON.stringify(session));
    assert.equal(session.public_key, theirs.nodes[0].key);
    assert.equal(session.client, theirs.nodes[0].client);
    assert.equal(session.genesis, theirs.nodes[0].genesis);
    assert.equal(session.network_id, 1);
    assert.match(session.fork_hash, /^[0-9a-f]{8}$/);
    assert.deepEqual(session.capabilities.split(' '), theirs.nodes[0].capabilities);
    await until('theirs lets go', () => of('gone'));
    assert.match(of('hello').hello, /^peerwalk\/v[0-9.]+$/);
    assert.equal(of('hello').key, ours.key);
    assert.equal(of('status').status, theirs.nodes[0].genesis);
    assert.equal(of('status').head, theirs.nodes[0].head);
    assert.equal(of('gone').gone, 8);
    assert.equal(of('gone').we, false);
    assert.equal(of('error'), undefined);
    await stop(theirs);
  });
  await stop(ours);
}

// --- a crawl of ours ---

// All know each other, as far as they were told.
const settled = p => p.nodes.every((_, i) => new Set(known(p, i)).size >= p.nodes.length - 1);

async function testCrawl(count) {
  const theirs = await startNodes([`--count=${count}`, '--discover']);
  const db = path.join(context.scratch, `ethereum-${count}.db`);

  await until(`${count} nodes that know each other`, () => settled(theirs), 60000);
  await check(`ethereum: a crawl finds all of ${count}, from one`, async () => {
    const { stdout } = await run(context.program, ['crawl', 'ethereum', '--no-default-seeds',
      '--seed', theirs.nodes[0].enode, '--db', db, '--json', '--quiet']);
    const crawl = JSON.parse(stdout);
    assert.equal(crawl.known, count);
    assert.equal(crawl.reached, count);
    assert.equal(crawl.outcomes.ok, count);
    assert.equal(crawl.sessions.told, count);
  });
  await check(`ethereum: what it keeps of ${count} nodes is what they say`, async () => {
    const { stdout } = await run(context.program,
      ['export', '--what', 'peers', '--format', 'jsonl', '--db', db]);
    const peers = new Map(jsonLines(stdout).map(peer => [peer.node_id, peer]));
    assertSameSet([...peers.keys()], theirs.nodes.map(node => node.key), 'who was found');
    for (const node of theirs.nodes) {
      const said = peers.get(node.key);
      assert.equal(said.peer, node.enode);
      assert.equal(said.agent, node.client);
      assert.deepEqual(said.capabilities.split(' '), node.capabilities);
      assert.equal(said.protocol, Math.max(...node.capabilities.map(c => Number(c.slice(4)))));
      assert.equal(said.network_id, 1);
      assert.equal(said.genesis.replace(/^0x/, ''), node.genesis);
      assert.equal(said.head.replace(/^0x/, ''), node.head);
      assert.equal(said.session, 'ok');
      // They know nothing of EIP-868.
      assert.ok(!said.record);
    }
  });
  if (count > 16) {
    // 16 nodes in one packet of 1373 bytes: read all the same, and noted.
    await check('ethereum: packets longer than 1280 bytes are noted', async () => {
      const { stdout } = await run(context.program,
        ['export', '--what', 'visits', '--format', 'jsonl', '--db', db]);
      const visits = jsonLines(stdout);
      assert.equal(visits.length, count);
      assert.ok(visits.every(visit => /\blong \d+/.test(visit.faults)), visits[0].faults);
    });
  }
  await check(`ethereum: the enodes of ${count} nodes, and one to be pinged`, async () => {
    const { stdout } = await run(context.program, ['export', '--format', 'enodes', '--db', db]);
    assertSameSet(stdout.trim().split('\n'), theirs.nodes.map(node => node.enode), 'enodes');
    const ping = await run(context.program, ['ping', theirs.nodes[count - 1].enode]);
    assert.match(ping.stdout, /ethereumjs-test/);
    const peers = await run(context.program, ['peers', theirs.nodes[1].enode, '--quiet']);
    // It lists itself, too.
    for (const enode of peers.stdout.trim().split('\n'))
      assert.ok(theirs.nodes.some(node => node.enode === enode), enode);
  });
  await stop(theirs);
}

export async function testEthereum() {
  if (!context.ethereumjs) {
    skip('ethereum', context.ethereumjsMissing);
    return;
  }
  let p = await startNodes(['--count=3']);
  await check('ethereum: calling nodes, of which one speaks eth/66 alone', async () => {
    for (const [i, node] of p.nodes.entries()) {
      const said = await call(node);
      assertLearnt(said, node);
      assert.equal(said.port, node.port);
      await assertContent(p, i, said);
    }
  });
  await check('ethereum: a node that was called by another key', async () => {
    const [one, two] = p.nodes;
    const said = await call({ enode: one.enode.replace(one.key, two.key) });
    assert.ok(['hung_up', 'mute'].includes(said.outcome), JSON.stringify(said));
    assert.equal(said.key, undefined);
  });
  await stop(p);

  p = await startNodes(['--count=1', '--full']);
  await check('ethereum: a full node says who it is, and that it is full', async () => {
    const said = await call(p.nodes[0]);
    assert.equal(said.outcome, 'disconnected', JSON.stringify(said));
    assert.equal(said.reason, 4);
    assert.equal(said.client, p.nodes[0].client);
    assert.equal(said.network, undefined);
  });
  await stop(p);

  await check('ethereum: called by a node', async () => {
    const we = start(probe(), ['called', '55.1.2.3:30303']);
    const enode = await until('a probe that listens', () => /^enode:.*(?=\n)/.exec(we.stdout)?.[0]);
    p = await startNodes(['--count=1', `--dial=${enode}`]);
    await we.ended;
    const said = JSON.parse(we.stdout.split('\n')[1]);
    assertLearnt(said, p.nodes[0]);
    await assertContent(p, 0, said);
    await stop(p);
  });
  await testNode();
  await testCalled();
  await testCrawl(12);
  await testCrawl(20);
}
