/* http_api.h: the API of a small database, without a server and without cmocka: a few peers of
 * each sort, hostile names among them, in files that are gone as soon as they are open. */
#ifndef PEERWALK_TESTS_SUPPORT_HTTP_API_H
#define PEERWALK_TESTS_SUPPORT_HTTP_API_H

#include "store/store.h"
#include "web/api_peers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void http_api_put(struct store *s, struct store_crawl *crawl, const char *at,
				const char *agent, enum outcome outcome)
{
	struct record r = { .started_at_ms = crawl->started_at_ms,
			    .outcome = outcome,
			    .reached = outcome == OUTCOME_OK,
			    .tries = 1,
			    .connect_ms = 20,
			    .version_ms = -1,
			    .handshake_ms = -1,
			    .reply_ms = -1,
			    .total_ms = 30,
			    .info = { .agent = slice_text(agent),
				      .has_version = true,
				      .protocol = 70016,
				      .services = 0x409,
				      .height = 900000 } };

	assert(netaddr_parse(slice_text(at), 0, &r.addr) == ERR_OK);
	assert(store_put_known(s, crawl, &r.addr, NULL, crawl->started_at_ms) == ERR_OK);
	assert(store_put_visit(s, crawl, &r) == ERR_OK);
}

static inline void http_api_fill(struct store *s)
{
	struct store_crawl crawl = { .network = "bitcoin",
				     .started_at_ms = 1780000000000,
				     .settings = "{}" };

	assert(store_crawl_begin(s, &crawl) == ERR_OK);
	http_api_put(s, &crawl, "1.2.3.4:8333", "/Satoshi:28.0.0/", OUTCOME_OK);
	http_api_put(s, &crawl, "1.2.9.9:8333", "/Satoshi:27.0.0/", OUTCOME_OK);
	http_api_put(s, &crawl, "[2a01:4f8::7]:8333", "\"<b>\x1b[31m\\\xff", OUTCOME_OK);
	http_api_put(s, &crawl, "5.6.7.8:8333", "", OUTCOME_REFUSED);
	http_api_put(s, &crawl, "5.6.7.9:8334", "", OUTCOME_CONNECT_TIMEOUT);
	crawl.ended_at_ms = crawl.started_at_ms + 1000;
	assert(store_crawl_end(s, &crawl) == ERR_OK);
}

static inline struct store *http_api_store(void)
{
	static struct store *s;
	static const char *const ends[] = { "", "-wal", "-shm" };
	char folder[] = "/tmp/peerwalk-test.XXXXXX", path[64], name[80], why[512];

	if (s != NULL)
		return s;
	assert(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/a.db", folder);
	assert(store_open(path, STORE_CREATE, &s, why, sizeof(why)) == ERR_OK);
	http_api_fill(s);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	rmdir(folder);
	return s;
}

static inline const struct api_peers *http_api_peers(void)
{
	static struct census *census;
	static struct api_peers api;

	if (census != NULL)
		return &api;
	assert(census_new(NULL, &census) == ERR_OK);
	assert(census_refresh(census, http_api_store(), 1000) == ERR_OK);
	api.census = census;
	return &api;
}

#endif
