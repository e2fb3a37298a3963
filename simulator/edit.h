#ifndef SIMULATOR_EDIT_H
#define SIMULATOR_EDIT_H

#include "common/base/buf.h"

/**
 * Change a member of the JSON document @doc, "a.b" being a member of a member;
 * of a listing (an array, or one under "data" or "value"), in each entry.
 * @json is its new value, NULL takes it away. What is no JSON stays as it is.
 */
void edit_member(struct buf *doc, const char *member, const char *json);

#endif
