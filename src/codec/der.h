/*
 * DER, the one way of writing ASN.1 values as bytes that has exactly one encoding for each (X.690,
 * section 10): a small reader and a small writer, enough for certificates, requests and keys.
 *
 * The reader remembers that something did not fit: after a failure every call gives empty values,
 * so that a parser reads a whole structure in a row and asks once at the end. It allocates nothing
 * and follows no nesting by itself.
 *
 *     struct der_reader outer, inner;
 *     der_reader_init(&outer, bytes);
 *     inner = der_enter(&outer, DER_SEQUENCE);
 *     struct bytes serial = der_read_integer(&inner);
 *     der_leave(&outer, &inner);
 *     return der_is_done(&outer);
 */
#ifndef LSYS_CODEC_DER_H
#define LSYS_CODEC_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Identifier octets (X.690, section 8.1.2). Tag numbers above 30 are not read; X.509 has none. */
#define DER_BOOLEAN                0x01
#define DER_INTEGER                0x02
#define DER_BIT_STRING             0x03
#define DER_OCTET_STRING           0x04
#define DER_NULL                   0x05
#define DER_OID                    0x06
#define DER_UTF8_STRING            0x0C
#define DER_PRINTABLE_STRING       0x13
#define DER_TELETEX_STRING         0x14
#define DER_IA5_STRING             0x16
#define DER_UTC_TIME               0x17
#define DER_GENERALIZED_TIME       0x18
#define DER_SEQUENCE               0x30
#define DER_SET                    0x31
#define DER_CONTEXT(number)        (uint8_t)(0x80 | (number))
#define DER_CONTEXT_INSIDE(number) (uint8_t)(0xA0 | (number)) /* constructed, as EXPLICIT is */

/* Longest dotted text of an object identifier and its NUL; a longer one is cut. */
#define DER_OID_TEXT_BYTES 80

struct der_reader {
    struct bytes rest; /* borrowed: what was not read yet */
    bool failed;       /* something did not fit; stays so */
};

void der_reader_init(struct der_reader *reader, struct bytes der);

/* True when nothing failed and nothing is left. */
bool der_is_done(const struct der_reader *reader);

/* True when there is another value, of any tag, or of this one. */
bool der_has_more(const struct der_reader *reader);
bool der_next_is(const struct der_reader *reader, uint8_t tag);

/* Reads the next value: its tag and content. False, and failed, when there is none, the length is
 * not in its shortest form, is indefinite, or goes beyond the end. */
bool der_read_any(struct der_reader *reader, uint8_t *tag, struct bytes *content);

/* The content of the next value, which has this tag. */
struct bytes der_read(struct der_reader *reader, uint8_t tag);

/* As der_read, but with tag and length: the bytes that a signature or a digest is made over. */
struct bytes der_read_whole(struct der_reader *reader, uint8_t tag);

/* Marks the reader as failed: for a parser's own rules. */
void der_fail(struct der_reader *reader);

/* A reader for what is inside the next value, and the way back: der_leave fails `reader` when the
 * inner one failed or has bytes left. */
struct der_reader der_enter(struct der_reader *reader, uint8_t tag);
void der_leave(struct der_reader *reader, const struct der_reader *inner);

/* ---- values ---- */

/* BOOLEAN, whose only forms are 00 and FF. */
bool der_read_boolean(struct der_reader *reader);

/* An INTEGER's two's complement bytes in their shortest form, at least one. */
struct bytes der_read_integer(struct der_reader *reader);

/* An INTEGER that is not negative, as big-endian bytes without leading zeros; empty for 0. */
struct bytes der_read_unsigned(struct der_reader *reader);

/* An INTEGER of 0 .. 2^31 - 1. */
uint32_t der_read_small(struct der_reader *reader);

/* A BIT STRING of whole bytes. */
struct bytes der_read_octets_in_bits(struct der_reader *reader);

/* A BIT STRING with named bits (X.690, section 11.2.2): bit n of the result is the named bit n; at
 * most 32. Zero bits at the end, which DER leaves away, are forgiven: roots that everybody trusts
 * have them. */
uint32_t der_read_named_bits(struct der_reader *reader);

/* An OBJECT IDENTIFIER's content, checked for its form. */
struct bytes der_read_oid(struct der_reader *reader);

/* UTCTime or GeneralizedTime in the form of RFC 5280, section 4.1.2.5 (seconds, 'Z', no fraction),
 * in milliseconds since 1970. */
int64_t der_read_time_ms(struct der_reader *reader);

/* Writes an object identifier's content as "2.5.29.37". */
void der_format_oid(struct bytes oid, char out[DER_OID_TEXT_BYTES]);

/* ---- writing: appends to a buffer, whose own check tells whether all of it fitted ---- */

/* Begins a constructed value, and ends it; between them its content is appended. Returns what
 * der_end wants. */
size_t der_begin(struct buffer *out, uint8_t tag);
void der_end(struct buffer *out, size_t begun);

/* One value with this content. */
void der_write(struct buffer *out, uint8_t tag, struct bytes content);

/* BOOLEAN TRUE; FALSE is always a default, and defaults are not written. */
void der_write_true(struct buffer *out);

/* An INTEGER from big-endian bytes, which may have leading zeros. */
void der_write_unsigned(struct buffer *out, struct bytes number);
void der_write_small(struct buffer *out, uint32_t number);

void der_write_octets_in_bits(struct buffer *out, struct bytes octets);
void der_write_named_bits(struct buffer *out, uint32_t bits);
void der_write_null(struct buffer *out);

/* UTCTime through 2049 and GeneralizedTime after it, as RFC 5280 has it. Milliseconds are cut. */
void der_write_time_ms(struct buffer *out, int64_t unix_ms);

#endif
