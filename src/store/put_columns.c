/* put_columns.c: what is gathered, column by column, in the order of the statements in sql.c. */
#include "store/put.h"

#include "store/feed.h"

/* --- peers --- */

static const struct put_peer *peer_at(const struct puts *p, enum put_list list, size_t row)
{
	return &p->peers[p->lists[list].at[row]];
}

static void key_column(const struct put_peer *peer, sqlite3_context *out)
{
	uint8_t key[DB_KEY_MAX];
	size_t len = db_key(&peer->addr, peer->node_id, key);

	sqlite3_result_blob(out, key, (int)len, SQLITE_TRANSIENT);
}

static void host_column(const struct put_peer *peer, sqlite3_context *out)
{
	char host[NETADDR_HOST_TEXT_MAX];
	size_t len = netaddr_host_text(&peer->addr, host);

	sqlite3_result_text(out, host, (int)len, SQLITE_TRANSIENT);
}

/* What the row has already is left as it is, so there it doesn't matter. */
static void node_id_column(const struct put_peer *peer, sqlite3_context *out)
{
	if (peer->visit != NULL && put_said_id(peer->visit))
		feed_hex(out, peer->visit->info.node_id);
	else
		feed_hex(out, peer->fresh ? peer->node_id : slice_of(NULL, 0));
}

/* Of a row that is there: what is not to change anything. */
static int64_t first_seen_ms(const struct put_peer *peer)
{
	return peer->fresh && peer->at_ms < peer->from_ms ? peer->at_ms : peer->from_ms;
}

static int64_t last_seen_ms(const struct put_peer *peer)
{
	return peer->fresh && peer->at_ms > peer->to_ms ? peer->at_ms : peer->to_ms;
}

/* Below 0: what others say, which only fills in what is missing. A new row has the number itself.
 */
static void port_column(const struct put_peer *peer, sqlite3_context *out)
{
	const struct record *visit = peer->again != 0 ? NULL : peer->visit;
	int said = visit != NULL && visit->node != NULL ? visit->node->tcp_port : 0;
	int told = peer->fresh && peer->named_port != 0 ? peer->named_port : peer->tcp_port;

	if (said == 0)
		said = peer->fresh || visit == NULL ? told : -told;
	if (said != 0)
		sqlite3_result_int(out, said);
}

/* c0 .. c9: who it is. */
static void peer_column(const struct puts *p, const struct put_peer *peer, int column,
			sqlite3_context *out)
{
	switch (column) {
	case 0:
		sqlite3_result_int64(out, peer->id);
		return;
	case 1:
		sqlite3_result_int64(out, p->network_id);
		return;
	case 2:
		key_column(peer, out);
		return;
	case 3:
		sqlite3_result_int(out, peer->addr.kind);
		return;
	case 4:
		if (peer->fresh)
			host_column(peer, out);
		else
			feed_text(out, slice_of(NULL, 0));
		return;
	case 5:
		sqlite3_result_int(out, peer->addr.port);
		return;
	case 6:
		node_id_column(peer, out);
		return;
	case 7:
		if (peer->known || peer->visit != NULL)
			sqlite3_result_int64(out, p->crawl->id);
		return;
	case 8:
		sqlite3_result_int64(out, first_seen_ms(peer));
		return;
	case 9:
		sqlite3_result_int64(out, last_seen_ms(peer));
		return;
	}
}

/* c23 .. c25: what others say. */
static void claim_column(const struct put_peer *peer, int column, sqlite3_context *out)
{
	if (column == 25)
		port_column(peer, out);
	else if (peer->claim != NULL && column == 23)
		sqlite3_result_int64(out, (int64_t)peer->claim->services);
	else if (peer->claim != NULL)
		sqlite3_result_int64(out, peer->claim->last_seen_s);
}

/* -1: not reached, which is NULL. */
static void ms_column(int32_t ms, sqlite3_context *out)
{
	if (ms >= 0)
		sqlite3_result_int(out, ms);
}

