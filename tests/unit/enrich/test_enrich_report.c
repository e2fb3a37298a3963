#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/enrich/answer_fields.h"
#include "common/enrich/report_html.h"
#include "common/enrich/tally.h"
#include "common/json/scan.h"
#include "tests/unit/enrich/enrich_world.h"

#define RECIPE                                                                           \
    "model: glm-4-air\n"                                                                 \
    "analyses:\n"                                                                        \
    "  - name: mood\n"                                                                   \
    "    prompt: '{{t}}'\n"                                                              \
    "    when: t != ''\n"                                                                \
    "    answer: {repair: true, schema: {type: object, properties: {n: {type: integer}," \
    " why: {type: string}}}}\n"                                                          \
    "    output: ai.mood\n"                                                              \
    "  - name: kinds\n"                                                                  \
    "    prompt: '{{#rows}}{{_id}} {{t}}{{/rows}}'\n"                                    \
    "    answer: {type: json}\n"                                                         \
    "    vocabulary: {terms: ['<news>', '\xe6\x97\xa5\xe8\xae\xb0']}\n"                  \
    "    pack: {rows: 4, answer: kinds}\n"                                               \
    "    default: []\n"

#define ROWS "{\"t\":\"x\"}\n{\"t\":\"y\"}\n{\"t\":\"\"}\n7\n{\"t\":\"z\"}\n"

static const struct enrich_said first[] = {
    {"mood_0000", "{\"n\":4,\"why\":\"a\"}", NULL},
    {"mood_0001", "```\n{\"n\":2}\n```", NULL},
    {"mood_0004", "no idea", NULL},
    {"kinds_0000",
     "[{\"id\":0,\"kinds\":[\"<news>\",\"\xe6\x97\xa5\xe8\xae\xb0\"]},{\"id\":1,\"kinds\":[]},"
     "{\"id\":2,\"kinds\":[\"essay\"]}]",
     NULL},
};
static const struct enrich_said second[] = {
    {"mood_0004", NULL, "content_filter"},
    {"kinds_0002", "[{\"id\":2,\"kinds\":[\"essay\"]}]", NULL},
    {"kinds_0004", "[{\"id\":4,\"kinds\":[\"<news>\"]}]", NULL},
};

struct place {
    struct enrich_world world;
    struct enrich_report report;
};

static int set_up(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));
    struct err err = {0};

    enrich_world_make(&p->world, RECIPE, "rows.jsonl", ROWS);
    enrich_world_round(&p->world, first, ARRAY_LEN(first));
    enrich_world_round(&p->world, second, ARRAY_LEN(second));
    if (!enrich_world_integrate(&p->world, false, &p->report, NULL, &err))
        fail_msg("%s", err.msg);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    enrich_report_release(&p->report);
    enrich_world_free(&p->world);
    free(p);
    return 0;
}

static void every_row_and_every_answer_is_counted(void **state)
{
    struct place *p = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct report_times times = {0};
    struct buf d = enrich_world_read("x"); char pp[200]; snprintf(pp,200,"%s/out.report.json",p->world.path); d=enrich_world_read(pp); printf("%s\n",d.data); FILE *f=fopen("/tmp/enrb.html","w"); struct buf h=BUF_INIT(1<<20); assert_true(report_html_write(&p->report.jobs,&p->report,p->world.rounds[0].spec,&times,&h)); fwrite(h.data,1,h.len,f); fclose(f);
    assert_true(enrich_report_write_text(&p->report, p->world.rounds[0].spec, &times, &text));
    printf("%s", text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_row_and_every_answer_is_counted, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
