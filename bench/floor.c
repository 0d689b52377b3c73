/* floor.c: the least that a visit can cost: a bare epoll loop that connects, shakes hands, asks,
 * reads until the list of peers has come whole, and closes; who says nothing is given up. It checks
 * nothing, keeps nothing and knows its peers from a file.
 *
 * --handshake: says nothing before its time, as clients do: verack after the peer's version,
 * getaddr after the peer's verack. --at-once: all of it together, as nearly every peer takes it.
 * --checksums: does what no reader of Bitcoin may leave out: it hashes what it has read (the
 *   double SHA-256 of every payload).
 * --twice: makes the same connections as a crawl: who can't be connected is tried once more.
 *
 * usage: bench_floor CONCURRENCY GIVE_UP_MS --handshake|--at-once [--checksums] [--twice]
 *        < HOST:PORT lines of Bitcoin peers       (GIVE_UP_MS: for a connection)
 * Prints one JSON line: visits, connections, answered, seconds, cpu_seconds. */
#include "base/bytes.h"
#include "crypto/sha256.h"
#include "proto/bitcoin/messages.h"
#include "proto/proto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	FLIGHT_MAX = 1024,
	READ_BYTES = 64 * 1024,
	REPLY_BYTES_MIN = 200, /* a longer addr or addrv2 is the list, not a self-announcement */
	EVENTS = 512,
	ANSWER_S = 6,   /* for who is connected; as long as a crawl waits for a slow answer */
	SWEEP_MS = 100, /* how often it looks for those who say nothing */
};

struct visit {
	int fd;
	double begun; /* seconds */
	size_t peer;
	bool connected;
	size_t said; /* of the flight */
	uint8_t header[BITCOIN_HEADER_LEN];
	uint32_t header_len, skip;
	bool is_reply;
};

static struct sockaddr_in *peers; /* and those to be tried once more */
static size_t peers_count, peers_cap, next_peer, answered, in_flight;
static double now; /* seconds; looked at once for all events that wait */
static uint8_t flight[FLIGHT_MAX];
/* Where in the flight the version ends, and the verack, and all of it. */
static size_t version_len, verack_len, flight_len;
static uint8_t buffer[READ_BYTES];
static bool checksums, handshake, twice;

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_flight(const struct network *net)
{
	static const enum bitcoin_command ids[] = { BITCOIN_WTXIDRELAY, BITCOIN_SENDADDRV2,
						    BITCOIN_VERACK, BITCOIN_GETADDR };
	struct bitcoin_version v = { .protocol = BITCOIN_PROTOCOL,
				     .time_s = time(NULL),
				     .recv = { .addr = { .kind = NETADDR_IPV6 } },
				     .from = { .addr = { .kind = NETADDR_IPV6 } },
				     .nonce = 1,
				     .agent = slice_text("/floor:1/"),
				     .has_from = true,
				     .has_height = true,
				     .has_relay = true };
	struct writer w;
	size_t mark;

	writer_init(&w, flight, sizeof(flight));
	mark = bitcoin_message_begin(&w);
	bitcoin_version_encode(&w, &v);
	bitcoin_message_end(&w, mark, net->magic, BITCOIN_VERSION);
	version_len = w.len;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		mark = bitcoin_message_begin(&w);
		bitcoin_message_end(&w, mark, net->magic, ids[i]);
		if (ids[i] == BITCOIN_VERACK)
			verack_len = w.len;
	}
	flight_len = w.len;
}

static void add_peer(struct sockaddr_in peer)
{
	if (peers_count == peers_cap) {
		peers_cap = peers_cap == 0 ? 1024 : peers_cap * 2;
		peers = realloc(peers, peers_cap * sizeof(*peers));
		if (peers == NULL)
			abort();
	}
	peers[peers_count++] = peer;
}

static void read_peers(void)
{
	char line[128];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct sockaddr_in peer = { .sin_family = AF_INET };
		struct netaddr a;

		line[strcspn(line, "\r\n")] = 0;
		if (netaddr_parse(slice_text(line), 8333, &a) != ERR_OK || a.kind != NETADDR_IPV4)
			continue;
		peer.sin_port = htons(a.port);
		memcpy(&peer.sin_addr, a.bytes, 4);
		add_peer(peer);
	}
}

/* The next peer that isn't refused at once, if there is one. */
static void begin(int epoll, struct visit *v)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				 .data.ptr = v };

	*v = (struct visit){ .fd = -1, .begun = now };
	while (next_peer < peers_count && v->fd < 0) {
		v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (v->fd < 0)
			abort();
		v->peer = next_peer++;
		if (connect(v->fd, (struct sockaddr *)&peers[v->peer], sizeof(*peers)) == 0 ||
		    errno == EINPROGRESS) {
			epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &e);
			in_flight++;
		} else {
			close(v->fd);
			v->fd = -1;
		}
	}
}

