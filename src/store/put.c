#include "store/put.h"

#include "base/hash.h"
#include "store/feed.h"
#include "store/look.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- what is gathered --- */

bool put_said_id(const struct record *r)
{
	return r->node == NULL && r->info.node_id.len > 0;
}

bool put_is_silent(const struct record *r)
{
	const struct peer_info *i = &r->info;

	return !r->reached && r->node == NULL && !i->has_version && i->node_id.len == 0 &&
	       i->negotiation.len == 0 && !i->has_clock && !i->has_feefilter &&
	       i->sees_us_as.kind == NETADDR_NONE && r->rule == NULL && !r->stepwise &&
	       r->version_ms < 0 && r->handshake_ms < 0 && r->reply_ms < 0 &&
	       (r->adverts | r->adverts_new | r->adverts_cut | r->messages_in | r->unknown_in |
		r->bytes_in | r->bytes_out) == 0;
}

static enum err start(struct store *s)
{
	if (s->puts != NULL)
		return ERR_OK;
	s->puts = calloc(1, sizeof(*s->puts));
	if (s->puts == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	sqlite3_randomness(sizeof(s->puts->key), &s->puts->key);
	return keymap_init(&s->puts->ids) == ERR_OK ? ERR_OK : db_fail_as(s, ERR_NOMEM, NULL);
}

static void forget(struct puts *p)
{
	keymap_clear(&p->ids);
	p->ids_network = 0;
	p->ids_of_all = false;
}

void put_forget_ids(struct store *s)
{
	if (s->puts != NULL) {
		assert(s->puts->peers_count == 0);
		forget(s->puts);
	}
}

static void begin_next(struct puts *p)
{
	p->peers_count = 0;
	p->adverts_count = 0;
	for (unsigned i = 0; i < PUT_LISTS; i++)
		p->lists[i].count = 0;
}

static void list(struct puts *p, enum put_list list, size_t peer)
{
	p->lists[list].at[p->lists[list].count++] = (uint32_t)peer;
}

void put_drop(struct store *s)
{
	if (s->puts != NULL) {
		begin_next(s->puts);
		forget(s->puts);
	}
}

void put_free(struct store *s)
{
	if (s->puts != NULL) {
		keymap_clear(&s->puts->ids);
		free(s->puts->adverts);
		free(s->puts);
	}
	s->puts = NULL;
}

static struct keymap_slot *slot_of(struct store *s, uint64_t hash)
{
	struct keymap *ids = &s->puts->ids;
	struct keymap_slot *slot = NULL;

	if (ids->slots != NULL || keymap_init(ids) == ERR_OK)
		slot = keymap_put(ids, hash);
	if (slot == NULL)
		db_fail_as(s, ERR_NOMEM, NULL);
	return slot;
}

/* What was gathered of that peer so far; begun if there is nothing. */
static enum err gather(struct store *s, const struct store_crawl *crawl, const struct netaddr *addr,
		       struct slice node_id, int64_t at_ms, struct put_peer **out)
{
	enum err err = start(s);
	struct puts *p = s->puts;
	struct keymap_slot *slot;
	uint8_t key[DB_KEY_MAX];
	uint64_t hash;

