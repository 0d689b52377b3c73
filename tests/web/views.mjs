// views.mjs: each view shows what the API says, and leads where it says it does.
import assert from 'node:assert/strict';
import { check, until } from '../interop/lib.mjs';
import { running } from './data.mjs';
import { bars, grouped, settled, tiles } from './site.mjs';

async function overview(site) {
  await check('overview: numbers, tables and lines of the newest crawl', () => site.page(async (page) => {
    await settled(page);
    const report = await site.api('crawls/newest/report?network=bitcoin&top=20');
    const shown = await tiles(page);
    assert.equal(shown.reached, grouped(report.reached));
    assert.equal(shown.visited, grouped(report.visited));
    assert.deepEqual(await bars(page, 'How the visits ended'),
      report.outcomes.rows.slice(0, 12).map(row => [row.value.replaceAll('_', ' '), grouped(row.count)]));
    assert.deepEqual((await bars(page, 'User agents')).map(row => row[1]),
      report.agents.rows.slice(0, 12).map(row => grouped(row.count)));
    assert.equal(await page.locator('.plot canvas').count(), 3);
    const past = await site.api('history?network=bitcoin');
    await page.locator('details.numbers summary').first().click();
    assert.equal(await page.locator('details.numbers tbody tr').count(), past.items.length);
    await site.picture(page, 'overview');
  }, { hash: '#/bitcoin/overview' }));

  await check('overview: an earlier crawl, by its address and by choice', () => site.page(async (page) => {
    await settled(page);
    const crawls = await site.api('crawls?network=bitcoin');
    const [newest, before] = crawls.items;
    const report = await site.api(`crawls/${before.id}/report`);
    assert.equal((await tiles(page)).reached, grouped(report.reached));
    await page.locator('#crawl').selectOption('');
    await page.waitForFunction(id => document.querySelector('.heading p').textContent.includes(`#${id},`), newest.id);
  }, { hash: `#/bitcoin/overview?crawl=${3}` }));

  await check('overview: Ethereum has clients, forks and capabilities', () => site.page(async (page) => {
    await page.locator('#network').selectOption('ethereum');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'ethereum');
    await settled(page);
    const report = await site.api('crawls/newest/report?network=ethereum&top=20');
    for (const [title, table] of [['Clients', 'clients'], ['Forks', 'forks'], ['Capabilities', 'capabilities']])
      assert.deepEqual((await bars(page, title)).map(row => row[1]),
        report.nodes[table].rows.slice(0, 12).map(row => grouped(row.count)), title);
    assert.match(page.url(), /#\/ethereum\/overview$/);
    await site.picture(page, 'overview-ethereum');
  }, { hash: '#/bitcoin/overview' }));
}