static void end(int epoll, struct visit *v)
{
	close(v->fd);
	in_flight--;
	begin(epoll, v);
}

/* The flight up to there, as far as it was not said. */
static bool say(struct visit *v, size_t until)
{
	size_t n = until - v->said;

	if (until <= v->said)
		return true;
	v->said = until;
	return send(v->fd, flight + until - n, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* True when the list has come whole. *until: how much of the flight is to be said now. */
static bool walk_bytes(struct visit *v, const uint8_t *p, size_t n, size_t *until)
{
	while (n > 0) {
		size_t take = v->skip < n ? v->skip : n;

		v->skip -= (uint32_t)take;
		p += take;
		n -= take;
		if (v->skip == 0 && v->is_reply)
			return true;
		take = BITCOIN_HEADER_LEN - v->header_len;
		if (v->skip > 0 || n == 0)
			return false;
		take = take < n ? take : n;
		memcpy(v->header + v->header_len, p, take);
		v->header_len += (uint32_t)take;
		p += take;
		n -= take;
		if (v->header_len < BITCOIN_HEADER_LEN)
			return false;
		v->header_len = 0;
		v->skip = (uint32_t)v->header[16] | (uint32_t)v->header[17] << 8 |
			  (uint32_t)v->header[18] << 16;
		v->is_reply = memcmp(v->header + 4, "addr", 4) == 0 && v->skip > REPLY_BYTES_MIN;
		if (memcmp(v->header + 4, "version", 7) == 0)
			*until = verack_len;
		if (memcmp(v->header + 4, "verack", 6) == 0)
			*until = flight_len;
	}
	return false;
}

static void on_event(int epoll, struct visit *v, uint32_t events)
{
	const uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
	uint8_t digest[32];
	size_t until = 0;
	ssize_t n;

	if (v->fd < 0)
		return;
	if (!v->connected && (events & EPOLLOUT) != 0) {
		v->connected = true;
		if (!say(v, handshake ? version_len : flight_len)) {
			end(epoll, v);
			return;
		}
	}
	if ((events & (EPOLLIN | ends)) == 0)
		return;
	do {
		n = read(v->fd, buffer, sizeof(buffer));
		if (n > 0 && checksums)
			sha256d(slice_of(buffer, (size_t)n), digest);
		if (n > 0 && walk_bytes(v, buffer, (size_t)n, &until)) {
			answered++;
			end(epoll, v);
			return;
		}
	} while (n == READ_BYTES || (n > 0 && (events & ends) != 0));
	if (n == 0 || (n < 0 && errno != EAGAIN) || !say(v, until))
		end(epoll, v);
}

static void sweep(int epoll, struct visit *visits, size_t count, double give_up, size_t addresses)
{
	for (size_t i = 0; i < count; i++) {
		struct visit *v = &visits[i];

		if (v->fd < 0 || now - v->begun <= (v->connected ? ANSWER_S : give_up))
			continue;
		if (twice && !v->connected && v->peer < addresses)
			add_peer(peers[v->peer]);
		end(epoll, v);
	}
}

static void visit_all(int epoll, struct visit *visits, size_t count, double give_up)
{
	struct epoll_event events[EVENTS];
	size_t addresses = peers_count;
	double swept;
	int n;

	now = swept = seconds_now();
	for (size_t i = 0; i < count; i++)
		begin(epoll, &visits[i]);
	while (in_flight > 0 && (n = epoll_wait(epoll, events, EVENTS, SWEEP_MS)) >= 0) {
		now = seconds_now();
		for (int i = 0; i < n; i++)
			on_event(epoll, events[i].data.ptr, events[i].events);
		if (now - swept > SWEEP_MS / 1e3) {
			sweep(epoll, visits, count, give_up, addresses);
			swept = now;
		}
	}
}

int main(int argc, char **argv)
{
	size_t concurrency = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	double give_up = argc > 2 ? strtod(argv[2], NULL) / 1e3 : 5;
	struct visit *visits = calloc(concurrency, sizeof(*visits));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct rusage used;
	size_t addresses;
	double start;

	if (visits == NULL || epoll < 0) {
		free(visits);
		return 1;
	}
	for (int i = 3; i < argc; i++) {
		checksums |= strcmp(argv[i], "--checksums") == 0;
		handshake |= strcmp(argv[i], "--handshake") == 0;
		twice |= strcmp(argv[i], "--twice") == 0;
	}
	make_flight(network_find("bitcoin"));
	read_peers();
	addresses = peers_count;
	start = seconds_now();
	visit_all(epoll, visits, concurrency, give_up);
	getrusage(RUSAGE_SELF, &used);
	printf("{\"visits\":%zu,\"connections\":%zu,\"answered\":%zu,\"seconds\":%.3f,"
	       "\"cpu_seconds\":%.3f}\n",
	       addresses, peers_count, answered, seconds_now() - start,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	free(visits);
	free(peers);
	return 0;
}
