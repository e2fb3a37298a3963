#ifndef ENRICH_HTML_PUT_H
#define ENRICH_HTML_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

/* Pieces of an HTML page. All append to @out; false past its limit. */

/** Markup of ours, as it is. */
MUST_CHECK bool html_put(struct buf *out, const char *markup);

/**
 * Any text, escaped for where text or a quoted attribute stands: & < > " '. What is not UTF-8, and
 * control characters but newline and tab, become U+FFFD.
 */
MUST_CHECK bool html_text(struct buf *out, const char *text);

/** A table's head: <table class="@css">, one cell for each of @heads; "" at the end of the list. */
MUST_CHECK bool html_table(struct buf *out, const char *css, const char *const heads[],
                           size_t count);

/** A cell with text; @css may be NULL. Data is set apart, whatever direction it is written in. */
MUST_CHECK bool html_cell(struct buf *out, const char *css, const char *text);

/** A cell with a number, its thousands set apart. */
MUST_CHECK bool html_cell_number(struct buf *out, uint64_t n);

/** A piece of a bar. */
struct html_slice {
    const char *css; /* class of its colour */
    const char *name;
    uint64_t n;
};

/** A cell with a bar of the slices, which are shares of @total; said in words as well. */
MUST_CHECK bool html_cell_bar(struct buf *out, const struct html_slice *slices, size_t count,
                              uint64_t total);

#endif
