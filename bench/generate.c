/* bench_generate: a database of many peers who were watched for a week or so, made up.
 *
 *     bench_generate [--network NAME] [--peers N] [--visits N] [--rounds N] FILE
 *
 * The same numbers make the same file. The report of each round is kept, as a crawl does at its
 * end. Peers are of three sorts: some are up most of the time and are visited in each round, most
 * are ghosts that are tried in turn, and those of networks that can't be dialled are known only.
 * What is said of them is plausible, no more: schedules and sessions are those of
 * engine/schedule.h, and sums are those of the rows. */
#include "made_up.h"

#include "base/text.h"
#include "engine/schedule.h"
#include "report/report.h"
#include "store/db.h"
#include "store/query.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EVERY_MS = 60 * 60 * 1000, /* between two rounds */
	ROUND_MS = 40 * 60 * 1000, /* how long one takes */
	LIVE_PERCENT = 8,          /* of those that can be dialled: up, at least now and then */
	AT_START_PERCENT = 70,     /* known in the first round; the others come one by one */
	UPGRADE_PERCENT = 12,      /* of the live ones, in all of the time */
	CACHE_KIB = 512 * 1024,
};

struct peer {
	struct netaddr addr;
	struct schedule schedule;
	int64_t first_seen_ms, last_reached_ms, visit_at_ms;
	uint32_t visits, reached_count;
	uint16_t visit_round; /* 1 ..; 0: not visited */
	uint8_t outcome, agent;
	bool reached, live;
	uint32_t connect_ms;
};

struct sums {
	uint64_t visited, reached, adverts, bytes_in, bytes_out;
};

struct world {
	sqlite3 *db;
	const char *network;
	bool ethereum;
	uint64_t peers_count, visits_count, rounds;
	struct peer *peers;
	uint64_t ghost; /* whose turn it is */
	uint64_t visits;
	sqlite3_stmt *answered, *missed, *session, *change, *node_visit;
};

static void check(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench_generate: %s: %s\n", what, why);
	exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
	check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	check(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, sql, sqlite3_errmsg(db));
	return st;
}

static void step(sqlite3 *db, sqlite3_stmt *st)
{
	check(sqlite3_step(st) == SQLITE_DONE, "insert", sqlite3_errmsg(db));
	sqlite3_reset(st);
}

static bool is_hidden(const struct peer *p)
{
	return p->addr.kind == NETADDR_TORV3;
}

static int64_t round_at(const struct world *w, uint64_t round)
{
	return end_ms - (int64_t)(w->rounds - round + 1) * EVERY_MS;
}

/* How many are known in that round (1 ..). */
static uint64_t known_in(const struct world *w, uint64_t round)
{
	uint64_t first = w->peers_count * AT_START_PERCENT / 100;

	return first + (w->peers_count - first) * round / w->rounds;
}

static void make_peers(struct world *w)
{
	uint64_t at = 1, round = 1;

	w->peers = calloc(w->peers_count, sizeof(*w->peers));
	check(w->peers != NULL, "peers", "no memory");
	for (uint64_t id = 0; id < w->peers_count; id++) {
		struct peer *p = &w->peers[id];

		while (id >= known_in(w, round))
			round++;
		p->addr = address(id, w->ethereum, &at);
		p->first_seen_ms = round_at(w, round) + (int64_t)(dice(id, ASK_JITTER) % ROUND_MS);
		p->live = !is_hidden(p) && percent(id, ASK_LIVE) < LIVE_PERCENT;
		p->agent = pick_agent(id);
	}
}

/* Most of those that live are up all the time; some come and go, by the hour or by the day. */
static bool is_up(const struct world *w, uint64_t id, uint64_t round)
{
	unsigned sort = percent(id, ASK_UPTIME);
	uint64_t question = ASK_UP + round * QUESTIONS;

	if (!w->peers[id].live)
		return dice(id, question) % 2000 == 0;
	if (sort < 60)
		return dice(id, question) % 1000 != 0;
	if (sort < 85)
		return percent(id, ASK_UP + (round + id % 12) / 12 * QUESTIONS) < 75;
	return percent(id, question) < 40;
}

