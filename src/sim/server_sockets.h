/* server_sockets.h: the sockets under sim/server.h: listening, refusing and silent ones.
 *
 * All are bound to one network device, of which all addresses of the range are local, and to the
 * wildcard address of the range's family. Functions return a descriptor, or -1 with a sentence in
 * why. */
#ifndef PEERWALK_SIM_SERVER_SOCKETS_H
#define PEERWALK_SIM_SERVER_SOCKETS_H

#include "sim/world.h"

struct sim_why {
	char *text;
	size_t cap;
};

/* The device that callers come from: unless the configuration says otherwise, the loopback. */
const char *sim_socket_device(const struct sim_config *config);
/* Bound; the caller listens on it. Without that it makes the port refuse, and keeps
 * others from listening there. */
int sim_socket_bind(const struct sim_config *config, uint16_t port, struct sim_why why);
/* Says why a socket could not be bound to that port, by errno. */
void sim_socket_bind_failed(uint16_t port, int error, struct sim_why why);
/* A port that never answers: it listens, and its queue of accepted connections is full,
 * with *filler, a connection of our own. Close both to end it. */
int sim_socket_silent(const struct sim_config *config, uint16_t port, int *filler,
		      struct sim_why why);
/* Whether the address is this machine's. */
bool sim_socket_is_local(const struct netaddr *addr, struct sim_why why);

#endif