	if (err == ERR_OK && p->peers_count == PUT_PEERS_MAX)
		err = put_flush(s);
	if (err != ERR_OK)
		return err;
	assert(p->peers_count == 0 || p->crawl == crawl);
	p->crawl = crawl;
	hash = hash_siphash13(&p->key, key, db_key(addr, node_id, key));
	hash = hash != 0 ? hash : 1;
	slot = slot_of(s, hash);
	if (slot == NULL)
		return ERR_NOMEM;
	if (slot->count == 0) {
		p->peers[p->peers_count] = (struct put_peer){ .addr = *addr,
							      .node_id = node_id,
							      .hash = hash,
							      .at_ms = at_ms,
							      .from_ms = INT64_MAX,
							      .to_ms = INT64_MIN };
		slot->count = (uint32_t)++p->peers_count;
	}
	*out = &p->peers[slot->count - 1];
	return ERR_OK;
}

enum err put_known(struct store *s, const struct store_crawl *crawl, const struct netaddr *addr,
		   const struct advert *advert, int64_t at_ms)
{
	struct put_peer *peer;
	enum err err = gather(s, crawl, addr, advert != NULL ? advert->node_id : slice_of(NULL, 0),
			      at_ms, &peer);

	if (err != ERR_OK)
		return err;
	peer->known = true;
	peer->from_ms = at_ms < peer->from_ms ? at_ms : peer->from_ms;
	peer->to_ms = at_ms > peer->to_ms ? at_ms : peer->to_ms;
	if (advert == NULL)
		return ERR_OK;
	/* Whoever names a node says where it is, and nothing else of it. */
	if (advert->node_id.len == 0)
		peer->claim = advert;
	if (peer->tcp_port == 0)
		peer->tcp_port = advert->tcp_port;
	return ERR_OK;
}

enum err put_visit(struct store *s, const struct store_crawl *crawl, const struct record *record)
{
	/* The ids of nodes tell them apart. */
	struct slice node_id = record->node != NULL ? record->info.node_id : slice_of(NULL, 0);
	struct put_peer *peer;
	enum err err = gather(s, crawl, &record->addr, node_id, record->started_at_ms, &peer);

	if (err == ERR_OK && peer->visit != NULL) {
		err = put_flush(s);
		if (err == ERR_OK)
			err = gather(s, crawl, &record->addr, node_id, record->started_at_ms,
				     &peer);
	}
	if (err != ERR_OK)
		return err;
	peer->visit = record;
	if (record->reached && record->started_at_ms > peer->to_ms)
		peer->to_ms = record->started_at_ms;
	return ERR_OK;
}

static enum err room_for_advert(struct store *s)
{
	struct puts *p = s->puts;
	size_t cap = p->adverts_cap > 0 ? 2 * p->adverts_cap : 64;
	struct put_advert *adverts;

	if (p->adverts_count < p->adverts_cap)
		return ERR_OK;
	adverts = realloc(p->adverts, cap * sizeof(*adverts));
	if (adverts == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	p->adverts = adverts;
	p->adverts_cap = cap;
	return ERR_OK;
}

static enum err gather_named(struct store *s, const struct store_crawl *crawl,
			     const struct advert *advert, int64_t at_ms, uint32_t *out)
{
	struct put_peer *peer;
	size_t before = s->puts->peers_count;
	enum err err = gather(s, crawl, &advert->addr, advert->node_id, at_ms, &peer);

	if (err != ERR_OK)
		return err;
	if (s->puts->peers_count > before)
		peer->named_port = advert->tcp_port;
	*out = (uint32_t)(peer - s->puts->peers);
	return ERR_OK;
}

enum err put_advert(struct store *s, const struct store_crawl *crawl, const struct advert *from,
		    const struct advert *advert, int64_t at_ms)
{
	struct put_advert a = { .advert = advert, .at_ms = at_ms };
	enum err err = start(s);

	/* Both have to be among the same peers. */
	if (err == ERR_OK &&
	    (s->puts->peers_count + 2 > PUT_PEERS_MAX || s->puts->adverts_count == PUT_ADVERTS_MAX))
		err = put_flush(s);
	if (err == ERR_OK)
		err = room_for_advert(s);
	if (err == ERR_OK)
		err = gather_named(s, crawl, from, at_ms, &a.from);
	if (err == ERR_OK)
		err = gather_named(s, crawl, advert, at_ms, &a.peer);
	if (err == ERR_OK)
		s->puts->adverts[s->puts->adverts_count++] = a;
	return err;
}

/* --- whose rows are there --- */

/* Numbers that are kept are right as long as nobody else writes. */
static enum err check_ids(struct store *s)
{
	struct puts *p = s->puts;
	int64_t version = 0, any = 0;
	sqlite3_stmt *st;
	enum err err = store_version(s, &version);

