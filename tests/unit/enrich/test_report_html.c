#include "tests/testlib/unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/enrich/html_put.h"
#include "common/enrich/report_html.h"
#include "tests/unit/enrich/enrich_world.h"

#define TAGS_MAX 64

/* Walks over a page: every element is closed in its order, attributes are quoted, and text has no
 * bare "<" or "&". */
struct walker {
    const char *p;
    char open[TAGS_MAX][16];
    size_t depth;
};

static bool is_void(const char *name)
{
    static const char *const names[] = {"meta", "br", "hr"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void take_name(struct walker *w, char name[16])
{
    size_t len = 0;

    while (isalnum((unsigned char)*w->p) && len < 15)
        name[len++] = *w->p++;
    name[len] = '\0';
    assert_true(len > 0);
}

static void take_entity(struct walker *w)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        if (strncmp(w->p, entities[i], strlen(entities[i])) == 0) {
            w->p += strlen(entities[i]);
            return;
        }
    }
    fail_msg("a bare ampersand: %.40s", w->p);
}

static void take_attributes(struct walker *w)
{
    while (*w->p == ' ') {
        w->p++;
        while (isalnum((unsigned char)*w->p) || *w->p == '-')
            w->p++;
        assert_int_equal(*w->p, '=');
        assert_int_equal(w->p[1], '"');
        for (w->p += 2; *w->p != '"';) {
            assert_true(*w->p != '\0' && *w->p != '<' && *w->p != '>');
            if (*w->p == '&')
                take_entity(w);
            else
                w->p++;
        }
        w->p++;
    }
}

static void take_tag(struct walker *w)
{
    char name[16];
    bool closes = w->p[1] == '/';

    w->p += closes ? 2 : 1;
    take_name(w, name);
    if (closes) {
        assert_true(w->depth > 0);
        assert_string_equal(w->open[--w->depth], name);
    } else {
        take_attributes(w);
    }
    if (*w->p == '/') {
        w->p++;
    } else if (!closes && !is_void(name)) {
        assert_true(w->depth < TAGS_MAX);
        memcpy(w->open[w->depth++], name, sizeof(name));
    }
    assert_int_equal(*w->p, '>');
    w->p++;
    /* A style sheet is no markup. */
    if (!closes && strcmp(name, "style") == 0)
        w->p = strstr(w->p, "</style>");
    assert_non_null(w->p);
}

static void assert_well_formed(const struct buf *page)
{
    struct walker w = {.p = page->data};
    static const char doctype[] = "<!DOCTYPE html>\n";

    assert_int_equal(strlen(page->data), page->len);
    assert_true(strncmp(w.p, doctype, sizeof(doctype) - 1) == 0);
    w.p += sizeof(doctype) - 1;
    while (*w.p != '\0') {
        if (*w.p == '<')
            take_tag(&w);
        else if (*w.p == '&')
            take_entity(&w);
        else
            assert_true(*w.p++ != '>');
    }
    assert_int_equal(w.depth, 0);
}

/* Nothing that a browser would fetch or run. */
static void assert_alone(const struct buf *page)
{
    static const char *const words[] = {"<script", "<link", "<img",    "<iframe", "<a ",  "src=",
                                        "href=",   "url(",  "@import", "onload",  "xlink"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(page->data, words[i]) != NULL)
            fail_msg("the page has %s", words[i]);
}

/* Texts from outside that would break a page that does not escape them. */
#define HOSTILE "<b>&amp;\"x\"'</td></script><script src=//e/>"

static const struct enrich_said first[] = {
    {"a_0000", "\"</bdi><script src=//evil>alert(1)</script>\"",                      NULL         },
    {"a_0001", "\"<img onload=x> &lt; \\\"q\\\" \xe6\x97\xa5\xe8\xae\xb0 '\\u0001\"", NULL         },
    {"a_0002", NULL,                                                                  "<i>code</i>"},
    {"a_0003", "7",                                                                   NULL         },
};

static struct buf page_of(const struct report *jobs, const struct enrich_report *enriched)
{
    static const struct report_times times = {.created_ms = 1700000000000,
                                              .finished_ms = 1700000600000};
    struct buf page = BUF_INIT(1 << 22);
    struct job_spec spec = {.provider = "zhipu", .ji = "abc123def456"};

    (void)snprintf(spec.job, sizeof(spec.job), "%s", HOSTILE "\xff");
    (void)snprintf(spec.note, sizeof(spec.note), "%s", HOSTILE);
    (void)snprintf(spec.base_url, sizeof(spec.base_url), "https://%s", HOSTILE);
    assert_true(report_html_write(jobs, enriched, &spec, &times, &page));
    return page;
}