static void upgrade(struct world *w, uint64_t id, int64_t at_ms)
{
	struct peer *p = &w->peers[id];
	char was[256], now[256];
	size_t was_len = agent_text(w->ethereum, id, p->agent, was), now_len;

	p->agent = 0;
	now_len = agent_text(w->ethereum, id, p->agent, now);
	if (was_len == now_len && memcmp(was, now, was_len) == 0)
		return;
	sqlite3_bind_int64(w->change, 1, (int64_t)id + 1);
	sqlite3_bind_int64(w->change, 2, at_ms);
	sqlite3_bind_text(w->change, 3, was, (int)was_len, SQLITE_STATIC);
	sqlite3_bind_text(w->change, 4, now, (int)now_len, SQLITE_STATIC);
	step(w->db, w->change);
}

static void keep_schedule(struct world *w, uint64_t id, int64_t at_ms, bool reached)
{
	struct schedule_session ended;

	if (!schedule_visited(&w->peers[id].schedule, EVERY_MS, at_ms, reached, &ended))
		return;
	sqlite3_bind_int64(w->session, 1, (int64_t)id + 1);
	sqlite3_bind_int64(w->session, 2, ended.from_ms);
	sqlite3_bind_int64(w->session, 3, ended.to_ms);
	step(w->db, w->session);
}

/* ?3 .. ?8 of both statements on nodes. */
static void bind_node(sqlite3_stmt *st, uint64_t id, char record[static 64])
{
	static const uint8_t forks[][4] = { { 0x07, 0xc9, 0x46, 0x2e },
					    { 0xc3, 0x76, 0xcf, 0x8b },
					    { 0x9f, 0x3d, 0x22, 0x54 },
					    { 0x00, 0x18, 0xea, 0x67 } };
	unsigned fork = percent(id, ASK_SERVICES);

	snprintf(record, 64, "enr:-%016llx%016llx", (unsigned long long)dice(id, ASK_KEY),
		 (unsigned long long)dice(id, ASK_LAG));
	sqlite3_bind_text(st, 3, percent(id, ASK_LAG) < 90 ? "drained" : "partial", -1,
			  SQLITE_STATIC);
	sqlite3_bind_int(st, 4, (int)(120 + dice(id, ASK_LAG) % 80));
	sqlite3_bind_text(st, 5, record, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, percent(id, ASK_LAG) < 70 ? "full" : "ok", -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 7, forks[fork < 70 ? 0 : fork % 4], 4, SQLITE_STATIC);
	sqlite3_bind_int64(st, 8, fork < 70 ? 1 : (int64_t)(dice(id, ASK_LAG) % 1000));
}

static void put_node_visit(struct world *w, uint64_t id, uint64_t round, bool reached)
{
	sqlite3_stmt *st = w->node_visit;
	char record[64];

	sqlite3_clear_bindings(st);
	sqlite3_bind_int64(st, 1, (int64_t)round);
	sqlite3_bind_int64(st, 2, (int64_t)id + 1);
	if (reached)
		bind_node(st, id, record);
	step(w->db, st);
}

static void answered(struct world *w, uint64_t id, uint64_t round, int64_t at_ms, struct sums *sums)
{
	struct peer *p = &w->peers[id];
	sqlite3_stmt *st = w->answered;
	int connect_ms = latency_ms(id, round);
	unsigned adverts = (unsigned)(dice(id, ASK_JITTER + round * QUESTIONS) >> 20) % 1001;
	char agent[256];
	size_t agent_len;

	if (p->reached_count > 0 && percent(id, ASK_UPGRADE) < UPGRADE_PERCENT &&
	    dice(id, ASK_UPGRADE) / 100 % w->rounds == round)
		upgrade(w, id, at_ms);
	agent_len = agent_text(w->ethereum, id, p->agent, agent);
	p->outcome = adverts == 0 ? OUTCOME_NO_PEERS : OUTCOME_OK;
	p->reached_count++;
	p->connect_ms = (uint32_t)connect_ms;
	p->last_reached_ms = at_ms + 2 * connect_ms;
	sqlite3_bind_int64(st, 1, (int64_t)round);
	sqlite3_bind_int64(st, 2, (int64_t)id + 1);
	sqlite3_bind_int64(st, 3, at_ms);
	sqlite3_bind_int(st, 4, p->outcome);
	sqlite3_bind_int(st, 5, connect_ms);
	sqlite3_bind_int(st, 6, 2 * connect_ms - connect_ms / 8);
	sqlite3_bind_int(st, 7, 2 * connect_ms);
	sqlite3_bind_int(st, 8, 3 * connect_ms);
	sqlite3_bind_int(st, 9, 3 * connect_ms + 5);
	sqlite3_bind_text(st, 10, agent, (int)agent_len, SQLITE_STATIC);
	sqlite3_bind_int(st, 11, w->ethereum ? 68 : 70016);
	sqlite3_bind_int64(st, 12, (int64_t)services_of(w->ethereum, id));
	sqlite3_bind_int64(st, 13, height_of(id, at_ms));
	sqlite3_bind_int(st, 14, (int)(dice(id, ASK_LAG) % 5) - 2);
	sqlite3_bind_int(st, 15, (int)adverts);
	sqlite3_bind_int(st, 16, (int)(30 * adverts + 400));
	step(w->db, st);
	sums->reached++;
	sums->adverts += adverts;
	sums->bytes_in += 30 * adverts + 400;
	sums->bytes_out += 300;
}

