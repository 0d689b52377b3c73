/* guard.h: a database may be of anybody's making. What its schema could have done while our
 * statements run is switched off, and a schema that isn't ours is refused. Private to src/store. */
#ifndef PEERWALK_STORE_GUARD_H
#define PEERWALK_STORE_GUARD_H

#include "store/db.h"

/* For a connection that has read nothing yet. */
enum err guard_open(struct store *s);

/* No trigger is there, the names of our tables are those of tables, and with `whole` all of them
 * are there. Views, tables and indexes of other names are the user's own: none of our statements
 * reads them. ERR_CORRUPT. */
enum err guard_schema(struct store *s, bool whole);

#endif
