/* fuzz_gossip.c: a session of a gossip network that is fed a stranger's bytes, and what
 * `peerwalk decode gossip` makes of them.
 *
 * The first byte chooses role and goal. Whatever follows: the session takes no more than it was
 * given, asks for no more than it announced, tells its end exactly once, names no more than a
 * message may, sends nothing but well-formed messages, and comes to the same verdict however the
 * bytes were cut up on their way. Each line by itself: what was decoded and is written again
 * decodes to the same. */
#include "fuzz/session.h"
#include "proto/gossip/explain.h"
#include "proto/gossip/json_walk.h"
#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = GOSSIP_LINE_MAX + 4096 };

static void check_adverts(struct session_event *e, const struct advert *adverts, size_t count)
{
	CHECK(e->count > 0 && e->count <= GOSSIP_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		CHECK(netaddr_is_ip(&adverts[i].addr) && adverts[i].addr.port != 0);
}

static void check_message(const struct session_event *e)
{
	CHECK(e->whole.data == e->payload.data && e->whole.len > e->payload.len);
}

static void check_info(const struct peer_info *info)
{
	CHECK(info->group.len <= GOSSIP_GROUP_MAX);
	CHECK(info->node_id.len == 0 || info->node_id.len == UUID_LEN);
}

static void check_session(uint8_t how, struct slice in)
{
	static const struct fuzz_checks checks = { check_adverts, check_message, check_info };
	struct session_params params = {
		.network = network_find("gossip"),
		.role = how & 1 ? SESSION_RESPONDER : SESSION_INITIATOR,
		.goal = (enum session_goal)(how >> 1 & 3),
		.nonce = 111,
		.agent = slice_text("peerwalk \"fuzz\""),
		.peer = netaddr_ipv4(0x05060708, 5999),
		.group = how & 8 ? slice_text("group") : slice_of(NULL, 0),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	if (params.goal == SESSION_GOAL_STAY)
		params.timeout_ms = 0;
	fuzz_session(&checks, &params, in);
}

/* --- lines --- */

static void check_hello(const struct gossip_hello *hello)
{
	uint8_t bytes[4096];
	struct gossip_message again;
	const char *rule;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	gossip_hello_encode(&w, hello);
	CHECK(writer_ok(&w));
	CHECK(gossip_decode(slice_of(bytes, w.len - 1), &again, &rule) == ERR_OK);
	CHECK(again.type == GOSSIP_HELLO && memcmp(&again.hello, hello, sizeof(*hello)) == 0);
}

static void check_nonce(const struct gossip_message *m)
{
	uint8_t bytes[256];
	struct gossip_message again;
	const char *rule;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	gossip_ping_encode(&w, m->type, m->nonce);
	CHECK(writer_ok(&w));
	CHECK(gossip_decode(slice_of(bytes, w.len - 1), &again, &rule) == ERR_OK);
	CHECK(again.type == m->type && slice_equal(again.nonce, m->nonce));
}

/* Every entry of the list is walked over, however it is written. */
static void check_peers(const struct gossip_message *m)
{
	struct gossip_peer peer;
	uint32_t count = 0;
	struct reader r;

	reader_init(&r, m->peers);
	if (m->count > 0)
		json_enter(&r);
	while (m->count > 0 && gossip_peer_next(&r, &peer))
		count++;
	CHECK(count == m->count);
}

static void check_field(void *ctx, const struct field *f)
{
	const struct slice *in = ctx;

	CHECK(f->name != NULL);
	CHECK(f->at <= in->len && f->len <= in->len - f->at);
	CHECK(f->kind != FIELD_TEXT || f->bytes.len <= f->len);
}

static void check_line(struct slice line)
{
	struct gossip_message m;
	const char *rule;
	size_t at;
	enum err err = gossip_decode(line, &m, &rule);

	CHECK((err == ERR_OK) == (rule == NULL));
	CHECK(gossip_explain(network_find("gossip"), line, check_field, &line, &at, &rule) == err ||
	      memchr(line.data, '\n', line.len) != NULL ||
	      (line.len > 0 && line.data[line.len - 1] == '\r'));
	if (err != ERR_OK)
		return;
	if (m.type == GOSSIP_HELLO)
		check_hello(&m.hello);
	else if (m.type == GOSSIP_PING || m.type == GOSSIP_PONG)
		check_nonce(&m);
	else if (m.type == GOSSIP_ADDR)
		check_peers(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > INPUT_MAX)
		return 0;
	check_session(data[0], slice_of(data + 1, size - 1));
	check_line(slice_of(data + 1, size - 1));
	return 0;
}
