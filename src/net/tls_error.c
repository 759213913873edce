#include "net/tls_error.h"

#include <bearssl.h>
#include <stddef.h>

/* Alerts that BearSSL has no name for (RFC 6066, RFC 8446). */
#define ALERT_UNRECOGNIZED_NAME    112
#define ALERT_CERTIFICATE_REQUIRED 116

struct alert_row {
    uint8_t number;
    const char *name;
};

static const struct alert_row alerts[] = {
    {BR_ALERT_UNEXPECTED_MESSAGE, "unexpected_message"},
    {BR_ALERT_BAD_RECORD_MAC, "bad_record_mac"},
    {BR_ALERT_RECORD_OVERFLOW, "record_overflow"},
    {BR_ALERT_HANDSHAKE_FAILURE, "handshake_failure"},
    {BR_ALERT_BAD_CERTIFICATE, "bad_certificate"},
    {BR_ALERT_UNSUPPORTED_CERTIFICATE, "unsupported_certificate"},
    {BR_ALERT_CERTIFICATE_REVOKED, "certificate_revoked"},
    {BR_ALERT_CERTIFICATE_EXPIRED, "certificate_expired"},
    {BR_ALERT_CERTIFICATE_UNKNOWN, "certificate_unknown"},
    {BR_ALERT_ILLEGAL_PARAMETER, "illegal_parameter"},
    {BR_ALERT_UNKNOWN_CA, "unknown_ca"},
    {BR_ALERT_ACCESS_DENIED, "access_denied"},
    {BR_ALERT_DECODE_ERROR, "decode_error"},
    {BR_ALERT_DECRYPT_ERROR, "decrypt_error"},
    {BR_ALERT_PROTOCOL_VERSION, "protocol_version"},
    {BR_ALERT_INSUFFICIENT_SECURITY, "insufficient_security"},
    {BR_ALERT_INTERNAL_ERROR, "internal_error"},
    {86, "inappropriate_fallback"},
    {BR_ALERT_USER_CANCELED, "user_canceled"},
    {BR_ALERT_NO_RENEGOTIATION, "no_renegotiation"},
    {BR_ALERT_UNSUPPORTED_EXTENSION, "unsupported_extension"},
    {ALERT_UNRECOGNIZED_NAME, "unrecognized_name"},
    {ALERT_CERTIFICATE_REQUIRED, "certificate_required"},
    {BR_ALERT_NO_APPLICATION_PROTOCOL, "no_application_protocol"},
};

struct error_row {
    int error;
    uint8_t alert; /* sent to the peer */
    const char *text;
};

static const struct error_row errors[] = {
    {BR_ERR_UNSUPPORTED_VERSION, BR_ALERT_PROTOCOL_VERSION, "the peer does not speak TLS 1.2"},
    {BR_ERR_BAD_VERSION, BR_ALERT_PROTOCOL_VERSION,
     "what came is not TLS 1.2: the peer speaks another version, or no TLS at all"},
    {BR_ERR_UNKNOWN_TYPE, BR_ALERT_UNEXPECTED_MESSAGE,
     "what came is not TLS: the peer seems to speak without it"},
    {BR_ERR_BAD_LENGTH, BR_ALERT_RECORD_OVERFLOW, "a record has a length that TLS does not allow"},
    {BR_ERR_TOO_LARGE, BR_ALERT_RECORD_OVERFLOW, "a record is larger than TLS allows"},
    {BR_ERR_BAD_MAC, BR_ALERT_BAD_RECORD_MAC, "a TLS record was altered on its way"},
    {BR_ERR_NO_RANDOM, BR_ALERT_INTERNAL_ERROR, "there is no randomness"},
    {BR_ERR_UNEXPECTED, BR_ALERT_UNEXPECTED_MESSAGE, "a TLS message came out of order"},
    {BR_ERR_BAD_CCS, BR_ALERT_UNEXPECTED_MESSAGE, "a malformed ChangeCipherSpec"},
    {BR_ERR_BAD_ALERT, BR_ALERT_DECODE_ERROR, "a malformed alert"},
    {BR_ERR_BAD_PARAM, BR_ALERT_DECODE_ERROR, "a malformed handshake message"},
    {BR_ERR_BAD_HANDSHAKE, BR_ALERT_DECODE_ERROR, "a malformed handshake message"},
    {BR_ERR_OVERSIZED_ID, BR_ALERT_DECODE_ERROR, "a session identifier that is too long"},
    {BR_ERR_BAD_CIPHER_SUITE, BR_ALERT_ILLEGAL_PARAMETER,
     "the server chose a cipher suite that was not offered"},
    {BR_ERR_BAD_COMPRESSION, BR_ALERT_ILLEGAL_PARAMETER, "the server wants compression"},
    {BR_ERR_BAD_FRAGLEN, BR_ALERT_ILLEGAL_PARAMETER, "a bad maximum fragment length"},
    {BR_ERR_BAD_SECRENEG, BR_ALERT_HANDSHAKE_FAILURE, "secure renegotiation was answered wrongly"},
    {BR_ERR_EXTRA_EXTENSION, BR_ALERT_UNSUPPORTED_EXTENSION,
     "the server sent an extension that was not asked for"},
    {BR_ERR_BAD_SNI, BR_ALERT_DECODE_ERROR, "a malformed server name"},
    {BR_ERR_BAD_HELLO_DONE, BR_ALERT_DECODE_ERROR, "a malformed ServerHelloDone"},
    {BR_ERR_LIMIT_EXCEEDED, BR_ALERT_HANDSHAKE_FAILURE,
     "the peer's key is larger than can be processed"},
    {BR_ERR_BAD_FINISHED, BR_ALERT_DECRYPT_ERROR, "the handshake was altered on its way"},
    {BR_ERR_RESUME_MISMATCH, BR_ALERT_ILLEGAL_PARAMETER, "a session was resumed wrongly"},
    {BR_ERR_INVALID_ALGORITHM, BR_ALERT_HANDSHAKE_FAILURE,
     "the peer uses an algorithm that is not accepted"},
    {BR_ERR_BAD_SIGNATURE, BR_ALERT_DECRYPT_ERROR,
     "the peer's signature on the handshake is wrong"},
    {BR_ERR_WRONG_KEY_USAGE, BR_ALERT_UNSUPPORTED_CERTIFICATE,
     "the peer's key must not be used for TLS"},
    {BR_ERR_NO_CLIENT_AUTH, BR_ALERT_HANDSHAKE_FAILURE, "the client sent no certificate"},
};

