#include "verifier/x509_extensions.h"

#include "verifier/x509_alt_name.h"
#include "verifier/x509_oid.h"

/* AuthorityKeyIdentifier's keyIdentifier. */
#define TAG_KEY_IDENTIFIER DER_CONTEXT(0)

/* Each takes the extension's value off `value`. A FALSE that is spelled out, although DER leaves
 * defaults away, is forgiven: known CAs write it. */

static void read_basic_constraints(struct der_reader *value, struct x509_certificate *out) {
    struct der_reader inner = der_enter(value, DER_SEQUENCE);
    if (der_next_is(&inner, DER_BOOLEAN)) out->is_ca = der_read_boolean(&inner);
    if (der_next_is(&inner, DER_INTEGER)) out->path_length = der_read_small(&inner);
    der_leave(value, &inner);
}

static void read_key_usage(struct der_reader *value, struct x509_certificate *out) {
    out->has_key_usage = true;
    out->key_usage = der_read_named_bits(value);
}

static void read_purposes(struct der_reader *value, struct x509_certificate *out) {
    struct der_reader inner = der_enter(value, DER_SEQUENCE);
    if (!der_has_more(&inner)) der_fail(&inner); /* SIZE (1..MAX) */
    out->has_purposes = true;
    while (der_has_more(&inner)) {
        struct bytes oid = der_read_oid(&inner);
        out->purposes |= bytes_equal(oid, x509_oid_server_auth)   ? X509_PURPOSE_SERVER
                         : bytes_equal(oid, x509_oid_client_auth) ? X509_PURPOSE_CLIENT
                         : bytes_equal(oid, x509_oid_any_purpose) ? X509_PURPOSE_ANY
                                                                  : X509_PURPOSE_OTHER;
    }
    der_leave(value, &inner);
}

static void read_alt_names(struct der_reader *value, struct x509_certificate *out) {
    out->alt_names = der_read_whole(value, DER_SEQUENCE);
    if (!x509_alt_names_are_proper(out->alt_names)) der_fail(value);
}

static void read_name_constraints(struct der_reader *value, struct x509_certificate *out) {
    der_read(value, DER_SEQUENCE);
    out->has_name_constraints = true;
}

static void read_subject_key_id(struct der_reader *value, struct x509_certificate *out) {
    out->subject_key_id = der_read(value, DER_OCTET_STRING);
}

static void read_authority_key_id(struct der_reader *value, struct x509_certificate *out) {
    uint8_t tag;
    struct bytes content;
    struct der_reader inner = der_enter(value, DER_SEQUENCE);
    while (der_has_more(&inner) && der_read_any(&inner, &tag, &content))
        if (tag == TAG_KEY_IDENTIFIER) out->authority_key_id = content;
    der_leave(value, &inner);
}

/* What may be left unread even when it is critical: it informs, or serves revocation, which we do
 * not check. Certificate policies restrict nothing unless somebody asks for one. */
static void leave_unread(struct der_reader *value, struct x509_certificate *out) {
    uint8_t tag;
    struct bytes content;
    (void)out;
    der_read_any(value, &tag, &content);
}

static const struct extension {
    const struct bytes *oid;
    void (*read)(struct der_reader *value, struct x509_certificate *out);
} extensions[] = {
    {&x509_oid_basic_constraints, read_basic_constraints},
    {&x509_oid_key_usage, read_key_usage},
    {&x509_oid_extended_key_usage, read_purposes},
    {&x509_oid_subject_alt_name, read_alt_names},
    {&x509_oid_name_constraints, read_name_constraints},
    {&x509_oid_subject_key_identifier, read_subject_key_id},
    {&x509_oid_authority_key_identifier, read_authority_key_id},
    {&x509_oid_issuer_alt_name, leave_unread},
    {&x509_oid_crl_distribution_points, leave_unread},
    {&x509_oid_certificate_policies, leave_unread},
    {&x509_oid_authority_info_access, leave_unread},
};

static const struct extension *find_extension(struct bytes oid) {
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
        if (bytes_equal(*extensions[i].oid, oid)) return &extensions[i];
    return NULL;
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }.
 * Returns its identifier. */
static struct bytes read_extension(struct der_reader *reader, struct x509_certificate *out) {
    struct der_reader inner = der_enter(reader, DER_SEQUENCE);
    struct der_reader value;
    bool critical = false;
    struct bytes oid = der_read_oid(&inner);
    if (der_next_is(&inner, DER_BOOLEAN)) critical = der_read_boolean(&inner);
    der_reader_init(&value, der_read(&inner, DER_OCTET_STRING));
    const struct extension *known = find_extension(oid);
    if (known) {
        known->read(&value, out);
        der_leave(&inner, &value);
    } else if (critical && out->unknown_critical.length == 0) {
        out->unknown_critical = oid;
    }
    if (critical && bytes_equal(oid, x509_oid_extended_key_usage)) out->purposes_critical = true;
    der_leave(reader, &inner);
    return oid;
}

void x509_extensions_read(struct der_reader *reader, struct x509_certificate *out) {
    struct bytes seen[X509_EXTENSIONS_MAX];
    size_t count = 0;
    struct der_reader inner = der_enter(reader, DER_SEQUENCE);
    while (der_has_more(&inner)) {
        struct bytes oid = read_extension(&inner, out);
        for (size_t i = 0; i < count; i++)
            if (bytes_equal(seen[i], oid)) der_fail(&inner);
        if (count == X509_EXTENSIONS_MAX)
            der_fail(&inner);
        else
            seen[count++] = oid;
    }
    if (count == 0) der_fail(&inner); /* SIZE (1..MAX) */
    der_leave(reader, &inner);
}
