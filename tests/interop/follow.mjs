// follow.mjs: `peerwalk listen --follow` at real nodes: they announce a transaction and a block of
// their own making, and what we print of them is what they say themselves over RPC.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  check, context, have, hostPort, jsonLines, skip, start, startBcoin, stop, until
} from './lib.mjs';
import { hurry, startLitecoin } from './litecoind.mjs';

const MATURE = 101; // blocks, until the first one's reward can be spent
// Whoever knows that its hash is that of OP_TRUE may spend it: BIP 141, without any key.
const OP_TRUE = '51';
const LOCK = `0020${createHash('sha256').update(Buffer.from(OP_TRUE, 'hex')).digest('hex')}`;

const reversed = hex => Buffer.from(hex, 'hex').reverse().toString('hex');

function u64(satoshi) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(satoshi));
  return bytes.toString('hex');
}

// Spends output 0 of `txid` with a witness, into two outputs.
function spend(txid, satoshi) {
  const outputs = [[satoshi - 100000, LOCK], [50000, `0014${'ab'.repeat(20)}`]];
  return '02000000' + '0001' + '01' + reversed(txid) + '00000000' + '00' + 'fdffffff' + '02' +
    outputs.map(([value, script]) =>
      u64(value) + (script.length / 2).toString(16).padStart(2, '0') + script).join('') +
    '01' + '01' + OP_TRUE + '00000000';
}

const satoshi = value => Math.round(value * 1e8);

function assertIsTx(message, said) {
  const { tx } = message;

  assert.equal(tx.asked, true);
  assert.equal(tx.txid, said.txid);
  assert.equal(tx.wtxid, said.hash);
  assert.notEqual(tx.txid, tx.wtxid);
  assert.equal(tx.size, said.size);
  assert.equal(tx.size, message.bytes);
  assert.equal(Math.ceil(tx.weight / 4), said.vsize);
  assert.equal(tx.version, said.version);
  assert.equal(tx.lock_time, said.locktime);
  assert.deepEqual(tx.inputs, said.vin.map(i => ({
    txid: i.txid, index: i.vout, script: i.scriptSig.hex, sequence: i.sequence,
    witness: i.txinwitness
  })));
  assert.deepEqual(tx.outputs, said.vout.map(o =>
    ({ value: satoshi(o.value), script: o.scriptPubKey.hex })));
}

// raw: the header's 80 bytes, as bcoin does not say the nonce otherwise.
function assertIsBlock(block, said, raw) {
  assert.equal(block.asked, true);
  assert.equal(block.hash, said.hash);
  assert.equal(block.previous, said.previousblockhash);
  assert.equal(block.merkle_root, said.merkleroot);
  assert.equal(block.version, said.version);
  assert.equal(Date.parse(block.time) / 1000, said.time);
  // A number from bcoin, hexadecimal from litecoind.
  assert.equal(block.bits, typeof said.bits === 'number' ? said.bits : parseInt(said.bits, 16));
  assert.equal(block.nonce, Buffer.from(raw, 'hex').readUInt32LE(76));
}

// Follows the node while it makes a transaction and a block. chain: { rpc, mine, txTypes }.
async function follow(node, chain) {
  const uri = `bitcoin-regtest://${hostPort(node)}`;
  const guest = start(context.program, ['listen', '--follow', '--json', uri]);
  const reader = start(context.program, ['listen', '--follow', uri]);
  const messages = () => jsonLines(guest.stdout.slice(0, guest.stdout.lastIndexOf('\n') + 1));
  const blocks = () => messages().flatMap(m => m.blocks ?? []);

  try {
    await until('the hand-shakes', () =>
      messages().some(m => m.message === 'verack') && /  verack /.test(reader.stdout));
    await chain.rpc('sendrawtransaction', chain.tx);
    const message = await until('the transaction', () => messages().find(m => m.tx));
    assertIsTx(message, await chain.decoded(message.tx.txid));
    await chain.mine(1);
    const hash = await chain.rpc('getbestblockhash');
    const block = await until('the block', () => blocks().find(b => b.hash === hash));
    assertIsBlock(block, await chain.rpc('getblockheader', hash),
      await chain.rpc('getblockheader', hash, false));
    await until('the same in text', () =>
      reader.stdout.includes(`      as asked for  txid ${message.tx.txid}  wtxid `) &&
      reader.stdout.includes(`      as asked for  block ${hash}\n`));
  } finally {
    await stop(guest, 'SIGINT');
    await stop(reader, 'SIGINT');
  }
  const all = messages();
  assert.equal(all.filter(m => m.tx).length, 1);
  assert.deepEqual(all.filter(m => m.rule || m.missing || m.unanswered), []);
  assert.ok(!all.some(m => m.message === 'block' || m.message === 'cmpctblock'));
  assert.match(guest.stderr, / 0 not there, 0 unanswered, .* 0 not asked for/);
}

async function checkLitecoin() {
  const { nodes: [node], processes } = await startLitecoin(1);
  const mine = count => node.rpc('generatetodescriptor', count, `raw(${LOCK})`);
  const [first] = await mine(MATURE);
  const { tx: [coinbase] } = await node.rpc('getblock', first, 2);
  const tx = spend(coinbase.txid, satoshi(coinbase.vout[0].value));

  await check('follow: a transaction (by its wtxid) and a block of litecoind, as it decodes them',
    () => hurry([node], follow(node, {
      rpc: node.rpc, mine, tx, decoded: () => node.rpc('decoderawtransaction', tx)
    })));
  await Promise.all(processes.map(p => stop(p)));
}

async function checkBcoin() {
  const bcoin = await startBcoin(['--count=1', '--network=regtest']);
  const [node] = bcoin.nodes;
  const { addresses: [address] } = await node.rpc('decodescript', LOCK);
  const mine = count => node.rpc('generatetoaddress', count, address);
  const [first] = await mine(MATURE);
  const { tx: [coinbase] } = await node.rpc('getblock', first, true, true);
  const tx = spend(coinbase.txid, satoshi(coinbase.vout[0].value));

  await check('follow: a transaction (by its txid) and a block of bcoin, as it decodes them',
    () => follow(node, {
      rpc: node.rpc, mine, tx, decoded: () => node.rpc('decoderawtransaction', tx)
    }));
  await stop(bcoin);
}

export async function testFollow() {
  if (have('litecoind'))
    await checkLitecoin();
  else
    skip('follow: litecoind', 'there is no litecoind here; tools/setup interop installs it');
  if (context.bcoin)
    await checkBcoin();
  else
    skip('follow: bcoin', context.bcoinMissing);
}
