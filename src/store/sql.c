#include "store/sql.h"

#define CRAWL_COLUMNS                                                                          \
	"SELECT c.id, n.name, c.started_at_ms, ifnull(c.ended_at_ms, 0), c.complete, c.known," \
	" c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,"            \
	" c.max_rss_bytes, c.settings, c.every_ms, c.pruned FROM crawls c"                     \
	" JOIN networks n ON n.id = c.network_id "

/* What a batch learns of peers and of their visits (put_columns.c). All columns in their order, as
 * then nothing has to be moved. ?1: crawl, ?2: network. */
#define PEERS_INTO                                                                              \
	"INSERT INTO peers(id, network_id, key, kind, address, port, node_id, crawl_id,"        \
	" first_seen_ms, last_seen_ms, last_reached_ms, visits, reached_count, visit_crawl_id," \
	" visit_at_ms, outcome, reached, connect_ms, handshake_ms, agent, protocol, services,"  \
	" height, claimed_services, claimed_seen_s, tcp_port) "
#define PEERS_OF_BATCH                                                                      \
	"SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16," \
	" c17, c18, c19, c20, c21, c22, c23, c24, c25 FROM batch WHERE true"
/* A row that is there is told from others by its number. */
#define PEERS_KNOWN                                                                \
	" ON CONFLICT(id) DO UPDATE SET crawl_id = excluded.crawl_id,"             \
	" first_seen_ms = min(first_seen_ms, excluded.first_seen_ms),"             \
	" last_seen_ms = max(last_seen_ms, excluded.last_seen_ms),"                \
	" claimed_services = ifnull(excluded.claimed_services, claimed_services)," \
	" claimed_seen_s = ifnull(excluded.claimed_seen_s, claimed_seen_s)"
/* A late retry in the same crawl replaces what the first try had added. */
#define PEERS_VISITED                                                                    \
	", visits = visits + (visit_crawl_id IS NOT excluded.visit_crawl_id),"           \
	" reached_count = reached_count + excluded.reached"                              \
	" - (visit_crawl_id IS excluded.visit_crawl_id AND reached),"                    \
	" visit_crawl_id = excluded.visit_crawl_id, visit_at_ms = excluded.visit_at_ms," \
	" outcome = excluded.outcome, reached = excluded.reached,"                       \
	" connect_ms = excluded.connect_ms, handshake_ms = excluded.handshake_ms"
#define VISITS_INTO                                                                \
	"INSERT OR REPLACE INTO visits(id, crawl_id, peer_id, started_at_ms,"      \
	" outcome, reached, tries, stepwise, rule, connect_ms, version_ms,"        \
	" handshake_ms, reply_ms, total_ms, agent, node_id, negotiation,"          \
	" protocol, services, height, relay, clock_skew_s, feefilter, sees_us_as," \
	" adverts, adverts_new, adverts_cut, messages_in, unknown_in, bytes_in,"   \
	" bytes_out) SELECT "

/* ?1: crawl, ?2: network name, ?3: outcome, ?4: kind, ?5: fork hashes; NULL: any. d is the
 * table with the node's fork. */
#define FORK_FILTER                                   \
	" AND (?5 IS NULL OR d.fork_hash IS NOT NULL" \
	" AND instr(?5, ',' || hex(d.fork_hash)) > 0)"
#define PEER_FILTER                                                                     \
	" AND (?2 IS NULL OR p.network_id = (SELECT id FROM networks WHERE name = ?2))" \
	" AND (?4 IS NULL OR p.kind = ?4)" FORK_FILTER

#define ADVERTS_FROM                                                                        \
	" FROM adverts a JOIN peers f ON f.id = a.from_id JOIN peers p ON p.id = a.peer_id" \
	" LEFT JOIN nodes d ON d.peer_id = p.id WHERE a.crawl_id BETWEEN ifnull(?1, 0)"     \
	" AND ifnull(?1, 9223372036854775807) AND (?3 IS NULL OR p.outcome = ?3)" PEER_FILTER

/* What node_read reads, in its order; the first is NULL where there is no row. */
#define NODE_COLUMNS                                                   \
	"d.peer_id, d.completeness, d.findnodes, d.entries, d.record," \
	" d.record_seq, d.session, d.session_rule, d.capabilities,"    \
	" d.listen_port, d.fork_hash, d.fork_next, d.eth_network, d.genesis, d.head"

/* What row_peer reads, without that of one crawl. crawl_id NULL: named in an advert, but never
 * taken for a peer. */
