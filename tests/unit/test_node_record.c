/* test_node_record.c: what discovery and a session have learnt, as one record. */
#include "io/node_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct secp secp;
static struct secp_key key;
static struct enode node;

static struct netaddr at(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 0, &a), ERR_OK);
	return a;
}

static int begin(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 9 };
	const uint8_t bytes[SECP_KEY_LEN] = { [31] = 5 };

	(void)state;
	secp_init(&secp, random);
	assert_true(secp_key_init(&key, bytes));
	secp_public(&secp, &key, node.key);
	node.endpoint = (struct enode_endpoint){ .addr = at("192.0.2.1:30303"), .tcp_port = 7 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* --- what discovery may have learnt --- */

static const struct probe_info silent = {
	.outcome = OUTCOME_CONNECT_TIMEOUT,
	.completeness = DRAIN_TIMED_OUT,
	.rtt_ms = -1,
	.bonded_ms = -1,
	.neighbors_ms = -1,
	.drained_ms = -1,
	.record_ms = -1,
	.total_ms = 3000,
	.packets_out = 3,
	.bytes_out = 400,
};

static struct probe_info reached(void)
{
	struct probe_info p = silent;

	p.outcome = OUTCOME_OK;
	p.reached = true;
	p.completeness = DRAIN_DRAINED;
	p.findnodes = 11;
	p.named = 176;
	p.table = 140;
	p.rtt_ms = 30;
	p.bonded_ms = 31;
	p.neighbors_ms = 95;
	p.packets_in = 25;
	p.bytes_in = 22000;
	p.sees = (struct enode_endpoint){ .addr = at("198.51.100.7:4444") };
	return p;
}

/* A record of the node's: which of its entries there are, by a letter each.
 *   4 ip   u udp   t tcp (1111)   6 ip6   T tcp6 (2222)
 *   m fork id of mainnet, e of some other chain */
struct record_bytes {
	uint8_t bytes[ENR_LEN_MAX];
	size_t len;
};

static void make_record(struct record_bytes *out, const char *entries)
{
	struct forkid fork = forkid_after(ethereum_chain_find("ethereum"), 3);
	struct enr_draft draft;
	struct writer w;

	enr_draft_init(&draft, 77);
	for (; *entries != '\0'; entries++) {
		struct netaddr four = at("192.0.2.1"), six = at("[2001:db8::1]");

		if (*entries == '4')
			enr_draft_bytes(&draft, "ip", slice_of(four.bytes, 4));
		else if (*entries == '6')
			enr_draft_bytes(&draft, "ip6", slice_of(six.bytes, 16));
		else if (*entries == 'u')
			enr_draft_uint(&draft, "udp", 30303);
		else if (*entries == 't')
			enr_draft_uint(&draft, "tcp", 1111);
		else if (*entries == 'T')
			enr_draft_uint(&draft, "tcp6", 2222);
		else if (*entries == 'e')
			memset(fork.hash, 0xee, sizeof(fork.hash));
		if (*entries == 'm' || *entries == 'e')
			enr_draft_forkid(&draft, &fork);
	}
	writer_init(&w, out->bytes, sizeof(out->bytes));
	enr_draft_sign(&draft, &secp, &key, &w);
	assert_true(writer_ok(&w));
	out->len = w.len;
}

static void give_record(struct probe_info *p, const struct record_bytes *r)
{
	p->record = slice_of(r->bytes, r->len);
	p->has_enr_seq = true;
	p->enr_seq = 77;
}

/* --- where it takes sessions --- */

static void tcp_ports(void **state)
{
	static const struct {
		const char *name, *addr;
		const char *record; /* NULL: none */
		bool pinged;
		uint16_t claims, named, wanted;
	} rows[] = {
		{ "whoever named it", "192.0.2.1:1", NULL, false, 0, 7, 7 },
		{ "nobody knows", "192.0.2.1:1", NULL, false, 0, 0, 0 },
		{ "its PING says it", "192.0.2.1:1", NULL, true, 8, 7, 8 },
		{ "its PING says nothing", "192.0.2.1:1", NULL, true, 0, 7, 7 },
		{ "no PING came", "192.0.2.1:1", NULL, false, 8, 7, 7 },
		{ "its record comes first", "192.0.2.1:1", "4ut", true, 8, 7, 1111 },
		{ "its record says that there is none", "192.0.2.1:1", "4u", true, 8, 7, 0 },
		{ "a record without an address", "192.0.2.1:1", "ut", true, 8, 7, 8 },
		{ "a record of IPv6 alone", "192.0.2.1:1", "6T", true, 8, 7, 8 },
		{ "IPv6", "[2001:db8::1]:1", "4ut6T", true, 8, 7, 2222 },
		{ "IPv6 with the port of IPv4", "[2001:db8::1]:1", "4ut6", true, 8, 7, 1111 },
		{ "IPv6, a record of IPv4 alone", "[2001:db8::1]:1", "4ut", false, 8, 7, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probe_info probe = reached();
		struct record_bytes record;
		struct enode n = node;

		n.endpoint.addr = at(rows[i].addr);
		n.endpoint.tcp_port = rows[i].named;
		probe.pinged = rows[i].pinged;
		probe.claims.tcp_port = rows[i].claims;
		if (rows[i].record != NULL) {
			make_record(&record, rows[i].record);
			give_record(&probe, &record);
		}
		if (node_record_tcp_port(&n, &probe) != rows[i].wanted)
			fail_msg("%s: %u", rows[i].name, node_record_tcp_port(&n, &probe));
	}
}

/* --- on which chain it is --- */

static void set_status(struct node_session *s, const struct ethereum_chain *chain,
		       const uint8_t *fork_hash)
{
	s->tried = s->connected = true;
	s->info.has_status = s->info.has_hello = true;
	s->info.status.network_id = chain->network_id;
	memcpy(s->info.status.genesis, chain->genesis, 32);
	s->info.status.forkid = forkid_after(chain, 2);
	if (fork_hash != NULL)
		memcpy(s->info.status.forkid.hash, fork_hash, 4);
}

static void chains(void **state)
{
	static const uint8_t other[4] = { 0xee, 0xee, 0xee, 0xee };
	static const struct {
		const char *name, *record, *status; /* NULL: none */
		bool other_fork;                    /* of the Status */
		bool early, late;                   /* foreign to mainnet, before and after */
	} rows[] = {
		{ "says nothing", NULL, NULL, false, false, false },
		{ "a record without a fork id", "4ut", NULL, false, false, false },
		{ "a record of mainnet", "4utm", NULL, false, false, false },
		{ "a record of another chain", "4ute", NULL, false, true, true },
		{ "a Status of mainnet", NULL, "ethereum", false, false, false },
		{ "a Status of another", NULL, "sepolia", false, false, true },
		{ "a Status of mainnet's genesis, another fork", NULL, "ethereum", true, false,
		  true },
		/* The Status is newer. */
		{ "an old record, a Status of mainnet", "4ute", "ethereum", false, true, false },
		{ "a record of mainnet, a Status of another", "4utm", "sepolia", false, false,
		  true },
	};
	const struct ethereum_chain *mainnet = ethereum_chain_find("ethereum");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probe_info probe = reached();
		struct node_session session = { .tried = false };
		struct record_bytes bytes;
		struct node_texts texts;
		struct record r;

		if (rows[i].record != NULL) {
			make_record(&bytes, rows[i].record);
			give_record(&probe, &bytes);
		}
		if (rows[i].status != NULL)
			set_status(&session, ethereum_chain_find(rows[i].status),
				   rows[i].other_fork ? other : NULL);
		if (node_record_is_foreign(&probe, mainnet) != rows[i].early)
			fail_msg("%s: before a session", rows[i].name);
		assert_false(node_record_is_foreign(&probe, NULL));
		node_record_make(&node, &probe, &session, mainnet, &texts, &r);
		if ((r.outcome == OUTCOME_WRONG_NETWORK) != rows[i].late)
			fail_msg("%s: %s", rows[i].name, outcome_name(r.outcome));
		assert_true(r.reached);
		/* Everybody is welcome. */
		node_record_make(&node, &probe, &session, NULL, &texts, &r);
		assert_int_equal(r.outcome, OUTCOME_OK);
		assert_int_equal(r.node->chain.has_status, rows[i].status != NULL);
	}
}

static void the_newest_word_about_the_fork(void **state)
{
	const struct ethereum_chain *mainnet = ethereum_chain_find("ethereum");
	const struct forkid of_record = forkid_after(mainnet, 3),
			    of_status = forkid_after(mainnet, 2);
	struct probe_info probe = reached();
	struct node_session session = { .tried = false };
	struct record_bytes bytes;
	struct node_texts texts;
	struct record r;

	(void)state;
	node_record_make(&node, &probe, &session, NULL, &texts, &r);
	assert_false(r.node->chain.has_fork);
	make_record(&bytes, "4utm");
	give_record(&probe, &bytes);
	node_record_make(&node, &probe, &session, NULL, &texts, &r);
	assert_true(r.node->chain.has_fork);
	assert_false(r.node->chain.has_status);
	assert_memory_equal(r.node->chain.fork_hash, of_record.hash, 4);
	assert_int_equal(r.node->chain.fork_next, of_record.next);
	set_status(&session, mainnet, NULL);
	session.info.status.head[5] = 0x55;
	node_record_make(&node, &probe, &session, NULL, &texts, &r);
	assert_true(r.node->chain.has_status);
	assert_memory_equal(r.node->chain.fork_hash, of_status.hash, 4);
	assert_memory_equal(r.node->chain.genesis, mainnet->genesis, 32);
	assert_int_equal(r.node->chain.head[5], 0x55);
	assert_int_equal(r.node->chain.network_id, 1);
}

/* --- the record --- */

static void nobody_there(void **state)
{
	const struct node_session none = { .tried = false };
	struct node_texts texts;
	struct record r;

	(void)state;
	memset(&texts, 0xff, sizeof(texts));
	node_record_make(&node, &silent, &none, NULL, &texts, &r);
	assert_int_equal(r.outcome, OUTCOME_CONNECT_TIMEOUT);
	assert_false(r.reached);
	assert_true(netaddr_equal(&r.addr, &node.endpoint.addr));
	assert_true(slice_equal(r.info.node_id, slice_of(node.key, sizeof(node.key))));
	assert_int_equal(r.tries, 1);
	assert_int_equal(r.connect_ms, -1);
	assert_int_equal(r.version_ms, -1);
	assert_int_equal(r.handshake_ms, -1);
	assert_int_equal(r.reply_ms, -1);
	assert_int_equal(r.adverts, 0);
	assert_int_equal(r.bytes_in, 0);
	assert_int_equal(r.bytes_out, 400);
	assert_int_equal(r.info.height, -1);
	assert_false(r.info.has_version);
	assert_int_equal(r.info.agent.len, 0);
	assert_null(r.node->completeness);
	assert_null(r.node->session);
	assert_null(r.node->session_rule);
	assert_false(r.node->has_hello);
	assert_false(r.node->has_record_seq);
	assert_int_equal(r.node->record.len, 0);
	assert_int_equal(r.node->faults.len, 0);
	assert_int_equal(r.node->tcp_port, 7);
}

static void all_of_it(void **state)
{
	static const uint8_t name[] = "Geth\n\0x";
	struct probe_info probe = reached();
	struct node_session s = {
		.tried = true,
		.connected = true,
		.end = "ok",
		.record = { .outcome = OUTCOME_OK, .bytes_in = 500, .bytes_out = 600 },
	};
	struct record_bytes bytes;
	char text[ENR_TEXT_MAX];
	struct node_texts texts;
	struct enr enr;
	struct reader reader;
	struct record r;

	(void)state;
	make_record(&bytes, "4utm");
	give_record(&probe, &bytes);
	set_status(&s, ethereum_chain_find("ethereum"), NULL);
	s.info.hello = (struct p2p_hello){ .client = slice_of(name, 7),
					   .listen_port = 30306,
					   .caps_count = 2,
					   .caps = { { "eth", 69 }, { "snap", 1 } } };
	s.info.eth = (struct p2p_cap){ "eth", 69 };
	s.info.status.latest = 22500000;
	probe.breaches[PROBE_BREACH_EXPIRED] = 1;
	probe.breaches[PROBE_BREACH_MANY] = 22;
	node_record_make(&node, &probe, &s, NULL, &texts, &r);
	assert_int_equal(r.outcome, OUTCOME_OK);
	assert_true(r.reached);
	assert_int_equal(r.connect_ms, 30);
	assert_int_equal(r.handshake_ms, 31);
	assert_int_equal(r.reply_ms, 95);
	assert_int_equal(r.adverts, 176);
	assert_int_equal(r.messages_in, 25);
	assert_int_equal(r.bytes_in, 22500);
	assert_int_equal(r.bytes_out, 1000);
	assert_true(netaddr_equal(&r.info.sees_us_as, &probe.sees.addr));
	assert_true(r.info.has_version);
	assert_int_equal(r.info.protocol, 69);
	assert_int_equal(r.info.height, 22500000);
	assert_string_equal(r.node->completeness, "drained");
	assert_int_equal(r.node->findnodes, 11);
	assert_int_equal(r.node->entries, 140);
	assert_int_equal(r.node->tcp_port, 1111);
	assert_true(r.node->has_record_seq);
	assert_int_equal(r.node->record_seq, 77);
	assert_true(slice_equal(r.node->faults, slice_text("expired 1, many 22")));
	assert_string_equal(r.node->session, "ok");
	assert_null(r.node->session_rule);
	assert_true(slice_equal(r.node->capabilities, slice_text("eth/69 snap/1")));
	assert_int_equal(r.node->listen_port, 30306);
	reader_init(&reader, probe.record);
	enr_decode(&reader, &enr);
	assert_true(slice_equal(r.node->record, slice_of(text, enr_text(&enr, text))));
	/* The client's name is kept, whatever becomes of the session. */
	assert_true(slice_equal(r.info.agent, slice_of(name, 7)));
	assert_ptr_not_equal(r.info.agent.data, name);
}

static const struct {
	const char *name;
	struct node_session session;
	const char *word, *rule;
	bool has_hello;
} went[] = {
	{ "none", { .tried = false }, NULL, NULL, false },
	{ "refused",
	  { .tried = true, .record = { .outcome = OUTCOME_REFUSED } },
	  "refused",
	  NULL,
	  false },
	{ "no answer",
	  { .tried = true, .record = { .outcome = OUTCOME_CONNECT_TIMEOUT } },
	  "connect_timeout",
	  NULL,
	  false },
	{ "full",
	  { .tried = true,
	    .connected = true,
	    .end = "full",
	    .record = { .outcome = OUTCOME_PEER_FULL } },
	  "full",
	  NULL,
	  false },
	{ "a rule was broken",
	  { .tried = true,
	    .connected = true,
	    .end = "protocol_error",
	    .rule = "hello: once",
	    .info = { .has_hello = true },
	    .record = { .outcome = OUTCOME_PROTOCOL_ERROR } },
	  "protocol_error",
	  "hello: once",
	  true },
	/* We left in its middle. */
	{ "cut short",
	  { .tried = true,
	    .connected = true,
	    .info = { .has_hello = true },
	    .record = { .outcome = OUTCOME_CANCELLED } },
	  "cancelled",
	  NULL,
	  true },
};

static void how_sessions_went(void **state)
{
	struct probe_info probe = reached();

	(void)state;
	for (size_t i = 0; i < sizeof(went) / sizeof(*went); i++) {
		struct node_texts texts;
		struct record r;

		node_record_make(&node, &probe, &went[i].session, NULL, &texts, &r);
		/* That it is there has discovery found out. */
		if (r.outcome != OUTCOME_OK || !r.reached)
			fail_msg("%s: %s", went[i].name, outcome_name(r.outcome));
		if ((r.node->session == NULL) != (went[i].word == NULL) ||
		    (went[i].word != NULL && strcmp(r.node->session, went[i].word) != 0))
			fail_msg("%s", went[i].name);
		if (went[i].rule == NULL)
			assert_null(r.node->session_rule);
		else
			assert_string_equal(r.node->session_rule, went[i].rule);
		assert_int_equal(r.node->has_hello, went[i].has_hello);
		assert_int_equal(r.info.has_version, went[i].has_hello);
		assert_null(r.rule); /* discovery's */
	}
}

static void heights(void **state)
{
	static const struct {
		const char *name;
		uint32_t version;
		uint64_t latest;
		int64_t height;
	} rows[] = { { "eth/68 has none", 68, 5, -1 },
		     { "eth/69", 69, 5, 5 },
		     { "the highest", 70, INT64_MAX, INT64_MAX },
		     { "higher than that", 70, (uint64_t)INT64_MAX + 1, -1 } };
	struct probe_info probe = reached();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct node_session s = { .tried = true, .connected = true, .end = "ok" };
		struct node_texts texts;
		struct record r;

		set_status(&s, ethereum_chain_find("ethereum"), NULL);
		s.info.eth.version = rows[i].version;
		s.info.status.latest = rows[i].latest;
		node_record_make(&node, &probe, &s, NULL, &texts, &r);
		if (r.info.height != rows[i].height)
			fail_msg("%s", rows[i].name);
	}
}

