#include "store/sql.h"

#include "store/store.h"

/* The text of a table stays in the file, comments and line breaks included: it is what
 * `sqlite3 FILE .schema` shows. Times are milliseconds since 1970 (_ms) or seconds (_s). */

#define TABLES_LISTS                                           \
	"CREATE TABLE networks(\n"                             \
	"  id INTEGER PRIMARY KEY,\n"                          \
	"  name TEXT NOT NULL UNIQUE\n"                        \
	") STRICT;\n"                                          \
	"CREATE TABLE outcomes( -- how a visit can end\n"      \
	"  id INTEGER PRIMARY KEY,\n"                          \
	"  name TEXT NOT NULL UNIQUE,\n"                       \
	"  text TEXT NOT NULL\n"                               \
	") STRICT;\n"                                          \
	"CREATE TABLE kinds( -- of addresses\n"                \
	"  id INTEGER PRIMARY KEY, -- network id of BIP 155\n" \
	"  name TEXT NOT NULL UNIQUE\n"                        \
	") STRICT;\n"

#define TABLE_CRAWLS                                                                  \
	"CREATE TABLE crawls(\n"                                                      \
	"  id INTEGER PRIMARY KEY,\n"                                                 \
	"  network_id INTEGER NOT NULL REFERENCES networks,\n"                        \
	"  started_at_ms INTEGER NOT NULL,\n"                                         \
	"  ended_at_ms INTEGER, -- NULL while running, or after an interruption\n"    \
	"  complete INTEGER NOT NULL DEFAULT 0, -- nobody was left to ask\n"          \
	"  known INTEGER NOT NULL DEFAULT 0,\n"                                       \
	"  visited INTEGER NOT NULL DEFAULT 0,\n"                                     \
	"  reached INTEGER NOT NULL DEFAULT 0,\n"                                     \
	"  adverts INTEGER NOT NULL DEFAULT 0,\n"                                     \
	"  bytes_in INTEGER NOT NULL DEFAULT 0,\n"                                    \
	"  bytes_out INTEGER NOT NULL DEFAULT 0,\n"                                   \
	"  cpu_seconds REAL NOT NULL DEFAULT 0,\n"                                    \
	"  max_rss_bytes INTEGER NOT NULL DEFAULT 0,\n"                               \
	"  settings TEXT NOT NULL DEFAULT '{}' -- JSON: the options that shaped it\n" \
	") STRICT;\n"

#define TABLE_PEERS                                                                        \
	"CREATE TABLE peers( -- one row an address\n"                                      \
	"  id INTEGER PRIMARY KEY,\n"                                                      \
	"  network_id INTEGER NOT NULL REFERENCES networks,\n"                             \
	"  key BLOB NOT NULL, -- kind, address, port (big-endian)\n"                       \
	"  kind INTEGER NOT NULL REFERENCES kinds,\n"                                      \
	"  address TEXT NOT NULL, -- RFC 5952, without brackets; or a name\n"              \
	"  port INTEGER NOT NULL,\n"                                                       \
	"  node_id TEXT NOT NULL DEFAULT '', -- hex\n"                                     \
	"  crawl_id INTEGER REFERENCES crawls, -- newest that knew it; NULL: only named\n" \
	"  first_seen_ms INTEGER NOT NULL,\n"                                              \
	"  last_seen_ms INTEGER NOT NULL,\n"                                               \
	"  last_reached_ms INTEGER, -- when a handshake was last completed\n"              \
	"  visits INTEGER NOT NULL DEFAULT 0, -- crawls that visited it\n"                 \
	"  reached_count INTEGER NOT NULL DEFAULT 0,\n"                                    \
	"  -- the newest visit:\n"                                                         \
	"  visit_crawl_id INTEGER REFERENCES crawls,\n"                                    \
	"  visit_at_ms INTEGER,\n"                                                         \
	"  outcome INTEGER REFERENCES outcomes,\n"                                         \
	"  reached INTEGER,\n"                                                             \
	"  connect_ms INTEGER,\n"                                                          \
	"  handshake_ms INTEGER,\n"                                                        \
	"  -- the newest visit in which it said who it is:\n"                              \
	"  agent ANY, -- as sent; a BLOB where it is no UTF-8\n"                           \
	"  protocol INTEGER,\n"                                                            \
	"  services INTEGER,\n"                                                            \
	"  height INTEGER, -- -1: not said\n"                                              \
	"  -- what others say of it:\n"                                                    \
	"  claimed_services INTEGER,\n"                                                    \
	"  claimed_seen_s INTEGER,\n"                                                      \
	"  UNIQUE(network_id, key)\n"                                                      \
	") STRICT;\n"

