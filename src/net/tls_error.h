/*
 * What went wrong in TLS, in words, and the alert (RFC 5246, section 7.2) that tells the peer. For
 * the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_ERROR_H
#define LSYS_NET_TLS_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Records a failure of BearSSL's engine (br_ssl_engine_last_error, not 0) as STATUS_TLS.
 * `handshaking`: before the first application data, where the same error means something else to an
 * operator. */
void tls_error_record(int error, bool handshaking, struct status *status);

/* The alert that fits this failure. 0 when none must be sent: the peer broke off itself, or has
 * been sent one by the engine. */
uint8_t tls_error_alert(int error, const struct status *why);

/* "certificate_expired", or NULL for a number that no RFC has. */
const char *tls_alert_name(uint8_t alert);

#endif
