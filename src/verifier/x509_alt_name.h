/*
 * Subject alternative names (RFC 5280, section 4.2.1.6): the DNS names and IP addresses that a
 * certificate is for, and whether a host is among them (RFC 9525). The common name is not asked.
 */
#ifndef LSYS_VERIFIER_X509_ALT_NAME_H
#define LSYS_VERIFIER_X509_ALT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/der.h"

/* RFC 1035, section 2.3.4, without the final dot. */
#define X509_DNS_NAME_BYTES_MAX 253

/* Most names in a certificate or request that we make. */
#define X509_ALT_NAMES_MAX 100

/* Room for one name as text, and its NUL. */
#define X509_ALT_NAME_TEXT_BYTES 256

enum x509_alt_name_kind {
    X509_ALT_NAME_DNS,
    X509_ALT_NAME_IP,
    X509_ALT_NAME_OTHER, /* mail addresses, URIs ...: read, never matched */
};

struct x509_alt_name {
    enum x509_alt_name_kind kind;
    uint8_t bytes[X509_DNS_NAME_BYTES_MAX]; /* DNS: its characters; IP: 4 or 16 bytes */
    size_t length;
};

/* Reads a name as people write it: "DNS:edge-7", "IP:127.0.0.1", or without the word, when an
 * address is an address and anything else a DNS name. DNS names are made lower-case; the first
 * label may be '*' when two more follow. STATUS_USAGE for what is neither, with the reason. */
bool x509_alt_name_parse(const char *text, struct x509_alt_name *out,
                         struct status *status) MUST_CHECK;

/* Writes a name for people, "edge-7" or "::1". */
void x509_alt_name_format(const struct x509_alt_name *name, char out[X509_ALT_NAME_TEXT_BYTES]);

/* ---- the extension's value: GeneralNames, a borrowed whole SEQUENCE, or empty for none ---- */

/* True when the bytes are GeneralNames of proper form, with at least one, and each address has 4 or
 * 16 bytes. */
bool x509_alt_names_are_proper(struct bytes names);

/* Takes the next name off `names`, a reader of the SEQUENCE's content. Names too long to be DNS
 * names come as OTHER. False at the end. */
bool x509_alt_names_next(struct der_reader *names, struct x509_alt_name *out);

/* A reader of their content for x509_alt_names_next. */
struct der_reader x509_alt_names_open(struct bytes names);

/* True when `host` is one of the names: an address, with or without brackets, byte by byte; a DNS
 * name, with or without its final dot, ignoring the case of letters, where a '*' in place of the
 * first label stands for exactly one label and at least two follow. */
bool x509_alt_names_match(struct bytes names, const char *host);

/* Writes all names for people, "[edge-7, 127.0.0.1]", cut with "..." when they do not fit. */
void x509_alt_names_format(struct bytes names, char *out, size_t out_bytes);

/* Appends GeneralNames. */
void x509_alt_names_write(struct buffer *out, const struct x509_alt_name *names, size_t count);

#endif
