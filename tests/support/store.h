/* store.h: for tests of what works on a database: a folder of their own, and records. */
#ifndef PEERWALK_TESTS_SUPPORT_STORE_H
#define PEERWALK_TESTS_SUPPORT_STORE_H

#include "store/query.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
	char path[128];
	char db[160]; /* a file in it */
};

static inline void folder_make(struct folder *f)
{
	const char *base = getenv("TMPDIR");

	snprintf(f->path, sizeof(f->path), "%.90s/peerwalk-test.XXXXXX",
		 base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->db, sizeof(f->db), "%s/test.db", f->path);
}

/* Removes the files in it, and itself. */
static inline void folder_remove(struct folder *f)
{
	DIR *dir = opendir(f->path);
	struct dirent *entry;
	char path[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", f->path, entry->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(f->path);
}

/* A database, and what SQLite keeps beside it. */
static inline void db_remove(const char *db)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[256];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", db, suffixes[i]);
		unlink(path);
	}
}

static inline struct store *open_db(const char *path, enum store_mode mode)
{
	struct store *s = NULL;
	char why[640] = "";
	enum err err = store_open(path, mode, &s, why, sizeof(why));

	if (err != ERR_OK)
		print_error("%s: %s\n", err_name(err), why);
	assert_int_equal(err, ERR_OK);
	return s;
}

static inline struct store_crawl begin_crawl(struct store *s, const char *network)
{
	struct store_crawl crawl = { .started_at_ms = 1780000000000,
				     .settings = "{\"concurrency\":100}" };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_crawl_begin(s, &crawl), ERR_OK);
	assert_true(crawl.id > 0);
	return crawl;
}

static inline struct netaddr addr_of(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 8333, &a), ERR_OK);
	return a;
}

/* A visit that went nowhere. */
static inline struct record failed_record(struct netaddr addr, enum outcome outcome)
{
	return (struct record){ .addr = addr,
				.started_at_ms = 1780000001000,
				.outcome = outcome,
				.tries = 1,
				.connect_ms = -1,
				.version_ms = -1,
				.handshake_ms = -1,
				.reply_ms = -1,
				.total_ms = 5000,
				.info.height = -1 };
}

/* A visit that went well; agent may hold any bytes. */
static inline struct record ok_record(struct netaddr addr, struct slice agent)
{
	struct record r = failed_record(addr, OUTCOME_OK);

	r.reached = true;
	r.connect_ms = 40;
	r.version_ms = 80;
	r.handshake_ms = 81;
	r.reply_ms = 120;
	r.total_ms = 130;
	r.info.agent = agent;
	r.info.has_version = true;
	r.info.protocol = 70016;
	r.info.services = 0xc09;
	r.info.height = 900000;
	r.adverts = 1000;
	return r;
}

#endif
