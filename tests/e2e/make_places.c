/* make_places.c: writes the databases of support/places.h into the folder that is named. */
#include "support/places.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_places FOLDER\n");
		return 2;
	}
	places_write(argv[1]);
	return 0;
}
