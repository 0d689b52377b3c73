/* explain: names each field of Bitcoin messages given in hex.
 *
 *     explain HEX
 *     cc explain.c $(pkg-config --cflags --libs peerwalk) -o explain */
#include <peerwalk.h>

#include <stdio.h>
#include <string.h>

static void on_field(void *ctx, const struct pw_field *field)
{
	(void)ctx;
	if (field->kind == PW_FIELD_GROUP)
		printf("%6zu  %s %u\n", field->at, field->name, (unsigned)field->value);
	else
		printf("%6zu  %-20s  %s\n", field->at, field->name, field->text);
}

/* Returns the number of bytes, 0 if text is no hex or too long. */
static size_t read_hex(const char *text, unsigned char *out, size_t cap)
{
	size_t len = strlen(text) / 2;

	if (strlen(text) % 2 != 0 || len > cap)
		return 0;
	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		if (strspn(text + 2 * i, "0123456789abcdefABCDEF") < 2 ||
		    sscanf(text + 2 * i, "%2x", &byte) != 1)
			return 0;
		out[i] = (unsigned char)byte;
	}
	return len;
}

int main(int argc, char **argv)
{
	static unsigned char message[1 << 16];
	struct pw_fault fault = { 0, "" };
	enum pw_err err;
	size_t len;

	len = argc == 2 ? read_hex(argv[1], message, sizeof(message)) : 0;
	if (len == 0) {
		fputs("explain: expected one message in hex\n", stderr);
		return 2;
	}
	err = pw_explain(pw_network_find("bitcoin"), message, len, on_field, NULL, &fault);
	if (err == PW_OK)
		return 0;
	printf("%6zu  error: %s (%s)\n", fault.at, pw_err_text(err), fault.rule);
	return 1;
}
