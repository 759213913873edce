/* lsys ca show: what certificates and requests say. */
#include <stdio.h>
#include <string.h>

#include "app/certificate_files.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json_writer.h"
#include "codec/pem.h"
#include "codec/rfc3339.h"
#include "roles/ca/actions.h"
#include "rules/certificate_renewal.h"
#include "verifier/x509_alt_name.h"

#define NAMES_TEXT_BYTES 8192
#define JSON_BYTES_MAX   ((size_t)4 << 20)

/* Everything that is shown of one certificate or request, as text. */
struct facts {
    const char *kind; /* "certificate", "request" */
    char subject[X509_NAME_TEXT_BYTES];
    char names[NAMES_TEXT_BYTES];
    char key[32];
    char pin[BASE64_LENGTH(SHA256_BYTES) + 1];

    /* Certificates only. */
    const struct x509_certificate *certificate;
    char issuer[X509_NAME_TEXT_BYTES];
    char serial[X509_SERIAL_TEXT_BYTES];
    char fingerprint[2 * SHA256_BYTES + 1];
    enum certificate_phase phase;
    int64_t due_ms;
};

static void describe_key(const struct x509_public_key *key, struct facts *out) {
    uint8_t pin[SHA256_BYTES];
    if (key->type == X509_KEY_RSA)
        snprintf(out->key, sizeof out->key, "RSA, %zu bits", key->bits);
    else
        snprintf(out->key, sizeof out->key, "%s", x509_key_type_name(key->type));
    x509_public_key_pin(key, pin);
    base64_encode(bytes_of(pin, sizeof pin), out->pin);
}

static void describe_certificate(const struct x509_certificate *certificate, struct facts *out) {
    struct certificate_life life = {certificate->not_before_ms, certificate->not_after_ms};
    uint8_t fingerprint[SHA256_BYTES];
    *out = (struct facts){.kind = "certificate", .certificate = certificate};
    x509_name_format(certificate->subject, out->subject);
    x509_name_format(certificate->issuer, out->issuer);
    x509_alt_names_format(certificate->alt_names, out->names, sizeof out->names);
    describe_key(&certificate->key, out);
    x509_certificate_serial_text(certificate, out->serial);
    x509_certificate_fingerprint(certificate, fingerprint);
    hex_encode(bytes_of(fingerprint, sizeof fingerprint), out->fingerprint);
    out->phase = certificate_phase_at(life, clock_wall_ms());
    out->due_ms = certificate_due_ms(life);
}

static void describe_request(const struct x509_request *request, struct facts *out) {
    *out = (struct facts){.kind = "request"};
    x509_name_format(request->subject, out->subject);
    x509_alt_names_format(request->alt_names, out->names, sizeof out->names);
    describe_key(&request->key, out);
}

static void print_certificate(const struct facts *facts) {
    const struct x509_certificate *certificate = facts->certificate;
    char begin[CA_TIME_BYTES], end[CA_TIME_BYTES], due[CA_TIME_BYTES];
    ca_format_time(certificate->not_before_ms, begin);
    ca_format_time(certificate->not_after_ms, end);
    ca_format_time(facts->due_ms, due);
    printf("  issuer       %s\n"
           "  serial       %s\n"
           "  valid        %s until %s\n"
           "  renewal      %s; due from %s on\n"
           "  purposes     %s\n"
           "  CA           %s\n",
           facts->issuer, facts->serial, begin, end, certificate_phase_name(facts->phase), due,
           certificate->is_ca          ? "signs certificates"
           : certificate->has_purposes ? ca_purposes_text(certificate->purposes)
                                       : "any",
           certificate->is_ca ? "yes" : "no");
}

static void print_text(const struct facts *facts) {
    printf("%s\n"
           "  subject      %s\n"
           "  names        %s\n",
           facts->kind, facts->subject, facts->names);
    if (facts->certificate) print_certificate(facts);
    printf("  key          %s\n"
           "  pin          sha256/%s\n",
           facts->key, facts->pin);
    if (facts->certificate) printf("  fingerprint  sha256 %s\n", facts->fingerprint);
}

static void write_time(struct json_writer *json, const char *name, int64_t unix_ms) {
    char text[RFC3339_BYTES];
    rfc3339_format(unix_ms, text);
    json_writer_member_text(json, name, text);
}