#define TABLE_VISITS                                                                             \
	"CREATE TABLE visits( -- one row for each crawl and peer; NULL: not reached, not said\n" \
	"  id INTEGER PRIMARY KEY,\n"                                                            \
	"  crawl_id INTEGER NOT NULL REFERENCES crawls,\n"                                       \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                                         \
	"  started_at_ms INTEGER NOT NULL,\n"                                                    \
	"  outcome INTEGER NOT NULL REFERENCES outcomes,\n"                                      \
	"  reached INTEGER NOT NULL, -- a handshake was completed\n"                             \
	"  tries INTEGER NOT NULL, -- connection attempts\n"                                     \
	"  stepwise INTEGER NOT NULL, -- shook hands only in the step-by-step order\n"           \
	"  rule TEXT, -- the rule it broke\n"                                                    \
	"  connect_ms INTEGER, -- each time counts from the start of the last attempt\n"         \
	"  version_ms INTEGER,\n"                                                                \
	"  handshake_ms INTEGER,\n"                                                              \
	"  reply_ms INTEGER, -- the first answer with more than one address\n"                   \
	"  total_ms INTEGER,\n"                                                                  \
	"  agent ANY, -- as sent; a BLOB where it is no UTF-8\n"                                 \
	"  node_id TEXT, -- hex\n"                                                               \
	"  negotiation ANY, -- its messages up to the end of the handshake\n"                    \
	"  protocol INTEGER,\n"                                                                  \
	"  services INTEGER,\n"                                                                  \
	"  height INTEGER, -- -1: not said\n"                                                    \
	"  relay INTEGER,\n"                                                                     \
	"  clock_skew_s INTEGER, -- its clock minus ours\n"                                      \
	"  feefilter INTEGER, -- satoshi per 1000 vbytes\n"                                      \
	"  sees_us_as TEXT,\n"                                                                   \
	"  adverts INTEGER NOT NULL, -- addresses named, with repeats\n"                         \
	"  adverts_new INTEGER NOT NULL, -- not known before in this crawl\n"                    \
	"  adverts_cut INTEGER NOT NULL, -- over the cap for one peer\n"                         \
	"  messages_in INTEGER NOT NULL,\n"                                                      \
	"  unknown_in INTEGER NOT NULL,\n"                                                       \
	"  bytes_in INTEGER NOT NULL,\n"                                                         \
	"  bytes_out INTEGER NOT NULL,\n"                                                        \
	"  UNIQUE(crawl_id, peer_id)\n"                                                          \
	") STRICT;\n"

#define TABLE_ADVERTS                                                          \
	"CREATE TABLE adverts( -- who named whom, once a crawl\n"              \
	"  crawl_id INTEGER NOT NULL REFERENCES crawls,\n"                     \
	"  from_id INTEGER NOT NULL REFERENCES peers,\n"                       \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                       \
	"  at_ms INTEGER NOT NULL,\n"                                          \
	"  services INTEGER NOT NULL, -- as claimed by the one who named it\n" \
	"  last_seen_s INTEGER NOT NULL, -- likewise\n"                        \
	"  PRIMARY KEY(crawl_id, from_id, peer_id)\n"                          \
	") STRICT, WITHOUT ROWID;\n"

/* The views are for people: names for numbers, ISO 8601 for times. */
#define VIEW_CRAWLS                                                                              \
	"CREATE VIEW crawls_readable AS SELECT c.id, n.name AS network,\n"                       \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', c.started_at_ms / 1000, 'unixepoch') AS started_at,\n" \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', c.ended_at_ms / 1000, 'unixepoch') AS ended_at,\n"     \
	"  (c.ended_at_ms - c.started_at_ms) / 1000.0 AS seconds, c.complete, c.known,\n"        \
	"  c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,\n"           \
	"  c.max_rss_bytes, c.settings\n"                                                        \
	"  FROM crawls c JOIN networks n ON n.id = c.network_id;\n"

