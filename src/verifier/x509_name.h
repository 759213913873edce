/*
 * Distinguished names (RFC 5280, section 4.1.2.4): shown to people, compared byte by byte. Only the
 * common name is ever looked at by itself, and never to decide whom a certificate is for: that is
 * what alternative names are for (RFC 9525).
 */
#ifndef LSYS_VERIFIER_X509_NAME_H
#define LSYS_VERIFIER_X509_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Longest common name (RFC 5280, appendix A: ub-common-name). */
#define X509_COMMON_NAME_BYTES_MAX 64

/* Room for a name as people see it, with its NUL; a longer one is cut. */
#define X509_NAME_TEXT_BYTES 256

/* Writes the name as "CN=edge-7, O=ACME" in the order of its encoding. Attributes that we have no
 * word for appear with their number. Characters that could harm a terminal or a log are escaped.
 * "(no name)" for an empty one. */
void x509_name_format(struct bytes name, char out[X509_NAME_TEXT_BYTES]);

/* The last common name in it, as the bytes of its string; empty when there is none. */
struct bytes x509_name_common_name(struct bytes name);

/* True when the bytes are a whole Name of proper form. */
bool x509_name_is_proper(struct bytes name);

/* Appends a Name with a common name and, unless it is NULL, an organization, as UTF-8 strings. */
void x509_name_write(struct buffer *out, const char *organization, const char *common_name);

/* Copies text from a certificate to `out`, of `out_bytes`, for people: everything but printable
 * ASCII becomes \xNN, and what does not fit is cut. Returns the length. */
size_t x509_escape(struct bytes text, char *out, size_t out_bytes);

#endif
