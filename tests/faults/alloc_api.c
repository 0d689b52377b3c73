/* alloc_api.c: the public library (peerwalk.h), as far as it needs no socket: codecs, sessions that
 * talk to each other, and what is read of a database. (Contacts and records allocate nothing.) */
#include "peerwalk.h"

#include "faults/data.h"

#include <string.h>

#define BYTES(text) ((struct pw_bytes){ (const uint8_t *)(text), strlen(text) })

/* The example of EIP-778, and the key that it is signed with. */
static const char record[] =
	"enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8"
	"RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHC"
	"Cdl8";
static const char url[] = "enode://"
			  "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138"
			  "7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"
			  "@127.0.0.1:30303";
static const uint8_t key_of_url[] = { 0xb7, 0x1c, 0x71, 0xa6, 0x7e, 0x11, 0x77, 0xad,
				      0x4e, 0x90, 0x16, 0x95, 0xe1, 0xb4, 0xb9, 0xee,
				      0x17, 0xae, 0x16, 0xc6, 0x66, 0x8d, 0x31, 0x3e,
				      0xac, 0x2f, 0x96, 0xdb, 0xcd, 0xa3, 0xf2, 0x91 };

static void said_text(const char *text)
{
	said(slice_text(text));
}

static const struct pw_network *network_of(const char *name)
{
	return pw_network_find(name);
}

/* --- messages --- */

static enum pw_err there_and_back(const struct pw_network *network, const char *name,
				  const char *payload)
{
	struct pw_message m = { .size = sizeof(m) };
	struct pw_fault fault;
	uint8_t bytes[4096];
	size_t len;
	enum pw_err err =
		pw_message_encode(network, name, BYTES(payload), bytes, sizeof(bytes), &len);

	if (err == PW_OK)
		err = pw_message_decode(network, bytes, len, &m, &fault);
	if (err != PW_OK)
		return err;
	want(strcmp(m.name, name) == 0 && m.whole.len == len);
	said(slice_of(m.payload.data, m.payload.len));
	return PW_OK;
}

static enum err run_messages(void)
{
	static const uint8_t magic[4] = { 1, 2, 3, 4 };
	struct pw_network *own;
	char text[256];
	size_t len;
	enum pw_err err = pw_network_new("our-own", magic, 4000, &own);

	if (err == PW_OK)
		err = there_and_back(own, "inv", "twelve bytes");
	if (err == PW_OK)
		err = there_and_back(network_of("gossip"), "hello",
				     "{\"nodeid\":\"00000000-0000-4000-8000-000000000001\","
				     "\"agent\":\"a\",\"port\":5999}");
	if (err == PW_OK)
		err = there_and_back(network_of("gossip"), "chat",
				     "{\"text\":\"\\u00fc\",\"n\":[1,2]}");
	if (err == PW_OK)
		err = pw_json_text(BYTES("{\"text\":\"\\u00fc\",\"more\":{\"a\":[]}}"), "text",
				   text, sizeof(text), &len);
	if (err == PW_OK)
		said_text(text);
	want(pw_json_quote(BYTES("a \"word\""), text, sizeof(text)) ==
	     strlen("\"a \\\"word\\\"\""));
	pw_network_free(own);
	return (enum err)err;
}

/* --- fields --- */

static void on_field(void *ctx, const struct pw_field *field)
{
	(void)ctx;
	said_text(field->name);
	said_text(field->text);
}

static enum pw_err explain(const char *network, struct pw_bytes bytes)
{
	struct pw_fault fault;

	return pw_explain(network_of(network), bytes.data, bytes.len, on_field, NULL, &fault);
}

static enum err run_explain(void)
{
	static const char inv[38] = "\1\2\0\0\0";
	uint8_t bytes[256];
	size_t len;
	enum pw_err err = pw_message_encode(network_of("bitcoin"), "inv",
					    (struct pw_bytes){ (const uint8_t *)inv, 37 }, bytes,
					    sizeof(bytes), &len);

	if (err == PW_OK)
		err = explain("bitcoin", (struct pw_bytes){ bytes, len });
	if (err == PW_OK)
		err = explain("gossip",
			      BYTES("{\"msgtype\":\"chat\",\"list\":[1,{\"a\":\"b\"}]}\n"));
	if (err == PW_OK)
		err = explain("ethereum", BYTES(record));
	if (err == PW_OK)
		err = explain("ethereum", BYTES(url));
	return (enum err)err;
}

/* --- sessions --- */

enum { NOW_MS = 1000 };

static struct end {
	struct pw_session *session;
	bool over;
} ends[2]; /* who dials; who is dialled */

static enum pw_err answer(struct end *e)
{
	struct pw_advert known[] = {
		{ .host = "192.0.2.1", .port = 8333, .last_seen_s = 1780000000 },
		{ .host = "2001:db8::1", .port = 8333 }
	};

	return pw_session_answer(e->session, known, 2);
}

static enum pw_err handle(struct end *e)
{
	const struct pw_event *event;
	const struct pw_advert *advert;
	enum pw_err err = PW_OK;

