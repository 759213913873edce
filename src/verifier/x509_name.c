#include "verifier/x509_name.h"

#include <stdio.h>
#include <string.h>

#include "codec/der.h"
#include "verifier/x509_oid.h"

struct attribute {
    struct bytes oid;
    struct bytes value;
};

static const struct {
    const struct bytes *oid;
    const char *word;
} words[] = {
    {&x509_oid_common_name, "CN"},
    {&x509_oid_organization, "O"},
    {&x509_oid_organizational_unit, "OU"},
    {&x509_oid_country, "C"},
    {&x509_oid_state, "ST"},
    {&x509_oid_locality, "L"},
};

/* Walks the attributes of a name: RDNSequence is a SEQUENCE OF SET OF SEQUENCE { type, value }. */
struct walk {
    struct der_reader outer, sequence, set;
};

static void walk_init(struct walk *walk, struct bytes name) {
    der_reader_init(&walk->outer, name);
    walk->sequence = der_enter(&walk->outer, DER_SEQUENCE);
    der_reader_init(&walk->set, bytes_of("", 0));
}

static bool walk_next(struct walk *walk, struct attribute *out) {
    uint8_t tag;
    if (!der_has_more(&walk->set)) {
        if (!der_has_more(&walk->sequence)) return false;
        walk->set = der_enter(&walk->sequence, DER_SET);
        if (!der_has_more(&walk->set)) der_fail(&walk->sequence); /* SET SIZE (1..MAX) */
    }
    struct der_reader pair = der_enter(&walk->set, DER_SEQUENCE);
    out->oid = der_read_oid(&pair);
    der_read_any(&pair, &tag, &out->value);
    der_leave(&walk->set, &pair);
    if (walk->set.failed) der_fail(&walk->sequence);
    return !walk->sequence.failed;
}

bool x509_name_is_proper(struct bytes name) {
    struct walk walk;
    struct attribute attribute;
    walk_init(&walk, name);
    while (walk_next(&walk, &attribute))
        continue;
    return der_is_done(&walk.outer) && der_is_done(&walk.sequence);
}

struct bytes x509_name_common_name(struct bytes name) {
    struct walk walk;
    struct attribute attribute;
    struct bytes found = bytes_of("", 0);
    walk_init(&walk, name);
    while (walk_next(&walk, &attribute))
        if (bytes_equal(attribute.oid, x509_oid_common_name)) found = attribute.value;
    return found;
}

size_t x509_escape(struct bytes text, char *out, size_t out_bytes) {
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        bool plain = byte >= ' ' && byte <= '~' && byte != '\\';
        size_t needed = plain ? 1 : strlen("\\xNN");
        if (length + needed >= out_bytes) break;
        if (plain)
            out[length] = (char)byte;
        else
            snprintf(out + length, out_bytes - length, "\\x%02x", byte);
        length += needed;
    }
    out[length] = '\0';
    return length;
}

static void format_word(struct bytes oid, char out[DER_OID_TEXT_BYTES]) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!bytes_equal(*words[i].oid, oid)) continue;
        snprintf(out, DER_OID_TEXT_BYTES, "%s", words[i].word);
        return;
    }
    der_format_oid(oid, out);
}

void x509_name_format(struct bytes name, char out[X509_NAME_TEXT_BYTES]) {
    struct walk walk;
    struct attribute attribute;
    size_t length = 0;
    walk_init(&walk, name);
    out[0] = '\0';
    while (length < X509_NAME_TEXT_BYTES - 1 && walk_next(&walk, &attribute)) {
        char word[DER_OID_TEXT_BYTES];
        format_word(attribute.oid, word);
        snprintf(out + length, X509_NAME_TEXT_BYTES - length, "%s%s=", length ? ", " : "", word);
        length += strlen(out + length);
        length += x509_escape(attribute.value, out + length, X509_NAME_TEXT_BYTES - length);
    }
    if (length == 0) snprintf(out, X509_NAME_TEXT_BYTES, "(no name)");
}

static void write_attribute(struct buffer *out, struct bytes oid, const char *value) {
    size_t set = der_begin(out, DER_SET);
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, oid);
    der_write(out, DER_UTF8_STRING, bytes_of_text(value));
    der_end(out, pair);
    der_end(out, set);
}

void x509_name_write(struct buffer *out, const char *organization, const char *common_name) {
    size_t name = der_begin(out, DER_SEQUENCE);
    if (organization) write_attribute(out, x509_oid_organization, organization);
    write_attribute(out, x509_oid_common_name, common_name);
    der_end(out, name);
}
