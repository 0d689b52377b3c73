#include "sim/ethereum_peer.h"

#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/drain.h"
#include "sim/ethereum_liars.h"
#include "sim/ethereum_sign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PINGS_KEPT = 2 /* a PONG may come after our next PING */ };

/* What one node knows of one asker. */
struct bond {
	uint64_t pings[PINGS_KEPT]; /* of ours: the first bytes of their hashes; 0: none */
	uint32_t until_s;           /* 0: it has not proven its address */
	uint32_t next;              /* of pings */
};

struct asker {
	struct netaddr addr; /* kind NETADDR_NONE: a free place */
	uint8_t key[SECP_PUBLIC_LEN];
	uint64_t heard;     /* larger: later */
	struct bond *bonds; /* by node */
};

struct cached {
	uint32_t index; /* plus one; 0: free */
	uint32_t count;
	uint32_t nodes[KADEMLIA_ENTRIES_MAX];
};

struct answer {
	size_t len;
	uint8_t bytes[SIM_ETHEREUM_DATAGRAM_MAX];
};

struct sim_ethereum_peers {
	const struct sim_ethereum *world;
	struct sim_ethereum_peer_counts counts;
	struct asker askers[SIM_ETHEREUM_ASKERS_MAX];
	uint64_t heard;
	struct sim_liars *liars;
	struct cached *tables;
	unsigned answers_at, answers_count;
	struct answer answers[SIM_ETHEREUM_ANSWERS_MAX];
};

/* What is being answered. */
struct question {
	struct sim_ethereum_peers *peers;
	uint32_t index;
	enum sim_ethereum_kind kind;
	const struct netaddr *from;
	struct asker *asker; /* NULL: nobody that we know */
	struct slice datagram;
	int64_t unix_s;
};

enum err sim_ethereum_peers_new(const struct sim_ethereum *w, struct sim_ethereum_peers **out)
{
	struct sim_ethereum_peers *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return ERR_NOMEM;
	p->world = w;
	p->tables = calloc(SIM_ETHEREUM_TABLES_MAX, sizeof(*p->tables));
	if (p->tables == NULL || sim_liars_new(w, &p->liars) != ERR_OK) {
		sim_ethereum_peers_free(p);
		return ERR_NOMEM;
	}
	*out = p;
	return ERR_OK;
}

void sim_ethereum_peers_free(struct sim_ethereum_peers *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < SIM_ETHEREUM_ASKERS_MAX; i++)
		free(p->askers[i].bonds);
	sim_liars_free(p->liars);
	free(p->tables);
	free(p);
}

void sim_ethereum_peers_counts(const struct sim_ethereum_peers *p,
			       struct sim_ethereum_peer_counts *out)
{
	*out = p->counts;
}

/* --- askers --- */

static struct asker *asker_find(struct sim_ethereum_peers *p, const struct netaddr *addr)
{
	for (unsigned i = 0; i < SIM_ETHEREUM_ASKERS_MAX; i++) {
		if (netaddr_equal(&p->askers[i].addr, addr)) {
			p->askers[i].heard = ++p->heard;
			return &p->askers[i];
		}
	}
	return NULL;
}

/* A place for one more; NULL if there is no memory for it. */
static struct asker *asker_add(struct sim_ethereum_peers *p, const struct netaddr *addr,
			       const uint8_t key[static SECP_PUBLIC_LEN])
{
	size_t nodes = sim_ethereum_config(p->world)->peers;
	struct asker *oldest = &p->askers[0];

	for (unsigned i = 1; i < SIM_ETHEREUM_ASKERS_MAX; i++) {
		if (p->askers[i].heard < oldest->heard)
			oldest = &p->askers[i];
	}
	if (oldest->bonds == NULL)
		oldest->bonds = calloc(nodes, sizeof(*oldest->bonds));
	else
		memset(oldest->bonds, 0, nodes * sizeof(*oldest->bonds));
	if (oldest->bonds == NULL)
		return NULL;
	oldest->addr = *addr;
	oldest->heard = ++p->heard;
	memcpy(oldest->key, key, sizeof(oldest->key));
	return oldest;
}

static bool is_bonded(const struct question *q)
{
	return q->asker != NULL && q->asker->bonds[q->index].until_s > q->unix_s;
}

/* Who has pinged; see the header for when that is looked at. False: nobody can have. */
static bool identify(struct question *q)
{
	struct discv4_packet whole;
	struct reader r;

	if (q->asker != NULL && !is_bonded(q))
		return true;
	reader_init(&r, q->datagram);
	discv4_decode(&r, &whole);
	if (!reader_ok(&r))
		return false;
	if (q->asker == NULL) {
		q->asker = asker_add(q->peers, q->from, whole.signer);
	} else if (memcmp(q->asker->key, whole.signer, sizeof(whole.signer)) != 0) {
		memset(q->asker->bonds, 0,
		       sim_ethereum_config(q->peers->world)->peers * sizeof(*q->asker->bonds));
		memcpy(q->asker->key, whole.signer, sizeof(whole.signer));
	}
	return q->asker != NULL;
}