#define VIEW_PEERS                                                                               \
	"CREATE VIEW peers_readable AS SELECT p.id, n.name AS network, k.name AS kind,\n"        \
	"  p.address, p.port, p.node_id, o.name AS outcome, p.agent, p.protocol,\n"              \
	"  iif(p.services IS NULL, NULL, printf('0x%x', p.services)) AS services, p.height,\n"   \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', p.first_seen_ms / 1000, 'unixepoch') AS first_seen,\n" \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_seen_ms / 1000, 'unixepoch') AS last_seen,\n"   \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_reached_ms / 1000, 'unixepoch') AS "            \
	"last_reached,\n"                                                                        \
	"  p.connect_ms, p.handshake_ms, p.visits, p.reached_count, p.crawl_id\n"                \
	"  FROM peers p JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind\n"  \
	"  LEFT JOIN outcomes o ON o.id = p.outcome;\n"

#define VIEW_VISITS                                                                              \
	"CREATE VIEW visits_readable AS SELECT v.crawl_id, n.name AS network,\n"                 \
	"  k.name AS kind, p.address, p.port,\n"                                                 \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', v.started_at_ms / 1000, 'unixepoch') AS started_at,\n" \
	"  o.name AS outcome, v.rule, v.reached, v.tries, v.stepwise, v.agent, v.protocol,\n"    \
	"  iif(v.services IS NULL, NULL, printf('0x%x', v.services)) AS services, v.height,\n"   \
	"  v.connect_ms, v.version_ms, v.handshake_ms, v.reply_ms, v.total_ms,\n"                \
	"  v.negotiation, v.relay, v.clock_skew_s, v.feefilter, v.sees_us_as, v.adverts,\n"      \
	"  v.adverts_new, v.adverts_cut, v.messages_in, v.unknown_in, v.bytes_in, v.bytes_out\n" \
	"  FROM visits v JOIN peers p ON p.id = v.peer_id\n"                                     \
	"  JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind\n"               \
	"  JOIN outcomes o ON o.id = v.outcome;\n"

#define VIEW_ADVERTS                                                                           \
	"CREATE VIEW adverts_readable AS SELECT a.crawl_id,\n"                                 \
	"  f.address AS from_address, f.port AS from_port, p.address, p.port,\n"               \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', a.at_ms / 1000, 'unixepoch') AS at, printf('0x%x', " \
	"a.services) AS services,\n"                                                           \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', a.last_seen_s, 'unixepoch') AS last_seen\n"          \
	"  FROM adverts a JOIN peers f ON f.id = a.from_id JOIN peers p ON p.id = a.peer_id;\n"

/* Step 2: nodes of discovery (Ethereum). Their peers' keys end with the node id, as one
 * address may be that of several keys, and one key may be at several addresses. */
#define PEERS_TCP_PORT \
	"ALTER TABLE peers ADD COLUMN tcp_port INTEGER; -- of a node; port is its UDP port\n"

/* What a node says, in both tables. */
#define NODE_COLUMNS                                                                           \
	"  completeness TEXT, -- of its table: drained, partial, timed_out; NULL: not asked\n" \
	"  findnodes INTEGER, -- questions that took\n"                                        \
	"  entries INTEGER, -- different nodes in its table\n"                                 \
	"  record TEXT, -- enr:...\n"                                                          \
	"  record_seq INTEGER,\n"                                                              \
	"  session TEXT, -- how the TCP session ended; NULL: none was tried\n"                 \
	"  session_rule TEXT, -- the rule it broke there\n"                                    \
	"  capabilities ANY, -- eth/68 snap/1; NULL: no Hello\n"                               \
	"  listen_port INTEGER, -- as its Hello says\n"                                        \
	"  fork_hash BLOB, -- EIP-2124\n"                                                      \
	"  fork_next INTEGER, -- 0: none known\n"                                              \
	"  eth_network INTEGER, -- the network id of its Status\n"                             \
	"  genesis BLOB,\n"                                                                    \
	"  head BLOB -- hash of its newest block\n"

#define TABLE_NODES                                                                    \
	"CREATE TABLE nodes( -- nodes that ever answered: the newest that each said\n" \
	"  peer_id INTEGER PRIMARY KEY REFERENCES peers,\n"                            \
	"  first_reached_ms INTEGER,\n" NODE_COLUMNS ") STRICT;\n"

#define TABLE_NODE_VISITS                                                                         \
	"CREATE TABLE node_visits( -- beside visits, a row for each visit of a node\n"            \
	"  crawl_id INTEGER NOT NULL REFERENCES crawls,\n"                                        \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                                          \
	"  tcp_port INTEGER,\n"                                                                   \
	"  faults TEXT, -- rules it broke without ending the visit, and how often\n" NODE_COLUMNS \
	",  PRIMARY KEY(crawl_id, peer_id)\n"                                                     \
	") STRICT, WITHOUT ROWID;\n"