/* c10 .. c18: the newest visit. */
static void newest_column(const struct puts *p, const struct record *r, int column,
			  sqlite3_context *out)
{
	switch (column) {
	case 10:
		if (r->reached)
			sqlite3_result_int64(out,
					     r->started_at_ms +
						     (r->handshake_ms > 0 ? r->handshake_ms : 0));
		return;
	case 11:
		sqlite3_result_int(out, 1);
		return;
	case 12:
	case 16:
		sqlite3_result_int(out, r->reached);
		return;
	case 13:
		sqlite3_result_int64(out, p->crawl->id);
		return;
	case 14:
		sqlite3_result_int64(out, r->started_at_ms);
		return;
	case 15:
		sqlite3_result_int(out, (int)r->outcome);
		return;
	case 17:
		ms_column(r->connect_ms, out);
		return;
	case 18:
		ms_column(r->handshake_ms, out);
		return;
	}
}

/* c19 .. c22: what it said of itself. */
static void heard_column(const struct record *r, int column, sqlite3_context *out)
{
	const struct peer_info *info = &r->info;

	if (column == 19) {
		if (info->has_version || put_said_id(r))
			feed_bytes(out, info->agent);
	} else if (!info->has_version) {
		return;
	} else if (column == 20) {
		sqlite3_result_int64(out, info->protocol);
	} else if (column == 21) {
		sqlite3_result_int64(out, (int64_t)info->services);
	} else {
		sqlite3_result_int64(out, info->height);
	}
}

/* Of SQL_PEERS_KNOWN and SQL_PEERS_PUT. */
static void row_column(const struct puts *p, const struct put_peer *peer, int column,
		       sqlite3_context *out)
{
	const struct record *r = peer->again != 0 ? NULL : peer->visit;

	if (column < 10)
		peer_column(p, peer, column, out);
	else if (column > 22)
		claim_column(peer, column, out);
	else if (r != NULL && column < 19)
		newest_column(p, r, column, out);
	else if (r != NULL)
		heard_column(r, column, out);
	else if (column == 11 || column == 12) /* how often it was visited, and reached */
		sqlite3_result_int(out, 0);
}

static void known_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;

	row_column(p, peer_at(p, PUT_KNOWN, row), column, out);
}

static void whole_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;

	row_column(p, peer_at(p, PUT_WHOLE, row), column, out);
}

/* Of SQL_PEERS_SILENT. */
static void silent_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;
	const struct put_peer *peer = peer_at(p, PUT_SILENT, row);

	switch (column) {
	case 0:
		sqlite3_result_int64(out, peer->id);
		return;
	case 1:
		key_column(peer, out);
		return;
	case 2:
		sqlite3_result_int64(out, first_seen_ms(peer));
		return;
	case 3:
		sqlite3_result_int64(out, last_seen_ms(peer));
		return;
	case 4:
		sqlite3_result_int64(out, peer->visit->started_at_ms);
		return;
	case 5:
		sqlite3_result_int(out, (int)peer->visit->outcome);
		return;
	case 6:
		ms_column(peer->visit->connect_ms, out);
		return;
	}
	claim_column(peer, column + 16, out);
}

/* --- visits --- */

/* c14 .. c23 of SQL_VISITS_PUT: what the peer said of itself. */
static void info_column(const struct record *r, int column, sqlite3_context *out)
{
	const struct peer_info *info = &r->info;
	char text[NETADDR_TEXT_MAX];

	switch (column) {
	case 14:
		if (info->has_version || put_said_id(r))
			feed_bytes(out, info->agent);
		return;
	case 15:
		/* A node's key is who was visited: the peer's row has it, a million visits need
		 * not. */
		if (put_said_id(r))
			feed_hex(out, info->node_id);
		return;
	case 16:
		if (info->negotiation.len > 0)
			feed_bytes(out, info->negotiation);
		return;
	case 21:
		if (info->has_clock)
			sqlite3_result_int64(out, info->clock_skew_s);
		return;
	case 22:
		if (info->has_feefilter)
			sqlite3_result_int64(out, (int64_t)info->feefilter);
		return;
	case 23:
		if (info->sees_us_as.kind != NETADDR_NONE)
			sqlite3_result_text(out, text, (int)netaddr_text(&info->sees_us_as, text),
					    SQLITE_TRANSIENT);
		return;
	}
	if (!info->has_version)
		return;
	if (column == 17)
		sqlite3_result_int64(out, info->protocol);
	else if (column == 18)
		sqlite3_result_int64(out, (int64_t)info->services);
	else if (column == 19)
		sqlite3_result_int64(out, info->height);
	else if (column == 20)
		sqlite3_result_int(out, info->relay);
}