static void write_names(struct json_writer *json, struct bytes alt_names) {
    struct der_reader reader = x509_alt_names_open(alt_names);
    struct x509_alt_name name;
    char text[X509_ALT_NAME_TEXT_BYTES];
    json_writer_name(json, "names");
    json_writer_begin_array(json);
    while (x509_alt_names_next(&reader, &name)) {
        x509_alt_name_format(&name, text);
        json_writer_text(json, text);
    }
    json_writer_end_array(json);
}

static void write_certificate(struct json_writer *json, const struct facts *facts) {
    const struct x509_certificate *certificate = facts->certificate;
    uint32_t purposes = certificate->has_purposes ? certificate->purposes : X509_PURPOSE_ANY;
    json_writer_member_text(json, "issuer", facts->issuer);
    json_writer_member_text(json, "serial", facts->serial);
    write_time(json, "not_before", certificate->not_before_ms);
    write_time(json, "not_after", certificate->not_after_ms);
    json_writer_member_text(json, "renewal", certificate_phase_name(facts->phase));
    write_time(json, "renewal_due", facts->due_ms);
    json_writer_member_boolean(json, "ca", certificate->is_ca);
    json_writer_member_boolean(json, "server", purposes & (X509_PURPOSE_SERVER | X509_PURPOSE_ANY));
    json_writer_member_boolean(json, "client", purposes & (X509_PURPOSE_CLIENT | X509_PURPOSE_ANY));
    json_writer_member_text(json, "fingerprint_sha256", facts->fingerprint);
}

static void write_json(struct json_writer *json, const struct facts *facts,
                       struct bytes alt_names) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "kind", facts->kind);
    json_writer_member_text(json, "subject", facts->subject);
    write_names(json, alt_names);
    if (facts->certificate) write_certificate(json, facts);
    json_writer_member_text(json, "key", facts->key);
    json_writer_member_text(json, "pin_sha256", facts->pin);
    json_writer_end_object(json);
}

/* Shows one block; others than certificates and requests are passed over. `*shown` counts. */
static bool show_block(const char *label, struct bytes der, struct json_writer *json, size_t *shown,
                       struct status *status) {
    struct x509_certificate certificate;
    struct x509_request request;
    struct facts facts;
    struct bytes alt_names;
    if (strcmp(label, PEM_CERTIFICATE) == 0) {
        if (!x509_certificate_parse(der, &certificate, status)) return false;
        describe_certificate(&certificate, &facts);
        alt_names = certificate.alt_names;
    } else if (strcmp(label, PEM_CERTIFICATE_REQUEST) == 0) {
        if (!x509_request_parse(der, &request, status)) return false;
        describe_request(&request, &facts);
        alt_names = request.alt_names;
    } else {
        return true;
    }
    ++*shown;
    if (json)
        write_json(json, &facts, alt_names);
    else
        print_text(&facts);
    return true;
}

static bool show_all(struct bytes text, struct json_writer *json, struct status *status) {
    struct pem_reader reader;
    struct buffer der;
    struct status problem = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    size_t shown = 0;
    bool good = true;
    pem_reader_init(&reader, text);
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    while (good && pem_read(&reader, label, &der, &problem))
        good = show_block(label, buffer_bytes(&der), json, &shown, &problem);
    buffer_wipe(&der);
    if (!status_is_ok(&problem)) return status_fail(status, problem.code, "%s", problem.text);
    return shown > 0 || status_fail(status, STATUS_NOT_FOUND,
                                    "there is neither a certificate nor a request (PEM) in it");
}

static bool show_json(struct bytes text, struct status *status) {
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, JSON_BYTES_MAX);
    json_writer_init(&json, &out);
    json_writer_begin_array(&json);
    bool shown = show_all(text, &json, status);
    json_writer_end_array(&json);
    shown = shown && json_writer_finish(&json, "the answer", status);
    if (shown) puts(buffer_text(&out));
    buffer_free(&out);
    return shown;
}

bool ca_show(const struct options *options, struct status *status) {
    struct buffer text;
    const char *path = options_argument(options, 1);
    buffer_init(&text, X509_BUNDLE_BYTES_MAX);
    bool shown = file_read(path, &text, status);
    if (shown) {
        shown = options_boolean(options, "json") ? show_json(buffer_bytes(&text), status)
                                                 : show_all(buffer_bytes(&text), NULL, status);
        if (!shown) status_context(status, "%s", path);
    }
    buffer_wipe(&text);
    return shown;
}
