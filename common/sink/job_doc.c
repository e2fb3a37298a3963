#include "common/sink/job_doc.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/model/ordinal.h"

/* Where a member is and how much it holds. */
#define PLACE(member) offsetof(struct job_spec, member), sizeof(((struct job_spec *)0)->member)

/* One row a member, for the writer and the parser. */
static const struct {
    const char *name;
    size_t offset, cap;
} texts[] = {
    {"job",         PLACE(job)        },
    {"ji",          PLACE(ji)         },
    {"fingerprint", PLACE(fingerprint)},
    {"source",      PLACE(source)     },
    {"sink",        PLACE(sink)       },
    {"provider",    PLACE(provider)   },
    {"base_url",    PLACE(base_url)   },
    {"site",        PLACE(site)       },
    {"model",       PLACE(model)      },
    {"note",        PLACE(note)       },
};

enum number { WINDOW_LINES, WINDOW_BYTES, MAX_LINE_BYTES, CHUNK_BYTES, MAX_ATTEMPTS, NUMBERS };

static const struct {
    const char *name;
    int64_t min, max;
    int64_t since; /* version of the document; 0 in an older one */
} numbers[NUMBERS] = {
    [WINDOW_LINES] = {"window_lines",   1, ORDINAL_LINES, 1},
    [WINDOW_BYTES] = {"window_bytes",   1, INT64_MAX,     1},
    [MAX_LINE_BYTES] = {"max_line_bytes", 0, INT64_MAX,     2},
    [CHUNK_BYTES] = {"chunk_bytes",    1, INT64_MAX,     1},
    [MAX_ATTEMPTS] = {"max_attempts",   1, UINT32_MAX,    1},
};

bool job_doc_write(const struct job_spec *spec, struct buf *out)
{
    bool ok = buf_printf(out, "{\"version\":%d", JOB_DOC_VERSION);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = (const char *)spec + texts[i].offset;

        ok = ok && buf_printf(out, ",\"%s\":", texts[i].name) &&
             json_string_encode(out, text, strlen(text));
    }
    return ok && buf_printf(out,
                            ",\"inline\":%s,\"window_lines\":%" PRIu32 ",\"window_bytes\":%" PRIu64
                            ",\"max_line_bytes\":%" PRIu64 ",\"chunk_bytes\":%" PRIu64
                            ",\"max_attempts\":%" PRIu32 "}",
                            spec->inline_payload ? "true" : "false", spec->window_lines,
                            spec->window_bytes, spec->max_line_bytes, spec->chunk_bytes,
                            spec->max_attempts);
}

static bool parse_texts(const struct json_value *doc, struct job_spec *spec, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value v = json_member(doc, texts[i].name);
        char *out = (char *)spec + texts[i].offset;
        size_t len;

        if (!json_string_decode(&v, out, texts[i].cap, &len) || strlen(out) != len)
            return err_set(err, ERR_PERMANENT,
                           "job document: \"%s\" is not a text of at most %zu "
                           "bytes",
                           texts[i].name, texts[i].cap - 1);
    }
    return true;
}

static bool parse_numbers(const struct json_value *doc, int64_t version, struct job_spec *spec,
                          struct err *err)
{
    int64_t v[NUMBERS] = {0};
    struct json_value inlined = json_member(doc, "inline");

    for (size_t i = 0; i < NUMBERS; i++) {
        struct json_value member = json_member(doc, numbers[i].name);

        if (version < numbers[i].since)
            continue;
        if (!json_to_int64(&member, &v[i]) || v[i] < numbers[i].min || v[i] > numbers[i].max)
            return err_set(err, ERR_PERMANENT, "job document: \"%s\" is not a number in its range",
                           numbers[i].name);
    }
    if (inlined.kind != JSON_BOOL)
        return err_set(err, ERR_PERMANENT, "job document: \"inline\" is missing");
    spec->inline_payload = inlined.text[0] == 't';
    spec->window_lines = (uint32_t)v[WINDOW_LINES];
    spec->window_bytes = (uint64_t)v[WINDOW_BYTES];
    spec->max_line_bytes = (uint64_t)v[MAX_LINE_BYTES];
    spec->chunk_bytes = (uint64_t)v[CHUNK_BYTES];
    spec->max_attempts = (uint32_t)v[MAX_ATTEMPTS];
    return true;
}

bool job_doc_parse(const char *text, size_t len, struct job_spec *spec, struct err *err)
{
    struct json_value doc;
    struct json_error error;
    struct job_spec parsed = {0};
    int64_t version;

    if (!json_scan(text, len, &doc, &error))
        return err_set(err, ERR_PERMANENT, "job document: not valid JSON at byte %zu: %s",
                       error.offset + 1, error.what);
    struct json_value v = json_member(&doc, "version");
    if (!json_to_int64(&v, &version))
        return err_set(err, ERR_PERMANENT, "job document: it has no version");
    if (version < 1 || version > JOB_DOC_VERSION)
        return err_set(err, ERR_PERMANENT, "job document: version %" PRId64 " is not known here",
                       version);
    if (!parse_texts(&doc, &parsed, err) || !parse_numbers(&doc, version, &parsed, err))
        return false;
    if (!job_name_is_valid(parsed.job) ||
        strspn(parsed.ji, "0123456789abcdefghijklmnopqrstuvwxyz") != JOB_JI_LEN)
        return err_set(err, ERR_PERMANENT, "job document: it names no job");
    *spec = parsed;
    return true;
}
