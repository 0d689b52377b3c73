/* puppet.h: Ethereum nodes that do as a test says, on real sockets of the loopback: discovery over
 * UDP, and sessions over TCP. All of them live on one loop.
 *
 * Included after cmocka's own. */
#ifndef PEERWALK_TESTS_SUPPORT_PUPPET_H
#define PEERWALK_TESTS_SUPPORT_PUPPET_H

#include "io/dial.h"
#include "io/udp.h"
#include "proto/ethereum/identity.h"
#include "proto/ethereum/rlpx_session.h"
#include "support/discv4.h"

#include <stdlib.h>

enum { PUPPET_TABLE_MAX = 16, PUPPET_GARBAGE = 3 };

enum puppet_session {
	PUPPET_NO_SESSIONS, /* nothing listens, and its record has no TCP port */
	PUPPET_REFUSES,     /* nothing listens, though it has one */
	PUPPET_SERVES,      /* Hello, Status */
	PUPPET_IS_SILENT,   /* accepts, no more */
};

struct puppet {
	/* To be set before it starts, or changed at any time. */
	enum puppet_session sessions;
	bool silent;         /* no datagram goes out */
	bool shy;            /* no PING of its own */
	bool garbage;        /* PUPPET_GARBAGE datagrams that nobody can read, before each PONG */
	bool in_one;         /* NEIGHBORS in one packet, however long it gets */
	unsigned goes_after; /* so many FINDNODEs it is gone; 0: never */
	const struct player *as;                                    /* who signs; NULL: itself */
	const struct ethereum_chain *record_chain, *status_chain;   /* NULL: no fork id, mainnet */
	void (*on_packet)(struct puppet *p, enum discv4_type type); /* before the answer */
	void (*on_accept)(struct puppet *p);
	void *ctx;
	/* The rest is for looking. */
	struct player player;
	struct enode enode;
	struct netaddr asker; /* where the last datagram came from */
	struct enode table[PUPPET_TABLE_MAX];
	unsigned table_count;
	unsigned pings, pongs, findnodes, enrrequests, unreadable, accepted;
	/* private */
	uv_loop_t *loop;
	struct udp *udp;
	uv_tcp_t listener, conn;
	struct identity identity;
	struct rlpx_session session;
	struct eth_status status;
	uint8_t in[8192];
	size_t in_len;
};

static inline int64_t puppet_now_s(void)
{
	uv_timeval64_t now;

	uv_gettimeofday(&now);
	return now.tv_sec;
}

static inline void puppet_send(struct puppet *p, const struct packet *packet)
{
	if (!p->silent)
		udp_send(p->udp, &p->asker, NULL, packet_slice(packet));
}

static inline int puppet_by_distance(const uint8_t *target, const struct enode *a,
				     const struct enode *b)
{
	uint8_t x[KADEMLIA_HASH_LEN], y[KADEMLIA_HASH_LEN];

	kademlia_hash(a->key, x);
	kademlia_hash(b->key, y);
	return kademlia_compare(target, x, y);
}

/* By hand, as no encoder of ours makes a packet that is too long. */
static inline void puppet_long_neighbors(struct puppet *p, const struct player *by)
{
	uint8_t bytes[UDP_DATAGRAM_MAX], hash[32];
	size_t outer, inner;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_zeros(&w, DISCV4_HEADER_LEN - 1);
	writer_u8(&w, DISCV4_NEIGHBORS);
	outer = rlp_put_list(&w);
	inner = rlp_put_list(&w);
	for (unsigned i = 0; i < p->table_count; i++) {
		const struct enode *n = &p->table[i];
		size_t list = rlp_put_list(&w);

		rlp_put_bytes(&w, slice_of(n->endpoint.addr.bytes, 4));
		rlp_put_uint(&w, n->endpoint.addr.port);
		rlp_put_uint(&w, n->endpoint.tcp_port);
		rlp_put_bytes(&w, slice_of(n->key, sizeof(n->key)));
		rlp_end_list(&w, list);
	}
	rlp_end_list(&w, inner);
	rlp_put_uint(&w, (uint64_t)(puppet_now_s() + PLAYER_EXPIRATION_S));
	rlp_end_list(&w, outer);
	assert_true(writer_ok(&w) && w.len > DISCV4_PACKET_MAX);
	keccak_256(slice_of(bytes + DISCV4_HEADER_LEN - 1, w.len - DISCV4_HEADER_LEN + 1), hash);
	secp_sign(by->secp, &by->key, hash, bytes + DISCV4_HASH_LEN);
	keccak_256(slice_of(bytes + DISCV4_HASH_LEN, w.len - DISCV4_HASH_LEN), bytes);
	udp_send(p->udp, &p->asker, NULL, slice_of(bytes, w.len));
}