async function list(site) {
  const total = page => page.locator('.heading strong').textContent();
  const shows = (page, n) => page.waitForFunction(text => document.querySelector('.heading strong')?.textContent === text &&
    document.querySelector('[aria-busy]') === null, n === 1 ? '1 peer' : `${grouped(n)} peers`);

  await check('peers: all of them, page by page', () => site.page(async (page) => {
    const first = await site.api('peers?network=bitcoin&limit=50');
    await shows(page, first.total);
    const names = () => page.$$eval('.list tbody tr td.peer a', all => all.map(one => one.title));
    assert.deepEqual(await names(), first.items.map(peer => peer.peer));
    await page.getByRole('link', { name: 'Next page' }).click();
    const second = await site.api(`peers?network=bitcoin&limit=50&cursor=${encodeURIComponent(first.next)}`);
    await page.waitForFunction(name => document.querySelector('td.peer a')?.title === name, second.items[0].peer);
    assert.deepEqual(await names(), second.items.map(peer => peer.peer));
    await page.goBack();
    await page.waitForFunction(name => document.querySelector('td.peer a')?.title === name, first.items[0].peer);
    await site.picture(page, 'peers');
  }, { hash: '#/bitcoin/peers' }));

  await check('peers: each filter beside the table counts what it then shows', () => site.page(async (page) => {
    const all = await site.api('facets?network=bitcoin&top=12');
    await shows(page, all.total);
    const filters = { outcomes: 'outcome', agents: 'agent', protocols: 'protocol', services: 'service', kinds: 'kind', countries: 'country', asns: 'asn' };
    for (const [facet, name] of Object.entries(filters)) {
      const item = all[facet].find(one => String(one.value) !== '');
      await page.locator(`[data-facet="${name}"] li a`).nth(all[facet].indexOf(item)).click();
      await shows(page, item.count);
      const wanted = new URLSearchParams({ network: 'bitcoin', [name]: String(item.value) });
      assert.equal((await site.api(`peers?${wanted}`)).total, item.count, name);
      await page.locator('.chip').click();
      await shows(page, all.total);
    }
    await page.getByRole('link', { name: 'not reached', exact: true }).click();
    await shows(page, (await site.api('peers?network=bitcoin&reached=no')).total);
  }, { hash: '#/bitcoin/peers' }));

  await check('peers: search finds while one types, and keeps the cursor', () => site.page(async (page) => {
    const found = await site.api('peers?network=bitcoin&q=satoshi:30');
    assert.ok(found.total > 0);
    await settled(page);
    await page.locator('#q').pressSequentially('satoshi:30', { delay: 10 });
    await shows(page, found.total);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
    await page.locator('#q').fill('nobody is called like that');
    await shows(page, 0);
    await page.getByRole('link', { name: 'Show all peers' }).click();
    await shows(page, (await site.api('peers?network=bitcoin')).total);
    assert.equal(await page.locator('#q').inputValue(), '');
  }, { hash: '#/bitcoin/peers' }));

  await check('peers: sorted by a column, in both directions', () => site.page(async (page) => {
    await settled(page);
    for (const [title, sort, orders] of [['latency', 'latency', ['asc', 'desc']], ['agent', 'agent', ['asc', 'desc']], ['peer', 'address', ['asc', 'desc']]])
      for (const order of orders) {
        await page.locator('thead').getByRole('link', { name: new RegExp(`^${title}`) }).click();
        const wanted = await site.api(`peers?network=bitcoin&reached=yes&sort=${sort}&order=${order}&limit=50`);
        await page.waitForFunction(([name, direction]) => document.querySelector('td.peer a')?.title === name &&
          document.querySelector('th[aria-sort]')?.getAttribute('aria-sort') === direction,
        [wanted.items[0].peer, order === 'asc' ? 'ascending' : 'descending']);
      }
    assert.ok(await total(page));
  }, { hash: '#/bitcoin/peers?reached=yes' }));
}

async function onePeer(site) {
  await check('peer: what it said, its days and its visits', () => site.page(async (page) => {
    const { items: [first] } = await site.api('peers?network=bitcoin&outcome=ok&limit=1');
    await settled(page);
    await page.locator('td.peer a').first().click();
    await page.waitForFunction(name => document.querySelector('h1')?.textContent === name, first.peer);
    const past = await site.api(`peers/${first.id}/history?limit=1000`);
    const facts = await page.$$eval('.facts > div', all => Object.fromEntries(all.map(one =>
      [one.querySelector('dt').textContent, one.querySelector('dd').textContent])));
    assert.equal(facts.agent, first.agent);
    assert.equal(facts.height, first.height === null ? undefined : grouped(first.height));
    assert.ok(facts.services.startsWith(first.services));
    for (const name of first.service_names)
      assert.ok(facts.services.includes(name), name);
    assert.equal(facts.AS, `AS${first.asn} ${first.as_name}`);
    assert.equal(await page.locator('.uptime rect').count(), 90);
    assert.notEqual(await page.locator('.uptime rect').last().getAttribute('class'), 'day none');
    assert.equal(await page.locator('section:has(h2:text-is("Visits")) tbody tr').count(), past.visits.length);
    await site.picture(page, 'peer');
    await page.goBack();
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Peers');
  }, { hash: '#/bitcoin/peers?outcome=ok' }));

  await check('peer: a node of Ethereum has its record and capabilities', () => site.page(async (page) => {
    const { items } = await site.api('peers?network=ethereum&outcome=ok&limit=50');
    const one = items.find(peer => peer.node?.capabilities);
    await page.goto(`${site.base}/#/ethereum/peer/${one.id}`);
    await page.waitForFunction(name => document.querySelector('h1')?.textContent === name, one.peer);
    const text = await page.locator('.facts').textContent();
    assert.ok(text.includes(one.node.capabilities) && text.includes(one.node_id));
    await site.picture(page, 'peer-ethereum');
  }, { hash: '#/ethereum/overview' }));
}