/* --- answers --- */

static void answer_begin(struct question *q, struct writer *w, enum discv4_type type)
{
	struct answer *a = &q->peers->answers[q->peers->answers_count];

	assert(q->peers->answers_count < SIM_ETHEREUM_ANSWERS_MAX);
	writer_init(w, a->bytes, sizeof(a->bytes));
	discv4_begin(w, type);
}

static const struct answer *answer_end(struct question *q, struct writer *w)
{
	struct answer *a = &q->peers->answers[q->peers->answers_count++];
	struct secp_key key = *sim_ethereum_key(q->peers->world, q->index);

	if (q->kind == SIM_ETHEREUM_LIAR_OTHER_KEY)
		sim_ethereum_other_key(q->peers->world, q->index, &key);
	sim_sign_packet(w, 0, &key);
	assert(writer_ok(w));
	a->len = w->len;
	sim_lie_envelope(q->kind, a->bytes, a->len);
	return a;
}

static int64_t expiration_s(const struct question *q)
{
	return sim_lie_expiration(q->kind, q->unix_s + SIM_ETHEREUM_EXPIRATION_S);
}

static void say_pong(struct question *q, const struct discv4_packet *ping)
{
	uint8_t hash[DISCV4_HASH_LEN];
	struct discv4_pong pong = {
		.to = { *q->from, ping->ping.from.tcp_port },
		.ping_hash = slice_of(hash, sizeof(hash)),
		.expiration_s = expiration_s(q),
		.has_enr_seq = true,
		.enr_seq = sim_ethereum_seq(q->peers->world, q->index),
	};
	struct writer w;

	memcpy(hash, ping->hash.data, sizeof(hash));
	sim_lie_pong(q->kind, hash);
	answer_begin(q, &w, DISCV4_PONG);
	discv4_pong_encode(&w, &pong);
	answer_end(q, &w);
}

static void say_ping(struct question *q)
{
	struct bond *bond = &q->asker->bonds[q->index];
	const struct answer *a;
	struct enode self;
	struct writer w;

	sim_ethereum_enode(q->peers->world, q->index, &self);
	answer_begin(q, &w, DISCV4_PING);
	discv4_ping_encode(&w, &(struct discv4_ping){
				       .version = DISCV4_VERSION,
				       .from = self.endpoint,
				       .to = { *q->from, 0 },
				       .expiration_s = expiration_s(q),
				       .has_enr_seq = true,
				       .enr_seq = sim_ethereum_seq(q->peers->world, q->index),
			       });
	a = answer_end(q, &w);
	memcpy(&bond->pings[bond->next++ % PINGS_KEPT], a->bytes, sizeof(bond->pings[0]));
}

static void say_neighbors(struct question *q, const struct enode *nodes, size_t count)
{
	struct writer w;

	answer_begin(q, &w, DISCV4_NEIGHBORS);
	if (q->kind == SIM_ETHEREUM_LIAR_OVERSIZED)
		sim_lie_neighbors(&w, nodes, count, expiration_s(q), q->index);
	else
		discv4_neighbors_encode(&w, nodes, count, expiration_s(q));
	answer_end(q, &w);
}

/* In packets of 12; of nobody there is one, too. */
static void say_all_neighbors(struct question *q, const struct enode *nodes, size_t count)
{
	size_t most = q->kind == SIM_ETHEREUM_LIAR_OVERSIZED ? count : DRAIN_PACKET_NODES, done = 0;

	do {
		size_t part = count - done < most ? count - done : most;

		say_neighbors(q, nodes + done, part);
		done += part;
	} while (done < count);
}

/* Invented ones, in so many full packets. */
static void say_invented(struct question *q, unsigned packets)
{
	struct enode nodes[DRAIN_PACKET_NODES];

	while (packets-- > 0) {
		sim_liars_invent(q->peers->liars, nodes, DRAIN_PACKET_NODES);
		say_neighbors(q, nodes, DRAIN_PACKET_NODES);
	}
}

static const struct cached *table_of(struct sim_ethereum_peers *p, uint32_t index)
{
	struct cached *c = &p->tables[index % SIM_ETHEREUM_TABLES_MAX];

	if (c->index != index + 1) {
		c->index = index + 1;
		c->count = (uint32_t)sim_ethereum_table(p->world, index, c->nodes);
	}
	return c;
}

/* --- questions --- */

static void hear_ping(struct question *q, const struct discv4_packet *ping)
{
	if (ping->ping.expiration_s < q->unix_s || !identify(q)) {
		q->peers->counts.dropped++;
		return;
	}
	q->peers->counts.pings++;
	say_pong(q, ping);
	if (!is_bonded(q))
		say_ping(q);
	if (q->kind == SIM_ETHEREUM_LIAR_UNSOLICITED)
		say_invented(q, 2);
}