#define PEER_COLUMNS                                                                \
	"SELECT p.network_id, p.key, p.address, p.node_id, p.outcome, p.reached,"   \
	" p.connect_ms, p.handshake_ms, p.agent, p.protocol, p.services, p.height," \
	" p.first_seen_ms, p.last_seen_ms, p.last_reached_ms, p.visits,"            \
	" p.reached_count, p.claimed_services, p.claimed_seen_s, p.visit_at_ms,"    \
	" p.tcp_port, NULL, " NODE_COLUMNS ", d.first_reached_ms, p.crawl_id"
#define PEER_FROM " FROM peers p LEFT JOIN nodes d ON d.peer_id = p.id"

/* What row_visit reads. */
#define VISIT_COLUMNS                                                           \
	"SELECT p.network_id, p.key, v.crawl_id, v.started_at_ms, v.outcome,"   \
	" v.reached, v.tries, v.stepwise, v.rule, v.connect_ms, v.version_ms,"  \
	" v.handshake_ms, v.reply_ms, v.total_ms, v.agent, v.node_id,"          \
	" v.negotiation, v.protocol, v.services, v.height, v.relay,"            \
	" v.clock_skew_s, v.feefilter, v.sees_us_as, v.adverts, v.adverts_new," \
	" v.adverts_cut, v.messages_in, v.unknown_in, v.bytes_in, v.bytes_out," \
	" d.tcp_port, d.faults, " NODE_COLUMNS ", p.tcp_port"
#define VISIT_NODE " LEFT JOIN node_visits d ON d.crawl_id = v.crawl_id AND d.peer_id = v.peer_id"

/* What read_schedule reads; the first is NULL where there is no row. */
#define SCHEDULE_COLUMNS                                                            \
	"w.due_ms, w.misses, w.first_ms, w.visited_ms, w.before_ms, w.up_since_ms," \
	" w.up_until_ms, w.up_2h, w.up_8h, w.up_1d, w.up_7d, w.up_30d"
#define WATCH_OF_PEER " LEFT JOIN watch w ON w.peer_id = p.id"

/* ?1 and ?2: crawls. Of a peer's visit v in one of them, with d of a node: what side_read reads. */
#define CHANGES_SIDE(v, d)                                                                \
	", " v ".outcome, " v ".reached, " v ".protocol, " v ".agent, " v ".services, " d \
	".record_seq, " d ".fork_hash"
/* Whether a peer that came is back: whether a crawl before ?2 reached it. Of those the newest is
 * the likeliest. */
#define BEFORE(crawl)                                                                 \
	"FROM crawls c CROSS JOIN visits v ON v.crawl_id = c.id AND v.peer_id = p.id" \
	" WHERE c.id < " crawl " AND c.network_id = p.network_id AND v.reached"       \
	" ORDER BY c.id DESC LIMIT 1"
#define CHANGES_BACK                                                 \
	", b.reached AND a.reached IS NOT 1 AND p.reached_count > 1" \
	" AND (SELECT 1 " BEFORE("?2") ") IS NOT NULL"
/* As change_row reads it: a peer with its visits a and b, of which `one` is there. In
 * the order of one's index, so that nothing has to be sorted or kept. */
#define CHANGES_FROM(one, other, crawl)                                                       \
	"SELECT " one                                                                         \
	".peer_id, p.key, ifnull(db.tcp_port, ifnull(da.tcp_port, p.tcp_port))" CHANGES_SIDE( \
		"a", "da") CHANGES_SIDE("b", "db") CHANGES_BACK                               \
		" FROM visits " one " JOIN peers p ON p.id = " one ".peer_id"                 \
		" LEFT JOIN visits " other " ON " other ".crawl_id = " crawl " AND " other    \
		".peer_id = " one ".peer_id"                                                  \
		" LEFT JOIN node_visits da ON da.crawl_id = ?1 AND da.peer_id = p.id"         \
		" LEFT JOIN node_visits db ON db.crawl_id = ?2 AND db.peer_id = p.id"

#define CHANGES_OF_A " WHERE a.crawl_id = ?1 AND a.reached"
#define CHANGES_OF_B " WHERE b.crawl_id = ?2 AND b.reached AND a.reached IS NOT 1"

/* Peers in steps: ?1 < id <= ?2, of the network ?3. */
#define PRUNE_RANGE                                                               \
	" WHERE peer_id > ?1 AND peer_id <= ?2 AND (SELECT network_id FROM peers" \
	" WHERE id = peer_id) = ?3"
/* The end of a question for the crawls of a network whose visits are there, or were begun to be
 * removed. */