#define NODE_READABLE                                                                       \
	"  d.completeness, d.findnodes, d.entries, d.session, d.session_rule,\n"            \
	"  d.capabilities, d.listen_port, d.eth_network AS network_id,\n"                   \
	"  iif(d.genesis IS NULL, NULL, '0x' || lower(hex(d.genesis))) AS genesis,\n"       \
	"  iif(d.fork_hash IS NULL, NULL, '0x' || lower(hex(d.fork_hash))) AS fork_hash,\n" \
	"  d.fork_next, iif(d.head IS NULL, NULL, '0x' || lower(hex(d.head))) AS head,\n"   \
	"  d.record_seq, d.record"

#define VIEW_NODES                                                                   \
	"CREATE VIEW nodes_readable AS SELECT p.id, n.name AS network, p.address,\n" \
	"  p.port AS udp_port, p.tcp_port, p.node_id, o.name AS outcome, p.agent,\n" \
	"  p.protocol AS eth_version, p.height,\n" NODE_READABLE ",\n"               \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', d.first_reached_ms / 1000, 'unixepoch')"   \
	" AS first_reached,\n"                                                       \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_reached_ms / 1000, 'unixepoch')"    \
	" AS last_reached,\n"                                                        \
	"  p.visits, p.reached_count, p.crawl_id\n"                                  \
	"  FROM nodes d JOIN peers p ON p.id = d.peer_id\n"                          \
	"  JOIN networks n ON n.id = p.network_id LEFT JOIN outcomes o ON o.id = p.outcome;\n"

#define VIEW_NODE_VISITS                                                                \
	"CREATE VIEW node_visits_readable AS SELECT v.crawl_id, n.name AS network,\n"   \
	"  p.address, p.port AS udp_port, d.tcp_port, p.node_id,\n"                     \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', v.started_at_ms / 1000, 'unixepoch')"         \
	" AS started_at,\n"                                                             \
	"  o.name AS outcome, v.rule, v.reached, v.agent, v.protocol AS eth_version,\n" \
	"  v.height, d.faults,\n" NODE_READABLE ",\n"                                   \
	"  v.connect_ms, v.handshake_ms, v.reply_ms, v.total_ms, v.adverts\n"           \
	"  FROM node_visits d JOIN visits v ON v.crawl_id = d.crawl_id\n"               \
	"  AND v.peer_id = d.peer_id JOIN peers p ON p.id = d.peer_id\n"                \
	"  JOIN networks n ON n.id = p.network_id JOIN outcomes o ON o.id = v.outcome;\n"

/* Step 3: what standing peers know. */
#define TABLE_BOOKS                                                                       \
	"CREATE TABLE books( -- of a node on each network, and of each group of gossip\n" \
	"  id INTEGER PRIMARY KEY,\n"                                                     \
	"  name TEXT NOT NULL UNIQUE -- bitcoin, gossip/GROUP, ethereum\n"                \
	") STRICT;\n"                                                                     \
	"CREATE TABLE book( -- the addresses that a node knows; NULL: never\n"            \
	"  book_id INTEGER NOT NULL REFERENCES books,\n"                                  \
	"  key BLOB NOT NULL, -- as peers.key\n"                                          \
	"  kind INTEGER NOT NULL REFERENCES kinds,\n"                                     \
	"  address TEXT NOT NULL,\n"                                                      \
	"  port INTEGER NOT NULL,\n"                                                      \
	"  node_id TEXT NOT NULL DEFAULT '', -- hex\n"                                    \
	"  tcp_port INTEGER, -- of a node of Ethereum; port is its UDP port\n"            \
	"  source BLOB, -- who named it first, as a key; NULL: not kept\n"                \
	"  tried INTEGER NOT NULL, -- reached by ourselves, else hearsay\n"               \
	"  services INTEGER NOT NULL,\n"                                                  \
	"  named_s INTEGER, -- last named, as it was claimed\n"                           \
	"  asked_s INTEGER, -- our last attempt to reach it\n"                            \
	"  good_s INTEGER, -- when we reached it last\n"                                  \
	"  failures INTEGER NOT NULL, -- since then\n"                                    \
	"  PRIMARY KEY(book_id, key)\n"                                                   \
	") STRICT, WITHOUT ROWID;\n"                                                      \
	"CREATE TABLE book_values( -- what else a node keeps\n"                           \
	"  book_id INTEGER NOT NULL REFERENCES books,\n"                                  \
	"  name TEXT NOT NULL,\n"                                                         \
	"  value BLOB NOT NULL,\n"                                                        \
	"  PRIMARY KEY(book_id, name)\n"                                                  \
	") STRICT, WITHOUT ROWID;\n"

