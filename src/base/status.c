#include "base/status.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct code_row {
    enum status_code code;
    const char *name;
    int exit_code;
};

/* Verdicts about a license start at 10, clear of both shells' 1 and 2 and sysexits' 64 to 78. */
static const struct code_row code_table[] = {
    {STATUS_OK, "ok", EX_OK},
    {STATUS_USAGE, "usage", EX_USAGE},
    {STATUS_CONFIG, "config", EX_CONFIG},
    {STATUS_IO, "io_error", EX_IOERR},
    {STATUS_NOT_FOUND, "not_found", EX_NOINPUT},
    {STATUS_PERMISSION, "permission_denied", EX_NOPERM},
    {STATUS_TOO_LARGE, "too_large", EX_DATAERR},
    {STATUS_NO_MEMORY, "no_memory", EX_OSERR},
    {STATUS_BUSY, "busy", EX_TEMPFAIL},
    {STATUS_TIMEOUT, "timeout", EX_TEMPFAIL},
    {STATUS_UNAVAILABLE, "unavailable", EX_UNAVAILABLE},
    {STATUS_CANCELLED, "cancelled", EX_TEMPFAIL},
    {STATUS_INTERNAL, "internal_error", EX_SOFTWARE},
    {STATUS_MALFORMED, "malformed", 18},
    {STATUS_BAD_JSON, "bad_json", 18},
    {STATUS_DUPLICATE_MEMBER, "duplicate_member", 26},
    {STATUS_BAD_ENCODING, "bad_encoding", 27},
    {STATUS_TRAILING_BYTES, "trailing_bytes", 28},
    {STATUS_BAD_SIGNATURE, "bad_signature", 14},
    {STATUS_BAD_SIGNATURE_LENGTH, "bad_signature_length", 29},
    {STATUS_UNKNOWN_KEY, "unknown_key", 15},
    {STATUS_KEY_NOT_VALID, "key_not_valid", 19},
    {STATUS_WRONG_ALGORITHM, "wrong_algorithm", 20},
    {STATUS_WRONG_TYPE, "wrong_type", 21},
    {STATUS_FORBIDDEN_HEADER, "forbidden_header", 22},
    {STATUS_UNKNOWN_CRITICAL, "unknown_critical", 23},
    {STATUS_BAD_CLAIM, "bad_claim", 24},
    {STATUS_EXPIRED, "expired", 11},
    {STATUS_GRACE, "grace", 10},
    {STATUS_NOT_YET_VALID, "not_yet_valid", 12},
    {STATUS_REVOKED, "revoked", 13},
    {STATUS_WRONG_DEPLOYMENT, "wrong_deployment", 16},
    {STATUS_WRONG_FINGERPRINT, "wrong_fingerprint", 17},
    {STATUS_WRONG_PASSPHRASE, "wrong_passphrase", EX_NOPERM},
    {STATUS_OLD_SERIAL, "old_serial", 25},
    {STATUS_SIGNER_FAILED, "signer_failed", EX_UNAVAILABLE},
    {STATUS_PROTOCOL, "protocol_error", EX_PROTOCOL},
    {STATUS_TLS, "tls_error", EX_PROTOCOL},
    {STATUS_UNKNOWN_ISSUER, "unknown_issuer", EX_PROTOCOL},
    {STATUS_WRONG_NAME, "wrong_name", EX_PROTOCOL},
    {STATUS_UNAUTHORIZED, "unauthorized", EX_NOPERM},
    {STATUS_FORBIDDEN, "forbidden", EX_NOPERM},
    {STATUS_DAMAGED, "damaged", EX_DATAERR},
    {STATUS_NEWER_VERSION, "newer_version", EX_CONFIG},
};

static const struct code_row *find_row(enum status_code code) {
    for (size_t i = 0; i < sizeof code_table / sizeof code_table[0]; i++)
        if (code_table[i].code == code) return &code_table[i];
    return NULL;
}

static enum status_code code_of_errno(int error_number) {
    switch (error_number) {
    case ENOENT: return STATUS_NOT_FOUND;
    case EACCES:
    case EPERM: return STATUS_PERMISSION;
    case EADDRINUSE: return STATUS_BUSY;
    case ENOMEM: return STATUS_NO_MEMORY;
    default: return STATUS_IO;
    }
}

bool status_fail(struct status *status, enum status_code code, const char *format, ...) {
    if (!status || status->code != STATUS_OK) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(status->text, sizeof status->text, format, arguments);
    va_end(arguments);
    status->code = code;
    return false;
}

bool status_fail_errno(struct status *status, int error_number, const char *format, ...) {
    if (!status || status->code != STATUS_OK) return false;
    char doing[STATUS_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    return status_fail(status, code_of_errno(error_number), "%s: %s", doing,
                       strerror(error_number));
}

bool status_context(struct status *status, const char *format, ...) {
    if (!status || status->code == STATUS_OK) return false;
    char before[STATUS_TEXT_BYTES];
    char joined[STATUS_TEXT_BYTES * 2 + 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(before, sizeof before, format, arguments);
    va_end(arguments);
    snprintf(joined, sizeof joined, "%s: %s", before, status->text);
    memcpy(status->text, joined, sizeof status->text - 1);
    status->text[sizeof status->text - 1] = '\0';
    return false;
}

void status_clear(struct status *status) {
    status->code = STATUS_OK;
    status->text[0] = '\0';
}

bool status_is_ok(const struct status *status) {
    return status->code == STATUS_OK;
}

const char *status_code_name(enum status_code code) {
    const struct code_row *row = find_row(code);
    return row ? row->name : "internal_error";
}

int status_exit_code(enum status_code code) {
    const struct code_row *row = find_row(code);
    return row ? row->exit_code : EX_SOFTWARE;
}
