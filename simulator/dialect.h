#ifndef SIMULATOR_DIALECT_H
#define SIMULATOR_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the key is expected. */
enum dialect_key {
    DIALECT_KEY_BEARER, /* Authorization: Bearer KEY */
    DIALECT_KEY_HEADER, /* api-key: KEY; or a Bearer token that has the form of a JWT */
};

/* What the body of an error is. */
enum dialect_problem {
    DIALECT_PROBLEM_OPENAI, /* {"error":{"message","type","param","code"}} */
    DIALECT_PROBLEM_ZHIPU,  /* {"error":{"code":"<digits>","message"}}, some of them inside a 200 */
    DIALECT_PROBLEM_PLAIN,  /* text; a 429 is {"error":"too_many_requests","message"} */
};

/* How a time is written. */
enum dialect_time {
    DIALECT_TIME_SECONDS, /* unix */
    DIALECT_TIME_MS,      /* unix, milliseconds */
    DIALECT_TIME_ISO,     /* "2024-07-19T17:13:57.2491382+00:00" */
};

/* How a member without a value is written. */
enum dialect_absent { DIALECT_ABSENT_NULL, DIALECT_ABSENT_OMITTED, DIALECT_ABSENT_EMPTY };

/* The members of a listing beside "object" and "data". */
enum dialect_list {
    DIALECT_LIST_ENDS,   /* first_id, last_id, has_more; the next page is asked for by "after" */
    DIALECT_LIST_MORE,   /* has_more only */
    DIALECT_LIST_CURSOR, /* paging.next_cursor, asked for by "cursor" */
    DIALECT_LIST_ALL,    /* none: always everything */
};

/* What GET /batches can be narrowed by. */
enum dialect_filter {
    DIALECT_FILTER_NONE,
    DIALECT_FILTER_AZURE,      /* $filter, $orderby; the array is then under "value" */
    DIALECT_FILTER_DASHSCOPE,  /* ds_name, input_file_ids, status, create_after, create_before */
    DIALECT_FILTER_GROQ,       /* id=...&id=... */
    DIALECT_FILTER_DOUBLEWORD, /* search, status */
};

/* What is checked of a batch file while it is uploaded. */
enum dialect_check {
    DIALECT_CHECK_FIRST_LINE, /* that it is an object */
    DIALECT_CHECK_NOTHING,
    DIALECT_CHECK_ZHIPU,      /* every line: JSON, model, custom_id */
    DIALECT_CHECK_DOUBLEWORD, /* every line, with its number and, where it isn't UTF-8, its offset
                               */
};

/* What completion_window may be. */
enum dialect_window {
    DIALECT_WINDOW_DAY,   /* "24h"; else 400 */
    DIALECT_WINDOW_NONE,  /* given up: ignored */
    DIALECT_WINDOW_LATE,  /* "24h"; else the batch fails */
    DIALECT_WINDOW_HOURS, /* "24h" to window_max_h hours, also written in days */
    DIALECT_WINDOW_NAMES, /* "24h", "1h", "background" */
};

/* What happens to a batch that is not done at the end of its window. */
enum dialect_expiry {
    DIALECT_EXPIRY_EXPIRES, /* it ends as expired, with what it has */
    DIALECT_EXPIRY_GOES_ON,
    DIALECT_EXPIRY_CANCELS, /* cancelled by the provider after seven windows */
};

/* The form of a result line. */
enum dialect_line {
    DIALECT_LINE_OPENAI, /* id, custom_id, response, error */
    DIALECT_LINE_AZURE,  /* custom_id, response with its body first, error; no id */
    DIALECT_LINE_ZHIPU,  /* response, custom_id, id (the batch's); no error */
};

/* What a line says about a request that was answered with an HTTP error. */
enum dialect_failure {
    DIALECT_FAILURE_RESPONSE, /* the response, with status and body */
    DIALECT_FAILURE_ERROR,    /* response null, error an object */
    DIALECT_FAILURE_BARE,     /* id, custom_id, error; no response */
};