#define UNPRUNED " FROM crawls c WHERE c.network_id = ?3 AND c.pruned < 2)"

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SCHEMA] = "SELECT ifnull(type, ''), ifnull(name, ''), rootpage FROM sqlite_schema",
	[SQL_OUTCOME_ADD] = "INSERT INTO outcomes VALUES(?1, ?2, ?3) ON CONFLICT(id)"
			    " DO UPDATE SET name = ?2, text = ?3 WHERE name <> ?2 OR text <> ?3",
	[SQL_KIND_ADD] = "INSERT INTO kinds VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING",
	[SQL_NETWORK_FIND] = "SELECT id FROM networks WHERE name = ?1",
	[SQL_NETWORK_NAME] = "SELECT name FROM networks WHERE id = ?1",
	[SQL_NETWORK_ADD] = "INSERT OR IGNORE INTO networks(name) VALUES(?1)",
	[SQL_CRAWL_ADD] = "INSERT INTO crawls(network_id, started_at_ms, settings, every_ms)"
			  " VALUES(?1, ?2, ?3, nullif(?4, 0))",
	/* A process that was killed could not add its counts: the visits have most of them. */
	[SQL_CRAWL_END] =
		"UPDATE crawls SET ended_at_ms = nullif(?2, 0), complete = ?3, known = ?4,"
		" visited = ?5, reached = ?6, adverts = max(?7, of_visits.adverts),"
		" bytes_in = max(?8, of_visits.bytes_in), bytes_out = max(?9, of_visits.bytes_out),"
		" cpu_seconds = ?10, max_rss_bytes = ?11 FROM (SELECT"
		" ifnull(sum(v.adverts), 0) AS adverts, ifnull(sum(v.bytes_in), 0) AS bytes_in,"
		" ifnull(sum(v.bytes_out), 0) AS bytes_out"
		" FROM visits v WHERE v.crawl_id = ?1) AS of_visits WHERE id = ?1",
	[SQL_CRAWL_BY_ID] = CRAWL_COLUMNS "WHERE c.id = ?1 AND ifnull(n.name = ?2, 1)",
	[SQL_CRAWL_NEWEST] =
		CRAWL_COLUMNS "WHERE ifnull(n.name = ?2, 1) ORDER BY c.id DESC LIMIT 1",
	[SQL_CRAWL_LIST] = CRAWL_COLUMNS "WHERE ifnull(n.name = ?2, 1) ORDER BY c.id",
	[SQL_CRAWL_AT] = CRAWL_COLUMNS "WHERE c.started_at_ms <= ?1 AND ifnull(n.name = ?2, 1)"
				       " ORDER BY c.started_at_ms DESC, c.id DESC LIMIT 1",
	[SQL_CRAWL_BEFORE] =
		CRAWL_COLUMNS "WHERE c.id < ?1 AND n.name = ?2 ORDER BY c.id DESC LIMIT 1",
	[SQL_PEER_ANY] = "SELECT 1 FROM peers WHERE network_id = ?1 LIMIT 1",
	[SQL_PEER_NEWEST] = "SELECT ifnull(max(id), 0) FROM peers",
	[SQL_PEERS_FIND] = "SELECT b.c0, p.id FROM batch b CROSS JOIN peers p"
			   " ON p.network_id = ?1 AND p.key = b.c1",
	[SQL_PEERS_KNOWN] = PEERS_INTO PEERS_OF_BATCH PEERS_KNOWN
	", tcp_port = ifnull(tcp_port, excluded.tcp_port)",
	[SQL_PEERS_SILENT] = PEERS_INTO "SELECT c0, ?2, c1, 0, '', 0, '', ?1, c2, c3, NULL, 1, 0,"
					" ?1, c4, c5, 0, c6, NULL, NULL, NULL, NULL, NULL, c7, c8,"
					" NULL FROM batch WHERE true" PEERS_KNOWN PEERS_VISITED,
	/* What a peer says of itself comes with its agent. */
	[SQL_PEERS_PUT] = PEERS_INTO PEERS_OF_BATCH PEERS_KNOWN PEERS_VISITED
	", last_reached_ms = iif(excluded.reached,"
	" max(ifnull(last_reached_ms, 0), excluded.last_reached_ms), last_reached_ms),"
	" tcp_port = iif(excluded.tcp_port > 0, excluded.tcp_port,"
	" ifnull(tcp_port, -excluded.tcp_port)),"
	" agent = ifnull(excluded.agent, agent),"
	" protocol = iif(excluded.agent IS NULL, protocol, excluded.protocol),"
	" services = iif(excluded.agent IS NULL, services, excluded.services),"
	" height = iif(excluded.agent IS NULL, height, excluded.height),"
	" node_id = iif(excluded.node_id = '', node_id, excluded.node_id)",
	[SQL_VISITS_PUT] = VISITS_INTO "* FROM batch",
	[SQL_VISITS_MISSED] = VISITS_INTO
	"NULL, ?1, c0, c1, c2, 0, c3, 0, NULL, c4, NULL, NULL, NULL, c5, NULL, NULL, NULL, NULL,"
	" NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0 FROM batch",
	[SQL_VISITS_AGAIN] = "SELECT b.c0, v.id FROM batch b CROSS JOIN visits v"
			     " ON v.crawl_id = ?1 AND v.peer_id = b.c1 WHERE v.outcome = b.c2",
	[SQL_VISITS_TRIED] = "UPDATE visits SET tries = b.c4 FROM batch b WHERE visits.id = b.c3",
	[SQL_NODE_VISIT_PUT] =
		"INSERT OR REPLACE INTO node_visits(crawl_id, peer_id, completeness, findnodes,"
		" entries, record, record_seq, session, session_rule, capabilities, listen_port,"
		" fork_hash, fork_next, eth_network, genesis, head, tcp_port, faults)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17, ?18)",
	/* What was said replaces what was said before, what was not said replaces nothing. A
	 * table comes with its numbers, a record with its own. */
	[SQL_NODE_PUT] =
		"INSERT INTO nodes AS n(first_reached_ms, peer_id, completeness, findnodes,"
		" entries, record, record_seq, session, session_rule, capabilities, listen_port,"
		" fork_hash, fork_next, eth_network, genesis, head, key_start)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17) ON CONFLICT(peer_id) DO UPDATE SET"
		" first_reached_ms = min(n.first_reached_ms, ?1),"
		" completeness = ifnull(?3, n.completeness),"
		" findnodes = iif(?3 IS NULL, n.findnodes, ?4),"
		" entries = iif(?3 IS NULL, n.entries, ?5),"
		" record = ifnull(?6, n.record),"
		" record_seq = iif(?6 IS NULL AND n.record IS NOT NULL, n.record_seq,"
		" ifnull(?7, n.record_seq)),"
		" session = ifnull(?8, n.session),"
		" session_rule = iif(?8 IS NULL, n.session_rule, ?9),"
		" capabilities = ifnull(?10, n.capabilities),"
		" listen_port = iif(?10 IS NULL, n.listen_port, ?11),"
		" fork_hash = ifnull(?12, n.fork_hash),"
		" fork_next = iif(?12 IS NULL, n.fork_next, ?13),"
		" eth_network = ifnull(?14, n.eth_network),"
		" genesis = iif(?14 IS NULL, n.genesis, ?15),"
		" head = iif(?14 IS NULL, n.head, ?16)",
	[SQL_ADVERTS_PUT] =
		"INSERT OR REPLACE INTO adverts SELECT c0, c1, c2, c3, c4, c5 FROM batch",
	[SQL_RESUME] = "SELECT p.key, v.outcome, v.reached, v.tries, p.tcp_port FROM peers p"
		       " LEFT JOIN visits v ON v.crawl_id = ?1 AND v.peer_id = p.id"
		       " WHERE p.crawl_id = ?1 ORDER BY p.id",
	[SQL_PEERS] = PEER_COLUMNS PEER_FROM " WHERE p.crawl_id IS NOT NULL AND ?1 IS NULL"
					     " AND (?3 IS NULL OR p.outcome = ?3)" PEER_FILTER
					     " ORDER BY p.id",
	[SQL_PEERS_OF_CRAWL] =
		"SELECT p.network_id, p.key, p.address, p.node_id, v.outcome, v.reached,"
		" v.connect_ms, v.handshake_ms, v.agent, v.protocol, v.services, v.height,"
		" p.first_seen_ms, p.last_seen_ms, p.last_reached_ms, p.visits,"
		" p.reached_count, p.claimed_services, p.claimed_seen_s, v.started_at_ms,"
		" ifnull(d.tcp_port, p.tcp_port), d.faults, " NODE_COLUMNS ","
		" (SELECT first_reached_ms FROM nodes WHERE peer_id = p.id), p.crawl_id"
		" FROM peers p LEFT JOIN visits v ON v.crawl_id = ?1 AND v.peer_id = p.id"
		" LEFT JOIN node_visits d ON d.crawl_id = ?1 AND d.peer_id = p.id"
		" WHERE (v.id IS NOT NULL OR p.crawl_id = ?1)"
		" AND (?3 IS NULL OR v.outcome = ?3)" PEER_FILTER " ORDER BY p.id",
	[SQL_VISITS] = VISIT_COLUMNS
	" FROM visits v JOIN peers p ON p.id = v.peer_id" VISIT_NODE
	" WHERE v.crawl_id BETWEEN ifnull(?1, 0) AND ifnull(?1, 9223372036854775807)"
	" AND (?3 IS NULL OR v.outcome = ?3)" PEER_FILTER " ORDER BY v.crawl_id, v.peer_id",
	[SQL_ASKED] =
		"SELECT v.peer_id, v.reached FROM visits v WHERE v.crawl_id = ?1"
		" AND (?5 IS NULL OR EXISTS (SELECT 1 FROM node_visits d WHERE d.crawl_id = ?1"
		" AND d.peer_id = v.peer_id" FORK_FILTER ")) ORDER BY v.peer_id",
	/* Visits of a crawl lie beside each other: read from the first to the last of them, in the
	 * order of the file, and not by the index (the +). */
	[SQL_VISITS_RANGE] = "SELECT ifnull(min(id), 1), ifnull(max(id), 0) FROM visits"
			     " WHERE crawl_id = ?1",
	[SQL_COUNTED_REACHED] =
		"SELECT p.key, v.outcome, v.connect_ms, v.handshake_ms, v.reply_ms, v.total_ms,"
		" v.node_id, v.agent, v.protocol, v.services, v.height, d.tcp_port, NULL,"
		" " NODE_COLUMNS " FROM visits v JOIN peers p ON p.id = v.peer_id" VISIT_NODE
		" WHERE v.id BETWEEN ?2 AND ?3 AND +v.crawl_id = ?1 AND v.reached" FORK_FILTER,
	[SQL_COUNTED_MISSED] =
		"SELECT v.outcome, v.connect_ms, d.peer_id IS NOT NULL FROM visits v" VISIT_NODE
		" WHERE v.id BETWEEN ?2 AND ?3 AND +v.crawl_id = ?1 AND NOT v.reached" FORK_FILTER,
	[SQL_REACHED] = "SELECT p.key FROM visits v JOIN peers p ON p.id = v.peer_id"
			" WHERE v.crawl_id = ?1 AND v.reached ORDER BY v.peer_id",
	[SQL_ADVERTS] = "SELECT p.network_id, f.key, p.key, a.crawl_id, a.at_ms, a.services,"
			" a.last_seen_s, f.tcp_port, p.tcp_port, f.id, p.id" ADVERTS_FROM
			" ORDER BY a.crawl_id, a.from_id, a.peer_id",
	/* Those on either side of the adverts that SQL_ADVERTS finds. */
	[SQL_ADVERT_PEERS] =
		"SELECT q.network_id, q.id, q.key, q.tcp_port, iif(?1 IS NULL, q.outcome,"
		" v.outcome), iif(?1 IS NULL, q.agent, v.agent) FROM peers q"
		" LEFT JOIN visits v ON v.crawl_id = ?1 AND v.peer_id = q.id"
		" WHERE q.id IN (SELECT a.from_id" ADVERTS_FROM
		" UNION SELECT a.peer_id" ADVERTS_FROM ") ORDER BY q.id",
	/* Those that a reached, and those that b alone did. */
	[SQL_CHANGES] = CHANGES_FROM("a", "b", "?2") CHANGES_OF_A
	" UNION ALL " CHANGES_FROM("b", "a", "?1") CHANGES_OF_B " ORDER BY 1",
	[SQL_CHANGE_OF_A] = CHANGES_FROM("a", "b", "?2") CHANGES_OF_A " AND a.peer_id = ?3",
	[SQL_CHANGE_OF_B] = CHANGES_FROM("b", "a", "?1") CHANGES_OF_B " AND b.peer_id = ?3",
	[SQL_DIFFER_VISITS] = "SELECT peer_id, agent, protocol, services FROM visits"
			      " WHERE id BETWEEN ?2 AND ?3 AND +crawl_id = ?1 AND reached",
	[SQL_DIFFER_NODES] = "SELECT peer_id, record_seq, fork_hash FROM node_visits"
			     " WHERE crawl_id = ?1 ORDER BY peer_id",
	/* Whom the crawl before reached; and of the others, who are few, whom one before that did.
	 */
	[SQL_DIFFER_BEFORE] =
		"SELECT b.c0 FROM batch b CROSS JOIN visits v ON v.crawl_id = (SELECT max(c.id)"
		" FROM crawls c JOIN crawls d ON d.network_id = c.network_id WHERE d.id = ?1"
		" AND c.id < d.id) AND v.peer_id = b.c1 WHERE v.reached",
	[SQL_DIFFER_BACK] = "SELECT b.c0 FROM batch b CROSS JOIN peers p ON p.id = b.c1"
			    " WHERE p.reached_count > 1 AND (SELECT 1 " BEFORE("?1") ") IS NOT"
										     " NULL",
	/* What a peer said last, and its schedule: as it is before a visit. */
	[SQL_WATCH_BEFORE] =
		"SELECT p.visit_crawl_id, p.reached, p.last_reached_ms, p.agent, p.protocol,"
		" p.services, d.record_seq, d.fork_hash, " SCHEDULE_COLUMNS
		", b.c0 FROM batch b LEFT JOIN peers p ON p.id = b.c1"
		" LEFT JOIN nodes d ON d.peer_id = p.id" WATCH_OF_PEER,
	[SQL_WATCH_PUT] = "INSERT OR REPLACE INTO watch SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8,"
			  " c9, c10, c11, c12 FROM batch",
	[SQL_WATCH_UP] = "SELECT count(*) FROM watch w WHERE w.up_since_ms IS NOT NULL"
			 " AND (SELECT network_id FROM peers WHERE id = w.peer_id) = ?1",
	[SQL_ROUND_HEARD] = "SELECT EXISTS (SELECT 1 FROM visits WHERE crawl_id = ?1"
			    " AND outcome NOT IN (?2, ?3))",
	[SQL_ROUND_VISITS] = "SELECT peer_id, started_at_ms FROM visits WHERE crawl_id = ?1"
			     " AND peer_id > ?2 ORDER BY peer_id",
	[SQL_WATCH_FORGET] = "DELETE FROM watch WHERE misses >= ?3 AND EXISTS (SELECT 1"
			     " FROM peers p WHERE p.id = peer_id AND p.network_id = ?1"
			     " AND p.last_seen_ms < ?2)",
	[SQL_WATCHED] =
		"SELECT p.key, p.tcp_port, p.last_seen_ms, " SCHEDULE_COLUMNS
		" FROM watch w CROSS JOIN peers p ON p.id = w.peer_id WHERE p.network_id = ?1"
		" ORDER BY w.peer_id",
	/* Few of those that are watched were ever reached: the others' rows in peers are not
	 * looked at. */
	[SQL_SCHEDULES] = "SELECT " SCHEDULE_COLUMNS " FROM watch w WHERE w.up_until_ms IS NOT NULL"
			  " AND (SELECT network_id FROM peers WHERE id = w.peer_id) = ?1",
	[SQL_SESSION_PUT] = "INSERT OR REPLACE INTO sessions VALUES(?1, ?2, ?3)",
	/* The newest, if it went up to then: it is not over after all. */
	[SQL_SESSION_RESUME] = "DELETE FROM sessions WHERE peer_id = ?1 AND to_ms = ?2"
			       " AND from_ms = (SELECT max(from_ms) FROM sessions"
			       " WHERE peer_id = ?1) RETURNING from_ms",
	[SQL_CHANGE_PUT] = "INSERT OR REPLACE INTO changes VALUES(?1, ?2, ?3, ?4, ?5)",
	/* Where else that key was reached after ?4, the newest of it. */
	[SQL_NODE_ELSEWHERE] =
		"SELECT p.key FROM (SELECT peer_id FROM nodes WHERE key_start = substr(?2, 1, 16)"
		" LIMIT ?5) d JOIN peers p ON p.id = d.peer_id WHERE p.network_id = ?1"
		" AND p.node_id = ?2 AND p.id <> ?3 AND p.last_reached_ms > ?4"
		" ORDER BY p.last_reached_ms DESC LIMIT 1",
	[SQL_PEER_BY_ID] = PEER_COLUMNS PEER_FROM " WHERE p.id = ?1",
	[SQL_PEER_SCHEDULE] = "SELECT " SCHEDULE_COLUMNS " FROM watch w WHERE w.peer_id = ?1",
	[SQL_PEER_SESSIONS] = "SELECT from_ms, to_ms FROM sessions WHERE peer_id = ?1"
			      " ORDER BY from_ms DESC LIMIT ?2",
	[SQL_PEER_TOLD] = "SELECT at_ms, what, was, now FROM changes WHERE peer_id = ?1"
			  " ORDER BY at_ms DESC, what LIMIT ?2",
	/* A look-up for each crawl, from the newest that visited it, and no more of them than
	 * its visits take. */
	[SQL_PEER_VISITS] = VISIT_COLUMNS
	" FROM peers p CROSS JOIN crawls c CROSS JOIN visits v"
	" ON v.crawl_id = c.id AND v.peer_id = ?1" VISIT_NODE " WHERE p.id = ?1"
	" AND c.id <= p.visit_crawl_id AND c.network_id = p.network_id AND c.pruned < 2"
	" ORDER BY c.id DESC LIMIT min(?2, ifnull((SELECT visits FROM peers WHERE id = ?1), 0))",
	[SQL_PEER_DAYS] = "SELECT day, visits, reached FROM daily WHERE peer_id = ?1"
			  " ORDER BY day DESC LIMIT ?2",
	[SQL_NEWS_NEWEST] = "SELECT ifnull((SELECT max(id) FROM peers), 0),"
			    " ifnull((SELECT max(id) FROM visits), 0)",
	[SQL_NEWS_PEERS] = PEER_COLUMNS ", p.id, " SCHEDULE_COLUMNS PEER_FROM WATCH_OF_PEER
					" WHERE p.id > ?1 AND p.crawl_id IS NOT NULL ORDER BY p.id",
	[SQL_NEWS_VISITS] = PEER_COLUMNS ", p.id, " SCHEDULE_COLUMNS PEER_FROM WATCH_OF_PEER
					 " WHERE p.id <= ?1 AND p.id IN (SELECT peer_id FROM visits"
					 " WHERE id > ?2) ORDER BY p.id",
	/* The newest of the network stays, and that of the newest visit of all, as the numbers of
	 * visits must not begin again. */
	[SQL_PRUNE_CRAWLS] =
		"SELECT id, ended_at_ms IS NOT NULL FROM crawls WHERE network_id = ?1"
		" AND pruned < 2 AND ifnull(ended_at_ms, started_at_ms) < ?2"
		" AND id < (SELECT max(id) FROM crawls WHERE network_id = ?1)"
		" AND id IS NOT (SELECT crawl_id FROM visits ORDER BY id DESC LIMIT 1) ORDER BY id",
	[SQL_PRUNE_ADVERTS] =
		"DELETE FROM adverts WHERE crawl_id = ?1 AND (from_id, peer_id) IN"
		" (SELECT from_id, peer_id FROM adverts WHERE crawl_id = ?1 LIMIT ?2)",
	/* The peer up to whom a step goes. */
	[SQL_PRUNE_LAST] = "SELECT peer_id FROM visits WHERE crawl_id = ?1 ORDER BY peer_id"
			   " LIMIT 1 OFFSET ?2 - 1",
	[SQL_PRUNE_SUMS] =
		"INSERT INTO daily AS s SELECT v.peer_id, v.started_at_ms / 86400000, 1, v.reached"
		" FROM visits v CROSS JOIN peers p ON p.id = v.peer_id WHERE v.crawl_id = ?1"
		" AND v.peer_id <= ?2 AND p.last_reached_ms IS NOT NULL ON CONFLICT DO UPDATE"
		" SET visits = s.visits + 1, reached = s.reached + excluded.reached",
	[SQL_PRUNE_NODE_VISITS] = "DELETE FROM node_visits WHERE crawl_id = ?1 AND peer_id <= ?2",
	[SQL_PRUNE_VISITS] = "DELETE FROM visits WHERE crawl_id = ?1 AND peer_id <= ?2",
	/* Those of the same day that are not the last of it. */
	[SQL_PRUNE_REPORTS] =
		"DELETE FROM reports WHERE crawl_id IN (SELECT c.id FROM crawls a JOIN crawls c"
		" ON c.network_id = a.network_id AND c.pruned = 2"
		" AND c.started_at_ms / 86400000 = a.started_at_ms / 86400000 WHERE a.id = ?1"
		" AND EXISTS (SELECT 1 FROM crawls l JOIN reports r ON r.crawl_id = l.id"
		" WHERE l.id > c.id AND l.network_id = c.network_id"
		" AND l.started_at_ms / 86400000 = c.started_at_ms / 86400000))",
	[SQL_PRUNED] = "UPDATE crawls SET pruned = ?2 WHERE id = ?1",
	[SQL_PRUNE_RANGE] = "SELECT id FROM peers WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2 - 1",
	[SQL_PRUNE_SESSIONS] = "DELETE FROM sessions" PRUNE_RANGE " AND to_ms < ?4",
	[SQL_PRUNE_CHANGES] = "DELETE FROM changes" PRUNE_RANGE " AND at_ms < ?4",
	[SQL_PRUNE_DAYS] = "DELETE FROM daily" PRUNE_RANGE " AND day < ?4 / 86400000",
	/* ?4: older, if it was never reached; ?5: if it was. Nothing refers to it: its newest visit
	 * is in a crawl before all whose visits are there, and was before these began (an hour
	 * more, as clocks are); the same of the newest crawl that knew it. Of those that were only
	 * named, only adverts know when last. */
	[SQL_PRUNE_PEERS] =
		"DELETE FROM peers AS p WHERE id > ?1 AND id <= ?2 AND network_id = ?3"
		" AND last_seen_ms < iif(last_reached_ms IS NULL, ?4, ?5)"
		" AND (visit_crawl_id IS NULL OR (visit_crawl_id < (SELECT min(id)" UNPRUNED
		" AND visit_at_ms < (SELECT min(started_at_ms)" UNPRUNED " - 3600000))"
		" AND iif(crawl_id IS NULL, NOT EXISTS (SELECT 1 FROM adverts),"
		" crawl_id < (SELECT min(id)" UNPRUNED ")"
		" AND NOT EXISTS (SELECT 1 FROM watch r WHERE r.peer_id = p.id)"
		" AND NOT EXISTS (SELECT 1 FROM sessions r WHERE r.peer_id = p.id)"
		" AND NOT EXISTS (SELECT 1 FROM changes r WHERE r.peer_id = p.id)"
		" AND NOT EXISTS (SELECT 1 FROM daily r WHERE r.peer_id = p.id)"
		" AND id < (SELECT max(id) FROM peers)",
	[SQL_PRUNE_NODES] = "DELETE FROM nodes WHERE peer_id > ?1 AND peer_id <= ?2"
			    " AND NOT EXISTS (SELECT 1 FROM peers p WHERE p.id = peer_id)",
	[SQL_REPORT_PUT] = "INSERT OR REPLACE INTO reports(crawl_id, version, report)"
			   " VALUES(?1, ?2, ?3)",
	[SQL_REPORT_GET] = "SELECT report FROM reports WHERE crawl_id = ?1 AND version = ?2",
	[SQL_REPORT_LIST] = "SELECT crawl_id FROM reports WHERE version = ?1 ORDER BY crawl_id",
	[SQL_BOOK_FIND] = "SELECT id FROM books WHERE name = ?1",
	[SQL_BOOK_ADD] = "INSERT OR IGNORE INTO books(name) VALUES(?1)",
	[SQL_BOOK_PUT] = "INSERT OR REPLACE INTO book(book_id, key, kind, address, port, node_id,"
			 " tcp_port, source, tried, services, named_s, asked_s, good_s, failures)"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nullif(?11, 0),"
			 " nullif(?12, 0), nullif(?13, 0), ?14)",
	[SQL_BOOK_DROP] = "DELETE FROM book WHERE book_id = ?1 AND key = ?2",
	/* ?1: a book; with ?2 also those of its groups. NULL: all. ?3: kind or NULL. In the
	 * order in which they were dealt with. */
	[SQL_BOOK_ROWS] =
		"SELECT b.name, r.key, r.tcp_port, r.source, r.tried, r.services, r.named_s,"
		" r.asked_s, r.good_s, r.failures FROM book r JOIN books b ON b.id = r.book_id"
		" WHERE (?1 IS NULL OR b.name = ?1"
		" OR (?2 AND substr(b.name, 1, length(?1) + 1) = ?1 || '/'))"
		" AND (?3 IS NULL OR r.kind = ?3) ORDER BY r.book_id,"
		" max(ifnull(r.asked_s, 0), ifnull(r.good_s, 0)), r.key",
	[SQL_BOOK_KEEP] = "INSERT OR REPLACE INTO book_values VALUES(?1, ?2, ?3)",
	[SQL_BOOK_VALUE] = "SELECT v.value FROM book_values v JOIN books b ON b.id = v.book_id"
			   " WHERE b.name = ?1 AND v.name = ?2",
	[SQL_VERSION] = "PRAGMA data_version",
	[SQL_NETWORK_LIST] = "SELECT n.name, count(c.id), ifnull(max(c.id), 0) FROM networks n"
			     " LEFT JOIN crawls c ON c.network_id = n.id GROUP BY n.id"
			     " ORDER BY n.name",
	[SQL_CRAWL_LIST_NEWEST] = CRAWL_COLUMNS "WHERE c.id < ?1 AND ifnull(n.name = ?2, 1)"
						" ORDER BY c.id DESC LIMIT ?3",
	[SQL_PROGRESS] = "SELECT count(*), ifnull(sum(reached), 0), max(id) FROM visits"
			 " WHERE crawl_id = ?1",
	/* By the rows' numbers, not by the index of the crawl's. */
	[SQL_PROGRESS_MORE] = "SELECT count(*), ifnull(sum(reached), 0), max(id) FROM visits"
			      " WHERE id > ?2 AND +crawl_id = ?1",
	[SQL_PROGRESS_VISITED] = "SELECT count(*) FROM visits WHERE crawl_id = ?1",
	[SQL_PROGRESS_KNOWN] = "SELECT count(*) FROM peers WHERE crawl_id = ?1",
	[SQL_RECENT] = "SELECT p.id, p.key, p.tcp_port, v.outcome, v.reached, v.agent"
		       " FROM visits v JOIN peers p ON p.id = v.peer_id"
		       " WHERE v.id > ?2 AND +v.crawl_id = ?1 ORDER BY v.id DESC LIMIT ?3",
};

const char *sql_text(enum sql sql)
{
	return texts[sql];
}
