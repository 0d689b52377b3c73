// lib.mjs: what the interop tests share: counting, running peerwalk, and everything that has
// to be stopped at the end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';

const COMMAND_MS = 120 * 1000; // no command that ends by itself may take longer
const READY_MS = 60 * 1000;    // for a node to come up, on a machine that is busy

// --- counting ---

export const counts = { passed: 0, failed: 0, skipped: 0 };

export async function check(name, fn) {
  const begin = Date.now();
  try {
    await fn();
    counts.passed++;
    console.log(`ok       ${name} (${Date.now() - begin} ms)`);
  } catch (err) {
    counts.failed++;
    console.log(`FAILED   ${name}\n${String(err.stack ?? err).replace(/^/gm, '    | ')}`);
  }
}

export function skip(name, why) {
  counts.skipped++;
  console.log(`skipped  ${name}: ${why}`);
}

// Both are lists of strings, compared as sets.
export function assertSameSet(actual, expected, what) {
  const a = new Set(actual), e = new Set(expected);
  const missing = [...e].filter(x => !a.has(x)), extra = [...a].filter(x => !e.has(x));
  const some = list => `${list.length} (${list.slice(0, 5).join(' ')})`;
  assert.ok(missing.length + extra.length === 0,
    `${what}: missing ${some(missing)}, too many ${some(extra)}`);
}

// --- processes ---

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

export async function until(what, fn, timeoutMs = READY_MS) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) {
    const result = await fn();
    if (result)
      return result;
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}

const running = new Set();

// A process with its output so far. Settings of the user's own must not change the tests.
export function start(command, args, { env = {}, stdin = 'ignore', cwd } = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('PEERWALK_'));
  const child = spawn(command, args, {
    stdio: [stdin, 'pipe', 'pipe'], env: { ...Object.fromEntries(clean), ...env }, cwd
  });
  const p = { child, stdout: '', stderr: '' };
  p.command = `${path.basename(command)} ${args.join(' ')}`;
  running.add(child);
  child.stdout.setEncoding('utf8').on('data', (text) => { p.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { p.stderr += text; });
  p.ended = new Promise((resolve) => {
    child.on('error', (err) => { p.stderr += `${err.message}\n`; resolve(p); });
    child.on('close', (code, signal) => { p.status = code ?? signal; resolve(p); });
  }).finally(() => running.delete(child));
  return p;
}

export async function stop(p, signal = 'SIGTERM') {
  p.child.kill(signal);
  const timer = setTimeout(() => p.child.kill('SIGKILL'), 10 * 1000);
  await p.ended;
  clearTimeout(timer);
  return p;
}

export function killAll() {
  for (const child of running)
    child.kill('SIGKILL');
}

// Runs it to its end; the status is a part of what is expected.
export async function run(command, args, { status = 0, ...options } = {}) {
  const p = start(command, args, options);
  const timer = setTimeout(() => {
    p.stderr += `no end after ${COMMAND_MS} ms\n`;
    p.child.kill('SIGKILL');
  }, COMMAND_MS);
  await p.ended;
  clearTimeout(timer);
  assert.equal(p.status, status, `${p.command}: status ${p.status}, expected ${status}; it said\n` +
    `${p.stderr}${p.stdout.slice(0, 2000)}`);
  return p;
}

// Whether there is such a command.
export function have(command) {
  return (process.env.PATH ?? '').split(':').some(dir => existsSync(path.join(dir, command)));
}

// --- peerwalk ---

export const context = { program: '', scratch: '', bcoin: null };

export const peerwalk = (args, options) => run(context.program, args, options);

export async function peerwalkJson(args, options) {
  return JSON.parse((await peerwalk([...args, '--json'], options)).stdout);
}

export const jsonLines = text => text.split('\n').filter(Boolean).map(line => JSON.parse(line));

export const hostPort = ({ address, port }) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

// RFC 4180, without line breaks in fields: peerwalk escapes them.
export function parseCsv(text) {
  const [header, ...lines] = text.split('\n').filter(Boolean).map((line) => {
    const fields = [];
    for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
      fields.push(quoted !== undefined ? quoted.replaceAll('""', '"') : plain);
    return fields;
  });
  const row = line => Object.fromEntries(header.map((name, i) => [name, line[i]]));
  return { header, rows: lines.map(row) };
}

// Crawls into a database, and returns the summary.
export const crawl = (db, args, options) =>
  peerwalkJson(['crawl', ...args, '--no-default-seeds', '--db', db], options);

export async function exportCsv(db, what, args = []) {
  const options = ['--db', db, '--what', what, '--format', 'csv', ...args];
  return parseCsv((await peerwalk(['export', ...options])).stdout);
}

// --- JSON-RPC, as bcoin and litecoind have it ---

// Each on a connection of its own: where clocks are fast, an idle one is closed at any moment.
function post(port, auth, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, auth, method: 'POST', agent: false });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; })
        .on('end', () => resolve(text)).on('error', reject);
    });
    request.end(body);
  });
}

export async function rpc(port, auth, method, ...params) {
  const text = await post(port, auth, JSON.stringify({ method, params, id: 1 }));
  const { result, error } = JSON.parse(text);
  if (error)
    throw new Error(`${method}: ${error.message}`);
  return result;
}

// --- bcoin ---

// Nodes as bcoin/nodes.js describes them, with what they said of themselves.
export async function startBcoin(args, env = {}) {
  const script = new URL('bcoin/nodes.js', import.meta.url).pathname;
  const p = start(process.execPath, [script, ...args],
    { stdin: 'pipe', env: { BCOIN_HOME: context.bcoin, ...env } });
  const lines = readline.createInterface({ input: p.child.stdout });
  const next = async () => {
    const ended = p.ended.then(() => { throw new Error(`bcoin ended: ${p.stderr}`); });
    const [line] = await Promise.race([once(lines, 'line'), ended]);
    const { nodes } = JSON.parse(line);
    for (const node of nodes)
      node.rpc = (method, ...params) => rpc(node.rpc_port, 'x:', method, ...params);
    return nodes;
  };
  p.nodes = await next();
  p.ask = () => {
    const answer = next();
    p.child.stdin.write('\n');
    return answer;
  };
  return p;
}
