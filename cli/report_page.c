#include "cli/report_page.h"

#include "common/enrich/enrich_report.h"
#include "common/enrich/report_html.h"
#include "common/merge/publish_file.h"
#include "common/merge/report.h"
#include "common/sink/sink_trail.h"

#define TRAIL_MAX (8u << 20)
#define PAGE_MAX  (64u << 20)

static bool put_json(const struct report_page *p, struct buf *text)
{
    struct buf trail = BUF_INIT(TRAIL_MAX);
    bool has_trail = sink_trail_put_json(p->sink, 0, &trail, NULL);
    const struct report_paths paths = {.trail = has_trail ? trail.data : NULL};
    bool ok = p->enriched != NULL
                  ? enrich_report_write_json(p->enriched, p->spec, p->times, &paths, text)
                  : report_write_json(p->jobs, p->spec, p->times, &paths, text);

    buf_release(&trail);
    return ok;
}

static bool put_text(const struct report_page *p, struct buf *text)
{
    return p->enriched != NULL ? enrich_report_write_text(p->enriched, p->spec, p->times, text)
                               : report_write_text(p->jobs, p->spec, p->times, text);
}

static bool write_html(const struct report_page *p, const char *path, struct err *err)
{
    struct buf html = BUF_INIT(PAGE_MAX);
    struct report_file file;
    struct publish_file *f = NULL;
    bool ok = (report_html_write(p->jobs, p->enriched, p->spec, p->times, &html) ||
               err_set(err, ERR_PERMANENT, "the page is larger than %u bytes", PAGE_MAX)) &&
              (f = publish_file_new(path, err)) != NULL &&
              publish_file_write(f, html.data, html.len, err) &&
              publish_file_finish(f, &file, err) && publish_file_name(f, err);

    publish_file_free(f);
    buf_release(&html);
    return ok;
}

bool report_page_put(const struct report_page *page, const struct options *o, struct buf *text,
                     struct err *err)
{
    if (o->html != NULL)
        return write_html(page, o->html, err);
    return (o->json ? put_json(page, text) : put_text(page, text)) ||
           err_set(err, ERR_PERMANENT, "the report is larger than %zu bytes", text->max);
}
