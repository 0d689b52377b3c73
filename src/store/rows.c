#include "store/rows.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>

bool row_is_set(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) != SQLITE_NULL;
}

void row_text(sqlite3_stmt *st, int at, char *out, size_t cap)
{
	struct slice text = db_column(st, at);

	snprintf(out, cap, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.data : "");
}

int32_t row_ms(sqlite3_stmt *st, int at)
{
	return row_is_set(st, at) ? sqlite3_column_int(st, at) : -1;
}

/* ",FC64EC04,97C2C34C", as SQLite's hex() writes bytes. */
static size_t forks_text(const struct store_filter *filter, char out[static ROW_FORKS_MAX])
{
	size_t len = 0;

	assert(filter->forks_count <= STORE_FORKS_MAX);
	for (size_t i = 0; i < filter->forks_count; i++) {
		const uint8_t *f = filter->forks[i];

		len += (size_t)snprintf(out + len, ROW_FORKS_MAX - len, ",%02X%02X%02X%02X", f[0],
					f[1], f[2], f[3]);
	}
	return len;
}

void row_forks(sqlite3_stmt *st, const struct store_filter *filter,
	       char forks[static ROW_FORKS_MAX])
{
	if (filter->forks_count > 0)
		db_bind_text(st, 5, slice_of(forks, forks_text(filter, forks)));
}

enum err row_visits_range(struct store *s, int64_t crawl, int64_t range[static 2])
{
	sqlite3_stmt *st = db_use(s, SQL_VISITS_RANGE);
	enum err err = ERR_OK;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl);
	if (sqlite3_step(st) == SQLITE_ROW) {
		range[0] = sqlite3_column_int64(st, 0);
		range[1] = sqlite3_column_int64(st, 1);
	} else {
		err = db_fail(s);
	}
	db_done(st);
	return err;
}

enum err row_network(struct store *s, sqlite3_stmt *row, struct row_network *network)
{
	int64_t id = sqlite3_column_int64(row, 0);
	sqlite3_stmt *st;
	enum err err = ERR_OK;
	int rc;

	if (id == network->id)
		return ERR_OK;
	st = db_use(s, SQL_NETWORK_NAME);
	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		snprintf(network->name, sizeof(network->name), "%s", db_column_name(st, 0));
	else
		err = rc == SQLITE_DONE ? db_fail_as(s, ERR_CORRUPT, "a network has no name")
					: db_fail(s);
	db_done(st);
	network->id = err == ERR_OK ? id : 0;
	return err;
}

void row_peer(sqlite3_stmt *st, const char *network, struct store_peer *out)
{
	struct advert key = db_key_peer(db_column(st, 1));

	*out = (struct store_peer){
		.network = network,
		.addr = key.addr,
		.public = key.node_id,
		.address = slice_text(db_column_name(st, 2)),
		.node_id = slice_text(db_column_name(st, 3)),
		.visited = row_is_set(st, 4),
		.connect_ms = row_ms(st, 6),
		.handshake_ms = row_ms(st, 7),
		.has_version = row_is_set(st, 9),
		.first_seen_ms = db_column_ms(st, 12),
		.last_seen_ms = db_column_ms(st, 13),
		.last_reached_ms = row_is_set(st, 14) ? db_column_ms(st, 14) : -1,
		.visits = (uint64_t)sqlite3_column_int64(st, 15),
		.reached_count = (uint64_t)sqlite3_column_int64(st, 16),
		.has_claim = row_is_set(st, 17),
		.visit_at_ms = row_is_set(st, 19) ? db_column_ms(st, 19) : -1,
		.first_reached_ms = -1,
	};

	out->has_node = node_read(st, ROW_PEER_NODE, &out->node);
	out->tcp_port = out->node.tcp_port;
	if (row_is_set(st, ROW_PEER_NODE + NODE_COLUMNS_COUNT))
		out->first_reached_ms = db_column_ms(st, ROW_PEER_NODE + NODE_COLUMNS_COUNT);
	out->crawl_id = sqlite3_column_int64(st, ROW_PEER_MORE - 1);
	if (out->visited) {
		out->outcome = db_column_outcome(st, 4);
		out->reached = sqlite3_column_int(st, 5) != 0;
	}
	out->agent = db_column(st, 8);
	if (out->has_version) {
		out->protocol = sqlite3_column_int64(st, 9);
		out->services = (uint64_t)sqlite3_column_int64(st, 10);
		out->height = sqlite3_column_int64(st, 11);
	}
	if (out->has_claim) {
		out->claimed_services = (uint64_t)sqlite3_column_int64(st, 17);
		out->claimed_seen_s = sqlite3_column_int64(st, 18);
	}
}

