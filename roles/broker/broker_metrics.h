/*
 * The broker's series on /metrics.
 */
#ifndef LSYS_ROLES_BROKER_BROKER_METRICS_H
#define LSYS_ROLES_BROKER_BROKER_METRICS_H

#include "app/role.h"
#include "broker/broker.h"

struct broker_metrics;

/* Registers the series and keeps them up to date until broker_metrics_close (NULL is accepted),
 * which comes before the broker stops. */
struct broker_metrics *broker_metrics_open(struct role_context *context, struct broker *broker);
void broker_metrics_close(struct broker_metrics *metrics);

#endif
