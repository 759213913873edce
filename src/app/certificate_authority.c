#include "app/certificate_authority.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/certificate_files.h"
#include "base/file.h"
#include "base/memory.h"
#include "codec/pem.h"
#include "codec/rfc3339.h"
#include "verifier/x509_build.h"
#include "verifier/x509_trust.h"

#define NAME_BYTES_MAX 1024

struct certificate_authority {
    struct x509_key *key;
    struct buffer der; /* owns what `certificate` points to */
    struct x509_certificate certificate;
};

void certificate_authority_close(struct certificate_authority *authority) {
    if (!authority) return;
    x509_key_free(authority->key);
    buffer_free(&authority->der);
    free(authority);
}

const struct x509_certificate *
certificate_authority_certificate(const struct certificate_authority *authority) {
    return &authority->certificate;
}

static bool open_files(struct certificate_authority *authority, const char *certificate_path,
                       const char *key_path, struct status *status) {
    if (!certificate_file_read(certificate_path, &authority->der, &authority->certificate, status))
        return false;
    if (!authority->certificate.is_ca)
        return status_fail(status, STATUS_WRONG_TYPE,
                           "%s is not the certificate of a CA (basicConstraints CA:TRUE)",
                           certificate_path);
    authority->key = certificate_file_read_key(key_path, status);
    if (!authority->key) return false;
    if (x509_public_key_equal(&authority->certificate.key, x509_key_public(authority->key)))
        return true;
    return status_fail(status, STATUS_MALFORMED, "%s is not the key of %s", key_path,
                       certificate_path);
}

struct certificate_authority *certificate_authority_open(const char *folder,
                                                         struct status *status) {
    struct certificate_authority *authority = memory_new(sizeof *authority);
    char *certificate_path = file_join(folder, CERTIFICATE_AUTHORITY_FILE);
    char *key_path = file_join(folder, CERTIFICATE_AUTHORITY_KEY_FILE);
    buffer_init(&authority->der, X509_CERTIFICATE_BYTES_MAX);
    bool opened = open_files(authority, certificate_path, key_path, status);
    free(certificate_path);
    free(key_path);
    if (opened) return authority;
    certificate_authority_close(authority);
    return NULL;
}

/* Builds a certificate and appends it in PEM. */
static bool build_pem(struct x509_template *wanted, const struct x509_public_key *key,
                      const struct x509_certificate *issuer, const struct x509_key *issuer_key,
                      struct buffer *out, struct status *status) {
    struct buffer der;
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    x509_serial_generate(wanted->serial);
    bool built = x509_build(wanted, key, issuer, issuer_key, &der, status);
    if (built) {
        pem_write(PEM_CERTIFICATE, buffer_bytes(&der), out);
        built = buffer_check(out, "the certificate", status);
    }
    buffer_free(&der);
    return built;
}

/* For peers whose clocks are behind; but of a short life at most a tenth, so that half of it does
 * not lie in the past. */
static int64_t backdate_of(int64_t life_ms) {
    return life_ms / 10 < X509_BACKDATE_MS ? life_ms / 10 : X509_BACKDATE_MS;
}

/* The last moment that can be written in a certificate: RFC 5280, section 4.1.2.5, has the year
 * 9999. */
static int64_t end_of_life_ms(int64_t now_ms, int64_t life_ms) {
    return life_ms > RFC3339_MAX_MS - now_ms ? RFC3339_MAX_MS : now_ms + life_ms;
}

/* Both files or none. */
static bool write_files(const char *certificate_path, const char *key_path,
                        const struct x509_key *key, struct bytes certificate,
                        struct status *status) {
    if (access(certificate_path, F_OK) == 0)
        return status_fail(status, STATUS_BUSY,
                           "%s exists already and is not overwritten: choose another --out",
                           certificate_path);
    if (!certificate_file_create_key(key_path, key, status)) return false;
    if (file_create(certificate_path, certificate, 0644, status)) return true;
    unlink(key_path);
    return false;
}

