#include "store/sql.h"

#include "store/store.h"

/* Times are milliseconds since 1970 (_ms) or seconds (_s). The views are for people:
 * names for numbers, ISO 8601 for times. */
#define SQL_TIME(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column " / 1000, 'unixepoch')"

static const char step_tables[] =
	"CREATE TABLE networks("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE"
	") STRICT;"
	/* The program's own lists, for joins by hand. */
	"CREATE TABLE outcomes("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" text TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE kinds("
	" id INTEGER PRIMARY KEY," /* BIP 155's network ids */
	" name TEXT NOT NULL UNIQUE"
	") STRICT;"
	"CREATE TABLE crawls("
	" id INTEGER PRIMARY KEY,"
	" network_id INTEGER NOT NULL REFERENCES networks,"
	" started_at_ms INTEGER NOT NULL,"
	" ended_at_ms INTEGER,"                 /* NULL while running, or after an interruption */
	" complete INTEGER NOT NULL DEFAULT 0," /* nobody was left to ask */
	" known INTEGER NOT NULL DEFAULT 0,"
	" visited INTEGER NOT NULL DEFAULT 0,"
	" reached INTEGER NOT NULL DEFAULT 0,"
	" adverts INTEGER NOT NULL DEFAULT 0,"
	" bytes_in INTEGER NOT NULL DEFAULT 0,"
	" bytes_out INTEGER NOT NULL DEFAULT 0,"
	" cpu_seconds REAL NOT NULL DEFAULT 0,"
	" max_rss_bytes INTEGER NOT NULL DEFAULT 0,"
	" settings TEXT NOT NULL DEFAULT '{}'" /* JSON */
	") STRICT;"
	/* One row an address. agent is TEXT, or a BLOB where it is no UTF-8. */
	"CREATE TABLE peers("
	" id INTEGER PRIMARY KEY,"
	" network_id INTEGER NOT NULL REFERENCES networks,"
	" key BLOB NOT NULL," /* kind, address, port (big-endian) */
	" kind INTEGER NOT NULL REFERENCES kinds,"
	" address TEXT NOT NULL," /* RFC 5952, no brackets; ....onion; ....b32.i2p */
	" port INTEGER NOT NULL,"
	" node_id TEXT NOT NULL DEFAULT '',"   /* hex */
	" crawl_id INTEGER REFERENCES crawls," /* the newest crawl that knew it */
	" first_seen_ms INTEGER NOT NULL,"
	" last_seen_ms INTEGER NOT NULL,"
	" last_reached_ms INTEGER,"           /* when a handshake was last completed */
	" visits INTEGER NOT NULL DEFAULT 0," /* crawls that visited it */
	" reached_count INTEGER NOT NULL DEFAULT 0,"
	/* The newest visit. */
	" visit_crawl_id INTEGER REFERENCES crawls,"
	" visit_at_ms INTEGER,"
	" outcome INTEGER REFERENCES outcomes,"
	" reached INTEGER,"
	" connect_ms INTEGER,"
	" handshake_ms INTEGER,"
	/* The newest visit in which the peer said who it is. */
	" agent ANY,"
	" protocol INTEGER,"
	" services INTEGER,"
	" height INTEGER,"
	/* What others say of it. */
	" claimed_services INTEGER,"
	" claimed_seen_s INTEGER,"
	" UNIQUE(network_id, key)"
	") STRICT;"
	/* One row for each (crawl, peer); NULL: not reached, not said. */
	"CREATE TABLE visits("
	" id INTEGER PRIMARY KEY,"
	" crawl_id INTEGER NOT NULL REFERENCES crawls,"
	" peer_id INTEGER NOT NULL REFERENCES peers,"
	" started_at_ms INTEGER NOT NULL,"
	" outcome INTEGER NOT NULL REFERENCES outcomes,"
	" reached INTEGER NOT NULL,"
	" tries INTEGER NOT NULL,"
	" stepwise INTEGER NOT NULL,"
	" rule TEXT," /* the rule the peer broke */
	" connect_ms INTEGER,"
	" version_ms INTEGER,"
	" handshake_ms INTEGER,"
	" reply_ms INTEGER,"
	" total_ms INTEGER,"
	" agent ANY,"
	" node_id TEXT," /* hex */
	" negotiation ANY,"
	" protocol INTEGER,"
	" services INTEGER,"
	" height INTEGER,"
	" relay INTEGER,"
	" clock_skew_s INTEGER,"
	" feefilter INTEGER,"
	" sees_us_as TEXT,"
	" adverts INTEGER NOT NULL,"
	" adverts_new INTEGER NOT NULL,"
	" adverts_cut INTEGER NOT NULL,"
	" messages_in INTEGER NOT NULL,"
	" unknown_in INTEGER NOT NULL,"
	" bytes_in INTEGER NOT NULL,"
	" bytes_out INTEGER NOT NULL,"
	" UNIQUE(crawl_id, peer_id)"
	") STRICT;"
	/* Who named whom, once a crawl. */
	"CREATE TABLE adverts("
	" crawl_id INTEGER NOT NULL REFERENCES crawls,"
	" from_id INTEGER NOT NULL REFERENCES peers,"
	" peer_id INTEGER NOT NULL REFERENCES peers,"
	" at_ms INTEGER NOT NULL,"
	" services INTEGER NOT NULL," /* as claimed by the namer */
	" last_seen_s INTEGER NOT NULL,"
	" PRIMARY KEY(crawl_id, from_id, peer_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE VIEW crawls_readable AS SELECT c.id, n.name AS network,"
	" " SQL_TIME(
		"c.started_at_ms") " AS started_at,"
				   " " SQL_TIME(
					   "c.ended_at_ms") " AS ended_at,"
							    " (c.ended_at_ms - c.started_at_ms) / "
							    "1000.0 AS seconds,"
							    " c.complete, c.known, c.visited, "
							    "c.reached, c.adverts, c.bytes_in, "
							    "c.bytes_out,"
							    " c.cpu_seconds, c.max_rss_bytes, "
							    "c.settings"
							    " FROM crawls c JOIN networks n ON "
							    "n.id = c.network_id;"
							    "CREATE VIEW peers_readable AS SELECT "
							    "p.id, n.name AS network, k.name AS "
							    "kind,"
							    " p.address, p.port, p.node_id, o.name "
							    "AS outcome, p.agent, p.protocol,"
							    " printf('0x%x', p.services) AS "
							    "services, p.height,"
							    " " SQL_TIME(
								    "p.first_seen_ms") " AS "
										       "first_seen,"
										       " " SQL_TIME(
											       "p."
											       "las"
											       "t_"
											       "see"
											       "n_"
											       "ms") " AS last_seen,"
												     " " SQL_TIME(
													     "p.last_reached_ms") " AS last_reached,"
																  " p.connect_ms, p.handshake_ms, p.visits, p.reached_count, p.crawl_id"
																  " FROM peers p JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind"
																  " LEFT JOIN outcomes o ON o.id = p.outcome;"
																  "CREATE VIEW visits_readable AS SELECT v.crawl_id, n.name AS network, k.name AS kind,"
																  " p.address, p.port, " SQL_TIME(
																	  "v.started_at_ms") " AS started_at,"
																			     " o.name AS outcome, v.rule, v.reached, v.tries, v.stepwise, v.agent, v.protocol,"
																			     " printf('0x%x', v.services) AS services, v.height, v.connect_ms, v.version_ms,"
																			     " v.handshake_ms, v.reply_ms, v.total_ms, v.negotiation, v.relay, v.clock_skew_s,"
																			     " v.feefilter, v.sees_us_as, v.adverts, v.adverts_new, v.adverts_cut, v.messages_in,"
																			     " v.unknown_in, v.bytes_in, v.bytes_out"
																			     " FROM visits v JOIN peers p ON p.id = v.peer_id JOIN networks n ON n.id = p.network_id"
																			     " JOIN kinds k ON k.id = p.kind JOIN outcomes o ON o.id = v.outcome;"
																			     "CREATE VIEW adverts_readable AS SELECT a.crawl_id,"
																			     " f.address AS from_address, f.port AS from_port, p.address, p.port,"
																			     " " SQL_TIME(
																				     "a.at_ms") " AS at, printf('0x%x', a.services) AS services,"
																						" strftime('%Y-%m-%dT%H:%M:%SZ', a.last_seen_s, 'unixepoch') AS last_seen"
																						" FROM adverts a JOIN peers f ON f.id = a.from_id JOIN peers p ON p.id = a.peer_id;";

