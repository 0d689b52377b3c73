#include "sim/server_sockets.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FILLERS_MAX = 8,     /* the kernel takes one or two with a backlog of 0 */
	FILLED_WAIT_MS = 50, /* on loopback a connection is there at once, or not at all */
};

static socklen_t to_sockaddr(const struct netaddr *addr, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (addr->kind == NETADDR_IPV4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(addr->port);
		memcpy(&in4->sin_addr, addr->bytes, 4);
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(addr->port);
	memcpy(&in6->sin6_addr, addr->bytes, 16);
	return sizeof(*in6);
}

static int open_socket(enum netaddr_kind kind)
{
	return socket(kind == NETADDR_IPV4 ? AF_INET : AF_INET6,
		      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void sim_socket_bind_failed(uint16_t port, int error, struct sim_why why)
{
	if (error == EADDRINUSE)
		snprintf(why.text, why.cap,
			 "port %u is taken by another program; choose another port", port);
	else if (error == EACCES)
		snprintf(why.text, why.cap,
			 "port %u needs privileges; choose one from 1024 upwards", port);
	else
		snprintf(why.text, why.cap, "can't bind to port %u: %s", port, strerror(error));
}

const char *sim_socket_device(const struct sim_config *config)
{
	return config->device != NULL ? config->device : "lo";
}

/* Without this, peers of the simulation would be open to the whole network. */
static bool bind_to_device(int fd, const char *device, struct sim_why why)
{
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0)
		return true;
	snprintf(why.text, why.cap,
		 "can't bind a socket to the network device %s: %s; without privileges this needs "
		 "Linux 5.7 or newer",
		 device, strerror(errno));
	return false;
}

static int bind_at(enum netaddr_kind kind, uint16_t port, const char *device, struct sim_why why)
{
	const struct netaddr any = { .kind = (uint8_t)kind, .port = port };
	struct sockaddr_storage sockaddr;
	socklen_t len = to_sockaddr(&any, &sockaddr);
	int fd = open_socket(kind), one = 1;

	if (fd < 0) {
		snprintf(why.text, why.cap, "can't open a socket: %s", strerror(errno));
		return -1;
	}
	if (!bind_to_device(fd, device, why))
		goto fail;
	/* Accepted sockets inherit it: short messages in a row must not wait for ACKs. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    (kind == NETADDR_IPV6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)) {
		snprintf(why.text, why.cap, "can't set up a socket: %s", strerror(errno));
		goto fail;
	}
	if (bind(fd, (struct sockaddr *)&sockaddr, len) == 0)
		return fd;
	sim_socket_bind_failed(port, errno, why);
fail:
	close(fd);
	return -1;
}

int sim_socket_bind(const struct sim_config *config, uint16_t port, struct sim_why why)
{
	return bind_at((enum netaddr_kind)config->range.base.kind, port, sim_socket_device(config),
		       why);
}

/* One more connection of our own to the port: 1 if it was taken, 0 if it hangs, -1. */
static int fill(enum netaddr_kind kind, uint16_t port, int *filler)
{
	struct netaddr self = { .kind = (uint8_t)kind, .port = port };
	struct sockaddr_storage sockaddr;
	struct pollfd poll_fd = { .events = POLLOUT };
	socklen_t len;
	int result;

	if (kind == NETADDR_IPV4) {
		self.bytes[0] = 127;
		self.bytes[3] = 1;
	} else {
		self.bytes[15] = 1;
	}
	len = to_sockaddr(&self, &sockaddr);
	*filler = open_socket(kind);
	if (*filler < 0)
		return -1;
	if (connect(*filler, (struct sockaddr *)&sockaddr, len) == 0)
		return 1;
	if (errno != EINPROGRESS)
		return -1;
	poll_fd.fd = *filler;
	result = poll(&poll_fd, 1, FILLED_WAIT_MS);
	if (result <= 0)
		return result;
	return (poll_fd.revents & (POLLERR | POLLHUP)) == 0 ? 1 : -1;
}

int sim_socket_silent(const struct sim_config *config, uint16_t port, int *filler,
		      struct sim_why why)
{
	enum netaddr_kind kind = (enum netaddr_kind)config->range.base.kind;
	const char *device = sim_socket_device(config);
	/* Our own connections come over the loopback, whoever else is to come. */
	int fd = bind_at(kind, port, "lo", why), fds[FILLERS_MAX], n = 0, taken = 1;
	bool full;

	*filler = -1;
	if (fd < 0)
		return -1;
	if (listen(fd, 0) == 0) {
		while (n < FILLERS_MAX && taken == 1)
			taken = fill(kind, port, &fds[n++]);
	}
	/* The first that was taken fills the queue of one; the last one hangs. */
	if (n >= 2 && taken == 0)
		*filler = fds[0];
	for (int i = *filler >= 0 ? 1 : 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	full = *filler >= 0 && n == 2;
	if (full && (strcmp(device, "lo") == 0 || bind_to_device(fd, device, why)))
		return fd;
	/* Several in the queue: closing them would not make room, but says the kernel
	 * counts in a way that we don't know; better not to promise silence. */
	if (*filler >= 0)
		close(*filler);
	*filler = -1;
	close(fd);
	if (!full)
		snprintf(why.text, why.cap,
			 "can't make port %u silent: the kernel goes on accepting", port);
	return -1;
}

/* IPv4 lets a socket be bound to any address with a local route; IPv6 does not, but
 * finds a way through the loopback device only if there is such a route. Neither sends
 * anything. */
static bool is_local(const struct netaddr *addr)
{
	struct netaddr any_port = *addr;
	struct sockaddr_storage sockaddr;
	bool local = false;
	socklen_t len;
	int fd;

	any_port.port = addr->kind == NETADDR_IPV4 ? 0 : addr->port;
	len = to_sockaddr(&any_port, &sockaddr);
	fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (addr->kind == NETADDR_IPV4)
		local = bind(fd, (struct sockaddr *)&sockaddr, len) == 0;
	else
		local = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) == 0 &&
			connect(fd, (struct sockaddr *)&sockaddr, len) == 0;
	close(fd);
	return local;
}

bool sim_socket_is_local(const struct netaddr *addr, struct sim_why why)
{
	char host[NETADDR_HOST_TEXT_MAX];

	if (is_local(addr))
		return true;
	netaddr_host_text(addr, host);
	snprintf(why.text, why.cap,
		 "%s is no address of this machine; in a network namespace of your own, "
		 "`ip route add local RANGE dev lo` makes it one",
		 host);
	return false;
}
