#include "rules/heartbeat_sequence.h"

bool heartbeat_sequence_start(struct heartbeat_sequence *sequence, int64_t persisted_starts) {
    if (persisted_starts < 0 || persisted_starts >= HEARTBEAT_STARTS_LIMIT - 1) return false;
    sequence->starts = persisted_starts + 1;
    sequence->messages = 0;
    return true;
}

bool heartbeat_sequence_start_uncommitted(struct heartbeat_sequence *sequence,
                                          int64_t persisted_starts, int64_t now_s) {
    if (!heartbeat_sequence_start(sequence, persisted_starts)) return false;
    if (now_s > 0 && now_s < HEARTBEAT_MESSAGES_PER_START - 1) sequence->messages = now_s;
    return true;
}

bool heartbeat_sequence_next(struct heartbeat_sequence *sequence, int64_t *seq) {
    if (sequence->messages >= HEARTBEAT_MESSAGES_PER_START - 1) return false;
    sequence->messages++;
    *seq = sequence->starts * HEARTBEAT_MESSAGES_PER_START + sequence->messages;
    return true;
}

bool heartbeat_sequence_is_plausible(int64_t seq) {
    return seq > 0 && seq < HEARTBEAT_SEQUENCE_LIMIT;
}
