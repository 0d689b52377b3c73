/* dial.h: carries a visit over a TCP connection on a libuv loop.
 *
 * A dialer is what all dials of one loop share: the read buffer and the clocks. A
 * dial owns its memory and frees itself after on_done; until then the caller may
 * cancel it. Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_DIAL_H
#define PEERWALK_IO_DIAL_H

#include "engine/visit.h"
#include "io/alarms.h"
#include "io/held.h"
#include "io/tcp.h"

#include <uv.h>

enum {
	DIAL_READ_BYTES = 64 * 1024, /* a whole reply in one read */
	/* Bytes waiting for a peer that doesn't read; more are left in its session,
	 * which ends the visit when its own few bytes are full. */
	DIAL_QUEUE_MAX = 64 * 1024,
	/* Bytes of an unfinished message that every dial may hold: more than the longest
	 * reply of networks that are known (1,000 entries of 49 bytes). */
	DIAL_HELD_FREE = HELD_SMALL,
	/* Nobody may have more while all dials of a dialer hold this; whoever would is
	 * cancelled, which blames nobody. */
	DIAL_HELD_MAX = 256 * 1024 * 1024,
	/* An alarm that rings so much later was held up by this process. */
	DIAL_LATE_MS = 100,
};

struct dialer {
	uv_loop_t *loop;
	int64_t wall_minus_loop_ms; /* wall clock minus the loop's */
	size_t held_bytes;          /* of unfinished messages, all dials together */
	bool has_reached[2];        /* anybody, by IPv4 and by IPv6 */
	struct tcp_set connections;
	struct alarms alarms;
	uint8_t buffer[DIAL_READ_BYTES];
};

void dialer_init(struct dialer *d, uv_loop_t *loop);
uint64_t dialer_now_ms(const struct dialer *d); /* the loop's clock, never 0 */
int64_t dialer_unix_ms(const struct dialer *d);

struct dial;

/* Called once, when the visit has ended; the record borrows from the dial. */
typedef void dial_done_fn(void *ctx, struct dial *dial, const struct record *record);

/* Begins a visit; wait as visit_init has it. ERR_NOMEM; ERR_IO if this machine couldn't even begin
 * (no descriptor, no local port): on_done is not called then. */
enum err dial_start(struct dialer *d, const struct visit_config *config, const struct netaddr *addr,
		    const struct patience_wait *wait, uint64_t nonce, dial_done_fn *on_done,
		    void *ctx, struct dial **out);
void dial_cancel(struct dial *dial);
struct visit *dial_visit(struct dial *dial);
/* In on_done: the visit was cancelled because this machine could not connect (no
 * descriptor, no local port), or could not go on (no memory for what is to be sent). */
bool dial_failed_here(const struct dial *dial);

/* tcp_connect for these addresses; `from` is of the same kind, or NULL. */
int dial_connect(struct tcp_set *set, struct tcp *tcp, const struct netaddr *to,
		 const struct netaddr *from);
/* What a failed connection attempt means for the peer; false if the fault is this
 * machine's own (no descriptor, no local port, no memory). */
bool dial_outcome(int uv_error, enum outcome *out);

/* sockaddr from and to netaddr; only IPv4 and IPv6. */
socklen_t dial_sockaddr(const struct netaddr *addr, struct sockaddr_storage *out);
bool dial_netaddr(const struct sockaddr *sa, struct netaddr *out);

/* Bytes of random from the system; asserts that there are some. */
void dial_random(void *out, size_t len);

#endif
