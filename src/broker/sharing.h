/*
 * Whether an import may be carried out: the exporter exports it, to everybody or to this importer,
 * and the subjects fit together. Rules as nats-server has them (server/accounts.go, checkAuth and
 * checkActivation), but stricter where that leaves something open: an activation is for the subject
 * that it names, and for no wider one.
 */
#ifndef LSYS_BROKER_SHARING_H
#define LSYS_BROKER_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"
#include "broker/subject_map.h"
#include "verifier/nats_jwt.h"

/* Checks the import against the exporter's token at `now_s`. `*map` leads a stream to the importer,
 * a service to the exporter, and is freed by the caller; `*export` is what is imported.
 * STATUS_NOT_FOUND: nothing of the kind is exported; STATUS_FORBIDDEN: not to this account;
 * STATUS_CONFIG: the subjects do not fit; else as nats_activation_check. */
bool sharing_check(const struct nats_account *importer, const struct nats_import *import,
                   const struct nats_account *exporter, int64_t now_s, struct subject_map *map,
                   const struct nats_export **export, struct status *status) MUST_CHECK;

#endif