const char *const sql_steps[STORE_SCHEMA] = {
	step_tables,
};

#define CRAWL_COLUMNS                                                                          \
	"SELECT c.id, n.name, c.started_at_ms, ifnull(c.ended_at_ms, 0), c.complete, c.known," \
	" c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,"            \
	" c.max_rss_bytes, c.settings FROM crawls c JOIN networks n ON n.id = c.network_id "

/* What SQL_PEER_VISITED changes, whether or not the peer said who it is. A late retry
 * in the same crawl replaces what the first try had added. */
#define PEER_VISITED                                                                           \
	"UPDATE peers SET crawl_id = ?2,"                                                      \
	" visits = visits + (visit_crawl_id IS NOT ?2),"                                       \
	" reached_count = reached_count + ?5 - (visit_crawl_id IS ?2 AND reached),"            \
	" last_seen_ms = iif(?5, max(last_seen_ms, ?3), last_seen_ms),"                        \
	" last_reached_ms = iif(?5, max(ifnull(last_reached_ms, 0), ?8), last_reached_ms),"    \
	" visit_crawl_id = ?2, visit_at_ms = ?3, outcome = ?4, reached = ?5, connect_ms = ?6," \
	" handshake_ms = ?7"

/* ?1: crawl, ?2: network name, ?3: outcome, ?4: kind; NULL: any. */
#define PEER_FILTER                                                                     \
	" AND (?2 IS NULL OR p.network_id = (SELECT id FROM networks WHERE name = ?2))" \
	" AND (?4 IS NULL OR p.kind = ?4)"

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_OUTCOME_ADD] = "INSERT INTO outcomes VALUES(?1, ?2, ?3) ON CONFLICT(id)"
			    " DO UPDATE SET name = ?2, text = ?3 WHERE name <> ?2 OR text <> ?3",
	[SQL_KIND_ADD] = "INSERT INTO kinds VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING",
	[SQL_NETWORK_FIND] = "SELECT id FROM networks WHERE name = ?1",
	[SQL_NETWORK_NAME] = "SELECT name FROM networks WHERE id = ?1",
	[SQL_NETWORK_ADD] = "INSERT INTO networks(name) VALUES(?1)",
	[SQL_CRAWL_ADD] = "INSERT INTO crawls(network_id, started_at_ms, settings)"
			  " VALUES(?1, ?2, ?3)",
	[SQL_CRAWL_END] =
		"UPDATE crawls SET ended_at_ms = nullif(?2, 0), complete = ?3, known = ?4,"
		" visited = ?5, reached = ?6, adverts = ?7, bytes_in = ?8, bytes_out = ?9,"
		" cpu_seconds = ?10, max_rss_bytes = ?11 WHERE id = ?1",
	[SQL_CRAWL_BY_ID] = CRAWL_COLUMNS "WHERE c.id = ?1 AND ifnull(n.name = ?2, 1)",
	[SQL_CRAWL_NEWEST] =
		CRAWL_COLUMNS "WHERE ifnull(n.name = ?2, 1) ORDER BY c.id DESC LIMIT 1",
	[SQL_CRAWL_LIST] = CRAWL_COLUMNS "WHERE ifnull(n.name = ?2, 1) ORDER BY c.id",
	[SQL_PEER_KNOWN] =
		"INSERT INTO peers(network_id, key, kind, address, port, node_id, crawl_id,"
		" first_seen_ms, last_seen_ms, claimed_services, claimed_seen_s)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)"
		" ON CONFLICT(network_id, key) DO UPDATE SET crawl_id = ?7,"
		" first_seen_ms = min(first_seen_ms, ?8),"
		" last_seen_ms = max(last_seen_ms, ?8),"
		" claimed_services = ifnull(?9, claimed_services),"
		" claimed_seen_s = ifnull(?10, claimed_seen_s)",
	[SQL_PEER_FIND] = "SELECT id FROM peers WHERE network_id = ?1 AND key = ?2",
	[SQL_PEER_ADD] = "INSERT INTO peers(network_id, key, kind, address, port, node_id,"
			 " first_seen_ms, last_seen_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
	[SQL_PEER_VISITED] = PEER_VISITED " WHERE id = ?1",
	[SQL_PEER_VISITED_HEARD] =
		PEER_VISITED ", agent = ?9, protocol = ?10, services = ?11, height = ?12"
			     " WHERE id = ?1",
	[SQL_VISIT_PUT] =
		"INSERT OR REPLACE INTO visits(crawl_id, peer_id, started_at_ms, outcome,"
		" reached, tries, stepwise, rule, connect_ms, version_ms, handshake_ms,"
		" reply_ms, total_ms, agent, node_id, negotiation, protocol, services,"
		" height, relay, clock_skew_s, feefilter, sees_us_as, adverts, adverts_new,"
		" adverts_cut, messages_in, unknown_in, bytes_in, bytes_out)"
		" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_ADVERT_PUT] = "INSERT OR REPLACE INTO adverts VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_RESUME] = "SELECT p.key, v.outcome, v.reached, v.tries FROM peers p"
		       " LEFT JOIN visits v ON v.crawl_id = ?1 AND v.peer_id = p.id"
		       " WHERE p.crawl_id = ?1 ORDER BY p.id",
	/* crawl_id NULL: named in an advert, but never taken for a peer. */
	[SQL_PEERS] = "SELECT p.network_id, p.key, p.address, p.node_id, p.outcome, p.reached,"
		      " p.connect_ms, p.handshake_ms, p.agent, p.protocol, p.services, p.height,"
		      " p.first_seen_ms, p.last_seen_ms, p.last_reached_ms, p.visits,"
		      " p.reached_count, p.claimed_services, p.claimed_seen_s"
		      " FROM peers p WHERE p.crawl_id IS NOT NULL AND ?1 IS NULL"
		      " AND (?3 IS NULL OR p.outcome = ?3)" PEER_FILTER " ORDER BY p.id",
	[SQL_PEERS_OF_CRAWL] =
		"SELECT p.network_id, p.key, p.address, p.node_id, v.outcome, v.reached,"
		" v.connect_ms, v.handshake_ms, v.agent, v.protocol, v.services, v.height,"
		" p.first_seen_ms, p.last_seen_ms, p.last_reached_ms, p.visits,"
		" p.reached_count, p.claimed_services, p.claimed_seen_s"
		" FROM peers p LEFT JOIN visits v ON v.crawl_id = ?1 AND v.peer_id = p.id"
		" WHERE (v.id IS NOT NULL OR p.crawl_id = ?1)"
		" AND (?3 IS NULL OR v.outcome = ?3)" PEER_FILTER " ORDER BY p.id",
	[SQL_VISITS] =
		"SELECT p.network_id, p.key, v.crawl_id, v.started_at_ms, v.outcome,"
		" v.reached, v.tries, v.stepwise, v.rule, v.connect_ms, v.version_ms,"
		" v.handshake_ms, v.reply_ms, v.total_ms, v.agent, v.node_id,"
		" v.negotiation, v.protocol, v.services, v.height, v.relay,"
		" v.clock_skew_s, v.feefilter, v.sees_us_as, v.adverts, v.adverts_new,"
		" v.adverts_cut, v.messages_in, v.unknown_in, v.bytes_in, v.bytes_out"
		" FROM visits v JOIN peers p ON p.id = v.peer_id"
		" WHERE v.crawl_id BETWEEN ifnull(?1, 0) AND ifnull(?1, 9223372036854775807)"
		" AND (?3 IS NULL OR v.outcome = ?3)" PEER_FILTER " ORDER BY v.crawl_id, v.peer_id",
	[SQL_ADVERTS] = "SELECT p.network_id, f.key, p.key, a.crawl_id, a.at_ms, a.services,"
			" a.last_seen_s FROM adverts a JOIN peers f ON f.id = a.from_id"
			" JOIN peers p ON p.id = a.peer_id WHERE a.crawl_id BETWEEN ifnull(?1, 0)"
			" AND ifnull(?1, 9223372036854775807)"
			" AND (?3 IS NULL OR p.outcome = ?3)" PEER_FILTER
			" ORDER BY a.crawl_id, a.from_id, a.peer_id",
};

const char *sql_text(enum sql sql)
{
	return texts[sql];
}
