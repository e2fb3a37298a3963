#include "common/provider/row.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/base/attr.h"

const char *row_class_name(enum row_class class)
{
    switch (class) {
    case ROW_OK: return "ok";
    case ROW_EXPIRED: return "expired";
    case ROW_CANCELLED: return "cancelled";
    case ROW_TIMEOUT: return "timeout";
    case ROW_RATE: return "rate";
    case ROW_SERVER: return "server";
    case ROW_QUOTA: return "quota";
    case ROW_AUTH: return "auth";
    case ROW_MODEL: return "model";
    case ROW_CONTENT_POLICY: return "content_policy";
    case ROW_TOO_LONG: return "too_long";
    case ROW_BAD: return "bad";
    case ROW_UNKNOWN: return "unknown";
    }
    return "?";
}

/*
 * Codes that mean the same whatever the status; those of digits are Zhipu's,
 * those with capitals DashScope's and Azure's. In any case.
 */
static const struct {
    const char *code;
    enum row_class class;
} codes[] = {
    {"batch_expired",                ROW_EXPIRED       },
    {"batch_cancelled",              ROW_CANCELLED     },
    {"batch_canceled",               ROW_CANCELLED     },
    {"request_timeout",              ROW_TIMEOUT       },
    {"RequestTimeOut",               ROW_TIMEOUT       },
    {"rate_limit_exceeded",          ROW_RATE          },
    {"too_many_requests",            ROW_RATE          },
    {"1302",                         ROW_RATE          },
    {"1303",                         ROW_RATE          },
    {"insufficient_quota",           ROW_QUOTA         },
    {"billing_hard_limit_reached",   ROW_QUOTA         },
    {"billing_not_active",           ROW_QUOTA         },
    {"Arrearage",                    ROW_QUOTA         },
    {"1113",                         ROW_QUOTA         },
    {"1304",                         ROW_QUOTA         },
    {"1308",                         ROW_QUOTA         },
    {"1309",                         ROW_QUOTA         },
    {"invalid_api_key",              ROW_AUTH          },
    {"InvalidApiKey",                ROW_AUTH          },
    {"1000",                         ROW_AUTH          },
    {"1001",                         ROW_AUTH          },
    {"1002",                         ROW_AUTH          },
    {"1003",                         ROW_AUTH          },
    {"1004",                         ROW_AUTH          },
    {"1110",                         ROW_AUTH          },
    {"1111",                         ROW_AUTH          },
    {"1112",                         ROW_AUTH          },
    {"1120",                         ROW_AUTH          },
    {"1121",                         ROW_AUTH          },
    {"1220",                         ROW_AUTH          },
    {"model_not_found",              ROW_MODEL         },
    {"ModelNotFound",                ROW_MODEL         },
    {"DeploymentNotFound",           ROW_MODEL         },
    {"1211",                         ROW_MODEL         },
    {"1221",                         ROW_MODEL         },
    {"1222",                         ROW_MODEL         },
    {"content_filter",               ROW_CONTENT_POLICY},
    {"content_policy_violation",     ROW_CONTENT_POLICY},
    {"ResponsibleAIPolicyViolation", ROW_CONTENT_POLICY},
    {"DataInspectionFailed",         ROW_CONTENT_POLICY},
    {"data_inspection_failed",       ROW_CONTENT_POLICY},
    {"1300",                         ROW_CONTENT_POLICY},
    {"1301",                         ROW_CONTENT_POLICY},
    {"context_length_exceeded",      ROW_TOO_LONG      },
    {"string_above_max_length",      ROW_TOO_LONG      },
    {"1261",                         ROW_TOO_LONG      },
    {"server_error",                 ROW_SERVER        },
    {"internal_error",               ROW_SERVER        },
    {"internal_server_error",        ROW_SERVER        },
    {"InternalError",                ROW_SERVER        },
    {"service_unavailable",          ROW_SERVER        },
    {"1200",                         ROW_SERVER        },
    {"1230",                         ROW_SERVER        },
    {"1234",                         ROW_SERVER        },
};

/* Parts of messages of a 400, whose codes are too general ("invalid_request_error"). */
static const struct {
    const char *part;
    enum row_class class;
} texts[] = {
    {"maximum context length",    ROW_TOO_LONG      },
    {"context length",            ROW_TOO_LONG      },
    {"context window",            ROW_TOO_LONG      },
    {"range of input length",     ROW_TOO_LONG      }, /* DashScope, with InvalidParameter */
    {"prompt is too long",        ROW_TOO_LONG      },
    {"content management policy", ROW_CONTENT_POLICY}, /* Azure, where the code is cut off */
};

static enum row_class class_of_code(const char *code)
{
    static const char throttling[] = "Throttling"; /* DashScope: Throttling.RateQuota and so on */

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcasecmp(codes[i].code, code) == 0)
            return codes[i].class;
    }
    return strncasecmp(code, throttling, sizeof(throttling) - 1) == 0 ? ROW_RATE : ROW_UNKNOWN;
}

static enum row_class class_of_text(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcasestr(message, texts[i].part) != NULL)
            return texts[i].class;
    }
    return ROW_BAD;
}

static enum row_class class_of_status(int64_t status, const char *message)
{
    switch (status) {
    case 0: return ROW_SERVER;
    case 401:
    case 403: return ROW_AUTH;
    case 402: return ROW_QUOTA;
    case 408: return ROW_TIMEOUT;
    case 409: return ROW_SERVER;
    case 429: return ROW_RATE;
    default: break;
    }
    if (status >= 500 && status <= 599)
        return ROW_SERVER;
    return status >= 400 && status <= 499 ? class_of_text(message) : ROW_UNKNOWN;
}

/* Zhipu has one code for every wrong parameter; where it is the model, the text names it. */
static bool is_zhipu_model(const char *code, const char *message)
{
    static const char model[] = "\xe6\xa8\xa1\xe5\x9e\x8b"; /* 模型 */

    return strcmp(code, "1210") == 0 && strstr(message, model) != NULL;
}

enum row_class provider_row_classify(int64_t status, const char *code, const char *message,
                                     bool has_error)
{
    enum row_class class = class_of_code(code);

    if (!has_error && status >= 200 && status <= 299)
        return ROW_OK;
    if (is_zhipu_model(code, message))
        return ROW_MODEL;
    return class != ROW_UNKNOWN ? class : class_of_status(status, message);
}
