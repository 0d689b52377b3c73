/* udp.h: a UDP socket on a libuv loop, many datagrams a system call.
 *
 * What comes is handed out as it is read, UDP_BATCH at a time (recvmmsg). What goes out is
 * kept until the batch is full or the loop is about to wait, then sent at once (sendmmsg).
 * If the kernel takes no more, datagrams wait in a queue of UDP_QUEUE_MAX, and beyond that
 * are dropped and counted, as the network may drop them too.
 *
 * A socket may belong to one address or to all of this machine (any_address): then each
 * datagram says which one it came to, and each that goes out may say which one it comes from.
 * Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_UDP_H
#define PEERWALK_IO_UDP_H

#include "base/netaddr.h"
#include "base/peer.h"

#include <uv.h>

struct udp;

enum {
	UDP_BATCH = 64,
	UDP_DATAGRAM_MAX = 2048, /* what is longer is cut, and told so */
	UDP_QUEUE_MAX = 4096,    /* 8 MiB at most, allocated as it is needed */
	/* Batches read before the loop's other work gets its turn. */
	UDP_ROUNDS = 16,
	/* Wanted of the kernel for each direction; it gives what net.core.rmem_max allows, or
	 * all of it to root. The usual 208 KiB hold some 90 datagrams. */
	UDP_KERNEL_BYTES = 4 << 20,
};

struct udp_datagram {
	struct netaddr from, to; /* to: kind NETADDR_NONE unless any_address */
	struct slice bytes;      /* borrowed for the call */
	bool cut;                /* it was longer */
};

struct udp_config {
	struct netaddr local; /* where to bind: IPv4 or IPv6; port 0: any */
	bool any_address;     /* local is the unspecified address; tell and take addresses */
	const char *device;   /* bound to this device alone ("lo"); NULL: all */
	void (*on_datagram)(void *ctx, const struct udp_datagram *d);
	/* The system says that it can't be reached (ICMP, no route): OUTCOME_REFUSED or
	 * OUTCOME_UNREACHABLE. May be forged by anybody. Never from within udp_send. May be
	 * NULL. */
	void (*on_failed)(void *ctx, const struct netaddr *to, enum outcome why);
	void *ctx;
};

struct udp_counts {
	uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
	uint64_t dropped; /* not sent: the kernel took no more */
};

/* ERR_IO (errno says why), ERR_NOMEM. The loop must outlive the socket. */
enum err udp_open(uv_loop_t *loop, const struct udp_config *config, struct udp **out);
/* Sends what waits, if the kernel takes it, and closes; frees itself from the loop. */
void udp_close(struct udp *u);
/* len <= UDP_DATAGRAM_MAX. from: NULL, or with any_address the local address. */
void udp_send(struct udp *u, const struct netaddr *to, const struct netaddr *from,
	      struct slice bytes);
/* The system has no memory to send or to read, just now: silence of others says nothing. */
bool udp_is_stuck(const struct udp *u);
/* Where it is bound, with its port. */
struct netaddr udp_local(const struct udp *u);
void udp_counts(const struct udp *u, struct udp_counts *out);

#endif