static void missed(struct world *w, uint64_t id, uint64_t round, int64_t at_ms)
{
	struct peer *p = &w->peers[id];
	sqlite3_stmt *st = w->missed;

	p->outcome = (uint8_t)miss(id, round);
	p->connect_ms = p->outcome == OUTCOME_PEER_FULL || p->outcome == OUTCOME_MUTE ? 1 : 0;
	sqlite3_bind_int64(st, 1, (int64_t)round);
	sqlite3_bind_int64(st, 2, (int64_t)id + 1);
	sqlite3_bind_int64(st, 3, at_ms);
	sqlite3_bind_int(st, 4, p->outcome);
	sqlite3_bind_int(st, 5, p->outcome == OUTCOME_CONNECT_TIMEOUT ? 2 : 1);
	if (p->connect_ms != 0) {
		p->connect_ms = (uint32_t)latency_ms(id, round);
		sqlite3_bind_int(st, 6, (int)p->connect_ms);
	} else {
		sqlite3_bind_null(st, 6);
	}
	sqlite3_bind_int(st, 7, p->outcome == OUTCOME_CONNECT_TIMEOUT ? 5000 : 200);
	step(w->db, st);
}

static void visit(struct world *w, uint64_t id, uint64_t round, uint64_t nth, uint64_t quota,
		  struct sums *sums)
{
	int64_t at_ms = round_at(w, round) + (int64_t)(nth * ROUND_MS / (quota + 1));
	struct peer *p = &w->peers[id];

	if (at_ms < p->first_seen_ms)
		at_ms = p->first_seen_ms;
	p->reached = is_up(w, id, round);
	keep_schedule(w, id, at_ms, p->reached);
	if (p->reached)
		answered(w, id, round, at_ms, sums);
	else
		missed(w, id, round, at_ms);
	if (w->ethereum)
		put_node_visit(w, id, round, p->reached);
	p->visits++;
	p->visit_round = (uint16_t)round;
	p->visit_at_ms = at_ms;
	sums->visited++;
	w->visits++;
}

static bool is_ghost(const struct peer *p)
{
	return !p->live && !is_hidden(p);
}

/* From the ghost whose turn it is, those ids hold that many ghosts, or all; *end: the id after
 * them, which may be lower than the first. */
static bool next_ghosts(struct world *w, uint64_t known, uint64_t count, uint64_t *end)
{
	uint64_t at = w->ghost % known;

	for (uint64_t n = 0; n < known; n++) {
		*end = at;
		if (count == 0)
			return true;
		count -= is_ghost(&w->peers[at]);
		at = at + 1 < known ? at + 1 : 0;
	}
	*end = w->ghost % known;
	return count == 0;
}

static void put_crawl(struct world *w, uint64_t round, uint64_t known, const struct sums *sums)
{
	char sql[640];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO crawls(id, network_id, started_at_ms, ended_at_ms, complete, known,"
		 " visited, reached, adverts, bytes_in, bytes_out, cpu_seconds, max_rss_bytes,"
		 " settings, every_ms) VALUES(%llu, 1, %lld, %lld, 1, %llu, %llu, %llu, %llu, %llu,"
		 " %llu, 60.5, 123456789, '{}', %d)",
		 (unsigned long long)round, (long long)round_at(w, round),
		 (long long)round_at(w, round) + ROUND_MS, (unsigned long long)known,
		 (unsigned long long)sums->visited, (unsigned long long)sums->reached,
		 (unsigned long long)sums->adverts, (unsigned long long)sums->bytes_in,
		 (unsigned long long)sums->bytes_out, EVERY_MS);
	run(w->db, sql);
}

