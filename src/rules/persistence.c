#include "rules/persistence.h"

struct state_row {
    const char *name;
    const char *text;
};

static const struct state_row state_rows[PERSISTENCE_STATES] = {
    [PERSISTENCE_DURABLE] = {"durable", "the state is saved"},
    [PERSISTENCE_REFUSED] = {"refused", "the disk refuses what is new: it is kept in memory, and "
                                        "lost if this process ends"},
    [PERSISTENCE_READ_ONLY] = {"read_only", "the saved state can be read and not written: what is "
                                            "new is kept in memory, and lost if this process ends"},
    [PERSISTENCE_MEMORY] = {"memory", "the state is kept in memory only, and lost if this process "
                                      "ends"},
};

void persistence_init(struct persistence *persistence, int64_t now_ms) {
    persistence->state = PERSISTENCE_DURABLE;
    persistence->since_ms = now_ms;
    persistence->retry_at_ms = 0;
    backoff_init(&persistence->backoff, PERSISTENCE_RETRY_FIRST_MS, PERSISTENCE_RETRY_CAP_MS);
}

bool persistence_observe(struct persistence *persistence, enum persistence_state state,
                         int64_t now_ms, uint64_t random) {
    if (state == persistence->state) return false;
    bool was_durable = persistence->state == PERSISTENCE_DURABLE;
    if (was_durable && now_ms - persistence->since_ms >= PERSISTENCE_STEADY_MS)
        backoff_succeeded(&persistence->backoff);
    persistence->state = state;
    persistence->since_ms = now_ms;
    if (was_durable) persistence_retry_failed(persistence, now_ms, random);
    return true;
}

void persistence_retry_failed(struct persistence *persistence, int64_t now_ms, uint64_t random) {
    persistence->retry_at_ms = now_ms + backoff_failed(&persistence->backoff, random);
}

const char *persistence_name(enum persistence_state state) {
    return (unsigned)state < PERSISTENCE_STATES ? state_rows[state].name : "memory";
}

const char *persistence_text(enum persistence_state state) {
    return state_rows[(unsigned)state < PERSISTENCE_STATES ? state : PERSISTENCE_MEMORY].text;
}