static void a_page_needs_nothing_and_no_text_breaks_it(void **state)
{
    struct enrich_world w;
    struct enrich_report report;
    struct err err = {0};

    (void)state;
    enrich_world_make(&w,
                      "model: '<u>m</u>'\nanalyses:\n  - {name: a, prompt: '{{t}}', tries: 1, "
                      "answer: {schema: {type: string}}, output: \"<o>'\"}\n",
                      "rows.jsonl", "{\"t\":1}\n{\"t\":2}\n{\"t\":3}\n{\"t\":4}\n");
    enrich_world_round(&w, first, ARRAY_LEN(first));
    if (!enrich_report_collect(&w.recipe, w.rounds, 1, false, NULL, &report, &err))
        fail_msg("%s", err.msg);
    const struct spend spend = {.model = HOSTILE,
                                .day = "2026-11-24",
                                .currency = "CNY",
                                .requests = 4,
                                .nano = 5000000000,
                                .likely_nano = 6000000000};
    spend_add(&report.jobs.spend, &spend);
    report.jobs.wastes[WASTE_DUPLICATES] = (struct waste_sum){.lines = 2, .nano = 7};

    struct buf page = page_of(&report.jobs, &report);
    struct buf again = page_of(&report.jobs, &report);
    assert_string_equal(page.data, again.data);
    assert_well_formed(&page);
    assert_non_null(strstr(page.data, "&lt;/bdi&gt;&lt;script src=//evil&gt;"));
    assert_non_null(strstr(page.data, "\xe6\x97\xa5\xe8\xae\xb0 &#39;\xef\xbf\xbd"));
    assert_non_null(strstr(page.data, "&lt;u&gt;m&lt;/u&gt;"));
    assert_non_null(strstr(page.data, "&lt;o&gt;&#39;"));
    assert_non_null(strstr(page.data, "&lt;i&gt;code&lt;/i&gt;"));
    assert_non_null(strstr(page.data, "2 times a second answer to one request"));
    assert_non_null(strstr(page.data, "<b>1</b><span>analysis</span>"));
    assert_non_null(strstr(page.data, "<b>1</b><span>round</span>"));
    assert_non_null(strstr(page.data, "<p>4 rows asked in 4 requests, "));
    buf_release(&page);
    buf_release(&again);
    enrich_report_release(&report);
    enrich_world_free(&w);
}

static void an_ordinary_job_has_a_page_too(void **state)
{
    struct report report = {.requests = 1000, .ok = 990, .failed = 10};
    struct buf page;

    (void)state;
    report_count_code(&report, "content_filter", 7);
    report_count_code(&report, "missing_result", 3);
    report_sort_codes(&report);
    memset(report.out.sha256, 'a', SHA256_HEX_LEN);
    page = page_of(&report, NULL);
    assert_well_formed(&page);
    assert_non_null(strstr(page.data, "<b>1,000</b><span>requests</span>"));
    assert_non_null(strstr(page.data, "missing_result 30.0%"));
    assert_non_null(strstr(page.data, "SHA-256"));
    assert_null(strstr(page.data, "Analyses"));
    buf_release(&page);
    report_release(&report);

    /* Nothing of the job's in it: only what is always there. */
    struct report nothing = {0};
    struct buf plain = BUF_INIT(1 << 20);
    static const struct job_spec spec = {.job = "nightly", .provider = "openai"};
    static const struct report_times times = {0};
    assert_true(report_html_write(&nothing, NULL, &spec, &times, &plain));
    assert_well_formed(&plain);
    assert_alone(&plain);
    buf_release(&plain);
}

static const struct {
    const char *text, *html;
} texts[] = {
    {"",                    ""                                       },
    {"plain \xe5\xa5\xbd",  "plain \xe5\xa5\xbd"                     },
    {"a<b>&\"c\"'d'",       "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;"},
    {"line\nand\ttab",      "line\nand\ttab"                         },
    {"\x01\x1b[2J\x7f",     "\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd"},
    {"\xff\xc3",            "\xef\xbf\xbd\xef\xbf\xbd"               },
    {"back\\slash \\u0041", "back\\slash \\u0041"                    },
};

static void texts_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buf out = BUF_INIT(4096);

        assert_true(html_put(&out, ""));
        assert_true(html_text(&out, texts[i].text));
        assert_string_equal(out.data, texts[i].html);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_needs_nothing_and_no_text_breaks_it),
        cmocka_unit_test(an_ordinary_job_has_a_page_too),
        cmocka_unit_test(texts_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