static void make_round(struct world *w, uint64_t round)
{
	uint64_t quota = (w->visits_count - w->visits) / (w->rounds - round + 1);
	uint64_t known = known_in(w, round), live = 0, end = 0, begin, nth = 0;
	struct sums sums = { 0 };
	bool all;

	for (uint64_t id = 0; id < known; id++)
		live += w->peers[id].live;
	begin = known > 0 ? w->ghost % known : 0;
	all = known > 0 && !next_ghosts(w, known, quota > live ? quota - live : 0, &end);
	/* In the order of both indices, so that each row comes behind the one before it. */
	for (uint64_t id = 0; id < known && nth < quota; id++) {
		bool turn = begin <= end ? id >= begin && id < end : id >= begin || id < end;

		if (w->peers[id].live || (is_ghost(&w->peers[id]) && (all || turn)))
			visit(w, id, round, nth++, quota, &sums);
	}
	w->ghost = end;
	put_crawl(w, round, known, &sums);
}

static void bind_peer(struct world *w, sqlite3_stmt *st, uint64_t id, uint8_t key[DB_KEY_MAX])
{
	struct peer *p = &w->peers[id];
	uint8_t public[PEER_NODE_ID_MAX];
	char host[NETADDR_HOST_TEXT_MAX], hex[2 * PEER_NODE_ID_MAX + 1];
	size_t host_len = netaddr_host_text(&p->addr, host), len = 0;

	for (unsigned i = 0; w->ethereum && i < sizeof(public) / 8; i++, len += 8) {
		uint64_t bits = dice(id, ASK_KEY + i * QUESTIONS);

		memcpy(public + len, &bits, sizeof(bits));
	}
	len = db_key(&p->addr, slice_of(public, w->ethereum ? sizeof(public) : 0), key);
	sqlite3_bind_int64(st, 1, (int64_t)id + 1);
	sqlite3_bind_blob(st, 2, key, (int)len, SQLITE_STATIC);
	sqlite3_bind_int(st, 3, p->addr.kind);
	sqlite3_bind_text(st, 4, host, (int)host_len, SQLITE_TRANSIENT);
	sqlite3_bind_int(st, 5, p->addr.port);
	hex_encode(slice_of(public, w->ethereum ? sizeof(public) : 0), hex);
	sqlite3_bind_text(st, 6, hex, -1, SQLITE_TRANSIENT);
	if (w->ethereum)
		sqlite3_bind_int(st, 7, p->addr.port);
	sqlite3_bind_int64(st, 8, (int64_t)w->rounds);
	sqlite3_bind_int64(st, 9, p->first_seen_ms);
	/* Most are named in each round. */
	sqlite3_bind_int64(st, 10,
			   percent(id, ASK_LAG) < 80 ? end_ms - EVERY_MS / 2
			   : p->visit_at_ms != 0     ? p->visit_at_ms
						     : p->first_seen_ms);
	sqlite3_bind_int(st, 12, (int)p->visits);
	sqlite3_bind_int(st, 13, (int)p->reached_count);
	sqlite3_bind_int64(st, 23, (int64_t)services_of(w->ethereum, id));
	sqlite3_bind_int64(st, 24, end_ms / 1000 - (int64_t)(dice(id, ASK_LAG) % 864000));
}

/* Its newest visit, and the newest in which it said who it is. */
static void bind_newest(struct world *w, sqlite3_stmt *st, uint64_t id, char agent[256])
{
	struct peer *p = &w->peers[id];

	if (p->visit_round == 0)
		return;
	sqlite3_bind_int(st, 14, p->visit_round);
	sqlite3_bind_int64(st, 15, p->visit_at_ms);
	sqlite3_bind_int(st, 16, p->outcome);
	sqlite3_bind_int(st, 17, p->reached);
	if (p->connect_ms > 0)
		sqlite3_bind_int(st, 18, (int)p->connect_ms);
	if (p->reached)
		sqlite3_bind_int(st, 19, 2 * (int)p->connect_ms);
	if (p->reached_count == 0)
		return;
	sqlite3_bind_int64(st, 11, p->last_reached_ms);
	sqlite3_bind_text(st, 20, agent, (int)agent_text(w->ethereum, id, p->agent, agent),
			  SQLITE_STATIC);
	sqlite3_bind_int(st, 21, w->ethereum ? 68 : 70016);
	sqlite3_bind_int64(st, 22, (int64_t)services_of(w->ethereum, id));
	sqlite3_bind_int64(st, 25, height_of(id, p->last_reached_ms));
}

