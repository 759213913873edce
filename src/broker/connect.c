#include "broker/connect.h"

#include <stdlib.h>

#include "base/memory.h"
#include "broker/logins.h"
#include "broker/timeouts.h"
#include "broker/trust.h"

static void authorization_violation(struct client *client, const char *reason) {
    client->broker->counters.authentication_failures++;
    client_refuse(client, "Authorization Violation", reason);
}

static bool authenticate(struct client *client, const struct connect_texts *texts) {
    struct broker *broker = client->broker;
    /* The account is that of the user's token; a client cannot choose one. */
    if (texts->account != NULL && texts->account[0] != '\0') {
        authorization_violation(client, "it asked for an account");
        return false;
    }
    if (broker->trust != NULL)
        return trust_authenticate(client, texts->token, texts->credentials.signature);
    if (broker->users == NULL) return true;
    client->user = broker_users_authenticate(broker->users, &texts->credentials, client->nonce);
    if (client->user != NULL) return true;
    authorization_violation(client, "bad credentials");
    return false;
}

static void keep_text(char **place, const char *text) {
    if (text == NULL) return;
    free(*place);
    *place = memory_copy_text(text);
}

static void admit(struct client *client, const struct connect_texts *texts) {
    keep_text(&client->name, texts->name);
    keep_text(&client->language, texts->language);
    keep_text(&client->version, texts->version);
    client->parser.connect_only = false;
    logins_end(client);
    if (!client->is_connected) timeouts_keep_alive(client);
    client->is_connected = true;
    client_ok(client);
}

void connect_client(struct client *client, struct bytes json) {
    struct connect_texts texts;
    struct json_document *document = connect_options_read(json, &client->options, &texts);
    if (document == NULL) {
        client_refuse(client, NULL, "CONNECT is no JSON that we understand");
        return;
    }
    if (authenticate(client, &texts)) {
        if (client->options.protocol < 0 || client->options.protocol > 1)
            client_refuse(client, "invalid client protocol", "invalid client protocol");
        else if (client->options.no_responders && !client->options.headers)
            client_refuse(client, "no responders requires headers support",
                          "no_responders without headers");
        else
            admit(client, &texts);
    }
    json_document_free(document);
}