/* c24 .. c30. */
static void count_column(const struct record *r, int column, sqlite3_context *out)
{
	const uint64_t counts[] = { r->adverts,    r->adverts_new, r->adverts_cut, r->messages_in,
				    r->unknown_in, r->bytes_in,    r->bytes_out };

	sqlite3_result_int64(out, (int64_t)counts[column - 24]);
}

/* c0 is SQLite's. */
static void visit_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;
	const struct put_peer *peer = peer_at(p, PUT_VISITED, row);
	const struct record *r = peer->visit;

	switch (column) {
	case 1:
		sqlite3_result_int64(out, p->crawl->id);
		return;
	case 2:
		sqlite3_result_int64(out, peer->id);
		return;
	case 3:
		sqlite3_result_int64(out, r->started_at_ms);
		return;
	case 4:
		sqlite3_result_int(out, (int)r->outcome);
		return;
	case 5:
		sqlite3_result_int(out, r->reached);
		return;
	case 6:
		sqlite3_result_int(out, r->tries);
		return;
	case 7:
		sqlite3_result_int(out, r->stepwise);
		return;
	case 8:
		if (r->rule != NULL)
			feed_text(out, slice_text(r->rule));
		return;
	case 9:
		ms_column(r->connect_ms, out);
		return;
	case 10:
		ms_column(r->version_ms, out);
		return;
	case 11:
		ms_column(r->handshake_ms, out);
		return;
	case 12:
		ms_column(r->reply_ms, out);
		return;
	case 13:
		ms_column(r->total_ms, out);
		return;
	}
	if (column < 24)
		info_column(r, column, out);
	else
		count_column(r, column, out);
}

/* Of SQL_VISITS_MISSED. */
static void missed_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;
	const struct put_peer *peer = peer_at(p, PUT_MISSED, row);
	const struct record *r = peer->visit;

	switch (column) {
	case 0:
		sqlite3_result_int64(out, peer->id);
		return;
	case 1:
		sqlite3_result_int64(out, r->started_at_ms);
		return;
	case 2:
		sqlite3_result_int(out, (int)r->outcome);
		return;
	case 3:
		sqlite3_result_int(out, r->tries);
		return;
	case 4:
		ms_column(r->connect_ms, out);
		return;
	case 5:
		ms_column(r->total_ms, out);
		return;
	}
}

/* Of SQL_VISITS_AGAIN, and c3 and c4 of SQL_VISITS_TRIED. */
static void again_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;
	const struct put_peer *peer = peer_at(p, PUT_AGAIN, row);
	const int64_t numbers[] = { p->lists[PUT_AGAIN].at[row], peer->id,
				    (int64_t)peer->visit->outcome, peer->again,
				    peer->visit->tries };

	sqlite3_result_int64(out, numbers[column]);
}

/* --- adverts, and the rest --- */

static void advert_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;
	const struct put_advert *a = &p->adverts[row];

	switch (column) {
	case 0:
		sqlite3_result_int64(out, p->crawl->id);
		return;
	case 1:
		sqlite3_result_int64(out, p->peers[a->from].id);
		return;
	case 2:
		sqlite3_result_int64(out, p->peers[a->peer].id);
		return;
	case 3:
		sqlite3_result_int64(out, a->at_ms);
		return;
	case 4:
		sqlite3_result_int64(out, (int64_t)a->advert->services);
		return;
	case 5:
		sqlite3_result_int64(out, a->advert->last_seen_s);
		return;
	}
}

static void missing_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct puts *p = feed->rows;

	if (column == 0)
		sqlite3_result_int64(out, p->lists[PUT_MISSING].at[row]);
	else
		key_column(peer_at(p, PUT_MISSING, row), out);
}

struct feed put_feed(const struct puts *p, enum put_list list)
{
	struct feed feed = { .rows = p, .count = p->lists[list].count };

	switch (list) {
	case PUT_MISSING:
		feed.column = missing_column;
		break;
	case PUT_KNOWN:
		feed.column = known_column;
		break;
	case PUT_SILENT:
		feed.column = silent_column;
		break;
	case PUT_WHOLE:
		feed.column = whole_column;
		break;
	case PUT_MISSED:
		feed.column = missed_column;
		break;
	case PUT_VISITED:
		feed.column = visit_column;
		break;
	case PUT_AGAIN:
		feed.column = again_column;
		break;
	case PUT_LISTS:
		break;
	}
	return feed;
}

struct feed put_adverts(const struct puts *p)
{
	return (struct feed){ p, p->adverts_count, advert_column };
}