static void put_peers(struct world *w)
{
	sqlite3_stmt *st = prepare(
		w->db,
		"INSERT INTO peers(id, network_id, key, kind, address, port, node_id, tcp_port,"
		" crawl_id, first_seen_ms, last_seen_ms, last_reached_ms, visits,"
		" reached_count, visit_crawl_id, visit_at_ms, outcome, reached, connect_ms,"
		" handshake_ms, agent, protocol, services, claimed_services, claimed_seen_s,"
		" height) VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		" ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)");

	for (uint64_t id = 0; id < w->peers_count; id++) {
		uint8_t key[DB_KEY_MAX];
		char agent[256];

		sqlite3_clear_bindings(st);
		bind_peer(w, st, id, key);
		bind_newest(w, st, id, agent);
		step(w->db, st);
	}
	sqlite3_finalize(st);
}

static void put_schedules(struct world *w)
{
	sqlite3_stmt *st = prepare(w->db, "INSERT INTO watch VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
					  " nullif(?7, 0), nullif(?8, 0), ?9, ?10, ?11, ?12, ?13)");

	for (uint64_t id = 0; id < w->peers_count; id++) {
		const struct schedule *s = &w->peers[id].schedule;
		const int64_t times[] = { (int64_t)id + 1, s->due_ms,     s->misses,
					  s->first_ms,     s->visited_ms, s->before_ms,
					  s->up_since_ms,  s->up_until_ms };

		if (s->visited_ms == 0)
			continue;
		for (int i = 0; i < 8; i++)
			sqlite3_bind_int64(st, i + 1, times[i]);
		for (int i = 0; i < SCHEDULE_WINDOWS; i++) {
			double share = schedule_uptime(s, (enum schedule_window)i);

			if (share < 0)
				sqlite3_bind_null(st, 9 + i);
			else
				sqlite3_bind_double(st, 9 + i, share);
		}
		step(w->db, st);
	}
	sqlite3_finalize(st);
}

static void put_nodes(struct world *w)
{
	sqlite3_stmt *st = prepare(
		w->db,
		"INSERT INTO nodes(peer_id, key_start, completeness, entries, record, session,"
		" fork_hash, eth_network, first_reached_ms, fork_next, findnodes, record_seq,"
		" capabilities) VALUES(?1, (SELECT substr(node_id, 1, 16) FROM peers WHERE"
		" id = ?1), ?3, ?4, ?5, ?6, ?7, ?8, ?2, 0, 12, 1780000000, 'eth/68 snap/1')");
	char record[64];

	for (uint64_t id = 0; id < w->peers_count; id++) {
		if (w->peers[id].reached_count == 0)
			continue;
		sqlite3_bind_int64(st, 1, (int64_t)id + 1);
		sqlite3_bind_int64(st, 2, w->peers[id].first_seen_ms);
		bind_node(st, id, record);
		step(w->db, st);
	}
	sqlite3_finalize(st);
}

static void prepare_all(struct world *w)
{
	w->answered = prepare(
		w->db,
		"INSERT INTO visits(crawl_id, peer_id, started_at_ms, outcome, reached, tries,"
		" stepwise, connect_ms, version_ms, handshake_ms, reply_ms, total_ms, agent,"
		" negotiation, protocol, services, height, relay, clock_skew_s, adverts,"
		" adverts_new, adverts_cut, messages_in, unknown_in, bytes_in, bytes_out)"
		" VALUES(?1, ?2, ?3, ?4, 1, 1, 0, ?5, ?6, ?7, ?8, ?9, ?10,"
		" 'version wtxidrelay sendaddrv2 verack', ?11, ?12, ?13, 1, ?14, ?15, 3, 0,"
		" 8, 0, ?16, 300)");
	w->missed = prepare(
		w->db,
		"INSERT INTO visits(crawl_id, peer_id, started_at_ms, outcome, reached, tries,"
		" stepwise, connect_ms, total_ms, adverts, adverts_new, adverts_cut,"
		" messages_in, unknown_in, bytes_in, bytes_out)"
		" VALUES(?1, ?2, ?3, ?4, 0, ?5, 0, ?6, ?7, 0, 0, 0, 0, 0, 0, 0)");
	w->session = prepare(w->db, "INSERT INTO sessions VALUES(?1, ?2, ?3)");
	w->change = prepare(w->db, "INSERT INTO changes VALUES(?1, ?2, 'agent', ?3, ?4)");
	w->node_visit = prepare(
		w->db, "INSERT INTO node_visits(crawl_id, peer_id, completeness, entries, record,"
		       " session, fork_hash, eth_network, fork_next, findnodes, record_seq)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, iif(?7 IS NULL, NULL, 0),"
		       " iif(?3 IS NULL, NULL, 12), iif(?5 IS NULL, NULL, 1780000000))");
}