#define VIEW_BOOK                                                                          \
	"CREATE VIEW book_readable AS SELECT b.name AS book, k.name AS kind, r.address,\n" \
	"  r.port, r.tcp_port, r.node_id, r.tried,\n"                                      \
	"  printf('0x%x', r.services) AS services,\n"                                      \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', r.named_s, 'unixepoch') AS named,\n"             \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', r.asked_s, 'unixepoch') AS asked,\n"             \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', r.good_s, 'unixepoch') AS reached, r.failures\n" \
	"  FROM book r JOIN books b ON b.id = r.book_id JOIN kinds k ON k.id = r.kind;\n"

/* Step 4: peers that are watched. */
#define CRAWLS_WATCHING                                                                          \
	"ALTER TABLE crawls ADD COLUMN every_ms INTEGER; -- of a round of watching; NULL: a "    \
	"crawl by itself\n"                                                                      \
	"ALTER TABLE crawls ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0; -- 1: some of its "    \
	"visits are sums in daily, 2: all\n"                                                     \
	"DROP VIEW crawls_readable;\n"                                                           \
	"CREATE VIEW crawls_readable AS SELECT c.id, n.name AS network,\n"                       \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', c.started_at_ms / 1000, 'unixepoch') AS started_at,\n" \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', c.ended_at_ms / 1000, 'unixepoch') AS ended_at,\n"     \
	"  (c.ended_at_ms - c.started_at_ms) / 1000.0 AS seconds, c.complete, c.known,\n"        \
	"  c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,\n"           \
	"  c.max_rss_bytes, c.settings, c.every_ms / 1000.0 AS every_seconds, c.pruned\n"        \
	"  FROM crawls c JOIN networks n ON n.id = c.network_id;\n"

/* One key may be found at several addresses: they are looked up by 8 bytes of it, which a row gets
 * once, with its first visit. */
#define NODES_KEY_START                                                                            \
	"ALTER TABLE nodes ADD COLUMN key_start TEXT; -- the first 16 hex digits of its key\n"     \
	"UPDATE nodes SET key_start = (SELECT substr(p.node_id, 1, 16) FROM peers p WHERE p.id = " \
	"peer_id);\n"                                                                              \
	"CREATE INDEX nodes_by_key ON nodes(key_start);\n"

#define TABLE_WATCH                                                                               \
	"CREATE TABLE watch( -- peers that are visited again and again\n"                         \
	"  peer_id INTEGER PRIMARY KEY REFERENCES peers,\n"                                       \
	"  due_ms INTEGER NOT NULL, -- next visit\n"                                              \
	"  misses INTEGER NOT NULL, -- since it was last reached\n"                               \
	"  first_ms INTEGER NOT NULL, -- first visit, moved by the time in which nobody looked\n" \
	"  visited_ms INTEGER NOT NULL, -- newest visit\n"                                        \
	"  before_ms INTEGER NOT NULL, -- where the time began that it counted for\n"             \
	"  up_since_ms INTEGER, -- NULL: down\n"                                                  \
	"  up_until_ms INTEGER, -- newest visit that reached it\n"                                \
	"  -- share of the time in which it was up: 0 .. 1; NULL before the second visit\n"       \
	"  up_2h REAL,\n"                                                                         \
	"  up_8h REAL,\n"                                                                         \
	"  up_1d REAL,\n"                                                                         \
	"  up_7d REAL,\n"                                                                         \
	"  up_30d REAL\n"                                                                         \
	") STRICT;\n"                                                                             \
	"CREATE TABLE sessions( -- times of being up that are over\n"                             \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                                          \
	"  from_ms INTEGER NOT NULL, -- first visit that reached it\n"                            \
	"  to_ms INTEGER NOT NULL, -- last one\n"                                                 \
	"  PRIMARY KEY(peer_id, from_ms)\n"                                                       \
	") STRICT, WITHOUT ROWID;\n"                                                              \
	"CREATE TABLE changes( -- what a watched peer said otherwise than before\n"               \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                                          \
	"  at_ms INTEGER NOT NULL,\n"                                                             \
	"  what TEXT NOT NULL, -- agent, protocol, services, address, record, fork\n"             \
	"  was ANY, -- a BLOB where it is no UTF-8\n"                                             \
	"  now ANY,\n"                                                                            \
	"  PRIMARY KEY(peer_id, at_ms, what)\n"                                                   \
	") STRICT, WITHOUT ROWID;\n"                                                              \
	"CREATE TABLE daily( -- visits that were pruned, by day, of peers that were ever "        \
	"reached\n"                                                                               \
	"  peer_id INTEGER NOT NULL REFERENCES peers,\n"                                          \
	"  day INTEGER NOT NULL, -- since 1970, UTC\n"                                            \
	"  visits INTEGER NOT NULL,\n"                                                            \
	"  reached INTEGER NOT NULL,\n"                                                           \
	"  PRIMARY KEY(peer_id, day)\n"                                                           \
	") STRICT, WITHOUT ROWID;\n"                                                              \
	"CREATE TABLE reports( -- of crawls that have ended\n"                                    \
	"  crawl_id INTEGER PRIMARY KEY REFERENCES crawls,\n"                                     \
	"  version INTEGER NOT NULL, -- of the form\n"                                            \
	"  report TEXT NOT NULL -- JSON\n"                                                        \
	") STRICT;\n"

