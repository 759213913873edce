/*
 * What a process of lsys does before anything else: keeps its memory private, and copes with being
 * the first process of a container.
 */
#ifndef LSYS_APP_PROCESS_SETUP_H
#define LSYS_APP_PROCESS_SETUP_H

/* Makes the process non-dumpable and forbids core files, so that keys in memory reach no file and
 * no other process of the same user (prctl(2) PR_SET_DUMPABLE); ignores SIGPIPE; opens /dev/null
 * for standard descriptors that are closed, so that no file of ours gets their number. */
void process_harden(void);

/* Raises the soft limit of descriptors to the hard one, for roles: shells give 1,024, which is
 * there for programs that use select(2), and a thousand clients want more. Nothing linked in uses
 * it. */
void process_raise_descriptor_limit(void);

/* As process 1 of a container: forks, and stays as a small init that hands signals to the child,
 * reaps orphans, and exits with the child's code. Returns at once in any other process, and in the
 * child. */
void process_become_init(void);

#endif