/* Columns 14 .. 23 of SQL_VISITS. node_id has room for PEER_NODE_ID_MAX. */
static void visit_info(sqlite3_stmt *st, uint8_t *node_id, struct peer_info *out)
{
	size_t node_id_len = 0;

	out->height = -1;
	if (row_is_set(st, 15) &&
	    hex_decode(db_column(st, 15), node_id, PEER_NODE_ID_MAX, &node_id_len) == ERR_OK)
		out->node_id = slice_of(node_id, node_id_len);
	out->negotiation = db_column(st, 16);
	out->agent = db_column(st, 14);
	out->has_version = row_is_set(st, 17);
	if (out->has_version) {
		out->protocol = sqlite3_column_int64(st, 17);
		out->services = (uint64_t)sqlite3_column_int64(st, 18);
		out->height = sqlite3_column_int64(st, 19);
		out->relay = sqlite3_column_int(st, 20) != 0;
	}
	out->has_clock = row_is_set(st, 21);
	if (out->has_clock)
		out->clock_skew_s = sqlite3_column_int64(st, 21);
	out->has_feefilter = row_is_set(st, 22);
	if (out->has_feefilter)
		out->feefilter = (uint64_t)sqlite3_column_int64(st, 22);
	if (row_is_set(st, 23))
		netaddr_parse(db_column(st, 23), 0, &out->sees_us_as);
}

void row_visit(sqlite3_stmt *st, const char *network, struct row_visit *out)
{
	struct advert key = db_key_peer(db_column(st, 1));
	struct store_visit *v = &out->visit;

	*v = (struct store_visit){
		.network = network,
		.crawl_id = sqlite3_column_int64(st, 2),
		.record = {
			.addr = key.addr,
			.started_at_ms = db_column_ms(st, 3),
			.outcome = db_column_outcome(st, 4),
			.reached = sqlite3_column_int(st, 5) != 0,
			.tries = (uint8_t)sqlite3_column_int(st, 6),
			.stepwise = sqlite3_column_int(st, 7) != 0,
			.rule = db_column_words(st, 8),
			.connect_ms = row_ms(st, 9),
			.version_ms = row_ms(st, 10),
			.handshake_ms = row_ms(st, 11),
			.reply_ms = row_ms(st, 12),
			.total_ms = row_ms(st, 13),
			.adverts = (uint32_t)sqlite3_column_int64(st, 24),
			.adverts_new = (uint32_t)sqlite3_column_int64(st, 25),
			.adverts_cut = (uint32_t)sqlite3_column_int64(st, 26),
			.messages_in = (uint32_t)sqlite3_column_int64(st, 27),
			.unknown_in = (uint32_t)sqlite3_column_int64(st, 28),
			.bytes_in = (uint64_t)sqlite3_column_int64(st, 29),
			.bytes_out = (uint64_t)sqlite3_column_int64(st, 30),
		},
	};

	v->record.info.node_id = key.node_id;
	visit_info(st, out->node_id, &v->record.info);
	if (node_read(st, 31, &out->node))
		v->record.node = &out->node;
	v->tcp_port = out->node.tcp_port;
	if (v->tcp_port == 0)
		v->tcp_port = (uint16_t)sqlite3_column_int(st, 31 + NODE_COLUMNS_COUNT);
}
