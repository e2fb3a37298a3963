#include "common/enrich/html_put.h"
#include "common/enrich/report_html_parts.h"

/* One piece a rule or two: ISO C knows no longer string than 4,095 characters. */
static const char *const style[] = {
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1d2530;--dim:#5c6775;--line:#d9dee5;--paper:#fff;"
    "--tile:#f4f6f9;--ok:#2e8b57;--repaired:#3fa7a0;--defaulted:#d9a21b;--failed:#c8443a;"
    "--skipped:#9aa5b1;--open:#7a64c2;--value:#4a7fc1}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#9aa5b3;--line:#38414d;"
    "--paper:#14181e;--tile:#1d232b;--ok:#4fb37c;--repaired:#58c2ba;--defaulted:#e3b53f;"
    "--failed:#e0685f;--skipped:#6f7a87;--open:#9c88e0;--value:#6c9fe0}}\n",
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",\"PingFang SC\",\"Microsoft YaHei\","
    "\"Noto Sans CJK SC\",\"Source Han Sans SC\",sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:24px 16px 48px}\n"
    "h1{font-size:26px;margin:0;overflow-wrap:anywhere}h2{font-size:19px;margin:36px 0 8px}"
    "h3{font-size:16px;margin:28px 0 6px;overflow-wrap:anywhere}h4{font-size:14px;"
    "margin:16px 0 4px;color:var(--dim);font-weight:600;overflow-wrap:anywhere}\n"
    "p{margin:4px 0}.dim{color:var(--dim)}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(138px,1fr));gap:10px;"
    "margin:18px 0}\n"
    ".tile{background:var(--tile);border:1px solid var(--line);border-radius:8px;"
    "padding:10px 14px}.tile b{display:block;font-size:21px;font-weight:600;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}.tile span{color:var(--dim);"
    "font-size:13px}\n"
    ".wide{overflow-x:auto}\n",
    "table{border-collapse:collapse;width:100%;margin:6px 0 12px;font-variant-numeric:"
    "tabular-nums}\n"
    "th,td{padding:4px 8px;text-align:left;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:break-word}\n"
    "th{font-size:12px;font-weight:600;color:var(--dim);white-space:nowrap}\n"
    "td.n{text-align:right;white-space:nowrap}"
    "td.bar{width:34%;min-width:110px;vertical-align:middle}"
    "td.code,code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px}\n"
    "table.overview td:first-child{white-space:nowrap}"
    "table.tally,table.values,table.codes{table-layout:fixed}"
    "table.tally th:first-child,table.codes th:first-child{width:50%}"
    "table.values th:first-child{width:40%}"
    "th:nth-child(n+3),table.spend th:nth-child(2),table.files th:nth-child(2)"
    "{text-align:right;width:90px}table.files th:nth-child(3){text-align:left}\n"
    "td.bar svg{display:block;width:100%;height:11px;border-radius:3px}\n",
    "rect.back{fill:var(--line)}rect.ok{fill:var(--ok)}rect.repaired{fill:var(--repaired)}"
    "rect.defaulted{fill:var(--defaulted)}rect.failed{fill:var(--failed)}"
    "rect.skipped{fill:var(--skipped)}rect.open{fill:var(--open)}rect.value{fill:var(--value)}\n"
    ".key{font-size:13px;color:var(--dim)}.key span{white-space:nowrap}.key "
    "svg{width:11px;height:11px;"
    "vertical-align:-1px;margin:0 4px 0 10px}\n"
    "footer{margin-top:40px;border-top:1px solid var(--line);padding-top:8px;"
    "color:var(--dim);font-size:13px}\n",
    "@media print{:root{--ink:#000;--dim:#444;--line:#bbb;--paper:#fff;--tile:#fff}"
    "body{font-size:11px}main{max-width:none;padding:0}"
    "rect{-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    "tr,.tile{break-inside:avoid}h2,h3,h4{break-after:avoid}.wide{overflow:visible}}\n"
    "</style>\n",
};

bool report_html_style(struct buf *out)
{
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof(style) / sizeof(style[0]); i++)
        ok = html_put(out, style[i]);
    return ok;
}
