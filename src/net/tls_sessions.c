#include "net/tls_sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"

struct entry {
    struct list link;
    char *key;
    struct tls_session session;
    int64_t kept_at_ms; /* monotonic */
};

struct tls_sessions {
    pthread_mutex_t mutex;
    struct list entries; /* the least recently used first */
    size_t count;
};

static void lock(struct tls_sessions *sessions) {
    ASSERT(pthread_mutex_lock(&sessions->mutex) == 0);
}

static void unlock(struct tls_sessions *sessions) {
    ASSERT(pthread_mutex_unlock(&sessions->mutex) == 0);
}

/* ---- with the lock held ---- */

static struct entry *find(struct tls_sessions *sessions, const char *key) {
    for (struct list *at = sessions->entries.next; at != &sessions->entries; at = at->next) {
        struct entry *entry = LIST_ENTRY(at, struct entry, link);
        if (strcmp(entry->key, key) == 0) return entry;
    }
    return NULL;
}

static void drop(struct tls_sessions *sessions, struct entry *entry) {
    list_remove(&entry->link);
    sessions->count--;
    free(entry->key);
    memory_wipe(entry, sizeof *entry);
    free(entry);
}

static bool is_usable(const struct entry *entry, int64_t wall_ms, int64_t monotonic_ms) {
    return wall_ms >= entry->session.not_before_ms && wall_ms <= entry->session.not_after_ms &&
           monotonic_ms - entry->kept_at_ms < TLS_SESSION_AGE_MAX_MS;
}

static struct entry *add(struct tls_sessions *sessions, const char *key) {
    if (sessions->count == TLS_CLIENT_SESSIONS_MAX)
        drop(sessions, LIST_ENTRY(sessions->entries.next, struct entry, link));
    struct entry *entry = memory_new(sizeof *entry);
    entry->key = memory_copy_text(key);
    list_append(&sessions->entries, &entry->link);
    sessions->count++;
    return entry;
}

static void mark_used(struct tls_sessions *sessions, struct entry *entry) {
    list_remove(&entry->link);
    list_append(&sessions->entries, &entry->link);
}

/* ---- the calls ---- */

struct tls_sessions *tls_sessions_new(void) {
    struct tls_sessions *sessions = memory_new(sizeof *sessions);
    ASSERT(pthread_mutex_init(&sessions->mutex, NULL) == 0);
    list_init(&sessions->entries);
    return sessions;
}

void tls_sessions_free(struct tls_sessions *sessions) {
    if (!sessions) return;
    while (!list_is_empty(&sessions->entries))
        drop(sessions, LIST_ENTRY(sessions->entries.next, struct entry, link));
    pthread_mutex_destroy(&sessions->mutex);
    free(sessions);
}

bool tls_sessions_find(struct tls_sessions *sessions, const char *key, int64_t wall_ms,
                       int64_t monotonic_ms, struct tls_session *out) {
    lock(sessions);
    struct entry *entry = find(sessions, key);
    if (entry && !is_usable(entry, wall_ms, monotonic_ms)) {
        drop(sessions, entry);
        entry = NULL;
    }
    if (entry) {
        *out = entry->session;
        mark_used(sessions, entry);
    }
    unlock(sessions);
    return entry != NULL;
}

void tls_sessions_keep(struct tls_sessions *sessions, const char *key,
                       const struct tls_session *session, int64_t monotonic_ms) {
    lock(sessions);
    struct entry *entry = find(sessions, key);
    if (entry)
        mark_used(sessions, entry);
    else
        entry = add(sessions, key);
    entry->session = *session;
    entry->kept_at_ms = monotonic_ms;
    unlock(sessions);
}

void tls_sessions_forget(struct tls_sessions *sessions, const char *key) {
    lock(sessions);
    struct entry *entry = find(sessions, key);
    if (entry) drop(sessions, entry);
    unlock(sessions);
}
