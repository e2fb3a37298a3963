#ifndef SIMULATOR_SPOIL_H
#define SIMULATOR_SPOIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Result lines that were written well, made worse. The line is what @out has from @from on. */

/** The body of its answer becomes a string. */
void spoil_string(struct buf *out, size_t from);

/** It grows to 5 MB. */
void spoil_big(struct buf *out, size_t from);

/** Its second half goes, but for the LF. */
void spoil_torn(struct buf *out, size_t from);

/** Its first half comes twice. */
void spoil_glued(struct buf *out, size_t from);

/* How the lines of a file are laid out. */
struct layout {
    bool crlf, bom, blank_lines, no_final_newline;
    uint64_t lines; /* laid out so far */
};

/** Lay the lines out that @out has from @from on. */
void layout_apply(struct layout *l, struct buf *out, size_t from);

#endif
