/* swarm_host_inner.h: the inside of a swarm's host. Private to swarm_host.c (the swarm's clock,
 * listening, beginning and ending) and swarm_host_conn.c (what becomes of a connection). */
#ifndef PEERWALK_IO_SWARM_HOST_INNER_H
#define PEERWALK_IO_SWARM_HOST_INNER_H

#include "io/dial.h"
#include "io/swarm_host.h"

/*
 *     DIALLING --connected--> OPEN --SWARM_CLOSE, something is unsent--> LINGERING --> GONE
 *         |                    |                                                        ^
 *         +--failed, timeout---+--closed, SWARM_CLOSE ----------------------------------+
 */
enum conn_state { CONN_DIALLING, CONN_OPEN, CONN_LINGERING, CONN_GONE };

struct conn {
	struct tcp tcp; /* first: its callbacks have no other way to the connection */
	struct swarm_host *host;
	struct conn *chain;       /* the next in its row of the table */
	struct conn *prev, *next; /* of its list */
	uint64_t until_ms;        /* DIALLING, LINGERING: of the loop's clock */
	uint32_t id;
	uint8_t state;
	bool drop; /* not worth a last word */
	struct held held;
};

struct list {
	struct conn *first;
};

struct swarm_host {
	struct swarm_host_config config;
	struct peer_policy policy;
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_check_t check;
	struct swarm *swarm;
	struct tcp_set set;
	struct listener *listeners[SWARM_HOST_PLACES_MAX];
	struct netaddr sources[SWARM_HOST_PLACES_MAX]; /* NETADDR_NONE: none in particular */
	unsigned listeners_count, handles;
	uint64_t start_ms, timer_ms, passing_ms; /* passing: the first until_ms, or earlier */
	bool stopping, left, stepping, granted;  /* left: has taken leave */
	struct conn **table;                     /* rows of chains, by id */
	unsigned table_bits;
	struct list open, passing, dead;
	size_t in_bytes;
	uint64_t let_go, unaccepted;
	uint8_t in[SWARM_HOST_TURN_BYTES], out[SWARM_HOST_WAITING_MAX];
};

/* --- swarm_host_conn.c --- */

extern const struct tcp_calls swarm_host_calls;

/* NULL: the connection is no more. */
struct conn *swarm_host_find(const struct swarm_host *h, uint32_t id);
/* SWARM_DIAL, SWARM_SEND and SWARM_CLOSE. */
void swarm_host_dial(struct swarm_host *h, uint32_t id, const struct netaddr *to);
void swarm_host_send(struct conn *c);
void swarm_host_end(struct conn *c);
bool swarm_host_on_caller(void *ctx, int fd, const struct netaddr *from);
/* Connections whose time to begin, or to end, is over. */
void swarm_host_end_passing(struct swarm_host *h);
/* Frees those that are gone: not while events may name them (tcp.h). */
void swarm_host_bury(struct swarm_host *h);

#endif
