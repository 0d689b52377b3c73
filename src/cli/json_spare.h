/* json_spare.h: memory for jansson when there is none left.
 *
 * jansson's parser (2.14) does not bear a failure in the middle of a token: an assertion of its own
 * ends the process. A message of a stranger must not do that, so what malloc refuses comes from a
 * fixed store, which is whole again once what was lent of it is given back. */
#ifndef PEERWALK_CLI_JSON_SPARE_H
#define PEERWALK_CLI_JSON_SPARE_H

/* For the whole process, before jansson is used. */
void json_spare_use(void);

#endif
