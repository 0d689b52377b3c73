// pure.mjs: the parts of the page that are only functions.
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { check } from '../interop/lib.mjs';

export async function pure(compiled) {
  const load = name => import(pathToFileURL(path.join(compiled, name)));
  const format = await load('src/format.js');
  const route = await load('src/route.js');
  const figures = await load('src/figures.js');
  const { relative } = await load('plugins/path.js');
  const rows = (name, table, fn) => check(name, () => {
    for (const [wanted, ...input] of table)
      assert.deepEqual(fn(...input), wanted, JSON.stringify(input));
  });

  await rows('numbers for people', [
    ['1,234,567', 1234567], ['–', null], ['0', 0],
  ], format.count);
  await rows('short numbers for axes', [
    ['0', 0], ['999', 999], ['1k', 1000], ['1.23M', 1234567], ['-4.5k', -4500], ['2G', 2e9],
  ], format.short);
  await rows('shares: something is not nothing, and not all is not all', [
    ['0.0%', 0], ['<0.1%', 0.0001], ['12.3%', 0.1234], ['99.9%', 0.99999], ['100.0%', 1], ['–', null], ['–', NaN],
  ], format.percent);
  await rows('durations', [
    ['0.5 s', 0.5], ['59 s', 59.4], ['1 min 00 s', 59.6], ['1 h 02 min', 3725], ['1 d 1 h', 90000], ['–', null],
  ], format.duration);
  await rows('bytes', [['512 B', 512], ['1.0 KiB', 1024], ['3.4 MiB', 3529021]], format.bytes);
  const now = Date.parse('2026-11-29T12:00:00Z');
  await rows('how long ago', [
    ['never', null], ['just now', '2026-11-29T11:59:30Z'], ['5 min ago', '2026-11-29T11:55:00Z'],
    ['23 h ago', '2026-11-28T13:00:00Z'], ['2 d ago', '2026-11-27T11:00:00Z'],
    ['just now', '2026-11-29T12:00:09Z'],
  ], text => format.ago(text, now));
  const key = '0123456789abcdef'.repeat(8);
  await rows('names of peers in tables', [
    ['192.0.2.1:8333', 'bitcoin://192.0.2.1:8333'],
    ['[2001:db8::1]:18333', 'bitcoin-testnet3://[2001:db8::1]:18333'],
    ['01234567…@192.0.2.1:30303', `enode://${key}@192.0.2.1:30303?discport=30304`],
  ], format.peerName);
  const day = Date.parse('2026-11-28T22:00:00Z') / 1000;
  await rows('ticks of time', [
    [['28 Nov', '23:00', '29 Nov', '01:00'], [day, day + 3600, day + 7200, day + 10800], 3600],
    [['22:00:00', '22:00:05'], [day, day + 5], 5],
    [['28 Nov', '29 Nov'], [day, day + 86400], 86400],
    [['Nov 2026', 'Dec 2026'], [day, day + 28 * 86400], 28 * 86400],
  ], format.timeTicks);

  await check('each place has an address, and leads back to it', () => {
    for (const params of [{}, { agent: '/a?b=c&d#e%/', q: 'x y' }, { agent: '<script>' }]) {
      const there = { network: 'a/b c', view: 'peers', id: '', params };
      assert.deepEqual(route.parse(route.link('a/b c', 'peers', params)), there);
      assert.deepEqual(route.parse(route.link('x', 'peer', {}, '12')),
        { network: 'x', view: 'peer', id: '12', params: {} });
    }
  });
  await rows('addresses that are none lead to the overview', [
    [{ network: '', view: 'overview', id: '', params: {} }, ''],
    [{ network: 'bitcoin', view: 'overview', id: '', params: {} }, '#/bitcoin/nothing'],
    [{ network: '%E0%A4%A', view: 'overview', id: '', params: {} }, '#/%E0%A4%A'],
  ], route.parse);
  await check('another filter begins at the first page', () => {
    const at = route.parse('#/bitcoin/peers?agent=x&cursor=5');
    assert.equal(route.changed(at, { country: 'DE' }), '#/bitcoin/peers?agent=x&country=DE');
    assert.equal(route.changed(at, { agent: '' }), '#/bitcoin/peers');
    assert.equal(route.changed(at, { cursor: '9' }), '#/bitcoin/peers?agent=x&cursor=9');
  });

  await rows('areas on top of each other', [
    [[[6, 60], [5, 50], [3, 30]], [[1, 10], [2, 20], [3, 30]], [true, true, true]],
    [[[4, 40], [3, 30], [3, 30]], [[1, 10], [2, 20], [3, 30]], [true, false, true]],
    [[[1, 0]], [[1, null]], [true]],
  ], figures.stacked);
  await rows('days of visits, and of those that are gone', [
    [[{ day: '2026-03-01', visits: 3, reached: 2 }, { day: '2026-03-02', visits: 1, reached: 1 }],
      [{ day: '2026-03-01', visits: 2, reached: 1 }],
      [{ started_at: '2026-03-01T23:59:59Z', reached: true }, { started_at: '2026-03-02T00:00:00Z', reached: true }]],
  ], figures.daily);
  await rows('days without a visit are there, too, over the end of a month', [
    [[{ day: '2026-02-28', visits: 0, reached: 0 }, { day: '2026-03-01', visits: 2, reached: 1 }],
      [{ day: '2026-03-01', visits: 2, reached: 1 }, { day: '2026-01-01', visits: 9, reached: 9 }], '2026-03-01', 2],
  ], figures.strip);
  await rows('shades of countries', [[0, 0, 0], [0, 0, 5], [1, 1, 1000], [6, 1000, 1000], [6, 1, 1]], figures.shade);
  await rows('outlines with relative steps', [
    ['M1 2l2 2 2 2z', 'M1,2L3,4L3,4L5,6Z'], ['M5 5l-4-3 1 1z', 'M5,5L1,2L2,3Z'], ['', 'M1,2L1,2L3,3Z'],
  ], relative);
}