bool certificate_authority_create(const char *folder, const char *name, int64_t life_ms,
                                  int64_t now_ms, struct status *status) {
    struct buffer subject, text;
    struct x509_key *key = x509_key_generate();
    char *certificate_path = file_join(folder, CERTIFICATE_AUTHORITY_FILE);
    char *key_path = file_join(folder, CERTIFICATE_AUTHORITY_KEY_FILE);
    buffer_init(&subject, NAME_BYTES_MAX);
    buffer_init(&text, CERTIFICATE_FILE_BYTES_MAX);
    x509_name_write(&subject, NULL, name);
    struct x509_template wanted = {.subject = buffer_bytes(&subject),
                                   .not_before_ms = now_ms - backdate_of(life_ms),
                                   .not_after_ms = end_of_life_ms(now_ms, life_ms),
                                   .is_ca = true};
    bool created = buffer_check(&subject, "the CA's name", status) &&
                   build_pem(&wanted, x509_key_public(key), NULL, key, &text, status) &&
                   file_make_folder(folder, 0755, status) &&
                   write_files(certificate_path, key_path, key, buffer_bytes(&text), status);
    buffer_free(&subject);
    buffer_free(&text);
    x509_key_free(key);
    free(certificate_path);
    free(key_path);
    return created;
}

bool certificate_authority_issue(const struct certificate_authority *authority,
                                 const struct certificate_wish *wish, int64_t now_ms,
                                 struct buffer *out, struct status *status) {
    const struct x509_certificate *own = &authority->certificate;
    struct x509_template wanted = {.subject = wish->subject,
                                   .alt_names = wish->alt_names,
                                   .not_before_ms = now_ms - backdate_of(wish->life_ms),
                                   .not_after_ms = end_of_life_ms(now_ms, wish->life_ms),
                                   .purposes = wish->purposes};
    if (!x509_check_period(own, now_ms, status))
        return status_context(status, "the CA cannot issue any more; its own");
    if (wanted.not_after_ms > own->not_after_ms) wanted.not_after_ms = own->not_after_ms;
    return build_pem(&wanted, wish->key, own, authority->key, out, status);
}

/* How long `old` was meant to live, from its making on: what backdate_of has added is taken off. */
static int64_t life_of(const struct x509_certificate *old) {
    int64_t total_ms = old->not_after_ms - old->not_before_ms;
    return total_ms > 11 * X509_BACKDATE_MS ? total_ms - X509_BACKDATE_MS : total_ms * 10 / 11;
}

bool certificate_authority_renew(const struct certificate_authority *authority,
                                 const struct x509_certificate *old,
                                 const struct x509_public_key *key, int64_t life_ms, int64_t now_ms,
                                 struct buffer *out, struct status *status) {
    struct certificate_wish wish = {
        .key = key,
        .subject = old->subject,
        .alt_names = old->alt_names,
        .purposes = old->has_purposes ? old->purposes : X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT,
        .life_ms = life_ms ? life_ms : life_of(old)};
    if (old->is_ca || !bytes_equal(old->issuer, authority->certificate.subject) ||
        !x509_signature_verify(&old->signature, old->tbs, x509_key_public(authority->key), NULL))
        return status_fail(status, STATUS_UNKNOWN_ISSUER,
                           "this CA has not issued the old certificate");
    return certificate_authority_issue(authority, &wish, now_ms, out, status);
}

bool certificate_authority_renew_itself(const struct certificate_authority *authority,
                                        int64_t life_ms, int64_t now_ms, struct buffer *out,
                                        struct status *status) {
    const struct x509_certificate *own = &authority->certificate;
    if (!x509_certificate_is_self_issued(own))
        return status_fail(status, STATUS_WRONG_TYPE,
                           "the CA's certificate was issued by another CA, which has to renew it");
    if (life_ms == 0) life_ms = life_of(own);
    struct x509_template wanted = {.subject = own->subject,
                                   .not_before_ms = now_ms - backdate_of(life_ms),
                                   .not_after_ms = end_of_life_ms(now_ms, life_ms),
                                   .is_ca = true};
    return build_pem(&wanted, &own->key, NULL, authority->key, out, status);
}
