/* relay.c: a lossy line between two networks, for tests.
 *
 *     relay [NAME=VALUE]...
 *
 * It joins the network namespace in which it is started, the near one, with a new one, the far one,
 * that is there for as long as it runs, as /proc/PID/ns/net. Each gets a TUN device named "line";
 * the IP packets that the kernel sends into one come out of the other, unless they are lost. It
 * prints "ready" when both are there, and at SIGTERM what it did, as a line of JSON. Whoever starts
 * it gives the devices their addresses and routes.
 *
 * What happens to a packet follows from the seed, the direction, and its number in that direction;
 * numbers without a unit are percentages of the packets:
 *
 *     seed=N
 *     delay=MS jitter=MS      on its way for that long, and up to so much longer, in order
 *     loss=P
 *     duplicate=P             comes a second time, up to HOLD_MS later
 *     reorder=P               waits for HOLD_MS, and is overtaken
 *     corrupt=P               a bit of it is flipped: the checksum is wrong, and the kernel drops
 * it forge=P                 bytes of what TCP or UDP carry are changed, and the checksum put
 *                             right: it reaches the program */
#include "base/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
	PACKET_MAX = 65536,
	QUEUE_MAX = 16 * 1024, /* as a router's, it drops what it has no room for */
	HOLD_MS = 20,
	FORGED_MAX = 3, /* bytes of a packet */
};

enum side { NEAR, FAR, SIDES };

struct settings {
	uint64_t seed;
	double delay_ms, jitter_ms, loss, duplicate, reorder, corrupt, forge;
};

struct counts {
	uint64_t packets, ipv4, ipv6, tcp, udp;
	uint64_t lost, duplicated, reordered, corrupted, forged, overrun, unsent;
};

/* What enters the line at one side. */
struct end {
	int tun;
	struct random random;
	uint64_t last_due_us;
	struct counts counts;
};

struct packet {
	uint64_t due_us, number; /* number: of those that are due at the same time */
	enum side to;
	size_t len;
	uint8_t data[];
};

struct line {
	struct settings settings;
	struct end ends[SIDES];
	struct packet *queue[QUEUE_MAX]; /* a heap: the first is due first */
	size_t queued;
	uint64_t number;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- what a packet is --- */

/* Where its parts are. protocol: TCP's or UDP's; else there is nothing that could be changed. */
struct parts {
	unsigned protocol;
	size_t addresses, addresses_len; /* of the header, for the checksum */
	size_t transport, payload, end;
};

static void find_payload(const uint8_t *p, struct parts *out)
{
	size_t head = 8;

	if (out->protocol == IPPROTO_TCP && out->transport + 20 <= out->end)
		head = 4 * (size_t)(p[out->transport + 12] >> 4);
	out->payload = out->transport + head;
	if ((out->protocol != IPPROTO_TCP && out->protocol != IPPROTO_UDP) ||
	    out->payload > out->end)
		out->protocol = 0;
}

/* RFC 791, RFC 8200. Fragments and extension headers are passed on as they are. */
static struct parts parts_of(const uint8_t *p, size_t len)
{
	struct parts out = { 0 };

