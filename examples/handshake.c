/* handshake: asks one peer who it is and whom it knows, over a socket of its own.
 *
 *     handshake NETWORK ADDRESS PORT [NODE]
 *     cc handshake.c $(pkg-config --cflags --libs peerwalk) -o handshake
 *
 * NODE is for Ethereum, where nobody is called without a key: enode://KEY@ADDRESS:PORT.
 *
 * Shows a session without the library's own crawl: the session says what to send and
 * what has happened, the program owns the socket and the clock. */
#define _POSIX_C_SOURCE 200809L /* sockets and clocks, whatever the compiler's -std */

#include <peerwalk.h>

#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds on a clock that never goes back; 0 means nothing to a session. */
static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

static int dial(const char *host, const char *port)
{
	struct addrinfo hints, *found;
	int fd;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static void print_info(const struct pw_session_config *config, const struct pw_info *info)
{
	printf("agent     %s\nprotocol  %" PRId64 "\nheight    %" PRId64 "\nservices ", info->agent,
	       info->protocol, info->height);
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = pw_service_name(config->network, bit);

		if ((info->services >> bit & 1) != 0 && name != NULL)
			printf(" %s", name);
		else if ((info->services >> bit & 1) != 0)
			printf(" bit%u", bit);
	}
	printf("\nmessages  %s\n", info->negotiation);
}

/* Known at the end only, as it is the last that a node says. */
static void print_node(const struct pw_node *node)
{
	if (node->has_hello)
		printf("speaks    %s\n", node->capabilities);
	if (node->has_status)
		printf("chain     %s, network %" PRIu64 "\n",
		       node->chain != NULL ? node->chain : "unknown", node->network_id);
	printf("session   %s\n", node->session);
}

/* Returns the last event, NULL while there is more to come. */
static const struct pw_event *handle_events(struct pw_session *session,
					    const struct pw_session_config *config)
{
	const struct pw_advert *advert;
	const struct pw_event *event;

	while ((event = pw_session_next(session)) != NULL) {
		switch (event->kind) {
		case PW_EVENT_HANDSHAKE:
			print_info(config, pw_session_info(session));
			break;
		case PW_EVENT_ADVERTS:
			while ((advert = pw_session_advert(session)) != NULL)
				printf("knows     %s port %u\n", advert->host, advert->port);
			break;
		case PW_EVENT_DONE:
			return event;
		case PW_EVENT_ASKED:
		case PW_EVENT_MESSAGE:
		case PW_EVENT_PONG:
			break;
		}
	}
	return NULL;
}

static bool send_all(struct pw_session *session, int fd)
{
	char out[4096];
	size_t len;

	while ((len = pw_session_send(session, out, sizeof(out))) > 0) {
		for (size_t at = 0; at < len;) {
			ssize_t n = write(fd, out + at, len - at);

			if (n < 0)
				return false;
			at += (size_t)n;
		}
	}
	return true;
}

/* Waits for bytes until the session's deadline. */
static void wait_and_receive(struct pw_session *session, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t now = now_ms(), deadline = pw_session_deadline(session);
	uint64_t wait = deadline > now ? deadline - now : 0;
	char in[16384];

	if (poll(&poll_fd, 1, wait < 1000000 ? (int)wait : 1000000) > 0) {
		ssize_t n = read(fd, in, sizeof(in));

		if (n <= 0)
			pw_session_closed(session, n < 0, now_ms());
		else if (pw_session_recv(session, in, (size_t)n, now_ms()) != PW_OK)
			pw_session_closed(session, true, now_ms());
	}
	pw_session_tick(session, now_ms());
}

/* One connection. *again is set if the peer may like another, step by step. */
static enum pw_outcome talk(const struct pw_session_config *config, int fd, bool *again)
{
	enum pw_outcome outcome = PW_OUTCOME_CANCELLED;
	const struct pw_event *end;
	struct pw_session *session;
	enum pw_err err = pw_session_new(config, now_ms(), &session);

	*again = false;
	if (err != PW_OK) {
		fprintf(stderr, "handshake: %s\n", pw_err_text(err));
		return outcome;
	}
	while ((end = handle_events(session, config)) == NULL) {
		if (send_all(session, fd))
			wait_and_receive(session, fd);
		else
			pw_session_closed(session, true, now_ms());
	}
	outcome = end->outcome;
	*again = end->retry_stepwise;
	if (end->rule != NULL)
		printf("rule      %s\n", end->rule);
	send_all(session, fd); /* a node is told that we leave */
	if (pw_session_node(session) != NULL)
		print_node(pw_session_node(session));
	pw_session_free(session);
	return outcome;
}

int main(int argc, char **argv)
{
	struct pw_session_config config = { .size = sizeof(config) };
	enum pw_outcome outcome;
	bool again;
	int fd;

	if (argc < 4 || argc > 5 || (config.network = pw_network_find(argv[1])) == NULL) {
		fputs("handshake: expected NETWORK ADDRESS PORT [NODE]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	config.unix_s = time(NULL);
	config.timeout_ms = 20000;
	config.peer = argc == 5 ? argv[4] : NULL;
	do {
		fd = dial(argv[2], argv[3]);
		if (fd < 0) {
			perror("handshake: cannot connect");
			return 1;
		}
		outcome = talk(&config, fd, &again);
		close(fd);
		again = again && !config.stepwise;
		config.stepwise = true;
	} while (again);
	printf("outcome   %s: %s\n", pw_outcome_name(outcome), pw_outcome_text(outcome));
	return outcome == PW_OUTCOME_OK || outcome == PW_OUTCOME_NO_PEERS ? 0 : 1;
}
