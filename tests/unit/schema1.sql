-- A database as schema 1 had it, with a crawl of eight simulated peers: what `.dump` of the
-- sqlite3 shell wrote of a file made by the program as it was then, and its two numbers.
PRAGMA application_id = 1886874731;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE networks(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO networks VALUES(1,'bitcoin');
CREATE TABLE outcomes( -- how a visit can end
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL
) STRICT;
INSERT INTO outcomes VALUES(0,'ok','answered, and named peers');
INSERT INTO outcomes VALUES(1,'no_peers','answered, but named nobody');
INSERT INTO outcomes VALUES(2,'refused','nothing listens there: the connection was refused');
INSERT INTO outcomes VALUES(3,'unreachable','no route leads there');
INSERT INTO outcomes VALUES(4,'connect_timeout','no answer to the connection attempt');
INSERT INTO outcomes VALUES(5,'reset','the connection was reset');
INSERT INTO outcomes VALUES(6,'full','accepted, then closed without a byte: full, or we are banned');
INSERT INTO outcomes VALUES(7,'mute','accepted the connection, but never spoke');
INSERT INTO outcomes VALUES(8,'handshake_timeout','spoke, but did not finish the handshake');
INSERT INTO outcomes VALUES(9,'wrong_network','speaks for another network');
INSERT INTO outcomes VALUES(10,'protocol_error','broke a rule of the protocol');
INSERT INTO outcomes VALUES(11,'too_big','announced or sent more than the protocol allows');
INSERT INTO outcomes VALUES(12,'self','this is ourselves');
INSERT INTO outcomes VALUES(13,'cancelled','stopped before it ended');
CREATE TABLE kinds( -- of addresses
  id INTEGER PRIMARY KEY, -- network id of BIP 155
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO kinds VALUES(0,'none');
INSERT INTO kinds VALUES(1,'ipv4');
INSERT INTO kinds VALUES(2,'ipv6');
INSERT INTO kinds VALUES(3,'onion2');
INSERT INTO kinds VALUES(4,'onion');
INSERT INTO kinds VALUES(5,'i2p');
INSERT INTO kinds VALUES(6,'cjdns');
CREATE TABLE crawls(
  id INTEGER PRIMARY KEY,
  network_id INTEGER NOT NULL REFERENCES networks,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER, -- NULL while running, or after an interruption
  complete INTEGER NOT NULL DEFAULT 0, -- nobody was left to ask
  known INTEGER NOT NULL DEFAULT 0,
  visited INTEGER NOT NULL DEFAULT 0,
  reached INTEGER NOT NULL DEFAULT 0,
  adverts INTEGER NOT NULL DEFAULT 0,
  bytes_in INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0,
  cpu_seconds REAL NOT NULL DEFAULT 0,
  max_rss_bytes INTEGER NOT NULL DEFAULT 0,
  settings TEXT NOT NULL DEFAULT '{}' -- JSON: the options that shaped it
) STRICT;
INSERT INTO crawls VALUES(1,1,1795601492205,1795601493756,1,8,8,8,64,4526,2032,0.0091090000000000007768,7360512,'{"concurrency":2000,"connect_timeout_ms":300,"threads":1,"rate":0.0,"patient":false,"allow_private":true,"adverts":true,"agent":"/peerwalk:0.1.0/"}');
CREATE TABLE peers( -- one row an address
  id INTEGER PRIMARY KEY,
  network_id INTEGER NOT NULL REFERENCES networks,
  key BLOB NOT NULL, -- kind, address, port (big-endian)
  kind INTEGER NOT NULL REFERENCES kinds,
  address TEXT NOT NULL, -- RFC 5952, without brackets; or a name
  port INTEGER NOT NULL,
  node_id TEXT NOT NULL DEFAULT '', -- hex
  crawl_id INTEGER REFERENCES crawls, -- newest that knew it; NULL: only named
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  last_reached_ms INTEGER, -- when a handshake was last completed
  visits INTEGER NOT NULL DEFAULT 0, -- crawls that visited it
  reached_count INTEGER NOT NULL DEFAULT 0,
  -- the newest visit:
  visit_crawl_id INTEGER REFERENCES crawls,
  visit_at_ms INTEGER,
  outcome INTEGER REFERENCES outcomes,
  reached INTEGER,
  connect_ms INTEGER,
  handshake_ms INTEGER,
  -- the newest visit in which it said who it is:
  agent ANY, -- as sent; a BLOB where it is no UTF-8
  protocol INTEGER,
  services INTEGER,
  height INTEGER, -- -1: not said
  -- what others say of it:
  claimed_services INTEGER,
  claimed_seen_s INTEGER,
  UNIQUE(network_id, key)
) STRICT;
INSERT INTO peers VALUES(1,1,X'017f0c99874b85',1,'127.12.153.135',19333,'',1,1795601492210,1795601492211,1795601492254,1,1,1,1795601492211,0,1,0,43,'/Satoshi:28.0.0/',70016,3081,976000,NULL,NULL);
INSERT INTO peers VALUES(2,1,X'017f745c524b85',1,'127.116.92.82',19333,'',1,1795601492210,1795601492211,1795601492231,1,1,1,1795601492211,0,1,0,20,'/Satoshi:29.3.0/',70016,3081,976000,NULL,NULL);
INSERT INTO peers VALUES(3,1,X'017f64f6134b85',1,'127.100.246.19',19333,'',1,1795601492210,1795601492211,1795601492229,1,1,1,1795601492211,0,1,0,18,'/Satoshi:27.0.0/',70016,3081,975999,NULL,NULL);
INSERT INTO peers VALUES(4,1,X'017f1d5c384b85',1,'127.29.92.56',19333,'',1,1795601492210,1795601492211,1795601492225,1,1,1,1795601492211,0,1,0,14,'/Satoshi:31.0.0/',70016,3081,976000,NULL,NULL);
INSERT INTO peers VALUES(5,1,X'017f63ad584b85',1,'127.99.173.88',19333,'',1,1795601492210,1795601492211,1795601492221,1,1,1,1795601492211,0,1,0,10,'/Satoshi:28.1.0/',70016,3081,976000,NULL,NULL);
INSERT INTO peers VALUES(6,1,X'017fb2651a4b85',1,'127.178.101.26',19333,'',1,1795601492210,1795601492211,1795601492227,1,1,1,1795601492211,0,1,0,16,'/Satoshi:29.2.0/Knots:20251110/',70016,3085,976000,NULL,NULL);
INSERT INTO peers VALUES(7,1,X'017fef81574b85',1,'127.239.129.87',19333,'',1,1795601492210,1795601492211,1795601492221,1,1,1,1795601492211,0,1,0,10,'/Satoshi:29.2.0/Knots:20251110/',70016,3085,976000,NULL,NULL);
INSERT INTO peers VALUES(8,1,X'017f49940b4b85',1,'127.73.148.11',19333,'',1,1795601492210,1795601492211,1795601492231,1,1,1,1795601492211,0,1,0,20,'/Satoshi:28.0.0/',70016,3081,976000,NULL,NULL);
CREATE TABLE visits( -- one row for each crawl and peer; NULL: not reached, not said
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER NOT NULL REFERENCES crawls,
  peer_id INTEGER NOT NULL REFERENCES peers,
  started_at_ms INTEGER NOT NULL,
  outcome INTEGER NOT NULL REFERENCES outcomes,
  reached INTEGER NOT NULL, -- a handshake was completed
  tries INTEGER NOT NULL, -- connection attempts
  stepwise INTEGER NOT NULL, -- shook hands only in the step-by-step order
  rule TEXT, -- the rule it broke
  connect_ms INTEGER, -- each time counts from the start of the last attempt
  version_ms INTEGER,
  handshake_ms INTEGER,
  reply_ms INTEGER, -- the first answer with more than one address
  total_ms INTEGER,
  agent ANY, -- as sent; a BLOB where it is no UTF-8
  node_id TEXT, -- hex
  negotiation ANY, -- its messages up to the end of the handshake
  protocol INTEGER,
  services INTEGER,
  height INTEGER, -- -1: not said
  relay INTEGER,
  clock_skew_s INTEGER, -- its clock minus ours
  feefilter INTEGER, -- satoshi per 1000 vbytes
  sees_us_as TEXT,
  adverts INTEGER NOT NULL, -- addresses named, with repeats
  adverts_new INTEGER NOT NULL, -- not known before in this crawl
  adverts_cut INTEGER NOT NULL, -- over the cap for one peer
  messages_in INTEGER NOT NULL,
  unknown_in INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  UNIQUE(crawl_id, peer_id)
) STRICT;
INSERT INTO visits VALUES(1,1,5,1795601492211,0,1,1,0,NULL,0,10,10,10,1510,'/Satoshi:28.1.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,976000,1,-2,1000,'127.0.0.1:58322',8,0,0,10,0,558,254);
INSERT INTO visits VALUES(2,1,7,1795601492211,0,1,1,0,NULL,0,10,10,10,1510,'/Satoshi:29.2.0/Knots:20251110/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3085,976000,1,1,1000,'127.0.0.1:34178',8,0,0,10,0,573,254);
INSERT INTO visits VALUES(3,1,4,1795601492211,0,1,1,0,NULL,0,14,14,14,1514,'/Satoshi:31.0.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,976000,1,-1,1000,'127.0.0.1:40276',8,0,0,10,0,558,254);
INSERT INTO visits VALUES(4,1,6,1795601492211,0,1,1,0,NULL,0,16,16,16,1516,'/Satoshi:29.2.0/Knots:20251110/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3085,976000,1,1,1000,'127.0.0.1:60224',8,0,0,10,0,573,254);
INSERT INTO visits VALUES(5,1,3,1795601492211,0,1,1,0,NULL,0,18,18,18,1518,'/Satoshi:27.0.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,975999,1,-2,1000,'127.0.0.1:39282',8,0,0,10,0,558,254);
INSERT INTO visits VALUES(6,1,2,1795601492211,0,1,1,0,NULL,0,20,20,20,1520,'/Satoshi:29.3.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,976000,1,-2,1000,'127.0.0.1:37728',8,0,0,11,1,590,254);
INSERT INTO visits VALUES(7,1,8,1795601492211,0,1,1,0,NULL,0,20,20,20,1520,'/Satoshi:28.0.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,976000,1,2,1000,'127.0.0.1:36938',8,0,0,10,0,558,254);
INSERT INTO visits VALUES(8,1,1,1795601492211,0,1,1,0,NULL,0,43,43,43,1543,'/Satoshi:28.0.0/',NULL,'version wtxidrelay sendaddrv2 verack sendcmpct feefilter',70016,3081,976000,1,0,100,'127.0.0.1:50796',8,0,0,10,0,558,254);
CREATE TABLE adverts( -- who named whom, once a crawl
  crawl_id INTEGER NOT NULL REFERENCES crawls,
  from_id INTEGER NOT NULL REFERENCES peers,
  peer_id INTEGER NOT NULL REFERENCES peers,
  at_ms INTEGER NOT NULL,
  services INTEGER NOT NULL, -- as claimed by the one who named it
  last_seen_s INTEGER NOT NULL, -- likewise
  PRIMARY KEY(crawl_id, from_id, peer_id)
) STRICT, WITHOUT ROWID;
INSERT INTO adverts VALUES(1,1,1,1795601492254,3081,1795601492);
INSERT INTO adverts VALUES(1,1,2,1795601492254,3081,1795468439);
INSERT INTO adverts VALUES(1,1,3,1795601492254,3081,1795346379);
INSERT INTO adverts VALUES(1,1,4,1795601492254,3081,1795392230);
INSERT INTO adverts VALUES(1,1,5,1795601492254,3081,1795420877);
INSERT INTO adverts VALUES(1,1,6,1795601492254,3085,1795476891);
INSERT INTO adverts VALUES(1,1,7,1795601492254,3085,1795502471);
INSERT INTO adverts VALUES(1,1,8,1795601492254,3081,1795504649);
INSERT INTO adverts VALUES(1,2,1,1795601492231,3081,1795365594);
INSERT INTO adverts VALUES(1,2,2,1795601492231,3081,1795601492);
INSERT INTO adverts VALUES(1,2,3,1795601492231,3081,1795551489);
INSERT INTO adverts VALUES(1,2,4,1795601492231,3081,1795396743);
INSERT INTO adverts VALUES(1,2,5,1795601492231,3081,1795521802);
INSERT INTO adverts VALUES(1,2,6,1795601492231,3085,1795470269);
INSERT INTO adverts VALUES(1,2,7,1795601492231,3085,1795459513);
INSERT INTO adverts VALUES(1,2,8,1795601492231,3081,1795380079);
INSERT INTO adverts VALUES(1,3,1,1795601492229,3081,1795489109);
INSERT INTO adverts VALUES(1,3,2,1795601492229,3081,1795374433);
INSERT INTO adverts VALUES(1,3,3,1795601492229,3081,1795601492);
INSERT INTO adverts VALUES(1,3,4,1795601492229,3081,1795460840);
INSERT INTO adverts VALUES(1,3,5,1795601492229,3081,1795517374);
INSERT INTO adverts VALUES(1,3,6,1795601492229,3085,1795434304);
INSERT INTO adverts VALUES(1,3,7,1795601492229,3085,1795364730);
INSERT INTO adverts VALUES(1,3,8,1795601492229,3081,1795440030);
INSERT INTO adverts VALUES(1,4,1,1795601492225,3081,1795574665);
INSERT INTO adverts VALUES(1,4,2,1795601492225,3081,1795524360);
INSERT INTO adverts VALUES(1,4,3,1795601492225,3081,1795505727);
INSERT INTO adverts VALUES(1,4,4,1795601492225,3081,1795601492);
INSERT INTO adverts VALUES(1,4,5,1795601492225,3081,1795377160);
INSERT INTO adverts VALUES(1,4,6,1795601492225,3085,1795377553);
INSERT INTO adverts VALUES(1,4,7,1795601492225,3085,1795428583);
INSERT INTO adverts VALUES(1,4,8,1795601492225,3081,1795527270);
INSERT INTO adverts VALUES(1,5,1,1795601492221,3081,1795493796);
INSERT INTO adverts VALUES(1,5,2,1795601492221,3081,1795469857);
INSERT INTO adverts VALUES(1,5,3,1795601492221,3081,1795467474);
INSERT INTO adverts VALUES(1,5,4,1795601492221,3081,1795583488);
INSERT INTO adverts VALUES(1,5,5,1795601492221,3081,1795601492);
INSERT INTO adverts VALUES(1,5,6,1795601492221,3085,1795349287);
INSERT INTO adverts VALUES(1,5,7,1795601492221,3085,1795367070);
INSERT INTO adverts VALUES(1,5,8,1795601492221,3081,1795402310);
INSERT INTO adverts VALUES(1,6,1,1795601492227,3081,1795399258);
INSERT INTO adverts VALUES(1,6,2,1795601492227,3081,1795507169);
INSERT INTO adverts VALUES(1,6,3,1795601492227,3081,1795383461);
INSERT INTO adverts VALUES(1,6,4,1795601492227,3081,1795587921);
INSERT INTO adverts VALUES(1,6,5,1795601492227,3081,1795437069);
INSERT INTO adverts VALUES(1,6,6,1795601492227,3085,1795601492);
INSERT INTO adverts VALUES(1,6,7,1795601492227,3085,1795480274);
INSERT INTO adverts VALUES(1,6,8,1795601492227,3081,1795565011);
INSERT INTO adverts VALUES(1,7,1,1795601492221,3081,1795425975);
INSERT INTO adverts VALUES(1,7,2,1795601492221,3081,1795362334);
INSERT INTO adverts VALUES(1,7,3,1795601492221,3081,1795359044);
INSERT INTO adverts VALUES(1,7,4,1795601492221,3081,1795539861);
INSERT INTO adverts VALUES(1,7,5,1795601492221,3081,1795352173);
INSERT INTO adverts VALUES(1,7,6,1795601492221,3085,1795576607);
INSERT INTO adverts VALUES(1,7,7,1795601492221,3085,1795601492);
INSERT INTO adverts VALUES(1,7,8,1795601492221,3081,1795510039);
INSERT INTO adverts VALUES(1,8,1,1795601492231,3081,1795453384);
INSERT INTO adverts VALUES(1,8,2,1795601492231,3081,1795551514);
INSERT INTO adverts VALUES(1,8,3,1795601492231,3081,1795407648);
INSERT INTO adverts VALUES(1,8,4,1795601492231,3081,1795433806);
INSERT INTO adverts VALUES(1,8,5,1795601492231,3081,1795349249);
INSERT INTO adverts VALUES(1,8,6,1795601492231,3085,1795403016);
INSERT INTO adverts VALUES(1,8,7,1795601492231,3085,1795503000);
INSERT INTO adverts VALUES(1,8,8,1795601492231,3081,1795601492);
CREATE VIEW crawls_readable AS SELECT c.id, n.name AS network,
  strftime('%Y-%m-%dT%H:%M:%SZ', c.started_at_ms / 1000, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', c.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  (c.ended_at_ms - c.started_at_ms) / 1000.0 AS seconds, c.complete, c.known,
  c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,
  c.max_rss_bytes, c.settings
  FROM crawls c JOIN networks n ON n.id = c.network_id;
CREATE VIEW peers_readable AS SELECT p.id, n.name AS network, k.name AS kind,
  p.address, p.port, p.node_id, o.name AS outcome, p.agent, p.protocol,
  iif(p.services IS NULL, NULL, printf('0x%x', p.services)) AS services, p.height,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.first_seen_ms / 1000, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_seen_ms / 1000, 'unixepoch') AS last_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_reached_ms / 1000, 'unixepoch') AS last_reached,
  p.connect_ms, p.handshake_ms, p.visits, p.reached_count, p.crawl_id
  FROM peers p JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind
  LEFT JOIN outcomes o ON o.id = p.outcome;
CREATE VIEW visits_readable AS SELECT v.crawl_id, n.name AS network,
  k.name AS kind, p.address, p.port,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.started_at_ms / 1000, 'unixepoch') AS started_at,
  o.name AS outcome, v.rule, v.reached, v.tries, v.stepwise, v.agent, v.protocol,
  iif(v.services IS NULL, NULL, printf('0x%x', v.services)) AS services, v.height,
  v.connect_ms, v.version_ms, v.handshake_ms, v.reply_ms, v.total_ms,
  v.negotiation, v.relay, v.clock_skew_s, v.feefilter, v.sees_us_as, v.adverts,
  v.adverts_new, v.adverts_cut, v.messages_in, v.unknown_in, v.bytes_in, v.bytes_out
  FROM visits v JOIN peers p ON p.id = v.peer_id
  JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind
  JOIN outcomes o ON o.id = v.outcome;
CREATE VIEW adverts_readable AS SELECT a.crawl_id,
  f.address AS from_address, f.port AS from_port, p.address, p.port,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.at_ms / 1000, 'unixepoch') AS at, printf('0x%x', a.services) AS services,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.last_seen_s, 'unixepoch') AS last_seen
  FROM adverts a JOIN peers f ON f.id = a.from_id JOIN peers p ON p.id = a.peer_id;
COMMIT;
