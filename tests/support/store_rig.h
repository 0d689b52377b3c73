/* store_rig.h: a folder for each test, and a database in it, open, for those that want one. */
#ifndef PEERWALK_TESTS_SUPPORT_STORE_RIG_H
#define PEERWALK_TESTS_SUPPORT_STORE_RIG_H

#include "support/store.h"

static struct folder folder;
static struct store *store;

static inline int folder_set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static inline int folder_tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static inline int store_set_up(void **state)
{
	folder_set_up(state);
	store = open_db(folder.db, STORE_CREATE);
	return 0;
}

static inline int store_tear_down(void **state)
{
	store_close(store);
	return folder_tear_down(state);
}

#endif
