/* A request line: what is taken can be sent, and a reason is given for what is not. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/json/request_line.h"

static void check_body(const struct request_line *line, size_t size)
{
    struct buf member = BUF_INIT(100);
    struct buf sent = BUF_INIT(size + 100);
    struct slice parts[3];
    struct json_value root;
    struct json_value model;

    FUZZ_CHECK(request_model_member("m \"1\"", &member));

    size_t n = request_body_parts(line, (struct slice){member.data, member.len}, parts);

    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(buf_append(&sent, parts[i].p, parts[i].len));
    FUZZ_CHECK(json_scan(sent.data, sent.len, &root, NULL));
    model = json_member(&root, "model");
    FUZZ_CHECK(json_string_equals(&model, line->model));
    buf_release(&sent);
    buf_release(&member);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct request_line line;
    char why[REQUEST_WHY_SIZE] = "";
    struct json_value root;
    bool ok = request_line_parse(text, size, "m \"1\"", &line, why);

    FUZZ_CHECK(ok == (why[0] == '\0'));
    FUZZ_CHECK(strlen(why) < sizeof(why));
    if (line.custom_id.len > 0) {
        FUZZ_CHECK(json_scan(line.custom_id.p, line.custom_id.len, &root, NULL));
        FUZZ_CHECK(root.kind == JSON_STRING);
    }
    if (ok) {
        FUZZ_CHECK(line.url[0] != '\0' && line.model[0] != '\0');
        check_body(&line, size);
    }
    return 0;
}
