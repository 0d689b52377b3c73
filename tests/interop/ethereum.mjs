// ethereum.mjs: RLPx sessions with real nodes of @ethereumjs/devp2p, in both roles.
import assert from 'node:assert/strict';
import path from 'node:path';
import { check, context, jsonLines, run, skip, start, stop, until } from './lib.mjs';

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
}
