/* html_chart.c: columns on a line, as SVG that is as wide as there is room. */
#include "report/html_inner.h"

#include <inttypes.h>

enum {
	/* Units of the drawing: on a phone about a pixel each, so that text keeps its size. */
	WIDTH = 340,
	HEIGHT = 150,
	EDGE = 15, /* for a line of text above, and one below the columns */
	TEXT_GAP = 4,
	LEAST = 1, /* of what isn't nothing */
	WIDEST = 48,
	WORD_WIDTH = 40, /* of a number such as "+1,234,567", roughly */
	MIDDLE_MAX = 12, /* columns that are wide enough for what stands at them */
};

/* In tenths of a unit, so that no locale gets to write a decimal comma. */
static void coordinate(struct text *out, const char *name, unsigned tenths)
{
	text_printf(out, " %s=\"%u.%u\"", name, tenths / 10, tenths % 10);
}

static void rectangle(struct text *out, unsigned x, unsigned y, unsigned width, unsigned height,
		      bool down)
{
	text_add(out, down ? "<rect class=\"down\"" : "<rect");
	coordinate(out, "x", x);
	coordinate(out, "y", y);
	coordinate(out, "width", width);
	coordinate(out, "height", height);
	text_add(out, "/>");
}

static void words(struct text *out, unsigned x, unsigned y, const char *anchor, const char *s)
{
	if (s[0] == 0)
		return;
	text_printf(out, "<text text-anchor=\"%s\"", anchor);
	coordinate(out, "x", x);
	coordinate(out, "y", y);
	text_add(out, ">");
	html_text(out, s);
	text_add(out, "</text>");
}

/* How high a value is where `room` is for all of `most`. */
static unsigned scaled(uint64_t value, uint64_t most, unsigned room)
{
	unsigned height;

	if (value == 0 || most == 0)
		return 0;
	height = (unsigned)((double)value / (double)most * room);
	return height > 10 * LEAST ? height : 10 * LEAST;
}

/* Words at the ends of the chart stay within it. */
static const char *anchor_of(size_t at, size_t count, bool narrow)
{
	if (!narrow || count < 2)
		return "middle";
	return at == 0 ? "start" : at == count - 1 ? "end" : "middle";
}

/* How high what is written at a column has to stand: above whatever is below the words, which are
 * wider than a narrow column. */
static uint64_t level(const struct html_column *columns, size_t count, size_t at, bool down)
{
	size_t reach = count > MIDDLE_MAX ? count * WORD_WIDTH / WIDTH : 0;
	size_t from = at > reach ? at - reach : 0;
	uint64_t most = 0;

	for (size_t i = from; i < count && i <= at + reach; i++) {
		uint64_t value = down ? columns[i].down : columns[i].up;

		most = value > most ? value : most;
	}
	return most;
}

void html_columns(struct text *out, const char *id, const char *title, const char *description,
		  const struct html_column *columns, size_t count)
{
	uint64_t up = 0, down = 0;
	unsigned step = count > 0 ? 10 * WIDTH / (unsigned)count : 0, line, room;
	unsigned gap = step - step / 5 > 10 * WIDEST ? step - 10 * WIDEST : step / 5;
	bool narrow = count > MIDDLE_MAX;

	for (size_t i = 0; i < count; i++) {
		up = columns[i].up > up ? columns[i].up : up;
		down = columns[i].down > down ? columns[i].down : down;
	}
	room = 10 * (HEIGHT - (down > 0 ? 3 : 2) * EDGE);
	line = 10 * EDGE + scaled(up, up + down, room);
	text_add(out, "<figure><figcaption>");
	html_text(out, title);
	text_printf(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\"", WIDTH, HEIGHT);
	text_printf(out, " aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">", id, id,
		    id);
	html_text(out, title);
	text_printf(out, "</title><desc id=\"%s-desc\">", id);
	html_text(out, description);
	text_add(out, "</desc>\n");
	for (size_t i = 0; i < count; i++) {
		const struct html_column *c = &columns[i];
		unsigned x = step * (unsigned)i, middle = x + step / 2;
		unsigned over = scaled(c->up, up + down, room);
		unsigned under = scaled(c->down, up + down, room);
		const char *anchor = anchor_of(i, count, narrow);
		unsigned at = anchor[0] == 's' ? x : anchor[0] == 'e' ? x + step : middle;

		text_add(out, c->faint ? "<g class=\"faint\"><title>" : "<g><title>");
		html_text(out, c->tip);
		text_add(out, "</title>");
		if (over > 0)
			rectangle(out, x + gap / 2, line - over, step - gap, over, false);
		if (under > 0)
			rectangle(out, x + gap / 2, line, step - gap, under, true);
		words(out, at,
		      line - scaled(level(columns, count, i, false), up + down, room) -
			      10 * TEXT_GAP,
		      anchor, c->over);
		words(out, at,
		      line + scaled(level(columns, count, i, true), up + down, room) +
			      10 * (EDGE - TEXT_GAP),
		      anchor, c->under);
		words(out, at, 10 * (HEIGHT - TEXT_GAP), anchor, c->label);
		text_add(out, "</g>\n");
	}
	text_printf(out, "<line x1=\"0\" x2=\"%d\"", WIDTH);
	coordinate(out, "y1", line);
	coordinate(out, "y2", line);
	text_add(out, "/></svg></figure>\n");
}