/* Its whole table, the nearest first. */
static inline void puppet_neighbors(struct puppet *p, const struct player *by, struct slice key)
{
	int64_t until = puppet_now_s() + PLAYER_EXPIRATION_S;
	uint8_t target[KADEMLIA_HASH_LEN];
	struct packet out;

	kademlia_hash(key.data, target);
	for (unsigned i = 1; i < p->table_count; i++) {
		for (unsigned j = i;
		     j > 0 && puppet_by_distance(target, &p->table[j], &p->table[j - 1]) < 0; j--) {
			struct enode swap = p->table[j];

			p->table[j] = p->table[j - 1];
			p->table[j - 1] = swap;
		}
	}
	if (p->in_one) {
		puppet_long_neighbors(p, by);
		return;
	}
	for (unsigned at = 0; at < p->table_count || at == 0; at += 12) {
		unsigned n = p->table_count - at < 12 ? p->table_count - at : 12;

		say_neighbors(by, p->table + at, n, until, &out);
		puppet_send(p, &out);
	}
}

static inline void puppet_record(struct puppet *p, const struct player *by, struct slice hash)
{
	uint8_t record[ENR_LEN_MAX];
	struct enode_endpoint at = p->enode.endpoint;
	struct enr_draft draft;
	struct packet out;
	struct writer w;

	if (p->sessions == PUPPET_NO_SESSIONS)
		at.tcp_port = 0;
	enr_draft_init(&draft, 3);
	enr_draft_endpoint(&draft, &at);
	if (p->record_chain != NULL) {
		struct forkid fork = forkid_after(p->record_chain, 1);

		enr_draft_forkid(&draft, &fork);
	}
	writer_init(&w, record, sizeof(record));
	enr_draft_sign(&draft, by->secp, &by->key, &w);
	{
		struct slice whole = slice_of(record, w.len);

		packet_begin(&out, &w, DISCV4_ENRRESPONSE);
		discv4_enrresponse_encode(&w, hash, whole);
		packet_end(&out, &w, by);
	}
	puppet_send(p, &out);
}

static inline void puppet_ping(struct puppet *p, const struct player *by)
{
	struct discv4_ping ping = ping_of(by, &p->asker, puppet_now_s());
	struct packet out;

	ping.from.tcp_port = p->sessions == PUPPET_NO_SESSIONS ? 0 : p->enode.endpoint.tcp_port;
	ping.has_enr_seq = true;
	ping.enr_seq = 3;
	say_ping(by, &ping, &out);
	puppet_send(p, &out);
}

static inline void puppet_pong(struct puppet *p, const struct player *by, struct slice hash)
{
	static const uint8_t nonsense[UDP_DATAGRAM_MAX] = { 0xba, 0xad };
	struct discv4_pong pong = { .to = { .addr = p->asker },
				    .ping_hash = hash,
				    .expiration_s = puppet_now_s() + PLAYER_EXPIRATION_S };
	struct packet out;

	for (unsigned i = 0; p->garbage && i < PUPPET_GARBAGE; i++)
		udp_send(p->udp, &p->asker, NULL, slice_of(nonsense, 100 * i));
	say_pong(by, &pong, &out);
	puppet_send(p, &out);
}

static inline void puppet_datagram(void *ctx, const struct udp_datagram *d)
{
	struct puppet *p = ctx;
	const struct player *by = p->as != NULL ? p->as : &p->player;
	struct discv4_packet packet;
	struct reader r;

	p->asker = d->from;
	reader_init(&r, d->bytes);
	discv4_decode(&r, &packet);
	if (!reader_ok(&r)) {
		p->unreadable++;
		return;
	}
	p->pings += packet.type == DISCV4_PING;
	p->pongs += packet.type == DISCV4_PONG;
	p->findnodes += packet.type == DISCV4_FINDNODE;
	p->enrrequests += packet.type == DISCV4_ENRREQUEST;
	if (p->on_packet != NULL)
		p->on_packet(p, packet.type);
	if (p->silent || (p->goes_after > 0 && p->findnodes > p->goes_after))
		return;
	if (packet.type == DISCV4_PING) {
		puppet_pong(p, by, packet.hash);
		if (!p->shy)
			puppet_ping(p, by);
	} else if (packet.type == DISCV4_FINDNODE) {
		puppet_neighbors(p, by, packet.findnode.target);
	} else if (packet.type == DISCV4_ENRREQUEST) {
		puppet_record(p, by, packet.hash);
	}
}

/* --- sessions, one at a time --- */

static inline void puppet_hang_up(struct puppet *p)
{
	if (!uv_is_closing((uv_handle_t *)&p->conn))
		uv_close((uv_handle_t *)&p->conn, NULL);
}

static inline void puppet_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct puppet *p = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)p->in + p->in_len, (unsigned)(sizeof(p->in) - p->in_len));
}

