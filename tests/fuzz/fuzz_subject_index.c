/* The subject index: a program of inserts, removals and matches, compared with a list. Two bytes an
 * instruction: what to do with which entry, and which of a few subjects. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assertion.h"
#include "broker/subject.h"
#include "broker/subject_index.h"

#define ENTRIES 32

struct slot {
    struct subject_entry entry;
    struct bytes subject;
    bool queued;
};

/* A subject of up to four tokens, two bits each, spelt into `out`. */
static struct bytes spell(uint8_t code, bool wildcards, char *out) {
    static const char literal[] = "abcd", wild[] = "ab*>";
    size_t length = 0;
    for (unsigned i = 0; i < 4; i++, code >>= 2) {
        if (length > 0) out[length++] = '.';
        out[length++] = (wildcards ? wild : literal)[code & 3];
        if (out[length - 1] == '>' || (code & 0xfc) == 0) break;
    }
    return bytes_of(out, length);
}

static void compare(struct subject_index *index, const struct slot *slots, struct bytes subject) {
    const struct subject_match *match = subject_index_match(index, subject);
    uint32_t plain = 0, queued = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        if (slots[i].entry.node == NULL || !subject_contains(slots[i].subject, subject)) continue;
        if (slots[i].queued)
            queued++;
        else
            plain++;
    }
    ASSERT(match->plain_count == plain);
    ASSERT(match->queued_count == queued);
    ASSERT((match->queue_count > 0) == (queued > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct subject_index *index = subject_index_new();
    static char texts[ENTRIES][8];
    struct slot slots[ENTRIES];
    memset(slots, 0, sizeof slots);
    for (size_t at = 0; at + 1 < size; at += 2) {
        struct slot *slot = &slots[data[at] % ENTRIES];
        char text[8];
        if (data[at] & 0x80) {
            compare(index, slots, spell(data[at + 1], false, text));
        } else if (slot->entry.node != NULL) {
            subject_index_remove(index, &slot->entry);
        } else {
            slot->subject = spell(data[at + 1], true, texts[slot - slots]);
            slot->queued = data[at] & 0x40;
            ASSERT(subject_index_insert(index, slot->subject,
                                        bytes_of_text(slot->queued ? "q" : ""), &slot->entry));
        }
    }
    for (size_t i = 0; i < ENTRIES; i++)
        subject_index_remove(index, &slots[i].entry);
    ASSERT(subject_index_count(index) == 0);
    subject_index_free(index);
    return 0;
}