async function watched(site) {
  await check('peer: one that is watched has sessions, and how long it was up', () => site.page(async (page) => {
    const { items: [one] } = await site.api('peers?network=bitcoin-signet&outcome=ok&limit=1&sort=uptime');
    const past = await site.api(`peers/${one.id}/history`);
    assert.ok(past.sessions.length > 0 && past.visits.length > 1, JSON.stringify(past).slice(0, 300));
    await page.waitForSelector('td.uptime-7-d:not(.void)');
    await page.goto(`${site.base}/#/bitcoin-signet/peer/${one.id}`);
    await page.waitForFunction(name => document.querySelector('h1')?.textContent === name, one.peer);
    assert.equal(await page.locator('.meters li').count(), Object.values(one.uptime).filter(value => value !== null).length);
    assert.equal(await page.locator('section:has(h2:text-is("Sessions")) tbody tr').count(), past.sessions.length);
    await site.picture(page, 'peer-watched');
  }, { hash: '#/bitcoin-signet/peers?outcome=ok&sort=uptime' }));
}

async function others(site) {
  await check('compare: from one crawl to another', () => site.page(async (page) => {
    const { items: [b, a] } = await site.api('crawls?network=bitcoin');
    await page.waitForSelector('.tile');
    await settled(page);
    const diff = await site.api(`diff?a=${a.id}&b=${b.id}`);
    const shown = await tiles(page);
    for (const kind of ['came', 'went', 'back', 'changed'])
      assert.equal(shown[kind], grouped(diff[kind]), kind);
    assert.equal(await page.locator('.list tbody tr').count(), diff.items.length);
    assert.ok(diff.came + diff.went > 0);
    await page.locator('.tile', { hasText: 'went' }).click();
    await page.waitForFunction(n => document.querySelectorAll('.list tbody tr').length === n &&
      [...document.querySelectorAll('.list .badge')].every(one => one.textContent === 'went'), Math.min(diff.went, 50));
    await site.picture(page, 'compare');
  }, { hash: '#/bitcoin/compare' }));

  await check('map: countries, places, and the way to their peers', () => site.page(async (page) => {
    await page.waitForSelector('.map svg');
    const map = await site.api('map?network=bitcoin');
    assert.ok(map.countries.length >= 4);
    assert.deepEqual((await bars(page, 'Countries')).map(row => row[1]), map.countries.slice(0, 25).map(one => grouped(one.count)));
    assert.equal(await page.locator('circle.place').count(), map.places.length);
    assert.ok(await page.locator('path.land').count() > 200);
    // Whoever is in Germany is drawn there.
    const spot = await page.locator('circle.place', { hasText: 'Falkenstein' }).boundingBox();
    const land = await page.locator('a[aria-label^="Germany"] path').boundingBox();
    assert.ok(spot.x > land.x && spot.x < land.x + land.width && spot.y > land.y && spot.y < land.y + land.height);
    await site.picture(page, 'map');
    await page.locator('a[aria-label^="Brazil"]').click();
    const there = map.countries.find(one => one.country === 'BR').count;
    await page.waitForFunction(text => document.querySelector('.heading strong')?.textContent === text, `${there} peers`);
  }, { hash: '#/bitcoin/map' }));
}

async function live(site) {
  await check('live: says what to run, shows a crawl while it runs, and that it has ended', () => site.page(async (page) => {
    await page.waitForSelector('.notice');
    assert.match(await page.locator('.notice').textContent(), /No crawl runs.*peerwalk crawl bitcoin/);
    await site.picture(page, 'live-idle');
    const { sim, crawling } = await running(site.program, site.data);
    await page.waitForSelector('.progress');
    await page.waitForSelector('.ticker li a');
    await page.waitForFunction(() => Number(document.querySelectorAll('.tile dd')[1]?.firstChild.textContent.replaceAll(',', '')) > 60);
    await site.picture(page, 'live');
    await crawling.ended;
    await page.waitForFunction(() => document.querySelector('.heading p')?.textContent.includes('has ended'));
    sim.child.kill();
    const { items: [newest] } = await site.api('crawls?network=bitcoin&limit=1');
    assert.equal((await tiles(page)).reached, grouped(newest.reached));
    // What is looked at elsewhere is asked for again by itself.
    await page.getByRole('link', { name: 'Overview' }).click();
    await until('the overview of it', async () => (await page.locator('.heading p').first().textContent()).includes(`#${newest.id},`));
  }, { hash: '#/bitcoin/live' }));
}

export async function views(site) {
  await overview(site);
  await list(site);
  await onePeer(site);
  await watched(site);
  await others(site);
  await live(site);
}