	if (err != ERR_OK)
		return err;
	if (p->ids_network == p->network_id && p->ids_version == version &&
	    p->ids.used <= PUT_IDS_MAX)
		return ERR_OK;
	forget(p);
	st = db_use(s, SQL_PEER_ANY);
	if (st != NULL)
		sqlite3_bind_int64(st, 1, p->network_id);
	err = db_ask(s, st, 0, &any);
	p->ids_network = p->network_id;
	p->ids_version = version;
	p->ids_of_all = err == ERR_OK && any == 0;
	return err;
}

static enum err look_up(struct store *s)
{
	struct puts *p = s->puts;
	const struct feed feed = put_feed(p, PUT_MISSING);
	sqlite3_stmt *st = feed_use(s, SQL_PEERS_FIND, &feed);
	enum err err = ERR_OK;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, p->network_id);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		p->peers[sqlite3_column_int64(st, 0)].id = sqlite3_column_int64(st, 1);
	if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

static enum err find_ids(struct store *s)
{
	struct puts *p = s->puts;
	enum err err = check_ids(s);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < p->peers_count; i++) {
		const struct keymap_slot *slot =
			p->ids.slots != NULL ? keymap_find(&p->ids, p->peers[i].hash) : NULL;

		p->peers[i].id = slot != NULL ? slot->id : 0;
		if (p->peers[i].id == 0)
			list(p, PUT_MISSING, i);
	}
	return p->lists[PUT_MISSING].count > 0 && !p->ids_of_all ? look_up(s) : ERR_OK;
}

/* Most late retries find what the first try found, nobody, and then nothing but their number is
 * new. */
static bool may_be_again(const struct put_peer *peer)
{
	const struct record *r = peer->visit;

	return r != NULL && peer->id != 0 && r->tries > 1 && r->node == NULL &&
	       r->outcome == OUTCOME_CONNECT_TIMEOUT;
}

/* Leaves in the list those whose first try timed out, too. */
static enum err find_again(struct store *s)
{
	struct puts *p = s->puts;
	const struct feed feed = put_feed(p, PUT_AGAIN);
	sqlite3_stmt *st = feed_use(s, SQL_VISITS_AGAIN, &feed);
	size_t count = 0;
	enum err err = ERR_OK;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, p->crawl->id);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct put_peer *peer = &p->peers[sqlite3_column_int64(st, 0)];

		peer->again = sqlite3_column_int64(st, 1);
		p->lists[PUT_AGAIN].at[count++] = (uint32_t)(peer - p->peers);
	}
	if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	p->lists[PUT_AGAIN].count = count;
	return err;
}

static enum err put_again(struct store *s)
{
	struct puts *p = s->puts;
	enum err err = ERR_OK;

	for (size_t i = 0; i < p->peers_count; i++)
		if (may_be_again(&p->peers[i]))
			list(p, PUT_AGAIN, i);
	if (p->lists[PUT_AGAIN].count > 0)
		err = find_again(s);
	if (err == ERR_OK && p->lists[PUT_AGAIN].count > 0) {
		const struct feed feed = put_feed(p, PUT_AGAIN);

		err = feed_run(s, SQL_VISITS_TRIED, &feed);
	}
	return err;
}

/* Who gets which statement, and numbers for those that are new: each is the last of the table when
 * it is written. */
static enum err sort_out(struct store *s)
{
	struct puts *p = s->puts;
	int64_t newest = 0;
	enum err err = db_ask(s, db_use(s, SQL_PEER_NEWEST), 0, &newest);

	if (err == ERR_OK && newest > INT64_MAX / 2)
		err = db_fail_as(s, ERR_CORRUPT, "the numbers of its peers come to their end");
	newest = newest > 0 ? newest : 0;
	for (size_t i = 0; i < p->peers_count && err == ERR_OK; i++) {
		struct put_peer *peer = &p->peers[i];
		bool visited = peer->visit != NULL && peer->again == 0;
		bool silent = visited && put_is_silent(peer->visit);

		peer->fresh = peer->id == 0;
		if (peer->fresh)
			peer->id = ++newest;
		if (peer->fresh || (visited && !silent))
			list(p, PUT_WHOLE, i);
		else if (visited)
			list(p, PUT_SILENT, i);
		else if (peer->known)
			list(p, PUT_KNOWN, i);
		if (visited)
			list(p, silent ? PUT_MISSED : PUT_VISITED, i);
	}
	return err;
}

/* --- writing --- */

static enum err watch_visits(struct store *s)
{
	struct puts *p = s->puts;
	struct watch_visit *visits;
	size_t count = 0;
	enum err err;

