/* PEM: blocks come back as they were written; whatever is no block in every detail is refused. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/pem.h"

#define BLOCK_BYTES_MAX 256

/* Reads all blocks. Returns how many there were; `*status` is OK when the text was good to its
 * end. */
static int count_blocks(struct bytes text, struct status *status) {
    struct pem_reader reader;
    struct buffer der;
    char label[PEM_LABEL_BYTES];
    int count = 0;
    /* A block of its own, so that ASan sees a read behind the end. */
    uint8_t *copy = malloc(text.length ? text.length : 1);
    assert_non_null(copy);
    if (text.length) memcpy(copy, text.data, text.length);
    pem_reader_init(&reader, bytes_of(copy, text.length));
    buffer_init(&der, BLOCK_BYTES_MAX);
    while (pem_read(&reader, label, &der, status))
        count++;
    buffer_free(&der);
    free(copy);
    return count;
}

static void blocks_come_back(void **state) {
    (void)state;
    uint8_t bytes[BLOCK_BYTES_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t length = 1; length <= sizeof bytes; length++) {
        struct buffer text, der;
        struct pem_reader reader;
        struct status status = STATUS_INIT;
        char label[PEM_LABEL_BYTES];
        buffer_init(&text, 4096);
        buffer_init(&der, BLOCK_BYTES_MAX);
        assert_true(pem_write(PEM_CERTIFICATE, bytes_of(bytes, length), &text));
        pem_reader_init(&reader, buffer_bytes(&text));
        assert_true(pem_read(&reader, label, &der, &status));
        assert_string_equal(label, PEM_CERTIFICATE);
        assert_true(bytes_equal(buffer_bytes(&der), bytes_of(bytes, length)));
        assert_false(pem_read(&reader, label, &der, &status));
        assert_true(status_is_ok(&status));
        buffer_free(&text);
        buffer_free(&der);
    }
}

static void lines_have_64_columns(void **state) {
    (void)state;
    uint8_t bytes[49] = {0};
    struct buffer text;
    buffer_init(&text, 4096);
    assert_true(pem_write("X", bytes_of(bytes, sizeof bytes), &text));
    assert_string_equal(buffer_text(&text),
                        "-----BEGIN X-----\n"
                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                        "AA==\n"
                        "-----END X-----\n");
    buffer_free(&text);
}

#define BEGIN_X "-----BEGIN X-----\n"
#define END_X   "-----END X-----\n"
#define BLOCK_X BEGIN_X "Zm9v\n" END_X

static const struct {
    const char *text;
    int blocks;
    const char *error; /* part of the text; NULL: none */
} rows[] = {
    {"", 0, NULL},
    {"nothing of interest\n", 0, NULL},
    {BLOCK_X, 1, NULL},
    {"-----BEGIN X-----\nZm9v\n-----END X-----", 1, NULL},
    {"-----BEGIN X-----\r\nZm9v\r\n-----END X-----\r\n", 1, NULL},
    {"-----BEGIN X----- \t\nZm9v  \n-----END X-----  \n", 1, NULL},
    {"-----BEGIN X-----\nZm9\nv\n-----END X-----\n", 1, NULL},
    {"subject: CN=a\n" BLOCK_X "\n\nissuer: CN=b\n" BLOCK_X "the end\n", 2, NULL},
    {"-----BEGIN A B-C-----\nZm9v\n-----END A B-C-----\n", 1, NULL},
    {BLOCK_X BEGIN_X, 1, "-----END X----- is missing"},
    {BEGIN_X "Zm9v\n", 0, "-----END X----- is missing"},
    {BEGIN_X END_X, 0, "begins in line 1 is empty"},
    {END_X, 0, "line 1 ends a PEM block that was not begun"},
    {BEGIN_X "Zm9v\n" BEGIN_X "Zm9v\n" END_X, 0, "line 3 is not -----END X-----"},
    {BEGIN_X "Zm9v\n-----END Y-----\n", 0, "line 3 is not -----END X-----"},
    {BEGIN_X "Zm9v\n-----END X----\n", 0, "line 3 is not -----END X-----"},
    {"-----BEGIN X----\nZm9v\n" END_X, 0, "no proper label"},
    {"-----BEGIN -----\nZm9v\n-----END -----\n", 0, "no proper label"},
    {"-----BEGIN  X-----\nZm9v\n-----END  X-----\n", 0, "no proper label"},
    {"-----BEGIN X -----\nZm9v\n-----END X -----\n", 0, "no proper label"},
    {"-----BEGIN a\x1b[2Jb-----\nZm9v\n-----END a\x1b[2Jb-----\n", 0, "no proper label"},
    {"-----BEGIN XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX-----\n", 0,
     "no proper label"},
    {BEGIN_X "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nZm9v\n" END_X, 0,
     "line 2 is a header"},
    {BEGIN_X "\nZm9v\n" END_X, 0, "line 2 is empty"},
    {BEGIN_X "Zm 9v\n" END_X, 0, "not base64"},
    {BEGIN_X "Zm9vYg==\nZm9v\n" END_X, 0, "not base64"}, /* padding in the middle */
    {BEGIN_X "Zm9vYg\n" END_X, 0, "not base64"},         /* without padding */
    {BEGIN_X "Zm9vYh==\n" END_X, 0, "not base64"},       /* left-over bits */
    {BEGIN_X "Zm9-\n" END_X, 0, "not base64"},           /* base64url */
};

static void each_text_is_judged(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct status status = STATUS_INIT;
        int blocks = count_blocks(bytes_of_text(rows[i].text), &status);
        bool right =
            rows[i].error ? strstr(status.text, rows[i].error) != NULL : status_is_ok(&status);
        if (blocks != rows[i].blocks || !right)
            fail_msg("row %zu: %d blocks, \"%s\"", i, blocks, status.text);
    }
}

static void bytes_that_are_no_text(void **state) {
    (void)state;
    static const char nul_in_body[] = BEGIN_X "Zm\0v\n" END_X;
    static const char nul_outside[] = "a\0b\n" BLOCK_X;
    struct status status = STATUS_INIT;
    assert_int_equal(count_blocks(bytes_of(nul_outside, sizeof nul_outside - 1), &status), 1);
    assert_true(status_is_ok(&status));
    assert_int_equal(count_blocks(bytes_of(nul_in_body, sizeof nul_in_body - 1), &status), 0);
    assert_int_equal(status.code, STATUS_MALFORMED);
}

static void the_limit_holds(void **state) {
    (void)state;
    uint8_t bytes[BLOCK_BYTES_MAX + 1] = {0};
    struct buffer text;
    struct status status = STATUS_INIT;
    buffer_init(&text, 4096);
    assert_true(pem_write("X", bytes_of(bytes, sizeof bytes), &text));
    assert_int_equal(count_blocks(buffer_bytes(&text), &status), 0);
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back),    cmocka_unit_test(lines_have_64_columns),
        cmocka_unit_test(each_text_is_judged), cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(the_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