static inline void puppet_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct puppet *p = stream->data;
	uint8_t out[4096];
	size_t n;

	(void)buf;
	if (nread < 0) {
		puppet_hang_up(p);
		return;
	}
	p->in_len += (size_t)nread;
	if (p->sessions == PUPPET_IS_SILENT) {
		p->in_len = 0;
		return;
	}
	while ((n = rlpx_session_recv(&p->session, slice_of(p->in, p->in_len), uv_now(p->loop))) >
	       0) {
		memmove(p->in, p->in + n, p->in_len - n);
		p->in_len -= n;
	}
	while ((n = rlpx_session_send(&p->session, out, sizeof(out))) > 0) {
		uv_buf_t chunk = uv_buf_init((char *)out, (unsigned)n);

		assert_int_equal(uv_try_write(stream, &chunk, 1), n); /* loopback has room */
	}
}

static inline void puppet_connection(uv_stream_t *listener, int status)
{
	struct puppet *p = listener->data;
	struct rlpx_session_params params = { .role = SESSION_RESPONDER,
					      .goal = RLPX_GOAL_SERVE,
					      .client = slice_text("puppet/1"),
					      .listen_port = p->enode.endpoint.tcp_port,
					      .status = &p->status };

	assert_int_equal(status, 0);
	assert_int_equal(p->accepted++, 0);
	uv_tcp_init(p->loop, &p->conn);
	p->conn.data = p;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->conn), 0);
	if (p->status_chain == NULL)
		p->status_chain = ethereum_chain_find("ethereum");
	p->status = (struct eth_status){ .network_id = p->status_chain->network_id,
					 .forkid = forkid_after(p->status_chain, 1),
					 .latest = 1000 };
	memcpy(p->status.genesis, p->status_chain->genesis, sizeof(p->status.genesis));
	identity_local(&p->identity, 1, &params.local);
	rlpx_session_init(&p->session, &params, uv_now(p->loop));
	uv_read_start((uv_stream_t *)&p->conn, puppet_alloc, puppet_read);
	if (p->on_accept != NULL)
		p->on_accept(p);
}

static inline void puppet_listen(struct puppet *p, struct netaddr at)
{
	struct sockaddr_storage sa;
	int len = sizeof(sa);

	at.port = 0;
	uv_tcp_init(p->loop, &p->listener);
	p->listener.data = p->conn.data = p;
	dial_sockaddr(&at, &sa);
	assert_int_equal(uv_tcp_bind(&p->listener, (struct sockaddr *)&sa, 0), 0);
	assert_int_equal(uv_tcp_getsockname(&p->listener, (struct sockaddr *)&sa, &len), 0);
	dial_netaddr((struct sockaddr *)&sa, &at);
	p->enode.endpoint.tcp_port = at.port;
	if (p->sessions == PUPPET_REFUSES)
		return; /* bound, but nobody listens */
	assert_int_equal(uv_listen((uv_stream_t *)&p->listener, 1, puppet_connection), 0);
}

/* --- the whole of it --- */

/* The key is the number; its table holds others, of keys that follow it. */
static inline void puppet_start(struct puppet *p, uv_loop_t *loop, const struct secp *secp,
				uint32_t number, const char *at)
{
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 3, (uint8_t)number };
	struct udp_config config = { .on_datagram = puppet_datagram, .ctx = p };
	struct netaddr addr;

	p->loop = loop;
	assert_int_equal(netaddr_parse(slice_text(at), 0, &config.local), ERR_OK);
	assert_int_equal(udp_open(loop, &config, &p->udp), ERR_OK);
	addr = udp_local(p->udp);
	player_init(&p->player, secp, number, &addr);
	identity_init(&p->identity, &p->player.key, random);
	memcpy(p->enode.key, p->player.public, sizeof(p->enode.key));
	p->enode.endpoint.addr = addr;
	if (p->sessions != PUPPET_NO_SESSIONS)
		puppet_listen(p, addr);
	for (unsigned i = 0; i < p->table_count; i++) {
		struct netaddr there = netaddr_ipv4(0x7f640001U + i, (uint16_t)(30000 + i));
		struct player player;

		player_init(&player, secp, number * 1000 + i, &there);
		memcpy(p->table[i].key, player.public, sizeof(player.public));
		p->table[i].endpoint = (struct enode_endpoint){ there, there.port };
	}
}

static inline void puppet_stop(struct puppet *p)
{
	if (p->udp == NULL)
		return;
	udp_close(p->udp);
	p->udp = NULL;
	if (p->sessions != PUPPET_NO_SESSIONS)
		uv_close((uv_handle_t *)&p->listener, NULL);
	if (p->accepted > 0)
		puppet_hang_up(p);
	identity_clear(&p->identity);
}

#endif
