/*
 * The thread of a bus: goes round the servers until one takes us, restores the subscriptions,
 * carries out orders, and begins again when the connection is lost. It blocks as it likes; nobody
 * waits for it longer than BUS_STOP_LIMIT_MS.
 *
 *     [next server] --refused--> [next server] ... all refused --> [wait, doubling] --+
 *          |   ^                                                                      |
 *       connected  +------------------------------------------------------------------+
 *          v
 *     [restore subscriptions] --> [orders] --lost--> [wait a moment] --> [next server]
 */
#ifndef LSYS_BUS_THREAD_H
#define LSYS_BUS_THREAD_H

#include <pthread.h>

#include "base/status.h"
#include "bus/bus.h"
#include "bus/link.h"
#include "bus/server_list.h"

/* Starts the thread. Takes over the servers and copies the rest; takes a reference of the link and
 * ends with bus_link_end. STATUS_IO when there is no thread to be had; the servers are freed then,
 * too. */
bool bus_thread_start(struct bus_link *link, struct bus_server_list *servers,
                      const struct bus_options *options, pthread_t *thread,
                      struct status *status) MUST_CHECK;

#endif
