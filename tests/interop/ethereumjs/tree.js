// tree.js: looks for nodes in a signed tree (EIP-1459) with the DNS client of @ethereumjs/devp2p: it
// verifies the root by the key in the URL, and each record by its own.
//
//     node tree.js SERVER URL COUNT
//
// A line of JSON with the nodes that it found, or the error. Needs `npm ci` in the folder
// ETHEREUMJS_HOME.
'use strict';
const path = require('path');
const home = require('module').createRequire(path.join(process.env.ETHEREUMJS_HOME, 'tree.js'));
const {DNS} = home('@ethereumjs/devp2p');

const [server, url, count] = process.argv.slice(2);
new DNS({dnsServerAddress: server}).getPeers(Number(count), [url]).then(
  peers => console.log(JSON.stringify({peers})),
  error => console.log(JSON.stringify({error: error.message})));
