// troubles.mjs: what the page says where something is missing or wrong, and how it goes on.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { check, start } from '../interop/lib.mjs';
import { settled, tiles } from './site.mjs';

const refused = /Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_NETWORK|ERR_CONNECTION_RESET/;

export async function troubles(site) {
  await check('a peer that is not there', () => site.page(async (page) => {
    await page.waitForSelector('.failure button');
    assert.match(await page.locator('.failure').textContent(), /may have been removed/);
  }, { hash: '#/bitcoin/peer/999999', expected: refused }));

  await check('a network that is not there', () => site.page(async (page) => {
    await page.waitForSelector('.notice');
    assert.match(await page.locator('.notice').textContent(), /no network "nothing".*bitcoin/);
  }, { hash: '#/nothing/overview' }));

  await check('the server goes, says so, and comes back', () => site.page(async (page) => {
    await settled(page);
    await site.stop();
    await page.waitForSelector('.lost:not([hidden])');
    await page.locator('header nav a').nth(2).click();
    await page.waitForSelector('.failure');
    assert.match(await page.locator('.failure').textContent(), /does not answer.*still running/);
    await site.picture(page, 'lost');
    await site.start();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('.list tbody tr');
    await page.waitForSelector('.lost', { state: 'hidden', timeout: 30 * 1000 });
  }, { hash: '#/bitcoin/overview', expected: refused }));

  await check('without a location database the map says what is missing', async () => {
    await site.stop();
    await site.start([]);
    await site.page(async (page) => {
      await page.waitForSelector('.notice');
      assert.match(await page.locator('.notice').textContent(), /No location database.*--mmdb/);
      await site.picture(page, 'map-none');
    }, { hash: '#/bitcoin/map' });
  });

  await check('an empty database says what to do, and fills', async () => {
    await site.stop();
    const crawl = async () => {
      const made = start(site.program, ['crawl', 'bitcoin', '--no-default-seeds', '--seed', '127.0.0.1:1',
        '--allow-private', '--quiet', '--db', site.data.empty]);
      await made.ended;
      assert.equal(made.status, 3, made.stderr);
    };
    await crawl();
    const clear = start('python3', ['-c', 'import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n' +
      'for table in ("visits", "peers", "crawls", "networks"): db.execute("DELETE FROM " + table)\ndb.commit()', site.data.empty]);
    await clear.ended;
    assert.equal(clear.status, 0, clear.stderr);
    await site.start([], site.data.empty);
    await site.page(async (page) => {
      await page.waitForSelector('.notice');
      assert.match(await page.locator('.notice').textContent(), /nothing in this database yet.*peerwalk crawl/);
      await site.picture(page, 'empty');
      await crawl();
      await page.waitForSelector('.tile');
      assert.equal((await tiles(page)).visited, '1');
    });
  });

  await check('a server with a token asks for it, once', async () => {
    await site.stop();
    const file = path.join(site.data.scratch, 'token');
    writeFileSync(file, 'a-secret-of-the-tests-1234567890\n');
    chmodSync(file, 0o600);
    await site.start(['--token', file]);
    await site.page(async (page) => {
      await page.goto(`${site.base}/?token=a-secret-of-the-tests-1234567890`);
      await settled(page);
      assert.ok(!page.url().includes('secret'), 'the token is not left in the address');
      await page.goto(`${site.base}/#/bitcoin/peers`);
      await page.waitForSelector('.list tbody tr');
      await page.context().clearCookies();
      await page.locator('header nav a').nth(3).click();
      await page.waitForSelector('#token');
      await site.picture(page, 'token');
      await page.locator('#token').fill('a-secret-of-the-tests-1234567890');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.waitForSelector('.tile');
    }, { expected: refused });
  });
}
