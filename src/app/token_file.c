#include "app/token_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "codec/armor.h"

static const char *const labels[] = {ARMOR_LICENSE, ARMOR_REVOCATIONS, ARMOR_KEYRING, ARMOR_REQUEST,
                                     ARMOR_BINDING};

static bool begins_armor(struct bytes text, const char *label) {
    char first_line[64];
    int length = snprintf(first_line, sizeof first_line, "-----BEGIN %s-----", label);
    return memmem(text.data, text.length, first_line, (size_t)length) != NULL;
}

/* The label that the armour in `text` has; that of a license when it has none of ours. */
static const char *find_label(struct bytes text) {
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (begins_armor(text, labels[i])) return labels[i];
    return ARMOR_LICENSE;
}

bool token_file_read(const char *path, const char *label, struct token_file *out,
                     struct status *status) {
    struct buffer text;
    buffer_init(&text, TOKEN_FILE_BYTES);
    buffer_init(&out->token, JWS_TOKEN_BYTES_MAX);
    bool read = file_read(path, &text, status);
    if (read) {
        struct bytes bytes = buffer_bytes(&text);
        read = armor_read(label ? label : find_label(bytes), bytes, &out->token, status) ||
               status_context(status, "%s", path);
    }
    buffer_free(&text);
    if (!read) token_file_free(out);
    return read;
}

struct bytes token_file_token(const struct token_file *file) {
    return buffer_bytes(&file->token);
}

void token_file_free(struct token_file *file) {
    buffer_free(&file->token);
}

bool token_file_write(const char *path, const char *label, struct bytes token,
                      struct status *status) {
    struct buffer text;
    buffer_init(&text, TOKEN_FILE_BYTES);
    if (label) {
        armor_write(label, token, &text);
    } else {
        buffer_append(&text, token.data, token.length);
        buffer_append_text(&text, "\n");
    }
    bool written = buffer_check(&text, "the token", status);
    if (written && !strcmp(path, "-"))
        fwrite(text.data, 1, text.length, stdout);
    else if (written)
        written = file_replace(path, buffer_bytes(&text), 0644, status);
    buffer_free(&text);
    return written;
}