static void hear_pong(struct question *q, const struct discv4_packet *pong)
{
	struct bond *bond = q->asker != NULL ? &q->asker->bonds[q->index] : NULL;
	uint64_t hash;

	memcpy(&hash, pong->pong.ping_hash.data, sizeof(hash));
	for (unsigned i = 0; bond != NULL && hash != 0 && i < PINGS_KEPT; i++) {
		if (bond->pings[i] != hash || pong->pong.expiration_s < q->unix_s)
			continue;
		bond->pings[i] = 0;
		bond->until_s = (uint32_t)(q->unix_s + SIM_ETHEREUM_BOND_S);
		q->peers->counts.bonds++;
		return;
	}
	q->peers->counts.dropped++;
}

static void hear_findnode(struct question *q, const struct discv4_findnode *findnode)
{
	const struct sim_ethereum *w = q->peers->world;
	uint32_t near[KADEMLIA_BUCKET_SIZE];
	struct enode nodes[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	const struct cached *table;
	size_t count;

	if (findnode->expiration_s < q->unix_s || !is_bonded(q)) {
		q->peers->counts.dropped++;
		return;
	}
	q->peers->counts.findnodes++;
	if (q->kind == SIM_ETHEREUM_LIAR_INVENT) {
		say_invented(q, 3);
		return;
	}
	table = table_of(q->peers, q->index);
	kademlia_hash(findnode->target.data, hash);
	count = sim_ethereum_closest(w, table->nodes, table->count, hash, near);
	for (size_t i = 0; i < count; i++)
		sim_ethereum_enode(w, near[i], &nodes[i]);
	if (q->kind == SIM_ETHEREUM_LIAR_PRIVATE)
		sim_lie_addresses(w, nodes, count);
	say_all_neighbors(q, nodes, count);
}

static void hear_enrrequest(struct question *q, const struct discv4_packet *request)
{
	uint8_t record[ENR_LEN_MAX];
	struct writer w;
	size_t len;

	if (request->enrrequest.expiration_s < q->unix_s || !is_bonded(q)) {
		q->peers->counts.dropped++;
		return;
	}
	q->peers->counts.enrrequests++;
	if (q->kind == SIM_ETHEREUM_LIAR_BAD_RECORD)
		len = sim_lie_record(q->peers->world, q->index, record);
	else
		len = sim_ethereum_record(q->peers->world, q->index, record);
	answer_begin(q, &w, DISCV4_ENRRESPONSE);
	discv4_enrresponse_encode(&w, request->hash, slice_of(record, len));
	answer_end(q, &w);
	if (q->kind == SIM_ETHEREUM_LIAR_UNSOLICITED)
		say_invented(q, 2);
}

void sim_ethereum_peers_recv(struct sim_ethereum_peers *p, uint32_t index,
			     const struct netaddr *from, struct slice datagram, int64_t unix_s)
{
	struct question q = { .peers = p,
			      .index = index,
			      .kind = sim_ethereum_kind(p->world, index),
			      .from = from,
			      .datagram = datagram,
			      .unix_s = unix_s };
	struct discv4_packet packet;
	struct reader r;

	p->answers_at = p->answers_count = 0;
	if (q.kind == SIM_ETHEREUM_GHOST) {
		p->counts.ghosts++;
		return;
	}
	reader_init(&r, datagram);
	discv4_decode_unproven(&r, &packet);
	if (!reader_ok(&r)) {
		p->counts.dropped++;
		return;
	}
	q.asker = asker_find(p, from);
	switch (packet.type) {
	case DISCV4_PING:
		hear_ping(&q, &packet);
		break;
	case DISCV4_PONG:
		hear_pong(&q, &packet);
		break;
	case DISCV4_FINDNODE:
		hear_findnode(&q, &packet.findnode);
		break;
	case DISCV4_ENRREQUEST:
		hear_enrrequest(&q, &packet);
		break;
	case DISCV4_NEIGHBORS: /* nodes of a simulation ask nothing */
	case DISCV4_ENRRESPONSE:
		p->counts.dropped++;
		break;
	}
}

bool sim_ethereum_peers_next(struct sim_ethereum_peers *p, struct slice *out)
{
	const struct answer *a;

	if (p->answers_at == p->answers_count)
		return false;
	a = &p->answers[p->answers_at++];
	*out = slice_of(a->bytes, a->len);
	return true;
}

size_t sim_ethereum_record(const struct sim_ethereum *w, uint32_t index,
			   uint8_t out[static ENR_LEN_MAX])
{
	struct sim_ethereum_node node;
	struct enr_draft draft;
	struct writer writer;

	sim_ethereum_node(w, index, &node);
	enr_draft_init(&draft, node.seq);
	enr_draft_endpoint(&draft, &node.enode.endpoint);
	enr_draft_forkid(&draft, &node.forkid);
	writer_init(&writer, out, ENR_LEN_MAX);
	enr_draft_sign(&draft, sim_ethereum_secp(w), sim_ethereum_key(w, index), &writer);
	assert(writer_ok(&writer));
	return writer.len;
}
