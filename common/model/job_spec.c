#include "common/model/job_spec.h"

#include <stdio.h>
#include <string.h>

#include "common/model/ordinal.h"

#define WINDOW_MAX_BYTES 2000000u

static uint64_t quarter(uint64_t limit, uint64_t most)
{
    uint64_t q = limit / 4;

    if (limit == 0 || q > most)
        return most;
    return q == 0 ? 1 : q;
}

void job_spec_set_cut(struct job_spec *spec, uint64_t max_requests, uint64_t max_bytes)
{
    spec->window_lines = (uint32_t)quarter(max_requests, ORDINAL_LINES);
    spec->window_bytes = quarter(max_bytes, WINDOW_MAX_BYTES);
}

static bool is_name_byte(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && strchr("/:|", c) == NULL;
}

bool job_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > JOB_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_name_byte((unsigned char)name[i]))
            return false;
    }
    return true;
}

void job_name_from_path(const char *path, char *out)
{
    const char *base = strrchr(path, '/');
    size_t n = 0;

    base = base != NULL ? base + 1 : path;
    for (; n < JOB_NAME_MAX && base[n] != '\0'; n++)
        out[n] = base[n];
    while (n > 0 && base[n] != '\0' && ((unsigned char)base[n] & 0xc0) == 0x80)
        n--; /* do not cut inside a UTF-8 character */
    for (size_t i = 0; i < n; i++) {
        if (!is_name_byte((unsigned char)out[i]))
            out[i] = '-';
    }
    out[n] = '\0';
    if (!job_name_is_valid(out))
        memcpy(out, "job", 4);
}

const char *job_round_name(const char *job, unsigned round, char out[JOB_NAME_MAX + 1])
{
    if (round == 1)
        (void)snprintf(out, JOB_NAME_MAX + 1, "%s", job);
    else
        (void)snprintf(out, JOB_NAME_MAX + 1, "%.*s.r%u", JOB_ROUNDS_NAME_MAX, job,
                       round > JOB_ROUND_MAX ? JOB_ROUND_MAX : round);
    return out;
}

unsigned job_round_parse(const char *name, char job[JOB_NAME_MAX + 1])
{
    size_t len = strlen(name);
    size_t digits = 0;
    unsigned round = 0;

    (void)snprintf(job, JOB_NAME_MAX + 1, "%s", name);
    while (digits < 3 && digits < len && name[len - digits - 1] >= '0' &&
           name[len - digits - 1] <= '9')
        digits++;
    if (digits == 0 || len < digits + 3 || memcmp(name + len - digits - 2, ".r", 2) != 0)
        return 1;
    for (size_t i = len - digits; i < len; i++)
        round = round * 10 + (unsigned)(name[i] - '0');
    if (name[len - digits] == '0' || round < 2)
        return 1;
    job[len - digits - 2] = '\0';
    return round;
}