	if (len >= 20 && p[0] >> 4 == 4 && (p[6] & 0x3f) == 0 && p[7] == 0) {
		out.protocol = p[9];
		out.addresses = 12;
		out.addresses_len = 8;
		out.transport = 4 * (size_t)(p[0] & 15);
		out.end = (size_t)p[2] << 8 | p[3];
	} else if (len >= 40 && p[0] >> 4 == 6) {
		out.protocol = p[6];
		out.addresses = 8;
		out.addresses_len = 32;
		out.transport = 40;
		out.end = 40 + ((size_t)p[4] << 8 | p[5]);
	}
	if (out.end > len)
		out.protocol = 0;
	find_payload(p, &out);
	return out;
}

/* RFC 1071. */
static uint32_t add_up(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return sum;
}

static void put_checksum_right(uint8_t *p, const struct parts *parts)
{
	size_t len = parts->end - parts->transport;
	uint8_t *at = p + parts->transport + (parts->protocol == IPPROTO_TCP ? 16 : 6);
	uint32_t sum = parts->protocol + (uint32_t)len;

	at[0] = at[1] = 0;
	sum = add_up(sum, p + parts->addresses, parts->addresses_len);
	sum = add_up(sum, p + parts->transport, len);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	if (sum == 0 && parts->protocol == IPPROTO_UDP)
		sum = 0xffff; /* 0 would say that there is none */
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static bool corrupt(struct random *random, uint8_t *p, const struct parts *parts)
{
	if (parts->protocol == 0)
		return false;
	p[parts->transport + random_below(random, parts->end - parts->transport)] ^=
		(uint8_t)(1u << random_below(random, 8));
	return true;
}

static bool forge(struct random *random, uint8_t *p, const struct parts *parts)
{
	uint64_t count = 1 + random_below(random, FORGED_MAX);

	if (parts->protocol == 0 || parts->payload == parts->end)
		return false;
	for (uint64_t i = 0; i < count; i++)
		p[parts->payload + random_below(random, parts->end - parts->payload)] ^=
			(uint8_t)(1 + random_below(random, 255));
	put_checksum_right(p, parts);
	return true;
}

/* --- the queue --- */

static bool is_before(const struct packet *a, const struct packet *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void queue_put(struct line *l, struct packet *packet)
{
	size_t at = l->queued++;

	for (; at > 0 && is_before(packet, l->queue[(at - 1) / 2]); at = (at - 1) / 2)
		l->queue[at] = l->queue[(at - 1) / 2];
	l->queue[at] = packet;
}

static struct packet *queue_take(struct line *l)
{
	struct packet *first = l->queue[0], *last = l->queue[--l->queued];
	size_t at = 0, next;

	for (; (next = 2 * at + 1) < l->queued; at = next) {
		if (next + 1 < l->queued && is_before(l->queue[next + 1], l->queue[next]))
			next++;
		if (!is_before(l->queue[next], last))
			break;
		l->queue[at] = l->queue[next];
	}
	l->queue[at] = last;
	return first;
}

static void enqueue(struct line *l, enum side from, uint64_t due_us, const uint8_t *data,
		    size_t len)
{
	struct packet *packet = l->queued < QUEUE_MAX ? malloc(sizeof(*packet) + len) : NULL;

	if (packet == NULL) {
		l->ends[from].counts.overrun++;
		return;
	}
	packet->due_us = due_us;
	packet->number = l->number++;
	packet->to = from == NEAR ? FAR : NEAR;
	packet->len = len;
	memcpy(packet->data, data, len);
	queue_put(l, packet);
}

/* --- the line --- */

static void count_kind(struct counts *n, const uint8_t *p, const struct parts *parts)
{
	n->packets++;
	n->ipv4 += p[0] >> 4 == 4;
	n->ipv6 += p[0] >> 4 == 6;
	n->tcp += parts->protocol == IPPROTO_TCP;
	n->udp += parts->protocol == IPPROTO_UDP;
}

/* What happens to later packets does not depend on what happened to this one: each draws as many
 * numbers. */
static void pass(struct line *l, enum side from, uint8_t *data, size_t len)
{
	const struct settings *s = &l->settings;
	struct end *e = &l->ends[from];
	struct random own = { .state = random_next(&e->random) };
	const struct parts parts = parts_of(data, len);
	uint64_t due_us = now_us();

	count_kind(&e->counts, data, &parts);
	if (100 * random_unit(&own) < s->loss) {
		e->counts.lost++;
		return;
	}
	if (100 * random_unit(&own) < s->corrupt)
		e->counts.corrupted += corrupt(&own, data, &parts);
	else if (100 * random_unit(&own) < s->forge)
		e->counts.forged += forge(&own, data, &parts);
	due_us += (uint64_t)(1000 * (s->delay_ms + s->jitter_ms * random_unit(&own)));
	if (100 * random_unit(&own) < s->reorder) {
		due_us += 1000 * HOLD_MS;
		e->counts.reordered++;
	} else {
		due_us = due_us > e->last_due_us ? due_us : e->last_due_us;
		e->last_due_us = due_us;
	}
	enqueue(l, from, due_us, data, len);
	if (100 * random_unit(&own) < s->duplicate) {
		due_us += (uint64_t)(1000 * HOLD_MS * random_unit(&own));
		enqueue(l, from, due_us, data, len);
		e->counts.duplicated++;
	}
}

static void read_all(struct line *l, enum side from)
{
	static uint8_t data[PACKET_MAX];
	ssize_t n;

	while ((n = read(l->ends[from].tun, data, sizeof(data))) > 0)
		pass(l, from, data, (size_t)n);
}

static void write_due(struct line *l)
{
	uint64_t now = now_us();

	while (l->queued > 0 && l->queue[0]->due_us <= now) {
		struct packet *packet = queue_take(l);

		/* The device is down, or full: as any network, it promises nothing. */
		if (write(l->ends[packet->to].tun, packet->data, packet->len) < 0)
			l->ends[packet->to].counts.unsent++;
		free(packet);
	}
}

static void run(struct line *l, int signals)
{
	struct pollfd fds[] = { { .fd = l->ends[NEAR].tun, .events = POLLIN },
				{ .fd = l->ends[FAR].tun, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };

	while (fds[2].revents == 0) {
		uint64_t now = now_us(), wait = 0;
		struct timespec timeout;

		if (l->queued > 0 && l->queue[0]->due_us > now)
			wait = l->queue[0]->due_us - now;
		timeout = (struct timespec){ .tv_sec = (time_t)(wait / 1000000),
					     .tv_nsec = (long)(wait % 1000000) * 1000 };
		if (ppoll(fds, 3, l->queued > 0 ? &timeout : NULL, NULL) < 0 && errno != EINTR)
			fail("cannot wait");
		read_all(l, NEAR);
		read_all(l, FAR);
		write_due(l);
	}
}

/* --- beginning and end --- */

static int open_tun(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/net/tun");
	strcpy(request.ifr_name, "line");
	if (ioctl(fd, TUNSETIFF, &request) != 0)
		fail("cannot make a TUN device");
	return fd;
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd");
	return fd;
}

static void read_setting(struct settings *s, const char *text)
{
	const struct {
		const char *name;
		double *value;
	} names[] = {
		{ "delay", &s->delay_ms },  { "jitter", &s->jitter_ms },
		{ "loss", &s->loss },       { "duplicate", &s->duplicate },
		{ "reorder", &s->reorder }, { "corrupt", &s->corrupt },
		{ "forge", &s->forge },
	};
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;

	if (len == 4 && strncmp(text, "seed", len) == 0) {
		s->seed = strtoull(equals + 1, NULL, 10);
		return;
	}
	for (size_t i = 0; len > 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) == len && strncmp(names[i].name, text, len) == 0) {
			*names[i].value = strtod(equals + 1, NULL);
			return;
		}
	}
	fprintf(stderr, "relay: what is \"%s\"?\n", text);
	exit(2);
}

static void print_counts(const char *name, const struct counts *n)
{
	printf("\"%s\":{\"packets\":%" PRIu64 ",\"ipv4\":%" PRIu64 ",\"ipv6\":%" PRIu64
	       ",\"tcp\":%" PRIu64 ",\"udp\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64 ",\"corrupted\":%" PRIu64
	       ",\"forged\":%" PRIu64 ",\"overrun\":%" PRIu64 ",\"unsent\":%" PRIu64 "}",
	       name, n->packets, n->ipv4, n->ipv6, n->tcp, n->udp, n->lost, n->duplicated,
	       n->reordered, n->corrupted, n->forged, n->overrun, n->unsent);
}

int main(int argc, char **argv)
{
	static struct line line;
	int signals;

	for (int i = 1; i < argc; i++)
		read_setting(&line.settings, argv[i]);
	for (unsigned side = 0; side < SIDES; side++)
		line.ends[side].random.state = 2 * line.settings.seed + side;
	signals = open_signals();
	line.ends[NEAR].tun = open_tun();
	if (unshare(CLONE_NEWNET) != 0)
		fail("cannot make a network namespace");
	line.ends[FAR].tun = open_tun();
	puts("ready");
	fflush(stdout);
	run(&line, signals);
	putchar('{');
	print_counts("from_near", &line.ends[NEAR].counts);
	putchar(',');
	print_counts("from_far", &line.ends[FAR].counts);
	puts("}");
	while (line.queued > 0)
		free(queue_take(&line));
	return 0;
}
