// main.mjs: runs the groups of tests, inside the private network that ./run has made.
//
//     node main.mjs PROGRAM SCRATCH BCOIN_HOME WHY_NO_BCOIN ETHEREUMJS_HOME WHY_NO_ETHEREUMJS
//         [GROUP...]
import { check, context, counts, killAll } from './lib.mjs';
import { testBcoin } from './bcoin.mjs';
import { testDifferential } from './differential.mjs';
import { testDns } from './dns.mjs';
import { testEthereum } from './ethereum.mjs';
import { testFollow } from './follow.mjs';
import { testLitecoin } from './litecoin.mjs';
import { testSimulated } from './simulated.mjs';
import { testStanding } from './standing.mjs';
import { testWire } from './wire.mjs';

const groups = {
  bcoin: testBcoin, litecoin: testLitecoin, wire: testWire, simulated: testSimulated,
  follow: testFollow, standing: testStanding, ethereum: testEthereum, dns: testDns,
  differential: testDifferential
};

const [program, scratch, bcoin, bcoinMissing, ethereumjs, ethereumjsMissing, ...wanted] =
  process.argv.slice(2);
Object.assign(context, { program, scratch, bcoin: bcoin || null, bcoinMissing,
  ethereumjs: ethereumjs || null, ethereumjsMissing });
context.silent = process.env.PRIVATE_SILENT !== '';

for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.on(signal, () => {
    killAll();
    process.exit(status);
  });
}

for (const name of wanted.length > 0 ? wanted : Object.keys(groups)) {
  try {
    await groups[name]();
  } catch (err) {
    // The nodes did not come up.
    await check(name, () => { throw err; });
  }
  killAll();
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
