#ifndef MODEL_ORDINAL_H
#define MODEL_ORDINAL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The identity of a task: (window, line). A window is a run of at most
 * ORDINAL_LINES consecutive requests of the input; line counts from 0 within
 * it. Packed into one integer, ordinals sort in input order.
 */
#define ORDINAL_LINES      1000u
#define ORDINAL_MAX_WINDOW 0xfffffffu

/** Windows in a part: the unit in which results are merged and published. */
#define PART_WINDOWS 512u

/** A part, and the newest resubmission that lists rows of it (0: none does). */
struct part_generation {
    uint32_t part, generation;
};

/** Bytes of a custom_id on the wire, without a NUL: "k3f9-000007b-0c8". */
#define WIRE_ID_LEN 16

/** Characters of a job's incarnation that are in its wire ids. */
#define WIRE_JOB_LEN 4

static inline uint64_t ordinal_make(uint32_t window, uint32_t line)
{
    return (uint64_t)window << 10 | line;
}

static inline uint32_t ordinal_window(uint64_t ordinal)
{
    return (uint32_t)(ordinal >> 10);
}

static inline uint32_t ordinal_line(uint64_t ordinal)
{
    return (uint32_t)(ordinal & 0x3ff);
}

static inline uint32_t ordinal_part(uint64_t ordinal)
{
    return ordinal_window(ordinal) / PART_WINDOWS;
}

/**
 * The custom_id that the provider sees: the first WIRE_JOB_LEN characters of
 * the job's incarnation @ji, window and line. Fixed width, [0-9a-z-] only,
 * unique in a job. @out holds WIRE_ID_LEN + 1 bytes.
 */
void ordinal_format(uint64_t ordinal, const char *ji, char out[WIRE_ID_LEN + 1]);

/** The reverse. False when @text is not a wire id of the job with @ji. */
bool ordinal_parse(const char *text, const char *ji, uint64_t *ordinal);

#endif