#define VIEWS_WATCH                                                                                \
	"CREATE VIEW watch_readable AS SELECT p.id, n.name AS network, k.name AS kind,\n"          \
	"  p.address, p.port, p.node_id, o.name AS outcome, p.agent, w.misses,\n"                  \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', w.due_ms / 1000, 'unixepoch') AS due,\n"                 \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', w.first_ms / 1000, 'unixepoch') AS first,\n"             \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', w.visited_ms / 1000, 'unixepoch') AS visited,\n"         \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', w.up_since_ms / 1000, 'unixepoch') AS up_since,\n"       \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', w.up_until_ms / 1000, 'unixepoch') AS up_until,\n"       \
	"  round(100 * w.up_2h, 1) AS up_2h_percent, round(100 * w.up_8h, 1) AS up_8h_percent,\n"  \
	"  round(100 * w.up_1d, 1) AS up_1d_percent, round(100 * w.up_7d, 1) AS up_7d_percent,\n"  \
	"  round(100 * w.up_30d, 1) AS up_30d_percent\n"                                           \
	"  FROM watch w JOIN peers p ON p.id = w.peer_id JOIN networks n ON n.id = p.network_id\n" \
	"  JOIN kinds k ON k.id = p.kind LEFT JOIN outcomes o ON o.id = p.outcome;\n"              \
	"CREATE VIEW sessions_readable AS SELECT p.id, n.name AS network, p.address, p.port, "     \
	"p.node_id,\n"                                                                             \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', s.from_ms / 1000, 'unixepoch') AS began,\n"              \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', s.to_ms / 1000, 'unixepoch') AS last_reached,\n"         \
	"  (s.to_ms - s.from_ms) / 1000.0 AS seconds, s.goes_on\n"                                 \
	"  FROM (SELECT peer_id, from_ms, to_ms, 0 AS goes_on FROM sessions\n"                     \
	"  UNION ALL SELECT peer_id, up_since_ms, up_until_ms, 1 FROM watch\n"                     \
	"  WHERE up_since_ms IS NOT NULL) s\n"                                                     \
	"  JOIN peers p ON p.id = s.peer_id JOIN networks n ON n.id = p.network_id;\n"             \
	"CREATE VIEW changes_readable AS SELECT p.id, n.name AS network, p.address, p.port, "      \
	"p.node_id,\n"                                                                             \
	"  strftime('%Y-%m-%dT%H:%M:%SZ', c.at_ms / 1000, 'unixepoch') AS at, c.what, c.was, "     \
	"c.now\n"                                                                                  \
	"  FROM changes c JOIN peers p ON p.id = c.peer_id JOIN networks n ON n.id = "             \
	"p.network_id;\n"

const char *const sql_steps[STORE_SCHEMA] = {
	TABLES_LISTS TABLE_CRAWLS TABLE_PEERS TABLE_VISITS TABLE_ADVERTS VIEW_CRAWLS VIEW_PEERS
		VIEW_VISITS VIEW_ADVERTS,
	PEERS_TCP_PORT TABLE_NODES TABLE_NODE_VISITS VIEW_NODES VIEW_NODE_VISITS,
	TABLE_BOOKS VIEW_BOOK,
	CRAWLS_WATCHING NODES_KEY_START TABLE_WATCH VIEWS_WATCH,
};