/* What a node can break, all at once: the list fits, and never ends in the middle of a word. */
static void all_faults(void **state)
{
	static const uint32_t counts[] = { 1, PROBE_PACKETS_MAX * DRAIN_REPLY_MAX, UINT32_MAX };
	const struct node_session none = { .tried = false };
	struct probe_info probe = reached();

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		char wanted[PEER_FAULTS_MAX * 2] = "";
		struct node_texts texts;
		struct record r;
		size_t len = 0;

		for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
			probe.breaches[b] = counts[i];
			len += (size_t)snprintf(wanted + len, sizeof(wanted) - len, "%s%s %u",
						b > 0 ? ", " : "",
						probe_breach_name((enum probe_breach)b), counts[i]);
		}
		node_record_make(&node, &probe, &none, NULL, &texts, &r);
		assert_true(r.node->faults.len < PEER_FAULTS_MAX);
		assert_memory_equal(r.node->faults.data, wanted, r.node->faults.len);
		if (counts[i] < UINT32_MAX)
			assert_int_equal(r.node->faults.len, len);
		else
			assert_true(wanted[r.node->faults.len] == ',');
	}
}

/* Times that don't fit the record's fields stay at their end. */
static void long_times(void **state)
{
	const struct node_session none = { .tried = false };
	struct probe_info probe = reached();
	struct node_texts texts;
	struct record r;

	(void)state;
	probe.rtt_ms = probe.bonded_ms = (int64_t)INT32_MAX + 1;
	node_record_make(&node, &probe, &none, NULL, &texts, &r);
	assert_int_equal(r.connect_ms, INT32_MAX);
	assert_int_equal(r.handshake_ms, INT32_MAX);
}

/* Without a question nothing is said about the table. */
static void not_asked(void **state)
{
	const struct node_session none = { .tried = false };
	struct probe_info probe = reached();
	struct node_texts texts;
	struct record r;

	(void)state;
	probe.findnodes = 0;
	node_record_make(&node, &probe, &none, NULL, &texts, &r);
	assert_null(r.node->completeness);
	/* A number that was announced, but no record. */
	probe.has_enr_seq = true;
	probe.enr_seq = 99;
	node_record_make(&node, &probe, &none, NULL, &texts, &r);
	assert_true(r.node->has_record_seq);
	assert_int_equal(r.node->record_seq, 99);
	assert_int_equal(r.node->record.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_ports),
		cmocka_unit_test(chains),
		cmocka_unit_test(the_newest_word_about_the_fork),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(how_sessions_went),
		cmocka_unit_test(heights),
		cmocka_unit_test(all_faults),
		cmocka_unit_test(long_times),
		cmocka_unit_test(not_asked),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
