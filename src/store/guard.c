#include "store/guard.h"

#include <stdio.h>

enum {
	/* Our largest value is the report of a crawl, of some MB. What an expression in the file
	 * makes out of nothing ends here, too. */
	VALUE_MAX_BYTES = 64 << 20,
	LIKE_MAX_BYTES = 64, /* no statement of ours has one; long patterns take for ever */
};

static const char *const tables[] = {
	"networks", "outcomes", "kinds", "crawls",      "peers",   "visits",
	"adverts",  "nodes",    "books", "node_visits", "book",    "book_values",
	"watch",    "sessions", "daily", "changes",     "reports",
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

/* The views that are made for people are for people: we never read one. */
enum err guard_open(struct store *s)
{
	static const struct {
		int what, on;
	} configs[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(*configs); i++)
		if (sqlite3_db_config(s->db, configs[i].what, configs[i].on, NULL) != SQLITE_OK)
			return db_fail(s);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
	sqlite3_limit(s->db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LIKE_MAX_BYTES);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	return db_script(s, "PRAGMA cell_size_check = ON");
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		if (sqlite3_stricmp(name, tables[i]) == 0)
			return true;
	return false;
}

/* Of an object of the schema: what is wrong with it; NULL: nothing. Its name is a stranger's text,
 * and not told. A virtual table, as a view, has no page where it begins. */
static const char *fault_of(const char *type, const char *name, int64_t page, size_t *found)
{
	if (sqlite3_stricmp(type, "trigger") == 0)
		return "it has a trigger";
	if (sqlite3_stricmp(name, "batch") == 0)
		return "it has a table \"batch\""; /* feed.h */
	if (!is_ours(name))
		return NULL;
	if (sqlite3_stricmp(type, "table") != 0 || page < 1)
		return "something else is in the place of a table";
	++*found;
	return NULL;
}

static enum err fail_schema(struct store *s, const char *fault)
{
	snprintf(s->why, sizeof(s->why),
		 "%s: its schema was changed by another program (%s); drop what was added, or name "
		 "another file with --db",
		 s->path, fault);
	return ERR_CORRUPT;
}

enum err guard_schema(struct store *s, bool whole)
{
	const char *fault = NULL;
	size_t found = 0;
	sqlite3_stmt *st = db_use(s, SQL_SCHEMA);
	int rc = SQLITE_DONE;
	enum err err = ERR_OK;

	if (st == NULL)
		return db_fail(s);
	while (fault == NULL && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *type = (const char *)sqlite3_column_text(st, 0);
		const char *name = (const char *)sqlite3_column_text(st, 1);

		if (type == NULL || name == NULL)
			break; /* no memory */
		fault = fault_of(type, name, sqlite3_column_int64(st, 2), &found);
	}
	if (fault == NULL && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	if (err == ERR_OK && fault == NULL && whole && found < TABLES)
		fault = "a table is missing";
	return fault != NULL ? fail_schema(s, fault) : err;
}
