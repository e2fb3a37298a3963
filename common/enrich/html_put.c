#include "common/enrich/html_put.h"

#include <inttypes.h>
#include <string.h>

#include "common/enrich/report_words.h"
#include "common/json/scan.h"

#define TEXT_MAX_BYTES (1u << 20)

bool html_put(struct buf *out, const char *markup)
{
    return buf_append(out, markup, strlen(markup));
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default:
        return (unsigned char)c < 0x20 && c != '\n' && c != '\t' ? "\xef\xbf\xbd"
               : c == 0x7f                                       ? "\xef\xbf\xbd"
                                                                 : NULL;
    }
}

static bool put_escaped(struct buf *out, const char *text, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        const char *escape = escape_of(text[i]);

        if (escape == NULL)
            continue;
        if (!buf_append(out, text + from, i - from) || !html_put(out, escape))
            return false;
        from = i + 1;
    }
    return buf_append(out, text + from, len - from);
}

/* Through JSON and back, which leaves only UTF-8. */
bool html_text(struct buf *out, const char *text)
{
    struct buf json = BUF_INIT(TEXT_MAX_BYTES);
    struct buf plain = BUF_INIT(TEXT_MAX_BYTES);
    struct json_value value;
    size_t len = 0;
    bool ok = json_string_encode(&json, text, strlen(text)) &&
              json_scan(json.data, json.len, &value, NULL) && buf_reserve(&plain, json.len) &&
              json_string_decode(&value, plain.data, json.len, &len) &&
              put_escaped(out, plain.data, len);

    buf_release(&json);
    buf_release(&plain);
    return ok;
}

bool html_table(struct buf *out, const char *css, const char *const heads[], size_t count)
{
    bool ok = buf_printf(out, "<table class=\"%s\"><thead><tr>", css);

    for (size_t i = 0; ok && i < count; i++)
        ok = html_put(out, "<th scope=\"col\">") && html_text(out, heads[i]) &&
             html_put(out, "</th>");
    return ok && html_put(out, "</tr></thead><tbody>\n");
}

bool html_cell(struct buf *out, const char *css, const char *text)
{
    return (css == NULL ? html_put(out, "<td>") : buf_printf(out, "<td class=\"%s\">", css)) &&
           html_put(out, "<bdi>") && html_text(out, text) && html_put(out, "</bdi></td>");
}

bool html_cell_number(struct buf *out, uint64_t n)
{
    char word[REPORT_WORD_MAX];

    return html_cell(out, "n", report_number(n, word));
}

/* In hundredths of a percent: the bars of a page need no more. */
static uint64_t share(uint64_t n, uint64_t total)
{
    return total == 0 ? 0 : n / total * 10000 + n % total * 10000 / total;
}

static bool put_label(struct buf *out, const struct html_slice *slices, size_t count,
                      uint64_t total)
{
    char word[REPORT_WORD_MAX];
    bool ok = true;
    const char *comma = "";

    for (size_t i = 0; ok && i < count; i++) {
        if (slices[i].n == 0)
            continue;
        ok = html_put(out, comma) && html_text(out, slices[i].name) && html_put(out, " ") &&
             html_put(out, report_share(slices[i].n, total, word));
        comma = ", ";
    }
    return ok;
}

bool html_cell_bar(struct buf *out, const struct html_slice *slices, size_t count, uint64_t total)
{
    uint64_t at = 0;
    bool ok = html_put(out, "<td class=\"bar\"><svg viewBox=\"0 0 10000 100\" "
                            "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"") &&
              put_label(out, slices, count, total) &&
              html_put(out, "\"><rect class=\"back\" width=\"10000\" height=\"100\"/>");

    for (size_t i = 0; ok && i < count; i++) {
        uint64_t end = at + slices[i].n;
        uint64_t x = share(at, total);

        if (slices[i].n > 0)
            ok = buf_printf(
                out, "<rect class=\"%s\" x=\"%" PRIu64 "\" width=\"%" PRIu64 "\" height=\"100\"/>",
                slices[i].css, x, share(end, total) - x);
        at = end;
    }
    return ok && html_put(out, "</svg></td>");
}
