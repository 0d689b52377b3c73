/* spare.h: memory for jansson and libuv when there is none left.
 *
 * Neither bears it: jansson's parser (2.14) ends the process by an assertion if it fails in the
 * middle of a token, libuv (1.44) by abort() if a loop's table of descriptors can't be made or
 * grow. A message of a stranger must not do that, so what malloc refuses them comes from a fixed
 * store, which is whole again once what was lent of it is given back. */
#ifndef PEERWALK_CLI_SPARE_H
#define PEERWALK_CLI_SPARE_H

/* For the whole process, before either is used. */
void spare_use(void);

#endif
