/* watch_round.c: what the visits of a round say of its peers, once it is known that they say
 * something.
 *
 * As long as nobody at all was heard in a round, it may be this machine's own network that is down:
 * then nobody looked. Its visits wait in their table, and count as soon as there is a sign of life
 * of anybody, or at the end if too few were up before to tell one from the other. */
#include "store/db.h"
#include "store/watch.h"

#include <stdlib.h>

enum { LOOKED_MAX = 1024 /* visits at a time */ };

/* Refused, or closed at once: there is somebody. */
static bool is_sign_of_life(enum outcome outcome)
{
	return outcome != OUTCOME_CONNECT_TIMEOUT && outcome != OUTCOME_UNREACHABLE;
}

/* Of a round that is resumed, in the runs before, too. */
static enum err find_heard(struct store *s, int64_t crawl)
{
	sqlite3_stmt *st;
	int64_t heard = 0;
	enum err err;

	if (s->round == crawl)
		return ERR_OK;
	st = db_use(s, SQL_ROUND_HEARD);
	if (st != NULL) {
		sqlite3_bind_int64(st, 1, crawl);
		sqlite3_bind_int(st, 2, OUTCOME_CONNECT_TIMEOUT);
		sqlite3_bind_int(st, 3, OUTCOME_UNREACHABLE);
	}
	err = db_ask(s, st, 0, &heard);
	s->round_heard = heard != 0;
	s->round = err == ERR_OK ? crawl : 0;
	return err;
}

/* Some of the visits that wait, those of peers above *id. */
static enum err read_some(struct store *s, int64_t crawl, int64_t *id, struct record *records,
			  struct watch_visit *visits, size_t *count)
{
	sqlite3_stmt *st = db_use(s, SQL_ROUND_VISITS);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	*count = 0;
	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl);
	sqlite3_bind_int64(st, 2, *id);
	while (*count < LOOKED_MAX && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct record *r = &records[*count];

		*r = (struct record){ .outcome = OUTCOME_CONNECT_TIMEOUT };
		*id = sqlite3_column_int64(st, 0);
		r->started_at_ms = db_column_ms(st, 1);
		if (r->started_at_ms == 0)
			continue; /* of no round of ours */
		visits[(*count)++] = (struct watch_visit){ *id, r };
	}
	if (*count < LOOKED_MAX && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

static enum err count_with(struct store *s, const struct store_crawl *crawl, int64_t network_id,
			   struct record *records, struct watch_visit *visits)
{
	size_t count = LOOKED_MAX;
	int64_t id = 0;
	enum err err = ERR_OK;

	while (err == ERR_OK && count == LOOKED_MAX) {
		err = read_some(s, crawl->id, &id, records, visits, &count);
		if (err == ERR_OK && count > 0)
			err = watch_put(s, crawl, network_id, visits, count, true);
	}
	return err;
}

static enum err count_all(struct store *s, const struct store_crawl *crawl, int64_t network_id)
{
	struct record *records = malloc(LOOKED_MAX * sizeof(*records));
	struct watch_visit *visits = malloc(LOOKED_MAX * sizeof(*visits));
	enum err err;

	if (records != NULL && visits != NULL)
		err = count_with(s, crawl, network_id, records, visits);
	else
		err = db_fail_as(s, ERR_NOMEM, NULL);
	free(records);
	free(visits);
	if (err == ERR_OK)
		s->round_heard = true;
	return err;
}

enum err watch_round_put(struct store *s, const struct store_crawl *crawl, int64_t network_id,
			 const struct watch_visit *visits, size_t count)
{
	bool heard = false;
	enum err err = find_heard(s, crawl->id);

	for (size_t i = 0; i < count && !heard; i++)
		heard = is_sign_of_life(visits[i].record->outcome);
	if (err == ERR_OK && heard && !s->round_heard)
		err = count_all(s, crawl, network_id);
	if (err != ERR_OK || !s->round_heard)
		return err;
	return watch_put(s, crawl, network_id, visits, count, false);
}

enum err store_round_end(struct store *s, const struct store_crawl *crawl, bool *looked)
{
	int64_t network_id = 0, up = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);
	sqlite3_stmt *st;

	*looked = true;
	if (err == ERR_OK)
		err = find_heard(s, crawl->id);
	if (err != ERR_OK || s->round_heard)
		return err;
	st = db_use(s, SQL_WATCH_UP);
	if (st != NULL)
		sqlite3_bind_int64(st, 1, network_id);
	err = db_ask(s, st, 0, &up);
	if (err == ERR_OK) {
		*looked = up < STORE_ROUND_FEW;
		err = store_begin(s);
	}
	if (err == ERR_OK && *looked)
		err = db_ended(s, count_all(s, crawl, network_id));
	return err == ERR_OK ? store_commit(s) : err;
}
