/*
 * What the role is called: in commands, logs and metrics, and as the namespace of its records.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_NAME_H
#define LSYS_ROLES_LICENSE_CLIENT_NAME_H

#define LICENSE_CLIENT_NAME "license-client"

#endif
