// site.mjs: a server with its data, and pages of it in a browser that notice what must not happen.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { start, stop, until } from '../interop/lib.mjs';

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Site {
  constructor(parts) {
    Object.assign(this, parts);
  }

  async start(more = ['--mmdb', this.data.mmdb], db = this.data.db) {
    this.port ??= await freePort();
    this.base = `http://127.0.0.1:${this.port}`;
    this.server = start(this.program, ['serve', '--db', db, '--listen', `127.0.0.1:${this.port}`, ...more]);
    await until('the server is there', async () => {
      assert.equal(this.server.status, undefined, this.server.stderr);
      return fetch(`${this.base}/healthz`).then(answer => answer.ok, () => false);
    });
    await until('it has read its database', async () => {
      const answer = await fetch(`${this.base}/api/v1/networks`).catch(() => null);
      return answer !== null && (answer.status === 401 || answer.ok);
    });
  }

  async stop() {
    await stop(this.server);
  }

  async api(what) {
    const answer = await fetch(`${this.base}/api/v1/${what}`);
    assert.equal(answer.status, 200, `${what}: ${await answer.clone().text()}`);
    return answer.json();
  }

  // Runs fn with a page; then there must have been no error, no dialog, no request to others and
  // no breach of the policy. expected: errors that belong to the test.
  async page(fn, { expected = /^$/, hash = '', ...context } = {}) {
    const frame = await this.browser.newContext({ viewport: { width: 1360, height: 850 }, ...context });
    const page = await frame.newPage();
    const bad = [];
    page.setDefaultTimeout(15 * 1000);
    page.on('console', message => {
      const text = `${message.type()}: ${message.text()}`;
      if (['error', 'warning'].includes(message.type()) && !expected.test(text))
        bad.push(text);
    });
    page.on('pageerror', err => bad.push(`thrown: ${err.message}`));
    page.on('dialog', dialog => {
      bad.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', request => {
      if (new URL(request.url()).origin !== this.base)
        bad.push(`request to ${request.url()}`);
    });
    await page.addInitScript(() => {
      globalThis.breaches = [];
      document.addEventListener('securitypolicyviolation', event =>
        globalThis.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    try {
      await page.goto(`${this.base}/${hash}`);
      await fn(page);
      bad.push(...await page.evaluate(() => globalThis.breaches));
    } finally {
      await frame.close();
    }
    assert.deepEqual(bad, []);
  }

  async picture(page, name) {
    await page.screenshot({ path: path.join(this.pictures, `${name}.png`), fullPage: true });
  }
}

// What stands there once nothing is being loaded.
export async function settled(page) {
  await page.waitForFunction(() =>
    document.querySelector('main > *') !== null && document.querySelector('[aria-busy]') === null);
}

export const grouped = n => new Intl.NumberFormat('en-US').format(n);

// The tiles of a view: { reached: "763", ... }
export async function tiles(page) {
  return page.$$eval('.tile', all => Object.fromEntries(all.map(one => {
    const [name, value] = one.querySelectorAll('dt, dd, .name, .value');
    return [name.textContent, value.firstChild.textContent];
  })));
}

// A panel's rows of names and numbers.
export async function bars(page, title) {
  return page.$$eval(`table.bars[aria-label="${title}"] tbody tr:not(.others)`, rows =>
    rows.map(row => [row.querySelector('th').textContent, row.querySelector('td').textContent]));
}
