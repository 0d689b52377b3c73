/* nodes.h: for tests of what comes after the record: nodes of discovery, and visits of them. */
#ifndef PEERWALK_TESTS_SUPPORT_NODES_H
#define PEERWALK_TESTS_SUPPORT_NODES_H

#include "support/store.h"

#define NODE_RECORD_TEXT "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFzntXNFrdv"

/* A key that is only told from others by its first byte. */
struct node_key {
	uint8_t bytes[PEER_NODE_ID_MAX];
};

static inline struct node_key node_key(uint8_t first)
{
	return (struct node_key){ { first, 0xbe, 0xef, [63] = 0x07 } };
}

static inline struct slice key_slice(const struct node_key *key)
{
	return slice_of(key->bytes, sizeof(key->bytes));
}

static inline struct advert node_advert(const char *at, uint16_t tcp_port,
					const struct node_key *key)
{
	return (struct advert){ .addr = addr_of(at),
				.node_id = key_slice(key),
				.tcp_port = tcp_port };
}

/* All that a node can say. */
static inline struct node_info full_node(void)
{
	return (struct node_info){
		.completeness = "drained",
		.findnodes = 11,
		.entries = 143,
		.record = slice_text(NODE_RECORD_TEXT),
		.has_record_seq = true,
		.record_seq = 1780000000123,
		.faults = slice_text("expired 1, many 2"),
		.tcp_port = 30303,
		.session = "ok",
		.session_rule = "a rule of the session",
		.has_hello = true,
		.capabilities = slice_text("eth/67 eth/68 snap/1"),
		.listen_port = 30304,
		.chain = { .has_fork = true,
			   .fork_hash = { 0x07, 0xc9, 0x46, 0x2e },
			   .fork_next = UINT64_MAX,
			   .has_status = true,
			   .network_id = 1ULL << 63,
			   .genesis = { 0xd4, 0xe5, [31] = 0xa3 },
			   .head = { 0x01, [31] = 0x02 } },
	};
}

/* A visit that went well, of a node that said all that; node outlives the record. */
static inline struct record node_record(const char *at, const struct node_key *key,
					const struct node_info *node)
{
	struct record r = ok_record(addr_of(at), slice_text("Geth/v1.16.4-stable/linux-amd64/go"));

	r.info.node_id = key_slice(key);
	r.info.protocol = 68;
	r.info.services = 0;
	r.node = node;
	return r;
}

/* ... and of one that is not there. */
static inline struct record ghost_record(const char *at, const struct node_key *key,
					 const struct node_info *node)
{
	struct record r = failed_record(addr_of(at), OUTCOME_CONNECT_TIMEOUT);

	r.info.node_id = key_slice(key);
	r.node = node;
	return r;
}

static inline void assert_words(const char *got, const char *want)
{
	assert_int_equal(got == NULL, want == NULL);
	if (want != NULL)
		assert_string_equal(got, want);
}

static inline void assert_bytes(struct slice got, struct slice want)
{
	assert_int_equal(got.len, want.len);
	if (want.len > 0)
		assert_memory_equal(got.data, want.data, want.len);
}

static inline void assert_chain(const struct peer_chain *got, const struct peer_chain *want)
{
	assert_int_equal(got->has_fork, want->has_fork);
	if (want->has_fork) {
		assert_memory_equal(got->fork_hash, want->fork_hash, 4);
		assert_int_equal(got->fork_next, want->fork_next);
	}
	assert_int_equal(got->has_status, want->has_status);
	if (want->has_status) {
		assert_int_equal(got->network_id, want->network_id);
		assert_memory_equal(got->genesis, want->genesis, 32);
		assert_memory_equal(got->head, want->head, 32);
	}
}

/* Every field, as far as it holds something. */
static inline void assert_node(const struct node_info *got, const struct node_info *want)
{
	assert_words(got->completeness, want->completeness);
	if (want->completeness != NULL) {
		assert_int_equal(got->findnodes, want->findnodes);
		assert_int_equal(got->entries, want->entries);
	}
	assert_bytes(got->record, want->record);
	assert_int_equal(got->has_record_seq, want->has_record_seq);
	if (want->has_record_seq)
		assert_int_equal(got->record_seq, want->record_seq);
	assert_bytes(got->faults, want->faults);
	assert_int_equal(got->tcp_port, want->tcp_port);
	assert_words(got->session, want->session);
	assert_words(got->session_rule, want->session_rule);
	assert_int_equal(got->has_hello, want->has_hello);
	if (want->has_hello) {
		assert_bytes(got->capabilities, want->capabilities);
		assert_int_equal(got->listen_port, want->listen_port);
	}
	assert_chain(&got->chain, &want->chain);
}

#endif
