// litecoind.mjs: Debian's litecoind, a descendant of Bitcoin Core 0.21, on regtest. Its magic
// there is that of Bitcoin's regtest, and it speaks addrv2.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { context, rpc as rpcAt, start, until } from './lib.mjs';

export const PORT = 19444;
const RPC_PORT = 40000;
const RPC_USER = 'interop', RPC_PASSWORD = 'private';
export const UNREACHABLE = 60; // IPv6 addresses that each node knows, with nobody there

const rpc = (i, ...call) => rpcAt(RPC_PORT + i, `${RPC_USER}:${RPC_PASSWORD}`, ...call);

function startOne(i, address) {
  const dir = path.join(context.scratch, `litecoind-${i}`);
  mkdirSync(dir, { recursive: true });
  return start('litecoind', ['-regtest', `-datadir=${dir}`, '-listen', `-bind=${address}:${PORT}`,
    `-externalip=${address}:${PORT}`, '-discover=0', '-connect=0', '-dnsseed=0', '-upnp=0',
    '-listenonion=0', '-disablewallet', '-dbcache=4', '-maxmempool=5', '-par=1',
    '-printtoconsole=0', `-rpcport=${RPC_PORT + i}`, '-rpcbind=127.0.0.1',
    '-rpcallowip=127.0.0.1', `-rpcuser=${RPC_USER}`, `-rpcpassword=${RPC_PASSWORD}`],
  { env: { HOME: dir } }); // Debian's script makes a folder there
}

const isUp = i => rpc(i, 'getnetworkinfo').then(() => true, () => false);

// `count` nodes at 53.I.2.3, each knowing the others and 60 IPv6 addresses, each with blocks
// of its own: node I has 10 + I. With what they say of themselves over RPC.
export async function startLitecoin(count) {
  const addresses = Array.from({ length: count }, (_, i) => `53.${i + 1}.2.3`);
  const processes = addresses.map((address, i) => startOne(i, address));
  const nodes = [];
  for (const [i, address] of addresses.entries()) {
    await until(`litecoind ${i}`, () => {
      if (processes[i].status !== undefined)
        throw new Error(`litecoind ended: ${processes[i].stderr}`);
      return isUp(i);
    });
    await rpc(i, 'generatetodescriptor', 10 + i, 'raw(51)');
    const knows = addresses.filter(other => other !== address);
    for (let k = 1; k <= UNREACHABLE; k++)
      knows.push(`2a01:4f8:${k.toString(16)}::5`);
    for (const other of knows)
      await rpc(i, 'addpeeraddress', other, PORT);
    const info = await rpc(i, 'getnetworkinfo');
    nodes.push({
      address, port: PORT, agent: info.subversion, protocol: info.protocolversion,
      services: Number(`0x${info.localservices}`), height: await rpc(i, 'getblockcount'),
      knows: knows.map(other => ({ address: other, port: PORT })),
      rpc: (method, ...params) => rpc(i, method, ...params)
    });
  }
  return { nodes, processes };
}

// Sets the clocks of the nodes ten times a second, to the seconds that nowS() tells, until
// `work` ends.
export async function keepTime(nodes, nowS, work) {
  let done = false;
  work.catch(() => {}).finally(() => { done = true; });
  while (!done) {
    const clockS = nowS();
    for (const node of nodes)
      await node.rpc('setmocktime', clockS);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  for (const node of nodes)
    await node.rpc('setmocktime', 0);
  return work;
}

// Runs the clocks of the nodes at a hundred times their speed until `work` ends: they answer
// getaddr at a random moment, 30 s after the question on average, by their own clock.
export function hurry(nodes, work) {
  let clockS = Math.floor(Date.now() / 1000);

  return keepTime(nodes, () => { clockS += 10; return clockS; }, work);
}
