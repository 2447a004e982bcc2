/* Names and sentences of the statuses, and the version. */
#include "base/base.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const char *const names[] = {
#define ESPL_STATUS(name, text) #name,
#include <espalier/status.def>
#undef ESPL_STATUS
};

static const char *const texts[] = {
#define ESPL_STATUS(name, text) text,
#include <espalier/status.def>
#undef ESPL_STATUS
};

const char *espl_status_name(espl_status status)
{
    return (unsigned)status < ESPL_STATUS_COUNT ? names[status] : "UNKNOWN";
}

const char *espl_status_text(espl_status status)
{
    return (unsigned)status < ESPL_STATUS_COUNT ? texts[status] : "unknown status";
}

const char *espl_version(void)
{
    return TEXT(ESPL_VERSION_MAJOR) "." TEXT(ESPL_VERSION_MINOR) "." TEXT(ESPL_VERSION_PATCH);
}
