/* sweeps.c: what the program does while the system fails it. */
#include "base/hash.h"
#include "faults/run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* --- what has to be the same --- */

/* Whom a crawl visited, and what came of each. */
static void look_at_visits(const char *folder, struct run *run)
{
	static const char sql[] =
		"SELECT group_concat(line, ' ') FROM (SELECT p.address || ':' || p.port || '=' ||"
		" v.outcome || '/' || v.reached AS line FROM visits v JOIN peers p"
		" ON p.id = v.peer_id ORDER BY line), (SELECT complete FROM crawls)";
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/x.db", folder);
	if (access(path, F_OK) == 0 && sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL) {
		snprintf(run->result, sizeof(run->result), "%s",
			 (const char *)sqlite3_column_text(st, 0));
		run->cut_short = sqlite3_column_int(st, 1) == 0;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void hash_file(const char *folder, const char *name, struct run *run)
{
	struct hash_key key = { 1, 2 };
	char path[512], bytes[4096];
	size_t n, size = 0, at = strlen(run->result);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	while (f != NULL && (n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		key.k0 = hash_siphash13(&key, bytes, n);
		size += n;
	}
	if (f != NULL)
		fclose(f);
	snprintf(run->result + at, sizeof(run->result) - at, "%s: %zu bytes, %016llx; ", name, size,
		 (unsigned long long)key.k0);
}

static void look_at_output(const char *folder, struct run *run)
{
	hash_file(folder, "out", run);
	hash_file(folder, "file", run);
}

static void look_at_nothing(const char *folder, struct run *run)
{
	(void)folder;
	run->result[0] = 0;
}

/* --- who comes by meanwhile --- */

static void listen_a_while(const char *folder)
{
	(void)folder;
	pause_ms(700);
}

/* Where it says that it listens; 0: it has not said so. */
static unsigned port_of(const char *folder)
{
	char path[512], text[1024];
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "%s/out", folder);
	f = fopen(path, "rb");
	if (f == NULL)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	at = strstr(text, "http://127.0.0.1:");
	return at != NULL ? (unsigned)atoi(at + strlen("http://127.0.0.1:")) : 0;
}

/* Whatever the answer is: an error, or the end of the connection, will do. */
static void ask(unsigned port, const char *target)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { .tv_sec = 2 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char bytes[4096];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
		snprintf(bytes, sizeof(bytes),
			 "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", target);
		if (send(fd, bytes, strlen(bytes), MSG_NOSIGNAL) > 0)
			while (recv(fd, bytes, sizeof(bytes), 0) > 0)
				;
	}
	close(fd);
}

static void ask_some(const char *folder)
{
	unsigned port = 0;

	for (unsigned i = 0; i < 100 && port == 0; i++) {
		pause_ms(20);
		port = port_of(folder);
	}
	if (port == 0)
		return;
	ask(port, "/healthz");
	ask(port, "/api/v1/networks");
	ask(port, "/api/v1/crawls/1/report");
	ask(port, "/api/v1/peers?limit=5");
	ask(port, "/");
}

/* Of a node, until it ends. */
static void ask_status(const char *folder)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 2 };
	char bytes[4096];

	snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/status", folder);
	for (unsigned i = 0; i < 8; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		pause_ms(100);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		    send(fd, "status\n", 7, MSG_NOSIGNAL) == 7)
			while (recv(fd, bytes, sizeof(bytes), 0) > 0)
				;
		close(fd);
	}
}

static void watch_a_while(const char *folder)
{
	(void)folder;
	pause_ms(1500);
}

#define CRAWL(network)                                                                         \
	"crawl " network " --no-default-seeds --seeds %c/seeds.txt --allow-private --adverts " \
	"--timeout 8s --connect-timeout 5s --db %d/x.db"
#define NODE(network)                                                                  \
	"node " network " --listen 127.0.0.1:0 --bootstrap %s --no-default-bootstrap " \
	"--duration 800ms --db %d/x.db"

const struct sweep sweeps[] = {
	{ .name = "crawl-bitcoin",
	  .network = "bitcoin-regtest",
	  .args = CRAWL("bitcoin-regtest --duration 15s"),
	  .look = look_at_visits,
	  .waits = true },
	{ .name = "crawl-gossip",
	  .network = "gossip",
	  .args = CRAWL("gossip --duration 15s"),
	  .look = look_at_visits,
	  .waits = true },
	{ .name = "crawl-ethereum",
	  .network = "ethereum",
	  .args = CRAWL("ethereum --duration 20s"),
	  .look = look_at_visits,
	  .waits = true },
	{ .name = "node-bitcoin",
	  .network = "bitcoin-regtest",
	  .args = NODE("bitcoin-regtest"),
	  .look = look_at_nothing },
	{ .name = "node-gossip",
	  .network = "gossip",
	  .args = NODE("gossip"),
	  .look = look_at_nothing },
	{ .name = "node-status",
	  .network = "bitcoin-regtest",
	  .args = NODE("bitcoin-regtest") " --status %d/status",
	  .visit = ask_status,
	  .look = look_at_nothing },
	{ .name = "watch",
	  .network = "bitcoin-regtest",
	  .args = CRAWL("bitcoin-regtest --every 400ms"),
	  .visit = watch_a_while,
	  .look = look_at_nothing },
	{ .name = "node-ethereum",
	  .network = "ethereum",
	  .args = NODE("ethereum"),
	  .look = look_at_nothing },
	{ .name = "listen",
	  .network = "bitcoin-regtest",
	  .args = "listen %s --connect-timeout 5s",
	  .visit = listen_a_while,
	  .look = look_at_nothing },
	{ .name = "peers-bitcoin",
	  .network = "bitcoin-regtest",
	  .args = "--config %c/settings.ini peers %s",
	  .look = look_at_nothing },
	{ .name = "peers-ethereum",
	  .network = "ethereum",
	  .args = "--config %c/settings.ini peers %s",
	  .look = look_at_nothing },
	{ .name = "serve",
	  .network = "bitcoin-regtest",
	  .args = "serve --db %c/data.db --listen 127.0.0.1:0",
	  .visit = ask_some,
	  .look = look_at_nothing,
	  .needs_data = true },
	{ .name = "report",
	  .network = "bitcoin-regtest",
	  .args = "report --db %c/data.db --html %d/file",
	  .look = look_at_output,
	  .needs_data = true },
	{ .name = "export",
	  .network = "bitcoin-regtest",
	  .args = "export --db %c/data.db --what adverts --format csv --output %d/file",
	  .look = look_at_output,
	  .needs_data = true },
	{ 0 },
};
