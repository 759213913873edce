/*
 * Lame duck mode: how a broker is taken out of service without its clients all coming back at once
 * somewhere else. Private to src/broker; broker_drain begins it.
 *
 *     open -> told (INFO with ldm), grace -> connections closed evenly over the spread -> drained
 */
#ifndef LSYS_BROKER_DRAIN_H
#define LSYS_BROKER_DRAIN_H

#include "broker/broker_state.h"

/* Closes those whose turn has come. Called only while draining; the owner may stop the broker in
 * it. */
void drain_tick(struct broker *broker);

/* The last client has left while draining. */
void drain_finished(struct broker *broker);

#endif