	if (p->crawl->every_ms == 0 ||
	    p->lists[PUT_MISSED].count + p->lists[PUT_VISITED].count == 0)
		return ERR_OK;
	visits = malloc(p->peers_count * sizeof(*visits));
	if (visits == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	for (size_t i = 0; i < p->peers_count; i++) {
		const struct put_peer *peer = &p->peers[i];

		if (peer->visit != NULL && peer->again == 0)
			visits[count++] = (struct watch_visit){ peer->id, peer->visit };
	}
	err = watch_round_put(s, p->crawl, p->network_id, visits, count);
	free(visits);
	return err;
}

static enum err write_list(struct store *s, enum put_list list, enum sql sql)
{
	const struct puts *p = s->puts;
	const struct feed feed = put_feed(p, list);
	const int64_t numbers[] = { p->crawl->id, p->network_id };
	sqlite3_stmt *st;
	int taken;

	if (feed.count == 0)
		return ERR_OK;
	st = feed_use(s, sql, &feed);
	if (st == NULL)
		return db_fail(s);
	/* Some take both, some the first, and some none. */
	taken = sqlite3_bind_parameter_count(st);
	assert(taken <= (int)(sizeof(numbers) / sizeof(*numbers)));
	for (int i = 0; i < taken; i++)
		sqlite3_bind_int64(st, i + 1, numbers[i]);
	return db_run(s, st);
}

static enum err write_nodes(struct store *s)
{
	const struct puts *p = s->puts;
	enum err err = ERR_OK;

	for (size_t i = 0; i < p->peers_count && err == ERR_OK; i++) {
		const struct put_peer *peer = &p->peers[i];

		if (peer->visit != NULL && peer->visit->node != NULL)
			err = node_put(s, p->crawl, peer->id, peer->visit);
	}
	return err;
}

static enum err write_rows(struct store *s)
{
	static const struct {
		enum put_list list;
		enum sql sql;
	} parts[] = {
		{ PUT_KNOWN, SQL_PEERS_KNOWN },  { PUT_SILENT, SQL_PEERS_SILENT },
		{ PUT_WHOLE, SQL_PEERS_PUT },    { PUT_MISSED, SQL_VISITS_MISSED },
		{ PUT_VISITED, SQL_VISITS_PUT },
	};
	const struct feed adverts = put_adverts(s->puts);
	enum err err = ERR_OK;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts) && err == ERR_OK; i++)
		err = write_list(s, parts[i].list, parts[i].sql);
	if (err == ERR_OK)
		err = write_nodes(s);
	if (err == ERR_OK && adverts.count > 0)
		err = feed_run(s, SQL_ADVERTS_PUT, &adverts);
	return err;
}

/* A number that doesn't fit is looked up each time. */
static enum err keep_ids(struct store *s)
{
	struct puts *p = s->puts;

	for (size_t i = 0; i < p->peers_count; i++) {
		struct keymap_slot *slot = slot_of(s, p->peers[i].hash);

		if (slot == NULL)
			return ERR_NOMEM;
		slot->count = 0;
		slot->id = p->peers[i].id <= UINT32_MAX ? (uint32_t)p->peers[i].id : 0;
		p->ids_of_all = p->ids_of_all && slot->id != 0;
	}
	return ERR_OK;
}

static enum err write_all(struct store *s)
{
	enum err err = find_ids(s);

	if (err == ERR_OK)
		err = put_again(s);
	if (err == ERR_OK)
		err = sort_out(s);
	if (err == ERR_OK)
		err = watch_visits(s);
	if (err == ERR_OK)
		err = write_rows(s);
	if (err == ERR_OK)
		err = keep_ids(s);
	if (err == ERR_OK)
		begin_next(s->puts);
	return err;
}

enum err put_flush(struct store *s)
{
	bool alone = !s->in_batch;
	enum err err;

	if (s->puts == NULL || s->puts->peers_count == 0)
		return ERR_OK;
	err = db_network(s, s->puts->crawl->network, true, &s->puts->network_id);
	if (err == ERR_OK && alone)
		err = store_begin(s);
	if (err == ERR_OK)
		err = write_all(s);
	if (err != ERR_OK)
		put_drop(s);
	return err == ERR_OK && alone ? store_commit(s) : err;
}