static void finalize_all(struct world *w)
{
	sqlite3_finalize(w->answered);
	sqlite3_finalize(w->missed);
	sqlite3_finalize(w->session);
	sqlite3_finalize(w->change);
	sqlite3_finalize(w->node_visit);
}

/* The store makes the file, so that its schema is that of the program, and opens it at the end, so
 * that it is in WAL mode again. */
static void by_the_store(const char *path)
{
	struct store *s = NULL;
	char why[640];

	check(store_open(path, STORE_CREATE, &s, why, sizeof(why)) == ERR_OK, "open", why);
	store_close(s);
}

static void open_file(struct world *w, const char *path)
{
	char sql[160];

	check(access(path, F_OK) != 0, path, "is there already: remove it, or name another file");
	by_the_store(path);
	check(sqlite3_open(path, &w->db) == SQLITE_OK, "open", path);
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -%d;"
		 "PRAGMA locking_mode = EXCLUSIVE; BEGIN",
		 CACHE_KIB);
	run(w->db, sql);
	snprintf(sql, sizeof(sql), "INSERT INTO networks(id, name) VALUES(1, '%.60s')", w->network);
	run(w->db, sql);
}

/* One by one, as rounds end. */
static void keep_reports(const char *path, uint64_t rounds)
{
	struct store *s = NULL;
	char why[640];

	check(store_open(path, STORE_WRITE, &s, why, sizeof(why)) == ERR_OK, "open", why);
	for (uint64_t id = 1; id <= rounds; id++) {
		struct report_options options = { .crawl_id = (int64_t)id, .key = { 1, 2 } };

		check(report_keep(s, &options) == ERR_OK, "report_keep", store_why(s));
	}
	store_close(s);
}

static void parse(struct world *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "network", required_argument, NULL, 'n' },
		{ "peers", required_argument, NULL, 'p' },
		{ "visits", required_argument, NULL, 'v' },
		{ "rounds", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			w->network = optarg;
		else if (c == 'p')
			w->peers_count = strtoull(optarg, NULL, 10);
		else if (c == 'v')
			w->visits_count = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			w->rounds = strtoull(optarg, NULL, 10);
		else
			exit(2);
	}
	check(optind == argc - 1, "usage",
	      "[--network NAME] [--peers N] [--visits N] [--rounds N] FILE");
	check(w->peers_count > 0 && w->peers_count < 1u << 31, "--peers", "1 to 2147483647");
	check(w->rounds > 0 && w->rounds < UINT16_MAX, "--rounds", "1 to 65534");
	check(strchr(w->network, '\'') == NULL, "--network", "a name");
	w->ethereum = strncmp(w->network, "ethereum", 8) == 0;
}

int main(int argc, char **argv)
{
	struct world w = { .network = "bitcoin",
			   .peers_count = 1000 * 1000,
			   .visits_count = 20 * 1000 * 1000,
			   .rounds = 168 };

	parse(&w, argc, argv);
	make_peers(&w);
	open_file(&w, argv[optind]);
	prepare_all(&w);
	for (uint64_t round = 1; round <= w.rounds; round++)
		make_round(&w, round);
	put_peers(&w);
	put_schedules(&w);
	if (w.ethereum)
		put_nodes(&w);
	run(w.db, "COMMIT");
	finalize_all(&w);
	check(sqlite3_close(w.db) == SQLITE_OK, "close", argv[optind]);
	keep_reports(argv[optind], w.rounds);
	printf("%llu peers, %llu visits in %llu rounds\n", (unsigned long long)w.peers_count,
	       (unsigned long long)w.visits, (unsigned long long)w.rounds);
	free(w.peers);
	return 0;
}
