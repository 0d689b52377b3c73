// main.mjs: opens each view of the page in Chromium, and compares it with what the API says.
//
//     node main.mjs PROGRAM SCRATCH CHROMIUM CACHE PICTURES
import { createRequire } from 'node:module';
import path from 'node:path';
import { check, counts, killAll } from '../interop/lib.mjs';
import { Site } from './site.mjs';
import { makeData } from './data.mjs';
import { pure } from './pure.mjs';
import { views } from './views.mjs';
import { looks } from './looks.mjs';
import { troubles } from './troubles.mjs';

const [program, scratch, chromium, cache, pictures] = process.argv.slice(2);
const { chromium: playwright } = createRequire(path.join(cache, 'package.json'))('playwright-core');

let browser;
try {
  await pure(path.join(cache, 'compiled'));
  const data = await makeData(program, scratch);
  // Root may not use Chromium's sandbox; nothing but our own page is opened.
  browser = await playwright.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
  const site = new Site({ program, browser, data, pictures });
  await site.start();
  for (const group of [views, looks, troubles])
    await group(site);
} catch (err) {
  await check('the tests themselves', () => { throw err; });
} finally {
  await browser?.close();
  killAll();
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