static const struct error_row *find_error(int error) {
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].error == error) return &errors[i];
    return NULL;
}

const char *tls_alert_name(uint8_t alert) {
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].number == alert) return alerts[i].name;
    return NULL;
}

static void record_alert(uint8_t alert, const char *who, bool handshaking, const char *why,
                         struct status *status) {
    const char *name = tls_alert_name(alert);
    status_fail(status, STATUS_TLS, "%s the %s: %s (alert %d)%s", who,
                handshaking ? "TLS handshake" : "TLS connection", name ? name : "unknown alert",
                (int)alert, why);
}

/* What it means when BearSSL's server itself sends this alert. */
static const char *explain_own_alert(uint8_t alert) {
    switch (alert) {
    case BR_ALERT_HANDSHAKE_FAILURE:
        return ": no cipher suite, curve or signature is common to both";
    case BR_ALERT_PROTOCOL_VERSION: return ": the peer does not speak TLS 1.2";
    default: return "";
    }
}

void tls_error_record(int error, bool handshaking, struct status *status) {
    const struct error_row *row = find_error(error);
    uint8_t sent = (uint8_t)(error - BR_ERR_SEND_FATAL_ALERT);
    uint8_t received = (uint8_t)(error - BR_ERR_RECV_FATAL_ALERT);
    if (error >= BR_ERR_SEND_FATAL_ALERT)
        record_alert(sent, "we refused", handshaking, explain_own_alert(sent), status);
    else if (error >= BR_ERR_RECV_FATAL_ALERT)
        record_alert(received, "the peer refused", handshaking, "", status);
    else if (row)
        status_fail(status, STATUS_TLS, "%s", row->text);
    else
        status_fail(status, STATUS_TLS, "TLS failed (BearSSL's error %d)", error);
}

uint8_t tls_error_alert(int error, const struct status *why) {
    if (error >= BR_ERR_RECV_FATAL_ALERT) return 0;
    const struct error_row *row = find_error(error);
    if (row) return row->alert;
    switch (why->code) {
    case STATUS_EXPIRED:
    case STATUS_NOT_YET_VALID: return BR_ALERT_CERTIFICATE_EXPIRED;
    case STATUS_UNKNOWN_ISSUER: return BR_ALERT_UNKNOWN_CA;
    case STATUS_WRONG_TYPE:
    case STATUS_WRONG_ALGORITHM:
    case STATUS_UNKNOWN_CRITICAL: return BR_ALERT_UNSUPPORTED_CERTIFICATE;
    case STATUS_TLS: return BR_ALERT_HANDSHAKE_FAILURE;
    default: return BR_ALERT_BAD_CERTIFICATE;
    }
}