struct dialect_files {
    const char *id, *output_id;   /* patterns of ids_new() */
    const char *error_purpose;    /* the purpose of error files; output files have batch_output */
    const char *const *purposes;  /* that an upload may have; NULL ends them */
    const char *filename;         /* what the member is called */
    const char *anchor, *seconds; /* the upload's parts about expiry; NULL: there are none */
    uint64_t expires_min_s, expires_max_s;
    uint64_t ttl_s;        /* of a batch file for which nothing was asked; 0: for ever */
    uint64_t output_ttl_s; /* the same for results */
    uint64_t max_bytes;    /* of one file */
    unsigned too_big;      /* HTTP status for a bigger one */
    enum dialect_check check;
    bool status;       /* the object has "status" */
    bool pending;      /* a new file is pending, for --file-delay at least */
    bool get;          /* GET /files/{id} exists */
    bool outputs_only; /* only results can be downloaded */
    bool partial;      /* the output of a running batch can be downloaded as far as it is */
    enum dialect_list list;
    uint64_t list_preset, list_max; /* limit */
    bool list_ordered;              /* takes order=asc|desc */
    bool list_purpose;              /* "purpose" is required */
};

/* What a request line may be. */
struct dialect_lines {
    size_t id_min, id_max;   /* bytes of custom_id; 0: not checked */
    uint64_t max_requests;   /* in one file */
    uint64_t max_embeddings; /* the same for embeddings; 0: no other limit */
    size_t max_bytes;        /* of one line; 0: no limit */
    const char *url_code;    /* the code when a line's url is not the batch's endpoint */
    bool url_short;          /* "/v1" may be left out on either side */
    bool many_models;        /* a file may name several */
    bool bad_are_skipped;    /* a bad line does not fail the batch */
    bool bom_hides_model;    /* with a byte order mark, the complaint is about the model */
};

struct dialect_batches {
    unsigned created;             /* HTTP status of an upload and of a create */
    const char *id;               /* pattern of ids_new() */
    const char *const *endpoints; /* NULL ends them */
    const char *validating;       /* how that status is written */
    enum dialect_time time;
    enum dialect_absent absent;    /* any member */
    enum dialect_absent absent_id; /* output_file_id, error_file_id */
    bool counts_null;              /* while validating, each member of request_counts is null */
    bool errors_array;             /* "errors" is the array itself */
    bool endpoint_null;            /* the endpoint is not told */
    bool failed_completes;         /* a failed batch has completed_at, not failed_at */
    bool bad_fails;                /* a batch without one success ends as failed */
    bool usage;                    /* has "usage" */
    bool auto_delete;              /* knows auto_delete_input_file, on by default */
    bool deletable;                /* DELETE /batches/{id} exists */
    bool file_first;               /* a missing input is found out at the create: 404 */
    bool keys_reserved;            /* drops and adds keys of metadata */
    bool ds_names; /* metadata ds_name and ds_description have limits of their own */
    enum dialect_window window;
    unsigned window_max_h;
    enum dialect_expiry expiry;
    enum dialect_list list;
    enum dialect_filter filter;
};

struct dialect_results {
    enum dialect_line line;
    enum dialect_failure failure;
    bool usage_first;      /* chat: the usage comes before the choices, and there is less else */
    bool no_role;          /* the message has no role */
    bool error_file_empty; /* without failures there is an error file of no bytes */
};

/** How one provider's Batch API differs from the others'. docs/simulator.md, "Dialects". */
struct dialect {
    const char *name;
    const char *base; /* path before /files and /batches */
    enum dialect_key key;
    enum dialect_problem problem;
    struct dialect_files files;
    struct dialect_lines lines;
    struct dialect_batches batches;
    struct dialect_results results;
};

/** The dialect called @name; NULL when there is none. */
const struct dialect *dialect_find(const char *name);

/** The dialects one after the other; NULL after the last. */
const struct dialect *dialect_at(size_t index);

/** Whether @name is in a list of names that NULL ends. */
bool dialect_lists(const char *const *names, const char *name);

#endif
