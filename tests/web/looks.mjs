// looks.mjs: light and dark, on a phone, by keys alone; how much is sent, and how soon something
// is seen.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { check } from '../interop/lib.mjs';
import { hostile } from './data.mjs';
import { settled } from './site.mjs';

const all = ['overview', 'live', 'peers', 'compare', 'map'];

export async function looks(site) {
  await check('phone: no view is wider than the screen', () => site.page(async (page) => {
    const { items: [one] } = await site.api('peers?network=bitcoin&outcome=ok&limit=1');
    for (const view of [...all, `peer/${one.id}`]) {
      await page.goto(`${site.base}/#/bitcoin/${view}`);
      await settled(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${view}: ${over} pixels too wide`);
      await site.picture(page, `${view.replace(/\/.*/, '')}-phone`);
    }
  }, { viewport: { width: 375, height: 720 } }));

  await check('dark: as the system has it, and as was chosen, also after a reload', () => site.page(async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    for (const view of all) {
      await page.goto(`${site.base}/#/bitcoin/${view}`);
      await settled(page);
      await site.picture(page, `${view}-dark`);
    }
    await page.getByRole('button', { name: 'light colours' }).click();
    const light = await ground();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await ground(), light);
  }, { colorScheme: 'dark' }));

  await check('keys: to the content, along the views, and each button has a name', () => site.page(async (page) => {
    await settled(page);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'To the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    await page.locator('header nav a').nth(1).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('nav [aria-current]').textContent.startsWith('Live'));
    await page.goto(`${site.base}/#/bitcoin/peers`);
    await settled(page);
    const nameless = await page.$$eval('a, button, input, select, svg[role]', elements => elements.filter(one =>
      !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length)).map(one => one.outerHTML));
    assert.deepEqual(nameless, []);
  }, { hash: '#/bitcoin/overview' }));

  await check('hostile names are shown, and do nothing', () => site.page(async (page) => {
    const shown = [];
    for (const id of site.data.hostile) {
      await page.goto(`${site.base}/#/bitcoin/peer/${id}`);
      await page.waitForFunction(wanted => location.hash.endsWith(`/${wanted}`) && document.querySelector('.facts') !== null &&
        document.querySelector('[aria-busy]') === null, id);
      const peer = await site.api(`peers/${id}`);
      await page.waitForFunction(name => document.querySelector('h1')?.textContent === name, peer.peer);
      shown.push(await page.locator('.facts dd bdi').first().textContent());
      assert.equal(shown.at(-1), peer.agent);
    }
    assert.deepEqual(shown.slice(0, 3), hostile.slice(0, 3));
    for (const text of shown)
      assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u);
    assert.ok(shown[3].startsWith('left\\x') && shown[4].startsWith('line\\x0d\\x0abreak'), shown.join(' | '));
    await page.goto(`${site.base}/#/bitcoin/peers?q=${encodeURIComponent('<script>')}`);
    await page.waitForFunction(() => document.querySelector('.heading strong')?.textContent === '1 peer');
    assert.equal(await page.locator('td.agent').textContent(), hostile[0]);
    await page.locator('td.agent').scrollIntoViewIfNeeded();
    await site.picture(page, 'hostile');
    await page.locator('[data-facet="agent"] li a').first().click();
    await page.waitForFunction(text => document.querySelector('.chip')?.textContent.includes(text), hostile[0]);
    assert.equal(await page.evaluate(() => document.querySelectorAll('main script, main img').length), 0);
  }));

  await check('little is sent, and something is seen soon', () => site.page(async (page) => {
    await settled(page);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    const files = await page.evaluate(() => performance.getEntriesByType('resource').filter(one => !one.name.includes('/api/'))
      .map(one => [new URL(one.name).pathname, one.encodedBodySize, one.decodedBodySize]));
    const sent = files.reduce((sum, [, encoded]) => sum + encoded, 0);
    console.log(`         first paint after ${Math.round(paint)} ms; ${sent} bytes: ${files.map(([name, size]) => `${name} ${size}`).join(', ')}`);
    const html = await (await fetch(`${site.base}/`)).text();
    assert.ok(gzipSync(html).length < 2000);
    assert.ok(sent > 0 && sent < 80 * 1000, `${sent} bytes`);
    assert.ok(files.filter(([name]) => name.endsWith('.js') && name.includes('assets')).every(([, encoded, decoded]) => encoded < decoded));
  }, { hash: '#/bitcoin/overview' }));
}
