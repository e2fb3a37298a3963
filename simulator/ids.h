#ifndef SIMULATOR_IDS_H
#define SIMULATOR_IDS_H

/**
 * A new random id after @pattern: '*' is one of [0-9a-z], '#' a digit, '^' a
 * hexadecimal digit, '%' today as yyyymmdd (UTC); any other character is
 * itself. The caller frees it.
 */
char *ids_new(const char *pattern);

#endif
