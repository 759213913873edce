#include "rules/serial_guard.h"

#include <stdio.h>
#include <string.h>

enum serial_verdict serial_guard_check(const struct serial_mark *mark, int64_t serial,
                                       const char *digest) {
    if (!mark->seen || serial > mark->serial) return SERIAL_TAKE;
    if (serial < mark->serial) return SERIAL_OLDER;
    return strcmp(mark->digest, digest) == 0 ? SERIAL_SAME : SERIAL_CONFLICT;
}

bool serial_guard_advance(struct serial_mark *mark, int64_t serial, const char *digest) {
    enum serial_verdict verdict = serial_guard_check(mark, serial, digest);
    if (verdict == SERIAL_OLDER || verdict == SERIAL_SAME) return false;
    mark->seen = true;
    mark->serial = serial;
    snprintf(mark->digest, sizeof mark->digest, "%s", digest);
    return true;
}

const char *serial_verdict_name(enum serial_verdict verdict) {
    switch (verdict) {
    case SERIAL_TAKE: return "take";
    case SERIAL_SAME: return "same";
    case SERIAL_CONFLICT: return "conflict";
    case SERIAL_OLDER: break;
    }
    return "older";
}