	while (err == PW_OK && (event = pw_session_next(e->session)) != NULL) {
		said_number(event->kind);
		if (event->kind == PW_EVENT_ASKED)
			err = answer(e);
		else if (event->kind == PW_EVENT_DONE)
			e->over = true;
		while (event->kind == PW_EVENT_ADVERTS &&
		       (advert = pw_session_advert(e->session)) != NULL)
			said_text(advert->host);
	}
	return err;
}

static enum pw_err pass(struct end *from, struct end *to, bool *more)
{
	uint8_t bytes[512];
	enum pw_err err = handle(from);
	size_t n;

	while (err == PW_OK && (n = pw_session_send(from->session, bytes, sizeof(bytes))) > 0) {
		*more = true;
		err = pw_session_recv(to->session, bytes, n, NOW_MS + 10);
		if (err == PW_OK)
			err = handle(to);
	}
	return err;
}

/* Until neither has anything to say; then who dialled gets tired of it. */
static enum pw_err talk(void)
{
	enum pw_err err = PW_OK;
	bool more = true;

	while (err == PW_OK && more) {
		more = false;
		err = pass(&ends[0], &ends[1], &more);
		if (err == PW_OK)
			err = pass(&ends[1], &ends[0], &more);
		if (!more && !ends[0].over && err == PW_OK) {
			pw_session_tick(ends[0].session, pw_session_deadline(ends[0].session));
			more = true;
		}
	}
	return err;
}

static enum err converse(const char *network, const char *peer, const uint8_t *key)
{
	enum pw_err err = PW_OK;

	memset(ends, 0, sizeof(ends));
	for (unsigned i = 0; i < 2 && err == PW_OK; i++) {
		const struct pw_session_config config = {
			.size = sizeof(config),
			.network = network_of(network),
			.role = i == 0 ? PW_INITIATOR : PW_RESPONDER,
			.nonce = i + 1,
			.unix_s = 1780000000,
			.peer = i == 0 ? peer : "192.0.2.9:4000",
			.key = i == 1 ? key : NULL,
			.listen_port = strcmp(network, "gossip") == 0 ? 5999 : 0,
		};

		err = pw_session_new(&config, NOW_MS, &ends[i].session);
	}
	if (err == PW_OK)
		err = talk();
	if (err == PW_OK) {
		said_text(pw_session_info(ends[1].session)->agent);
		want(ends[0].over);
	}
	for (unsigned i = 0; i < 2; i++)
		pw_session_free(ends[i].session);
	return (enum err)err;
}

static enum err run_bitcoin(void)
{
	return converse("bitcoin", "192.0.2.8:8333", NULL);
}

static enum err run_gossip(void)
{
	return converse("gossip", "192.0.2.8:5999", NULL);
}

static enum err run_ethereum(void)
{
	return converse("ethereum", url, key_of_url);
}

/* --- what was kept --- */

static const char *kept;

static void need_kept(void)
{
	if (kept == NULL)
		kept = data_make("kept.db");
}

static bool on_crawl(void *ctx, const struct pw_kept_crawl *crawl)
{
	(void)ctx;
	said_number((uint64_t)crawl->crawl);
	return true;
}

static bool on_peer(void *ctx, const struct pw_kept_peer *peer)
{
	(void)ctx;
	said_text(peer->peer);
	said_text(peer->info->agent);
	return true;
}

static bool on_visit(void *ctx, const struct pw_kept_visit *visit)
{
	(void)ctx;
	said_number((uint64_t)visit->crawl);
	said_text(visit->visit->peer);
	return true;
}

static bool on_address(void *ctx, const struct pw_kept_address *address)
{
	(void)ctx;
	said_text(address->peer);
	return true;
}

static enum err run_kept(void)
{
	struct pw_store *store;
	enum pw_err err = pw_store_open(kept, &store);

	if (err == PW_OK)
		err = pw_store_crawls(store, NULL, on_crawl, NULL);
	if (err == PW_OK)
		err = pw_store_peers(store, NULL, 0, on_peer, NULL);
	if (err == PW_OK)
		err = pw_store_visits(store, "ethereum", 4, on_visit, NULL);
	if (err == PW_OK)
		err = pw_store_addresses(store, "bitcoin", on_address, NULL);
	if (err != PW_OK && store != NULL)
		want(strstr(pw_store_why(store), "memory") != NULL);
	pw_store_close(store);
	return (enum err)err;
}

const struct scenario api_scenarios[] = {
	SCENARIO("messages", NULL, run_messages, NULL),
	SCENARIO("fields", NULL, run_explain, NULL),
	SCENARIO("sessions of bitcoin", NULL, run_bitcoin, NULL),
	SCENARIO("sessions of gossip", NULL, run_gossip, NULL),
	SCENARIO("sessions of ethereum", NULL, run_ethereum, NULL),
	SCENARIO("what was kept", need_kept, run_kept, NULL),
	{ 0 },
};
