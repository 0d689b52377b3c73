/* listen.h: a listening socket on a libuv loop, of TCP unless it is given one.
 *
 * Callers are taken in rounds, so that a flood of them leaves turns to the connections that
 * stand. Without a descriptor for a caller he is turned away by one that is kept in reserve,
 * rather than left waiting, and nobody is taken for LISTEN_PAUSE_MS.
 *
 * Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_LISTEN_H
#define PEERWALK_IO_LISTEN_H

#include "base/err.h"
#include "base/netaddr.h"

#include <uv.h>

enum {
	LISTEN_PAUSE_MS = 500,
	LISTEN_WHY_MAX = 256,
};

/* Where to listen. */
struct listen_place {
	struct netaddr addr; /* the unspecified address: everywhere of its kind; port 0: any */
	bool optional;       /* no such kind of address on this machine: leave it out */
};

/* Everywhere, at that port. A machine without IPv6, or without IPv4, is no reason to fail.
 * Returns how many places that is. */
enum { LISTEN_ANYWHERE = 2 };
unsigned listen_anywhere(uint16_t port, struct listen_place out[static LISTEN_ANYWHERE]);

struct listener;

/* Somebody has connected; the descriptor, non-blocking, is the callee's. False: nobody wants it,
 * and it is closed. May close the listener. */
typedef bool listen_fn(void *ctx, int fd, const struct netaddr *from);

struct listen_config {
	struct netaddr at; /* the unspecified address: everywhere of its kind; port 0: any */
	int backlog;
	unsigned round; /* callers taken in a turn of the loop */
	listen_fn *on_caller;
	void *ctx;
};

/* On a socket that is bound and non-blocking, whatever its kind, and the listener's from now on:
 * closed if that fails. config->at counts for nothing. ERR_NOMEM; ERR_IO, and errno says why. */
enum err listener_take(uv_loop_t *loop, int fd, const struct listen_config *config,
		       struct listener **out);
/* The same on a new socket. */
enum err listener_open(uv_loop_t *loop, const struct listen_config *config, struct listener **out);
/* Where it listens, with its port. */
struct netaddr listener_local(const struct listener *l);
/* Callers turned away for want of a descriptor. */
uint64_t listener_unaccepted(const struct listener *l);
/* Tells nobody any more; frees itself once the loop has run its close callbacks. */
void listener_close(struct listener *l);

/* A sentence, with the remedy, for the errno that kept us from listening at that place. */
void listen_why(const struct netaddr *at, int error, char why[static LISTEN_WHY_MAX]);
/* This machine has no addresses of that kind, or not this one. */
bool listen_no_such_address(int error);
/* The unspecified address: all of its kind. */
bool listen_is_anywhere(const struct netaddr *a);

#endif
